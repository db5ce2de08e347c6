/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_initial_contact.c - "I have no other session": when it is listened to, for whose sessions,
 * and that nobody can end another's by it (N219 - N223, W19).
 */
#include "hostile_kit.h"

static struct client old, another;

static void gateway(enum ike_unique unique, uint32_t per_user)
{
	kit_prepare();
	g.no_crypto = true;
	g.any_user = true;
	g.conf.unique = unique;
	g.conf.sessions_per_user = per_user;
	gate_start(&g);
}

/* A client of these habits; its sessions do not know one another. */
static void make(struct client *x, const char *self)
{
	static uint32_t seed;

	client_init(x, self, "198.51.100.1:500");
	x->no_crypto = true;
	x->seed = ++seed;
}

static bool login(struct client *x, const char *user)
{
	const char *was = g.user;
	bool good;

	gate_pass(&g, S(1));
	g.user = user; /* whom client_up() logs in */
	good = client_up(x, &g);
	g.user = was;
	return good;
}

static bool up(const struct client *x)
{
	const struct ike_sa *sa = client_sa(x, &g);

	return sa && sa->state == IKE_ST_UP && client_keys_match(x, &g) && kit_sound();
}

static bool replaced(const struct client *x)
{
	const struct ike_sa *sa = client_sa(x, &g);

	return (!sa || sa->state == IKE_ST_CLOSING) &&
	       gate_count(&g, FX_DOWN, IKE_R_REPLACED) == 1 && kit_sound();
}

/* The same person with the same client at the same address, who says that it is new. */
static void again(const char *self)
{
	make(&c, self);
	c.initial_contact = true;
}

static struct span contact(struct client *x)
{
	return client_notify(x, N_INITIAL_CONTACT, nil, nil);
}

/* ---- what it is for ---- */

static void test_comes_back(void)
{
	struct ipaddr address;

	gateway(IKE_UNIQUE_KEEP, 0);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	address = old.address;
	again("192.0.2.9:4321");
	ok(login(&c, "alice") && up(&c) && replaced(&old),
	   "keep: a client that lost its memory gets in, its old session ends");
	ok(ipaddr_eq(&c.address, &address) && g.leases == 1, "with its old address");
	again("192.0.2.9:500");
	c.initial_contact = false;
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	is_int(gate_count(&g, FX_DOWN, IKE_R_UNIQUE), 1, "one that does not say so is refused");
	kit_end("keep");

	gateway(IKE_UNIQUE_KEEP, 0);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	make(&c, "192.0.2.9:4321");
	client_phase1(&c, &g);
	client_to(&c, &g, contact(&c));
	ok(up(&old) && g.n_out == 0 && client_sa(&c, &g)->initial_contact,
	   "N219: before XAuth it is only noted");
	/* the question for the name is open still: its exchange goes on */
	c.msgid = client_sa(&c, &g)->xchgs->msgid;
	memcpy(c.iv, client_sa(&c, &g)->xchgs->iv, sizeof(c.iv));
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(kit_state() == IKE_ST_AUTHED && replaced(&old), "and has its effect with the login");
	kit_end("noted");
}

/* In main mode's last message, as Apple's and Cisco's clients send it. */
static void test_main_mode(void)
{
	gateway(IKE_UNIQUE_KEEP, 0);
	make(&old, "192.0.2.9:500");
	old.main = true;
	login(&old, "alice");
	again("192.0.2.9:4321");
	c.main = true;
	client_phase1(&c, &g);
	ok(up(&old) && client_sa(&c, &g)->initial_contact, "main mode: it is noted");
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(kit_state() == IKE_ST_AUTHED && replaced(&old),
	   "main mode: and has its effect with the login");
	kit_end("main mode");
}

/* One message after the login, as racoon's clients send it. */
static void test_after_login(void)
{
	gateway(IKE_UNIQUE_REPLACE, 5);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	make(&another, "192.0.2.77:500");
	login(&another, "alice");
	make(&c, "192.0.2.9:4321");
	login(&c, "alice");
	ok(up(&old) && up(&another) && up(&c), "three sessions");
	client_to(&old, &g, contact(&old));
	ok(up(&old) && up(&another) && up(&c), "the oldest has nobody before it");
	client_to(&c, &g, contact(&c));
	ok(replaced(&old) && up(&another) && up(&c),
	   "the newest ends the one from its own address, not the other one");
	for (unsigned i = 0; i < 100; i++)
		client_to(&c, &g, contact(&c));
	ok(up(&another) && up(&c) && gate_count(&g, FX_DOWN, IKE_R__COUNT) == 1,
	   "N223: a hundred times more: nothing more");
	kit_end("after the login");
}

/* ---- whose sessions ---- */

/* The old client's session outlives a login that says that it is the first one. */
static void spared(enum ike_unique unique, uint32_t per_user, struct client *x, const char *user,
		   const char *name)
{
	gateway(unique, per_user);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	x->initial_contact = true;
	ok(login(x, user) && up(x), "%s: lets in", name);
	client_to(x, &g, contact(x));
	ok(up(&old), "%s: leaves the other session alone", name);
	kit_end(name);
}

static void test_whose(void)
{
	make(&another, "192.0.2.9:4321");
	spared(IKE_UNIQUE_REPLACE, 0, &another, "bob", "N222: another user at the same address");
	make(&another, "192.0.2.9:4321");
	spared(IKE_UNIQUE_REPLACE, 0, &another, "alic", "a user whose name is a part of it");
	make(&another, "192.0.2.9:4321");
	spared(IKE_UNIQUE_NEVER, 0, &another, "alice", "unique = never");
	make(&another, "192.0.2.9:4321");
	spared(IKE_UNIQUE_NEVER, 2, &another, "alice", "unique = never with a bound");
	make(&another, "192.0.2.10:500");
	spared(IKE_UNIQUE_KEEP, 2, &another, "alice", "W19: the same user from another address");
	make(&another, "192.0.2.9:4321");
	another.group_name = "contractors";
	spared(IKE_UNIQUE_KEEP, 2, &another, "alice", "another phase 1 identity");
	make(&another, "192.0.2.9:4321");
	another.group_name = "staf";
	spared(IKE_UNIQUE_KEEP, 2, &another, "alice", "an identity that is a part of it");
	make(&another, "192.0.2.9:4321");
	another.clear_third = true;
	spared(IKE_UNIQUE_KEEP, 2, &another, "bob", "in a third message in clear");
}

static void test_clear(void)
{
	gateway(IKE_UNIQUE_KEEP, 2);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	again("192.0.2.9:4321");
	c.clear_third = true;
	ok(login(&c, "alice") && up(&c) && up(&old),
	   "in a third message in clear it is nobody's word");
	again("192.0.2.9:4322");
	ok(login(&c, "alice") && up(&c) && ike_sessions(g.ike) == 1 &&
		   gate_count(&g, FX_DOWN, IKE_R_REPLACED) == 2,
	   "encrypted it is the client's, and ends both");
	kit_end("clear");
}

static void test_cookies(void)
{
	uint8_t both[16] = { 0 };

	gateway(IKE_UNIQUE_KEEP, 2);
	make(&old, "192.0.2.9:500");
	login(&old, "alice");
	make(&c, "192.0.2.9:4321");
	login(&c, "alice");
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, SPAN_OF(both), nil));
	ok(up(&old), "about an SA that is none of its own: nothing");
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, hex("00112233"), nil));
	ok(up(&old), "about an SPI: nothing");
	memcpy(both, old.cky_i, 8);
	memcpy(both + 8, old.cky_r, 8);
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, SPAN_OF(both), nil));
	ok(up(&old), "about the other session: nothing");
	memcpy(both, c.cky_i, 8);
	memcpy(both + 8, c.cky_r, 8);
	client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, SPAN_OF(both), nil));
	ok(replaced(&old), "about itself: its effect");
	kit_end("cookies");
}

/* ---- strangers: phase 1 needs no credential ---- */

static void test_strangers(void)
{
	static struct client users[20];
	bool all = true;

	gateway(IKE_UNIQUE_REPLACE, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(users); i++) {
		char self[32], user[32];

		snprintf(self, sizeof(self), "192.0.2.9:%u", 2000 + i);
		snprintf(user, sizeof(user), "user%u", i);
		make(&users[i], self);
		all &= login(&users[i], user);
	}
	ok(all, "N220: twenty users at one address, in one group");
	for (unsigned i = 0; i < 4; i++) {
		again("192.0.2.9:500");
		client_phase1(&c, &g);
		client_to(&c, &g, contact(&c));
		c.msgid = client_sa(&c, &g)->xchgs->msgid;
		memcpy(c.iv, client_sa(&c, &g)->xchgs->iv, sizeof(c.iv));
		client_to(&c, &g, client_credentials(&c, span_str("user3"), span_str("a guess")));
		gate_pass(&g, S(20));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(users); i++)
		all &= up(&users[i]);
	ok(all && gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 4,
	   "N220: who does not know the password ends nobody's");
	again("192.0.2.9:500");
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("mallory"), span_str("wonderland")));
	client_to(&c, &g, contact(&c));
	gate_verdict(&g, IKE_AUTH_OK);
	for (unsigned i = 0; i < ARRAY_SIZE(users); i++)
		all &= up(&users[i]);
	ok(all && kit_state() == IKE_ST_AUTHED,
	   "N221: who logs in as mallory ends mallory's sessions and nobody else's");
	kit_end("strangers");
}

/* ---- two devices behind one NAT ---- */

static void test_behind_nat(void)
{
	uint32_t seq;

	gateway(IKE_UNIQUE_REPLACE, 2);
	g.conf.dpd_delay_us = S(3600);
	make(&old, "192.0.2.9:2000");
	old.behind_nat = true;
	login(&old, "alice");
	gate_pass(&g, S(100));
	again("192.0.2.9:3000");
	c.behind_nat = true;
	ok(login(&c, "alice") && up(&old), "a second device behind the NAT does not end the first");
	gate_pass(&g, 0);
	ok(client_open(&old, gate_only_to(&g, &old.self)) == 0 && client_is_asked(&old, &seq),
	   "but the first is asked whether it is there");
	client_to(&old, &g, client_dpd_ack(&old, seq));
	gate_pass(&g, S(100));
	ok(up(&old) && up(&c), "it is, so both are");
	make(&another, "192.0.2.9:3001");
	another.behind_nat = another.initial_contact = true;
	client_to(&c, &g, client_delete_isakmp(&c));
	login(&another, "alice");
	gate_pass(&g, S(26));
	ok(up(&another) && gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT) == 1 &&
		   ike_sessions(g.ike) == 1,
	   "asked again, one that does not answer goes");
	kit_end("behind a NAT");

	gateway(IKE_UNIQUE_REPLACE, 0);
	make(&old, "192.0.2.9:2000");
	old.behind_nat = true;
	login(&old, "alice");
	again("192.0.2.9:3000");
	c.behind_nat = true;
	ok(login(&c, "alice") && replaced(&old), "with one session for each user it goes");
	kit_end("behind a NAT, one session");
}

int main(void)
{
	test_comes_back();
	test_main_mode();
	test_after_login();
	test_whose();
	test_clear();
	test_cookies();
	test_strangers();
	test_behind_nat();
	return done();
}
