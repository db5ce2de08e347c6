/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_try.h - configurations from text, for the tests of config*.c. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "config_build.h"
#include "tap.h"

struct attempt {
	struct conf_input *in;
	struct config *c; /* of what is right, even when there are mistakes */
	char *told;       /* all mistakes */
};

/* Its mistakes are told for a file called t.conf. */
__attribute__((unused)) static struct attempt try_text(const char *text, enum conf_purpose purpose)
{
	struct attempt t = { .in = conf_input_new() };
	size_t n;
	FILE *f = open_memstream(&t.told, &n);

	if (!t.in || !f || conf_input_text(t.in, "t.conf", span_str(text)) < 0 ||
	    conf_build(t.in, purpose, &t.c) < 0)
		abort();
	conf_mistakes_print(t.in, f);
	fclose(f);
	return t;
}

__attribute__((unused)) static void try_end(struct attempt *t)
{
	config_free(t->c);
	conf_input_free(t->in);
	free(t->told);
	*t = (struct attempt){ 0 };
}

/* The least that a gateway can run with. */
#define LEAST "[pool \"default\"]\nnetwork4 = 10.99.99.1\n"
