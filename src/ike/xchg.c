/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xchg.c - lists of what is under way in an ISAKMP SA; their limits and their end. Pure. */
#include "ike/xchg.h"

#include <errno.h>

#include "cleanup.h"

struct ike_nego *nego_free(struct ike_nego *n)
{
	if (!n)
		return NULL;
	free(n->offer);
	free(n->exchanged);
	free(n->id_r);
	free(n->certs);
	free(n->reply);
	kept_free(n->kept);
	explicit_bzero(n, sizeof(*n));
	free(n);
	return NULL;
}

static struct ike_quick *quick_free(struct ike_quick *q)
{
	if (q) {
		if (q->dh)
			explicit_bzero(q->dh, sizeof(*q->dh));
		free(q->dh);
		explicit_bzero(q, sizeof(*q));
		free(q);
	}
	return NULL;
}

struct ike_xchg *xchg_free(struct ike_xchg *x)
{
	if (x) {
		quick_free(x->quick);
		free(x->out);
		explicit_bzero(x, sizeof(*x));
		free(x);
	}
	return NULL;
}

struct ike_xchg *xchg_find(const struct ike_sa *sa, uint8_t type, uint32_t msgid)
{
	struct ike_xchg *x = sa->xchgs;

	while (x && (x->type != type || x->msgid != msgid))
		x = x->next;
	return x;
}

struct ike_xchg *xchg_by_serial(const struct ike_sa *sa, uint32_t serial)
{
	struct ike_xchg *x = sa->xchgs;

	while (x && x->serial != serial)
		x = x->next;
	return x;
}

struct ike_xchg *xchg_by_kind(const struct ike_sa *sa, enum xchg_kind kind)
{
	struct ike_xchg *x = sa->xchgs;

	while (x && x->kind != kind)
		x = x->next;
	return x;
}

struct ike_xchg *xchg_add(struct ike_sa *sa, enum xchg_kind kind, uint8_t type, uint32_t msgid,
			  uint64_t now)
{
	struct ike_xchg *x, *old = NULL;
	unsigned n = 0;

	for (x = sa->xchgs; x; x = x->next) {
		n++;
		if (x->done)
			old = x; /* the list is newest first: ends with the oldest */
	}
	if (n >= LIMIT_EXCHANGES) {
		if (!old)
			return NULL;
		xchg_remove(sa, old);
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->kind = kind;
	x->type = type;
	x->msgid = msgid;
	x->serial = ++sa->next_serial;
	x->next_us = UINT64_MAX;
	x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * UINT64_C(1000000);
	x->next = sa->xchgs;
	sa->xchgs = x;
	return x;
}

void xchg_remove(struct ike_sa *sa, struct ike_xchg *x)
{
	struct ike_xchg **p = &sa->xchgs;

	while (*p != x)
		p = &(*p)->next;
	*p = x->next;
	xchg_free(x);
}

int xchg_store(struct ike_xchg *x, struct span out)
{
	uint8_t *copy = malloc(out.n);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, out.p, out.n);
	free(x->out);
	x->out = copy;
	x->out_len = out.n;
	return 0;
}

/* The place of msgid in the sorted list, or where it belongs. */
static unsigned used_place(const struct ike_sa *sa, uint32_t msgid)
{
	unsigned lo = 0, hi = sa->n_used;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (sa->used_ids[mid] < msgid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool used_id(const struct ike_sa *sa, uint32_t msgid)
{
	unsigned i = used_place(sa, msgid);

	return i < sa->n_used && sa->used_ids[i] == msgid;
}

int use_id(struct ike_sa *sa, uint32_t msgid)
{
	unsigned at = used_place(sa, msgid);

	if (at < sa->n_used && sa->used_ids[at] == msgid)
		return 0;
	if (sa->n_used >= LIMIT_MESSAGE_IDS)
		return -ENOSPC;
	if (sa->n_used == sa->cap_used) {
		unsigned cap = sa->cap_used ? sa->cap_used * 2u : 8;
		uint32_t *v = realloc(sa->used_ids, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		sa->used_ids = v;
		sa->cap_used = (uint16_t)cap;
	}
	memmove(sa->used_ids + at + 1, sa->used_ids + at, (sa->n_used - at) * sizeof(uint32_t));
	sa->used_ids[at] = msgid;
	sa->n_used++;
	return 0;
}

struct ike_child *child_find(const struct ike_sa *sa, uint32_t number)
{
	struct ike_child *c = sa->children;

	while (c && c->number != number)
		c = c->next;
	return c;
}

struct ike_out_keys *child_out_free(struct ike_out_keys *k)
{
	if (k)
		explicit_bzero(k, sizeof(*k));
	free(k);
	return NULL;
}

void child_remove(struct ike_sa *sa, struct ike_child *c)
{
	struct ike_child **p = &sa->children;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	child_out_free(c->out);
	free(c);
}
