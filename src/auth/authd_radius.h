/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_radius.h - auth_source = radius: passwords are checked by servers, which are asked from the
 * event loop. Nothing here blocks.
 *
 * The functions mean what their likes in authd_worker.h do; no callback comes out of give() or
 * answer().
 */
#pragma once

#include "auth/authd_worker.h"

struct authd_radius;

int authd_radius_new(sd_event *event, const struct conf_auth *conf,
		     const struct authd_workers_ops *ops, void *ctx, struct authd_radius **ret);
struct authd_radius *authd_radius_free(struct authd_radius *all);

/* One more request may be under way. */
bool authd_radius_idle(const struct authd_radius *all);
int authd_radius_give(struct authd_radius *all, const struct auth_request *q);
int authd_radius_answer(struct authd_radius *all, uint64_t job, struct span text);
void authd_radius_kill(struct authd_radius *all, uint64_t job);
