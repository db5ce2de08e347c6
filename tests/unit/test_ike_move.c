/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_move.c - clients behind a NAT that gives them another port or address: the session
 * follows what is authentic, and nothing else does (N108 - N114, I4).
 */
#include "hostile_kit.h"

static struct client other;

/* Up and behind a NAT, with nothing in the list of events. */
static void start(bool nat)
{
	kit_fresh();
	c.behind_nat = nat;
	kit_another(&other, "192.0.2.77:500");
	other.behind_nat = true;
	if (!client_up(&other, &g) || !client_up(&c, &g))
		abort();
	g.n_events = 0;
}

static const struct ike_child *child(void)
{
	return client_sa(&c, &g)->children;
}

/* The kernel reports ESP for this SPI. */
static void report(uint32_t spi, struct endpoint from, struct endpoint to)
{
	g.n_out = 0;
	ike_moved(g.ike, spi, &from, &to, g.now, &g.fx);
	gate_run(&g);
}

/* ESP of the client's newest pair arrives from there. */
static void esp_from(const char *to)
{
	report(child()->spi_in, child()->peer, ep(to));
}

static unsigned moves(void)
{
	return gate_count(&g, FX_MOVED, IKE_R__COUNT);
}

/* Session and pairs are there, and nobody else's has moved. */
static bool is_at(const char *where)
{
	struct endpoint there = ep(where), home = ep("192.0.2.77:4500");
	const struct ike_sa *sa = client_sa(&c, &g), *so = client_sa(&other, &g);
	bool good = kit_sound() && endpoint_eq(&sa->peer, &there) && endpoint_eq(&so->peer, &home);

	for (unsigned i = 0; i < g.n_pairs; i++) {
		bool mine = memcmp(&g.pair[i].who, &sa->id, sizeof(sa->id)) == 0;

		good &= endpoint_eq(&g.pair[i].fx.peer, mine ? &there : &home);
	}
	return good;
}

/* ---- who moves a session ---- */

static void test_esp(void)
{
	const struct gate_event *e;
	struct endpoint home, there = ep("192.0.2.9:20001");

	start(true);
	home = child()->peer;
	esp_from("192.0.2.9:20001");
	ok(is_at("192.0.2.9:20001"), "ESP from another port moves the session and its pair");
	is_int(gate_count(&g, FX_CHILD_MOVE, IKE_R__COUNT), 1, "with one effect for the kernel");
	e = gate_last(&g, FX_MOVED);
	ok(moves() == 1 && endpoint_eq(&e->from, &home) && endpoint_eq(&e->peer, &there) &&
		   strcmp(e->text, "alice") == 0,
	   "and one that says whose session it is, whence and where");
	is_int((long long)ike_counter(g.ike, IKE_C_MOVED), 1, "it is counted");
	esp_from("203.0.113.5:4500");
	ok(is_at("203.0.113.5:4500") && moves() == 2, "so does ESP from another address");
	ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	there = ep("203.0.113.5:4500");
	ok(g.n_out && endpoint_eq(&g.out[0].peer, &there), "what the gateway says goes there");
	kit_end("ESP");
}

static void test_ike(void)
{
	start(true);
	c.self = ep("192.0.2.9:20001");
	client_to(&c, &g, client_dpd(&c, 1));
	ok(g.n_out == 1 && g.out[0].peer.port == 20001 && is_at("192.0.2.9:20001") && moves() == 1,
	   "a query for life from another port moves session and pair");
	c.self = ep("203.0.113.5:4500");
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(is_at("203.0.113.5:4500") && moves() == 2 && g.n_pairs == 3,
	   "a Quick Mode from another address does, and its new pair is there at once");
	ok(client_quick2(&c, gate_only(&g)) == 0, "the Quick Mode");
	c.self = ep("203.0.113.5:4501");
	client_to(&c, &g, client_quick3(&c));
	ok(is_at("203.0.113.5:4501") && moves() == 3, "goes on from elsewhere, with both pairs");
	kit_end("IKE");
}

/* The kernel sends through what was added last, so the newest pair goes last. */
static void test_order(void)
{
	unsigned n = 0;
	bool rising = true;
	uint32_t last = 0;

	start(true);
	for (unsigned i = 0; i < 3; i++)
		client_quick(&c, &g);
	g.n_events = 0;
	ike_moved(g.ike, child()->spi_in, &child()->peer, &(struct endpoint){ c.self.addr, 7 },
		  g.now, &g.fx);
	for (unsigned i = 0; i < g.fx.n; i++)
		if (g.fx.v[i].kind == FX_CHILD_MOVE) {
			rising &= g.fx.v[i].move.child->child > last;
			last = g.fx.v[i].move.child->child;
			n++;
		}
	gate_run(&g);
	ok(n == 4 && rising, "of several pairs all follow, the newest last");
	ok(is_at("192.0.2.9:7") && moves() == 1, "with one line about it");
	/* an old pair has the last packets of the way there */
	report(client_sa(&c, &g)->children->next->spi_in, child()->peer, ep("192.0.2.9:8"));
	ok(is_at("192.0.2.9:8"), "a packet for a replaced pair says where the client is as well");
	kit_end("order");
}

/* ---- a newer pair that only receives yet ---- */

/* A Quick Mode without its third message; the older pair sends. */
static void half_a_quick(void)
{
	start(true);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	if (client_quick2(&c, gate_only(&g)) < 0 || !child()->out)
		abort();
}

static struct span delete_of(const struct ike_child *old)
{
	uint8_t spi[4];
	struct wr w = wr_into(spi, sizeof(spi));

	wr_be32(&w, old->spi_out);
	return client_delete(&c, PROTO_ESP, wr_done(&w));
}

static void test_receiving(void)
{
	struct endpoint home;

	half_a_quick();
	home = child()->peer;
	esp_from("192.0.2.9:20001");
	ok(endpoint_eq(&child()->peer, &home) && child()->next->peer.port == 20001 &&
		   moves() == 1 && kit_sound(),
	   "a pair that only receives says where the client is, and stays; the older one follows");
	esp_from("192.0.2.9:20001");
	ok(moves() == 1 && gate_count(&g, FX_CHILD_MOVE, IKE_R__COUNT) == 1, "which is done once");
	c.self = ep("192.0.2.9:20001");
	client_to(&c, &g, client_quick3(&c));
	ok(is_at("192.0.2.9:20001") && client_keys_match(&c, &g),
	   "as soon as it sends it is there, too");
	is_int(moves(), 1, "which is no other move");
	kit_end("receives only");
	half_a_quick();
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick3(&c));
	client_to(&c, &g, delete_of(child()->next));
	c.self = ep("203.0.113.5:4500");
	client_to(&c, &g, client_dpd(&c, 1));
	ok(moves() == 0 && kit_sound(), "no pair can follow while the kernel is at the only one");
	gate_do_all(&g);
	ok(is_at("203.0.113.5:4500") && moves() == 1 && client_keys_match(&c, &g),
	   "then it does, and that is told");
	kit_end("receives only, alone");
}

/* What cannot follow goes; the newer one need not wait for it any more. */
static void test_receiving_heir(void)
{
	half_a_quick();
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick3(&c));
	g.move_err = -3;
	report(child()->next->spi_in, child()->next->peer, ep("203.0.113.5:4500"));
	g.move_err = 0;
	gate_do_all(&g);
	ok(is_at("203.0.113.5:4500") && client_sa(&c, &g)->children->state == IKE_CHILD_UP &&
		   g.n_pairs == 2 && client_keys_match(&c, &g),
	   "a newer pair takes over from one that cannot follow");
	kit_end("heir");
}

/* ---- who does not ---- */

static bool ignored(uint32_t spi, const char *from, const char *to)
{
	uint64_t n = ike_counter(g.ike, IKE_C_MOVE_IGNORED);

	look();
	report(spi, ep(from), ep(to));
	return unmoved() && is_at("192.0.2.9:4500") &&
	       ike_counter(g.ike, IKE_C_MOVE_IGNORED) == n + 1;
}

static void test_refused(void)
{
	static const char home[] = "192.0.2.9:4500";
	uint32_t mine;

	start(true);
	mine = child()->spi_in;
	ok(ignored(0x12345678, home, "203.0.113.66:4500"), "N114: an SPI of nobody: ignored");
	ok(ignored(0, home, "203.0.113.66:4500"), "N114: no SPI: ignored");
	ok(ignored(child()->spi_out, home, "203.0.113.66:4500"),
	   "N114: the client's own, outbound SPI: ignored");
	ok(ignored(client_sa(&other, &g)->children->spi_in, home, "203.0.113.66:4500"),
	   "N114: another's SPI with this client's place: ignored");
	ok(ignored(mine, home, home), "N114: no change: ignored");
	ok(ignored(mine, "192.0.2.9:4499", "203.0.113.66:4500"),
	   "N114: from a port where the pair was before: ignored");
	ok(ignored(mine, "192.0.2.8:4500", "203.0.113.66:4500"), "N114: or an address: ignored");
	ok(ignored(mine, home, "203.0.113.66:0"), "N114: to port 0: ignored");
	ok(ignored(mine, home, "0.0.0.1:4500") && ignored(mine, home, "224.0.0.1:4500") &&
		   ignored(mine, home, "255.255.255.255:4500"),
	   "N114: to what is no host: ignored");
	ok(ignored(mine, home, "198.51.100.1:4500"), "N114: to the gateway itself: ignored");
	ok(ignored(mine, home, "[2001:db8::1]:4500"), "N114: to another family: ignored");
	ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	report(mine, ep(home), ep("203.0.113.66:4500"));
	ok(g.n_out == 0 && kit_sound(), "N114: for a session that has ended: ignored");
	kit_end("refused");
}

/* Forged and replayed IKE; what a replay of ESP does, the kernel's window sees to. */
static void test_replays(void)
{
	struct endpoint evil = ep("203.0.113.66:4500");
	uint8_t one[512];
	struct span s;
	size_t n;

	start(true);
	s = client_dpd(&c, 1);
	memcpy(one, s.p, n = s.n);
	client_to(&c, &g, s);
	look();
	gate_input(&g, &evil, &c.gateway, true, (struct span){ one, n });
	ok(endpoint_eq(&client_sa(&c, &g)->peer, &c.self) && is_at("192.0.2.9:4500") &&
		   moves() == 0,
	   "N109: a replayed message moves no pair");
	for (size_t at = 0; at < n; at++) {
		one[at] ^= 0x20;
		gate_input(&g, &evil, &c.gateway, true, (struct span){ one, n });
		one[at] ^= 0x20;
	}
	ok(is_at("192.0.2.9:4500") && moves() == 0, "N108: nor does one with any bit changed");
	s = client_dpd(&c, 2);
	memcpy(one, s.p, n = s.n);
	evil.port = 500;
	gate_input(&g, &evil, &(struct endpoint){ c.gateway.addr, 500 }, false,
		   (struct span){ one, n });
	ok(is_at("192.0.2.9:4500") && moves() == 0, "N117: nor does a good one on port 500");
	kit_end("replays");
}

/* ESP without UDP: nothing tells where it comes from, and nothing follows. */
static void test_plain(void)
{
	start(false);
	esp_from("192.0.2.9:20001");
	ok(moves() == 0 && endpoint_eq(&client_sa(&c, &g)->peer, &c.self) && kit_sound(),
	   "without NAT traversal a report moves nothing");
	c.self.port = 1234;
	client_to(&c, &g, client_dpd(&c, 1));
	ok(g.out[0].peer.port == 1234 && moves() == 0 && child()->peer.port == 500 && kit_sound(),
	   "and IKE is answered where it came from, while the pair stays");
	kit_end("plain");
}

/* ---- how often ---- */

static void test_flood(void)
{
	char to[32];
	unsigned slots, spis, first;

	start(true);
	slots = g.ike->t.cap;
	spis = g.ike->t.spis.cap;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(to, sizeof(to), "203.0.113.5:%u", 1000 + i);
		esp_from(to);
	}
	is_int(moves(), LIMIT_MOVE_BURST, "N111: of 1000 moves at once a few are followed");
	ok(is_at("203.0.113.5:1002"), "N111: and the session is where the last one led");
	ok(g.ike->t.cap == slots && g.ike->t.spis.cap == spis && g.n_pairs == 2,
	   "N111: nothing has grown");
	first = moves();
	for (unsigned i = 0; i < 600; i++) { /* a minute */
		gate_pass(&g, 100000);
		g.n_events = 0;
		snprintf(to, sizeof(to), "203.0.113.5:%u", 2000 + i);
		esp_from(to);
		first += moves();
	}
	is_int(first, LIMIT_MOVE_BURST + 60 / LIMIT_MOVE_S,
	       "N111: later ones follow at their rate");
	gate_pass(&g, S(60));
	g.n_events = 0;
	for (unsigned i = 0; i < 1000; i++) {
		c.self.port = (uint16_t)(3000 + i);
		client_to(&c, &g, client_quick1(&c, hex("01000000 08080808"), nil));
		if (g.n_out != 1 || g.out[0].peer.port != c.self.port)
			break;
	}
	ok(c.self.port == 3999, "N111: IKE is answered where it comes from each time");
	is_int(moves(), LIMIT_MOVE_BURST, "N111: but the pairs follow as seldom");
	ok(kit_sound() && child()->peer.port != 3999, "N111: so that they lag");
	gate_pass(&g, S(LIMIT_MOVE_S));
	g.n_events = 0;
	client_to(&c, &g, client_dpd(&c, 1));
	ok(moves() == 1 && is_at("192.0.2.9:3999"), "N111: until the client speaks again later");
	kit_end("flood");
}

/* ---- at odd times ---- */

/* The client moves while a worker computes, and while the kernel is at it. */
static void test_under_way(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	c.behind_nat = true;
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
	kit_another(&other, "192.0.2.77:500");
	other.behind_nat = true;
	client_up(&other, &g);
	c.pfs = 31;
	g.hold = GATE_HOLD(DH) | GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	g.n_events = 0;
	c.self.port = 20001;
	client_to(&c, &g, client_dpd(&c, 1));
	gate_do(&g, 0);
	ok(g.n_jobs == 1 && moves() == 0, "a client that moves during Diffie-Hellman");
	c.self.port = 20002;
	client_to(&c, &g, client_dpd(&c, 2));
	gate_do(&g, 0);
	ok(g.n_out == 1 && g.out[0].peer.port == 20002 && is_at("192.0.2.9:20002"),
	   "and while its pair is being made has it where it is in the end");
	report(child()->spi_in, ep("192.0.2.9:20002"), ep("192.0.2.9:20003"));
	ok(is_at("192.0.2.9:20003"), "ESP before the third message counts as well");
	client_quick2(&c, gate_out(&g, 0));
	kit_end("under way");
}

/* The kernel cannot move a pair: it is gone, and the client hears of it. */
static void test_lost(void)
{
	uint8_t spi[4];
	struct ike_delete d;
	struct wr w = wr_into(spi, sizeof(spi));

	start(true);
	wr_be32(&w, child()->spi_in);
	g.move_err = -12;
	esp_from("203.0.113.5:4500");
	ok(g.n_out == 1 && g.out[0].peer.port == 4500 && client_open(&c, gate_only(&g)) == 0 &&
		   c.msg.n_delete == 1 && ike_delete_read(c.msg.del[0], &d) == 0 &&
		   d.proto == PROTO_ESP && span_eq(d.spis, SPAN_OF(spi)),
	   "when the kernel fails the client is told, where it is now, that the pair is gone");
	ok(gate_count(&g, FX_NOTE, IKE_R_KERNEL) == 1 && !child() && g.n_pairs == 1 && kit_sound(),
	   "the pair is, and a line says so");
	g.move_err = 0;
	c.self = ep("203.0.113.5:4500");
	ok(kit_state() == IKE_ST_UP && client_quick(&c, &g) && is_at("203.0.113.5:4500"),
	   "the session goes on with a new one");
	ike_child_lost(g.ike, client_sa(&c, &g)->id, 4711, g.now, &g.fx);
	ike_child_lost(g.ike, (struct sess_id){ 4, 4 }, 1, g.now, &g.fx);
	ok(g.fx.n == 0 && kit_sound(), "a pair that is not there cannot be lost");
	kit_end("lost");
}

static void test_restored(void)
{
	static uint8_t rec[8192];
	struct sess_id id = { 0 };
	size_t n;

	start(true);
	esp_from("203.0.113.5:4500");
	ok(ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) == 0, "saved");
	client_to(&other, &g, client_delete_isakmp(&other));
	g.ike = ike_free(g.ike);
	gate_start(&g);
	ok(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id) == 0, "and restored");
	g.pair[0].who = id;
	kit_another(&other, "192.0.2.77:500");
	other.behind_nat = true;
	client_up(&other, &g);
	g.n_events = 0;
	esp_from("203.0.113.5:4501");
	ok(is_at("203.0.113.5:4501") && moves() == 1, "a session moves from where it was");
	kit_end("restored");
}

/* ---- keepalives ---- */

static unsigned looks(uint64_t us)
{
	g.n_events = 0;
	gate_pass(&g, us);
	return gate_count(&g, FX_KEEPALIVE, IKE_R__COUNT);
}

static void up(bool nat, uint64_t interval)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.natt_keepalive_us = interval;
	c.behind_nat = nat;
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
}

static void test_keepalive(void)
{
	static uint8_t rec[8192];
	struct endpoint there = ep("203.0.113.5:4500");
	struct sess_id id;
	size_t n;

	up(true, S(20));
	is_int(looks(S(100)), 10, "natt_keepalive = 20s: every 10 s is looked whether one is due");
	is_int(g.n_out, 0, "which is no message of IKE");
	report(child()->spi_in, child()->peer, there);
	looks(S(10));
	ok(gate_last(&g, FX_KEEPALIVE) && endpoint_eq(&gate_last(&g, FX_KEEPALIVE)->peer, &there),
	   "it goes to where the client is now");
	ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n);
	g.ike = ike_free(g.ike);
	gate_start(&g);
	if (ike_restore(g.ike, (struct span){ rec, n }, g.now, &id) < 0)
		abort();
	g.pair[0].who = id;
	is_int(looks(S(100)), 10, "also for a session from before a restart");
	ike_close(g.ike, id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	is_int(looks(S(100)), 0, "but not when it has ended");
	up(false, S(20));
	is_int(looks(S(100)), 0, "none for a client without NAT traversal");
	up(true, 0);
	is_int(looks(S(100)), 0, "none when none is configured");
	kit_prepare();
	g.no_crypto = c.no_crypto = c.behind_nat = true;
	g.conf.natt_keepalive_us = S(2);
	gate_start(&g);
	client_login(&c, &g);
	is_int(looks(S(30)), 0, "and none before the session is up: the client speaks");
	kit_end("keepalive");
}

int main(void)
{
	test_esp();
	test_ike();
	test_order();
	test_receiving();
	test_receiving_heir();
	test_refused();
	test_replays();
	test_plain();
	test_flood();
	test_under_way();
	test_lost();
	test_restored();
	test_keepalive();
	return done();
}
