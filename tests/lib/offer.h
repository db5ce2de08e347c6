/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offer.h - SA payload bodies for tests, right or wrong, written from left to right.
 *
 * Lengths and chains are filled in by offer_done(); a test that wants them wrong changes the bytes
 * afterwards, or tells lies in the fields below before.
 */
#pragma once

#include "bytes.h"

struct offer {
	uint8_t buf[16384];
	struct wr w;
	size_t proposal, transform; /* the open ones; 0: none */
	unsigned transforms;        /* of the open proposal */
};

/* Domain IPsec, situation identity only. */
void offer_start(struct offer *o);
void offer_proposal(struct offer *o, uint8_t number, uint8_t proto, struct span spi);
void offer_transform(struct offer *o, uint8_t number, uint8_t id);
void offer_tv(struct offer *o, uint16_t type, uint16_t value);
void offer_tlv(struct offer *o, uint16_t type, struct span value);

/* The whole body. An empty span when it did not fit. */
struct span offer_done(struct offer *o);

/* One hybrid transform of phase 1: "enc keylen hash group auth", lifetime 86400 s as TLV. */
void offer_p1(struct offer *o, uint8_t number, uint16_t enc, uint16_t bits, uint16_t hash,
	      uint16_t group, uint16_t auth);

/* One ESP transform of Quick Mode; auth, bits or group 0: without that attribute. */
void offer_p2(struct offer *o, uint8_t number, uint8_t id, uint16_t bits, uint16_t auth,
	      uint16_t encap, uint16_t group);
