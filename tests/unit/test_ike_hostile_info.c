/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_hostile_info.c - Informational messages that mean harm: deletes of what is another's,
 * notifies, queries for life, and where the gateway believes a client to be (N108 - N111,
 * N210 - N230).
 */
#include "hostile_kit.h"

static struct client d; /* another client, a victim or an accomplice */

static void two_up(void)
{
	kit_with(client_up);
	kit_another(&d, "192.0.2.200:500");
	if (!client_up(&d, &g))
		abort();
}

/* An Informational message with this payload, sealed. */
static struct span info(uint8_t type, struct span body)
{
	struct ike_build b;

	client_new_exchange(&c);
	b = client_start(&c, XCHG_INFO);
	build_payload(&b, type, body);
	return client_seal(&c, &b);
}

/* Has no effect on either of the two, whatever is counted. */
static bool harmless(struct span s)
{
	struct client keep = c;
	bool good;

	look();
	client_to(&c, &g, s);
	good = g.n_out == 0 && before.sessions == ike_sessions(g.ike) &&
	       before.pairs == g.n_pairs && before.leases == g.leases && kit_state() == IKE_ST_UP &&
	       client_sa(&d, &g) && client_sa(&d, &g)->state == IKE_ST_UP && kit_sound();
	c = keep;
	return good && client_keys_match(&c, &g) && client_keys_match(&d, &g);
}

/* ---- deletes ---- */

static struct span del(uint8_t proto, uint8_t spi_size, uint16_t n, struct span spis)
{
	static uint8_t buf[2048];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_be32(&w, 1);
	wr_u8(&w, proto);
	wr_u8(&w, spi_size);
	wr_be16(&w, n);
	wr_span(&w, spis);
	return wr_done(&w);
}

static void spi_bytes(uint32_t spi, uint8_t out[4])
{
	struct wr w = wr_into(out, 4);

	wr_be32(&w, spi);
}

static void test_delete_forms(void)
{
	uint8_t spi[4], both[17];

	two_up();
	spi_bytes(c.spi_in, spi);
	memcpy(both, c.cky_i, 8);
	memcpy(both + 8, c.cky_r, 8);
	both[16] = 0;
	ok(harmless(info(PL_DELETE, del(3, 4, 0, nil))), "N210: no SPI");
	ok(harmless(info(PL_DELETE, del(3, 4, 1000, SPAN_OF(spi)))), "N210: 1000 SPIs, one there");
	ok(harmless(info(PL_DELETE, del(3, 4, 65535, SPAN_OF(spi)))), "N210: 65535 SPIs");
	ok(harmless(info(PL_DELETE, del(3, 0, 1, SPAN_OF(spi)))), "N210: SPI size 0");
	ok(harmless(info(PL_DELETE, del(3, 255, 1, SPAN_OF(spi)))), "N210: SPI size 255");
	ok(harmless(info(PL_DELETE, del(0, 4, 1, SPAN_OF(spi)))), "N211: protocol 0");
	ok(harmless(info(PL_DELETE, del(2, 4, 1, SPAN_OF(spi)))), "N211: AH");
	ok(harmless(info(PL_DELETE, del(4, 4, 1, SPAN_OF(spi)))), "N211: IPComp");
	ok(harmless(info(PL_DELETE, del(255, 4, 1, SPAN_OF(spi)))), "N211: protocol 255");
	ok(harmless(info(PL_DELETE, del(1, 4, 1, SPAN_OF(spi)))), "N212: ISAKMP with 4 bytes");
	ok(harmless(info(PL_DELETE, del(1, 8, 1, (struct span){ both, 8 }))),
	   "N212: with one cookie");
	ok(harmless(info(PL_DELETE, del(1, 17, 1, SPAN_OF(both)))), "N212: with 17 bytes");
	ok(harmless(info(PL_DELETE, del(3, 8, 1, (struct span){ both, 8 }))),
	   "N210: ESP with an SPI of 8 bytes");
	kit_end("delete forms");
}

static void test_others(void)
{
	uint8_t both[16], spi[4];
	uint64_t counted;

	two_up();
	memcpy(both, d.cky_i, 8);
	memcpy(both + 8, d.cky_r, 8);
	counted = ike_counter(g.ike, IKE_C_DROP_UNEXPECTED);
	ok(harmless(info(PL_DELETE, del(1, 16, 1, SPAN_OF(both)))),
	   "N213, W10: another session's cookies");
	is_int((long long)(ike_counter(g.ike, IKE_C_DROP_UNEXPECTED) - counted), 1,
	       "N213: and it is counted");
	spi_bytes(d.spi_in, spi);
	ok(harmless(info(PL_DELETE, del(3, 4, 1, SPAN_OF(spi)))), "N216: another session's SPI");
	spi_bytes(d.spi_out, spi);
	ok(harmless(info(PL_DELETE, del(3, 4, 1, SPAN_OF(spi)))),
	   "N216: the gateway's SPI of another session");
	spi_bytes(c.spi_out, spi);
	ok(harmless(info(PL_DELETE, del(3, 4, 1, SPAN_OF(spi)))),
	   "N216: the gateway's own SPI: it is the gateway's to delete");
	spi_bytes(0x12345678, spi);
	ok(harmless(info(PL_DELETE, del(3, 4, 1, SPAN_OF(spi)))), "N216: an unknown SPI");
	kit_end("others");
	/* a stranger without a login */
	kit_with(client_up);
	d = c;
	kit_another(&c, "192.0.2.66:500");
	client_phase1(&c, &g);
	memcpy(both, d.cky_i, 8);
	memcpy(both + 8, d.cky_r, 8);
	client_to(&c, &g, info(PL_DELETE, del(1, 16, 1, SPAN_OF(both))));
	ok(g.n_out == 0 && client_sa(&d, &g) && client_sa(&d, &g)->state == IKE_ST_UP &&
		   kit_state() == IKE_ST_XAUTH && client_keys_match(&d, &g),
	   "N213, W10: a stranger who has only finished phase 1 ends nobody");
	kit_end("stranger");
}

static void test_own(void)
{
	uint8_t spis[12], again[512], both[16];
	struct span s;
	size_t n;

	two_up();
	spi_bytes(c.spi_in, spis);
	s = info(PL_DELETE, del(3, 4, 1, (struct span){ spis, 4 }));
	memcpy(again, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(g.n_pairs == 1 && g.n_out == 0 && kit_state() == IKE_ST_UP && kit_sound(),
	   "N216: a client deletes its own pair, and nobody answers");
	ok(dropped((struct span){ again, n }), "N215: the same again: dropped");
	ok(client_quick(&c, &g), "a new one is made");
	spi_bytes(c.spi_in, spis);
	client_quick(&c, &g);
	spi_bytes(c.spi_in, spis + 4);
	spi_bytes(0x7777, spis + 8);
	client_to(&c, &g, info(PL_DELETE, del(3, 4, 3, SPAN_OF(spis))));
	ok(g.n_pairs == 1 && kit_sound(), "several in one delete, one of them unknown");
	client_quick(&c, &g);
	memcpy(both, c.cky_i, 8);
	memcpy(both + 8, c.cky_r, 8);
	/* N214: what follows the delete of the SA that carries it finds nothing */
	struct ike_build b;

	client_new_exchange(&c);
	b = client_start(&c, XCHG_INFO);
	build_payload(&b, PL_DELETE, del(1, 16, 1, SPAN_OF(both)));
	build_payload(&b, PL_DELETE, del(1, 16, 1, SPAN_OF(both)));
	build_payload(&b, PL_DELETE, del(3, 4, 1, (struct span){ spis, 4 }));
	build_payload(&b, PL_NOTIFY, hex("00000001 01 00 8d28 00000001"));
	s = client_seal(&c, &b);
	memcpy(again, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(kit_state() == -1 && g.n_out == 0 && g.n_pairs == 1 && g.leases == 1 &&
		   gate_count(&g, FX_DOWN, IKE_R_CLIENT_LEFT) == 1 && kit_sound(),
	   "N214: a delete of the session ends it, once, and what follows has no effect");
	look();
	client_to(&c, &g, (struct span){ again, n });
	ok(g.n_out == 0 && g.n_events == before.events, "N215: the same again: dropped");
	kit_end("own");
}

/* ---- notifies ---- */

static void test_notifies(void)
{
	bool all = true;
	unsigned notes = 0;
	static uint8_t text[60000];

	two_up();
	for (unsigned type = 0; type < 65536; type += type < 31 || type > 36000 ? 1 : 61) {
		uint8_t body[8] = { 0, 0, 0, 1, 1, 0, (uint8_t)(type >> 8), (uint8_t)type };

		if (type > 36200 && type < 40480)
			continue;
		if (type > 40520)
			break;
		if (type == N_R_U_THERE)
			continue; /* answered: below */
		g.n_events = 0;
		all &= harmless(info(PL_NOTIFY, SPAN_OF(body)));
		notes += g.n_events;
		all &= g.n_events <= 1;
	}
	ok(all, "N218, N224, N225: no notify of any type changes anything");
	ok(notes > 31, "errors are told to the journal");
	memset(text, '`', sizeof(text));
	memcpy(text, hex("00000001 01 00 0018").p, 8);
	g.n_events = 0;
	ok(harmless(info(PL_NOTIFY, SPAN_OF(text))) && g.n_events == 1 &&
		   strcmp(g.event[0].text, "the client says AUTHENTICATION-FAILED") == 0,
	   "N217: its text is not shown");
	ok(harmless(info(PL_NOTIFY, hex("00000001 01 ff 0018 00112233"))) &&
		   harmless(info(PL_NOTIFY, hex("00000001 01 11 6002 00112233"))),
	   "N218: an SPI longer than what is there: nothing");
	ok(harmless(info(PL_NOTIFY, hex("00000001 01 00 9e35 0a0a0a0a"))),
	   "N224: a redirection is not followed");
	kit_end("notifies");
}

static void test_initial_contact(void)
{
	kit_with(client_up);
	d = c;
	kit_another(&c, "192.0.2.9:500"); /* behind the same address */
	client_phase1(&c, &g);
	client_to(&c, &g, info(PL_NOTIFY, hex("00000001 01 00 6002")));
	ok(client_sa(&d, &g) && client_keys_match(&d, &g) && kit_state() == IKE_ST_XAUTH,
	   "N219, N220, N222: INITIAL-CONTACT before XAuth ends nobody");
	client_open(&c, gate_only(&g));
	kit_end("INITIAL-CONTACT");
}

/* ---- R-U-THERE ---- */

/* Asks with this number; true when it is answered rightly. */
static bool alive(uint32_t seq)
{
	struct ike_notify n;
	struct rd r;

	client_to(&c, &g, client_dpd(&c, seq));
	if (client_open(&c, gate_only(&g)) < 0 || c.msg.n_notify != 1 ||
	    ike_notify_read(c.msg.notify[0], &n) < 0)
		return false;
	r = rd_from(n.data);
	return n.type == N_R_U_THERE_ACK && n.proto == PROTO_ISAKMP && n.spi.n == 16 &&
	       memcmp(n.spi.p, c.cky_i, 8) == 0 && memcmp(n.spi.p + 8, c.cky_r, 8) == 0 &&
	       rd_be32(&r) == seq && r.left == 0;
}

static bool unanswered(uint32_t seq)
{
	client_to(&c, &g, client_dpd(&c, seq));
	return g.n_out == 0 && client_sa(&c, &g) && kit_sound();
}

static void test_dpd(void)
{
	uint8_t both[16] = { 0 };

	kit_with(client_up);
	ok(alive(1000) && alive(1001) && alive(1002), "queries for life are answered (RFC 3706)");
	gate_pass(&g, S(2));
	ok(alive(1002), "N228: the latest may come again: the answer may have been lost");
	ok(unanswered(1001) && unanswered(0), "N228: a lower number is not answered");
	ok(unanswered(1002 + 0x80000000u), "N228: nor one that is half around");
	ok(alive(0x70000000) && alive(0xe0000000) && alive(0xffffffff) && alive(0) && alive(5),
	   "N228: numbers go on past the end");
	gate_pass(&g, S(2));
	client_to(&c, &g, client_notify(&c, N_R_U_THERE, SPAN_OF(both), hex("00000009")));
	is_int(g.n_out, 0, "N227: wrong cookies: not answered");
	client_to(&c, &g, client_notify(&c, N_R_U_THERE, hex("00112233"), hex("00000009")));
	is_int(g.n_out, 0, "N227: an SPI of four bytes: not answered");
	client_to(&c, &g, client_notify(&c, N_R_U_THERE, nil, hex("000009")));
	is_int(g.n_out, 0, "a number of three bytes: not answered");
	client_to(&c, &g, client_notify(&c, N_R_U_THERE, nil, hex("00000009")));
	is_int(g.n_out, 1, "no SPI at all is tolerated");
	ok(client_sa(&c, &g)->dpd_seq == 9, "and counts");
	client_to(&c, &g, client_notify(&c, N_R_U_THERE_ACK, nil, hex("00000009")));
	ok(g.n_out == 0 && kit_sound(), "N229: an answer that nobody asked for: nothing");
	kit_end("DPD");
}

static void test_dpd_limit(void)
{
	unsigned answered = 0, used;

	kit_with(client_up);
	gate_pass(&g, S(2));
	for (uint32_t i = 1; i <= 10000; i++) {
		client_to(&c, &g, client_dpd(&c, i));
		answered += g.n_out;
	}
	is_int(answered, LIMIT_DPD_PER_S, "N230: 10000 queries in a second get ten answers");
	gate_pass(&g, S(1));
	ok(alive(20000), "N230: and the next second has new ones");
	used = client_sa(&c, &g)->n_used;
	for (uint32_t i = 0; i < 5000; i++) {
		gate_pass(&g, S(2));
		answered += alive(30000 + i);
	}
	/* One is our Quick Mode for a pair whose time is over, which this client does not answer, the
	 * other one the Delete of the pair. */
	is_int(client_sa(&c, &g)->n_used, used + 2, "queries do not use up message IDs");
	is_int(kit_state(), IKE_ST_UP, "so a client may ask for days");
	kit_with(client_phase1);
	ok(alive(1), "a client may ask while its user types the password");
	kit_end("DPD limit");
}

/* A query has a number of its own; what stands beside it has only the message ID. */
static void test_beside_a_query(void)
{
	static const char *const beside[] = { "00000001 01 00 0018", "00000001 01 00 6002" };
	uint8_t query[] = { 0, 0, 0, 1, 1, 0, 0x8d, 0x28, 0, 0, 0, 7 }, spi[4], again[512];
	struct ike_build b;
	struct span s;

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(beside); i++) {
		bool first_of_all = i % 2;
		unsigned used;

		kit_with(client_up);
		used = client_sa(&c, &g)->n_used;
		client_new_exchange(&c);
		b = client_start(&c, XCHG_INFO);
		if (first_of_all)
			build_payload(&b, PL_NOTIFY, SPAN_OF(query));
		build_payload(&b, PL_NOTIFY, hex(beside[i / 2]));
		if (!first_of_all)
			build_payload(&b, PL_NOTIFY, SPAN_OF(query));
		s = client_seal(&c, &b);
		memcpy(again, s.p, s.n);
		client_to(&c, &g, s);
		ok(g.n_out == 1 && client_sa(&c, &g)->n_used == used + 1,
		   "N228: a notify %s a query uses up the message ID",
		   first_of_all ? "behind" : "before");
		ok(dropped((struct span){ again, s.n }), "N155: again it is dropped");
		kit_end("notify beside a query");
	}
	kit_with(client_up);
	spi_bytes(c.spi_in, spi);
	client_new_exchange(&c);
	b = client_start(&c, XCHG_INFO);
	build_payload(&b, PL_NOTIFY, SPAN_OF(query));
	build_payload(&b, PL_DELETE, del(3, 4, 1, SPAN_OF(spi)));
	s = client_seal(&c, &b);
	memcpy(again, s.p, s.n);
	client_to(&c, &g, s);
	ok(g.n_out == 1 && g.n_pairs == 0, "a query with the delete of a pair: both are done");
	struct ike_build q = client_quick1_open(&c, nil, nil);

	craft_from(&k, client_clear(&q)); /* a new pair, under the SPI of the old one */
	memcpy(craft_body(&k, PL_SA, 0) + 16, spi, 4);
	client_to(&c, &g, craft_seal(&k, &c));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	ok(g.n_pairs == 1 && dropped((struct span){ again, s.n }),
	   "N215: again it does not delete the pair that has this SPI now");
	kit_end("delete beside a query");
}

/* ---- where the client is ---- */

static struct endpoint at(void)
{
	return client_sa(&c, &g)->peer;
}

/* Sends these bytes from an attacker's place. */
static bool moves(struct span s)
{
	struct endpoint evil = ep("203.0.113.66:500"), was = at();

	gate_input(&g, &evil, &c.gateway, c.floated, s);
	return !endpoint_eq(&was, &client_sa(&c, &g)->peer);
}

static void test_moving(void)
{
	uint8_t one[512], ack[512];
	struct endpoint home;
	struct span s;
	size_t n, n_ack;

	kit_with(client_up);
	home = at();
	s = client_dpd(&c, 100);
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	memcpy(ack, s.p, n_ack = s.n);
	ok(!moves((struct span){ one, n }), "N109: a replayed query does not move the session");
	gate_pass(&g, S(2));
	ok(!moves((struct span){ one, n }), "N109: nor a little later");
	client_to(&c, &g, client_dpd(&c, 101));
	ok(!moves((struct span){ one, n }), "N109: nor when its number is an old one");
	ok(!moves((struct span){ ack, n_ack }),
	   "N109: nor does the gateway's own answer, sent back to it");
	s = client_notify(&c, N_R_U_THERE, hex("00112233"), hex("00000200"));
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(!moves((struct span){ one, n }), "N109: nor does one with wrong cookies");
	ok(endpoint_eq(&home, &client_sa(&c, &g)->peer), "the client is where it was");
	c.self.port = 1234;
	client_to(&c, &g, client_dpd(&c, 102));
	ok(at().port == 1234 && g.n_out == 1 && g.out[0].peer.port == 1234,
	   "N110: a fresh query from a new port moves it, and is answered there");
	c.self.port = 1235;
	client_quick(&c, &g);
	ok(at().port == 1235 && g.pair[1].fx.peer.port == 1235,
	   "N110: so does a Quick Mode, with its new pair");
	gate_stop(&g);
}

static void test_moving_refused(void)
{
	uint8_t one[1024];
	struct span s;
	size_t n;

	/* the gateway's own refusal comes back to it */
	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, hex("01000000 08080808"), nil));
	s = gate_only(&g);
	memcpy(one, s.p, n = s.n);
	ok(!moves((struct span){ one, n }), "N109: the gateway's own notify moves nothing");
	s = client_quick1(&c, nil, nil);
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	ok(!moves((struct span){ one, n }), "N109: nor a replayed Quick Mode");
	ok(!moves(s), "N109: nor the gateway's answer to it");
	s = client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1);
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	ok(!moves((struct span){ one, n }) && !moves(s),
	   "N109: nor a replayed request for the configuration, nor its answer");
	s = client_delete(&c, PROTO_ESP, hex("77777777"));
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(!moves((struct span){ one, n }), "N109: nor a replayed delete");
	gate_stop(&g);
}

/* vpnc says good-bye under message IDs of one byte: 0 happens, and the same one twice. */
static void test_small_ids(void)
{
	static const uint32_t zero, seven = 7;

	two_up();
	c.own_msgid = &zero;
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && g.leases == 1, "a delete under message ID 0 ends its session");
	two_up();
	c.own_msgid = &seven;
	client_to(&c, &g, client_delete_child(&c));
	ok(kit_state() == IKE_ST_UP && g.n_pairs == 1, "a delete of the pair");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && g.leases == 1,
	   "and under the same message ID one of the session: it ends as well");
	two_up();
	c.own_msgid = &seven;
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, nil, nil));
	ok(dropped(client_delete_child(&c)) && dropped(client_delete(&c, PROTO_ISAKMP, nil)),
	   "N155: nothing else is taken under a message ID that was used");
	kit_end("small message IDs");
	two_up();
	c.own_msgid = &zero;
	ok(dropped(client_quick1(&c, nil, nil)), "nor a Quick Mode under message ID 0");
	kit_end("message ID 0");
}

int main(void)
{
	test_delete_forms();
	test_others();
	test_own();
	test_small_ids();
	test_notifies();
	test_initial_contact();
	test_dpd();
	test_dpd_limit();
	test_beside_a_query();
	test_moving();
	test_moving_refused();
	return done();
}
