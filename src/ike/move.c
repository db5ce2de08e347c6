/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * move.c - clients that change their address or port, and NATs that do it for them (RFC 3947 7,
 * RFC 3948 2.3).
 *
 * Two things show where a client is: a message of IKE that verified and is new, and a packet of
 * ESP that the kernel found authentic and no replay. Either moves the client's own session and
 * nothing else. Answers follow every time, because they go to who asked. The pairs in the kernel
 * follow LIMIT_MOVE_BURST times at once and every LIMIT_MOVE_S then: whoever moves oftener says so
 * again with each of his packets, so nothing has to be remembered.
 */
#include "cleanup.h"
#include "ike/core.h"

/* In the kernel for another place than where the client is. ESP without UDP cannot follow, nor can
 * what was set up with another address of ours: the client's own SA would not fit. A pair that only
 * receives goes on doing so, and follows as soon as it sends (child.c). */
static bool lags(const struct ike_sa *sa, const struct ike_child *c)
{
	return c->in_kernel && !c->out && c->encap && !endpoint_eq(&c->peer, &sa->peer) &&
	       c->peer.addr.family == sa->peer.addr.family && endpoint_eq(&c->local, &sa->local);
}

#define STEP_US (LIMIT_MOVE_S * US_PER_S)

static bool may_move(const struct ike_sa *sa, uint64_t now)
{
	return sa->moves_us <= now + (LIMIT_MOVE_BURST - 1) * STEP_US;
}

static void move_child(const struct ike_sa *sa, struct ike_child *c, struct fx *fx)
{
	struct ike_child_fx *k = child_fx(sa, c, IKE_PART_BOTH, fx);
	struct fx_item *it;

	if (!k)
		return;
	it = fx_add(fx, FX_CHILD_MOVE, sa_ticket(sa, 0));
	it->move.child = k;
	it->move.to = sa->peer;
	c->peer = sa->peer;
}

void sa_move(struct ike *ike, struct ike_sa *sa, const struct endpoint *peer, uint64_t now,
	     struct fx *fx)
{
	struct ike_child *child[LIMIT_CHILDREN];
	struct fx_session *s;
	unsigned n = 0;

	sa->peer = *peer;
	for (struct ike_child *c = sa->children; c && n < LIMIT_CHILDREN; c = c->next)
		if (lags(sa, c))
			child[n++] = c;
	if (!n || !(1u << sa->state & ST_LOGGED_IN) || !may_move(sa, now))
		return;
	sa->moves_us = (sa->moves_us > now ? sa->moves_us : now) + STEP_US;
	ike->count[IKE_C_MOVED]++;
	s = sa_report(sa, FX_MOVED, IKE_R_NONE, fx);
	if (s)
		s->from = child[0]->peer;
	/* The oldest first: of several that fit, the kernel sends through what was added last. */
	while (n)
		move_child(sa, child[--n], fx);
}

void sa_move_late(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		  struct fx *fx)
{
	bool told = false;

	for (const struct ike_child *o = sa->children; o; o = o->next)
		told |= o->in_kernel && endpoint_eq(&o->peer, &sa->peer);
	if (!told)
		sa_move(ike, sa, &sa->peer, now, fx);
	else if (lags(sa, c))
		move_child(sa, c, fx);
}

/* ---- what the kernel saw ---- */

/* One host, and not the gateway itself. */
static bool plausible(const struct ike_sa *sa, const struct endpoint *e)
{
	const uint8_t *b = e->addr.b;

	if (e->port == 0 || e->addr.family != sa->peer.addr.family ||
	    ipaddr_eq(&e->addr, &sa->local.addr))
		return false;
	return e->addr.family == IP_V4 ? b[0] != 0 && b[0] < 224 : b[0] != 0xff;
}

/* A report that names a place which the pair has left is an old one: there may have been several
 * under way when the pair was moved. */
static bool believable(const struct ike_sa *sa, uint32_t spi, const struct endpoint *from,
		       const struct endpoint *to)
{
	const struct ike_child *c = sa->children;

	while (c && c->spi_in != spi)
		c = c->next;
	return c && c->in_kernel && c->encap && endpoint_eq(&c->peer, from) &&
	       !endpoint_eq(from, to) && plausible(sa, to);
}

void ike_moved(struct ike *ike, uint32_t spi, const struct endpoint *from,
	       const struct endpoint *to, uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_by_spi(&ike->t, spi);

	if (sa && 1u << sa->state & ST_LOGGED_IN && believable(sa, spi, from, to) &&
	    may_move(sa, now)) {
		sa_move(ike, sa, to, now, fx);
		sa_rearm(ike, sa);
	} else {
		ike->count[IKE_C_MOVE_IGNORED]++;
	}
}

/* ---- what the kernel could not do ---- */

void ike_child_lost(struct ike *ike, struct sess_id who, uint32_t child, uint64_t now,
		    struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who);
	struct ike_child *c = sa ? child_find(sa, child) : NULL;

	if (!c)
		return;
	ike_note(ike, sa, &sa->peer, IKE_R_KERNEL, "", fx);
	/* The client makes a new pair, or leaves and comes back. */
	if (c->state != IKE_CHILD_PENDING || c->in_kernel) /* then it has our answer */
		info_delete_child(ike, sa, c, now, fx);
	child_drop(ike, sa, c, fx);
	child_succeed(sa, now, fx);
	sa_rearm(ike, sa);
}
