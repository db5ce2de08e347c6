/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_change.c - the control server: what ends sessions and releases leases, and who may. */
#include "ctl_fake.h"
#include "log_kept.h"

/* ---- looking alone ---- */

static void test_read_only(struct fake *f)
{
	json_t *r;

	fake_sessions(f, 3);
	f->forgotten = (struct ipaddr){ 0 };
	ctl_server_read_only(f->server);
	r = ask(f, "io.vpngw.List", NULL);
	is_int((long long)json_array_size(reply_array(r, "sessions")), 3,
	       "a socket for looking lists");
	json_decref(r);
	is_error(ask(f, "io.vpngw.Kick", "{\"all\":true}"), "io.vpngw.NotPermitted",
		 "but ends no session");
	ok(!f->kicks, "not one");
	is_error(ask(f, "io.vpngw.ReleaseLease", "{\"address\":\"10.9.0.3\"}"),
		 "io.vpngw.NotPermitted", "and releases no lease");
	is_error(ask(f, "io.vpngw.UnpinLease", "{\"address\":\"10.9.0.3\"}"),
		 "io.vpngw.NotPermitted", "and unpins none");
	ok(f->forgotten.family == IP_NONE, "none at all");
	f->reloads = 0;
	is_error(ask(f, "io.vpngw.Reload", NULL), "io.vpngw.NotPermitted",
		 "nor is anything reloaded");
	is_int(f->reloads, 0, "at all");
	r = ask(f, "io.vpngw.DiffConfig", NULL);
	ok(json_is_array(reply_array(r, "changes")), "what a reload would change is told");
	json_decref(r);
	f->server->read_only = false;
}

/* ---- show and kick ---- */

static void test_show(struct fake *f)
{
	json_t *r;

	fake_sessions(f, 20);
	strcpy(f->named[1].user, "alice");
	strcpy(f->named[5].user, "alice");
	r = ask(f, "io.vpngw.Show", "{\"user\":\"alice\"}");
	is_int((long long)json_array_size(reply_array(r, "sessions")), 2,
	       "a user's sessions are all shown");
	json_decref(r);
	r = ask(f, "io.vpngw.Show", "{\"session\":\"5e550006\",\"user\":null}");
	is_int((long long)json_array_size(reply_array(r, "sessions")), 1,
	       "a session is shown by its id, a null beside it does not matter");
	json_decref(r);
	r = ask(f, "io.vpngw.Show", "{\"address\":\"10.9.0.4\"}");
	is_str(json_string_value(
		       json_object_get(json_array_get(reply_array(r, "sessions"), 0), "session")),
	       "5e550003", "a session is shown by its address");
	json_decref(r);
	ipaddr_parse("fd00:99::4", &f->named[3].address6);
	r = ask(f, "io.vpngw.Show", "{\"address\":\"fd00:99::4\"}");
	is_str(json_string_value(
		       json_object_get(json_array_get(reply_array(r, "sessions"), 0), "session")),
	       "5e550004", "or by its IPv6 address");
	json_decref(r);
	r = ask(f, "io.vpngw.Show", "{\"user\":\"mallory\"}");
	is_str(reply_text(r, "what"), "session of user mallory", "NotFound says what");
	is_error(r, "io.vpngw.NotFound", "a user without a session is not found");
	is_error(ask(f, "io.vpngw.Show", "{}"), VARLINK_INVALID_PARAMETER,
		 "show needs to know what");
	is_error(ask(f, "io.vpngw.Show", "{\"user\":\"a\",\"session\":\"5e550001\"}"),
		 VARLINK_INVALID_PARAMETER, "show takes one of them only");
	is_error(ask(f, "io.vpngw.Show", "{\"address\":\"10.9.0.400\"}"), VARLINK_INVALID_PARAMETER,
		 "a bad address is an invalid parameter");
	is_error(ask(f, "io.vpngw.Show", "{\"session\":12}"), VARLINK_INVALID_PARAMETER,
		 "a number is no session id");
	r = ask(f, "io.vpngw.Show", "{\"sesion\":\"1\"}");
	is_str(reply_text(r, "parameter"), "sesion", "an unknown parameter is named");
	json_decref(r);
	is_error(ask(f, "io.vpngw.Show", "{\"all\":true}"), VARLINK_INVALID_PARAMETER,
		 "show has no all");
	is_error(ask(f, "io.vpngw.Explode", NULL), VARLINK_METHOD_NOT_FOUND,
		 "an unknown method is not found");
	is_error(ask(f, "io.systemd.Manager.Poweroff", NULL), VARLINK_INTERFACE_NOT_FOUND,
		 "an unknown interface is not found");
}

static long long kick_count(json_t *reply)
{
	json_t *count = json_object_get(json_object_get(reply, "parameters"), "count");
	long long n = json_is_integer(count) ? json_integer_value(count) : -1;

	json_decref(reply);
	return n;
}

static void test_kick_fields(struct fake *f)
{
	char number[16];

	strcpy(f->named[7].user, "DOMAIN\\bob");
	kept_none();
	is_int(kick_count(ask(f, "io.vpngw.Kick", "{\"session\":\"5e550008\",\"reason\":\"why\"}")),
	       1, "another");
	log_divert(NULL, NULL);
	is_str(kept_field("VPNGW_EVENT"), "admin-kick", "has the event in the journal");
	is_int((long long)strlen(kept_field("MESSAGE_ID")), 32, "  of that kind");
	is_str(kept_field("VPNGW_USER"), "DOMAIN\\bob", "  whom it was about");
	is_str(kept_field("VPNGW_SESSION"), "5e550008", "  which session");
	is_str(kept_field("VPNGW_ADDRESS"), "10.9.0.9", "  with which address");
	is_str(kept_field("VPNGW_DETAIL"), "why", "  why, in the operator's words");
	is_str(kept_field("VPNGW_REASON"), "", "  which are no reason of ours");
	snprintf(number, sizeof(number), "%u", getuid());
	is_str(kept_field("VPNGW_ADMIN_UID"), number, "  and who it was");
	ok(*kept_field("VPNGW_ADMIN") && atoi(kept_field("VPNGW_ADMIN_PID")) == getpid(),
	   "  by name and process");
}

static void test_kick(struct fake *f)
{
	struct peer p;
	json_t *r;

	fake_sessions(f, 100);
	strcpy(f->named[1].user, "alice");
	strcpy(f->named[5].user, "alice");
	r = ask(f, "io.vpngw.Kick", "{\"user\":\"alice\",\"reason\":\"left\\u001b[2J\"}");
	is_int(kick_count(r), 2, "kick ends all sessions of a user and says how many");
	ok(f->gone[1] && f->gone[5] && !f->gone[2], "and no others");
	is_int(f->who.uid, getuid(), "the gateway is told who asks");
	is_int(f->who.pid, getpid(), "and from which process");
	is_str(f->who.reason, "left\\x1b[2J", "and why, escaped");
	ok(log_has(f, " ended session 5e550006 of alice: left\\x1b[2J\n"), "a kick is logged");
	test_kick_fields(f);
	is_error(ask(f, "io.vpngw.Kick", "{\"user\":\"alice\"}"), "io.vpngw.NotFound",
		 "a second kick finds nobody");
	is_int(kick_count(ask(f, "io.vpngw.Kick", "{\"session\":\"5e550064\"}")), 1, "kick by id");
	is_int(kick_count(ask(f, "io.vpngw.Kick", "{\"address\":\"10.9.0.12\"}")), 1,
	       "kick by address");
	f->kick_error = -EPERM;
	is_error(ask(f, "io.vpngw.Kick", "{\"session\":\"5e550001\"}"), "io.vpngw.NotPermitted",
		 "a refused kick says so");
	f->kick_error = -EBUSY;
	is_error(ask(f, "io.vpngw.Kick", "{\"session\":\"5e550001\"}"), "io.vpngw.Busy",
		 "a kick that cannot be done now says so");
	f->kick_error = 0;
	is_error(ask(f, "io.vpngw.Kick", "{\"all\":false}"), VARLINK_INVALID_PARAMETER,
		 "all that is false is nothing");
	is_error(ask(f, "io.vpngw.Kick", "{\"all\":true,\"user\":\"bob\"}"),
		 VARLINK_INVALID_PARAMETER, "all and a user contradict each other");
	is_error(ask(f, "io.vpngw.Kick", "{\"all\":\"yes\"}"), VARLINK_INVALID_PARAMETER,
		 "all is a boolean");
	is_int(kick_count(ask(f, "io.vpngw.Kick", "{\"all\":true}")), 95, "kick all");
	is_int(kick_count(ask(f, "io.vpngw.Kick", "{\"all\":true}")), 0,
	       "kick all of none is no error");

	fake_sessions(f, 20);
	p = peer_open(f);
	peer_say(&p,
		 "{\"method\":\"io.vpngw.Kick\",\"parameters\":{\"all\":true},\"oneway\":true}");
	peer_say(&p, "{\"method\":\"io.vpngw.List\",\"oneway\":true}");
	peer_say(&p, "{\"method\":\"io.vpngw.Nothing\",\"oneway\":true}");
	peer_say(&p, "{\"method\":\"io.vpngw.Status\"}");
	r = peer_hear(&p);
	is_str(reply_text(r, "version"), "9.9", "oneway calls get no reply, the next call does");
	is_int(f->kicks, 20, "and a oneway kick is done");
	json_decref(r);
	peer_close(&p);
}

static void test_release(struct fake *f)
{
	json_t *r = ask(f, "io.vpngw.ReleaseLease", "{\"address\":\"10.9.0.3\"}");
	struct ipaddr want;

	is_str(reply_text(r, "address"), "10.9.0.3", "a lease is released");
	json_decref(r);
	ipaddr_parse("10.9.0.3", &want);
	ok(ipaddr_eq(&f->forgotten, &want), "that one");
	ok(log_has(f, " released the lease of 10.9.0.3\n"), "a release is logged");
	f->forget_error = -ENOENT;
	is_error(ask(f, "io.vpngw.ReleaseLease", "{\"address\":\"10.9.0.3\"}"), "io.vpngw.NotFound",
		 "an unknown lease is not found");
	f->forget_error = -EBUSY;
	is_error(ask(f, "io.vpngw.ReleaseLease", "{\"address\":\"10.9.0.3\"}"), "io.vpngw.Busy",
		 "a lease in use is busy");
	f->forget_error = 0;
	is_error(ask(f, "io.vpngw.ReleaseLease", "{}"), VARLINK_INVALID_PARAMETER,
		 "a release needs an address");
}

#define PIN "{\"user\":\"ali\\u0007ce\",\"address\":\"10.9.0.3\"}"

static void test_pin(struct fake *f)
{
	json_t *r = ask(f, "io.vpngw.PinLease", PIN);
	struct ipaddr want;

	is_str(reply_text(r, "address"), "10.9.0.3", "an address is pinned");
	json_decref(r);
	ipaddr_parse("10.9.0.3", &want);
	ok(ipaddr_eq(&f->forgotten, &want) && strcmp(f->pinned_to, "ali\ace") == 0,
	   "that one, to that user");
	ok(log_has(f, " pinned 10.9.0.3 to ali\\x07ce\n"), "which is logged, escaped");
	r = ask(f, "io.vpngw.UnpinLease", "{\"address\":\"10.9.0.3\"}");
	is_str(reply_text(r, "address"), "10.9.0.3", "and unpinned");
	json_decref(r);
	ok(log_has(f, " unpinned 10.9.0.3\n"), "which is logged, too");
	f->pin_error = -ENOENT;
	is_error(ask(f, "io.vpngw.PinLease", PIN), "io.vpngw.NotFound",
		 "what is in no pool is not found");
	is_error(ask(f, "io.vpngw.UnpinLease", "{\"address\":\"10.9.0.3\"}"), "io.vpngw.NotFound",
		 "nor is what is not pinned");
	f->pin_error = -EBUSY;
	is_error(ask(f, "io.vpngw.PinLease", PIN), "io.vpngw.Busy", "another user's is busy");
	f->pin_error = -EEXIST;
	is_error(ask(f, "io.vpngw.PinLease", PIN), "io.vpngw.Busy", "so is another user's pin");
	f->pin_error = -EPERM;
	is_error(ask(f, "io.vpngw.PinLease", PIN), "io.vpngw.Busy",
		 "and one for a user who has an address elsewhere");
	f->pin_error = 0;
	is_error(ask(f, "io.vpngw.PinLease", "{\"address\":\"10.9.0.3\"}"),
		 VARLINK_INVALID_PARAMETER, "a pin needs a user");
	is_error(ask(f, "io.vpngw.PinLease", "{\"user\":\"\",\"address\":\"10.9.0.3\"}"),
		 VARLINK_INVALID_PARAMETER, "with a name");
	is_error(ask(f, "io.vpngw.PinLease", "{\"user\":\"alice\",\"address\":\"ten\"}"),
		 VARLINK_INVALID_PARAMETER, "and an address");
}

int main(void)
{
	static struct fake f;

	fake_start(&f);
	test_read_only(&f);
	test_show(&f);
	test_kick(&f);
	test_release(&f);
	test_pin(&f);
	fake_stop(&f);
	return done();
}
