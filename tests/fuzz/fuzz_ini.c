/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_ini.c - any text through ini_read(): what it tells keeps its promises. */
#include <stdlib.h>

#include "ini.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned line, errors;
	bool in_section;
};

static void must(bool promise)
{
	if (!promise)
		abort();
}

static void in_order(struct seen *s, unsigned line, unsigned col)
{
	must(line >= s->line && col >= 1 && col <= INI_LINE_MAX + 1);
	s->line = line;
}

static void is_name(const char *s)
{
	must(*s && strlen(s) <= INI_NAME_MAX && text_is_clean(span_str(s)));
}

static void on_section(void *user, const struct ini_section *sec)
{
	struct seen *s = user;

	in_order(s, sec->line, sec->col);
	is_name(sec->name);
	if (sec->argument)
		is_name(sec->argument);
	s->in_section = true;
}

static void on_pair(void *user, const struct ini_pair *p)
{
	struct seen *s = user;
	size_t n = strlen(p->value);

	in_order(s, p->line, p->key_col);
	must(s->in_section && p->value_col > p->key_col);
	is_name(p->key);
	must(n <= INI_LINE_MAX && text_is_utf8(span_str(p->value)));
	must(n == 0 || (p->value[0] != '#' && p->value[0] != ' ' && p->value[0] != '\t' &&
			p->value[n - 1] != ' ' && p->value[n - 1] != '\t'));
}

static void on_error(void *user, unsigned line, unsigned col, const char *what)
{
	struct seen *s = user;

	in_order(s, line, col);
	must(*what && text_is_utf8(span_str(what)));
	s->errors++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ini_ops ops = { on_section, on_pair, on_error };
	struct seen s = { 0 };
	int rc = ini_read((struct span){ data, size }, &ops, &s);

	must((rc == 0) == (s.errors == 0));
	return 0;
}
