/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonw.c - JSON into a bounded send buffer. */
#include "ctl/jsonw.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "text.h"

#define FIRST_CAP 4096

void jsonw_reset(struct jsonw *w)
{
	free(w->p);
	*w = (struct jsonw){ .max = w->max };
}

/* Room for n more bytes; what is sent already makes place first. */
static char *space(struct jsonw *w, size_t n)
{
	size_t cap = w->cap ? w->cap : FIRST_CAP;
	char *p;

	if (w->bad)
		return NULL;
	if (n > w->cap - w->len && w->sent) {
		memmove(w->p, w->p + w->sent, w->len - w->sent);
		w->len -= w->sent;
		w->sent = 0;
	}
	if (n > w->cap - w->len) {
		if (n > w->max - w->len)
			goto bad;
		while (cap - w->len < n)
			cap *= 2;
		p = realloc(w->p, cap);
		if (!p)
			goto bad;
		w->p = p;
		w->cap = cap;
	}
	w->len += n;
	return w->p + w->len - n;
bad:
	w->bad = true;
	return NULL;
}

void jsonw_raw(struct jsonw *w, const char *p, size_t n)
{
	char *to = space(w, n);

	if (to && n)
		memcpy(to, p, n);
}

static void literal(struct jsonw *w, const char *s)
{
	jsonw_raw(w, s, strlen(s));
}

/* The bytes of a JSON string whose text is well-formed UTF-8. */
static void quoted(struct jsonw *w, const char *s, size_t n)
{
	size_t from = 0;
	char code[8];

	literal(w, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		jsonw_raw(w, s + from, i - from);
		from = i + 1;
		if (c < 0x20)
			snprintf(code, sizeof(code), "\\u%04x", c);
		else
			snprintf(code, sizeof(code), "\\%c", c);
		literal(w, code);
	}
	jsonw_raw(w, s + from, n - from);
	literal(w, "\"");
}

/* The comma, if one is due, and the key. */
static void before(struct jsonw *w, const char *key)
{
	char last = w->len > w->sent && w->p ? w->p[w->len - 1] : '\0';

	if (last != '\0' && !strchr("{[:,", last))
		literal(w, ",");
	if (key) {
		quoted(w, key, strlen(key));
		literal(w, ":");
	}
}

void jsonw_open(struct jsonw *w, const char *key, char bracket)
{
	before(w, key);
	jsonw_raw(w, &bracket, 1);
}

void jsonw_close(struct jsonw *w, char bracket)
{
	jsonw_raw(w, &bracket, 1);
}

void jsonw_null(struct jsonw *w, const char *key)
{
	before(w, key);
	literal(w, "null");
}

void jsonw_text(struct jsonw *w, const char *key, const char *v)
{
	char safe[4096];

	if (!v || !*v) {
		jsonw_null(w, key);
		return;
	}
	if (!text_is_utf8(span_str(v)))
		v = text_escape(span_str(v), safe, sizeof(safe));
	before(w, key);
	quoted(w, v, strlen(v));
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t v)
{
	char digits[24];
	size_t at = sizeof(digits);

	/* Readers of JSON have signed integers. */
	if (v > INT64_MAX)
		v = INT64_MAX;
	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	before(w, key);
	jsonw_raw(w, digits + at, sizeof(digits) - at);
}

void jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	before(w, key);
	literal(w, v ? "true" : "false");
}

void jsonw_time(struct jsonw *w, const char *key, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	char name[64], text[32];
	struct tm tm;

	snprintf(name, sizeof(name), "%s_unix", key);
	/* The last second of the year 9999: RFC 3339 has four digits. */
	if (seconds == 0 || seconds > UINT64_C(253402300799) || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		jsonw_null(w, key);
		jsonw_null(w, name);
		return;
	}
	jsonw_text(w, key, text);
	jsonw_u64(w, name, seconds);
}
