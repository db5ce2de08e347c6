/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * close.c - how a session ends, and what time does to it.
 *
 * Everything of a session goes at once: its pairs, its lease, its line in the list. What may stay
 * for some seconds is a ghost (CLOSING) that repeats our Deletes, because nobody acknowledges them.
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/core.h"

#define DELETE_REPEATS 2
#define GHOST_LIFE_S   10
#define AFTER_PHASE1   (ST(XAUTH) | ST(CHECKING) | ST_LOGGED_IN)

struct fx_session *sa_report(struct ike_sa *sa, enum fx_kind kind, enum ike_reason why,
			     struct fx *fx)
{
	struct fx_session *s = fx_space(fx, sizeof(*s));

	if (!s)
		return NULL;
	ike_session_name(sa, s->name);
	memcpy(s->user, sa->user, sizeof(s->user));
	memcpy(s->client, sa->client, sizeof(s->client));
	snprintf(s->profile, sizeof(s->profile), "%s", sa->profile ? sa->profile : "");
	s->peer = sa->peer;
	s->lease = sa->lease;
	if (sa->asked6)
		s->lease6 = sa->lease6;
	s->since_us = sa->since_us;
	s->heard_us = sa->heard_us;
	s->logged_in = 1u << sa->state & ST_LOGGED_IN;
	s->asked = sa->state == IKE_ST_XAUTH && sa->asks;
	s->reason = why;
	fx_add(fx, kind, sa_ticket(sa, 0))->session = s;
	return s;
}

void sa_down(struct ike *ike, struct ike_sa *sa, enum ike_reason why, struct fx *fx)
{
	while (sa->children)
		child_drop(ike, sa, sa->children, fx);
	xauth_no_answer(sa, fx);
	if (1u << sa->state & AFTER_PHASE1)
		sa_report(sa, FX_DOWN, why, fx);
	by_user_leave(&ike->t.users, sa);
	sa->why = why;
	sa->lease = sa->lease6 = (struct ipaddr){ 0 };
	sa->asked6 = false;
}

bool sa_is_vpnc(const struct ike_sa *sa)
{
	return strncmp(sa->client, "Cisco Systems VPN Client", 24) == 0;
}

/*
 * vpnc takes the Delete of its ESP SA as a wish for a new one, starts a Quick Mode, and is deaf to
 * the Delete of the ISAKMP SA behind it. The Cisco client ties the one to the other as well.
 */
static bool one_delete_is_enough(const struct ike_sa *sa)
{
	return sa_is_vpnc(sa);
}

void sa_close(struct ike *ike, struct ike_sa *sa, enum ike_reason why, bool tell, uint64_t now,
	      struct fx *fx)
{
	bool keyed = !(1u << sa->state & (ST(DH) | ST(SIGN) | ST(AM_SENT) | ST(MM_SA) | ST(MM_KE) |
					  ST(PROOF) | ST(CLOSING)));
	struct ike_sa *kin = renew_kin(ike, sa);

	/* With its session goes what a renewal has left over. */
	if (kin && kin->state == IKE_ST_RETIRED)
		sa_close(ike, kin, why, false, now, fx);
	if (!tell || !keyed) {
		sa_down(ike, sa, why, fx);
		sa_enter(ike, sa, IKE_ST_CLOSING);
		table_remove(&ike->t, sa);
		return;
	}
	/* Room for the Deletes: whatever was under way is over. */
	while (sa->xchgs)
		xchg_remove(sa, sa->xchgs);
	for (const struct ike_child *c = sa->children; c && !one_delete_is_enough(sa); c = c->next)
		if (c->state != IKE_CHILD_PENDING)
			info_delete_child(ike, sa, c, now, fx);
	info_delete_sa(ike, sa, now, fx);
	sa_down(ike, sa, why, fx);
	sa_enter(ike, sa, IKE_ST_CLOSING);
	sa->deadline_us = now + GHOST_LIFE_S * US_PER_S;
	sa->expires_us = UINT64_MAX;
	sa_rearm(ike, sa);
}

int ike_close(struct ike *ike, struct sess_id id, enum ike_reason why, uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, id);

	if (!sa || !(1u << sa->state & ST_LOGGED_IN))
		return -ENOENT;
	sa_close(ike, sa, why, true, now, fx);
	return 0;
}

/* ---- time ---- */

static bool quick_pending(const struct ike_sa *sa)
{
	const struct ike_child *c = sa->children;

	while (c && c->state != IKE_CHILD_PENDING)
		c = c->next;
	return c;
}

/* The present state has lasted too long. The SA is gone, in another state or has a new deadline
 * afterwards. */
static void on_deadline(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	switch (sa->state) {
	case IKE_ST_AM_SENT:
		aggr_no_third(ike, sa, fx);
		sa_close(ike, sa, IKE_R_NO_THIRD, false, now, fx);
		break;
	case IKE_ST_NEW:
	case IKE_ST_DH:
	case IKE_ST_SIGN:
	case IKE_ST_MM_SA:
	case IKE_ST_MM_KE:
	case IKE_ST_PROOF:
		sa_close(ike, sa, IKE_R_NO_THIRD, false, now, fx);
		break;
	case IKE_ST_XAUTH:
		ike->count[IKE_C_LOGIN_FAILED]++;
		sa_close(ike, sa, IKE_R_CLIENT_SILENT, true, now, fx);
		break;
	case IKE_ST_CHECKING:
		xauth_refuse(ike, sa, IKE_R_AUTH_UNAVAILABLE, now, fx);
		break;
	case IKE_ST_REFUSING:
		sa_close(ike, sa, sa->why, true, now, fx);
		break;
	case IKE_ST_AUTHED:
	case IKE_ST_LEASED:
	case IKE_ST_UP:
		if (quick_pending(sa)) { /* it gets the time that a Quick Mode has */
			sa->deadline_us = now + LIMIT_QUICK_WAIT_S * US_PER_S;
			sa_rearm(ike, sa);
		} else {
			sa_close(ike, sa, IKE_R_NOT_UP, true, now, fx);
		}
		break;
	case IKE_ST_RETIRED:
		sa_close(ike, sa, IKE_R_NONE, true, now, fx);
		break;
	case IKE_ST_CLOSING:
		sa_close(ike, sa, sa->why, false, now, fx);
		break;
	}
}

static void repeat(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, uint64_t now,
		   struct fx *fx)
{
	bool one_way = x->kind == XCHG_KIND_DELETE || x->kind == XCHG_KIND_NOTIFY;
	unsigned tries = one_way ? DELETE_REPEATS : ike->conf->retransmit_tries;

	ike->count[IKE_C_RESENT]++;
	sa_send(ike, sa, (struct span){ x->out, x->out_len }, fx);
	x->resent++;
	x->next_us = x->resent < tries ? ike_repeat_at(ike, now, x->resent) : UINT64_MAX;
	if (x->next_us == UINT64_MAX && x->ours && x->kind != XCHG_KIND_XAUTH)
		x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
}

static void forget(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct fx *fx)
{
	struct ike_child *c = x->quick && !x->done ? child_find(sa, x->quick->child) : NULL;

	if (c && x->quick->by_gateway)
		rekey_given_up(ike, sa, fx);
	if (c)
		child_drop(ike, sa, c, fx); /* HASH(3), or the answer to ours, never came */
	xchg_remove(sa, x);
}

static void tick_exchanges(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	for (struct ike_xchg *x = sa->xchgs, *next; x; x = next) {
		next = x->next;
		if (now >= x->next_us)
			repeat(ike, sa, x, now, fx);
		if (now >= x->forget_us)
			forget(ike, sa, x, fx);
	}
}

static void tick_children(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	for (struct ike_child *c = sa->children, *next; c; c = next) {
		next = c->next;
		if (c->state == IKE_CHILD_UP && now >= c->rekey_us && now < c->expires_us)
			rekey_begin(ike, sa, c, now, fx);
		if (now < c->expires_us)
			continue;
		/* Also of one that was replaced: some clients send with the older pair for as long
		 * as they have it. */
		if (c->state != IKE_CHILD_PENDING)
			info_delete_child(ike, sa, c, now, fx);
		child_drop(ike, sa, c, fx);
	}
	child_succeed(sa, now, fx);
}

static void tick_sa(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	struct sess_id id = sa->id;

	if (now >= sa->deadline_us) {
		sa->deadline_us = UINT64_MAX;
		on_deadline(ike, sa, now, fx);
		return;
	}
	if (now >= sa->expires_us) {
		sa_close(ike, sa, sa->why ? sa->why : IKE_R_LIFETIME, true, now, fx);
		return;
	}
	if (life_tick(ike, sa, now, fx) || dpd_tick(ike, sa, now, fx))
		return;
	if (sa->nego && now >= sa->nego->next_us)
		aggr_repeat(ike, sa, now, fx);
	if (now >= keepalive_at(sa))
		keepalive_look(ike, sa, now, fx);
	tick_exchanges(ike, sa, now, fx);
	tick_children(ike, sa, now, fx);
	if (table_get(&ike->t, id))
		sa_rearm(ike, sa);
}

void ike_tick(struct ike *ike, uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_next_due(&ike->t);

	frag_expire(&ike->frags, now);
	while (sa && sa->due_us <= now && fx_has_room(fx)) {
		tick_sa(ike, sa, now, fx);
		sa = table_next_due(&ike->t);
	}
}

uint64_t ike_deadline(const struct ike *ike)
{
	const struct ike_sa *sa = table_next_due(&ike->t);
	uint64_t due = frag_deadline(&ike->frags);

	return sa && sa->due_us < due ? sa->due_us : due;
}

/* ---- completions of Diffie-Hellman, for phase 1 and for PFS ---- */

void ike_dh_done(struct ike *ike, struct ike_ticket who, int err, struct span public_value,
		 struct span shared, uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);
	struct ike_xchg *x;

	ike->crypto_pending--;
	if (!sa)
		return;
	if (sa->state == IKE_ST_DH && who.serial == 0) {
		phase1_dh_done(ike, sa, err, public_value, shared, now, fx);
	} else {
		x = xchg_by_serial(sa, who.serial);
		if (who.serial && x)
			quick_dh_done(ike, sa, x, err, public_value, shared, now, fx);
	}
	sa = table_get(&ike->t, who.who);
	if (sa)
		sa_rearm(ike, sa);
}
