/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_xauth.c - names and passwords: what is taken, what is refused, who is told. */
#include "ike_kit.h"

/* Answers the gateway's question with these attributes. */
static void reply(struct span attrs)
{
	kit_fresh();
	if (!client_phase1(&c, &g))
		abort();
	client_to(&c, &g, client_attr(&c, CFG_REPLY, c.cfg_id, attrs));
}

/* What the gateway answers: XAUTH_STATUS_*, or -1. */
static int status(void)
{
	struct ike_attr a = { 0 };
	struct rd r;

	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_SET)
		return -1;
	r = rd_from(c.cfg.attrs);
	if (!ike_attr_next(&r, &a) || a.type != XAUTH_STATUS || !a.basic || r.left)
		return -1; /* vpnc: one basic attribute, nothing else */
	return a.value;
}

static bool taken(const char *user, size_t user_n, const char *password, size_t password_n)
{
	uint8_t buf[1024];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };
	const struct gate_event *e;

	build_tlv(&b, XAUTH_USER_NAME, (struct span){ (const uint8_t *)user, user_n });
	build_tlv(&b, XAUTH_USER_PASSWORD, (struct span){ (const uint8_t *)password, password_n });
	kit_fresh();
	client_phase1(&c, &g);
	g.user = user;
	g.password = password;
	client_to(&c, &g, client_attr(&c, CFG_REPLY, c.cfg_id, wr_done(&b.w)));
	e = gate_last(&g, FX_AUTH);
	return status() == XAUTH_STATUS_OK && e && strcmp(e->text, user) == 0 &&
	       strcmp(client_sa(&c, &g)->user, user) == 0 && kit_sound();
}

static char *filled(char *buf, const char *unit, size_t n)
{
	size_t len = strlen(unit);

	for (size_t i = 0; i < n; i++)
		buf[i] = unit[i % len];
	buf[n] = '\0';
	return buf;
}

static void test_taken(void)
{
	char u[300], p[300];

	ok(taken("alice", 5, "wonderland", 10), "a name and a password");
	ok(taken("a", 1, "b", 1), "the shortest ones");
	ok(taken("J\xc3\xbcrgen \xe2\x82\xac", 11, "\xc3\xa4\xc3\xb6\xc3\xbc", 6), "UTF-8");
	ok(taken("alice@example.net@realm", 23, "x", 1), "N170: realms are part of the name");
	ok(taken(" alice ", 7, " x ", 3), "N170: blanks are part of the name");
	ok(taken(filled(u, "n", 64), 64, filled(p, "p", 63), 63), "64 and 63 characters");
	ok(taken(filled(u, "n", LIMIT_USER), LIMIT_USER, filled(p, "p", LIMIT_PASSWORD),
		 LIMIT_PASSWORD),
	   "a name of 128 bytes, a password of 255");
	ok(taken(filled(u, "\xe2\x82\xac", 126), 126, "x", 1), "42 euro signs");
	ok(taken("alice", 6, "wonderland", 11), "N170b: Android's terminating NUL is taken off");
	ok(taken("alice", 5, "wonderland", 11), "also off the password alone");
	ok(taken("%n%s%x%99999d", 13, "%n%s", 4), "N168: conversions have no effect");
	ok(taken("$(id)`id`;,:=\"", 14, "x", 1), "N182: nor has what a shell would read");
	filled(u, "n", 63);
	ok(taken(u, 63, "x", 1) && (u[63] = 'm', u[64] = '\0', taken(u, 64, "x", 1)),
	   "N181: two names with 63 bytes in common are two names");
}

static bool refused(const char *user, size_t user_n, const char *password, size_t password_n)
{
	uint8_t buf[70000];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };
	static struct client other;

	build_tlv(&b, XAUTH_USER_NAME, (struct span){ (const uint8_t *)user, user_n });
	build_tlv(&b, XAUTH_USER_PASSWORD, (struct span){ (const uint8_t *)password, password_n });
	reply(wr_done(&b.w));
	if (status() != XAUTH_STATUS_FAIL || gate_count(&g, FX_AUTH, IKE_R__COUNT) ||
	    gate_count(&g, FX_DOWN, IKE_R_BAD_CREDENTIALS) != 1 || !kit_sound())
		return false;
	kit_another(&other, "192.0.2.77:500");
	return client_up(&other, &g); /* and others are not harmed */
}

static void test_refused(void)
{
	char u[300], p[300];

	ok(refused("", 0, "x", 1), "N164: no name");
	ok(refused("x", 1, "", 0), "N164: no password");
	ok(refused("", 0, "", 0), "N164: neither");
	ok(refused("\0", 1, "x", 1), "N169: a name that is only a NUL");
	ok(refused("x", 1, "\0", 1), "a password that is only a NUL");
	ok(refused("alice\0evil", 10, "x", 1), "N170b: a NUL inside of the name");
	ok(refused("alice\0\0", 7, "x", 1), "N170b: two NULs behind it");
	ok(refused("x", 1, "won\0der", 7), "N170b: a NUL inside of the password");
	ok(refused(filled(u, "n", 129), 129, "x", 1), "N170: a name of 129 bytes, never cut");
	ok(refused("x", 1, filled(p, "p", 256), 256), "a password of 256 bytes");
	ok(refused("a\x1b[2J", 5, "x", 1), "N166: a terminal's escape");
	ok(refused("a\x07", 2, "x", 1), "N166: BEL");
	ok(refused("a\xc2\x9b", 3, "x", 1), "N166: C1");
	ok(refused("a\r\nb", 4, "x", 1), "N167: line breaks");
	ok(refused("a\xe2\x80\xae"
		   "b",
		   5, "x", 1),
	   "N170: a right-to-left override");
	ok(refused("a\xe2\x80\x8b"
		   "b",
		   5, "x", 1),
	   "N170: a zero-width space");
	ok(refused("\xff\xff\xff\xff", 4, "x", 1), "N169: no UTF-8");
	ok(refused("0\x84\xff\xff\xff\xff", 6, "x", 1), "N169: DER");
}

/* ---- other attributes ---- */

static const uint8_t user[] = { 0x40, 0x89, 0, 5, 'a', 'l', 'i', 'c', 'e' };
static const uint8_t pass[] = {
	0x40, 0x8a, 0, 10, 'w', 'o', 'n', 'd', 'e', 'r', 'l', 'a', 'n', 'd'
};

static int with(const char *before, const char *after, bool swapped)
{
	uint8_t buf[512];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_span(&w, hex(before));
	wr_span(&w, swapped ? SPAN_OF(pass) : SPAN_OF(user));
	wr_span(&w, swapped ? SPAN_OF(user) : SPAN_OF(pass));
	wr_span(&w, hex(after));
	reply(wr_done(&w));
	return status();
}

static void test_attributes(void)
{
	is_int(with("", "", true), XAUTH_STATUS_OK, "the password may stand first");
	is_int(with("c0880000", "", false), XAUTH_STATUS_OK, "type Generic, as Shrew sends it");
	is_int(with("40880002 0000", "", false), XAUTH_STATUS_OK, "in the variable form, too");
	is_int(with("c0880001", "", false), XAUTH_STATUS_FAIL, "another type is refused");
	is_int(with("408e0003 646f6d", "7d880000", false), XAUTH_STATUS_OK,
	       "a domain and Cisco's own attribute are passed over");
	is_int(with("", "40890003 626f62", false), XAUTH_STATUS_FAIL,
	       "N163: two names are refused");
	is_int(with("408a0001 78", "", false), XAUTH_STATUS_FAIL,
	       "N163: two passwords are refused");
	is_int(with("40890000", "", false), XAUTH_STATUS_FAIL, "N163: an empty name before one");
	is_int(with("c0896162", "", false), XAUTH_STATUS_FAIL, "N165: a name as a basic attribute");
	is_int(with("c08f0001", "", false), XAUTH_STATUS_OK, "N174: STATUS = OK is no password");
	reply(hex("c08f0001"));
	is_int(status(), XAUTH_STATUS_FAIL, "N174: and alone it is no login");
	kit_fresh();
	client_phase1(&c, &g);
	c.cfg_id ^= 0x5a5a;
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	is_int(status(), XAUTH_STATUS_OK,
	       "another identifier is tolerated: the message ID says which question it answers");
	reply(hex("408b0003 313233"));
	is_int(status(), XAUTH_STATUS_FAIL, "N164: a passcode alone is refused");
	reply(hex("40910003 313233"));
	is_int(status(), XAUTH_STATUS_FAIL, "N164: an answer alone is refused");
	reply((struct span){ 0 });
	is_int(status(), XAUTH_STATUS_FAIL, "an empty reply is refused");
}

/* ---- how it ends ---- */

static void test_gives_up(void)
{
	reply(hex("c08f0000"));
	ok(gate_count(&g, FX_DOWN, IKE_R_CLIENT_REFUSED) == 1 && kit_state() == IKE_ST_CLOSING,
	   "a client that says STATUS = FAIL has given up");
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1, "its ISAKMP SA is deleted");
	kit_end("gives up");
}

static void test_wrong_password(void)
{
	kit_fresh();
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderlanD")));
	is_int(status(), XAUTH_STATUS_FAIL, "a wrong password is refused");
	ok(kit_state() == IKE_ST_REFUSING && gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 1 &&
		   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 1 && g.leases == 0,
	   "and told to the journal, once");
	is_str(gate_last(&g, FX_DOWN)->text, "alice", "with the name that was given");
	ok(!gate_last(&g, FX_DOWN)->logged_in, "which was never logged in");
	client_to(&c, &g, client_ack(&c));
	ok(kit_state() == IKE_ST_CLOSING && client_open(&c, gate_only(&g)) == 0 &&
		   c.msg.n_delete == 1,
	   "the acknowledgement is followed by a delete (xauth-02 6)");
	gate_pass(&g, S(60));
	ok(kit_state() == -1, "and nothing is left");
	kit_end("wrong password");
	kit_fresh();
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	gate_pass(&g, S(5));
	is_int(kit_state(), IKE_ST_CLOSING,
	       "without an acknowledgement it ends after some seconds");
	gate_pass(&g, S(60));
	is_int(kit_state(), -1, "all the same");
	kit_end("no acknowledgement");
}

static void test_verdicts(void)
{
	kit_fresh();
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	ok(g.n_out == 0 && kit_state() == IKE_ST_CHECKING, "a password takes time to check");
	gate_verdict(&g, IKE_AUTH_UNAVAILABLE);
	ok(status() == XAUTH_STATUS_FAIL && gate_count(&g, FX_DOWN, IKE_R_AUTH_UNAVAILABLE) == 1,
	   "nobody could tell: refused, for that reason");
	kit_end("unavailable");
	kit_fresh();
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	gate_pass(&g, S(61));
	is_int(kit_state(), IKE_ST_REFUSING, "nobody tells at all: refused when the time is over");
	is_int(gate_count(&g, FX_DOWN, IKE_R_AUTH_UNAVAILABLE), 1, "for that reason");
	gate_verdict(&g, IKE_AUTH_OK);
	ok(ike_sessions(g.ike) == 0 && g.n_out == 0,
	   "a verdict that comes too late counts nothing");
	kit_end("too late");
	kit_fresh();
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("x")));
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && gate_count(&g, FX_DOWN, IKE_R_CLIENT_LEFT) == 1,
	   "a client hangs up while its password is checked");
	gate_verdict(&g, IKE_AUTH_OK);
	ok(ike_sessions(g.ike) == 0 && g.n_out == 0, "the verdict finds nobody");
	kit_end("hung up");
}

int main(void)
{
	test_taken();
	test_refused();
	test_attributes();
	test_gives_up();
	test_wrong_password();
	test_verdicts();
	return done();
}
