/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_monitor.c - events as they happen: the server's stream of them, and vpngwctl monitor. */
#include "ctl_run.h"
#include "log_kept.h"

#define MONITOR "{\"method\":\"io.vpngw.Monitor\",\"more\":true}"

static void say(const char *event, const char *user, const char *text)
{
	struct log_event e;

	log_event_init(&e, LOG_NOTICE, "%s", text);
	if (event)
		log_field(&e, "VPNGW_EVENT", "%s", event);
	log_field(&e, "MESSAGE_ID", "%032d", 7);
	log_field(&e, "VPNGW_USER", "%s", user);
	log_field(&e, "VPNGW_BYTES_IN", "%u", 1234);
	log_send(&e);
}

/* One that watches, and has had the first reply. */
static struct peer watcher(struct fake *f, const char *name)
{
	struct peer p = peer_open(f);
	json_t *r;

	peer_say(&p, MONITOR);
	r = peer_hear(&p);
	ok(json_is_true(json_object_get(r, "continues")) &&
		   json_is_array(reply_array(r, "events")) &&
		   json_array_size(reply_array(r, "events")) == 0,
	   "%s", name);
	json_decref(r);
	return p;
}

static void test_stream(struct fake *f)
{
	struct peer p = watcher(f, "the first reply comes at once, without an event");
	const char *event = "", *message = "", *user = "", *bytes = "";
	json_t *r, *fields;

	say(NULL, "alice", "no event");
	say("session-up", "DOMAIN\\alice", "alice is up");
	r = peer_hear(&p);
	json_unpack(json_array_get(reply_array(r, "events"), 0), "{s:s, s:s, s:o}", "event", &event,
		    "message", &message, "fields", &fields);
	is_str(event, "session-up", "an event comes when it happens, and no other line");
	is_str(message, "alice is up", "with its sentence");
	json_unpack(fields, "{s:s, s:s}", "user", &user, "bytes_in", &bytes);
	is_str(user, "DOMAIN\\alice", "and its fields");
	is_str(bytes, "1234", "by their names without VPNGW_");
	is_int((long long)json_object_size(fields), 2, "and nothing else");
	ok(json_is_true(json_object_get(r, "continues")), "more may follow");
	json_decref(r);
	json_decref(ask(f, "io.vpngw.Kick", "{\"session\":\"5e550001\"}"));
	r = peer_hear(&p);
	json_unpack(json_array_get(reply_array(r, "events"), 0), "{s:s}", "event", &event);
	is_str(event, "admin-kick", "what an operator does is an event as well");
	json_decref(r);
	peer_close(&p);
	fake_run_for(f, 20);
	say("session-up", "bob", "nobody watches any more");
	r = ask(f, "io.vpngw.Monitor", NULL);
	is_str(reply_error(r), VARLINK_EXPECTED_MORE, "without the flag more there is no stream");
	json_decref(r);
}

static void test_idle(struct fake *f)
{
	struct peer p;
	uint64_t turns;
	json_t *r;

	f->server->idle_us = 100000;
	p = watcher(f, "who watches");
	turns = f->turns;
	fake_run_for(f, 400);
	ok(f->turns - turns < 450, "costs nothing while nothing happens");
	say("rekey", "alice", "late");
	r = peer_hear(&p);
	ok(r != NULL, "and is not hung up on");
	json_decref(r);
	f->server->idle_us = CTL_IDLE_S * UINT64_C(1000000);
	peer_say(&p, MONITOR);
	ok(peer_hung_up(&p, 1000), "unless it asks something meanwhile");
	peer_close(&p);
}

static const char *message_of(const json_t *reply)
{
	const char *v = json_string_value(
		json_object_get(json_array_get(reply_array(reply, "events"), 0), "message"));

	return v ? v : "";
}

static void test_lazy(struct fake *f)
{
	struct peer lazy = watcher(f, "one that does not read"), p;
	json_int_t lost = 0, seen = 0;
	bool last;
	json_t *r;

	for (unsigned i = 0; i < 20000; i++)
		say("rekey", "alice", "one of many");
	ok(f->server->client[0]->out.cap <= CTL_OUT_MAX, "costs a bounded piece of memory");
	p = watcher(f, "others watch beside it");
	say("session-up", "bob", "for both");
	r = peer_hear(&p);
	ok(reply_array(r, "events") != NULL, "and get theirs");
	json_decref(r);
	peer_close(&p);
	say("session-down", "alice", "the last one");
	do {
		r = peer_hear(&lazy);
		lost += json_integer_value(reply_array(r, "lost"));
		last = r && strcmp(message_of(r), "the last one") == 0;
		seen++;
		json_decref(r);
	} while (r && !last);
	ok(last && lost > 0 && lost + seen == 20002,
	   "when it reads again it is told how many it missed");
	f->server->stall_us = 300000;
	for (unsigned i = 0; i < 20000; i++) { /* the kernel takes some for it */
		say("rekey", "alice", "one of many");
		if (i % 200 == 0)
			fake_settle(f);
	}
	fake_run_for(f, 600);
	ok(!f->server->client[0], "one that never reads again is hung up on");
	f->server->stall_us = CTL_STALL_S * UINT64_C(1000000);
	peer_close(&lazy);
}

static void test_many(struct fake *f)
{
	struct peer p[LIMIT_CTL_WATCHERS + 1];
	json_t *r;

	for (unsigned i = 0; i < LIMIT_CTL_WATCHERS; i++) {
		p[i] = peer_open(f);
		peer_say(&p[i], MONITOR);
		json_decref(peer_hear(&p[i]));
	}
	p[LIMIT_CTL_WATCHERS] = peer_open(f);
	peer_say(&p[LIMIT_CTL_WATCHERS], MONITOR);
	r = peer_hear(&p[LIMIT_CTL_WATCHERS]);
	is_str(reply_error(r), "io.vpngw.Busy", "so many may watch, and one more is told no");
	json_decref(r);
	say("session-up", "alice", "for all");
	for (unsigned i = 0; i <= LIMIT_CTL_WATCHERS; i++)
		peer_close(&p[i]);
	fake_run_for(f, 20);
	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++)
		if (f->server->client[i])
			ok(false, "a connection is left over");
}

/* ---- the program ---- */

/* Two events whenever somebody watches. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fake *f = userdata;

	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++) {
		if (!f->server->client[i] || f->server->client[i]->job.kind != CTL_JOB_MONITOR)
			continue;
		say("session-up", "alice", "alice is up\x1b[2J");
		say("session-down", "bob", "bob is down");
		break;
	}
	sd_event_source_set_time(source, usec + 100000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static void test_program(struct fake *f)
{
	sd_event_source *timer = NULL;

	if (sd_event_add_time_relative(f->event, &timer, CLOCK_MONOTONIC, 0, 1000, on_timer, f) < 0)
		abort();
	is_int(run(f, "sh -c '\"$0\" monitor --socket \"$CONTROL\" | head -n 2' %s", program), 0,
	       "vpngwctl monitor");
	ok(strstr(out, " session-up     alice is up\\x1b[2J\n") && strstr(out, "bob is down\n"),
	   "prints each event as a line, and no control code");
	run(f, "sh -c '\"$0\" monitor --user bob --json --socket \"$CONTROL\" | head -n 2' %s",
	    program);
	ok(strncmp(out, "{\"", 2) == 0 && strstr(out, "\"user\":\"bob\"") &&
		   !strstr(out, "alice") && strstr(out, "\"schema_version\":\"1.0\"}\n{"),
	   "with --json as one line of JSON; --user: that user's");
	is_int(run(f, "- monitor x"), 2, "it takes no argument");
	sd_event_source_disable_unref(timer);
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	kept_none(); /* not to the file */
	test_stream(&f);
	test_idle(&f);
	test_lazy(&f);
	test_many(&f);
	test_program(&f);
	fake_stop(&f);
	return done();
}
