/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keymat.h - every key, hash and IV of IKEv1: RFC 2409 5, 5.1, 5.5, appendix B. */
#pragma once

#include "bytes.h"
#include "ike/crypto.h"
#include "secret.h"

#define IKE_COOKIE 8

/* What an established ISAKMP SA keeps. */
struct ike_keys {
	uint16_t enc, hash;
	struct secret skeyid_d, skeyid_a;
	uint8_t key[IKE_KEY_MAX]; /* cipher key from SKEYID_e */
	uint8_t key_len;          /* bytes */
};

static inline struct span ike_key_span(const struct ike_keys *k)
{
	return (struct span){ k->key, k->key_len };
}

/* SKEYID of the signature methods and of hybrid: prf(Ni | Nr, g^xy). */
int keymat_skeyid_sig(uint16_t hash, struct span ni, struct span nr, struct span shared,
		      struct secret *ret);

/* SKEYID of the methods with a shared key: prf(psk, Ni | Nr). */
int keymat_skeyid_psk(uint16_t hash, struct span psk, struct span ni, struct span nr,
		      struct secret *ret);

/* SKEYID_d, SKEYID_a and the cipher key, expanded as appendix B says. cookies: CKY-I | CKY-R. */
int keymat_phase1(uint16_t hash, uint16_t enc, uint16_t key_bits, const struct secret *skeyid,
		  struct span shared, struct span cookies, struct ike_keys *ret);

/* The parties' values that HASH_I and HASH_R cover (RFC 2409 5). */
struct hash_input {
	struct span g_own, g_other;     /* public values: of the one who proves itself first */
	struct span cky_own, cky_other; /* 8 bytes each */
	struct span sa_i, id;           /* SAi_b, and the prover's ID_b */
};

int keymat_hash_p1(uint16_t hash, const struct secret *skeyid, const struct hash_input *in,
		   struct secret *ret);

/* IV of the first encrypted phase 1 message: H(g^xi | g^xr), cut to the block. */
int keymat_iv_phase1(uint16_t hash, uint16_t enc, struct span g_i, struct span g_r,
		     uint8_t ret_iv[static IKE_BLOCK_MAX]);

/* IV of the first message of another exchange: H(last phase 1 block | message ID). */
int keymat_iv_phase2(const struct ike_keys *k, const uint8_t *last_block, uint32_t msgid,
		     uint8_t ret_iv[static IKE_BLOCK_MAX]);

/* prf(SKEYID_a, M | rest): HASH(1) of Quick Mode, Informational and Transaction. */
int keymat_hash1(const struct ike_keys *k, uint32_t msgid, struct span rest, struct secret *ret);

/* prf(SKEYID_a, M | Ni_b | rest): HASH(2) of Quick Mode. */
int keymat_hash2(const struct ike_keys *k, uint32_t msgid, struct span ni, struct span rest,
		 struct secret *ret);

/* prf(SKEYID_a, 0 | M | Ni_b | Nr_b): HASH(3) of Quick Mode. */
int keymat_hash3(const struct ike_keys *k, uint32_t msgid, struct span ni, struct span nr,
		 struct secret *ret);

/* KEYMAT for the SA whose receiver chose `spi`; shared is empty without PFS. Fills out[n]. */
int keymat_child(const struct ike_keys *k, uint8_t proto, uint32_t spi, struct span shared,
		 struct span ni, struct span nr, uint8_t *out, size_t n);
