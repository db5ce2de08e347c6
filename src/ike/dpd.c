/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dpd.c - is the client still there (RFC 3706)? The gateway's own questions; info.c answers the
 * client's.
 *
 *   R -> I  HDR*, HASH, N(R-U-THERE, CKY-I | CKY-R, number)
 *   I -> R  HDR*, HASH, N(R-U-THERE-ACK, CKY-I | CKY-R, number)
 *
 * Anything that is surely from the client now is life: a fresh authentic message, or a packet in
 * the tunnel, of which the shell tells. Only after dpd_delay without any is it asked, every
 * dpd_retry, and after dpd_maxfail questions without an answer the session is over. All questions
 * of one round carry the same number (RFC 3706 6.2): a late answer to the first one is as good as
 * one to the last. The next round has the next number, so an answer of an earlier round, replayed,
 * is no life.
 */
#include "ike/core.h"

static bool may_ask(const struct ike *ike, const struct ike_sa *sa)
{
	return ike->conf->dpd_delay_us && sa->vids & VID_DPD && 1u << sa->state & ST_LOGGED_IN;
}

uint64_t dpd_due(const struct ike *ike, const struct ike_sa *sa)
{
	return may_ask(ike, sa) ? sa->dpd_next_us : UINT64_MAX;
}

void dpd_heard(const struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	sa->heard_us = now;
	sa->dpd_asked = 0;
	sa->dpd_next_us = now + ike->conf->dpd_delay_us;
}

void dpd_ask(struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	if (!may_ask(ike, sa) || sa->dpd_asked || now - sa->heard_us < ike->conf->dpd_retry_us)
		return;
	sa->dpd_next_us = now;
	sa_rearm(ike, sa);
}

/* Not repeated as other messages are: the next question is the repetition. */
static void question(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	uint8_t cookies[2 * IKE_COOKIE], number[4];
	struct wr w = wr_into(number, sizeof(number));

	if (!sa->dpd_rounds) {
		ike_random(ike, &sa->dpd_base, sizeof(sa->dpd_base));
		sa->dpd_base >>= 1; /* RFC 3706 5.3: the high bit clear */
	}
	if (!sa->dpd_asked++)
		sa->dpd_rounds++;
	sa->dpd_next_us = now + ike->conf->dpd_retry_us;
	wr_be32(&w, sa->dpd_base + sa->dpd_rounds);
	info_notify(ike, sa, PROTO_ISAKMP, N_R_U_THERE, both_cookies(sa, cookies), wr_done(&w), fx);
}

bool dpd_is_ours(const struct ike_sa *sa, uint32_t number)
{
	return number - sa->dpd_base - 1 < sa->dpd_rounds;
}

bool dpd_tick(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	if (now < dpd_due(ike, sa))
		return false;
	if (sa->dpd_asked < ike->conf->dpd_maxfail) {
		question(ike, sa, now, fx);
		return false;
	}
	/* It may hear us though we do not hear it: told, it dials anew. */
	sa_close(ike, sa, IKE_R_DPD_TIMEOUT, true, now, fx);
	return true;
}

/* Cisco's IOS sends the cookies the other way round. */
static bool names_this_sa(const struct ike_sa *sa, struct span spi)
{
	uint8_t cookies[2 * IKE_COOKIE], swapped[2 * IKE_COOKIE];

	memcpy(swapped, sa->cky_r, IKE_COOKIE);
	memcpy(swapped + IKE_COOKIE, sa->cky_i, IKE_COOKIE);
	return !spi.n || span_eq(spi, both_cookies(sa, cookies)) || span_eq(spi, SPAN_OF(swapped));
}

void dpd_answer(struct ike_event *ev, const struct ike_notify *n)
{
	struct ike_sa *sa = ev->sa;
	struct rd r = rd_from(n->data);
	uint32_t number = rd_be32(&r);

	if (r.bad || !names_this_sa(sa, n->spi) || !sa->dpd_asked ||
	    number != sa->dpd_base + sa->dpd_rounds) {
		ev->ike->count[IKE_C_DROP_REPLAY]++;
		return;
	}
	sa_follow(ev);
	dpd_heard(ev->ike, sa, ev->now);
}

void ike_traffic(struct ike *ike, struct sess_id id, bool from_client, uint64_t now)
{
	struct ike_sa *sa = table_get(&ike->t, id);

	if (!sa)
		return;
	sa->active_us = now;
	if (from_client) /* the timer finds out when it comes to it */
		dpd_heard(ike, sa, now);
}
