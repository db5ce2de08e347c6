/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openmetrics.h - reads OpenMetrics text as strictly as the parts of it that we write allow. */
#pragma once

#include "tap.h"

#define OM_SAMPLES 4096

struct om {
	char *copy; /* owned */
	struct {
		const char *name, *labels, *value; /* borrowed from copy; labels without { } */
	} sample[OM_SAMPLES];
	unsigned n;
};

static bool om_wrong(const char *line, const char *what)
{
	printf("# %s: %s\n", what, line);
	return false;
}

static bool om_is_name(const char *s, size_t n)
{
	return n && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") >= n &&
	       !strchr("0123456789", *s);
}

/* name="text",name="text"; where it ends, or NULL. */
static char *om_labels(char *s)
{
	for (;;) {
		size_t n = strcspn(s, "=");

		if (!om_is_name(s, n) || s[n] != '=' || s[n + 1] != '"')
			return NULL;
		for (s += n + 2; *s && *s != '"'; s++)
			if (*s == '\\' && !strchr("\\\"n", *++s))
				return NULL;
		if (*s++ != '"')
			return NULL;
		if (*s != ',')
			return s;
		s++;
	}
}

/* The family of the lines that follow, what type and unit it has. */
struct om_family {
	char name[128], type[16], unit[16];
	bool helped;
};

static bool om_comment(const char *line, struct om_family *f, char seen[static 65536])
{
	char word[8], name[128], rest[512], key[136];

	if (sscanf(line, "# %7s %127s %511[^\n]", word, name, rest) != 3)
		return om_wrong(line, "no comment of OpenMetrics");
	if (strcmp(word, "TYPE") == 0) {
		snprintf(key, sizeof(key), " %s ", name);
		if (strstr(seen, key))
			return om_wrong(line, "a family twice");
		strcat(seen, key);
		*f = (struct om_family){ 0 };
		snprintf(f->name, sizeof(f->name), "%s", name);
		snprintf(f->type, sizeof(f->type), "%.15s", rest);
		return om_is_name(name, strlen(name)) &&
		       (strstr(" gauge counter info ", f->type) || om_wrong(line, "type"));
	}
	if (strcmp(name, f->name) != 0)
		return om_wrong(line, "of another family");
	if (strcmp(word, "UNIT") == 0) {
		snprintf(f->unit, sizeof(f->unit), "%.15s", rest);
		return strlen(name) > strlen(rest) + 1 &&
		       strcmp(name + strlen(name) - strlen(rest), rest) == 0;
	}
	f->helped = strcmp(word, "HELP") == 0;
	return f->helped || om_wrong(line, "no word of OpenMetrics");
}

static bool om_sample(char *line, const struct om_family *f, struct om *ret)
{
	const char *suffix = strcmp(f->type, "counter") == 0 ? "_total"
			     : strcmp(f->type, "info") == 0  ? "_info"
							     : "";
	size_t n = strcspn(line, "{ "), family = strlen(f->name);
	char *labels = NULL, *rest = line + n;

	if (!f->helped || strncmp(line, f->name, family) != 0 || n != family + strlen(suffix) ||
	    strncmp(line + family, suffix, n - family) != 0)
		return om_wrong(line, "no sample of the family before it");
	if (*rest == '{') {
		labels = rest + 1;
		rest = om_labels(labels);
		if (!rest || *rest != '}')
			return om_wrong(line, "labels");
		*rest++ = '\0';
	}
	if (*rest != ' ' || !rest[1] || strspn(rest + 1, "0123456789") != strlen(rest + 1) ||
	    ret->n == OM_SAMPLES)
		return om_wrong(line, "a value");
	line[n] = '\0';
	ret->sample[ret->n].name = line;
	ret->sample[ret->n].labels = labels ? labels : "";
	ret->sample[ret->n++].value = rest + 1;
	return true;
}

/* False, and said why, when it is not. */
static bool om_read(const char *text, struct om *ret)
{
	static char seen[65536];
	struct om_family f = { 0 };
	char *line, *end;

	free(ret->copy);
	*ret = (struct om){ .copy = strdup(text) };
	seen[0] = '\0';
	for (line = ret->copy; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (strcmp(line, "# EOF") == 0)
			return !end[1] || om_wrong(end + 1, "text behind the end");
		if (*line == '#' ? !om_comment(line, &f, seen) : !om_sample(line, &f, ret))
			return false;
	}
	return om_wrong(line, "no end");
}

/* The value of a sample, NULL without one; labels NULL: any. */
static const char *om_get(const struct om *om, const char *name, const char *labels)
{
	for (unsigned i = 0; i < om->n; i++)
		if (strcmp(om->sample[i].name, name) == 0 &&
		    (!labels || strcmp(om->sample[i].labels, labels) == 0))
			return om->sample[i].value;
	return NULL;
}
