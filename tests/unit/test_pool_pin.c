/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_pool_pin.c - addresses that are pinned to a user: who gets them, and when they go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool/pool.h"
#include "tap.h"

#define FIRST  0x0a636301u /* 10.99.99.1 */
#define SIZE   6
#define STICKY 100

static struct pools *p;

static struct ipaddr nth(uint32_t n)
{
	return ipaddr_v4(FIRST + n);
}

static void begin(uint32_t sticky_s)
{
	const struct pool_conf conf[] = { { "default", FIRST, SIZE, sticky_s },
					  { "other", FIRST + 1000, 2, sticky_s } };

	p = pools_free(p);
	if (pools_new(conf, 2, &p) < 0)
		abort();
}

/* The last byte of the address that this user gets; 0: none. */
static unsigned takes(const char *user, uint64_t now)
{
	struct ipaddr a;

	return pool_take(p, "default", user, NULL, now, &a) == POOL_OK ? a.b[3] : 0;
}

static void leaves(unsigned n, uint64_t now)
{
	struct ipaddr a = nth(n - 1);

	pool_release(p, &a, now);
}

static bool is(unsigned n, const char *user, bool leased, bool pinned, uint64_t now)
{
	struct ipaddr a = nth(n - 1);
	struct pool_lease l;
	uint32_t cursor = 0;

	while (pool_next(p, now, &cursor, &l))
		if (ipaddr_eq(&l.addr, &a))
			return strcmp(l.user, user) == 0 && l.leased == leased &&
			       l.pinned == pinned;
	return !*user;
}

static void test_pinned(void)
{
	struct ipaddr third = nth(2), out = ipaddr_v4(0x01020304), got;
	struct pool_usage u;

	begin(STICKY);
	is_int(pool_pin(p, &third, "alice", 1000), 0, "an address that nobody has is pinned");
	ok(pool_is_pinned(p, &third) && is(3, "alice", false, true, 1000), "to alice");
	pool_usage(p, 0, 1000, &u);
	ok(u.kept == 1 && u.leased == 0, "it counts as kept");
	is_int(pool_pin(p, &third, "alice", 1000), 0, "once more is no error");
	is_int(pool_pin(p, &third, "bob", 1000), -EEXIST, "bob cannot have it as well");
	is_int(pool_pin(p, &out, "alice", 1000), -ENOENT, "one outside of the pools cannot be");
	is_int(pool_forget(p, &third), -EEXIST, "nor can a pin be released");
	for (unsigned i = 1; i < SIZE; i++)
		takes("bob", 1000 + 10 * STICKY);
	is_int(takes("bob", 1000 + 10 * STICKY), 0,
	       "nobody else gets it, when all others are taken");
	is_int(pool_take(p, "default", "carol", &third, 3000, &got), POOL_TAKEN,
	       "not even as an address of her own");
	ok(is(3, "alice", false, true, UINT64_MAX / 2), "it does not expire");
	is_int(takes("alice", 3000), 3, "alice gets it");
	ok(is(3, "alice", true, true, 3000), "and it is pinned still");
	leaves(3, 4000);
	ok(is(3, "alice", false, true, 4000 + 10 * STICKY), "also when she has left");
}

static void test_first(void)
{
	struct ipaddr second = nth(1), fifth = nth(4), other = nth(1000);

	begin(STICKY);
	is_int(takes("alice", 10), 1, "alice has an address");
	is_int(pool_pin(p, &second, "alice", 11), 0, "and another one is pinned to her");
	leaves(1, 20);
	is_int(takes("alice", 21), 2, "which comes before the one that she had last");
	is_int(takes("alice", 21), 1, "with a second session she has that one, too");
	is_int(pool_pin(p, &fifth, "alice", 22), 0, "two may be pinned");
	is_int(pool_pin(p, &other, "alice", 22), 0, "or more, in other pools");
	is_int(takes("alice", 23), 5, "for more sessions");
	is_int(takes("alice", 23), 3, "a pin in another pool is not for this one");
}

static void test_taken(void)
{
	struct ipaddr first = nth(0), second = nth(1);

	begin(STICKY);
	takes("bob", 10);
	is_int(pool_pin(p, &first, "alice", 11), -EBUSY, "what bob has cannot be pinned to alice");
	is_int(pool_pin(p, &first, "bob", 11), 0, "but to him");
	ok(is(1, "bob", true, true, 11), "while he has it");
	takes("carol", 11);
	leaves(2, 12);
	ok(is(2, "carol", false, false, 13), "what is kept for carol");
	is_int(pool_pin(p, &second, "alice", 13), 0, "can be pinned to alice");
	is_int(takes("carol", 14), 3, "and carol gets another one");
}

static void test_unpinned(void)
{
	struct ipaddr first = nth(0);

	begin(STICKY);
	is_int(pool_unpin(p, &first, 10), -ENOENT, "what is not pinned cannot be unpinned");
	pool_pin(p, &first, "alice", 10);
	is_int(pool_unpin(p, &first, 20), 0, "what is can");
	ok(!pool_is_pinned(p, &first) && is(1, "alice", false, false, 20), "and is kept");
	ok(is(1, "", false, false, 10 + STICKY), "for as long as others are");
	is_int(pool_pin(p, &first, "alice", 200), 0, "it is pinned again");
	is_int(takes("alice", 200), 1, "she takes it");
	is_int(pool_unpin(p, &first, 201), 0, "and it is unpinned");
	ok(is(1, "alice", true, false, 201), "which her session does not notice");
	leaves(1, 300);
	pool_pin(p, &first, "alice", 301);
	pool_unpin(p, &first, 300 + STICKY);
	ok(is(1, "", false, false, 300 + STICKY), "long after it was used it is free at once");
	begin(0);
	pool_pin(p, &first, "alice", 10);
	is_int(takes("alice", 11), 1, "without sticky a pin is one, too");
	leaves(1, 12);
	ok(is(1, "alice", false, true, 1000), "before and after");
}

static void test_restored(void)
{
	struct ipaddr first = nth(0), second = nth(1), out = ipaddr_v4(0x01020304);

	begin(STICKY);
	is_int(pool_restore_pin(p, &first, "alice", 5, 6, 100000), 0,
	       "a pin is restored, however old");
	ok(is(1, "alice", false, true, 100000), "as one");
	is_int(pool_restore_pin(p, &first, "bob", 5, 6, 100000), -EEXIST, "once");
	is_int(pool_restore_pin(p, &out, "bob", 5, 6, 100000), -ENOENT, "not outside of the pools");
	pool_adopt(p, &second, "bob", 7);
	is_int(pool_restore_pin(p, &second, "bob", 7, 0, 100000), 0,
	       "bob's session has outlived the daemon");
	ok(is(2, "bob", true, true, 100000), "and its address is pinned as before");
	is_int(pool_restore_pin(p, &second, "carol", 7, 0, 100000), -EEXIST, "to him");
}

static void test_reconf(void)
{
	const struct pool_conf conf[] = { { "default", FIRST + 1, SIZE, 0 } };
	struct ipaddr first = nth(0), second = nth(1), third = nth(2);
	struct pools *to;

	begin(STICKY);
	pool_pin(p, &first, "alice", 10);
	pool_pin(p, &second, "alice", 10);
	pool_pin(p, &third, "bob", 10);
	is_int(takes("bob", 11), 3, "bob has his");
	is_int(pools_reconf(p, conf, 1, 100000, &to), 0, "the pools change");
	pools_free(p);
	p = to;
	ok(!pool_is_pinned(p, &first) && is(2, "alice", false, true, 100000) &&
		   is(3, "bob", true, true, 100000),
	   "pins in them are what they were");
}

/* Whatever is done in whatever order: a pin is its user's, and nothing is lost. */
static void test_any_order(void)
{
	static const char *const user[] = { "alice", "bob", "carol" };
	const char *pinned[SIZE] = { NULL };
	bool sound = true;
	uint32_t seed = 1;

	begin(5);
	for (unsigned step = 0; step < 200000 && sound; step++) {
		struct pool_usage u;
		struct ipaddr a, got;
		struct pool_lease l;
		uint32_t cursor = 0, seen = 0;
		unsigned i, who, what;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % SIZE;
		who = (seed >> 16) % 3;
		what = (seed >> 24) % 8;
		a = nth(i);
		if (what == 0 && pool_pin(p, &a, user[who], step) == 0)
			pinned[i] = user[who];
		else if (what == 1 && pool_unpin(p, &a, step) == 0)
			pinned[i] = NULL;
		else if (what == 2)
			pool_forget(p, &a);
		else if (what == 3)
			pool_take(p, "default", user[who], &a, step, &got);
		else if (what < 6)
			pool_release(p, &a, step);
		else
			pool_take(p, "default", user[who], NULL, step, &got);
		while (pool_next(p, step, &cursor, &l)) {
			i = ipaddr_to_v4(&l.addr) - FIRST;
			sound &= l.pinned == (pinned[i] != NULL) &&
				 (!pinned[i] || strcmp(l.user, pinned[i]) == 0);
			seen |= 1u << i;
		}
		for (i = 0; i < SIZE; i++)
			sound &= !pinned[i] || seen & 1u << i;
		pool_usage(p, 0, step, &u);
		sound &= u.leased + u.kept == (uint32_t)__builtin_popcount(seen);
	}
	ok(sound, "in any order a pin is its user's, and every address is somewhere");
}

int main(void)
{
	test_pinned();
	test_first();
	test_taken();
	test_unpinned();
	test_restored();
	test_reconf();
	test_any_order();
	p = pools_free(p);
	return done();
}
