/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_time.c - what time does: repetitions, back-off, patience, lifetimes, ghosts. */
#include "hostile_kit.h"

#define SENT 64

/* What left in a while, and when, in milliseconds from its start. */
static struct {
	unsigned n;
	unsigned ms[SENT];
	size_t len[SENT];
	uint8_t first[SENT][64]; /* the beginning of each */
	bool late;               /* a deadline stayed in the past */
} log_;

static void watch(uint64_t us)
{
	uint64_t start = g.now, end = g.now + us;

	memset(&log_, 0, sizeof(log_));
	while (ike_deadline(g.ike) <= end) {
		uint64_t due = ike_deadline(g.ike);

		gate_pass(&g, due > g.now ? due - g.now : 0);
		log_.late |= ike_deadline(g.ike) <= g.now;
		for (unsigned i = 0; i < g.n_out && log_.n < SENT; i++) {
			log_.ms[log_.n] = (unsigned)((g.now - start) / 1000);
			log_.len[log_.n] = g.out[i].n;
			memcpy(log_.first[log_.n++], g.out[i].b, 64);
		}
		if (log_.late)
			break;
	}
	gate_pass(&g, end - g.now);
}

/* Sent again at just these milliseconds, the same bytes each time. */
static bool repeated_at(const unsigned *ms, unsigned n)
{
	bool good = log_.n == n && !log_.late;

	for (unsigned i = 0; i < log_.n; i++) {
		good &= i < n && log_.ms[i] == ms[i] && log_.len[i] == log_.len[0] &&
			memcmp(log_.first[i], log_.first[0], 64) == 0;
		if (!good)
			printf("# sent at %u ms\n", log_.ms[i]);
	}
	return good;
}

static const unsigned four[] = { 2000, 6000, 14000, 30000 };

/* ---- before the login ---- */

/* As long as our answer, which may then be repeated as often as it takes. */
static void first_with_room(struct client *who)
{
	static uint8_t filler[1000];

	craft_from(&k, client_first(who));
	for (unsigned i = 0; i < 8; i++)
		craft_add(&k, PL_VID, SPAN_OF(filler));
	client_to(who, &g, craft_span(&k));
}

/* vpnc that was given a wrong group password, and is started again at once. */
static void test_begins_anew(void)
{
	static struct client again, neighbour;

	kit_fresh();
	kit_another(&again, "192.0.2.9:500");
	kit_another(&neighbour, "192.0.2.9:501");
	again.seed = 2, neighbour.seed = 3;
	first_with_room(&neighbour);
	first_with_room(&c);
	ok(client_second(&c, client_answer(&g)) == 0, "a client has our answer");
	gate_pass(&g, S(1));
	first_with_room(&again);
	watch(S(2));
	ok(log_.n == 2 && memcmp(log_.first[0], neighbour.cky_i, 8) == 0 &&
		   memcmp(log_.first[1], again.cky_i, 8) == 0,
	   "when one begins anew from its port, the former answer is not repeated");
	client_to(&c, &g, client_third(&c));
	ok(client_sa(&c, &g) && client_sa(&c, &g)->state == IKE_ST_XAUTH,
	   "but the former exchange goes on, if its client does");
	kit_end("begins anew");
}

static void test_second_message(void)
{
	static uint8_t filler[1000];

	kit_fresh();
	first();
	for (unsigned i = 0; i < 8; i++)
		craft_add(&k, PL_VID, SPAN_OF(filler));
	client_to(&c, &g, craft_span(&k));
	watch(S(14));
	ok(repeated_at(four, 3), "the second message is repeated after 2, 6 and 14 s");
	is_int(ike_half_open(g.ike), 1, "the exchange is still there");
	watch(S(2));
	is_int(ike_half_open(g.ike), 0, "DOS-02: after 15 s without a third message it ends");
	is_int(g.n_events, 0, "nobody is bothered with that");
	kit_end("second message");
	kit_fresh();
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, client_first(&c));
	watch(S(16));
	is_int(ike_half_open(g.ike), 0, "one whose Diffie-Hellman never comes ends as well");
	gate_do_all(&g);
	is_int(g.n_out, 0, "and a late one finds nobody");
	kit_end("late Diffie-Hellman");
	kit_fresh();
	g.hold = GATE_HOLD(SIGN);
	client_to(&c, &g, client_first(&c));
	watch(S(16));
	gate_do_all(&g);
	ok(ike_half_open(g.ike) == 0 && g.n_out == 0, "so does one without a signature");
	kit_end("late signature");
}

static void test_xauth_request(void)
{
	kit_with(client_phase1);
	watch(S(59));
	ok(repeated_at(four, 4), "the question for the name is repeated, ever more slowly");
	is_int(kit_state(), IKE_ST_XAUTH, "while somebody may still be typing");
	watch(S(2));
	ok(kit_state() == IKE_ST_CLOSING && gate_count(&g, FX_DOWN, IKE_R_CLIENT_SILENT) == 1,
	   "after auth_timeout the login has failed");
	is_int(ike_half_open(g.ike), 1, "its ghost counts as half-open");
	watch(S(11));
	ok(kit_state() == -1 && ike_half_open(g.ike) == 0,
	   "W20: and ends, long before the life of phase 1 is over");
	kit_end("XAuth request");
}

/* The three settings of repetition, each with another value than everywhere else. */
static void test_settings(void)
{
	static const struct {
		uint64_t first_us;
		double factor;
		uint8_t tries;
		unsigned n, ms[6];
	} rows[] = {
		{ 1000000, 1.0, 5, 5, { 1000, 2000, 3000, 4000, 5000 } },
		{ 1000000, 1.5, 4, 4, { 1000, 2500, 4750, 8125 } },
		{ 2000000, 3.0, 3, 3, { 2000, 8000, 26000 } },
		{ 1500000, 10.0, 1, 1, { 1500 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kit_prepare();
		g.no_crypto = c.no_crypto = true;
		g.conf.retransmit_us = rows[i].first_us;
		g.conf.retransmit_factor = rows[i].factor;
		g.conf.retransmit_tries = rows[i].tries;
		gate_start(&g);
		client_phase1(&c, &g);
		watch(S(59));
		ok(repeated_at(rows[i].ms, rows[i].n),
		   "%u repetitions, the first after %u ms, each wait %.1f times the last one",
		   rows[i].tries, (unsigned)(rows[i].first_us / 1000), rows[i].factor);
		kit_end("settings");
	}
}

static void test_xauth_answer_stops(void)
{
	kit_with(client_phase1);
	gate_pass(&g, S(3));
	g.hold = GATE_HOLD(AUTH);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	watch(S(30));
	is_int(log_.n, 0, "an answered question is not repeated");
	gate_verdict(&g, IKE_AUTH_OK);
	client_open(&c, gate_only(&g));
	watch(S(31));
	ok(repeated_at(four, 4), "the verdict is repeated until it is acknowledged");
	watch(S(20));
	is_int(log_.n, 0, "and then no more");
	kit_end("verdict");
	kit_with(client_phase1);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	client_open(&c, gate_only(&g));
	gate_pass(&g, S(3));
	client_to(&c, &g, client_ack(&c));
	watch(S(50));
	ok(xchg_by_kind(client_sa(&c, &g), XCHG_KIND_PUSH) &&
		   !xchg_by_kind(client_sa(&c, &g), XCHG_KIND_STATUS),
	   "an acknowledgement stops the repetitions");
	ok(repeated_at(four, 4), "a client that asks for nothing is told, as patiently");
	watch(S(20));
	ok(gate_count(&g, FX_DOWN, IKE_R_NOT_UP) == 1 && g.leases == 0,
	   "a login without an SA pair ends after auth_timeout");
	gate_pass(&g, S(20));
	is_int(kit_state(), -1, "nothing is left");
	kit_end("no pair");
	kit_with(client_login);
	watch(S(LIMIT_NO_PAIR_S) - S(1));
	ok(kit_state() == IKE_ST_LEASED && client_quick(&c, &g) && kit_state() == IKE_ST_UP,
	   "one that has its address may wait until it has something to send");
	kit_end("late pair");
	kit_with(client_login);
	watch(S(LIMIT_NO_PAIR_S) + S(1));
	ok(gate_count(&g, FX_DOWN, IKE_R_NOT_UP) == 1 && g.leases == 0, "but not for ever");
	kit_end("no pair ever");
	kit_with(client_xauth);
	gate_pass(&g, S(59));
	client_to(&c, &g, client_quick1(&c, hex("01000000 0a636301"), nil));
	client_quick2(&c, gate_only(&g));
	gate_pass(&g, S(5));
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_UP && g.n_pairs == 1,
	   "nor does a login end in the middle of a Quick Mode");
	kit_end("last moment");
}

static void test_refusal(void)
{
	kit_with(client_phase1);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	watch(S(3));
	ok(log_.n == 1 && log_.ms[0] == 2000, "a refusal is repeated once");
	watch(S(2));
	is_int(kit_state(), IKE_ST_CLOSING, "and followed by a delete");
	watch(S(11));
	ok(repeated_at((const unsigned[]){ 1000, 5000 }, 2) && kit_state() == -1,
	   "which is repeated until the ghost ends");
	kit_end("refusal");
}

/* ---- Quick Mode ---- */

static void test_quick(void)
{
	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	watch(S(29));
	ok(repeated_at(four, 3), "the second message of Quick Mode is repeated");
	is_int(g.n_pairs, 1, "its pair is in the kernel");
	watch(S(2));
	ok(g.n_pairs == 0 && kit_state() == IKE_ST_LEASED,
	   "N199: after 30 s without the third message it is taken out");
	kit_end("Quick Mode");
	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	gate_pass(&g, S(3));
	client_to(&c, &g, client_quick3(&c));
	watch(S(100));
	ok(log_.n == 0 && g.n_pairs == 1, "the third message stops the repetitions");
	kit_end("confirmed");
	kit_with(client_login);
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	watch(S(31));
	ok(log_.n == 0 && kit_sound(), "a kernel that does not answer: nothing is sent");
	gate_do_all(&g);
	ok(g.n_pairs == 0 && g.n_out == 0, "and its late answer is undone");
	kit_end("late kernel");
	kit_with(client_login);
	g.hold = GATE_HOLD(DH);
	c.pfs = 31;
	client_to(&c, &g, client_quick1(&c, nil, nil));
	watch(S(31));
	gate_do_all(&g);
	ok(g.n_pairs == 0 && g.n_out == 0 && kit_sound(), "so with a late Diffie-Hellman");
	kit_end("late PFS");
}

static void test_child_life(void)
{
	static const unsigned rest[] = { 1000, 5000 };

	kit_with(client_up);
	watch(S(2879));
	ok(log_.n == 0, "for four fifths of a pair's life nothing happens");
	watch(S(720));
	ok(log_.n == 5 && g.n_pairs == 1, "the client is asked for another, five times, in vain");
	watch(S(2));
	ok(g.n_pairs == 0 && log_.n == 1, "then it is taken out, and the client is told");
	is_int(kit_state(), IKE_ST_UP, "the session stays");
	watch(S(8));
	ok(repeated_at(rest, 2), "the delete is repeated twice: nobody acknowledges it");
	watch(S(100));
	is_int(log_.n, 0, "and then no more");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "a new pair is welcome");
	kit_end("pair's life");
}

static void test_rekey(void)
{
	uint32_t old;

	kit_with(client_up);
	gate_pass(&g, S(3000));
	old = c.spi_out;
	ok(client_quick(&c, &g) && g.n_pairs == 2 && client_keys_match(&c, &g),
	   "a newer pair for the same traffic stands beside the older one");
	ok(g.pair[0].fx.set == g.pair[1].fx.set, "with the same policies");
	watch(S(29));
	is_int(g.n_pairs, 2, "which still receives for a while");
	watch(S(2));
	ok(g.n_pairs == 1 && g.pair[0].fx.spi_in != old && log_.n == 1,
	   "and is then taken out, and the client is told: it may still send with it");
	ok(gate_count(&g, FX_UP, IKE_R__COUNT) == 1, "all that is one session");
	kit_end("rekey");
}

/* ---- the ISAKMP SA ---- */

static void test_phase1_life(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.p1_life_s = 7200;
	g.conf.p2_life_s = 28800;
	gate_start(&g);
	client_up(&c, &g);
	watch(S(10));
	ok(log_.n == 2, "a client that believes in a longer life is told");
	watch(S(7189));
	ok(log_.n == 0 && kit_state() == IKE_ST_UP, "a session lives as long as phase 1");
	watch(S(2));
	ok(kit_state() == IKE_ST_CLOSING && gate_count(&g, FX_DOWN, IKE_R_LIFETIME) == 1 &&
		   g.n_pairs == 0 && g.leases == 0 && log_.n == 2,
	   "then all of it ends at once, and the client is told");
	kit_end("phase 1's life");
}

/* Whose lifetime counts: the shorter one, or with obey the client's; never next to nothing. */
static void test_offered_life(void)
{
	static const struct {
		const char *name, *life;
		enum ike_check check;
		uint32_t ours;
		uint64_t s;
	} rows[] = {
		{ "vpnc's 25 days", "0020c49b", IKE_CHECK_CLAIM, 86400, 86400 },
		{ "an hour", "00000e10", IKE_CHECK_CLAIM, 86400, 3600 },
		{ "N070: a second", "00000001", IKE_CHECK_CLAIM, 86400, LIMIT_MIN_LIFE_S },
		{ "N070: nothing", "00000000", IKE_CHECK_CLAIM, 86400, LIMIT_MIN_LIFE_S },
		{ "N070: 2^32-1 s", "ffffffff", IKE_CHECK_CLAIM, 86400, 86400 },
		{ "25 days, obeyed", "0020c49b", IKE_CHECK_OBEY, 86400, 2147483 },
		{ "a second, obeyed", "00000001", IKE_CHECK_OBEY, 86400, LIMIT_MIN_LIFE_S },
		{ "an hour, where we say 20 s", "00000e10", IKE_CHECK_CLAIM, 20, 20 },
		{ "a second, where we say 20 s", "00000001", IKE_CHECK_CLAIM, 20, 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kit_prepare();
		g.no_crypto = c.no_crypto = true;
		g.conf.check = rows[i].check;
		g.conf.p1_life_s = rows[i].ours;
		gate_start(&g);
		first();
		memcpy(craft_body(&k, PL_SA, 0) + craft_body_len(&k, PL_SA, 0) - 4,
		       hex(rows[i].life).p, 4);
		memcpy(c.sa_i, craft_body(&k, PL_SA, 0), c.sa_i_len);
		client_to(&c, &g, craft_span(&k));
		client_second(&c, gate_only(&g));
		client_to(&c, &g, client_third(&c));
		is_int((long long)((client_sa(&c, &g)->expires_us - g.now) / US_PER_S),
		       (long long)rows[i].s, rows[i].name);
		gate_stop(&g);
	}
}

static void test_ghost(void)
{
	kit_with(client_up);
	ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
	g.n_out = 0;
	gate_run(&g);
	is_int(g.n_out, 2, "a session that is kicked is told so");
	ok(ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx) < 0 && !g.fx.n,
	   "it cannot be kicked twice");
	watch(S(9));
	is_int(log_.n, 4, "both deletes are repeated twice");
	is_int(kit_state(), IKE_ST_CLOSING, "by a ghost");
	watch(S(2));
	ok(kit_state() == -1 && ike_deadline(g.ike) == UINT64_MAX, "which ends after ten seconds");
	kit_end("ghost");
	kit_with(client_up);
	ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_SHUTDOWN, g.now, &g.fx);
	gate_run(&g);
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && ike_deadline(g.ike) == UINT64_MAX &&
		   gate_count(&g, FX_DOWN, IKE_R__COUNT) == 1,
	   "or as soon as the client says good-bye, too");
	kit_end("good-bye");
}

/* vpnc is deaf to the second of two Deletes, and is known by the name of the Cisco client. */
static void test_one_delete(void)
{
	static const struct {
		const char *name;
		unsigned told;
	} rows[] = {
		{ "Cisco Systems VPN Client 0.5.3:Linux", 1 },
		{ "Cisco Systems VPN Client", 1 },
		{ "Cisco Systems VPN Clien", 2 },
		{ "strongSwan", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t buf[128];
		struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };
		struct ike_delete d = { 0 };

		kit_with(client_up);
		build_tlv(&b, APPLICATION_VERSION, span_str(rows[i].name));
		client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
		ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
		g.n_out = 0;
		gate_run(&g);
		ok(g.n_out == rows[i].told && g.n_pairs == 0, "%s: %u deletes", rows[i].name,
		   rows[i].told);
		ok(client_open(&c, gate_out(&g, g.n_out - 1)) == 0 && c.msg.n_delete == 1 &&
			   ike_delete_read(c.msg.del[0], &d) == 0 && d.proto == PROTO_ISAKMP,
		   "the last of them is the session's");
		kit_end("deletes");
	}
}

/* What is remembered is forgotten: a session that only idles has nothing to do but its lifetimes. */
static void test_idle(void)
{
	const struct ike_sa *sa;

	kit_with(client_up);
	gate_pass(&g, S(40));
	sa = client_sa(&c, &g);
	ok(!sa->xchgs, "after half a minute no exchange is remembered");
	ok(ike_deadline(g.ike) == sa->children->rekey_us,
	   "and the next thing to do is to renew the pair");
	kit_end("idle");
}

/* The clock jumps: a machine that slept. */
static void test_jump(void)
{
	kit_with(client_up);
	g.now += S(3 * 86400);
	ike_tick(g.ike, g.now, &g.fx);
	gate_run(&g);
	ok(ike_deadline(g.ike) > g.now && g.n_pairs == 0 && g.leases == 0 && kit_sound(),
	   "REL-08: after three days of sleep everything has ended, in one go");
	kit_end("sleep");
	kit_fresh();
	for (unsigned i = 0; i < 60; i++) {
		struct client x;

		kit_another(&x, "192.0.2.1:500");
		x.self.addr = ipaddr_v4(0x0a000000 + i);
		x.seed = i;
		client_up(&x, &g);
	}
	is_int(ike_sessions(g.ike), 60, "sixty sessions");
	g.now += S(3 * 86400);
	unsigned rounds = 0;

	while (ike_deadline(g.ike) <= g.now && rounds++ < 1000) {
		g.n_out = 0;
		ike_tick(g.ike, g.now, &g.fx);
		gate_run(&g);
	}
	ok(rounds < 1000 && ike_sessions(g.ike) == 0 && g.n_pairs == 0 && g.leases == 0,
	   "all of them end, as many at a time as there is room for effects");
	is_str(g.fault, "", "and no effect is lost");
	gate_stop(&g);
}

int main(void)
{
	test_begins_anew();
	test_second_message();
	test_xauth_request();
	test_settings();
	test_xauth_answer_stops();
	test_refusal();
	test_quick();
	test_child_life();
	test_rekey();
	test_phase1_life();
	test_offered_life();
	test_ghost();
	test_one_delete();
	test_idle();
	test_jump();
	return done();
}
