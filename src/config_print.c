/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_print.c - the configuration that holds, as a file, with the place each value comes from.
 *
 * The output can be read again and gives the same values: values are shown as they were written,
 * each assignment to a list on a line of its own, and places stand in comments.
 */
#include "config_build.h"
#include "ini.h"

#define PLACE_COLUMN 48 /* where places stand, when the value leaves room */

static void print_line(const struct conf_input *in, FILE *out, const char *key, const char *value,
		       struct conf_origin at)
{
	char buf[CONF_ORIGIN];
	const char *where = conf_origin_str(in, at, buf);
	int width = PLACE_COLUMN - (int)strlen(key) - 3;

	if (strlen(key) + strlen(value) + strlen(where) + PLACE_COLUMN < INI_LINE_MAX)
		fprintf(out, "%s = %-*s # %s\n", key, width, value, where);
	else
		fprintf(out, "# %s\n%s=%s\n", where, key, value);
}

static void print_key(const struct conf_input *in, FILE *out, const struct conf_key *k,
		      const struct conf_setting *s)
{
	bool dflt = k->list ? !s->set : s->n == 0;

	if (dflt && *k->dflt)
		print_line(in, out, k->key, k->dflt, (struct conf_origin){ 0 });
	else if (dflt && !k->later)
		print_line(in, out, k->key, "", (struct conf_origin){ 0 });
	else if (!dflt && s->n == 0)
		print_line(in, out, k->key, k->clears ? "none" : "", s->at);
	for (size_t i = 0; !dflt && i < s->n; i++)
		print_line(in, out, k->key, s->line[i].text, s->line[i].at);
}

/* Without a value of its own it says what others do, and no line could say that. */
static bool inherits(const struct conf_key *k, const struct conf_setting *s)
{
	return strcmp(k->section, "profile") == 0 && (k->list ? !s->set : s->n == 0);
}

static void print_section(const struct conf_input *in, FILE *out, const char *section,
			  const struct conf_part *part)
{
	for (size_t i = 0; i < conf_n_keys; i++)
		if (strcmp(conf_keys[i].section, section) == 0 &&
		    !inherits(&conf_keys[i], &part->setting[i]))
			print_key(in, out, &conf_keys[i], &part->setting[i]);
}

static void print_named(const struct conf_input *in, FILE *out, const char *section,
			const struct conf_part *part, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "\n[%s \"%s\"]\n", section, part[i].name);
		print_section(in, out, section, &part[i]);
	}
}

void conf_print_input(const struct conf_input *in, FILE *out)
{
	for (size_t i = 0; i < conf_n_sections; i++) {
		const struct conf_section *def = &conf_sections[i];

		if (def->later)
			continue;
		if (!def->named) {
			fprintf(out, "%s[%s]\n", i ? "\n" : "", def->name);
			print_section(in, out, def->name, &in->global);
		}
		if (strcmp(def->name, "pool") == 0)
			print_named(in, out, def->name, in->pool, in->n_pools);
		if (strcmp(def->name, "profile") == 0)
			print_named(in, out, def->name, in->profile, in->n_profiles);
	}
}
