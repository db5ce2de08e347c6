/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * drain.c - pools that change while addresses are in use. Pure.
 *
 * The new pools are made beside the old ones: until the caller has both it can turn back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/slots.h"

/* ---- addresses that are in no pool ---- */

static int by_addr(const void *x, const void *y)
{
	const struct drain *a = x, *b = y;

	return (a->addr > b->addr) - (a->addr < b->addr);
}

/* Room was made for all before. */
static void drain_add(struct pools *p, const struct pool_lease *l)
{
	struct drain *d = &p->drain[p->n_drain++];

	*d = (struct drain){ .addr = ipaddr_to_v4(&l->addr), .granted_s = l->granted_s };
	strcpy(d->pool, l->pool);
	snprintf(d->user, sizeof(d->user), "%s", l->user);
}

static struct drain *drain_find(const struct pools *p, uint32_t addr)
{
	struct drain key = { .addr = addr };

	return p->n_drain ? bsearch(&key, p->drain, p->n_drain, sizeof(key), by_addr) : NULL;
}

bool pool_drains(const struct pools *p, const struct ipaddr *addr)
{
	return addr->family == IP_V4 && drain_find(p, ipaddr_to_v4(addr));
}

int pool_drain(struct pools *p, const char *pool, const struct ipaddr *addr, const char *user,
	       uint64_t granted_s)
{
	struct pool_lease l = { .addr = *addr, .pool = pool, .user = user, .granted_s = granted_s };
	struct drain *more;

	more = reallocarray(p->drain, (size_t)p->n_drain + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->drain = more;
	drain_add(p, &l);
	return 0;
}

void pools_drain_all(struct pools *p)
{
	if (p->n_drain)
		qsort(p->drain, p->n_drain, sizeof(*p->drain), by_addr);
}

bool drain_end(struct pools *p, uint32_t addr)
{
	struct drain *d = drain_find(p, addr);
	uint32_t i;

	if (!d)
		return false;
	i = (uint32_t)(d - p->drain);
	p->n_drain--;
	memmove(d, d + 1, (p->n_drain - i) * sizeof(*d));
	return true;
}

uint32_t pools_draining(const struct pools *p, const char *pool)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_drain; i++)
		n += !pool || strcmp(p->drain[i].pool, pool) == 0;
	return n;
}

/* ---- from one to the other ---- */

struct kept {
	struct ipaddr addr;
	const struct slot *slot;
};

static int by_release(const void *x, const void *y)
{
	const struct kept *a = x, *b = y;

	return (a->slot->released_s > b->slot->released_s) -
	       (a->slot->released_s < b->slot->released_s);
}

static struct ipaddr addr_in(const struct pool *pool, uint32_t slot)
{
	return ipaddr_v4(pool->conf.first + (slot - pool->base));
}

/* Those that were free wait as they did, behind those that are new. */
static void keep_queue(const struct pools *from, struct pools *to)
{
	for (size_t k = 0; k < from->n_pools; k++) {
		const struct pool *pool = &from->pool[k];

		for (uint32_t i = pool->free_head; i != NIL; i = from->slot[i].next) {
			struct ipaddr a = addr_in(pool, i);
			uint32_t there = slot_of(to, &a);

			if (there != NIL)
				slot_free(to, there);
		}
	}
}

static int keep_leased(const struct pools *from, struct pools *to, uint64_t now_s)
{
	struct pool_lease l;
	uint32_t cursor = 0;
	int rc = 0;

	while (rc == 0 && pool_next(from, now_s, &cursor, &l)) {
		if (!l.leased)
			continue;
		rc = pool_adopt(to, &l.addr, l.user, l.granted_s);
		if (rc == 0 && l.pinned)
			rc = pool_pin(to, &l.addr, l.user, now_s);
		if (rc != -ENOENT)
			continue;
		drain_add(to, &l);
		rc = 0;
	}
	pools_drain_all(to);
	return rc;
}

/* pool_restore() wants them in the order of their release. */
static int keep_kept(const struct pools *from, struct pools *to, uint64_t now_s)
{
	struct kept *k;
	size_t n = 0;
	int rc = 0;

	k = calloc((size_t)from->n_slots + 1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->n_slots; i++)
		if (from->slot[i].state == KEPT)
			k[n++] = (struct kept){ addr_in(&from->pool[from->slot[i].pool], i),
						&from->slot[i] };
	qsort(k, n, sizeof(*k), by_release);
	for (size_t i = 0; i < n && rc != -ENOMEM; i++)
		rc = (k[i].slot->pinned ? pool_restore_pin : pool_restore)(
			to, &k[i].addr, k[i].slot->user->name, k[i].slot->granted_s,
			k[i].slot->released_s, now_s);
	free(k);
	return rc == -ENOMEM ? rc : 0; /* outside, or kept for long enough: it is free */
}

int pools_reconf(const struct pools *p, const struct pool_conf *conf, size_t n, uint64_t now_s,
		 struct pools **ret)
{
	struct pools *to;
	uint32_t leased = p->n_drain;
	int rc;

	for (size_t k = 0; k < p->n_pools; k++)
		leased += p->pool[k].n_leased;
	rc = pools_make(conf, n, leased, &to);
	if (rc < 0)
		return rc;
	keep_queue(p, to);
	rc = keep_leased(p, to, now_s);
	if (rc == 0)
		rc = keep_kept(p, to, now_s);
	if (rc < 0) {
		pools_free(to);
		return rc;
	}
	*ret = to;
	return 0;
}
