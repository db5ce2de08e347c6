/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * steps.c - the road map: which message is allowed in which state, what it must hold, how it is
 * proved. A message without a row is dropped, never guessed at. Handlers start where the
 * specification's prose starts: everything that is the same for all messages is checked here.
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/core.h"

enum sealed {
	CLEAR,
	CRYPT,
	EITHER, /* RFC 2409 draws aggressive mode's third message clear, RFC 3947 encrypted */
};

enum proof {
	PROOF_NONE,   /* there is nothing yet to prove it by */
	PROOF_HASH_I, /* checked by the handler with what phase 1 has kept */
	PROOF_SIG_I,  /* checked by a worker: for methods by which the client signs */
	PROOF_HASH_1, /* prf(SKEYID_a, M | rest) */
	PROOF_HASH_2, /* prf(SKEYID_a, M | Ni | rest) */
	PROOF_HASH_3, /* prf(SKEYID_a, 0 | M | Ni | Nr) */
};

enum place {
	STARTS, /* begins an exchange */
	OURS,   /* answers an exchange that we began */
	THEIRS, /* goes on with one that the client began */
};

#define ANY_VENDOR (PB(VID) | PB(UNKNOWN))

static const struct step {
	uint32_t from; /* set of ST() */
	uint8_t xchg;
	uint8_t cfg; /* Transaction: type of the ATTR payload */
	enum place place;
	enum sealed sealed;
	enum proof proof;
	uint32_t need, may; /* sets of PB() */
	int (*on)(struct ike_event *ev);
} steps[] = {
	/* HDR, SA, KE, Ni, IDii: RFC 2409 5.1. What else stands there has no effect (N096-N100). */
	{ ST(NEW), XCHG_AGGRESSIVE, 0, STARTS, CLEAR, PROOF_NONE,
	  PB(SA) | PB(KE) | PB(NONCE) | PB(ID),
	  PB(CERT) | PB(CERTREQ) | PB(SIG) | PB(HASH) | PB(NOTIFY) | PB(DELETE) | PB(NATD) |
		  ANY_VENDOR,
	  aggr_first },
	/* HDR[*], HASH_I: hybrid-auth-05 4.2, RFC 3947 3.2 */
	{ ST(AM_SENT), XCHG_AGGRESSIVE, 0, STARTS, EITHER, PROOF_HASH_I, PB(HASH),
	  PB(NATD) | PB(CERT) | PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, aggr_third },
	/* HDR[*], [CERT,] SIG_I: RFC 2409 5.1 */
	{ ST(AM_SENT), XCHG_AGGRESSIVE, 0, STARTS, EITHER, PROOF_SIG_I, PB(SIG),
	  PB(NATD) | PB(CERT) | PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, aggr_third_signed },
	/* HDR, SA: RFC 2409 5 */
	{ ST(NEW), XCHG_MAIN, 0, STARTS, CLEAR, PROOF_NONE, PB(SA),
	  PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, main_first },
	/* HDR, KE, Ni: RFC 2409 5, RFC 3947 3.2 */
	{ ST(MM_SA), XCHG_MAIN, 0, STARTS, CLEAR, PROOF_NONE, PB(KE) | PB(NONCE),
	  PB(NATD) | PB(CERT) | PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, main_third },
	/* HDR*, IDii, HASH_I: RFC 2409 5.4, hybrid-auth-05 4.2. INITIAL-CONTACT is for later. */
	{ ST(MM_KE), XCHG_MAIN, 0, STARTS, CRYPT, PROOF_HASH_I, PB(ID) | PB(HASH),
	  PB(NATD) | PB(CERT) | PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, main_fifth },
	/* HDR*, IDii, [CERT,] SIG_I: RFC 2409 5.1 */
	{ ST(MM_KE), XCHG_MAIN, 0, STARTS, CRYPT, PROOF_SIG_I, PB(ID) | PB(SIG),
	  PB(NATD) | PB(CERT) | PB(CERTREQ) | PB(NOTIFY) | ANY_VENDOR, main_fifth_signed },
	/* HDR*, HASH, ATTR(REPLY): xauth-02 5. Nothing but XAuth happens before it has succeeded. */
	{ ST(XAUTH), XCHG_TRANSACTION, CFG_REPLY, OURS, CRYPT, PROOF_HASH_1, PB(HASH) | PB(ATTR),
	  ANY_VENDOR, xauth_reply },
	{ ST(REFUSING) | ST_LOGGED_IN, XCHG_TRANSACTION, CFG_ACK, OURS, CRYPT, PROOF_HASH_1,
	  PB(HASH) | PB(ATTR), ANY_VENDOR, transaction_ack },
	/* HDR*, HASH, ATTR(REQUEST): mode-cfg-02 3.1 */
	{ ST_LOGGED_IN, XCHG_TRANSACTION, CFG_REQUEST, STARTS, CRYPT, PROOF_HASH_1,
	  PB(HASH) | PB(ATTR), ANY_VENDOR, config_request },
	/* HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr]: RFC 2409 5.5 */
	{ ST_LOGGED_IN, XCHG_QUICK, 0, STARTS, CRYPT, PROOF_HASH_1, PB(HASH) | PB(SA) | PB(NONCE),
	  PB(KE) | PB(ID) | PB(NATOA) | PB(NOTIFY) | ANY_VENDOR, quick_first },
	/* HDR*, HASH(3) */
	{ ST_LOGGED_IN, XCHG_QUICK, 0, THEIRS, CRYPT, PROOF_HASH_3, PB(HASH),
	  PB(NOTIFY) | ANY_VENDOR, quick_third },
	/* HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]: the answer to a Quick Mode of ours */
	{ ST_LOGGED_IN, XCHG_QUICK, 0, OURS, CRYPT, PROOF_HASH_2, PB(HASH) | PB(SA) | PB(NONCE),
	  PB(KE) | PB(ID) | PB(NATOA) | PB(NOTIFY) | ANY_VENDOR, rekey_second },
	/* HDR*, HASH(1), N or D: RFC 2409 5.7. A client may leave or refuse at any time. */
	{ ST(AM_SENT) | ST(XAUTH) | ST(CHECKING) | ST(REFUSING) | ST_LOGGED_IN | ST(RETIRED) |
		  ST(CLOSING),
	  XCHG_INFO, 0, STARTS, CRYPT, PROOF_HASH_1, PB(HASH), PB(NOTIFY) | PB(DELETE) | ANY_VENDOR,
	  info_message },
};

static enum place place_of(const struct ike_event *ev)
{
	return !ev->x ? STARTS : ev->x->ours ? OURS : THEIRS;
}

/* How phase 1 is proved depends on the method that was agreed on; the rest does not. */
static bool fits_method(const struct step *s, const struct ike_event *ev)
{
	if (s->proof != PROOF_HASH_I && s->proof != PROOF_SIG_I)
		return true;
	return (s->proof == PROOF_SIG_I) == sa_client_signs(ev->sa);
}

static const struct step *find_step(const struct ike_event *ev)
{
	enum ike_state state = ev->sa ? ev->sa->state : IKE_ST_NEW;
	bool sealed = ev->hdr.flags & ISAKMP_FLAG_ENCRYPTED;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *s = &steps[i];

		if (s->from & 1u << state && s->xchg == ev->hdr.xchg && s->cfg == ev->cfg.type &&
		    s->place == place_of(ev) && fits_method(s, ev) &&
		    (s->sealed == EITHER || (s->sealed == CRYPT) == sealed))
			return s;
	}
	return NULL;
}

/* The HASH payload comes first and covers everything behind it (R1, R2, N155-N161). */
static int check_hash(const struct ike_event *ev, enum proof proof)
{
	_cleanup_(secret_wipe) struct secret want = { .n = 0 };
	const struct ike_keys *k = &ev->sa->keys;
	const struct ike_quick *q = ev->x ? ev->x->quick : NULL;
	int rc;

	if (ev->msg.first != PL_HASH)
		return -EACCES;
	if (proof != PROOF_HASH_1 && !q)
		return -EPROTO;
	if (proof == PROOF_HASH_1)
		rc = keymat_hash1(k, ev->hdr.msgid, ev->msg.after_hash, &want);
	else if (proof == PROOF_HASH_2)
		rc = keymat_hash2(k, ev->hdr.msgid, quick_ni(q), ev->msg.after_hash, &want);
	else
		rc = keymat_hash3(k, ev->hdr.msgid, quick_ni(q), quick_nr(q), &want);
	if (rc < 0 || !hash_is(ev->msg.hash, &want))
		return -EACCES;
	return 0;
}

int steps_run(struct ike_event *ev)
{
	const struct step *s;
	int rc;

	if (ev->hdr.xchg == XCHG_TRANSACTION &&
	    (!(ev->msg.present & PB(ATTR)) || ike_cfg_read(ev->msg.attr, &ev->cfg) < 0))
		return -EBADMSG;
	s = find_step(ev);
	if (!s)
		return -EPROTO;
	if ((ev->msg.present & s->need) != s->need || ev->msg.present & ~(s->need | s->may))
		return -EBADMSG;
	if (s->proof >= PROOF_HASH_1) {
		rc = check_hash(ev, s->proof);
		if (rc < 0)
			return rc;
	}
	return s->on(ev);
}
