/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_check_radius.c - whether RADIUS servers could be asked: their secrets, and what the unit is
 * allowed to. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "auth/authd_check.h"
#include "auth/authd_radius_server.h"
#include "cleanup.h"
#include "credential.h"

#define PATIENCE_US (5 * UINT64_C(1000000))
#define SYSTEMD     "org.freedesktop.systemd1"
#define UNIT        "vpngw-authd.service"
#define DROP_IN     "see RADIUS in vpngw-authd(8) for the drop-in of " UNIT

static void bus_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static void message_free(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

/* Where systemd has the unit on the bus. 0 or -errno: there is no systemd to ask. */
static int find_unit(sd_bus **ret_bus, char **ret_path)
{
	_cleanup_(message_free) sd_bus_message *m = NULL;
	const char *path;
	int rc = sd_bus_open_system(ret_bus);

	if (rc >= 0)
		rc = sd_bus_set_method_call_timeout(*ret_bus, PATIENCE_US);
	if (rc >= 0)
		rc = sd_bus_call_method(*ret_bus, SYSTEMD, "/org/freedesktop/systemd1",
					SYSTEMD ".Manager", "LoadUnit", NULL, &m, "s", UNIT);
	if (rc >= 0)
		rc = sd_bus_message_read(m, "o", &path);
	if (rc < 0)
		return rc;
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

/* 1: the unit is given this credential; 0: it is not; -errno. */
static int loads(sd_bus *bus, const char *unit, const char *name)
{
	_cleanup_(message_free) sd_bus_message *m = NULL;
	const char *id, *from;
	int rc = sd_bus_get_property(bus, SYSTEMD, unit, SYSTEMD ".Service", "LoadCredential", NULL,
				     &m, "a(ss)");

	if (rc >= 0)
		rc = sd_bus_message_enter_container(m, 'a', "(ss)");
	while (rc >= 0 && (rc = sd_bus_message_read(m, "(ss)", &id, &from)) > 0)
		if (strcmp(id, name) == 0)
			return 1;
	return rc;
}

static void look_at_unit(const struct conf_auth *conf, struct findings *f)
{
	_cleanup_(bus_close) sd_bus *bus = NULL;
	_cleanup_free_ char *unit = NULL;
	int closed = 0;

	if (find_unit(&bus, &unit) < 0)
		return;
	if (sd_bus_get_property_trivial(bus, SYSTEMD, unit, SYSTEMD ".Service", "PrivateNetwork",
					NULL, 'b', &closed) >= 0 &&
	    closed) {
		findings_add(f, FINDING_ERROR, "auth_source = radius, and " UNIT " has no network");
		findings_remedy(f, DROP_IN);
	}
	for (size_t i = 0; i < conf->n_radius; i++) {
		const struct conf_radius_server *s = &conf->radius[i];
		const char *name = credential_name(s->secret);

		if (!name || loads(bus, unit, name) != 0)
			continue;
		findings_add(f, FINDING_ERROR, "secret=%s, and " UNIT " is not given it",
			     s->secret);
		findings_remedy(f, DROP_IN);
	}
}

static void look_at_server(const struct conf_radius_server *conf, struct findings *f)
{
	bool handed_over = credential_name(conf->secret) && !credential_given();
	char why[512] = "", *remedy;
	struct radius_server s;
	int rc;

	radius_server_init(&s, conf);
	rc = radius_server_probe(&s, !handed_over, why, sizeof(why));
	explicit_bzero(&s, sizeof(s));
	if (rc == 0)
		return;
	remedy = strstr(why, "; ");
	if (remedy)
		*remedy = '\0';
	findings_add(f, rc < 0 ? FINDING_ERROR : FINDING_WARNING, "%s", why);
	findings_remedy(f, "%s", remedy ? remedy + 2 : "is there a route to it?");
}

void authd_check_radius(const struct conf_auth *conf, struct findings *f)
{
	look_at_unit(conf, f);
	for (size_t i = 0; i < conf->n_radius; i++)
		look_at_server(&conf->radius[i], f);
}
