/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_read.c - takes in the files: sections and keys are found in the table, assignments are
 * merged. What values mean is not looked at here.
 */
#include "config_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ini.h"
#include "text.h"

#define FILE_MAX (1u << 20) /* bytes */

/* ---- the collection ---- */

static struct conf_setting *settings_new(void)
{
	return calloc(conf_n_keys, sizeof(struct conf_setting));
}

static void clear_lines(struct conf_setting *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->line[i].text);
	free(s->line);
	s->line = NULL;
	s->n = 0;
}

static void settings_free(struct conf_setting *s)
{
	for (size_t i = 0; s && i < conf_n_keys; i++)
		clear_lines(&s[i]);
	free(s);
}

struct conf_input *conf_input_new(void)
{
	struct conf_input *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->global.setting = settings_new();
	return in->global.setting ? in : conf_input_free(in);
}

struct conf_input *conf_input_free(struct conf_input *in)
{
	if (!in)
		return NULL;
	for (size_t i = 0; i < in->n_files; i++)
		free(in->file[i]);
	free(in->file);
	settings_free(in->global.setting);
	for (size_t i = 0; i < in->n_pools; i++)
		settings_free(in->pool[i].setting);
	free(in->pool);
	for (size_t i = 0; i < in->n_profiles; i++)
		settings_free(in->profile[i].setting);
	free(in->profile);
	for (size_t i = 0; i < in->n_mistakes; i++)
		free(in->mistake[i].text);
	free(in->mistake);
	free(in);
	return NULL;
}

struct conf_setting *conf_setting(const struct conf_part *part, const char *section,
				  const char *key)
{
	size_t i = conf_key_find(section, key);

	return i < conf_n_keys ? &part->setting[i] : NULL;
}

/* ---- mistakes ---- */

void conf_mistake(struct conf_input *in, struct conf_origin at, const char *fmt, ...)
{
	struct conf_mistake *more =
		reallocarray(in->mistake, in->n_mistakes + 1, sizeof(*in->mistake));
	char *text = NULL;
	va_list ap;
	int n;

	if (!more) {
		in->error = -ENOMEM;
		return;
	}
	in->mistake = more;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		in->error = -ENOMEM;
		return;
	}
	in->mistake[in->n_mistakes++] = (struct conf_mistake){ .at = at, .text = text };
}

/* Those of one place stay in the order in which they were told, which is not qsort()'s promise. */
static int by_place(const void *x, const void *y)
{
	const struct conf_mistake *const *a = x, *const *b = y;
	const struct conf_origin *p = &(*a)->at, *q = &(*b)->at;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	if (p->col != q->col)
		return p->col < q->col ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

static const char *file_of(const struct conf_input *in, struct conf_origin at,
			   char buf[static CONF_ORIGIN])
{
	if (at.file == 0 || at.file > in->n_files)
		return "default";
	return text_escape(span_str(in->file[at.file - 1]), buf, CONF_ORIGIN - 16);
}

void conf_mistakes_print(struct conf_input *in, FILE *out)
{
	_cleanup_free_ struct conf_mistake **order = NULL;
	char buf[CONF_ORIGIN];

	if (in->n_mistakes)
		order = calloc(in->n_mistakes, sizeof(struct conf_mistake *));
	for (size_t i = 0; order && i < in->n_mistakes; i++)
		order[i] = &in->mistake[i];
	if (order)
		qsort(order, in->n_mistakes, sizeof(struct conf_mistake *), by_place);
	for (size_t i = 0; i < in->n_mistakes; i++) {
		const struct conf_mistake *m = order ? order[i] : &in->mistake[i],
					  *before = order && i ? order[i - 1] : NULL;

		/* A value that several pools share is wrong once. */
		if (before && memcmp(&m->at, &before->at, sizeof(m->at)) == 0 &&
		    strcmp(m->text, before->text) == 0)
			continue;
		fprintf(out, "%s:%u:%u: %s\n", file_of(in, m->at, buf), m->at.line, m->at.col,
			m->text);
	}
}

const char *conf_origin_str(const struct conf_input *in, struct conf_origin at,
			    char buf[static CONF_ORIGIN])
{
	if (at.file == 0)
		return "default";
	file_of(in, at, buf);
	snprintf(buf + strlen(buf), 16, ":%u", at.line);
	return buf;
}

char *conf_place_str(const struct conf_input *in, const char *section, const char *key)
{
	const struct conf_setting *s = conf_setting(&in->global, section, key);
	struct conf_origin at = s->set ? s->at : (struct conf_origin){ 1, 1, 1 };
	char buf[CONF_ORIGIN], *text;

	return asprintf(&text, "%s:%u:%u", file_of(in, at, buf), at.line, at.col) < 0 ? NULL : text;
}

struct conf_origin conf_origin_in(struct conf_origin at, const char *value, size_t offset)
{
	for (size_t i = 0; i < offset && value[i]; i++)
		at.col += (value[i] & 0xc0) != 0x80;
	return at;
}

/* ---- sections ---- */

static struct conf_origin here(const struct conf_input *in, unsigned line, unsigned col)
{
	return (struct conf_origin){ (unsigned)in->n_files, line, col };
}

static const char *nearest_section(const char *name)
{
	const char *names[16];
	size_t n = 0;

	for (size_t i = 0; i < conf_n_sections && n < ARRAY_SIZE(names); i++)
		names[n++] = conf_sections[i].name;
	return text_nearest(name, names, n);
}

static struct conf_part *find_part(struct conf_part *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static bool is_part_name(const char *s)
{
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] ==
	       '\0';
}

/* One that an earlier file has named is added to; twice in one file is a slip. */
static struct conf_part *open_part(struct conf_input *in, const char *kind, const char *name,
				   struct conf_origin at)
{
	bool pool = strcmp(kind, "pool") == 0;
	struct conf_part **list = pool ? &in->pool : &in->profile;
	size_t *n = pool ? &in->n_pools : &in->n_profiles,
	       max = pool ? LIMIT_POOLS : LIMIT_PROFILES;
	struct conf_part *p = find_part(*list, *n, name), *more;
	char buf[CONF_SHOWN];

	if (p && p->at.file == at.file) {
		conf_mistake(in, at, "[%s \"%s\"] is in line %u already, expected another name",
			     kind, name, p->at.line);
		return NULL;
	}
	if (p) {
		p->at = at;
		return p;
	}
	if (!is_part_name(name)) {
		conf_mistake(in, at,
			     "'%s' is no name for a %s, expected letters, digits, '.', '_', '-'",
			     conf_shown(name, buf), kind);
		return NULL;
	}
	if (*n == max) {
		conf_mistake(in, at, "[%s \"%s\"] is one too many, expected at most %zu", kind,
			     name, max);
		return NULL;
	}
	more = reallocarray(*list, *n + 1, sizeof(*more));
	if (!more) {
		in->error = -ENOMEM;
		return NULL;
	}
	*list = more;
	p = &more[*n];
	*p = (struct conf_part){ .at = at, .setting = settings_new() };
	if (!p->setting) {
		in->error = -ENOMEM;
		return NULL;
	}
	snprintf(p->name, sizeof(p->name), "%s", name);
	*n += 1;
	return p;
}

static void on_section(void *user, const struct ini_section *s)
{
	struct conf_input *in = user;
	struct conf_origin at = here(in, s->line, s->col);
	const struct conf_section *def = conf_section_find(s->name);
	const char *near = nearest_section(s->name);

	in->section = NULL;
	in->part = NULL;
	if (!def && near)
		conf_mistake(in, at, "unknown section [%s], did you mean [%s]?", s->name, near);
	else if (!def)
		conf_mistake(in, at, "unknown section [%s], expected one of vpngw.conf(5)",
			     s->name);
	else if (def->named && !s->argument)
		conf_mistake(in, at, "[%s] has no name, expected one as in [%s \"default\"]",
			     s->name, s->name);
	else if (!def->named && s->argument)
		conf_mistake(in, at, "[%s] has a name, expected [%s]", s->name, s->name);
	else if (def->later)
		conf_mistake(in, at, "[%s] is not yet supported: %s; remove it", s->name,
			     def->later);
	else
		in->part = def->named ? open_part(in, def->name, s->argument, at) : &in->global;
	if (in->part)
		in->section = def;
}

/* ---- keys ---- */

static void unknown_key(struct conf_input *in, struct conf_origin at, const char *key)
{
	const char *names[64], *near, *section = in->section->name;
	size_t n = 0;

	for (size_t i = 0; i < conf_n_keys; i++)
		if (strcmp(conf_keys[i].key, key) == 0) {
			conf_mistake(in, at, "unknown key '%s' in [%s], did you mean it in [%s]?",
				     key, section, conf_keys[i].section);
			return;
		}
	for (size_t i = 0; i < conf_n_keys && n < ARRAY_SIZE(names); i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			names[n++] = conf_keys[i].key;
	near = text_nearest(key, names, n);
	if (near)
		conf_mistake(in, at, "unknown key '%s' in [%s], did you mean '%s'?", key, section,
			     near);
	else
		conf_mistake(in, at, "unknown key '%s' in [%s], expected one of vpngw.conf(5)", key,
			     section);
}

static int add_line(struct conf_setting *s, const char *text, struct conf_origin at)
{
	struct conf_line *more = reallocarray(s->line, s->n + 1, sizeof(*more));
	char *copy = strdup(text);

	if (more)
		s->line = more;
	if (!more || !copy) {
		free(copy);
		return -ENOMEM;
	}
	s->line[s->n++] = (struct conf_line){ .text = copy, .at = at };
	return 0;
}

static void on_pair(void *user, const struct ini_pair *p)
{
	struct conf_input *in = user;
	const struct conf_key *k;
	struct conf_setting *s;
	size_t i;

	if (!in->section)
		return;
	i = conf_key_find(in->section->name, p->key);
	if (i == conf_n_keys) {
		unknown_key(in, here(in, p->line, p->key_col), p->key);
		return;
	}
	k = &conf_keys[i];
	s = &in->part->setting[i];
	s->set = true;
	s->at = here(in, p->line, p->value_col);
	if (!k->list || !*p->value || (k->clears && strcmp(p->value, "none") == 0))
		clear_lines(s);
	if (*p->value && !(k->clears && strcmp(p->value, "none") == 0) &&
	    add_line(s, p->value, s->at) < 0)
		in->error = -ENOMEM;
}

static void on_error(void *user, unsigned line, unsigned col, const char *what)
{
	struct conf_input *in = user;

	conf_mistake(in, here(in, line, col), "%s", what);
}

/* ---- files ---- */

static int add_file(struct conf_input *in, const char *name)
{
	char **more = reallocarray(in->file, in->n_files + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	in->file = more;
	more[in->n_files] = strdup(name);
	if (!more[in->n_files])
		return -ENOMEM;
	in->n_files++;
	return 0;
}

static int read_text(struct conf_input *in, struct span text)
{
	static const struct ini_ops ops = { on_section, on_pair, on_error };

	in->section = NULL;
	in->part = NULL;
	ini_read(text, &ops, in); /* what is wrong is among the mistakes */
	return in->error;
}

int conf_input_text(struct conf_input *in, const char *file, struct span text)
{
	int rc = add_file(in, file);

	return rc < 0 ? rc : read_text(in, text);
}

/* -errno when it cannot be read, which is a mistake as well. */
static int read_file(struct conf_input *in, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t n;
	int rc = add_file(in, path);

	if (rc < 0)
		return rc;
	rc = conf_file_read(path, FILE_MAX, &text, &n);
	if (rc < 0) {
		conf_mistake(in, here(in, 1, 1), "cannot be read: %s, expected a text file",
			     rc == -EINVAL ? "Not a regular file" : strerror(-rc));
		return rc;
	}
	return read_text(in, (struct span){ (const uint8_t *)text, n });
}

int conf_input_read(struct conf_input *in, const struct conf_places *places)
{
	char **dropin = NULL;
	size_t n = 0;
	int rc = read_file(in, places->main);

	if (rc < 0)
		return rc;
	rc = conf_dropins(in, places, &dropin, &n);
	for (size_t i = 0; i < n; i++) {
		if (rc != -ENOMEM)
			rc = read_file(in, dropin[i]);
		free(dropin[i]);
	}
	free(dropin);
	return rc == -ENOMEM || in->error < 0 ? -ENOMEM : 0;
}
