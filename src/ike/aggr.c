/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * aggr.c - phase 1 in aggressive mode, responder side: hybrid RSA, clients' certificates (RFC 2409
 * 5.1, draft-ietf-ipsec-isakmp-hybrid-auth-05 4.2), and a shared key, with XAuth or alone, where a
 * profile allows that (RFC 2409 5.4, draft-beaulieu-ike-xauth-02 7.2): then HASH_R stands for CERT
 * and SIG_R.
 *
 *   I -> R  HDR, SA, KE, Ni, IDii
 *   R -> I  HDR, SA, KE, Nr, IDir, CERT, [CERTREQ,] SIG_R, VIDs, NAT-D, NAT-D
 *   I -> R  HDR[*], HASH_I, NAT-D, NAT-D            hybrid
 *           HDR[*], CERT, SIG_I, NAT-D, NAT-D       certificates
 *
 * The first message is unauthenticated and costs a key pair, a shared secret and a signature; the
 * limits on half-open exchanges stand before that.
 *
 * Not here: what main mode does in the same way (phase1.c).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/phase1.h"
#include "ike/psk.h"

/* ---- the first message ---- */

/*
 * A client that begins anew from its port has given up what it began there before: repeated, our old
 * answer would only confuse it (vpnc ends at a cookie that it does not know). Nothing else happens to
 * the old exchange, for the new one may be forged: if its client lives it says so, and is answered.
 */
static void hush_former(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_sa *o = sa->next_source;

	for (; o; o = o->next_source)
		if (o->state == IKE_ST_AM_SENT && endpoint_eq(&o->source, &sa->source)) {
			o->nego->next_us = UINT64_MAX;
			sa_rearm(ike, o);
		}
}

int aggr_first(struct ike_event *ev)
{
	struct ike_sa *sa;
	int rc;

	if (ev->msg.n_id != 1 || ev->msg.id[0].n > sizeof(sa->peer_id))
		return -EBADMSG;
	if (!phase1_may_compute(ev->ike, ev->d, ev->fx))
		return -EUSERS;
	rc = phase1_begin(ev, &sa);
	if (rc < 0)
		return rc;
	if (phase1_keep_ke(sa->nego, &ev->msg) < 0) {
		table_remove(&ev->ike->t, sa);
		return -ENOMEM;
	}
	sa->peer_id_len = (uint16_t)ev->msg.id[0].n;
	memcpy(sa->peer_id, ev->msg.id[0].p, sa->peer_id_len);
	sa->deadline_us = ev->now + LIMIT_AM3_WAIT_S * US_PER_S;
	half_open_enter(&ev->ike->t, sa);
	hush_former(ev->ike, sa);
	phase1_start_dh(ev->ike, sa, ev->fx);
	sa_rearm(ev->ike, sa);
	return 0;
}

/* ---- our message ---- */

/* No CERTREQ with hybrid, and never a notify: vpnc gives up on either. */
static struct span second_message(struct ike *ike, const struct ike_sa *sa, uint8_t type,
				  struct span proof)
{
	const struct ike_nego *n = sa->nego;
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, XCHG_AGGRESSIVE, 0);

	sa_put_answer(&b, &n->answer, (struct span){ 0 });
	build_payload(&b, PL_KE, n->g_r);
	build_payload(&b, PL_NONCE, SPAN_OF(n->nonce_r));
	phase1_put_id(&b, sa);
	if (type == PL_SIG) {
		phase1_put_certs(&b, sa);
		phase1_put_certreqs(&b, ike->conf, sa);
	}
	build_payload(&b, type, proof);
	phase1_put_vids(&b, ike, sa);
	phase1_put_natd(&b, ike, sa);
	return build_clear(&b);
}

/*
 * The next unasked repetition: only while the address has credit for it. The first one is on trust
 * as long as few logins are under way: a client whose third message got lost says nothing more until
 * it hears ours again.
 */
static void plan_repeat(const struct ike *ike, const struct ike_sa *sa, uint64_t now)
{
	struct ike_nego *n = sa->nego;
	bool credit = n->sent + frag_cost(ike->conf, sa, n->reply_len) <=
		      (size_t)LIMIT_AMPLIFY * n->received;
	bool quiet = ike->t.half_open[IKE_HALF_OPEN_UNPROVED].n <= ike->conf->half_open_total / 2;

	n->next_us = (credit || (quiet && !n->resent)) && n->resent < ike->conf->retransmit_tries
			     ? ike_repeat_at(ike, now, n->resent)
			     : UINT64_MAX;
}

void aggr_repeat(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	struct ike_nego *n = sa->nego;

	n->resent++;
	n->sent += (uint32_t)frag_cost(ike->conf, sa, n->reply_len);
	ike->count[IKE_C_RESENT]++;
	sa_send(ike, sa, (struct span){ n->reply, n->reply_len }, fx);
	plan_repeat(ike, sa, now);
}

/* Sends our message with the proof of who we are. */
static int answer(struct ike *ike, struct ike_sa *sa, uint8_t type, struct span proof, uint64_t now,
		  struct fx *fx)
{
	int rc = phase1_reply(ike, sa, second_message(ike, sa, type, proof), fx);

	if (rc < 0)
		return rc;
	sa_enter(ike, sa, IKE_ST_AM_SENT);
	sa->deadline_us = now + LIMIT_AM3_WAIT_S * US_PER_S;
	plan_repeat(ike, sa, now);
	return 0;
}

int aggr_dh_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	_cleanup_(secret_wipe) struct secret hash_r = { .n = 0 };
	struct ike_nego *n = sa->nego;
	int rc = phase1_hash_i(sa, (struct span){ sa->peer_id, sa->peer_id_len }, &n->hash_i);

	if (rc == 0)
		rc = phase1_set_id(ike, sa);
	if (rc == 0)
		rc = phase1_hash_r(sa, &hash_r);
	secret_wipe(&n->skeyid);
	if (rc == 0 && auth_is_psk(sa->auth))
		return answer(ike, sa, PL_HASH, secret_span(&hash_r), now, fx);
	return rc < 0 ? rc : phase1_start_sign(ike, sa, &hash_r, fx);
}

int aggr_signed(struct ike *ike, struct ike_sa *sa, struct span sig, uint64_t now, struct fx *fx)
{
	return answer(ike, sa, PL_SIG, sig, now, fx);
}

/* ---- the third message ---- */

/* Once: the client will repeat itself. what: what makes it seem so. */
static void keys_differ(struct ike *ike, struct ike_sa *sa, const struct endpoint *peer,
			const char *what, struct fx *fx)
{
	const struct psk_named *p =
		psk_find_named(ike->conf->psk, (struct span){ sa->peer_id, sa->peer_id_len });
	char detail[ID_MATCH_TEXT + 128], who[ID_MATCH_TEXT];

	if (!auth_is_psk(sa->auth) || sa->nego->told || !p)
		return;
	sa->nego->told = true;
	snprintf(detail, sizeof(detail), "%s with the one for %s ([phase1] psk_file, line %u)",
		 what, id_match_str(&p->who, who), p->line);
	ike_note(ike, sa, peer, IKE_R_SHARED_KEY, detail, fx);
}

void aggr_not_authentic(struct ike_event *ev)
{
	keys_differ(ev->ike, ev->sa, &ev->d->peer, "message 3 of aggressive mode does not verify",
		    ev->fx);
}

void aggr_no_third(struct ike *ike, struct ike_sa *sa, struct fx *fx)
{
	keys_differ(ike, sa, &sa->peer, "the client did not go on after our proof", fx);
}

int aggr_proved(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct endpoint ike_port = ev->d->local;

	/* The client has done the Diffie-Hellman: this is where it is, and 4500 if it floated. Some
	 * clients hash the ports before they float and some after. */
	ike_port.port = sa->local.port;
	const struct endpoint local[] = { ev->d->local, ike_port, sa->local };
	const struct endpoint peer[] = { ev->d->peer, sa->peer };

	phase1_see_nat(ev, local, ARRAY_SIZE(local), peer, ARRAY_SIZE(peer));
	if (ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED) {
		memcpy(sa->last_block, ev->iv, sizeof(sa->last_block));
		phase1_see_notifies(ev);
	}
	phase1_see_peer(ev);
	phase1_see_vids(ev);
	phase1_done(ev->ike, sa, ev->now, ev->fx);
	return 0;
}

int aggr_third(struct ike_event *ev)
{
	if (!hash_is(ev->msg.hash, &ev->sa->nego->hash_i))
		return -EACCES; /* the half-open exchange stays: N143, N147 */
	return aggr_proved(ev);
}

int aggr_third_signed(struct ike_event *ev)
{
	const struct ike_sa *sa = ev->sa;

	return proof_begin(ev, (struct span){ sa->peer_id, sa->peer_id_len }, &sa->nego->hash_i);
}
