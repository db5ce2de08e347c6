/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * question.c - a check of a password that has a question to its user: vpngw-authd's words to the core,
 * and the user's to vpngw-authd.
 */
#include <errno.h>

#include "gateway.h"

struct gw_check *gw_check_of(struct gw *gw, uint64_t cookie)
{
	uint32_t i = (uint32_t)cookie;
	struct gw_check *c = i < gw->n_check ? &gw->check[i] : NULL;

	return c && c->used && c->gen == (uint32_t)(cookie >> 32) ? c : NULL;
}

static enum ike_ask ask_of(enum auth_ask ask)
{
	switch (ask) {
	case AUTH_ASK_ANSWER:
		return IKE_ASK_ANSWER;
	case AUTH_ASK_PASSCODE:
		return IKE_ASK_PASSCODE;
	case AUTH_ASK_PIN:
		return IKE_ASK_PIN;
	}
	return IKE_ASK_ANSWER;
}

void gw_auth_question(void *ctx, uint64_t id, uint64_t handle, const struct auth_question *q)
{
	struct gw *gw = ctx;
	struct gw_check *c = gw_check_of(gw, id);
	struct gw_session *g =
		c && ike_find(gw->ike, c->who.who) ? gw_session(gw, c->who.who) : NULL;

	if (g && ike_auth_ask(gw->ike, c->who, ask_of(q->ask), q->prompt, gw_now_us(gw), gw->fx)) {
		g->check = id;
		c->question = handle;
	} else {
		(void)auth_client_answer(gw->auth, handle, false, (struct span){ 0 });
		if (c)
			c->used = false;
	}
	gw_settle(gw);
}

void question_answer(struct gw *gw, const struct fx_item *it)
{
	struct gw_session *g = gw_session(gw, it->who.who);
	struct gw_check *c = g ? gw_check_of(gw, g->check) : NULL;
	int rc = -ENOENT;

	if (c) {
		c->who = it->who;
		c->used = it->answer.given;
		rc = auth_client_answer(gw->auth, c->question, it->answer.given, it->answer.text);
	}
	if (rc < 0 && it->answer.given) {
		if (c)
			c->used = false;
		ike_auth_done(gw->ike, it->who, IKE_AUTH_UNAVAILABLE, NULL, gw_now_us(gw), gw->fx);
	}
}

/* What was wrong the first time says nothing about the next. */
void question_again(struct gw *gw, const struct fx_item *it)
{
	struct gw_session *g = gw_session(gw, it->who.who);

	event_again(gw, g, it->session);
	if (g)
		*g->reason = '\0';
}
