/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_pool.c - who gets which address. The property test at the end plays random sessions and
 * compares every answer with a slow model that follows the rules of pool.h to the letter.
 */
#include <errno.h>
#include <time.h>

#include "pool/pool.h"
#include "tap.h"

#define FIRST 0x0a636301u /* 10.99.99.1 */

static struct pools *make(uint32_t size, uint32_t sticky_s)
{
	struct pool_conf conf = { .name = "default", .first = FIRST, .size = size };
	struct pools *p;

	conf.sticky_s = sticky_s;
	if (pools_new(&conf, 1, &p) < 0)
		abort();
	return p;
}

/* The last octet of the address that the user gets; 0 when there is none. */
static unsigned take(struct pools *p, const char *user, uint64_t now)
{
	struct ipaddr a;

	return pool_take(p, "default", user, NULL, now, &a) == POOL_OK
		       ? ipaddr_to_v4(&a) - FIRST + 1
		       : 0;
}

static struct ipaddr nth(unsigned n)
{
	return ipaddr_v4(FIRST + n - 1);
}

static void give_back(struct pools *p, unsigned n, uint64_t now)
{
	struct ipaddr a = nth(n);

	pool_release(p, &a, now);
}

static void test_conf(void)
{
	struct pool_conf c[LIMIT_POOLS + 1] = { { "a", FIRST, 10, 0 }, { "b", FIRST + 10, 10, 0 } };
	struct pools *p = NULL;

	is_int(pools_new(c, 2, &p), 0, "neighbouring pools are accepted");
	is_int((long long)pools_count(p), 2, "both");
	pools_free(p);
	c[1].first--;
	is_int(pools_new(c, 2, &p), -EINVAL, "overlapping ones are not");
	c[1] = (struct pool_conf){ "b", FIRST - 5, 100, 0 };
	is_int(pools_new(c, 2, &p), -EINVAL, "nor one within another");
	c[1] = (struct pool_conf){ "a", FIRST + 100, 1, 0 };
	is_int(pools_new(c, 2, &p), -EINVAL, "nor two of one name");
	c[0].size = 0;
	is_int(pools_new(c, 1, &p), -EINVAL, "nor an empty one");
	c[0].size = LIMIT_POOL_SIZE + 1;
	is_int(pools_new(c, 1, &p), -EINVAL, "nor one that is too large");
	c[0] = (struct pool_conf){ "a", UINT32_MAX - 1, 3, 0 };
	is_int(pools_new(c, 1, &p), -EINVAL, "nor one past the last address");
	c[0].size = 2;
	is_int(pools_new(c, 1, &p), 0, "but one up to it");
	pools_free(p);
	is_int(pools_new(c, 0, &p), -EINVAL, "there must be one");
	is_int(pools_new(c, LIMIT_POOLS + 1, &p), -EINVAL, "and no more than LIMIT_POOLS");
	ok(pools_free(NULL) == NULL, "freeing none is fine");
}

static void test_order(void)
{
	struct pools *p = make(4, 100);

	is_int(take(p, "alice", 10), 1, "the first user has the first address");
	is_int(take(p, "alice", 11), 2, "a second session of hers another");
	give_back(p, 1, 20);
	give_back(p, 2, 30);
	is_int(take(p, "bob", 40), 3, "another user one that nobody had");
	is_int(take(p, "alice", 41), 2, "she gets the one she left last");
	is_int(take(p, "alice", 42), 1, "then the one before");
	is_int(take(p, "carol", 43), 4, "the last free one goes");
	is_int(take(p, "dave", 44), 0, "and then the pool is exhausted");
	give_back(p, 3, 50);
	give_back(p, 1, 60);
	is_int(take(p, "dave", 70), 3, "a kept one goes to another user: the longest left");
	is_int(take(p, "bob", 71), 1, "whose user takes the next");
	is_int(take(p, "alice", 72), 0, "until all are leased again");
	pools_free(p);
}

/* Who gives back what is not his, or is not leased any more, changes nothing. */
static void test_release_twice(void)
{
	struct pools *p = make(2, 100);
	struct pool_usage u;

	take(p, "alice", 10);
	give_back(p, 1, 20);
	give_back(p, 1, 90);
	pool_usage(p, 0, 119, &u);
	ok(u.leased == 0 && u.kept == 1, "W18: an address given back twice is kept once");
	pool_usage(p, 0, 120, &u);
	is_int(u.kept, 0, "W18: for its time from the first on");
	is_int(take(p, "bob", 121), 2, "its next user");
	is_int(take(p, "carol", 122), 1, "and the one after that");
	give_back(p, 3, 130);
	pool_usage(p, 0, 131, &u);
	is_int(u.leased, 2, "W18: an address of no pool cannot be given back");
	is_int(take(p, "dave", 132), 0, "nor does it become one");
	pools_free(p);
}

static void test_expiry(void)
{
	struct pools *p = make(3, 100);
	struct pool_usage u;

	take(p, "alice", 10);
	give_back(p, 1, 20);
	pool_usage(p, 0, 119, &u);
	ok(u.size == 3 && u.leased == 0 && u.kept == 1, "an address is kept for its time");
	pool_usage(p, 0, 120, &u);
	is_int(u.kept, 0, "and not longer");
	is_int(take(p, "alice", 119), 1, "its user comes back in time");
	give_back(p, 1, 120);
	is_int(take(p, "alice", 220), 2, "and once too late");
	is_int(take(p, "bob", 221), 3, "a free address goes before one whose time is over");
	is_int(take(p, "carol", 222), 1, "which goes last");
	pools_free(p);

	p = make(2, 0);
	is_int(take(p, "alice", 10), 1, "without sticky time");
	give_back(p, 1, 11);
	is_int(take(p, "alice", 11), 2, "the address free for longest comes next");
	is_int(take(p, "bob", 11), 1, "then the one that was left");
	pools_free(p);
}

static void test_names(void)
{
	char a[400], b[400];
	struct pools *p = make(10, 100);

	memset(a, 'x', sizeof(a));
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(a));
	b[sizeof(b) - 2] = 'y';
	is_int(take(p, a, 1), 1, "a name of 399 bytes");
	is_int(take(p, b, 2), 2, "and one that differs in the last");
	give_back(p, 1, 3);
	give_back(p, 2, 4);
	is_int(take(p, a, 5), 1, "are two users");
	is_int(take(p, b, 5), 2, "with an address each");
	is_int(take(p, "", 6), 3, "an empty name is a name");
	pools_free(p);
}

static void test_wanted(void)
{
	struct pools *p = make(4, 100);
	struct ipaddr a = nth(3), got, outside = ipaddr_v4(FIRST + 4), six = { .family = IP_V6 };

	is_int(pool_take(p, "default", "alice", &a, 1, &got), POOL_OK, "an address of one's own");
	ok(ipaddr_eq(&a, &got), "is what one gets");
	is_int(pool_take(p, "default", "alice", &a, 2, &got), POOL_TAKEN, "once");
	is_int(pool_take(p, "default", "bob", &outside, 2, &got), POOL_OUTSIDE, "not outside");
	is_int(pool_take(p, "default", "bob", &six, 2, &got), POOL_OUTSIDE, "not IPv6");
	ok(take(p, "b", 3) == 1 && take(p, "c", 3) == 2 && take(p, "d", 3) == 4,
	   "others have what is left");
	pool_release(p, &a, 4);
	is_int(pool_take(p, "default", "eve", &a, 5, &got), POOL_OK, "a static address is had");
	is_int(take(p, "alice", 6), 0, "even if it was kept for another");
	is_int(pool_take(p, "nosuch", "bob", NULL, 7, &got), POOL_EXHAUSTED, "no pool, no address");
	pools_free(p);
}

static void test_two_pools(void)
{
	struct pool_conf c[] = { { "staff", FIRST, 2, 100 }, { "guests", 0xc0a80001, 2, 50 } };
	struct pool_usage u;
	struct ipaddr a, b;
	struct pools *p;

	if (pools_new(c, 2, &p) < 0)
		abort();
	pool_take(p, "guests", "alice", NULL, 1, &a);
	pool_take(p, "staff", "alice", NULL, 1, &b);
	ok(ipaddr_to_v4(&a) == 0xc0a80001 && ipaddr_to_v4(&b) == FIRST, "each pool has its own");
	pool_release(p, &a, 2);
	pool_release(p, &b, 1);
	pool_take(p, "staff", "alice", NULL, 3, &a);
	is_int(ipaddr_to_v4(&a), FIRST, "what is kept in another pool is not looked at");
	pool_usage(p, 1, 3, &u);
	ok(strcmp(u.name, "guests") == 0 && u.kept == 1 && ipaddr_to_v4(&u.last) == 0xc0a80002,
	   "usage tells them apart");
	pools_free(p);
}

static void test_forget(void)
{
	struct pools *p = make(2, 100);
	struct ipaddr a = nth(1), b = nth(2), c = nth(3);

	take(p, "alice", 1);
	is_int(pool_forget(p, &a), -EBUSY, "a lease is not forgotten");
	pool_release(p, &a, 2);
	is_int(pool_forget(p, &a), 0, "what is kept is");
	is_int(pool_forget(p, &a), -ENOENT, "once");
	is_int(pool_forget(p, &b), -ENOENT, "what nobody had cannot be");
	is_int(pool_forget(p, &c), -ENOENT, "nor what is no address of ours");
	is_int(take(p, "alice", 3), 2, "its user is a stranger again");
	pool_release(p, &c, 3);
	pool_release(p, &a, 3);
	is_int(take(p, "bob", 4), 1, "releasing what is not leased does nothing");
	pools_free(p);
}

static void test_restore(void)
{
	struct pools *p = make(5, 100);
	struct ipaddr a = nth(1), b = nth(2), c = nth(3), d = nth(4), e = nth(5);
	struct ipaddr far = nth(99), got;
	struct pool_usage u;

	is_int(pool_restore(p, &far, "alice", 1, 900, 1000), -ENOENT, "a pool may have shrunk");
	is_int(pool_restore(p, &a, "alice", 1, 900, 1000), -ENOENT, "a lease may be too old");
	is_int(pool_restore(p, &a, "alice", 1, 901, 1000), 0, "or just not");
	is_int(pool_restore(p, &a, "bob", 1, 950, 1000), -EEXIST, "the first one counts");
	is_int(pool_restore(p, &b, "bob", 800, 0, 1000), 0, "a session had it to the end");
	is_int(pool_restore(p, &c, "carol", 1, 5000, 1000), 0, "the clock was wrong");
	is_int(pool_adopt(p, &d, "dave", 900), 0, "a session outlived the daemon");
	is_int(pool_adopt(p, &d, "eve", 900), -EEXIST, "with its address");
	is_int(pool_restore(p, &d, "eve", 1, 950, 1000), -EEXIST, "which nobody else has");
	is_int(pool_adopt(p, &a, "alice", 950), 0, "also one that was restored before");
	is_int(pool_adopt(p, &far, "alice", 950), -ENOENT, "but none of nowhere");
	pool_usage(p, 0, 1000, &u);
	ok(u.leased == 2 && u.kept == 2, "two are leased and two kept");
	pool_usage(p, 0, 1100, &u);
	is_int(u.kept, 0, "none of them for ever");
	ok(pool_take(p, "default", "bob", NULL, 1001, &got) == POOL_OK && ipaddr_eq(&got, &b),
	   "users find their address after a restart");
	ok(pool_take(p, "default", "frank", NULL, 1002, &got) == POOL_OK && ipaddr_eq(&got, &e),
	   "and others a free one");
	pools_free(p);

	p = make(2, 0);
	is_int(pool_restore(p, &a, "alice", 1, 0, 1000), -ENOENT, "without sticky nothing is kept");
	pools_free(p);
}

static void test_walk(void)
{
	struct pools *p = make(6, 100);
	struct ipaddr a = nth(2);
	struct pool_lease l;
	uint32_t cursor = 0;

	take(p, "alice", 10);
	take(p, "bob", 11);
	take(p, "carol", 12);
	pool_release(p, &a, 20);
	ok(pool_next(p, 30, &cursor, &l) && l.leased && strcmp(l.user, "alice") == 0 &&
		   l.granted_s == 10 && l.released_s == 0,
	   "a walk shows a lease");
	ok(pool_next(p, 30, &cursor, &l) && !l.leased && ipaddr_eq(&l.addr, &a) &&
		   l.granted_s == 11 && l.released_s == 20 && strcmp(l.pool, "default") == 0,
	   "and what is kept");
	ok(pool_next(p, 30, &cursor, &l) && strcmp(l.user, "carol") == 0, "in order");
	ok(!pool_next(p, 30, &cursor, &l), "to the end");
	cursor = 0;
	ok(pool_next(p, 200, &cursor, &l) && pool_next(p, 200, &cursor, &l) &&
		   strcmp(l.user, "carol") == 0,
	   "without what is kept no longer");
	pools_free(p);
}

static void test_prefixes(void)
{
	struct prefix out[64];
	char text[ENDPOINT_STRLEN];
	uint64_t sum = 0;
	size_t n;

	is_int((long long)pool_prefixes(FIRST - 1, 256, out, 64), 1, "a whole network");
	is_str(prefix_str(&out[0], text), "10.99.99.0/24", "is one prefix");
	is_int((long long)pool_prefixes(FIRST, 1, out, 64), 1, "one address");
	is_int(out[0].len, 32, "too");
	n = pool_prefixes(FIRST, 253, out, 64);
	for (size_t i = 0; i < n; i++)
		sum += UINT64_C(1) << (32 - out[i].len);
	ok(n == 13 && sum == 253, "10.99.99.1 to .253 take 13 prefixes (%zu)", n);
	is_str(prefix_str(&out[0], text), "10.99.99.1/32", "from the first address");
	is_str(prefix_str(&out[n - 1], text), "10.99.99.252/31", "to the last");
	n = pool_prefixes(1, UINT32_MAX - 1, out, 64);
	is_int((long long)n, 62, "no range takes more than 62");
	is_int((long long)pool_prefixes(0, UINT32_MAX, out, 64), 32, "a range from 0 takes 32");
	is_int((long long)pool_prefixes(FIRST, 253, out, 3), 3, "no more than there is room for");
	is_int((long long)pool_prefixes(UINT32_MAX, 1, out, 64), 1, "the last address of all");
}

/* ---- IPv6 beside it ---- */

static void test_addr6(void)
{
	struct ipaddr a = ipaddr_v4(0x0a636305), b;
	struct prefix net;
	char text[ENDPOINT_STRLEN];

	prefix_parse("fd00:99::/64", &net);
	b = pool_addr6(&net, &a);
	is_str(ipaddr_str(&b, text), "fd00:99::a63:6305",
	       "an IPv6 address is the network and the IPv4 address");
	prefix_parse("2001:db8:1:2:3:4::/96", &net);
	b = pool_addr6(&net, &a);
	is_str(ipaddr_str(&b, text), "2001:db8:1:2:3:4:a63:6305", "in the longest network as well");
	b = pool_addr6(&(struct prefix){ 0 }, &a);
	is_int(b.family, IP_NONE, "without a network there is none");
	b = pool_addr6(&net, &(struct ipaddr){ 0 });
	is_int(b.family, IP_NONE, "nor without an IPv4 address");
}

/* ---- the model ---- */

#define M_SIZE  40
#define M_USERS 15

struct model {
	struct {
		enum {
			M_FREE,
			M_LEASED,
			M_KEPT
		} state;
		unsigned user;
		uint64_t released, order; /* order: when it came into this state */
	} a[M_SIZE];
	uint64_t clock, sticky;
};

static uint32_t seed = 12345;

static uint32_t draw(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static bool m_kept(const struct model *m, unsigned i, uint64_t now)
{
	return m->a[i].state == M_KEPT &&
	       (m->a[i].released >= now || now - m->a[i].released < m->sticky);
}

/* Which address a user gets, by going through all of them; M_SIZE: none. */
static unsigned m_choose(const struct model *m, unsigned user, uint64_t now)
{
	unsigned best = M_SIZE;

	for (unsigned i = 0; i < M_SIZE; i++) {
		if (m_kept(m, i, now) && m->a[i].user == user &&
		    (best == M_SIZE || m->a[i].released > m->a[best].released ||
		     (m->a[i].released == m->a[best].released && m->a[i].order > m->a[best].order)))
			best = i;
	}
	for (unsigned i = 0; best == M_SIZE && i < M_SIZE; i++) {
		for (unsigned k = 0; k < M_SIZE; k++) {
			if (m->a[k].state == M_FREE &&
			    (best == M_SIZE || m->a[k].order < m->a[best].order))
				best = k;
		}
	}
	if (best != M_SIZE)
		return best;
	for (unsigned i = 0; i < M_SIZE; i++) {
		if (m->a[i].state == M_KEPT &&
		    (best == M_SIZE || m->a[i].released < m->a[best].released))
			best = i;
	}
	return best;
}

static void m_set(struct model *m, unsigned i, int state, unsigned user, uint64_t released)
{
	m->a[i].state = state;
	m->a[i].user = user;
	m->a[i].released = released;
	m->a[i].order = ++m->clock;
}

static const char *user_name(unsigned u)
{
	static char name[M_USERS][100];

	memset(name[u], 'u', 90); /* alike in all but the last bytes */
	name[u][90] = (char)('a' + u);
	return name[u];
}

static bool m_take(struct model *m, struct pools *p, uint64_t now)
{
	unsigned user = draw(M_USERS), i = m_choose(m, user, now);
	struct ipaddr want, got, *wanted = NULL;
	enum pool_result r, expect = i == M_SIZE ? POOL_EXHAUSTED : POOL_OK;

	if (draw(8) == 0) {
		i = draw(M_SIZE + 2);
		want = nth(i + 1);
		wanted = &want;
		expect = i >= M_SIZE ? POOL_OUTSIDE
				     : (m->a[i].state == M_LEASED ? POOL_TAKEN : POOL_OK);
	}
	r = pool_take(p, "default", user_name(user), wanted, now, &got);
	if (r != expect || (r == POOL_OK && ipaddr_to_v4(&got) != FIRST + i))
		return false;
	if (r == POOL_OK)
		m_set(m, i, M_LEASED, user, 0);
	return true;
}

static bool m_step(struct model *m, struct pools *p, uint64_t now)
{
	unsigned i = draw(M_SIZE), user = draw(M_USERS);
	struct ipaddr a = nth(i + 1);
	uint64_t released = now > 50 ? now - draw(50) : now;
	int state = m->a[i].state, r;

	switch (draw(12)) {
	case 0:
		r = pool_forget(p, &a);
		if (r != (state == M_FREE ? -ENOENT : state == M_LEASED ? -EBUSY : 0))
			return false;
		if (r == 0)
			m_set(m, i, M_FREE, 0, 0);
		return true;
	case 1:
		r = pool_restore(p, &a, user_name(user), 1, released, now);
		if (r != (state != M_FREE ? -EEXIST : now - released >= m->sticky ? -ENOENT : 0))
			return false;
		if (r == 0)
			m_set(m, i, M_KEPT, user, released);
		return true;
	case 2:
		r = pool_adopt(p, &a, user_name(user), now);
		if (r != (state == M_LEASED ? -EEXIST : 0))
			return false;
		if (r == 0)
			m_set(m, i, M_LEASED, user, 0);
		return true;
	case 3:
	case 4:
	case 5:
	case 6:
		pool_release(p, &a, now);
		if (state == M_LEASED && m->sticky)
			m_set(m, i, M_KEPT, m->a[i].user, now);
		else if (state == M_LEASED)
			m_set(m, i, M_FREE, 0, 0);
		return true;
	default:
		return m_take(m, p, now);
	}
}

static bool m_same(const struct model *m, const struct pools *p, uint64_t now)
{
	struct pool_usage u;
	struct pool_lease l;
	uint32_t cursor = 0;
	unsigned leased = 0, kept = 0;

	for (unsigned i = 0; i < M_SIZE; i++) {
		if (m->a[i].state != M_LEASED && !m_kept(m, i, now))
			continue;
		if (!pool_next(p, now, &cursor, &l) || ipaddr_to_v4(&l.addr) != FIRST + i ||
		    l.leased != (m->a[i].state == M_LEASED) ||
		    strcmp(l.user, user_name(m->a[i].user)) != 0)
			return false;
		*(l.leased ? &leased : &kept) += 1;
	}
	pool_usage(p, 0, now, &u);
	return !pool_next(p, now, &cursor, &l) && u.leased == leased && u.kept == kept;
}

static void test_model(uint32_t sticky, unsigned steps)
{
	struct model m = { .sticky = sticky };
	struct pools *p = make(M_SIZE, sticky);
	uint64_t now = 1000;
	unsigned step;
	bool fine = true;

	for (unsigned i = 0; i < M_SIZE; i++)
		m_set(&m, i, M_FREE, 0, 0);
	for (step = 0; step < steps && fine; step++) {
		now += draw(4);
		if (draw(500) == 0)
			now -= draw(200); /* somebody set the clock */
		fine = m_step(&m, p, now) && (step % 7 || m_same(&m, p, now));
	}
	ok(fine, "%u random steps with %u s sticky go as in the model", step, sticky);
	pools_free(p);
}

/* ---- speed ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_large(bool one_user)
{
	const unsigned n = LIMIT_POOL_SIZE;
	struct pools *p = make(n, 1000);
	double t = seconds();
	char user[32] = "everybody";
	bool fine = true;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < n; i++) {
			if (!one_user)
				snprintf(user, sizeof(user), "user%u", i);
			fine &= take(p, user, 10 + round) != 0;
		}
		fine &= take(p, "late", 10 + round) == 0;
		for (unsigned i = 0; i < n; i++)
			give_back(p, i + 1, 100);
	}
	t = seconds() - t;
	ok(fine && t < 10, "65,536 addresses, %s: leased and left twice, %.0f ns for each call",
	   one_user ? "one user" : "as many users", t / (4.0 * n) * 1e9);
	pools_free(p);
}

int main(void)
{
	test_conf();
	test_order();
	test_release_twice();
	test_expiry();
	test_names();
	test_wanted();
	test_two_pools();
	test_forget();
	test_restore();
	test_walk();
	test_prefixes();
	test_model(0, 50000);
	test_model(30, 200000);
	test_model(100000, 50000);
	test_large(false);
	test_large(true);
	test_addr6();
	return done();
}
