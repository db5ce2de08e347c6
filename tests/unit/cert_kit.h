/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cert_kit.h - certificates and revocation lists to a test's wishes, with GnuTLS. */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define DAY 86400

static char dir[] = "/tmp/vpngw-trust.XXXXXX";
static time_t now;

static const char *path(const char *name)
{
	static char buf[4][256];
	static unsigned turn;
	char *p = buf[turn++ % 4];

	snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
	return p;
}

__attribute__((unused)) static gnutls_x509_privkey_t ca_key, other_key, below_key, own_key,
	small_key;

struct wish {
	const char *cn;
	gnutls_x509_privkey_t key;    /* own_key unless given */
	gnutls_x509_crt_t by;         /* NULL: itself */
	gnutls_x509_privkey_t by_key; /* ca_key unless given */
	int from, to;                 /* days from now; both 0: a good while */
	bool ca;
	const char *purpose[3]; /* none: no such extension */
	unsigned usage;         /* 0: no such extension */
	gnutls_digest_algorithm_t digest;
	gnutls_pubkey_t public; /* instead of the key's */
};

static unsigned serial = 100;

static gnutls_x509_crt_t make(struct wish w)
{
	uint8_t id[20], number[2] = { (uint8_t)(serial >> 8), (uint8_t)serial };
	gnutls_x509_privkey_t key = w.key ? w.key : own_key;
	gnutls_x509_privkey_t by = w.by_key ? w.by_key : w.by ? ca_key : key;
	size_t n = sizeof(id);
	gnutls_x509_crt_t c;
	gnutls_privkey_t by_abstract;

	serial++;
	gnutls_x509_crt_init(&c);
	gnutls_x509_crt_set_version(c, 3);
	gnutls_x509_crt_set_serial(c, number, sizeof(number));
	if (w.public)
		gnutls_x509_crt_set_pubkey(c, w.public);
	else
		gnutls_x509_crt_set_key(c, key);
	gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, w.cn,
				      (unsigned)strlen(w.cn));
	gnutls_x509_crt_set_activation_time(c, now + (w.from || w.to ? w.from : -10) * DAY);
	gnutls_x509_crt_set_expiration_time(c, now + (w.from || w.to ? w.to : 100) * DAY);
	if (w.ca) {
		gnutls_x509_crt_set_basic_constraints(c, 1, -1);
		w.usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
		gnutls_x509_crt_get_key_id(c, 0, id, &n);
		gnutls_x509_crt_set_subject_key_id(c, id, n);
	} else {
		gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, "laptop.example.net",
						     18, GNUTLS_FSAN_APPEND);
		gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_RFC822NAME, "alice@example.net",
						     17, GNUTLS_FSAN_APPEND);
		gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, "\xc0\x00\x02\x09", 4,
						     GNUTLS_FSAN_APPEND);
	}
	if (w.usage)
		gnutls_x509_crt_set_key_usage(c, w.usage);
	for (unsigned i = 0; i < 3 && w.purpose[i]; i++)
		gnutls_x509_crt_set_key_purpose_oid(c, w.purpose[i], 0);
	gnutls_privkey_init(&by_abstract);
	gnutls_privkey_import_x509(by_abstract, by, 0);
	if (gnutls_x509_crt_privkey_sign(c, w.by ? w.by : c, by_abstract,
					 w.digest ? w.digest : GNUTLS_DIG_SHA256, 0) < 0)
		abort();
	gnutls_privkey_deinit(by_abstract);
	return c;
}

static void put_pem(const char *name, const gnutls_x509_crt_t *crt, unsigned n)
{
	FILE *f = fopen(path(name), "w");
	gnutls_datum_t pem;

	for (unsigned i = 0; f && i < n; i++) {
		gnutls_x509_crt_export2(crt[i], GNUTLS_X509_FMT_PEM, &pem);
		fwrite(pem.data, 1, pem.size, f);
		gnutls_free(pem.data);
	}
	if (!f || fclose(f) != 0)
		abort();
}

struct list {
	gnutls_x509_crt_t by, revoked; /* revoked: may be NULL */
	gnutls_x509_privkey_t key;
	int from, to; /* days from now */
};

/* The file is another one each time, as `install` makes it. */
__attribute__((unused)) static void put_lists(const char *name, const struct list *l, unsigned n)
{
	FILE *f;

	unlink(path(name));
	f = fopen(path(name), "w");
	for (unsigned i = 0; f && i < n; i++) {
		gnutls_x509_crl_t crl;
		gnutls_privkey_t key;
		gnutls_datum_t pem;

		gnutls_x509_crl_init(&crl);
		gnutls_x509_crl_set_version(crl, 2);
		gnutls_x509_crl_set_this_update(crl, now + l[i].from * DAY);
		gnutls_x509_crl_set_next_update(crl, now + l[i].to * DAY);
		if (l[i].revoked)
			gnutls_x509_crl_set_crt(crl, l[i].revoked, now - DAY);
		gnutls_privkey_init(&key);
		gnutls_privkey_import_x509(key, l[i].key, 0);
		if (gnutls_x509_crl_privkey_sign(crl, l[i].by, key, GNUTLS_DIG_SHA256, 0) < 0 ||
		    gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem) < 0)
			abort();
		fwrite(pem.data, 1, pem.size, f);
		gnutls_free(pem.data);
		gnutls_privkey_deinit(key);
		gnutls_x509_crl_deinit(crl);
	}
	if (!f || fclose(f) != 0)
		abort();
}

static void put_text(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}
