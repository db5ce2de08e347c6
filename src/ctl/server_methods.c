/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server_methods.c - the methods of io.vpngw and org.varlink.service, one table row each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "ctl/server_private.h"
#include "log.h"
#include "text.h"

#define MAX_PARAMS 6

struct method {
	const char *name;
	/* Writes the reply, or starts a job. Runs when the names of the parameters are right. */
	void (*run)(struct ctl_client *c, const struct varlink_call *call);
	const char *params[MAX_PARAMS + 1];
	bool acts; /* changes something: done for a oneway call too */
};

static void invalid(struct ctl_client *c, const char *parameter)
{
	varlink_error(&c->out, VARLINK_INVALID_PARAMETER, "parameter", parameter);
}

/* Text, or NULL when it is absent or null. False, and answered, when it is something else. */
static bool get_text(struct ctl_client *c, const struct varlink_call *call, const char *key,
		     const char **ret)
{
	json_t *v = json_object_get(call->parameters, key);

	*ret = json_string_value(v);
	if (v && !*ret && !json_is_null(v)) {
		invalid(c, key);
		return false;
	}
	return true;
}

/* ---- which sessions ---- */

/* Exactly one of the parameters says which; `all` counts when the method has it. */
static bool get_match(struct ctl_client *c, const struct varlink_call *call, bool may_all)
{
	static const char *const key[] = {
		[CTL_BY_SESSION] = "session",
		[CTL_BY_USER] = "user",
		[CTL_BY_ADDRESS] = "address",
		[CTL_BY_POOL] = "pool",
	};
	struct ctl_match *m = &c->job.match;
	json_t *all = may_all ? json_object_get(call->parameters, "all") : NULL;
	unsigned given = json_is_true(all);

	*m = (struct ctl_match){ .by = CTL_BY_ALL };
	if (all && !json_is_boolean(all) && !json_is_null(all)) {
		invalid(c, "all");
		return false;
	}
	for (enum ctl_by by = CTL_BY_SESSION; by <= CTL_BY_POOL; by++) {
		const char *v;

		if (!get_text(c, call, key[by], &v))
			return false;
		if (!v)
			continue;
		if (++given > 1 || strlen(v) >= sizeof(m->text) ||
		    (by == CTL_BY_ADDRESS && ipaddr_parse(v, &m->addr) < 0)) {
			invalid(c, key[by]);
			return false;
		}
		m->by = by;
		strcpy(m->text, v);
	}
	if (!given)
		invalid(c, "session");
	return given == 1;
}

/* ---- io.vpngw ---- */

static void run_list(struct ctl_client *c, const struct varlink_call *call)
{
	c->job.match = (struct ctl_match){ .by = CTL_BY_ALL };
	ctl_job_start(c, CTL_JOB_LIST, call);
}

static void run_show(struct ctl_client *c, const struct varlink_call *call)
{
	if (get_match(c, call, false))
		ctl_job_start(c, CTL_JOB_SHOW, call);
}

static void run_kick(struct ctl_client *c, const struct varlink_call *call)
{
	const char *reason;

	if (!get_text(c, call, "reason", &reason) || !get_match(c, call, true))
		return;
	text_escape(span_str(reason ? reason : ""), c->peer.reason, sizeof(c->peer.reason));
	ctl_job_start(c, CTL_JOB_KICK, call);
}

static void run_leases(struct ctl_client *c, const struct varlink_call *call)
{
	ctl_job_start(c, CTL_JOB_LEASES, call);
}

static void run_status(struct ctl_client *c, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;
	struct ctl_status st = { 0 };

	(void)call;
	s->ops->status(s->ctx, &st);
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	ctl_json_status(&c->out, &st, (uint64_t)time(NULL));
	varlink_end(&c->out);
}

/* Those of one kind, from the i-th on; returns the first of another kind. */
static uint32_t put_stats(struct ctl_client *c, uint32_t i, bool refusals)
{
	const struct ctl_server *s = c->server;
	struct ctl_stat v;

	for (; s->ops->stat(s->ctx, i, &v) && v.refusal == refusals; i++) {
		jsonw_open(&c->out, NULL, '{');
		jsonw_text(&c->out, "name", v.name);
		jsonw_u64(&c->out, "value", v.value);
		jsonw_text(&c->out, "meaning", v.meaning);
		jsonw_close(&c->out, '}');
	}
	return i;
}

static void run_stats(struct ctl_client *c, const struct varlink_call *call)
{
	uint32_t i;

	(void)call;
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	jsonw_open(&c->out, "counters", '[');
	i = put_stats(c, 0, false);
	jsonw_close(&c->out, ']');
	jsonw_open(&c->out, "refusals", '[');
	put_stats(c, i, true);
	jsonw_close(&c->out, ']');
	varlink_end(&c->out);
}

static void run_monitor(struct ctl_client *c, const struct varlink_call *call)
{
	if (!call->more)
		varlink_error(&c->out, VARLINK_EXPECTED_MORE, NULL, NULL);
	else
		ctl_monitor_start(c, call);
}

static void log_release(const struct ctl_peer *who, const char *addr)
{
	struct log_event e;

	log_event_init(&e, LOG_NOTICE, "%s released the lease of %s", who->user, addr);
	log_field(&e, "VPNGW_EVENT", "admin-release");
	log_field(&e, "MESSAGE_ID", CTL_ID_RELEASE);
	log_field(&e, "VPNGW_ADMIN", "%s", who->user);
	log_field(&e, "VPNGW_ADMIN_UID", "%u", who->uid);
	log_field(&e, "VPNGW_ADMIN_PID", "%d", who->pid);
	log_field(&e, "VPNGW_ADDRESS", "%s", addr);
	log_send(&e);
}

static void run_release(struct ctl_client *c, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;
	char text[ENDPOINT_STRLEN], what[ENDPOINT_STRLEN + 32];
	struct ipaddr addr;
	const char *v;
	int r;

	if (!get_text(c, call, "address", &v))
		return;
	if (!v || ipaddr_parse(v, &addr) < 0) {
		invalid(c, "address");
		return;
	}
	ipaddr_str(&addr, text);
	c->peer.reason[0] = '\0';
	r = s->ops->lease_forget(s->ctx, &addr, ctl_client_peer(c));
	if (r < 0) {
		snprintf(what, sizeof(what), "lease of %s%s", text,
			 r == -EBUSY    ? " is in use"
			 : r == -EEXIST ? " is pinned"
					: "");
		ctl_json_error(&c->out,
			       r == -ENOENT                  ? "NotFound"
			       : r == -EPERM || r == -EACCES ? "NotPermitted"
							     : "Busy",
			       what);
		return;
	}
	log_release(ctl_client_peer(c), text);
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	jsonw_text(&c->out, "address", text);
	varlink_end(&c->out);
}

/* ---- org.varlink.service ---- */

static void run_info(struct ctl_client *c, const struct varlink_call *call)
{
	(void)call;
	varlink_begin(&c->out);
	jsonw_text(&c->out, "vendor", "vpngw");
	jsonw_text(&c->out, "product", "vpngw");
	jsonw_text(&c->out, "version", VERSION);
	jsonw_text(&c->out, "url", "man:vpngwctl(8)");
	jsonw_open(&c->out, "interfaces", '[');
	jsonw_text(&c->out, NULL, "io.vpngw");
	jsonw_text(&c->out, NULL, "org.varlink.service");
	jsonw_close(&c->out, ']');
	varlink_end(&c->out);
}

static void run_describe(struct ctl_client *c, const struct varlink_call *call)
{
	const char *name, *text;

	if (!get_text(c, call, "interface", &name))
		return;
	if (!name) {
		invalid(c, "interface");
		return;
	}
	text = strcmp(name, "io.vpngw") == 0              ? ctl_interface_text
	       : strcmp(name, "org.varlink.service") == 0 ? ctl_service_text
							  : NULL;
	if (!text) {
		varlink_error(&c->out, VARLINK_INTERFACE_NOT_FOUND, "interface", name);
		return;
	}
	varlink_begin(&c->out);
	jsonw_text(&c->out, "description", text);
	varlink_end(&c->out);
}

/* ---- the table ---- */

static const struct method method[] = {
	{ "io.vpngw.List", run_list, { NULL }, false },
	{ "io.vpngw.Show", run_show, { "session", "user", "address" }, false },
	{ "io.vpngw.Kick",
	  run_kick,
	  { "session", "user", "address", "pool", "all", "reason" },
	  true },
	{ "io.vpngw.Status", run_status, { NULL }, false },
	{ "io.vpngw.Stats", run_stats, { NULL }, false },
	{ "io.vpngw.Monitor", run_monitor, { NULL }, false },
	{ "io.vpngw.Leases", run_leases, { NULL }, false },
	{ "io.vpngw.ReleaseLease", run_release, { "address" }, true },
	{ "io.vpngw.PinLease", ctl_run_pin, { "user", "address" }, true },
	{ "io.vpngw.UnpinLease", ctl_run_unpin, { "address" }, true },
	{ "io.vpngw.Reload", ctl_run_reload, { NULL }, true },
	{ "io.vpngw.DiffConfig", ctl_run_diff, { NULL }, false },
	{ "io.vpngw.Config", ctl_run_config, { NULL }, false },
	{ "org.varlink.service.GetInfo", run_info, { NULL }, false },
	{ "org.varlink.service.GetInterfaceDescription", run_describe, { "interface" }, false },
};

const char *ctl_method_name(unsigned i)
{
	return i < ARRAY_SIZE(method) ? method[i].name : NULL;
}

/* The first parameter that the method does not have, or NULL. */
static const char *stray_parameter(const struct method *m, json_t *parameters)
{
	const char *key;
	json_t *v;

	json_object_foreach (parameters, key, v) {
		bool known = false;

		for (unsigned i = 0; m->params[i]; i++)
			known |= strcmp(m->params[i], key) == 0;
		if (!known)
			return key;
	}
	return NULL;
}

/* The interface is what stands before the last dot. */
static void put_unknown(struct ctl_client *c, const char *name)
{
	static const char *const interface[] = { "io.vpngw", "org.varlink.service" };
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : strlen(name);
	char cut[128];

	for (unsigned i = 0; i < ARRAY_SIZE(interface); i++) {
		if (strlen(interface[i]) == n && strncmp(interface[i], name, n) == 0) {
			varlink_error(&c->out, VARLINK_METHOD_NOT_FOUND, "method", name);
			return;
		}
	}
	snprintf(cut, sizeof(cut), "%.*s", (int)(n < sizeof(cut) ? n : sizeof(cut)), name);
	varlink_error(&c->out, VARLINK_INTERFACE_NOT_FOUND, "interface", cut);
}

static const struct method *find_method(struct ctl_client *c, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(method); i++) {
		if (strcmp(method[i].name, name) == 0)
			return &method[i];
	}
	put_unknown(c, name);
	return NULL;
}

void ctl_dispatch(struct ctl_client *c, const struct varlink_call *call)
{
	size_t mark = jsonw_left(&c->out);
	const struct method *m = find_method(c, call->method);
	const char *stray = m ? stray_parameter(m, call->parameters) : NULL;

	if (m && m->acts && c->server->read_only)
		ctl_json_error(&c->out, "NotPermitted", "this socket is for looking alone");
	else if (stray)
		invalid(c, stray);
	else if (m && (m->acts || !call->oneway))
		m->run(c, call);
	if (call->oneway)
		c->out.len = c->out.sent + mark;
}
