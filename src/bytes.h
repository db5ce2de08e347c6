/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bytes.h - the only way bytes from outside are read, and bytes for outside are written.
 *
 * `span` is a view of bytes that somebody else owns. `rd` reads forward with a sticky error: the
 * first read past the end sets .bad, and every later read yields zero, so a parser reads a whole
 * structure and checks once. `wr` writes with the same manners. All integers are big-endian.
 *
 * No other file casts onto a packet or copies from one by hand.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p; /* borrowed */
	size_t n;         /* bytes */
};

#define SPAN_OF(a) ((struct span){ (const uint8_t *)(a), sizeof(a) })

static inline struct span span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Compares without telling by its duration where the first difference is. */
static inline bool span_eq_secret(struct span a, struct span b)
{
	uint8_t diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (uint8_t)(a.p[i] ^ b.p[i]);
	return diff == 0;
}

static inline bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

/* ---- reading ---- */

struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct rd rd_from(struct span s)
{
	return (struct rd){ .p = s.p, .left = s.n };
}

static inline struct span rd_take(struct rd *r, size_t n)
{
	if (r->bad || n > r->left) {
		*r = (struct rd){ .bad = true };
		return (struct span){ 0 };
	}
	struct span s = { r->p, n };

	if (n)
		r->p += n;
	r->left -= n;
	return s;
}

/* All that is left. */
static inline struct span rd_rest(struct rd *r)
{
	return rd_take(r, r->left);
}

static inline uint8_t rd_u8(struct rd *r)
{
	struct span s = rd_take(r, 1);

	return s.n ? s.p[0] : 0;
}

static inline uint16_t rd_be16(struct rd *r)
{
	struct span s = rd_take(r, 2);

	return s.n ? (uint16_t)(s.p[0] << 8 | s.p[1]) : 0;
}

static inline uint32_t rd_be32(struct rd *r)
{
	uint32_t hi = rd_be16(r);

	return hi << 16 | rd_be16(r);
}

static inline uint64_t rd_be64(struct rd *r)
{
	uint64_t hi = rd_be32(r);

	return hi << 32 | rd_be32(r);
}

/* A bounded child: nothing inside it can see past its own end. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
	struct rd child = rd_from(rd_take(r, n));

	child.bad = r->bad;
	return child;
}

/* Copies exactly n bytes; zeroes `out` when they are not there. */
static inline void rd_copy(struct rd *r, void *out, size_t n)
{
	struct span s = rd_take(r, n);

	if (s.n)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

/* ---- writing ---- */

struct wr {
	uint8_t *p; /* borrowed */
	size_t cap, len;
	bool bad; /* did not fit; the content is worthless */
};

static inline struct wr wr_into(void *buf, size_t cap)
{
	return (struct wr){ .p = buf, .cap = cap };
}

static inline uint8_t *wr_space(struct wr *w, size_t n)
{
	if (w->bad || n > w->cap - w->len) {
		w->bad = true;
		return NULL;
	}
	w->len += n;
	return w->p + w->len - n;
}

static inline void wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (p && n)
		memcpy(p, src, n);
}

static inline void wr_span(struct wr *w, struct span s)
{
	wr_bytes(w, s.p, s.n);
}

static inline void wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (p)
		memset(p, 0, n);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_be16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wr_bytes(w, b, 2);
}

static inline void wr_be32(struct wr *w, uint32_t v)
{
	wr_be16(w, (uint16_t)(v >> 16));
	wr_be16(w, (uint16_t)v);
}

static inline void wr_be64(struct wr *w, uint64_t v)
{
	wr_be32(w, (uint32_t)(v >> 32));
	wr_be32(w, (uint32_t)v);
}

/* Fills in a 16-bit field written as zero at `mark`, once its value is known. */
static inline void wr_patch_be16(struct wr *w, size_t mark, size_t v)
{
	if (w->bad || mark + 2 > w->len || v > UINT16_MAX) {
		w->bad = true;
		return;
	}
	w->p[mark] = (uint8_t)(v >> 8);
	w->p[mark + 1] = (uint8_t)v;
}

static inline void wr_patch_u8(struct wr *w, size_t mark, uint8_t v)
{
	if (w->bad || mark + 1 > w->len) {
		w->bad = true;
		return;
	}
	w->p[mark] = v;
}

static inline struct span wr_done(const struct wr *w)
{
	if (w->bad)
		return (struct span){ 0 };
	return (struct span){ w->p, w->len };
}
