/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_checker.c - worker processes or RADIUS servers, as auth_source says. */
#include "auth/authd_checker.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/authd_radius.h"

struct authd_checker {
	/* owned; one of them */
	struct authd_workers *workers;
	struct authd_radius *radius;
};

int authd_checker_new(sd_event *event, const struct conf_auth *conf,
		      const struct authd_workers_ops *ops, void *ctx, struct authd_checker **ret)
{
	struct authd_checker *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	rc = conf->source == CONF_AUTH_RADIUS
		     ? authd_radius_new(event, conf, ops, ctx, &c->radius)
		     : authd_workers_new(event, conf, ops, ctx, &c->workers);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

struct authd_checker *authd_checker_free(struct authd_checker *c)
{
	if (!c)
		return NULL;
	authd_workers_free(c->workers);
	authd_radius_free(c->radius);
	free(c);
	return NULL;
}

bool authd_checker_idle(const struct authd_checker *c)
{
	return c->radius ? authd_radius_idle(c->radius) : authd_workers_idle(c->workers);
}

int authd_checker_give(struct authd_checker *c, const struct auth_request *q)
{
	return c->radius ? authd_radius_give(c->radius, q) : authd_workers_give(c->workers, q);
}

int authd_checker_answer(struct authd_checker *c, uint64_t job, struct span text)
{
	return c->radius ? authd_radius_answer(c->radius, job, text)
			 : authd_workers_answer(c->workers, job, text);
}

void authd_checker_kill(struct authd_checker *c, uint64_t job)
{
	if (c->radius)
		authd_radius_kill(c->radius, job);
	else
		authd_workers_kill(c->workers, job);
}
