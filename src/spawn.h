/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawn.h - runs a program and reads what it says. For tools; the daemons run no programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * argv[0] is looked for in PATH unless it has a slash; the last is NULL. Standard input is empty,
 * standard error is ours, or nowhere when `quiet`. *ret is its output with a NUL behind it, owned by
 * the caller, also when its status is not 0. Returns the exit status (128 and the signal's number
 * when one ended it), or -errno: -ENOENT without such a program, -EFBIG for more than `max` bytes,
 * -ETIMEDOUT. In the last two cases it is killed.
 */
int spawn_read(const char *const argv[], bool quiet, size_t max, unsigned patience_s, char **ret,
	       size_t *ret_n);
