/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_creds.c - certificate and key: what is accepted, what is refused and in which words. */
#include "creds.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "ike/names.h"
#include "tap.h"

static char dir[] = "/tmp/vpngw-creds.XXXXXX";

struct wish {
	const char *cn, *dns, *ip;
	int days; /* negative: expired so long ago */
	gnutls_digest_algorithm_t digest;
	unsigned padding; /* bytes of an extension that makes it large */
};

static const char *path(const char *name)
{
	static char buf[4][256];
	static unsigned turn;
	char *p = buf[turn++ % 4];

	snprintf(p, sizeof(buf[0]), "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const void *data, size_t n)
{
	FILE *f = fopen(path(name), "w");

	if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static gnutls_x509_privkey_t new_key(const char *file, gnutls_pk_algorithm_t alg, unsigned bits)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;

	gnutls_x509_privkey_init(&key);
	if (gnutls_x509_privkey_generate(key, alg, bits, 0) < 0)
		abort();
	gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	put(file, pem.data, pem.size);
	gnutls_free(pem.data);
	return key;
}

static void new_cert(const char *file, gnutls_x509_privkey_t key, const struct wish *w)
{
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	time_t now = time(NULL);
	uint8_t pad[2048] = { 0 };

	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\x01\x02", 2);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, w->cn,
				      (unsigned)strlen(w->cn));
	gnutls_x509_crt_set_activation_time(crt, now - 864000);
	gnutls_x509_crt_set_expiration_time(crt, now + w->days * 86400);
	if (w->dns)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, w->dns,
						     (unsigned)strlen(w->dns), GNUTLS_FSAN_APPEND);
	if (w->ip)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, w->ip, 4,
						     GNUTLS_FSAN_APPEND);
	if (w->padding)
		gnutls_x509_crt_set_extension_by_oid(crt, "1.2.3.4.5", pad, w->padding, 0);
	if (gnutls_x509_crt_sign2(crt, crt, key, w->digest ? w->digest : GNUTLS_DIG_SHA256, 0) < 0)
		abort();
	gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	put(file, pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
}

static uint16_t method = AUTH_HYBRID_INIT_RSA; /* that the configuration names */

static struct config conf(const char *cert, const char *key, const char *id)
{
	static char at[3][16] = { "t.conf:2:15", "t.conf:3:15", "t.conf:4:17" };
	struct config c = { .gateway = { .certificate = strdup(path(cert)),
					 .private_key = strdup(strchr(key, ':') ? key : path(key)),
					 .my_identifier = strdup(id),
					 .certificate_at = at[0],
					 .private_key_at = at[1],
					 .my_identifier_at = at[2] },
			    .ike = { .auth = { method }, .n_auth = 1 } };

	return c;
}

/* Loads and gives the error's text, or "" when it was accepted. */
static const char *attempt(const char *cert, const char *key, const char *id, bool check_only,
			   struct creds **ret)
{
	static char err[600];
	struct config c = conf(cert, key, id);
	struct creds *creds = NULL;

	*err = '\0';
	if (creds_load(&c, check_only ? dir : NULL, &creds, err, sizeof(err)) < 0 && !*err)
		abort();
	free(c.gateway.certificate);
	free(c.gateway.private_key);
	free(c.gateway.my_identifier);
	if (ret)
		*ret = creds;
	else
		creds_free(creds);
	return err;
}

static bool warns(const struct creds *c, const char *text)
{
	const char *w;

	for (unsigned i = 0; (w = creds_warning(c, i)); i++)
		if (strstr(w, text))
			return true;
	return false;
}

/* r and s, each as long as the curve's numbers; what the core is told is the method of the curve. */
static void ecdsa(const char *file, const char *cert, gnutls_x509_privkey_t key, size_t bytes,
		  uint16_t want)
{
	struct ike_conf core = { .auth = { AUTH_ECDSA_256, AUTH_XAUTH_PSK }, .n_auth = 2 };
	size_t hash_n = bytes == 66 ? 64 : bytes, n, zeros = 0;
	uint8_t hash[64], sig[256];
	gnutls_datum_t hd = { hash, (unsigned)hash_n }, der;
	gnutls_sign_algorithm_t alg = bytes == 32   ? GNUTLS_SIGN_ECDSA_SHA256
				      : bytes == 48 ? GNUTLS_SIGN_ECDSA_SHA384
						    : GNUTLS_SIGN_ECDSA_SHA512;
	gnutls_privkey_t priv;
	gnutls_pubkey_t pub;
	bool all = true;
	struct creds *c;
	struct signer *s;

	is_str(attempt(cert, file, "asn1dn", false, &c), "", "an EC key is taken for ecdsa");
	creds_to_conf(c, &core);
	ok(core.auth[0] == want && core.auth[1] == AUTH_XAUTH_PSK, "the method is the curve's");
	ok(warns(c, bytes == 32   ? "has sha256"
		    : bytes == 48 ? "has sha384"
				  : "has sha512"),
	   "which needs a hash of its size");
	s = creds_signer(c);
	gnutls_privkey_init(&priv);
	gnutls_privkey_import_x509(priv, key, 0);
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_privkey(pub, priv, 0, 0);
	for (unsigned i = 0; i < 300; i++) {
		gnutls_datum_t a = { sig, (unsigned)bytes }, b = { sig + bytes, (unsigned)bytes };

		memset(hash, (int)i, sizeof(hash));
		all &= signer_sign(s, (struct span){ hash, hash_n }, sig, sizeof(sig), &n) == 0 &&
		       n == 2 * bytes && gnutls_encode_rs_value(&der, &a, &b) >= 0 &&
		       gnutls_pubkey_verify_hash2(pub, alg, 0, &hd, &der) >= 0;
		gnutls_free(der.data);
		zeros += !sig[0] || !sig[bytes];
	}
	ok(all, "300 signatures of %zu bytes verify, %zu with a number that begins with a zero",
	   2 * bytes, zeros);
	ok(signer_sign(s, (struct span){ hash, hash_n }, sig, 2 * bytes - 1, &n) < 0,
	   "none is cut");
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(priv);
	signer_free(s);
	creds_free(c);
}

static void test_ecdsa(void)
{
	static const struct {
		gnutls_ecc_curve_t curve;
		size_t bytes;
		uint16_t method;
	} rows[] = { { GNUTLS_ECC_CURVE_SECP256R1, 32, AUTH_ECDSA_256 },
		     { GNUTLS_ECC_CURVE_SECP384R1, 48, AUTH_ECDSA_384 },
		     { GNUTLS_ECC_CURVE_SECP521R1, 66, AUTH_ECDSA_521 } };
	const struct wish w = { .cn = "vpn.example.net", .dns = "vpn.example.net", .days = 300 };

	method = AUTH_ECDSA_256;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		gnutls_x509_privkey_t key = new_key("curve.key", GNUTLS_PK_ECDSA,
						    (unsigned)GNUTLS_CURVE_TO_BITS(rows[i].curve));

		new_cert("curve.pem", key, &w);
		ecdsa("curve.key", "curve.pem", key, rows[i].bytes, rows[i].method);
		gnutls_x509_privkey_deinit(key);
	}
	ok(strstr(attempt("good.pem", "good.key", "asn1dn", false, NULL),
		  "ecdsa needs an EC key on secp256r1, secp384r1 or secp521r1"),
	   "an RSA key is refused for it");
	method = AUTH_HYBRID_INIT_RSA;
}

/* The engines sign alike, and the signature is PKCS#1 type 1 over the bare hash. */
static void signatures(gnutls_x509_privkey_t key)
{
	static const size_t sizes[] = { 16, 20, 32, 48, 64 };
	uint8_t hash[64], sig[1024];
	gnutls_privkey_t priv;
	gnutls_pubkey_t pub;
	struct creds *c;
	struct signer *s;
	size_t n;

	attempt("good.pem", "good.key", "asn1dn", false, &c);
	s = creds_signer(c);
	gnutls_privkey_init(&priv);
	gnutls_privkey_import_x509(priv, key, 0);
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_privkey(pub, priv, 0, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct span h = { hash, sizes[i] };
		gnutls_datum_t hd = { hash, (unsigned)sizes[i] }, sd = { sig, 0 };

		memset(hash, (int)i + 3, sizeof(hash));
		ok(signer_sign(s, h, sig, sizeof(sig), &n) == 0 && n == 256,
		   "a hash of %zu bytes is signed", sizes[i]);
		sd.size = (unsigned)n;
		ok(gnutls_pubkey_verify_hash2(pub, GNUTLS_SIGN_UNKNOWN, GNUTLS_VERIFY_USE_TLS1_RSA,
					      &hd, &sd) >= 0,
		   "and verifies without DigestInfo (%zu bytes)", sizes[i]);
#ifdef HAVE_LIBCRYPTO
		uint8_t other[1024];
		FILE *f = fopen(path("good.key"), "r");
		uint8_t pem[8192];
		size_t len = fread(pem, 1, sizeof(pem), f), m;
		void *a = sign_engine_gnutls.open((struct span){ pem, len });
		void *b = sign_engine_libcrypto.open((struct span){ pem, len });

		fclose(f);
		ok(sign_engine_gnutls.sign(a, h, sig, sizeof(sig), &n) == 0 &&
			   sign_engine_libcrypto.sign(b, h, other, sizeof(other), &m) == 0 &&
			   n == m && memcmp(sig, other, n) == 0,
		   "gnutls and libcrypto make the same signature (%zu bytes)", sizes[i]);
		sign_engine_gnutls.close(a);
		sign_engine_libcrypto.close(b);
#endif
	}
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(priv);
	signer_free(s);
	creds_free(c);
}

static void identities(void)
{
	struct ike_conf ike = { 0 };
	struct creds *c;

	is_str(attempt("good.pem", "good.key", "asn1dn", false, &c), "",
	       "a certificate with its key is accepted");
	creds_to_conf(c, &ike);
	ok(ike.my_id_type == IKE_ID_ASN1DN && ike.my_id.n && ike.my_id.p[0] == 0x30,
	   "asn1dn: the identity is the subject, DER");
	ok(ike.n_certs == 1 && ike.cert[0].p[0] == 0x30, "the leaf is sent");
	ok(!creds_warning(c, 0), "there is nothing to warn about");
	is_str(creds_subject(c), "CN=vpn.example.net", "the subject is shown as text");
	creds_free(c);

	is_str(attempt("good.pem", "good.key", "fqdn:vpn.example.net", false, &c), "",
	       "a name in the subjectAltName is accepted");
	creds_to_conf(c, &ike);
	ok(ike.my_id_type == IKE_ID_FQDN && span_eq(ike.my_id, span_str("vpn.example.net")),
	   "fqdn: the identity is the name");
	creds_free(c);
	ok(strstr(attempt("good.pem", "good.key", "fqdn:other.example.net", false, NULL),
		  "not in the subjectAltName"),
	   "a name that is not there is refused");
	is_str(attempt("good.pem", "good.key", "address", false, NULL), "",
	       "address is accepted with an IP address in the subjectAltName");
	ok(strstr(attempt("plain.pem", "good.key", "address", false, NULL), "no IP address"),
	   "and refused without");
	attempt("plain.pem", "good.key", "asn1dn", false, &c);
	ok(warns(c, "no subjectAltName"), "a certificate without subjectAltName is warned about");
	creds_free(c);
}

static void refusals(void)
{
	ok(strstr(attempt("good.pem", "other.key", "asn1dn", false, NULL), "does not belong to"),
	   "another certificate's key is refused");
	ok(strstr(attempt("ec.pem", "ec.key", "asn1dn", false, NULL), "needs an RSA key"),
	   "an EC key is refused");
	ok(strstr(attempt("none.pem", "good.key", "asn1dn", false, NULL), "No such file"),
	   "a missing certificate is named");
	ok(strstr(attempt("good.key", "good.key", "asn1dn", false, NULL), "is expected"),
	   "a file without a certificate is refused, and says what is expected");
	ok(strstr(attempt("good.pem", "good.pem", "asn1dn", false, NULL),
		  "unencrypted PEM file is expected"),
	   "a file without a key is refused, and says what is expected");
	unsetenv("CREDENTIALS_DIRECTORY");
	ok(strstr(attempt("good.pem", "credential:good.key", "asn1dn", false, NULL),
		  "started by hand"),
	   "a credential without systemd is refused with the remedy");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	is_str(attempt("good.pem", "credential:good.key", "asn1dn", false, NULL), "",
	       "a credential that systemd handed over is read");
	ok(strstr(attempt("fifo", "good.key", "asn1dn", false, NULL), "not a regular file"),
	   "a fifo in the place of the certificate is refused, not waited for");
	put("empty", "", 0);
	ok(strstr(attempt("good.pem", "empty", "asn1dn", false, NULL), "it is empty"),
	   "an empty key file is told to be empty");
}

/* What is wrong is told as the rest of the configuration's mistakes are. */
static void places(void)
{
	char want[512];

	snprintf(want, sizeof(want), "t.conf:2:15: certificate = %s: No such file or directory",
		 path("none.pem"));
	is_str(attempt("none.pem", "good.key", "asn1dn", false, NULL), want,
	       "a mistake about the certificate has its place");
	snprintf(want, sizeof(want), "t.conf:3:15: private_key = %s: No such file or directory",
		 path("none.key"));
	is_str(attempt("good.pem", "none.key", "asn1dn", false, NULL), want, "one about the key");
	ok(strncmp(attempt("good.pem", "other.key", "asn1dn", false, NULL), "t.conf:3:15: ", 13) ==
		   0,
	   "one about both has the key's");
	ok(strncmp(attempt("good.pem", "good.key", "fqdn:other.example.net", false, NULL),
		   "t.conf:4:17: ", 13) == 0,
	   "one about the name has that of my_identifier");
}

/* --check-config, by people who may not be able to read the key. */
static void checks(void)
{
	struct creds *c;

	ok(strstr(attempt("good.pem", "none.key", "asn1dn", true, NULL), "No such file"),
	   "a key that is missing is a mistake to whoever checks");
	unsetenv("CREDENTIALS_DIRECTORY");
	is_str(attempt("good.pem", "credential:good.key", "asn1dn", true, &c), "",
	       "a credential is looked for where the unit takes it from");
	ok(c && !creds_warning(c, 0), "and found, there is nothing to warn about");
	creds_free(c);
	ok(strstr(attempt("good.pem", "credential:other.key", "asn1dn", true, NULL),
		  "does not belong to"),
	   "and a wrong one is a mistake");
	is_str(attempt("good.pem", "credential:none.key", "asn1dn", true, &c), "",
	       "one that is not there may come from elsewhere");
	ok(c && warns(c, "was not checked: there is no ") && warns(c, "LoadCredential="),
	   "which is said");
	creds_free(c);
	chmod(dir, 0755);
	chmod(path("good.pem"), 0644);
	chmod(path("good.key"), 0);
	if (getuid() == 0 && seteuid(65534) < 0)
		abort();
	is_str(attempt("good.pem", "good.key", "asn1dn", true, &c), "",
	       "a key that whoever checks may not read is no mistake");
	ok(c && warns(c, "was not checked: this user may not read "), "and is said");
	creds_free(c);
	ok(strstr(attempt("good.pem", "good.key", "asn1dn", false, NULL),
		  "the user that vpngw runs as must be able to read it"),
	   "it is one for the daemon, and the remedy is named");
	if (getuid() == 0 && seteuid(0) < 0)
		abort();
	chmod(path("good.key"), 0600);
}

static void remarks(void)
{
	struct creds *c;

	attempt("expired.pem", "good.key", "asn1dn", false, &c);
	ok(c && warns(c, "has expired"), "an expired certificate is warned about");
	creds_free(c);
	attempt("soon.pem", "good.key", "asn1dn", false, &c);
	ok(c && warns(c, "expires in"), "one that expires soon is warned about");
	creds_free(c);
	attempt("good.pem", "good.key", "asn1dn", false, &c);
	creds_check_dates(c, time(NULL) + 360 * 86400);
	ok(warns(c, "expires in 4 days") || warns(c, "expires in 5 days"),
	   "the day comes while the gateway runs, and is noticed when asked");
	creds_check_dates(c, time(NULL) + 366 * 86400);
	ok(warns(c, "has expired") && !warns(c, "expires in"), "and so does the one after it");
	creds_check_dates(c, time(NULL) - 86400);
	ok(!creds_warning(c, 0), "on a good day there is nothing to say");
	creds_check_dates(c, time(NULL) - 865 * 86400);
	ok(warns(c, "is not valid yet"), "too early is told as well");
	creds_free(c);
	attempt("sha1.pem", "good.key", "asn1dn", false, &c);
	ok(c && warns(c, "which is weak"), "a SHA-1 signature is warned about");
	creds_free(c);
	attempt("large.pem", "good.key", "asn1dn", false, &c);
	ok(c && warns(c, "IP fragments"), "a large certificate is warned about");
	creds_free(c);
}

int main(void)
{
	static const char addr[4] = { (char)198, 51, 100, 2 };
	gnutls_x509_privkey_t key, ec;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	key = new_key("good.key", GNUTLS_PK_RSA, 2048);
	gnutls_x509_privkey_deinit(new_key("other.key", GNUTLS_PK_RSA, 2048));
	ec = new_key("ec.key", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
	const struct wish base = {
		.cn = "vpn.example.net", .dns = "vpn.example.net", .ip = addr, .days = 365
	};
	struct wish w = base;

	new_cert("good.pem", key, &w);
	new_cert("ec.pem", ec, &w);
	w.days = -1;
	new_cert("expired.pem", key, &w);
	w.days = 5;
	new_cert("soon.pem", key, &w);
	w = base;
	w.digest = GNUTLS_DIG_SHA1;
	new_cert("sha1.pem", key, &w);
	w = base;
	w.padding = 1500;
	new_cert("large.pem", key, &w);
	w = base;
	w.dns = w.ip = NULL;
	new_cert("plain.pem", key, &w);
	if (mkfifo(path("fifo"), 0600) < 0)
		return EXIT_FAILURE;

	identities();
	refusals();
	places();
	checks();
	remarks();
	signatures(key);
	test_ecdsa();

	gnutls_x509_privkey_deinit(key);
	gnutls_x509_privkey_deinit(ec);
	if (chdir(dir) == 0) {
		static const char *const files[] = { "good.key",  "other.key", "ec.key",
						     "good.pem",  "ec.pem",    "expired.pem",
						     "soon.pem",  "sha1.pem",  "large.pem",
						     "plain.pem", "fifo",      "empty" };

		for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
			unlink(files[i]);
		rmdir(dir);
	}
	return done();
}
