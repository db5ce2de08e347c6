/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * users.c - reads and rewrites the users file. Pure.
 *
 * A file with one bad line is refused as a whole: a user who was meant to be removed must not stay
 * because of a typing error on his line.
 */
#include "auth/users.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "text.h"

struct users {
	struct users_entry *e; /* owned; by name once parsed */
	size_t n, cap;
};

DEFINE_CLEANUP(struct users, users_free)

struct users *users_free(struct users *u)
{
	if (u)
		free(u->e);
	free(u);
	return NULL;
}

/* What is wrong at `at`, a byte of `line`. Returns -EINVAL. */
__attribute__((format(printf, 4, 5))) static int wrong(struct users_error *err, struct span line,
						       const uint8_t *at, const char *fmt, ...)
{
	va_list ap;

	err->column = (unsigned)(at - line.p) + 1;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The part before the next `sep`; *s moves behind it, and to an empty span with p NULL after the
 * last part. */
static struct span cut(struct span *s, char sep)
{
	const uint8_t *end = s->n ? memchr(s->p, sep, s->n) : NULL;
	struct span part = *s;

	if (end) {
		part.n = (size_t)(end - s->p);
		s->n -= part.n + 1;
		s->p = end + 1;
	} else {
		*s = (struct span){ 0 };
	}
	return part;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool blank_at_end(struct span s)
{
	return s.n && (is_blank(s.p[0]) || is_blank(s.p[s.n - 1]));
}

static int check_name(struct span line, struct span name, struct users_error *err)
{
	if (!name.n)
		return wrong(err, line, name.p, "no user name: expected name:hash");
	if (name.n > LIMIT_USER)
		return wrong(err, line, name.p, "user name too long: expected at most %d bytes",
			     LIMIT_USER);
	if (!text_is_clean(name))
		return wrong(err, line, name.p,
			     "user name: expected UTF-8 without control characters");
	if (blank_at_end(name))
		return wrong(err, line, name.p, "user name: expected no white space at either end");
	return 0;
}

/* crypt(5): "$method$", then printable ASCII without the characters that separate or comment. */
static bool is_crypt_hash(struct span h)
{
	size_t i = 1;

	if (h.n < 4 || h.n > USERS_HASH_MAX || h.p[0] != '$')
		return false;
	while (i < h.n && h.p[i] != '$') {
		uint8_t c = h.p[i++];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	if (i == 1 || i + 1 >= h.n)
		return false;
	for (; i < h.n; i++)
		if (h.p[i] <= ' ' || h.p[i] > '~' || strchr(":;*!\\", h.p[i]))
			return false;
	return true;
}

static struct span without_lock(struct span hash)
{
	while (hash.n && hash.p[0] == '!') {
		hash.p++;
		hash.n--;
	}
	if (hash.n == 1 && hash.p[0] == '*')
		hash.n = 0;
	return hash;
}

static int check_hash(struct span line, struct span hash, struct users_error *err)
{
	struct span rest = without_lock(hash);

	if (!hash.n)
		return wrong(err, line, hash.p,
			     "empty hash: expected a crypt(3) hash like $y$..., or ! for locked");
	if (rest.n && !is_crypt_hash(rest))
		return wrong(err, line, rest.p,
			     "hash: expected one of crypt(3) like $y$..., or ! for locked; "
			     "vpngwctl passwd makes one");
	return 0;
}

static int check_groups(struct span line, struct span groups, struct users_error *err)
{
	unsigned n = 0;

	if (!groups.n)
		return 0;
	while (groups.p) {
		struct span g = cut(&groups, ',');

		if (!g.n)
			return wrong(err, line, g.p, "empty group name: expected group,group");
		if (g.n > LIMIT_GROUP_NAME)
			return wrong(err, line, g.p,
				     "group name too long: expected at most %d bytes",
				     LIMIT_GROUP_NAME);
		if (!text_is_clean(g) || blank_at_end(g))
			return wrong(err, line, g.p,
				     "group name: expected UTF-8 without control characters "
				     "and without white space at either end");
		if (++n > LIMIT_GROUPS)
			return wrong(err, line, g.p, "too many groups: expected at most %d",
				     LIMIT_GROUPS);
	}
	return 0;
}

static int check_address(struct span line, struct span text, struct users_error *err,
			 struct ipaddr *ret)
{
	char buf[ENDPOINT_STRLEN];

	*ret = (struct ipaddr){ 0 };
	if (!text.n)
		return 0;
	if (text.n < sizeof(buf) && !memchr(text.p, '\0', text.n)) {
		memcpy(buf, text.p, text.n);
		buf[text.n] = '\0';
		if (ipaddr_parse(buf, ret) == 0 && ret->family == IP_V4)
			return 0;
	}
	return wrong(err, line, text.p, "address: expected IPv4 like 10.99.99.7, or nothing");
}

/* 1 for a user, 0 for a comment or blank line, -EINVAL. */
static int parse_line(struct span line, struct users_entry *ret, struct users_error *err)
{
	struct span rest = line, address;
	const uint8_t *stray;
	int rc;

	while (rest.n && is_blank(rest.p[0])) {
		rest.p++;
		rest.n--;
	}
	if (!rest.n || rest.p[0] == '#')
		return 0;
	rest = line;
	stray = memchr(line.p, '\r', line.n);
	if (stray)
		return wrong(err, line, stray,
			     "carriage return: expected lines that end in a line feed alone");
	*ret = (struct users_entry){ .whole_line = line };
	ret->name = cut(&rest, ':');
	rc = check_name(line, ret->name, err);
	if (rc < 0)
		return rc;
	if (!rest.p)
		return wrong(err, line, line.p + line.n, "no hash: expected name:hash");
	ret->hash = cut(&rest, ':');
	ret->groups = cut(&rest, ':');
	address = cut(&rest, ':');
	if (rest.p)
		return wrong(err, line, rest.p,
			     "too many fields: expected name:hash:groups:address");
	rc = check_hash(line, ret->hash, err);
	if (rc == 0)
		rc = check_groups(line, ret->groups, err);
	if (rc == 0)
		rc = check_address(line, address, err, &ret->address);
	return rc < 0 ? rc : 1;
}

static int append(struct users *u, const struct users_entry *e)
{
	if (u->n == u->cap) {
		size_t cap = u->cap ? u->cap * 2 : 64;
		struct users_entry *p = reallocarray(u->e, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		u->e = p;
		u->cap = cap;
	}
	u->e[u->n++] = *e;
	return 0;
}

static int compare_names(struct span a, struct span b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int compare_entries(const void *va, const void *vb)
{
	const struct users_entry *a = va, *b = vb;
	int d = compare_names(a->name, b->name);

	return d ? d : (a->line > b->line) - (a->line < b->line);
}

/* Two lines with one name: the first such line in the file is reported. */
static int check_duplicates(const struct users *u, struct users_error *err)
{
	char shown[64];
	size_t found = 0;

	for (size_t i = 1; i < u->n; i++)
		if (span_eq(u->e[i - 1].name, u->e[i].name) &&
		    (!found || u->e[i].line < u->e[found].line))
			found = i;
	if (!found)
		return 0;
	err->line = u->e[found].line;
	return wrong(err, u->e[found].whole_line, u->e[found].name.p,
		     "user %s is on line %u already: expected one line for each user",
		     text_escape(u->e[found].name, shown, sizeof(shown)), u->e[found - 1].line);
}

int users_parse(struct span text, struct users **ret, struct users_error *ret_err)
{
	_cleanup_(users_freep) struct users *u = calloc(1, sizeof(*u));
	struct span rest = text;
	unsigned number = 0;
	int rc;

	*ret_err = (struct users_error){ 0 };
	if (!u)
		return -ENOMEM;
	if (text.n > USERS_FILE_MAX)
		return -EFBIG;
	while (rest.n) {
		struct users_entry e;

		ret_err->line = ++number;
		rc = parse_line(cut(&rest, '\n'), &e, ret_err);
		if (rc < 0)
			return rc;
		e.line = number;
		if (rc > 0 && append(u, &e) < 0)
			return -ENOMEM;
	}
	if (u->n)
		qsort(u->e, u->n, sizeof(*u->e), compare_entries);
	rc = check_duplicates(u, ret_err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(u);
	return 0;
}

const struct users_entry *users_find(const struct users *u, struct span name)
{
	size_t lo = 0, hi = u->n;

	while (name.n && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = compare_names(name, u->e[mid].name);

		if (d == 0)
			return &u->e[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct users_entry *users_at(const struct users *u, size_t i)
{
	return i < u->n ? &u->e[i] : NULL;
}

bool users_group_next(struct span *groups, struct span *ret)
{
	if (!groups->n)
		return false;
	*ret = cut(groups, ',');
	return true;
}

bool users_locked(const struct users_entry *e)
{
	return e->hash.p[0] == '!' || e->hash.p[0] == '*';
}

struct span users_crypt_hash(const struct users_entry *e)
{
	return without_lock(e->hash);
}

/* A row as a line, checked by the same rules as a line of the file. */
static int make_line(const struct users_row *row, char *buf, size_t cap, size_t *ret_n,
		     struct users_error *err)
{
	struct wr w = wr_into(buf, cap);
	struct users_entry e;
	int rc;

	wr_span(&w, row->name);
	wr_u8(&w, ':');
	wr_span(&w, row->hash);
	if (row->groups.n || row->address.n) {
		wr_u8(&w, ':');
		wr_span(&w, row->groups);
	}
	if (row->address.n) {
		wr_u8(&w, ':');
		wr_span(&w, row->address);
	}
	*err = (struct users_error){ 0 };
	if (w.bad) {
		snprintf(err->what, sizeof(err->what), "the line for this user is too long");
		return -EINVAL;
	}
	if (memchr(buf, '\n', w.len))
		return wrong(err, wr_done(&w), memchr(buf, '\n', w.len),
			     "line break inside: expected one line");
	rc = parse_line(wr_done(&w), &e, err);
	if (rc == 0) /* it would read as a comment */
		return wrong(err, wr_done(&w), w.p,
			     "user name: expected one that does not start "
			     "with # and is not blank");
	if (rc < 0)
		return rc;
	if (!span_eq(e.name, row->name) || !span_eq(e.hash, row->hash))
		return wrong(err, wr_done(&w), w.p, "user name: expected no colon");
	*ret_n = w.len;
	return 0;
}

/* A line of the longest fields, separators included. */
#define LINE_MAX_BYTES                                                             \
	(LIMIT_USER + USERS_HASH_MAX + 2 + LIMIT_GROUPS * (LIMIT_GROUP_NAME + 1) + \
	 ENDPOINT_STRLEN + 4)

int users_rewrite(struct span text, struct span name, const struct users_row *row, char **ret_text,
		  size_t *ret_n, struct users_error *ret_err)
{
	_cleanup_(users_freep) struct users *u = NULL;
	const struct users_entry *old;
	char line[LINE_MAX_BYTES];
	size_t n_line = 0, before, after;
	struct wr w;
	char *out;
	int rc;

	rc = users_parse(text, &u, ret_err);
	if (rc == 0 && row && !span_eq(name, row->name))
		rc = -EINVAL;
	if (rc == 0 && row)
		rc = make_line(row, line, sizeof(line), &n_line, ret_err);
	if (rc < 0)
		return rc;
	old = users_find(u, name);
	if (!old && !row)
		return -ENOENT;
	before = old ? (size_t)(old->whole_line.p - text.p) : text.n;
	after = old ? before + old->whole_line.n : text.n;
	if (!row && after < text.n)
		after++; /* with its line break */
	out = malloc(text.n + n_line + 3);
	if (!out)
		return -ENOMEM;
	w = wr_into(out, text.n + n_line + 2);
	wr_bytes(&w, text.p, before);
	if (!old && before && text.p[before - 1] != '\n')
		wr_u8(&w, '\n');
	wr_bytes(&w, line, n_line);
	if (row && after == text.n)
		wr_u8(&w, '\n');
	if (after < text.n)
		wr_bytes(&w, text.p + after, text.n - after);
	out[w.len] = '\0';
	explicit_bzero(line, sizeof(line));
	*ret_text = out;
	*ret_n = w.len;
	return 0;
}
