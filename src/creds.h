/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * creds.h - the gateway's certificate and private key.
 *
 * The key signs and does nothing else. Certificates of clients are not looked at here: trust.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "config.h"

struct creds;
struct signer;

/*
 * Reads what [gateway] names and checks that it fits together: the key belongs to the certificate,
 * is of the kind that the methods need, and my_identifier stands in the certificate. On failure
 * -errno with one sentence in err that names the place in the configuration, the file and the remedy.
 *
 * check_dir: NULL to run. To check only, the directory that vpngw.service takes credentials from:
 * a credential that systemd has not handed over is looked for there, and a key that this user
 * cannot get at is a warning.
 */
int creds_load(const struct config *config, const char *check_dir, struct creds **ret, char *err,
	       size_t cap);
/*
 * The same for a gateway that runs with `running`. A key that is a credential was handed over when
 * the unit started; `fresh` is the path of what it is now, or NULL: then it is the running one.
 */
int creds_load_again(const struct config *config, const struct creds *running, const char *fresh,
		     struct creds **ret, char *err, size_t cap);
#define CREDS_PRIVATE "/vpngw/private"     /* below sysconfdir: check_dir of the installed unit */
#define CREDS_WHY     1600                 /* room for any sentence */
struct creds *creds_free(struct creds *c); /* gives back one reference, of which loading is one */
struct creds *creds_ref(struct creds *c);  /* any thread; NULL stays NULL */

/* Fills in what the core sends: certificates and identity. Views of creds. */
void creds_to_conf(const struct creds *c, struct ike_conf *conf);

/* About the leaf certificate. */
const char *creds_subject(const struct creds *c);                    /* for people */
int64_t creds_expires(const struct creds *c);                        /* CLOCK_REALTIME seconds */
int64_t creds_starts(const struct creds *c);                         /* the same */
bool creds_same_certs(const struct creds *a, const struct creds *b); /* as they are sent */
bool creds_same_key(const struct creds *a, const struct creds *b);   /* the file's content */

/* Remarks that an administrator should read, one sentence each; NULL after the last. Of those about
 * dates there is at most one, the first; it is that of the last check, which loading is as well. */
void creds_check_dates(struct creds *c, int64_t now_s); /* CLOCK_REALTIME seconds */
const char *creds_warning(const struct creds *c, unsigned i);

/* What else clients may find wrong, for who asks (creds_remarks.c); NULL after the last. */
const char *creds_remark(const struct creds *c, unsigned i, char *buf, size_t cap);

/* One per thread. NULL when out of memory. */
struct signer *creds_signer(const struct creds *c);
struct signer *signer_free(struct signer *s);

/* RSA PKCS#1 v1.5 over the bare hash, without DigestInfo (RFC 2409 5.1), or ECDSA's r and s (RFC 4754
 * 3). 0 or -errno. */
int signer_sign(struct signer *s, struct span hash, uint8_t *sig, size_t cap, size_t *ret_len);

/* ---- the engines, as in ike/dh.h ---- */

struct sign_engine {
	const char *name;
	void *(*open)(struct span pem); /* NULL on failure */
	void (*close)(void *key);
	int (*sign)(void *key, struct span hash, uint8_t *sig, size_t cap, size_t *ret_len);
};

extern const struct sign_engine sign_engine_gnutls;
#ifdef HAVE_LIBCRYPTO
extern const struct sign_engine sign_engine_libcrypto;
#endif
