/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trust_check.c - one client's certificate: is the message signed by its key, and does it let in?
 *
 * The signature comes first. With a key of the sender's own making it proves nothing but that the
 * message is the sender's, and so does any refusal that follows: somebody else cannot end a client's
 * login by a certificate of his own. The key's size and exponent are bounded before it is used.
 */
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "addr.h"
#include "cleanup.h"
#include "ike/names.h"
#include "trust_own.h"

#define RSA_LEAST      1024 /* bits of any key that is looked at */
#define RSA_STRONG     2048
#define EXPONENT_BYTES 4
#define NAMES_MAX      64 /* subjectAltNames and purposes that are looked at */

/* Where to say what is wrong, or in the end whose certificate it is. */
struct why {
	char *text;
	size_t cap;
	gnutls_x509_crt_t leaf;
};

/* "CN=alice: what is wrong" */
__attribute__((format(printf, 2, 3))) static bool refuse(const struct why *w, const char *fmt, ...)
{
	char name[TRUST_NAME];
	int n = snprintf(w->text, w->cap, "%s: ", trust_subject(w->leaf, name));
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text + n, w->cap - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- the signature ---- */

/* Without leading zeros. */
static unsigned significant(const gnutls_datum_t *d)
{
	unsigned zeros = 0;

	while (zeros < d->size && d->data[zeros] == 0)
		zeros++;
	return d->size - zeros;
}

/* A key that costs no more than it should, and could not be anybody's: an exponent of 1 (N097). */
static bool is_bounded(gnutls_pubkey_t key)
{
	gnutls_datum_t m, e;
	unsigned bits = 0, n;
	bool good;

	if (gnutls_pubkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA || bits < RSA_LEAST ||
	    bits > LIMIT_CLIENT_RSA || gnutls_pubkey_export_rsa_raw(key, &m, &e) < 0)
		return false;
	n = significant(&e);
	good = n >= 1 && n <= EXPONENT_BYTES && e.data[e.size - 1] & 1 &&
	       (n > 1 || e.data[e.size - 1] > 1);
	gnutls_free(m.data);
	gnutls_free(e.data);
	return good;
}

/* The numbers follow one another, each as long as the curve's (RFC 4754 3); GnuTLS wants DER. */
static bool rs_value(struct span sig, size_t bytes, gnutls_datum_t *ret)
{
	const gnutls_datum_t r = { (unsigned char *)(uintptr_t)sig.p, (unsigned)bytes },
			     s = { r.data + bytes, (unsigned)bytes };

	return sig.n == 2 * bytes && gnutls_encode_rs_value(ret, &r, &s) >= 0;
}

static bool is_signed_ecdsa(gnutls_pubkey_t key, const struct fx_proof *p, const struct why *w)
{
	static const struct {
		uint16_t auth;
		gnutls_ecc_curve_t curve;
		gnutls_sign_algorithm_t alg;
		uint8_t bytes, hash;
	} rows[] = {
		{ AUTH_ECDSA_256, GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_SIGN_ECDSA_SHA256, 32, 32 },
		{ AUTH_ECDSA_384, GNUTLS_ECC_CURVE_SECP384R1, GNUTLS_SIGN_ECDSA_SHA384, 48, 48 },
		{ AUTH_ECDSA_521, GNUTLS_ECC_CURVE_SECP521R1, GNUTLS_SIGN_ECDSA_SHA512, 66, 64 },
	};
	const gnutls_datum_t hash = { (unsigned char *)(uintptr_t)p->hash.p, (unsigned)p->hash.n };
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_datum_t sig;
	size_t i = 0;
	bool good;

	while (rows[i].auth != p->auth)
		i++;
	if (gnutls_pubkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_ECDSA ||
	    gnutls_pubkey_export_ecc_raw(key, &curve, NULL, NULL) < 0 || curve != rows[i].curve)
		return refuse(w, "its key is not on the curve %s, as the gateway's is",
			      gnutls_ecc_curve_get_name(rows[i].curve));
	if (p->hash.n != rows[i].hash || !rs_value(p->sig, rows[i].bytes, &sig))
		return refuse(w, "the signature is not by its key");
	good = gnutls_pubkey_verify_hash2(key, rows[i].alg, 0, &hash, &sig) >= 0;
	gnutls_free(sig.data);
	return good || refuse(w, "the signature is not by its key");
}

static bool is_signed_rsa(gnutls_pubkey_t key, const struct fx_proof *p, const struct why *w)
{
	const gnutls_datum_t hash = { (unsigned char *)(uintptr_t)p->hash.p, (unsigned)p->hash.n };
	const gnutls_datum_t sig = { (unsigned char *)(uintptr_t)p->sig.p, (unsigned)p->sig.n };

	if (!is_bounded(key))
		return refuse(w, "its key is not RSA with %d to %d bits and a small exponent",
			      RSA_LEAST, LIMIT_CLIENT_RSA);
	/* The padding is made and compared, not parsed: nothing can hide in it. */
	return gnutls_pubkey_verify_hash2(key, GNUTLS_SIGN_UNKNOWN, GNUTLS_VERIFY_USE_TLS1_RSA,
					  &hash, &sig) >= 0 ||
	       refuse(w, "the signature is not by its key");
}

static bool is_signed(gnutls_x509_crt_t leaf, const struct fx_proof *p, const struct why *w)
{
	gnutls_pubkey_t key;
	bool good;

	if (gnutls_pubkey_init(&key) < 0)
		return refuse(w, "out of memory");
	good = gnutls_pubkey_import_x509(key, leaf, 0) < 0
		       ? refuse(w, "its key does not parse")
		       : (auth_is_ecdsa(p->auth) ? is_signed_ecdsa : is_signed_rsa)(key, p, w);
	gnutls_pubkey_deinit(key);
	return good;
}

/* ---- what it is for ---- */

static bool purpose_is_good(gnutls_x509_crt_t leaf, const struct why *w)
{
	/* RFC 5280 4.2.1.12, RFC 4945 5.1.3.12: any, IKE; and what CAs write for clients. */
	static const char *const good[] = { GNUTLS_KP_ANY, GNUTLS_KP_IPSEC_IKE, "1.3.6.1.5.5.8.2.2",
					    GNUTLS_KP_TLS_WWW_CLIENT };
	bool any = false, fits = false, client = false, server = false;

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char oid[64];
		size_t n = sizeof(oid);

		if (gnutls_x509_crt_get_key_purpose_oid(leaf, i, oid, &n, NULL) < 0)
			break;
		any = true;
		server |= strcmp(oid, GNUTLS_KP_TLS_WWW_SERVER) == 0;
		client |= strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT) == 0;
		for (size_t j = 0; j < ARRAY_SIZE(good); j++)
			fits |= strcmp(oid, good[j]) == 0;
	}
	if (any && !fits)
		return refuse(w,
			      "its extended key usage is not for clients (TLS client, IKE or any)");
	if (server && !client)
		return refuse(w, "it is a server's, by its extended key usage");
	return true;
}

static bool use_is_good(const struct trust *t, gnutls_x509_crt_t leaf, const struct why *w)
{
	unsigned usage, bits = 0;

	if (gnutls_x509_crt_get_ca_status(leaf, NULL) == 1)
		return refuse(w, "it is a CA's");
	if (gnutls_x509_crt_get_key_usage(leaf, &usage, NULL) >= 0 &&
	    !(usage & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION)))
		return refuse(w, "its key usage is not for signatures");
	if (gnutls_x509_crt_get_pk_algorithm(leaf, &bits) == GNUTLS_PK_RSA && bits < RSA_STRONG &&
	    !t->rsa1024)
		return refuse(w,
			      "its RSA key has %u bits, which is weak ([phase1] weak_certificates)",
			      bits);
	return purpose_is_good(leaf, w);
}

/* ---- whose it is ---- */

static bool is_name(struct span id, const char *san, size_t n)
{
	return id.n == n && n && strncasecmp((const char *)id.p, san, n) == 0 &&
	       !memchr(san, '\0', n);
}

/* In the certificate's own spelling, so that one identity is one user. */
static bool has_name(gnutls_x509_subject_alt_name_t type, struct span id, const struct why *w)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char san[LIMIT_ID + 1];
		size_t n = sizeof(san);
		int rc = gnutls_x509_crt_get_subject_alt_name(w->leaf, i, san, &n, NULL);
		struct ipaddr a;

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (rc != (int)type) /* another kind, or too long to be the one */
			continue;
		if (type != GNUTLS_SAN_IPADDRESS && is_name(id, san, n)) {
			snprintf(w->text, w->cap, "%.*s", (int)n, san);
			return true;
		}
		if (type == GNUTLS_SAN_IPADDRESS &&
		    span_eq(id, (struct span){ (uint8_t *)san, n }) &&
		    ipaddr_from_bytes(id, &a) == 0) {
			char text[ENDPOINT_STRLEN];

			snprintf(w->text, w->cap, "%s", ipaddr_str(&a, text));
			return true;
		}
	}
	return false;
}

static bool has_subject(struct span id, const struct why *w)
{
	char cn[LIMIT_USER + 1];
	size_t n = sizeof(cn);
	gnutls_datum_t dn;
	bool same;

	if (gnutls_x509_crt_get_raw_dn(w->leaf, &dn) < 0)
		return false;
	same = id.n && span_eq(id, (struct span){ dn.data, dn.size });
	gnutls_free(dn.data);
	if (same &&
	    gnutls_x509_crt_get_dn_by_oid(w->leaf, GNUTLS_OID_X520_COMMON_NAME, 0, 0, cn, &n) >=
		    0 &&
	    !memchr(cn, '\0', n))
		snprintf(w->text, w->cap, "%.*s", (int)n, cn);
	return same;
}

/* RFC 4945 3.1: the identity stands in the certificate, as it is. */
static bool identity_is_good(struct span body, const struct why *w)
{
	struct rd r = rd_from(body);
	uint8_t type = rd_u8(&r);
	char text[ENDPOINT_STRLEN];
	struct ipaddr a;
	struct span id;

	(void)rd_take(&r, 3);
	id = rd_rest(&r);
	switch (type) {
	case ID_DER_ASN1_DN:
		return has_subject(id, w) || refuse(w, "the client says to be another subject");
	case ID_FQDN:
		return has_name(GNUTLS_SAN_DNSNAME, id, w) ||
		       refuse(w, "the client says to be %.*s, which is no DNS name in it",
			      id.n > 64 ? 64 : (int)id.n, (const char *)id.p);
	case ID_USER_FQDN:
		return has_name(GNUTLS_SAN_RFC822NAME, id, w) ||
		       refuse(w, "the client says to be %.*s, which is no mail address in it",
			      id.n > 64 ? 64 : (int)id.n, (const char *)id.p);
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		return has_name(GNUTLS_SAN_IPADDRESS, id, w) ||
		       refuse(w, "the client says to be %s, which is no address in it",
			      ipaddr_from_bytes(id, &a) == 0 ? ipaddr_str(&a, text) : "nobody");
	default:
		return refuse(w,
			      "the client says who it is by an identity of type %u, expected the "
			      "subject or a subjectAltName",
			      type);
	}
}

/* ---- the chain ---- */

struct chain {
	gnutls_x509_crt_t v[LIMIT_CLIENT_CERTS];
	unsigned n;
	bool ends; /* the last one's issuer is in ca_file */
};

static bool is_anchored(const struct verifier *v, gnutls_x509_crt_t crt)
{
	for (unsigned i = 0; i < v->n_cas; i++)
		if (gnutls_x509_crt_check_issuer(crt, v->ca[i]))
			return true;
	return false;
}

/* Each one's issuer behind it, by name: whether they signed one another is not asked here. */
static struct chain order(const struct verifier *v, const gnutls_x509_crt_t *sent, unsigned n)
{
	struct chain c = { .v = { sent[0] }, .n = 1 };
	bool used[LIMIT_CLIENT_CERTS] = { true };

	while (!(c.ends = is_anchored(v, c.v[c.n - 1])) && c.n < n) {
		unsigned i = 1;

		while (i < n && (used[i] || !gnutls_x509_crt_check_issuer(c.v[c.n - 1], sent[i])))
			i++;
		if (i == n)
			break;
		used[i] = true;
		c.v[c.n++] = sent[i];
	}
	return c;
}

static const char *status_text(unsigned status)
{
	static const struct {
		unsigned bit;
		const char *text;
	} rows[] = {
		{ GNUTLS_CERT_EXPIRED, "it or its CA has expired" },
		{ GNUTLS_CERT_NOT_ACTIVATED, "it is not valid yet: check the clock" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "it or its CA is signed with a weak algorithm or "
						  "has a weak key ([phase1] weak_certificates)" },
		{ GNUTLS_CERT_SIGNER_NOT_CA, "what it was signed by is no CA" },
		{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "its CA may not issue it" },
		{ GNUTLS_CERT_SIGNER_NOT_FOUND, "no CA of [phase1] ca_file has issued it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (status & rows[i].bit)
			return rows[i].text;
	return "its chain does not verify";
}

/* Of every certificate between the client's own and the CA. */
static bool sizes_are_good(const struct trust *t, const struct chain *c, const struct why *w)
{
	for (unsigned i = 1; i < c->n; i++) {
		char name[TRUST_NAME];
		unsigned bits = 0;
		int alg = gnutls_x509_crt_get_pk_algorithm(c->v[i], &bits);

		if (alg == GNUTLS_PK_RSA && bits < RSA_STRONG && !t->rsa1024)
			return refuse(w,
				      "its CA %s has a weak key of %u bits ([phase1] "
				      "weak_certificates)",
				      trust_subject(c->v[i], name), bits);
	}
	return true;
}

static bool chain_is_good(const struct verifier *v, const struct chain *c, const struct why *w)
{
	char name[TRUST_NAME];
	unsigned status = 0;

	if (!c->ends)
		return refuse(w, "its issuer %s is not in [phase1] ca_file, and was not sent along",
			      trust_issuer(c->v[c->n - 1], name));
	if (!sizes_are_good(v->trust, c, w))
		return false;
	if (gnutls_x509_crt_list_verify(c->v, (int)c->n, v->ca, (int)v->n_cas, NULL, 0,
					trust_flags(v->trust), &status) < 0 ||
	    status)
		return refuse(w, "%s", status_text(status));
	return true;
}

static bool is_unrevoked(const struct verifier *v, const struct chain *c, const struct why *w)
{
	char name[TRUST_NAME], issuer[TRUST_NAME];

	for (unsigned i = 0; i < c->n && *v->trust->crl_path; i++) {
		const gnutls_x509_crt_t *by = i + 1 < c->n ? &c->v[i + 1] : v->ca;
		unsigned n = i + 1 < c->n ? 1 : v->n_cas;

		trust_issuer(c->v[i], issuer);
		switch (crls_look(&v->crls, c->v[i], by, n, trust_flags(v->trust))) {
		case REVOCATION_NONE:
			break;
		case REVOCATION_REVOKED:
			return i ? refuse(w, "its CA %s was revoked ([phase1] crl_file)",
					  trust_subject(c->v[i], name))
				 : refuse(w, "it was revoked ([phase1] crl_file)");
		case REVOCATION_OUTDATED:
			return refuse(w, "the list of %s in [phase1] crl_file is outdated", issuer);
		case REVOCATION_UNKNOWN:
			return refuse(w, "there is no list of %s in [phase1] crl_file", issuer);
		}
	}
	return true;
}

/* ---- all of it ---- */

static enum ike_proof judge(struct verifier *v, const struct fx_proof *p,
			    const gnutls_x509_crt_t *sent, const struct why *w)
{
	struct chain c;

	if (!is_signed(sent[0], p, w))
		return IKE_PROOF_FORGED;
	c = order(v, sent, p->n_certs);
	/* What the operator is most likely to have forgotten comes first. */
	return chain_is_good(v, &c, w) && is_unrevoked(v, &c, w) &&
			       use_is_good(v->trust, sent[0], w) && identity_is_good(p->id, w)
		       ? IKE_PROOF_OK
		       : IKE_PROOF_REFUSED;
}

enum ike_proof verifier_check(struct verifier *v, const struct fx_proof *p, char *text, size_t cap)
{
	gnutls_x509_crt_t sent[LIMIT_CLIENT_CERTS] = { NULL };
	enum ike_proof result = IKE_PROOF_OK;
	unsigned n = 0;

	*text = '\0';
	if (p->n_certs == 0 || p->n_certs > LIMIT_CLIENT_CERTS)
		return IKE_PROOF_FAILED;
	if (*v->trust->crl_path)
		crls_refresh(v->trust->crl_path, &v->crls);
	while (n < p->n_certs && result == IKE_PROOF_OK) {
		const gnutls_datum_t der = { (unsigned char *)(uintptr_t)p->cert[n].p,
					     (unsigned)p->cert[n].n };

		if (gnutls_x509_crt_init(&sent[n]) < 0) {
			sent[n] = NULL;
			result = IKE_PROOF_FAILED;
		} else if (gnutls_x509_crt_import(sent[n++], &der, GNUTLS_X509_FMT_DER) < 0) {
			snprintf(text, cap, "certificate %u of %u does not parse", n, p->n_certs);
			result = IKE_PROOF_FORGED;
		}
	}
	if (result == IKE_PROOF_OK)
		result = judge(v, p, sent, &(struct why){ text, cap, sent[0] });
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(sent[i]);
	return result;
}
