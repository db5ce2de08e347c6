/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * renew.c - the client renews phase 1: another ISAKMP SA, another XAuth, the same session.
 *
 * Apple's client does so every 48 minutes and vpnc at four fifths of what it believes the lifetime
 * to be; neither asks for its configuration again, both go on with the address and the SA pairs
 * that they have. strongSwan asks, and expects the same address.
 *
 * What makes it a renewal: the same user, whose password has just been found right; the same phase
 * 1 identity; from the same address and port, because behind one NAT the same user may sit at
 * another machine, and a renewal comes from the socket that the client has; and no INITIAL-CONTACT,
 * which says that the client remembers nothing. Everything else is a new login.
 *
 * The session keeps its place, so nothing outside of the core has to follow: the two exchange what
 * belongs to the ISAKMP SA. What is left in the newcomer's place is the old ISAKMP SA. It takes a
 * Delete and answers whether it lives; after a while it is deleted without a word about pairs.
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/cfg_attrs.h"
#include "ike/core.h"

#define RETIRED_LIFE_S 30 /* strongSwan deletes it after 10 s, Apple after 7 */

/* A session whose end is due already is none to go on with. */
static bool renews(const struct ike_sa *fresh, const struct ike_sa *sa)
{
	return sa->state == IKE_ST_UP && sa->why == IKE_R_NONE &&
	       endpoint_eq(&sa->peer, &fresh->peer) && sa->peer_id_len == fresh->peer_id_len &&
	       memcmp(sa->peer_id, fresh->peer_id, sa->peer_id_len) == 0;
}

struct ike_sa *renew_find(struct ike *ike, const struct ike_sa *fresh)
{
	struct ike_sa *sa = by_user_first(&ike->t.users, fresh->user);

	if (fresh->initial_contact)
		return NULL;
	while (sa && !renews(fresh, sa))
		sa = by_user_next(sa);
	return sa;
}

struct ike_sa *renew_kin(const struct ike *ike, const struct ike_sa *sa)
{
	return table_get(&ike->t, sa->kin);
}

/* What is under way under the old ISAKMP SA is over; what is done may still be asked for again. */
static void end_exchanges(struct ike *ike, struct ike_sa *session, uint64_t now, struct fx *fx)
{
	for (struct ike_xchg *x = session->xchgs, *next; x; x = next) {
		struct ike_child *c =
			x->quick && !x->done ? child_find(session, x->quick->child) : NULL;

		next = x->next;
		if (c)
			child_drop(ike, session, c, fx);
		if (!x->done)
			xchg_remove(session, x);
	}
	rekey_anew(session, now);
}

#define SWAP(member)                                  \
	do {                                          \
		__typeof__(a->member) v_ = a->member; \
		a->member = b->member;                \
		b->member = v_;                       \
	} while (0)

/* All that belongs to an ISAKMP SA and not to the session. */
static void swap_isakmp(struct ike *ike, struct ike_sa *a, struct ike_sa *b)
{
	uint8_t block[IKE_BLOCK_MAX];

	table_swap_cookies(&ike->t, a, b);
	SWAP(peer);
	SWAP(local);
	SWAP(natt);
	SWAP(nat);
	SWAP(vids);
	SWAP(mode);
	SWAP(auth);
	SWAP(frag);
	SWAP(alg);
	SWAP(keys);
	memcpy(block, a->last_block, sizeof(block));
	memcpy(a->last_block, b->last_block, sizeof(block));
	memcpy(b->last_block, block, sizeof(block));
	SWAP(expires_us);
	SWAP(cfg_id);
	SWAP(dpd_seq);
	SWAP(dpd_seen);
	SWAP(dpd_window_us);
	SWAP(dpd_in_window);
	SWAP(dpd_base);
	SWAP(dpd_rounds);
	SWAP(used_ids);
	SWAP(n_used);
	SWAP(cap_used);
	SWAP(xchgs);
}

static void retire(struct ike *ike, struct ike_sa *old, struct ike_sa *session, uint64_t now,
		   struct fx *fx)
{
	struct ike_sa *older = renew_kin(ike, session);

	if (older) /* one is enough to remember */
		sa_close(ike, older, IKE_R_NONE, false, now, fx);
	session->kin = old->id;
	old->kin = session->id;
	sa_enter(ike, old, IKE_ST_RETIRED);
	old->expires_us = UINT64_MAX;
	old->deadline_us = now + RETIRED_LIFE_S * US_PER_S;
	sa_rearm(ike, old);
}

void renew_adopt(struct ike *ike, struct ike_sa *fresh, struct ike_sa *session, uint64_t now,
		 struct fx *fx)
{
	struct fx_session *report;

	end_exchanges(ike, session, now, fx);
	swap_isakmp(ike, session, fresh);
	/* Answers to what was asked before find nothing: no number means two things. */
	for (struct ike_xchg *x = session->xchgs; x; x = x->next) {
		x->serial = ++session->next_serial;
		if (x->done)
			x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	}
	if (!*session->client) /* what it said in mode config tells more than vendor IDs */
		memcpy(session->client, fresh->client, sizeof(session->client));
	session->until_us = fresh->until_us;
	session->tell_life = true;    /* vpnc waits for it */
	dpd_heard(ike, session, now); /* a question under way was the old ISAKMP SA's */
	retire(ike, fresh, session, now, fx);
	ike->count[IKE_C_RENEWED]++;
	report = sa_report(session, FX_REKEY, IKE_R_NONE, fx);
	if (report)
		report->of_isakmp = true;
	if (login_tell(ike, session, now, fx) == 0)
		sa_rearm(ike, session);
	else
		sa_close(ike, session, IKE_R_INTERNAL, false, now, fx);
}
