/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_limits.c - what strangers can make grow, and where it stops (bounds.h). */
#include "hostile_kit.h"

/* A first message from this address. */
static void knock(uint32_t from, uint32_t seed)
{
	static struct client x;

	client_init(&x, "192.0.2.9:500", "198.51.100.1:500");
	x.no_crypto = true;
	x.self.addr = ipaddr_v4(from);
	x.seed = seed;
	client_to(&x, &g, client_first(&x));
}

static void begin(uint32_t total, uint32_t source)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.half_open_total = total;
	g.conf.half_open_source = source;
	gate_start(&g);
}

static void test_per_source(void)
{
	struct client v6;

	begin(1000, 5);
	for (unsigned i = 0; i < 50; i++)
		knock(0x0a000001, i);
	is_int(ike_half_open(g.ike), 5, "DOS-01, W9: so many half-open exchanges from one address");
	is_int(gate_count(&g, FX_NOTE, IKE_R_TOO_MANY_FROM_PEER), 45, "the others are noted");
	is_int((long long)ike_counter(g.ike, IKE_C_DROP_LIMIT), 45, "and counted");
	is_int(g.n_out, 0, "and not answered");
	knock(0x0a000002, 1);
	is_int(ike_half_open(g.ike), 6, "another address has its own");
	ok(others_fine(), "others log in as ever");
	/* IPv6 counts by /64 */
	client_init(&v6, "[2001:db8:0:1::1]:500", "[2001:db8::1]:500");
	v6.no_crypto = true;
	for (unsigned i = 0; i < 50; i++) {
		v6.self.addr.b[15] = (uint8_t)i;
		v6.self.addr.b[9] = (uint8_t)(i * 3);
		client_to(&v6, &g, client_first(&v6));
	}
	is_int(ike_half_open(g.ike), 6 + 5, "IPv6 addresses count by their /64");
	v6.self.addr.b[7] = 9;
	client_to(&v6, &g, client_first(&v6));
	is_int(ike_half_open(g.ike), 6 + 6, "another /64 has its own");
	gate_pass(&g, S(60));
	is_int(ike_half_open(g.ike), 0, "I7: all of it ends by itself");
	kit_end("per source");
}

static void test_total(void)
{
	static struct client old;

	begin(50, 1000);
	for (unsigned i = 0; i < 50; i++) {
		knock(0x0a000000 + i, i);
		gate_pass(&g, 1000);
	}
	client_phase1(&c, &g);
	is_int(ike_half_open(g.ike), 50, "the gauge is full, and one has got to XAuth");
	for (unsigned i = 0; i < 49; i++)
		knock(0x0b000000 + i, 1000 + i);
	is_int(ike_half_open(g.ike), 51, "DOS-01: a newer one takes the place of the oldest");
	is_int(kit_state(), IKE_ST_XAUTH, "DOS-01: but never of one that has proved its address");
	knock(0x0c000000, 7);
	ok(kit_state() == IKE_ST_XAUTH && ike_half_open(g.ike) == 51, "nor later");
	kit_another(&old, "203.0.113.9:500");
	ok(client_up(&old, &g), "DOS-06: an honest client still gets in");
	kit_end("total");
}

static bool stranger(unsigned i)
{
	client_init(&c, "192.0.2.9:500", "198.51.100.1:500");
	c.no_crypto = true;
	c.self.addr = ipaddr_v4(0x0a000000 + i);
	c.seed = i;
	return client_phase1(&c, &g);
}

/* Anybody can finish phase 1. A crowd that does, and then waits, keeps nobody out. */
static void test_waiting(void)
{
	static struct client honest;
	struct client first_one;

	begin(5, 1000);
	for (unsigned i = 0; i < 50; i++)
		stranger(i);
	is_int(ike_half_open(g.ike), 50, "who is asked for a password takes no place of others");
	kit_another(&honest, "203.0.113.9:500");
	ok(client_up(&honest, &g), "DOS-08, N246: an honest client gets in");
	kit_end("waiting");
	begin(1000, 100000);
	for (unsigned i = 0; i < LIMIT_LOGINS_WAITING; i++) {
		stranger(i);
		if (i == 0)
			first_one = c;
	}
	is_int(ike_half_open(g.ike), LIMIT_LOGINS_WAITING, "DOS-08: so many may wait at once");
	kit_another(&honest, "203.0.113.9:500");
	ok(client_phase1(&honest, &g) && ike_half_open(g.ike) == LIMIT_LOGINS_WAITING,
	   "DOS-08: one more is let in");
	ok(!client_sa(&first_one, &g) && gate_count(&g, FX_DOWN, IKE_R_EVICTED) == 1,
	   "and who has been waiting the longest goes");
	kit_end("waiting, full");
	begin(1000, 100000);
	for (unsigned i = 0; i < LIMIT_LOGINS_WAITING && stranger(i); i++)
		client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	ok(ike_half_open(g.ike) == LIMIT_LOGINS_WAITING && !stranger(99999) &&
		   ike_half_open(g.ike) == LIMIT_LOGINS_WAITING,
	   "when all of them are just being refused, the newest is turned away");
	gate_pass(&g, S(30));
	ok(stranger(1), "for some seconds");
	kit_end("refusing, full");
}

/* A client that dials again while it is being asked for the password: both count, both end. */
static void test_second_phase1(void)
{
	static struct client again;
	uint8_t reply[512];
	struct span s;

	begin(1000, 2);
	client_phase1(&c, &g);
	kit_another(&again, "192.0.2.9:500");
	again.seed = 77; /* another cookie */
	ok(client_phase1(&again, &g) && ike_half_open(g.ike) == 2 &&
		   g.ike->t.half_open[IKE_HALF_OPEN_WAITING].n == 2,
	   "N153: a second phase 1 while the first waits in XAuth: both count");
	ok(kit_state() == IKE_ST_XAUTH && client_sa(&again, &g) != client_sa(&c, &g),
	   "N153: and the second one does not push the first one out");
	knock(0xc0000209, 3);
	ok(ike_half_open(g.ike) == 2 && gate_count(&g, FX_NOTE, IKE_R_TOO_MANY_FROM_PEER) == 1,
	   "N153, DOS-08: they are as many as one address may have");
	s = client_credentials(&c, span_str("alice"), span_str("wonderland"));
	memcpy(reply, s.p, s.n);
	client_to(&again, &g, (struct span){ reply, s.n });
	ok(kit_state() == IKE_ST_AUTHED && client_sa(&again, &g)->state == IKE_ST_XAUTH,
	   "N153: the first one logs in, and only that one");
	knock(0xc0000209, 4);
	is_int(ike_half_open(g.ike), 2, "N153: which makes room for another one");
	gate_pass(&g, S(80));
	ok(!client_sa(&again, &g) && ike_half_open(g.ike) == 0,
	   "N153: the second one ends in time");
	kit_end("N153");
}

/* Strangers who finish phase 1 and then type wrong passwords are strangers, too. */
static void test_refused_count(void)
{
	unsigned in = 0;

	begin(1000, 5);
	for (unsigned i = 0; i < 50; i++) {
		c.seed = i;
		c.self = ep("192.0.2.9:500");
		c.gateway.port = 500;
		c.floated = false;
		if (!client_phase1(&c, &g))
			continue;
		in++;
		client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	}
	is_int(in, 5,
	       "DOS-08: logins that are being refused count as half-open until they are gone");
	gate_pass(&g, S(30));
	is_int(ike_half_open(g.ike), 0, "and then no more");
	ok(client_up(&c, &g), "so that the user gets another try");
	kit_end("refused");
}

static void test_crypto(void)
{
	unsigned i;

	begin(10000, 10000);
	g.hold = GATE_HOLD(DH);
	for (i = 0; i < LIMIT_CRYPTO_PENDING + 20; i++)
		knock(0x0a000000 + i, i);
	is_int(g.n_jobs, LIMIT_CRYPTO_PENDING, "no more crypto jobs at once than the limit says");
	is_int(gate_count(&g, FX_NOTE, IKE_R_BUSY), 20, "the others are turned away, and noted");
	g.hold = 0;
	gate_do(&g, 0);
	knock(0x0b000000, 1);
	is_int(ike_half_open(g.ike), LIMIT_CRYPTO_PENDING + 1, "a job that is done makes room");
	/* jobs whose exchange has ended count until they come back */
	gate_pass(&g, S(60));
	ok(ike_half_open(g.ike) == 0 && g.ike->crypto_pending == LIMIT_CRYPTO_PENDING - 1,
	   "exchanges end while their jobs go on");
	gate_do_all(&g);
	ok(g.ike->crypto_pending == 0 && g.n_out == 0, "which end without a word");
	kit_end("crypto");
}

/* DOS-07: clear notifies are few, and none is larger than what asked for it. */
static void test_notifies(void)
{
	unsigned sent = 0;

	begin(1000, 1000);
	c.auth = 1;
	for (unsigned i = 0; i < 200; i++) {
		c.self.addr = ipaddr_v4(0x0a000000 + i);
		client_to(&c, &g, client_first(&c));
		sent += g.n_out;
	}
	is_int(sent, LIMIT_NOTIFY_PER_S, "DOS-07: ten clear notifies in a second, no more");
	is_int((long long)ike_counter(g.ike, IKE_C_NO_PROPOSAL), 200, "all are counted");
	gate_pass(&g, S(1));
	client_to(&c, &g, client_first(&c));
	is_int(g.n_out, 1, "and the next second has new ones");
	kit_end("notifies");
}

/*
 * N241. The first answer goes out whatever its size: without it no client with a small first
 * message gets in. All that follows needs credit.
 */
static void test_amplification(void)
{
	static uint8_t filler[1024];
	uint64_t in, out;
	unsigned answers = 0;

	begin(1000, 1000);
	first();
	in = k.n;
	client_to(&c, &g, craft_span(&k));
	out = gate_only(&g).n;
	printf("# a first message of %llu bytes gets %llu\n", (unsigned long long)in,
	       (unsigned long long)out);
	g.bytes_out = 0;
	gate_pass(&g, S(60));
	is_int((long long)g.bytes_out, (long long)out,
	       "N241, W9: without credit one repetition, in case its third message is lost");
	kit_end("N241");
	begin(8, 1000);
	for (unsigned i = 0; i < 5; i++)
		knock(0x0a000000 + i, i);
	g.bytes_out = 0;
	gate_pass(&g, S(60));
	is_int((long long)g.bytes_out, (long long)out * 4,
	       "N241: but not when there are many: the first four, and no more");
	kit_end("N241, many");
	begin(1000, 1000);
	first();
	client_to(&c, &g, craft_span(&k));
	in = k.n;
	out = gate_only(&g).n;
	for (unsigned i = 0; i < 200; i++) {
		client_to(&c, &g, craft_span(&k));
		in += k.n;
		out += gate_only(&g).n;
		answers += g.n_out;
		if (out > LIMIT_AMPLIFY * in)
			break;
	}
	ok(out <= LIMIT_AMPLIFY * in && answers,
	   "N241: repeated, it gets three times what it sends");
	kit_end("N241, repeated");
	begin(1000, 1000);
	first();
	for (unsigned i = 0; i < 4; i++)
		craft_add(&k, PL_VID, SPAN_OF(filler));
	in = k.n;
	g.bytes_out = 0;
	client_to(&c, &g, craft_span(&k));
	gate_pass(&g, S(60));
	ok(g.bytes_out <= LIMIT_AMPLIFY * in && ike_counter(g.ike, IKE_C_RESENT) > 0,
	   "N241: a large one gets repetitions, within the same measure");
	kit_end("N241, large");
}

static void test_message_ids(void)
{
	kit_with(client_up);
	for (unsigned i = client_sa(&c, &g)->n_used; i < LIMIT_MESSAGE_IDS; i++) {
		client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, nil, nil));
		if (kit_state() != IKE_ST_UP)
			break;
	}
	ok(kit_state() == IKE_ST_UP && client_sa(&c, &g)->n_used == LIMIT_MESSAGE_IDS,
	   "a session may use 4096 message IDs");
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, nil, nil));
	ok(kit_state() == IKE_ST_CLOSING && gate_count(&g, FX_DOWN, IKE_R_MESSAGE_IDS) == 1 &&
		   g.n_pairs == 0 && g.leases == 0,
	   "one more ends it, and the client has to log in again");
	gate_pass(&g, S(60));
	is_int(kit_state(), -1, "nothing is left");
	kit_end("message IDs");
	kit_fresh();
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	for (unsigned i = 0; i < 10000 && kit_state() != -1; i++)
		client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, nil, nil));
	is_int(kit_state(), -1, "a half-open exchange that talks too much ends, too");
	kit_end("too much talk");
}

/* What is finished makes room for what is new; what is under way does not. */
static void test_exchanges(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	uint8_t first_req[512];
	struct span s;
	size_t n;
	unsigned answered = 0;

	kit_with(client_login);
	s = client_config(&c, addr, 1);
	memcpy(first_req, s.p, n = s.n);
	client_to(&c, &g, s);
	for (unsigned i = 0; i < 3 * LIMIT_EXCHANGES; i++) {
		client_to(&c, &g, client_config(&c, addr, 1));
		answered += g.n_out;
	}
	is_int(answered, 3 * LIMIT_EXCHANGES, "any number of requests, one after the other");
	ok(kit_sound(), "of which the last ones are remembered");
	ok(dropped((struct span){ first_req, n }),
	   "an early one is forgotten, but not taken again");
	/* every pair's delete is under way for a while */
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.retransmit_us = S(10);
	gate_start(&g);
	client_login(&c, &g);
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned p = 0; p < 3; p++) {
			static const char *const nets[] = { "04000000 0a010000 ffff0000",
							    "04000000 0a020000 ffff0000",
							    "04000000 0a030000 ffff0000" };

			client_to(&c, &g, client_quick1(&c, nil, hex(nets[p])));
			if (client_quick2(&c, gate_only(&g)) == 0)
				client_to(&c, &g, client_quick3(&c));
		}
		for (struct ike_child *x = client_sa(&c, &g)->children; x; x = x->next)
			x->expires_us = g.now; /* as if their time were over */
		g.n_out = 0;
		sa_rearm(g.ike, g.ike->t.slot[client_sa(&c, &g)->id.slot].sa);
		gate_pass(&g, 1);
	}
	ok(kit_sound(), "a session that deletes more pairs than it remembers exchanges is sound");
	ok(g.n_pairs == 0, "and deletes them all");
	look();
	client_to(&c, &g, client_config(&c, addr, 1));
	ok(g.n_out == 0 && drops() == before.dropped + 1, "then there is no room for a request");
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(g.n_out == 0 && g.n_pairs == 0, "nor for a Quick Mode");
	gate_pass(&g, S(90));
	ok(client_quick(&c, &g) && kit_sound(), "but later there is again");
	kit_end("exchanges");
}

int main(void)
{
	test_per_source();
	test_total();
	test_waiting();
	test_second_phase1();
	test_refused_count();
	test_crypto();
	test_notifies();
	test_amplification();
	test_message_ids();
	test_exchanges();
	return done();
}
