/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bus.h - asking systemd about units (org.freedesktop.systemd1(5)). */
#pragma once

#include <systemd/sd-bus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER SYSTEMD ".Manager"
#define OBJECT  "/org/freedesktop/systemd1"

/* One that gives up after five seconds. 0 or -errno; for bus_close(). */
int bus_open(sd_bus **ret);
void bus_close(sd_bus **bus);
void bus_message_free(sd_bus_message **m);

/* The object of a unit, which systemd loads if it has not. *ret is the caller's. 0 or -errno. */
int bus_unit_path(sd_bus *bus, const char *unit, char **ret);
