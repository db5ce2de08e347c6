/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * phase1.c - what aggressive and main mode have in common, responder side (RFC 2409 5).
 *
 * The client proves nothing but possession of the shared secret here: who it is, XAuth finds out.
 *
 * Not here: the first message (phase1_first.c), the order of messages (aggr.c, main.c), formulas
 * (keymat.c), crypto work (worker threads).
 */
#include "ike/phase1.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/psk.h"

bool phase1_may_compute(struct ike *ike, const struct ike_dgram *d, struct fx *fx)
{
	if (ike->crypto_pending < LIMIT_CRYPTO_PENDING)
		return true;
	ike_note(ike, NULL, &d->peer, IKE_R_BUSY, "", fx);
	return false;
}

/* ---- what messages tell ---- */

void phase1_see_vids(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct vid_set vids = { .bits = sa->vids, .client = *sa->client ? sa->client : NULL };

	vid_collect(&ev->msg, &vids);
	sa->vids = vids.bits;
	if (vids.client && vids.client != sa->client)
		snprintf(sa->client, sizeof(sa->client), "%s", vids.client);
}

void phase1_see_nat(struct ike_event *ev, const struct endpoint *local, size_t n_local,
		    const struct endpoint *peer, size_t n_peer)
{
	struct ike_sa *sa = ev->sa;

	if (!sa->nego->natt_vid)
		return;
	sa->nat = natd_evaluate(sa, &ev->msg, local, n_local, peer, n_peer);
	if (ev->ike->conf->natt == IKE_NATT_FORCE)
		sa->nat |= IKE_NAT_FORCED;
}

/* The hash does not cover what stands beside it; encrypted it may be believed to be the client's. */
void phase1_see_notifies(struct ike_event *ev)
{
	struct ike_notify n;

	for (unsigned i = 0; i < ev->msg.n_notify; i++)
		if (ike_notify_read(ev->msg.notify[i], &n) == 0 && n.type == N_INITIAL_CONTACT)
			unique_initial_contact(ev, &n);
}

void phase1_see_peer(struct ike_event *ev)
{
	ev->sa->peer = ev->d->peer;
	ev->sa->local = ev->d->local;
	ev->sa->natt = ev->d->natt;
}

/* ---- keys ---- */

int phase1_keep_ke(struct ike_nego *n, const struct ike_msg *m)
{
	size_t ke = m->ke.n, nonce = m->nonce.n;
	struct wr w;

	n->exchanged = malloc(ke + nonce + ke);
	if (!n->exchanged)
		return -ENOMEM;
	w = wr_into(n->exchanged, ke + nonce + ke);
	wr_span(&w, m->ke);
	wr_span(&w, m->nonce);
	wr_zero(&w, ke); /* for ours, which is as long */
	n->g_i = (struct span){ n->exchanged, ke };
	n->nonce_i = (struct span){ n->exchanged + ke, nonce };
	n->g_r = (struct span){ n->exchanged + ke + nonce, ke };
	return 0;
}

void phase1_start_dh(struct ike *ike, struct ike_sa *sa, struct fx *fx)
{
	struct fx_item *it = fx_add(fx, FX_DH, sa_ticket(sa, 0));

	sa_enter(ike, sa, IKE_ST_DH);
	it->dh.group = sa->alg.group;
	it->dh.peer_public = fx_copy(fx, sa->nego->g_i);
	ike->crypto_pending++;
}

static int keep_certs(const struct ike_conf *c, struct ike_nego *n)
{
	struct ike_certs *k;
	size_t len = 0;
	struct wr w;

	for (unsigned i = 0; i < c->n_certs; i++)
		len += c->cert[i].n;
	k = malloc(sizeof(*k) + len);
	if (!k)
		return -ENOMEM;
	w = wr_into(k->bytes, len);
	k->n = c->n_certs;
	for (unsigned i = 0; i < c->n_certs; i++) {
		k->cert[i] = (struct span){ k->bytes + w.len, c->cert[i].n };
		wr_span(&w, c->cert[i]);
	}
	free(n->certs);
	n->certs = k;
	return 0;
}

int phase1_start_sign(struct ike *ike, struct ike_sa *sa, const struct secret *hash_r,
		      struct fx *fx)
{
	struct fx_item *it;

	if (keep_certs(ike->conf, sa->nego) < 0)
		return -ENOMEM;
	it = fx_add(fx, FX_SIGN, sa_ticket(sa, 0));
	sa_enter(ike, sa, IKE_ST_SIGN);
	it->sign.hash = fx_copy(fx, secret_span(hash_r));
	ike->crypto_pending++;
	return 0;
}

/* IDir_b: type, protocol 0, port 0 (RFC 3947 4), data. */
int phase1_set_id(const struct ike *ike, struct ike_sa *sa)
{
	const struct ike_conf *c = ike->conf;
	struct ike_nego *n = sa->nego;
	struct span data = c->my_id;
	struct wr w;
	uint8_t type = c->my_id_type == IKE_ID_FQDN ? ID_FQDN : ID_DER_ASN1_DN;

	if (c->my_id_type == IKE_ID_ADDRESS) {
		data = ipaddr_span(&sa->local.addr);
		type = sa->local.addr.family == IP_V6 ? ID_IPV6_ADDR : ID_IPV4_ADDR;
	}
	free(n->id_r);
	n->id_r = malloc(4 + data.n);
	if (!n->id_r)
		return -ENOMEM;
	w = wr_into(n->id_r, 4 + data.n);
	wr_u8(&w, type);
	wr_zero(&w, 3);
	wr_span(&w, data);
	n->id_r_len = (uint16_t)wr_done(&w).n;
	return 0;
}

static int skeyid(const struct ike_conf *c, const struct ike_sa *sa, struct span shared,
		  struct secret *ret)
{
	struct span ni = sa->nego->nonce_i, nr = SPAN_OF(sa->nego->nonce_r);
	const struct psk_named *named;
	const struct psk *psk;

	if (sa_gateway_signs(sa))
		return keymat_skeyid_sig(sa->alg.hash, ni, nr, shared, ret);
	if (sa->mode == XCHG_AGGRESSIVE) {
		named = psk_find_named(c->psk, (struct span){ sa->peer_id, sa->peer_id_len });
		return named ? keymat_skeyid_psk(sa->alg.hash, named->key, ni, nr, ret) : -ENOKEY;
	}
	psk = psk_find(c->psk, &sa->source.addr);
	return psk ? keymat_skeyid_psk(sa->alg.hash, psk->key, ni, nr, ret) : -ENOKEY;
}

/* SKEYID, what follows from it, and the IV of the first encrypted message. */
static int derive(struct ike *ike, struct ike_sa *sa, struct span shared)
{
	struct ike_nego *n = sa->nego;
	uint8_t both[2 * IKE_COOKIE];
	uint16_t h = sa->alg.hash;
	int rc;

	memcpy(both, sa->cky_i, IKE_COOKIE);
	memcpy(both + IKE_COOKIE, sa->cky_r, IKE_COOKIE);
	rc = skeyid(ike->conf, sa, shared, &n->skeyid);
	if (rc == 0)
		rc = keymat_phase1(h, sa->alg.enc, sa->alg.key_len, &n->skeyid, shared,
				   SPAN_OF(both), &sa->keys);
	if (rc == 0)
		rc = keymat_iv_phase1(h, sa->alg.enc, n->g_i, n->g_r, sa->last_block);
	return rc;
}

int phase1_hash_i(const struct ike_sa *sa, struct span id, struct secret *ret)
{
	const struct ike_nego *n = sa->nego;
	const struct hash_input in = { n->g_i,     n->g_r, SPAN_OF(sa->cky_i), SPAN_OF(sa->cky_r),
				       n->sa_body, id };

	return keymat_hash_p1(sa->alg.hash, &n->skeyid, &in, ret);
}

int phase1_hash_r(const struct ike_sa *sa, struct secret *ret)
{
	const struct ike_nego *n = sa->nego;
	const struct hash_input in = { n->g_r,
				       n->g_i,
				       SPAN_OF(sa->cky_r),
				       SPAN_OF(sa->cky_i),
				       n->sa_body,
				       { n->id_r, n->id_r_len } };

	return keymat_hash_p1(sa->alg.hash, &n->skeyid, &in, ret);
}

void phase1_dh_done(struct ike *ike, struct ike_sa *sa, int err, struct span g_r,
		    struct span shared, uint64_t now, struct fx *fx)
{
	struct ike_nego *n = sa->nego;

	if (err == 0 && g_r.n != n->g_r.n)
		err = -EINVAL;
	if (err == 0) {
		memcpy(n->exchanged + n->g_i.n + n->nonce_i.n, g_r.p, g_r.n);
		err = derive(ike, sa, shared);
	}
	if (err == 0)
		err = sa->mode == XCHG_MAIN ? main_dh_done(ike, sa, now, fx)
					    : aggr_dh_done(ike, sa, now, fx);
	if (err < 0) {
		ike->count[IKE_C_DROP_MALFORMED]++; /* N071-N080: a public value that is none */
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
	}
}

void ike_sign_done(struct ike *ike, struct ike_ticket who, int err, struct span sig, uint64_t now,
		   struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);

	ike->crypto_pending--;
	if (!sa || sa->state != IKE_ST_SIGN)
		return;
	if (err == 0)
		err = (sa->mode == XCHG_MAIN ? main_signed : aggr_signed)(ike, sa, sig, now, fx);
	if (err < 0)
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
	else if (table_get(&ike->t, who.who))
		sa_rearm(ike, sa);
}

/* ---- parts of our messages ---- */

void phase1_put_id(struct ike_build *b, const struct ike_sa *sa)
{
	build_payload(b, PL_ID, (struct span){ sa->nego->id_r, sa->nego->id_r_len });
}

/* Always: nobody asks for them, and everybody needs them. */
void phase1_put_certs(struct ike_build *b, const struct ike_sa *sa)
{
	const struct ike_certs *k = sa->nego->certs;

	for (unsigned i = 0; i < k->n; i++) {
		build_open(b, PL_CERT);
		wr_u8(&b->w, 4); /* X.509 certificate - signature: RFC 2408 3.9 */
		wr_span(&b->w, k->cert[i]);
	}
}

void phase1_put_certreqs(struct ike_build *b, const struct ike_conf *c, const struct ike_sa *sa)
{
	unsigned n = c->n_cas ? c->n_cas : 1; /* one without a name: of any CA */

	for (unsigned i = 0; i < n && sa_client_signs(sa); i++) {
		build_open(b, PL_CERTREQ);
		wr_u8(&b->w, 4); /* RFC 2408 3.10 */
		wr_span(&b->w, c->n_cas ? c->ca[i] : (struct span){ 0 });
	}
}

void phase1_put_vids(struct ike_build *b, const struct ike *ike, const struct ike_sa *sa)
{
	build_payload(b, PL_VID, vid_bytes(VID_XAUTH));
	build_payload(b, PL_VID, vid_bytes(VID_DPD));
	if (sa->vids & VID_UNITY)
		build_payload(b, PL_VID, vid_bytes(VID_UNITY));
	if (sa->nego->natt_vid)
		build_payload(b, PL_VID, vid_bytes(sa->nego->natt_vid));
	if (ike->conf->frag != IKE_FRAG_OFF)
		build_payload(b, PL_VID, vid_bytes(VID_FRAG));
}

/*
 * First the client's address as we see it, then our own (RFC 3947 3.2). To force encapsulation our
 * own is made wrong, and the client sees a NAT in front of the gateway.
 */
void phase1_put_natd(struct ike_build *b, struct ike *ike, const struct ike_sa *sa)
{
	uint8_t type = sa->nego->natt_vid == VID_NATT_RFC ? PL_NATD : PL_NATD_DRAFT;
	uint8_t h[IKE_HASH_MAX];
	size_t n;

	if (!sa->nego->natt_vid)
		return;
	n = natd_of(sa->alg.hash, sa->cky_i, sa->cky_r, &sa->peer, h);
	build_payload(b, type, (struct span){ h, n });
	natd_of(sa->alg.hash, sa->cky_i, sa->cky_r, &sa->local, h);
	if (ike->conf->natt == IKE_NATT_FORCE)
		ike_random(ike, h, n);
	build_payload(b, type, (struct span){ h, n });
}

int phase1_reply(struct ike *ike, struct ike_sa *sa, struct span out, struct fx *fx)
{
	struct ike_nego *n = sa->nego;

	n->reply = out.n ? malloc(out.n) : NULL;
	if (!n->reply)
		return -ENOMEM;
	memcpy(n->reply, out.p, out.n);
	n->reply_len = out.n;
	n->sent += (uint32_t)frag_cost(ike->conf, sa, out.n);
	sa_send(ike, sa, out, fx);
	return 0;
}

/* ---- the end ---- */

void phase1_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	const struct ike_conf *c = ike->conf;
	uint32_t life = c->p1_life_s;

	check_life(c->check, c->p1_life_s, sa->nego->life_s, &life, &sa->tell_life);
	sa->expires_us = now + life * US_PER_S;
	sa->nego = nego_free(sa->nego);
	(sa_uses_xauth(sa) ? xauth_start : login_start)(ike, sa, now, fx);
}
