/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* slots.c - moves addresses between their queue, heap and lists; each step O(1) or O(log n). */
#include "pool/slots.h"

#include <stdlib.h>
#include <string.h>

/* ---- the queue of free slots and the list of a user's kept ones ---- */

static void list_drop(struct pools *p, uint32_t i, uint32_t *head, uint32_t *tail)
{
	struct slot *s = &p->slot[i];

	if (s->prev != NIL)
		p->slot[s->prev].next = s->next;
	else
		*head = s->next;
	if (s->next != NIL)
		p->slot[s->next].prev = s->prev;
	else if (tail)
		*tail = s->prev;
}

void slot_free_append(struct pools *p, uint32_t i)
{
	struct pool *pool = &p->pool[p->slot[i].pool];

	p->slot[i].state = FREE;
	p->slot[i].prev = pool->free_tail;
	p->slot[i].next = NIL;
	if (pool->free_tail != NIL)
		p->slot[pool->free_tail].next = i;
	else
		pool->free_head = i;
	pool->free_tail = i;
}

static bool stands_before(const struct slot *a, const struct slot *b)
{
	return a->pinned != b->pinned ? a->pinned : a->released_s > b->released_s;
}

/* Pinned first, then released last first. Times come in order but for a clock that was set back. */
static void kept_insert(struct pools *p, struct user *u, uint32_t i)
{
	struct slot *s = &p->slot[i];

	s->prev = NIL;
	s->next = u->kept;
	while (s->next != NIL && stands_before(&p->slot[s->next], s)) {
		s->prev = s->next;
		s->next = p->slot[s->next].next;
	}
	if (s->prev != NIL)
		p->slot[s->prev].next = i;
	else
		u->kept = i;
	if (s->next != NIL)
		p->slot[s->next].prev = i;
}

/* ---- the heap of kept slots: released longest ago first, then the lower address ---- */

static bool before(const struct pools *p, uint32_t a, uint32_t b)
{
	uint64_t ta = p->slot[a].released_s, tb = p->slot[b].released_s;

	return ta != tb ? ta < tb : a < b;
}

static void heap_place(struct pools *p, struct pool *pool, uint32_t pos, uint32_t i)
{
	pool->heap[pos] = i;
	p->slot[i].heap_pos = pos;
}

/* Finds the place of slot i, starting where a hole is. */
static void heap_settle(struct pools *p, struct pool *pool, uint32_t pos, uint32_t i)
{
	uint32_t child;

	while (pos > 0 && before(p, i, pool->heap[(pos - 1) / 2])) {
		heap_place(p, pool, pos, pool->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	while ((child = 2 * pos + 1) < pool->n_kept) {
		if (child + 1 < pool->n_kept && before(p, pool->heap[child + 1], pool->heap[child]))
			child++;
		if (!before(p, pool->heap[child], i))
			break;
		heap_place(p, pool, pos, pool->heap[child]);
		pos = child;
	}
	heap_place(p, pool, pos, i);
}

static void heap_drop(struct pools *p, struct pool *pool, uint32_t i)
{
	uint32_t last = pool->heap[--pool->n_kept];

	if (last != i)
		heap_settle(p, pool, p->slot[i].heap_pos, last);
}

/* ---- users ---- */

static struct user **bucket_of(const struct pools *p, const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &p->bucket[(h ^ h >> 16) & (p->n_buckets - 1)];
}

struct user *user_find(const struct pools *p, const char *name)
{
	struct user *u = *bucket_of(p, name);

	while (u && strcmp(u->name, name) != 0)
		u = u->next;
	return u;
}

struct user *user_get(struct pools *p, const char *name)
{
	struct user *u = user_find(p, name), **bucket;
	size_t n = strlen(name) + 1;

	if (u)
		return u;
	u = malloc(sizeof(*u) + n);
	if (!u)
		return NULL;
	memcpy(u->name, name, n);
	u->kept = NIL;
	u->slots = 0;
	bucket = bucket_of(p, name);
	u->next = *bucket;
	return *bucket = u;
}

void user_put(struct pools *p, struct user *u)
{
	struct user **at = bucket_of(p, u->name);

	if (u->slots > 0)
		return;
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	free(u);
}

/* ---- states ---- */

/* Takes a slot out of what it is in and returns its user, if any, whom the caller puts. */
static struct user *detach(struct pools *p, uint32_t i)
{
	struct slot *s = &p->slot[i];
	struct pool *pool = &p->pool[s->pool];
	struct user *u = s->user;

	switch ((enum slot_state)s->state) {
	case FREE:
		list_drop(p, i, &pool->free_head, &pool->free_tail);
		return NULL;
	case LEASED:
		pool->n_leased--;
		break;
	case KEPT:
		if (s->pinned)
			pool->n_pinned--;
		else
			heap_drop(p, pool, i);
		list_drop(p, i, &u->kept, NULL);
		break;
	}
	s->user = NULL;
	u->slots--;
	return u;
}

static void attach(struct pools *p, uint32_t i, struct user *u, enum slot_state state)
{
	struct user *old = detach(p, i);

	p->slot[i].user = u;
	p->slot[i].state = (uint8_t)state;
	u->slots++;
	if (old)
		user_put(p, old);
}

void slot_lease(struct pools *p, uint32_t i, struct user *u, uint64_t granted_s)
{
	struct slot *s = &p->slot[i];
	bool stays = s->pinned && s->user && s->user == u;

	attach(p, i, u, LEASED);
	s->pinned = stays;
	s->granted_s = granted_s;
	s->released_s = 0;
	p->pool[s->pool].n_leased++;
}

void slot_keep(struct pools *p, uint32_t i, struct user *u, uint64_t granted_s, uint64_t released_s)
{
	struct slot *s = &p->slot[i];
	struct pool *pool = &p->pool[s->pool];

	attach(p, i, u, KEPT);
	s->granted_s = granted_s;
	s->released_s = released_s;
	kept_insert(p, u, i);
	if (s->pinned)
		pool->n_pinned++;
	else
		heap_settle(p, pool, pool->n_kept++, i);
}

void slot_free(struct pools *p, uint32_t i)
{
	struct user *old = detach(p, i);

	p->slot[i].pinned = false;
	slot_free_append(p, i);
	if (old)
		user_put(p, old);
}
