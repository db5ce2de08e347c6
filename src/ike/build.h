/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * build.h - writing ISAKMP messages.
 *
 * A payload is opened, its body is written through b->w, and opening the next one or finishing the
 * message fills in its length and the chain of types. Nothing is checked in between: b->w.bad
 * tells at the end whether everything fitted.
 */
#pragma once

#include "bytes.h"
#include "ike/keymat.h"
#include "ike/msg.h"

struct ike_build {
	struct wr w;
	size_t next_at;    /* where the next payload's type goes */
	size_t payload_at; /* the open payload's header; 0: none */
	size_t hash_at;    /* body of the HASH payload; 0: none */
};

/* Starts a message in buf with this header; length and next payload are filled in later. */
struct ike_build build_start(void *buf, size_t cap, const uint8_t cky_i[static 8],
			     const uint8_t cky_r[static 8], uint8_t xchg, uint32_t msgid);

/* Opens a payload; its body is then written to b->w. */
void build_open(struct ike_build *b, uint8_t type);

/* A whole payload at once. */
void build_payload(struct ike_build *b, uint8_t type, struct span body);

/* An empty HASH payload of n bytes, to be filled by build_seal(). Must come first. */
void build_hash(struct ike_build *b, size_t n);

/* The bytes behind the HASH payload: what HASH(1) and HASH(2) cover. */
struct span build_after_hash(struct ike_build *b);

/* Closes a clear message. An empty span when something did not fit. */
struct span build_clear(struct ike_build *b);

/*
 * Puts `hash` into the HASH payload, pads, encrypts in place. iv becomes the IV of the exchange's
 * next message. An empty span on failure.
 */
struct span build_sealed(struct ike_build *b, const struct ike_keys *k, const struct secret *hash,
			 uint8_t iv[static IKE_BLOCK_MAX]);

/* The same without a hash of its own: what the payloads hold is sent as it is. */
struct span build_encrypted(struct ike_build *b, const struct ike_keys *k,
			    uint8_t iv[static IKE_BLOCK_MAX]);

/* Attributes: TV and TLV (RFC 2408 3.3). */
void build_tv(struct ike_build *b, uint16_t type, uint16_t value);
void build_tlv(struct ike_build *b, uint16_t type, struct span value);
