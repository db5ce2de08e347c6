/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * text.c - text from strangers made safe to show, and small text helpers. Pure.
 *
 * Names and vendor strings reach logs, tables and JSON; a client may put terminal codes, line
 * breaks or right-to-left overrides into them.
 */
#include "text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"

/* Length of the UTF-8 character at s, its code point in *cp; 0 if it is not well-formed. */
static size_t utf8_char(struct span s, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = s.p[0];
	size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;

	if (n == 1) {
		*cp = c;
		return 1;
	}
	if ((n == 4 && (c & 0xf8) != 0xf0) || n > s.n)
		return 0;
	*cp = c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s.p[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

/* Characters that change how other text is shown, or show nothing at all. */
static bool is_deceptive(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} range[] = {
		{ 0x00, 0x1f },       /* controls */
		{ 0x7f, 0x9f },       /* more of them */
		{ 0xad, 0xad },       /* soft hyphen */
		{ 0x34f, 0x34f },     /* grapheme joiner */
		{ 0x61c, 0x61c },     /* Arabic letter mark */
		{ 0x115f, 0x1160 },   /* Hangul fillers */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator */
		{ 0x200b, 0x200f },   /* zero width, marks of direction */
		{ 0x2028, 0x202e },   /* line ends, embeddings, overrides */
		{ 0x2060, 0x206f },   /* invisible operators, isolates */
		{ 0x3164, 0x3164 },   /* Hangul filler */
		{ 0xfe00, 0xfe0f },   /* variation selectors */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
		{ 0xfff9, 0xfffb },   /* annotations */
		{ 0xe0000, 0xe007f }, /* tags */
		{ 0xe0100, 0xe01ef }, /* more variation selectors */
	};

	for (size_t i = 0; i < ARRAY_SIZE(range); i++)
		if (cp >= range[i].first && cp <= range[i].last)
			return true;
	return false;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A backslash that would be read as the beginning of one of our escapes. */
static bool looks_escaped(struct span s)
{
	return s.n >= 4 && s.p[0] == '\\' && s.p[1] == 'x' && is_hex(s.p[2]) && is_hex(s.p[3]);
}

const char *text_escape(struct span s, char *buf, size_t cap)
{
	size_t len = 0, safe = 0; /* safe: the last length that leaves room for "..." */

	if (cap == 0)
		return buf;
	while (s.n) {
		uint32_t cp = 0;
		size_t n = utf8_char(s, &cp), used = n ? n : 1;
		bool raw = n && !is_deceptive(cp) && !looks_escaped(s);
		size_t need = raw ? n : 4 * used;

		if (len + 4 <= cap)
			safe = len;
		if (len + need + 1 > cap) {
			snprintf(buf + safe, cap - safe, "...");
			return buf;
		}
		if (raw)
			memcpy(buf + len, s.p, n);
		for (size_t i = 0; !raw && i < used; i++)
			snprintf(buf + len + 4 * i, 5, "\\x%02x", s.p[i]);
		len += need;
		s.p += used;
		s.n -= used;
	}
	buf[len] = '\0';
	return buf;
}

const char *text_cut(const char *s, char *buf, size_t cap)
{
	size_t n = strlen(s);

	if (cap == 0)
		return buf;
	if (n < cap) {
		memcpy(buf, s, n + 1);
		return buf;
	}
	n = cap > 4 ? cap - 4 : 0;
	while (n && ((uint8_t)s[n] & 0xc0) == 0x80)
		n--;
	memcpy(buf, s, n);
	snprintf(buf + n, cap - n, "...");
	return buf;
}

static bool all_chars(struct span s, bool allow_deceptive)
{
	while (s.n) {
		uint32_t cp = 0;
		size_t n = utf8_char(s, &cp);

		if (!n || (!allow_deceptive && is_deceptive(cp)))
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

bool text_is_clean(struct span s)
{
	return all_chars(s, false);
}

bool text_is_utf8(struct span s)
{
	return all_chars(s, true);
}

/* Levenshtein distance; UINT_MAX for words of more than 63 characters. */
static unsigned distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned row[64];

	if (na > 63 || nb > 63)
		return UINT_MAX;
	for (unsigned j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diag = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = diag + (a[i - 1] != b[j - 1]);

			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *text_nearest(const char *s, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(s) / 3 + 2; /* farther than this is no suggestion */

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(s, words[i]);

		if (d < least) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

const char *text_duration(uint64_t s, char buf[static 32])
{
	unsigned sec = (unsigned)(s % 60), min = (unsigned)(s / 60 % 60),
		 hour = (unsigned)(s / 3600 % 24);
	uint64_t day = s / 86400;

	if (day)
		snprintf(buf, 32, "%" PRIu64 "d %02u:%02u:%02u", day, hour, min, sec);
	else if (hour)
		snprintf(buf, 32, "%02u:%02u:%02u", hour, min, sec);
	else
		snprintf(buf, 32, "%02u:%02u", min, sec);
	return buf;
}

const char *text_size(uint64_t n, char buf[static 32])
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)n;
	unsigned u = 0;

	while (v >= 1024 && u + 1 < ARRAY_SIZE(unit)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, 32, u && v < 10 ? "%.1f %s" : "%.0f %s", v, unit[u]);
	return buf;
}

/* ---- comparing ---- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool one_fits(uint8_t pattern, uint8_t c, bool any_case)
{
	return pattern == '?' || pattern == c || (any_case && lower(pattern) == lower(c));
}

/* When something does not fit, the last '*' takes one byte more: no other can help. */
bool text_glob(struct span p, struct span s, bool any_case)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0;

	while (k < s.n) {
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			from = k;
		} else if (i < p.n && one_fits(p.p[i], s.p[k], any_case)) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++from;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

bool text_same_word(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}
