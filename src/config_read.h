/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_read.h - what the files say, before anything is made of it.
 *
 * Every assignment is kept as text with the place where it stands. Mistakes are collected from all
 * stages and told together, in the order of the files. Private to config*.c and their test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bytes.h"
#include "cleanup.h"
#include "config_keys.h"

struct conf_origin {
	unsigned file; /* conf_input.file[file - 1]; 0: built in */
	unsigned line, col;
};

struct conf_line {
	char *text;            /* owned: the whole value */
	struct conf_origin at; /* of the value */
};

/* One key. A list has one line for each assignment that counts, other keys one at most. */
struct conf_setting {
	struct conf_line *line; /* owned array */
	size_t n;
	bool set;              /* by a file, if only to empty it */
	bool bad;              /* a mistake in it was told */
	struct conf_origin at; /* the value that was read last */
};

/* All sections without a name make one part; each of the others is one. */
struct conf_part {
	char name[LIMIT_GROUP_NAME + 1];
	struct conf_origin at;        /* its header: the last one read */
	struct conf_setting *setting; /* owned: one for each row of conf_keys */
};

struct conf_mistake {
	struct conf_origin at;
	char *text; /* owned */
};

struct conf_input {
	char **file; /* owned: paths, in the order in which they were read */
	size_t n_files;
	struct conf_part global, *pool, *profile;
	size_t n_pools, n_profiles;
	struct conf_mistake *mistake;
	size_t n_mistakes;
	int error; /* 0, or -ENOMEM */
	/* While a file is read: */
	const struct conf_section *section; /* NULL: unknown or not to be read */
	struct conf_part *part;
};

/* Where a configuration lies; see config_load(). Names may be NULL. */
struct conf_places {
	const char *main;
	const char *dropins[4]; /* directories; a later one hides names of an earlier */
};

struct conf_input *conf_input_new(void);
struct conf_input *conf_input_free(struct conf_input *in);
DEFINE_CLEANUP(struct conf_input, conf_input_free)

/* Reads all files of `places`. 0, -ENOMEM, or -errno when the main file cannot be read; mistakes
 * are collected and are no failure. */
int conf_input_read(struct conf_input *in, const struct conf_places *places);

/* Reads one file that is in memory already. 0 or -ENOMEM. */
int conf_input_text(struct conf_input *in, const char *file, struct span text);

__attribute__((format(printf, 3, 4))) void
conf_mistake(struct conf_input *in, struct conf_origin at, const char *fmt, ...);
/* "file:line:col: text" lines in the order of the files. */
void conf_mistakes_print(struct conf_input *in, FILE *out);

/* "file:line" or "default": into buf or static. */
#define CONF_ORIGIN 1024
const char *conf_origin_str(const struct conf_input *in, struct conf_origin at,
			    char buf[static CONF_ORIGIN]);

/* "file:line:col" of a key's value, or of the beginning of the main file where no file sets it.
 * Owned by the caller; NULL when out of memory. */
char *conf_place_str(const struct conf_input *in, const char *section, const char *key);

/* The column `offset` bytes into a value that begins at `at`. */
struct conf_origin conf_origin_in(struct conf_origin at, const char *value, size_t offset);

/* NULL when there is no such key, which only a typing mistake in the caller can bring about. */
struct conf_setting *conf_setting(const struct conf_part *part, const char *section,
				  const char *key);

/* ---- config_files.c ---- */

/* All of a regular file, NUL-terminated. 0 or -errno: -EFBIG above `max`, -EINVAL for what is not
 * a file. /dev/null is an empty file. */
int conf_file_read(const char *path, size_t max, char **ret, size_t *ret_n);

/* Paths of the drop-ins in the order in which they count. Directories that are missing hold none;
 * one that cannot be read is a mistake. 0 or -ENOMEM. */
int conf_dropins(struct conf_input *in, const struct conf_places *places, char ***ret,
		 size_t *ret_n);
