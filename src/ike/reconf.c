/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reconf.c - another configuration while sessions are up. Pure.
 *
 * Whatever is decided looks at the configuration when it is decided, and what must not change once
 * it was agreed on is in the SA. So there is little to do: times that sessions wait for.
 */
#include "ike/core.h"

/* Silence counts from the last sign of life. One that is over by the new time is given it once
 * more: thousands of clients are not asked in the same moment, and none is for nothing. */
static void dpd_again(struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	if (sa->dpd_asked)
		return;
	sa->dpd_next_us = sa->heard_us + ike->conf->dpd_delay_us;
	if (sa->dpd_next_us < now)
		sa->dpd_next_us = now + ike->conf->dpd_delay_us;
}

void ike_set_conf(struct ike *ike, const struct ike_conf *conf, uint64_t now)
{
	bool dpd = ike->conf->dpd_delay_us != conf->dpd_delay_us,
	     keepalive = ike->conf->natt_keepalive_us != conf->natt_keepalive_us;

	ike->conf = conf;
	for (uint32_t i = 0; i < ike->t.cap; i++) {
		struct ike_sa *sa = ike->t.slot[i].sa;

		if (!sa)
			continue;
		if (dpd)
			dpd_again(ike, sa, now);
		if (keepalive && sa->state == IKE_ST_UP)
			keepalive_start(ike, sa, now);
		sa_rearm(ike, sa);
	}
}
