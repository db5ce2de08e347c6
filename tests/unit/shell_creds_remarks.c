/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_creds_remarks.c - what clients may find wrong with a gateway's certificates. */
#include "creds.h"

#include <sys/stat.h>

#include "cert_kit.h"
#include "tap.h"

static gnutls_x509_crt_t ca, below;

/* The remark that certificates of a file give; "" for none. */
static const char *remark(const gnutls_x509_crt_t *crt, unsigned n, unsigned i)
{
	static char buf[512];
	char text[1024], why[CREDS_WHY];
	struct config *c = NULL;
	struct creds *creds = NULL;
	const char *said;

	put_pem("gateway.pem", crt, n);
	snprintf(text, sizeof(text),
		 "[gateway]\ncertificate = %s\nprivate_key = %s\nsend_chain = full\n"
		 "[pool \"default\"]\nnetwork4 = 10.99.99.1\n",
		 path("gateway.pem"), path("own.key"));
	put_text("vpngw.conf", text);
	if (config_load(path("vpngw.conf"), stdout, &c) < 0 ||
	    creds_load(c, NULL, &creds, why, sizeof(why)) < 0)
		return "not loaded";
	said = creds_remark(creds, i, buf, sizeof(buf));
	creds_free(creds);
	config_free(c);
	return said ? said : "";
}

static void is_remark(const gnutls_x509_crt_t *crt, unsigned n, unsigned i, const char *want,
		      const char *name)
{
	const char *got = remark(crt, n, i);
	bool good = *want ? strstr(got, want) != NULL : *got == '\0';

	if (!good)
		printf("# %s\n", got);
	ok(good, "%s", name);
}

static void of_one(struct wish w, unsigned i, const char *want, const char *name)
{
	gnutls_x509_crt_t crt;

	w.cn = "gateway";
	w.by = ca;
	crt = make(w);
	is_remark(&crt, 1, i, want, name);
	gnutls_x509_crt_deinit(crt);
}

#define SERVER "1.3.6.1.5.5.7.3.1"

static void test_leaf(void)
{
	of_one((struct wish){ .purpose = { SERVER } }, 0, "", "a TLS server's certificate");
	of_one((struct wish){ .purpose = { "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.17" } }, 0, "",
	       "one for IKE");
	of_one((struct wish){ .purpose = { "2.5.29.37.0" } }, 0, "", "one for anything");
	of_one((struct wish){ 0 }, 0, "no extended key usage \"TLS server\"",
	       "one without purposes");
	of_one((struct wish){ .purpose = { "1.3.6.1.5.5.7.3.2" } }, 0,
	       "no extended key usage \"TLS server\"", "one for clients");
	of_one((struct wish){ .purpose = { SERVER }, .usage = GNUTLS_KEY_DIGITAL_SIGNATURE }, 0, "",
	       "one that may sign");
	of_one((struct wish){ .purpose = { SERVER }, .usage = GNUTLS_KEY_KEY_ENCIPHERMENT }, 0,
	       "does not allow signatures", "one that may not");
	of_one((struct wish){ .usage = GNUTLS_KEY_KEY_ENCIPHERMENT }, 1,
	       "does not allow signatures", "the second remark of two");
	of_one((struct wish){ .usage = GNUTLS_KEY_KEY_ENCIPHERMENT }, 2, "", "and no third");
}

static void test_chain(void)
{
	gnutls_x509_crt_t old = make((struct wish){ "Branch", .key = below_key, .by = ca,
						    .ca = true, .from = -9, .to = -1 }),
			  leaf = make((struct wish){ "gateway", .by = below, .by_key = below_key,
						     .purpose = { SERVER } }),
			  straight[] = { leaf, below, ca }, gap[] = { leaf, ca },
			  turned[] = { leaf, ca, below }, over[] = { leaf, old };

	is_remark(straight, 3, 0, "", "each certificate was issued by the next");
	is_remark(gap, 2, 0, "certificate 1 in it was not issued by the one behind it",
		  "one is missing in between");
	is_remark(turned, 3, 0, "certificate 1 in it was not", "two are in the wrong order");
	is_remark(over, 2, 0, "certificate 2 in it, an intermediate, has expired",
		  "an intermediate has expired");
	gnutls_x509_crt_deinit(old);
	gnutls_x509_crt_deinit(leaf);
}

static gnutls_x509_privkey_t new_key(void)
{
	gnutls_x509_privkey_t key;

	gnutls_x509_privkey_init(&key);
	if (gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0) < 0)
		abort();
	return key;
}

int main(void)
{
	static const char *const files[] = { "gateway.pem", "own.key", "vpngw.conf" };
	gnutls_datum_t pem;

	now = time(NULL);
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	ca_key = new_key();
	below_key = new_key();
	own_key = new_key();
	gnutls_x509_privkey_export2(own_key, GNUTLS_X509_FMT_PEM, &pem);
	put_text("own.key", (const char *)pem.data);
	gnutls_free(pem.data);
	chmod(path("own.key"), 0600);
	ca = make((struct wish){ "Test CA", .key = ca_key, .ca = true });
	below = make((struct wish){ "Branch", .key = below_key, .by = ca, .ca = true });
	test_leaf();
	test_chain();
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(below);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(below_key);
	gnutls_x509_privkey_deinit(own_key);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path(files[i]));
	rmdir(dir);
	return done();
}
