/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_check.h - vpngw-authd --check: whether passwords could be checked. */
#pragma once

#include "config.h"
#include "findings.h"

/* Writes what it finds as JSON (findings.h) to standard output. Returns the exit status. path as for
 * config_load(). */
int authd_check(const char *path);

/* authd_check_radius.c: the same for RADIUS servers. */
void authd_check_radius(const struct conf_auth *conf, struct findings *f);
