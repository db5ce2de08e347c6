/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics_text.c - answers of io.vpngw as OpenMetrics text (OpenMetrics 1.0.0).
 *
 * Counters and reasons of a gateway that is newer than this come out as well: their names are made
 * from what it calls them. Labels are its enumerations and the names of pools; users are in none,
 * but for the series of sessions, which must be asked for.
 */
#include "ctl/metrics_text.h"

#include <string.h>

#include "cleanup.h"
#include "text.h"

#define LABEL_MAX 1024
#define DROPPED   "dropped_" /* how the counters begin that say what was thrown away, and why */
#define BYTES     "bytes_"   /* and those of the tunnels' traffic, in and out */

/* ---- lines ---- */

/* Text that stands between quotes, or behind HELP: no line ends there that did not end before. */
static void put_escaped(FILE *f, const char *s, bool label)
{
	for (; *s; s++) {
		if (*s == '\\' || (label && *s == '"'))
			putc('\\', f);
		if (*s == '\n')
			fputs("\\n", f);
		else
			putc(*s, f);
	}
}

static void family(FILE *f, const char *name, const char *type, const char *unit, const char *help)
{
	fprintf(f, "# TYPE vpngw_%s %s\n", name, type);
	if (unit)
		fprintf(f, "# UNIT vpngw_%s %s\n", name, unit);
	fprintf(f, "# HELP vpngw_%s ", name);
	put_escaped(f, help, false);
	fputs(".\n", f);
}

/* `text` is shown as the journal shows it: what names and reasons are made of may be a stranger's. */
static void put_label(FILE *f, char before, const char *name, const char *text)
{
	char safe[LABEL_MAX];

	fprintf(f, "%c%s=\"", before, name);
	put_escaped(f, text_escape(span_str(text), safe, sizeof(safe)), true);
	putc('"', f);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v ? v : "";
}

static void put_value(FILE *f, const json_t *v)
{
	fprintf(f, " %lld\n", (long long)json_integer_value(v));
}

/* A gauge without labels; nothing when the gateway does not say. */
static void gauge(FILE *f, const json_t *o, const char *key, const char *name, const char *unit,
		  const char *help)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		return;
	family(f, name, "gauge", unit, help);
	fprintf(f, "vpngw_%s", name);
	put_value(f, v);
}

static void flag(FILE *f, const char *name, bool is, const char *help)
{
	family(f, name, "gauge", NULL, help);
	fprintf(f, "vpngw_%s %d\n", name, is);
}

/* ---- the gateway ---- */

static void put_gateway(FILE *f, const json_t *status)
{
	family(f, "build", "info", NULL, "The gateway that runs");
	fputs("vpngw_build_info", f);
	put_label(f, '{', "version", text_of(status, "version"));
	fputs("} 1\n", f);
	gauge(f, status, "since_unix", "start_time_seconds", "seconds",
	      "When the gateway started; sessions may be older");
	gauge(f, status, "sessions", "sessions", NULL, "Sessions of users who have logged in");
	gauge(f, status, "half_open", "half_open", NULL, "Logins under way");
	gauge(f, status, "incomplete", "incomplete_messages", NULL,
	      "IKE messages that wait for more of their fragments");
	gauge(f, status, "cert_expires_unix", "certificate_expiry_timestamp_seconds", "seconds",
	      "When the gateway's certificate expires");
	flag(f, "authd_connected", strcmp(text_of(status, "authd"), "connected") == 0,
	     "The password checker is connected; it is started by the first login");
	family(f, "warnings", "gauge", NULL, "Warnings of vpngwctl status");
	fprintf(f, "vpngw_warnings %zu\n", json_array_size(json_object_get(status, "warnings")));
}

static const struct {
	const char *key, *name, *help;
} pool_gauge[] = {
	{ "size", "pool_addresses", "Addresses of a pool" },
	{ "leased", "pool_leased_addresses", "Of these, those that sessions have" },
	{ "kept", "pool_kept_addresses", "Free ones that are kept for their last users" },
	{ "draining", "pool_draining_addresses",
	  "Addresses that sessions have and the configuration has no more" },
};

static void put_pools(FILE *f, const json_t *pools)
{
	const json_t *pool;
	size_t i;

	for (size_t g = 0; g < ARRAY_SIZE(pool_gauge); g++) {
		family(f, pool_gauge[g].name, "gauge", NULL, pool_gauge[g].help);
		json_array_foreach (pools, i, pool) {
			fprintf(f, "vpngw_%s", pool_gauge[g].name);
			put_label(f, '{', "pool", text_of(pool, "name"));
			putc('}', f);
			put_value(f, json_object_get(pool, pool_gauge[g].key));
		}
	}
}

/* ---- counters ---- */

/* What a counter is called here, where the gateway's word alone does not say what is counted. */
static const struct {
	const char *name, *metric;
} called[] = {
	{ "received", "datagrams_received" }, { "sent", "datagrams_sent" },
	{ "resent", "datagrams_resent" },     { "no_proposal", "offers_refused" },
	{ "moved", "clients_moved" },
};

static const char *metric_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(called); i++)
		if (strcmp(called[i].name, name) == 0)
			return called[i].metric;
	return name;
}

static bool is_metric_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static bool starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The samples of one family, whose label is the rest of the names that begin with `prefix`. */
static void put_labelled(FILE *f, const json_t *rows, const char *prefix, const char *name,
			 const char *label)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *reason = text_of(row, "name");

		if (!starts(reason, prefix))
			continue;
		fprintf(f, "vpngw_%s_total", name);
		put_label(f, '{', label, reason + strlen(prefix));
		putc('}', f);
		put_value(f, json_object_get(row, "value"));
	}
}

static void put_counters(FILE *f, const json_t *stats)
{
	const json_t *rows = json_object_get(stats, "counters"), *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *name = text_of(row, "name"), *help = text_of(row, "meaning");
		char safe[LABEL_MAX];

		if (starts(name, DROPPED) || starts(name, BYTES) || !is_metric_name(name))
			continue;
		family(f, metric_of(name), "counter", NULL,
		       text_escape(span_str(*help ? help : name), safe, sizeof(safe)));
		fprintf(f, "vpngw_%s_total", metric_of(name));
		put_value(f, json_object_get(row, "value"));
	}
	family(f, "traffic_bytes", "counter", "bytes",
	       "Bytes that came from clients through tunnels (in) and went to them (out)");
	put_labelled(f, rows, BYTES, "traffic_bytes", "direction");
	family(f, "messages_dropped", "counter", NULL, "IKE messages that were thrown away");
	put_labelled(f, rows, DROPPED, "messages_dropped", "reason");
	family(f, "refusals", "counter", NULL, "Logins and messages that were refused");
	put_labelled(f, json_object_get(stats, "refusals"), "", "refusals", "reason");
}

/* ---- sessions ---- */

/* A session's own labels, and not the user's alone: a sum over a user's sessions would fall when
 * one of them ends, which a counter must not. */
static void put_who(FILE *f, const json_t *session)
{
	put_label(f, '{', "session", text_of(session, "session"));
	put_label(f, ',', "user", text_of(session, "user"));
}

static void put_bytes(FILE *f, const json_t *session, const char *direction, const char *key)
{
	fputs("vpngw_session_traffic_bytes_total", f);
	put_who(f, session);
	put_label(f, ',', "direction", direction);
	putc('}', f);
	put_value(f, json_object_get(session, key));
}

static void put_sessions(FILE *f, const json_t *sessions)
{
	const json_t *session;
	size_t i;

	family(f, "session_start_time_seconds", "gauge", "seconds", "When a session began");
	json_array_foreach (sessions, i, session) {
		fputs("vpngw_session_start_time_seconds", f);
		put_who(f, session);
		putc('}', f);
		put_value(f, json_object_get(session, "since_unix"));
	}
	family(f, "session_traffic_bytes", "counter", "bytes",
	       "Bytes that came from a session's client (in) and went to it (out)");
	json_array_foreach (sessions, i, session) {
		put_bytes(f, session, "in", "bytes_in");
		put_bytes(f, session, "out", "bytes_out");
	}
}

void metrics_text(FILE *f, const json_t *status, const json_t *stats, const json_t *sessions)
{
	flag(f, "up", status != NULL, "The gateway answers");
	if (status) {
		put_gateway(f, status);
		put_pools(f, json_object_get(status, "pools"));
		put_counters(f, stats);
		if (sessions)
			put_sessions(f, json_object_get(sessions, "sessions"));
	}
	fputs("# EOF\n", f);
}
