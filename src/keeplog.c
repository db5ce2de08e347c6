/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeplog.c - records in memory that outlives the process.
 *
 *   head:   "vpgk", version of this form, version of the records, 0, generation, size of the memory,
 *           check of all that; 16 bytes free; then the state
 *   record: bytes of it all, number, place in the order, check of these and of the data; data.
 *           Without data it says that the number has no record any more.
 *
 * The state is one word that is written at once: the half in use and how much of it, and the same
 * once more with all bits turned. A record is there when the state says so, not before. Numbers in
 * the state are the machine's own, all others are big-endian.
 */
#include "keeplog.h"

#include <errno.h>
#include <stdlib.h>

#include "bounds.h"

#define MAGIC       0x7670676bu /* "vpgk" */
#define STATE_AT    56
#define SECOND_HALF 0x80000000u
#define CHECKED     (4 + 4 + 4) /* bytes of a record in front of its check */

/* FNV-1a: any change of one byte changes it, and of several with a chance of 2^-64 not. */
static uint64_t check_add(uint64_t h, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t check_of(struct span a, struct span b)
{
	return check_add(check_add(UINT64_C(0xcbf29ce484222325), a), b);
}

/* ---- writing ---- */

void keeplog_init(struct keeplog *l, void *mem, size_t size, uint32_t version, uint64_t generation)
{
	struct wr w = wr_into(mem, KEEPLOG_HEAD);

	*l = (struct keeplog){ .mem = mem, .half = (size - KEEPLOG_HEAD) / 16 * 8 };
	wr_be32(&w, MAGIC);
	wr_be32(&w, KEEPLOG_VERSION);
	wr_be32(&w, version);
	wr_be32(&w, 0);
	wr_be64(&w, generation);
	wr_be64(&w, size);
	wr_be64(&w, check_of((struct span){ w.p, w.len }, (struct span){ 0 }));
}

/* All that was written before is seen by whoever sees this. */
static void tell(const struct keeplog *l)
{
	uint32_t v = l->used | (l->second ? SECOND_HALF : 0);
	uint64_t state = (uint64_t)~v << 32 | v;

	if (l->open)
		__atomic_store_n((uint64_t *)(void *)(l->mem + STATE_AT), state, __ATOMIC_RELEASE);
}

void keeplog_open(struct keeplog *l)
{
	l->open = true;
	tell(l);
}

void keeplog_clear(struct keeplog *l)
{
	free(l->place);
	*l = (struct keeplog){ 0 };
}

static uint8_t *half_of(const struct keeplog *l)
{
	return l->mem + KEEPLOG_HEAD + (l->second ? l->half : 0);
}

static struct span data_at(const struct keeplog *l, const struct keeplog_place *p)
{
	return (struct span){ half_of(l) + p->at + KEEPLOG_RECORD, p->len - KEEPLOG_RECORD };
}

/* There is room. */
static void write_record(struct keeplog *l, uint8_t *half, uint32_t number, struct span data)
{
	struct wr w = wr_into(half + l->used, KEEPLOG_RECORD + data.n);

	wr_be32(&w, (uint32_t)(KEEPLOG_RECORD + data.n));
	wr_be32(&w, number);
	wr_be32(&w, l->seq++);
	wr_be64(&w, check_of((struct span){ w.p, CHECKED }, data));
	wr_span(&w, data);
	l->used += (uint32_t)w.len;
}

/* What counts goes to the other half. */
static void compact(struct keeplog *l)
{
	uint8_t *to = l->mem + KEEPLOG_HEAD + (l->second ? 0 : l->half);

	l->used = l->seq = 0;
	for (uint32_t i = 0; i < l->n_places; i++) {
		struct keeplog_place *p = &l->place[i];
		uint32_t at = l->used;

		if (!p->len)
			continue;
		write_record(l, to, i, data_at(l, p));
		p->at = at;
	}
	l->second = !l->second;
	tell(l);
}

static int make_places(struct keeplog *l, uint32_t number)
{
	uint32_t n = l->n_places ? l->n_places : 64;
	struct keeplog_place *p;

	if (number < l->n_places)
		return 0;
	if (number >= LIMIT_PLACES)
		return -ENOSPC;
	while (n <= number)
		n *= 2;
	p = reallocarray(l->place, n, sizeof(*p));
	if (!p)
		return -ENOMEM;
	memset(p + l->n_places, 0, (n - l->n_places) * sizeof(*p));
	l->place = p;
	l->n_places = n;
	return 0;
}

/* Adds a record for the number, whose place is there. */
static int append(struct keeplog *l, uint32_t number, struct span data)
{
	size_t len = KEEPLOG_RECORD + data.n;
	struct keeplog_place *p = &l->place[number];

	if (len > l->half || l->live > l->half - len)
		return -ENOSPC;
	if (l->used > l->half - len)
		compact(l);
	l->live -= p->len;
	*p = (struct keeplog_place){ 0 };
	if (data.n) {
		*p = (struct keeplog_place){ .at = l->used, .len = (uint32_t)len };
		l->live += len;
	}
	write_record(l, half_of(l), number, data);
	tell(l);
	return 0;
}

int keeplog_put(struct keeplog *l, uint32_t number, struct span data)
{
	int rc = make_places(l, number);

	return rc < 0 ? rc : append(l, number, data);
}

int keeplog_del(struct keeplog *l, uint32_t number)
{
	if (number >= l->n_places || !l->place[number].len)
		return 0;
	return append(l, number, (struct span){ 0 });
}

struct span keeplog_get(const struct keeplog *l, uint32_t number)
{
	if (number >= l->n_places || !l->place[number].len)
		return (struct span){ 0 };
	return data_at(l, &l->place[number]);
}

bool keeplog_crowded(const struct keeplog *l)
{
	return l->live > l->half / 4 * 3;
}

/* ---- reading ---- */

static int read_head(struct span mem, uint32_t version, uint64_t *ret_generation,
		     uint64_t *ret_state)
{
	struct rd r = rd_from(mem);
	uint32_t magic = rd_be32(&r), form = rd_be32(&r), is = rd_be32(&r);
	uint64_t generation, size, check;

	(void)rd_be32(&r);
	generation = rd_be64(&r);
	size = rd_be64(&r);
	check = rd_be64(&r);
	if (r.bad || mem.n < KEEPLOG_HEAD || mem.n > KEEPLOG_MAX || magic != MAGIC ||
	    size != mem.n || check != check_of((struct span){ mem.p, 32 }, (struct span){ 0 }))
		return -EBADMSG;
	if (form != KEEPLOG_VERSION || is != version)
		return -EPROTO;
	memcpy(ret_state, mem.p + STATE_AT, sizeof(*ret_state));
	*ret_generation = generation;
	return 0;
}

/* The part of the memory that is in use. */
static int find_records(struct span mem, uint64_t state, struct span *ret)
{
	uint32_t v = (uint32_t)state, used = v & ~SECOND_HALF;
	size_t half = (mem.n - KEEPLOG_HEAD) / 16 * 8;

	if (state == 0)
		return -ENODATA;
	if ((uint32_t)(state >> 32) != ~v || used > half)
		return -EBADMSG;
	*ret = (struct span){ mem.p + KEEPLOG_HEAD + (v & SECOND_HALF ? half : 0), used };
	return 0;
}

int keeplog_look(struct span mem, uint32_t version, uint64_t *ret_generation)
{
	uint64_t generation, state;
	struct span records;
	int rc = read_head(mem, version, &generation, &state);

	if (rc == 0)
		rc = find_records(mem, state, &records);
	if (rc == 0)
		*ret_generation = generation;
	return rc;
}

/* The next record, if it is sound and the one that is due. */
static int next_record(struct rd *r, uint32_t seq, uint32_t *ret_number, struct span *ret_data)
{
	struct span head = { r->p, CHECKED };
	uint32_t len = rd_be32(r);
	uint32_t number = rd_be32(r), is = rd_be32(r);
	uint64_t check = rd_be64(r);
	struct span data = rd_take(r, len < KEEPLOG_RECORD ? SIZE_MAX : len - KEEPLOG_RECORD);

	if (r->bad || number >= LIMIT_PLACES || is != seq || check != check_of(head, data))
		return -EBADMSG;
	*ret_number = number;
	*ret_data = data;
	return 0;
}

static int remember(struct keeplog *l, const uint8_t *start, uint32_t number, struct span data)
{
	int rc = make_places(l, number);

	if (rc == 0)
		l->place[number] = (struct keeplog_place){ .at = (uint32_t)(data.p - start),
							   .len = (uint32_t)data.n };
	return rc;
}

int keeplog_read(struct span mem, uint32_t version, keeplog_fn fn, void *ctx)
{
	struct keeplog l = { 0 };
	uint64_t generation, state;
	struct span records = { 0 }, data;
	uint32_t number, seq = 0;
	int rc = read_head(mem, version, &generation, &state);
	struct rd r;

	if (rc == 0)
		rc = find_records(mem, state, &records);
	r = rd_from(records);
	while (rc == 0 && r.left) {
		rc = next_record(&r, seq++, &number, &data);
		if (rc == 0)
			rc = remember(&l, records.p, number, data);
	}
	for (uint32_t i = 0; rc == 0 && i < l.n_places; i++)
		if (l.place[i].len)
			fn(ctx, i, (struct span){ records.p + l.place[i].at, l.place[i].len });
	keeplog_clear(&l);
	return rc;
}
