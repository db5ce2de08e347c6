/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client.h - the gateway's side of the socket to vpngw-authd.
 *
 * Nothing here blocks, and every request that was taken is answered once through the callback, by
 * authd or, when that is gone, by this module. A session is named by a cookie: a session that has
 * ended meanwhile makes the answer useless, not dangerous.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "auth/proto.h"

#define AUTH_CLIENT_PENDING 1024 /* requests under way */

struct auth_client;

/*
 * The answer to the request with this cookie. May call auth_client_check(), may not free the
 * client. r->id is the cookie.
 */
typedef void (*auth_client_fn)(void *ctx, uint64_t cookie, const struct auth_reply *r);

/*
 * path NULL: AUTH_SOCKET. deadline_s: authd's own ([auth] deadline); two seconds later an answer
 * is given here. Starts to connect, and succeeds whether or not authd is there. Borrows event.
 * 0 or -errno.
 */
int auth_client_new(sd_event *event, const char *path, uint32_t deadline_s, auth_client_fn fn,
		    void *ctx, struct auth_client **ret);
/*
 * The request with this cookie has a question to its user. It waits, without a deadline, until
 * auth_client_answer() is called with this handle, or authd has gone. Where no callback was set, all
 * questions stay without an answer.
 */
typedef void (*auth_question_fn)(void *ctx, uint64_t cookie, uint64_t handle,
				 const struct auth_question *q);
void auth_client_on_question(struct auth_client *c, auth_question_fn fn);

/*
 * The user's answer; copied. given false: there is none, the request is over, and its callback will not
 * be called. 0; -ENOENT when no question with this handle is open; -EMSGSIZE.
 */
int auth_client_answer(struct auth_client *c, uint64_t handle, bool given, struct span text);

/* Requests under way are forgotten, their passwords wiped. */
struct auth_client *auth_client_free(struct auth_client *c);

/*
 * Asks about one password; copies everything. 0; -EMSGSIZE when a field is over its limit; -EBUSY
 * with AUTH_CLIENT_PENDING requests under way; -ENOTCONN when authd has been gone for longer than
 * a request may wait. After an error there is no callback.
 */
int auth_client_check(struct auth_client *c, uint64_t cookie, struct span user,
		      struct span password, struct span peer);

bool auth_client_connected(const struct auth_client *c);
unsigned auth_client_pending(const struct auth_client *c);
