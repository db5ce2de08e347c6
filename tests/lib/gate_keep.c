/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate_keep.c - the end of a gateway in memory, and how it comes again. */
#include "gate_keep.h"

#include <stdlib.h>
#include <string.h>

#include "ike/core.h"

void gate_keep(struct gate *g, struct gate_kept *k)
{
	struct sess_id id;
	uint32_t slot;

	while (ike_changed(g->ike, &slot, &id)) {
		if (slot >= GATE_KEPT)
			abort();
		struct gate_record *r = &k->place[slot];

		r->n = 0;
		if (id.gen && ike_save(g->ike, id, r->b, sizeof(r->b), &r->n) < 0)
			abort();
	}
}

/* As it would be kept now, with the times of what was kept for the traffic since. */
static bool same_record(struct gate *g, struct ike_sa *sa, const struct gate_record *r)
{
	static struct ike *probe;
	static uint8_t now[4096];
	uint64_t heard = sa->heard_us, active = sa->active_us;
	struct ike_sa *was;
	struct sess_id id;
	size_t n_now;
	bool same = false;

	if (ike_new(&g->conf, g->ike->rng, &probe) < 0)
		abort();
	if (ike_restore(probe, (struct span){ r->b, r->n }, g->now, &id) == 0) {
		was = table_get(&probe->t, id);
		sa->heard_us = was->heard_us;
		sa->active_us = was->active_us;
		same = ike_save(g->ike, sa->id, now, sizeof(now), &n_now) == 0 && n_now == r->n &&
		       memcmp(now, r->b, n_now) == 0;
		sa->heard_us = heard;
		sa->active_us = active;
	}
	probe = ike_free(probe);
	return same;
}

const char *gate_keep_check(struct gate *g, const struct gate_kept *k)
{
	uint64_t seed = g->seed;
	const char *why = "";

	for (uint32_t i = 0; i < g->ike->t.cap && i < GATE_KEPT && !*why; i++) {
		struct ike_sa *sa = g->ike->t.slot[i].sa;
		bool in = sa && 1u << sa->state & ST_LOGGED_IN;

		if (in != (k->place[i].n != 0))
			why = "a session came or went, and nobody was told";
		else if (in && !same_record(g, sa, &k->place[i]))
			why = "a session has changed, and nobody was told";
	}
	g->seed = seed;
	return why;
}

/* ---- the kernel and the pool, as the next one finds them ---- */

static bool wanted(struct gate *g, struct gate_pair *p)
{
	const struct ike_slot *s =
		p->who.slot < g->ike->t.cap ? &g->ike->t.slot[p->who.slot] : NULL;
	const struct ike_child *c = s && s->sa ? s->sa->children : NULL;

	while (c && c->spi_in != p->fx.spi_in)
		c = c->next;
	if (!c)
		return false;
	/* It died before it had written down that the pair sends: that goes, to be done again. */
	if (c->out)
		p->out = 0;
	p->who = s->sa->id;
	p->fx.child = c->number;
	return true;
}

static void sweep(struct gate *g)
{
	for (unsigned i = 0; i < g->n_pairs;)
		if (wanted(g, &g->pair[i]))
			i++;
		else
			g->pair[i] = g->pair[--g->n_pairs];
	/* By set, as the reqids say it. */
	for (unsigned i = 0; i < g->n_policies;) {
		bool stays = false;

		for (unsigned k = 0; k < g->n_pairs; k++)
			for (unsigned n = 0; n < g->pair[k].fx.n_nets; n++)
				stays |=
					g->pair[k].fx.set == g->policy[i].set &&
					ipaddr_eq(&g->pair[k].fx.inner, &g->policy[i].inner) &&
					prefix_eq(&g->pair[k].fx.nets[n], &g->policy[i].net) &&
					quick_same_upper(&g->pair[k].fx.upper, &g->policy[i].upper);
		if (stays)
			i++;
		else
			g->policy[i] = g->policy[--g->n_policies];
	}
}

/* It died while this pair followed its client. */
static bool is_elsewhere(const struct gate *g, const struct ike_child *c)
{
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct ike_child_fx *k = &g->pair[i].fx;

		if (k->spi_in == c->spi_in)
			return !endpoint_eq(&c->peer, &k->peer) ||
			       !endpoint_eq(&c->local, &k->local);
	}
	return false;
}

/* Such a pair goes, and its client is told. */
static void tell_lost(struct gate *g)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	while ((sa = ike_next(g->ike, &cursor)))
		for (const struct ike_child *c = sa->children, *next; c; c = next) {
			next = c->next;
			if (is_elsewhere(g, c))
				ike_child_lost(g->ike, sa->id, c->number, g->now, &g->fx);
		}
	gate_run(g);
}

static void adopt_leases(struct gate *g)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0, at;

	memset(g->leased, 0, sizeof(g->leased));
	g->leases = 0;
	while ((sa = ike_next(g->ike, &cursor))) {
		at = ipaddr_to_v4(&sa->lease) - g->pool_first;
		if (sa->lease.family != IP_V4 || at >= g->pool_len)
			continue;
		g->leased[at] = true;
		g->leases++;
	}
}

const char *gate_kill(struct gate *g, const struct gate_kept *k)
{
	struct sess_id id;

	gate_stop(g);
	gate_start(g);
	g->fuse = 0;
	g->dead = false;
	g->came_back = g->now;
	g->n_jobs = g->open_questions = 0;
	g->n_out = 0;
	for (uint32_t i = 0; i < GATE_KEPT; i++) {
		const struct gate_record *r = &k->place[i];

		if (r->n &&
		    (ike_restore_at(g->ike, i, (struct span){ r->b, r->n }, g->now, &id) < 0 ||
		     id.slot != i))
			return "a session is not restored";
	}
	sweep(g);
	adopt_leases(g);
	tell_lost(g);
	return "";
}
