/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_events.c - the lines in the journal: their words, their fields, and how many there may be. */
#include "gateway.h"
#include "ike_kit.h"
#include "log_kept.h"
#include "text.h"

static struct gw gw;

static struct fx_session session(const char *user, const char *client)
{
	struct fx_session f = { .name = "0d2157c2",
				.peer = ep("192.0.2.9:4500"),
				.lease = ep("10.99.99.1:0").addr,
				.since_us = gw_now_us(&gw) - 65 * US_PER_S,
				.logged_in = true };

	snprintf(f.user, sizeof(f.user), "%s", user);
	snprintf(f.client, sizeof(f.client), "%s", client);
	return f;
}

/* Of a login that failed. */
static struct fx_session failed(const char *user, enum ike_reason why)
{
	struct fx_session f = session(user, "");

	f.lease = (struct ipaddr){ 0 };
	f.since_us = 0;
	f.logged_in = false;
	f.reason = why;
	return f;
}

static void test_up_and_down(void)
{
	struct fx_session f = session("alice", "Shrew\x1b[2J 2.2");
	struct gw_session mine = { .bytes_in = 1536, .bytes_out = 12 << 20, .reason = "by root" };

	kept_none();
	event_up(&(struct ike_ticket){ 0 }, &f);
	is_str(kept_last(),
	       "alice is up: 10.99.99.1, from 192.0.2.9:4500, Shrew\\x1b[2J 2.2, session 0d2157c2",
	       "a session that came up is a sentence");
	is_str(kept_field("VPNGW_EVENT"), "session-up", "with the fields: the event");
	is_str(kept_field("VPNGW_SESSION"), "0d2157c2", "  the session");
	is_str(kept_field("VPNGW_USER"), "alice", "  the user");
	is_str(kept_field("VPNGW_PEER"), "192.0.2.9:4500", "  the peer");
	is_str(kept_field("VPNGW_ADDRESS"), "10.99.99.1", "  the address");
	is_str(kept_field("VPNGW_ADDRESS6"), "", "  no IPv6 address, where there is none");
	is_str(kept_field("VPNGW_CLIENT"), "Shrew\\x1b[2J 2.2", "  the client, escaped");
	is_int((long long)strlen(kept_field("MESSAGE_ID")), 32, "  and the kind of event");

	ipaddr_parse("fd00:99::a63:6301", &f.lease6);
	event_up(&(struct ike_ticket){ 0 }, &f);
	ok(strstr(kept_last(), "is up: 10.99.99.1 and fd00:99::a63:6301, from"),
	   "one with an IPv6 address names both");
	is_str(kept_field("VPNGW_ADDRESS6"), "fd00:99::a63:6301", "  and has it in a field");

	f.reason = IKE_R_KICKED;
	event_down(&gw, &mine, &f);
	is_str(kept_last(),
	       "alice is down after 01:05: ended by the operator (by root); 1.5 KiB in, 12 MiB "
	       "out, session 0d2157c2",
	       "one that ended, too");
	is_str(kept_field("VPNGW_EVENT"), "session-down", "with the event");
	is_str(kept_field("VPNGW_REASON"), "kicked", "  the reason, in a word");
	is_str(kept_field("VPNGW_BYTES_IN"), "1536", "  the traffic");
	is_str(kept_field("VPNGW_BYTES_OUT"), "12582912", "  both ways");
	is_str(kept_field("VPNGW_DURATION"), "65", "  and the time");
	is_int(kept_n, 3, "and each is one line");
}

static void test_lease(void)
{
	struct ipaddr addr = ep("10.99.99.7:0").addr;

	kept_none();
	event_lease(NULL, true, "DOMAIN\\alice", &addr, "0d2157c2");
	is_str(kept_last(), "10.99.99.7 is leased to DOMAIN\\alice", "a lease is a sentence");
	is_str(kept_field("VPNGW_EVENT"), "lease-granted", "with the event");
	is_str(kept_field("VPNGW_USER"), "DOMAIN\\alice", "  the user, as an operator writes it");
	event_lease(NULL, false, "alice", &addr, "0d2157c2");
	is_str(kept_field("VPNGW_EVENT"), "lease-released", "and so is its end");
	is_str(kept_field("VPNGW_ADDRESS"), "10.99.99.7", "  of that address");
}

/* Whether the filter for fail2ban has been tried on this line: scripts/check-journal. */
static bool is_sample(const char *line)
{
	FILE *f = fopen("tests/data/fail2ban.lines", "re");
	char row[1024];
	bool found = false;

	while (f && fgets(row, sizeof(row), f)) {
		row[strcspn(row, "\n")] = '\0';
		found |= strcmp(row + strcspn(row, " ") + 1, line) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static void test_failed(void)
{
	struct fx_session f = failed("mallory", IKE_R_AUTH_FAILED);
	struct gw_session mine = { .reason = "wrong password" };

	kept_none();
	event_down(&gw, &mine, &f);
	is_str(kept_last(),
	       "login of mallory from 192.0.2.9:4500 failed: login refused (wrong password); the "
	       "gateway checked it as [auth] says",
	       "a failed login says which side and which step");
	ok(is_sample(kept_last()), "in the words that fail2ban's filter looks for");
	is_str(kept_field("VPNGW_EVENT"), "auth-failed", "with the event");
	is_str(kept_field("VPNGW_REASON"), "auth-failed", "  the reason, in a word");
	is_str(kept_field("VPNGW_DETAIL"), "wrong password", "  and what there is beside");
	is_str(kept_field("VPNGW_ADDRESS"), "", "and no address, for there is none");
	f = failed("mallory", IKE_R_PROFILE);
	strcpy(f.profile, "staff");
	event_down(&gw, NULL, &f);
	is_str(kept_last(),
	       "login of mallory from 192.0.2.9:4500 failed: the client asks for a profile whose "
	       "groups the user is not in; [profile \"staff\"] match_group names them",
	       "a closed profile is named, and the key");
	is_str(kept_field("VPNGW_PROFILE"), "staff", "  and is a field");
	f = failed("mallory", IKE_R_TOO_MANY_OF_USER);
	strcpy(f.profile, "staff");
	event_down(&gw, NULL, &f);
	ok(strstr(kept_last(), "; [profile \"staff\"] or [auth] sessions_per_user says how many"),
	   "a limit of a profile is looked for there as well");
	memset(f.profile, 'p', LIMIT_GROUP_NAME);
	event_down(&gw, NULL, &f);
	ok(strstr(kept_last(), "ppp\"] or [auth] sessions_per_user says how many"),
	   "  by the longest name there is");
	f = failed("", IKE_R_CLIENT_SILENT);
	event_down(&gw, NULL, &f);
	ok(strncmp(kept_last(), "login of an unnamed user from ", 30) == 0,
	   "who said no name is told as such");
	f.asked = true;
	event_down(&gw, NULL, &f);
	ok(strstr(kept_last(), "stopped answering when it was asked a question beyond name and"),
	   "who does not answer a second question is told apart");
	f = failed("mallory", IKE_R_NO_ANSWER);
	event_down(&gw, NULL, &f);
	is_str(kept_last(),
	       "login of mallory from 192.0.2.9:4500 failed: the client does not answer a question "
	       "beyond name and password; the second factor that [auth] asks for needs a client "
	       "that shows questions",
	       "and who cannot, too");
	ok(is_sample(kept_last()), "  in words that fail2ban's filter passes over");
	f = failed("mallory", IKE_R_AUTH_FAILED);
	event_again(&gw, &mine, &f);
	is_str(kept_last(),
	       "login of mallory from 192.0.2.9:4500 failed: login refused (wrong password); the "
	       "gateway checked it as [auth] says; the user is asked again ([auth] xauth_tries)",
	       "a wrong password that is not the end has its line as well");
	ok(is_sample(kept_last()), "  in words that fail2ban's filter looks for");
}

/* The line about the missing address stands for the end of the login as well. */
static void test_no_address(void)
{
	struct ike_sa sa = { .name = 0x0d2157c2, .user = "alice", .peer = ep("192.0.2.9:4500") };
	struct fx_session f = failed("alice", IKE_R_ADDRESS_TAKEN);
	struct ipaddr own = ep("10.99.99.7:0").addr;

	kept_none();
	event_pool_exhausted(&sa, "default");
	is_str(kept_field("VPNGW_EVENT"), "pool-exhausted", "a full pool is an event");
	is_str(kept_field("VPNGW_REASON"), "pool-exhausted", "  and a reason");
	event_address_taken(&sa, &own, false);
	is_str(kept_last(),
	       "alice from 192.0.2.9:4500 gets no address: the user's own address 10.99.99.7 is in "
	       "use by another session",
	       "an own address that is in use is a sentence");
	is_str(kept_field("VPNGW_EVENT"), "auth-failed", "  the event of a login that failed");
	is_str(kept_field("VPNGW_REASON"), "address-taken", "  with the reason of its own");
	is_str(kept_field("VPNGW_SESSION"), "0d2157c2", "  and the session");
	event_address_taken(&sa, &own, true);
	ok(strstr(kept_last(), "is in no pool") != NULL, "one that is in no pool says that");
	is_int(kept_n, 3, "these are three lines");
	event_down(&gw, NULL, &f);
	f.reason = IKE_R_POOL_EXHAUSTED;
	event_down(&gw, NULL, &f);
	is_int((long long)gw.refused[IKE_R_POOL_EXHAUSTED], 1, "which is counted");
	is_int(kept_n, 3, "and the end of such a login adds none");
}

/* ---- how many ---- */

static unsigned lines(const char *user, enum ike_reason why, unsigned n)
{
	struct fx_session f = failed(user, why);

	kept_none();
	for (unsigned i = 0; i < n; i++)
		event_down(&gw, NULL, &f);
	return kept_n;
}

static void test_limit(void)
{
	memset(gw.unnamed_limit, 0, sizeof(gw.unnamed_limit));
	memset(gw.named_limit, 0, sizeof(gw.named_limit));
	is_int(lines("", IKE_R_NO_THIRD, 1000), LIMIT_LOG_UNNAMED,
	       "clients without a name write so many lines and no more");
	is_int(lines("", IKE_R_CLIENT_SILENT, 1), 1, "another reason has lines of its own");
	is_int(lines("alice", IKE_R_NO_THIRD, 1), 1, "and so has somebody with a name");
	is_int(lines("mallory", IKE_R_AUTH_FAILED, 1000), LIMIT_LOG_NAMED,
	       "names do not make it endless");
	gw.unnamed_limit[IKE_R_NO_THIRD].window_start_us -= 6 * US_PER_S;
	is_int(lines("", IKE_R_NO_THIRD, 1), 1, "five seconds later there is a line again");
	ok(strstr(kept_last(), " (995 lines like this left out)") != NULL,
	   "which counts those in between");
}

/* ---- what the core notes ---- */

static void test_note(void)
{
	struct fx_item it = { .kind = FX_NOTE };

	kit_with(client_up);
	gw.ike = g.ike;
	it.note.reason = IKE_R_TOO_MANY_FROM_PEER;
	it.note.peer = ep("192.0.2.9:500");
	kept_none();
	for (unsigned i = 0; i < 20; i++)
		event_note(&gw, &it);
	is_int(kept_n, LIMIT_LOG_UNNAMED, "what the core notes is limited");
	is_int((long long)gw.refused[IKE_R_TOO_MANY_FROM_PEER], 20, "but counted, all of it");
	is_str(kept_last(), "192.0.2.9:500: too many logins under way from one address",
	       "it is a sentence");
	is_str(kept_field("VPNGW_EVENT"), "overload", "too many of something is an overload");
	is_int((long long)strlen(kept_field("MESSAGE_ID")), 32, "  an event of its own");
	is_int(kept[0].prio, LOG_WARNING, "  and a warning");
	is_str(kept_field("VPNGW_REASON"), "half-open-limit-source", "  with the reason");

	it.who.who = client_sa(&c, &g)->id;
	it.note.reason = IKE_R_NO_PROPOSAL_P2;
	it.note.detail = span_str("offered 3des-md5\n");
	event_note(&gw, &it);
	is_str(kept_last(), "192.0.2.9:500: no common phase 2 proposal: offered 3des-md5\\x0a",
	       "what is said beside is escaped");
	is_str(kept_field("VPNGW_EVENT"), "", "it is no event");
	is_str(kept_field("VPNGW_USER"), "alice", "  but has the user");
	is_int((long long)strlen(kept_field("VPNGW_SESSION")), 8, "  and the session, if any");
	gw.ike = NULL;
	kit_end("notes");
}

/* ---- long texts ---- */

static void test_long(void)
{
	struct fx_session f = session("", "");
	struct log_event e;
	bool whole = true;

	for (unsigned i = 0; i + 3 < LIMIT_USER; i += 3)
		memcpy(f.user + i, "\xe2\x82\xac", 3);
	f.user[0] = 'x'; /* so that no limit falls between two letters */
	memmove(f.user + 1, f.user + 3, LIMIT_USER - 3);
	memset(f.client, 0x1b, LIMIT_CLIENT_NAME);
	kept_none();
	event_up(&(struct ike_ticket){ 0 }, &f);
	is_str(kept_field("VPNGW_USER"), f.user, "the longest name is whole in its field");
	ok(strstr(kept_last(), f.user) != NULL, "and in the sentence");
	ok(strstr(kept_last(), "\\x1b...") && strlen(kept_field("VPNGW_CLIENT")) < 192,
	   "what a client says of itself is cut");

	for (unsigned i = 0; i < 3; i++) {
		log_event_init(&e, LOG_INFO, "%.*s%s%s%s%s%s", (int)i, "xx", f.user, f.user, f.user,
			       f.user, f.user);
		e.n = 0;
		log_field(&e, "VPNGW_TEST", "%.*s%s%s", (int)i, "xx", f.user, f.user);
		whole &= text_is_utf8(span_str(e.message)) && text_is_utf8(span_str(e.field[0])) &&
			 strcmp(e.message + strlen(e.message) - 3, "...") == 0 &&
			 strcmp(e.field[0] + strlen(e.field[0]) - 3, "...") == 0;
	}
	ok(whole, "no line and no field is cut through a letter");
	log_event_init(&e, LOG_INFO, "x");
	for (unsigned i = 0; i < 2 * LOG_FIELDS_MAX; i++)
		log_field(&e, "VPNGW_TEST", "%u", i);
	is_int(e.n, LOG_FIELDS_MAX, "there are so many fields and no more");
	log_event_init(&e, LOG_INFO, "x");
	log_field(&e, "VPNGW_TEST", "%s", "");
	is_int(e.n, 0, "an empty one is none");
}

int main(void)
{
	if (sd_event_new(&gw.event) < 0)
		return EXIT_FAILURE;
	test_up_and_down();
	test_lease();
	test_failed();
	test_no_address();
	test_limit();
	test_note();
	test_long();
	sd_event_unref(gw.event);
	return done();
}
