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

/* One per kind of event, for `journalctl MESSAGE_ID=`; systemd/vpngw.catalog explains them. */
#define ID_SESSION_UP     "7a23514dfd044af7872e383dfe01439a"
#define ID_SESSION_DOWN   "86f7af9d728e43aeb5968b3577c04fa6"
#define ID_REKEY          "b1beea72c51643c280abc9e91bb18b30"
#define ID_AUTH_FAILED    "ad208a13284c4b7c852401e2e90d6c0c"
#define ID_LEASE_GRANTED  "b72607d648fd4f0c8a7f59c90d48156b"
#define ID_LEASE_RELEASED "6d72e29cd36341deb23486711af5bb10"
#define ID_POOL_EXHAUSTED "f69c6a2d4d8347e69e6c76975433019a"
#define ID_PEER_MOVED     "56782c3c829744dab0c29a12d7e66dd7"
#define ID_OVERLOAD       "6714eceaae1a438684cff3e72912bb7e"
#define ID_DPD_TIMEOUT    "7e05bfdfdd27403d946407e2588d5131"
#define ID_CERT_EXPIRING  "2d61f1a9fab64ec58d9a7e6a64d3d5fb"

struct shown {
	char user[4 * LIMIT_USER + 1], client[4 * LIMIT_CLIENT_NAME + 1], peer[ENDPOINT_STRLEN],
		lease[ENDPOINT_STRLEN], lease6[ENDPOINT_STRLEN];
	char who[LIMIT_USER + 4], what[LIMIT_CLIENT_NAME + 4]; /* the same, short for a sentence */
};

static void show(struct shown *s, const char *user, const char *client, const struct endpoint *peer,
		 const struct ipaddr *lease)
{
	text_escape(span_str(user), s->user, sizeof(s->user));
	text_escape(span_str(client), s->client, sizeof(s->client));
	text_cut(s->user, s->who, sizeof(s->who));
	text_cut(s->client, s->what, sizeof(s->what));
	endpoint_str(peer, s->peer);
	ipaddr_str(lease, s->lease);
	strcpy(s->lease6, "-");
}

static void show_session(struct shown *s, const struct fx_session *f)
{
	show(s, f->user, f->client, &f->peer, &f->lease);
	ipaddr_str(&f->lease6, s->lease6);
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
	if (strcmp(s->lease6, "-") != 0)
		log_field(e, "VPNGW_ADDRESS6", "%s", s->lease6);
	log_field(e, "VPNGW_CLIENT", "%s", s->client);
}

static void profile(struct log_event *e, const struct fx_session *f)
{
	if (*f->profile)
		log_field(e, "VPNGW_PROFILE", "%s", f->profile);
}

void event_up(const struct ike_ticket *who, const struct fx_session *f)
{
	struct log_event e;
	struct shown s;

	(void)who;
	show_session(&s, f);
	log_event_init(&e, LOG_NOTICE, "%s is up: %s%s%s, from %s%s%s, session %s", s.who, s.lease,
		       f->lease6.family ? " and " : "", f->lease6.family ? s.lease6 : "", s.peer,
		       *s.what ? ", " : "", s.what, f->name);
	common(&e, "session-up", ID_SESSION_UP, f->name, &s);
	profile(&e, f);
	log_send(&e);
}

#define LEFT_OUT 64

/* At most `burst` lines in 5 seconds; the first of the next ones counts those in between. */
static bool may_write(const struct gw *gw, struct log_limit *limit, unsigned burst,
		      char left_out[static LEFT_OUT])
{
	unsigned long n;

	*left_out = '\0';
	if (!log_allowed(limit, burst, 5, gw_now_us(gw), &n))
		return false;
	if (n)
		snprintf(left_out, LEFT_OUT, " (%lu lines like this left out)", n);
	return true;
}

void event_rekey(const struct fx_session *f)
{
	const char *by = f->by_gateway ? "gateway" : "client";
	struct log_event e;
	struct shown s;

	show_session(&s, f);
	if (f->of_isakmp)
		log_event_init(&e, LOG_INFO, "%.128s has logged in again and keeps %s, session %s",
			       s.user, s.lease, f->name);
	else
		log_event_init(&e, LOG_INFO,
			       "%.128s has new IPsec SAs for %s, begun by the %s, session %s",
			       s.user, s.lease, by, f->name);
	common(&e, "rekey", ID_REKEY, f->name, &s);
	log_field(&e, "VPNGW_SA", "%s", f->of_isakmp ? "isakmp" : "esp");
	log_field(&e, "VPNGW_BY", "%s", by);
	log_send(&e);
}

#define HINT 128

/* Where a setting stands that may be a profile's own. */
static const char *where(const struct fx_session *f, char buf[static HINT])
{
	if (!*f->profile)
		return "[auth]";
	snprintf(buf, HINT, "[profile \"%s\"] or [auth]", f->profile);
	return buf;
}

/* Which side, which step, which setting. */
static const char *login_hint(const struct fx_session *f, char buf[static HINT])
{
	char at[HINT];

	switch (f->reason) {
	case IKE_R_AUTH_FAILED:
		return "; the gateway checked it as [auth] says";
	case IKE_R_AUTH_UNAVAILABLE:
		return "; look at vpngw-authd (systemctl status vpngw-authd) and [auth]";
	case IKE_R_NO_ANSWER:
		return "; the second factor that [auth] asks for needs a client that shows "
		       "questions";
	case IKE_R_XAUTH_ROUNDS:
		return "; look at the PAM modules or RADIUS servers of [auth]";
	case IKE_R_CLIENT_SILENT:
		if (f->asked)
			return " when it was asked a question beyond name and password ([phase1] "
			       "auth_timeout)";
		return " after phase 1, when it was asked for name and password ([phase1] "
		       "auth_timeout)";
	case IKE_R_UNIQUE:
		snprintf(buf, HINT, "; %.90s unique = keep allows one", where(f, at));
		return buf;
	case IKE_R_TOO_MANY_OF_USER:
		snprintf(buf, HINT, "; %.90s sessions_per_user says how many", where(f, at));
		return buf;
	case IKE_R_PROFILE_PHASE1:
		snprintf(buf, HINT, "; [profile \"%.64s\"] exchange_mode, authentication",
			 f->profile);
		return buf;
	case IKE_R_PROFILE:
		snprintf(buf, HINT, "; [profile \"%s\"] match_group names them", f->profile);
		return buf;
	default:
		return "";
	}
}

/* Written to by anybody who can send packets, so not without a limit: DOS-09. */
static void login_failed(struct gw *gw, const struct gw_session *g, const struct fx_session *f,
			 const char *then)
{
	struct log_limit *limit = *f->user ? gw->named_limit : gw->unnamed_limit;
	const char *more = g && *g->reason ? g->reason : NULL;
	char left_out[LEFT_OUT], hint[HINT];
	struct log_event e;
	struct shown s;

	if (!may_write(gw, &limit[f->reason], *f->user ? LIMIT_LOG_NAMED : LIMIT_LOG_UNNAMED,
		       left_out))
		return;
	show_session(&s, f);
	log_event_init(&e, LOG_NOTICE, "login of %s from %s failed: %s%s%s%s%s%s%s",
		       *s.who ? s.who : "an unnamed user", s.peer, ike_reason_str(f->reason),
		       more ? " (" : "", more ? more : "", more ? ")" : "", login_hint(f, hint),
		       then, left_out);
	common(&e, "auth-failed", ID_AUTH_FAILED, f->name, &s);
	profile(&e, f);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(f->reason));
	if (more)
		log_field(&e, "VPNGW_DETAIL", "%s", more);
	log_send(&e);
}

void event_again(struct gw *gw, const struct gw_session *g, const struct fx_session *f)
{
	gw->refused[f->reason]++;
	login_failed(gw, g, f, "; the user is asked again ([auth] xauth_tries)");
}

/* Before the line about the end: which settings decided, and since when there was silence. */
static void dpd_timeout(const struct gw *gw, const struct fx_session *f)
{
	uint64_t silent = (gw_now_us(gw) - f->heard_us) / 1000000;
	struct log_event e;
	char t[32];
	struct shown s;

	show_session(&s, f);
	log_event_init(&e, LOG_NOTICE,
		       "%s at %s does not answer: last heard of %s ago, asked %u times "
		       "([phase1] dpd_delay, dpd_retry, dpd_maxfail), session %s",
		       s.who, s.peer, text_duration(silent, t), gw->config->ike.dpd_maxfail,
		       f->name);
	common(&e, "dpd-timeout", ID_DPD_TIMEOUT, f->name, &s);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(f->reason));
	log_send(&e);
}

void event_down(struct gw *gw, const struct gw_session *g, const struct fx_session *f)
{
	char duration[32], in[32], out[32];
	uint64_t seconds = f->since_us ? (gw_now_us(gw) - f->since_us) / 1000000 : 0;
	struct log_event e;
	struct shown s;

	if (!f->logged_in)
		gw->refused[f->reason]++;
	/* The line about the missing address has been written. */
	if (f->reason == IKE_R_POOL_EXHAUSTED || f->reason == IKE_R_ADDRESS_TAKEN)
		return;
	if (!f->logged_in) {
		login_failed(gw, g, f, "");
		return;
	}
	if (f->reason == IKE_R_DPD_TIMEOUT)
		dpd_timeout(gw, f);
	show_session(&s, f);
	log_event_init(&e, LOG_NOTICE, "%s is down after %s: %s%s%s%s; %s in, %s out, session %s",
		       s.who, text_duration(seconds, duration), ike_reason_str(f->reason),
		       g && *g->reason ? " (" : "", g ? g->reason : "", g && *g->reason ? ")" : "",
		       text_size(g ? g->bytes_in : 0, in), text_size(g ? g->bytes_out : 0, out),
		       f->name);
	common(&e, "session-down", ID_SESSION_DOWN, f->name, &s);
	profile(&e, f);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(f->reason));
	log_field(&e, "VPNGW_BYTES_IN", "%" PRIu64, g ? g->bytes_in : 0);
	log_field(&e, "VPNGW_BYTES_OUT", "%" PRIu64, g ? g->bytes_out : 0);
	log_field(&e, "VPNGW_DURATION", "%" PRIu64, seconds);
	log_send(&e);
}

/* The core is sparing with it: LIMIT_MOVE_S. */
void event_moved(const struct fx_session *f)
{
	char from[ENDPOINT_STRLEN];
	struct log_event e;
	struct shown s;

	show_session(&s, f);
	log_event_init(&e, LOG_INFO, "%.128s moved from %s to %s, session %s", s.user,
		       endpoint_str(&f->from, from), s.peer, f->name);
	common(&e, "peer-moved", ID_PEER_MOVED, f->name, &s);
	log_field(&e, "VPNGW_OLD_PEER", "%s", from);
	log_send(&e);
}

void event_lease(const struct ike_sa *sa, bool granted, const char *user, const struct ipaddr *addr,
		 const char *session)
{
	struct log_event e;
	struct shown s;

	show(&s, user, "", sa ? &sa->peer : &(struct endpoint){ 0 }, addr);
	log_event_init(&e, LOG_INFO, "%s %s %s", s.lease,
		       granted ? "is leased to" : "is free again; it was leased to", s.who);
	log_field(&e, "VPNGW_EVENT", "%s", granted ? "lease-granted" : "lease-released");
	log_field(&e, "MESSAGE_ID", "%s", granted ? ID_LEASE_GRANTED : ID_LEASE_RELEASED);
	log_field(&e, "VPNGW_SESSION", "%s", session);
	log_field(&e, "VPNGW_USER", "%s", s.user);
	log_field(&e, "VPNGW_ADDRESS", "%s", s.lease);
	log_send(&e);
}

static void no_address(const struct ike_sa *sa, const char *event, const char *id,
		       enum ike_reason why, const char *text)
{
	char name[IKE_SESSION_NAME];
	struct log_event e;
	struct shown s;

	show(&s, sa->user, sa->client, &sa->peer, &(struct ipaddr){ 0 });
	log_event_init(&e, LOG_WARNING, "%s from %s gets no address: %s", s.who, s.peer, text);
	common(&e, event, id, ike_session_name(sa, name), &s);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(why));
	log_send(&e);
}

void event_pool_exhausted(const struct ike_sa *sa, const char *pool)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "every address of pool \"%s\" is in use: enlarge [pool \"%s\"] pool_size", pool,
		 pool);
	no_address(sa, "pool-exhausted", ID_POOL_EXHAUSTED, IKE_R_POOL_EXHAUSTED, text);
}

void event_address_taken(const struct ike_sa *sa, const struct ipaddr *addr, bool outside)
{
	char text[256], a[ENDPOINT_STRLEN];

	snprintf(text, sizeof(text), "the user's own address %s %s", ipaddr_str(addr, a),
		 outside ? "is in no pool: correct the users file or add a pool"
			 : "is in use by another session");
	no_address(sa, "auth-failed", ID_AUTH_FAILED, IKE_R_ADDRESS_TAKEN, text);
}

void event_cert_expiring(const char *text, int64_t expires_s)
{
	struct log_event e;

	log_event_init(&e, LOG_WARNING, "%s", text);
	log_field(&e, "VPNGW_EVENT", "cert-expiring");
	log_field(&e, "MESSAGE_ID", ID_CERT_EXPIRING);
	log_field(&e, "VPNGW_EXPIRES", "%" PRId64, expires_s);
	log_send(&e);
}

/* Logins that failed before there was anybody to name. */
static bool is_failed_login(enum ike_reason r)
{
	return r == IKE_R_SHARED_KEY || r == IKE_R_CERTIFICATE || r == IKE_R_SIGNATURE;
}

static bool is_overload(enum ike_reason r)
{
	return r == IKE_R_TOO_MANY_HALF_OPEN || r == IKE_R_TOO_MANY_FROM_PEER || r == IKE_R_BUSY ||
	       r == IKE_R_FRAGMENTS_LIMIT;
}

/* At most so many of each kind, then a count: DOS-09. */
void event_note(struct gw *gw, const struct fx_item *it)
{
	enum ike_reason why = it->note.reason;
	const struct ike_sa *sa = ike_find(gw->ike, it->who.who);
	char detail[400], left_out[LEFT_OUT], name[IKE_SESSION_NAME] = "";
	struct log_event e;
	struct shown s;

	gw->refused[why]++;
	if (!may_write(gw, &gw->note_limit[why], LIMIT_LOG_UNNAMED, left_out))
		return;
	text_escape(it->note.detail, detail, sizeof(detail));
	show(&s, sa ? sa->user : "", sa ? sa->client : "", &it->note.peer, &(struct ipaddr){ 0 });
	log_event_init(&e,
		       is_overload(why)       ? LOG_WARNING
		       : is_failed_login(why) ? LOG_NOTICE
					      : LOG_INFO,
		       "%s: %s%s%s%s", s.peer, ike_reason_str(why), *detail ? ": " : "", detail,
		       left_out);
	log_field(&e, "VPNGW_PEER", "%s", s.peer);
	log_field(&e, "VPNGW_USER", "%s", s.user);
	log_field(&e, "VPNGW_REASON", "%s", ike_reason_key(why));
	if (sa)
		log_field(&e, "VPNGW_SESSION", "%s", ike_session_name(sa, name));
	if (is_failed_login(why)) {
		log_field(&e, "VPNGW_EVENT", "auth-failed");
		log_field(&e, "MESSAGE_ID", ID_AUTH_FAILED);
	}
	if (is_overload(why)) {
		log_field(&e, "VPNGW_EVENT", "overload");
		log_field(&e, "MESSAGE_ID", ID_OVERLOAD);
	}
	log_send(&e);
}
