/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sapl_walk.h - the walk over an SA payload that both phases share (RFC 2408 3.4 - 3.6). */
#pragma once

#include <limits.h>

#include "ike/sapl.h"

#define RANK_NONE UINT_MAX /* not in our order of preference */

struct sa_proposal {
	uint8_t number, proto, n_transforms;
	struct span spi;
};

struct sa_transform {
	uint8_t number, id;
	struct span attrs, whole;
};

struct sa_walk {
	struct rd proposals, transforms;
	uint8_t next;  /* type of the next payload in the chain of proposals */
	unsigned left; /* transforms of the current proposal */
	unsigned n_proposals;
	struct sa_proposal prop; /* the current one */
};

/* 0 or -EBADMSG: another DOI or situation, too short. */
int sa_walk_start(struct span sa, struct sa_walk *w);

/* 1 with the next transform, 0 at the end, -EBADMSG. */
int sa_walk_next(struct sa_walk *w, struct sa_transform *t);

enum {
	LIFE_SECONDS = 1,
	LIFE_KILOBYTES = 2,
};

/* Takes a LIFE_DURATION that follows a LIFE_TYPE. */
void sa_take_life(uint64_t *life_type, uint64_t duration, uint32_t *life_s);

/* Adds a name to a list of offers, once. */
void sa_offer_text(char text[static OFFER_TEXT], const char *name);

/* One proposal of an answer; next: PL_PROPOSAL or PL_NONE, what follows it. */
void sa_put_proposal(struct ike_build *b, uint8_t next, const struct sa_answer *a, struct span spi);

/* ---- ESP ---- */

enum p2_class { /* RFC 2407 4.5 */
	P2_LIFE_TYPE = 1,
	P2_LIFE_DURATION = 2,
	P2_GROUP = 3,
	P2_ENCAP = 4,
	P2_AUTH = 5,
	P2_KEY_LENGTH = 6,
	P2_ECN_TUNNEL = 10,
	P2_ESN = 11, /* RFC 4304 */
};

enum p2_encap { /* RFC 2407 4.5, RFC 3947 5.1, draft-ietf-ipsec-nat-t-ike-03 5.1 */
	ENCAP_TUNNEL = 1,
	ENCAP_TRANSPORT = 2,
	ENCAP_UDP_TUNNEL = 3,
	ENCAP_UDP_TRANSPORT = 4,
	ENCAP_UDP_TUNNEL_DRAFT = 61443,
	ENCAP_UDP_TRANSPORT_DRAFT = 61444,
};

/* One transform of a proposal. */
struct p2_offer {
	struct ike_p2 alg;
	uint16_t group, encap;    /* 0: not said */
	uint32_t life_s, life_kb; /* life_kb 0: not said */
	bool usable;              /* nothing in it is unknown */
};

/* 0 or -EBADMSG: the attributes do not parse. */
int p2_read(const struct sa_transform *t, struct p2_offer *ret);

/* The same of a transform of IPComp, whose `alg` means nothing: usable when it is DEFLATE. */
int p2_read_ipcomp(const struct sa_transform *t, struct p2_offer *ret);

/* The CPI that stands where an SPI would be: the low 16 bits of 2 or 4 bytes (RFC 2408 3.5, RFC 3173
 * 4.1). 0: none that could be negotiated. */
uint16_t p2_cpi(struct span spi);

/* What stands on the wire: the 2002 truncation of SHA2-256 has the number of the right one. */
bool p2_same_alg(const struct ike_p2 *ours, const struct ike_p2 *wire);
uint8_t p2_transform_id(enum esp_enc enc);
uint16_t p2_auth_id(enum esp_auth auth); /* 0: none */
