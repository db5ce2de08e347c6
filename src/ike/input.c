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

/* The first message again: our answer again, if the address has sent enough to deserve it. */
static int repeat_first(struct ike_event *ev, struct ike_sa *sa)
{
	struct ike_nego *n = sa->nego;

	if (!n || memcmp(n->request, ev->digest, sizeof(n->request)) != 0)
		return -EALREADY; /* N029: other bytes under the same cookie */
	n->received += (uint32_t)ev->d->data.n;
	if (!n->reply)
		return 0; /* being worked on */
	if (n->sent + n->reply_len > (size_t)LIMIT_AMPLIFY * n->received) {
		drop(ev->ike, IKE_C_DROP_CREDIT);
		return 0;
	}
	n->sent += (uint32_t)n->reply_len;
	ev->ike->count[IKE_C_RESENT]++;
	sa_send(ev->ike, sa, (struct span){ n->reply, n->reply_len }, ev->fx);
	return 0;
}

static int first_message(struct ike_event *ev)
{
	struct span body = { ev->d->data.p + ISAKMP_HDR, ev->d->data.n - ISAKMP_HDR };
	struct ike_sa *sa;

	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED || ev->hdr.msgid)
		return -EBADMSG;
	sa = half_open_find(&ev->ike->t, &ev->d->peer, ev->hdr.cky_i);
	if (sa)
		return repeat_first(ev, sa);
	if (ike_walk(body, ev->hdr.next, &ev->msg) < 0 || ev->msg.padding.n)
		return -EBADMSG;
	return steps_run(ev);
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

static int phase1_message(struct ike_event *ev)
{
	struct span body = { ev->d->data.p + ISAKMP_HDR, ev->d->data.n - ISAKMP_HDR };
	int rc;

	if (ev->hdr.msgid || ev->sa->state != IKE_ST_AM_SENT)
		return -EPROTO;
	memcpy(ev->iv, ev->sa->last_block, sizeof(ev->iv));
	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED) {
		rc = open_sealed(ev);
	} else {
		rc = ike_walk(body, ev->hdr.next, &ev->msg);
		if (rc == 0 && ev->msg.padding.n)
			rc = -EBADMSG;
	}
	return rc < 0 ? rc : steps_run(ev);
}

/* A message of an exchange whose last message we know already. */
static bool repeated(struct ike_event *ev)
{
	struct ike_xchg *x = ev->x;

	if (!x || memcmp(x->request, ev->digest, sizeof(x->request)) != 0)
		return false;
	if (x->answered && x->out) {
		ev->ike->count[IKE_C_RESENT]++;
		sa_send(ev->ike, ev->sa, (struct span){ x->out, x->out_len }, ev->fx);
		rekey_repeated(ev->sa, x, ev->now);
	}
	return true;
}

void sa_follow(const struct ike_event *ev)
{
	if (ev->d->natt != ev->sa->natt)
		return; /* the other port: it does not float back (RFC 3947 4) */
	ev->sa->peer = ev->d->peer;
	ev->sa->local = ev->d->local;
}

static int phase2_message(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct sess_id id = sa->id;
	int rc;

	if (!(ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED) || !ev->hdr.msgid)
		return -EPROTO; /* N206-N209: clear ones are never acted on */
	if (1u << sa->state & (ST(DH) | ST(SIGN)))
		return -EPROTO; /* no keys yet: W1 */
	ev->x = xchg_find(sa, ev->hdr.xchg, ev->hdr.msgid);
	if (repeated(ev))
		return 0;
	if (!ev->x && used_id(sa, ev->hdr.msgid))
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
	if (ev->burn && use_id(sa, ev->hdr.msgid) < 0)
		sa_close(ev->ike, sa, IKE_R_MESSAGE_IDS, true, ev->now, ev->fx);
	return 0;
}

void ike_input(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx)
{
	struct ike_event ev = { .ike = ike, .d = d, .now = now, .fx = fx, .burn = true };
	struct sess_id id;
	int rc;

	ike->count[IKE_C_RECEIVED]++;
	if (d->peer.port == 0 || d->data.n > LIMIT_DATAGRAM || ike_hdr_read(d->data, &ev.hdr) < 0) {
		drop(ike, IKE_C_DROP_HEADER);
		return;
	}
	if (is_zero(ev.hdr.cky_r)) {
		digest_of(d->data, ev.digest);
		rc = first_message(&ev);
		if (rc < 0)
			count_error(ike, rc);
		return;
	}
	ev.sa = table_by_cookies(&ike->t, ev.hdr.cky_i, ev.hdr.cky_r);
	if (!ev.sa) {
		drop(ike, IKE_C_DROP_COOKIE);
		return;
	}
	id = ev.sa->id;
	digest_of(d->data, ev.digest);
	rc = ev.hdr.xchg == XCHG_AGGRESSIVE ? phase1_message(&ev) : phase2_message(&ev);
	if (rc < 0)
		count_error(ike, rc);
	explicit_bzero(ike->in, d->data.n);
	if (table_get(&ike->t, id))
		sa_rearm(ike, ev.sa);
}
