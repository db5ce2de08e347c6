/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * traffic.c - what the kernel's counters say: bytes for the operator, and for the core which
 * clients are there and which sessions are idle.
 *
 * The kernel does not tell when an SA was last used, so all of ours are read in one dump now and
 * then (4 us for each) and a session whose packets have grown since was active in between. Twice
 * in the shortest time that the core waits for is often enough.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway.h"

#define SAMPLE_MAX_US (10 * UINT64_C(1000000))
#define SAMPLE_MIN_US UINT64_C(1000000)

static int count_one(void *ctx, const struct ipaddr *dst, uint32_t spi,
		     const struct xfrm_counters *c)
{
	struct gw *gw = ctx;

	if (gw->n_counted == gw->cap_counted) {
		size_t cap = gw->cap_counted ? gw->cap_counted * 2 : 256;
		struct gw_counted *v = realloc(gw->counted, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		gw->counted = v;
		gw->cap_counted = cap;
	}
	gw->counted[gw->n_counted++] = (struct gw_counted){ .dst = *dst, .spi = spi, .c = *c };
	return 0;
}

static int by_spi(const void *a, const void *b)
{
	const struct gw_counted *x = a, *y = b;

	return x->spi < y->spi ? -1 : x->spi > y->spi;
}

struct xfrm_counters traffic_of(const struct gw *gw, const struct ipaddr *dst, uint32_t spi)
{
	const struct gw_counted key = { .spi = spi }, *end = gw->counted + gw->n_counted, *c;

	c = gw->n_counted ? bsearch(&key, gw->counted, gw->n_counted, sizeof(key), by_spi) : NULL;
	/* Clients choose their SPIs themselves: several may have the same one. */
	while (c && c > gw->counted && c[-1].spi == spi)
		c--;
	for (; c && c < end && c->spi == spi; c++)
		if (ipaddr_eq(&c->dst, dst))
			return c->c;
	return (struct xfrm_counters){ 0 };
}

static void look_at(struct gw *gw, const struct ike_sa *sa, struct gw_session *g)
{
	uint64_t in = g->gone_in, out = g->gone_out;

	for (const struct ike_child *c = sa->children; c; c = c->next) {
		in += traffic_of(gw, &c->local.addr, c->spi_in).packets;
		out += traffic_of(gw, &c->peer.addr, c->spi_out).packets;
	}
	if (in > g->seen_in || out > g->seen_out)
		ike_traffic(gw->ike, sa->id, in > g->seen_in, gw_now_us(gw));
	g->seen_in = in;
	g->seen_out = out;
}

void traffic_snapshot(void *ctx)
{
	struct gw *gw = ctx;
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	gw->n_counted = 0;
	xfrm_sa_each(gw->xfrm, count_one, gw);
	if (gw->n_counted)
		qsort(gw->counted, gw->n_counted, sizeof(*gw->counted), by_spi);
	while ((sa = ike_next(gw->ike, &cursor))) {
		struct gw_session *g = gw_session(gw, sa->id);

		if (g)
			look_at(gw, sa, g);
	}
}

static uint64_t sample_us(const struct gw *gw)
{
	const struct ike_conf *c = &gw->config->ike;
	uint64_t us = SAMPLE_MAX_US;

	if (c->dpd_delay_us && c->dpd_delay_us / 2 < us)
		us = c->dpd_delay_us / 2;
	if (c->idle_limit_us && c->idle_limit_us / 2 < us)
		us = c->idle_limit_us / 2;
	return us < SAMPLE_MIN_US ? SAMPLE_MIN_US : us;
}

static int on_sample(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct gw *gw = userdata;

	(void)usec;
	if (ike_sessions(gw->ike))
		traffic_snapshot(gw);
	sd_event_source_set_time_relative(src, sample_us(gw));
	return 0;
}

int traffic_start(struct gw *gw)
{
	uint64_t us = sample_us(gw);
	int rc = sd_event_add_time_relative(gw->event, &gw->sampler, CLOCK_BOOTTIME, us, us / 10,
					    on_sample, gw);

	return rc < 0 ? rc : sd_event_source_set_enabled(gw->sampler, SD_EVENT_ON);
}
