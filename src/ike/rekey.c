/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rekey.c - Quick Mode begun by the gateway (RFC 2409 5.5), when a pair's time or volume goes to its
 * end and the client has not begun one itself.
 *
 *   gateway -> client  HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr]
 *   client -> gateway  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]
 *   gateway -> client  HDR*, HASH(3)
 *
 * It asks for just what the older pair has: the same algorithms, group and identities, in one
 * transform. Here the gateway is the initiator: IDci is the network, IDcr the client's address.
 *
 * strongSwan and the racoon family install the pair when HASH(3) arrives, vpnc as soon as it has
 * our first message. So the older pair sends on for a moment after HASH(3), but not to vpnc.
 *
 * Both sides may begin at once. Both exchanges then come to their end, and the pair that was last
 * to take over stays (child.c); the other gets its Delete when its grace is over.
 *
 * Not here: the pair and the kernel (child.c), the SA payload (sapl_offer.c).
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/dh.h"

#define SEND_AFTER_S 2 /* from HASH(3) until the newer pair sends */
#define AGAIN_S      2 /* when there was no room, or the client was at it */
#define ANEW_S       5 /* the client first goes on with what it is at */

uint64_t rekey_time(struct ike *ike, const struct ike_child *c)
{
	uint64_t tenth = c->life_s * US_PER_S / 10;
	uint16_t r;

	if (c->volume_over)
		return c->since_us + LIMIT_REKEY_GAP_S * US_PER_S;
	/* Not all at once after a start, and mostly after the client's own time. */
	ike_random(ike, &r, sizeof(r));
	return c->since_us + 8 * tenth + ((tenth * r) >> 16);
}

/* ---- our first message ---- */

static bool may_begin(const struct ike *ike, const struct ike_sa *sa, const struct ike_child *c)
{
	unsigned children = 0, pending = 0;

	for (const struct ike_child *o = sa->children; o; o = o->next) {
		children++;
		pending += o->state == IKE_CHILD_PENDING;
		/* The client is at it, or a newer pair takes over in a moment. */
		if (child_same_traffic(o, c) &&
		    (o->state == IKE_CHILD_PENDING || o->state == IKE_CHILD_READY))
			return false;
	}
	return children < LIMIT_CHILDREN && pending < LIMIT_QUICK_PENDING &&
	       ike->crypto_pending < LIMIT_CRYPTO_PENDING;
}

/* It has come to nothing; the older pair lives out its time. */
static void fail(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, const char *why,
		 uint64_t now, struct fx *fx)
{
	struct ike_child *c = child_find(sa, x->quick->child);

	ike->count[IKE_C_REKEY_FAILED]++;
	ike_note(ike, sa, &sa->peer, IKE_R_REKEY_FAILED, why, fx);
	/* One that has answered believes in the pair. Before x is done, or it may be what makes
	 * room for the Delete. */
	if (c && x->quick->nonce_peer_len)
		info_delete_child(ike, sa, c, now, fx);
	if (c)
		child_drop(ike, sa, c, fx);
	x->done = true;
	x->answered = false;
	x->next_us = UINT64_MAX;
	x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
}

static void send_first(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, uint64_t now,
		       struct fx *fx)
{
	const struct ike_child *c = child_find(sa, x->quick->child);
	struct ike_build b = p2_start(ike, sa, XCHG_QUICK, x->msgid);

	p2_put_offer(&b, c);
	build_payload(&b, PL_NONCE, quick_ni(x->quick));
	if (x->quick->dh)
		build_payload(&b, PL_KE,
			      (struct span){ x->quick->dh->g_own, x->quick->dh->g_own_len });
	quick_put_ids(&b, c, ike_child_inner(sa, c));
	if (p2_begin(ike, sa, x, &b, now, fx) < 0)
		fail(ike, sa, x, "out of memory", now, fx);
}

static struct ike_xchg *exchange_for(struct ike *ike, struct ike_sa *sa, struct ike_child *c,
				     uint64_t now)
{
	struct ike_xchg *x =
		xchg_add(sa, XCHG_KIND_QUICK, XCHG_QUICK, ike_random_msgid(ike, sa), now);

	if (!x)
		return NULL;
	x->ours = true;
	x->forget_us = now + LIMIT_QUICK_WAIT_S * US_PER_S;
	x->quick = calloc(1, sizeof(*x->quick));
	if (!x->quick) {
		xchg_remove(sa, x);
		return NULL;
	}
	x->quick->by_gateway = true;
	x->quick->child = c->number;
	ike_random(ike, x->quick->nonce_own, sizeof(x->quick->nonce_own));
	return x;
}

void rekey_begin(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		 struct fx *fx)
{
	bool room = may_begin(ike, sa, c);
	struct ike_child *n = room ? child_new(ike, sa, c, now) : NULL;
	struct ike_xchg *x = n ? exchange_for(ike, sa, n, now) : NULL;
	struct fx_item *it;

	if (!x) {
		if (n)
			child_drop(ike, sa, n, fx);
		c->rekey_us = now + AGAIN_S * US_PER_S;
		return;
	}
	c->rekey_us = UINT64_MAX;
	n->by_gateway = true;
	n->spi_out = 0;
	n->cpi_out = 0;
	if (!n->pfs_group) {
		send_first(ike, sa, x, now, fx);
		return;
	}
	it = fx_add(fx, FX_DH, sa_ticket(sa, x->serial));
	it->dh.group = n->pfs_group;
	it->dh.peer_public = it->dh.secret = (struct span){ 0 };
	ike->crypto_pending++;
}

/* ---- the client's answer ---- */

static const char *check_answer(const struct ike_event *ev, const struct ike_child *c,
				uint32_t *ret_spi, uint16_t *ret_cpi)
{
	const struct dh_group *g = dh_group(c->pfs_group);
	bool ke = ev->msg.present & PB(KE);

	if (p2_read_answer(ev->msg.sa, c, ret_spi, ret_cpi) < 0)
		return "its answer has another proposal";
	if (ke != (c->pfs_group != 0) || (ke && (!g || ev->msg.ke.n != g->public_len)))
		return "its answer has a public value of another group, or lacks it";
	if (!quick_ids_match(&ev->msg, c, ike_child_inner(ev->sa, c)))
		return "its answer has other identities";
	return NULL;
}

int rekey_second(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct ike_xchg *x = ev->x;
	struct ike_quick *q = x->quick;
	struct ike_child *c = child_find(sa, q->child);
	struct fx_item *it;
	uint32_t spi = 0;
	uint16_t cpi = 0;
	const char *why;

	if (x->done || q->nonce_peer_len || !c)
		return -EPROTO;
	why = check_answer(ev, c, &spi, &cpi);
	sa_follow(ev);
	memcpy(x->iv, ev->iv, sizeof(x->iv));
	memcpy(x->request, ev->digest, sizeof(x->request));
	q->nonce_peer_len = (uint16_t)ev->msg.nonce.n;
	memcpy(q->nonce_peer, ev->msg.nonce.p, q->nonce_peer_len);
	if (why) {
		fail(ev->ike, sa, x, why, ev->now, ev->fx);
		return 0;
	}
	c->spi_out = spi;
	c->cpi_out = cpi;
	c->local = sa->local;
	c->peer = sa->peer;
	x->next_us = UINT64_MAX;
	x->forget_us = ev->now + LIMIT_QUICK_WAIT_S * US_PER_S;
	if (!c->pfs_group) {
		child_install(sa, q, (struct span){ 0 }, ev->fx);
		return 0;
	}
	it = fx_add(ev->fx, FX_DH, sa_ticket(sa, x->serial));
	it->dh.group = c->pfs_group;
	it->dh.peer_public = fx_copy(ev->fx, ev->msg.ke);
	it->dh.secret = fx_copy(ev->fx, (struct span){ q->dh->x, q->dh->x_len });
	ev->ike->crypto_pending++;
	return 0;
}

void rekey_dh_done(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, int err, struct span own,
		   struct span shared, uint64_t now, struct fx *fx)
{
	struct ike_quick *q = x->quick;

	if (err < 0) {
		fail(ike, sa, x, "its public value is none", now, fx);
	} else if (q->dh) {
		explicit_bzero(q->dh->x, sizeof(q->dh->x));
		child_install(sa, q, shared, fx);
	} else if (shared.n > sizeof(q->dh->x) || quick_keep_dh(q, own) < 0) {
		fail(ike, sa, x, "out of memory", now, fx);
	} else {
		q->dh->x_len = (uint8_t)shared.n;
		memcpy(q->dh->x, shared.p, shared.n);
		send_first(ike, sa, x, now, fx);
	}
}

/* ---- our HASH(3) ---- */

static struct span third(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x)
{
	_cleanup_(secret_wipe) struct secret hash = { .n = 0 };
	struct ike_build b = p2_start(ike, sa, XCHG_QUICK, x->msgid);

	if (keymat_hash3(&sa->keys, x->msgid, quick_ni(x->quick), quick_nr(x->quick), &hash) < 0)
		return (struct span){ 0 };
	return build_sealed(&b, &sa->keys, &hash, x->iv);
}

void rekey_installed(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_child *c,
		     int err, uint64_t now, struct fx *fx)
{
	struct span out = err == 0 ? third(ike, sa, x) : (struct span){ 0 };

	if (!out.n || xchg_store(x, out) < 0) {
		fail(ike, sa, x, "the kernel refuses the pair", now, fx);
		return;
	}
	sa_move(ike, sa, &sa->peer, now, fx); /* it may be elsewhere by now */
	sa_send(ike, sa, out, fx);
	x->answered = true;
	x->done = true;
	x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	c->since_us = now;
	c->expires_us = now + c->life_s * US_PER_S;
	if (c->out) {
		c->state = IKE_CHILD_READY;
		c->send_us = now + SEND_AFTER_S * US_PER_S;
		child_succeed(sa, now, fx); /* the older one may be gone meanwhile */
	} else {
		child_confirm(ike, sa, c, now, fx);
	}
}

void rekey_anew(struct ike_sa *sa, uint64_t now)
{
	for (struct ike_child *c = sa->children; c; c = c->next)
		if (c->state == IKE_CHILD_UP && c->rekey_us == UINT64_MAX)
			c->rekey_us = now + ANEW_S * US_PER_S;
}

void rekey_repeated(struct ike_sa *sa, const struct ike_xchg *x, uint64_t now)
{
	struct ike_child *c =
		x->quick && x->quick->by_gateway ? child_find(sa, x->quick->child) : NULL;

	if (c && c->state == IKE_CHILD_READY && !c->installing)
		c->send_us = now + SEND_AFTER_S * US_PER_S;
}

/* ---- no answer, or a refusal ---- */

void rekey_given_up(struct ike *ike, struct ike_sa *sa, struct fx *fx)
{
	ike->count[IKE_C_REKEY_FAILED]++;
	ike_note(ike, sa, &sa->peer, IKE_R_REKEY_FAILED, "it does not answer", fx);
}

void rekey_refused(struct ike_event *ev, uint32_t spi)
{
	struct ike_sa *sa = ev->sa;

	for (struct ike_xchg *x = sa->xchgs; x; x = x->next) {
		const struct ike_child *c = x->quick && x->quick->by_gateway && !x->done
						    ? child_find(sa, x->quick->child)
						    : NULL;

		if (c && c->spi_in == spi) {
			fail(ev->ike, sa, x, "it refuses", ev->now, ev->fx);
			return;
		}
	}
}
