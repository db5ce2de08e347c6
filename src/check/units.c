/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* units.c - whether systemd knows the units, starts them at boot, and what became of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/bus.h"
#include "check/check.h"
#include "cleanup.h"

/* "enabled", "disabled", "masked", ...; -ENOENT: there is no such file. */
static int file_state(sd_bus *bus, const char *unit, char **ret)
{
	_cleanup_(bus_message_free) sd_bus_message *m = NULL;
	const char *state;
	int rc = sd_bus_call_method(bus, SYSTEMD, OBJECT, MANAGER, "GetUnitFileState", NULL, &m,
				    "s", unit);

	if (rc >= 0)
		rc = sd_bus_message_read(m, "s", &state);
	if (rc < 0)
		return rc;
	*ret = strdup(state);
	return *ret ? 0 : -ENOMEM;
}

static int active_state(sd_bus *bus, const char *unit, char **ret)
{
	_cleanup_free_ char *path = NULL;
	int rc = bus_unit_path(bus, unit, &path);

	if (rc == 0)
		rc = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "ActiveState",
						NULL, ret);
	return rc < 0 ? rc : 0;
}

bool check_unit_is_active(const char *unit)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	_cleanup_free_ char *state = NULL;

	return bus_open(&bus) >= 0 && active_state(bus, unit, &state) >= 0 &&
	       strcmp(state, "active") == 0;
}

static void look_at(sd_bus *bus, const char *unit, struct findings *f)
{
	_cleanup_free_ char *file = NULL, *active = NULL;
	int rc = file_state(bus, unit, &file);

	if (rc == -ENOENT) {
		findings_add(f, FINDING_ERROR, "systemd knows no %s", unit);
		findings_remedy(f, "make install, or the package vpngw; then systemctl "
				   "daemon-reload");
		return;
	}
	if (rc < 0)
		findings_add(f, FINDING_UNKNOWN, "%s: %s", unit, strerror(-rc));
	else if (strncmp(file, "masked", 6) == 0) {
		findings_add(f, FINDING_ERROR, "%s is masked: it cannot be started", unit);
		findings_remedy(f, "systemctl unmask %s", unit);
	} else if (strcmp(file, "disabled") == 0) {
		findings_add(f, FINDING_WARNING, "%s is not enabled: it does not start at boot",
			     unit);
		findings_remedy(f, "systemctl enable --now vpngw.service");
	}
	if (active_state(bus, unit, &active) < 0 || strcmp(active, "failed") != 0)
		return;
	findings_add(f, FINDING_ERROR, "%s has failed", unit);
	findings_remedy(f, "journalctl -u %s says why; systemctl restart %s", unit, unit);
}

void check_units(const struct config *config, struct findings *f)
{
	static const char *const units[] = { "vpngw.service", "vpngw.socket",
					     "vpngw-control.socket", "vpngw-authd.socket",
					     "vpngw-authd.service" };
	_cleanup_(bus_close) sd_bus *bus = NULL;
	int rc = bus_open(&bus);

	findings_check(f, "units");
	if (rc < 0) {
		findings_add(f, FINDING_UNKNOWN, "systemd does not answer: %s", strerror(-rc));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		look_at(bus, units[i], f);
	if (config && config->tunnel.mssclamp)
		look_at(bus, "vpngw-nft.service", f);
}
