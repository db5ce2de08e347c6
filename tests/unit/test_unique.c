/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_unique.c - sessions_per_user and unique: who is let in, who goes, who is told, and that it
 * is nobody else's business (I5, N184).
 */
#include "hostile_kit.h"

#define CLIENTS 6

static struct client who[CLIENTS];

static void gateway(enum ike_unique unique, uint32_t per_user)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.unique = unique;
	g.conf.sessions_per_user = per_user;
	gate_start(&g);
	for (unsigned i = 0; i < CLIENTS; i++) {
		char self[32];

		snprintf(self, sizeof(self), "192.0.2.%u:500", 10 + i);
		kit_another(&who[i], self);
		who[i].seed = i;
	}
}

/* The i-th client logs in as this user, all the way. */
static bool login(unsigned i, const char *user)
{
	g.user = user;
	gate_pass(&g, S(1));
	return client_up(&who[i], &g) && client_keys_match(&who[i], &g);
}

static enum ike_state state(unsigned i)
{
	const struct ike_sa *sa = client_sa(&who[i], &g);

	return sa ? sa->state : IKE_ST_NEW;
}

static bool up(unsigned i)
{
	return state(i) == IKE_ST_UP && client_keys_match(&who[i], &g);
}

/* The i-th client, whose login goes as far as the right password, is refused for this reason. */
static bool refused(unsigned i, const char *user, enum ike_reason why)
{
	unsigned before_ = gate_count(&g, FX_DOWN, why);
	struct rd r;
	struct ike_attr a;

	g.user = user;
	gate_pass(&g, S(1));
	if (!client_phase1(&who[i], &g))
		return false;
	client_to(&who[i], &g, client_credentials(&who[i], span_str(user), span_str("wonderland")));
	if (client_open(&who[i], gate_only(&g)) < 0 || who[i].cfg.type != CFG_SET)
		return false;
	r = rd_from(who[i].cfg.attrs);
	return ike_attr_next(&r, &a) && a.type == XAUTH_STATUS && a.value == XAUTH_STATUS_FAIL &&
	       r.left == 0 && gate_count(&g, FX_DOWN, why) == before_ + 1 &&
	       state(i) == IKE_ST_REFUSING && kit_sound();
}

/* What the i-th client was told of its end: Deletes of this protocol among the last datagrams. */
static unsigned told(unsigned i, uint8_t proto)
{
	unsigned n = 0;

	for (unsigned o = 0; o < g.n_out; o++) {
		struct client copy = who[i];
		struct ike_delete d;

		if (!endpoint_eq(&g.out[o].peer, &who[i].self))
			continue;
		copy.msgid = 0;
		if (client_open(&copy, gate_out(&g, o)) == 0 && copy.msg.n_delete == 1 &&
		    ike_delete_read(copy.msg.del[0], &d) == 0)
			n += d.proto == proto;
	}
	return n;
}

static void test_never(void)
{
	gateway(IKE_UNIQUE_NEVER, 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		ok(login(i, "alice"), "never: alice's session %u", i + 1);
	ok(up(0) && g.leases == CLIENTS && ike_sessions(g.ike) == CLIENTS,
	   "never: all of them are there, each with its address");
	kit_end("never");

	gateway(IKE_UNIQUE_NEVER, 2);
	ok(login(0, "alice") && login(1, "alice"), "never, 2: two sessions");
	ok(refused(2, "alice", IKE_R_TOO_MANY_OF_USER), "never, 2: the third login is refused");
	ok(up(0) && up(1), "never, 2: the others have not noticed");
	is_str(ike_reason_key(IKE_R_TOO_MANY_OF_USER), "sessions-per-user",
	       "never, 2: the journal has the key's name");
	ok(login(3, "bob") && login(4, "alic"), "never, 2: other users are let in");
	client_to(&who[0], &g, client_delete_isakmp(&who[0]));
	ok(login(5, "alice"), "never, 2: when one leaves there is room again");
	kit_end("never with a bound");
}

static void test_keep(void)
{
	gateway(IKE_UNIQUE_KEEP, 0);
	ok(login(0, "alice"), "keep: a session");
	ok(refused(1, "alice", IKE_R_UNIQUE), "keep: the second login is refused");
	gate_pass(&g, S(20));
	ok(up(0) && state(1) == IKE_ST_NEW && g.leases == 1, "keep: the first stays as it is");
	is_str(ike_reason_key(IKE_R_UNIQUE), "unique", "keep: the journal has the key's name");
	ok(login(2, "bob"), "keep: others are let in");
	ike_close(g.ike, client_sa(&who[0], &g)->id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	ok(login(3, "alice"), "keep: a session that is ending does not count");
	kit_end("keep");

	gateway(IKE_UNIQUE_KEEP, 2);
	ok(login(0, "alice") && login(1, "alice"), "keep, 2: two sessions");
	ok(refused(2, "alice", IKE_R_TOO_MANY_OF_USER), "keep, 2: the third is refused");
	kit_end("keep with a bound");
}

static void test_replace(void)
{
	struct ipaddr address;

	gateway(IKE_UNIQUE_REPLACE, 0);
	ok(login(0, "alice") && login(1, "bob"), "replace: alice and bob");
	address = who[0].address;
	g.user = "alice";
	ok(client_phase1(&who[2], &g) && up(0), "replace: a second client finishes phase 1");
	client_to(&who[2], &g, client_credentials(&who[2], span_str("alice"), span_str("wrong")));
	ok(up(0) && gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 1,
	   "replace: with a wrong password nothing happens to the first");
	client_phase1(&who[2], &g);
	client_to(&who[2], &g,
		  client_credentials(&who[2], span_str("alice"), span_str("wonderland")));
	ok(gate_count(&g, FX_DOWN, IKE_R_REPLACED) == 1 && state(0) == IKE_ST_CLOSING,
	   "replace: with the right one the first has ended");
	ok(told(0, PROTO_ESP) == 1 && told(0, PROTO_ISAKMP) == 1, "replace: its client is told");
	ok(ipaddr_eq(&client_sa(&who[2], &g)->lease, &address) && g.leases == 2,
	   "replace: the address went over to the new session");
	is_int(g.n_pairs, 1, "N184: nothing of the old one is in the kernel before the new one is");
	ok(kit_sound() && up(1), "replace: bob has not noticed");
	gate_pass(&g, S(12));
	is_int(state(0), IKE_ST_NEW, "replace: nothing remains of it");
	kit_end("replace");

	gateway(IKE_UNIQUE_REPLACE, 0);
	login(0, "bob");
	login(1, "alice");
	client_to(&who[0], &g, client_delete_isakmp(&who[0]));
	ok(login(2, "alice") && ipaddr_eq(&who[1].address, &who[2].address),
	   "replace: the same address even where another one is free");
	kit_end("replace with free addresses");
}

/* With a bound the oldest goes, whatever its place in the tables. */
static void test_oldest(void)
{
	gateway(IKE_UNIQUE_REPLACE, 3);
	ok(login(3, "alice") && login(1, "alice") && login(2, "alice"), "replace, 3: three");
	ok(login(0, "bob"), "replace, 3: and bob");
	ok(login(4, "alice") && !up(3) && up(1) && up(2), "replace, 3: a fourth ends the first");
	ok(login(5, "alice") && up(4) && !up(1) && up(2), "replace, 3: a fifth the second");
	ok(login(3, "alice") && up(4) && up(5) && !up(2), "replace, 3: and so on");
	ok(up(0) && gate_count(&g, FX_DOWN, IKE_R_REPLACED) == 3, "replace, 3: bob is there still");
	kit_end("oldest");
}

/* Two logins of one user are checked at the same time: there is no moment for both. */
static void test_race(enum ike_unique unique, const char *name)
{
	unsigned first = 0;

	gateway(unique, 0);
	g.hold = GATE_HOLD(AUTH) | GATE_HOLD(LEASE);
	for (unsigned i = 0; i < 2; i++) {
		client_phase1(&who[i], &g);
		client_to(&who[i], &g,
			  client_credentials(&who[i], span_str("alice"), span_str("wonderland")));
	}
	gate_verdict(&g, IKE_AUTH_OK);
	ok(g.n_jobs == 2 && kit_sound(), "%s: one of two waits for its address", name);
	gate_verdict(&g, IKE_AUTH_OK);
	if (unique == IKE_UNIQUE_KEEP)
		ok(state(1) == IKE_ST_REFUSING, "%s: the other one is refused", name);
	else
		first = state(0) == IKE_ST_CLOSING;
	gate_do_all(&g);
	ok(state(first) == IKE_ST_AUTHED && ike_sessions(g.ike) == 1 && g.leases == 1,
	   "%s: one of them gets in, with one address", name);
	kit_end(name);
}

/* More sessions than there is room for messages about: the rest follows at once. */
static void test_many(void)
{
	static struct client many[40];

	gateway(IKE_UNIQUE_NEVER, 0);
	g.user = "alice";
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		char self[32];

		snprintf(self, sizeof(self), "192.0.2.%u:500", 100 + i);
		kit_another(&many[i], self);
		many[i].seed = 100 + i;
		if (!client_up(&many[i], &g))
			break;
	}
	is_int(ike_sessions(g.ike), 40, "forty sessions, from when there was no bound");
	g.conf.unique = IKE_UNIQUE_REPLACE;
	g.n_events = 0;
	ok(client_phase1(&who[0], &g), "and one more login, now that there is");
	client_to(&who[0], &g,
		  client_credentials(&who[0], span_str("alice"), span_str("wonderland")));
	is_int(state(0), IKE_ST_AUTHED, "it is let in");
	client_phase1(&who[1], &g);
	client_to(&who[1], &g,
		  client_credentials(&who[1], span_str("alice"), span_str("wonderland")));
	ok(state(1) == IKE_ST_AUTHED && state(0) == IKE_ST_CLOSING,
	   "and another one in its place before all others have gone");
	gate_pass(&g, 0);
	is_int(ike_sessions(g.ike), 1, "and alone at once");
	ok(gate_count(&g, FX_DOWN, IKE_R_REPLACED) == 41 && g.leases == 1,
	   "each was ended with its reason");
	kit_end("many");
}

/* Who stands in the way is asked whether it is there. */
static void test_asked(void)
{
	uint32_t seq;

	gateway(IKE_UNIQUE_KEEP, 0);
	g.conf.dpd_delay_us = S(3600);
	login(0, "alice");
	login(1, "bob");
	gate_pass(&g, S(60));
	ok(refused(2, "alice", IKE_R_UNIQUE), "a login is refused for the sake of a session");
	gate_pass(&g, 0);
	ok(g.n_out == 1 && client_open(&who[0], gate_only(&g)) == 0 &&
		   client_is_asked(&who[0], &seq),
	   "whose client is asked at once whether it is there");
	client_to(&who[0], &g, client_dpd_ack(&who[0], seq));
	gate_pass(&g, S(3));
	ok(refused(3, "alice", IKE_R_UNIQUE), "it is, and the next login is refused as well");
	gate_pass(&g, 0);
	is_int(g.n_out, 0, "it was heard of just now: not asked again");
	gate_pass(&g, S(26));
	ok(refused(3, "alice", IKE_R_UNIQUE), "later");
	gate_pass(&g, S(30));
	ok(gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT) == 1 && login(4, "alice"),
	   "it is gone, and found out, so the next one gets in");
	ok(up(1), "bob was not asked anything");
	kit_end("asked");
}

static void test_restart(void)
{
	static uint8_t rec[65536];
	struct sess_id id;
	size_t n;

	gateway(IKE_UNIQUE_KEEP, 0);
	login(0, "alice");
	ike_save(g.ike, client_sa(&who[0], &g)->id, rec, sizeof(rec), &n);
	ike_free(g.ike);
	gate_start(&g);
	ike_restore(g.ike, (struct span){ rec, n }, g.now, &id);
	g.pair[0].who = id;
	ok(refused(1, "alice", IKE_R_UNIQUE),
	   "a session counts after a restart of the daemon, too");
	kit_end("restart");
}

int main(void)
{
	test_never();
	test_keep();
	test_replace();
	test_oldest();
	test_race(IKE_UNIQUE_KEEP, "race, keep");
	test_race(IKE_UNIQUE_REPLACE, "race, replace");
	test_many();
	test_asked();
	test_restart();
	return done();
}
