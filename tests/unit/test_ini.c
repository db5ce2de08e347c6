/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ini.c - what ini_read() tells about a text: each case is a text and all that was told. */
#include <errno.h>

#include "ini.h"
#include "tap.h"

static char told[8192];
static size_t used;

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	used += (size_t)vsnprintf(told + used, sizeof(told) - used, fmt, ap);
	va_end(ap);
}

static void on_section(void *user, const struct ini_section *s)
{
	(void)user;
	tell("%u:%u [%s", s->line, s->col, s->name);
	if (s->argument)
		tell("|%s", s->argument);
	tell("]\n");
}

static void on_pair(void *user, const struct ini_pair *p)
{
	(void)user;
	tell("%u:%u:%u %s=<%s>\n", p->line, p->key_col, p->value_col, p->key, p->value);
}

static void on_error(void *user, unsigned line, unsigned col, const char *what)
{
	(void)user;
	tell("%u:%u! %s\n", line, col, what);
}

static const struct ini_ops ops = { on_section, on_pair, on_error };

static int read_span(struct span text)
{
	used = 0;
	told[0] = '\0';
	return ini_read(text, &ops, NULL);
}

static void reads(const char *text, const char *want, const char *name)
{
	int rc = read_span(span_str(text));

	is_str(told, want, name);
	is_int(rc, strchr(want, '!') ? -EINVAL : 0, "  and it returns what fits");
}

static void test_shapes(void)
{
	reads("", "", "an empty text says nothing");
	reads("\n\n  \t\n", "", "blank lines say nothing");
	reads("[a]\nk = v\n", "1:1 [a]\n2:1:5 k=<v>\n", "a section and a key");
	reads("[a]\nk = v", "1:1 [a]\n2:1:5 k=<v>\n", "the last line needs no end");
	reads("[a]\r\nk = v\r\n", "1:1 [a]\n2:1:5 k=<v>\n", "CRLF ends a line as well");
	reads("\xef\xbb\xbf[a]\nk=v\n", "1:1 [a]\n2:1:3 k=<v>\n", "a byte order mark is skipped");
	reads("  [ a ]  \n\tk\t=\tv w \t\n", "1:3 [a]\n2:2:6 k=<v w>\n",
	      "white space around everything is dropped");
	reads("[p \"x y\"]\n[p\"z\"]\n", "1:1 [p|x y]\n2:1 [p|z]\n", "a section with a name");
	reads("[a]\nk =\nk=\nk = # c\n", "1:1 [a]\n2:1:4 k=<>\n3:1:3 k=<>\n4:1:5 k=<>\n",
	      "an empty value");
	reads("[a]\nk = a = b\n", "1:1 [a]\n2:1:5 k=<a = b>\n", "the first '=' ends the key");
	reads("[a]\nk = v\\\nw = x\n", "1:1 [a]\n2:1:5 k=<v\\>\n3:1:5 w=<x>\n",
	      "no line continues the one before");
	reads("[a]\nk = \"v\"\n", "1:1 [a]\n2:1:5 k=<\"v\">\n", "quotes are part of a value");
	reads("[a]\nk = [::]:500\n", "1:1 [a]\n2:1:5 k=<[::]:500>\n", "brackets too");
	reads("[a]\n\xc3\xa4 = 1\nk = \xc3\xa4 \xc3\xb6  # \xc3\xbc\n",
	      "1:1 [a]\n2:1! neither a section nor a key, expected [section] or key = value\n"
	      "3:1:5 k=<\xc3\xa4 \xc3\xb6>\n",
	      "UTF-8 is good in values and comments, not in keys");
}

static void test_comments(void)
{
	reads("# c\n; c\n  # c\n\t; c\n", "", "comment lines");
	reads("[a]\nk = v # c\nk = v#w\nk = v #\nk = v\t#c\n",
	      "1:1 [a]\n2:1:5 k=<v>\n3:1:5 k=<v#w>\n4:1:5 k=<v>\n5:1:5 k=<v>\n",
	      "a '#' opens a comment after white space, not inside a word");
	reads("[a]\nk =#v\n", "1:1 [a]\n2:1:4 k=<>\n", "a value does not begin with a '#'");
	reads("[a]\nk = v ; w\n", "1:1 [a]\n2:1:5 k=<v ; w>\n",
	      "a ';' opens one at the start of a line only");
	reads("[a] # c\n[b]\t# [c]\n[p \"# x\"] # c\n", "1:1 [a]\n2:1 [b]\n3:1 [p|# x]\n",
	      "comments behind headers");
	reads("[a]\nk = v # zero width \xe2\x80\x8b joiner\n", "1:1 [a]\n2:1:5 k=<v>\n",
	      "a comment may hold characters that cannot be seen");
}

static void test_mistakes(void)
{
	reads("k = v\n[a]\n",
	      "1:1! key 'k' is in no section, expected a [section] line before it\n2:1 [a]\n",
	      "a key before the first section");
	reads("[a\nk = v\n[b]\nk = v\n",
	      "1:3! the header is not closed, expected [a] or [a \"name\"]\n3:1 [b]\n4:1:5 k=<v>\n",
	      "an open header; keys below it are not reported");
	reads("[]\n", "1:2! a section name of 0 bytes, expected [section]\n", "an empty header");
	reads("[a \"b]\n", "1:4! the name has no closing quote, expected [section \"name\"]\n",
	      "an open quote");
	reads("[a \"\"]\n", "1:4! a name of 0 bytes, expected 1 to 64\n", "an empty name");
	reads("[a b]\n", "1:4! the header is not closed, expected [a] or [a \"name\"]\n",
	      "a name without quotes");
	reads("[a] x\n", "1:5! text after the header, expected the end of the line or a comment\n",
	      "text after a header");
	reads("[a]#x\n", "1:4! text after the header, expected the end of the line or a comment\n",
	      "a '#' right after a header is no comment");
	reads("[a]\nword\n= v\nk v\n",
	      "1:1 [a]\n2:5! no '=' after 'word', expected key = value\n"
	      "3:1! neither a section nor a key, expected [section] or key = value\n"
	      "4:3! no '=' after 'k', expected key = value\n",
	      "lines that are nothing; all of them are told");
	reads("[a]\nk # = v\n", "1:1 [a]\n2:3! no '=' after 'k', expected key = value\n",
	      "an '=' inside a comment does not count");
}

static void test_bytes(void)
{
	char line[INI_LINE_MAX + 16];

	read_span(SPAN_OF(((const char[]){ '[', 'a', ']', '\n', 'k', '=', 0, 'v' })));
	is_str(told, "1:1 [a]\n2:3! control character 0x00, expected text\n", "a NUL is refused");
	reads("[a]\nk = \xc3\xa4\xff\n", "1:1 [a]\n2:6! byte 0xff is not UTF-8, expected text\n",
	      "a byte that is not UTF-8; columns count characters");
	reads("[a]\nk = v # \xc3\n", "1:1 [a]\n2:9! byte 0xc3 is not UTF-8, expected text\n",
	      "also in a comment, where a line ends early");
	reads("[a]\nk = \x1b[31m\n", "1:1 [a]\n2:5! control character 0x1b, expected text\n",
	      "an escape sequence");
	reads("[a]\rk = v\n", "1:4! control character 0x0d, expected text\n",
	      "a CR alone does not end a line");
	reads("[a]\nk = a\xe2\x80\xae"
	      "b\n",
	      "1:1 [a]\n2:6! a character that cannot be seen, expected plain text\n",
	      "a right-to-left override in a value");

	snprintf(line, sizeof(line), "[a]\nk=%0*d\n", INI_LINE_MAX - 2, 0);
	is_int(read_span(span_str(line)), 0, "the longest line");
	ok(strlen(told) > INI_LINE_MAX, "  is told in full");
	snprintf(line, sizeof(line), "[a]\nk=%0*d\n", INI_LINE_MAX - 1, 0);
	reads(line, "1:1 [a]\n2:1! a line of 4097 bytes, expected at most 4096\n",
	      "a longer one is refused");
	snprintf(line, sizeof(line), "[%064d]\n%064d=1\n", 0, 0);
	is_int(read_span(span_str(line)), 0, "the longest names");
	snprintf(line, sizeof(line), "[%065d]\n", 0);
	reads(line, "1:2! a section name of 65 bytes, expected [section]\n", "a longer section");
	snprintf(line, sizeof(line), "[a]\n%065d = 1\n", 0);
	reads(line, "1:1 [a]\n2:1! a key of 65 bytes, expected at most 64\n", "a longer key");
	snprintf(line, sizeof(line), "[a \"%065d\"]\n", 0);
	reads(line, "1:4! a name of 65 bytes, expected 1 to 64\n", "a longer name");
}

int main(void)
{
	test_shapes();
	test_comments();
	test_mistakes();
	test_bytes();
	return done();
}
