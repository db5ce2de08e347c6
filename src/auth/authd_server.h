/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_server.h - the socket of vpngw-authd and who may use it. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "auth/authd_queue.h"
#include "config.h"

struct authd_server;

/*
 * listen_fd: a listening AF_UNIX SOCK_SEQPACKET socket, taken over. Starts the workers. Borrows
 * event and conf. 0 or -errno.
 */
int authd_server_new(sd_event *event, int listen_fd, const struct conf_auth *conf, uint64_t seed,
		     struct authd_server **ret);
struct authd_server *authd_server_free(struct authd_server *s);

struct authd_counts authd_server_counts(const struct authd_server *s);
