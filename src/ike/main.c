/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c - phase 1 in main mode, responder side: hybrid RSA (draft-ietf-ipsec-isakmp-hybrid-auth-05
 * 4.2), XAuth with a shared key (RFC 2409 5.4, draft-beaulieu-ike-xauth-02 7.2) and XAuth with
 * certificates (RFC 2409 5.1).
 *
 *   1  I -> R  HDR, SA, VIDs
 *   2  R -> I  HDR, SA, VIDs
 *   3  I -> R  HDR, KE, Ni, NAT-D, NAT-D
 *   4  R -> I  HDR, KE, Nr, [CERTREQ,] NAT-D, NAT-D
 *   5  I -> R  HDR*, IDii, HASH_I           hybrid, shared key
 *              HDR*, IDii, CERT, SIG_I      certificates
 *   6  R -> I  HDR*, IDir, CERT, SIG_R      hybrid, certificates
 *              HDR*, IDir, HASH_R           shared key
 *
 * The first message costs a table entry. Computing begins with the third, which holds our cookie
 * and so comes from where it says; the signature with the fifth, whose sender has computed as well.
 * We never repeat anything unasked: the client waits for us at each step, and asks again.
 *
 * Not here: what aggressive mode does in the same way (phase1.c).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/dh.h"
#include "ike/phase1.h"
#include "ike/psk.h"

/* ---- messages 1 and 2 ---- */

static struct span second_message(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, XCHG_MAIN, 0);

	sa_put_answer(&b, &sa->nego->answer, (struct span){ 0 });
	phase1_put_vids(&b, ike, sa);
	return build_clear(&b);
}

int main_first(struct ike_event *ev)
{
	struct ike_sa *sa;
	int rc = phase1_begin(ev, &sa);

	if (rc < 0)
		return rc;
	rc = phase1_reply(ev->ike, sa, second_message(ev->ike, sa), ev->fx);
	if (rc < 0) {
		table_remove(&ev->ike->t, sa);
		return rc;
	}
	sa_enter(ev->ike, sa, IKE_ST_MM_SA);
	sa->deadline_us = ev->now + LIMIT_MM3_WAIT_S * US_PER_S;
	half_open_enter(&ev->ike->t, sa);
	sa_rearm(ev->ike, sa);
	return 0;
}

/* ---- messages 3 and 4 ---- */

/* The message that is being answered now; a repetition gets what will be the answer. */
static void turn_to(struct ike_event *ev)
{
	struct ike_nego *n = ev->sa->nego;

	memcpy(n->request, ev->digest, sizeof(n->request));
	n->received += (uint32_t)ev->d->data.n;
	free(n->reply);
	n->reply = NULL;
	n->reply_len = 0;
}

int main_third(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;

	/* Our cookie proves the address that it was sent to, and no other. The port may change. */
	if (!ipaddr_eq(&ev->d->peer.addr, &sa->source.addr))
		return -EPROTO;
	if (ev->msg.ke.n != dh_group(sa->alg.group)->public_len)
		return -EBADMSG;
	if (!phase1_may_compute(ev->ike, ev->d, ev->fx))
		return -EUSERS;
	if (phase1_keep_ke(sa->nego, &ev->msg) < 0)
		return -ENOMEM;
	turn_to(ev);
	phase1_see_nat(ev, &ev->d->local, 1, &ev->d->peer, 1);
	phase1_see_peer(ev);
	phase1_see_vids(ev);
	phase1_start_dh(ev->ike, sa, ev->fx);
	return 0;
}

static struct span fourth_message(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, XCHG_MAIN, 0);

	build_payload(&b, PL_KE, sa->nego->g_r);
	build_payload(&b, PL_NONCE, SPAN_OF(sa->nego->nonce_r));
	phase1_put_certreqs(&b, ike->conf, sa);
	phase1_put_natd(&b, ike, sa);
	return build_clear(&b);
}

int main_dh_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	int rc = phase1_reply(ike, sa, fourth_message(ike, sa), fx);

	if (rc < 0)
		return rc;
	sa_enter(ike, sa, IKE_ST_MM_KE);
	sa->deadline_us = now + LIMIT_MM5_WAIT_S * US_PER_S;
	return 0;
}

/* ---- messages 5 and 6 ---- */

void main_not_authentic(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	const struct psk *p = psk_find(ev->ike->conf->psk, &sa->source.addr);
	char detail[160], net[ENDPOINT_STRLEN];

	if (!auth_is_psk(sa->auth) || sa->nego->told || !p)
		return;
	sa->nego->told = true; /* once: the client will repeat itself */
	snprintf(detail, sizeof(detail),
		 "message 5 of main mode does not decrypt with the one for %s "
		 "([phase1] psk_file, line %u)",
		 prefix_str(&p->net, net), p->line);
	ike_note(ev->ike, sa, &ev->d->peer, IKE_R_SHARED_KEY, detail, ev->fx);
}

/* Sends message 6, made of what phase 1 has kept and `proof`; phase 1 is over. */
static int finish(struct ike *ike, struct ike_sa *sa, uint8_t type, struct span proof, uint64_t now,
		  struct fx *fx)
{
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, XCHG_MAIN, 0);
	struct ike_xchg *x;
	struct span out;

	phase1_put_id(&b, sa);
	if (type == PL_SIG)
		phase1_put_certs(&b, sa);
	build_payload(&b, type, proof);
	out = build_encrypted(&b, &sa->keys, sa->last_block);
	/* Kept like any other answer: the client may not get it and repeat message 5. */
	x = out.n ? xchg_add(sa, XCHG_KIND_PHASE1, XCHG_MAIN, 0, now) : NULL;
	if (!x || xchg_store(x, out) < 0)
		return -ENOMEM;
	memcpy(x->request, sa->nego->request, sizeof(x->request));
	x->answered = x->done = true;
	sa_send(ike, sa, out, fx);
	phase1_done(ike, sa, now, fx);
	return 0;
}

/* Of a message that the client has proved to be its own: who it is, where, what else it says. */
static void take_fifth(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct span id = ev->msg.id[0];

	memcpy(sa->last_block, ev->iv, sizeof(sa->last_block));
	memcpy(sa->peer_id, id.p, id.n);
	sa->peer_id_len = (uint16_t)id.n;
	phase1_see_notifies(ev);
	phase1_see_peer(ev); /* port 4500 from here on, where there is a NAT: RFC 3947 4 */
	phase1_see_vids(ev);
}

/* 0, or -errno when it has no usable IDii. */
static int fifth_hash(const struct ike_event *ev, struct secret *ret)
{
	if (ev->msg.n_id != 1 || ev->msg.id[0].n > sizeof(ev->sa->peer_id))
		return -EBADMSG;
	return phase1_hash_i(ev->sa, ev->msg.id[0], ret);
}

int main_fifth(struct ike_event *ev)
{
	_cleanup_(secret_wipe) struct secret hash_i = { .n = 0 }, hash_r = { .n = 0 };
	struct ike_sa *sa = ev->sa;
	int rc = fifth_hash(ev, &hash_i);

	if (rc < 0)
		return rc;
	if (!hash_is(ev->msg.hash, &hash_i))
		return -EACCES; /* the half-open exchange stays: N152 */
	rc = phase1_set_id(ev->ike, sa);
	if (rc == 0)
		rc = phase1_hash_r(sa, &hash_r);
	if (rc < 0)
		return rc;
	if (sa_gateway_signs(sa) && !phase1_may_compute(ev->ike, ev->d, ev->fx))
		return -EUSERS;
	turn_to(ev);
	take_fifth(ev);
	rc = sa_gateway_signs(sa)
		     ? phase1_start_sign(ev->ike, sa, &hash_r, ev->fx)
		     : finish(ev->ike, sa, PL_HASH, secret_span(&hash_r), ev->now, ev->fx);
	if (rc < 0)
		sa_close(ev->ike, sa, IKE_R_INTERNAL, false, ev->now, ev->fx);
	return 0;
}

int main_fifth_signed(struct ike_event *ev)
{
	_cleanup_(secret_wipe) struct secret hash_i = { .n = 0 };
	int rc = fifth_hash(ev, &hash_i);

	if (rc == 0)
		rc = proof_begin(ev, ev->msg.id[0], &hash_i);
	if (rc == 0)
		turn_to(ev);
	return rc;
}

int main_proved(struct ike_event *ev)
{
	_cleanup_(secret_wipe) struct secret hash_r = { .n = 0 };
	int rc = phase1_set_id(ev->ike, ev->sa);

	if (rc == 0)
		rc = phase1_hash_r(ev->sa, &hash_r);
	if (rc < 0)
		return rc;
	take_fifth(ev);
	return phase1_start_sign(ev->ike, ev->sa, &hash_r, ev->fx);
}

int main_signed(struct ike *ike, struct ike_sa *sa, struct span sig, uint64_t now, struct fx *fx)
{
	return finish(ike, sa, PL_SIG, sig, now, fx);
}
