/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * creds_remarks.c - what clients may find wrong with the gateway's certificates that keeps no gateway
 * from starting: told by vpngw --check, not at each start.
 */
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "creds_own.h"

#define EKU_SERVER "1.3.6.1.5.5.7.3.1"  /* RFC 5280 4.2.1.12 */
#define EKU_IKE    "1.3.6.1.5.5.7.3.17" /* RFC 4945 5.1.3.12 */
#define EKU_ANY    "2.5.29.37.0"

static gnutls_x509_crt_t certificate(const struct creds *c, unsigned i)
{
	gnutls_x509_crt_t crt = NULL;

	if (i >= c->n || gnutls_x509_crt_init(&crt) < 0)
		return NULL;
	if (gnutls_x509_crt_import(crt, &c->der[i], GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(crt);
		return NULL;
	}
	return crt;
}

/* Apple's clients want "TLS server" among the purposes, and no purposes at all are not enough. */
static bool lacks_purpose(gnutls_x509_crt_t leaf)
{
	char oid[64];
	int rc = 0;

	for (unsigned i = 0; rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && i < 32; i++) {
		size_t n = sizeof(oid);

		rc = gnutls_x509_crt_get_key_purpose_oid(leaf, i, oid, &n, NULL);
		if (rc >= 0 && (strcmp(oid, EKU_SERVER) == 0 || strcmp(oid, EKU_IKE) == 0 ||
				strcmp(oid, EKU_ANY) == 0))
			return false;
	}
	return true;
}

/* With the extension (RFC 5280 4.2.1.3) but without this bit. */
static bool may_not_sign(gnutls_x509_crt_t leaf)
{
	unsigned usage, critical;

	return gnutls_x509_crt_get_key_usage(leaf, &usage, &critical) >= 0 &&
	       !(usage & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION));
}

/* The one at i was issued by the one behind it, in name and in fact. */
static bool is_linked(const struct creds *c, unsigned i)
{
	gnutls_x509_crt_t crt = certificate(c, i), by = certificate(c, i + 1);
	unsigned status = 0;
	bool good = crt && by && gnutls_x509_crt_check_issuer(crt, by) == 1 &&
		    gnutls_x509_crt_verify(crt, &by, 1,
					   GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
						   GNUTLS_VERIFY_ALLOW_BROKEN |
						   GNUTLS_VERIFY_DO_NOT_ALLOW_SAME,
					   &status) >= 0 &&
		    status == 0;

	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (by)
		gnutls_x509_crt_deinit(by);
	return good;
}

static bool has_expired(const struct creds *c, unsigned i)
{
	gnutls_x509_crt_t crt = certificate(c, i);
	bool over = crt && gnutls_x509_crt_get_expiration_time(crt) < time(NULL);

	if (crt)
		gnutls_x509_crt_deinit(crt);
	return over;
}

/* Every possible remark: true when it is to be made. */
static bool remark(const struct creds *c, gnutls_x509_crt_t leaf, unsigned which, char *buf,
		   size_t cap)
{
	unsigned i = which - 2;

	if (which == 0) {
		snprintf(
			buf, cap,
			"%s has no extended key usage \"TLS server\": Apple clients will refuse it",
			c->path);
		return lacks_purpose(leaf);
	}
	if (which == 1) {
		snprintf(buf, cap,
			 "the key usage of %s does not allow signatures: clients will refuse it",
			 c->path);
		return may_not_sign(leaf);
	}
	if (i + 1 < c->n && !is_linked(c, i)) {
		snprintf(buf, cap,
			 "%s: certificate %u in it was not issued by the one behind it: clients "
			 "find no way from it to their CA",
			 c->path, i + 1);
		return true;
	}
	snprintf(buf, cap, "%s: certificate %u in it, an intermediate, has expired", c->path,
		 i + 2);
	return i + 1 < c->n && has_expired(c, i + 1);
}

const char *creds_remark(const struct creds *c, unsigned i, char *buf, size_t cap)
{
	gnutls_x509_crt_t leaf = certificate(c, 0);
	const char *found = NULL;

	for (unsigned which = 0; leaf && !found && which < 2 + c->n; which++)
		if (remark(c, leaf, which, buf, cap) && i-- == 0)
			found = buf;
	if (leaf)
		gnutls_x509_crt_deinit(leaf);
	return found;
}

int64_t creds_starts(const struct creds *c)
{
	return c->starts;
}
