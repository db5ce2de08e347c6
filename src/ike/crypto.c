/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crypto.c - hash, PRF and CBC of IKEv1 over GnuTLS. */
#include "ike/crypto.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "cleanup.h"
#include "ike/names.h"

static const struct alg_hash {
	uint16_t id;
	uint16_t len;
	gnutls_digest_algorithm_t digest;
	gnutls_mac_algorithm_t mac;
} hashes[] = {
	{ HASH_MD5, 16, GNUTLS_DIG_MD5, GNUTLS_MAC_MD5 },
	{ HASH_SHA1, 20, GNUTLS_DIG_SHA1, GNUTLS_MAC_SHA1 },
	{ HASH_SHA256, 32, GNUTLS_DIG_SHA256, GNUTLS_MAC_SHA256 },
	{ HASH_SHA384, 48, GNUTLS_DIG_SHA384, GNUTLS_MAC_SHA384 },
	{ HASH_SHA512, 64, GNUTLS_DIG_SHA512, GNUTLS_MAC_SHA512 },
};

static const struct alg_cipher {
	uint16_t id, bits;
	uint8_t key, block;
	gnutls_cipher_algorithm_t cipher;
} ciphers[] = {
	{ ENC_AES_CBC, 128, 16, 16, GNUTLS_CIPHER_AES_128_CBC },
	{ ENC_AES_CBC, 192, 24, 16, GNUTLS_CIPHER_AES_192_CBC },
	{ ENC_AES_CBC, 256, 32, 16, GNUTLS_CIPHER_AES_256_CBC },
	{ ENC_3DES_CBC, 0, 24, 8, GNUTLS_CIPHER_3DES_CBC },
};

static const struct alg_hash *find_hash(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		if (hashes[i].id == id)
			return &hashes[i];
	return NULL;
}

size_t hash_len(uint16_t hash)
{
	const struct alg_hash *h = find_hash(hash);

	return h ? h->len : 0;
}

size_t cipher_block(uint16_t enc)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].id == enc)
			return ciphers[i].block;
	return 0;
}

size_t cipher_key_len(uint16_t enc, uint16_t key_bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].id == enc && ciphers[i].bits == key_bits)
			return ciphers[i].key;
	return 0;
}

int hash_of(uint16_t hash, const struct span *v, size_t n, uint8_t out[static IKE_HASH_MAX])
{
	const struct alg_hash *h = find_hash(hash);
	gnutls_hash_hd_t hd;
	int rc = 0;

	if (!h || gnutls_hash_init(&hd, h->digest) < 0)
		return -ENOTSUP;
	for (size_t i = 0; i < n && rc >= 0; i++)
		if (v[i].n)
			rc = gnutls_hash(hd, v[i].p, v[i].n);
	gnutls_hash_deinit(hd, out);
	return rc < 0 ? -ENOTSUP : 0;
}

int prf(uint16_t hash, struct span key, const struct span *v, size_t n, struct secret *ret)
{
	const struct alg_hash *h = find_hash(hash);
	gnutls_hmac_hd_t hd;
	int rc = 0;

	if (!h || gnutls_hmac_init(&hd, h->mac, key.p, key.n) < 0)
		return -ENOTSUP;
	for (size_t i = 0; i < n && rc >= 0; i++)
		if (v[i].n)
			rc = gnutls_hmac(hd, v[i].p, v[i].n);
	gnutls_hmac_deinit(hd, ret->b);
	ret->n = h->len;
	if (rc < 0) {
		secret_wipe(ret);
		return -ENOTSUP;
	}
	return 0;
}

static int cbc_open(uint16_t enc, struct span key, uint8_t *iv, size_t n, gnutls_cipher_hd_t *ret)
{
	const struct alg_cipher *c = NULL;
	gnutls_datum_t k, v;

	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].id == enc && ciphers[i].key == key.n)
			c = &ciphers[i];
	if (!c || n == 0 || n % c->block)
		return -EINVAL;
	/* The library's type has no const; neither is written to. */
	k = (gnutls_datum_t){ (unsigned char *)(uintptr_t)key.p, (unsigned)key.n };
	v = (gnutls_datum_t){ iv, c->block };
	return gnutls_cipher_init(ret, c->cipher, &k, &v) < 0 ? -ENOTSUP : (int)c->block;
}

/*
 * A fuzzer cannot guess keys. Built for one, encryption is the identity and any hash of the right
 * length is right, so that its changes reach what stands behind; lengths and IVs stay as they are.
 */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
static const bool transparent = true;
#else
static const bool transparent = false;
#endif

bool hash_is(struct span theirs, const struct secret *ours)
{
	return transparent ? theirs.n == ours->n : span_eq_secret(theirs, secret_span(ours));
}

int cbc_encrypt(uint16_t enc, struct span key, uint8_t *iv, uint8_t *data, size_t n)
{
	gnutls_cipher_hd_t hd;
	int rc, block = cbc_open(enc, key, iv, n, &hd);

	if (block < 0)
		return block;
	rc = transparent ? 0 : gnutls_cipher_encrypt(hd, data, n);
	gnutls_cipher_deinit(hd);
	if (rc < 0)
		return -ENOTSUP;
	memcpy(iv, data + n - (size_t)block, (size_t)block);
	return 0;
}

int cbc_decrypt(uint16_t enc, struct span key, uint8_t *iv, uint8_t *data, size_t n)
{
	uint8_t last[IKE_BLOCK_MAX];
	gnutls_cipher_hd_t hd;
	int rc, block = cbc_open(enc, key, iv, n, &hd);

	if (block < 0)
		return block;
	memcpy(last, data + n - (size_t)block, (size_t)block);
	rc = transparent ? 0 : gnutls_cipher_decrypt(hd, data, n);
	gnutls_cipher_deinit(hd);
	if (rc < 0)
		return -ENOTSUP;
	memcpy(iv, last, (size_t)block);
	return 0;
}

void digest_of(struct span data, uint8_t out[static 16])
{
	uint8_t full[IKE_HASH_MAX] = { 0 };

	hash_of(HASH_SHA256, &data, 1, full);
	memcpy(out, full, 16);
}
