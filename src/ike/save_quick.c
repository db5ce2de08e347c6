/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_quick.c - Quick Modes in the record of a session, where nobody but the gateway can bring them
 * to their end. Pure.
 *
 * - One that the client began and we have answered: the client believes in the pair, and sends with
 *   it, as soon as it has our message. HASH(3) may be lost with the process that was to read it, so
 *   the next one repeats our message, and the client its HASH(3).
 * - One that we began and the client has answered: we count on the pair; HASH(3) may not have left.
 *
 * All others are their initiator's: it repeats its first message, or begins anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "ike/save.h"

#define SAID_AGAIN 0xfe /* no repetition follows the one that is due */

/* A pair waits for HASH(3) when there is an exchange in which it can come. Either may have ended by
 * itself. */
static bool fits(const struct ike_sa *sa, const struct ike_quick *q)
{
	const struct ike_child *c = child_find(sa, q->child);

	return q->by_gateway ? !c || c->state != IKE_CHILD_PENDING
			     : c && c->state == IKE_CHILD_PENDING;
}

static bool is_saved(const struct ike_sa *sa, const struct ike_xchg *x)
{
	return x->quick && x->answered && x->out && x->done == x->quick->by_gateway &&
	       fits(sa, x->quick);
}

bool save_has_quick(const struct ike_sa *sa, const struct ike_child *c)
{
	const struct ike_xchg *x = sa->xchgs;

	while (x && (!is_saved(sa, x) || x->done || x->quick->child != c->number))
		x = x->next;
	return x;
}

static void put_quick(struct wr *w, const struct ike_xchg *x)
{
	const struct ike_quick *q = x->quick;

	wr_be32(w, x->msgid);
	wr_be32(w, x->serial);
	wr_u8(w, q->by_gateway);
	wr_be32(w, q->child);
	wr_bytes(w, x->iv, sizeof(x->iv));
	wr_bytes(w, x->request, sizeof(x->request));
	wr_bytes(w, q->nonce_own, sizeof(q->nonce_own));
	wr_be16(w, q->nonce_peer_len);
	wr_bytes(w, q->nonce_peer, q->nonce_peer_len);
	wr_be16(w, (uint16_t)x->out_len);
	wr_bytes(w, x->out, x->out_len);
	wr_u8(w, x->resent);
	wr_be64(w, x->next_us);
	wr_be64(w, x->forget_us);
}

void save_put_quicks(struct wr *w, const struct ike_sa *sa)
{
	size_t mark = w->len;
	uint8_t n = 0;

	wr_u8(w, 0);
	for (const struct ike_xchg *x = sa->xchgs; x; x = x->next)
		if (is_saved(sa, x)) {
			put_quick(w, x);
			n++;
		}
	wr_patch_u8(w, mark, n);
}

static int get_quick(struct rd *r, const struct ike_sa *sa, struct ike_xchg **end)
{
	struct ike_xchg *x = calloc(1, sizeof(*x));
	struct span out, nonce;

	*end = x;
	if (x)
		x->quick = calloc(1, sizeof(*x->quick));
	if (!x || !x->quick)
		return -ENOMEM;
	x->kind = XCHG_KIND_QUICK;
	x->type = XCHG_QUICK;
	x->msgid = rd_be32(r);
	x->serial = rd_be32(r);
	x->quick->by_gateway = x->ours = x->done = rd_u8(r);
	x->answered = true;
	x->quick->child = rd_be32(r);
	rd_copy(r, x->iv, sizeof(x->iv));
	rd_copy(r, x->request, sizeof(x->request));
	rd_copy(r, x->quick->nonce_own, sizeof(x->quick->nonce_own));
	nonce = rd_take(r, rd_be16(r));
	if (nonce.n > sizeof(x->quick->nonce_peer)) {
		r->bad = true;
	} else {
		x->quick->nonce_peer_len = (uint16_t)nonce.n;
		if (nonce.n)
			memcpy(x->quick->nonce_peer, nonce.p, nonce.n);
	}
	out = rd_take(r, rd_be16(r));
	x->resent = rd_u8(r);
	x->next_us = rd_be64(r);
	x->forget_us = rd_be64(r);
	if (r->bad || !out.n || !fits(sa, x->quick))
		return -EBADMSG;
	return xchg_store(x, out);
}

int save_get_quicks(struct rd *r, struct ike_sa *sa)
{
	struct ike_xchg **end = &sa->xchgs;
	unsigned n = rd_u8(r);
	int rc = n > LIMIT_EXCHANGES ? -EBADMSG : 0;

	for (unsigned i = 0; i < n && rc == 0; i++) {
		rc = get_quick(r, sa, end);
		if (*end)
			end = &(*end)->next;
	}
	for (const struct ike_child *c = sa->children; c && rc == 0; c = c->next)
		if (c->state == IKE_CHILD_PENDING && !save_has_quick(sa, c))
			rc = -EBADMSG; /* it would wait for ever */
	return rc;
}

void save_resume_quicks(struct ike_sa *sa, uint64_t now)
{
	for (struct ike_xchg *x = sa->xchgs; x; x = x->next)
		if (x->ours) {
			x->next_us = now;
			x->resent = SAID_AGAIN;
			rekey_repeated(sa, x, now);
		}
	rekey_anew(sa, now);
}
