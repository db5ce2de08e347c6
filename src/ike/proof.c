/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * proof.c - the client proves itself by a signature with the key of its certificate (RFC 2409 5.1),
 * in message 5 of main mode or message 3 of aggressive mode.
 *
 * What a certificate says and whose signature it bears takes a library and time: a worker finds out
 * (FX_PROOF). Until then the message waits here as it came, and nothing of it has an effect. A
 * signature that is wrong may be anybody's, so the exchange waits on for the right one, a few times.
 * One that is right under a certificate that is not was the client's own: it is told, and that is
 * the end.
 *
 * Not here: what is asked of a certificate (the shell: trust.c), what the messages mean (main.c,
 * aggr.c).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/phase1.h"
#include "text.h"

#define CERT_X509_SIGNATURE 4 /* RFC 2408 3.9 */

struct ike_kept {
	struct endpoint peer, local;
	bool natt, pieces;
	struct ike_hdr hdr;
	uint8_t digest[16];
	uint8_t iv[IKE_BLOCK_MAX]; /* of the next message, where this one was encrypted */
	size_t n;
	uint8_t body[]; /* its payloads, decrypted */
};

static enum ike_state waiting_state(const struct ike_sa *sa)
{
	return sa->mode == XCHG_MAIN ? IKE_ST_MM_KE : IKE_ST_AM_SENT;
}

/* The certificates of the message. NULL, or what is wrong with them. */
static const char *read_certs(const struct ike_msg *m, struct fx_proof *ret)
{
	for (unsigned i = 0; i < m->n_cert; i++) {
		struct rd r = rd_from(m->cert[i]);
		uint8_t encoding = rd_u8(&r);
		struct span der = rd_rest(&r);

		/* An empty one is an answer to a request (hybrid-auth-05 4.2); others are no X.509. */
		if (r.bad || encoding != CERT_X509_SIGNATURE || !der.n)
			continue;
		if (der.n > LIMIT_CLIENT_CERT)
			return "it sends a certificate that is too large";
		if (ret->n_certs == LIMIT_CLIENT_CERTS)
			return "it sends too many certificates";
		ret->cert[ret->n_certs++] = der;
	}
	return ret->n_certs ? NULL : "it sends none, and must be set to (send_cert, leftsendcert)";
}

/* Once: the client will repeat itself. */
static int not_usable(struct ike_event *ev, const char *why)
{
	struct ike_nego *n = ev->sa->nego;

	if (!n->told)
		ike_note(ev->ike, ev->sa, &ev->d->peer, IKE_R_CERTIFICATE, why, ev->fx);
	n->told = true;
	return -EBADMSG;
}

static struct ike_kept *keep(const struct ike_event *ev)
{
	const uint8_t *body =
		ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED ? ev->ike->in : ev->d->data.p + ISAKMP_HDR;
	size_t n = ev->d->data.n - ISAKMP_HDR;
	struct ike_kept *k = malloc(sizeof(*k) + n);

	if (!k)
		return NULL;
	*k = (struct ike_kept){ .peer = ev->d->peer,
				.local = ev->d->local,
				.natt = ev->d->natt,
				.pieces = ev->pieces,
				.hdr = ev->hdr,
				.n = n };
	memcpy(k->digest, ev->digest, sizeof(k->digest));
	memcpy(k->iv, ev->iv, sizeof(k->iv));
	memcpy(k->body, body, n);
	return k;
}

/* Everything in the arena; NULL when there is no room. */
static struct fx_proof *copy_proof(const struct fx_proof *p, struct fx *fx)
{
	struct fx_proof *c = fx_space(fx, sizeof(*c));

	if (!c)
		return NULL;
	c->hash = fx_copy(fx, p->hash);
	c->sig = fx_copy(fx, p->sig);
	c->id = fx_copy(fx, p->id);
	c->n_certs = p->n_certs;
	c->auth = p->auth;
	for (unsigned i = 0; i < p->n_certs; i++)
		c->cert[i] = fx_copy(fx, p->cert[i]);
	return fx->overflow ? NULL : c;
}

int proof_begin(struct ike_event *ev, struct span id, const struct secret *hash_i)
{
	struct fx_proof p = {
		.hash = secret_span(hash_i), .sig = ev->msg.sig, .id = id, .auth = ev->sa->auth
	};
	struct ike_nego *n = ev->sa->nego;
	const char *why = read_certs(&ev->msg, &p);
	struct fx_proof *copy;

	if (memcmp(n->judged, ev->digest, sizeof(n->judged)) == 0)
		return -EALREADY;
	if (why)
		return not_usable(ev, why);
	if (p.sig.n > LIMIT_CLIENT_RSA / 8)
		return not_usable(ev, "its signature is longer than any key's that is taken");
	if (!phase1_may_compute(ev->ike, ev->d, ev->fx))
		return -EUSERS;
	copy = copy_proof(&p, ev->fx);
	if (copy)
		n->kept = keep(ev);
	if (!n->kept)
		return -ENOMEM;
	n->next_us = UINT64_MAX; /* it has our message */
	fx_add(ev->fx, FX_PROOF, sa_ticket(ev->sa, 0))->proof = copy;
	ev->ike->crypto_pending++;
	sa_enter(ev->ike, ev->sa, IKE_ST_PROOF);
	return 0;
}

struct ike_kept *kept_free(struct ike_kept *k)
{
	if (k)
		explicit_bzero(k, sizeof(*k) + k->n);
	free(k);
	return NULL;
}

/* ---- the verdict ---- */

/* It was the client that said so, and what it says next would be the same. */
static void refuse(struct ike_event *ev, const char *why)
{
	struct ike_sa *sa = ev->sa;
	uint8_t both[2 * IKE_COOKIE];

	ev->ike->count[IKE_C_LOGIN_FAILED]++;
	ike_note(ev->ike, sa, &ev->d->peer, IKE_R_CERTIFICATE, why, ev->fx);
	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED)
		memcpy(sa->last_block, ev->iv, sizeof(sa->last_block));
	phase1_see_peer(ev);
	info_notify(ev->ike, sa, PROTO_ISAKMP, N_AUTHENTICATION_FAILED, both_cookies(sa, both),
		    (struct span){ 0 }, ev->fx);
	sa_close(ev->ike, sa, IKE_R_CERTIFICATE, false, ev->now, ev->fx);
}

static void forged(struct ike_event *ev, const char *why)
{
	struct ike_nego *n = ev->sa->nego;

	ev->ike->count[IKE_C_DROP_HASH]++;
	if (!n->told)
		ike_note(ev->ike, ev->sa, &ev->d->peer, IKE_R_SIGNATURE, why, ev->fx);
	n->told = true;
	memcpy(n->judged, ev->digest, sizeof(n->judged));
	if (++n->wrong == LIMIT_PROOFS)
		sa_close(ev->ike, ev->sa, IKE_R_SIGNATURE, false, ev->now, ev->fx);
}

/* The same rules as for a name that XAuth asks for. */
static bool take_user(struct ike_sa *sa, const char *user)
{
	struct span s = span_str(user);

	if (s.n == 0 || s.n > LIMIT_USER || !text_is_clean(s))
		return false;
	memcpy(sa->user, user, s.n + 1);
	return true;
}

static void proved(struct ike_event *ev, const char *user)
{
	struct ike_sa *sa = ev->sa;
	struct sess_id id = sa->id;
	int rc;

	if (ev->pieces) /* before a renewal passes it on */
		sa->frag |= IKE_FRAG_IN;
	if (!sa_uses_xauth(sa) && !take_user(sa, user)) {
		refuse(ev, "what it says about its owner is no user name, which rsasig needs");
		return;
	}
	rc = ike_walk(ev->d->data, ev->hdr.next, &ev->msg); /* it parsed before */
	if (rc == 0)
		rc = sa->mode == XCHG_MAIN ? main_proved(ev) : aggr_proved(ev);
	if (rc < 0 && table_get(&ev->ike->t, id) == sa)
		sa_close(ev->ike, sa, IKE_R_INTERNAL, false, ev->now, ev->fx);
}

void ike_proof_done(struct ike *ike, struct ike_ticket who, enum ike_proof v, const char *text,
		    uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);
	struct ike_kept *k;

	ike->crypto_pending--;
	if (!sa || sa->state != IKE_ST_PROOF)
		return;
	k = sa->nego->kept;
	sa->nego->kept = NULL;
	struct ike_dgram d = {
		.peer = k->peer, .local = k->local, .natt = k->natt, .data = { k->body, k->n }
	};
	struct ike_event ev = { .ike = ike,
				.sa = sa,
				.d = &d,
				.hdr = k->hdr,
				.pieces = k->pieces,
				.now = now,
				.fx = fx };

	memcpy(ev.digest, k->digest, sizeof(ev.digest));
	memcpy(ev.iv, k->iv, sizeof(ev.iv));
	sa_enter(ike, sa, waiting_state(sa));
	switch (v) {
	case IKE_PROOF_OK:
		proved(&ev, text);
		break;
	case IKE_PROOF_FORGED:
		forged(&ev, text);
		break;
	case IKE_PROOF_REFUSED:
		refuse(&ev, text);
		break;
	case IKE_PROOF_FAILED:
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
		break;
	}
	kept_free(k);
	sa = table_get(&ike->t, who.who);
	if (sa)
		sa_rearm(ike, sa);
}
