/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* profile.c - which profile a client gets, and what holds in it. Pure. */
#include "ike/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "ike/idmatch.h"

static bool id_fits(const struct ike_profile *p, struct span id)
{
	for (unsigned i = 0; i < p->n_ids; i++)
		if (id_match_fits(&p->id[i], id))
			return true;
	return false;
}

static bool group_fits(const struct ike_profile *p, const struct ike_groups *groups)
{
	for (unsigned i = 0; i < p->n_groups; i++)
		for (unsigned k = 0; groups && k < groups->n; k++)
			if (strcmp(p->group[i], groups->name[k]) == 0)
				return true;
	return false;
}

const struct ike_profile *profile_by_id(const struct ike_conf *c, struct span id)
{
	for (unsigned i = 0; i < c->n_profiles; i++)
		if (id_fits(&c->profile[i], id))
			return &c->profile[i];
	return NULL;
}

static bool has(const uint16_t *list, unsigned n, uint16_t value)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

bool profile_admits(const struct ike_profile *p, uint16_t mode, uint16_t auth)
{
	/* The curve is the key's, and in the configuration they all have the name of the first. */
	if (auth_is_ecdsa(auth))
		auth = AUTH_ECDSA_256;
	return !p || ((!p->n_modes || has(p->mode, p->n_modes, mode)) &&
		      (!p->n_auth || has(p->auth, p->n_auth, auth)));
}

int profile_choose(const struct ike_conf *c, struct span id, const struct ike_groups *groups,
		   const struct ike_profile **ret)
{
	const struct ike_profile *both = NULL, *group = NULL, *named = NULL, *closed = NULL;

	for (unsigned i = 0; i < c->n_profiles; i++) {
		const struct ike_profile *p = &c->profile[i];
		bool by_id = p->n_ids && id_fits(p, id), in = p->n_groups && group_fits(p, groups);

		if (p->n_ids && p->n_groups && by_id && in && !both)
			both = p;
		if (p->n_ids && p->n_groups && by_id && !in && !closed)
			closed = p;
		if (!p->n_ids && in && !group)
			group = p;
		if (!p->n_groups && by_id && !named)
			named = p;
	}
	*ret = both ? both : closed ? closed : group ? group : named;
	return !both && closed ? -EACCES : 0;
}

int profile_set(struct ike_sa *sa, const char *name)
{
	char *copy = name && *name ? strdup(name) : NULL;

	if (name && *name && !copy)
		return -ENOMEM;
	free(sa->profile);
	sa->profile = copy;
	return 0;
}

const struct ike_profile *profile_of(const struct ike_conf *c, const struct ike_sa *sa)
{
	for (unsigned i = 0; sa->profile && i < c->n_profiles; i++)
		if (strcmp(c->profile[i].name, sa->profile) == 0)
			return &c->profile[i];
	return NULL;
}

const struct ike_modecfg *profile_modecfg(const struct ike_conf *c, const struct ike_sa *sa)
{
	const struct ike_profile *p = profile_of(c, sa);

	return p ? &p->modecfg : &c->modecfg;
}

struct ike_limits profile_limits(const struct ike_conf *c, const struct ike_sa *sa)
{
	const struct ike_profile *p = profile_of(c, sa);

	if (p)
		return p->limits;
	return (struct ike_limits){ .session_us = c->session_limit_us,
				    .idle_us = c->idle_limit_us,
				    .unique = c->unique,
				    .sessions_per_user = c->sessions_per_user };
}

const char *profile_pool(const struct ike_conf *c, const struct ike_sa *sa)
{
	const struct ike_profile *p = profile_of(c, sa);

	return p ? p->pool : "default";
}

const char *ike_pool(const struct ike *ike, const struct ike_sa *sa)
{
	return profile_pool(ike->conf, sa);
}
