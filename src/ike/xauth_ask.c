/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xauth_ask.c - what the user is asked for (draft-beaulieu-ike-xauth-02 6): name and password, then
 * what vpngw-authd wants to know beyond them, and after a wrong answer all of it again.
 *
 *   R -> I  HDR*, HASH, ATTR(REQUEST: MESSAGE, PASSCODE | ANSWER | NEXT-PIN)
 *   I -> R  HDR*, HASH, ATTR(REPLY)
 *
 * Each round is an exchange with a message ID of its own; the identifier is the same in all of them
 * up to the verdict. Anybody gets as far as the first round, so their number has a limit.
 */
#include "ike/cfg_attrs.h"
#include "ike/core.h"

/* ANSWER comes with a MESSAGE, which vpnc shows; with PASSCODE it shows words of its own. */
static enum cfg_attr attr_of(enum ike_ask what)
{
	switch (what) {
	case IKE_ASK_ANSWER:
		return XAUTH_ANSWER;
	case IKE_ASK_PASSCODE:
		return XAUTH_PASSCODE;
	case IKE_ASK_PIN:
		return XAUTH_NEXT_PIN;
	}
	return XAUTH_ANSWER;
}

void put_attr_header(struct ike_build *b, enum ike_cfg_type type, uint16_t id)
{
	build_open(b, PL_ATTR);
	wr_u8(&b->w, (uint8_t)type);
	wr_u8(&b->w, 0);
	wr_be16(&b->w, id);
}

/* The answers to earlier rounds are kept for a moment, as any other. */
static void end_earlier(struct ike_sa *sa, uint64_t now)
{
	for (struct ike_xchg *x = sa->xchgs; x; x = x->next)
		if (x->kind == XCHG_KIND_XAUTH && x->done && x->forget_us == UINT64_MAX)
			x->forget_us = now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
}

bool xauth_request(struct ike *ike, struct ike_sa *sa, uint16_t asks, struct span message,
		   uint64_t now, struct fx *fx)
{
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b;

	if (sa->xauth_rounds >= LIMIT_XAUTH_ROUNDS)
		return false;
	b = p2_start(ike, sa, XCHG_TRANSACTION, msgid);
	put_attr_header(&b, CFG_REQUEST, sa->cfg_id);
	if (message.n)
		build_tlv(&b, XAUTH_MESSAGE, message);
	if (asks == 0) {
		build_tlv(&b, XAUTH_USER_NAME, (struct span){ 0 });
		build_tlv(&b, XAUTH_USER_PASSWORD, (struct span){ 0 });
	} else {
		build_tlv(&b, asks, (struct span){ 0 });
	}
	end_earlier(sa, now);
	if (!p2_initiate(ike, sa, &b, XCHG_KIND_XAUTH, XCHG_TRANSACTION, msgid, now, fx))
		return false;
	sa->xauth_rounds++;
	sa->asks = asks;
	sa->deadline_us = now + ike->conf->auth_timeout_us;
	sa_enter(ike, sa, IKE_ST_XAUTH);
	return true;
}

bool ike_auth_ask(struct ike *ike, struct ike_ticket who, enum ike_ask what, struct span prompt,
		  uint64_t now, struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);

	if (!sa || sa->state != IKE_ST_CHECKING || !xchg_by_serial(sa, who.serial))
		return false;
	if (!xauth_request(ike, sa, attr_of(what), prompt, now, fx)) {
		xauth_refuse(ike, sa, IKE_R_XAUTH_ROUNDS, now, fx);
		return false;
	}
	sa_rearm(ike, sa);
	return true;
}

bool xauth_try_again(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	static const char again[] = "Login failed. Try again.";

	if (sa->xauth_tries + 1u >= ike->conf->xauth_tries ||
	    !xauth_request(ike, sa, 0, span_str(again), now, fx))
		return false;
	sa->xauth_tries++;
	ike->count[IKE_C_LOGIN_FAILED]++;
	(void)sa_report(sa, FX_AGAIN, IKE_R_AUTH_FAILED, fx);
	sa_rearm(ike, sa);
	return true;
}

static void put_answer(const struct ike_sa *sa, uint32_t serial, bool given, struct span text,
		       struct fx *fx)
{
	struct fx_item *it = fx_add(fx, FX_ANSWER, sa_ticket(sa, serial));

	it->answer.given = given;
	it->answer.text = fx_copy(fx, text);
}

void xauth_answer(struct ike_event *ev, struct span text)
{
	struct ike_sa *sa = ev->sa;

	sa->asks = 0;
	sa_enter(ev->ike, sa, IKE_ST_CHECKING);
	sa->deadline_us = ev->now + ev->ike->conf->auth_timeout_us;
	put_answer(sa, ev->x->serial, true, text, ev->fx);
}

void xauth_no_answer(struct ike_sa *sa, struct fx *fx)
{
	if (sa->state == IKE_ST_XAUTH && sa->asks)
		put_answer(sa, 0, false, (struct span){ 0 }, fx);
}
