/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * idmatch.c - patterns for what a client says it is. Pure.
 *
 * A type is a row. Subjects of certificates (ID_DER_ASN1_DN) have none: no client has one yet, and
 * they are compared by their parts and not as text.
 */
#include "ike/idmatch.h"

#include <stdio.h>

#include "bounds.h"
#include "cleanup.h"
#include "ike/msg.h"
#include "ike/names.h"
#include "text.h"

static const struct {
	const char *word;
	uint8_t type;
	bool any_case;
} types[] = {
	{ "keyid:", ID_KEY_ID, false },
	{ "fqdn:", ID_FQDN, true },
	{ "user_fqdn:", ID_USER_FQDN, true },
};

static const char dn[] = "asn1dn:";

bool id_match_is_typed(struct span text)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (span_starts(text, span_str(types[i].word)))
			return true;
	return span_starts(text, span_str(dn));
}

const char *id_match_parse(struct span text, struct id_match *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct span word = span_str(types[i].word), rest;

		if (!span_starts(text, word))
			continue;
		rest = (struct span){ text.p + word.n, text.n - word.n };
		if (!rest.n || rest.n > LIMIT_ID_PATTERN || !text_is_clean(rest))
			return "is no pattern, expected text of at most 128 bytes behind the colon";
		*ret = (struct id_match){ .type = types[i].type, .pattern = rest };
		return NULL;
	}
	if (span_starts(text, span_str(dn)))
		return "is not yet supported: it will match the subject of a client's certificate";
	return "is no identity, expected one such as keyid:staff, fqdn:*.example.net or "
	       "user_fqdn:*@example.net";
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool one_fits(uint8_t pattern, uint8_t c, bool any_case)
{
	return pattern == '?' || pattern == c || (any_case && lower(pattern) == lower(c));
}

/* When something does not fit, the last '*' takes one byte more: no other can help. */
static bool glob(struct span p, struct span s, bool any_case)
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

bool id_match_fits(const struct id_match *m, struct span id)
{
	struct ike_id read;
	bool any_case = false;

	if (ike_id_read(id, &read) < 0 || read.type != m->type || !read.data.n)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		any_case |= types[i].type == m->type && types[i].any_case;
	return glob(m->pattern, read.data, any_case);
}

const char *id_match_str(const struct id_match *m, char buf[static ID_MATCH_TEXT])
{
	const char *word = "";

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == m->type)
			word = types[i].word;
	snprintf(buf, ID_MATCH_TEXT, "%s%.*s", word, (int)m->pattern.n, (const char *)m->pattern.p);
	return buf;
}

bool id_match_same(const struct id_match *a, const struct id_match *b)
{
	return a->type == b->type && span_eq(a->pattern, b->pattern);
}

size_t id_match_literal(const struct id_match *m, bool *ret_exact)
{
	size_t n = 0;

	for (size_t i = 0; i < m->pattern.n; i++)
		n += m->pattern.p[i] != '*' && m->pattern.p[i] != '?';
	*ret_exact = n == m->pattern.n;
	return n;
}
