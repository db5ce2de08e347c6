/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* creds_gnutls.c - the gateway's signature by GnuTLS: RSA (RFC 2409 5.1) and ECDSA (RFC 4754 3). */
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "creds.h"

static void close_key(void *key)
{
	gnutls_privkey_deinit(key);
}

static void *open_key(struct span pem)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem.p, (unsigned)pem.n };
	gnutls_privkey_t key;

	if (gnutls_privkey_init(&key) < 0)
		return NULL;
	if (gnutls_privkey_import_x509_raw(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0) < 0) {
		gnutls_privkey_deinit(key);
		return NULL;
	}
	return key;
}

/* Right-aligned in `n` bytes; what GnuTLS gives may begin with a zero, or be shorter. */
static int put_number(const gnutls_datum_t *d, uint8_t *out, size_t n)
{
	const uint8_t *p = d->data;
	size_t len = d->size;

	while (len > n && *p == 0)
		p++, len--;
	if (len > n)
		return -EIO;
	memset(out, 0, n - len);
	memcpy(out + n - len, p, len);
	return 0;
}

/* r and s behind one another, each as long as the curve's numbers. */
static int take_numbers(const gnutls_datum_t *der, size_t n, uint8_t *sig, size_t cap,
			size_t *ret_len)
{
	gnutls_datum_t r, s;
	int rc;

	if (2 * n > cap)
		return -ENOSPC;
	if (gnutls_decode_rs_value(der, &r, &s) < 0)
		return -EIO;
	rc = put_number(&r, sig, n);
	if (rc == 0)
		rc = put_number(&s, sig + n, n);
	*ret_len = 2 * n;
	gnutls_free(r.data);
	gnutls_free(s.data);
	return rc;
}

static gnutls_digest_algorithm_t digest_of_len(size_t n)
{
	return n == 32 ? GNUTLS_DIG_SHA256 : n == 48 ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA512;
}

static int sign(void *key, struct span hash, uint8_t *sig, size_t cap, size_t *ret_len)
{
	const gnutls_datum_t h = { (unsigned char *)(uintptr_t)hash.p, (unsigned)hash.n };
	unsigned bits = 0;
	bool ecdsa = gnutls_privkey_get_pk_algorithm(key, &bits) == GNUTLS_PK_ECDSA;
	gnutls_datum_t s;
	int rc = ecdsa ? gnutls_privkey_sign_hash(key, digest_of_len(hash.n), 0, &h, &s)
		       : gnutls_privkey_sign_hash(key, GNUTLS_DIG_UNKNOWN,
						  GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, &h, &s);

	if (rc < 0)
		return -EIO;
	if (ecdsa) {
		rc = take_numbers(&s, (bits + 7) / 8, sig, cap, ret_len);
	} else {
		rc = s.size <= cap ? 0 : -ENOSPC;
		if (rc == 0) {
			memcpy(sig, s.data, s.size);
			*ret_len = s.size;
		}
	}
	gnutls_free(s.data);
	return rc;
}

const struct sign_engine sign_engine_gnutls = {
	.name = "gnutls", .open = open_key, .close = close_key, .sign = sign
};
