/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trust_own.h - what the files of trust*.c share. */
#pragma once

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "trust.h"

#define TRUST_WARNINGS 4
#define TRUST_CAS_MAX  64
#define TRUST_CRLS_MAX 64

struct trust {
	atomic_uint refs;
	char *ca_path, *crl_path; /* owned; "" for no revocation */
	char *pem;                /* owned: ca_file */
	size_t pem_len;
	gnutls_datum_t name[IKE_CAS_MAX]; /* owned: of the CAs, DER, for the core */
	unsigned n_names;                 /* 0: too many, or too long ones */
	bool sha1, rsa1024;               /* weak_certificates */
	char warning[TRUST_WARNINGS][256];
	unsigned n_warnings;
};

/* Serial numbers that one CA has revoked. */
struct crl {
	gnutls_x509_crl_t crl;  /* owned */
	gnutls_datum_t issuer;  /* owned: name, DER */
	gnutls_datum_t *serial; /* owned array, sorted; owned data */
	size_t n;
};

struct crls {
	struct crl *v; /* owned array */
	unsigned n;
	struct stat seen; /* the file as it was when it was read */
};

struct verifier {
	const struct trust *trust; /* borrowed */
	gnutls_x509_crt_t *ca;     /* owned array */
	unsigned n_cas;
	struct crls crls;
};

/* The names of certificates, cut to what a sentence can hold. */
#define TRUST_NAME 96
const char *trust_subject(gnutls_x509_crt_t crt, char buf[static TRUST_NAME]);
const char *trust_issuer(gnutls_x509_crt_t crt, char buf[static TRUST_NAME]);

/* GnuTLS's switches for what weak_certificates allows. */
unsigned trust_flags(const struct trust *t);

/* ---- trust_crl.c ---- */

/* Into *ret, which is overwritten on success only. 0, or -errno with a sentence in err. */
int crls_read(const char *path, struct crls *ret, char *err, size_t cap);
void crls_clear(struct crls *c);

/* Reads the file again if it is another than it was; says in the log when that fails, and goes on
 * with what there was. */
void crls_refresh(const char *path, struct crls *c);

/* How long until the first of them is outdated, in seconds of CLOCK_REALTIME; negative: it is. */
int64_t crls_left(const struct crls *c, int64_t now_s);

enum revocation {
	REVOCATION_NONE, /* there is a list of the issuer's, up to date, without it */
	REVOCATION_REVOKED,
	REVOCATION_OUTDATED,
	REVOCATION_UNKNOWN, /* there is no list of the issuer's */
};

/* issuers: who may have issued both the certificate and the list. */
enum revocation crls_look(const struct crls *c, gnutls_x509_crt_t crt,
			  const gnutls_x509_crt_t *issuers, unsigned n, unsigned flags);
