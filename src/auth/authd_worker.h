/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_worker.h - processes that check one password at a time, since PAM modules and crypt(3)
 * block. What goes wrong in one of them costs the one request it was working on.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "auth/proto.h"
#include "config.h"

struct authd_workers;

struct authd_workers_ops {
	/* The check with this job number ended. reply NULL: its worker died. */
	void (*done)(void *ctx, uint64_t job, const struct auth_reply *reply);
	/* The check with this job number has a question to its user: authd_workers_answer(). Its
	 * worker does not count as one any more, and another one may take its place. */
	void (*asked)(void *ctx, uint64_t job, const struct auth_question *q);
	/* A worker may be idle now. */
	void (*ready)(void *ctx);
};

/*
 * Forks conf->workers processes, and more while some of them wait for users: AUTHD_ASKING at most. SIGCHLD must be blocked. Borrows conf and event. 0 or -errno.
 */
int authd_workers_new(sd_event *event, const struct conf_auth *conf,
		      const struct authd_workers_ops *ops, void *ctx, struct authd_workers **ret);
/* Kills and reaps them. */
struct authd_workers *authd_workers_free(struct authd_workers *all);

bool authd_workers_idle(const struct authd_workers *all);

/* Hands a request to an idle worker; q->id is the job number. 0, -EBUSY when none is idle. */
int authd_workers_give(struct authd_workers *all, const struct auth_request *q);

/* The user's answer to the question of this job. 0, -ENOENT when it has none. */
int authd_workers_answer(struct authd_workers *all, uint64_t job, struct span text);

/* Ends the worker that has this job; done() is not called for it. */
void authd_workers_kill(struct authd_workers *all, uint64_t job);
