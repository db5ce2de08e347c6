/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dn.c - distinguished names: their parts out of DER, and patterns for them. Pure. */
#include "ike/dn.h"

#include "bounds.h"
#include "cleanup.h"
#include "text.h"

/* One AttributeTypeAndValue. */
struct dn_part {
	struct span type; /* the contents of an OBJECT IDENTIFIER */
	struct span value;
};

/* RFC 4519 2, and emailAddress of RFC 2985 5.2.1. */
static const struct {
	const char *name, *oid;
} names[] = {
	{ "CN", "\x55\x04\x03" },
	{ "SN", "\x55\x04\x04" },
	{ "serialNumber", "\x55\x04\x05" },
	{ "C", "\x55\x04\x06" },
	{ "L", "\x55\x04\x07" },
	{ "ST", "\x55\x04\x08" },
	{ "O", "\x55\x04\x0a" },
	{ "OU", "\x55\x04\x0b" },
	{ "title", "\x55\x04\x0c" },
	{ "GN", "\x55\x04\x2a" },
	{ "UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01" },
	{ "DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19" },
	{ "emailAddress", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01" },
};

/* ---- out of DER (X.690) ---- */

enum {
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* The contents of the next element, of any type; *ret_tag says which. Two bytes of length do. */
static struct rd element(struct rd *r, uint8_t *ret_tag)
{
	size_t n;

	*ret_tag = rd_u8(r);
	n = rd_u8(r);
	if (n == 0x81)
		n = rd_u8(r);
	else if (n == 0x82)
		n = rd_be16(r);
	else if (n > 0x7f)
		r->bad = true;
	return rd_sub(r, n);
}

static struct rd expect(struct rd *r, uint8_t tag)
{
	uint8_t found;
	struct rd in = element(r, &found);

	if (found != tag)
		r->bad = in.bad = true;
	return in;
}

/* Strings of 16 or 32 bits per character are no text here; they fit nothing. */
static bool is_text(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_TELETEX || tag == DER_IA5;
}

/* False: it is no name. */
static bool read_parts(struct span der, struct dn_part part[static LIMIT_DN_PARTS], size_t *ret_n)
{
	struct rd whole = rd_from(der), name = expect(&whole, DER_SEQUENCE);

	*ret_n = 0;
	while (name.left && !name.bad) {
		struct rd rdn = expect(&name, DER_SET);

		while (rdn.left && !rdn.bad) {
			struct rd pair = expect(&rdn, DER_SEQUENCE), type = expect(&pair, DER_OID);
			uint8_t tag;
			struct rd value = element(&pair, &tag);

			if (pair.bad || pair.left || *ret_n == LIMIT_DN_PARTS)
				return false;
			part[*ret_n].type = rd_rest(&type);
			part[*ret_n].value = is_text(tag) ? rd_rest(&value) : (struct span){ 0 };
			(*ret_n)++;
		}
		if (rdn.bad)
			return false;
	}
	return !whole.bad && !name.bad && !whole.left;
}

/* ---- patterns ---- */

/* The next "/NAME=VALUE"; false when it is none. *ret_oid NULL: nobody knows the name. */
static bool next_part(struct span *pattern, const char **ret_oid, struct span *ret_value)
{
	struct span name, p = *pattern;
	size_t n = 1, eq = 0;

	if (!p.n || p.p[0] != '/')
		return false;
	for (; n < p.n && p.p[n] != '/'; n++)
		if (p.p[n] == '=' && !eq)
			eq = n;
	if (eq < 2 || eq + 1 == n)
		return false;
	name = (struct span){ p.p + 1, eq - 1 };
	*ret_value = (struct span){ p.p + eq + 1, n - eq - 1 };
	*pattern = (struct span){ p.p + n, p.n - n };
	*ret_oid = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_same_word(name, span_str(names[i].name)))
			*ret_oid = names[i].oid;
	return true;
}

const char *dn_pattern_check(struct span pattern)
{
	const char *oid;
	struct span value;

	do {
		if (!next_part(&pattern, &oid, &value))
			return "is no pattern, expected parts of a subject such as "
			       "/OU=Staff/O=Example*";
		if (!oid)
			return "has a part of an unknown name, expected CN, OU, O, C, L, ST, DC, "
			       "UID, "
			       "SN, GN, title, serialNumber or emailAddress";
	} while (pattern.n);
	return NULL;
}

bool dn_fits(struct span pattern, struct span der)
{
	struct dn_part part[LIMIT_DN_PARTS];
	size_t n;
	const char *oid;
	struct span value;

	if (!read_parts(der, part, &n))
		return false;
	while (next_part(&pattern, &oid, &value)) {
		bool found = false;

		for (size_t i = 0; i < n && oid && !found; i++)
			found = span_eq(part[i].type, span_str(oid)) && part[i].value.n &&
				text_glob(value, part[i].value, true);
		if (!found)
			return false;
	}
	return !pattern.n;
}
