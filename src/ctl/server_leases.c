/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server_leases.c - the methods of io.vpngw that give addresses to users for good. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl/server_private.h"
#include "log.h"
#include "text.h"

/* NULL, and answered, when the parameter is none. */
static const char *get(struct ctl_client *c, const struct varlink_call *call, const char *key,
		       struct ipaddr *ret_addr)
{
	const char *v = json_string_value(json_object_get(call->parameters, key));

	if (v && *v && strlen(v) <= LIMIT_USER && (!ret_addr || ipaddr_parse(v, ret_addr) == 0))
		return v;
	varlink_error(&c->out, VARLINK_INVALID_PARAMETER, "parameter", key);
	return NULL;
}

/* user: as shown; NULL when there is none to name. */
static void log_pin(const struct ctl_peer *who, const char *addr, const char *user)
{
	struct log_event e;

	if (user)
		log_event_init(&e, LOG_NOTICE, "%s pinned %s to %s", who->user, addr, user);
	else
		log_event_init(&e, LOG_NOTICE, "%s unpinned %s", who->user, addr);
	log_field(&e, "VPNGW_EVENT", user ? "admin-pin" : "admin-unpin");
	log_field(&e, "MESSAGE_ID", user ? CTL_ID_PIN : CTL_ID_UNPIN);
	log_field(&e, "VPNGW_ADMIN", "%s", who->user);
	log_field(&e, "VPNGW_ADMIN_UID", "%u", who->uid);
	log_field(&e, "VPNGW_ADMIN_PID", "%d", who->pid);
	log_field(&e, "VPNGW_ADDRESS", "%s", addr);
	if (user)
		log_field(&e, "VPNGW_USER", "%s", user);
	log_send(&e);
}

static void put_done(struct ctl_client *c, const char *addr)
{
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	jsonw_text(&c->out, "address", addr);
	varlink_end(&c->out);
}

static void put_refused(struct ctl_client *c, int rc, const char *addr, const char *user)
{
	char what[ENDPOINT_STRLEN + 4 * LIMIT_USER + 128];

	switch (rc) {
	case -ENOENT:
		snprintf(what, sizeof(what), "address %s in any pool", addr);
		break;
	case -EBUSY:
		snprintf(what, sizeof(what), "another user has %s", addr);
		break;
	case -EEXIST:
		snprintf(what, sizeof(what), "%s is pinned to another user", addr);
		break;
	case -EPERM:
		snprintf(what, sizeof(what),
			 "%s has an address of the own, from where passwords are checked", user);
		break;
	default:
		snprintf(what, sizeof(what), "%s", strerror(-rc));
		break;
	}
	ctl_json_error(&c->out, rc == -ENOENT ? "NotFound" : "Busy", what);
}

void ctl_run_pin(struct ctl_client *c, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;
	char text[ENDPOINT_STRLEN], shown[4 * LIMIT_USER + 1];
	const char *user = get(c, call, "user", NULL);
	struct ipaddr addr;
	int rc;

	if (!user || !get(c, call, "address", &addr))
		return;
	ipaddr_str(&addr, text);
	text_escape(span_str(user), shown, sizeof(shown));
	rc = s->ops->lease_pin(s->ctx, &addr, user);
	if (rc < 0) {
		put_refused(c, rc, text, shown);
		return;
	}
	log_pin(ctl_client_peer(c), text, shown);
	put_done(c, text);
}

void ctl_run_unpin(struct ctl_client *c, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;
	char text[ENDPOINT_STRLEN], what[ENDPOINT_STRLEN + 32];
	struct ipaddr addr;

	if (!get(c, call, "address", &addr))
		return;
	ipaddr_str(&addr, text);
	if (s->ops->lease_unpin(s->ctx, &addr) < 0) {
		snprintf(what, sizeof(what), "pin of %s", text);
		ctl_json_error(&c->out, "NotFound", what);
		return;
	}
	log_pin(ctl_client_peer(c), text, NULL);
	put_done(c, text);
}
