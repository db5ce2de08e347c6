/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * slots.h - the addresses of all pools as one array, and who has each. Only pool/ includes it.
 *
 * A slot is one address:
 *   FREE    in its pool's queue, longest free first;
 *   LEASED  by its user, in no list;
 *   KEPT    for its user: in the user's list, released last first, and in its pool's heap,
 *           released longest ago on top; a pinned one is first in the list and not in the heap.
 * Users are found by a hash of the whole name. One without a slot is forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

#define NIL UINT32_MAX /* no slot */

enum slot_state {
	FREE,
	LEASED,
	KEPT,
};

struct slot {
	struct user *user;   /* borrowed; NULL when FREE */
	uint64_t granted_s;  /* LEASED, KEPT */
	uint64_t released_s; /* KEPT */
	uint32_t prev, next; /* FREE: of the queue; KEPT: of the user's list */
	uint32_t heap_pos;   /* KEPT */
	uint8_t state, pool;
	bool pinned; /* KEPT, or LEASED by the user that it is pinned to */
};

struct user {
	struct user *next; /* in the bucket; owned */
	uint32_t kept;     /* first of the list */
	uint32_t slots;    /* LEASED and KEPT */
	char name[];
};

struct pool {
	struct pool_conf conf;
	uint32_t base;                 /* the first slot */
	uint32_t free_head, free_tail; /* slots */
	uint32_t *heap;                /* borrowed, its part: the slots that are KEPT */
	uint32_t n_kept, n_leased;     /* n_kept: in the heap */
	uint32_t n_pinned;             /* KEPT, and not in it */
};

/* A leased address that is in no pool any more. */
struct drain {
	uint32_t addr;
	uint64_t granted_s;
	char pool[LIMIT_GROUP_NAME + 1]; /* that it was in */
	char user[LIMIT_USER + 1];
};

struct pools {
	struct pool *pool; /* owned */
	size_t n_pools;
	struct slot *slot; /* owned */
	uint32_t *heap;    /* owned, of all pools: as long as slot */
	uint32_t n_slots;
	struct user **bucket; /* owned */
	uint32_t n_buckets;   /* a power of two */
	struct drain *drain;  /* owned, sorted by address */
	uint32_t n_drain;
};

/* The user of that name or NULL. */
struct user *user_find(const struct pools *p, const char *name);

/* The same, made when there is none; NULL without memory. user_put() it if no slot was given. */
struct user *user_get(struct pools *p, const char *name);
void user_put(struct pools *p, struct user *u);

/* Each takes the slot out of the state that it is in. `u` has its name alone in common with what
 * the slot was before: an older user may be forgotten. */
void slot_lease(struct pools *p, uint32_t i, struct user *u, uint64_t granted_s);
void slot_keep(struct pools *p, uint32_t i, struct user *u, uint64_t granted_s,
	       uint64_t released_s);
void slot_free(struct pools *p, uint32_t i);

/* pool.c: pools_new() with room for as many addresses that drain. */
int pools_make(const struct pool_conf *conf, size_t n, uint32_t drain, struct pools **ret);

/* pool.c: the slot of an address; NIL when it is in no pool. */
uint32_t slot_of(const struct pools *p, const struct ipaddr *addr);

/* drain.c: the address drains no more. False: it did not. */
bool drain_end(struct pools *p, uint32_t addr);

/* At the start: a slot that is in no state yet. */
void slot_free_append(struct pools *p, uint32_t i);
