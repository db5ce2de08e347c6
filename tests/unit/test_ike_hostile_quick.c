/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_hostile_quick.c - Quick Mode of a client that is logged in, but means no good. */
#include "hostile_kit.h"
#include "offer.h"

static struct offer o;

/* The first message of a Quick Mode in clear in `k`. */
static void open_quick(void)
{
	struct ike_build b = client_quick1_open(&c, nil, nil);

	craft_from(&k, client_clear(&b));
}

static void begin(void)
{
	kit_with(client_login);
	open_quick();
}

/* Dropped, and the session makes a proper Quick Mode afterwards. */
static void refused(const char *name)
{
	ok(dropped(craft_seal(&k, &c)), "%s: dropped", name);
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "%s: a proper one works", name);
}

/* Told with this notify, and the session makes a proper Quick Mode afterwards. */
static void told(const char *name, uint16_t type)
{
	struct ike_notify n = { 0 };

	client_to(&c, &g, craft_seal(&k, &c));
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
		   ike_notify_read(c.msg.notify[0], &n) == 0 && n.type == type && g.n_pairs == 0 &&
		   kit_sound(),
	   "%s: refused with notify %u", name, type);
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "%s: a proper one works", name);
}

static void test_payloads(void)
{
	static uint8_t big[4096];

	begin();
	craft_remove(&k, PL_SA, 0);
	refused("no SA");
	begin();
	craft_remove(&k, PL_NONCE, 0);
	refused("no nonce");
	begin();
	craft_replace(&k, PL_NONCE, 0, (struct span){ big, 7 });
	refused("N204b: a nonce of 7 bytes");
	begin();
	craft_replace(&k, PL_NONCE, 0, (struct span){ big, 257 });
	refused("N204b: a nonce of 257 bytes");
	begin();
	craft_add(&k, PL_NONCE, (struct span){ big, 20 });
	refused("N204b: two nonces");
	begin();
	craft_add(&k, PL_SA,
		  (struct span){ craft_body(&k, PL_SA, 0), craft_body_len(&k, PL_SA, 0) });
	refused("N204b: two SAs");
	begin();
	craft_add(&k, PL_KE, (struct span){ big, 256 });
	craft_add(&k, PL_KE, (struct span){ big, 256 });
	refused("two public values");
	begin();
	craft_add(&k, PL_DELETE, hex("00000001 03 04 0001 00000000"));
	refused("a delete beside it");
	begin();
	craft_add(&k, PL_CERT, hex("0400"));
	refused("a certificate beside it");
	begin();
	craft_add(&k, PL_ATTR, hex("01000000"));
	refused("a configuration payload beside it");
}

static void with_nonce(size_t n)
{
	static uint8_t nonce[256];

	begin();
	memset(nonce, 0x5a, sizeof(nonce));
	craft_replace(&k, PL_NONCE, 0, (struct span){ nonce, n });
	client_to(&c, &g, craft_seal(&k, &c));
	ok(g.n_out == 1 && g.n_pairs == 1 && kit_sound(), "N204b: a nonce of %zu bytes is taken",
	   n);
}

static void test_extras(void)
{
	static const struct {
		const char *name, *body;
		uint8_t type;
	} rows[] = {
		{ "N205c: NAT-OA", "01000000 0a000001", PL_NATOA },
		{ "N205c: NAT-OA of a wrong family and length", "05000000 0a", PL_NATOA_DRAFT },
		{ "N205c: CONNECTED", "00000001 03 00 4000", PL_NOTIFY },
		{ "N205c: RESPONDER-LIFETIME", "00000001 03 00 6000 80010001 00020004 00000001",
		  PL_NOTIFY },
		{ "INITIAL-CONTACT", "00000001 03 00 6002", PL_NOTIFY },
		{ "a vendor ID", "0011", PL_VID },
		{ "an unknown payload", "0011", 200 },
	};

	with_nonce(8);
	with_nonce(256);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		craft_add(&k, rows[i].type, hex(rows[i].body));
		client_to(&c, &g, craft_seal(&k, &c));
		ok(client_quick2(&c, gate_only(&g)) == 0 && g.n_pairs == 1 && g.n_events == 3 &&
			   kit_sound(),
		   "%s beside it is passed over", rows[i].name);
	}
	kit_with(client_login);
	open_quick();
	k.b[19] |= 2;
	struct span s = craft_seal(&k, &c);

	c.buf[19] |= 6;
	client_to(&c, &g, s);
	ok(client_quick2(&c, gate_only(&g)) == 0 && c.hdr.flags == 1,
	   "N015, N016, N205c: the commit and auth-only bits change nothing");
}

static void with_offer(const char *name, uint16_t type)
{
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	if (type)
		told(name, type);
	else
		refused(name);
}

static void start(const char *spi)
{
	begin();
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex(spi));
}

static void test_offers(void)
{
	static const char *const spis[] = { "",         "112233",   "1122334455667788",
					    "00000000", "00000001", "000000ff" };

	for (size_t i = 0; i < ARRAY_SIZE(spis); i++) {
		start(spis[i]);
		offer_p2(&o, 1, 12, 256, 5, 1, 0);
		with_offer("N200: an SPI that is none", 0);
	}
	start("c0ffee01");
	offer_p2(&o, 1, 12, 256, 5, 2, 0);
	with_offer("N202: transport mode", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	offer_p2(&o, 1, 12, 256, 5, 3, 0);
	with_offer("N202: UDP encapsulation without a NAT", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	offer_p2(&o, 1, 11, 0, 5, 1, 0);
	with_offer("N203: ESP NULL", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	offer_p2(&o, 1, 12, 256, 0, 1, 0);
	with_offer("N203: no integrity", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	offer_p2(&o, 1, 12, 256, 5, 1, 14);
	with_offer("N204: a group without a public value", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	offer_p2(&o, 1, 12, 256, 5, 1, 0);
	offer_proposal(&o, 1, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	with_offer("N201: only a bundle", N_NO_PROPOSAL_CHOSEN);
	begin();
	offer_start(&o);
	for (unsigned i = 0; i < LIMIT_PROPOSALS; i++) {
		offer_proposal(&o, (uint8_t)(200 - 3 * i), PROTO_ESP, hex("c0ffee01"));
		for (unsigned t = 0; t < 13; t++)
			offer_transform(&o, (uint8_t)t, 12);
	}
	with_offer("N201: as much as fits", N_NO_PROPOSAL_CHOSEN);
	start("c0ffee01");
	for (unsigned i = 0; i < 40; i++)
		offer_tv(&o, 1, 1);
	with_offer("N201: attributes without a transform", 0);
	begin();
	craft_add(&k, PL_KE, (struct span){ o.buf, 256 });
	told("N204: a public value without a group", N_NO_PROPOSAL_CHOSEN);
}

/* The client's SPI may be one that the gateway uses itself, for the other direction. */
static void test_own_spi(void)
{
	uint32_t taken;

	kit_with(client_up);
	taken = g.pair[0].fx.spi_in;
	open_quick();
	for (unsigned i = 0; i < 4; i++)
		craft_body(&k, PL_SA, 0)[16 + i] = (uint8_t)(taken >> (24 - 8 * i));
	client_to(&c, &g, craft_seal(&k, &c));
	ok(g.n_pairs == 2 && g.pair[1].fx.spi_out == taken && g.pair[1].fx.spi_in != taken &&
		   kit_sound(),
	   "N200: an SPI that the gateway uses for its own direction is no collision");
	gate_stop(&g);
}

/* ---- order and repetition ---- */

static void test_order(void)
{
	uint8_t q1[1024], q2[1024], q3[256];
	struct span s;
	size_t n1, n3, n2;

	kit_with(client_login);
	s = client_quick1(&c, nil, nil);
	memcpy(q1, s.p, n1 = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	memcpy(q2, s.p, n2 = s.n);
	client_to(&c, &g, (struct span){ q1, n1 });
	is_bytes(gate_only(&g), (struct span){ q2, n2 },
		 "N199, N237: the first message again gets the same bytes");
	is_int(g.n_pairs, 1, "N199: and makes no second pair");
	ok(dropped((struct span){ q2, n2 }), "N199: the gateway's own message comes back: dropped");
	client_quick2(&c, (struct span){ q2, n2 });
	s = client_quick3(&c);
	memcpy(q3, s.p, n3 = s.n);
	for (unsigned i = 0; i < 8; i++) {
		q3[n3 - 1 - i * 3] ^= 0x10;
		ok(dropped((struct span){ q3, n3 }), "N199: a third message with a wrong hash");
		q3[n3 - 1 - i * 3] ^= 0x10;
	}
	is_int(kit_state(), IKE_ST_LEASED, "N199: nothing is confirmed by that");
	client_to(&c, &g, (struct span){ q3, n3 });
	ok(kit_state() == IKE_ST_UP && g.n_out == 0, "the right one confirms");
	look();
	client_to(&c, &g, (struct span){ q3, n3 });
	ok(unmoved(), "the third message again: nothing");
	ok(dropped((struct span){ q1, n1 }), "N199: the first message again, afterwards: dropped");
	gate_pass(&g, S(40));
	ok(dropped((struct span){ q1, n1 }) && dropped((struct span){ q3, n3 }),
	   "N237: and later, when the exchange is forgotten");
	kit_end("order");
}

static void test_third_alone(void)
{
	uint8_t iv[IKE_BLOCK_MAX];

	kit_with(client_login);
	client_new_exchange(&c);
	ok(dropped(client_quick3(&c)), "N199: a third message without a first: dropped");
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	c.msg.nonce = (struct span){ c.nonce_i, 20 };
	memcpy(iv, c.iv, sizeof(iv));
	ok(dropped(client_quick3(&c)), "N199: a third message before the second: dropped");
	memcpy(c.iv, iv, sizeof(iv));
	g.hold = 0;
	gate_do_all(&g);
	ok(client_quick2(&c, gate_only(&g)) == 0, "the second one comes when the kernel is ready");
	kit_end("third alone");
}

/* N205: limits of one session. */
static void test_limits(void)
{
	unsigned answered = 0;
	uint32_t spi = 0;

	kit_with(client_login);
	for (unsigned i = 0; i < 100; i++) {
		client_to(&c, &g, client_quick1(&c, nil, nil));
		answered += g.n_out;
	}
	is_int(answered, LIMIT_QUICK_PENDING,
	       "N205: so many Quick Modes at once as the limit says");
	is_int(g.n_pairs, LIMIT_QUICK_PENDING, "N205: and so many pairs");
	ok(kit_sound(), "N205: nothing is out of order");
	gate_pass(&g, S(31));
	is_int(g.n_pairs, 0, "N199: unconfirmed ones are taken out after 30 s");
	ok(kit_sound() && kit_state() == IKE_ST_LEASED, "and the session is as it was");
	for (unsigned i = 0; i < LIMIT_CHILDREN + 1; i++) {
		if (!client_quick(&c, &g))
			break;
		answered = i + 1;
		spi = c.spi_in;
	}
	is_int(answered, LIMIT_CHILDREN, "N205: so many SA pairs as the limit says");
	ok(dropped(client_quick1(&c, nil, nil)), "N205: one more is dropped");
	ok(others_fine(), "N205: others are unaffected");
	c.spi_in = spi;
	client_to(&c, &g, client_delete_child(&c));
	is_int(g.n_pairs, LIMIT_CHILDREN - 1, "a pair that is deleted makes room");
	ok(client_quick(&c, &g), "for another one");
	kit_end("N205");
}

static void test_lifetimes(void)
{
	static const struct {
		const char *name, *attrs;
		uint32_t ours;
		uint64_t s;
	} rows[] = {
		{ "N205b: 1 s", "80010001 80020001", 3600, LIMIT_MIN_LIFE_S },
		{ "N205b: 0 s", "80010001 80020000", 3600, LIMIT_MIN_LIFE_S },
		{ "N205b: 2^32-1 s", "80010001 00020004 ffffffff", 3600, 3600 },
		{ "N205b: 2^63 s", "80010001 00020008 8000000000000000", 3600, 3600 },
		{ "N205b: 1 kB", "80010002 80020001", 3600, 3600 },
		{ "10 minutes", "80010001 80020258", 3600, 600 },
		{ "10 minutes, where we say 20 s", "80010001 80020258", 20, 20 },
		{ "1 s, where we say 20 s", "80010001 80020001", 20, 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start("c0ffee01");
		g.conf.p2_life_s = rows[i].ours;
		offer_transform(&o, 1, 12);
		offer_tv(&o, 4, 1);
		offer_tv(&o, 5, 5);
		offer_tv(&o, 6, 256);
		wr_span(&o.w, hex(rows[i].attrs));
		craft_replace(&k, PL_SA, 0, offer_done(&o));
		client_to(&c, &g, craft_seal(&k, &c));
		ok(client_quick2(&c, gate_only(&g)) == 0, "%s is taken", rows[i].name);
		c.spi_in = 0xc0ffee01;
		client_to(&c, &g, client_quick3(&c));
		is_int((long long)((client_sa(&c, &g)->children->expires_us - g.now) / US_PER_S),
		       (long long)rows[i].s, "and held to what is sensible");
		kit_end("lifetime");
	}
}

/* ESP goes where IKE is: N117. */
static void test_other_port(void)
{
	struct endpoint here, there;

	kit_fresh();
	c.behind_nat = true;
	if (!client_login(&c, &g))
		abort();
	here = c.self;
	there = c.gateway;
	c.self.port = 777;
	c.gateway.port = 500;
	/* the encapsulation that both have agreed on, but from the other port */
	struct span s = client_quick1(&c, nil, nil);

	gate_input(&g, &c.self, &c.gateway, false, s);
	ok(g.n_pairs == 1 && endpoint_eq(&g.pair[0].fx.peer, &here) &&
		   endpoint_eq(&g.pair[0].fx.local, &there) && g.pair[0].fx.encap,
	   "N117: Quick Mode on port 500 after floating: ESP stays on 4500");
	ok(endpoint_eq(&client_sa(&c, &g)->peer, &here), "N117: and the session does not move");
	gate_stop(&g);
}

int main(void)
{
	test_payloads();
	test_extras();
	test_offers();
	test_own_spi();
	test_order();
	test_third_alone();
	test_limits();
	test_lifetimes();
	test_other_port();
	return done();
}
