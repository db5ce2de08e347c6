/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credential.h - files that systemd hands over (LoadCredential=), written "credential:NAME". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The NAME; NULL: it is a path. A view of spec. */
const char *credential_name(const char *spec);

/* systemd has handed over some to this process. */
bool credential_given(void);

/* Where the file is: spec itself, or in buf. folder: where to look when this process was given none,
 * or NULL. NULL: there are none. */
const char *credential_path(const char *spec, const char *folder, char *buf, size_t cap);
