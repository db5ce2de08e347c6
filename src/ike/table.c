/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table.c - all ISAKMP SAs. Slots with generations give handles that outlive an SA safely; chains
 * by cookie and source, a heap by deadline and a list by age find one without touching the others.
 * Pure.
 */
#include "ike/table.h"

#include <errno.h>

#include "cleanup.h"
#include "ike/xchg.h"

#define COOKIE_BUCKETS 64
#define SOURCE_BUCKETS 1024
#define NO_SLOT        UINT32_MAX
#define NO_HEAP        UINT32_MAX

int table_init(struct ike_table *t, uint64_t seed)
{
	*t = (struct ike_table){ .free_head = NO_SLOT,
				 .changed_head = NO_SLOT,
				 .source_seed = seed };
	t->by_cookie = calloc(COOKIE_BUCKETS, sizeof(struct ike_sa *));
	t->by_source = calloc(SOURCE_BUCKETS, sizeof(struct ike_sa *));
	t->cookie_mask = COOKIE_BUCKETS - 1;
	if (by_user_init(&t->users, seed) < 0 || !t->by_cookie || !t->by_source) {
		table_clear(t);
		return -ENOMEM;
	}
	return 0;
}

static void sa_free(struct ike_sa *sa)
{
	while (sa->xchgs)
		xchg_remove(sa, sa->xchgs);
	while (sa->children)
		child_remove(sa, sa->children);
	sa->nego = nego_free(sa->nego);
	free(sa->used_ids);
	free(sa->profile);
	explicit_bzero(sa, sizeof(*sa));
	free(sa);
}

void table_clear(struct ike_table *t)
{
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i].sa)
			sa_free(t->slot[i].sa);
	free(t->slot);
	free(t->by_cookie);
	free(t->by_source);
	free(t->heap);
	free(t->spis.v);
	free(t->spis.note);
	free(t->cpis.v);
	free(t->cpis.note);
	free(t->names.v);
	free(t->names.note);
	by_user_clear(&t->users);
	*t = (struct ike_table){ .free_head = NO_SLOT, .changed_head = NO_SLOT };
}

/* ---- by cookies ---- */

static uint32_t cookie_hash(const uint8_t *cky_r)
{
	struct rd r = rd_from((struct span){ cky_r, IKE_COOKIE });

	return rd_be32(&r);
}

static void cookie_link(struct ike_table *t, struct ike_sa *sa)
{
	struct ike_sa **b = &t->by_cookie[cookie_hash(sa->cky_r) & t->cookie_mask];

	sa->next_cookie = *b;
	*b = sa;
}

/* Keeps chains short: buckets double when there are more SAs than buckets. */
static void cookie_grow(struct ike_table *t)
{
	uint32_t n = (t->cookie_mask + 1) * 2;
	struct ike_sa **b = calloc(n, sizeof(struct ike_sa *));

	if (!b)
		return; /* longer chains, nothing worse */
	free(t->by_cookie);
	t->by_cookie = b;
	t->cookie_mask = n - 1;
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i].sa)
			cookie_link(t, t->slot[i].sa);
}

struct ike_sa *table_by_cookies(const struct ike_table *t, const uint8_t *cky_i,
				const uint8_t *cky_r)
{
	struct ike_sa *sa = t->by_cookie[cookie_hash(cky_r) & t->cookie_mask];

	while (sa && (memcmp(sa->cky_r, cky_r, IKE_COOKIE) != 0 ||
		      memcmp(sa->cky_i, cky_i, IKE_COOKIE) != 0))
		sa = sa->next_cookie;
	return sa;
}

static bool has_spi(const struct ike_sa *sa, uint32_t spi)
{
	const struct ike_child *c = sa ? sa->children : NULL;

	while (c && c->spi_in != spi)
		c = c->next;
	return c;
}

struct ike_sa *table_by_spi(struct ike_table *t, uint32_t spi)
{
	uint32_t *slot = u32_note(&t->spis, spi), i = 0;

	if (!slot)
		return NULL;
	if (*slot < t->cap && has_spi(t->slot[*slot].sa, spi))
		return t->slot[*slot].sa;
	while (i < t->cap && !has_spi(t->slot[i].sa, spi))
		i++;
	if (i == t->cap)
		return NULL;
	*slot = i;
	return t->slot[i].sa;
}

static void cookie_unlink(struct ike_table *t, struct ike_sa *sa)
{
	struct ike_sa **p = &t->by_cookie[cookie_hash(sa->cky_r) & t->cookie_mask];

	while (*p != sa)
		p = &(*p)->next_cookie;
	*p = sa->next_cookie;
}

void table_swap_cookies(struct ike_table *t, struct ike_sa *a, struct ike_sa *b)
{
	uint8_t i[IKE_COOKIE], r[IKE_COOKIE];

	cookie_unlink(t, a);
	cookie_unlink(t, b);
	memcpy(i, a->cky_i, IKE_COOKIE);
	memcpy(r, a->cky_r, IKE_COOKIE);
	memcpy(a->cky_i, b->cky_i, IKE_COOKIE);
	memcpy(a->cky_r, b->cky_r, IKE_COOKIE);
	memcpy(b->cky_i, i, IKE_COOKIE);
	memcpy(b->cky_r, r, IKE_COOKIE);
	cookie_link(t, a);
	cookie_link(t, b);
}

/* ---- names: a session keeps its own when a renewal gives it other cookies ---- */

/* 0 is nobody's: no cookie of ours begins with it. */
static int name_add(struct ike_table *t, uint32_t name)
{
	return name ? u32_add(&t->names, name) : 0;
}

bool table_name_taken(const struct ike_table *t, const uint8_t *cky_r)
{
	return u32_has(&t->names, cookie_hash(cky_r));
}

int table_rename(struct ike_table *t, struct ike_sa *sa, uint32_t name)
{
	int rc = name == sa->name ? 0 : name_add(t, name);

	if (rc == 0 && name != sa->name) {
		u32_del(&t->names, sa->name);
		sa->name = name;
	}
	return rc;
}

/* ---- slots ---- */

static int slots_grow(struct ike_table *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : 64;
	struct ike_slot *s = realloc(t->slot, cap * sizeof(*s));

	if (!s)
		return -ENOMEM;
	t->slot = s;
	for (uint32_t i = cap; i-- > t->cap;) {
		s[i] = (struct ike_slot){ .gen = 1, .next_free = t->free_head };
		t->free_head = i;
	}
	t->cap = cap;
	return 0;
}

/* Room in the heap for one SA more, so that setting its time cannot fail. */
static bool heap_reserve(struct ike_table *t)
{
	uint32_t cap = t->heap_cap ? t->heap_cap * 2 : 64;
	struct ike_sa **h;

	if (t->n < t->heap_cap)
		return true;
	h = realloc(t->heap, cap * sizeof(struct ike_sa *));
	if (!h)
		return false;
	t->heap = h;
	t->heap_cap = cap;
	return true;
}

/* The first free place becomes one that was free further behind, if there is such a one. */
static bool bring_to_front(struct ike_table *t, uint32_t slot)
{
	uint32_t *p = &t->free_head;

	while (*p != NO_SLOT && *p != slot)
		p = &t->slot[*p].next_free;
	if (*p == NO_SLOT)
		return false;
	*p = t->slot[slot].next_free;
	t->slot[slot].next_free = t->free_head;
	t->free_head = slot;
	return true;
}

int table_new(struct ike_table *t, const uint8_t cky_i[static IKE_COOKIE],
	      const uint8_t cky_r[static IKE_COOKIE], struct ike_sa **ret)
{
	struct ike_slot *s;
	struct ike_sa *sa;
	int rc;

	if ((t->free_head == NO_SLOT && slots_grow(t) < 0) || !heap_reserve(t))
		return -ENOMEM;
	sa = calloc(1, sizeof(*sa));
	if (!sa)
		return -ENOMEM;
	sa->name = cookie_hash(cky_r);
	rc = name_add(t, sa->name);
	if (rc < 0) {
		free(sa);
		return rc;
	}
	s = &t->slot[t->free_head];
	sa->id = (struct sess_id){ .slot = t->free_head, .gen = s->gen };
	t->free_head = s->next_free;
	s->sa = sa;
	memcpy(sa->cky_i, cky_i, IKE_COOKIE);
	memcpy(sa->cky_r, cky_r, IKE_COOKIE);
	sa->heap_at = NO_HEAP;
	sa->due_us = sa->expires_us = sa->deadline_us = UINT64_MAX;
	cookie_link(t, sa);
	if (++t->n > t->cookie_mask)
		cookie_grow(t);
	*ret = sa;
	return 0;
}

int table_new_at(struct ike_table *t, uint32_t slot, const uint8_t cky_i[static IKE_COOKIE],
		 const uint8_t cky_r[static IKE_COOKIE], struct ike_sa **ret)
{
	if (slot >= LIMIT_PLACES)
		return -EBADMSG;
	while (slot >= t->cap)
		if (slots_grow(t) < 0)
			return -ENOMEM;
	return bring_to_front(t, slot) ? table_new(t, cky_i, cky_r, ret) : -EEXIST;
}

void table_remove(struct ike_table *t, struct ike_sa *sa)
{
	struct ike_slot *s = &t->slot[sa->id.slot];

	table_due(t, sa, UINT64_MAX);
	half_open_leave(t, sa);
	by_user_leave(&t->users, sa);
	cookie_unlink(t, sa);
	u32_del(&t->names, sa->name);
	for (struct ike_child *c = sa->children; c; c = c->next) {
		u32_del(&t->spis, c->spi_in);
		u32_del(&t->cpis, c->cpi_in);
	}
	if (1u << sa->state & ST_LOGGED_IN)
		table_changed(t, sa->id.slot);
	s->sa = NULL;
	s->gen++;
	s->next_free = t->free_head;
	t->free_head = sa->id.slot;
	t->n--;
	sa_free(sa);
}

struct ike_sa *table_get(const struct ike_table *t, struct sess_id id)
{
	const struct ike_slot *s = id.slot < t->cap ? &t->slot[id.slot] : NULL;

	return s && s->sa && s->gen == id.gen ? s->sa : NULL;
}

/* ---- changes ---- */

void table_changed(struct ike_table *t, uint32_t slot)
{
	struct ike_slot *s = &t->slot[slot];

	if (s->changed)
		return;
	s->changed = true;
	s->next_changed = t->changed_head;
	t->changed_head = slot;
}

bool table_next_changed(struct ike_table *t, uint32_t *ret_slot)
{
	struct ike_slot *s;

	if (t->changed_head == NO_SLOT)
		return false;
	s = &t->slot[t->changed_head];
	*ret_slot = t->changed_head;
	t->changed_head = s->next_changed;
	s->changed = false;
	return true;
}

/* ---- half-open exchanges ---- */

/* Seeded, so that nobody outside can aim at one bucket; IPv6 counts by /64. */
static uint32_t source_hash(const struct ike_table *t, const struct ipaddr *a)
{
	struct rd r = rd_from((struct span){ a->b, 8 });
	uint64_t h = (rd_be64(&r) ^ t->source_seed) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32) % SOURCE_BUCKETS;
}

static bool same_source(const struct ipaddr *a, const struct ipaddr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, a->family == IP_V6 ? 8 : 4) == 0;
}

static void age_link(struct ike_table *t, struct ike_sa *sa, enum ike_half_open list)
{
	struct half_open_list *l = &t->half_open[list];

	sa->older = l->newest;
	sa->newer = NULL;
	*(l->newest ? &l->newest->newer : &l->oldest) = sa;
	l->newest = sa;
	l->n++;
	sa->half_open = list;
}

static void age_unlink(struct ike_table *t, struct ike_sa *sa)
{
	struct half_open_list *l = &t->half_open[sa->half_open];

	*(sa->older ? &sa->older->newer : &l->oldest) = sa->newer;
	*(sa->newer ? &sa->newer->older : &l->newest) = sa->older;
	l->n--;
	sa->newer = sa->older = NULL;
	sa->half_open = IKE_HALF_OPEN_NO;
}

void half_open_enter(struct ike_table *t, struct ike_sa *sa)
{
	struct ike_sa **b = &t->by_source[source_hash(t, &sa->source.addr)];

	sa->next_source = *b;
	*b = sa;
	age_link(t, sa, IKE_HALF_OPEN_UNPROVED);
}

void half_open_prove(struct ike_table *t, struct ike_sa *sa)
{
	if (sa->half_open != IKE_HALF_OPEN_UNPROVED)
		return;
	age_unlink(t, sa);
	age_link(t, sa, IKE_HALF_OPEN_WAITING);
}

void half_open_leave(struct ike_table *t, struct ike_sa *sa)
{
	struct ike_sa **p = &t->by_source[source_hash(t, &sa->source.addr)];

	if (sa->half_open == IKE_HALF_OPEN_NO)
		return;
	while (*p && *p != sa)
		p = &(*p)->next_source;
	if (*p)
		*p = sa->next_source;
	sa->next_source = NULL;
	age_unlink(t, sa);
}

uint32_t half_open_count(const struct ike_table *t)
{
	return t->half_open[IKE_HALF_OPEN_UNPROVED].n + t->half_open[IKE_HALF_OPEN_WAITING].n;
}

unsigned half_open_from(const struct ike_table *t, const struct ipaddr *a, unsigned enough)
{
	const struct ike_sa *sa = t->by_source[source_hash(t, a)];
	unsigned n = 0;

	for (; sa && n < enough; sa = sa->next_source)
		n += same_source(&sa->source.addr, a);
	return n;
}

struct ike_sa *half_open_find(const struct ike_table *t, const struct endpoint *peer,
			      const uint8_t *cky_i)
{
	struct ike_sa *sa = t->by_source[source_hash(t, &peer->addr)];

	while (sa && (!endpoint_eq(&sa->source, peer) || memcmp(sa->cky_i, cky_i, IKE_COOKIE) != 0))
		sa = sa->next_source;
	return sa;
}

struct ike_sa *half_open_oldest(const struct ike_table *t, enum ike_half_open list, uint32_t states)
{
	struct ike_sa *sa = t->half_open[list].oldest;

	while (sa && !(1u << sa->state & states))
		sa = sa->newer;
	return sa;
}

/* ---- deadlines: a binary heap ---- */

static void heap_put(struct ike_table *t, uint32_t at, struct ike_sa *sa)
{
	t->heap[at] = sa;
	sa->heap_at = at;
}

static void heap_sift(struct ike_table *t, uint32_t at)
{
	struct ike_sa *sa = t->heap[at];

	while (at && t->heap[(at - 1) / 2]->due_us > sa->due_us) {
		heap_put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		uint32_t kid = at * 2 + 1;

		if (kid >= t->heap_n)
			break;
		if (kid + 1 < t->heap_n && t->heap[kid + 1]->due_us < t->heap[kid]->due_us)
			kid++;
		if (t->heap[kid]->due_us >= sa->due_us)
			break;
		heap_put(t, at, t->heap[kid]);
		at = kid;
	}
	heap_put(t, at, sa);
}

void table_due(struct ike_table *t, struct ike_sa *sa, uint64_t due_us)
{
	bool in = sa->heap_at != NO_HEAP;

	sa->due_us = due_us;
	if (due_us == UINT64_MAX && in) {
		uint32_t at = sa->heap_at;
		struct ike_sa *last = t->heap[--t->heap_n];

		sa->heap_at = NO_HEAP;
		if (last != sa) {
			heap_put(t, at, last);
			heap_sift(t, at);
		}
	} else if (due_us != UINT64_MAX && in) {
		heap_sift(t, sa->heap_at);
	} else if (due_us != UINT64_MAX) {
		heap_put(t, t->heap_n++, sa);
		heap_sift(t, sa->heap_at);
	}
}

struct ike_sa *table_next_due(const struct ike_table *t)
{
	return t->heap_n ? t->heap[0] : NULL;
}
