/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * users.h - the users file of auth_source = file. Pure.
 *
 * One user per line, '#' opens a comment line, blank lines are skipped:
 *
 *   name:hash[:group,group...[:static address]]
 *
 * name: clean UTF-8 of at most LIMIT_USER bytes, no ':', no blank at either end, not starting
 * with '#'. hash: of crypt(3), "$method$...", with '!' in front while the user is locked, or '!' or
 * '*' alone. address: IPv4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"
#include "bytes.h"

#define USERS_FILE_MAX (16u << 20) /* bytes; longer files are refused */
#define USERS_HASH_MAX 384         /* bytes of a hash, as CRYPT_OUTPUT_SIZE */

/* Views of the text that was parsed. */
struct users_entry {
	struct span name;
	struct span hash;       /* as written, with the '!' */
	struct span groups;     /* "a,b": walk with users_group_next() */
	struct ipaddr address;  /* family IP_NONE without one */
	unsigned line;          /* from 1 */
	struct span whole_line; /* without the line break */
};

struct users_error {
	unsigned line, column; /* from 1; columns are bytes */
	char what[160];        /* "... : expected ..." */
};

struct users;

/*
 * Reads the whole file; the result borrows `text`. 0, -EINVAL with *ret_err filled in, -EFBIG,
 * -ENOMEM.
 */
int users_parse(struct span text, struct users **ret, struct users_error *ret_err);
struct users *users_free(struct users *u);

/* NULL when there is no such user. */
const struct users_entry *users_find(const struct users *u, struct span name);
/* All users by number, in no useful order; NULL at the end. */
const struct users_entry *users_at(const struct users *u, size_t i);

/* Takes the next group off *groups; false at the end. */
bool users_group_next(struct span *groups, struct span *ret);

/* '!' or '*' in front. */
bool users_locked(const struct users_entry *e);
/* The part of the hash that crypt(3) knows, empty for '!' or '*' alone. */
struct span users_crypt_hash(const struct users_entry *e);

/* A line to be. */
struct users_row {
	struct span name, hash, groups,
		address; /* groups: "a,b"; groups and address may be empty */
};

/*
 * The text with the line of `name` replaced by `row` (of the same name) or, when there is none,
 * added at the end; row NULL takes the line out. Every other line stays as it is, byte for byte. 0 with *ret_text owned
 * by the caller, -EINVAL with *ret_err when the text or the row is malformed (line 0: the row),
 * -ENOENT when there is nothing to take out, -EFBIG, -ENOMEM.
 */
int users_rewrite(struct span text, struct span name, const struct users_row *row, char **ret_text,
		  size_t *ret_n, struct users_error *ret_err);
