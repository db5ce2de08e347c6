/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pool.h - which user has which address. Pure: no clock, no disk, no IKE.
 *
 * A pool is a range of addresses. Each address is free, leased to a session, or kept for the user
 * who had it last (`sticky`) or to whom an operator has given it for good (a pin). Memory is the
 * truth; the shell writes changes to disk so that a user finds the same address after a restart. Times are CLOCK_REALTIME seconds, because they
 * outlive the machine's uptime.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"

struct pools;

struct pool_conf {
	char name[LIMIT_GROUP_NAME + 1];
	uint32_t first, size; /* host order, addresses */
	uint32_t sticky_s;    /* how long an address is kept for its last user; 0: not at all */
};

enum pool_result {
	POOL_OK,
	POOL_EXHAUSTED, /* every address is leased */
	POOL_TAKEN,     /* the wanted address is leased to another session, or another user's pin */
	POOL_OUTSIDE,   /* the wanted address is in no pool */
};

/* One address, as the disk and the operator see it. */
struct pool_lease {
	struct ipaddr addr;
	const char *pool, *user; /* borrowed until the next change */
	bool leased;             /* by a session now */
	bool pinned;             /* by an operator, to this user */
	uint64_t granted_s, released_s;
};

/* 0, -ENOMEM, -EINVAL for an empty, too large or overlapping pool, two of one name, too many of
 * them or none. conf is copied. */
int pools_new(const struct pool_conf *conf, size_t n, struct pools **ret);
struct pools *pools_free(struct pools *p);

/*
 * The same pools with another configuration, in *ret; p stays as it is, for the caller to drop the
 * one or the other. Each address that both have is as it was. One that is leased and in no pool any
 * more drains: it stays its session's until that ends, and is nobody's afterwards; should its pool
 * grow back before, it is leased there. Errors as of pools_new().
 */
int pools_reconf(const struct pools *p, const struct pool_conf *conf, size_t n, uint64_t now_s,
		 struct pools **ret);
/* The same for sessions that were up before there were these pools: the address, which is in none of
 * them, drains; `pool` is the one that it counts for. granted_s as of pool_adopt(). 0 or -ENOMEM. After
 * the last one, and before anything else is done with the pools: pools_drain_all(). */
int pool_drain(struct pools *p, const char *pool, const struct ipaddr *addr, const char *user,
	       uint64_t granted_s);
void pools_drain_all(struct pools *p);
/* It does. */
bool pool_drains(const struct pools *p, const struct ipaddr *addr);
/* How many addresses drain: of one pool, or with NULL of all. */
uint32_t pools_draining(const struct pools *p, const char *pool);

/*
 * Takes an address for `user`: `wanted` if it is given (a user's own static address, from whatever
 * pool, even when it is kept for another), else from `pool` the one kept for this user that is
 * pinned or was released last, else the one that has been free for longest, never leased ones first, else the
 * one kept for another user that was released longest ago. POOL_EXHAUSTED also when there is no
 * such pool or no memory. User names are compared whole.
 */
enum pool_result pool_take(struct pools *p, const char *pool, const char *user,
			   const struct ipaddr *wanted, uint64_t now_s, struct ipaddr *ret);

/* The session has ended. Unknown or free addresses are ignored. */
void pool_release(struct pools *p, const struct ipaddr *addr, uint64_t now_s);

/* Forgets who had an address that is not leased: -EBUSY when leased, -EEXIST when pinned, -ENOENT
 * when unknown. */
int pool_forget(struct pools *p, const struct ipaddr *addr);

/*
 * A lease read from disk at start: kept for its user when still sticky. released_s 0 (a session
 * had it when the daemon ended) or in the future counts as now. Give them in the order of their
 * release, or many of one user take long. -ENOENT: no such address in the pools, or its time is
 * over; -EEXIST: leased or restored already; -ENOMEM.
 */
int pool_restore(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t granted_s,
		 uint64_t released_s, uint64_t now_s);

/*
 * Gives an address to a user for good: nobody else gets it, and it does not expire. Of several of
 * one user in one pool a login gets any. -ENOENT: it is in no pool; -EBUSY: leased to another user;
 * -EEXIST: pinned to another; -ENOMEM. Once more is no error. pool_unpin() makes it a lease like any
 * other; -ENOENT: it is not pinned.
 */
int pool_pin(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t now_s);
int pool_unpin(struct pools *p, const struct ipaddr *addr, uint64_t now_s);
bool pool_is_pinned(const struct pools *p, const struct ipaddr *addr);
/* One read from disk at start; times as of pool_restore(). -ENOENT: in no pool; -EEXIST: another user
 * has it; -ENOMEM. */
int pool_restore_pin(struct pools *p, const struct ipaddr *addr, const char *user,
		     uint64_t granted_s, uint64_t released_s, uint64_t now_s);

/* A lease of a session that outlived the daemon; -EEXIST when it is leased already, -ENOENT when
 * it is in no pool, -ENOMEM. */
int pool_adopt(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t granted_s);

/* Walks every address that is leased or kept: start with *cursor = 0, false at the end. After
 * pools_reconf() a cursor may miss some, or give them again. */
bool pool_next(const struct pools *p, uint64_t now_s, uint32_t *cursor, struct pool_lease *ret);

struct pool_usage {
	const char *name;
	uint32_t size, leased, kept; /* kept: sticky or pinned, without a session */
	struct ipaddr first, last;
};

size_t pools_count(const struct pools *p);
void pool_usage(const struct pools *p, size_t i, uint64_t now_s, struct pool_usage *ret);

/*
 * The IPv6 address that goes with an IPv4 one: the pool's network, of at most POOL_NETWORK6_MAX bits,
 * with the IPv4 address as its last 32: 10.99.99.5 in fd00:99::/64 makes fd00:99::a63:6305. So it
 * is nobody else's while that one is not, whatever becomes of the pools meanwhile, it is the same one
 * when the user comes back, and there is nothing to keep. Family IP_NONE where the network has none.
 */
#define POOL_NETWORK6_MAX 96
struct ipaddr pool_addr6(const struct prefix *network6, const struct ipaddr *addr);

/* The prefixes that make up first..first+size-1 exactly, fewest first; returns how many (at most
 * cap, 64 is always enough). */
size_t pool_prefixes(uint32_t first, uint32_t size, struct prefix *out, size_t cap);
