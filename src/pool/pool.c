/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool.c - which user has which address: who gets which, and for how long it is kept. Pure. */
#include "pool/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "pool/slots.h"

/* ---- making ---- */

static bool conf_ok(const struct pool_conf *conf, size_t n)
{
	if (n == 0 || n > LIMIT_POOLS)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct pool_conf *a = &conf[i];

		if (a->size == 0 || a->size > LIMIT_POOL_SIZE ||
		    a->first > UINT32_MAX - (a->size - 1))
			return false;
		for (size_t k = 0; k < i; k++) {
			const struct pool_conf *b = &conf[k];

			if (strcmp(a->name, b->name) == 0 ||
			    (a->first <= b->first + (b->size - 1) &&
			     b->first <= a->first + (a->size - 1)))
				return false;
		}
	}
	return true;
}

static void fill_pool(struct pools *p, struct pool *pool, const struct pool_conf *conf,
		      uint32_t base)
{
	*pool = (struct pool){ .conf = *conf,
			       .base = base,
			       .free_head = NIL,
			       .free_tail = NIL,
			       .heap = p->heap + base };
	for (uint32_t i = base; i < base + conf->size; i++) {
		p->slot[i].pool = (uint8_t)(pool - p->pool);
		slot_free_append(p, i);
	}
}

int pools_new(const struct pool_conf *conf, size_t n, struct pools **ret)
{
	return pools_make(conf, n, 0, ret);
}

int pools_make(const struct pool_conf *conf, size_t n, uint32_t drain, struct pools **ret)
{
	struct pools *p;
	uint32_t base = 0;

	if (!conf_ok(conf, n))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		p->n_slots += conf[i].size;
	for (p->n_buckets = 64; p->n_buckets < p->n_slots; p->n_buckets *= 2)
		;
	p->n_pools = n;
	p->pool = calloc(n, sizeof(*p->pool));
	p->slot = calloc(p->n_slots, sizeof(*p->slot));
	p->heap = calloc(p->n_slots, sizeof(*p->heap));
	p->bucket = calloc(p->n_buckets, sizeof(struct user *));
	p->drain = calloc((size_t)drain + 1, sizeof(*p->drain));
	if (!p->pool || !p->slot || !p->heap || !p->bucket || !p->drain) {
		pools_free(p);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		fill_pool(p, &p->pool[i], &conf[i], base);
		base += conf[i].size;
	}
	*ret = p;
	return 0;
}

struct pools *pools_free(struct pools *p)
{
	if (!p)
		return NULL;
	for (uint32_t b = 0; p->bucket && b < p->n_buckets; b++) {
		while (p->bucket[b]) {
			struct user *u = p->bucket[b];

			p->bucket[b] = u->next;
			free(u);
		}
	}
	free(p->pool);
	free(p->slot);
	free(p->heap);
	free(p->bucket);
	free(p->drain);
	free(p);
	return NULL;
}

/* ---- looking ---- */

static struct ipaddr slot_addr(const struct pools *p, uint32_t i)
{
	const struct pool *pool = &p->pool[p->slot[i].pool];

	return ipaddr_v4(pool->conf.first + (i - pool->base));
}

uint32_t slot_of(const struct pools *p, const struct ipaddr *addr)
{
	uint32_t v = ipaddr_to_v4(addr);

	if (addr->family != IP_V4)
		return NIL;
	for (size_t i = 0; i < p->n_pools; i++) {
		const struct pool *pool = &p->pool[i];

		if (v - pool->conf.first < pool->conf.size)
			return pool->base + (v - pool->conf.first);
	}
	return NIL;
}

static struct pool *pool_named(struct pools *p, const char *name)
{
	for (size_t i = 0; i < p->n_pools; i++) {
		if (strcmp(p->pool[i].conf.name, name) == 0)
			return &p->pool[i];
	}
	return NULL;
}

/* Whether a KEPT slot is still its user's. A clock that was set back makes nothing older. */
static bool still_kept(const struct pools *p, const struct slot *s, uint64_t now_s)
{
	return s->pinned || s->released_s >= now_s ||
	       now_s - s->released_s < p->pool[s->pool].conf.sticky_s;
}

/* The slot of this pool that is kept for the user, pinned or released last; NIL without one. */
static uint32_t kept_for(const struct pools *p, const struct pool *pool, const char *name,
			 uint64_t now_s)
{
	const struct user *u = user_find(p, name);
	uint32_t i = u ? u->kept : NIL;

	/* In this order, when one of the pool is too old all that follow are. */
	while (i != NIL && &p->pool[p->slot[i].pool] != pool)
		i = p->slot[i].next;
	return i != NIL && still_kept(p, &p->slot[i], now_s) ? i : NIL;
}

static bool is_anothers(const struct slot *s, const char *user)
{
	return s->pinned && strcmp(s->user->name, user) != 0;
}

static enum pool_result choose(struct pools *p, const char *pool_name, const char *user,
			       const struct ipaddr *wanted, uint64_t now_s, uint32_t *ret)
{
	const struct pool *pool;

	if (wanted) {
		*ret = slot_of(p, wanted);
		if (*ret == NIL)
			return POOL_OUTSIDE;
		return p->slot[*ret].state == LEASED || is_anothers(&p->slot[*ret], user)
			       ? POOL_TAKEN
			       : POOL_OK;
	}
	pool = pool_named(p, pool_name);
	if (!pool)
		return POOL_EXHAUSTED;
	*ret = kept_for(p, pool, user, now_s);
	if (*ret == NIL)
		*ret = pool->free_head;
	if (*ret == NIL && pool->n_kept > 0)
		*ret = pool->heap[0];
	return *ret == NIL ? POOL_EXHAUSTED : POOL_OK;
}

/* ---- leasing ---- */

enum pool_result pool_take(struct pools *p, const char *pool, const char *user,
			   const struct ipaddr *wanted, uint64_t now_s, struct ipaddr *ret)
{
	uint32_t i = NIL;
	enum pool_result r = choose(p, pool, user, wanted, now_s, &i);
	struct user *u;

	if (r != POOL_OK)
		return r;
	u = user_get(p, user);
	if (!u)
		return POOL_EXHAUSTED; /* of memory: it ends no other way for the caller */
	slot_lease(p, i, u, now_s);
	*ret = slot_addr(p, i);
	return POOL_OK;
}

void pool_release(struct pools *p, const struct ipaddr *addr, uint64_t now_s)
{
	uint32_t i = slot_of(p, addr);
	struct slot *s;

	if (i == NIL && addr->family == IP_V4)
		drain_end(p, ipaddr_to_v4(addr));
	if (i == NIL || p->slot[i].state != LEASED)
		return;
	s = &p->slot[i];
	if (p->pool[s->pool].conf.sticky_s > 0 || s->pinned)
		slot_keep(p, i, s->user, s->granted_s, now_s);
	else
		slot_free(p, i);
}

int pool_forget(struct pools *p, const struct ipaddr *addr)
{
	uint32_t i = slot_of(p, addr);

	if (i == NIL || p->slot[i].state == FREE)
		return -ENOENT;
	if (p->slot[i].state == LEASED)
		return -EBUSY;
	if (p->slot[i].pinned)
		return -EEXIST;
	slot_free(p, i);
	return 0;
}

int pool_restore(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t granted_s,
		 uint64_t released_s, uint64_t now_s)
{
	uint32_t i = slot_of(p, addr);
	struct user *u;

	if (i == NIL)
		return -ENOENT;
	if (p->slot[i].state != FREE)
		return -EEXIST;
	/* Leased when the daemon ended, or released in the future: over now. */
	if (released_s == 0 || released_s > now_s)
		released_s = now_s;
	if (now_s - released_s >= p->pool[p->slot[i].pool].conf.sticky_s)
		return -ENOENT;
	u = user_get(p, user);
	if (!u)
		return -ENOMEM;
	slot_keep(p, i, u, granted_s, released_s);
	return 0;
}

int pool_adopt(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t granted_s)
{
	uint32_t i = slot_of(p, addr);
	struct user *u;

	if (i == NIL)
		return -ENOENT;
	if (p->slot[i].state == LEASED)
		return -EEXIST;
	u = user_get(p, user);
	if (!u)
		return -ENOMEM;
	slot_lease(p, i, u, granted_s);
	return 0;
}

/* ---- showing ---- */

bool pool_next(const struct pools *p, uint64_t now_s, uint32_t *cursor, struct pool_lease *ret)
{
	for (; *cursor < p->n_slots; ++*cursor) {
		const struct slot *s = &p->slot[*cursor];

		if (s->state == FREE || (s->state == KEPT && !still_kept(p, s, now_s)))
			continue;
		*ret = (struct pool_lease){ .addr = slot_addr(p, *cursor),
					    .pool = p->pool[s->pool].conf.name,
					    .user = s->user->name,
					    .leased = s->state == LEASED,
					    .pinned = s->pinned,
					    .granted_s = s->granted_s,
					    .released_s = s->released_s };
		++*cursor;
		return true;
	}
	if (*cursor - p->n_slots < p->n_drain) {
		const struct drain *d = &p->drain[(*cursor)++ - p->n_slots];

		*ret = (struct pool_lease){ .addr = ipaddr_v4(d->addr),
					    .pool = d->pool,
					    .user = d->user,
					    .leased = true,
					    .granted_s = d->granted_s };
		return true;
	}
	return false;
}

size_t pools_count(const struct pools *p)
{
	return p->n_pools;
}

void pool_usage(const struct pools *p, size_t i, uint64_t now_s, struct pool_usage *ret)
{
	const struct pool *pool = &p->pool[i];
	uint32_t kept = pool->n_pinned;

	for (uint32_t k = 0; k < pool->n_kept; k++)
		kept += still_kept(p, &p->slot[pool->heap[k]], now_s);
	*ret = (struct pool_usage){ .name = pool->conf.name,
				    .size = pool->conf.size,
				    .leased = pool->n_leased,
				    .kept = kept,
				    .first = ipaddr_v4(pool->conf.first),
				    .last = ipaddr_v4(pool->conf.first + (pool->conf.size - 1)) };
}

struct ipaddr pool_addr6(const struct prefix *network6, const struct ipaddr *addr)
{
	struct ipaddr a = network6->addr;

	if (a.family != IP_V6 || addr->family != IP_V4)
		return (struct ipaddr){ 0 };
	memcpy(a.b + sizeof(a.b) - 4, addr->b, 4);
	return a;
}

size_t pool_prefixes(uint32_t first, uint32_t size, struct prefix *out, size_t cap)
{
	uint64_t at = first, end = (uint64_t)first + size;
	size_t n = 0;

	if (end > UINT64_C(1) << 32)
		end = UINT64_C(1) << 32;
	while (at < end && n < cap) {
		struct ipaddr a = ipaddr_v4((uint32_t)at);
		unsigned bits = 0;

		/* The largest aligned block that starts here and does not reach past the end. */
		while (bits < 32 && (at & ((UINT64_C(2) << bits) - 1)) == 0 &&
		       at + (UINT64_C(2) << bits) <= end)
			bits++;
		out[n++] = prefix_of(&a, 32 - bits);
		at += UINT64_C(1) << bits;
	}
	return n;
}
