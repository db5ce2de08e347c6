/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* leasequeue.c - a list of records and a hash of their addresses over one array of entries. */
#include "leasequeue.h"

#include <stdlib.h>

#define NIL UINT32_MAX

struct entry {
	struct lease_record rec;
	uint32_t later; /* the next in the queue, or the next unused */
	uint32_t chain; /* the next with the same hash */
};

struct leasequeue {
	struct entry *entry; /* owned */
	uint32_t *bucket;    /* owned: entry + 1, so that fresh memory is empty */
	uint32_t cap, mask;
	uint32_t head, tail, n;
	uint32_t unused, touched; /* entries given back; entries ever used */
};

struct leasequeue *leasequeue_new(uint32_t cap)
{
	struct leasequeue *q = calloc(1, sizeof(*q));
	uint32_t buckets = 16;

	if (!q)
		return NULL;
	while (buckets < cap)
		buckets *= 2;
	q->cap = cap;
	q->mask = buckets - 1;
	q->head = q->tail = q->unused = NIL;
	q->entry = calloc(cap, sizeof(*q->entry));
	q->bucket = calloc(buckets, sizeof(*q->bucket));
	return q->entry && q->bucket ? q : leasequeue_free(q);
}

struct leasequeue *leasequeue_free(struct leasequeue *q)
{
	if (q) {
		free(q->entry);
		free(q->bucket);
		free(q);
	}
	return NULL;
}

uint32_t leasequeue_count(const struct leasequeue *q)
{
	return q->n;
}

static uint32_t *bucket_of(const struct leasequeue *q, const struct ipaddr *a)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(a->b); i++)
		h = (h ^ a->b[i]) * 16777619u;
	return &q->bucket[(h ^ h >> 16) & q->mask];
}

static struct entry *find(const struct leasequeue *q, const struct ipaddr *a)
{
	uint32_t i = *bucket_of(q, a);

	while (i && !ipaddr_eq(&q->entry[i - 1].rec.addr, a))
		i = q->entry[i - 1].chain;
	return i ? &q->entry[i - 1] : NULL;
}

static void drop_head(struct leasequeue *q)
{
	uint32_t i = q->head, *at = bucket_of(q, &q->entry[i].rec.addr);

	while (*at != i + 1)
		at = &q->entry[*at - 1].chain;
	*at = q->entry[i].chain;
	q->head = q->entry[i].later;
	if (q->head == NIL)
		q->tail = NIL;
	q->entry[i].later = q->unused;
	q->unused = i;
	q->n--;
}

static uint32_t get_unused(struct leasequeue *q)
{
	uint32_t i = q->unused;

	if (i == NIL)
		return q->touched++;
	q->unused = q->entry[i].later;
	return i;
}

bool leasequeue_put(struct leasequeue *q, const struct lease_record *rec)
{
	struct entry *e = find(q, &rec->addr);
	bool fits = q->n < q->cap;
	uint32_t i, *bucket;

	if (e) {
		e->rec = *rec;
		return true;
	}
	if (!fits)
		drop_head(q);
	i = get_unused(q);
	bucket = bucket_of(q, &rec->addr);
	q->entry[i] = (struct entry){ .rec = *rec, .later = NIL, .chain = *bucket };
	*bucket = i + 1;
	if (q->tail != NIL)
		q->entry[q->tail].later = i;
	else
		q->head = i;
	q->tail = i;
	q->n++;
	return fits;
}

uint32_t leasequeue_take(struct leasequeue *q, struct lease_record *out, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && q->n > 0) {
		out[n++] = q->entry[q->head].rec;
		drop_head(q);
	}
	return n;
}
