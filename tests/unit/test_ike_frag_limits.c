/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_frag_limits.c - DOS-04: what strangers can make grow by sending fragments, and where it
 * stops. N130 to N133, N140, and W8: racoon kept a lone fragment for ever.
 */
#include <time.h>

#include "frag_kit.h"

#ifdef __SANITIZE_ADDRESS__
#define FLOOD 100000
#else
#define FLOOD 1000000
#endif

static uint32_t rnd = 1;

static uint32_t draw(void)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	return rnd ^= rnd << 5;
}

/* A first fragment of somebody, from an address that he made up. */
static void knock(const struct endpoint *from, uint16_t id, size_t n)
{
	static uint8_t data[17000];
	struct endpoint local = ep("198.51.100.1:500");
	uint8_t hdr[ISAKMP_HDR] = { 0 };
	struct wr w = wr_into(hdr, sizeof(hdr));

	wr_be32(&w, draw());
	wr_be32(&w, draw() | 1);
	hdr[17] = 0x10;
	hdr[18] = XCHG_AGGRESSIVE;
	piece_make(&one, SPAN_OF(hdr), id, 1, false, (struct span){ data, n });
	gate_input(&g, from, &local, false, piece_span(&one));
}

static struct endpoint somewhere(void)
{
	struct endpoint e = { .addr = ipaddr_v4(0x0a000000 | draw() >> 8), .port = 500 };

	return e;
}

/* ---- one message ---- */

static void test_pieces(void)
{
	static const uint8_t filler[4000];

	for (unsigned more = 0; more < 2; more++) {
		kit_fresh();
		first();
		craft_add(&k, PL_CERT,
			  (struct span){ filler, 100 * LIMIT_FRAG_PIECES - 4 - k.n + more });
		cut(craft_span(&k), 100, 1);
		ok(p.n == LIMIT_FRAG_PIECES + more && then_whole() == !more,
		   more ? "33 are too many" : "32 fragments are a message");
	}
	ok(ike_half_open(g.ike) == 0 && count(IKE_C_DROP_FRAG_LIMIT) == 1, "which is counted");
	kit_end("pieces");
	cut_first();
	for (unsigned i = 1; i <= 255; i++) {
		piece_make(&one, msg, 1, (uint8_t)i, i == 255, (struct span){ msg.p + i, 1 });
		client_raw(&c, &g, piece_span(&one));
	}
	ok(silent() && count(IKE_C_DROP_FRAG_LIMIT) == 255 - LIMIT_FRAG_PIECES,
	   "N133: 255 fragments of one byte: over at 32");
	is_int(ike_fragmented(g.ike), 0, "N133: nothing waits for more");
	ok(then_whole(), "N133: the message as it should be is answered");
	kit_end("N133");
}

/* A first message of n bytes in fragments of 1000. */
static void first_of(size_t n)
{
	static uint8_t filler[70000];

	kit_fresh();
	first();
	craft_add(&k, PL_CERT, (struct span){ filler, n - k.n - 4 });
	cut(craft_span(&k), n > 32000 ? 2900 : 1000, 1);
}

static void test_bytes(void)
{
	static uint8_t large[PIECE_DATA + LIMIT_FRAG_MESSAGE + 1];

	first_of(LIMIT_FRAG_MESSAGE);
	ok(msg.n == LIMIT_FRAG_MESSAGE && then_whole(), "16 KiB are a message");
	ok(kit_sound(), "and in order");
	first_of(LIMIT_FRAG_MESSAGE + 1);
	look();
	send_all();
	ok(silent() && ike_half_open(g.ike) == 0 && drops() == before.dropped + 1 &&
		   ike_fragmented(g.ike) == 0,
	   "N140: a byte more is too much, and all of it is forgotten");
	first_of(64000);
	send_all();
	ok(silent() && ike_half_open(g.ike) == 0, "N140: 64 kB are, too");
	ok(g.ike->frags.bytes < 64000, "N140: and do not fill the store");
	first_of(LIMIT_FRAG_MESSAGE);
	for (unsigned i = p.n; i-- > 0;)
		send_piece(i);
	ok(answered(), "N140: 16 KiB backwards are a message");
	ok(count(IKE_C_DROP_FRAG_LIMIT) == 0, "none of it was over a limit");
	first_of(LIMIT_FRAG_MESSAGE);
	memset(large, 0, sizeof(large));
	memcpy(large, p.v[0].b, PIECE_DATA);
	large[26] = (sizeof(large) - 1) >> 8;
	large[27] = (sizeof(large) - 1) & 0xff;
	large[30] = (sizeof(large) - 1 - ISAKMP_HDR) >> 8;
	large[31] = (sizeof(large) - 1 - ISAKMP_HDR) & 0xff;
	client_raw(&c, &g, (struct span){ large, sizeof(large) - 1 });
	is_int(ike_fragmented(g.ike), 1, "N140: a fragment of 16 KiB may be the first");
	large[33] = 2;
	large[27]++;
	large[31]++;
	ok(dropped(SPAN_OF(large)) && ike_fragmented(g.ike) == 1, "N140: one of a byte more not");
	kit_end("N140");
}

static void test_time(void)
{
	cut_first();
	for (unsigned i = 0; i + 1 < p.n; i++) {
		send_piece(i);
		gate_pass(&g, i ? 0 : S(LIMIT_FRAG_LIFE_S) - 1);
	}
	is_int(ike_fragmented(g.ike), 1, "a message may take nearly ten seconds");
	send_piece(p.n - 1);
	ok(answered(), "from its first fragment to its last");
	cut_first();
	for (unsigned i = 0; i + 1 < p.n; i++)
		send_piece(i);
	gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
	ok(ike_fragmented(g.ike) == 0 && count(IKE_C_FRAG_EXPIRED) == 1,
	   "N131: after ten it is forgotten, and counted");
	send_piece(p.n - 1);
	ok(silent() && ike_half_open(g.ike) == 0, "N131: what comes later does not complete it");
	for (unsigned i = 0; i + 1 < p.n; i++)
		send_piece(i);
	ok(answered(), "N131: the message again is answered, with what has just come of it");
	gate_pass(&g, S(60));
	ok(ike_deadline(g.ike) == UINT64_MAX && g.ike->frags.bytes == 0,
	   "I7: nothing is left, and nothing is waited for");
	kit_end("time");
	/* 31 of 32, the last one never, again and again */
	kit_fresh();
	for (unsigned round = 0; round < 30; round++) {
		cut(client_first(&c), 20, (uint16_t)(1 + round % 2));
		for (unsigned i = 0; i < 31; i++)
			send_piece(i % (p.n - 1));
		gate_pass(&g, S(1));
	}
	ok(ike_fragmented(g.ike) <= LIMIT_FRAG_SETS && kit_sound() && ike_half_open(g.ike) == 0,
	   "N131: never the last one, with repeated ids: no more than two wait");
	gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
	ok(ike_fragmented(g.ike) == 0 && g.ike->frags.bytes == 0, "N131: and then none");
	ok(client_up(&c, &g), "N131: the client itself logs in");
	kit_end("N131");
}

/* ---- one source ---- */

static void test_source(void)
{
	struct endpoint v4 = ep("192.0.2.77:500"), v6 = ep("[2001:db8:0:1::1]:500");

	kit_fresh();
	for (unsigned i = 0; i < 50; i++) {
		v4.port = (uint16_t)(1000 + i);
		knock(&v4, 1, 500);
	}
	ok(ike_fragmented(g.ike) == LIMIT_FRAG_SETS && count(IKE_C_DROP_FRAG_LIMIT) == 48,
	   "DOS-04: two messages from one address wait, from whatever port");
	is_int(gate_count(&g, FX_NOTE, IKE_R_FRAGMENTS_LIMIT), 48, "the others are noted");
	for (unsigned i = 0; i < 50; i++) {
		v6.addr.b[15] = (uint8_t)i;
		v6.addr.b[9] = (uint8_t)(3 * i);
		knock(&v6, 1, 500);
	}
	is_int(ike_fragmented(g.ike), 2 * LIMIT_FRAG_SETS, "IPv6 addresses count by their /64");
	c.frag = 100;
	ok(client_up(&c, &g), "a client from elsewhere logs in, in fragments");
	c.self = v4;
	ok(!client_phase1(&c, &g), "one from that very address has to wait");
	gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
	c.self = v4;
	ok(client_phase1(&c, &g), "for ten seconds");
	kit_end("source");
}

/* Behind one address: each client that is known has its own two. */
static void test_clients(void)
{
	static struct client d;
	struct span s;

	kit_with(client_up);
	kit_another(&d, "192.0.2.9:501");
	ok(client_up(&d, &g), "two clients at one address");
	for (unsigned i = 0; i < 5; i++) {
		s = client_dpd(&c, 100 + i);
		pieces_cut(&p, s, 20, (uint16_t)(10 + i));
		send_piece(0);
	}
	ok(ike_fragmented(g.ike) == LIMIT_FRAG_SETS && count(IKE_C_DROP_FRAG_LIMIT) == 3,
	   "of one client two messages wait");
	d.frag = 20;
	client_to(&d, &g, client_dpd(&d, 9));
	ok(client_open(&d, client_answer(&g)) == 0, "the other one's get through");
	s = client_dpd(&c, 200);
	cut(s, 20, 10 + 4);
	gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
	send_all();
	ok(client_open(&c, client_answer(&g)) == 0, "and the first one's again after ten seconds");
	kit_end("clients");
}

/* ---- all of them ---- */

static void test_lone(void)
{
	kit_fresh();
	for (unsigned i = 0; i < 20000; i++) {
		struct endpoint from = somewhere();

		knock(&from, 1, 500);
	}
	ok(g.ike->frags.bytes <= LIMIT_FRAG_TOTAL && ike_fragmented(g.ike) > 4000 && kit_sound(),
	   "W8: of 20,000 lone fragments there is room for %u", ike_fragmented(g.ike));
	is_int(count(IKE_C_FRAG_EVICTED) + ike_fragmented(g.ike),
	       count(IKE_C_FRAG_RECEIVED) - count(IKE_C_DROP_FRAG_LIMIT),
	       "W8: the oldest gave way, and were counted");
	gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
	ok(ike_fragmented(g.ike) == 0 && g.ike->frags.bytes == 0,
	   "W8: in ten seconds all are gone");
	kit_end("W8");
}

static void test_flood(void)
{
	unsigned tried = 0, good = 0;
	size_t most = 0;

	kit_fresh();
	for (unsigned i = 0; i < FLOOD; i++) {
		struct endpoint from = somewhere();

		knock(&from, (uint16_t)draw(), 1 + draw() % 512);
		most = g.ike->frags.bytes > most ? g.ike->frags.bytes : most;
		if (i % 2000)
			continue;
		/* an honest client, the flood between its fragments */
		kit_another(&c, "203.0.113.1:500");
		c.seed = i;
		cut(client_first(&c), 100, 1);
		for (unsigned at = 0; at < p.n; at++) {
			for (unsigned n = 0; n < 200; n++) {
				from = somewhere();
				knock(&from, 1, 512);
			}
			send_piece(at);
		}
		tried++;
		if (client_second(&c, client_answer(&g)) < 0)
			continue;
		c.frag = 100;
		client_to(&c, &g, client_third(&c));
		good += client_open(&c, client_answer(&g)) == 0;
		client_to(&c, &g, client_delete_isakmp(&c));
		gate_pass(&g, 1000);
	}
	ok(most <= LIMIT_FRAG_TOTAL && most > LIMIT_FRAG_TOTAL / 2 && kit_sound(),
	   "N130: %u first fragments from everywhere: at most %zu bytes", FLOOD, most);
	ok(tried >= FLOOD / 2000 && good * 100 >= tried * 99,
	   "N130: %u of %u logins in fragments get through", good, tried);
	kit_end("N130");
}

/* Strangers make room for one another before a client's message does. */
static void test_who_gives_way(void)
{
	struct span s;

	kit_with(client_up);
	s = client_dpd(&c, 77);
	cut(s, 20, 1);
	for (unsigned i = 0; i + 1 < p.n; i++)
		send_piece(i);
	for (unsigned i = 0; i < 30000; i++) {
		struct endpoint from = somewhere();

		knock(&from, 1, 1000);
	}
	ok(count(IKE_C_FRAG_EVICTED) > 1000 && kit_sound(), "a flood that fills the store");
	send_piece(p.n - 1);
	ok(client_open(&c, client_answer(&g)) == 0, "leaves a client's message alone");
	kit_end("who gives way");
}

/* Room is made for the oldest by the next. */
static void test_the_oldest_grows(void)
{
	struct endpoint from;

	kit_fresh();
	cut(client_first(&c), 400, 1);
	send_piece(0);
	while (g.ike->frags.bytes + 1200 < LIMIT_FRAG_TOTAL) {
		from = somewhere();
		knock(&from, 1, 512);
	}
	from = somewhere();
	knock(&from, 1, LIMIT_FRAG_TOTAL - g.ike->frags.bytes - sizeof(struct frag_set) - 100);
	ok(count(IKE_C_FRAG_EVICTED) == 0 && g.ike->frags.bytes > LIMIT_FRAG_TOTAL - 100 &&
		   kit_sound(),
	   "a store that is full, the client's message is the oldest in it");
	for (unsigned i = 1; i < p.n; i++)
		send_piece(i);
	ok(answered() && count(IKE_C_FRAG_EVICTED) >= 1, "it grows, and another gives way");
	kit_end("the oldest grows");
}

/* And when the clients fill it, the oldest of theirs does. */
static void test_clients_fill(void)
{
	static const uint8_t data[LIMIT_FRAG_MESSAGE / 8];
	static struct client d;
	struct endpoint from;
	unsigned n = 0;

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.half_open_total = 1000;
	gate_start(&g);
	for (unsigned i = 0; i < 200; i++) {
		kit_another(&d, "192.0.2.1:500");
		d.self.addr = ipaddr_v4(0x0a000000 + i);
		d.seed = i;
		n += client_phase1(&d, &g);
		for (unsigned m = 0; m < 2 * 7; m++) {
			struct ike_build b = build_start(d.buf, sizeof(d.buf), d.cky_i, d.cky_r,
							 XCHG_AGGRESSIVE, 0);
			struct span hdr = wr_done(&b.w);

			piece_make(&one, hdr, (uint16_t)(1 + m % 2), (uint8_t)(1 + m / 2), false,
				   SPAN_OF(data));
			client_raw(&d, &g, piece_span(&one));
		}
	}
	ok(n == 200 && kit_sound() && count(IKE_C_FRAG_EVICTED) > 50,
	   "200 clients with 28 kB each: the store is full, the oldest messages gave way");
	ok(g.ike->frags.bytes <= LIMIT_FRAG_TOTAL &&
		   g.ike->frags.bytes > LIMIT_FRAG_TOTAL - LIMIT_FRAG_MESSAGE,
	   "to the byte");
	from = somewhere();
	knock(&from, 1, 500);
	ok(g.ike->frags.strangers.oldest != NULL && kit_sound(),
	   "a stranger's first message still finds room");
	c.frag = 100;
	ok(client_up(&c, &g), "and logs in");
	kit_end("clients fill it");
}

/* ---- what it costs ---- */

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void test_cost(void)
{
	static const char *const names[] = { "descending", "evens, then odds",
					     "the last withheld" };
	static const unsigned n = 100000;
	static const uint8_t filler[15800];

	for (unsigned how = 0; how < ARRAY_SIZE(names); how++) {
		double start;

		kit_fresh();
		first();
		craft_add(&k, PL_CERT, (struct span){ filler, sizeof(filler) - k.n });
		cut(craft_span(&k), 500, 1);
		if (p.n != 32)
			abort();
		for (unsigned i = 0; i < 4000; i++) { /* a store that is full */
			struct endpoint from = somewhere();

			knock(&from, 1, 900);
		}
		start = cpu_us();
		for (unsigned i = 0; i < n; i++) {
			unsigned at = i % 32;

			if (how == 0)
				at = 31 - at;
			else if (how == 1)
				at = at < 16 ? 2 * at : 2 * (at - 16) + 1;
			/* another outer cookie each time: put together, and then refused */
			for (unsigned x = 0; x < 32 && i % 32 == 0; x++)
				memcpy(p.v[x].b, &(uint32_t){ i + 1 }, 4);
			if (how == 2 && at == 31)
				gate_pass(&g, S(LIMIT_FRAG_LIFE_S));
			else
				send_piece(at);
		}
		double each = (cpu_us() - start) / n;

		printf("# %s: %.2f us each\n", names[how], each);
		ok(count(IKE_C_DROP_FRAG_LIMIT) == 0 &&
			   count(how == 2 ? IKE_C_FRAG_EXPIRED : IKE_C_DROP_FRAG_MALFORMED) >=
				   n / 32,
		   "N132: %s: each message is put together, or runs out of time", names[how]);
		ok(each <= 20, "N132: %s: at most 20 us for a fragment", names[how]);
		gate_pass(&g, S(60));
		kit_end(names[how]);
	}
}

int main(void)
{
	test_pieces();
	test_bytes();
	test_time();
	test_source();
	test_clients();
	test_lone();
	test_flood();
	test_who_gives_way();
	test_the_oldest_grows();
	test_clients_fill();
	test_cost();
	return done();
}
