/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trust.c - the CAs of clients: reading ca_file and crl_file, and what the core tells of them. */
#include "trust.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "config_read.h"
#include "ike/names.h"
#include "trust_own.h"

#define FILE_MAX (512 * 1024)
#define SOON_S   (3 * 86400) /* a list that ends within this is worth a warning */

__attribute__((format(printf, 2, 3))) static void warn(struct trust *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n_warnings == TRUST_WARNINGS)
		return;
	va_start(ap, fmt);
	vsnprintf(t->warning[t->n_warnings++], sizeof(t->warning[0]), fmt, ap);
	va_end(ap);
}

static const char *cut_name(int rc, gnutls_datum_t *text, char buf[static TRUST_NAME])
{
	snprintf(buf, TRUST_NAME, "%s", "(no name)");
	if (rc < 0)
		return buf;
	if (text->size)
		snprintf(buf, TRUST_NAME, "%.*s%s", TRUST_NAME - 4, text->data,
			 text->size > TRUST_NAME - 4 ? "..." : "");
	gnutls_free(text->data);
	return buf;
}

const char *trust_subject(gnutls_x509_crt_t crt, char buf[static TRUST_NAME])
{
	gnutls_datum_t text;

	return cut_name(gnutls_x509_crt_get_dn3(crt, &text, 0), &text, buf);
}

const char *trust_issuer(gnutls_x509_crt_t crt, char buf[static TRUST_NAME])
{
	gnutls_datum_t text;

	return cut_name(gnutls_x509_crt_get_issuer_dn3(crt, &text, 0), &text, buf);
}

void trust_name_text(struct span der, char *buf, size_t cap)
{
	const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p, (unsigned)der.n };
	gnutls_datum_t text;
	gnutls_x509_dn_t dn;

	*buf = '\0';
	if (gnutls_x509_dn_init(&dn) < 0)
		return;
	if (gnutls_x509_dn_import(dn, &d) >= 0 && gnutls_x509_dn_get_str2(dn, &text, 0) >= 0) {
		snprintf(buf, cap, "%.*s", (int)text.size, text.data ? (char *)text.data : "");
		gnutls_free(text.data);
	}
	gnutls_x509_dn_deinit(dn);
}

unsigned trust_flags(const struct trust *t)
{
	/* The profile "low" is the first that takes SHA-1 at all; sizes of keys are looked at apart. */
	return GNUTLS_PROFILE_TO_VFLAGS(t->sha1 || t->rsa1024 ? GNUTLS_PROFILE_LOW
							      : GNUTLS_PROFILE_MEDIUM) |
	       (t->sha1 ? GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 : 0);
}

/* ---- the CAs ---- */

static int import_cas(const struct trust *t, gnutls_x509_crt_t **ret, unsigned *ret_n)
{
	gnutls_datum_t d = { (unsigned char *)t->pem, (unsigned)t->pem_len };

	return gnutls_x509_crt_list_import2(ret, ret_n, &d, GNUTLS_X509_FMT_PEM, 0);
}

static void free_cas(gnutls_x509_crt_t *ca, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(ca[i]);
	gnutls_free(ca);
}

/* Too many names, or a long one: any certificate is asked for. */
static void take_name(struct trust *t, gnutls_x509_crt_t ca, unsigned i)
{
	gnutls_datum_t *name = &t->name[t->n_names];

	if (t->n_names != i || i == IKE_CAS_MAX)
		return;
	if (gnutls_x509_crt_get_raw_dn(ca, name) < 0)
		return;
	if (name->size && name->size <= LIMIT_ID)
		t->n_names++;
	else
		gnutls_free(name->data);
}

static void forget_names(struct trust *t)
{
	while (t->n_names)
		gnutls_free(t->name[--t->n_names].data);
}

static int check_cas(struct trust *t, char *err, size_t cap)
{
	gnutls_x509_crt_t *ca;
	char name[TRUST_NAME];
	unsigned n = 0;
	int rc = import_cas(t, &ca, &n);

	if (rc < 0) {
		snprintf(err, cap,
			 "[phase1] ca_file = %s: %s; a PEM file with the certificates of CAs is "
			 "expected",
			 t->ca_path, gnutls_strerror(rc));
		return -EINVAL;
	}
	rc = n == 0 || n > TRUST_CAS_MAX ? -EINVAL : 0;
	if (rc < 0)
		snprintf(err, cap, "[phase1] ca_file = %s: %u certificates, expected 1 to %d",
			 t->ca_path, n, TRUST_CAS_MAX);
	for (unsigned i = 0; i < n && rc == 0; i++) {
		if (gnutls_x509_crt_get_ca_status(ca[i], NULL) != 1) {
			rc = -EINVAL;
			snprintf(err, cap,
				 "[phase1] ca_file = %s: %s is no CA, expected certificates of CAs "
				 "alone",
				 t->ca_path, trust_subject(ca[i], name));
		} else if (gnutls_x509_crt_get_expiration_time(ca[i]) < time(NULL)) {
			warn(t, "[phase1] ca_file: %s has expired, and its clients are refused",
			     trust_subject(ca[i], name));
		}
		take_name(t, ca[i], i);
	}
	if (t->n_names != n)
		forget_names(t);
	free_cas(ca, n);
	return rc;
}

/* ---- loading ---- */

static int read_cas(struct trust *t, char *err, size_t cap)
{
	int rc = conf_file_read(t->ca_path, FILE_MAX, &t->pem, &t->pem_len);

	if (rc < 0)
		snprintf(err, cap, "[phase1] ca_file = %s: %s%s", t->ca_path,
			 rc == -EINVAL ? "not a regular file" : strerror(-rc),
			 rc == -ENOENT ? "; xauth_rsa, rsasig and ecdsa need the CAs of the clients"
				       : "");
	return rc < 0 ? rc : check_cas(t, err, cap);
}

static int try_crls(struct trust *t, char *err, size_t cap)
{
	struct crls c;
	int64_t left;
	int rc;

	if (!*t->crl_path) {
		warn(t, "[phase1] crl_file is not set: a client's certificate that was revoked "
			"lets in until it expires");
		return 0;
	}
	rc = crls_read(t->crl_path, &c, err, cap);
	if (rc < 0)
		return rc;
	left = crls_left(&c, time(NULL));
	if (left < 0)
		warn(t,
		     "[phase1] crl_file: a list in %s is outdated, and clients are refused "
		     "until there is a new one",
		     t->crl_path);
	else if (left < SOON_S)
		warn(t, "[phase1] crl_file: a list in %s is outdated in %lld hours", t->crl_path,
		     (long long)left / 3600);
	crls_clear(&c);
	return 0;
}

static bool is_wanted(const struct ike_conf *c)
{
	for (unsigned i = 0; i < c->n_auth; i++)
		if (c->auth[i] == AUTH_XAUTH_RSA || c->auth[i] == AUTH_RSA_SIG ||
		    auth_is_ecdsa(c->auth[i]))
			return true;
	return false;
}

int trust_load(const struct config *config, struct trust **ret, char *err, size_t cap)
{
	struct trust *t;
	int rc = -ENOMEM;

	*ret = NULL;
	if (!is_wanted(&config->ike))
		return 0;
	t = calloc(1, sizeof(*t));
	if (t) {
		t->refs = 1;
		t->ca_path = strdup(config->ca_file);
		t->crl_path = strdup(config->crl_file ? config->crl_file : "");
	}
	if (t && t->ca_path && t->crl_path) {
		for (unsigned i = 0; i < config->n_weak_certificates; i++) {
			t->sha1 |= config->weak_certificates[i] == CONF_WEAK_SHA1;
			t->rsa1024 |= config->weak_certificates[i] == CONF_WEAK_RSA1024;
		}
		rc = read_cas(t, err, cap);
		if (rc == 0)
			rc = try_crls(t, err, cap);
	} else {
		snprintf(err, cap, "out of memory");
	}
	if (rc < 0) {
		trust_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

struct trust *trust_ref(struct trust *t)
{
	if (t)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

struct trust *trust_free(struct trust *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
		return NULL;
	forget_names(t);
	free(t->ca_path);
	free(t->crl_path);
	free(t->pem);
	free(t);
	return NULL;
}

bool trust_same(const struct trust *a, const struct trust *b)
{
	return a->pem_len == b->pem_len && memcmp(a->pem, b->pem, a->pem_len) == 0;
}

void trust_to_conf(const struct trust *t, struct ike_conf *conf)
{
	conf->n_cas = t ? (uint8_t)t->n_names : 0;
	for (unsigned i = 0; i < conf->n_cas; i++)
		conf->ca[i] = (struct span){ t->name[i].data, t->name[i].size };
}

const char *trust_warning(const struct trust *t, unsigned i)
{
	return t && i < t->n_warnings ? t->warning[i] : NULL;
}

/* ---- a thread's own ---- */

struct verifier *verifier_new(const struct trust *t)
{
	struct verifier *v = t ? calloc(1, sizeof(*v)) : NULL;
	char err[TRUST_WHY + 256];

	if (!v)
		return NULL;
	v->trust = t;
	if (import_cas(t, &v->ca, &v->n_cas) < 0) {
		v->n_cas = 0;
		return verifier_free(v);
	}
	/* The file was good a moment ago; without it, nobody gets in until it is again. */
	if (*t->crl_path)
		crls_read(t->crl_path, &v->crls, err, sizeof(err));
	return v;
}

struct verifier *verifier_free(struct verifier *v)
{
	if (!v)
		return NULL;
	if (v->n_cas)
		free_cas(v->ca, v->n_cas);
	crls_clear(&v->crls);
	free(v);
	return NULL;
}
