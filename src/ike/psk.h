/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * psk.h - shared keys, by the client's address or by what it says it is. In main mode the key must
 * be chosen before the client has said who it is (RFC 2409 5.4): there is nothing to choose by but
 * where it comes from. In aggressive mode its first message says who it is.
 */
#pragma once

#include "addr.h"
#include "bytes.h"
#include "ike/idmatch.h"

struct psk {
	struct prefix net;
	struct span key; /* views the table's own copy */
	unsigned line;   /* where it stands in the file */
};

struct psk_named {
	struct id_match who;
	struct span key; /* both view the table's own copy */
	unsigned line;
};

struct psk_table {
	struct psk *v; /* owned; the longest prefixes first */
	size_t n;
	struct psk_named *named; /* owned; names first, then the patterns that say most */
	size_t n_named;
	uint8_t *keys; /* owned */
	size_t keys_len;
	unsigned short_line; /* the first line whose key is shorter than PSK_SHORT; 0: none */
};

#define PSK_SHORT 16 /* bytes: below that, keys are guessed */

/* A mistake: line and column from 1, what is wrong and what is expected. Never shows a key. */
typedef void (*psk_wrong)(void *ctx, unsigned line, unsigned col, const char *what);

/*
 * Reads a file of rows "ADDRESS|NETWORK|*|TYPE:PATTERN KEY" (idmatch.h). A key is the rest of its line, or bytes as 0xHEX.
 * Empty lines and lines that begin with # say nothing. -EINVAL after every mistake was told;
 * -ENOMEM. On success *ret is the caller's, for psk_free().
 */
int psk_parse(struct span text, psk_wrong wrong, void *ctx, struct psk_table **ret);
struct psk_table *psk_free(struct psk_table *t); /* wipes */

/* The row of the smallest network that holds the address; NULL: there is none. t may be NULL. */
const struct psk *psk_find(const struct psk_table *t, const struct ipaddr *a);

/* The row of this identity, IDii_b: the one with its very name, else the pattern with the most bytes
 * of its own. NULL: there is none. */
const struct psk_named *psk_find_named(const struct psk_table *t, struct span id);
