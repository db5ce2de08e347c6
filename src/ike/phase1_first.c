/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * phase1_first.c - the first message of phase 1, in either mode: what this client may do, which of
 * its proposals is taken, whether there is room; and what is said when it is refused.
 *
 * Not here: how a proposal is compared with ours (sapl.c).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/phase1.h"
#include "ike/profile.h"
#include "ike/psk.h"

/* Makes room for one more, or says why not. */
static int admit(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx)
{
	const struct ike_conf *c = ike->conf;
	enum ike_reason why = IKE_R_NONE;

	if (half_open_from(&ike->t, &d->peer.addr, c->half_open_source) >= c->half_open_source)
		why = IKE_R_TOO_MANY_FROM_PEER;
	else if (ike->t.half_open[IKE_HALF_OPEN_UNPROVED].n >= c->half_open_total) {
		struct ike_sa *old =
			half_open_oldest(&ike->t, IKE_HALF_OPEN_UNPROVED, ST(AM_SENT) | ST(MM_SA));

		if (old)
			sa_close(ike, old, IKE_R_EVICTED, false, now, fx);
		else
			why = IKE_R_TOO_MANY_HALF_OPEN;
	}
	if (why == IKE_R_NONE)
		return 0;
	ike_note(ike, NULL, &d->peer, why, "", fx);
	return -EUSERS;
}

/* The client gets one small notify, the journal a sentence. */
static int refuse(struct ike_event *ev, const char *detail)
{
	ike_note(ev->ike, NULL, &ev->d->peer, IKE_R_NO_PROPOSAL_P1, detail, ev->fx);
	info_notify_clear(ev->ike, ev->d, &ev->hdr, N_NO_PROPOSAL_CHOSEN, ev->now, ev->fx);
	return -ENOENT;
}

/* What this client may do in phase 1: the profile of its identity says so, once that is known. */
struct allowed {
	const struct ike_profile *profile; /* NULL: none, or not known */
	const uint16_t *mode, *auth;
	unsigned n_modes, n_auth;
	char mode_key[LIMIT_GROUP_NAME + 16], auth_key[LIMIT_GROUP_NAME + 16]; /* their sections */
};

static void allow(const struct ike_event *ev, struct allowed *ret)
{
	const struct ike_conf *c = ev->ike->conf;
	const struct ike_profile *p =
		ev->hdr.xchg == XCHG_AGGRESSIVE ? profile_by_id(c, ev->msg.id[0]) : NULL;

	*ret = (struct allowed){ .profile = p,
				 .mode = c->mode,
				 .n_modes = c->n_modes,
				 .auth = c->auth,
				 .n_auth = c->n_auth,
				 .mode_key = "[phase1]",
				 .auth_key = "[phase1]" };
	if (p && p->n_modes) {
		ret->mode = p->mode;
		ret->n_modes = p->n_modes;
		snprintf(ret->mode_key, sizeof(ret->mode_key), "[profile \"%s\"]", p->name);
	}
	if (p && p->n_auth) {
		ret->auth = p->auth;
		ret->n_auth = p->n_auth;
		snprintf(ret->auth_key, sizeof(ret->auth_key), "[profile \"%s\"]", p->name);
	}
}

static bool has(const uint16_t *list, unsigned n, uint16_t value)
{
	unsigned i = 0;

	while (i < n && list[i] != value)
		i++;
	return i < n;
}

static int other_mode(struct ike_event *ev, const struct allowed *a)
{
	char detail[256], name[IKE_NAME_LEN];

	snprintf(detail, sizeof(detail),
		 "the client uses %s, which is not answered (%s exchange_mode)",
		 ike_xchg_str(ev->hdr.xchg, name), a->mode_key);
	return refuse(ev, detail);
}

/*
 * Why this client cannot use a shared key; NULL: it can. In aggressive mode anybody is given a hash
 * to guess the key from (CVE-2002-1623), so a profile must say that it may be; there the identity
 * decides which key it is, in main mode the address.
 */
static const char *why_no_psk(const struct ike_event *ev, const struct allowed *a, uint16_t auth)
{
	const struct ike_conf *c = ev->ike->conf;

	if (!has(a->auth, a->n_auth, auth))
		return "[phase1] authentication does not name it";
	if (ev->hdr.xchg == XCHG_MAIN)
		return psk_find(c->psk, &ev->d->peer.addr)
			       ? NULL
			       : "[phase1] psk_file has no key for this address";
	if (!a->profile || !a->profile->aggressive_psk)
		return "in aggressive mode its key could be guessed from our answer; the gateway "
		       "takes it in main mode alone, but for identities that a [profile] allows it";
	return psk_find_named(c->psk, ev->msg.id[0])
		       ? NULL
		       : "[phase1] psk_file has no key for this identity";
}

static int no_proposal(struct ike_event *ev, const struct allowed *a, const struct p1_choice *c,
		       const char *offered)
{
	const struct ike_conf *conf = ev->ike->conf;
	char detail[OFFER_TEXT + 400], name[IKE_NAME_LEN];
	size_t cap = sizeof(detail);
	unsigned n_all = c->auth_fits ? conf->n_p1 : a->n_auth;
	int n = snprintf(detail, cap, "the client offers %s; the gateway accepts ",
			 *offered ? offered : "nothing that parses");

	for (unsigned i = 0; i < n_all && n < (int)cap - IKE_NAME_LEN; i++)
		n += snprintf(detail + n, cap - (size_t)n, "%s%s", i ? ", " : "",
			      c->auth_fits ? ike_p1_str(&conf->p1[i], name)
					   : ike_auth_str(a->auth[i], name));
	n += snprintf(detail + n, cap - (size_t)n, " (%s %s)",
		      c->auth_fits ? "[phase1]" : a->auth_key,
		      c->auth_fits ? "proposal" : "authentication");
	if (!c->auth_fits && auth_is_psk(c->other_auth) && has(a->auth, a->n_auth, c->other_auth))
		snprintf(detail, cap, "the client offers %s: %s", ike_auth_str(c->other_auth, name),
			 why_no_psk(ev, a, c->other_auth));
	return refuse(ev, detail);
}

static int wrong_life(struct ike_event *ev, uint32_t offered)
{
	const struct ike_conf *c = ev->ike->conf;
	char detail[CHECK_LIFE_TEXT];

	check_life_text(c->check, "phase1", c->p1_life_s, offered, detail);
	return refuse(ev, detail);
}

/* Copies what the answer and the hashes need of the offer into a block of the negotiation's own. */
static int keep_offer(struct ike_nego *n, struct span sa, const struct p1_choice *c)
{
	struct wr w;

	n->offer = malloc(sa.n + c->answer.transform.n);
	if (!n->offer)
		return -ENOMEM;
	w = wr_into(n->offer, sa.n + c->answer.transform.n);
	wr_span(&w, sa);
	wr_span(&w, c->answer.transform);
	n->sa_body = (struct span){ n->offer, sa.n };
	n->answer = c->answer;
	n->answer.spi = (struct span){ 0 };
	n->answer.transform = (struct span){ n->offer + sa.n, c->answer.transform.n };
	n->life_s = c->life_s;
	return 0;
}

/* A responder cookie that nobody has and nobody can guess; its first half names the session. */
static void new_cookie(struct ike *ike, const uint8_t *cky_i, uint8_t cky_r[static IKE_COOKIE])
{
	static const uint8_t zero[4];

	do
		ike_random(ike, cky_r, IKE_COOKIE);
	while (table_name_taken(&ike->t, cky_r) || memcmp(cky_r, cky_i, IKE_COOKIE) == 0 ||
	       memcmp(cky_r, zero, sizeof(zero)) == 0);
}

static int new_sa(struct ike_event *ev, const struct p1_choice *c, struct ike_sa **ret)
{
	uint8_t cky_r[IKE_COOKIE];
	struct ike_nego *n;
	struct ike_sa *sa;

	new_cookie(ev->ike, ev->hdr.cky_i, cky_r);
	if (table_new(&ev->ike->t, ev->hdr.cky_i, cky_r, &sa) < 0)
		return -ENOMEM;
	n = sa->nego = calloc(1, sizeof(*n));
	if (!n || keep_offer(n, ev->msg.sa, c) < 0) {
		table_remove(&ev->ike->t, sa);
		return -ENOMEM;
	}
	n->next_us = UINT64_MAX;
	n->received = (uint32_t)ev->d->data.n;
	memcpy(n->request, ev->digest, sizeof(n->request));
	ike_random(ev->ike, n->nonce_r, sizeof(n->nonce_r));
	sa->alg = c->alg;
	sa->auth = c->auth;
	sa->mode = ev->hdr.xchg;
	sa->peer = sa->source = ev->d->peer;
	sa->local = ev->d->local;
	sa->natt = ev->d->natt;
	*ret = sa;
	return 0;
}

static int choose(struct ike_event *ev, const struct allowed *a, struct p1_choice *ret)
{
	const struct ike_conf *c = ev->ike->conf;
	struct p1_want want = { .ke_len = ev->msg.ke.n };
	char offered[OFFER_TEXT];
	int rc;

	for (unsigned i = 0; i < a->n_auth; i++)
		if (!auth_is_psk(a->auth[i]) || !why_no_psk(ev, a, a->auth[i]))
			want.auth[want.n_auth++] = a->auth[i];
	rc = p1_choose(ev->msg.sa, c, &want, ret, offered);
	return rc == -ENOENT   ? no_proposal(ev, a, ret, offered)
	       : rc == -ERANGE ? wrong_life(ev, ret->life_s)
			       : rc;
}

int phase1_begin(struct ike_event *ev, struct ike_sa **ret)
{
	struct p1_choice c;
	struct allowed a;
	int rc;

	allow(ev, &a);
	if (!has(a.mode, a.n_modes, ev->hdr.xchg))
		return other_mode(ev, &a);
	rc = choose(ev, &a, &c);
	if (rc == 0)
		rc = admit(ev->ike, ev->d, ev->now, ev->fx);
	if (rc == 0)
		rc = new_sa(ev, &c, &ev->sa);
	if (rc < 0)
		return rc;
	phase1_see_vids(ev);
	/* NAT traversal is agreed on in the first two messages (RFC 3947 3.1). */
	if (ev->ike->conf->natt != IKE_NATT_OFF)
		ev->sa->nego->natt_vid = vid_best_natt(ev->sa->vids);
	*ret = ev->sa;
	return 0;
}
