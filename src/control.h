/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* control.h - the control socket as a file: who made it, and who may use it. */
#pragma once

#include <stdbool.h>

/*
 * Makes the socket `path` when systemd passed none, and listens: for tests and containers. It takes
 * the place of an old socket and of nothing else. Members of `group` may connect; a group that does
 * not exist is warned about. 0; -EEXIST when something else is at path; -errno.
 */
int control_bind(const char *path, const char *group, int *ret_fd);

/* The socket was bound to this path. */
bool control_is_at(int fd, const char *path);

/* Warns when a socket that systemd made belongs to another group: `group` cannot change that. */
void control_check(int fd, const char *group);
