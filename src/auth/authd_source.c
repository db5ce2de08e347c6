/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_source.c - what is the same for every source of users: refusals and the group rule. */
#include "auth/authd_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cleanup.h"

struct authd_source {
	const struct conf_auth *conf;    /* borrowed */
	struct authd_file *file;         /* owned, auth_source = file only */
	const struct authd_asker *asker; /* borrowed; NULL: nobody */
};

int authd_source_new(const struct conf_auth *conf, struct authd_source **ret)
{
	struct authd_source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->conf = conf;
	if (conf->source == CONF_AUTH_FILE && authd_file_new(conf->users_file, &s->file) < 0) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct authd_source *authd_source_free(struct authd_source *s)
{
	if (s)
		authd_file_free(s->file);
	free(s);
	return NULL;
}

void authd_source_ask(struct authd_source *s, const struct authd_asker *asker)
{
	s->asker = asker;
}

void authd_say(struct auth_reply *r, enum auth_verdict v, const char *fmt, ...)
{
	va_list ap;

	r->verdict = v;
	va_start(ap, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
}

static bool is_among(char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static bool is_allowed_group(const struct conf_auth *conf, const char *name)
{
	return is_among(conf->groups, conf->n_groups, name);
}

/* Something depends on it. */
static bool is_named_group(const struct conf_auth *conf, const char *name)
{
	return is_allowed_group(conf, name) ||
	       is_among(conf->profile_groups, conf->n_profile_groups, name);
}

void authd_add_group(const struct conf_auth *conf, struct auth_reply *r, struct span name)
{
	char text[LIMIT_GROUP_NAME + 1];
	unsigned at = r->n_groups;

	if (!name.n || name.n >= sizeof(text) || memchr(name.p, '\0', name.n))
		return;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	for (unsigned i = 0; i < r->n_groups; i++)
		if (strcmp(r->group[i], text) == 0)
			return;
	if (at == LIMIT_GROUPS) {
		if (!is_named_group(conf, text))
			return;
		while (at > 0 && is_named_group(conf, r->group[at - 1]))
			at--;
		if (at == 0)
			return;
		at--;
	} else {
		r->n_groups++;
	}
	memcpy(r->group[at], text, name.n + 1);
}

/* A right password is not enough where [auth] groups is set. */
static void apply_group_rule(const struct conf_auth *conf, struct auth_reply *r)
{
	if (!conf->n_groups)
		return;
	for (unsigned i = 0; i < r->n_groups; i++)
		if (is_allowed_group(conf, r->group[i]))
			return;
	authd_say(r, AUTH_NOT_ALLOWED, "in none of the groups that [auth] groups names: %s%s",
		  conf->groups[0], conf->n_groups > 1 ? ", ..." : "");
}

void authd_source_settle(const struct conf_auth *conf, struct auth_reply *r)
{
	if (r->verdict == AUTH_OK)
		apply_group_rule(conf, r);
	if (r->verdict != AUTH_OK) {
		r->n_groups = 0;
		r->address[0] = '\0';
		r->session_s = 0;
	}
}

void authd_source_check(struct authd_source *s, const struct auth_request *q,
			struct auth_reply *ret)
{
	enum auth_verdict v;
	const char *why = auth_request_refused(q, &v);

	*ret = (struct auth_reply){ .id = q->id };
	if (why) {
		authd_say(ret, v, "%s", why);
		return;
	}
	switch (s->conf->source) {
	case CONF_AUTH_FILE:
		authd_file_check(s->file, s->conf, q, ret);
		break;
	case CONF_AUTH_PAM:
	case CONF_AUTH_SYSTEM:
		authd_pam_check(s->conf, s->asker, q, ret);
		break;
	case CONF_AUTH_RADIUS: /* has no workers */
		authd_say(ret, AUTH_ERROR, "RADIUS servers are not asked from a worker");
		break;
	}
	authd_source_settle(s->conf, ret);
}

int authd_source_probe(const struct conf_auth *conf, char *why, size_t cap)
{
	switch (conf->source) {
	case CONF_AUTH_FILE:
		return authd_file_probe(conf->users_file, why, cap);
	case CONF_AUTH_PAM:
	case CONF_AUTH_SYSTEM:
		return authd_pam_probe(conf, why, cap);
	case CONF_AUTH_RADIUS:
		return authd_radius_probe(conf, why, cap);
	}
	return -EINVAL;
}
