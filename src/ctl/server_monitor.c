/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server_monitor.c - io.vpngw.Monitor: what goes to the journal as an event goes to whoever watches.
 *
 * An event that a watcher has no room for is left out and counted, so that nobody who does not read
 * holds up the gateway or makes it grow.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "ctl/server_private.h"

#define FIELD "VPNGW_"

/* The value of "VPNGW_<name>=", or NULL. */
static const char *field(const struct log_event *e, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 0; i < e->n; i++)
		if (strncmp(e->field[i], name, n) == 0 && e->field[i][n] == '=')
			return e->field[i] + n + 1;
	return NULL;
}

/* VPNGW_BYTES_IN becomes bytes_in. */
static void put_fields(struct jsonw *w, const struct log_event *e)
{
	jsonw_open(w, "fields", '{');
	for (unsigned i = 0; i < e->n; i++) {
		const char *f = e->field[i], *value = strchr(f, '=');
		char name[32];
		size_t n = 0;

		if (!value || strncmp(f, FIELD, strlen(FIELD)) != 0 ||
		    strncmp(f, FIELD "EVENT=", strlen(FIELD "EVENT=")) == 0)
			continue;
		for (f += strlen(FIELD); f < value && n + 1 < sizeof(name); f++)
			name[n++] = *f >= 'A' && *f <= 'Z' ? (char)(*f | 0x20) : *f;
		name[n] = '\0';
		jsonw_text(w, name, value + 1);
	}
	jsonw_close(w, '}');
}

/* One reply of the stream; NULL for an empty one. */
static void put_reply(struct ctl_client *c, const char *event, const struct log_event *e)
{
	static const char end_of_reply[] = ",\"continues\":true}";
	struct jsonw *w = &c->out;

	jsonw_open(w, NULL, '{');
	jsonw_open(w, "parameters", '{');
	jsonw_text(w, "schema_version", CTL_SCHEMA);
	jsonw_open(w, "events", '[');
	if (e) {
		jsonw_open(w, NULL, '{');
		jsonw_text(w, "event", event);
		jsonw_text(w, "message", e->message);
		jsonw_time(w, "time", (uint64_t)time(NULL));
		jsonw_u64(w, "priority", (uint64_t)e->prio);
		put_fields(w, e);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_u64(w, "lost", c->job.rows);
	jsonw_close(w, '}');
	jsonw_raw(w, end_of_reply, sizeof(end_of_reply)); /* with its NUL */
	c->job.rows = 0;
}

void ctl_on_log(void *ctx, const struct log_event *e)
{
	struct ctl_server *s = ctx;
	const char *event = field(e, FIELD "EVENT");

	for (unsigned i = 0; event && i < LIMIT_CTL_CLIENTS; i++) {
		struct ctl_client *c = s->client[i];

		if (!c || c->job.kind != CTL_JOB_MONITOR)
			continue;
		if (jsonw_left(&c->out) >= CTL_HIGH) {
			c->job.rows++;
			continue;
		}
		ctl_client_wake(c);
		put_reply(c, event, e);
	}
}

/* The first reply says that from here on nothing is missed. */
void ctl_monitor_start(struct ctl_client *c, const struct varlink_call *call)
{
	unsigned watchers = 0;

	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++)
		watchers +=
			c->server->client[i] && c->server->client[i]->job.kind == CTL_JOB_MONITOR;
	if (watchers >= LIMIT_CTL_WATCHERS) {
		ctl_json_error(&c->out, "Busy", "too many watch already");
		return;
	}
	ctl_job_start(c, CTL_JOB_MONITOR, call);
	put_reply(c, NULL, NULL);
}
