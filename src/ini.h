/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ini.h - text with sections and keys, read line by line. Pure.
 *
 *   # a comment; ';' does the same at the start of a line only
 *   [section]
 *   [section "argument"]
 *   key = value, to the end of the line   # a '#' after white space opens a comment
 *   key = word#with#marks
 *
 * Lines end in LF or CRLF; none continues the one before. The text is UTF-8: anything else, control
 * characters, characters that cannot be seen outside a comment and lines longer than INI_LINE_MAX
 * are errors. A byte order mark at the very start is skipped. No memory is allocated.
 */
#pragma once

#include "bytes.h"

#define INI_LINE_MAX 4096 /* bytes of a line, its end not counted */
#define INI_NAME_MAX 64   /* bytes of a section name, an argument or a key */

/* Strings hold during the call only. Lines and columns count from 1, columns in characters. */
struct ini_section {
	const char *name;
	const char *argument; /* NULL without one */
	unsigned line, col;   /* of the '[' */
};

struct ini_pair {
	const char *key, *value; /* value: without white space around it; may be empty */
	unsigned line, key_col, value_col;
};

struct ini_ops {
	void (*section)(void *user, const struct ini_section *s);
	void (*pair)(void *user, const struct ini_pair *p);
	/* what: a sentence without its end, for the operator; holds during the call only */
	void (*error)(void *user, unsigned line, unsigned col, const char *what);
};

/*
 * Reads all of `text`; a mistake does not end it. Keys below a header that was wrong are not
 * reported. 0, or -EINVAL when error() was called.
 */
int ini_read(struct span text, const struct ini_ops *ops, void *user);
