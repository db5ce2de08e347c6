/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * events.c - what the journal says: one sentence for people, VPNGW_ fields for machines.
 *
 * `journalctl VPNGW_USER=alice` tells a user's story. When a login fails the line says which side,
 * which step and which setting to look at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cleanup.h"
#include "gateway.h"
#include "text.h"

/* One per kind of event, for `journalctl MESSAGE_ID=`. */
#define ID_SESSION_UP     "7a23514dfd044af7872e383dfe01439a"
#define ID_SESSION_DOWN   "86f7af9d728e43aeb5968b3577c04fa6"
#define ID_REKEY          "b1beea72c51643c280abc9e91bb18b30"
#define ID_AUTH_FAILED    "ad208a13284c4b7c852401e2e90d6c0c"
#define ID_LEASE_GRANTED  "b72607d648fd4f0c8a7f59c90d48156b"
#define ID_LEASE_RELEASED "6d72e29cd36341deb23486711af5bb10"
#define ID_POOL_EXHAUSTED "f69c6a2d4d8347e69e6c76975433019a"
#define ID_OVERLOAD       "6714eceaae1a438684cff3e72912bb7e"

struct shown {
	char user[4 * LIMIT_USER], client[4 * LIMIT_CLIENT_NAME], peer[ENDPOINT_STRLEN],
		lease[ENDPOINT_STRLEN];
};

static void show(struct shown *s, const char *user, const char *client, const struct endpoint *peer,
		 const struct ipaddr *lease)
{
	text_escape(span_str(user), s->user, sizeof(s->user));
	text_escape(span_str(client), s->client, sizeof(s->client));
	endpoint_str(peer, s->peer);
	ipaddr_str(lease, s->lease);
}

static void common(struct log_event *e, const char *event, const char *id, const char *session,
		   const struct shown *s)
{
	log_field(e, "VPNGW_EVENT", "%s", event);
	log_field(e, "MESSAGE_ID", "%s", id);
	log_field(e, "VPNGW_SESSION", "%s", session);
	log_field(e, "VPNGW_USER", "%s", s->user);
	log_field(e, "VPNGW_PEER", "%s", s->peer);
	if (strcmp(s->lease, "-") != 0)
		log_field(e, "VPNGW_ADDRESS", "%s", s->lease);
	log_field(e, "VPNGW_CLIENT", "%s", s->client);
}

void event_up(const struct ike_ticket *who, const struct fx_session *f)
{
	struct log_event e;
	struct shown s;

	(void)who;
	show(&s, f->user, f->client, &f->peer, &f->lease);
	log_event_init(&e, LOG_NOTICE, "%.128s is up: %s, from %s%s%.64s, session %s", s.user,
		       s.lease, s.peer, *s.client ? ", " : "", s.client, f->name);
	common(&e, "session-up", ID_SESSION_UP, f->name, &s);
	log_send(&e);
}

void event_rekey(const struct fx_session *f)
{
	const char *by = f->by_gateway ? "gateway" : "client";
	struct log_event e;
	struct shown s;

	show(&s, f->user, f->client, &f->peer, &f->lease);
	log_event_init(&e, LOG_INFO, "%.128s has new IPsec SAs for %s, begun by the %s, session %s",
		       s.user, s.lease, by, f->name);
	common(&e, "rekey", ID_REKEY, f->name, &s);
	log_field(&e, "VPNGW_SA", "esp");
	log_field(&e, "VPNGW_BY", "%s", by);
	log_send(&e);
}

/* Which side, which step, which setting. */
static const char *login_hint(enum ike_reason why)
{
	switch (why) {
	case IKE_R_AUTH_FAILED:
		return "; the gateway checked it as [auth] says";
	case IKE_R_AUTH_UNAVAILABLE:
		return "; look at vpngw-authd (systemctl status vpngw-authd) and [auth]";
	case IKE_R_CLIENT_SILENT:
		return " after phase 1, when it was asked for name and password ([phase1] "
		       "auth_timeout)";
	default:
		return "";
	}
}

static void login_failed(const struct gw_session *g, const struct fx_session *f)
{
	const char *more = g && *g->reason ? g->reason : NULL;
	struct log_event e;
	struct shown s;

	show(&s, f->user, f->client, &f->peer, &f->lease);
	log_event_init(&e, LOG_NOTICE, "login of %.128s from %s failed: %s%s%.120s%s%s",
		       *s.user ? s.user : "an unnamed user", s.peer, ike_reason_str(f->reason),
		       more ? " (" : "", more ? more : "", more ? ")" : "", login_hint(f->reason));
	common(&e, "auth-failed", ID_AUTH_FAILED, f->name, &s);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(f->reason));
	if (more)
		log_field(&e, "VPNGW_DETAIL", "%s", more);
	log_send(&e);
}

void event_down(const struct gw *gw, const struct gw_session *g, const struct fx_session *f)
{
	char duration[32], in[32], out[32];
	uint64_t seconds = f->since_us ? (gw_now_us(gw) - f->since_us) / 1000000 : 0;
	struct log_event e;
	struct shown s;

	/* The line about the missing address has been written. */
	if (f->reason == IKE_R_POOL_EXHAUSTED || f->reason == IKE_R_ADDRESS_TAKEN)
		return;
	if (!f->logged_in) {
		login_failed(g, f);
		return;
	}
	show(&s, f->user, f->client, &f->peer, &f->lease);
	log_event_init(
		&e, LOG_NOTICE, "%.128s is down after %s: %s%s%.120s%s; %s in, %s out, session %s",
		s.user, text_duration(seconds, duration), ike_reason_str(f->reason),
		g && *g->reason ? " (" : "", g ? g->reason : "", g && *g->reason ? ")" : "",
		text_size(g ? g->bytes_in : 0, in), text_size(g ? g->bytes_out : 0, out), f->name);
	common(&e, "session-down", ID_SESSION_DOWN, f->name, &s);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(f->reason));
	log_field(&e, "VPNGW_BYTES_IN", "%" PRIu64, g ? g->bytes_in : 0);
	log_field(&e, "VPNGW_BYTES_OUT", "%" PRIu64, g ? g->bytes_out : 0);
	log_field(&e, "VPNGW_DURATION", "%" PRIu64, seconds);
	log_send(&e);
}

void event_lease(const struct ike_sa *sa, bool granted, const char *user, const struct ipaddr *addr,
		 const char *session)
{
	struct log_event e;
	struct shown s;

	show(&s, user, "", sa ? &sa->peer : &(struct endpoint){ 0 }, addr);
	log_event_init(&e, LOG_INFO, "%s %s %.128s", s.lease,
		       granted ? "is leased to" : "is free again; it was leased to", s.user);
	log_field(&e, "VPNGW_EVENT", "%s", granted ? "lease-granted" : "lease-released");
	log_field(&e, "MESSAGE_ID", "%s", granted ? ID_LEASE_GRANTED : ID_LEASE_RELEASED);
	log_field(&e, "VPNGW_SESSION", "%s", session);
	log_field(&e, "VPNGW_USER", "%s", s.user);
	log_field(&e, "VPNGW_ADDRESS", "%s", s.lease);
	log_send(&e);
}

static void no_address(const struct ike_sa *sa, const char *event, const char *id, const char *text)
{
	char name[IKE_SESSION_NAME];
	struct log_event e;
	struct shown s;

	show(&s, sa->user, sa->client, &sa->peer, &(struct ipaddr){ 0 });
	log_event_init(&e, LOG_WARNING, "%.128s from %s gets no address: %s", s.user, s.peer, text);
	common(&e, event, id, ike_session_name(sa, name), &s);
	log_field(&e, "VPNGW_REASON", "%s", event);
	log_send(&e);
}

void event_pool_exhausted(const struct ike_sa *sa, const char *pool)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "every address of pool \"%s\" is in use: enlarge [pool \"%s\"] pool_size", pool,
		 pool);
	no_address(sa, "pool-exhausted", ID_POOL_EXHAUSTED, text);
}

void event_address_taken(const struct ike_sa *sa, const struct ipaddr *addr, bool outside)
{
	char text[256], a[ENDPOINT_STRLEN];

	snprintf(text, sizeof(text), "the user's own address %s %s", ipaddr_str(addr, a),
		 outside ? "is in no pool: correct the users file or add a pool"
			 : "is in use by another session");
	no_address(sa, "auth-failed", ID_AUTH_FAILED, text);
}

static bool is_overload(enum ike_reason r)
{
	return r == IKE_R_TOO_MANY_HALF_OPEN || r == IKE_R_TOO_MANY_FROM_PEER || r == IKE_R_BUSY;
}

/* At most 5 lines in 5 seconds of each kind, then a count: DOS-09. */
void event_note(struct gw *gw, const struct fx_item *it)
{
	enum ike_reason why = it->note.reason;
	const struct ike_sa *sa = ike_find(gw->ike, it->who.who);
	char detail[400], left_out[64] = "", name[IKE_SESSION_NAME] = "";
	struct log_event e;
	unsigned long suppressed;
	struct shown s;

	if (!log_allowed(&gw->note_limit[why], 5, 5, gw_now_us(gw), &suppressed))
		return;
	if (suppressed)
		snprintf(left_out, sizeof(left_out), " (%lu lines like this left out)", suppressed);
	text_escape(it->note.detail, detail, sizeof(detail));
	show(&s, sa ? sa->user : "", sa ? sa->client : "", &it->note.peer, &(struct ipaddr){ 0 });
	log_event_init(&e, is_overload(why) ? LOG_WARNING : LOG_INFO, "%s: %s%s%s%s", s.peer,
		       ike_reason_str(why), *detail ? ": " : "", detail, left_out);
	log_field(&e, "VPNGW_PEER", "%s", s.peer);
	log_field(&e, "VPNGW_USER", "%s", s.user);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(why));
	if (sa)
		log_field(&e, "VPNGW_SESSION", "%s", ike_session_name(sa, name));
	if (is_overload(why)) {
		log_field(&e, "VPNGW_EVENT", "overload");
		log_field(&e, "MESSAGE_ID", ID_OVERLOAD);
	}
	log_send(&e);
}
