/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_hostile_third.c - the third message and what comes too early: N101-N110, N143-N154. */
#include "hostile_kit.h"

static uint8_t iv0[IKE_BLOCK_MAX];

/* The gateway has sent its message; the client's third one is in `k`, in clear. */
static void begin(void)
{
	kit_fresh();
	client_to(&c, &g, client_first(&c));
	if (client_second(&c, gate_only(&g)) < 0)
		abort();
	c.clear_third = true;
	memcpy(iv0, c.last_block, sizeof(iv0));
	craft_from(&k, client_third(&c));
}

/* The message in `k` encrypted as a third one. */
static struct span sealed(void)
{
	struct span out;

	c.msgid = 0;
	memcpy(c.iv, iv0, sizeof(c.iv));
	out = craft_seal_raw(&k, &c);
	memcpy(c.last_block, c.iv, sizeof(c.last_block));
	return out;
}

/* The honest third message works after all that. */
static void goes_on(const char *name)
{
	begin();
	client_to(&c, &g, craft_span(&k));
	ok(client_open(&c, gate_only(&g)) == 0 && kit_state() == IKE_ST_XAUTH && kit_sound(), "%s",
	   name);
	gate_stop(&g);
}

static void test_hash(void)
{
	bool all = true, clear;
	size_t n;

	begin();
	n = craft_body_len(&k, PL_HASH, 0);
	for (clear = false;; clear = true) {
		for (size_t bit = 0; bit < 8 * n; bit++) {
			craft_body(&k, PL_HASH, 0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
			all &= dropped(clear ? craft_span(&k) : sealed());
			craft_body(&k, PL_HASH, 0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		if (clear)
			break;
	}
	ok(all, "N143: every bit flip of HASH_I, clear and encrypted: dropped, the exchange stays");
	for (size_t len = 0; len < 80; len++) {
		static uint8_t other[80];

		if (len == n)
			continue;
		begin();
		memcpy(other, craft_body(&k, PL_HASH, 0), n);
		craft_replace(&k, PL_HASH, 0, (struct span){ other, len });
		all &= dropped(craft_span(&k)) && dropped(sealed());
	}
	ok(all, "N143: HASH_I of any other length: dropped");
	begin();
	craft_remove(&k, PL_HASH, 0);
	ok(dropped(craft_span(&k)) && dropped(sealed()), "N144: no hash: dropped");
	craft_prepend(&k, PL_SIG, (struct span){ iv0, 16 });
	ok(dropped(craft_span(&k)) && dropped(sealed()), "N144: a signature instead: dropped");
	begin();
	craft_add(&k, PL_HASH, (struct span){ craft_body(&k, PL_HASH, 0), n });
	ok(dropped(craft_span(&k)), "two hashes: dropped");
	goes_on("N143: the real one is taken as ever");
}

static void test_ciphertext(void)
{
	static uint8_t junk[70000];
	static const size_t lengths[] = { 0, 1, 8, 15, 16, 17, 31, 32, 33, 160, 64000 };
	struct wr w;
	bool all = true;

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 2654435761u >> 13);
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		w = wr_into(k.b + 16, 12);
		wr_u8(&w, PL_HASH);
		wr_be32(&w, 0x10040100u);
		k.b[19] = ISAKMP_FLAG_ENCRYPTED;
		memset(k.b + 20, 0, 4);
		k.n = ISAKMP_HDR;
		craft_trail(&k, (struct span){ junk, lengths[i] });
		all &= dropped(craft_span(&k));
	}
	ok(all, "N146: ciphertext of any length that is none: dropped");
	goes_on("N147: garbage with the right cookies, then the real one: it is taken");
	begin();
	for (unsigned i = 0; i < 100; i++) {
		uint8_t copy[2048];
		struct span s = craft_span(&k);

		memcpy(copy, s.p, s.n);
		copy[ISAKMP_HDR + 4 + i % 20] ^= 0x40;
		c.self.port = (uint16_t)(2000 + i);
		all &= dropped((struct span){ copy, s.n });
	}
	ok(all && client_sa(&c, &g)->peer.port == 500,
	   "N108, N147, W11: a hundred forgeries from a hundred ports move nothing");
	gate_stop(&g);
}

static void test_forms(void)
{
	begin();
	client_to(&c, &g, sealed());
	ok(client_open(&c, gate_only(&g)) == 0 && kit_state() == IKE_ST_XAUTH,
	   "N148: the encrypted form is taken");
	begin();
	k.b[19] = ISAKMP_FLAG_ENCRYPTED;
	ok(dropped(craft_span(&k)), "N148: clear bytes under the flag: dropped");
	begin();
	struct span s = sealed();

	craft_from(&k, s);
	k.b[19] = 0;
	ok(dropped(craft_span(&k)), "N148: encrypted bytes without it: dropped");
	begin();
	craft_trail(&k, hex("00"));
	ok(dropped(craft_span(&k)), "N038: a byte behind a clear one: dropped");
	begin();
	k.b[23] = 1;
	ok(dropped(craft_span(&k)), "N022: a message ID: dropped");
	for (unsigned pad = 1; pad < 256; pad += 85) {
		uint8_t filler[256];

		begin();
		memset(filler, (int)pad, sizeof(filler));
		while ((k.n - ISAKMP_HDR) % 16 != 15)
			craft_trail(&k, (struct span){ filler, 1 });
		client_to(&c, &g, sealed());
		ok(kit_state() == IKE_ST_XAUTH, "N149: padding of any kind is ignored");
	}
	gate_stop(&g);
}

/* Everything that is not the third message while it is awaited. */
static void test_too_early(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	uint8_t q1[512];
	struct span s;

	begin();
	ok(dropped(client_config(&c, addr, 1)),
	   "N145, N172, W1: mode config before the third message: dropped");
	ok(dropped(client_quick1(&c, nil, nil)), "N145: Quick Mode: dropped");
	c.msgid = 77;
	keymat_iv_phase2(&c.keys, c.last_block, 77, c.iv);
	ok(dropped(client_credentials(&c, span_str("alice"), span_str("wonderland"))),
	   "N174: a name and a password that nobody asked for: dropped");
	client_to(&c, &g, client_dpd(&c, 1));
	ok(g.n_out == 0 && kit_state() == IKE_ST_AM_SENT && kit_sound(),
	   "N145, N230: a query for life is not answered before XAuth begins");
	goes_on("N145: the real one is taken as ever");
	/* Before there are keys */
	kit_fresh();
	g.hold = GATE_HOLD(DH) | GATE_HOLD(SIGN);
	client_to(&c, &g, client_first(&c));
	memcpy(c.cky_r, g.ike->t.half_open[IKE_HALF_OPEN_UNPROVED].newest->cky_r, 8);
	c.keys = (struct ike_keys){
		.enc = ENC_AES_CBC, .hash = HASH_SHA256, .key_len = 32, .skeyid_a.n = 32
	};
	c.hash_i.n = 32;
	for (unsigned phase = 0; phase < 2; phase++) {
		ok(dropped(client_config(&c, addr, 1)), "W1: mode config without keys: dropped");
		ok(dropped(client_quick1(&c, nil, nil)), "N145: Quick Mode without keys: dropped");
		ok(dropped(client_delete_isakmp(&c)), "N208: a delete without keys: dropped");
		s = client_third(&c);
		memcpy(q1, s.p, s.n);
		ok(dropped((struct span){ q1, s.n }), "a third message before the second: dropped");
		gate_do(&g, 0);
	}
	kit_end("too early");
}

/* Clear Informational messages are never believed: N208, N209, N226. */
static void test_clear_info(void)
{
	static const struct {
		const char *name, *body;
		uint8_t type;
	} rows[] = {
		{ "N209: NO-PROPOSAL-CHOSEN", "00000001 01 00 000e", PL_NOTIFY },
		{ "N209: INVALID-COOKIE", "00000001 01 00 0004", PL_NOTIFY },
		{ "N209: AUTHENTICATION-FAILED", "00000001 01 00 0018", PL_NOTIFY },
		{ "N219: INITIAL-CONTACT", "00000001 01 00 6002", PL_NOTIFY },
		{ "N226: R-U-THERE", "00000001 01 00 8d28 00000001", PL_NOTIFY },
	};
	uint8_t del[28] = { 0, 0, 0, 1, 1, 16, 0, 1 };
	struct ike_build b;

	for (unsigned up = 0; up < 2; up++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (up)
				kit_with(client_up);
			else
				begin();
			b = build_start(c.buf, sizeof(c.buf), c.cky_i, c.cky_r, XCHG_INFO, 0x1234);
			build_payload(&b, rows[i].type, hex(rows[i].body));
			ok(dropped(build_clear(&b)), "%s in clear, %s: dropped", rows[i].name,
			   up ? "established" : "half-open");
		}
		memcpy(del + 8, c.cky_i, 8);
		memcpy(del + 16, c.cky_r, 8);
		b = build_start(c.buf, sizeof(c.buf), c.cky_i, c.cky_r, XCHG_INFO, 0x1234);
		build_payload(&b, PL_DELETE, (struct span){ del, 24 });
		ok(dropped(build_clear(&b)), "N208: a delete in clear: dropped");
	}
	memset(c.cky_r, 0x77, 8);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		b = build_start(c.buf, sizeof(c.buf), c.cky_i, c.cky_r, XCHG_INFO, 0x1234);
		build_payload(&b, rows[i].type, hex(rows[i].body));
		ok(dropped(build_clear(&b)), "N206: %s with unknown cookies: dropped",
		   rows[i].name + 6);
	}
	ok(dropped(client_delete_isakmp(&c)),
	   "N207: an encrypted one with unknown cookies: dropped");
	gate_stop(&g);
}

/* ---- NAT-D: what is said about the way, without harm ---- */

static void test_natd(void)
{
	static const size_t lengths[] = { 0, 15, 21, 31, 33, 64, 300 };
	static uint8_t body[300];

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		begin();
		craft_replace(&k, PL_NATD, 0, (struct span){ body, lengths[i] });
		craft_replace(&k, PL_NATD, 1, (struct span){ body, lengths[i] });
		client_to(&c, &g, craft_span(&k));
		ok(kit_state() == IKE_ST_XAUTH &&
			   client_sa(&c, &g)->nat == (IKE_NAT_PEER | IKE_NAT_LOCAL),
		   "N102: NAT-Ds of %zu bytes mean that there is a NAT", lengths[i]);
	}
	begin();
	craft_remove(&k, PL_NATD, 1);
	craft_remove(&k, PL_NATD, 0);
	client_to(&c, &g, craft_span(&k));
	ok(kit_state() == IKE_ST_XAUTH && client_sa(&c, &g)->nat == 0,
	   "N104: no NAT-D means no NAT");
	begin();
	for (unsigned i = 0; i < 7; i++)
		craft_add(&k, PL_NATD, (struct span){ body, 32 });
	ok(dropped(craft_span(&k)), "N103: nine NAT-Ds: dropped");
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	gate_start(&g);
	c.natt = 0;
	c.clear_third = true;
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	craft_from(&k, client_third(&c));
	craft_add(&k, PL_NATD, (struct span){ body, 32 });
	craft_add(&k, PL_NATD, (struct span){ body, 32 });
	client_to(&c, &g, craft_span(&k));
	ok(kit_state() == IKE_ST_XAUTH && client_sa(&c, &g)->nat == 0,
	   "N101: NAT-D of a client that knows no NAT traversal says nothing");
	kit_end("NAT-D");
}

static void test_passed_over(void)
{
	static const struct {
		const char *name, *body;
		uint8_t type;
	} rows[] = {
		{ "N219: INITIAL-CONTACT", "00000001 01 00 6002", PL_NOTIFY },
		{ "vpnc's hash of the group key", "00000001 01 00 9e37 0011223344", PL_NOTIFY },
		{ "an error notify", "00000001 01 00 0018", PL_NOTIFY },
		{ "an empty certificate", "04", PL_CERT },
		{ "N096: a certificate", "04308201", PL_CERT },
		{ "a certificate request", "04", PL_CERTREQ },
		{ "a vendor ID", "00112233", PL_VID },
		{ "an unknown payload", "00112233", 200 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		craft_add(&k, rows[i].type, hex(rows[i].body));
		client_to(&c, &g, i & 1 ? sealed() : craft_span(&k));
		ok(kit_state() == IKE_ST_XAUTH && g.n_events == 0 && kit_sound(),
		   "%s in the third message: no effect", rows[i].name);
	}
	begin();
	craft_add(&k, PL_DELETE, hex("00000001 01 10 0001 00112233445566778899aabbccddeeff"));
	ok(dropped(craft_span(&k)), "a delete in the third message: the whole is dropped");
	gate_stop(&g);
}

/* ---- replays ---- */

static void test_replays(void)
{
	uint8_t am1[1024], am3[1024];
	struct span s;
	size_t n1, n3;

	kit_fresh();
	s = client_first(&c);
	memcpy(am1, s.p, n1 = s.n);
	client_to(&c, &g, s);
	client_second(&c, gate_only(&g));
	s = client_third(&c);
	memcpy(am3, s.p, n3 = s.n);
	client_to(&c, &g, s);
	client_open(&c, gate_only(&g));
	ok(dropped((struct span){ am3, n3 }), "N150: the third message again: dropped");
	ok(dropped((struct span){ am1, n1 }), "N028: the first again, in XAuth: dropped");
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(kit_state() == IKE_ST_AUTHED, "the login goes on");
	ok(dropped((struct span){ am3, n3 }), "N150: the third again, logged in: dropped");
	look();
	client_to(&c, &g, (struct span){ am1, n1 });
	ok(ike_half_open(g.ike) == 1 && ike_sessions(g.ike) == 1 && kit_state() == IKE_ST_AUTHED,
	   "N151: the first again, logged in: a half-open exchange of its own, nothing more");
	look();
	gate_input(&g, &c.self, &c.gateway, false, (struct span){ am3, n3 });
	ok(unmoved(), "N238: its old third message does not fit the new cookie");
	gate_pass(&g, S(40));
	is_int(ike_half_open(g.ike), 0, "N238: which ends by itself");
	kit_end("replays");
}

int main(void)
{
	test_hash();
	test_ciphertext();
	test_forms();
	test_too_early();
	test_clear_info();
	test_natd();
	test_passed_over();
	test_replays();
	return done();
}
