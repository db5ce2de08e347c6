/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate_check.c - what must hold in the core and around it after every event. */
#include <string.h>

#include "cleanup.h"
#include "gate.h"
#include "ike/core.h"

const struct ike_sa *gate_sa(const struct gate *g, const uint8_t *cky_i, const uint8_t *cky_r)
{
	return table_by_cookies(&g->ike->t, cky_i, cky_r);
}

static bool logged_in(const struct ike_sa *sa)
{
	return sa && 1u << sa->state & ST_LOGGED_IN;
}

/* A client's own address and no other; networks of its family, and for IPv6 only when it has asked. */
static const char *check_selectors(const struct ike_sa *sa, const struct ike_child_fx *k)
{
	bool v6 = k->inner.family == IP_V6;

	if (!ipaddr_eq(&k->inner, v6 ? &sa->lease6 : &sa->lease))
		return "a pair in the kernel for another address than the lease";
	if (v6 && !sa->asked6)
		return "a pair for an IPv6 address of which its client was not told";
	for (unsigned i = 0; i < k->n_nets; i++)
		if (k->nets[i].addr.family != k->inner.family)
			return "a pair in the kernel that joins IPv4 and IPv6";
	return "";
}

static const char *check_pairs(const struct gate *g)
{
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct gate_pair *p = &g->pair[i];
		const struct ike_sa *sa = ike_find(g->ike, p->who);
		const struct ike_child *c;

		if (!logged_in(sa))
			return "a pair in the kernel without a session that is logged in";
		if (*check_selectors(sa, &p->fx))
			return check_selectors(sa, &p->fx);
		c = child_find(sa, p->fx.child);
		if (!c || c->spi_in != p->fx.spi_in || !c->in_kernel)
			return "a pair in the kernel that its session does not know";
		if (!endpoint_eq(&c->peer, &p->fx.peer) || !endpoint_eq(&c->local, &p->fx.local))
			return "a pair in the kernel for another place than its session thinks";
		if (!p->out == !c->out)
			return "a pair of which the session does not know whether it can send";
	}
	return "";
}

/* One pair of a set sends, and a newer one may be about to; the others are on their way out. */
static const char *check_set(const struct ike_sa *sa, const struct ike_child *c)
{
	for (const struct ike_child *o = sa->children; o; o = o->next)
		if (o != c && o->state == IKE_CHILD_UP && c->state == IKE_CHILD_UP &&
		    o->set == c->set)
			return "two pairs for the same traffic";
	if ((c->state == IKE_CHILD_UP || c->state == IKE_CHILD_OLD) && c->out)
		return "a pair that should send and cannot";
	return "";
}

static const char *check_limits(const struct ike_sa *sa)
{
	unsigned n = 0;

	for (const struct ike_xchg *x = sa->xchgs; x; x = x->next)
		n++;
	if (n > LIMIT_EXCHANGES)
		return "more exchanges than the limit";
	n = 0;
	for (const struct ike_child *c = sa->children; c; c = c->next)
		n++;
	if (n > LIMIT_CHILDREN)
		return "more SA pairs than the limit";
	if (sa->n_used > LIMIT_MESSAGE_IDS)
		return "more message IDs than the limit";
	return "";
}

struct sums {
	unsigned names, sas, logged_in, half_open, pairs, spis, cpis, leases, users, asked;
	bool seen[GATE_POOL];
};

/* A client that is asked and says nothing is given up in time. */
static const char *check_life(const struct gate *g, const struct ike_sa *sa)
{
	const struct ike_conf *c = &g->conf;
	uint64_t patience = c->dpd_delay_us + c->dpd_maxfail * c->dpd_retry_us;
	uint64_t since = sa->heard_us > g->came_back ? sa->heard_us : g->came_back;

	if (!logged_in(sa))
		return "";
	if (sa->dpd_asked > c->dpd_maxfail)
		return "more questions for life than dpd_maxfail";
	if (c->dpd_delay_us && sa->vids & VID_DPD && g->now > since + patience)
		return "a session whose client is silent for too long";
	return "";
}

/* Whoever is logged in is counted for that user, and nobody has more than allowed. */
static const char *check_user(const struct gate *g, const struct ike_sa *sa, struct sums *s)
{
	const struct ike_conf *c = &g->conf;
	unsigned bound = c->sessions_per_user ? c->sessions_per_user : 1, n = 0;
	bool found = false;

	s->users += sa->user_link != NULL;
	if (!sa->user_link)
		return logged_in(sa) ? "a session that its user's name does not find" : "";
	if (!logged_in(sa) && sa->state != IKE_ST_CHECKING)
		return "an SA that still counts for its user";
	for (const struct ike_sa *o = by_user_first(&g->ike->t.users, sa->user); o;
	     o = by_user_next(o)) {
		n += o->why == IKE_R_NONE;
		found |= o == sa;
	}
	if (!found)
		return "a session that its user's name does not find";
	if (n > bound && (c->unique != IKE_UNIQUE_NEVER || c->sessions_per_user))
		return "a user with more sessions than allowed";
	return "";
}

static const char *check_sa(const struct gate *g, const struct ike_sa *sa, struct sums *s)
{
	uint32_t at = ipaddr_to_v4(&sa->lease) - g->pool_first;
	const char *why;

	s->sas++;
	s->names += sa->name != 0;
	s->logged_in += logged_in(sa);
	s->asked += sa->state == IKE_ST_XAUTH && sa->asks;
	s->half_open += sa->half_open != IKE_HALF_OPEN_NO;
	for (const struct ike_child *c = sa->children; c; c = c->next) {
		s->spis++;
		s->cpis += c->cpi_in != 0;
		s->pairs += c->in_kernel;
		if (!u32_has(&g->ike->t.spis, c->spi_in))
			return "an inbound SPI that is not marked as used";
		if (c->cpi_in && !u32_has(&g->ike->t.cpis, c->cpi_in))
			return "an inbound CPI that is not marked as used";
		if (quick_overlaps(sa, c))
			return "two pairs of a session that share some of their networks";
		if (*check_set(sa, c))
			return check_set(sa, c);
	}
	if (*check_life(g, sa))
		return check_life(g, sa);
	why = check_user(g, sa, s);
	if (*why)
		return why;
	if (sa->due_us != UINT64_MAX && g->ike->t.heap[sa->heap_at] != sa)
		return "a deadline that is not in the heap";
	if (sa->lease6.family && !sa->lease.family)
		return "an IPv6 address that outlives the lease beside it";
	if (!sa->lease.family)
		return check_limits(sa);
	if (!logged_in(sa))
		return "an address without a session that is logged in";
	if (at >= g->pool_len || !g->leased[at])
		return "a session with an address that it was not given";
	if (s->seen[at])
		return "an address with two sessions";
	s->seen[at] = true;
	s->leases++;
	return check_limits(sa);
}

const char *gate_check_frags(const struct frag_store *s)
{
	const struct frag_list *lists[] = { &s->strangers, &s->clients };
	unsigned waiting = 0, n = 0;
	size_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct frag_set *f = lists[i]->oldest; f; f = f->newer) {
			waiting += !f->done;
			bytes += f->n;
			n++;
			if (f->n > LIMIT_FRAG_MESSAGE || f->last > LIMIT_FRAG_PIECES)
				return "a message in fragments is longer than the limit";
			if (f->newer && f->newer->due_us < f->due_us)
				return "messages in fragments are not in the order of their age";
			if (f->newer ? f->newer->older != f : lists[i]->newest != f)
				return "the list of messages in fragments is broken";
		}
	if (waiting != s->waiting)
		return "messages that wait for fragments are miscounted";
	if (s->bytes > LIMIT_FRAG_TOTAL || s->bytes < bytes || (!n && s->bytes))
		return "bytes of fragments are miscounted";
	return "";
}

static const char *check_heap(const struct ike_table *t)
{
	for (uint32_t i = 1; i < t->heap_n; i++)
		if (t->heap[(i - 1) / 2]->due_us > t->heap[i]->due_us)
			return "the heap of deadlines is out of order";
	return "";
}

const char *gate_check(struct gate *g)
{
	const struct ike_table *t = &g->ike->t;
	unsigned crypto = 0;
	struct sums s = { 0 };
	const char *why = *g->fault ? g->fault : check_pairs(g);

	for (uint32_t i = 0; i < t->cap && !*why; i++)
		if (t->slot[i].sa)
			why = check_sa(g, t->slot[i].sa, &s);
	for (unsigned i = 0; i < g->n_jobs; i++)
		crypto += g->job[i].kind == FX_DH || g->job[i].kind == FX_SIGN ||
			  g->job[i].kind == FX_PROOF;
	if (*why)
		return why;
	if (s.names != t->names.n)
		return "names stay marked as used";
	if (s.sas != t->n || s.logged_in != ike_sessions(g->ike))
		return "sessions are miscounted";
	if (s.half_open != ike_half_open(g->ike))
		return "the half-open gauge is wrong";
	if (s.pairs != g->n_pairs)
		return "a session believes in a pair that is not in the kernel";
	why = gate_policies_check(g);
	if (*why)
		return why;
	if (s.spis != t->spis.n)
		return "SPIs stay marked as used";
	if (s.cpis != t->cpis.n)
		return "CPIs stay marked as used";
	if (s.users != t->users.n)
		return "the index of users is wrong";
	if (s.asked != g->open_questions)
		return "a question that nobody answers, or calls off";
	if (s.leases != g->leases)
		return "an address is held without a session";
	if (crypto != g->ike->crypto_pending)
		return "crypto jobs are miscounted";
	why = gate_check_frags(&g->ike->frags);
	return *why ? why : check_heap(t);
}
