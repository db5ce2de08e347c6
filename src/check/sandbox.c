/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sandbox.c - whether the daemons are as confined as their units say: a drop-in may have opened more
 * than it meant to, and what systemd cannot enforce on a kernel it leaves out without a word.
 */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "check/bus.h"
#include "check/check.h"
#include "cleanup.h"

#define SERVICE SYSTEMD ".Service"

struct confined {
	const char *unit, *user;
	uint64_t capabilities; /* and no others */
};

static const struct confined daemons[] = {
	{ "vpngw.service", "vpngw", UINT64_C(1) << CAP_NET_ADMIN },
	{ "vpngw-authd.service", "vpngw-auth", 0 },
};

/* What is "yes" in both units. */
static const char *const switches[] = {
	"NoNewPrivileges",        "PrivateDevices",       "PrivateTmp",
	"ProtectKernelTunables",  "ProtectKernelModules", "ProtectKernelLogs",
	"ProtectControlGroups",   "ProtectClock",         "ProtectHostname",
	"RestrictRealtime",       "RestrictSUIDSGID",     "LockPersonality",
	"MemoryDenyWriteExecute",
};

static const struct {
	const char *name, *value;
} words[] = {
	{ "ProtectSystem", "strict" },
	{ "ProtectHome", "yes" },
	{ "KeyringMode", "private" },
};

static void loosened(struct findings *f, const struct confined *d, const char *what, const char *is,
		     const char *expected)
{
	findings_add(f, FINDING_WARNING, "%s has %s=%s, expected %s", d->unit, what, is, expected);
	findings_remedy(f, "systemctl cat %s shows what sets it; take it back, or narrow it",
			d->unit);
}

static uint64_t number(sd_bus *bus, const char *path, const char *name)
{
	uint64_t v;

	return sd_bus_get_property_trivial(bus, SYSTEMD, path, SERVICE, name, NULL, 't', &v) < 0
		       ? 0
		       : v;
}

/* As systemd has read the unit and its drop-ins. */
static void look_at_unit(sd_bus *bus, const char *path, const struct confined *d,
			 struct findings *f)
{
	_cleanup_free_ char *user = NULL;
	int on;

	sd_bus_get_property_string(bus, SYSTEMD, path, SERVICE, "User", NULL, &user);
	if (!user || strcmp(user, d->user) != 0)
		loosened(f, d, "User", user ? user : "", d->user);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (sd_bus_get_property_trivial(bus, SYSTEMD, path, SERVICE, switches[i], NULL, 'b',
						&on) >= 0 &&
		    !on)
			loosened(f, d, switches[i], "no", "yes");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_free_ char *word = NULL;

		if (sd_bus_get_property_string(bus, SYSTEMD, path, SERVICE, words[i].name, NULL,
					       &word) >= 0 &&
		    strcmp(word, words[i].value) != 0)
			loosened(f, d, words[i].name, word, words[i].value);
	}
	if (number(bus, path, "CapabilityBoundingSet") & ~d->capabilities)
		loosened(f, d, "CapabilityBoundingSet", "more than it needs",
			 d->capabilities ? "CAP_NET_ADMIN" : "none");
	if (number(bus, path, "LimitCORE"))
		loosened(f, d, "LimitCORE", "more than nothing", "0: secrets are in memory");
}

/* A number behind "\nNAME:\t" in a process's status; -1: it is not there. */
static long status_of(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* As the kernel has it for the process that runs. */
static void look_at_process(sd_bus *bus, const char *path, const struct confined *d,
			    struct findings *f)
{
	char file[64], status[4096];
	uint32_t pid = 0;

	sd_bus_get_property_trivial(bus, SYSTEMD, path, SERVICE, "MainPID", NULL, 'u', &pid);
	snprintf(file, sizeof(file), "/proc/%u/status", pid);
	if (!pid || check_read(file, status, sizeof(status)) < 0)
		return;
	if (status_of(status, "\nSeccomp:\t") == 2 && status_of(status, "\nNoNewPrivs:\t") == 1)
		return;
	findings_add(f, FINDING_WARNING,
		     "%s runs without a filter for system calls, whatever its unit says", d->unit);
	findings_remedy(f,
			"a kernel with CONFIG_SECCOMP_FILTER, or a container that allows it; "
			"then systemctl restart %s",
			d->unit);
}

void check_sandbox(struct findings *f)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	int rc = bus_open(&bus);

	findings_check(f, "sandbox");
	if (rc < 0) {
		findings_add(f, FINDING_UNKNOWN, "systemd does not answer: %s", strerror(-rc));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		_cleanup_free_ char *path = NULL, *state = NULL;

		if (bus_unit_path(bus, daemons[i].unit, &path) < 0 ||
		    sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Unit", "LoadState",
					       NULL, &state) < 0 ||
		    strcmp(state, "loaded") != 0)
			continue; /* which check_units() tells of */
		look_at_unit(bus, path, &daemons[i], f);
		look_at_process(bus, path, &daemons[i], f);
	}
}
