/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_trust.c - clients' certificates: which let in, which do not, and in which words. */
#include "trust.h"

#include <errno.h>
#include <gnutls/crypto.h>

#include "cert_kit.h"
#include "ike/names.h"
#include "tap.h"

/* ---- loading ---- */

static char err[TRUST_WHY + 512];

static struct trust *load(const char *ca, const char *crl, unsigned weak)
{
	struct config c = { .ca_file = strdup(path(ca)),
			    .crl_file = strdup(crl ? path(crl) : ""),
			    .ike = { .auth = { AUTH_XAUTH_RSA }, .n_auth = 1 } };
	struct trust *t = NULL;

	for (unsigned i = 0; i < 2; i++)
		if (weak & 1u << i)
			c.weak_certificates[c.n_weak_certificates++] = (uint16_t)i;
	*err = '\0';
	if (trust_load(&c, &t, err, sizeof(err)) < 0 && !*err)
		abort();
	free(c.ca_file);
	free(c.crl_file);
	return t;
}

static void refuses(const char *ca, const char *crl, const char *why)
{
	struct trust *t = load(ca, crl, 0);

	ok(!t && strstr(err, why), "%s, %s: %s", ca, crl ? crl : "no list", *err ? err : "loaded");
	trust_free(t);
}

static void warns(const char *ca, const char *crl, const char *why)
{
	struct trust *t = load(ca, crl, 0);
	const char *w = trust_warning(t, 0);

	ok(t && (why ? w && strstr(w, why) : !w), "%s, %s: %s", ca, crl ? crl : "no list",
	   w ? w : "no warning");
	trust_free(t);
}

/* ---- checking ---- */

static uint8_t hash[64], sig[512];
static size_t hash_len = 32;
static size_t sig_len;

static void sign(gnutls_x509_privkey_t key, bool digest_info)
{
	const gnutls_datum_t h = { hash, (unsigned)hash_len };
	gnutls_privkey_t k;
	gnutls_datum_t s;

	gnutls_privkey_init(&k);
	gnutls_privkey_import_x509(k, key, 0);
	if (gnutls_privkey_sign_hash(k, digest_info ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_UNKNOWN,
				     digest_info ? 0 : GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, &h,
				     &s) < 0)
		abort();
	memcpy(sig, s.data, s.size);
	sig_len = s.size;
	gnutls_free(s.data);
	gnutls_privkey_deinit(k);
}

static struct verifier *verifier;
static char why[TRUST_WHY];
static uint16_t method = AUTH_XAUTH_RSA;
static struct span identity; /* empty: the subject of the first certificate */

static enum ike_proof check(const gnutls_x509_crt_t *sent, unsigned n)
{
	struct fx_proof p = {
		.hash = { hash, hash_len }, .sig = { sig, sig_len }, .id = identity, .auth = method
	};
	static uint8_t id[512] = { ID_DER_ASN1_DN };
	gnutls_datum_t der[LIMIT_CLIENT_CERTS], dn;
	enum ike_proof v;

	if (!identity.n) {
		gnutls_x509_crt_get_raw_dn(sent[0], &dn);
		memcpy(id + 4, dn.data, dn.size);
		p.id = (struct span){ id, 4 + dn.size };
		gnutls_free(dn.data);
	}
	for (unsigned i = 0; i < n; i++) {
		gnutls_x509_crt_export2(sent[i], GNUTLS_X509_FMT_DER, &der[i]);
		p.cert[p.n_certs++] = (struct span){ der[i].data, der[i].size };
	}
	v = verifier_check(verifier, &p, why, sizeof(why));
	for (unsigned i = 0; i < n; i++)
		gnutls_free(der[i].data);
	return v;
}

/* One certificate that is made for this; text NULL: it lets in. */
static void judged(const char *name, struct wish w, const char *text)
{
	gnutls_x509_crt_t c = make(w);
	enum ike_proof v = check(&c, 1);

	ok(text ? v == IKE_PROOF_REFUSED && strstr(why, text) : v == IKE_PROOF_OK, "%s: %s", name,
	   *why ? why : "lets in");
	gnutls_x509_crt_deinit(c);
}

static void with_trust(const char *ca, const char *crl, unsigned weak, struct trust **ret)
{
	verifier_free(verifier);
	trust_free(*ret);
	*ret = load(ca, crl, weak);
	verifier = verifier_new(*ret);
	if (!verifier)
		abort();
}

static gnutls_x509_crt_t ca, other, below, own, expired_ca;

static void test_load(void)
{
	struct config c = { .ike = { .auth = { AUTH_HYBRID_INIT_RSA }, .n_auth = 1 } };
	const struct list good = { ca, NULL, ca_key, -1, 30 }, old = { ca, NULL, ca_key, -9, -1 },
			  ends = { ca, NULL, ca_key, -9, 1 };
	const gnutls_x509_crt_t both[] = { ca, own };
	struct trust *t = NULL;
	struct ike_conf conf = { 0 };

	ok(trust_load(&c, &t, err, sizeof(err)) == 0 && !t && !verifier_new(t) &&
		   !trust_warning(t, 0),
	   "without xauth_rsa no file is read");
	put_pem("ca.pem", &ca, 1);
	put_pem("both.pem", both, 2);
	put_pem("old.pem", &expired_ca, 1);
	put_text("text", "what is this?\n");
	put_lists("crl.pem", &good, 1);
	put_lists("old-crl.pem", &old, 1);
	put_lists("ends-crl.pem", &ends, 1);
	refuses("none.pem", NULL, "No such file or directory; xauth_rsa, rsasig and ecdsa need");
	refuses("text", NULL, "a PEM file with the certificates of CAs is expected");
	refuses("both.pem", NULL, "CN=alice is no CA");
	refuses("ca.pem", "none.pem", "No such file");
	refuses("ca.pem", "text", "a PEM file with 1 to 64 revocation lists is expected");
	refuses("ca.pem", "ca.pem", "a PEM file with 1 to 64 revocation lists is expected");
	/* W15: a list that is named and not there, or outdated, is no list that was never asked for. */
	warns("ca.pem", NULL, "crl_file is not set");
	warns("ca.pem", "crl.pem", NULL);
	warns("ca.pem", "old-crl.pem", "is outdated, and clients are refused");
	warns("ca.pem", "ends-crl.pem", "is outdated in 2");
	warns("old.pem", "crl.pem", "CN=Old CA has expired");
	c = (struct config){ .ca_file = strdup(path("ca.pem")),
			     .ike = { .auth = { AUTH_XAUTH_RSA }, .n_auth = 1 } };
	ok(trust_load(&c, &t, err, sizeof(err)) == 0, "crl_file may be unset");
	free(c.ca_file);
	trust_free(t);
	t = load("ca.pem", "crl.pem", 0);
	trust_to_conf(t, &conf);
	ok(conf.n_cas == 1 && conf.ca[0].n > 10 && conf.ca[0].p[0] == 0x30,
	   "clients are asked for a certificate of this CA");
	trust_free(t);
	trust_to_conf(NULL, &conf);
	is_int(conf.n_cas, 0, "or for none");
}

static void test_signature(void)
{
	gnutls_x509_crt_t ec, raw;
	gnutls_x509_privkey_t ec_key;
	gnutls_datum_t m, e, small = { (unsigned char[]){ 1 }, 1 },
			     large = { (unsigned char[]){ 1, 0, 0, 0, 1 }, 5 },
			     even = { (unsigned char[]){ 4 }, 1 };
	const gnutls_datum_t bad[] = { small, large, even };
	struct fx_proof p = { .hash = { hash, hash_len }, .n_certs = 1 };
	gnutls_pubkey_t pub;
	unsigned wrong = 0;

	ok(check(&own, 1) == IKE_PROOF_OK && strcmp(why, "alice") == 0,
	   "the right signature lets in, as whom the subject names");
	for (unsigned i = 0; i < sig_len; i += 5) {
		sig[i] ^= 0x10;
		wrong += check(&own, 1) != IKE_PROOF_FORGED;
		sig[i] ^= 0x10;
	}
	is_int(wrong, 0, "no other byte does");
	ok(strstr(why, "CN=alice: the signature is not by its key"), "%s", why);
	hash[3] ^= 1;
	is_int(check(&own, 1), IKE_PROOF_FORGED, "nor one of another message");
	hash[3] ^= 1;
	sig_len--;
	is_int(check(&own, 1), IKE_PROOF_FORGED, "nor a shorter one");
	sig_len = 0;
	is_int(check(&own, 1), IKE_PROOF_FORGED, "nor an empty one");
	sign(own_key, true);
	is_int(check(&own, 1), IKE_PROOF_FORGED, "nor one with DigestInfo");
	sign(other_key, false);
	is_int(check(&own, 1), IKE_PROOF_FORGED, "nor another key's");

	gnutls_x509_privkey_init(&ec_key);
	gnutls_x509_privkey_generate(ec_key, GNUTLS_PK_ECDSA, 256, 0);
	ec = make((struct wish){ .cn = "alice", .key = ec_key, .by = ca, .by_key = ca_key });
	is_int(check(&ec, 1), IKE_PROOF_FORGED, "nor one by a key that is not RSA");
	gnutls_x509_crt_deinit(ec);
	gnutls_x509_privkey_deinit(ec_key);

	sign(own_key, false);
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_x509(pub, own, 0);
	gnutls_pubkey_export_rsa_raw(pub, &m, &e);
	gnutls_pubkey_deinit(pub);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		gnutls_pubkey_init(&pub);
		if (gnutls_pubkey_import_rsa_raw(pub, &m, &bad[i]) < 0)
			abort();
		raw = make((struct wish){ .cn = "alice", .by = ca, .public = pub });
		ok(check(&raw, 1) == IKE_PROOF_FORGED && strstr(why, "a small exponent"),
		   "N097: an exponent that is none: %s", why);
		gnutls_x509_crt_deinit(raw);
		gnutls_pubkey_deinit(pub);
	}
	gnutls_free(m.data);
	gnutls_free(e.data);

	p.cert[0] = SPAN_OF(hash);
	ok(verifier_check(verifier, &p, why, sizeof(why)) == IKE_PROOF_FORGED &&
		   strcmp(why, "certificate 1 of 1 does not parse") == 0,
	   "N097: bytes that are no certificate: %s", why);
}

static void sign_ecdsa(gnutls_x509_privkey_t key, size_t bytes)
{
	const gnutls_datum_t h = { hash, (unsigned)hash_len };
	gnutls_datum_t der, v[2];
	gnutls_privkey_t k;

	gnutls_privkey_init(&k);
	gnutls_privkey_import_x509(k, key, 0);
	if (gnutls_privkey_sign_hash(k,
				     hash_len == 32   ? GNUTLS_DIG_SHA256
				     : hash_len == 48 ? GNUTLS_DIG_SHA384
						      : GNUTLS_DIG_SHA512,
				     0, &h, &der) < 0 ||
	    gnutls_decode_rs_value(&der, &v[0], &v[1]) < 0)
		abort();
	memset(sig, 0, sizeof(sig));
	for (unsigned i = 0; i < 2; i++) {
		size_t skip = v[i].size > bytes ? v[i].size - bytes : 0, n = v[i].size - skip;

		memcpy(sig + (i + 1) * bytes - n, v[i].data + skip, n);
		gnutls_free(v[i].data);
	}
	sig_len = 2 * bytes;
	gnutls_free(der.data);
	gnutls_privkey_deinit(k);
}

static void test_ecdsa(void)
{
	static const struct {
		gnutls_ecc_curve_t curve;
		size_t bytes, hash;
	} rows[] = { { GNUTLS_ECC_CURVE_SECP256R1, 32, 32 },
		     { GNUTLS_ECC_CURVE_SECP384R1, 48, 48 },
		     { GNUTLS_ECC_CURVE_SECP521R1, 66, 64 } };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		gnutls_x509_privkey_t key;
		gnutls_x509_crt_t c;

		method = (uint16_t)(AUTH_ECDSA_256 + i);
		hash_len = rows[i].hash;
		gnutls_x509_privkey_init(&key);
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     (unsigned)GNUTLS_CURVE_TO_BITS(rows[i].curve), 0);
		c = make((struct wish){ "dora", .key = key, .by = ca });
		sign_ecdsa(key, rows[i].bytes);
		ok(check(&c, 1) == IKE_PROOF_OK && strcmp(why, "dora") == 0,
		   "ECDSA with %zu bytes: lets in: %s", rows[i].bytes, why);
		sig[rows[i].bytes + 5] ^= 1;
		is_int(check(&c, 1), IKE_PROOF_FORGED, "  not with another signature");
		sig[rows[i].bytes + 5] ^= 1;
		hash[1] ^= 1;
		is_int(check(&c, 1), IKE_PROOF_FORGED, "  nor of another message");
		hash[1] ^= 1;
		sig_len--;
		is_int(check(&c, 1), IKE_PROOF_FORGED, "  nor cut");
		memset(sig, 0, sizeof(sig));
		sig_len = 2 * rows[i].bytes;
		is_int(check(&c, 1), IKE_PROOF_FORGED, "  nor of zeros");
		method = i ? AUTH_ECDSA_256 : AUTH_ECDSA_384;
		sign_ecdsa(key, rows[i].bytes);
		ok(check(&c, 1) == IKE_PROOF_FORGED && strstr(why, "its key is not on the curve"),
		   "  nor with a key on another curve: %s", why);
		gnutls_x509_crt_deinit(c);
		gnutls_x509_privkey_deinit(key);
	}
	ok(check(&own, 1) == IKE_PROOF_FORGED && strstr(why, "its key is not on the curve"),
	   "an RSA key is none: %s", why);
	method = AUTH_XAUTH_RSA;
	hash_len = 32;
	sign(own_key, false);
}

static void test_identity(void)
{
	static const struct {
		const char *id;
		size_t n;
		const char *why, *user; /* NULL: it is the client's, who is this */
	} rows[] = {
		{ "\x02\0\0\0laptop.example.net", 22, NULL, "laptop.example.net" },
		{ "\x02\x11\x01\xf4Laptop.Example.NET", 22, NULL, "laptop.example.net" },
		{ "\x02\0\0\0laptop.example.ne", 21, "says to be laptop.example.ne, which is no",
		  NULL },
		{ "\x02\0\0\0laptop.example.net\0", 23, "which is no DNS name in it", NULL },
		{ "\x02\0\0\0alice@example.net", 21, "which is no DNS name in it", NULL },
		{ "\x02\0\0\0", 4, "which is no DNS name in it", NULL },
		{ "\x03\0\0\0alice@example.net", 21, NULL, "alice@example.net" },
		{ "\x03\0\0\0bob@example.net", 19, "says to be bob@example.net, which is no mail",
		  NULL },
		{ "\x01\0\0\0\xc0\x00\x02\x09", 8, NULL, "192.0.2.9" },
		{ "\x01\0\0\0\xc0\x00\x02\x0a", 8, "says to be 192.0.2.10, which is no address",
		  NULL },
		{ "\x01\0\0\0\xc0\x00\x02", 7, "says to be nobody, which is no address", NULL },
		{ "\x09\0\0\0\x30\x00", 6, "says to be another subject", NULL },
		{ "\x09\0\0\0", 4, "says to be another subject", NULL },
		{ "\x0b\0\0\0staff", 9, "by an identity of type 11, expected the subject", NULL },
		{ "\x09", 1, "says to be another subject", NULL },
		{ "", 0, NULL, "alice" }, /* the subject */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		enum ike_proof v;

		identity = (struct span){ (const uint8_t *)rows[i].id, rows[i].n };
		v = check(&own, 1);
		ok(rows[i].why ? v == IKE_PROOF_REFUSED && strstr(why, rows[i].why)
			       : v == IKE_PROOF_OK && strcmp(why, rows[i].user) == 0,
		   "identity %u: %s", i, *why ? why : "lets in");
	}
	identity = (struct span){ 0 };
}

static void test_purpose(void)
{
	judged("no purpose", (struct wish){ .cn = "a", .by = ca }, NULL);
	judged("TLS client",
	       (struct wish){ "a", .by = ca, .purpose = { GNUTLS_KP_TLS_WWW_CLIENT } }, NULL);
	judged("IKE", (struct wish){ "a", .by = ca, .purpose = { GNUTLS_KP_IPSEC_IKE } }, NULL);
	judged("any", (struct wish){ "a", .by = ca, .purpose = { GNUTLS_KP_ANY } }, NULL);
	judged("both",
	       (struct wish){ "a", .by = ca,
			      .purpose = { GNUTLS_KP_TLS_WWW_SERVER, GNUTLS_KP_TLS_WWW_CLIENT } },
	       NULL);
	judged("a gateway's",
	       (struct wish){ "a", .by = ca,
			      .purpose = { GNUTLS_KP_TLS_WWW_SERVER, GNUTLS_KP_IPSEC_IKE } },
	       "it is a server's, by its extended key usage");
	judged("TLS server",
	       (struct wish){ "a", .by = ca, .purpose = { GNUTLS_KP_TLS_WWW_SERVER } },
	       "its extended key usage is not for clients");
	judged("code", (struct wish){ "a", .by = ca, .purpose = { GNUTLS_KP_CODE_SIGNING } },
	       "its extended key usage is not for clients");
	judged("signatures", (struct wish){ "a", .by = ca, .usage = GNUTLS_KEY_DIGITAL_SIGNATURE },
	       NULL);
	judged("encipherment", (struct wish){ "a", .by = ca, .usage = GNUTLS_KEY_KEY_ENCIPHERMENT },
	       "its key usage is not for signatures");
	judged("a CA", (struct wish){ "a", .by = ca, .ca = true }, "it is a CA's");
}

static void test_dates(void)
{
	judged("expired", (struct wish){ "a", .by = ca, .from = -9, .to = -1 }, "has expired");
	judged("not yet", (struct wish){ "a", .by = ca, .from = 1, .to = 9 }, "is not valid yet");
}

static void test_chain(void)
{
	const struct wish by_below = { "carol", .by = below, .by_key = below_key };
	gnutls_x509_crt_t c[3] = { make(by_below), below, ca }, mixed[3] = { c[0], ca, below },
			  fake, foreign;

	ok(check(c, 1) == IKE_PROOF_REFUSED &&
		   strstr(why, "its issuer CN=Branch is not in [phase1] ca_file, and was not sent"),
	   "without its intermediate: %s", why);
	is_int(check(c, 2), IKE_PROOF_OK, "with it: lets in");
	is_int(check(c, 3), IKE_PROOF_OK, "the CA sent along does no harm");
	is_int(check(mixed, 3), IKE_PROOF_OK, "nor does another order");
	judged("another CA's", (struct wish){ "a", .by = other, .by_key = other_key },
	       "its issuer CN=Other CA is not in [phase1] ca_file");
	/* The same name, another key. */
	fake = make((struct wish){ "Test CA", .key = other_key, .ca = true });
	foreign = make((struct wish){ "a", .by = fake, .by_key = other_key });
	mixed[0] = foreign, mixed[1] = fake;
	is_int(check(mixed, 1), IKE_PROOF_REFUSED, "of a CA that only has the right name");
	is_int(check(mixed, 2), IKE_PROOF_REFUSED, "also with that CA sent along");
	gnutls_x509_crt_deinit(foreign);
	/* A client poses as a CA. */
	foreign = make((struct wish){ "admin", .by = own, .by_key = own_key });
	mixed[0] = foreign, mixed[1] = own;
	ok(check(mixed, 2) == IKE_PROOF_REFUSED && strstr(why, "no CA"), "of a client: %s", why);
	gnutls_x509_crt_deinit(foreign);
	gnutls_x509_crt_deinit(fake);
	gnutls_x509_crt_deinit(c[0]);
	judged("its own", (struct wish){ .cn = "a" }, "is not in [phase1] ca_file");
}

static void test_weak(struct trust **t)
{
	const struct wish sha1 = { "a", .by = ca, .digest = GNUTLS_DIG_SHA1 },
			  small = { "a", .by = ca, .key = small_key };
	static const char sha1_why[] = "signed with a weak algorithm",
			  small_why[] = "1024 bits, which is weak ([phase1] weak_certificates)";

	for (unsigned weak = 0; weak < 4; weak++) {
		with_trust("ca.pem", NULL, weak, t);
		sign(own_key, false);
		judged("SHA-1", sha1, weak & 1 ? NULL : sha1_why);
		sign(small_key, false);
		judged("a small key", small, weak & 2 ? NULL : weak & 1 ? small_why : "weak");
	}
	sign(own_key, false);
}

static void test_revocation(struct trust **t)
{
	gnutls_x509_crt_t c[2] = { make((struct wish){ "carol", .by = below, .by_key = below_key }),
				   below },
			  fake = make((struct wish){ "Test CA", .key = other_key, .ca = true });
	const struct list none = { ca, NULL, ca_key, -1, 30 }, mine = { ca, own, ca_key, -1, 30 },
			  old = { ca, NULL, ca_key, -9, -1 },
			  old_mine = { ca, own, ca_key, -9, -1 },
			  theirs = { below, NULL, below_key, -1, 30 },
			  carol = { below, c[0], below_key, -1, 30 },
			  branch = { ca, below, ca_key, -1, 30 },
			  forged = { fake, NULL, other_key, -1, 30 };

	put_lists("now.pem", &none, 1);
	with_trust("ca.pem", "now.pem", 0, t);
	is_int(check(&own, 1), IKE_PROOF_OK, "a list without it lets in");
	put_lists("now.pem", &mine, 1);
	ok(check(&own, 1) == IKE_PROOF_REFUSED &&
		   strcmp(why, "CN=alice: it was revoked ([phase1] crl_file)") == 0,
	   "a new file is read at once: %s", why);
	put_text("now.pem", "half a file");
	is_int(check(&own, 1), IKE_PROOF_REFUSED, "a broken one leaves things as they are");
	unlink(path("now.pem"));
	is_int(check(&own, 1), IKE_PROOF_REFUSED, "and so does none");
	put_lists("now.pem", &old, 1);
	ok(check(&own, 1) == IKE_PROOF_REFUSED &&
		   strstr(why, "the list of CN=Test CA in [phase1] crl_file is outdated"),
	   "an outdated one lets nobody in: %s", why);
	put_lists("now.pem", &old_mine, 1);
	ok(check(&own, 1) == IKE_PROOF_REFUSED && strstr(why, "it was revoked"),
	   "but is right about whom it names: %s", why);
	put_lists("now.pem", (const struct list[]){ old, none }, 2);
	is_int(check(&own, 1), IKE_PROOF_OK, "an old and a new one");
	put_lists("now.pem", &forged, 1);
	ok(check(&own, 1) == IKE_PROOF_REFUSED && strstr(why, "there is no list of CN=Test CA"),
	   "one that the CA has not signed: %s", why);
	put_lists("now.pem", &none, 1);
	ok(check(c, 2) == IKE_PROOF_REFUSED && strstr(why, "there is no list of CN=Branch"),
	   "none of the intermediate CA: %s", why);
	put_lists("now.pem", (const struct list[]){ none, theirs }, 2);
	is_int(check(c, 2), IKE_PROOF_OK, "with one of each");
	put_lists("now.pem", (const struct list[]){ carol, none }, 2);
	ok(check(c, 2) == IKE_PROOF_REFUSED && strstr(why, "CN=carol: it was revoked"),
	   "revoked by the intermediate CA: %s", why);
	put_lists("now.pem", (const struct list[]){ branch, theirs }, 2);
	ok(check(c, 2) == IKE_PROOF_REFUSED && strstr(why, "its CA CN=Branch was revoked"),
	   "the intermediate CA revoked: %s", why);
	gnutls_x509_crt_deinit(c[0]);
	gnutls_x509_crt_deinit(fake);
}

/* N097: no certificate with a changed bit or a missing end lets in, and none does harm. */
static void test_broken(void)
{
	gnutls_x509_crt_t leaf = make((struct wish){ "carol", .by = below, .by_key = below_key });
	static uint8_t id[512] = { ID_DER_ASN1_DN };
	struct fx_proof p = { .hash = { hash, hash_len }, .sig = { sig, sig_len }, .n_certs = 2 };
	gnutls_datum_t der[2], dn;
	unsigned let_in = 0;

	gnutls_x509_crt_get_raw_dn(leaf, &dn);
	memcpy(id + 4, dn.data, dn.size);
	p.id = (struct span){ id, 4 + dn.size };
	gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &der[0]);
	gnutls_x509_crt_export2(below, GNUTLS_X509_FMT_DER, &der[1]);
	for (unsigned c = 0; c < 2; c++)
		p.cert[c] = (struct span){ der[c].data, der[c].size };
	is_int(verifier_check(verifier, &p, why, sizeof(why)), IKE_PROOF_OK, "two certificates");
	for (unsigned c = 0; c < 2; c++)
		for (unsigned i = 0; i < der[c].size; i++) {
			der[c].data[i] ^= (uint8_t)(1u << i % 8);
			let_in += verifier_check(verifier, &p, why, sizeof(why)) == IKE_PROOF_OK;
			der[c].data[i] ^= (uint8_t)(1u << i % 8);
			p.cert[c].n = i;
			let_in += verifier_check(verifier, &p, why, sizeof(why)) == IKE_PROOF_OK;
			p.cert[c].n = der[c].size;
		}
	is_int(let_in, 0, "N097: no changed bit, no missing end lets in");
	is_int(verifier_check(verifier, &p, why, sizeof(why)), IKE_PROOF_OK,
	       "but they as they are");
	for (unsigned c = 0; c < 2; c++)
		gnutls_free(der[c].data);
	gnutls_free(dn.data);
	gnutls_x509_crt_deinit(leaf);
}

static void test_text(void)
{
	gnutls_datum_t dn;
	char text[64];

	gnutls_x509_crt_get_raw_dn(own, &dn);
	trust_name_text((struct span){ dn.data, dn.size }, text, sizeof(text));
	is_str(text, "CN=alice", "a name as text");
	for (size_t n = 0; n < dn.size; n++)
		trust_name_text((struct span){ dn.data, n }, text, sizeof(text));
	is_str(text, "", "and what is none");
	gnutls_free(dn.data);
}

static gnutls_x509_privkey_t new_key(unsigned bits)
{
	gnutls_x509_privkey_t key;

	if (gnutls_x509_privkey_init(&key) < 0 ||
	    gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, bits, 0) < 0)
		abort();
	return key;
}

int main(void)
{
	struct trust *t = NULL;
	gnutls_x509_privkey_t *key[] = { &ca_key, &other_key, &below_key, &own_key, &small_key };
	gnutls_x509_crt_t *crt[] = { &ca, &other, &below, &own, &expired_ca };
	static const char *const files[] = { "ca.pem",  "both.pem",    "old.pem",      "text",
					     "crl.pem", "old-crl.pem", "ends-crl.pem", "now.pem" };

	now = time(NULL);
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < ARRAY_SIZE(key); i++)
		*key[i] = new_key(i == 4 ? 1024 : 2048);
	ca = make((struct wish){ "Test CA", .key = ca_key, .ca = true });
	other = make((struct wish){ "Other CA", .key = other_key, .ca = true });
	below = make((struct wish){ "Branch", .key = below_key, .by = ca, .ca = true });
	own = make((struct wish){ "alice", .by = ca });
	expired_ca =
		make((struct wish){ "Old CA", .key = ca_key, .ca = true, .from = -9, .to = -1 });
	gnutls_rnd(GNUTLS_RND_NONCE, hash, sizeof(hash));
	sign(own_key, false);

	test_load();
	with_trust("ca.pem", NULL, 0, &t);
	test_signature();
	test_ecdsa();
	test_identity();
	test_purpose();
	test_dates();
	test_chain();
	test_weak(&t);
	test_revocation(&t);
	with_trust("ca.pem", NULL, 0, &t);
	test_broken();
	test_text();

	verifier_free(verifier);
	trust_free(t);
	for (unsigned i = 0; i < ARRAY_SIZE(crt); i++)
		gnutls_x509_crt_deinit(*crt[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(key); i++)
		gnutls_x509_privkey_deinit(*key[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path(files[i]));
	rmdir(dir);
	return done();
}
