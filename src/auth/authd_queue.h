/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_queue.h - the way of a request through vpngw-authd, from its arrival to its answer.
 *
 * Knows nothing of sockets: the server names its clients by number and is handed bytes to send.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "auth/proto.h"
#include "config.h"

struct authd_queue;

struct authd_counts {
	uint64_t checked, ok, refused, errors;
};

/* Sends an answer. 0: sent, or the client is gone; -EAGAIN: authd_queue_flush() will be called. */
typedef int (*authd_send_fn)(void *ctx, uint64_t client, struct span msg);

/* Starts the workers. Borrows event and conf. 0 or -errno. */
int authd_queue_new(sd_event *event, const struct conf_auth *conf, uint64_t seed,
		    authd_send_fn send, void *ctx, struct authd_queue **ret);
struct authd_queue *authd_queue_free(struct authd_queue *q);

/* Takes a copy. Every request is answered once, unless its client goes or calls it off, and may have
 * questions before that. client is not 0. */
void authd_queue_submit(struct authd_queue *q, uint64_t client, const struct auth_request *r);

/* A user's answer, or none, to a question of this client's request; one that is not open is ignored. */
void authd_queue_answer(struct authd_queue *q, uint64_t client, const struct auth_answer *a);

/* Answers a message that could not be read beyond its id. */
void authd_queue_malformed(struct authd_queue *q, uint64_t client, uint64_t id);

/* The client has room again. */
void authd_queue_flush(struct authd_queue *q, uint64_t client);

/* The client is gone, and its requests with it. */
void authd_queue_drop(struct authd_queue *q, uint64_t client);

struct authd_counts authd_queue_counts(const struct authd_queue *q);
