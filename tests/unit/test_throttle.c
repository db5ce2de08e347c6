/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_throttle.c - how fast passwords may be guessed. */
#include <inttypes.h>

#include "auth/throttle.h"
#include "tap.h"

#define S  UINT64_C(1000000)
#define T0 (UINT64_C(1000) * S)

static struct ipaddr ip(const char *s)
{
	struct ipaddr a = { 0 };

	if (ipaddr_parse(s, &a) < 0)
		abort();
	return a;
}

static struct throttle *make(unsigned n)
{
	struct throttle *t = NULL;

	if (throttle_new(n, 600, 42, &t) < 0)
		abort();
	return t;
}

/* One guess that fails at once. Returns the time to wait instead, if it is not admitted. */
static uint64_t guess(struct throttle *t, const char *user, const char *peer, uint64_t now)
{
	struct ipaddr a = ip(peer);
	uint64_t until = throttle_start(t, span_str(user), &a, now);

	if (until)
		return until - now;
	throttle_failed(t, span_str(user), &a, now);
	return 0;
}

static uint64_t waits(struct throttle *t, const char *user, const char *peer, uint64_t now)
{
	struct ipaddr a = ip(peer);
	uint64_t until = throttle_peek(t, span_str(user), &a, now);

	return until ? until - now : 0;
}

static void grows(void)
{
	static const unsigned want[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct throttle *t = make(5);
	uint64_t now = T0;

	for (int i = 0; i < 4; i++)
		ok(guess(t, "alice", "192.0.2.1", now) == 0 &&
			   waits(t, "alice", "192.0.2.1", now) == 0,
		   "failure %d is free", i + 1);
	for (unsigned i = 0; i < 9; i++) {
		uint64_t w;

		guess(t, "alice", "192.0.2.1", now);
		w = waits(t, "alice", "192.0.2.1", now);
		ok(w == want[i] * S, "failure %u makes a delay of %u s", i + 5, want[i]);
		is_int((long long)guess(t, "alice", "192.0.2.1", now + w - 1), 1,
		       "which holds to the last microsecond");
		now += w;
	}
	throttle_free(t);
}

static void sources(void)
{
	struct throttle *t = make(2);

	for (int i = 0; i < 5; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user%d", i);
		guess(t, user, "192.0.2.1", T0);
	}
	ok(waits(t, "stranger", "192.0.2.1", T0) > 0,
	   "a source that sprays many users is slowed for any user");
	is_int((long long)waits(t, "user0", "192.0.2.2", T0), 0, "the next address is not");
	for (int i = 0; i < 3; i++)
		guess(t, "u", "2001:db8:1:2::1", T0 + (unsigned)i);
	ok(waits(t, "v", "2001:db8:1:2:ffff::9", T0 + 9) > 0, "an IPv6 /64 is one source");
	is_int((long long)waits(t, "v", "2001:db8:1:3::1", T0 + 9), 0, "the next /64 is another");
	throttle_free(t);
}

static void victim(void)
{
	struct throttle *t = make(5);
	struct ipaddr home = ip("198.51.100.7");
	uint64_t now = T0;
	char peer[32];

	for (int i = 0; i < 200; i++) {
		snprintf(peer, sizeof(peer), "203.0.113.%d", i);
		ok(guess(t, "alice", peer, now) == 0, "address %d has one free guess", i);
		now += S / 10;
	}
	ok(waits(t, "alice", "203.0.113.199", now) > 50 * S,
	   "an address that failed once for a user under attack waits");
	is_int((long long)throttle_start(t, span_str("alice"), &home, now), 0,
	       "the user gets in at once from an address that has not failed for her");
	throttle_failed(t, span_str("alice"), &home, now);
	is_int((long long)waits(t, "alice", "198.51.100.7", now), 60 * S,
	       "after a typing error she waits 60 s");
	for (int i = 0; i < 600; i++) {
		snprintf(peer, sizeof(peer), "100.64.%d.%d", i / 250, i % 250);
		guess(t, "alice", peer, now);
		now += S / 10;
	}
	is_int((long long)throttle_start(t, span_str("alice"), &home, now), 0,
	       "and no longer, though the attack goes on");
	throttle_passed(t, span_str("alice"), &home, now);
	is_int((long long)waits(t, "alice", "198.51.100.7", now), 0,
	       "the right password ends the waiting");
	is_int((long long)waits(t, "ALICE", "100.64.0.9", now) > 0, 1,
	       "upper case does not make another user");
	throttle_free(t);
}

static void parallel(void)
{
	struct throttle *t = make(3);
	struct ipaddr a = ip("192.0.2.1");
	unsigned admitted = 0;

	for (int i = 0; i < 3; i++)
		guess(t, "alice", "192.0.2.1", T0);
	for (int i = 0; i < 50; i++)
		admitted += throttle_start(t, span_str("alice"), &a, T0 + 2 * S) == 0;
	is_int(admitted, 1, "of 50 guesses at once, a source over its limit gets one");
	throttle_free(t);
}

static void forgets(void)
{
	struct throttle *t = make(5);
	struct ipaddr a = ip("192.0.2.1");

	for (int i = 0; i < 5; i++)
		guess(t, "alice", "192.0.2.1", T0);
	ok(waits(t, "bob", "192.0.2.1", T0) > 0, "five failures in one window slow a source");
	throttle_start(t, span_str("alice"), &a, T0 + 10 * S);
	throttle_passed(t, span_str("alice"), &a, T0 + 10 * S);
	is_int((long long)waits(t, "bob", "192.0.2.1", T0 + 10 * S), 0,
	       "a success ends the source's delay");
	guess(t, "alice", "192.0.2.1", T0 + 700 * S);
	is_int((long long)waits(t, "alice", "192.0.2.1", T0 + 700 * S), 0,
	       "failures of the window before count in part");
	for (int i = 0; i < 30; i++)
		guess(t, "carol", "192.0.2.9", T0 + (uint64_t)i * 200 * S);
	is_int((long long)waits(t, "carol", "192.0.2.9", T0 + 29 * 200 * S), 0,
	       "three failures in each window, all day, are free");
	for (int i = 0; i < 9; i++)
		guess(t, "dave", "192.0.2.5", T0);
	guess(t, "dave", "192.0.2.5", T0 + 1300 * S);
	is_int((long long)waits(t, "dave", "192.0.2.5", T0 + 1300 * S), 0,
	       "two windows later all is forgotten");
	throttle_free(t);
}

static void bounded(void)
{
	struct throttle *t = make(1), *off = make(0);
	char user[32], peer[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		snprintf(peer, sizeof(peer), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		guess(t, user, peer, T0 + i);
	}
	is_int(throttle_entries(t), THROTTLE_ENTRIES, "the table keeps its size");
	ok(waits(t, user, peer, T0 + 20000) > 0, "the newest source is known");
	is_int((long long)waits(t, "user0", "10.0.0.0", T0 + 20000), 0, "the oldest is forgotten");
	for (int i = 0; i < 100; i++)
		guess(off, "alice", "192.0.2.1", T0);
	is_int((long long)guess(off, "alice", "192.0.2.1", T0), 0, "0 failures means no limit");
	is_int(throttle_entries(off), 0, "and keeps no records");
	throttle_free(t);
	throttle_free(off);
	ok(!throttle_free(NULL), "freeing nothing is fine");
}

/* The table against itself: after any sequence it still finds what it kept. */
static void shuffled(void)
{
	struct throttle *t = make(1);
	uint32_t x = 1;
	uint64_t now = T0;
	char user[32], peer[32];
	bool good = true;

	for (unsigned i = 0; i < 100000 && good; i++) {
		struct ipaddr a;

		x = x * 1664525 + 1013904223;
		snprintf(user, sizeof(user), "u%u", x >> 8 & 1023);
		snprintf(peer, sizeof(peer), "10.0.%u.%u", x >> 20 & 3, x >> 24);
		a = ip(peer);
		now += 50000;
		if (x & 64) {
			throttle_passed(t, span_str(user), &a, now);
			good = throttle_peek(t, span_str(user), &a, now) == 0;
		} else {
			throttle_failed(t, span_str(user), &a, now);
			good = throttle_peek(t, span_str(user), &a, now) > now;
		}
		good = good && throttle_entries(t) <= THROTTLE_ENTRIES;
	}
	ok(good, "100,000 failures and successes at random keep the table whole");
	throttle_free(t);
}

int main(void)
{
	grows();
	sources();
	victim();
	parallel();
	forgets();
	bounded();
	shuffled();
	return done();
}
