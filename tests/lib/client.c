/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client.c - a scripted IKEv1 initiator: phase 1, and messages after it. */
#include "client.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "client_own.h"
#include "gate.h"
#include "ike/vid.h"

void client_draw(struct client *c, void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		c->seed = c->seed * 1664525u + 1013904223u;
		p[i] = (uint8_t)(c->seed >> 24);
	}
}

void client_init(struct client *c, const char *self, const char *gateway)
{
	memset(c, 0, sizeof(*c));
	c->alg = (struct ike_p1){ ENC_AES_CBC, 256, HASH_SHA256, 14 };
	c->esp = (struct ike_p2){ ESP_ENC_AES_CBC, 256, ESP_AUTH_SHA256_128, false };
	c->group_name = "staff";
	c->natt = VID_NATT_RFC;
	c->unity = true;
	c->auth = AUTH_HYBRID_INIT_RSA;
	c->psk = GATE_PSK;
	c->n_certs = 1;
	c->cert_len = 400;
	c->self = ep(self);
	c->gateway = ep(gateway);
	c->seed = c->self.port * 2654435761u + ipaddr_to_v4(&c->self.addr);
}

/* ---- phase 1 ---- */

static void put_transform(struct client *c, struct ike_build *b)
{
	size_t at = b->w.len;
	static const uint8_t vpnc[4] = { 0, 0x20, 0xc4, 0x9b }, day[4] = { 0, 1, 0x51, 0x80 };

	wr_u8(&b->w, 0);
	wr_u8(&b->w, 0);
	wr_be16(&b->w, 0);
	wr_u8(&b->w, c->vpnc_order ? 0 : 1);
	wr_u8(&b->w, 1);
	wr_be16(&b->w, 0);
	if (c->vpnc_order && c->alg.key_len)
		build_tv(b, 14, c->alg.key_len);
	build_tv(b, 1, c->alg.enc);
	if (!c->vpnc_order && c->alg.key_len)
		build_tv(b, 14, c->alg.key_len);
	build_tv(b, 2, c->alg.hash);
	build_tv(b, 4, c->alg.group);
	build_tv(b, 3, c->auth);
	build_tv(b, 11, 1);
	build_tlv(b, 12, c->vpnc_order ? SPAN_OF(vpnc) : SPAN_OF(day));
	wr_patch_be16(&b->w, at + 2, b->w.len - at);
}

void client_put_sa(struct client *c, struct ike_build *b)
{
	size_t body, prop;

	build_open(b, PL_SA);
	body = b->w.len;
	wr_be32(&b->w, 1);
	wr_be32(&b->w, 1);
	prop = b->w.len;
	wr_be32(&b->w, 0);
	wr_u8(&b->w, c->vpnc_order ? 0 : 1);
	wr_u8(&b->w, PROTO_ISAKMP);
	wr_u8(&b->w, 0);
	wr_u8(&b->w, 1);
	put_transform(c, b);
	wr_patch_be16(&b->w, prop + 2, b->w.len - prop);
	c->sa_i_len = b->w.len - body;
	memcpy(c->sa_i, b->w.p + body, c->sa_i_len);
}

static void make(const struct client *c, const struct dh_group *g, const uint8_t *x, uint8_t *pub)
{
	memset(pub, 9, g->public_len);
	if (!c->no_crypto)
		dh_make(g, x, pub);
}

int client_agree(const struct client *c, const struct dh_group *g, const uint8_t *x,
		 struct span peer, uint8_t *shared)
{
	memset(shared, 0, g->shared_len);
	shared[0] = 7; /* gate.c has the same */
	return c->no_crypto ? 0 : dh_agree(g, x, peer, shared);
}

/* What the client makes up for a phase 1. */
static void begin(struct client *c)
{
	struct wr w = wr_into(c->id_i, sizeof(c->id_i));

	client_draw(c, c->cky_i, sizeof(c->cky_i));
	client_draw(c, c->x, sizeof(c->x));
	client_draw(c, c->nonce_i, sizeof(c->nonce_i));
	make(c, dh_group(c->alg.group), c->x, c->g_i);
	wr_u8(&w, ID_KEY_ID);
	wr_u8(&w, 17);
	wr_be16(&w, 500);
	wr_span(&w, span_str(c->group_name));
	c->id_i_len = w.len;
}

static void put_vids(const struct client *c, struct ike_build *b)
{
	build_payload(b, PL_VID, vid_bytes(VID_XAUTH));
	if (!c->no_dpd)
		build_payload(b, PL_VID, vid_bytes(VID_DPD));
	if (c->unity)
		build_payload(b, PL_VID, vid_bytes(VID_UNITY));
	if (c->natt)
		build_payload(b, PL_VID, vid_bytes(c->natt));
	if (c->knows_frag)
		build_payload(b, PL_VID, vid_bytes(VID_FRAG));
}

struct span client_first(struct client *c)
{
	static const uint8_t zero[8];
	const struct dh_group *g = dh_group(c->alg.group);
	struct ike_build b;

	begin(c);
	b = build_start(c->buf, sizeof(c->buf), c->cky_i, zero,
			c->main ? XCHG_MAIN : XCHG_AGGRESSIVE, 0);
	client_put_sa(c, &b);
	if (!c->main) {
		build_payload(&b, PL_KE, (struct span){ c->g_i, g->public_len });
		build_payload(&b, PL_NONCE, SPAN_OF(c->nonce_i));
		build_payload(&b, PL_ID, (struct span){ c->id_i, c->id_i_len });
	}
	put_vids(c, &b);
	return build_clear(&b);
}

static size_t natd(const struct client *c, const struct endpoint *e, uint8_t *out)
{
	const uint8_t port[2] = { (uint8_t)(e->port >> 8), (uint8_t)e->port };
	const struct span v[] = { SPAN_OF(c->cky_i), SPAN_OF(c->cky_r), ipaddr_span(&e->addr),
				  SPAN_OF(port) };

	hash_of(c->alg.hash, v, ARRAY_SIZE(v), out);
	return hash_len(c->alg.hash);
}

int client_derive(struct client *c, const struct ike_msg *m)
{
	const struct dh_group *g = dh_group(c->alg.group);
	struct span g_i = { c->g_i, g->public_len }, g_r = { c->g_r, g->public_len };
	struct span sa = { c->sa_i, c->sa_i_len }, id = { c->id_i, c->id_i_len }, s;
	uint8_t both[16], shared[DH_SHARED_MAX];
	int rc;

	if (m->ke.n != g->public_len || client_agree(c, g, c->x, m->ke, shared) < 0)
		return -EINVAL;
	s = (struct span){ shared, g->shared_len };
	memcpy(c->g_r, m->ke.p, m->ke.n);
	memcpy(both, c->cky_i, 8);
	memcpy(both + 8, c->cky_r, 8);
	const struct hash_input in_i = { g_i, g_r, SPAN_OF(c->cky_i), SPAN_OF(c->cky_r), sa, id };

	if (auth_is_psk(c->auth))
		rc = keymat_skeyid_psk(c->alg.hash, span_str(c->psk), SPAN_OF(c->nonce_i), m->nonce,
				       &c->skeyid);
	else
		rc = keymat_skeyid_sig(c->alg.hash, SPAN_OF(c->nonce_i), m->nonce, s, &c->skeyid);
	rc |= keymat_phase1(c->alg.hash, c->alg.enc, c->alg.key_len, &c->skeyid, s, SPAN_OF(both),
			    &c->keys);
	rc |= keymat_iv_phase1(c->alg.hash, c->alg.enc, g_i, g_r, c->last_block);
	rc |= keymat_hash_p1(c->alg.hash, &c->skeyid, &in_i, &c->hash_i);
	return rc;
}

bool client_proved(struct client *c, size_t n)
{
	const struct dh_group *g = dh_group(c->alg.group);
	struct span g_i = { c->g_i, g->public_len }, g_r = { c->g_r, g->public_len };
	const struct hash_input in_r = {
		g_r,         g_i, SPAN_OF(c->cky_r), SPAN_OF(c->cky_i), { c->sa_i, c->sa_i_len },
		c->msg.id[0]
	};
	struct rd r = rd_from((struct span){ c->plain + ISAKMP_HDR, n - ISAKMP_HDR });
	uint8_t sig[GATE_SIG];
	struct secret hash_r;

	if (keymat_hash_p1(c->alg.hash, &c->skeyid, &in_r, &hash_r) < 0)
		return false;
	gate_signature(secret_span(&hash_r), sig);
	c->got_id = c->msg.id[0];
	c->sig_ok = auth_is_psk(c->auth) && hash_is(c->msg.hash, &hash_r);
	/* The walk passes SIG and CERT over, as a gateway does; find them by their headers. */
	for (uint8_t type = c->hdr.next; type && !r.bad;) {
		uint8_t next = rd_u8(&r);

		(void)rd_u8(&r);
		struct span body = rd_take(&r, rd_be16(&r) - 4u);

		if (type == PL_SIG)
			c->sig_ok = span_eq(body, SPAN_OF(sig));
		if (type == PL_CERT)
			c->got_cert = body;
		type = next;
	}
	return c->sig_ok || c->trusting;
}

void client_see_nat(struct client *c)
{
	uint8_t want[IKE_HASH_MAX];
	size_t n;

	if (c->msg.n_natd < 2)
		return;
	n = natd(c, &c->self, want);
	c->nat_seen = c->behind_nat || !span_eq(c->msg.natd[0], (struct span){ want, n });
	n = natd(c, &c->gateway, want);
	c->nat_seen |= !span_eq(c->msg.natd[1], (struct span){ want, n });
}

void client_float(struct client *c)
{
	if (!c->nat_seen || c->floated)
		return;
	c->floated = true;
	c->gateway.port = 4500;
	if (c->self.port == 500)
		c->self.port = 4500;
	else
		c->self.port += 4000; /* another mapping of the NAT */
}

void client_put_natd(const struct client *c, struct ike_build *b)
{
	uint8_t type = c->natt == VID_NATT_RFC ? PL_NATD : PL_NATD_DRAFT;
	struct endpoint me = c->self;
	uint8_t h[IKE_HASH_MAX];
	size_t n;

	if (!c->natt)
		return;
	n = natd(c, &c->gateway, h);
	build_payload(b, type, (struct span){ h, n });
	if (c->behind_nat)
		me.addr = ipaddr_v4(0xc0a80105); /* what it thinks it is */
	n = natd(c, &me, h);
	build_payload(b, type, (struct span){ h, n });
}

int client_read(struct client *c, struct span in, uint8_t xchg)
{
	if (in.n > sizeof(c->plain) || ike_hdr_read(in, &c->hdr) < 0 || c->hdr.xchg != xchg ||
	    c->hdr.msgid || memcmp(c->hdr.cky_i, c->cky_i, 8) != 0)
		return -EBADMSG;
	memcpy(c->plain, in.p, in.n);
	return 0;
}

int client_walk(struct client *c, size_t n)
{
	return ike_walk((struct span){ c->plain + ISAKMP_HDR, n - ISAKMP_HDR }, c->hdr.next,
			&c->msg);
}

int client_second(struct client *c, struct span in)
{
	if (client_read(c, in, XCHG_AGGRESSIVE) < 0 || client_walk(c, in.n) < 0)
		return -EBADMSG;
	memcpy(c->cky_r, c->hdr.cky_r, 8);
	if (client_derive(c, &c->msg) < 0)
		return -EINVAL;
	client_see_nat(c);
	return client_proved(c, in.n) ? 0 : -EACCES;
}

void client_put_initial_contact(const struct client *c, struct ike_build *b)
{
	build_open(b, PL_NOTIFY);
	wr_be32(&b->w, 1);
	wr_u8(&b->w, PROTO_ISAKMP);
	wr_u8(&b->w, 16);
	wr_be16(&b->w, N_INITIAL_CONTACT);
	wr_bytes(&b->w, c->cky_i, 8);
	wr_bytes(&b->w, c->cky_r, 8);
}

static bool client_is_alone(const struct client *c)
{
	return c->auth == AUTH_PSK || c->auth == AUTH_RSA_SIG || auth_is_ecdsa(c->auth);
}

bool client_signs(const struct client *c)
{
	return c->auth == AUTH_XAUTH_RSA || c->auth == AUTH_RSA_SIG || auth_is_ecdsa(c->auth);
}

void client_put_signature(const struct client *c, struct ike_build *b)
{
	uint8_t sig[GATE_SIG];

	for (unsigned i = 0; i < c->n_certs; i++) {
		build_open(b, PL_CERT);
		wr_u8(&b->w, 4);
		wr_zero(&b->w, c->cert_len);
	}
	gate_client_signature(secret_span(&c->hash_i), sig);
	sig[7] ^= c->wrong_sig;
	build_open(b, PL_SIG);
	if (c->sig_len)
		wr_zero(&b->w, c->sig_len);
	else
		wr_bytes(&b->w, sig, sizeof(sig));
}

static struct span third_signed(struct client *c)
{
	struct ike_build b =
		build_start(c->buf, sizeof(c->buf), c->cky_i, c->cky_r, XCHG_AGGRESSIVE, 0);

	client_put_signature(c, &b);
	if (c->initial_contact)
		client_put_initial_contact(c, &b);
	client_put_natd(c, &b);
	return c->clear_third ? build_clear(&b) : build_encrypted(&b, &c->keys, c->last_block);
}

struct span client_third(struct client *c)
{
	struct ike_build b;

	client_float(c);
	if (client_signs(c))
		return third_signed(c);
	b = build_start(c->buf, sizeof(c->buf), c->cky_i, c->cky_r, XCHG_AGGRESSIVE, 0);
	build_hash(&b, c->hash_i.n);
	if (c->clear_third) /* build_sealed() fills it in otherwise */
		memcpy(b.w.p + b.hash_at, c->hash_i.b, c->hash_i.n);
	if (c->initial_contact)
		client_put_initial_contact(c, &b);
	client_put_natd(c, &b);
	if (c->clear_third)
		return build_clear(&b);
	return build_sealed(&b, &c->keys, &c->hash_i, c->last_block);
}

void client_raw(const struct client *c, struct gate *g, struct span data)
{
	gate_input(g, &c->self, &c->gateway, c->floated, data);
}

void client_to(struct client *c, struct gate *g, struct span data)
{
	static struct pieces cut;

	if (!c->frag || data.n <= c->frag + PIECE_DATA) {
		client_raw(c, g, data);
		return;
	}
	pieces_cut(&cut, data, c->frag, 1);
	pieces_plain(&cut);
	for (unsigned i = 0; i < cut.n; i++)
		client_raw(c, g, piece_span(&cut.v[i]));
}

struct span client_answer(const struct gate *g)
{
	static struct join j;
	struct span whole = { 0 };

	if (!is_piece(gate_out(g, 0)))
		return gate_only(g);
	join_reset(&j);
	for (unsigned i = 0; i < g->n_out; i++) {
		if (whole.n || !is_piece(gate_out(g, i)))
			return (struct span){ 0 }; /* more than one message */
		whole = join_take(&j, gate_out(g, i));
	}
	return whole;
}

bool client_phase1(struct client *c, struct gate *g)
{
	if (c->main) {
		if (!client_to_main4(c, g))
			return false;
		client_to(c, g, client_main5(c));
		if (client_main6(c, gate_out(g, 0)) < 0)
			return false;
		if (client_is_alone(c))
			return true;
		return g->n_out == 2 && client_open(c, gate_out(g, 1)) == 0 &&
		       c->cfg.type == CFG_REQUEST;
	}
	client_to(c, g, client_first(c));
	if (client_second(c, client_answer(g)) < 0)
		return false;
	client_to(c, g, client_third(c));
	if (client_is_alone(c))
		return true;
	return client_open(c, client_answer(g)) == 0 && c->cfg.type == CFG_REQUEST;
}

/* ---- afterwards ---- */

/* The plain text of a message in c->plain, with the IV that its exchange goes on with. */
static int unseal(struct client *c, struct span in, uint8_t iv[static IKE_BLOCK_MAX])
{
	struct ike_hdr h;

	if (in.n > sizeof(c->plain) || ike_hdr_read(in, &h) < 0 ||
	    !(h.flags & ISAKMP_FLAG_ENCRYPTED))
		return -EBADMSG;
	memcpy(c->plain, in.p, in.n);
	memcpy(iv, c->iv, IKE_BLOCK_MAX);
	if (h.msgid != c->msgid)
		keymat_iv_phase2(&c->keys, c->last_block, h.msgid, iv);
	if (cbc_decrypt(c->keys.enc, ike_key_span(&c->keys), iv, c->plain + ISAKMP_HDR,
			in.n - ISAKMP_HDR) < 0)
		return -EBADMSG;
	c->hdr = h;
	return ike_walk((struct span){ c->plain + ISAKMP_HDR, in.n - ISAKMP_HDR }, h.next, &c->msg);
}

int client_open(struct client *c, struct span in)
{
	uint8_t iv[IKE_BLOCK_MAX];
	struct secret want;

	if (unseal(c, in, iv) < 0)
		return -EBADMSG;
	if (c->hdr.xchg != XCHG_QUICK || c->hdr.msgid != c->msgid)
		keymat_hash1(&c->keys, c->hdr.msgid, c->msg.after_hash, &want);
	else if (c->theirs)
		keymat_hash3(&c->keys, c->hdr.msgid, (struct span){ c->q_peer, c->q_peer_len },
			     SPAN_OF(c->q_nonce), &want);
	else
		keymat_hash2(&c->keys, c->hdr.msgid, SPAN_OF(c->q_nonce), c->msg.after_hash, &want);
	if (c->msg.first != PL_HASH || !span_eq(c->msg.hash, secret_span(&want)))
		return -EACCES;
	c->msgid = c->hdr.msgid;
	memcpy(c->iv, iv, sizeof(c->iv));
	c->cfg = (struct ike_cfg){ 0 };
	if (c->msg.present & PB(ATTR)) {
		if (ike_cfg_read(c->msg.attr, &c->cfg) < 0)
			return -EBADMSG;
		c->cfg_id = c->cfg.id;
	}
	return 0;
}

void client_new_exchange(struct client *c)
{
	c->theirs = false;
	client_draw(c, &c->msgid, sizeof(c->msgid));
	c->msgid |= 1;
	if (c->own_msgid)
		c->msgid = *c->own_msgid;
	keymat_iv_phase2(&c->keys, c->last_block, c->msgid, c->iv);
}

struct ike_build client_start(struct client *c, uint8_t type)
{
	struct ike_build b =
		build_start(c->buf, sizeof(c->buf), c->cky_i, c->cky_r, type, c->msgid);

	build_hash(&b, hash_len(c->keys.hash));
	return b;
}

struct span client_seal(struct client *c, struct ike_build *b)
{
	struct secret h;

	keymat_hash1(&c->keys, c->msgid, build_after_hash(b), &h);
	return build_sealed(b, &c->keys, &h, c->iv);
}

struct span client_clear(struct ike_build *b)
{
	return build_clear(b);
}

struct span client_sealed(struct client *c, uint8_t type, uint8_t next, struct span plain)
{
	size_t block = cipher_block(c->keys.enc), n;
	struct wr w = wr_into(c->buf, sizeof(c->buf));

	wr_bytes(&w, c->cky_i, 8);
	wr_bytes(&w, c->cky_r, 8);
	wr_u8(&w, next);
	wr_u8(&w, 0x10);
	wr_u8(&w, type);
	wr_u8(&w, ISAKMP_FLAG_ENCRYPTED);
	wr_be32(&w, c->msgid);
	wr_be32(&w, 0);
	wr_span(&w, plain);
	n = w.len - ISAKMP_HDR;
	wr_zero(&w, (block - n % block) % block);
	wr_patch_be16(&w, 26, w.len);
	if (w.bad)
		return (struct span){ 0 };
	cbc_encrypt(c->keys.enc, ike_key_span(&c->keys), c->iv, w.p + ISAKMP_HDR,
		    w.len - ISAKMP_HDR);
	return wr_done(&w);
}

void client_hash_payload(struct client *c, struct wr *w, uint8_t next, struct span rest)
{
	struct secret h;

	keymat_hash1(&c->keys, c->msgid, rest, &h);
	wr_u8(w, next);
	wr_u8(w, 0);
	wr_be16(w, (uint16_t)(4 + h.n));
	wr_bytes(w, h.b, h.n);
}
