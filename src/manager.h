/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager.h - what systemd says about our own unit. */
#pragma once

#include <stdbool.h>

/*
 * SIGTERM says that the unit is to stop, but not whether it is then started again. True when it is,
 * and when systemd holds a descriptor for the next process. It is asked by D-Bus and waited for, two
 * seconds at most. -errno: nobody could tell.
 */
int manager_restarts(bool *ret);
