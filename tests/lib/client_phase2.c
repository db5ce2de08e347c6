/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client_phase2.c - the scripted initiator's XAuth, mode config, Quick Mode and Informational. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "client.h"
#include "gate.h"
#include "ike/cfg_attrs.h"
#include "ike/vid.h"

struct span client_attr(struct client *c, enum ike_cfg_type type, uint16_t id, struct span attrs)
{
	struct ike_build b = client_start(c, XCHG_TRANSACTION);

	build_open(&b, PL_ATTR);
	wr_u8(&b.w, (uint8_t)type);
	wr_u8(&b.w, 0);
	wr_be16(&b.w, id);
	wr_span(&b.w, attrs);
	return client_seal(c, &b);
}

struct span client_credentials(struct client *c, struct span user, struct span password)
{
	uint8_t buf[1024];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	build_tlv(&b, XAUTH_USER_NAME, user);
	build_tlv(&b, XAUTH_USER_PASSWORD, password);
	return client_attr(c, CFG_REPLY, c->cfg_id, wr_done(&b.w));
}

uint16_t client_asked(const struct client *c, struct span *ret_message)
{
	struct rd r = rd_from(c->cfg.attrs);
	uint16_t asked = 0;
	struct ike_attr a;

	*ret_message = (struct span){ 0 };
	while (c->cfg.type == CFG_REQUEST && ike_attr_next(&r, &a))
		if (a.type == XAUTH_MESSAGE)
			*ret_message = a.data;
		else if (a.type != XAUTH_USER_NAME && a.type != XAUTH_USER_PASSWORD && !a.data.n)
			asked = a.type;
	return asked;
}

struct span client_say(struct client *c, uint16_t attr, struct span text)
{
	uint8_t buf[1024];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	build_tlv(&b, attr, text);
	return client_attr(c, CFG_REPLY, c->cfg_id, wr_done(&b.w));
}

struct span client_ack(struct client *c)
{
	uint8_t buf[8];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	build_tlv(&b, XAUTH_STATUS, (struct span){ 0 }); /* strongSwan's way */
	return client_attr(c, CFG_ACK, c->cfg_id, wr_done(&b.w));
}

struct span client_transaction(struct client *c, enum ike_cfg_type type, struct span attrs)
{
	client_new_exchange(c);
	return client_attr(c, type, 20, attrs);
}

struct span client_config(struct client *c, const uint16_t *types, size_t n)
{
	uint8_t buf[256];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	for (size_t i = 0; i < n; i++)
		build_tlv(&b, types[i], (struct span){ 0 });
	return client_transaction(c, CFG_REQUEST, wr_done(&b.w));
}

struct span client_config_usual(struct client *c)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS, UNITY_BANNER,
					 INTERNAL_IP6_ADDRESS };

	return client_config(c, want, ARRAY_SIZE(want) - !c->v6);
}

bool client_take_address(struct client *c)
{
	struct rd r = rd_from(c->cfg.attrs);
	bool v4 = false, v6 = !c->v6;
	struct ike_attr a;

	while (ike_attr_next(&r, &a)) {
		if (a.type == INTERNAL_IP4_ADDRESS && a.data.n == 4)
			v4 = ipaddr_from_bytes(a.data, &c->address) == 0;
		if (a.type == INTERNAL_IP6_ADDRESS && a.data.n == 17) /* a length is behind it */
			v6 = ipaddr_from_bytes((struct span){ a.data.p, 16 }, &c->address6) == 0;
	}
	return v4 && v6;
}

/* ---- Quick Mode ---- */

static void put_esp_transform(struct client *c, struct ike_build *b)
{
	static const uint8_t ids[] = {
		[ESP_ENC_AES_CBC] = 12, [ESP_ENC_3DES_CBC] = 3, [ESP_ENC_AES_GCM16] = 20
	};
	static const uint16_t auths[] = { 0, 1, 2, 5, 5, 6, 7 };
	size_t at = b->w.len;

	wr_be32(&b->w, 0);
	wr_u8(&b->w, 0);
	wr_u8(&b->w, ids[c->esp.enc]);
	wr_be16(&b->w, 0);
	build_tv(b, 1, 1);
	build_tv(b, 2, 28800);
	build_tv(b, 4, !c->floated || c->tunnel_mode ? 1 : c->natt == VID_NATT_RFC ? 3 : 61443);
	if (auths[c->esp.auth])
		build_tv(b, 5, auths[c->esp.auth]);
	if (c->esp.key_len)
		build_tv(b, 6, c->esp.key_len);
	if (c->esp.esn)
		build_tv(b, 11, 1);
	if (c->pfs)
		build_tv(b, 3, c->pfs);
	wr_patch_be16(&b->w, at + 2, b->w.len - at);
}

const uint8_t *client_cpi_at(struct span sa)
{
	struct rd r = rd_from(sa);
	size_t first;

	/* DOI, situation, the proposal of ESP; the other's header, whose SPI has 2 bytes. */
	(void)rd_take(&r, 10);
	first = rd_be16(&r);
	(void)rd_take(&r, first >= 4 ? first - 4 : SIZE_MAX);
	(void)rd_take(&r, 5);
	if (rd_u8(&r) != PROTO_IPCOMP || rd_u8(&r) != 2)
		return NULL;
	(void)rd_take(&r, 1);
	return r.left >= 2 && !r.bad ? r.p : NULL;
}

static void put_ipcomp(struct client *c, struct ike_build *b)
{
	size_t prop = b->w.len, at;

	wr_be32(&b->w, 0);
	wr_u8(&b->w, 0);
	wr_u8(&b->w, PROTO_IPCOMP);
	wr_u8(&b->w, 2);
	wr_u8(&b->w, 1);
	wr_be16(&b->w, c->cpi_in);
	at = b->w.len;
	wr_be32(&b->w, 0);
	wr_u8(&b->w, 1);
	wr_u8(&b->w, 2); /* DEFLATE */
	wr_be16(&b->w, 0);
	build_tv(b, 4, 1);
	wr_patch_be16(&b->w, at + 2, b->w.len - at);
	wr_patch_be16(&b->w, prop + 2, b->w.len - prop);
}

static void put_esp_sa(struct client *c, struct ike_build *b)
{
	size_t prop;

	build_open(b, PL_SA);
	wr_be32(&b->w, 1);
	wr_be32(&b->w, 1);
	prop = b->w.len;
	wr_u8(&b->w, c->ipcomp ? PL_PROPOSAL : PL_NONE);
	wr_zero(&b->w, 3);
	wr_u8(&b->w, 0);
	wr_u8(&b->w, PROTO_ESP);
	wr_u8(&b->w, 4);
	wr_u8(&b->w, 1);
	wr_be32(&b->w, c->spi_in);
	put_esp_transform(c, b);
	wr_patch_be16(&b->w, prop + 2, b->w.len - prop);
	if (c->ipcomp)
		put_ipcomp(c, b);
}

struct ike_build client_quick1_open(struct client *c, struct span ci, struct span cr)
{
	const struct dh_group *g = dh_group(c->pfs);
	uint8_t host[20] = { c->v6 ? ID_IPV6_ADDR : ID_IPV4_ADDR };
	uint8_t any[36] = { c->v6 ? ID_IPV6_ADDR_SUBNET : ID_IPV4_ADDR_SUBNET };
	size_t one = c->v6 ? 16 : 4;
	struct ike_build b;

	memcpy(host + 4, c->v6 ? c->address6.b : c->address.b, one);
	client_new_exchange(c);
	for (size_t i = 0; i < sizeof(c->q_nonce); i++)
		c->q_nonce[i] = (uint8_t)(c->msgid >> (i % 4 * 8)) ^ (uint8_t)i;
	c->spi_in = (c->msgid ^ 0xc0ffee00u) | 0x1000u;
	c->cpi_in = (uint16_t)(0x1000 | (c->msgid & 0xfff));
	b = client_start(c, XCHG_QUICK);
	put_esp_sa(c, &b);
	build_payload(&b, PL_NONCE, SPAN_OF(c->q_nonce));
	if (g) {
		memset(c->q_x, 7, sizeof(c->q_x));
		memset(c->q_g, 9, g->public_len);
		if (!c->no_crypto)
			dh_make(g, c->q_x, c->q_g);
		build_payload(&b, PL_KE, (struct span){ c->q_g, g->public_len });
	}
	build_payload(&b, PL_ID, ci.n ? ci : (struct span){ host, 4 + one });
	build_payload(&b, PL_ID, cr.n ? cr : (struct span){ any, 4 + 2 * one });
	return b;
}

struct span client_quick1(struct client *c, struct span ci, struct span cr)
{
	struct ike_build b = client_quick1_open(c, ci, cr);

	return client_seal(c, &b);
}

int client_quick2(struct client *c, struct span in)
{
	const struct dh_group *g = dh_group(c->pfs);
	uint8_t shared[DH_SHARED_MAX];
	struct span s = { 0 };
	const uint8_t *cpi;
	struct rd r;

	if (client_open(c, in) < 0 || c->hdr.xchg != XCHG_QUICK)
		return -EBADMSG;
	/* One proposal, one transform: DOI, situation, proposal header, then the SPI. */
	r = rd_from(c->msg.sa);
	(void)rd_take(&r, 16);
	c->spi_out = rd_be32(&r);
	cpi = client_cpi_at(c->msg.sa);
	c->cpi_out = cpi ? (uint16_t)(cpi[0] << 8 | cpi[1]) : 0;
	if (r.bad)
		return -EBADMSG;
	if (g) {
		if (client_agree(c, g, c->q_x, c->msg.ke, shared) < 0)
			return -EINVAL;
		s = (struct span){ shared, g->shared_len };
	}
	c->key_len = sizeof(c->key_in);
	keymat_child(&c->keys, PROTO_ESP, c->spi_in, s, SPAN_OF(c->q_nonce), c->msg.nonce,
		     c->key_in, c->key_len);
	keymat_child(&c->keys, PROTO_ESP, c->spi_out, s, SPAN_OF(c->q_nonce), c->msg.nonce,
		     c->key_out, c->key_len);
	return 0;
}

struct span client_quick3(struct client *c)
{
	struct ike_build b = client_start(c, XCHG_QUICK);
	struct secret h;

	keymat_hash3(&c->keys, c->msgid, SPAN_OF(c->q_nonce), c->msg.nonce, &h);
	return build_sealed(&b, &c->keys, &h, c->iv);
}

/* ---- Informational ---- */

struct span client_delete(struct client *c, uint8_t proto, struct span spi)
{
	struct ike_build b;

	client_new_exchange(c);
	b = client_start(c, XCHG_INFO);
	build_open(&b, PL_DELETE);
	wr_be32(&b.w, 1);
	wr_u8(&b.w, proto);
	wr_u8(&b.w, (uint8_t)spi.n);
	wr_be16(&b.w, 1);
	wr_span(&b.w, spi);
	return client_seal(c, &b);
}

struct span client_delete_isakmp(struct client *c)
{
	uint8_t both[16];

	memcpy(both, c->cky_i, 8);
	memcpy(both + 8, c->cky_r, 8);
	return client_delete(c, PROTO_ISAKMP, SPAN_OF(both));
}

struct span client_notify(struct client *c, uint16_t type, struct span spi, struct span data)
{
	struct ike_build b;

	client_new_exchange(c);
	b = client_start(c, XCHG_INFO);
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, 1);
	wr_u8(&b.w, PROTO_ISAKMP);
	wr_u8(&b.w, (uint8_t)spi.n);
	wr_be16(&b.w, type);
	wr_span(&b.w, spi);
	wr_span(&b.w, data);
	return client_seal(c, &b);
}

struct span client_delete_child(struct client *c)
{
	uint8_t spi[4];
	struct wr w = wr_into(spi, sizeof(spi));

	wr_be32(&w, c->spi_in);
	return client_delete(c, PROTO_ESP, wr_done(&w));
}

static struct span dpd(struct client *c, uint16_t type, uint32_t seq)
{
	uint8_t both[16], data[4];
	struct wr w = wr_into(data, sizeof(data));

	memcpy(both, c->cky_i, 8);
	memcpy(both + 8, c->cky_r, 8);
	wr_be32(&w, seq);
	return client_notify(c, type, SPAN_OF(both), wr_done(&w));
}

struct span client_dpd(struct client *c, uint32_t seq)
{
	return dpd(c, N_R_U_THERE, seq);
}

struct span client_dpd_ack(struct client *c, uint32_t seq)
{
	return dpd(c, N_R_U_THERE_ACK, seq);
}

bool client_is_asked(const struct client *c, uint32_t *ret_seq)
{
	struct ike_notify n;
	struct rd r;

	if (c->msg.n_notify != 1 || ike_notify_read(c->msg.notify[0], &n) < 0 ||
	    n.type != N_R_U_THERE || n.proto != PROTO_ISAKMP || n.spi.n != 16 ||
	    memcmp(n.spi.p, c->cky_i, 8) != 0 || memcmp(n.spi.p + 8, c->cky_r, 8) != 0)
		return false;
	r = rd_from(n.data);
	*ret_seq = rd_be32(&r);
	return !r.bad && r.left == 0;
}

/* ---- whole logins ---- */

bool client_xauth(struct client *c, struct gate *g)
{
	if (!client_phase1(c, g))
		return false;
	client_to(c, g, client_credentials(c, span_str(g->user), span_str(g->password)));
	/* Somebody else may be told that the session is over. */
	if (client_open(c, gate_only_to(g, &c->self)) < 0 || c->cfg.type != CFG_SET)
		return false;
	client_to(c, g, client_ack(c));
	return true;
}

bool client_login(struct client *c, struct gate *g)
{
	if (!client_xauth(c, g))
		return false;
	client_to(c, g, client_config_usual(c));
	return client_open(c, client_answer(g)) == 0 && c->cfg.type == CFG_REPLY &&
	       client_take_address(c);
}

bool client_quick(struct client *c, struct gate *g)
{
	client_to(c, g, client_quick1(c, (struct span){ 0 }, (struct span){ 0 }));
	if (client_quick2(c, client_answer(g)) < 0)
		return false;
	client_to(c, g, client_quick3(c));
	return true;
}

bool client_up(struct client *c, struct gate *g)
{
	return client_login(c, g) && client_quick(c, g);
}

const struct ike_sa *client_sa(const struct client *c, const struct gate *g)
{
	return gate_sa(g, c->cky_i, c->cky_r);
}

bool client_keys_match(const struct client *c, const struct gate *g)
{
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct ike_child_fx *k = &g->pair[i].fx;

		if (k->spi_in == c->spi_out && k->spi_out == c->spi_in)
			return memcmp(k->enc_in, c->key_out, k->enc_len) == 0 &&
			       memcmp(k->auth_in, c->key_out + k->enc_len, k->auth_len) == 0 &&
			       memcmp(k->enc_out, c->key_in, k->enc_len) == 0 &&
			       memcmp(k->auth_out, c->key_in + k->enc_len, k->auth_len) == 0;
	}
	return false;
}
