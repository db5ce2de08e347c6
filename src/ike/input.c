/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * input.c - a datagram's way to its handler: whose is it, has it been here before, decrypt.
 *
 * A repeated request gets the stored answer without being looked into. Decryption goes into a
 * scratch buffer with a copy of the IV; nothing of the SA moves until steps.c and the handler have
 * accepted the message, so a forged or broken one costs an honest client nothing.
 */
#include <errno.h>

#include "ike/core.h"

/* Bytes behind the last payload of an encrypted message: a block, or what racoon adds at random. */
#define PADDING_MAX 255

static void drop(struct ike *ike, enum ike_count why)
{
	ike->count[why]++;
}

/* Every way to fail has its counter. */
static void count_error(struct ike *ike, int rc)
{
	switch (rc) {
	case -EBADMSG:
		drop(ike, IKE_C_DROP_MALFORMED);
		break;
	case -EACCES:
		drop(ike, IKE_C_DROP_HASH);
		break;
	case -EALREADY:
		drop(ike, IKE_C_DROP_REPLAY);
		break;
	case -EUSERS:
		drop(ike, IKE_C_DROP_LIMIT);
		break;
	case -ENOENT:
		drop(ike, IKE_C_NO_PROPOSAL);
		break;
	default:
		drop(ike, IKE_C_DROP_UNEXPECTED);
		break;
	}
}

static bool is_zero(const uint8_t cky[static IKE_COOKIE])
{
	static const uint8_t zero[IKE_COOKIE];

	return memcmp(cky, zero, IKE_COOKIE) == 0;
}

/* The message that we are answering came again: our answer again, if the address has sent enough
 * to deserve it. */
static void answer_again(struct ike_event *ev, struct ike_sa *sa)
{
	struct ike_nego *n = sa->nego;
	size_t cost;

	n->received += (uint32_t)ev->d->data.n;
	if (!n->reply)
		return; /* being worked on */
	cost = frag_cost(ev->ike->conf, sa, n->reply_len);
	if (n->sent + cost > (size_t)LIMIT_AMPLIFY * n->received) {
		drop(ev->ike, IKE_C_DROP_CREDIT);
		return;
	}
	n->sent += (uint32_t)cost;
	ev->ike->count[IKE_C_RESENT]++;
	sa_send(ev->ike, sa, (struct span){ n->reply, n->reply_len }, ev->fx);
}

static bool is_answered(const struct ike_event *ev, const struct ike_sa *sa)
{
	return sa->nego && memcmp(sa->nego->request, ev->digest, sizeof(ev->digest)) == 0;
}

/* libreswan fills a message in clear up with zero bytes to a multiple of four; nobody does more. */
static bool fills_up(const struct ike_event *ev)
{
	struct span p = ev->msg.padding;

	for (size_t i = 0; i < p.n; i++)
		if (p.p[i])
			return false;
	return p.n == 0 || (p.n < 4 && ev->d->data.n % 4 == 0);
}

static int walk_clear(struct ike_event *ev)
{
	struct span body = { ev->d->data.p + ISAKMP_HDR, ev->d->data.n - ISAKMP_HDR };

	return ike_walk(body, ev->hdr.next, &ev->msg) < 0 || !fills_up(ev) ? -EBADMSG : 0;
}

static int first_message(struct ike_event *ev)
{
	struct ike_sa *sa;
	int rc;

	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED || ev->hdr.msgid)
		return -EBADMSG;
	sa = half_open_find(&ev->ike->t, &ev->d->peer, ev->hdr.cky_i);
	if (sa && !is_answered(ev, sa))
		return -EALREADY; /* N029: other bytes under the same cookie */
	if (sa) {
		answer_again(ev, sa);
		return 0;
	}
	if (walk_clear(ev) < 0)
		return -EBADMSG;
	rc = steps_run(ev);
	sa = rc < 0 ? NULL : half_open_find(&ev->ike->t, &ev->d->peer, ev->hdr.cky_i);
	if (sa && ev->pieces)
		sa->frag |= IKE_FRAG_IN;
	return rc;
}

/* Decrypts a copy of the body and walks it. ev->iv goes in as this message's IV. */
static int open_sealed(struct ike_event *ev)
{
	const struct ike_keys *k = &ev->sa->keys;
	struct span in = { ev->d->data.p + ISAKMP_HDR, ev->d->data.n - ISAKMP_HDR };

	memcpy(ev->ike->in, in.p, in.n);
	if (cbc_decrypt(k->enc, ike_key_span(k), ev->iv, ev->ike->in, in.n) < 0)
		return -EBADMSG;
	/* Random bytes instead of payloads mean a wrong key: not authentic rather than malformed. */
	if (ike_walk((struct span){ ev->ike->in, in.n }, ev->hdr.next, &ev->msg) < 0 ||
	    ev->msg.padding.n > PADDING_MAX)
		return -EACCES;
	return 0;
}

/* A message of an exchange whose last message we know already. */
static bool repeated(struct ike_event *ev)
{
	struct ike_xchg *x = ev->x;

	if (!x || memcmp(x->request, ev->digest, sizeof(x->request)) != 0)
		return false;
	/* Who still asks is still answered: clients go on for a minute and more. */
	if (x->done)
		x->forget_us = ev->now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	if (x->answered && x->out) {
		ev->ike->count[IKE_C_RESENT]++;
		sa_send(ev->ike, ev->sa, (struct span){ x->out, x->out_len }, ev->fx);
		rekey_repeated(ev->sa, x, ev->now);
	}
	return true;
}

/* Message 3 or 5 of main mode again; the last one is remembered longer than phase 1 takes. */
static bool phase1_repeated(struct ike_event *ev)
{
	bool again;

	if (is_answered(ev, ev->sa)) {
		answer_again(ev, ev->sa);
		return true;
	}
	ev->x = xchg_find(ev->sa, ev->hdr.xchg, 0);
	again = repeated(ev);
	ev->x = NULL;
	return again;
}

static int phase1_message(struct ike_event *ev)
{
	bool sealed = ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED;
	enum ike_state state = ev->sa->state;
	struct sess_id id = ev->sa->id;
	int rc;

	if (ev->hdr.msgid || ev->hdr.xchg != ev->sa->mode)
		return -EPROTO;
	if (phase1_repeated(ev))
		return 0;
	if (!(1u << state & (ST(AM_SENT) | ST(MM_SA) | ST(MM_KE))) ||
	    (sealed && state == IKE_ST_MM_SA)) /* no keys yet */
		return -EPROTO;
	memcpy(ev->iv, ev->sa->last_block, sizeof(ev->iv));
	rc = sealed ? open_sealed(ev) : walk_clear(ev);
	if (rc == 0)
		rc = steps_run(ev);
	/* With a wrong key, what comes out is mostly no payload, and now and then a strange one. */
	if (sealed && state == IKE_ST_MM_KE && (rc == -EACCES || rc == -EBADMSG))
		main_not_authentic(ev);
	if (state == IKE_ST_AM_SENT && (rc == -EACCES || (sealed && rc == -EBADMSG)))
		aggr_not_authentic(ev);
	if (rc == 0 && ev->pieces && table_get(&ev->ike->t, id) == ev->sa)
		ev->sa->frag |= IKE_FRAG_IN;
	return rc;
}

void sa_follow(const struct ike_event *ev)
{
	if (ev->d->natt != ev->sa->natt)
		return; /* the other port: it does not float back (RFC 3947 4) */
	ev->sa->local = ev->d->local;
	sa_move(ev->ike, ev->sa, &ev->d->peer, ev->now, ev->fx);
}

static int phase2_message(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct sess_id id = sa->id;
	int rc;

	if (!(ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED))
		return -EPROTO; /* N206-N209: clear ones are never acted on */
	/* vpnc draws the ID of its Deletes from one byte: one in 256 is 0. */
	if (!ev->hdr.msgid && ev->hdr.xchg != XCHG_INFO)
		return -EPROTO;
	if (1u << sa->state & (ST(DH) | ST(SIGN) | ST(MM_SA) | ST(MM_KE) | ST(PROOF)))
		return -EPROTO; /* no keys yet (W1), or none that the client has shown to have */
	ev->x = xchg_find(sa, ev->hdr.xchg, ev->hdr.msgid);
	if (repeated(ev))
		return 0;
	ev->used = !ev->x && used_id(sa, ev->hdr.msgid);
	if (ev->used && ev->hdr.xchg != XCHG_INFO)
		return -EALREADY;
	if (ev->x)
		memcpy(ev->iv, ev->x->iv, sizeof(ev->iv));
	else if (keymat_iv_phase2(&sa->keys, sa->last_block, ev->hdr.msgid, ev->iv) < 0)
		return -EPROTO;
	rc = open_sealed(ev);
	if (rc == 0)
		rc = steps_run(ev);
	if (rc < 0 || table_get(&ev->ike->t, id) != sa)
		return rc;
	if (ev->pieces)
		sa->frag |= IKE_FRAG_IN;
	if (ev->burn) /* fresh: its message ID was not used before */
		dpd_heard(ev->ike, sa, ev->now);
	if (ev->burn && use_id(sa, ev->hdr.msgid) < 0)
		sa_close(ev->ike, sa, IKE_R_MESSAGE_IDS, true, ev->now, ev->fx);
	return 0;
}

static int message(struct ike_event *ev)
{
	struct ike *ike = ev->ike;
	struct sess_id id;
	int rc;

	digest_of(ev->d->data, ev->digest);
	if (is_zero(ev->hdr.cky_r)) {
		rc = first_message(ev);
		if (rc < 0)
			count_error(ike, rc);
		return rc;
	}
	ev->sa = table_by_cookies(&ike->t, ev->hdr.cky_i, ev->hdr.cky_r);
	if (!ev->sa) {
		drop(ike, IKE_C_DROP_COOKIE);
		return -ENOENT;
	}
	id = ev->sa->id;
	if (ev->hdr.xchg == XCHG_AGGRESSIVE || ev->hdr.xchg == XCHG_MAIN)
		rc = phase1_message(ev);
	else
		rc = phase2_message(ev);
	if (rc < 0)
		count_error(ike, rc);
	explicit_bzero(ike->in, ev->d->data.n);
	if (table_get(&ike->t, id))
		sa_rearm(ike, ev->sa);
	return rc;
}

/*
 * A fragment. With the last one missing its message comes to be, which has no more rights than any
 * other: it goes the way of all, and cannot itself be a fragment (N138).
 */
static void fragment(struct ike_event *ev)
{
	struct ike *ike = ev->ike;
	struct ike_hdr outer = ev->hdr;
	struct ike_dgram whole = *ev->d;
	int rc;

	if (ike->conf->frag == IKE_FRAG_OFF) {
		drop(ike, IKE_C_DROP_FRAG_OFF);
		ike_note(ike, NULL, &ev->d->peer, IKE_R_FRAGMENTS_OFF, "", ev->fx);
		return;
	}
	if (!is_zero(outer.cky_r) && !table_by_cookies(&ike->t, outer.cky_i, outer.cky_r)) {
		drop(ike, IKE_C_DROP_COOKIE);
		return;
	}
	rc = frag_take(&ike->frags, ev->d, &outer, ev->now, &whole.data);
	if (rc == -EUSERS)
		ike_note(ike, NULL, &ev->d->peer, IKE_R_FRAGMENTS_LIMIT, "", ev->fx);
	if (rc < 0 || !whole.data.n)
		return;
	ev->d = &whole;
	ev->pieces = true;
	rc = -EBADMSG;
	if (ike_hdr_read(whole.data, &ev->hdr) < 0 || ev->hdr.next == PL_FRAGMENT ||
	    !frag_agrees(&outer, &ev->hdr))
		drop(ike, IKE_C_DROP_FRAG_MALFORMED);
	else
		rc = message(ev);
	frag_read(&ike->frags, rc == 0);
}

void ike_input(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx)
{
	struct ike_event ev = { .ike = ike, .d = d, .now = now, .fx = fx, .burn = true };

	ike->count[IKE_C_RECEIVED]++;
	if (d->peer.port == 0 || d->data.n > LIMIT_DATAGRAM || ike_hdr_read(d->data, &ev.hdr) < 0)
		drop(ike, IKE_C_DROP_HEADER);
	else if (ev.hdr.next == PL_FRAGMENT)
		fragment(&ev);
	else
		message(&ev);
}
