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
#define REUSE_US      UINT64_C(1000000) /* operators' requests in a row cost one dump */

struct counts {
	struct gw_counted *v; /* owned */
	size_t n, cap;
};

static int count_one(void *ctx, const struct ipaddr *dst, uint32_t spi,
		     const struct xfrm_counters *c)
{
	struct counts *all = ctx;

	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 256;
		struct gw_counted *v = realloc(all->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		all->v = v;
		all->cap = cap;
	}
	all->v[all->n++] = (struct gw_counted){ .dst = *dst, .spi = spi, .c = *c };
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

/* A sum only grows: what a session is seen to have carried is added once. */
static void add_to_sums(struct gw *gw, struct gw_session *g, uint64_t in, uint64_t out)
{
	if (!g->inherited) {
		gw->bytes_in += in > g->summed_in ? in - g->summed_in : 0;
		gw->bytes_out += out > g->summed_out ? out - g->summed_out : 0;
	}
	g->inherited = false;
	g->summed_in = in > g->summed_in ? in : g->summed_in;
	g->summed_out = out > g->summed_out ? out : g->summed_out;
}

void traffic_over(struct gw *gw, struct gw_session *g)
{
	add_to_sums(gw, g, g->bytes_in, g->bytes_out);
}

static void look_at(struct gw *gw, const struct ike_sa *sa, struct gw_session *g)
{
	uint64_t in = g->gone_in, out = g->gone_out;
	uint64_t bytes_in = g->bytes_in, bytes_out = g->bytes_out;

	for (const struct ike_child *c = sa->children; c; c = c->next) {
		struct xfrm_counters ci = traffic_of(gw, &c->local.addr, c->spi_in),
				     co = traffic_of(gw, &c->peer.addr, c->spi_out);

		in += ci.packets;
		out += co.packets;
		bytes_in += ci.bytes;
		bytes_out += co.bytes;
	}
	add_to_sums(gw, g, bytes_in, bytes_out);
	if (in > g->seen_in || out > g->seen_out)
		ike_traffic(gw->ike, sa->id, in > g->seen_in, gw_now_us(gw));
	g->seen_in = in;
	g->seen_out = out;
}

/* A dump that broke off leaves the counters of the last one: half of them would look as if traffic
 * had come to an end. */
static int read_counters(struct gw *gw)
{
	struct counts all = { 0 };
	int rc = xfrm_sa_each(gw->xfrm, count_one, &all);

	if (rc < 0) {
		free(all.v);
		return rc;
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_spi);
	free(gw->counted);
	gw->counted = all.v;
	gw->n_counted = all.n;
	gw->counted_us = gw_now_us(gw);
	return 0;
}

void traffic_look(struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	while ((sa = ike_next(gw->ike, &cursor))) {
		struct gw_session *g = gw_session(gw, sa->id);

		if (g)
			look_at(gw, sa, g);
	}
}

void traffic_snapshot(void *ctx)
{
	struct gw *gw = ctx;
	unsigned long left_out;
	int rc;

	if (gw->counted_us && gw_now_us(gw) - gw->counted_us < REUSE_US)
		return;
	rc = read_counters(gw);
	if (rc < 0) {
		if (log_allowed(&gw->count_limit, 1, 60, gw_now_us(gw), &left_out))
			log_warning("cannot read the counters of the IPsec SAs: %s", strerror(-rc));
		return;
	}
	traffic_look(gw);
}

static uint64_t sample_us(const struct gw *gw)
{
	const struct ike_conf *c = &gw->config->ike;
	uint64_t us = SAMPLE_MAX_US;

	if (c->dpd_delay_us && c->dpd_delay_us / 2 < us)
		us = c->dpd_delay_us / 2;
	for (unsigned i = 0; i <= c->n_profiles; i++) {
		uint64_t idle = i ? c->profile[i - 1].limits.idle_us : c->idle_limit_us;

		if (idle && idle / 2 < us)
			us = idle / 2;
	}
	return us < SAMPLE_MIN_US ? SAMPLE_MIN_US : us;
}

static int on_sample(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct gw *gw = userdata;

	(void)usec;
	if (ike_sessions(gw->ike))
		traffic_snapshot(gw);
	leases_watch(gw); /* when there is no session, nothing else looks */
	sd_event_source_set_time_relative(src, sample_us(gw));
	return 0;
}

void traffic_again(struct gw *gw)
{
	if (!gw->sampler)
		return;
	traffic_snapshot(gw);
	sd_event_source_set_time_relative(gw->sampler, sample_us(gw));
}

int traffic_start(struct gw *gw)
{
	uint64_t us = sample_us(gw);
	int rc = sd_event_add_time_relative(gw->event, &gw->sampler, CLOCK_BOOTTIME, us, us / 10,
					    on_sample, gw);

	return rc < 0 ? rc : sd_event_source_set_enabled(gw->sampler, SD_EVENT_ON);
}
