/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* creds.c - reading and checking the gateway's certificate, with GnuTLS. */
#include "creds_own.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "ike/names.h"

#define FILE_MAX   (256 * 1024)
#define CERT_LARGE 1000 /* bytes; an RSA-2048 certificate with few extensions stays below */

void creds_warn(struct creds *c, const char *fmt, ...)
{
	va_list ap;

	if (c->n_warnings == CREDS_WARNINGS)
		return;
	va_start(ap, fmt);
	vsnprintf(c->warning[c->n_warnings++], sizeof(c->warning[0]), fmt, ap);
	va_end(ap);
}

int creds_fail(char *err, size_t cap, int rc, const char *at, const char *fmt, ...)
{
	size_t n = at ? (size_t)snprintf(err, cap, "%s: ", at) : 0;
	va_list ap;

	if (n >= cap)
		n = 0;
	va_start(ap, fmt);
	vsnprintf(err + n, cap - n, fmt, ap);
	va_end(ap);
	return rc;
}

/* ---- files ---- */

int creds_read_file(const char *path, uint8_t **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	uint8_t *buf;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size <= 0)
		return -ENODATA;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	n = read(fd, buf, (size_t)st.st_size);
	if (n != st.st_size) {
		explicit_bzero(buf, (size_t)st.st_size);
		free(buf);
		return n < 0 ? -errno : -EIO;
	}
	buf[n] = '\0';
	*ret = buf;
	*ret_len = (size_t)n;
	return 0;
}

const char *creds_file_error(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "it is not a regular file";
	case -ENODATA:
		return "it is empty";
	case -EFBIG:
		return "it is too large for a PEM file";
	default:
		return strerror(-rc);
	}
}

/* ---- the certificate ---- */

static int load_chain(struct creds *c, const struct conf_gateway *g, gnutls_x509_crt_t *ret_leaf,
		      char *err, size_t cap)
{
	const char *path = g->certificate, *at = g->certificate_at;
	gnutls_x509_crt_t crt[IKE_CERTS_MAX];
	unsigned n = IKE_CERTS_MAX;
	uint8_t *buf;
	size_t len;
	int rc = creds_read_file(path, &buf, &len);

	if (rc < 0)
		return creds_fail(err, cap, rc, at, "certificate = %s: %s", path,
				  creds_file_error(rc));
	gnutls_datum_t d = { buf, (unsigned)len };

	rc = gnutls_x509_crt_list_import(crt, &n, &d, GNUTLS_X509_FMT_PEM,
					 GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	free(buf);
	if (rc < 0)
		return creds_fail(
			err, cap, -EINVAL, at,
			"certificate = %s: %s; a PEM file with the gateway's certificate first "
			"and at most %d in all is expected",
			path, gnutls_strerror(rc), IKE_CERTS_MAX);
	*ret_leaf = crt[0];
	for (unsigned i = 0; i < n; i++) {
		rc = gnutls_x509_crt_export2(crt[i], GNUTLS_X509_FMT_DER, &c->der[i]);
		if (i)
			gnutls_x509_crt_deinit(crt[i]);
		if (rc < 0)
			return creds_fail(err, cap, -ENOMEM, at, "certificate = %s: %s", path,
					  gnutls_strerror(rc));
		c->n++;
	}
	return 0;
}

static void read_subject(struct creds *c, gnutls_x509_crt_t leaf)
{
	gnutls_datum_t raw, text;

	if (gnutls_x509_crt_get_raw_dn(leaf, &raw) >= 0) {
		c->dn.data = gnutls_malloc(raw.size);
		if (c->dn.data) {
			memcpy(c->dn.data, raw.data, raw.size);
			c->dn.size = raw.size;
		}
		gnutls_free(raw.data);
	}
	if (gnutls_x509_crt_get_dn3(leaf, &text, 0) >= 0) {
		snprintf(c->subject, sizeof(c->subject), "%.*s", (int)text.size, text.data);
		gnutls_free(text.data);
	}
}

void creds_check_dates(struct creds *c, int64_t now_s)
{
	char *text = c->date_warning;
	size_t cap = sizeof(c->date_warning);

	*text = '\0';
	if (c->expires < now_s)
		snprintf(text, cap, "%s has expired: clients will refuse it", c->path);
	else if (c->starts > now_s)
		snprintf(text, cap, "%s is not valid yet: check the clock", c->path);
	else if (c->expires < now_s + 21 * 86400)
		snprintf(text, cap, "%s expires in %lld days", c->path,
			 (long long)(c->expires - now_s) / 86400);
}

static bool has_san(gnutls_x509_crt_t leaf, gnutls_x509_subject_alt_name_t type)
{
	uint8_t buf[256];
	int rc = 0;

	for (unsigned i = 0; rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && i < 64; i++) {
		size_t n = sizeof(buf);

		rc = gnutls_x509_crt_get_subject_alt_name(leaf, i, buf, &n, NULL);
		if (rc == (int)type)
			return true;
	}
	return false;
}

static int check_identity(struct creds *c, gnutls_x509_crt_t leaf, const struct conf_gateway *g,
			  char *err, size_t cap)
{
	const char *spec = g->my_identifier, *path = g->certificate, *at = g->my_identifier_at;

	if (strncmp(spec, "fqdn:", 5) == 0) {
		c->id_type = IKE_ID_FQDN;
		c->fqdn = strdup(spec + 5);
		if (!c->fqdn)
			return creds_fail(err, cap, -ENOMEM, NULL, "out of memory");
		if (!gnutls_x509_crt_check_hostname2(leaf, c->fqdn,
						     GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS))
			return creds_fail(
				err, cap, -EINVAL, at,
				"my_identifier = %s: the name is not in the subjectAltName of "
				"%s, and clients would refuse it",
				spec, path);
	} else if (strcmp(spec, "address") == 0) {
		c->id_type = IKE_ID_ADDRESS;
		if (!has_san(leaf, GNUTLS_SAN_IPADDRESS))
			return creds_fail(err, cap, -EINVAL, at,
					  "my_identifier = address: %s has no IP address in its "
					  "subjectAltName, and clients would refuse it",
					  path);
	} else {
		c->id_type = IKE_ID_ASN1DN;
		if (!c->dn.size || c->dn.size > LIMIT_ID)
			return creds_fail(
				err, cap, -EINVAL, at,
				"my_identifier = asn1dn: the subject of %s has %u bytes, 1 to "
				"%d are possible",
				path, c->dn.size, LIMIT_ID);
		if (!has_san(leaf, GNUTLS_SAN_DNSNAME) && !has_san(leaf, GNUTLS_SAN_IPADDRESS))
			creds_warn(
				c,
				"%s has no subjectAltName: Apple clients will refuse it (vpngw-pki "
				"makes certificates that they take)",
				path);
	}
	return 0;
}

static void check_weak(struct creds *c, gnutls_x509_crt_t leaf, unsigned bits, const char *path)
{
	gnutls_sign_algorithm_t alg =
		(gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(leaf);
	size_t size = 0;

	if (!gnutls_sign_is_secure2(alg, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
		creds_warn(c, "%s is signed with %s, which is weak", path,
			   gnutls_sign_get_name(alg));
	if (!c->ecdsa && bits < 2048)
		creds_warn(c, "the RSA key of %s has %u bits, which is weak", path, bits);
	for (unsigned i = 0; i < c->sent; i++)
		size += c->der[i].size;
	if (size > CERT_LARGE)
		creds_warn(c,
			   "%s adds %zu bytes to the gateway's aggressive mode message, which then "
			   "travels in more IP fragments to clients that know no IKE fragments, "
			   "and some "
			   "networks drop those: a smaller certificate helps",
			   path, size);
}

/* again: NULL for a key that is read from where it stands. */
static int load(const struct config *config, const char *check_dir, const struct creds_again *again,
		struct creds **ret, char *err, size_t cap)
{
	const struct conf_gateway *g = &config->gateway;
	struct creds *c = calloc(1, sizeof(*c));
	gnutls_x509_crt_t leaf = NULL;
	unsigned bits = 2048;
	int rc;

	if (!c)
		return creds_fail(err, cap, -ENOMEM, NULL, "out of memory");
	c->refs = 1;
	rc = load_chain(c, g, &leaf, err, cap);
	if (rc == 0) {
		c->sent = g->send_chain ? c->n : 1;
		read_subject(c, leaf);
		c->path = strdup(g->certificate);
		c->starts = gnutls_x509_crt_get_activation_time(leaf);
		c->expires = gnutls_x509_crt_get_expiration_time(leaf);
		rc = c->path ? check_identity(c, leaf, g, err, cap)
			     : creds_fail(err, cap, -ENOMEM, NULL, "out of memory");
	}
	if (rc == 0)
		rc = again ? creds_read_key_again(c, g, again, err, cap)
			   : creds_read_key(c, g, check_dir, err, cap);
	if (rc == 0 && c->pem)
		rc = creds_check_key(c, config, leaf, &bits, err, cap);
	if (rc == 0) {
		check_weak(c, leaf, bits, g->certificate);
		creds_check_hash(c, &config->ike);
		creds_check_dates(c, time(NULL));
	}
	if (leaf)
		gnutls_x509_crt_deinit(leaf);
	if (rc < 0) {
		creds_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

int creds_load(const struct config *config, const char *check_dir, struct creds **ret, char *err,
	       size_t cap)
{
	return load(config, check_dir, NULL, ret, err, cap);
}

int creds_load_again(const struct config *config, const struct creds *running, const char *fresh,
		     struct creds **ret, char *err, size_t cap)
{
	const struct creds_again again = { running, fresh };

	return load(config, NULL, &again, ret, err, cap);
}

struct creds *creds_ref(struct creds *c)
{
	if (c)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

struct creds *creds_free(struct creds *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
		return NULL;
	for (unsigned i = 0; i < c->n; i++)
		gnutls_free(c->der[i].data);
	gnutls_free(c->dn.data);
	if (c->pem)
		explicit_bzero(c->pem, c->pem_len);
	free(c->pem);
	free(c->path);
	free(c->fqdn);
	free(c);
	return NULL;
}

void creds_to_conf(const struct creds *c, struct ike_conf *conf)
{
	conf->my_id_type = c->id_type;
	conf->my_id = c->id_type == IKE_ID_FQDN     ? span_str(c->fqdn)
		      : c->id_type == IKE_ID_ASN1DN ? (struct span){ c->dn.data, c->dn.size }
						    : (struct span){ 0 };
	for (unsigned i = 0; i < conf->n_auth; i++)
		if (auth_is_ecdsa(conf->auth[i]) && c->ecdsa)
			conf->auth[i] = c->ecdsa;
	conf->n_certs = (uint8_t)c->sent;
	for (unsigned i = 0; i < c->sent; i++)
		conf->cert[i] = (struct span){ c->der[i].data, c->der[i].size };
}

const char *creds_subject(const struct creds *c)
{
	return c->subject;
}

int64_t creds_expires(const struct creds *c)
{
	return c->expires;
}

bool creds_same_certs(const struct creds *a, const struct creds *b)
{
	bool same = a->sent == b->sent && a->id_type == b->id_type &&
		    strcmp(a->fqdn ? a->fqdn : "", b->fqdn ? b->fqdn : "") == 0;

	for (unsigned i = 0; same && i < a->sent; i++)
		same = span_eq((struct span){ a->der[i].data, a->der[i].size },
			       (struct span){ b->der[i].data, b->der[i].size });
	return same;
}

bool creds_same_key(const struct creds *a, const struct creds *b)
{
	return a->pem_len == b->pem_len &&
	       (!a->pem_len || gnutls_memcmp(a->pem, b->pem, a->pem_len) == 0);
}

const char *creds_warning(const struct creds *c, unsigned i)
{
	if (*c->date_warning && i-- == 0)
		return c->date_warning;
	return i < c->n_warnings ? c->warning[i] : NULL;
}
