/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_values.c - what a value may look like: words, numbers, times, names, paths; and the
 * helpers that all parsers share.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "config_keys.h"
#include "text.h"

_Static_assert(sizeof(enum conf_auth_source) == sizeof(unsigned) &&
		       sizeof(enum conf_forwarding) == sizeof(unsigned) &&
		       sizeof(enum ike_check) == sizeof(unsigned) &&
		       sizeof(enum ike_unique) == sizeof(unsigned) &&
		       sizeof(enum ike_natt) == sizeof(unsigned) &&
		       sizeof(enum ike_frag) == sizeof(unsigned),
	       "conf_parse_enum() stores an unsigned");

/* ---- shared by all parsers ---- */

void *conf_field(const struct conf_arg *a)
{
	return (char *)a->base + a->key->field;
}

const char *conf_shown(const char *text, char buf[static CONF_SHOWN])
{
	return text_escape(span_str(text), buf, CONF_SHOWN);
}

int conf_wrong(struct conf_arg *a, size_t at, const char *fmt, ...)
{
	int n = snprintf(a->why, sizeof(a->why), "%s: ", a->key->key);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why + n, sizeof(a->why) - (size_t)n, fmt, ap);
	va_end(ap);
	a->at = at;
	return -EINVAL;
}

int conf_not_yet(struct conf_arg *a, const char *word, const char *later)
{
	snprintf(a->why, sizeof(a->why), "%s%s%s is not yet supported: %s; remove it", a->key->key,
		 word ? " " : "", word ? word : "", later);
	a->at = 0;
	return -EINVAL;
}

int conf_append(struct conf_arg *a, const void *value, size_t size,
		bool (*same)(const void *, const void *))
{
	uint8_t *n = (uint8_t *)a->base + a->key->count;
	char *array = conf_field(a), buf[CONF_SHOWN];

	for (size_t i = 0; i < *n; i++)
		if (same(array + i * size, value))
			return conf_wrong(a, 0, "'%s' is in the list twice, expected it once",
					  conf_shown(a->text, buf));
	if (*n == a->key->max)
		return conf_wrong(a, 0, "'%s' is one too many, expected at most %u",
				  conf_shown(a->text, buf), (unsigned)a->key->max);
	memcpy(array + *n * size, value, size);
	*n += 1;
	return 0;
}

bool conf_next_item(const char *text, size_t *pos, char *buf, size_t *ret_at)
{
	size_t len = strlen(text), from = *pos, to;

	if (from > len)
		return false;
	to = from + strcspn(text + from, ",");
	*pos = to + 1;
	from += strspn(text + from, " \t");
	if (from > to) /* nothing but white space, and a comma behind it */
		from = to;
	while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\t'))
		to--;
	memcpy(buf, text + from, to - from);
	buf[to - from] = '\0';
	*ret_at = from;
	return true;
}

static int set_string(struct conf_arg *a, const char *s)
{
	char **field = conf_field(a), *copy = strdup(s);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* ---- words ---- */

/* "a, b or c": the words that are supported. */
static const char *choices(const struct conf_key *k, char *buf, size_t cap)
{
	const struct conf_word *end = k->words, *last = NULL;
	size_t n = 0;

	for (; end->word; end++)
		if (!end->later)
			last = end;
	snprintf(buf, cap, "%s", k->clears ? "none" : "");
	for (const struct conf_word *w = k->words; w->word; w++) {
		if (w->later)
			continue;
		n += (size_t)snprintf(buf + n, cap - n, "%s%s",
				      n == 0      ? ""
				      : w == last ? " or "
						  : ", ",
				      w->word);
		if (n >= cap)
			break;
	}
	return buf;
}

static int find_word(struct conf_arg *a, unsigned *ret)
{
	char buf[CONF_SHOWN], expected[128];

	for (const struct conf_word *w = a->key->words; w->word; w++) {
		if (strcmp(w->word, a->text) != 0)
			continue;
		if (w->later)
			return conf_not_yet(a, w->word, w->later);
		*ret = w->value;
		return 0;
	}
	return conf_wrong(a, 0, "unknown word '%s', expected %s", conf_shown(a->text, buf),
			  choices(a->key, expected, sizeof(expected)));
}

int conf_parse_enum(struct conf_arg *a)
{
	unsigned v;
	int rc = find_word(a, &v);

	if (rc < 0)
		return rc;
	memcpy(conf_field(a), &v, sizeof(v));
	return 0;
}

int conf_parse_flag(struct conf_arg *a)
{
	unsigned v;
	int rc = find_word(a, &v);

	if (rc < 0)
		return rc;
	*(bool *)conf_field(a) = v != 0;
	return 0;
}

int conf_parse_fixed(struct conf_arg *a)
{
	unsigned v;

	return find_word(a, &v);
}

static bool same_u16(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(uint16_t)) == 0;
}

int conf_parse_words(struct conf_arg *a)
{
	unsigned v;
	int rc = find_word(a, &v);
	uint16_t value = (uint16_t)v;

	return rc < 0 ? rc : conf_append(a, &value, sizeof(value), same_u16);
}

/* ---- numbers and times ---- */

int conf_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > max)
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

static const struct {
	char letter;
	uint32_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

const char *conf_seconds(const char *s, uint64_t *ret)
{
	char digits[16];
	size_t n = strspn(s, "0123456789");
	uint64_t v;

	if (n == 0 || n >= sizeof(digits))
		return "is not a time";
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (conf_number(digits, UINT32_MAX, &v) < 0)
		return "is not a time";
	if (!s[n] && v == 0) {
		*ret = 0;
		return NULL;
	}
	if (!s[n])
		return "has no unit";
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (s[n] == units[i].letter && !s[n + 1]) {
			*ret = v * units[i].seconds;
			return NULL;
		}
	return "is not a time";
}

const char *conf_seconds_str(uint64_t s, char buf[static 32])
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (s && s % units[i].seconds == 0) {
			snprintf(buf, 32, "%llu%c", (unsigned long long)(s / units[i].seconds),
				 units[i].letter);
			return buf;
		}
	snprintf(buf, 32, "0");
	return buf;
}

static int bounded_seconds(struct conf_arg *a, uint64_t *ret)
{
	char buf[CONF_SHOWN], lo[32], hi[32];
	const char *bad = conf_seconds(a->text, ret);

	if (bad)
		return conf_wrong(a, 0, "'%s' %s, expected one such as 20s, 5m, 24h or 30d",
				  conf_shown(a->text, buf), bad);
	if (*ret < a->key->min || *ret > a->key->max)
		return conf_wrong(a, 0, "'%s' is out of bounds, expected %s to %s",
				  conf_shown(a->text, buf), conf_seconds_str(a->key->min, lo),
				  conf_seconds_str(a->key->max, hi));
	return 0;
}

int conf_parse_seconds(struct conf_arg *a)
{
	uint64_t v;
	int rc = bounded_seconds(a, &v);

	if (rc < 0)
		return rc;
	*(uint32_t *)conf_field(a) = (uint32_t)v;
	return 0;
}

int conf_parse_microseconds(struct conf_arg *a)
{
	uint64_t v;
	int rc = bounded_seconds(a, &v);

	if (rc < 0)
		return rc;
	*(uint64_t *)conf_field(a) = v * 1000000;
	return 0;
}

static bool is_off(const char *text)
{
	uint64_t v;

	return strcmp(text, "off") == 0 || (!conf_seconds(text, &v) && v == 0);
}

int conf_parse_keep(struct conf_arg *a)
{
	if (is_off(a->text)) {
		*(uint32_t *)conf_field(a) = 0;
		return 0;
	}
	return conf_parse_seconds(a);
}

int conf_parse_limit(struct conf_arg *a)
{
	if (is_off(a->text)) {
		*(uint64_t *)conf_field(a) = 0;
		return 0;
	}
	return conf_parse_microseconds(a);
}

int conf_parse_number(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	uint64_t v;

	if (conf_number(a->text, a->key->max, &v) < 0 || v < a->key->min)
		return conf_wrong(a, 0, "'%s' is out of bounds, expected a number from %u to %u",
				  conf_shown(a->text, buf), (unsigned)a->key->min,
				  (unsigned)a->key->max);
	*(uint32_t *)conf_field(a) = (uint32_t)v;
	return 0;
}

/* ---- not yet supported, but a mistake in it is still told first ---- */

/* What the key does without being set, 0 or nothing, may be written. */
static bool is_neutral(const struct conf_arg *a, uint64_t v)
{
	return v == 0 && strcmp(a->key->dflt, "0") == 0;
}

int conf_parse_later_seconds(struct conf_arg *a)
{
	uint64_t v;
	int rc = bounded_seconds(a, &v);

	return rc < 0 ? rc : is_neutral(a, v) ? 0 : conf_not_yet(a, NULL, a->key->later);
}

/* ---- names ---- */

/* A name from the user database: anything that can be shown and is not punctuation of this file. */
static int check_group(struct conf_arg *a, size_t max)
{
	char buf[CONF_SHOWN];

	if (a->text[0] == '#' || strchr(a->text, ',') || !text_is_clean(span_str(a->text)))
		return conf_wrong(a, 0, "'%s' is no name of a group, expected one such as vpnusers",
				  conf_shown(a->text, buf));
	if (strlen(a->text) > max)
		return conf_wrong(a, 0, "a name of %zu bytes, expected at most %zu",
				  strlen(a->text), max);
	return 0;
}

int conf_parse_name(struct conf_arg *a)
{
	int rc = check_group(a, a->key->max);

	if (rc < 0)
		return rc;
	memcpy(conf_field(a), a->text, strlen(a->text) + 1);
	return 0;
}

static int add_group(struct conf_arg *a, char ***list, size_t *n)
{
	char **more, buf[CONF_SHOWN];
	int rc = check_group(a, LIMIT_GROUP_NAME);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*list)[i], a->text) == 0)
			return conf_wrong(a, 0, "'%s' is in the list twice, expected it once",
					  conf_shown(a->text, buf));
	if (*n == a->key->max)
		return conf_wrong(a, 0, "'%s' is one too many, expected at most %u",
				  conf_shown(a->text, buf), (unsigned)a->key->max);
	more = reallocarray(*list, *n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	more[*n] = strdup(a->text);
	if (!more[*n])
		return -ENOMEM;
	*n += 1;
	return 0;
}

int conf_parse_groups(struct conf_arg *a)
{
	struct conf_auth *auth = &((struct config *)a->base)->auth;

	return add_group(a, &auth->groups, &auth->n_groups);
}

int conf_parse_match_group(struct conf_arg *a)
{
	struct conf_profile *p = a->base;

	return add_group(a, &p->group, &p->n_groups);
}

static bool is_file_name(const char *s)
{
	return *s && *s != '.' &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] ==
		       '\0';
}

int conf_parse_service(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	if (!is_file_name(a->text) || strlen(a->text) > a->key->max)
		return conf_wrong(a, 0,
				  "'%s' is no service name, expected the name of a file in "
				  "/etc/pam.d, at most %u bytes",
				  conf_shown(a->text, buf), (unsigned)a->key->max);
	memcpy(conf_field(a), a->text, strlen(a->text) + 1);
	return 0;
}

/* ---- paths ---- */

static bool is_path(const char *s)
{
	return s[0] == '/' && s[strlen(s) - 1] != '/';
}

int conf_parse_path(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	if (!is_path(a->text))
		return conf_wrong(a, 0,
				  "'%s' is no path of a file, expected one that begins with /",
				  conf_shown(a->text, buf));
	return set_string(a, a->text);
}

int conf_parse_store(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	if (strcmp(a->text, "none") == 0)
		return set_string(a, "");
	if (!is_path(a->text))
		return conf_wrong(a, 0,
				  "'%s' is no path of a file, expected one that begins with /, or "
				  "none",
				  conf_shown(a->text, buf));
	return set_string(a, a->text);
}

bool conf_is_secret_file(const char *s)
{
	static const char credential[] = "credential:";

	return is_path(s) || (strncmp(s, credential, strlen(credential)) == 0 &&
			      is_file_name(s + strlen(credential)));
}

int conf_parse_secret_file(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	if (conf_is_secret_file(a->text))
		return set_string(a, a->text);
	return conf_wrong(a, 0,
			  "'%s' names no file, expected a path that begins with /, or "
			  "credential:NAME",
			  conf_shown(a->text, buf));
}

int conf_parse_private_key(struct conf_arg *a)
{
	static const char token[] = "pkcs11:";
	char buf[CONF_SHOWN];

	if (strncmp(a->text, token, strlen(token)) == 0)
		return conf_not_yet(a, "pkcs11:", "it will use a key that stays in a token or HSM");
	if (conf_is_secret_file(a->text))
		return set_string(a, a->text);
	return conf_wrong(a, 0,
			  "'%s' names no key, expected a path that begins with /, or "
			  "credential:NAME",
			  conf_shown(a->text, buf));
}
