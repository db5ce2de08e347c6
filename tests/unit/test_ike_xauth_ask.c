/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_xauth_ask.c - logins in rounds: a code behind the password, a wrong password once more. */
#include "ike_kit.h"

static const struct span nothing = { 0 };

/* A user with a code behind the password, who has said the password. */
static void with_password(void)
{
	kit_fresh();
	g.code = "271828";
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
}

/* What the gateway answers: XAUTH_STATUS_*, or -1. */
static int status(void)
{
	struct ike_attr a = { 0 };
	struct rd r;

	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_SET)
		return -1;
	r = rd_from(c.cfg.attrs);
	return ike_attr_next(&r, &a) && a.type == XAUTH_STATUS && !r.left ? a.value : -1;
}

/* What it asks for; 0: nothing, or name and password. */
static uint16_t asked(const char *message)
{
	struct span m;
	uint16_t attr;

	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_REQUEST)
		return 0;
	attr = client_asked(&c, &m);
	return span_eq(m, span_str(message)) ? attr : 0;
}

/* It asks for name and password once more. */
static bool asked_again(void)
{
	struct ike_attr name = { 0 }, password = { 0 }, message = { 0 };
	struct rd r;

	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_REQUEST)
		return false;
	r = rd_from(c.cfg.attrs);
	return ike_attr_next(&r, &message) && message.type == XAUTH_MESSAGE && message.data.n &&
	       ike_attr_next(&r, &name) && name.type == XAUTH_USER_NAME && !name.data.n &&
	       ike_attr_next(&r, &password) && password.type == XAUTH_USER_PASSWORD &&
	       !password.data.n && !r.left;
}

static void say(uint16_t attr, const char *text, size_t n)
{
	client_to(&c, &g, client_say(&c, attr, (struct span){ (const uint8_t *)text, n }));
}

static void test_code(void)
{
	uint16_t id;
	uint32_t msgid;

	with_password();
	id = c.cfg_id;
	msgid = c.msgid;
	ok(asked("Code: ") == XAUTH_PASSCODE, "behind the password a code is asked for");
	ok(c.cfg_id == id && c.hdr.msgid != msgid,
	   "under the same identifier, with another message ID (xauth-02 6)");
	ok(kit_state() == IKE_ST_XAUTH && kit_sound(), "which is waited for");
	say(XAUTH_PASSCODE, "271828", 6);
	is_int(status(), XAUTH_STATUS_OK, "the right one lets in");
	is_str(gate_last(&g, FX_ANSWER)->text, "271828", "as it was given");
	is_str(client_sa(&c, &g)->user, "alice", "and the user is who said the password");
	ok(kit_sound() && ike_counter(g.ike, IKE_C_LOGIN_OK) == 1, "once");
	client_to(&c, &g, client_ack(&c));
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c) && client_quick(&c, &g),
	   "and the session comes up");
	kit_end("code");

	with_password();
	client_open(&c, gate_only(&g));
	say(XAUTH_PASSCODE, "314159", 6);
	is_int(status(), XAUTH_STATUS_FAIL, "a wrong one does not");
	is_int(gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED), 1, "for the reason that it is wrong");
	kit_end("wrong code");
}

static void test_kinds(void)
{
	static const struct {
		enum ike_ask ask;
		uint16_t attr;
		const char *name;
	} kind[] = {
		{ IKE_ASK_ANSWER, XAUTH_ANSWER, "ANSWER" },
		{ IKE_ASK_PASSCODE, XAUTH_PASSCODE, "PASSCODE" },
		{ IKE_ASK_PIN, XAUTH_NEXT_PIN, "NEXT-PIN" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(kind); i++) {
		kit_fresh();
		g.code = "x";
		g.ask = kind[i].ask;
		client_phase1(&c, &g);
		client_to(&c, &g,
			  client_credentials(&c, span_str("alice"), span_str("wonderland")));
		ok(asked("Code: ") == kind[i].attr, "%s is asked for", kind[i].name);
		say(kind[i].attr, "x\0", 2);
		is_int(status(), XAUTH_STATUS_OK, "N170b: and taken without Android's NUL");
		kit_end(kind[i].name);
	}
	kit_fresh();
	g.code = "";
	g.prompt = "";
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	is_int(asked(""), XAUTH_PASSCODE, "a question without a text has no MESSAGE");
	say(XAUTH_PASSCODE, "", 0);
	is_int(status(), XAUTH_STATUS_OK, "an empty answer is one");
	kit_end("empty");
}

/* ---- answers that are none ---- */

static bool refused(enum ike_reason why, struct span attrs)
{
	with_password();
	if (client_open(&c, gate_only(&g)) < 0)
		return false;
	client_to(&c, &g, client_attr(&c, CFG_REPLY, c.cfg_id, attrs));
	return status() == XAUTH_STATUS_FAIL && gate_count(&g, FX_DOWN, why) == 1 &&
	       gate_count(&g, FX_ANSWER, IKE_R__COUNT) == 1 && !gate_last(&g, FX_ANSWER)->given &&
	       gate_last(&g, FX_DOWN)->asked && kit_sound();
}

static void test_hostile(void)
{
	uint8_t buf[LIMIT_PASSWORD + 8];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_be16(&w, XAUTH_PASSCODE);
	wr_be16(&w, LIMIT_PASSWORD + 1);
	for (unsigned i = 0; i <= LIMIT_PASSWORD; i++)
		wr_u8(&w, 'x');
	ok(refused(IKE_R_NO_ANSWER, nothing), "an empty reply is no answer: strongSwan's");
	ok(refused(IKE_R_NO_ANSWER, hex("408a0003 787878")), "nor is a password");
	ok(refused(IKE_R_NO_ANSWER, hex("40910003 787878")), "nor what was not asked for");
	ok(refused(IKE_R_BAD_CREDENTIALS, hex("408b0001 78 408b0001 78")),
	   "N163: two answers are refused");
	ok(refused(IKE_R_BAD_CREDENTIALS, hex("408b0003 780078")),
	   "N170b: as is one with a NUL inside");
	ok(refused(IKE_R_BAD_CREDENTIALS, wr_done(&w)), "and one of 256 bytes");
	ok(refused(IKE_R_BAD_CREDENTIALS, hex("408b0001 78 c0880001")), "and one of another type");

	with_password();
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_attr(&c, CFG_REPLY, c.cfg_id, hex("c08f0000")));
	ok(gate_count(&g, FX_DOWN, IKE_R_CLIENT_REFUSED) == 1 && !gate_last(&g, FX_ANSWER)->given &&
		   kit_sound(),
	   "a client that says STATUS = FAIL has given up, and vpngw-authd is told");
	kit_end("gives up");
}

static uint8_t earlier[512];

static void test_earlier_round(void)
{
	struct client first;
	struct span again;

	kit_fresh();
	g.code = "271828";
	client_phase1(&c, &g);
	first = c;
	again = client_credentials(&c, span_str("alice"), span_str("wonderland"));
	memcpy(earlier, again.p, again.n);
	client_to(&c, &g, again);
	client_open(&c, gate_only(&g));
	client_raw(&c, &g, (struct span){ earlier, again.n });
	ok(g.n_out == 0 && gate_count(&g, FX_AUTH, IKE_R__COUNT) == 1 &&
		   kit_state() == IKE_ST_XAUTH,
	   "N175: the password comes again: it has been heard");
	client_to(&first, &g, client_credentials(&first, span_str("mallory"), span_str("x")));
	ok(g.n_out == 0 && gate_count(&g, FX_AUTH, IKE_R__COUNT) == 1 &&
		   kit_state() == IKE_ST_XAUTH,
	   "N175: another name and password for the round that is over have no effect");
	client_to(&first, &g, client_say(&first, XAUTH_PASSCODE, span_str("271828")));
	ok(gate_count(&g, FX_ANSWER, IKE_R__COUNT) == 0 && kit_state() == IKE_ST_XAUTH,
	   "nor has an answer in that round");
	say(XAUTH_PASSCODE, "271828", 6);
	is_int(status(), XAUTH_STATUS_OK, "while the round under way goes on");
	kit_end("earlier round");
}

/* ---- time and loss ---- */

static void test_lost(void)
{
	struct span out;
	uint8_t first[512];
	size_t n;

	with_password();
	out = gate_only(&g);
	n = out.n;
	memcpy(first, out.p, n);
	gate_pass(&g, S(2));
	ok(span_eq(gate_only(&g), (struct span){ first, n }), "a lost question is repeated");
	ok(asked("Code: ") == XAUTH_PASSCODE, "as it was");
	say(XAUTH_PASSCODE, "271828", 6);
	is_int(status(), XAUTH_STATUS_OK, "and answered then");
	kit_end("lost question");

	with_password();
	client_open(&c, gate_only(&g));
	gate_pass(&g, S(55));
	ok(kit_state() == IKE_ST_XAUTH, "who types a code has auth_timeout from the question on");
	say(XAUTH_PASSCODE, "271828", 6);
	is_int(status(), XAUTH_STATUS_OK, "also when nothing is repeated any more");
	kit_end("slow");

	with_password();
	gate_pass(&g, S(61));
	ok(gate_count(&g, FX_DOWN, IKE_R_CLIENT_SILENT) == 1 && gate_last(&g, FX_DOWN)->asked &&
		   !gate_last(&g, FX_ANSWER)->given,
	   "nobody answers: the login is over, and vpngw-authd is told");
	kit_end("silent");

	with_password();
	client_open(&c, gate_only(&g));
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && !gate_last(&g, FX_ANSWER)->given,
	   "a client hangs up at the question, and vpngw-authd is told");
	kit_end("hung up");
}

static void test_stale(void)
{
	struct ike_ticket who;

	kit_fresh();
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	who = g.job[0].who;
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(!gate_question(&g, who, IKE_ASK_ANSWER, "?") && g.fx.n == 0,
	   "a question to somebody who has left is not asked");
	kit_end("stale");

	kit_fresh();
	g.hold = GATE_HOLD(AUTH);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	who = g.job[0].who;
	ok(gate_question(&g, who, IKE_ASK_ANSWER, "?"), "a question is asked");
	gate_run(&g);
	ok(!gate_question(&g, who, IKE_ASK_ANSWER, "?") && g.fx.n == 0,
	   "but not a second one before it is answered");
	ike_auth_done(g.ike, who, IKE_AUTH_OK, NULL, g.now, &g.fx);
	ok(g.fx.n == 0 && kit_state() == IKE_ST_XAUTH, "nor is there a verdict before that");
	kit_end("two at once");
}

static void test_limit(void)
{
	unsigned rounds = 1;

	kit_fresh();
	g.code = "x";
	g.hold = GATE_HOLD(ANSWER);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	while (asked("Code: ") == XAUTH_PASSCODE) {
		struct ike_ticket who;

		rounds++;
		say(XAUTH_PASSCODE, "x", 1);
		who = g.job[0].who;
		g.n_jobs = g.n_out = 0;
		gate_question(&g, who, IKE_ASK_PASSCODE, "Code: ");
		gate_run(&g);
	}
	is_int(rounds, LIMIT_XAUTH_ROUNDS, "N186b: so many requests are sent");
	ok(c.cfg.type == CFG_SET && gate_count(&g, FX_DOWN, IKE_R_XAUTH_ROUNDS) == 1,
	   "the next question ends the login");
	ok(client_sa(&c, &g) && kit_sound(), "in order");
	kit_end("limit");
}

/* ---- another try ---- */

static void with_tries(uint32_t tries)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.xauth_tries = tries;
	gate_start(&g);
	client_phase1(&c, &g);
}

static void try(const char *password)
{
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str(password)));
}

static void test_again(void)
{
	with_tries(3);
	try("x");
	ok(asked_again(), "a wrong password is asked for again");
	ok(gate_count(&g, FX_AGAIN, IKE_R_AUTH_FAILED) == 1 &&
		   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 1 &&
		   gate_count(&g, FX_DOWN, IKE_R__COUNT) == 0,
	   "and told to the journal");
	is_str(gate_last(&g, FX_AGAIN)->text, "alice", "with the name that was given");
	try("wonderland");
	is_int(status(), XAUTH_STATUS_OK, "the right one gets in under the same phase 1");
	kit_end("second try");

	with_tries(3);
	try("x");
	client_open(&c, gate_only(&g));
	try("y");
	ok(asked_again(), "a second wrong one is forgiven, too");
	try("z");
	ok(status() == XAUTH_STATUS_FAIL && gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 1 &&
		   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 3,
	   "the third is the last");
	kit_end("three tries");

	with_tries(1);
	try("x");
	is_int(status(), XAUTH_STATUS_FAIL, "with one try the first is the last");
	kit_end("one try");

	with_tries(5);
	g.code = "271828";
	for (unsigned i = 0; i < 3; i++) {
		try("wonderland");
		client_open(&c, gate_only(&g));
		say(XAUTH_PASSCODE, "1", 1);
		ok(asked_again(), "after a wrong code it begins with the password again");
	}
	try("wonderland");
	client_open(&c, gate_only(&g));
	say(XAUTH_PASSCODE, "1", 1);
	ok(status() == XAUTH_STATUS_FAIL && gate_count(&g, FX_DOWN, IKE_R_AUTH_FAILED) == 1,
	   "SEC-15: up to the number of requests that a login may have");
	kit_end("rounds and tries");

	with_tries(3);
	g.hold = GATE_HOLD(AUTH);
	try("x");
	gate_verdict(&g, IKE_AUTH_UNAVAILABLE);
	is_int(status(), XAUTH_STATUS_FAIL, "where nobody could tell there is no other try");
	kit_end("unavailable");
}

int main(void)
{
	test_code();
	test_kinds();
	test_hostile();
	test_earlier_round();
	test_lost();
	test_stale();
	test_limit();
	test_again();
	return done();
}
