/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * idmatch.c - patterns for what a client says it is. Pure.
 *
 * A type is a row. Subjects of certificates are compared by their parts (dn.h), the others as text.
 */
#include "ike/idmatch.h"

#include <stdio.h>

#include "bounds.h"
#include "cleanup.h"
#include "ike/dn.h"
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
	{ "asn1dn:", ID_DER_ASN1_DN, true },
};

bool id_match_is_typed(struct span text)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (span_starts(text, span_str(types[i].word)))
			return true;
	return false;
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
		return types[i].type == ID_DER_ASN1_DN ? dn_pattern_check(rest) : NULL;
	}
	return "is no identity, expected one such as keyid:staff, fqdn:*.example.net, "
	       "user_fqdn:*@example.net or asn1dn:/OU=Staff";
}

bool id_match_fits(const struct id_match *m, struct span id)
{
	struct ike_id read;
	bool any_case = false;

	if (ike_id_read(id, &read) < 0 || read.type != m->type || !read.data.n)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		any_case |= types[i].type == m->type && types[i].any_case;
	if (m->type == ID_DER_ASN1_DN)
		return dn_fits(m->pattern, read.data);
	return text_glob(m->pattern, read.data, any_case);
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
