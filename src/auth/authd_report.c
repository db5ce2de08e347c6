/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_report.c - the journal lines about checks that did not let somebody in.
 *
 * A refused login is INFO: the gateway tells the session's story. What an administrator can mend
 * is WARNING (too slow, too many) or ERR (the source itself), with the remedy.
 */
#include "auth/authd_report.h"

#include <stdio.h>

#include "text.h"

struct kind {
	int prio;
	unsigned burst, window_s;
	const char *hint;
};

static struct kind kind_of(enum auth_verdict v)
{
	switch (v) {
	case AUTH_OK:
	case AUTH_DENIED:
	case AUTH_NOT_ALLOWED:
	case AUTH_THROTTLED:
		break;
	case AUTH_BUSY:
		return (struct kind){ LOG_WARNING, 3, 10,
				      "; raise [auth] workers or max_pending if this is not an "
				      "attack" };
	case AUTH_TIMEOUT:
		return (struct kind){
			LOG_WARNING, 3, 10,
			"; look at the PAM modules or RADIUS servers, or raise [auth] "
			"deadline"
		};
	case AUTH_ERROR:
		return (struct kind){ LOG_ERR, 3, 10, "" };
	}
	return (struct kind){ LOG_INFO, 20, 10, "" };
}

void authd_report(struct authd_report *rep, struct span user, struct span peer,
		  const struct auth_reply *r, uint64_t now)
{
	struct kind k = kind_of(r->verdict);
	struct log_limit *limit = k.prio == LOG_INFO      ? &rep->refused
				  : k.prio == LOG_WARNING ? &rep->trouble
							  : &rep->broken;
	char who[160], from[80], why[200], more[64] = "";
	unsigned long left_out;
	struct log_event e;

	if (r->verdict == AUTH_OK || !log_allowed(limit, k.burst, k.window_s, now, &left_out))
		return;
	text_escape(user, who, sizeof(who));
	text_escape(peer, from, sizeof(from));
	text_escape(span_str(r->reason), why, sizeof(why));
	if (left_out)
		snprintf(more, sizeof(more), " (%lu such lines left out)", left_out);
	log_event_init(&e, k.prio, "Login of %s from %s: %s: %s%s%s", user.n ? who : "(no name)",
		       peer.n ? from : "(no address)", auth_verdict_str(r->verdict), why, k.hint,
		       more);
	log_field(&e, "VPNGW_USER", "%s", who);
	log_field(&e, "VPNGW_PEER", "%s", from);
	log_field(&e, "VPNGW_REASON", "%s", auth_verdict_str(r->verdict));
	log_field(&e, "VPNGW_DETAIL", "%s", why);
	log_send(&e);
}
