/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_replay.c - datagrams that come again: N237 (a repetition gets the stored answer, byte
 * for byte, and is not processed twice) and N238 (a recorded session, played back, does nothing).
 */
#include "hostile_kit.h"

#define TAPE 32

/* Every datagram of a session, both directions, as seen on the wire. */
static struct tape {
	struct endpoint from, to;
	bool natt, ours; /* the gateway's */
	size_t n;
	uint8_t b[2048];
} tape[TAPE];
static unsigned n_tape;

static void record(const struct endpoint *from, const struct endpoint *to, bool natt, bool ours,
		   struct span s)
{
	struct tape *t = &tape[n_tape++];

	if (n_tape > TAPE || s.n > sizeof(t->b))
		abort();
	*t = (struct tape){ .from = *from, .to = *to, .natt = natt, .ours = ours, .n = s.n };
	memcpy(t->b, s.p, s.n);
}

/* Sends, twice when `twice`; the second answer must be the first one, or none. */
static bool send_recorded(struct span s, bool twice)
{
	uint8_t in[2048], out[4096];
	struct gate_dgram first[2];
	unsigned n_out;
	bool good = true;

	memcpy(in, s.p, s.n);
	record(&c.self, &c.gateway, c.floated, false, (struct span){ in, s.n });
	client_to(&c, &g, (struct span){ in, s.n });
	n_out = g.n_out;
	if (n_out > 2)
		return false;
	memcpy(first, g.out, n_out * sizeof(first[0]));
	for (unsigned i = 0; i < n_out; i++)
		record(&g.out[i].local, &g.out[i].peer, g.out[i].natt, true, gate_out(&g, i));
	if (twice) {
		unsigned events = g.n_events, pairs = g.n_pairs;

		client_to(&c, &g, (struct span){ in, s.n });
		good = g.n_events == events && g.n_pairs == pairs && g.n_out <= n_out;
		if (g.n_out)
			good &= g.out[0].n == first[0].n &&
				memcmp(g.out[0].b, first[0].b, first[0].n) == 0;
	}
	/* what the caller reads next is the first answer */
	g.n_out = n_out;
	memcpy(g.out, first, n_out * sizeof(first[0]));
	(void)out;
	return good && kit_sound();
}

static bool play_aggressive(bool twice)
{
	return send_recorded(client_first(&c), twice) && client_second(&c, gate_only(&g)) == 0 &&
	       send_recorded(client_third(&c), twice) && client_open(&c, gate_only(&g)) == 0;
}

static bool play_main(bool twice)
{
	return send_recorded(client_first(&c), twice) && client_main2(&c, gate_only(&g)) == 0 &&
	       send_recorded(client_main3(&c), twice) && client_main4(&c, gate_only(&g)) == 0 &&
	       send_recorded(client_main5(&c), twice) && client_main6(&c, gate_out(&g, 0)) == 0 &&
	       client_open(&c, gate_out(&g, 1)) == 0;
}

/* A whole session, from the first message to the delete. */
static bool play(bool twice)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	bool good;

	n_tape = 0;
	good = (c.main ? play_main(twice) : play_aggressive(twice)) &&
	       send_recorded(client_credentials(&c, span_str("alice"), span_str("wonderland")),
			     twice) &&
	       client_open(&c, gate_only(&g)) == 0 && send_recorded(client_ack(&c), twice) &&
	       send_recorded(client_config(&c, addr, 1), twice) &&
	       client_open(&c, gate_only(&g)) == 0 && client_take_address(&c) &&
	       send_recorded(client_quick1(&c, nil, nil), twice) &&
	       client_quick2(&c, gate_only(&g)) == 0 && send_recorded(client_quick3(&c), twice);
	return good && kit_state() == IKE_ST_UP && client_keys_match(&c, &g);
}

static void test_everything_twice(void)
{
	kit_fresh();
	ok(play(true), "N237: a login whose every datagram comes twice works as ever");
	ok(g.n_pairs == 1 && g.leases == 1 && gate_count(&g, FX_AUTH, IKE_R__COUNT) == 1 &&
		   gate_count(&g, FX_LEASE, IKE_R__COUNT) == 1 &&
		   gate_count(&g, FX_CHILD_ADD, IKE_R__COUNT) == 1 &&
		   gate_count(&g, FX_UP, IKE_R__COUNT) == 1,
	   "N237: and nothing was done twice");
	ok(send_recorded(client_delete_child(&c), true), "a delete of the pair, twice");
	ok(send_recorded(client_delete_isakmp(&c), true) && kit_state() == -1,
	   "a delete of the session, twice");
	kit_end("everything twice");
	kit_fresh();
	c.behind_nat = true;
	c.clear_third = true;
	c.pfs = 31;
	ok(play(true), "N237: behind a NAT, with PFS, too");
	kit_end("behind a NAT");
	for (unsigned psk = 0; psk < 2; psk++) {
		kit_fresh();
		c.main = true;
		c.behind_nat = true;
		if (psk)
			c.auth = AUTH_XAUTH_PSK;
		ok(play(true) && g.n_pairs == 1 && g.leases == 1 &&
			   gate_count(&g, FX_AUTH, IKE_R__COUNT) == 1,
		   "N237: in main mode with %s, too", psk ? "a shared key" : "a certificate");
		kit_end("main mode");
	}
}

/* Requests with a stored answer get it for as long as it is kept. */
static void test_stored_answers(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	uint8_t req[512], ans[2048];
	struct span s;
	size_t n, n_ans;

	kit_with(client_login);
	s = client_config(&c, addr, 1);
	memcpy(req, s.p, n = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	memcpy(ans, s.p, n_ans = s.n);
	for (unsigned i = 0; i < 4; i++) {
		gate_pass(&g, S(20));
		client_to(&c, &g, (struct span){ req, n });
		is_bytes(gate_only(&g), (struct span){ ans, n_ans },
			 "N237: a config request again gets the same bytes, as long as it comes");
	}
	gate_pass(&g, S(31));
	ok(dropped((struct span){ req, n }), "N237: when the answer is forgotten it is dropped");
	ok(ike_counter(g.ike, IKE_C_DROP_REPLAY) >= 1, "as a replay");
	kit_end("stored answers");
}

/* A client that is refused hears it as often as it asks: the Notify may get lost. */
static void stored_refusal(const char *name, struct span quick1)
{
	uint8_t req[2048], ans[2048];
	unsigned events;
	struct span s;
	size_t n, n_ans;

	memcpy(req, quick1.p, n = quick1.n);
	client_to(&c, &g, (struct span){ req, n });
	s = gate_only(&g);
	memcpy(ans, s.p, n_ans = s.n);
	events = g.n_events;
	client_to(&c, &g, (struct span){ req, n });
	ok(n_ans && span_eq(gate_only(&g), (struct span){ ans, n_ans }),
	   "N237: a Quick Mode that is refused (%s) gets the same refusal again", name);
	ok(g.n_events == events && g.n_pairs == 0, "and nothing happens twice");
	kit_end(name);
}

static void test_stored_refusals(void)
{
	kit_with(client_login);
	stored_refusal("identity", client_quick1(&c, hex("01000000 0a010101"), nil));
	kit_with(client_login);
	c.esp.key_len = 192;
	stored_refusal("proposal", client_quick1(&c, nil, nil));
	kit_with(client_login);
	g.child_err = -28;
	stored_refusal("kernel", client_quick1(&c, nil, nil));
	kit_with(client_login);
	g.dh_err = -22;
	c.pfs = 31;
	stored_refusal("public value", client_quick1(&c, nil, nil));
}

/* What the recording does now, from the same place or another. */
static bool play_back(const char *from)
{
	struct endpoint evil = ep(from);
	unsigned sessions = ike_sessions(g.ike), pairs = g.n_pairs, leases = g.leases;
	unsigned auths = gate_count(&g, FX_AUTH, IKE_R__COUNT);
	bool good = true;

	for (unsigned i = 0; i < n_tape; i++) {
		const struct tape *t = &tape[i];
		struct endpoint peer = evil;

		gate_input(&g, &peer, t->ours ? &t->from : &t->to, t->natt,
			   (struct span){ t->b, t->n });
		good &= ike_sessions(g.ike) == sessions && g.n_pairs == pairs &&
			g.leases == leases && ike_half_open(g.ike) <= 1 &&
			gate_count(&g, FX_AUTH, IKE_R__COUNT) == auths && kit_sound();
	}
	gate_pass(&g, S(60));
	return good && ike_half_open(g.ike) == 0;
}

static void test_play_back(void)
{
	struct endpoint home;

	kit_fresh();
	play(false);
	home = client_sa(&c, &g)->peer;
	ok(play_back("192.0.2.9:500"), "N238: a session played back from its own place: nothing");
	ok(play_back("203.0.113.66:500"), "N238: from another place: nothing");
	ok(endpoint_eq(&home, &client_sa(&c, &g)->peer) && client_keys_match(&c, &g) &&
		   kit_state() == IKE_ST_UP,
	   "N238: the session is where and what it was");
	gate_pass(&g, S(3000));
	ok(play_back("203.0.113.66:500") && endpoint_eq(&home, &client_sa(&c, &g)->peer),
	   "N238: an hour later: nothing");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && play_back("192.0.2.9:500") && play_back("203.0.113.66:500"),
	   "N238: when the session has ended: nothing");
	kit_end("played back");
}

static void test_play_back_main(void)
{
	struct endpoint home;

	kit_fresh();
	c.main = true;
	c.auth = AUTH_XAUTH_PSK;
	play(false);
	home = client_sa(&c, &g)->peer;
	ok(play_back("192.0.2.9:500") && play_back("203.0.113.66:500"),
	   "N238: a session that began in main mode, from its own and another place: nothing");
	ok(endpoint_eq(&home, &client_sa(&c, &g)->peer) && client_keys_match(&c, &g),
	   "N238: it is where and what it was");
	gate_pass(&g, S(3000));
	ok(play_back("203.0.113.66:500") && endpoint_eq(&home, &client_sa(&c, &g)->peer),
	   "N238: an hour later: nothing");
	kit_end("main mode played back");
}

static void test_play_back_restarted(void)
{
	static uint8_t record[65536];
	struct sess_id id;
	size_t n = 0;

	kit_fresh();
	play(false);
	if (ike_save(g.ike, client_sa(&c, &g)->id, record, sizeof(record), &n) < 0)
		abort();
	g.ike = ike_free(g.ike);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ record, n }, g.now, &id), 0,
	       "a gateway restarts with its sessions");
	for (unsigned i = 0; i < g.n_pairs; i++)
		g.pair[i].who = id;
	struct endpoint home = client_sa(&c, &g)->peer;

	ok(play_back("203.0.113.66:500") && endpoint_eq(&home, &client_sa(&c, &g)->peer),
	   "N238: what was used before the restart stays used");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "and the client goes on");
	kit_end("restarted");
	kit_fresh();
	play(false);
	g.ike = ike_free(g.ike);
	gate_sweep(&g);
	g.leases = 0;
	memset(g.leased, 0, sizeof(g.leased));
	gate_start(&g);
	ok(play_back("192.0.2.9:500"), "N238: a gateway without memory: half-open, nothing more");
	kit_end("without memory");
}

/* Another gateway's session has the same cookies only by forgery: the keys tell. */
static void test_mixed(void)
{
	static struct client d;

	kit_fresh();
	play(false);
	d = c;
	client_init(&c, "192.0.2.10:500", "198.51.100.1:500");
	c.no_crypto = true;
	c.seed = 99;
	client_up(&c, &g);
	for (unsigned i = 0; i < n_tape; i++) {
		memcpy(tape[i].b, c.cky_i, 8);
		if (i)
			memcpy(tape[i].b + 8, c.cky_r, 8);
	}
	ok(play_back("192.0.2.10:500") && client_keys_match(&c, &g) && client_keys_match(&d, &g),
	   "N160: one session's datagrams under another's cookies: nothing");
	kit_end("mixed");
}

int main(void)
{
	test_everything_twice();
	test_stored_answers();
	test_stored_refusals();
	test_play_back();
	test_play_back_main();
	test_play_back_restarted();
	test_mixed();
	return done();
}
