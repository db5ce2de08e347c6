/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * manager.c - asks systemd whether our unit is being restarted.
 *
 * systemctl restart, try-restart and what they are propagated to are one job of type "restart" until
 * the unit has stopped; systemctl stop and a shutdown are a job of type "stop". Without any job
 * somebody has sent us a signal himself.
 */
#include "manager.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define PATIENCE_US (2 * UINT64_C(1000000))
#define SYSTEMD     "org.freedesktop.systemd1"

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static void message_free(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

/* The object path of the unit that this process belongs to. */
static int own_unit(sd_bus *bus, char **ret)
{
	_cleanup_(message_free) sd_bus_message *m = NULL;
	const char *path;
	int rc = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
				    "GetUnitByPID", NULL, &m, "u", (uint32_t)getpid());

	if (rc >= 0)
		rc = sd_bus_message_read(m, "o", &path);
	if (rc < 0)
		return rc;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

/* "restart", "stop", ...; "" without a job. */
static int job_of(sd_bus *bus, const char *unit, char **ret)
{
	_cleanup_(message_free) sd_bus_message *m = NULL;
	const char *job;
	uint32_t id;
	int rc = sd_bus_get_property(bus, SYSTEMD, unit, SYSTEMD ".Unit", "Job", NULL, &m, "(uo)");

	if (rc >= 0)
		rc = sd_bus_message_read(m, "(uo)", &id, &job);
	if (rc >= 0 && id)
		return sd_bus_get_property_string(bus, SYSTEMD, job, SYSTEMD ".Job", "JobType",
						  NULL, ret);
	if (rc < 0)
		return rc;
	*ret = strdup("");
	return *ret ? 0 : -ENOMEM;
}

static int ask(sd_bus *bus, bool *ret)
{
	_cleanup_free_ char *unit = NULL, *job = NULL;
	uint32_t held = 0;
	int rc = sd_bus_set_method_call_timeout(bus, PATIENCE_US);

	if (rc >= 0)
		rc = own_unit(bus, &unit);
	if (rc >= 0)
		rc = job_of(bus, unit, &job);
	if (rc >= 0)
		rc = sd_bus_get_property_trivial(bus, SYSTEMD, unit, SYSTEMD ".Service",
						 "NFileDescriptorStore", NULL, 'u', &held);
	if (rc < 0)
		return rc;
	log_debug("systemd has a job of type \"%s\" for us and holds %u descriptors", job, held);
	*ret = strcmp(job, "restart") == 0 && held > 0;
	return 0;
}

int manager_restarts(bool *ret)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	int rc = sd_bus_open_system(&bus);

	return rc < 0 ? rc : ask(bus, ret);
}
