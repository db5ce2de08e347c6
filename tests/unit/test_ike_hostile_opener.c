/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_hostile_opener.c - messages behind the encryption that break its rules (N155 - N161),
 * and XAuth and mode config out of turn (N162 - N180). Anybody can come this far.
 */
#include "hostile_kit.h"

static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };

/* Each kind of message a client may send, in clear in `k`, its HASH payload in front. */
enum kind {
	REPLY,
	CONFIG,
	QUICK,
	DPD,
	DELETE,
	KINDS
};
static const char *const kind_names[] = { "XAuth reply", "config request", "Quick Mode",
					  "R-U-THERE", "delete" };

static void open_attr(struct ike_build *b, uint8_t type, uint16_t id)
{
	build_open(b, PL_ATTR);
	wr_u8(&b->w, type);
	wr_u8(&b->w, 0);
	wr_be16(&b->w, id);
}

static void make(enum kind kind)
{
	struct ike_build b;
	uint8_t cookies[16];

	memcpy(cookies, c.cky_i, 8);
	memcpy(cookies + 8, c.cky_r, 8);
	if (kind != REPLY)
		client_new_exchange(&c);
	switch (kind) {
	case REPLY:
		b = client_start(&c, XCHG_TRANSACTION);
		open_attr(&b, CFG_REPLY, c.cfg_id);
		build_tlv(&b, XAUTH_USER_NAME, span_str("alice"));
		build_tlv(&b, XAUTH_USER_PASSWORD, span_str("wonderland"));
		break;
	case CONFIG:
		b = client_start(&c, XCHG_TRANSACTION);
		open_attr(&b, CFG_REQUEST, 20);
		build_tlv(&b, INTERNAL_IP4_ADDRESS, nil);
		break;
	case QUICK:
		b = client_quick1_open(&c, nil, nil);
		break;
	default:
		b = client_start(&c, XCHG_INFO);
		build_open(&b, kind == DPD ? PL_NOTIFY : PL_DELETE);
		wr_be32(&b.w, 1);
		wr_u8(&b.w, PROTO_ISAKMP);
		wr_u8(&b.w, 16);
		wr_be16(&b.w, kind == DPD ? N_R_U_THERE : 1);
		wr_span(&b.w, SPAN_OF(cookies));
		if (kind == DPD)
			wr_be32(&b.w, 7);
		break;
	}
	craft_from(&k, client_clear(&b));
	craft_seal(&k, &c); /* for its hash only */
	client_new_exchange(&c);
}

/* A session that would take this kind of message. */
static void begin(enum kind kind)
{
	kit_with(kind == REPLY ? client_phase1 : kind == CONFIG ? client_xauth : client_login);
	uint32_t msgid = c.msgid;
	uint8_t iv[IKE_BLOCK_MAX];

	memcpy(iv, c.iv, sizeof(iv));
	make(kind);
	if (kind == REPLY) { /* goes on with the gateway's exchange */
		c.msgid = msgid;
		memcpy(c.iv, iv, sizeof(iv));
	}
}

/* The message in `k` with the hash that is right for it, or not. */
static struct span sealed(bool with_hash)
{
	uint8_t iv[IKE_BLOCK_MAX];
	struct span s;

	memcpy(iv, c.iv, sizeof(iv));
	s = with_hash ? craft_seal(&k, &c) : craft_seal_raw(&k, &c);
	memcpy(c.iv, iv, sizeof(iv)); /* what was dropped moves nothing */
	return s;
}

/* It is taken when nothing is wrong with it: else the other cases prove nothing. */
static void test_sound(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		begin(i);
		look();
		client_to(&c, &g, sealed(true));
		ok(!as_before() && drops() == before.dropped, "a proper %s is taken",
		   kind_names[i]);
	}
}

static void test_hash_rules(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const char *name = kind_names[i];
		static uint8_t h[80];
		bool all = true;
		size_t n;

		begin(i);
		n = craft_body_len(&k, PL_HASH, 0);
		memcpy(h, craft_body(&k, PL_HASH, 0), n);
		sealed(true);
		craft_remove(&k, PL_HASH, 0);
		ok(dropped(sealed(false)), "N156, W4: %s without a hash: dropped", name);
		begin(i);
		sealed(true);
		memcpy(h, craft_body(&k, PL_HASH, 0), n);
		craft_remove(&k, PL_HASH, 0);
		craft_add(&k, PL_HASH, (struct span){ h, n });
		ok(dropped(sealed(false)), "N157: %s with its hash behind: dropped", name);
		begin(i);
		sealed(true);
		craft_add(&k, PL_HASH, (struct span){ h, n });
		ok(dropped(sealed(false)), "N158: %s with two hashes: dropped", name);
		for (size_t len = 0; len < 70; len++) {
			if (len == n)
				continue;
			begin(i);
			sealed(true);
			memcpy(h, craft_body(&k, PL_HASH, 0), n);
			craft_replace(&k, PL_HASH, 0, (struct span){ h, len });
			all &= dropped(sealed(false));
		}
		ok(all, "N159: %s with a hash of any other length: dropped", name);
		begin(i);
		for (size_t bit = 0; bit < 8 * n; bit += 7) {
			sealed(true);
			craft_body(&k, PL_HASH, 0)[bit / 8] ^= (uint8_t)(1u << bit % 8);
			all &= dropped(sealed(false));
		}
		ok(all, "N160: %s with a wrong hash: dropped", name);
		client_to(&c, &g, sealed(true));
		ok(drops() == before.dropped + 1, "N155: its message ID is not used up by that");
	}
}

static void test_outside_the_hash(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		uint8_t del[24] = { 0, 0, 0, 1, 1, 16, 0, 1 };

		begin(i);
		sealed(true);
		memcpy(del + 8, c.cky_i, 8);
		memcpy(del + 16, c.cky_r, 8);
		craft_add(&k, PL_DELETE, SPAN_OF(del));
		ok(dropped(sealed(false)),
		   "N161: %s with a delete that its hash does not cover: "
		   "dropped as a whole",
		   kind_names[i]);
		begin(i);
		sealed(true);
		craft_add(&k, PL_VID, hex("0011"));
		ok(dropped(sealed(false)), "N161: even a vendor ID");
		begin(i);
		sealed(true);
		craft_prepend(&k, PL_VID, hex("0011"));
		ok(dropped(sealed(false)), "N157: and a payload before the hash: dropped");
		begin(i);
		sealed(true);
		craft_prepend(&k, PL_DELETE, SPAN_OF(del));
		ok(dropped(sealed(false)), "N157: a delete before the hash, all the more");
	}
}

static void test_broken_inside(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const char *name = kind_names[i];
		size_t at;

		begin(i);
		at = craft_at(&k, k.b[ISAKMP_HDR], 0); /* the payload behind the hash */
		k.b[at + 2] = k.b[at + 3] = 0;
		ok(dropped(sealed(false)), "N178, W3: %s with a payload of length 0: dropped",
		   name);
		k.b[at] = k.b[ISAKMP_HDR];
		ok(dropped(sealed(false)), "N032: one that names itself the next: dropped");
		k.b[at + 2] = 0xff;
		ok(dropped(sealed(false)), "N035: one that is too long: dropped");
	}
}

/* Random bytes, and the padding rule: what follows the last payload is padding, not megabytes. */
static void test_random(void)
{
	uint8_t junk[2048];
	bool all = true;
	unsigned used;

	kit_with(client_up);
	used = client_sa(&c, &g)->n_used;
	for (unsigned i = 0; i < 300; i++) {
		static const uint8_t types[] = { XCHG_INFO, XCHG_TRANSACTION, XCHG_QUICK };

		for (size_t n = 0; n < sizeof(junk); n++)
			junk[n] = (uint8_t)((n + 1) * (i + 3) * 2654435761u >> 17);
		client_new_exchange(&c);
		all &= dropped(client_sealed(&c, types[i % 3], PL_HASH,
					     (struct span){ junk, 16 + i % 100 * 16 }));
	}
	ok(all, "N155: 300 messages of random bytes: dropped, nothing used up");
	is_int(client_sa(&c, &g)->n_used, used, "no message ID of them is remembered");
	begin(DPD);
	sealed(true);
	while (k.n % 16 != ISAKMP_HDR % 16 || k.n < 300)
		craft_trail(&k, hex("aa"));
	client_to(&c, &g, sealed(false));
	ok(g.n_out == 1, "some blocks of padding are taken");
	begin(DPD);
	sealed(true);
	for (unsigned i = 0; i < 60000; i += 8)
		craft_trail(&k, hex("0000000000000000"));
	ok(dropped(sealed(false)), "N038: 60 kB behind the last payload are no padding: dropped");
	gate_stop(&g);
}

/* A hash of another message, another SA, another type. */
static void test_swapped(void)
{
	static struct client d;
	uint8_t other[512];
	struct span s;

	kit_with(client_up);
	kit_another(&d, "192.0.2.200:500");
	client_up(&d, &g);
	s = client_dpd(&d, 5);
	memcpy(other, s.p, s.n);
	memcpy(other, c.cky_i, 8);
	memcpy(other + 8, c.cky_r, 8);
	ok(dropped((struct span){ other, s.n }), "N160: another session's message: dropped");
	s = client_dpd(&c, 5);
	memcpy(other, s.p, s.n);
	other[23] ^= 1;
	ok(dropped((struct span){ other, s.n }), "N160: under another message ID: dropped");
	other[23] ^= 1;
	other[18] = XCHG_TRANSACTION;
	ok(dropped((struct span){ other, s.n }), "N160: under another exchange type: dropped");
	other[18] = XCHG_INFO;
	other[16] = PL_NOTIFY;
	ok(dropped((struct span){ other, s.n }), "N157: under another first payload: dropped");
	other[16] = PL_HASH;
	client_to(&c, &g, (struct span){ other, s.n });
	is_int(g.n_out, 1, "unchanged it is answered");
	gate_stop(&g);
}

/* ---- XAuth and mode config out of turn ---- */

static void test_before_xauth(void)
{
	static const uint16_t unity[] = { UNITY_BANNER, UNITY_SPLIT_INCLUDE, UNITY_DEF_DOMAIN,
					  APPLICATION_VERSION, INTERNAL_IP4_NETMASK };

	kit_with(client_phase1);
	ok(dropped(client_config(&c, addr, 1)), "N172, W5: an address before XAuth: dropped");
	ok(dropped(client_config(&c, unity, ARRAY_SIZE(unity))),
	   "N173, W5: banner and networks before XAuth: dropped");
	ok(dropped(client_quick1(&c, nil, nil)),
	   "N197: Quick Mode before XAuth: dropped, no notify");
	ok(dropped(client_transaction(&c, CFG_SET, hex("c08f0001"))),
	   "N174: SET(STATUS = OK) of the client's own: dropped");
	ok(dropped(client_transaction(&c, CFG_ACK, hex("c08f0001"))),
	   "N174: an acknowledgement of nothing: dropped");
	ok(dropped(client_transaction(&c, CFG_REQUEST, hex("40890000408a0000"))),
	   "N174: the client asks the gateway for its name: dropped");
	ok(dropped(client_transaction(&c, CFG_REPLY, hex("40890001 61 408a0001 62"))),
	   "N174: a reply under a message ID of the client's own: dropped");
	ok(others_fine(), "others log in as ever");
	g.hold = GATE_HOLD(AUTH);
	kit_with(client_phase1);
	g.hold = GATE_HOLD(AUTH);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(kit_state() == IKE_ST_CHECKING && dropped(client_config(&c, addr, 1)) &&
		   dropped(client_quick1(&c, nil, nil)),
	   "N172, N197: nor while the password is checked");
	kit_end("before XAuth");
}

static void test_after_failure(void)
{
	uint8_t again[512], ack[512];
	struct span s;
	size_t n, n_ack;

	kit_with(client_phase1);
	s = client_credentials(&c, span_str("alice"), span_str("wrong"));
	memcpy(again, s.p, n = s.n);
	client_to(&c, &g, s);
	client_open(&c, gate_only(&g));
	is_int(kit_state(), IKE_ST_REFUSING, "a login has failed");
	s = client_ack(&c);
	memcpy(ack, s.p, n_ack = s.n);
	look();
	client_to(&c, &g, (struct span){ again, n });
	ok(unmoved(), "N175: the reply again: nothing");
	ok(dropped(client_config(&c, addr, 1)) && dropped(client_quick1(&c, nil, nil)),
	   "W2, N171: nothing can be asked for after a failure");
	ok(dropped(client_transaction(&c, CFG_REPLY, hex("40890001 61 408a0001 62"))),
	   "W2: no second try under another message ID");
	client_to(&c, &g, (struct span){ ack, n_ack });
	is_int(kit_state(), IKE_ST_CLOSING, "its acknowledgement ends it");
	look();
	client_to(&c, &g, (struct span){ again, n });
	client_to(&c, &g, (struct span){ ack, n_ack });
	ok(unmoved(), "N175, W2: reply and acknowledgement again: nothing");
	gate_pass(&g, S(60));
	ok(kit_state() == -1 && dropped((struct span){ again, n }), "N175: nor when it is gone");
	kit_end("after failure");
}

static void test_after_success(void)
{
	uint8_t again[512];
	struct span s;
	size_t n;

	kit_with(client_phase1);
	s = client_credentials(&c, span_str("alice"), span_str("wonderland"));
	memcpy(again, s.p, n = s.n);
	client_to(&c, &g, s);
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_ack(&c));
	look();
	client_to(&c, &g, (struct span){ again, n });
	ok(unmoved(), "N175: the reply again after success: nothing");
	ok(dropped(client_transaction(&c, CFG_REPLY, hex("40890003 626f62 408a0001 78"))),
	   "N175: another name after success: dropped");
	client_to(&c, &g, client_config(&c, addr, 1));
	client_open(&c, gate_only(&g));
	client_take_address(&c);
	ok(dropped(client_transaction(&c, CFG_REPLY, hex("00010004 0a0a0035"))),
	   "W6, N180: a client's own REPLY changes no address");
	ok(dropped(client_transaction(&c, CFG_SET, hex("00010004 0a0a0035"))),
	   "N180: nor does its SET");
	ok(ipaddr_eq(&client_sa(&c, &g)->lease, &c.address), "its lease is what it was");
	kit_end("after success");
}

/* Transaction payloads that are none. */
static void test_transactions(void)
{
	static uint8_t many[4 * 1001];
	bool all = true;

	kit_with(client_xauth);
	for (unsigned t = 0; t < 256; t++)
		if (t != CFG_REQUEST)
			all &= dropped(client_transaction(&c, t, hex("00010000")));
	ok(all, "N162: any other type: dropped");
	ok(dropped(client_transaction(&c, CFG_REQUEST, hex("0001"))),
	   "N176: half an attribute: dropped");
	ok(dropped(client_transaction(&c, CFG_REQUEST, hex("0001ffff00"))),
	   "N176: one of 65535 bytes: dropped");
	for (size_t i = 0; i < sizeof(many); i += 4)
		many[i] = 0x80;
	ok(dropped(client_transaction(&c, CFG_REQUEST, (struct span){ many, 4000 })),
	   "N176: a thousand attributes: dropped");
	make(CONFIG);
	craft_replace(&k, PL_ATTR, 0, hex("0100"));
	ok(dropped(sealed(true)), "N162: a configuration payload of 2 bytes: dropped");
	make(CONFIG);
	craft_add(&k, PL_ATTR, hex("01000014 00010000"));
	ok(dropped(sealed(true)), "N176: two configuration payloads: dropped");
	make(CONFIG);
	craft_remove(&k, PL_ATTR, 0);
	ok(dropped(sealed(true)), "no configuration payload: dropped");
	make(CONFIG);
	craft_add(&k, PL_NOTIFY, hex("00000001 01 00 6002"));
	ok(dropped(sealed(true)), "a notify beside it: dropped");
	make(CONFIG);
	craft_add(&k, PL_SA, hex("0000000100000001"));
	ok(dropped(sealed(true)), "an SA beside it: dropped");
	kit_end("transactions");
}

/* N171: failures take nothing from the pool. */
static void test_pool_untouched(void)
{
	unsigned fails = 0;

	kit_fresh();
	g.pool_len = 1;
	g.conf.half_open_source = 1000;
	for (unsigned i = 0; i < 300; i++) {
		g.n_events = 0;
		if (!client_phase1(&c, &g))
			break;
		client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
		fails += gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 1 && g.leases == 0;
		gate_pass(&g, S(16)); /* its ghost has ended */
	}
	is_int(fails, 300, "N171: 300 wrong passwords");
	ok(others_fine(), "N171: the only address is there for the next one");
	kit_end("N171");
}

int main(void)
{
	test_sound();
	test_hash_rules();
	test_outside_the_hash();
	test_broken_inside();
	test_random();
	test_swapped();
	test_before_xauth();
	test_after_failure();
	test_after_success();
	test_transactions();
	test_pool_untouched();
	return done();
}
