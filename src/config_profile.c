/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_profile.c - [profile "name"]: what it does not say, the rest of the file says for it.
 */
#include "config_profile.h"

#include <errno.h>
#include <stdlib.h>

#include "ike/names.h"

/* ---- values ---- */

static bool same_match(const void *x, const void *y)
{
	return id_match_same(x, y);
}

int conf_parse_match_id(struct conf_arg *a)
{
	struct id_match m;
	const char *bad = id_match_parse(span_str(a->text), &m);
	char buf[CONF_SHOWN], *copy;
	int rc;

	if (bad)
		return conf_wrong(a, 0, "'%s' %s", conf_shown(a->text, buf), bad);
	copy = strndup((const char *)m.pattern.p, m.pattern.n);
	if (!copy)
		return -ENOMEM;
	m.pattern = span_str(copy);
	rc = conf_append(a, &m, sizeof(m), same_match);
	if (rc < 0)
		free(copy);
	return rc;
}

/* Whether there is such a pool is seen when all are known. */
int conf_parse_pool(struct conf_arg *a)
{
	size_t n = strlen(a->text);

	if (n > a->key->max)
		return conf_wrong(a, 0, "a name of %zu bytes, expected at most %u", n,
				  (unsigned)a->key->max);
	memcpy(conf_field(a), a->text, n + 1);
	return 0;
}

/* ---- from the files to a value ---- */

/* A list that the profile has set, if only to empty it, is its own from the first item on. */
static void begin_list(const struct conf_key *k, struct conf_profile *p)
{
	if (strcmp(k->key, "split_network") == 0)
		p->ike.modecfg.split = IKE_SPLIT_NONE;
	if (k->count)
		((uint8_t *)p)[k->count] = 0;
}

static int parse_keys(struct conf_input *in, struct conf_part *part, struct conf_profile *p)
{
	int rc = 0;

	for (size_t i = 0; i < conf_n_keys && rc == 0; i++) {
		const struct conf_key *k = &conf_keys[i];
		struct conf_setting *s = &part->setting[i];

		if (strcmp(k->section, "profile") != 0 || !s->set)
			continue;
		if (k->list)
			begin_list(k, p);
		rc = conf_parse_setting(in, k, s, p);
	}
	return rc;
}

static bool is_named(const uint16_t *list, unsigned n, uint16_t value)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

static bool is_set(const struct conf_part *part, const char *key)
{
	return conf_setting(part, "profile", key)->set;
}

/* own NULL: a list that was emptied. */
static struct span text_or(bool set, const char *own, struct span inherited)
{
	return !set ? inherited : own ? span_str(own) : (struct span){ 0 };
}

static int fill(struct conf_input *in, const struct conf_part *part, const struct config *c,
		struct conf_profile *p)
{
	struct conf_setting *banner = conf_setting(part, "profile", "banner");
	struct ike_modecfg *m = &p->ike.modecfg;

	if (conf_load_banner(in, banner, p->banner_file, &p->banner) < 0)
		return -ENOMEM;
	m->default_domain = text_or(p->default_domain, p->default_domain, m->default_domain);
	m->banner = text_or(p->banner_file, p->banner, m->banner);
	m->split_dns = text_or(is_set(part, "split_dns"), p->split_dns, m->split_dns);
	m->backup_servers =
		text_or(is_set(part, "backup_servers"), p->backup_servers, m->backup_servers);
	if (!*p->pool)
		strcpy(p->pool, "default");
	for (size_t i = 0; i < c->n_pools; i++)
		if (strcmp(c->pool[i].pool.name, p->pool) == 0)
			m->netmask_len = c->pool[i].netmask_len;
	p->ike.name = p->name;
	p->ike.pool = p->pool;
	p->ike.id = p->id;
	p->ike.n_ids = p->n_ids;
	p->ike.group = p->group;
	p->ike.n_groups = (uint8_t)p->n_groups;
	p->ike.aggressive_psk = is_named(p->ike.mode, p->ike.n_modes, XCHG_AGGRESSIVE) &&
				conf_psk_word(p->ike.auth, p->ike.n_auth) != NULL;
	return 0;
}

static int build_one(struct conf_input *in, struct conf_part *part, const struct config *c,
		     struct conf_profile *p)
{
	int rc;

	snprintf(p->name, sizeof(p->name), "%s", part->name);
	p->ike.modecfg = c->ike.modecfg;
	p->ike.limits = (struct ike_limits){ .session_us = c->ike.session_limit_us,
					     .idle_us = c->ike.idle_limit_us,
					     .unique = c->ike.unique,
					     .sessions_per_user = c->ike.sessions_per_user };
	rc = parse_keys(in, part, p);
	return rc < 0 ? rc : fill(in, part, c, p);
}

/* vpngw-authd has room for so many groups of a user: these are not the ones to leave out. */
static int keep_groups(struct conf_auth *auth, const struct conf_profile *p)
{
	char **more;

	for (size_t i = 0; i < p->n_groups; i++) {
		more = reallocarray(auth->profile_groups, auth->n_profile_groups + 1,
				    sizeof(*more));
		if (!more)
			return -ENOMEM;
		auth->profile_groups = more;
		more[auth->n_profile_groups] = strdup(p->group[i]);
		if (!more[auth->n_profile_groups])
			return -ENOMEM;
		auth->n_profile_groups++;
	}
	return 0;
}

int conf_build_profiles(struct conf_input *in, struct config *c)
{
	int rc = 0;

	if (in->n_profiles == 0)
		return 0;
	c->profile = calloc(in->n_profiles, sizeof(*c->profile));
	c->ike_profile = calloc(in->n_profiles, sizeof(*c->ike_profile));
	if (!c->profile || !c->ike_profile)
		return -ENOMEM;
	c->n_profiles = in->n_profiles;
	for (size_t i = 0; i < in->n_profiles && rc == 0; i++) {
		rc = build_one(in, &in->profile[i], c, &c->profile[i]);
		if (rc == 0)
			rc = keep_groups(&c->auth, &c->profile[i]);
		c->ike_profile[i] = c->profile[i].ike;
	}
	c->ike.profile = c->ike_profile;
	c->ike.n_profiles = (uint8_t)in->n_profiles;
	return rc;
}

void conf_free_profiles(struct config *c)
{
	for (size_t i = 0; i < c->n_profiles; i++) {
		struct conf_profile *p = &c->profile[i];

		for (size_t k = 0; k < p->n_ids; k++)
			free((char *)(uintptr_t)p->id[k].pattern.p);
		for (size_t k = 0; k < p->n_groups; k++)
			free(p->group[k]);
		free(p->group);
		free(p->default_domain);
		free(p->split_dns);
		free(p->backup_servers);
		free(p->banner_file);
		free(p->banner);
	}
	free(c->profile);
	free(c->ike_profile);
	for (size_t i = 0; i < c->auth.n_profile_groups; i++)
		free(c->auth.profile_groups[i]);
	free(c->auth.profile_groups);
}

int conf_warn_profiles(struct config *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_profiles && rc == 0; i++)
		if (c->profile[i].ike.aggressive_psk)
			rc = conf_warn(
				c,
				"[profile \"%s\"] authentication %s is weak: in "
				"aggressive mode anybody is given a hash to guess the shared key "
				"from, and everybody who knows it can pose as the gateway",
				c->profile[i].name,
				conf_psk_word(c->profile[i].ike.auth, c->profile[i].ike.n_auth));
	return rc;
}

bool conf_aggressive_psk(const struct config *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_profiles; i++)
		any |= c->profile[i].ike.aggressive_psk;
	return any;
}

/* ---- what keys say together ---- */

/* Chosen by the identity alone, before anybody has logged in. */
static void check_phase1(struct conf_input *in, const struct config *c,
			 const struct conf_part *part, const struct conf_profile *p)
{
	static const char *const keys[] = { "exchange_mode", "authentication" };
	const struct ike_conf *ike = &c->ike;
	const struct conf_setting *auth = conf_setting(part, "profile", "authentication");
	const char *psk = conf_psk_word(p->ike.auth, p->ike.n_auth);
	bool id = p->n_ids || conf_setting(part, "profile", "match_id")->bad;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct conf_setting *s = conf_setting(part, "profile", keys[i]);

		if (s->n && !id)
			conf_mistake(in, s->at,
				     "%s: without match_id nobody is known in phase 1 to be meant, "
				     "expected match_id",
				     keys[i]);
	}
	for (size_t i = 0; i < p->ike.n_auth && ike->n_auth; i++)
		if (!auth_is_psk(p->ike.auth[i]) &&
		    !is_named(ike->auth, ike->n_auth, p->ike.auth[i]))
			conf_mistake(in, auth->at,
				     "authentication: expected [phase1] authentication to name "
				     "all methods of this profile as well, but for shared keys");
	if (psk && !p->ike.aggressive_psk && !conf_psk_word(ike->auth, ike->n_auth) &&
	    !conf_setting(part, "profile", "exchange_mode")->bad)
		conf_mistake(
			in, auth->at,
			"authentication: %s that [phase1] does not name needs aggressive mode, "
			"expected exchange_mode to name aggressive in this profile as well",
			psk);
}

static void check_one(struct conf_input *in, enum conf_purpose purpose,
		      const struct conf_part *part, const struct conf_profile *p)
{
	const struct conf_setting *pool = conf_setting(part, "profile", "pool"),
				  *id = conf_setting(part, "profile", "match_id"),
				  *group = conf_setting(part, "profile", "match_group");
	bool found = pool->n == 0;

	for (size_t i = 0; i < in->n_pools; i++)
		found |= strcmp(in->pool[i].name, p->pool) == 0;
	if (!found)
		conf_mistake(in, pool->at,
			     "pool: there is no [pool \"%s\"], expected the name of one", p->pool);
	if (!p->n_ids && !p->n_groups && !id->bad && !group->bad && purpose == CONF_TO_RUN)
		conf_mistake(in, part->at,
			     "[profile \"%s\"] is for nobody, expected match_id, match_group or "
			     "both",
			     part->name);
}

void conf_check_profiles(struct conf_input *in, enum conf_purpose purpose, const struct config *c)
{
	for (size_t i = 0; i < in->n_profiles; i++) {
		check_one(in, purpose, &in->profile[i], &c->profile[i]);
		check_phase1(in, c, &in->profile[i], &c->profile[i]);
	}
}
