/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* creds_own.h - what the files of creds*.c share. */
#pragma once

#include <gnutls/x509.h>
#include <stdatomic.h>

#include "creds.h"

#define CREDS_WARNINGS 8

struct creds {
	atomic_uint refs;
	gnutls_datum_t der[IKE_CERTS_MAX]; /* owned */
	unsigned n;
	unsigned sent;            /* how many of them message 2 carries */
	gnutls_datum_t dn;        /* owned: subject, DER */
	char subject[256], *path; /* owned */
	int64_t starts, expires;
	uint8_t *pem; /* owned: the private key's file */
	size_t pem_len;
	uint16_t ecdsa; /* method of an EC key; 0: it is RSA */
	enum ike_my_id id_type;
	char *fqdn;                                           /* owned */
	char warning[CREDS_WARNINGS][256], date_warning[256]; /* the latter may be empty */
	unsigned n_warnings;
};

/* Of a gateway that runs; see creds_load_again(). */
struct creds_again {
	const struct creds *running;
	const char *fresh;
};

/* ---- creds.c ---- */

__attribute__((format(printf, 2, 3))) void creds_warn(struct creds *c, const char *fmt, ...);
/* at: where the mistake stands in the configuration; NULL: nowhere. Returns rc. */
__attribute__((format(printf, 5, 6))) int creds_fail(char *err, size_t cap, int rc, const char *at,
						     const char *fmt, ...);
/* A file in memory, with a NUL behind it; the caller frees it. 0 or -errno. */
int creds_read_file(const char *path, uint8_t **ret, size_t *ret_len);
const char *creds_file_error(int rc); /* what was wrong with it */

/* ---- creds_key.c; 0 or -errno with a sentence in err ---- */

/* Fills c->pem. It stays NULL when there may be a key that whoever checks cannot get at: a warning
 * says so. */
int creds_read_key(struct creds *c, const struct conf_gateway *g, const char *check_dir, char *err,
		   size_t cap);
int creds_read_key_again(struct creds *c, const struct conf_gateway *g, const struct creds_again *a,
			 char *err, size_t cap);
/* c->pem is the leaf's key, of a kind that each method of authentication takes. */
int creds_check_key(struct creds *c, const struct config *config, gnutls_x509_crt_t leaf,
		    unsigned *ret_bits, char *err, size_t cap);
/* Signatures on a curve are over a hash of its size (ike/sapl.c): warns when none is offered. */
void creds_check_hash(struct creds *c, const struct ike_conf *ike);
