/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* psk.c - shared keys: the file and the choice. Pure. */
#include "ike/psk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "bounds.h"
#include "cleanup.h"
#include "text.h"

DEFINE_CLEANUP(struct psk_table, psk_free)

struct psk_table *psk_free(struct psk_table *t)
{
	if (!t)
		return NULL;
	if (t->keys)
		explicit_bzero(t->keys, t->keys_len);
	free(t->keys);
	free(t->v);
	free(t->named);
	free(t);
	return NULL;
}

const struct psk *psk_find(const struct psk_table *t, const struct ipaddr *a)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (prefix_has(&t->v[i].net, a))
			return &t->v[i];
	return NULL;
}

const struct psk_named *psk_find_named(const struct psk_table *t, struct span id)
{
	for (size_t i = 0; t && i < t->n_named; i++)
		if (id_match_fits(&t->named[i].who, id))
			return &t->named[i];
	return NULL;
}

/* ---- the file ---- */

struct parser {
	struct psk_table *t;
	struct wr keys;
	size_t cap, cap_named;
	unsigned line;
	psk_wrong wrong;
	void *ctx;
	bool bad;
};

__attribute__((format(printf, 3, 4))) static void mistake(struct parser *p, size_t col,
							  const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	p->bad = true;
	p->wrong(p->ctx, p->line, (unsigned)col + 1, what);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The bytes of a key as it is written, added to p->keys. */
static int read_key(struct parser *p, struct span s, size_t col)
{
	if (!span_starts(s, span_str("0x"))) {
		wr_span(&p->keys, s);
		return 0;
	}
	for (size_t i = 2; i < s.n; i += 2) {
		int hi = hex_digit(s.p[i]), lo = i + 1 < s.n ? hex_digit(s.p[i + 1]) : -1;

		if (hi < 0 || lo < 0) {
			mistake(p, col,
				"the key begins with 0x and goes on otherwise, expected pairs of "
				"hexadecimal digits");
			return -EINVAL;
		}
		wr_u8(&p->keys, (uint8_t)(hi << 4 | lo));
	}
	return 0;
}

static bool has_room(struct parser *p)
{
	if (p->t->n + p->t->n_named < LIMIT_PSK_ROWS)
		return true;
	mistake(p, 0, "one row too many, expected at most %d", LIMIT_PSK_ROWS);
	return false;
}

static int add(struct parser *p, const struct prefix *net, struct span key)
{
	char text[ENDPOINT_STRLEN];
	struct psk_table *t = p->t;

	for (size_t i = 0; i < t->n; i++)
		if (prefix_eq(&t->v[i].net, net)) {
			mistake(p, 0, "%s has a key in line %u already, expected one",
				prefix_str(net, text), t->v[i].line);
			return 0;
		}
	if (!has_room(p))
		return 0;
	if (t->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 8;
		struct psk *v = realloc(t->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		t->v = v;
		p->cap = cap;
	}
	t->v[t->n++] = (struct psk){ .net = *net, .key = key, .line = p->line };
	return 0;
}

static int add_named(struct parser *p, struct span who, struct span key)
{
	char text[ID_MATCH_TEXT], shown[64];
	struct psk_table *t = p->t;
	struct id_match m;
	const char *bad = id_match_parse(who, &m);
	size_t at = p->keys.len;

	if (bad) {
		mistake(p, 0, "'%s' %s", text_escape(who, shown, sizeof(shown)), bad);
		return 0;
	}
	for (size_t i = 0; i < t->n_named; i++)
		if (id_match_same(&t->named[i].who, &m)) {
			mistake(p, 0, "%s has a key in line %u already, expected one",
				id_match_str(&m, text), t->named[i].line);
			return 0;
		}
	if (!has_room(p))
		return 0;
	if (t->n_named == p->cap_named) {
		size_t cap = p->cap_named ? p->cap_named * 2 : 8;
		struct psk_named *v = realloc(t->named, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		t->named = v;
		p->cap_named = cap;
	}
	wr_span(&p->keys, m.pattern);
	m.pattern.p = p->keys.p + at;
	t->named[t->n_named++] = (struct psk_named){ .who = m, .key = key, .line = p->line };
	return 0;
}

/* "*" stands for every address there is. */
static int add_for(struct parser *p, struct span who, struct span key)
{
	char text[ENDPOINT_STRLEN], shown[64];
	struct prefix net = { 0 };
	int rc;

	if (span_eq(who, span_str("*"))) {
		size_t n = p->t->n;

		net.addr.family = IP_V4;
		rc = add(p, &net, key);
		if (rc < 0 || p->t->n == n)
			return rc;
		net.addr.family = IP_V6;
		return add(p, &net, key);
	}
	if (id_match_is_typed(who))
		return add_named(p, who, key);
	snprintf(text, sizeof(text), "%.*s", (int)who.n, (const char *)who.p);
	if (strlen(text) != who.n || prefix_parse(text, &net) < 0) {
		mistake(p, 0,
			"'%s' is no address, expected one such as 192.0.2.9, a network such "
			"as 192.0.2.0/24, *, or an identity such as keyid:staff",
			text_escape(who, shown, sizeof(shown)));
		return 0;
	}
	return add(p, &net, key);
}

static int read_line(struct parser *p, struct span s)
{
	size_t from = p->keys.len, who = 0, at;
	struct span key;

	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	if (s.n == 0 || s.p[0] == '#')
		return 0;
	while (who < s.n && !is_blank(s.p[who]))
		who++;
	for (at = who; at < s.n && is_blank(s.p[at]);)
		at++;
	if (who == 0) {
		mistake(p, 0, "a row begins with white space, expected an address");
		return 0;
	}
	if (read_key(p, (struct span){ s.p + at, s.n - at }, at) < 0)
		return 0;
	key = (struct span){ p->keys.p + from, p->keys.len - from };
	if (key.n == 0 || key.n > LIMIT_PSK) {
		mistake(p, at, "a key of %zu bytes, expected 1 to %d", key.n, LIMIT_PSK);
		return 0;
	}
	if (key.n < PSK_SHORT && !p->t->short_line)
		p->t->short_line = p->line;
	return add_for(p, (struct span){ s.p, who }, key);
}

static int longest_first(const void *a, const void *b)
{
	const struct psk *x = a, *y = b;

	return x->net.len != y->net.len ? (int)y->net.len - (int)x->net.len
					: (int)x->line - (int)y->line;
}

static int most_said_first(const void *a, const void *b)
{
	const struct psk_named *x = a, *y = b;
	bool exact_x, exact_y;
	size_t n = id_match_literal(&x->who, &exact_x), m = id_match_literal(&y->who, &exact_y);

	if (exact_x != exact_y)
		return exact_x ? -1 : 1;
	return n != m ? (n > m ? -1 : 1) : (int)x->line - (int)y->line;
}

int psk_parse(struct span text, psk_wrong wrong, void *ctx, struct psk_table **ret)
{
	_cleanup_(psk_freep) struct psk_table *t = calloc(1, sizeof(*t));
	struct parser p = { .t = t, .wrong = wrong, .ctx = ctx };
	size_t at = 0;

	if (!t)
		return -ENOMEM;
	t->keys = malloc(text.n + 1);
	if (!t->keys)
		return -ENOMEM;
	t->keys_len = text.n + 1;
	p.keys = wr_into(t->keys, t->keys_len); /* no longer than what says them */
	while (at < text.n) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - text.p) - at : text.n - at;

		p.line++;
		if (read_line(&p, (struct span){ text.p + at, n }) < 0)
			return -ENOMEM;
		at += n + 1;
	}
	if (p.bad)
		return -EINVAL;
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), longest_first);
	if (t->n_named)
		qsort(t->named, t->n_named, sizeof(*t->named), most_said_first);
	*ret = TAKE_PTR(t);
	return 0;
}
