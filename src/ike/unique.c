/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unique.c - how many sessions a user may have, and which one goes when there is one too many.
 *
 * Asked after the password and before the address. Users are told apart by their login name and by
 * nothing else: the phase 1 identity is a group's, and an address may be a NAT's. A session ends
 * here for a newer one of the same user only, and its client is told.
 *
 * INITIAL-CONTACT (RFC 2407 4.6.3.3) says that the client remembers no other session. Anybody can
 * say so who gets through phase 1, so it waits for the login, and is then about the user's own
 * older sessions with the same phase 1 identity and from the same address: what the client that
 * speaks can have been. unique = never does not listen to it.
 */
#include "ike/core.h"
#include "ike/profile.h"

/* Sessions at once; 0: no bound. Without a number, unique allows one. */
static unsigned bound_of(const struct ike_limits *l)
{
	if (l->sessions_per_user)
		return l->sessions_per_user;
	return l->unique == IKE_UNIQUE_NEVER ? 0 : 1;
}

/* It has its end already; only the room for its last messages was missing. */
static bool is_leaving(const struct ike_sa *sa)
{
	return sa->why != IKE_R_NONE;
}

static unsigned count(const struct ike *ike, const char *user)
{
	const struct ike_sa *sa = by_user_first(&ike->t.users, user);
	unsigned n = 0;

	for (; sa; sa = by_user_next(sa))
		n += !is_leaving(sa);
	return n;
}

/* One that still waits for its address is the newest. */
static bool older(const struct ike_sa *a, const struct ike_sa *b)
{
	return a->since_us && (!b->since_us || a->since_us < b->since_us);
}

static struct ike_sa *oldest(const struct ike *ike, const char *user)
{
	struct ike_sa *sa = by_user_first(&ike->t.users, user), *old = NULL;

	for (; sa; sa = by_user_next(sa))
		if (!is_leaving(sa) && (!old || older(sa, old)))
			old = sa;
	return old;
}

/* Ends `sa` for a newer session, which *ret_lease is to go to. Now, or as soon as there is room. */
static void give_way(struct ike *ike, struct ike_sa *sa, uint64_t now, struct ipaddr *ret_lease,
		     struct fx *fx)
{
	if (fx_has_room(fx)) {
		if (sa->lease.family)
			*ret_lease = sa->lease;
		sa_close(ike, sa, IKE_R_REPLACED, true, now, fx);
		return;
	}
	sa->why = IKE_R_REPLACED;
	sa->expires_us = now;
	sa_rearm(ike, sa);
}

/* Sessions may stand in the way whose clients are gone: the next try shall find them gone, too. */
static enum ike_reason refuse(struct ike *ike, const struct ike_sa *sa, const struct ike_limits *l,
			      uint64_t now)
{
	for (struct ike_sa *o = by_user_first(&ike->t.users, sa->user); o; o = by_user_next(o))
		dpd_ask(ike, o, now);
	return l->sessions_per_user ? IKE_R_TOO_MANY_OF_USER : IKE_R_UNIQUE;
}

/* Behind a NAT, who may have several sessions may have several devices at one address. */
static bool surely_same_client(const struct ike_limits *l, const struct ike_sa *sa)
{
	return bound_of(l) == 1 || !(sa->nat & IKE_NAT_PEER);
}

static bool may_be_same_client(const struct ike_sa *a, const struct ike_sa *b)
{
	return ipaddr_eq(&a->peer.addr, &b->peer.addr) && a->peer_id_len == b->peer_id_len &&
	       memcmp(a->peer_id, b->peer_id, a->peer_id_len) == 0;
}

/* No other session but this one, says the client. Where it may be another device's it is asked. */
static void first_contact(struct ike *ike, struct ike_sa *sa, uint64_t now,
			  struct ipaddr *ret_lease, struct fx *fx)
{
	struct ike_sa *o = by_user_first(&ike->t.users, sa->user), *next;
	const struct ike_limits l = profile_limits(ike->conf, sa);

	if (l.unique == IKE_UNIQUE_NEVER)
		return;
	for (; o; o = next) {
		next = by_user_next(o);
		if (o == sa || is_leaving(o) || !older(o, sa) || !may_be_same_client(o, sa))
			continue;
		if (surely_same_client(&l, sa))
			give_way(ike, o, now, ret_lease, fx);
		else
			dpd_ask(ike, o, now);
	}
}

void unique_initial_contact(struct ike_event *ev, const struct ike_notify *n)
{
	uint8_t cookies[2 * IKE_COOKIE];
	struct ike_sa *sa = ev->sa;
	struct ipaddr lease;

	if (n->spi.n && !span_eq(n->spi, both_cookies(sa, cookies)))
		return;
	if (sa->user_link)
		first_contact(ev->ike, sa, ev->now, &lease, ev->fx);
	else
		sa->initial_contact = true;
}

enum ike_reason unique_admit(struct ike *ike, struct ike_sa *sa, uint64_t now,
			     struct ipaddr *ret_lease, struct fx *fx)
{
	const struct ike_limits l = profile_limits(ike->conf, sa);
	unsigned bound = bound_of(&l), n;
	struct ike_sa *old;

	*ret_lease = (struct ipaddr){ 0 };
	if (sa->initial_contact)
		first_contact(ike, sa, now, ret_lease, fx);
	n = bound ? count(ike, sa->user) : 0;
	if (bound && n >= bound && l.unique != IKE_UNIQUE_REPLACE)
		return refuse(ike, sa, &l, now);
	for (; bound && n >= bound && (old = oldest(ike, sa->user)); n--)
		give_way(ike, old, now, ret_lease, fx);
	by_user_enter(&ike->t.users, sa);
	return IKE_R_NONE;
}
