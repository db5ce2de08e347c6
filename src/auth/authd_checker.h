/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_checker.h - who checks a password for the queue: worker processes for what blocks, or
 * RADIUS servers, which are asked from here. The same words for both: authd_worker.h says what they
 * mean.
 */
#pragma once

#include "auth/authd_worker.h"

struct authd_checker;

int authd_checker_new(sd_event *event, const struct conf_auth *conf,
		      const struct authd_workers_ops *ops, void *ctx, struct authd_checker **ret);
struct authd_checker *authd_checker_free(struct authd_checker *c);
bool authd_checker_idle(const struct authd_checker *c);
int authd_checker_give(struct authd_checker *c, const struct auth_request *q);
int authd_checker_answer(struct authd_checker *c, uint64_t job, struct span text);
void authd_checker_kill(struct authd_checker *c, uint64_t job);
