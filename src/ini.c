/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ini.c - text with sections and keys, read line by line. Pure.
 *
 * Each line is looked at twice: first that all of it is text, then what it says. Whatever is found
 * wrong is told with its column, and reading goes on with the next line.
 */
#include "ini.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "text.h"

struct reader {
	const struct ini_ops *ops;
	void *user;
	struct span text; /* the line */
	unsigned line;
	bool in_section, bad_section, failed;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Characters, not bytes: an editor's cursor finds them. */
static unsigned column(const struct reader *r, size_t offset)
{
	unsigned col = 1;

	for (size_t i = 0; i < offset && i < r->text.n; i++)
		col += (r->text.p[i] & 0xc0) != 0x80;
	return col;
}

__attribute__((format(printf, 3, 4))) static void fail(struct reader *r, size_t offset,
						       const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	r->failed = true;
	r->ops->error(r->user, r->line, column(r, offset), what);
}

/* A piece of the line as text that can be shown; for error messages. */
static const char *shown(struct span s, char buf[static 96])
{
	return text_escape(s, buf, 96);
}

static struct span part(const struct reader *r, size_t from, size_t to)
{
	return (struct span){ r->text.p + from, to - from };
}

/* Copies into a string. The caller has checked that it fits and holds no NUL. */
static const char *string(struct span s, char *buf)
{
	if (s.n)
		memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	return buf;
}

/* ---- is it text? ---- */

/* Bytes of the character at s, 0 when it is not well-formed. */
static size_t char_len(struct span s)
{
	for (size_t n = 1; n <= 4 && n <= s.n; n++)
		if (text_is_utf8((struct span){ s.p, n }))
			return n;
	return 0;
}

/* Where the comment begins, or the end of the line. A header's brackets may hold a '#'. */
static size_t comment_start(struct span s)
{
	size_t i = 0;

	while (i < s.n && is_blank(s.p[i]))
		i++;
	if (i == s.n || s.p[i] == '[')
		return s.n;
	if (s.p[i] == '#' || s.p[i] == ';')
		return i;
	for (; i < s.n; i++)
		if (s.p[i] == '#' && (is_blank(s.p[i - 1]) || s.p[i - 1] == '='))
			return i;
	return s.n;
}

static bool check_text(struct reader *r, size_t comment)
{
	struct span s = r->text;

	for (size_t i = 0, n; i < s.n; i += n) {
		uint8_t c = s.p[i];

		n = char_len(part(r, i, s.n));
		if (n == 0) {
			fail(r, i, "byte 0x%02x is not UTF-8, expected text", c);
			return false;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			fail(r, i, "control character 0x%02x, expected text", c);
			return false;
		}
		if (i < comment && c != '\t' && !text_is_clean(part(r, i, i + n))) {
			fail(r, i, "a character that cannot be seen, expected plain text");
			return false;
		}
	}
	return true;
}

/* ---- what does it say? ---- */

static size_t skip_blanks(const struct reader *r, size_t i)
{
	while (i < r->text.n && is_blank(r->text.p[i]))
		i++;
	return i;
}

static size_t skip_name(const struct reader *r, size_t i)
{
	while (i < r->text.n && is_name(r->text.p[i]))
		i++;
	return i;
}

static bool at_char(const struct reader *r, size_t i, char c)
{
	return i < r->text.n && r->text.p[i] == (uint8_t)c;
}

/* "argument" at *i, which moves behind it. NULL when there is none; false when it is wrong. */
static bool read_argument(struct reader *r, size_t *i, char *buf, const char **ret)
{
	size_t from = *i + 1, to = from;

	*ret = NULL;
	if (!at_char(r, *i, '"'))
		return true;
	while (to < r->text.n && r->text.p[to] != '"')
		to++;
	if (to == r->text.n) {
		fail(r, *i, "the name has no closing quote, expected [section \"name\"]");
		return false;
	}
	if (to == from || to - from > INI_NAME_MAX) {
		fail(r, *i, "a name of %zu bytes, expected 1 to %d", to - from, INI_NAME_MAX);
		return false;
	}
	*ret = string(part(r, from, to), buf);
	*i = to + 1;
	return true;
}

static bool read_section(struct reader *r, size_t start)
{
	char name[INI_NAME_MAX + 1], argument[INI_NAME_MAX + 1];
	struct ini_section s = { .line = r->line, .col = column(r, start) };
	size_t from = skip_blanks(r, start + 1), to = skip_name(r, from), i = skip_blanks(r, to);

	if (to == from || to - from > INI_NAME_MAX) {
		fail(r, from, "a section name of %zu bytes, expected [section]", to - from);
		return false;
	}
	s.name = string(part(r, from, to), name);
	if (!read_argument(r, &i, argument, &s.argument))
		return false;
	i = skip_blanks(r, i);
	if (!at_char(r, i, ']')) {
		fail(r, i, "the header is not closed, expected [%.32s] or [%.32s \"name\"]", name,
		     name);
		return false;
	}
	to = i + 1;
	i = skip_blanks(r, to);
	if (i < r->text.n && !(r->text.p[i] == '#' && i > to)) {
		fail(r, i, "text after the header, expected the end of the line or a comment");
		return false;
	}
	r->ops->section(r->user, &s);
	return true;
}

/* The value ends before `end`, where a comment or nothing follows. */
static void read_pair(struct reader *r, size_t start, size_t end)
{
	char key[INI_NAME_MAX + 1], value[INI_LINE_MAX + 1], buf[96];
	size_t to = skip_name(r, start), eq = skip_blanks(r, to), from;

	if (to == start) {
		fail(r, start, "neither a section nor a key, expected [section] or key = value");
		return;
	}
	if (to - start > INI_NAME_MAX) {
		fail(r, start, "a key of %zu bytes, expected at most %d", to - start, INI_NAME_MAX);
		return;
	}
	if (!at_char(r, eq, '=')) {
		fail(r, eq, "no '=' after '%s', expected key = value",
		     shown(part(r, start, to), buf));
		return;
	}
	if (!r->in_section) {
		fail(r, start, "key '%s' is in no section, expected a [section] line before it",
		     shown(part(r, start, to), buf));
		return;
	}
	if (r->bad_section)
		return;
	from = skip_blanks(r, eq + 1);
	if (from > end)
		from = end;
	while (end > from && is_blank(r->text.p[end - 1]))
		end--;
	r->ops->pair(r->user, &(struct ini_pair){
				      .key = string(part(r, start, to), key),
				      .value = string(part(r, from, end), value),
				      .line = r->line,
				      .key_col = column(r, start),
				      .value_col = column(r, from),
			      });
}

static void read_line(struct reader *r)
{
	size_t start = skip_blanks(r, 0), comment;
	bool header = at_char(r, start, '[');

	if (header) {
		r->in_section = true;
		r->bad_section = true; /* until all of it is read */
	}
	if (r->text.n > INI_LINE_MAX) {
		fail(r, 0, "a line of %zu bytes, expected at most %d", r->text.n, INI_LINE_MAX);
		return;
	}
	comment = comment_start(r->text);
	if (!check_text(r, comment))
		return;
	if (header)
		r->bad_section = !read_section(r, start);
	else if (start < comment)
		read_pair(r, start, comment);
}

int ini_read(struct span text, const struct ini_ops *ops, void *user)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
	struct reader r = { .ops = ops, .user = user };

	if (span_starts(text, SPAN_OF(mark)))
		text = (struct span){ text.p + 3, text.n - 3 };
	while (text.n) {
		const uint8_t *lf = memchr(text.p, '\n', text.n);
		size_t n = lf ? (size_t)(lf - text.p) : text.n, used = n + (lf ? 1 : 0);

		if (n && text.p[n - 1] == '\r')
			n--;
		r.text = (struct span){ text.p, n };
		r.line++;
		read_line(&r);
		text = (struct span){ text.p + used, text.n - used };
	}
	return r.failed ? -EINVAL : 0;
}
