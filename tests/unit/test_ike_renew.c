/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_renew.c - the client renews phase 1: another ISAKMP SA for the same session. */
#include <errno.h>

#include "rekey_kit.h"

static struct client old; /* the client as it was under the ISAKMP SA before */
static struct ike_sa was;
static char name[IKE_SESSION_NAME];

static const struct ike_sa *session(void)
{
	uint32_t cursor = 0;

	return ike_next(g.ike, &cursor);
}

/* A session that has been up for an hour. */
static void up_for_an_hour(bool nat)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.p2_life_s = 28800;
	gate_start(&g);
	c.behind_nat = nat;
	if (!client_up(&c, &g))
		abort();
	gate_pass(&g, S(3600));
	was = *session();
	ike_session_name(session(), name);
	old_in = c.spi_out;
	old = c;
}

/* Phase 1 and XAuth again. */
static bool renew(void)
{
	old = c;
	return client_xauth(&c, &g);
}

/* Sessions that have ended; logins that have failed do not count. */
static unsigned ended(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g.n_events; i++)
		n += g.event[i].kind == FX_DOWN && g.event[i].logged_in;
	return n;
}

/* The session is the one it was, and the only one. */
static bool goes_on(void)
{
	const struct ike_sa *sa = session();
	char now[IKE_SESSION_NAME];

	return ike_sessions(g.ike) == 1 && sa && sa->id.slot == was.id.slot &&
	       sa->id.gen == was.id.gen && sa->state == IKE_ST_UP &&
	       ipaddr_eq(&sa->lease, &was.lease) && sa->since_us == was.since_us &&
	       strcmp(ike_session_name(sa, now), name) == 0 && g.leases == 1 && g.n_pairs >= 1 &&
	       client_sa(&c, &g) == sa && gate_count(&g, FX_UP, IKE_R__COUNT) == 1 &&
	       ended() == 0 && gate_count(&g, FX_LEASE, IKE_R__COUNT) == 1 && kit_sound();
}

/* ---- what Apple, vpnc and strongSwan do ---- */

static void test_renewal(bool nat)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	struct ipaddr had;
	unsigned adds;

	up_for_an_hour(nat);
	had = c.address;
	adds = gate_count(&g, FX_CHILD_ADD, IKE_R__COUNT);
	ok(client_phase1(&c, &g), "a client makes another ISAKMP SA");
	ok(ike_sessions(g.ike) == 1 && session()->id.slot == was.id.slot,
	   "which is no session of its own");
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	is_str(g.trace, "Rs", "when its password is right, that is told and the client hears so");
	ok(gate_last(&g, FX_REKEY)->of_isakmp && ike_counter(g.ike, IKE_C_RENEWED) == 1 &&
		   ike_counter(g.ike, IKE_C_LOGIN_OK) == 1,
	   "it is counted as a renewal, not as a login");
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET, "by the verdict");
	client_to(&c, &g, client_ack(&c));
	ok(goes_on(), "the session goes on: one entry, its name, its address, its beginning");
	ok(gate_count(&g, FX_CHILD_ADD, IKE_R__COUNT) == adds &&
		   gate_count(&g, FX_CHILD_DEL, IKE_R__COUNT) == 0 && pair_with(old_in)->out &&
		   client_keys_match(&old, &g),
	   "its pairs were not touched");
	is_int((long long)((session()->expires_us - g.now) / US_PER_S), 86400,
	       "its ISAKMP SA has a whole life before it");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && goes_on(),
	   "it makes a new pair under the new ISAKMP SA, without having asked for an address");
	client_to(&c, &g, client_config(&c, addr, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c) &&
		   ipaddr_eq(&c.address, &had) && goes_on(),
	   "and is told the same address when it asks");
	gate_pass(&g, S(100));
	ok(asked() && answered() && goes_on(), "the gateway renews its pair as well");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(ike_sessions(g.ike) == 0 && g.n_pairs == 0 && g.leases == 0, "then it leaves");
	kit_end("renewal");
}

/* vpnc waits for a lifetime; others delete the old ISAKMP SA under the new one. */
static void test_lifetime_and_delete(void)
{
	uint8_t both[16];
	struct ike_notify n;

	up_for_an_hour(true);
	renew();
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
		   ike_notify_read(c.msg.notify[0], &n) == 0 && n.type == N_RESPONDER_LIFETIME &&
		   n.proto == PROTO_ISAKMP && n.spi.n == 16 &&
		   span_eq(n.data, hex("800b0001 000c0004 00015180")),
	   "after the acknowledgement the client is told how long the ISAKMP SA lives");
	gate_pass(&g, S(3));
	ok(g.n_out == 1, "again, because nobody acknowledges that");
	memcpy(both, old.cky_i, 8);
	memcpy(both + 8, old.cky_r, 8);
	client_to(&c, &g, client_delete(&c, PROTO_ISAKMP, SPAN_OF(both)));
	ok(g.n_out == 0 && !client_sa(&old, &g) && g.ike->t.n == 1 && goes_on(),
	   "a Delete of the old one under the new one means the old one");
	gate_pass(&g, S(60));
	ok(goes_on(), "and nothing more");
	kit_end("lifetime and delete");
}

/* vpnc's Delete of the old one names the new one. */
static void test_delete_of_vpnc(void)
{
	static const char client[] = "Cisco Systems VPN Client 0.5.3:Linux";

	for (int leaves = 0; leaves < 2; leaves++) {
		up_for_an_hour(false);
		memcpy(((struct ike_sa *)(uintptr_t)session())->client, client, sizeof(client));
		renew();
		if (leaves) {
			client_to(&c, &g, client_delete_child(&c));
		} else {
			client_to(&c, &g, client_delete_isakmp(&c));
			ok(goes_on() && g.ike->t.n == 1 && !client_sa(&old, &g),
			   "vpnc's Delete of the new ISAKMP SA means the old one");
		}
		client_to(&c, &g, client_delete_isakmp(&c));
		ok(g.ike->t.n == 0 && g.leases == 0 &&
			   gate_count(&g, FX_DOWN, IKE_R_CLIENT_LEFT) == 1,
		   "%s is the end", leaves ? "one after that of its pair" : "a second one");
		kit_end("vpnc");
	}
}

/* Who believes in a longer life than there is hears of it at the first login as well. */
static void test_lifetime_at_login(void)
{
	struct ike_notify n;

	kit_fresh();
	c.vpnc_order = true;
	client_xauth(&c, &g);
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
		   ike_notify_read(c.msg.notify[0], &n) == 0 && n.type == N_RESPONDER_LIFETIME &&
		   span_eq(n.data, hex("800b0001 000c0004 00015180")),
	   "vpnc, which offers 25 days, is told that it has one");
	kit_end("told");
	kit_fresh();
	client_xauth(&c, &g);
	is_int(g.n_out, 0, "a client that offers no more than we have is told nothing");
	kit_end("not told");
}

/* ---- the old ISAKMP SA ---- */

static void test_retired(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	struct ike_delete d;

	up_for_an_hour(false);
	renew();
	client_to(&old, &g, client_dpd(&old, 5));
	ok(client_open(&old, gate_only(&g)) == 0 && old.msg.n_notify == 1,
	   "the old ISAKMP SA answers a query for life");
	c.spi_in = 0; /* dropped() looks at c's SA: it must not change either */
	look();
	client_to(&old, &g, client_quick1(&old, nil, nil));
	ok(unmoved(), "but takes no Quick Mode");
	client_to(&old, &g, client_config(&old, addr, 1));
	ok(unmoved(), "and no question for an address");
	gate_pass(&g, S(29));
	ok(client_sa(&old, &g) && goes_on(), "it is there for half a minute");
	gate_pass(&g, S(2));
	ok(g.n_out == 1 && client_open(&old, gate_only(&g)) == 0 && old.msg.n_delete == 1 &&
		   ike_delete_read(old.msg.del[0], &d) == 0 && d.proto == PROTO_ISAKMP,
	   "then the client is told that it goes, and nothing about pairs");
	ok(goes_on() && pair_with(old_in)->out, "the session does not notice");
	gate_pass(&g, S(12));
	ok(!client_sa(&old, &g) && g.ike->t.n == 1 && goes_on(), "and then it is gone");
	kit_end("retired");
	up_for_an_hour(false);
	renew();
	client_to(&old, &g, client_delete_isakmp(&old));
	ok(!client_sa(&old, &g) && g.n_out == 0 && goes_on(),
	   "the client's own Delete ends it earlier, and it alone");
	kit_end("deleted");
	up_for_an_hour(false);
	renew();
	client_to(&old, &g, client_delete_child(&old));
	is_str(g.trace, "D", "a Delete of a pair under it means the session's pair");
	ok(g.n_pairs == 0 && session()->state == IKE_ST_UP && kit_sound(), "which goes");
	kit_end("pair deleted");
}

/* Each renewal leaves one behind, but there is never more than one. */
static void test_again_and_again(void)
{
	bool good = true;

	up_for_an_hour(true);
	for (unsigned i = 0; i < 20; i++) {
		good &= renew() && goes_on() && g.ike->t.n == 2;
		gate_pass(&g, S(1));
	}
	ok(good, "W12: twenty renewals: one session, one lease, and one old ISAKMP SA at a time");
	gate_pass(&g, S(60));
	ok(g.ike->t.n == 1 && goes_on(), "in the end none");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(g.ike->t.n == 0 && g.ike->t.names.n == 0, "and with the session its name is free");
	is_int(g.leases, 0, "W12: so is the address, which was the right one");
	kit_end("again and again");
	up_for_an_hour(true);
	renew();
	ike_close(g.ike, session()->id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	ok(!client_sa(&old, &g) && g.n_pairs == 0 && g.leases == 0 && kit_sound(),
	   "with its session the old ISAKMP SA goes, too");
	kit_end("kicked");
}

/* ---- with work under way ---- */

static void test_during_quick(void)
{
	up_for_an_hour(false);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	is_int(g.n_pairs, 2, "the client is about to make a pair");
	renew();
	ok(g.n_pairs == 1 && goes_on(), "it is gone with the ISAKMP SA that it was begun under");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && goes_on(),
	   "and begun anew under the new one");
	kit_end("during the client's Quick Mode");
	up_for_an_hour(false);
	g.hold = GATE_HOLD(DH) | GATE_HOLD(CHILD_ADD);
	c.pfs = 31;
	client_to(&c, &g, client_quick1(&c, nil, nil));
	gate_do(&g, 0);
	client_to(&c, &g, client_first(&c));
	ok(g.n_jobs == 2, "while the kernel is slow");
	g.hold = 0;
	gate_do(&g, 1);
	client_second(&c, gate_only(&g));
	client_to(&c, &g, client_third(&c));
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	gate_do_all(&g);
	ok(g.n_pairs == 1 && goes_on(), "a pair that comes too late is taken out again");
	kit_end("slow kernel");
}

static void test_during_rekey(void)
{
	up_for_an_hour(false);
	ok(asked(), "the gateway is about to make a pair");
	renew();
	ok(goes_on() && g.n_pairs == 1, "that is over");
	gate_pass(&g, S(4));
	ok(session()->children->state == IKE_CHILD_UP && !session()->children->next,
	   "the client first goes on with what it is at");
	ok(asked() && answered(), "then the gateway begins anew, under the new ISAKMP SA");
	gate_pass(&g, S(3));
	ok(client_keys_match(&c, &g) && goes_on(), "with the right keys");
	kit_end("during the gateway's Quick Mode");
	/* between HASH(3) and sending */
	up_for_an_hour(false);
	asked();
	answered();
	ok(session()->children->state == IKE_CHILD_READY, "a pair that is about to send");
	old = c;
	renew();
	gate_pass(&g, S(3));
	ok(session()->children->state == IKE_CHILD_UP && client_keys_match(&old, &g) && goes_on(),
	   "does so under the new ISAKMP SA");
	kit_end("pair about to send");
}

/* The verdict of a password check comes when its session has just gone. */
static void test_too_late(void)
{
	up_for_an_hour(true);
	client_phase1(&c, &g);
	g.hold = GATE_HOLD(AUTH);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ike_close(g.ike, was.id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	gate_do_all(&g);
	ok(ike_sessions(g.ike) == 1 && session()->state == IKE_ST_AUTHED && g.leases == 1 &&
		   ike_counter(g.ike, IKE_C_RENEWED) == 0 && kit_sound(),
	   "a session that was kicked meanwhile is not gone on with: that is a new login");
	kit_end("kicked meanwhile");
}

/* The verdict on the password may say how long the session lasts, each time anew. */
static void test_time(void)
{
	kit_fresh();
	g.groups.session_s = 7200;
	if (!client_up(&c, &g))
		abort();
	gate_pass(&g, S(3600));
	g.groups.session_s = 5400;
	renew();
	is_int((long long)(session()->until_us - g.now), (long long)S(5400),
	       "a renewal gives the session the time that its verdict says");
	g.groups.session_s = 0;
	renew();
	ok(session()->until_us == 0 && ike_ends_at(g.ike, session()) == session()->expires_us,
	   "or none, when it says none");
	kit_end("a time of its own");
}

/* A renewed session as bytes and back. */
static void test_saved(void)
{
	static uint8_t rec[8192];
	char now[IKE_SESSION_NAME];
	struct sess_id id;
	size_t n;

	up_for_an_hour(true);
	renew();
	is_int(ike_save(g.ike, was.id, rec, sizeof(rec), &n), 0, "a renewed session is saved");
	g.ike = ike_free(g.ike);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), 0, "and restored");
	g.pair[0].who = id;
	ok(strcmp(ike_session_name(session(), now), name) == 0 && client_sa(&c, &g) == session() &&
		   kit_sound(),
	   "with the name that it had, which is not its cookie's");
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), -EEXIST, "once");
	client_to(&old, &g, client_delete_isakmp(&old));
	ok(ike_sessions(g.ike) == 1 && kit_sound(), "the ISAKMP SA before it is nobody's");
	was = *session();
	old = c;
	ok(client_xauth(&c, &g) && strcmp(ike_session_name(session(), now), name) == 0 &&
		   kit_sound(),
	   "it can be renewed again");
	kit_end("saved");
}

/* However few sessions a user may have, a renewal is none more and ends none. */
static void test_unique(void)
{
	static const struct {
		enum ike_unique unique;
		unsigned bound;
		const char *what;
	} t[] = {
		{ IKE_UNIQUE_KEEP, 0, "unique = keep does not refuse a renewal" },
		{ IKE_UNIQUE_REPLACE, 0, "unique = replace ends nothing for it" },
		{ IKE_UNIQUE_NEVER, 1, "sessions_per_user = 1 lets it pass" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		up_for_an_hour(true);
		g.conf.unique = t[i].unique;
		g.conf.sessions_per_user = t[i].bound;
		ok(renew() && goes_on() && g.ike->t.users.n == 1, "%s", t[i].what);
		kit_end("unique");
	}
}

/* Who logs in for the first time and asks for nothing is told; who renews has it all. */
static void test_no_push(void)
{
	up_for_an_hour(true);
	renew();
	gate_pass(&g, S(60));
	for (const struct ike_xchg *x = session()->xchgs; x; x = x->next)
		if (x->kind == XCHG_KIND_PUSH)
			ok(false, "a client that renews is offered what it has");
	ok(goes_on() && session()->state == IKE_ST_UP, "a client that renews is not told again");
	kit_end("no push");
}

/* Lets the push come that is due; what it is about. */
static bool pushed(void)
{
	for (unsigned i = 0; i < 4 && !g.n_out; i++)
		gate_pass(&g, S(1));
	return g.n_out && client_open(&c, gate_out(&g, g.n_out - 1)) == 0 && c.cfg.type == CFG_SET;
}

/* Who has been told may have been started anew, and waits to be told. */
static void test_push_again(void)
{
	kit_fresh();
	if (!client_xauth(&c, &g) || !pushed())
		abort();
	client_to(&c, &g, client_ack(&c));
	if (!client_take_address(&c) || !client_quick(&c, &g))
		abort();
	was = *session();
	ike_session_name(session(), name);
	ok(session()->pushed, "a session knows that its client waits to be told");
	renew();
	g.n_out = 0;
	ok(pushed() && goes_on(), "which is told again after it has renewed");
	client_to(&c, &g, client_ack(&c));
	ok(client_quick(&c, &g) && goes_on(), "and goes on");
	renew();
	ok(client_quick(&c, &g), "it makes a pair at once after another renewal");
	g.n_out = 0;
	ok(!pushed() && goes_on(), "and is told nothing");
	kit_end("push again");
}

/* Main mode is a renewal as well, and so is another mode than the first. */
static void test_main_mode(void)
{
	up_for_an_hour(false);
	c.main = true;
	ok(renew() && goes_on() && session()->mode == XCHG_MAIN, "main mode renews as well");
	c.main = false;
	gate_pass(&g, S(60));
	ok(renew() && goes_on() && session()->mode == XCHG_AGGRESSIVE, "and aggressive mode again");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && goes_on(), "with new pairs");
	kit_end("main mode");
}

/* The gateway's own questions begin anew, and those of the old ISAKMP SA are no client's. */
static void test_questions(void)
{
	up_for_an_hour(true);
	renew();
	ok(session()->dpd_asked == 0 && session()->heard_us == g.now,
	   "a renewal is a sign of life");
	is_int(g.ike->t.half_open[IKE_HALF_OPEN_WAITING].n +
		       g.ike->t.half_open[IKE_HALF_OPEN_UNPROVED].n,
	       0, "the old ISAKMP SA is no login that waits");
	kit_end("questions");
}

/* ---- what is no renewal ---- */

static void test_wrong_password(void)
{
	up_for_an_hour(true);
	old = c;
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	gate_pass(&g, S(30));
	c = old;
	ok(goes_on() && pair_with(old_in)->out,
	   "a wrong password under another ISAKMP SA does the session no harm");
	client_to(&c, &g, client_dpd(&c, 7));
	ok(client_open(&c, gate_only(&g)) == 0 && client_quick(&c, &g), "it goes on as it was");
	kit_end("wrong password");
	up_for_an_hour(true);
	old = c;
	client_phase1(&c, &g);
	gate_pass(&g, S(90));
	c = old;
	ok(ike_sessions(g.ike) == 1 && client_sa(&c, &g) == session() && kit_sound(),
	   "nor does one that is never finished");
	kit_end("unfinished");
}

/* Logs in as a client that differs somehow; it is a session of its own. */
static void other_login(const char *what)
{
	ok(client_login(&c, &g) && ike_sessions(g.ike) == 2 && g.leases == 2 &&
		   !ipaddr_eq(&c.address, &old.address) && client_sa(&old, &g) &&
		   ike_counter(g.ike, IKE_C_RENEWED) == 0 && kit_sound(),
	   "%s: another session, another address", what);
	gate_stop(&g);
}

static void test_others(void)
{
	struct ike_build b;
	uint8_t both[16];

	up_for_an_hour(true);
	c.self.port++;
	other_login("the same user from another port behind the NAT");
	up_for_an_hour(false);
	c.self.addr = ipaddr_v4(0xc000020a);
	other_login("from another address");
	up_for_an_hour(true);
	c.group_name = "guests";
	other_login("with another identity");
	up_for_an_hour(true);
	g.user = "bob";
	other_login("another user at the same place");
	/* INITIAL-CONTACT, as racoon sends it: on its own, once there are keys */
	up_for_an_hour(true);
	client_phase1(&c, &g);
	memcpy(both, c.cky_i, 8);
	memcpy(both + 8, c.cky_r, 8);
	{
		static struct client request;

		request = c; /* the exchange that asks for the name waits meanwhile */
		client_to(&c, &g, client_notify(&c, N_INITIAL_CONTACT, SPAN_OF(both), nil));
		memcpy(c.iv, request.iv, sizeof(c.iv));
		c.msgid = request.msgid;
	}
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(ike_sessions(g.ike) == 2 && g.leases == 2 && kit_sound(),
	   "INITIAL-CONTACT: the client remembers nothing, so it is a new login");
	kit_end("initial contact");
	/* and as vpnc does, in the encrypted third message */
	up_for_an_hour(true);
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	b = build_start(c.buf, sizeof(c.buf), c.cky_i, c.cky_r, XCHG_AGGRESSIVE, 0);
	build_hash(&b, c.hash_i.n);
	build_payload(&b, PL_NOTIFY, hex("00000001 01 00 6002"));
	client_to(&c, &g, build_sealed(&b, &c.keys, &c.hash_i, c.last_block));
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(ike_sessions(g.ike) == 2 && g.leases == 2 && kit_sound(),
	   "INITIAL-CONTACT in the third message, too");
	kit_end("initial contact in the third message");
	/* a login that has not come up yet is nothing to go on with */
	kit_with(client_login);
	old = c;
	other_login("a login that never came up");
}

/* N097: in a clear third message it may be anybody's. */
static void test_clear_contact(void)
{
	struct span s;
	struct ike_build b;

	up_for_an_hour(true);
	c.clear_third = true;
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	b = build_start(c.buf, sizeof(c.buf), c.cky_i, c.cky_r, XCHG_AGGRESSIVE, 0);
	build_hash(&b, c.hash_i.n);
	memcpy(b.w.p + b.hash_at, c.hash_i.b, c.hash_i.n);
	build_payload(&b, PL_NOTIFY, hex("00000001 01 00 6002"));
	s = client_clear(&b);
	client_to(&c, &g, s);
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(goes_on() && ike_counter(g.ike, IKE_C_RENEWED) == 1,
	   "N097: INITIAL-CONTACT in a clear third message means nothing");
	kit_end("clear contact");
}

int main(void)
{
	test_renewal(false);
	test_renewal(true);
	test_lifetime_and_delete();
	test_delete_of_vpnc();
	test_lifetime_at_login();
	test_retired();
	test_again_and_again();
	test_during_quick();
	test_during_rekey();
	test_too_late();
	test_time();
	test_saved();
	test_unique();
	test_no_push();
	test_push_again();
	test_main_mode();
	test_questions();
	test_wrong_password();
	test_others();
	test_clear_contact();
	return done();
}
