/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_pool_drain.c - pools that change while addresses are in use. The property test at the end
 * plays random sessions and random changes against a list of who must have what.
 */
#include <errno.h>

#include "pool/pool.h"
#include "tap.h"

#define FIRST 0x0a636301u /* 10.99.99.1 */

static struct pool_conf conf(const char *name, uint32_t first, uint32_t size)
{
	struct pool_conf c = { .first = first, .size = size, .sticky_s = 100 };

	snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

static struct pools *make(uint32_t size)
{
	struct pool_conf c = conf("default", FIRST, size);
	struct pools *p;

	if (pools_new(&c, 1, &p) < 0)
		abort();
	return p;
}

static void change(struct pools **p, const struct pool_conf *c, size_t n, uint64_t now)
{
	struct pools *next = NULL;

	if (pools_reconf(*p, c, n, now, &next) < 0)
		abort();
	pools_free(*p);
	*p = next;
}

static void resize(struct pools **p, uint32_t size, uint64_t now)
{
	struct pool_conf c = conf("default", FIRST, size);

	change(p, &c, 1, now);
}

/* The last octet of the address that the user gets; 0 when there is none. */
static unsigned take(struct pools *p, const char *user, uint64_t now)
{
	struct ipaddr a;

	return pool_take(p, "default", user, NULL, now, &a) == POOL_OK
		       ? ipaddr_to_v4(&a) - FIRST + 1
		       : 0;
}

static void give_back(struct pools *p, unsigned n, uint64_t now)
{
	struct ipaddr a = ipaddr_v4(FIRST + n - 1);

	pool_release(p, &a, now);
}

static unsigned leases(const struct pools *p, uint64_t now)
{
	struct pool_lease l;
	uint32_t cursor = 0;
	unsigned n = 0;

	while (pool_next(p, now, &cursor, &l))
		n += l.leased;
	return n;
}

static struct pool_usage usage(const struct pools *p, uint64_t now)
{
	struct pool_usage u;

	pool_usage(p, 0, now, &u);
	return u;
}

static void test_grow(void)
{
	struct pools *p = make(2);

	take(p, "alice", 10);
	take(p, "bob", 10);
	is_int(take(p, "carol", 10), 0, "a pool of two has nothing for the third");
	resize(&p, 3, 11);
	is_int(take(p, "carol", 12), 3, "when it grows it has");
	is_int(usage(p, 12).leased, 3, "and all three are leased");
	is_int(pools_draining(p, NULL), 0, "none drains");
	pools_free(p);
}

static void test_shrink(void)
{
	struct ipaddr second = ipaddr_v4(FIRST + 1), got;
	struct pool_lease l;
	uint32_t cursor = 0;
	struct pools *p = make(4);

	take(p, "alice", 10);
	take(p, "bob", 10);
	resize(&p, 1, 20);
	is_int(pools_draining(p, "default"), 1, "the one outside drains");
	is_int(pools_draining(p, "other"), 0, "of that pool, no other");
	ok(usage(p, 20).leased == 1 && usage(p, 20).size == 1, "the one inside is leased");
	is_int(leases(p, 20), 2, "both are shown");
	while (pool_next(p, 20, &cursor, &l) && strcmp(l.user, "bob") != 0)
		;
	ok(ipaddr_eq(&l.addr, &second) && l.leased && l.granted_s == 10 &&
		   strcmp(l.pool, "default") == 0,
	   "as it was given");
	is_int(take(p, "carol", 21), 0, "nobody gets it");
	is_int(pool_take(p, "default", "bob", &second, 21, &got), POOL_OUTSIDE,
	       "not even its own user");
	is_int(pool_forget(p, &second), -ENOENT, "nor can it be forgotten");
	give_back(p, 2, 22);
	is_int(pools_draining(p, NULL), 0, "released it is nobody's");
	is_int(leases(p, 22), 1, "and not shown");
	give_back(p, 2, 22);
	ok(leases(p, 22) == 1, "released twice it is still gone");
	is_int(take(p, "bob", 23), 0, "a new login is one of the smaller pool");
	pools_free(p);
}

static void test_back(void)
{
	struct pools *p = make(3);

	take(p, "alice", 10);
	take(p, "bob", 10);
	take(p, "carol", 10);
	resize(&p, 1, 20);
	is_int(pools_draining(p, NULL), 2, "two drain");
	resize(&p, 2, 21);
	is_int(pools_draining(p, NULL), 1, "one of them when the pool grows halfway back");
	is_int(usage(p, 21).leased, 2, "the other is leased as before");
	give_back(p, 2, 30);
	is_int(usage(p, 30).kept, 1, "and kept when it is released");
	is_int(take(p, "bob", 31), 2, "for its user");
	resize(&p, 3, 32);
	is_int(pools_draining(p, NULL), 0, "none when all are back");
	is_int(usage(p, 32).leased, 3, "all are leased");
	pools_free(p);
}

static void test_kept(void)
{
	struct pools *p = make(6);

	take(p, "alice", 10);
	take(p, "bob", 10);
	take(p, "carol", 10);
	give_back(p, 2, 20);
	give_back(p, 1, 30);
	give_back(p, 3, 40);
	resize(&p, 5, 50);
	is_int(usage(p, 50).kept, 3, "kept addresses are kept");
	is_int(take(p, "dave", 51), 4, "those never leased go first, in their order");
	is_int(take(p, "erin", 51), 5, "all of them");
	is_int(take(p, "frank", 51), 2, "then the one that was released longest ago");
	is_int(take(p, "alice", 52), 1, "others are their users'");
	give_back(p, 4, 60);
	give_back(p, 5, 60);
	resize(&p, 3, 61);
	is_int(usage(p, 61).kept, 1, "kept ones outside are forgotten");
	resize(&p, 5, 200);
	is_int(usage(p, 200).kept, 0, "and those that were kept for long enough");
	pools_free(p);
}

static void test_queue(void)
{
	struct pool_conf c = conf("default", FIRST, 3);
	struct pools *p;

	c.sticky_s = 0;
	if (pools_new(&c, 1, &p) < 0)
		abort();
	take(p, "alice", 10);
	give_back(p, 1, 11);
	c.size = 4;
	change(&p, &c, 1, 12);
	is_int(take(p, "bob", 13), 4, "addresses that are new go before those that were used");
	is_int(take(p, "bob", 13), 2, "which keep their order");
	is_int(take(p, "bob", 13), 3, "to the last");
	is_int(take(p, "bob", 13), 1, "released one");
	pools_free(p);
}

static void test_move(void)
{
	struct pool_conf c[2] = { conf("default", FIRST, 10), conf("guests", FIRST + 100, 10) };
	struct ipaddr guest;
	struct pools *p, *none = NULL;

	if (pools_new(c, 2, &p) < 0)
		abort();
	take(p, "alice", 10);
	pool_take(p, "guests", "gus", NULL, 10, &guest);
	c[1] = conf("guests", FIRST + 5, 3);
	is_int(pools_reconf(p, c, 2, 11, &none), -EINVAL, "pools that overlap are refused");
	ok(!none && leases(p, 11) == 2, "and nothing has changed");
	change(&p, c, 1, 12);
	is_int(pools_draining(p, "guests"), 1, "a pool that is gone drains");
	c[1] = conf("visitors", FIRST + 100, 10);
	change(&p, c, 2, 13);
	is_int(pools_draining(p, NULL), 0, "its addresses are of the pool that takes them over");
	pool_release(p, &guest, 14);
	is_int(take(p, "alice", 14), 2, "and the pools work on");
	c[0] = conf("default", FIRST + 50, 10);
	change(&p, c, 2, 15);
	is_int(pools_draining(p, "default"), 2, "a pool that moves drains altogether");
	pools_free(p);
}

/* ---- at random ---- */

#define RANGE 40

static uint32_t seed = 4711;

static uint32_t below_n(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* Sessions of another process, whose pools were others. */
static void test_from_before(void)
{
	static const unsigned away[] = { 9, 3, 7, 5 };
	struct pools *p = make(2);
	struct ipaddr a;

	for (unsigned i = 0; i < 4; i++) {
		a = ipaddr_v4(FIRST + away[i]);
		if (pool_adopt(p, &a, "alice", 5) != -ENOENT ||
		    pool_drain(p, i & 1 ? "default" : "other", &a, i ? "bob" : "alice", 5) < 0)
			abort();
	}
	pools_drain_all(p);
	is_int(pools_draining(p, NULL), 4, "addresses that are in no pool drain");
	is_int(pools_draining(p, "default"), 2, "  and count for the pool that they were of");
	for (unsigned i = 0; i < 4; i++) {
		a = ipaddr_v4(FIRST + away[i]);
		ok(pool_drains(p, &a), "  .%u does", away[i] + 1);
	}
	a = ipaddr_v4(FIRST);
	ok(!pool_drains(p, &a), "  what is in a pool does not");
	give_back(p, 8, 6);
	a = ipaddr_v4(FIRST + 7);
	ok(!pool_drains(p, &a) && pools_draining(p, NULL) == 3, "  nor what was given back");
	resize(&p, 5, 7);
	is_int(pools_draining(p, NULL), 2, "a pool that grows has its own again");
	ok(take(p, "carol", 7) != 4, "  which is its session's");
	pools_free(p);
}

static void test_model(void)
{
	bool has[RANGE] = { 0 }, good = true;
	struct pools *p = make(RANGE);
	uint32_t first = FIRST, size = RANGE;
	char user[16];

	for (uint64_t now = 1; now < 20000 && good; now++) {
		uint32_t what = below_n(20);
		struct ipaddr a;
		unsigned n = 0;

		if (what == 0) {
			struct pool_conf c;

			first = FIRST + below_n(RANGE);
			size = 1 + below_n(FIRST + RANGE - first);
			c = conf("default", first, size);
			change(&p, &c, 1, now);
		} else if (what < 10) {
			snprintf(user, sizeof(user), "u%u", below_n(60));
			if (pool_take(p, "default", user, NULL, now, &a) == POOL_OK) {
				uint32_t i = ipaddr_to_v4(&a) - FIRST;

				good = ipaddr_to_v4(&a) - first < size && !has[i];
				has[i] = true;
			}
		} else {
			uint32_t i = below_n(RANGE);

			a = ipaddr_v4(FIRST + i);
			pool_release(p, &a, now);
			has[i] = false;
		}
		for (uint32_t i = 0; i < RANGE; i++)
			n += has[i];
		good = good && leases(p, now) == n &&
		       usage(p, now).leased + pools_draining(p, NULL) == n;
	}
	ok(good, "whatever changes, an address belongs to one session, until that gives it back");
	pools_free(p);
}

int main(void)
{
	test_grow();
	test_shrink();
	test_back();
	test_kept();
	test_queue();
	test_move();
	test_from_before();
	test_model();
	return done();
}
