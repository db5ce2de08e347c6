/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dh.h - Diffie-Hellman for IKEv1: MODP (RFC 2409 6, RFC 3526), ECP (RFC 5903), X25519 (RFC 8031).
 *
 * Pure and slow (0.05 to several ms): worker threads call it, never the event loop. Secrets come
 * out as fixed-width strings, left-padded with zeros, because IKEv1 hashes them so.
 *
 * Two engines compute the same values: GMP with nettle, which GnuTLS itself stands on, and
 * libcrypto where the build found it. A test compares them.
 */
#pragma once

#include <stdbool.h>

#include "bytes.h"

#define DH_PUBLIC_MAX  1024 /* MODP-8192 */
#define DH_SHARED_MAX  1024
#define DH_PRIVATE_MAX 74 /* P-521 and 8 bytes against bias */

enum dh_kind {
	DH_MODP,
	DH_ECP,
	DH_X25519,
};

struct dh_group {
	uint16_t id; /* RFC 2409 appendix A and IANA */
	enum dh_kind kind;
	uint16_t public_len, shared_len; /* bytes; ECP: x|y and x */
	uint16_t private_len;            /* random bytes to give to dh_make() */
};

/* NULL for a group that is not supported. */
const struct dh_group *dh_group(uint16_t id);

/* The public value for `private` (private_len random bytes), public_len bytes. 0 or -errno. */
int dh_make(const struct dh_group *g, const uint8_t *private, uint8_t *ret_public);

/*
 * The shared secret, shared_len bytes. -EINVAL when the peer's value has the wrong length or is
 * none that an honest peer can send: MODP outside 2..p-2, a point off the curve, an all-zero
 * X25519 result.
 */
int dh_agree(const struct dh_group *g, const uint8_t *private, struct span peer_public,
	     uint8_t *ret_shared);

/* ---- the seam between the engines ---- */

struct dh_engine {
	const char *name;
	/* out[mod.n] = base ^ exp mod `mod`, in time that does not depend on exp. base < mod. */
	int (*modexp)(struct span base, struct span exp, struct span mod, uint8_t *out);
};

extern const struct dh_engine dh_engine_gmp;
#ifdef HAVE_LIBCRYPTO
extern const struct dh_engine dh_engine_libcrypto;
#endif

/* The same two calls with an engine of the caller's choice; X25519 and ECP have one engine. */
int dh_make_with(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		 uint8_t *ret_public);
int dh_agree_with(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		  struct span peer_public, uint8_t *ret_shared);

/* The prime of a MODP group, big-endian; an empty span for others. */
struct span modp_prime(uint16_t group);
