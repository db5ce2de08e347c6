/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_life.c - session_limit and idle_limit: when a session ends by them, and what has a say. */
#include "hostile_kit.h"

#define LIMIT 3600 /* s */
#define IDLE  600

static void limited(uint64_t limit_us, uint64_t idle_us,
		    bool (*login)(struct client *, struct gate *))
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.session_limit_us = limit_us;
	g.conf.idle_limit_us = idle_us;
	g.conf.p2_life_s = 28800;
	gate_start(&g);
	if (!login(&c, &g))
		abort();
}

/* Ended for this reason, completely, and the client was told both Deletes. */
static bool over(enum ike_reason why)
{
	return kit_state() == IKE_ST_CLOSING && gate_count(&g, FX_DOWN, why) == 1 && g.n_out == 2 &&
	       g.n_pairs == 0 && g.leases == 0 && kit_sound();
}

static struct sess_id id(void)
{
	return client_sa(&c, &g)->id;
}

/* What the verdict on the password says, RADIUS's Session-Timeout. */
static void test_own_limit(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.session_limit_us = S(LIMIT);
	g.conf.p2_life_s = 28800;
	g.groups.session_s = 60;
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	is_int((long long)ike_ends_at(g.ike, client_sa(&c, &g)), (long long)(g.now + S(60)),
	       "a user's own limit counts where it is the shorter one");
	gate_pass(&g, S(60) - 1);
	is_int(kit_state(), IKE_ST_UP, "it is up until then");
	gate_pass(&g, 1);
	ok(over(IKE_R_SESSION_LIMIT), "and not a moment longer");
	kit_end("a user's own limit");

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.session_limit_us = S(LIMIT);
	g.groups.session_s = UINT32_MAX;
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	is_int((long long)ike_ends_at(g.ike, client_sa(&c, &g)), (long long)(g.now + S(LIMIT)),
	       "a longer one does not stretch session_limit");
	g.groups.session_s = 0;
	gate_stop(&g);
}

static void test_session_limit(void)
{
	limited(S(LIMIT), 0, client_up);
	is_int((long long)ike_ends_at(g.ike, client_sa(&c, &g)), (long long)(g.now + S(LIMIT)),
	       "session_limit is when a session ends at the latest");
	for (unsigned i = 1; i < 60; i++) { /* busy to the last */
		gate_pass(&g, S(LIMIT / 60));
		ike_traffic(g.ike, id(), true, g.now);
		client_to(&c, &g, client_dpd(&c, i));
	}
	client_quick(&c, &g);
	gate_pass(&g, S(LIMIT / 60) - 1);
	is_int(kit_state(), IKE_ST_UP, "it is up until then");
	gate_pass(&g, 1);
	ok(over(IKE_R_SESSION_LIMIT),
	   "and not a moment longer, whatever it does; the client is told");
	is_str(ike_reason_key(IKE_R_SESSION_LIMIT), "session-limit",
	       "the journal has a word for it");
	kit_end("session_limit");

	limited(S(90000), 0, client_up);
	is_int((long long)ike_ends_at(g.ike, client_sa(&c, &g)),
	       (long long)client_sa(&c, &g)->expires_us, "the ISAKMP SA may end before that");
	gate_stop(&g);

	limited(S(60), 0, client_login);
	gate_pass(&g, S(60) - 1);
	ok(client_quick(&c, &g), "who was slow to come up");
	gate_pass(&g, 1);
	is_int(kit_state(), IKE_ST_CLOSING, "has no more time for that: it counts from the login");
	kit_end("slow");
}

static void test_idle_limit(void)
{
	limited(0, S(IDLE), client_login);
	gate_pass(&g, S(50));
	client_quick(&c, &g);
	gate_pass(&g, S(IDLE) - 1);
	is_int(kit_state(), IKE_ST_UP, "idle_limit begins when a session is up");
	gate_pass(&g, 1);
	ok(over(IKE_R_IDLE), "without a packet it ends by that, and the client is told");
	is_str(ike_reason_key(IKE_R_IDLE), "idle-limit", "the journal has a word for it");
	kit_end("idle_limit");

	limited(0, S(IDLE), client_up);
	for (unsigned i = 0; i < 30; i++) {
		gate_pass(&g, S(IDLE - 1));
		ike_traffic(g.ike, id(), i % 2, g.now);
	}
	is_int(kit_state(), IKE_ST_UP, "packets keep a session, whichever way they go");
	for (unsigned i = 1; i < 10; i++) {
		gate_pass(&g, S(IDLE / 10));
		client_to(&c, &g, client_dpd(&c, i));
		client_quick(&c, &g);
	}
	is_int(kit_state(), IKE_ST_UP, "IKE messages");
	gate_pass(&g, S(IDLE / 10));
	is_int(gate_count(&g, FX_DOWN, IKE_R_IDLE), 1, "do not: clients send them by themselves");
	kit_end("activity");

	limited(S(IDLE), S(IDLE), client_up);
	gate_pass(&g, S(IDLE));
	ok(over(IKE_R_SESSION_LIMIT), "when both are reached, session_limit has it");
	kit_end("both");

	limited(0, 0, client_up);
	gate_pass(&g, S(20000));
	is_int(kit_state(), IKE_ST_UP, "0 is no limit");
	gate_stop(&g);
}

static void test_restart(void)
{
	static uint8_t rec[65536];
	struct sess_id now;
	uint64_t since;
	size_t n;

	limited(S(LIMIT), S(IDLE), client_up);
	since = client_sa(&c, &g)->since_us;
	gate_pass(&g, S(IDLE - 100));
	ike_traffic(g.ike, id(), false, g.now);
	gate_pass(&g, S(IDLE - 100));
	ike_save(g.ike, id(), rec, sizeof(rec), &n);
	ike_free(g.ike);
	gate_start(&g);
	ike_restore(g.ike, (struct span){ rec, n }, g.now, &now);
	g.pair[0].who = now;
	is_int((long long)ike_ends_at(g.ike, client_sa(&c, &g)), (long long)(since + S(LIMIT)),
	       "after a restart the limit counts from the login all the same");
	gate_pass(&g, S(100) - 1);
	is_int(kit_state(), IKE_ST_UP, "and idleness");
	gate_pass(&g, 1);
	ok(over(IKE_R_IDLE), "from the last packet");
	kit_end("restart");
}

int main(void)
{
	test_session_limit();
	test_own_limit();
	test_idle_limit();
	test_restart();
	return done();
}
