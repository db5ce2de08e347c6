/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_hostile_first.c - hostile first messages: N001 - N118 without what other files have. */
#include "hostile_kit.h"
#include "ike/dh.h"
#include "offer.h"

static void begin(void)
{
	kit_fresh();
	first();
}

static void refused(const char *name)
{
	ok(dropped(craft_span(&k)) && ike_half_open(g.ike) == 0, "%s: dropped", name);
}

static void finish(const char *name)
{
	ok(others_fine(), "%s: others log in as ever", name);
	gate_stop(&g);
}

/* ---- A: datagram and header ---- */

static void test_lengths(void)
{
	static const uint32_t wrong[] = { 0, 27, 28, 0x10000, 0x80000000, 0xffffffff };
	struct endpoint at4500 = ep("198.51.100.1:4500");
	uint8_t junk[28];
	bool all = true;

	begin();
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 37 + 1);
	for (size_t n = 0; n < 28; n++) {
		all &= dropped((struct span){ junk, n });
		look();
		gate_input(&g, &c.self, &at4500, true, (struct span){ junk, n });
		all &= unmoved();
	}
	ok(all, "N001, N002, N107: fewer bytes than a header, on both ports: dropped");
	ok(dropped(hex("1111111111111111 0000000000000000 01100400 00000000 0000001c")),
	   "N003: a header alone: dropped");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		for (unsigned b = 0; b < 4; b++)
			k.b[24 + b] = (uint8_t)(wrong[i] >> (24 - 8 * b));
		all &= dropped(craft_span(&k));
	}
	ok(all, "N006-N008: a wrong length: dropped");
	craft_length(&k);
	k.b[27]++;
	ok(dropped(craft_span(&k)), "N004: one byte more than there is: dropped");
	k.b[27] -= 2;
	ok(dropped(craft_span(&k)), "N005: one byte less: dropped");
	craft_length(&k);
	for (size_t n = 1; n < k.n; n++)
		all &= dropped((struct span){ k.b, n });
	ok(all, "cut at any byte: dropped");
	for (size_t n = 1; n <= sizeof(junk); n++) {
		static const uint8_t zero[sizeof(junk)];

		first();
		craft_trail(&k, (struct span){ junk, n });
		all &= dropped(craft_span(&k));
		first();
		craft_trail(&k, (struct span){ zero, n });
		all &= (n < 4 && k.n % 4 == 0) || dropped(craft_span(&k));
	}
	ok(all, "N009, N038: bytes behind the last payload, zero or not: dropped");
	for (size_t n = 1; n < 4; n++) {
		kit_fresh();
		c.group_name =
			&"aaaaaaaaaaaa"[n + 4]; /* which leaves the message so many bytes short */
		craft_from(&k, client_first(&c));
		craft_trail(&k, (struct span){ (const uint8_t *)"\0\0\0", n });
		if (k.n % 4)
			abort();
		client_to(&c, &g, craft_span(&k));
		ok(client_second(&c, client_answer(&g)) == 0,
		   "N009: zero bytes that fill a message up to a multiple of four, as libreswan's: "
		   "answered");
		kit_end("filled up");
		kit_fresh();
		craft_from(&k, client_first(&c));
		craft_trail(&k, (struct span){ (const uint8_t *)"\0\0\1" + 3 - n, n });
		ok(dropped(craft_span(&k)), "others there: dropped");
		gate_stop(&g);
	}
	kit_fresh();
	first();
	memset(k.b + k.n, 0x41, 65507 - k.n);
	k.n = 65507;
	craft_length(&k);
	ok(dropped(craft_span(&k)), "N010: the longest datagram there is: dropped");
	finish("lengths");
}

static void test_header(void)
{
	static const uint8_t versions[] = { 0x00, 0x0f, 0x11, 0x20, 0x30, 0xff };
	bool all = true;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		k.b[17] = versions[i];
		all &= dropped(craft_span(&k));
	}
	ok(all, "N011-N014: another version: dropped");
	for (unsigned x = 0; x < 256; x++) {
		begin();
		k.b[18] = (uint8_t)x;
		if (x != XCHG_AGGRESSIVE)
			all &= dropped(craft_span(&k));
	}
	ok(all, "N023, N024: any other exchange: dropped");
	begin();
	k.b[19] = ISAKMP_FLAG_ENCRYPTED;
	refused("N018: encrypted");
	begin();
	memset(k.b, 0, 8);
	refused("N019: no initiator cookie");
	begin();
	memset(k.b + 8, 7, 8);
	refused("N020: a responder cookie that nobody gave");
	begin();
	memcpy(k.b + 8, k.b, 8);
	refused("N021: both cookies alike");
	begin();
	k.b[23] = 1;
	refused("N022: a message ID");
	begin();
	c.self.port = 0;
	refused("N025: from port 0");
	c.self.port = 500;
	for (unsigned bit = 1; bit < 8; bit++) {
		begin();
		k.b[19] = (uint8_t)(1u << bit);
		client_to(&c, &g, craft_span(&k));
		ok(client_second(&c, gate_only(&g)) == 0, "N015-N017: flag 0x%02x changes nothing",
		   1u << bit);
	}
	finish("header");
}

/* The same cookie and source, another body: N029. And one that comes again and again: N028. */
static void test_again(void)
{
	struct span again;
	unsigned answers = 0;

	begin();
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, craft_span(&k));
	again = craft_span(&k);
	for (unsigned i = 0; i < 100; i++) {
		client_to(&c, &g, again);
		answers += g.n_out;
	}
	ok(answers == 0 && g.n_jobs == 1, "N028: a hundred copies meanwhile start one computation");
	g.hold = 0;
	gate_do_all(&g);
	is_int(g.n_out, 1, "N028: which is answered once");
	uint8_t reply[2048];
	struct span r = gate_only(&g);

	memcpy(reply, r.p, r.n);
	g.hold = GATE_HOLD(DH) | GATE_HOLD(SIGN);
	client_to(&c, &g, again);
	is_bytes(gate_only(&g), (struct span){ reply, r.n },
		 "N028, N237: a copy afterwards gets the same bytes");
	is_int(g.n_jobs, 0, "N028: without any new computation");
	g.hold = 0;
	*craft_body(&k, PL_NONCE, 0) ^= 1;
	ok(dropped(craft_span(&k)), "N029: another body under the same cookie is dropped");
	c.self.port = 501;
	client_to(&c, &g, craft_span(&k));
	ok(ike_half_open(g.ike) == 2, "N030: from another source it is another exchange");
	finish("again");
}

static void test_many_sources(void)
{
	unsigned answered = 0, before_out;

	begin();
	g.conf.half_open_total = 1000;
	for (unsigned i = 0; i < 1000; i++) {
		c.self.addr = ipaddr_v4(0x0a000000u + i * 257);
		before_out = ike_half_open(g.ike);
		client_to(&c, &g, craft_span(&k));
		answered += ike_half_open(g.ike) == before_out + 1;
	}
	is_int(answered, 1000, "N030: one message from 1000 sources makes 1000 exchanges");
	gate_pass(&g, S(40));
	is_int(ike_half_open(g.ike), 0, "DOS-02: and none is left after its time");
	finish("N030");
}

/* ---- B: payload chain ---- */

static void chain(const char *name, uint8_t next, const char *bytes)
{
	begin();
	k.n = ISAKMP_HDR;
	k.b[16] = next;
	craft_trail(&k, hex(bytes));
	refused(name);
}

static void test_chain(void)
{
	chain("N031: a payload that is not there", PL_SA, "0400000c 0000000100000001");
	chain("N032: length 0, next itself", PL_VID, "0d000000");
	chain("N034: length 1", PL_SA, "01000001 00000000");
	chain("N034: length 3", PL_SA, "01000003 00000000");
	chain("N035: one byte too long", PL_SA, "0000000d 00000001 00000001");
	chain("N035: 65535", PL_SA, "0000ffff 00000001 00000001");
	chain("N085: only vendor IDs", PL_VID,
	      "0d000014 00112233445566778899aabbccddeeff 00000004");
	begin();
	k.n = ISAKMP_HDR;
	k.b[16] = PL_VID;
	for (unsigned i = 0; i < 1000; i++)
		craft_trail(&k, hex("0d000004"));
	refused("N033: a thousand payloads");
	begin();
	k.b[craft_at(&k, PL_VID, 3)] = PL_VID;
	refused("N037: the last one names another");
	for (unsigned v = 1; v < 256; v += 50) {
		begin();
		k.b[craft_at(&k, PL_KE, 0) + 1] = (uint8_t)v;
		client_to(&c, &g, craft_span(&k));
		ok(client_second(&c, gate_only(&g)) == 0, "N036: RESERVED = %u changes nothing", v);
	}
	finish("chain");
}

static void test_extras(void)
{
	static const struct {
		const char *name;
		uint8_t type;
		unsigned times, n;
	} extra[] = {
		{ "N039: a payload of IKEv2", 33, 1, 40 },
		{ "N040: private payloads", 200, 4, 20 },
		{ "N040, N124: a fragment behind the others", PL_FRAGMENT, 1, 40 },
		{ "N096, N097: certificates, large ones", PL_CERT, 3, 20000 },
		{ "N098: certificate requests", PL_CERTREQ, 8, 100 },
		{ "N098: a signature", PL_SIG, 1, 256 },
		{ "N099: an empty vendor ID", PL_VID, 1, 0 },
		{ "N099: a vendor ID of 60 kB", PL_VID, 1, 60000 },
		{ "N100: a hash", PL_HASH, 1, 20 },
		{ "N100: a notify", PL_NOTIFY, 1, 8 },
		{ "N100: a delete", PL_DELETE, 1, 8 },
		{ "N101: NAT-D in a first message", PL_NATD, 2, 20 },
		{ "N101: NAT-D of the drafts", PL_NATD_DRAFT, 2, 20 },
	};
	static uint8_t body[60000];

	memset(body, 0x1b, sizeof(body));
	for (size_t i = 0; i < ARRAY_SIZE(extra); i++) {
		begin();
		for (unsigned t = 0; t < extra[i].times; t++)
			craft_add(&k, extra[i].type, (struct span){ body, extra[i].n });
		client_to(&c, &g, craft_span(&k));
		ok(client_second(&c, gate_only(&g)) == 0 && g.n_events == 0,
		   "%s: passed over, no effect", extra[i].name);
		client_to(&c, &g, client_third(&c));
		ok(kit_state() == IKE_ST_XAUTH && kit_sound(), "%s: and the login goes on",
		   extra[i].name);
	}
	begin();
	for (unsigned i = 0; i < 32 - 8; i++)
		craft_add(&k, PL_VID, hex("00112233"));
	client_to(&c, &g, craft_span(&k));
	ok(g.n_out == 1, "N041: 32 payloads are taken");
	begin();
	for (unsigned i = 0; i < 33 - 8; i++)
		craft_add(&k, PL_VID, hex("00112233"));
	refused("N042: 33 payloads");
	begin();
	for (unsigned i = 0; i < 9; i++)
		craft_add(&k, PL_NATD, hex("00112233"));
	refused("N103: nine NAT-Ds");
	begin();
	craft_add(&k, PL_ATTR, hex("01000000"));
	refused("a configuration payload");
	finish("extras");
}

/* ---- D: KE, nonce, ID ---- */

static void with_body(const char *name, uint8_t type, struct span body, bool taken)
{
	begin();
	craft_replace(&k, type, 0, body);
	if (!taken) {
		refused(name);
		return;
	}
	client_to(&c, &g, craft_span(&k));
	ok(g.n_out == 1 && ike_half_open(g.ike) == 1 && kit_sound(), "%s: taken", name);
}

static void test_missing(void)
{
	static const uint8_t needed[] = { PL_SA, PL_KE, PL_NONCE, PL_ID };
	static const char *const names[] = { "N081: SA", "N082: KE", "N083: nonce", "N084: ID" };
	char text[40];

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		struct span body;

		begin();
		craft_remove(&k, needed[i], 0);
		snprintf(text, sizeof(text), "%s is missing", names[i]);
		refused(text);
		begin();
		body = (struct span){ craft_body(&k, needed[i], 0),
				      craft_body_len(&k, needed[i], 0) };
		uint8_t copy[512];

		memcpy(copy, body.p, body.n);
		craft_add(&k, needed[i], (struct span){ copy, body.n });
		snprintf(text, sizeof(text), "N086, N087: %s twice", names[i] + 6);
		refused(text);
	}
	finish("missing");
}

static void test_bodies(void)
{
	static uint8_t big[60000];
	static const char *const ids[] = { "01000000 c0a801",  "01000000 c0a8010203", "00000000",
					   "ff000000 aabb",    "09000000 3082ffff",   "05111f90 00",
					   "0b000000 1b5b324a" };

	begin();
	craft_replace(&k, PL_KE, 0, (struct span){ big, 1 });
	client_to(&c, &g, craft_span(&k));
	ok(g.n_out == 1 && gate_only(&g).n == 40 && ike_half_open(g.ike) == 0,
	   "N077, N079: KE of 1 byte fits no transform: NO-PROPOSAL-CHOSEN, nothing kept");
	with_body("N077: an empty KE", PL_KE, nil, false);
	with_body("N077: KE of 60 kB", PL_KE, SPAN_OF(big), false);
	with_body("N088: a nonce of 7 bytes", PL_NONCE, (struct span){ big, 7 }, false);
	with_body("N088: an empty nonce", PL_NONCE, nil, false);
	with_body("N089: a nonce of 8 bytes", PL_NONCE, (struct span){ big, 8 }, true);
	with_body("N089: a nonce of 256 bytes", PL_NONCE, (struct span){ big, 256 }, true);
	with_body("N089: a nonce of 257 bytes", PL_NONCE, (struct span){ big, 257 }, false);
	with_body("N089: a nonce of 4096 bytes", PL_NONCE, (struct span){ big, 4096 }, false);
	for (unsigned n = 0; n < 4; n++)
		with_body("N090: an ID of fewer than 4 bytes", PL_ID, (struct span){ big, n },
			  false);
	with_body("N094: an ID of 256 bytes", PL_ID, (struct span){ big, 260 }, true);
	with_body("N094: an ID of 257 bytes", PL_ID, (struct span){ big, 261 }, false);
	with_body("N094: an ID of 40 kB", PL_ID, (struct span){ big, 40000 }, false);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		with_body("N091-N093: an odd ID is not looked into", PL_ID, hex(ids[i]), true);
	finish("bodies");
}

/* SEC-14, N095: the answer does not tell whether the group name is known. */
static void test_one_answer(void)
{
	static const char *const names[] = { "", "staff", "nobody", "root" };
	size_t len = 0;
	bool same = true;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		kit_fresh();
		c.group_name = names[i];
		client_to(&c, &g, client_first(&c));
		same &= g.n_out == 1 && (!i || gate_only(&g).n == len);
		len = gate_only(&g).n;
		gate_stop(&g);
	}
	ok(same, "N095: any identity gets the same answer");
}

/* Public values, with real Diffie-Hellman. */
static void test_public_values(void)
{
	static const uint16_t groups[] = { 14, 2, 1, 20, 31 };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct dh_group *grp = dh_group(groups[i]);
		struct span p = modp_prime(groups[i]);
		uint8_t v[DH_PUBLIC_MAX] = { 0 };

		for (unsigned bad = 0; bad < 6; bad++) {
			memset(v, bad == 4 ? 0xff : 0, sizeof(v));
			if (bad == 1)
				v[grp->kind == DH_X25519 ? 0 : grp->public_len - 1] = 1;
			if (bad == 2 || bad == 3)
				memcpy(v, p.n ? p.p : v, p.n);
			if (bad == 2 && p.n)
				v[p.n - 1]--; /* p is odd */
			if (!p.n && (bad == 2 || bad == 3))
				continue; /* only where there is a prime */
			if (grp->kind == DH_X25519 && bad == 4)
				continue; /* any string of its length is a point */
			kit_prepare();
			gate_start(&g);
			for (unsigned a = 0; a < g.conf.n_p1; a++)
				if (g.conf.p1[a].group == groups[i])
					c.alg = g.conf.p1[a];
			first();
			craft_replace(&k, PL_KE, 0,
				      (struct span){ v, grp->public_len + (bad == 5) });
			if (bad == 5) {
				client_to(&c, &g, craft_span(&k));
				ok(ike_half_open(g.ike) == 0 && gate_only(&g).n == 40,
				   "N076: group %u, a leading zero too much", groups[i]);
			} else {
				ok(dropped(craft_span(&k)),
				   "N071-N075, N080: group %u, value %u: dropped", groups[i], bad);
			}
		}
	}
	finish("public values");
}

int main(void)
{
	test_lengths();
	test_header();
	test_again();
	test_many_sources();
	test_chain();
	test_extras();
	test_missing();
	test_bodies();
	test_one_answer();
	test_public_values();
	return done();
}
