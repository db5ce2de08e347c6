/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bus.c - asking systemd about units. */
#include "check/bus.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"

#define PATIENCE_US (5 * UINT64_C(1000000))

void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

void bus_message_free(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

int bus_open(sd_bus **ret)
{
	int rc = sd_bus_open_system(ret);

	return rc < 0 ? rc : sd_bus_set_method_call_timeout(*ret, PATIENCE_US);
}

int bus_unit_path(sd_bus *bus, const char *unit, char **ret)
{
	_cleanup_(bus_message_free) sd_bus_message *m = NULL;
	const char *path;
	int rc = sd_bus_call_method(bus, SYSTEMD, OBJECT, MANAGER, "LoadUnit", NULL, &m, "s", unit);

	if (rc >= 0)
		rc = sd_bus_message_read(m, "o", &path);
	if (rc < 0)
		return rc;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}
