/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xauth.c - the user's name and password (draft-beaulieu-ike-xauth-02), gateway side. What is asked
 * for beyond them, xauth_ask.c does.
 *
 *   R -> I  HDR*, HASH, ATTR(REQUEST: USER-NAME, USER-PASSWORD)
 *   I -> R  HDR*, HASH, ATTR(REPLY)
 *   R -> I  HDR*, HASH, ATTR(SET: STATUS)     a new message ID, one attribute, nothing else
 *   I -> R  HDR*, HASH, ATTR(ACK)
 *
 * Until the verdict no other exchange has a row in steps.c. The verdict is vpngw-authd's; it comes
 * back through ike_auth_done().
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/cfg_attrs.h"
#include "ike/core.h"
#include "ike/profile.h"
#include "text.h"

/* How long a refused client has to acknowledge before it gets its Delete. */
#define REFUSAL_WAIT_S 4

/*
 * Anybody can get this far. When very many wait for their password to be typed, who has been waiting
 * the longest goes: without a word, for a crowd of ghosts would be as bad as one of strangers.
 */
static bool make_room(struct ike *ike, uint64_t now, struct fx *fx)
{
	struct ike_sa *old;

	if (ike->t.half_open[IKE_HALF_OPEN_WAITING].n < LIMIT_LOGINS_WAITING)
		return true;
	old = half_open_oldest(&ike->t, IKE_HALF_OPEN_WAITING, ST(XAUTH));
	if (old)
		sa_close(ike, old, IKE_R_EVICTED, false, now, fx);
	return old;
}

/* By the profile of its identity, which in main mode nobody knows before; its name is kept. */
static bool began_wrong(struct ike *ike, struct ike_sa *sa)
{
	const struct ike_profile *p =
		profile_by_id(ike->conf, (struct span){ sa->peer_id, sa->peer_id_len });

	if (profile_admits(p, sa->mode, sa->auth))
		return false;
	(void)profile_set(sa, p->name);
	return true;
}

void xauth_start(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	if (!make_room(ike, now, fx)) {
		ike_note(ike, NULL, &sa->peer, IKE_R_TOO_MANY_HALF_OPEN, "", fx);
		sa_close(ike, sa, IKE_R_TOO_MANY_HALF_OPEN, false, now, fx);
		return;
	}
	ike_random(ike, &sa->cfg_id, sizeof(sa->cfg_id));
	sa_enter(ike, sa, IKE_ST_XAUTH);
	if (began_wrong(ike, sa)) {
		xauth_refuse(ike, sa, IKE_R_PROFILE_PHASE1, now, fx);
		return;
	}
	if (!xauth_request(ike, sa, 0, (struct span){ 0 }, now, fx))
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
}

/* The verdict goes out under a message ID of its own. */
static struct ike_build put_status(struct ike *ike, struct ike_sa *sa, uint16_t status,
				   uint32_t msgid)
{
	struct ike_build b = p2_start(ike, sa, XCHG_TRANSACTION, msgid);

	put_attr_header(&b, CFG_SET, sa->cfg_id);
	build_tv(&b, XAUTH_STATUS, status);
	return b;
}

struct ike_xchg *xauth_status(struct ike *ike, struct ike_sa *sa, uint16_t status, uint64_t now,
			      struct fx *fx)
{
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b = put_status(ike, sa, status, msgid);

	return p2_initiate(ike, sa, &b, XCHG_KIND_STATUS, XCHG_TRANSACTION, msgid, now, fx);
}

void xauth_again(struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	uint32_t msgid;
	struct ike_build b;

	if (!sa_uses_xauth(sa)) {
		config_offer(ike, sa, now);
		return;
	}
	msgid = ike_random_msgid(ike, sa);
	b = put_status(ike, sa, XAUTH_STATUS_OK, msgid);
	p2_prepare(sa, &b, XCHG_KIND_STATUS, XCHG_TRANSACTION, msgid, now);
}

/* Without XAuth there is no verdict to tell. */
static void refuse_at_once(struct ike *ike, struct ike_sa *sa, enum ike_reason why, uint64_t now,
			   struct fx *fx)
{
	uint8_t both[2 * IKE_COOKIE];

	info_notify(ike, sa, PROTO_ISAKMP, N_AUTHENTICATION_FAILED, both_cookies(sa, both),
		    (struct span){ 0 }, fx);
	sa_close(ike, sa, why, true, now, fx);
}

void xauth_refuse(struct ike *ike, struct ike_sa *sa, enum ike_reason why, uint64_t now,
		  struct fx *fx)
{
	ike->count[IKE_C_LOGIN_FAILED]++;
	if (!sa_uses_xauth(sa)) {
		refuse_at_once(ike, sa, why, now, fx);
		return;
	}
	sa_down(ike, sa, why, fx);
	sa_enter(ike, sa, IKE_ST_REFUSING);
	sa->deadline_us = now + REFUSAL_WAIT_S * US_PER_S;
	xauth_status(ike, sa, XAUTH_STATUS_FAIL, now, fx);
	sa_rearm(ike, sa);
}

/* What a reply says. Views of the message. */
struct credentials {
	struct span user, password, answer; /* answer: to a further question */
	bool refused;                       /* the client sent STATUS = FAIL */
	bool bad;
};

/* Android and racoon send the terminating NUL along. */
static struct span without_nul(struct span s)
{
	if (s.n && s.p[s.n - 1] == '\0')
		s.n--;
	return s;
}

static bool has_nul(struct span s)
{
	return s.n && memchr(s.p, '\0', s.n);
}

static struct credentials read_reply(const struct ike_cfg *cfg, uint16_t asks)
{
	struct credentials c = { 0 };
	struct rd r = rd_from(cfg->attrs);
	struct ike_attr a;
	uint64_t v;

	while (ike_attr_next(&r, &a)) {
		struct span *field = a.type == XAUTH_USER_NAME       ? &c.user
				     : a.type == XAUTH_USER_PASSWORD ? &c.password
				     : asks && a.type == asks        ? &c.answer
								     : NULL;

		if (field) {
			c.bad |= a.basic || field->p; /* twice: N163 */
			*field = without_nul(a.data);
			field->p = a.data.p;
		} else if (a.type == XAUTH_STATUS) {
			c.refused |= ike_attr_number(&a, &v) && v == XAUTH_STATUS_FAIL;
		} else if (a.type == XAUTH_TYPE) {
			c.bad |= !ike_attr_number(&a, &v) || v != 0; /* Generic only */
		}
	}
	return c;
}

/* One canonical form of a name: clean UTF-8, byte for byte, never cut (N164-N170b). */
static bool is_usable(const struct credentials *c)
{
	return !c->bad && c->user.n && c->user.n <= LIMIT_USER && !has_nul(c->user) &&
	       text_is_clean(c->user) && c->password.n && c->password.n <= LIMIT_PASSWORD &&
	       !has_nul(c->password);
}

/* Who knows nothing of a question leaves its attribute out. An empty answer is one. */
static void take_answer(struct ike_event *ev, const struct credentials *c)
{
	bool there = c->answer.p;

	if (there && !c->bad && c->answer.n <= LIMIT_PASSWORD && !has_nul(c->answer))
		xauth_answer(ev, c->answer);
	else
		xauth_refuse(ev->ike, ev->sa, there ? IKE_R_BAD_CREDENTIALS : IKE_R_NO_ANSWER,
			     ev->now, ev->fx);
}

int xauth_reply(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct ike_xchg *x = ev->x;
	struct credentials c;
	struct fx_item *it;

	if (x->kind != XCHG_KIND_XAUTH || x->done)
		return -EPROTO; /* of an earlier round, it says something else now */
	sa_follow(ev);
	c = read_reply(&ev->cfg, sa->asks);
	memcpy(x->request, ev->digest, sizeof(x->request));
	x->done = true;
	x->next_us = UINT64_MAX;
	if (c.refused) {
		sa_close(ev->ike, sa, IKE_R_CLIENT_REFUSED, true, ev->now, ev->fx);
		return 0;
	}
	if (sa->asks) {
		take_answer(ev, &c);
		return 0;
	}
	if (!is_usable(&c)) {
		xauth_refuse(ev->ike, sa, IKE_R_BAD_CREDENTIALS, ev->now, ev->fx);
		return 0;
	}
	memcpy(sa->user, c.user.p, c.user.n);
	sa->user[c.user.n] = '\0';
	sa_enter(ev->ike, sa, IKE_ST_CHECKING);
	sa->deadline_us = ev->now + ev->ike->conf->auth_timeout_us;
	it = fx_add(ev->fx, FX_AUTH, sa_ticket(sa, x->serial));
	it->auth.user = fx_copy(ev->fx, c.user);
	it->auth.password = fx_copy(ev->fx, c.password);
	return 0;
}

/* Gives the user a profile; or why not, and it is the one that this user may not have. */
static enum ike_reason choose_profile(struct ike *ike, struct ike_sa *sa,
				      const struct ike_groups *groups)
{
	const struct ike_profile *p;
	int rc = profile_choose(ike->conf, (struct span){ sa->peer_id, sa->peer_id_len }, groups,
				&p);

	if (profile_set(sa, p ? p->name : NULL) < 0)
		return IKE_R_INTERNAL;
	return rc < 0 ? IKE_R_PROFILE : IKE_R_NONE;
}

/* Who it is, is beyond doubt: it renews its session, or gets one if it may have one. */
static void admit(struct ike *ike, struct ike_sa *sa, struct ike_ticket who,
		  const struct ike_groups *groups, uint64_t now, struct fx *fx)
{
	enum ike_reason why = choose_profile(ike, sa, groups);
	struct ike_sa *session;
	struct fx_item *it;
	struct ipaddr lease;

	if (why != IKE_R_NONE) {
		xauth_refuse(ike, sa, why, now, fx);
		return;
	}
	sa->until_us = groups && groups->session_s ? now + groups->session_s * US_PER_S : 0;
	/* It counts as no session of its own, and nobody has to go for it. */
	session = renew_find(ike, sa);
	if (session) {
		renew_adopt(ike, sa, session, now, fx);
		return;
	}
	why = unique_admit(ike, sa, now, &lease, fx);
	if (why != IKE_R_NONE) {
		xauth_refuse(ike, sa, why, now, fx);
		return;
	}
	/* The address comes before the good news: a full pool is a refusal that every client
	 * understands, and none tries again at once. */
	it = fx_add(fx, FX_LEASE, who);
	it->lease.prefer = lease;
	it->lease.pool = profile_pool(ike->conf, sa);
}

/*
 * Who has a shared key may be anybody who has it, under any name. So the user is "psk:" and what the
 * client says that it is: no login has such a name, and none of another's sessions, addresses and
 * limits are within reach.
 */
static bool take_identity(struct ike_sa *sa)
{
	char text[ENDPOINT_STRLEN];
	struct ipaddr a;
	struct ike_id id;
	int n = -1;

	if (ike_id_read((struct span){ sa->peer_id, sa->peer_id_len }, &id) < 0)
		return false;
	if (id.type == ID_FQDN || id.type == ID_USER_FQDN || id.type == ID_KEY_ID) {
		if (id.data.n && text_is_clean(id.data))
			n = snprintf(sa->user, sizeof(sa->user), "psk:%.*s", (int)id.data.n,
				     (const char *)id.data.p);
	} else if (ipaddr_from_bytes(id.data, &a) == 0) {
		n = snprintf(sa->user, sizeof(sa->user), "psk:%s", ipaddr_str(&a, text));
	}
	return n >= 0 && n < (int)sizeof(sa->user);
}

void login_start(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	sa_enter(ike, sa, IKE_ST_CHECKING);
	sa->deadline_us = now + ike->conf->auth_timeout_us;
	if (sa->auth == AUTH_PSK && !take_identity(sa)) {
		*sa->user = '\0';
		xauth_refuse(ike, sa, IKE_R_IDENTITY, now, fx);
		return;
	}
	if (began_wrong(ike, sa)) {
		xauth_refuse(ike, sa, IKE_R_PROFILE_PHASE1, now, fx);
		return;
	}
	admit(ike, sa, sa_ticket(sa, 0), NULL, now, fx);
}

void ike_auth_done(struct ike *ike, struct ike_ticket who, enum ike_verdict v,
		   const struct ike_groups *groups, uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);

	/* By now the client may have hung up: that is normal. */
	if (!sa || sa->state != IKE_ST_CHECKING || !xchg_by_serial(sa, who.serial))
		return;
	if (v == IKE_AUTH_NO && xauth_try_again(ike, sa, now, fx))
		return;
	if (v != IKE_AUTH_OK) {
		xauth_refuse(ike, sa, v == IKE_AUTH_NO ? IKE_R_AUTH_FAILED : IKE_R_AUTH_UNAVAILABLE,
			     now, fx);
		return;
	}
	admit(ike, sa, who, groups, now, fx);
}

/* What follows from knowing it: a client that does not ask for its configuration is told. A client
 * that renews has it. One that waits to be told may have been started anew and wait again; it is told
 * again if it does nothing else meanwhile. */
static void knows_it_is_in(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	if (sa->state == IKE_ST_AUTHED || sa->pushed)
		config_offer(ike, sa, now);
	if (sa->tell_life)
		info_lifetime(ike, sa, now, fx);
}

int login_tell(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	if (sa_uses_xauth(sa))
		return xauth_status(ike, sa, XAUTH_STATUS_OK, now, fx) ? 0 : -ENOMEM;
	knows_it_is_in(ike, sa, now, fx); /* phase 1 has said so */
	return 0;
}

bool ike_lease_done(struct ike *ike, struct ike_ticket who, enum ike_reason reason,
		    const struct ipaddr *addr, const struct ipaddr *addr6, uint64_t now,
		    struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);
	struct ike_xchg *x = sa ? xchg_by_serial(sa, who.serial) : NULL;

	if (!sa || sa->state != IKE_ST_CHECKING || (sa_uses_xauth(sa) && !x))
		return false;
	if (x)
		x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	if (reason != IKE_R_NONE) {
		xauth_refuse(ike, sa, reason, now, fx);
		return true;
	}
	ike->count[IKE_C_LOGIN_OK]++;
	sa->lease = *addr;
	sa->lease6 = *addr6;
	sa->since_us = sa->active_us = now;
	sa->deadline_us = now + ike->conf->auth_timeout_us;
	dpd_heard(ike, sa, now); /* the check of a password may have taken a while */
	sa_enter(ike, sa, IKE_ST_AUTHED);
	if (login_tell(ike, sa, now, fx) == 0)
		sa_rearm(ike, sa);
	else
		sa_close(ike, sa, IKE_R_INTERNAL, false, now, fx);
	return true;
}

void xauth_seen(struct ike_sa *sa, uint64_t now)
{
	for (struct ike_xchg *x = sa->xchgs; x; x = x->next)
		if ((x->kind == XCHG_KIND_STATUS || x->kind == XCHG_KIND_PUSH) && !x->done) {
			x->next_us = UINT64_MAX;
			x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
		}
}

static void push_seen(struct ike_event *ev)
{
	ev->sa->pushed = true;
	config_told(ev->ike, ev->sa, ev->now);
}

/*
 * What an ACK contains does not matter: clients copy, empty or drop the attributes of a verdict
 * (xauth-02 6.1), and list of a pushed configuration what they took.
 */
int transaction_ack(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct ike_xchg *x = ev->x;

	if (x->kind != XCHG_KIND_STATUS && x->kind != XCHG_KIND_PUSH)
		return -EPROTO;
	sa_follow(ev);
	memcpy(x->request, ev->digest, sizeof(x->request));
	x->done = true;
	x->next_us = UINT64_MAX;
	x->forget_us = ev->now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	if (sa->state == IKE_ST_REFUSING)
		sa_close(ev->ike, sa, sa->why, true, ev->now, ev->fx);
	else if (x->kind == XCHG_KIND_PUSH)
		push_seen(ev);
	else
		knows_it_is_in(ev->ike, sa, ev->now, ev->fx);
	return 0;
}
