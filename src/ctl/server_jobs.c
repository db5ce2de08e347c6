/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server_jobs.c - requests that walk a table, a bounded piece per turn of the event loop.
 *
 * A table goes out row by row in both forms that Varlink has: with the flag `more` each row is a
 * reply, without it the rows are the array of one reply. Only the bytes between two rows differ.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl/server_private.h"
#include "log.h"
#include "text.h"

#define PASSWD_LINES 4096 /* looked through for the caller's name */

/* From the file alone: a name service over the network could block the loop. */
static void look_up_name(struct ctl_peer *p)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry, *found;
	char line[4096];

	snprintf(p->user, sizeof(p->user), "%u", p->uid);
	for (unsigned i = 0; f && i < PASSWD_LINES; i++) {
		if (fgetpwent_r(f, &entry, line, sizeof(line), &found))
			return;
		if (entry.pw_uid == p->uid) {
			text_escape(span_str(entry.pw_name), p->user, sizeof(p->user));
			return;
		}
	}
}

const struct ctl_peer *ctl_client_peer(struct ctl_client *c)
{
	if (!c->named)
		look_up_name(&c->peer);
	c->named = true;
	return &c->peer;
}

/* ---- rows ---- */

static const char *array_name(const struct ctl_job *j)
{
	return j->kind == CTL_JOB_LEASES ? "leases" : "sessions";
}

/* Everything of a reply in front of its first row. */
static void put_head(struct ctl_client *c)
{
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	jsonw_open(&c->out, array_name(&c->job), '[');
}

static void put_tail(struct ctl_client *c)
{
	jsonw_close(&c->out, ']');
	varlink_end(&c->out);
}

/* What stands before the next row. The reply before it stays open until it is known that there is
 * a next one, because only then it "continues". */
static void put_between(struct ctl_client *c)
{
	static const char end_of_reply[] = "]},\"continues\":true}";

	if (c->job.rows == 0) {
		put_head(c);
	} else if (c->job.more) {
		jsonw_raw(&c->out, end_of_reply, sizeof(end_of_reply)); /* with its NUL */
		put_head(c);
	} else {
		jsonw_raw(&c->out, ",", 1);
	}
	c->job.rows++;
}

/* ---- which sessions ---- */

static bool matches(const struct ctl_match *m, const struct ctl_session *s)
{
	char shown[sizeof(m->text)];

	switch (m->by) {
	case CTL_BY_ALL:
		return true;
	case CTL_BY_SESSION:
		return strcmp(m->text, s->id) == 0;
	case CTL_BY_ADDRESS:
		return m->addr.family != IP_NONE &&
		       (ipaddr_eq(&m->addr, &s->address) || ipaddr_eq(&m->addr, &s->address6));
	case CTL_BY_POOL:
		return strcmp(m->text, s->pool) == 0;
	case CTL_BY_USER:
		if (!m->escaped)
			return strcmp(m->text, s->user) == 0;
		text_escape(span_str(s->user), shown, sizeof(shown));
		return strcmp(m->text, shown) == 0;
	}
	return false;
}

/*
 * At the end of the table: a name that nobody has, written with a backslash, may have been copied
 * from a place that shows names escaped. True when the table is to be walked again for that.
 */
static bool try_escaped(struct ctl_job *j)
{
	struct ctl_match *m = &j->match;

	if (j->rows || m->by != CTL_BY_USER || m->escaped || !strchr(m->text, '\\'))
		return false;
	m->escaped = true;
	j->cursor = 0;
	return true;
}

static void put_not_found(struct ctl_client *c)
{
	static const char *const kind[] = {
		[CTL_BY_ALL] = "session",          [CTL_BY_SESSION] = "session",
		[CTL_BY_USER] = "session of user", [CTL_BY_ADDRESS] = "session with address",
		[CTL_BY_POOL] = "session in pool",
	};
	char safe[256], what[320];

	text_escape(span_str(c->job.match.text), safe, sizeof(safe));
	snprintf(what, sizeof(what), "%s %s", kind[c->job.match.by], safe);
	ctl_json_error(&c->out, "NotFound", what);
}

/* ---- the jobs; each returns true at its end ---- */

static bool turn_sessions(struct ctl_client *c)
{
	struct ctl_job *j = &c->job;
	const struct ctl_server *s = c->server;
	struct ctl_session row;

	for (unsigned i = 0; i < CTL_TURN_ROWS && jsonw_left(&c->out) < CTL_HIGH; i++) {
		if (!s->ops->session_next(s->ctx, &j->cursor, &row)) {
			if (try_escaped(j))
				return false;
			if (j->rows == 0 && j->kind == CTL_JOB_SHOW) {
				put_not_found(c);
				return true;
			}
			if (j->rows == 0)
				put_head(c);
			put_tail(c);
			return true;
		}
		if (!matches(&j->match, &row))
			continue;
		put_between(c);
		ctl_json_session(&c->out, &row, j->kind == CTL_JOB_SHOW);
	}
	return false;
}

static bool turn_leases(struct ctl_client *c)
{
	struct ctl_job *j = &c->job;
	const struct ctl_server *s = c->server;
	struct ctl_lease row;

	for (unsigned i = 0; i < CTL_TURN_ROWS && jsonw_left(&c->out) < CTL_HIGH; i++) {
		if (!s->ops->lease_next(s->ctx, &j->cursor, &row)) {
			if (j->rows == 0)
				put_head(c);
			put_tail(c);
			return true;
		}
		put_between(c);
		ctl_json_lease(&c->out, &row);
	}
	return false;
}

static void log_kick(const struct ctl_peer *who, const struct ctl_session *s)
{
	char user[LIMIT_USER + 1], addr[ENDPOINT_STRLEN] = "";
	struct log_event e;

	text_escape(span_str(s->user), user, sizeof(user));
	if (s->address.family != IP_NONE)
		ipaddr_str(&s->address, addr);
	log_event_init(&e, LOG_NOTICE, "%s ended session %s%s%s%s%s", who->user, s->id,
		       user[0] ? " of " : "", user, who->reason[0] ? ": " : "", who->reason);
	log_field(&e, "VPNGW_EVENT", "admin-kick");
	log_field(&e, "MESSAGE_ID", CTL_ID_KICK);
	log_field(&e, "VPNGW_ADMIN", "%s", who->user);
	log_field(&e, "VPNGW_ADMIN_UID", "%u", who->uid);
	log_field(&e, "VPNGW_ADMIN_PID", "%d", who->pid);
	log_field(&e, "VPNGW_SESSION", "%s", s->id);
	log_field(&e, "VPNGW_USER", "%s", user);
	log_field(&e, "VPNGW_ADDRESS", "%s", addr);
	log_field(&e, "VPNGW_DETAIL", "%s", who->reason);
	log_send(&e);
}

/* The answer of a kick that came to the end of the table. */
static void put_kicked(struct ctl_client *c)
{
	if (c->job.rows == 0 && c->job.match.by != CTL_BY_ALL) {
		put_not_found(c);
		return;
	}
	varlink_begin(&c->out);
	jsonw_text(&c->out, "schema_version", CTL_SCHEMA);
	jsonw_u64(&c->out, "count", c->job.rows);
	varlink_end(&c->out);
}

static bool turn_kick(struct ctl_client *c)
{
	struct ctl_job *j = &c->job;
	const struct ctl_server *s = c->server;
	unsigned kicks = 0;
	struct ctl_session row;

	for (unsigned i = 0; i < CTL_TURN_ROWS && kicks < CTL_TURN_KICKS; i++) {
		int r;

		if (!s->ops->session_next(s->ctx, &j->cursor, &row)) {
			if (try_escaped(j))
				return false;
			put_kicked(c);
			return true;
		}
		if (!matches(&j->match, &row))
			continue;
		kicks++;
		r = s->ops->kick(s->ctx, row.id, ctl_client_peer(c));
		if (r == -ENOENT)
			continue; /* it ended by itself meanwhile */
		if (r < 0) {
			bool denied = r == -EPERM || r == -EACCES;
			char what[sizeof(row.id) + 16];

			snprintf(what, sizeof(what), "session %s", row.id);
			ctl_json_error(&c->out, denied ? "NotPermitted" : "Busy", what);
			return true;
		}
		j->rows++;
		log_kick(ctl_client_peer(c), &row);
	}
	return false;
}

/* ---- running ---- */

void ctl_job_start(struct ctl_client *c, enum ctl_job_kind kind, const struct varlink_call *call)
{
	const struct ctl_server *s = c->server;

	c->job.kind = kind;
	c->job.more = call->more;
	c->job.oneway = call->oneway;
	c->job.cursor = c->job.rows = 0;
	if ((kind == CTL_JOB_LIST || kind == CTL_JOB_SHOW) && s->ops->snapshot)
		s->ops->snapshot(s->ctx);
}

void ctl_job_turn(struct ctl_client *c)
{
	size_t mark = jsonw_left(&c->out);
	bool ended = true;

	switch (c->job.kind) {
	case CTL_JOB_NONE:
	case CTL_JOB_MONITOR:
		return;
	case CTL_JOB_LIST:
	case CTL_JOB_SHOW:
		ended = turn_sessions(c);
		break;
	case CTL_JOB_LEASES:
		ended = turn_leases(c);
		break;
	case CTL_JOB_KICK:
		ended = turn_kick(c);
		break;
	}
	if (c->job.oneway)
		c->out.len = c->out.sent + mark;
	if (ended)
		c->job.kind = CTL_JOB_NONE;
}
