/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * workers.h - threads for what is slow: Diffie-Hellman, the gateway's signature and the client's.
 *
 * A job carries a ticket, never a pointer to a session; its result comes back on the event loop.
 */
#pragma once

#include <systemd/sd-event.h>

#include "creds.h"
#include "ike/dh.h"
#include "ike/fx.h"
#include "trust.h"

enum work_kind {
	WORK_DH,
	WORK_SIGN,
	WORK_PROOF,
};

struct work {
	enum work_kind kind;
	struct ike_ticket who;
	uint16_t group;
	int rc; /* 0 or -errno */
	size_t in_len, secret_len, public_len, out_len;
	uint8_t in[DH_PUBLIC_MAX];      /* peer's public value, or the hash */
	uint8_t secret[DH_PRIVATE_MAX]; /* our private value, where it was made before */
	uint8_t public_value[DH_PUBLIC_MAX];
	uint8_t out[DH_SHARED_MAX]; /* shared secret, private value, or the signature */
	struct work_proof *proof;   /* owned: of WORK_PROOF */
	struct creds *creds;        /* owned reference: whose key signs */
	struct trust *trust;        /* owned reference: which CAs are believed */
	struct work *next;
};

struct work_proof {
	struct fx_proof p; /* views of `data` */
	enum ike_proof verdict;
	char why[TRUST_WHY];
	uint8_t data[];
};

struct workers;

typedef void (*work_fn)(void *ctx, const struct work *done);

/* n 0: one thread for each CPU. creds and trust are used by reference; NULL: nothing is signed, or
 * nobody's certificate is good. */
int workers_new(sd_event *event, unsigned n, struct creds *creds, struct trust *trust, work_fn fn,
		void *ctx, struct workers **ret);
/* Others for what is asked for from here on; what is under way goes on with the former. */
void workers_set_keys(struct workers *w, struct creds *creds, struct trust *trust);
struct workers *workers_free(struct workers *w); /* waits for what is under way */

/* 0, or -ENOMEM: then nothing will come back. The spans of workers_dh() are those of FX_DH. */
int workers_dh(struct workers *w, struct ike_ticket who, uint16_t group, struct span peer_public,
	       struct span secret);
int workers_sign(struct workers *w, struct ike_ticket who, struct span hash);
int workers_proof(struct workers *w, struct ike_ticket who, const struct fx_proof *p);
