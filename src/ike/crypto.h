/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * crypto.h - hash, PRF and CBC of IKEv1 over GnuTLS; the algorithms by their RFC 2409 numbers.
 *
 * Randomness is never drawn here. Every length is checked before it reaches the library: GnuTLS
 * ends the process on a CBC call whose length is no multiple of the block.
 */
#pragma once

#include "bytes.h"
#include "secret.h"

#define IKE_HASH_MAX  64 /* SHA2-512 */
#define IKE_BLOCK_MAX 16 /* AES */
#define IKE_KEY_MAX   32 /* AES-256 */

/* Bytes of the hash's and the PRF's output; 0 for an unknown hash. */
size_t hash_len(uint16_t hash);

/* Block and IV bytes of the cipher; 0 for an unknown one. */
size_t cipher_block(uint16_t enc);

/* Key bytes; key_bits is the KEY_LENGTH attribute (0 for 3DES). 0: no such cipher. */
size_t cipher_key_len(uint16_t enc, uint16_t key_bits);

/* H(v[0] | v[1] | ...) into out[hash_len]. 0 or -ENOTSUP. */
int hash_of(uint16_t hash, const struct span *v, size_t n, uint8_t out[static IKE_HASH_MAX]);

/* prf(key, v[0] | v[1] | ...) = HMAC (RFC 2409 4). 0 or -ENOTSUP. */
int prf(uint16_t hash, struct span key, const struct span *v, size_t n, struct secret *ret);

/*
 * CBC in place over data[n], n a positive multiple of the block, else -EINVAL. On success iv
 * becomes the last block of ciphertext.
 */
int cbc_encrypt(uint16_t enc, struct span key, uint8_t *iv, uint8_t *data, size_t n);
int cbc_decrypt(uint16_t enc, struct span key, uint8_t *iv, uint8_t *data, size_t n);

/* The peer's hash is the one that was worked out. */
bool hash_is(struct span theirs, const struct secret *ours);

/* A 16-byte name for a datagram, to know it again. */
void digest_of(struct span data, uint8_t out[static 16]);
