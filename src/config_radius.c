/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_radius.c - [radius]: what its values may look like, and what they say together with
 * others.
 *
 * Servers are addresses: with a name, each login would hang on DNS as well. A secret is a file,
 * never text: everybody may read this configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_build.h"
#include "text.h"

/* ---- values ---- */

#define PORT        1812 /* RFC 2865 3 */
#define TIMEOUT_S   2
#define TIMEOUT_MAX 60
#define RETRIES     1
#define RETRIES_MAX 10

static bool same_server(const void *a, const void *b)
{
	const struct conf_radius_server *x = a, *y = b;

	return endpoint_eq(&x->at, &y->at);
}

static int parse_at(struct conf_arg *a, const char *word, struct endpoint *ret)
{
	char buf[CONF_SHOWN];

	*ret = (struct endpoint){ .port = PORT };
	if (ipaddr_parse(word, &ret->addr) == 0 || (endpoint_parse(word, ret) == 0 && ret->port))
		return 0;
	return conf_wrong(a, 0,
			  "'%s' is no address of a server, expected one such as 10.0.12.5, "
			  "10.0.12.5:1812 or [fd00:12::5]:1812",
			  conf_shown(word, buf));
}

/* "on" or "off" */
static int parse_lax(struct conf_arg *a, size_t at, const char *value, bool *ret)
{
	char buf[CONF_SHOWN];

	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return conf_wrong(a, at, "require_message_authenticator=%s, expected on or off",
				  conf_shown(value, buf));
	*ret = strcmp(value, "off") == 0;
	return 0;
}

static int parse_option(struct conf_arg *a, size_t at, const char *name, const char *value,
			struct conf_radius_server *s)
{
	char buf[CONF_SHOWN];
	uint64_t v;

	if (strcmp(name, "secret") == 0) {
		if (!*value || !conf_is_secret_file(value))
			return conf_wrong(a, at,
					  "secret=%s names no file, expected a path that begins "
					  "with /, or credential:NAME",
					  *value ? "..." : "");
		free(s->secret);
		s->secret = strdup(value);
		return s->secret ? 0 : -ENOMEM;
	}
	if (strcmp(name, "timeout") == 0) {
		if (conf_seconds(value, &v) || v < 1 || v > TIMEOUT_MAX)
			return conf_wrong(a, at, "timeout=%s, expected 1s to %ds",
					  conf_shown(value, buf), TIMEOUT_MAX);
		s->timeout_s = (uint32_t)v;
		return 0;
	}
	if (strcmp(name, "retries") == 0) {
		if (conf_number(value, RETRIES_MAX, &v) < 0)
			return conf_wrong(a, at, "retries=%s, expected 0 to %d",
					  conf_shown(value, buf), RETRIES_MAX);
		s->retries = (uint32_t)v;
		return 0;
	}
	if (strcmp(name, "require_message_authenticator") == 0)
		return parse_lax(a, at, value, &s->lax);
	return conf_wrong(a, at,
			  "unknown option '%s', expected secret=, timeout=, retries= or "
			  "require_message_authenticator=",
			  conf_shown(name, buf));
}

/* The address, then NAME=VALUE, with blanks between them. */
static int parse_words(struct conf_arg *a, char *copy, struct conf_radius_server *s)
{
	char *save, *word = strtok_r(copy, " \t", &save);
	int rc = parse_at(a, word, &s->at);

	while (rc == 0 && (word = strtok_r(NULL, " \t", &save))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		rc = parse_option(a, (size_t)(word - copy), word, value ? value : "", s);
	}
	if (rc == 0 && !s->secret)
		rc = conf_wrong(a, 0,
				"a server without a secret, expected secret=FILE behind its "
				"address, with a path or credential:NAME");
	return rc;
}

int conf_parse_radius_server(struct conf_arg *a)
{
	struct conf_radius_server s = { .timeout_s = TIMEOUT_S, .retries = RETRIES };
	char *copy = strdup(a->text);
	int rc = copy ? parse_words(a, copy, &s) : -ENOMEM;

	if (rc == 0)
		rc = conf_append(a, &s, sizeof(s), same_server);
	if (rc < 0)
		free(s.secret);
	free(copy);
	return rc;
}

int conf_parse_nas_identifier(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	if (!text_is_clean(span_str(a->text)) || strlen(a->text) > a->key->max)
		return conf_wrong(a, 0, "'%s' is no name, expected one of at most %u bytes",
				  conf_shown(a->text, buf), (unsigned)a->key->max);
	memcpy(conf_field(a), a->text, strlen(a->text) + 1);
	return 0;
}

/* ---- together ---- */

static bool is_good(const struct conf_input *in, const char *section, const char *key)
{
	return !conf_setting(&in->global, section, key)->bad;
}

/* The last server has to have its time before the check of a password is given up. */
void conf_check_radius(struct conf_input *in, const struct config *c)
{
	const struct conf_auth *auth = &c->auth;
	uint64_t seconds = 0;

	if (!is_good(in, "auth", "auth_source") || !is_good(in, "radius", "auth_server") ||
	    auth->source != CONF_AUTH_RADIUS)
		return;
	if (!auth->n_radius)
		conf_mistake(in, conf_setting(&in->global, "auth", "auth_source")->at,
			     "auth_source: radius without a server, expected one in [radius] "
			     "auth_server");
	for (size_t i = 0; i < auth->n_radius; i++)
		seconds += (uint64_t)auth->radius[i].timeout_s * (auth->radius[i].retries + 1);
	if (is_good(in, "auth", "deadline") && seconds >= auth->deadline_s)
		conf_mistake(in, conf_setting(&in->global, "radius", "auth_server")->at,
			     "auth_server: silent servers are waited for %llu seconds, expected "
			     "less than [auth] deadline of %u: a smaller timeout or retries, or a "
			     "longer deadline",
			     (unsigned long long)seconds, auth->deadline_s);
}

int conf_warn_radius(struct config *c)
{
	char buf[ENDPOINT_STRLEN];
	int rc = 0;

	for (size_t i = 0; i < c->auth.n_radius && rc == 0; i++)
		if (c->auth.radius[i].lax)
			rc = conf_warn(c,
				       "[radius] auth_server: require_message_authenticator=off: "
				       "whoever is between here and %s can forge its answers and "
				       "let anybody in",
				       endpoint_str(&c->auth.radius[i].at, buf));
	return rc;
}
