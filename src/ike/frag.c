/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frag.c - puts messages together that came in fragments (Cisco, Microsoft: payload 132). Pure.
 *
 * Most of this is about strangers: whoever can send a datagram can leave something here. So the
 * messages of one source, the fragments and bytes of one message, its time and the whole store
 * have their limits (bounds.h), and no fragment costs more than the walk over one bucket.
 *
 * A fragment that contradicts what is here takes all of it along, so that nothing is ever mixed:
 * the client repeats itself. Clients also use one and the same id for message after message, and
 * networks double datagrams. So a message that was put together is remembered for a while: what
 * contradicts it begins the next message, what repeats it begins nothing, and when all of it came
 * again, the client has repeated it and gets it read again.
 */
#include "ike/frag.h"

#include <errno.h>

#include "cleanup.h"

#define FLAG_LAST 0x01
/* What a set takes beside its fragments, malloc's own share included. */
#define SET_COST  (sizeof(struct frag_set) + 64)
#define US_PER_S  UINT64_C(1000000)

_Static_assert(LIMIT_FRAG_PIECES <= 32, "frag_set.have has 32 bits");
_Static_assert(LIMIT_FRAG_MESSAGE <= UINT16_MAX, "frag_set.piece counts in 16 bits");

/* One fragment as it came. */
struct fragment {
	const struct ike_dgram *d;
	const struct ike_hdr *h;
	uint16_t id;
	uint8_t number;
	bool last;
	struct span data;
};

static bool is_stranger(const uint8_t *cky_r)
{
	static const uint8_t zero[8];

	return memcmp(cky_r, zero, sizeof(zero)) == 0;
}

/* ---- the store ---- */

void frag_init(struct frag_store *s, uint64_t seed, uint64_t *count)
{
	*s = (struct frag_store){ .seed = seed, .count = count };
}

/* IPv6 counts by /64, as half-open exchanges do. */
static bool same_source(const struct ipaddr *a, const struct ipaddr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, a->family == IP_V6 ? 8 : 4) == 0;
}

/* Seeded, so that nobody outside can aim at one bucket. */
static struct frag_set **bucket_of(struct frag_store *s, const struct ipaddr *a,
				   const uint8_t *cky_r)
{
	struct rd source = rd_from((struct span){ a->b, 8 }),
		  cookie = rd_from((struct span){ cky_r, 8 });
	uint64_t h = (rd_be64(&source) ^ s->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 29 ^ rd_be64(&cookie)) * UINT64_C(0xbf58476d1ce4e5b9);
	return &s->bucket[(h >> 32) % FRAG_BUCKETS];
}

static struct frag_list *list_of(struct frag_store *s, const struct frag_set *f)
{
	return is_stranger(f->cky_r) ? &s->strangers : &s->clients;
}

static void set_drop(struct frag_store *s, struct frag_set *f)
{
	struct frag_set **p = bucket_of(s, &f->peer.addr, f->cky_r);
	struct frag_list *l = list_of(s, f);

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	*(f->older ? &f->older->newer : &l->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &l->newest) = f->older;
	s->bytes -= SET_COST + f->n;
	s->waiting -= !f->done;
	if (s->current == f)
		s->current = NULL;
	free(f->buf);
	free(f);
}

void frag_clear(struct frag_store *s)
{
	while (s->strangers.oldest)
		set_drop(s, s->strangers.oldest);
	while (s->clients.oldest)
		set_drop(s, s->clients.oldest);
}

/* Until `n` bytes more fit. A stranger's goes first; `keep` stays. */
static void make_room(struct frag_store *s, size_t n, const struct frag_set *keep)
{
	struct frag_list *order[] = { &s->strangers, &s->clients };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		while (s->bytes + n > LIMIT_FRAG_TOTAL) {
			struct frag_set *f = order[i]->oldest;

			if (f && f == keep)
				f = f->newer;
			if (!f)
				break;
			s->count[IKE_C_FRAG_EVICTED] += !f->done;
			set_drop(s, f);
		}
}

static struct frag_set *set_new(struct frag_store *s, const struct fragment *x, uint64_t now)
{
	struct frag_set **b, *f;
	struct frag_list *l;

	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->peer = x->d->peer;
	f->natt = x->d->natt;
	memcpy(f->cky_i, x->h->cky_i, sizeof(f->cky_i));
	memcpy(f->cky_r, x->h->cky_r, sizeof(f->cky_r));
	f->id = x->id;
	f->xchg = x->h->xchg;
	f->flags = x->h->flags;
	f->msgid = x->h->msgid;
	f->due_us = now + LIMIT_FRAG_LIFE_S * US_PER_S;
	b = bucket_of(s, &f->peer.addr, f->cky_r);
	f->next = *b;
	*b = f;
	l = list_of(s, f);
	f->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = f;
	l->newest = f;
	s->bytes += SET_COST;
	s->waiting++;
	return f;
}

/* ---- what belongs together ---- */

/* From the same place, under the same cookies. */
static bool same_origin(const struct frag_set *f, const struct fragment *x)
{
	return memcmp(f->cky_r, x->h->cky_r, sizeof(f->cky_r)) == 0 &&
	       same_source(&f->peer.addr, &x->d->peer.addr);
}

static bool same_message(const struct frag_set *f, const struct fragment *x)
{
	return f->id == x->id && f->natt == x->d->natt && endpoint_eq(&f->peer, &x->d->peer) &&
	       memcmp(f->cky_i, x->h->cky_i, sizeof(f->cky_i)) == 0 && same_origin(f, x);
}

/* Also counts the messages of this origin that wait. */
static struct frag_set *find(struct frag_store *s, const struct fragment *x, unsigned *ret_waiting)
{
	struct frag_set *f = *bucket_of(s, &x->d->peer.addr, x->h->cky_r), *found = NULL;
	unsigned n = 0;

	for (; f; f = f->next) {
		if (same_message(f, x))
			found = f;
		n += same_origin(f, x) && !f->done;
	}
	*ret_waiting = n;
	return found;
}

static bool has(const struct frag_set *f, unsigned number)
{
	return f->have >> (number - 1) & 1;
}

/* The same as what is here under its number. */
static bool repeats(const struct frag_set *f, const struct fragment *x)
{
	struct span old = { f->buf + f->piece[x->number - 1].at, f->piece[x->number - 1].n };

	return span_eq(old, x->data) && x->last == (f->last == x->number);
}

/* It cannot be of the same message as what is here. */
static bool contradicts(const struct frag_set *f, const struct fragment *x)
{
	if (f->xchg != x->h->xchg || f->flags != x->h->flags || f->msgid != x->h->msgid)
		return true;
	if (has(f, x->number))
		return !repeats(f, x);
	if (x->last)
		return f->last || f->have >> (x->number - 1);
	return f->last && x->number > f->last;
}

/* ---- one fragment ---- */

static int parse(const struct ike_dgram *d, const struct ike_hdr *h, struct fragment *ret)
{
	struct rd r = rd_from((struct span){ d->data.p + ISAKMP_HDR, d->data.n - ISAKMP_HDR });
	struct fragment x = { .d = d, .h = h };
	uint8_t next = rd_u8(&r);
	uint16_t len;

	(void)rd_u8(&r); /* RESERVED */
	len = rd_be16(&r);
	x.id = rd_be16(&r);
	x.number = rd_u8(&r);
	x.last = rd_u8(&r) & FLAG_LAST;
	x.data = rd_rest(&r);
	if (r.bad || next != PL_NONE || len != d->data.n - ISAKMP_HDR || !x.number || !x.data.n)
		return -EBADMSG;
	*ret = x;
	return 0;
}

static uint32_t all_of(const struct frag_set *f)
{
	return f->last ? UINT32_MAX >> (32 - f->last) : 0;
}

/* Brings the bytes into the order of the numbers. */
static int put_in_order(struct frag_set *f)
{
	struct wr w;
	bool sorted = true;
	uint8_t *p;

	for (unsigned i = 1; i < f->last; i++)
		sorted &= f->piece[i - 1].at < f->piece[i].at;
	if (sorted)
		return 0;
	p = malloc(f->n);
	if (!p)
		return -ENOMEM;
	w = wr_into(p, f->n);
	for (unsigned i = 0; i < f->last; i++) {
		struct span s = { f->buf + f->piece[i].at, f->piece[i].n };

		f->piece[i].at = (uint16_t)w.len;
		wr_span(&w, s);
	}
	free(f->buf);
	f->buf = p;
	return 0;
}

static int keep(struct frag_store *s, struct frag_set *f, const struct fragment *x)
{
	uint8_t *p;

	make_room(s, x->data.n, f);
	p = realloc(f->buf, f->n + x->data.n);
	if (!p)
		return -ENOMEM;
	memcpy(p + f->n, x->data.p, x->data.n);
	f->buf = p;
	f->piece[x->number - 1].at = (uint16_t)f->n;
	f->piece[x->number - 1].n = (uint16_t)x->data.n;
	f->n += x->data.n;
	s->bytes += x->data.n;
	f->have |= UINT32_C(1) << (x->number - 1);
	if (x->last)
		f->last = x->number;
	return 0;
}

static void hand_out(struct frag_store *s, struct frag_set *f, struct span *ret_whole)
{
	s->current = f;
	s->count[IKE_C_FRAG_WHOLE]++;
	*ret_whole = (struct span){ f->buf, f->n };
}

/* It is here already. Of a message that was put together before, all may have come again. */
static void repeated(struct frag_store *s, struct frag_set *f, const struct fragment *x,
		     struct span *ret_whole)
{
	s->count[IKE_C_FRAG_REPEATED]++;
	if (!f->done)
		return;
	f->again |= UINT32_C(1) << (x->number - 1);
	if (f->again != all_of(f))
		return;
	f->again = 0;
	hand_out(s, f, ret_whole);
}

static int over_limit(struct frag_store *s, struct frag_set *f, int rc)
{
	s->count[IKE_C_DROP_FRAG_LIMIT]++;
	if (f)
		set_drop(s, f);
	return rc;
}

/* All are here. Of each origin one such message is remembered. */
static int complete(struct frag_store *s, struct frag_set *f)
{
	int rc = put_in_order(f);

	if (rc < 0)
		return rc;
	for (struct frag_set *o = *bucket_of(s, &f->peer.addr, f->cky_r), *next; o; o = next) {
		next = o->next;
		if (o->done && memcmp(o->cky_r, f->cky_r, sizeof(f->cky_r)) == 0 &&
		    same_source(&o->peer.addr, &f->peer.addr))
			set_drop(s, o);
	}
	f->done = true;
	s->waiting--;
	return 0;
}

/* Adds it to f, or to a new set when f is NULL. */
static int add(struct frag_store *s, struct frag_set *f, const struct fragment *x, uint64_t now,
	       struct span *ret_whole)
{
	int rc;

	if (!f)
		f = set_new(s, x, now);
	rc = f ? keep(s, f, x) : -ENOMEM;
	if (rc == 0 && f->have == all_of(f)) {
		rc = complete(s, f);
		if (rc == 0)
			hand_out(s, f, ret_whole);
	}
	return rc < 0 ? over_limit(s, f, rc) : 0;
}

int frag_take(struct frag_store *s, const struct ike_dgram *d, const struct ike_hdr *h,
	      uint64_t now, struct span *ret_whole)
{
	struct frag_set *f;
	struct fragment x;
	unsigned waiting;

	*ret_whole = (struct span){ 0 };
	s->current = NULL;
	s->count[IKE_C_FRAG_RECEIVED]++;
	if (parse(d, h, &x) < 0) {
		s->count[IKE_C_DROP_FRAG_MALFORMED]++;
		return -EBADMSG;
	}
	f = find(s, &x, &waiting);
	if (x.number > LIMIT_FRAG_PIECES || x.data.n > LIMIT_FRAG_MESSAGE)
		return over_limit(s, f, -E2BIG);
	if (f && contradicts(f, &x)) {
		bool done = f->done;

		set_drop(s, f);
		f = NULL;
		if (!done) {
			s->count[IKE_C_DROP_FRAG_CONFLICT]++;
			return -EEXIST;
		}
	}
	if (f && has(f, x.number)) {
		repeated(s, f, &x, ret_whole);
		return 0;
	}
	if (f && f->n + x.data.n > LIMIT_FRAG_MESSAGE)
		return over_limit(s, f, -E2BIG);
	if (!f && waiting >= LIMIT_FRAG_SETS)
		return over_limit(s, NULL, -EUSERS);
	return add(s, f, &x, now, ret_whole);
}

bool frag_agrees(const struct ike_hdr *outer, const struct ike_hdr *inner)
{
	bool phase1 = inner->xchg == XCHG_MAIN || inner->xchg == XCHG_AGGRESSIVE;

	/* strongSwan writes the phase 1 exchange and message ID 0 whatever is inside. */
	return memcmp(outer->cky_i, inner->cky_i, sizeof(inner->cky_i)) == 0 &&
	       memcmp(outer->cky_r, inner->cky_r, sizeof(inner->cky_r)) == 0 &&
	       (outer->msgid == inner->msgid || outer->msgid == 0) &&
	       (outer->xchg == inner->xchg ||
		(!phase1 && (outer->xchg == XCHG_MAIN || outer->xchg == XCHG_AGGRESSIVE)));
}

void frag_read(struct frag_store *s, bool good)
{
	if (s->current && !good)
		set_drop(s, s->current);
	s->current = NULL;
}

/* ---- time ---- */

uint64_t frag_deadline(const struct frag_store *s)
{
	const struct frag_set *a = s->strangers.oldest, *b = s->clients.oldest;
	uint64_t due = a ? a->due_us : UINT64_MAX;

	return b && b->due_us < due ? b->due_us : due;
}

void frag_expire(struct frag_store *s, uint64_t now)
{
	struct frag_list *lists[] = { &s->strangers, &s->clients };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		while (lists[i]->oldest && lists[i]->oldest->due_us <= now) {
			s->count[IKE_C_FRAG_EXPIRED] += !lists[i]->oldest->done;
			set_drop(s, lists[i]->oldest);
		}
}
