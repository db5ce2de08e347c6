/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * phase1.h - what aggressive and main mode have in common (RFC 2409 5): the half-open exchange,
 * its keys and hashes, the parts of our messages, and the step to XAuth. Private to ike/.
 */
#pragma once

#include "ike/core.h"

/*
 * A half-open SA for this first message: chooses the proposal, makes room within the limits. What
 * cannot be is noted, and the client is told when no proposal fits. 0 or -errno with nothing
 * changed.
 */
int phase1_begin(struct ike_event *ev, struct ike_sa **ret);

/* Keeps the client's public value and nonce (copied). 0 or -ENOMEM. */
int phase1_keep_ke(struct ike_nego *n, const struct ike_msg *m);

/* Asks for Diffie-Hellman with what phase1_keep_ke() has kept; the state is DH. */
void phase1_start_dh(struct ike *ike, struct ike_sa *sa, struct fx *fx);

/* Who we say we are, which HASH_R covers: settled together with the certificates. */
int phase1_set_id(const struct ike *ike, struct ike_sa *sa); /* 0 or -ENOMEM */

/* Asks for a signature over HASH_R; the state is SIGN. 0 or -ENOMEM. */
int phase1_start_sign(struct ike *ike, struct ike_sa *sa, const struct secret *hash_r,
		      struct fx *fx);

/*
 * Asks whether the client's signature over this HASH_I is right and its certificate lets in who it
 * says to be; the state is PROOF, and aggr_proved() or main_proved() go on. 0, or -errno with nothing
 * changed.
 */
int proof_begin(struct ike_event *ev, struct span id, const struct secret *hash_i);

/* Whether one more job may be given to the workers; if not, that is noted. */
bool phase1_may_compute(struct ike *ike, const struct ike_dgram *d, struct fx *fx);

/* HASH_I over this IDii_b, and HASH_R: RFC 2409 5. */
int phase1_hash_i(const struct ike_sa *sa, struct span id, struct secret *ret);
int phase1_hash_r(const struct ike_sa *sa, struct secret *ret);

/* What NAT-D says, when both know NAT traversal; several endpoints may be what was meant. */
void phase1_see_nat(struct ike_event *ev, const struct endpoint *local, size_t n_local,
		    const struct endpoint *peer, size_t n_peer);
/* The client is where this message came from. */
void phase1_see_peer(struct ike_event *ev);
/* INITIAL-CONTACT in an encrypted message. */
void phase1_see_notifies(struct ike_event *ev);
/* What further vendor IDs say. */
void phase1_see_vids(struct ike_event *ev);

/* Parts of our messages. */
void phase1_put_id(struct ike_build *b, const struct ike_sa *sa);
void phase1_put_certs(struct ike_build *b, const struct ike_sa *sa);
/* Whose certificates the client may use, where it must have one. */
void phase1_put_certreqs(struct ike_build *b, const struct ike_conf *c, const struct ike_sa *sa);
void phase1_put_vids(struct ike_build *b, const struct ike *ike, const struct ike_sa *sa);
void phase1_put_natd(struct ike_build *b, struct ike *ike, const struct ike_sa *sa);

/* Sends our message and keeps it for a repeated request. -ENOMEM when it is empty or cannot be
 * kept; then nothing is sent. */
int phase1_reply(struct ike *ike, struct ike_sa *sa, struct span out, struct fx *fx);

/* Phase 1 is over: the SA lives from now, and XAuth begins. */
void phase1_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
