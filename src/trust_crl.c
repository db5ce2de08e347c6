/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trust_crl.c - which certificates have been revoked: the lists in [phase1] crl_file.
 *
 * Who signed a list is looked at when it is used, because its issuer may be an intermediate CA that
 * only clients send.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "config_read.h"
#include "log.h"
#include "trust_own.h"

#define FILE_MAX   (16 * 1024 * 1024)
#define SERIAL_MAX 64

static int by_serial(const void *a, const void *b)
{
	const gnutls_datum_t *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return memcmp(x->data, y->data, x->size);
}

static void crl_clear(struct crl *c)
{
	if (c->crl)
		gnutls_x509_crl_deinit(c->crl);
	gnutls_free(c->issuer.data);
	for (size_t i = 0; i < c->n; i++)
		free(c->serial[i].data);
	free(c->serial);
	*c = (struct crl){ 0 };
}

static int add_serial(struct crl *c, const uint8_t *serial, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, serial, n);
	c->serial[c->n++] = (gnutls_datum_t){ copy, (unsigned)n };
	return 0;
}

/* Takes over c->crl. */
static int read_serials(struct crl *c)
{
	int count = gnutls_x509_crl_get_crt_count(c->crl), rc = 0;
	gnutls_x509_crl_iter_t iter = NULL;

	if (count < 0 || gnutls_x509_crl_get_raw_issuer_dn(c->crl, &c->issuer) < 0)
		return -EBADMSG;
	c->serial = calloc(count ? (size_t)count : 1, sizeof(*c->serial));
	if (!c->serial)
		return -ENOMEM;
	for (int i = 0; i < count && rc == 0; i++) {
		uint8_t serial[SERIAL_MAX];
		size_t n = sizeof(serial);

		if (gnutls_x509_crl_iter_crt_serial(c->crl, &iter, serial, &n, NULL) < 0)
			rc = -EBADMSG;
		else
			rc = add_serial(c, serial, n);
	}
	gnutls_x509_crl_iter_deinit(iter);
	qsort(c->serial, c->n, sizeof(*c->serial), by_serial);
	return rc;
}

static int take(struct crls *c, gnutls_x509_crl_t *list, unsigned n)
{
	int rc = 0;

	c->v = calloc(n, sizeof(*c->v));
	for (unsigned i = 0; i < n; i++) {
		if (!c->v) {
			gnutls_x509_crl_deinit(list[i]);
			continue;
		}
		c->v[c->n].crl = list[i];
		if (rc == 0)
			rc = read_serials(&c->v[c->n]);
		c->n++;
	}
	gnutls_free(list);
	return c->v ? rc : -ENOMEM;
}

int crls_read(const char *path, struct crls *ret, char *err, size_t cap)
{
	_cleanup_free_ char *text = NULL;
	struct crls c = { 0 };
	gnutls_x509_crl_t *list;
	unsigned n = 0;
	size_t len;
	int rc = stat(path, &c.seen) < 0 ? -errno : conf_file_read(path, FILE_MAX, &text, &len);

	if (rc < 0) {
		snprintf(err, cap, "[phase1] crl_file = %s: %s", path,
			 rc == -EINVAL ? "not a regular file" : strerror(-rc));
		return rc;
	}
	gnutls_datum_t d = { (unsigned char *)text, (unsigned)len };

	rc = gnutls_x509_crl_list_import2(&list, &n, &d, GNUTLS_X509_FMT_PEM, 0);
	if (rc < 0 || n == 0 || n > TRUST_CRLS_MAX) {
		for (unsigned i = 0; rc >= 0 && i < n; i++)
			gnutls_x509_crl_deinit(list[i]);
		if (rc >= 0)
			gnutls_free(list);
		snprintf(err, cap,
			 "[phase1] crl_file = %s: %s; a PEM file with 1 to %d revocation lists is "
			 "expected",
			 path, rc < 0 ? gnutls_strerror(rc) : "another number of lists",
			 TRUST_CRLS_MAX);
		return -EINVAL;
	}
	rc = take(&c, list, n);
	if (rc < 0) {
		crls_clear(&c);
		snprintf(err, cap, "[phase1] crl_file = %s: a list in it: %s", path,
			 rc == -EBADMSG ? "does not parse" : strerror(-rc));
		return rc == -EBADMSG ? -EINVAL : rc;
	}
	*ret = c;
	return 0;
}

void crls_clear(struct crls *c)
{
	for (unsigned i = 0; i < c->n; i++)
		crl_clear(&c->v[i]);
	free(c->v);
	*c = (struct crls){ 0 };
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void crls_refresh(const char *path, struct crls *c)
{
	struct crls fresh = { 0 };
	char err[TRUST_WHY + 256];
	struct stat now = { 0 };

	if (stat(path, &now) == 0 && same_file(&now, &c->seen))
		return;
	if (!now.st_ino && !c->seen.st_ino)
		return; /* gone, and that was said */
	if (crls_read(path, &fresh, err, sizeof(err)) < 0) {
		log_warning("%s: the revocation lists that were read before stay", err);
		c->seen = now;
		return;
	}
	crls_clear(c);
	*c = fresh;
}

int64_t crls_left(const struct crls *c, int64_t now_s)
{
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < c->n; i++) {
		time_t next = gnutls_x509_crl_get_next_update(c->v[i].crl);

		if (next != (time_t)-1 && next - now_s < least)
			least = next - now_s;
	}
	return least;
}

static bool is_of(const struct crl *c, gnutls_x509_crt_t crt)
{
	gnutls_datum_t name;
	bool same;

	if (gnutls_x509_crt_get_raw_issuer_dn(crt, &name) < 0)
		return false;
	same = name.size == c->issuer.size && memcmp(name.data, c->issuer.data, name.size) == 0;
	gnutls_free(name.data);
	return same;
}

static bool holds(const struct crl *c, gnutls_x509_crt_t crt)
{
	uint8_t serial[SERIAL_MAX];
	size_t n = sizeof(serial);

	if (gnutls_x509_crt_get_serial(crt, serial, &n) < 0)
		return true; /* no CA gives such a number */
	const gnutls_datum_t key = { serial, (unsigned)n };

	return bsearch(&key, c->serial, c->n, sizeof(*c->serial), by_serial);
}

enum revocation crls_look(const struct crls *c, gnutls_x509_crt_t crt,
			  const gnutls_x509_crt_t *issuers, unsigned n, unsigned flags)
{
	enum revocation found = REVOCATION_UNKNOWN;

	for (unsigned i = 0; i < c->n; i++) {
		unsigned status = 0, dates = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
					     GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;

		if (!is_of(&c->v[i], crt) ||
		    gnutls_x509_crl_verify(c->v[i].crl, issuers, n, flags, &status) < 0 ||
		    status & ~(dates | GNUTLS_CERT_INVALID))
			continue;
		if (holds(&c->v[i], crt)) /* an old list is good for that */
			return REVOCATION_REVOKED;
		if (!(status & dates))
			found = REVOCATION_NONE;
		else if (found == REVOCATION_UNKNOWN)
			found = REVOCATION_OUTDATED;
	}
	return found;
}
