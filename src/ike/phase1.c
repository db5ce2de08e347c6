/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * phase1.c - what aggressive and main mode have in common, responder side (RFC 2409 5).
 *
 * The client proves nothing but possession of the shared secret here: who it is, XAuth finds out.
 *
 * Not here: the order of messages (aggr.c), formulas (keymat.c), choice of the proposal (sapl.c),
 * crypto work (worker threads).
 */
#include "ike/phase1.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/profile.h"
#include "ike/psk.h"

/* ---- the first message ---- */

bool phase1_may_compute(struct ike *ike, const struct ike_dgram *d, struct fx *fx)
{
	if (ike->crypto_pending < LIMIT_CRYPTO_PENDING)
		return true;
	ike_note(ike, NULL, &d->peer, IKE_R_BUSY, "", fx);
	return false;
}

/* Makes room for one more, or says why not. */
static int admit(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx)
{
	const struct ike_conf *c = ike->conf;
	enum ike_reason why = IKE_R_NONE;

	if (half_open_from(&ike->t, &d->peer.addr, c->half_open_source) >= c->half_open_source)
		why = IKE_R_TOO_MANY_FROM_PEER;
	else if (ike->t.half_open[IKE_HALF_OPEN_UNPROVED].n >= c->half_open_total) {
		struct ike_sa *old =
			half_open_oldest(&ike->t, IKE_HALF_OPEN_UNPROVED, ST(AM_SENT) | ST(MM_SA));

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

/* The client gets one small notify, the journal a sentence. */
static int refuse(struct ike_event *ev, const char *detail)
{
	ike_note(ev->ike, NULL, &ev->d->peer, IKE_R_NO_PROPOSAL_P1, detail, ev->fx);
	info_notify_clear(ev->ike, ev->d, &ev->hdr, N_NO_PROPOSAL_CHOSEN, ev->now, ev->fx);
	return -ENOENT;
}

/* What this client may do in phase 1: the profile of its identity says so, once that is known. */
struct allowed {
	const struct ike_profile *profile; /* NULL: none, or not known */
	const uint16_t *mode, *auth;
	unsigned n_modes, n_auth;
	char mode_key[LIMIT_GROUP_NAME + 16], auth_key[LIMIT_GROUP_NAME + 16]; /* their sections */
};

static void allow(const struct ike_event *ev, struct allowed *ret)
{
	const struct ike_conf *c = ev->ike->conf;
	const struct ike_profile *p =
		ev->hdr.xchg == XCHG_AGGRESSIVE ? profile_by_id(c, ev->msg.id[0]) : NULL;

	*ret = (struct allowed){ .profile = p,
				 .mode = c->mode,
				 .n_modes = c->n_modes,
				 .auth = c->auth,
				 .n_auth = c->n_auth,
				 .mode_key = "[phase1]",
				 .auth_key = "[phase1]" };
	if (p && p->n_modes) {
		ret->mode = p->mode;
		ret->n_modes = p->n_modes;
		snprintf(ret->mode_key, sizeof(ret->mode_key), "[profile \"%s\"]", p->name);
	}
	if (p && p->n_auth) {
		ret->auth = p->auth;
		ret->n_auth = p->n_auth;
		snprintf(ret->auth_key, sizeof(ret->auth_key), "[profile \"%s\"]", p->name);
	}
}

static bool has(const uint16_t *list, unsigned n, uint16_t value)
{
	unsigned i = 0;

	while (i < n && list[i] != value)
		i++;
	return i < n;
}

static int other_mode(struct ike_event *ev, const struct allowed *a)
{
	char detail[256], name[IKE_NAME_LEN];

	snprintf(detail, sizeof(detail),
		 "the client uses %s, which is not answered (%s exchange_mode)",
		 ike_xchg_str(ev->hdr.xchg, name), a->mode_key);
	return refuse(ev, detail);
}

/*
 * Why this client cannot use a shared key; NULL: it can. In aggressive mode anybody is given a hash
 * to guess the key from (CVE-2002-1623), so a profile must say that it may be; there the identity
 * decides which key it is, in main mode the address.
 */
static const char *why_no_psk(const struct ike_event *ev, const struct allowed *a)
{
	const struct ike_conf *c = ev->ike->conf;

	if (!has(a->auth, a->n_auth, AUTH_XAUTH_PSK))
		return "[phase1] authentication does not name it";
	if (ev->hdr.xchg == XCHG_MAIN)
		return psk_find(c->psk, &ev->d->peer.addr)
			       ? NULL
			       : "[phase1] psk_file has no key for this address";
	if (!a->profile || !a->profile->aggressive_psk)
		return "in aggressive mode its key could be guessed from our answer; the gateway "
		       "takes it in main mode alone, but for identities that a [profile] allows it";
	return psk_find_named(c->psk, ev->msg.id[0])
		       ? NULL
		       : "[phase1] psk_file has no key for this identity";
}

static int no_proposal(struct ike_event *ev, const struct allowed *a, const struct p1_choice *c,
		       const char *offered)
{
	const struct ike_conf *conf = ev->ike->conf;
	char detail[OFFER_TEXT + 400], name[IKE_NAME_LEN];
	size_t cap = sizeof(detail);
	unsigned n_all = c->auth_fits ? conf->n_p1 : a->n_auth;
	int n = snprintf(detail, cap, "the client offers %s; the gateway accepts ",
			 *offered ? offered : "nothing that parses");

	for (unsigned i = 0; i < n_all && n < (int)cap - IKE_NAME_LEN; i++)
		n += snprintf(detail + n, cap - (size_t)n, "%s%s", i ? ", " : "",
			      c->auth_fits ? ike_p1_str(&conf->p1[i], name)
					   : ike_auth_str(a->auth[i], name));
	n += snprintf(detail + n, cap - (size_t)n, " (%s %s)",
		      c->auth_fits ? "[phase1]" : a->auth_key,
		      c->auth_fits ? "proposal" : "authentication");
	if (!c->auth_fits && c->other_auth == AUTH_XAUTH_PSK &&
	    has(a->auth, a->n_auth, AUTH_XAUTH_PSK))
		snprintf(detail, cap, "the client offers xauth_psk: %s", why_no_psk(ev, a));
	return refuse(ev, detail);
}

static int wrong_life(struct ike_event *ev, uint32_t offered)
{
	const struct ike_conf *c = ev->ike->conf;
	char detail[CHECK_LIFE_TEXT];

	check_life_text(c->check, "phase1", c->p1_life_s, offered, detail);
	return refuse(ev, detail);
}

/* Copies what the answer and the hashes need of the offer into a block of the negotiation's own. */
static int keep_offer(struct ike_nego *n, struct span sa, const struct p1_choice *c)
{
	struct wr w;

	n->offer = malloc(sa.n + c->answer.transform.n);
	if (!n->offer)
		return -ENOMEM;
	w = wr_into(n->offer, sa.n + c->answer.transform.n);
	wr_span(&w, sa);
	wr_span(&w, c->answer.transform);
	n->sa_body = (struct span){ n->offer, sa.n };
	n->answer = c->answer;
	n->answer.spi = (struct span){ 0 };
	n->answer.transform = (struct span){ n->offer + sa.n, c->answer.transform.n };
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
	struct ike_nego *n;
	struct ike_sa *sa;

	new_cookie(ev->ike, ev->hdr.cky_i, cky_r);
	if (table_new(&ev->ike->t, ev->hdr.cky_i, cky_r, &sa) < 0)
		return -ENOMEM;
	n = sa->nego = calloc(1, sizeof(*n));
	if (!n || keep_offer(n, ev->msg.sa, c) < 0) {
		table_remove(&ev->ike->t, sa);
		return -ENOMEM;
	}
	n->next_us = UINT64_MAX;
	n->received = (uint32_t)ev->d->data.n;
	memcpy(n->request, ev->digest, sizeof(n->request));
	ike_random(ev->ike, n->nonce_r, sizeof(n->nonce_r));
	sa->alg = c->alg;
	sa->auth = c->auth;
	sa->mode = ev->hdr.xchg;
	sa->peer = sa->source = ev->d->peer;
	sa->local = ev->d->local;
	sa->natt = ev->d->natt;
	*ret = sa;
	return 0;
}

static int choose(struct ike_event *ev, const struct allowed *a, struct p1_choice *ret)
{
	const struct ike_conf *c = ev->ike->conf;
	struct p1_want want = { .ke_len = ev->msg.ke.n };
	char offered[OFFER_TEXT];
	int rc;

	for (unsigned i = 0; i < a->n_auth; i++)
		if (a->auth[i] != AUTH_XAUTH_PSK || !why_no_psk(ev, a))
			want.auth[want.n_auth++] = a->auth[i];
	rc = p1_choose(ev->msg.sa, c, &want, ret, offered);
	return rc == -ENOENT   ? no_proposal(ev, a, ret, offered)
	       : rc == -ERANGE ? wrong_life(ev, ret->life_s)
			       : rc;
}

int phase1_begin(struct ike_event *ev, struct ike_sa **ret)
{
	struct p1_choice c;
	struct allowed a;
	int rc;

	allow(ev, &a);
	if (!has(a.mode, a.n_modes, ev->hdr.xchg))
		return other_mode(ev, &a);
	rc = choose(ev, &a, &c);
	if (rc == 0)
		rc = admit(ev->ike, ev->d, ev->now, ev->fx);
	if (rc == 0)
		rc = new_sa(ev, &c, &ev->sa);
	if (rc < 0)
		return rc;
	phase1_see_vids(ev);
	/* NAT traversal is agreed on in the first two messages (RFC 3947 3.1). */
	if (ev->ike->conf->natt != IKE_NATT_OFF)
		ev->sa->nego->natt_vid = vid_best_natt(ev->sa->vids);
	*ret = ev->sa;
	return 0;
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

void phase1_start_sign(struct ike *ike, struct ike_sa *sa, const struct secret *hash_r,
		       struct fx *fx)
{
	struct fx_item *it = fx_add(fx, FX_SIGN, sa_ticket(sa, 0));

	sa_enter(ike, sa, IKE_ST_SIGN);
	it->sign.hash = fx_copy(fx, secret_span(hash_r));
	ike->crypto_pending++;
}

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

static int skeyid(const struct ike_conf *c, const struct ike_sa *sa, struct span shared,
		  struct secret *ret)
{
	struct span ni = sa->nego->nonce_i, nr = SPAN_OF(sa->nego->nonce_r);
	const struct psk_named *named;
	const struct psk *psk;

	if (sa->auth != AUTH_XAUTH_PSK)
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
	my_id(ike->conf, sa, n);
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
void phase1_put_certs(struct ike_build *b, const struct ike_conf *c)
{
	for (unsigned i = 0; i < c->n_certs; i++) {
		build_open(b, PL_CERT);
		wr_u8(&b->w, 4); /* X.509 certificate - signature: RFC 2408 3.9 */
		wr_span(&b->w, c->cert[i]);
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
	xauth_start(ike, sa, now, fx);
}
