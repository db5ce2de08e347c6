/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * aggr.c - phase 1 in aggressive mode with hybrid RSA, responder side (RFC 2409 5.1,
 * draft-ietf-ipsec-isakmp-hybrid-auth-05 4.2).
 *
 *   I -> R  HDR, SA, KE, Ni, IDii
 *   R -> I  HDR, SA, KE, Nr, IDir, CERT, SIG_R, VIDs, NAT-D, NAT-D
 *   I -> R  HDR[*], HASH_I, NAT-D, NAT-D
 *
 * The first message is unauthenticated and costs a key pair, a shared secret and a signature; the
 * limits on half-open exchanges stand before that. The client proves nothing but possession of the
 * shared secret here: who it is, XAuth finds out.
 *
 * Not here: keys (keymat.c), choice of the proposal (sapl.c), crypto work (worker threads).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/dh.h"

/* ---- the first message ---- */

/* Makes room for one more, or says why not. */
static int admit(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx)
{
	const struct ike_conf *c = ike->conf;
	enum ike_reason why = IKE_R_NONE;

	if (ike->crypto_pending >= LIMIT_CRYPTO_PENDING)
		why = IKE_R_BUSY;
	else if (half_open_from(&ike->t, &d->peer.addr, c->half_open_source) >= c->half_open_source)
		why = IKE_R_TOO_MANY_FROM_PEER;
	else if (ike->t.n_half_open >= c->half_open_total) {
		struct ike_sa *old = half_open_oldest_unproved(&ike->t);

		if (old)
			sa_close(ike, old, IKE_R_EVICTED, false, now, fx);
		else
			why = IKE_R_TOO_MANY_HALF_OPEN;
	}
	if (why == IKE_R_NONE)
		return 0;
	ike_note(ike, NULL, &d->peer, why, "", fx);
	return -EUSERS;
}

static int no_proposal(struct ike_event *ev, const char *offered)
{
	char detail[OFFER_TEXT + 400], name[IKE_NAME_LEN];
	int n = snprintf(detail, sizeof(detail), "the client offers %s; the gateway accepts ",
			 *offered ? offered : "nothing that parses");

	for (unsigned i = 0; i < ev->ike->conf->n_p1 && n < (int)sizeof(detail) - IKE_NAME_LEN; i++)
		n += snprintf(detail + n, sizeof(detail) - (size_t)n, "%s%s", i ? ", " : "",
			      ike_p1_str(&ev->ike->conf->p1[i], name));
	snprintf(detail + n, sizeof(detail) - (size_t)n, " ([phase1] proposal)");
	ike_note(ev->ike, NULL, &ev->d->peer, IKE_R_NO_PROPOSAL_P1, detail, ev->fx);
	info_notify_clear(ev->ike, ev->d, &ev->hdr, N_NO_PROPOSAL_CHOSEN, ev->now, ev->fx);
	return -ENOENT;
}

/* Copies what later messages and hashes need into one block that the negotiation owns. */
static int nego_keep(struct ike_nego *n, const struct ike_msg *m, const struct p1_choice *c)
{
	struct wr w;
	size_t total = m->sa.n + m->ke.n + m->nonce.n + c->answer.transform.n;
	const struct span in[] = { m->sa, m->ke, m->nonce, c->answer.transform };
	struct span *out[] = { &n->sa_body, &n->ke, &n->nonce_i, &n->transform };

	n->sa_i = malloc(total);
	if (!n->sa_i)
		return -ENOMEM;
	w = wr_into(n->sa_i, total);
	for (unsigned i = 0; i < ARRAY_SIZE(in); i++) {
		*out[i] = (struct span){ w.p + w.len, in[i].n };
		wr_span(&w, in[i]);
	}
	n->answer = c->answer;
	n->answer.spi = (struct span){ 0 };
	n->answer.transform = n->transform;
	n->life_s = c->life_s;
	return 0;
}

/* A responder cookie that nobody has and nobody can guess; its first half names the session. */
static void new_cookie(struct ike *ike, const uint8_t *cky_i, uint8_t cky_r[static IKE_COOKIE])
{
	static const uint8_t zero[4];

	do
		ike_random(ike, cky_r, IKE_COOKIE);
	while (table_name_taken(&ike->t, cky_r) || memcmp(cky_r, cky_i, IKE_COOKIE) == 0 ||
	       memcmp(cky_r, zero, sizeof(zero)) == 0);
}

static int new_sa(struct ike_event *ev, const struct p1_choice *c, struct ike_sa **ret)
{
	uint8_t cky_r[IKE_COOKIE];
	struct vid_set vids = { 0 };
	struct ike_nego *n;
	struct ike_sa *sa;

	new_cookie(ev->ike, ev->hdr.cky_i, cky_r);
	if (table_new(&ev->ike->t, ev->hdr.cky_i, cky_r, &sa) < 0)
		return -ENOMEM;
	n = sa->nego = calloc(1, sizeof(*n));
	if (!n || nego_keep(n, &ev->msg, c) < 0) {
		table_remove(&ev->ike->t, sa);
		return -ENOMEM;
	}
	vid_collect(&ev->msg, &vids);
	n->next_us = UINT64_MAX;
	n->received = (uint32_t)ev->d->data.n;
	memcpy(n->request, ev->digest, sizeof(n->request));
	if (ev->ike->conf->natt != IKE_NATT_OFF)
		n->natt_vid = vid_best_natt(vids.bits);
	ike_random(ev->ike, n->nonce_r, sizeof(n->nonce_r));
	sa->alg = c->alg;
	sa->vids = vids.bits;
	sa->peer = sa->source = ev->d->peer;
	sa->local = ev->d->local;
	sa->natt = ev->d->natt;
	sa->peer_id_len = (uint16_t)ev->msg.id[0].n;
	memcpy(sa->peer_id, ev->msg.id[0].p, sa->peer_id_len);
	if (vids.client)
		snprintf(sa->client, sizeof(sa->client), "%s", vids.client);
	sa->deadline_us = ev->now + LIMIT_AM3_WAIT_S * US_PER_S;
	*ret = sa;
	return 0;
}

int aggr_first(struct ike_event *ev)
{
	char offered[OFFER_TEXT];
	struct p1_choice c;
	struct fx_item *it;
	struct ike_sa *sa;
	int rc;

	if (ev->msg.n_id != 1 || ev->msg.id[0].n > sizeof(sa->peer_id))
		return -EBADMSG;
	rc = p1_choose(ev->msg.sa, ev->ike->conf, ev->msg.ke.n, &c, offered);
	if (rc == -ENOENT)
		return no_proposal(ev, offered);
	if (rc < 0)
		return rc;
	rc = admit(ev->ike, ev->d, ev->now, ev->fx);
	if (rc < 0)
		return rc;
	rc = new_sa(ev, &c, &sa);
	if (rc < 0)
		return rc;
	sa_enter(ev->ike, sa, IKE_ST_DH);
	half_open_enter(&ev->ike->t, sa);
	it = fx_add(ev->fx, FX_DH, sa_ticket(sa, 0));
	it->dh.group = sa->alg.group;
	it->dh.peer_public = fx_copy(ev->fx, ev->msg.ke);
	ev->ike->crypto_pending++;
	sa_rearm(ev->ike, sa);
	return 0;
}

/* ---- our message ---- */

/* IDir_b: type, protocol 0, port 0 (RFC 3947 4), data. */
static void my_id(const struct ike_conf *c, const struct ike_sa *sa, struct ike_nego *n)
{
	struct wr w = wr_into(n->id_r, sizeof(n->id_r));
	struct span data = c->my_id;
	uint8_t type = c->my_id_type == IKE_ID_FQDN ? ID_FQDN : ID_DER_ASN1_DN;

	if (c->my_id_type == IKE_ID_ADDRESS) {
		data = ipaddr_span(&sa->local.addr);
		type = sa->local.addr.family == IP_V6 ? ID_IPV6_ADDR : ID_IPV4_ADDR;
	}
	wr_u8(&w, type);
	wr_zero(&w, 3);
	wr_span(&w, data);
	n->id_r_len = (uint16_t)wr_done(&w).n;
}

static int derive(struct ike *ike, struct ike_sa *sa, struct span g_r, struct span shared,
		  struct secret *ret_hash_r)
{
	struct ike_nego *n = sa->nego;
	uint8_t both[2 * IKE_COOKIE];
	struct span cky_i = SPAN_OF(sa->cky_i), cky_r = SPAN_OF(sa->cky_r);
	uint16_t h = sa->alg.hash;
	int rc;

	memcpy(both, sa->cky_i, IKE_COOKIE);
	memcpy(both + IKE_COOKIE, sa->cky_r, IKE_COOKIE);
	my_id(ike->conf, sa, n);
	const struct hash_input in_r = { g_r,   n->ke,      cky_r,
					 cky_i, n->sa_body, { n->id_r, n->id_r_len } };
	const struct hash_input in_i = { n->ke, g_r,        cky_i,
					 cky_r, n->sa_body, { sa->peer_id, sa->peer_id_len } };

	rc = keymat_skeyid_sig(h, n->nonce_i, SPAN_OF(n->nonce_r), shared, &n->skeyid);
	if (rc == 0)
		rc = keymat_phase1(h, sa->alg.enc, sa->alg.key_len, &n->skeyid, shared,
				   SPAN_OF(both), &sa->keys);
	if (rc == 0)
		rc = keymat_iv_phase1(h, sa->alg.enc, n->ke, g_r, sa->last_block);
	if (rc == 0)
		rc = keymat_hash_p1(h, &n->skeyid, &in_i, &n->hash_i);
	if (rc == 0)
		rc = keymat_hash_p1(h, &n->skeyid, &in_r, ret_hash_r);
	secret_wipe(&n->skeyid);
	return rc;
}

void aggr_dh_done(struct ike *ike, struct ike_sa *sa, int err, struct span g_r, struct span shared,
		  uint64_t now, struct fx *fx)
{
	_cleanup_(secret_wipe) struct secret hash_r = { .n = 0 };
	struct ike_nego *n = sa->nego;
	struct fx_item *it;

	if (err == 0 && g_r.n > sizeof(n->g_r))
		err = -EINVAL;
	if (err == 0)
		err = derive(ike, sa, g_r, shared, &hash_r);
	if (err < 0) {
		ike->count[IKE_C_DROP_MALFORMED]++; /* N071-N080: a public value that is none */
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
		return;
	}
	memcpy(n->g_r, g_r.p, g_r.n);
	n->g_r_len = (uint16_t)g_r.n;
	sa_enter(ike, sa, IKE_ST_SIGN);
	it = fx_add(fx, FX_SIGN, sa_ticket(sa, 0));
	it->sign.hash = fx_copy(fx, secret_span(&hash_r));
	ike->crypto_pending++;
}

static void put_vids(struct ike_build *b, const struct ike *ike, const struct ike_sa *sa)
{
	build_payload(b, PL_VID, vid_bytes(VID_XAUTH));
	build_payload(b, PL_VID, vid_bytes(VID_DPD));
	if (sa->vids & VID_UNITY)
		build_payload(b, PL_VID, vid_bytes(VID_UNITY));
	if (sa->nego->natt_vid)
		build_payload(b, PL_VID, vid_bytes(sa->nego->natt_vid));
	(void)ike;
}

/*
 * First the client's address as we see it, then our own (RFC 3947 3.2). To force encapsulation our
 * own is made wrong, and the client sees a NAT in front of the gateway.
 */
static void put_natd(struct ike_build *b, struct ike *ike, const struct ike_sa *sa)
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

/* No CERTREQ and no notify here: vpnc gives up on either. CERT always: nobody asks for it. */
static struct span second_message(struct ike *ike, const struct ike_sa *sa, struct span sig)
{
	const struct ike_nego *n = sa->nego;
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, XCHG_AGGRESSIVE, 0);

	sa_put_answer(&b, &n->answer, (struct span){ 0 });
	build_payload(&b, PL_KE, (struct span){ n->g_r, n->g_r_len });
	build_payload(&b, PL_NONCE, SPAN_OF(n->nonce_r));
	build_payload(&b, PL_ID, (struct span){ n->id_r, n->id_r_len });
	for (unsigned i = 0; i < ike->conf->n_certs; i++) {
		build_open(&b, PL_CERT);
		wr_u8(&b.w, 4); /* X.509 certificate - signature: RFC 2408 3.9 */
		wr_span(&b.w, ike->conf->cert[i]);
	}
	build_payload(&b, PL_SIG, sig);
	put_vids(&b, ike, sa);
	put_natd(&b, ike, sa);
	return build_clear(&b);
}

/* The next unasked repetition: only while the address has credit for it. */
static void plan_repeat(const struct ike *ike, struct ike_nego *n, uint64_t now)
{
	bool credit = n->sent + n->reply_len <= (size_t)LIMIT_AMPLIFY * n->received;

	n->next_us = credit && n->resent < ike->conf->retransmit_tries
			     ? ike_repeat_at(ike, now, n->resent)
			     : UINT64_MAX;
}

void aggr_repeat(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	struct ike_nego *n = sa->nego;

	n->resent++;
	n->sent += (uint32_t)n->reply_len;
	ike->count[IKE_C_RESENT]++;
	sa_send(ike, sa, (struct span){ n->reply, n->reply_len }, fx);
	plan_repeat(ike, n, now);
}

void ike_sign_done(struct ike *ike, struct ike_ticket who, int err, struct span sig, uint64_t now,
		   struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);
	struct ike_nego *n;
	struct span out;

	ike->crypto_pending--;
	if (!sa || sa->state != IKE_ST_SIGN)
		return;
	n = sa->nego;
	out = err < 0 ? (struct span){ 0 } : second_message(ike, sa, sig);
	n->reply = out.n ? malloc(out.n) : NULL;
	if (!n->reply) {
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
		return;
	}
	memcpy(n->reply, out.p, out.n);
	n->reply_len = out.n;
	n->sent = (uint32_t)out.n;
	sa_enter(ike, sa, IKE_ST_AM_SENT);
	sa->deadline_us = now + LIMIT_AM3_WAIT_S * US_PER_S;
	sa_send(ike, sa, out, fx);
	plan_repeat(ike, n, now);
	sa_rearm(ike, sa);
}

/* ---- the third message ---- */

static uint32_t phase1_life(const struct ike_conf *c, uint32_t offered)
{
	uint32_t life = offered < c->p1_life_s ? offered : c->p1_life_s;

	if (c->check == IKE_CHECK_OBEY && offered != UINT32_MAX)
		life = offered;
	return ike_least_life(life, c->p1_life_s);
}

int aggr_third(struct ike_event *ev)
{
	const struct ike_conf *c = ev->ike->conf;
	struct ike_sa *sa = ev->sa;
	struct ike_nego *n = sa->nego;
	struct vid_set vids = { .bits = sa->vids, .client = *sa->client ? sa->client : NULL };
	struct endpoint ike_port = ev->d->local;

	if (!hash_is(ev->msg.hash, &n->hash_i))
		return -EACCES; /* the half-open exchange stays: N143, N147 */

	/* The client has done the Diffie-Hellman: this is where it is, and 4500 if it floated. */
	if (n->natt_vid) {
		ike_port.port = sa->local.port;
		const struct endpoint local[] = { ev->d->local, ike_port, sa->local };
		const struct endpoint peer[] = { ev->d->peer, sa->peer };

		sa->nat = natd_evaluate(sa, &ev->msg, local, ARRAY_SIZE(local), peer,
					ARRAY_SIZE(peer));
		if (c->natt == IKE_NATT_FORCE)
			sa->nat |= IKE_NAT_FORCED;
	}
	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED)
		memcpy(sa->last_block, ev->iv, sizeof(sa->last_block));
	sa->peer = ev->d->peer;
	sa->local = ev->d->local;
	sa->natt = ev->d->natt;
	vid_collect(&ev->msg, &vids);
	sa->vids = vids.bits;
	if (vids.client && vids.client != sa->client)
		snprintf(sa->client, sizeof(sa->client), "%s", vids.client);
	sa->expires_us = ev->now + phase1_life(c, n->life_s) * US_PER_S;
	sa->nego = nego_free(n);
	xauth_start(ev->ike, sa, ev->now, ev->fx);
	return 0;
}
