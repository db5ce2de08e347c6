/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * natt.c - finding out who is behind a NAT (RFC 3947 3.2 and drafts 02, 03), and keeping it from
 * forgetting (RFC 3948 4). Pure.
 */
#include "cleanup.h"
#include "ike/core.h"

size_t natd_of(uint16_t hash, const uint8_t *cky_i, const uint8_t *cky_r, const struct endpoint *e,
	       uint8_t out[static IKE_HASH_MAX])
{
	const uint8_t port[2] = { (uint8_t)(e->port >> 8), (uint8_t)e->port };
	const struct span v[] = {
		{ cky_i, IKE_COOKIE }, { cky_r, IKE_COOKIE }, ipaddr_span(&e->addr), SPAN_OF(port)
	};

	return hash_of(hash, v, ARRAY_SIZE(v), out) < 0 ? 0 : hash_len(hash);
}

static bool natd_is(const struct ike_sa *sa, struct span natd, const struct endpoint *e, size_t n)
{
	uint8_t h[IKE_HASH_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t len = natd_of(sa->alg.hash, sa->cky_i, sa->cky_r, &e[i], h);

		if (len && span_eq(natd, (struct span){ h, len }))
			return true;
	}
	return false;
}

/*
 * The first NAT-D is the client's view of us, the others are its own addresses. In aggressive mode
 * some clients hash the ports before they float to 4500 and some after, so the caller gives both.
 */
uint8_t natd_evaluate(const struct ike_sa *sa, const struct ike_msg *m,
		      const struct endpoint *local, size_t n_local, const struct endpoint *peer,
		      size_t n_peer)
{
	uint8_t nat = IKE_NAT_PEER;

	if (m->n_natd == 0)
		return 0;
	for (unsigned i = 1; i < m->n_natd; i++)
		if (natd_is(sa, m->natd[i], peer, n_peer))
			nat = 0;
	if (!natd_is(sa, m->natd[0], local, n_local))
		nat |= IKE_NAT_LOCAL;
	return nat;
}

/* ---- keepalives ---- */

/*
 * Whoever is behind the NAT sends them. The gateway may be, and a client that sleeps sends none: so
 * this side does it as well, where the configuration says so. Half the interval from look to look
 * keeps the silence below it, whenever in between the last ESP went.
 */
void keepalive_start(const struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	uint64_t interval = ike->conf->natt_keepalive_us;

	sa->keepalive_us = sa->natt && interval ? now + interval / 2 : 0;
}

uint64_t keepalive_at(const struct ike_sa *sa)
{
	return sa->keepalive_us && sa->state == IKE_ST_UP ? sa->keepalive_us : UINT64_MAX;
}

void keepalive_look(const struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	struct fx_item *it = fx_add(fx, FX_KEEPALIVE, sa_ticket(sa, 0));

	it->send.local = sa->local;
	it->send.peer = sa->peer;
	keepalive_start(ike, sa, now);
}
