/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * idmatch.h - patterns for what a client says it is (IDii, RFC 2407 4.6.2). Pure.
 *
 * Written "TYPE:PATTERN": keyid:staff, fqdn:*.example.net, user_fqdn:*@example.net, asn1dn:/OU=Staff. In
 * a pattern '*' stands for any bytes, none included, and '?' for one. Key IDs are compared as they
 * are, the others without regard to case; subjects by their parts (dn.h).
 */
#pragma once

#include "bounds.h"
#include "bytes.h"

struct id_match {
	uint8_t type;        /* as on the wire */
	struct span pattern; /* borrowed */
};

/* It begins with a type and a colon. */
bool id_match_is_typed(struct span text);

/* NULL with *ret, which views `text`; or what is wrong with it, as the end of a sentence. */
const char *id_match_parse(struct span text, struct id_match *ret);

/* id: IDii_b, that is type, protocol, port, data. */
bool id_match_fits(const struct id_match *m, struct span id);

/* As it is written: "keyid:staff". */
#define ID_MATCH_TEXT (LIMIT_ID_PATTERN + 16)
const char *id_match_str(const struct id_match *m, char buf[static ID_MATCH_TEXT]);

bool id_match_same(const struct id_match *a, const struct id_match *b);

/* Bytes of the pattern that stand for themselves; *ret_exact: all of them do. */
size_t id_match_literal(const struct id_match *m, bool *ret_exact);
