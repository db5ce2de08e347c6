/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_check.h - vpngw-authd --check: whether passwords could be checked. */
#pragma once

/* Writes what it finds as JSON (findings.h) to standard output. Returns the exit status. path as for
 * config_load(). */
int authd_check(const char *path);
