/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_users.c - a users file is read or refused; a rewritten one reads back with the others as
 * they were.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/users.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const struct users *u, const struct users_entry *e)
{
	struct span groups = e->groups, g;

	if (users_find(u, e->name) != e || !e->name.n || !text_is_clean(e->name))
		abort();
	while (users_group_next(&groups, &g))
		if (!g.n || g.n > LIMIT_GROUP_NAME)
			abort();
	if (!users_locked(e) && !users_crypt_hash(e).n)
		abort();
}

/* Everybody of `a` but `name` is in `b` with the same line. */
static void check_others(const struct users *a, const struct users *b, struct span name)
{
	const struct users_entry *e, *f;

	for (size_t i = 0; (e = users_at(a, i)); i++) {
		if (span_eq(e->name, name))
			continue;
		f = users_find(b, e->name);
		if (!f || !span_eq(e->whole_line, f->whole_line))
			abort();
	}
}

static void check_rewrite(struct span text, const struct users *u, struct span name, bool out)
{
	struct users_row row = { .name = name, .hash = span_str("$y$j9T$salt$hash") };
	struct users_error err;
	struct users *after = NULL;
	char *made = NULL;
	size_t n;

	if (users_rewrite(text, name, out ? NULL : &row, &made, &n, &err) < 0)
		return;
	if (users_parse((struct span){ (uint8_t *)made, n }, &after, &err) < 0)
		abort();
	if (!users_find(after, name) != out)
		abort();
	check_others(u, after, name);
	users_free(after);
	free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { data, size };
	const struct users_entry *e;
	struct users_error err;
	struct users *u = NULL;
	int rc = users_parse(text, &u, &err);

	if (rc < 0) {
		if (rc == -EINVAL && (!err.line || !err.column || !err.what[0]))
			abort();
		return 0;
	}
	for (size_t i = 0; (e = users_at(u, i)); i++)
		check_entry(u, e);
	e = users_at(u, 0);
	if (e) {
		check_rewrite(text, u, e->name, false);
		check_rewrite(text, u, e->name, true);
	}
	check_rewrite(text, u, span_str("fuzz"), false);
	/* The text itself as a name: mostly refused, never harmful. */
	check_rewrite(text, u, (struct span){ data, size < 40 ? size : 40 }, false);
	users_free(u);
	return 0;
}
