/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_ctl_hostile.c - what clients of the control socket may try: garbage, floods, silence. The
 * server closes that connection, serves the others, and no turn of its loop gets long.
 */
#include <sys/resource.h>

#include "cleanup.h"
#include "ctl_fake.h"

static bool still_answers(struct fake *f)
{
	json_t *r = ask(f, "io.vpngw.Status", NULL);
	bool good = strcmp(reply_text(r, "version"), "9.9") == 0;

	json_decref(r);
	return good;
}

static unsigned connections(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++)
		n += f->server->client[i] != NULL;
	return n;
}

/* n bytes, and the server hangs up without a reply. */
static void is_refused(struct fake *f, const void *data, size_t n, const char *name)
{
	struct peer p = peer_open(f);
	json_t *r;

	peer_send(&p, data, n);
	r = peer_hear(&p);
	if (r)
		printf("# answered %s\n", reply_error(r));
	ok(!r && peer_read(&p, 0) == 0, "%s closes the connection", name);
	json_decref(r);
	peer_close(&p);
}

static void test_garbage(struct fake *f)
{
	static const struct {
		const char *text, *name;
	} bad[] = {
		{ "", "an empty message" },
		{ "{", "half an object" },
		{ "[]", "an array" },
		{ "{}", "an object without a method" },
		{ "{\"method\":7}", "a method that is a number" },
		{ "{\"method\":\"io.vpngw.List\",\"more\":1}", "more that is a number" },
		{ "{\"method\":\"io.vpngw.List\",\"parameters\":[]}", "parameters in an array" },
		{ "{\"method\":\"io.vpngw.List\",\"method\":\"io.vpngw.Kick\"}", "a key twice" },
		{ "{\"method\":\"io.vpngw.List\"} x", "text after the object" },
		{ "{\"method\":\"io.vpngw.\xff\xfe\"}", "invalid UTF-8" },
		{ "{\"method\":\"io.vpngw.\xed\xa0\x80\"}", "a surrogate in UTF-8" },
		{ "{\"method\":\"io.vpngw.List\\u0000\"}", "a NUL inside a string" },
		{ "{\"method\":\"io.vpngw.List\",\"x\":1e999}", "a number without an end" },
		{ "GET / HTTP/1.1\r\n\r\n", "another protocol" },
		{ "\xff\xff\xff\xff", "bytes" },
	};
	static char wide[LIMIT_CTL_REQUEST];
	char deep[VARLINK_DEPTH * 2 + 64];
	size_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		is_refused(f, bad[i].text, strlen(bad[i].text) + 1, bad[i].name);
	n = (size_t)snprintf(deep, sizeof(deep), "{\"method\":\"io.vpngw.List\",\"x\":");
	memset(deep + n, '[', VARLINK_DEPTH);
	memset(deep + n + VARLINK_DEPTH, ']', VARLINK_DEPTH);
	strcpy(deep + n + 2 * VARLINK_DEPTH, "}");
	is_refused(f, deep, strlen(deep) + 1, "nesting one deeper than allowed");
	n = (size_t)snprintf(wide, sizeof(wide), "{\"method\":\"io.vpngw.List\",\"x\":[1");
	while (n + 8 < sizeof(wide))
		n += (size_t)snprintf(wide + n, 8, ",1");
	strcpy(wide + n, "]}");
	is_refused(f, wide, strlen(wide) + 1, "a crowd of values");
	ok(still_answers(f), "after all that the server answers");
}

static void test_sizes(struct fake *f)
{
	static char big[LIMIT_CTL_REQUEST + 2], flood[10 << 20];
	static const char head[] = "{\"method\":\"io.vpngw.Status\",\"x\":\"";
	struct peer p = peer_open(f);
	size_t sent;
	json_t *r;

	memset(big, 'a', sizeof(big));
	memcpy(big, head, sizeof(head) - 1);
	strcpy(big + LIMIT_CTL_REQUEST - 3, "\"}");
	peer_send(&p, big, LIMIT_CTL_REQUEST);
	r = peer_hear(&p);
	is_str(reply_text(r, "version"), "9.9", "a request of just the limit is answered");
	json_decref(r);
	peer_close(&p);
	big[LIMIT_CTL_REQUEST - 3] = 'a';
	strcpy(big + LIMIT_CTL_REQUEST - 2, "\"}");
	is_refused(f, big, LIMIT_CTL_REQUEST + 1, "one byte more");

	memset(flood, '[', sizeof(flood));
	p = peer_open(f);
	sent = peer_send(&p, flood, sizeof(flood));
	printf("# %zu of %zu bytes sent\n", sent, sizeof(flood));
	ok(sent < sizeof(flood) && sent < (1 << 20),
	   "10 MB without an end close the connection early");
	peer_close(&p);
	flood[LIMIT_CTL_REQUEST - 1] = '\0';
	is_refused(f, flood, LIMIT_CTL_REQUEST, "65,535 brackets");
	is_int(connections(f), 0, "no connection is left over");
}

/* Every bit of a good request flipped, every byte replaced: any answer will do, but an answer. */
static void test_mutations(struct fake *f)
{
	static const char good[] =
		"{\"method\":\"io.vpngw.Show\",\"parameters\":{\"user\":\"alice\\u00e9\\n\","
		"\"session\":null},\"more\":true,\"oneway\":false}";
	unsigned answered = 0, refused = 0;

	for (unsigned bit = 0; bit < (sizeof(good) - 1) * 8; bit++) {
		char text[sizeof(good)];
		struct peer p = peer_open(f);
		json_t *r;

		memcpy(text, good, sizeof(good));
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		peer_send(&p, text, sizeof(text));
		r = peer_hear(&p);
		if (r)
			answered++;
		else if (peer_read(&p, 1000) == 0)
			refused++;
		json_decref(r);
		peer_close(&p);
	}
	is_int(answered + refused, (sizeof(good) - 1) * 8,
	       "each flipped bit is answered or refused");
	ok(answered > 20 && refused > 100, "some of them the one, some the other");
	ok(still_answers(f), "after all that the server answers");
}

static void test_pipeline(struct fake *f)
{
	static const char one[] = "{\"method\":\"io.vpngw.Kick\",\"parameters\":{\"user\":\"x\"}}";
	static char all[LIMIT_CTL_REQUEST];
	struct peer p = peer_open(f);
	unsigned n = sizeof(all) / sizeof(one), answers = 0;

	fake_sessions(f, 1000);
	for (unsigned i = 0; i < n; i++)
		memcpy(all + i * sizeof(one), one, sizeof(one));
	peer_send(&p, all, n * sizeof(one));
	for (unsigned i = 0; i < n; i++) {
		json_t *r = peer_hear(&p);
		answers += strcmp(reply_error(r), "io.vpngw.NotFound") == 0;
		json_decref(r);
	}
	is_int(answers, n, "64 KiB of requests sent at once are answered one by one");
	peer_close(&p);
}

/* ---- silence ---- */

static void test_idle(struct fake *f)
{
	struct peer silent, partial, trickle, asking;
	unsigned i;
	json_t *r;

	f->server->idle_us = 300000;
	silent = peer_open(f);
	partial = peer_open(f);
	trickle = peer_open(f);
	asking = peer_open(f);
	peer_send(&partial, "{\"method\":", 10);
	for (i = 0; i < 200 && peer_send(&trickle, "x", 1); i++) {
		peer_say(&asking, "{\"method\":\"io.vpngw.Status\"}");
		r = peer_hear(&asking);
		json_decref(r);
		fake_run_for(f, 20);
	}
	ok(i < 200, "one byte after another does not keep a connection");
	is_int(peer_read(&asking, 0), -1, "a request does");
	ok(peer_hung_up(&silent, 3000), "a client that asks nothing is dropped");
	ok(peer_hung_up(&partial, 3000), "so is one with half a request");
	ok(peer_hung_up(&asking, 3000), "and one that asks no more");
	peer_close(&silent);
	peer_close(&partial);
	peer_close(&trickle);
	peer_close(&asking);
	f->server->idle_us = CTL_IDLE_S * UINT64_C(1000000);
}

static void test_crowd(struct fake *f)
{
	struct peer p[100], late;
	unsigned busy = 0, closed = 0;
	json_t *r;

	for (unsigned i = 0; i < 100; i++)
		p[i] = peer_open(f);
	fake_settle(f);
	is_int(connections(f), LIMIT_CTL_CLIENTS, "of 100 connections the limit is taken");
	for (unsigned i = LIMIT_CTL_CLIENTS; i < 100; i++) {
		r = peer_hear(&p[i]);
		busy += strcmp(reply_error(r), "io.vpngw.Busy") == 0;
		closed += peer_read(&p[i], 1000) == 0;
		json_decref(r);
	}
	is_int(busy, 100 - LIMIT_CTL_CLIENTS, "the others are told that it is busy");
	is_int(closed, 100 - LIMIT_CTL_CLIENTS, "and closed");
	f->server->evict_us = 0;
	late = peer_open(f);
	peer_say(&late, "{\"method\":\"io.vpngw.Status\"}");
	r = peer_hear(&late);
	is_str(reply_text(r, "version"), "9.9", "who has been idle makes room for a newcomer");
	ok(peer_hung_up(&p[0], 1000), "the one that was idle for longest");
	json_decref(r);
	peer_close(&late);
	for (unsigned i = 0; i < 100; i++)
		peer_close(&p[i]);
	is_int(connections(f), 0, "no connection is left over");
	f->server->evict_us = CTL_EVICT_S * UINT64_C(1000000);
}

static void test_descriptors(struct fake *f)
{
	struct rlimit old, low;
	struct peer p[2] = { peer_open(f), peer_open(f) };
	uint64_t turns;
	json_t *r;

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = (rlim_t)p[1].fd + 1; /* all below are in use */
	setrlimit(RLIMIT_NOFILE, &low);
	fake_turn(f, 0);
	f->turns = 0;
	fake_run_for(f, 300);
	turns = f->turns;
	setrlimit(RLIMIT_NOFILE, &old);
	is_int(connections(f), 0, "without a free descriptor nobody is accepted");
	ok(turns < 1000, "and the loop does not spin");
	ok(log_has(f, "cannot accept a connection: Too many open files"), "and it is logged");
	peer_say(&p[1], "{\"method\":\"io.vpngw.Status\"}");
	r = peer_hear(&p[1]);
	is_str(reply_text(r, "version"), "9.9", "later the waiting client is served");
	json_decref(r);
	peer_close(&p[0]);
	peer_close(&p[1]);
}

/* ---- slow readers ---- */

static size_t held(const struct fake *f)
{
	size_t n = 0;

	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++)
		n += f->server->client[i] ? f->server->client[i]->out.cap : 0;
	return n;
}

static void test_slow(struct fake *f)
{
	struct peer slow, vanishes;
	uint64_t start;

	fake_sessions(f, 10000);
	f->server->stall_us = 1500000;
	slow = peer_open(f);
	peer_say(&slow, "{\"method\":\"io.vpngw.List\",\"more\":true}");
	fake_run_for(f, 200);
	ok(held(f) <= 4 * CTL_HIGH,
	   "10,000 sessions for a client that does not read take little memory");
	f->turns = 0;
	fake_run_for(f, 100);
	ok(f->turns < 300, "and no time");
	start = clock_us(CLOCK_MONOTONIC);
	ok(still_answers(f), "another client is served meanwhile");
	ok(clock_us(CLOCK_MONOTONIC) - start < 1000000, "at once");
	vanishes = peer_open(f);
	peer_say(&vanishes, "{\"method\":\"io.vpngw.List\"}");
	peer_read(&vanishes, 1000);
	peer_close(&vanishes);
	is_int(connections(f), 1, "a client that goes away amid its answer is forgotten");
	for (unsigned i = 0; i < 50 && connections(f); i++)
		fake_run_for(f, 100);
	is_int(connections(f), 0, "the one that does not read is dropped");
	peer_close(&slow);
}

/* Reads little at a time, but reads. */
static void test_steady(struct fake *f)
{
	struct peer p = peer_open(f);
	unsigned n = 0;
	bool continues = true;

	f->server->stall_us = 500000;
	peer_say(&p, "{\"method\":\"io.vpngw.List\",\"more\":true}");
	while (continues) {
		json_t *r = peer_hear(&p);

		continues = json_is_true(json_object_get(r, "continues"));
		n += r != NULL;
		json_decref(r);
		if (n % 1000 == 0)
			fake_run_for(f, 100);
	}
	is_int(n, 10000, "who reads slowly but steadily gets all 10,000");
	peer_close(&p);
	f->server->stall_us = CTL_STALL_S * UINT64_C(1000000);
}

static void test_kick_and_go(struct fake *f)
{
	struct peer p = peer_open(f);

	fake_sessions(f, 1000);
	peer_say(&p, "{\"method\":\"io.vpngw.Kick\",\"parameters\":{\"all\":true}}");
	peer_close(&p);
	fake_run_for(f, 300);
	is_int(f->kicks, 1000, "a kick is finished though the client has gone");
	is_int(connections(f), 0, "and then the connection is forgotten");
}

int main(void)
{
	static void (*const test[])(struct fake * f) = {
		test_garbage, test_sizes, test_mutations,   test_pipeline, test_idle,
		test_crowd,   test_slow,  test_descriptors, test_steady,   test_kick_and_go,
	};
	static struct fake f;
	uint64_t longest_us = 0;

	fake_start(&f);
	for (unsigned i = 0; i < ARRAY_SIZE(test); i++) {
		f.longest_us = 0;
		test[i](&f);
		if (f.longest_us > longest_us)
			longest_us = f.longest_us;
	}
	printf("# longest turn %llu us\n", (unsigned long long)longest_us);
	/* The goal is 5 ms; sanitizers and a busy machine need room. */
	ok(longest_us < 50000, "no turn of the loop was long");
	fake_stop(&f);
	return done();
}
