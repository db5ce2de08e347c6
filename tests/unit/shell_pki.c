/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_pki.c - scripts/pki: names that it refuses, and that the gateway takes what it makes. */
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "creds.h"
#include "ike/names.h"
#include "tap.h"
#include "trust.h"

static char dir[] = "/tmp/vpngw-pki-XXXXXX";

static const char *below(const char *name)
{
	static char buf[4][256];
	static unsigned turn;
	char *out = buf[turn++ % 4];

	snprintf(out, sizeof(buf[0]), "%s/%s", dir, name);
	return out;
}

/* scripts/pki VERB FOLDER REST, quietly. The result is the status. */
static int pki(const char *verb, const char *folder, const char *rest)
{
	char line[1024];
	int status;

	snprintf(line, sizeof(line), "scripts/pki %s %s %s >/dev/null 2>&1", verb, below(folder),
		 rest);
	fflush(stdout);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

/* Whether certtool says this of a file. */
static bool holds(const char *file, const char *text)
{
	char line[1024];

	snprintf(line, sizeof(line), "certtool --%s-info --infile %s 2>/dev/null | grep -qF '%s'",
		 strstr(file, "crl") ? "crl" : "certificate", below(file), text);
	fflush(stdout);
	return system(line) == 0;
}

static void test_names(void)
{
	static const char *const wrong[] = { "ca",           "-x",   "a..b",  "a/b",
					     "198.51.100.2", "vpn.", "'a b'", "''" };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ok(pki("quick", "no", wrong[i]) == 2 && access(below("no"), F_OK) != 0,
		   "%s is refused as the gateway's name, and nothing is made", wrong[i]);
	}
	is_int(pki("csr", "no", "ca"), 2, "a request for \"ca\" is refused");
	is_int(pki("sign", "no", "/dev/null ca"), 2, "and so is a certificate");
}

static void test_quick(void)
{
	struct config c = { .gateway = { .my_identifier = strdup("fqdn:vpn.example.net") } };
	struct creds *creds = NULL;
	char err[CREDS_WHY] = "";
	struct stat st;

	is_int(pki("quick", "pki", "vpn.example.net 198.51.100.2"), 0, "quick makes all of it");
	c.gateway.certificate = strdup(below("pki/vpn.example.net.pem"));
	c.gateway.private_key = strdup(below("pki/vpn.example.net.key"));
	ok(stat(c.gateway.private_key, &st) == 0 && (st.st_mode & 0777) == 0600,
	   "the key is its owner's");
	ok(stat(below("pki/ca.key"), &st) == 0 && (st.st_mode & 0777) == 0600, "the CA's too");
	is_int(creds_load(&c, NULL, &creds, err, sizeof(err)), 0,
	       "the gateway takes key, certificate and name");
	is_str(err, "", "without a word");
	ok(creds && !creds_warning(creds, 0), "and without a warning");
	creds_free(creds);
	is_int(pki("quick", "pki", "vpn.example.net"), 1, "a second time it overwrites nothing");
	free(c.gateway.certificate);
	free(c.gateway.private_key);
	free(c.gateway.my_identifier);
}

static void test_clients(void)
{
	static const char *const wrong[] = {
		"ca", "crl", "-x", "a/b", "a@", "a@b@c", "'a b'", "''"
	};
	struct config c = { .ike = { .auth = { AUTH_XAUTH_RSA }, .n_auth = 1 } };
	struct trust *trust = NULL;
	char err[CREDS_WHY] = "";
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		is_int(pki("client", "pki", wrong[i]), 2, wrong[i]);
	is_int(pki("client", "no", "alice"), 1, "without a CA there is no client");
	is_int(pki("client", "pki", "alice"), 0, "a client's key and certificate");
	is_int(pki("client", "pki", "bob@example.net"), 0, "one with a mail address");
	ok(stat(below("pki/alice.key"), &st) == 0 && (st.st_mode & 0777) == 0600,
	   "the key is its owner's");
	is_int(pki("client", "pki", "alice"), 1, "a second time it overwrites nothing");
	is_int(pki("revoke", "pki", "carol"), 1, "who has no certificate cannot lose it");
	is_int(pki("revoke", "pki", ""), 0, "a list of nobody");
	is_int(pki("revoke", "pki", "alice"), 0, "a list of one");
	is_int(pki("--days=60 revoke", "pki", "bob@example.net"), 0, "and one more");
	c.ca_file = strdup(below("pki/ca.pem"));
	c.crl_file = strdup(below("pki/crl.pem"));
	ok(trust_load(&c, &trust, err, sizeof(err)) == 0 && !trust_warning(trust, 0),
	   "the gateway takes the CA and the list: %s", err);
	trust_free(trust);
	ok(holds("pki/crl.pem", "Revoked certificates (2)") &&
		   holds("pki/bob@example.net.pem", "RFC822Name: bob@example.net"),
	   "which names both, and the mail address is in the certificate");
	is_int(pki("--ecdsa client", "pki", "dora"), 0, "a client with an EC key");
	ok(holds("pki/dora.pem", "EC/ECDSA") && holds("pki/dora.pem", "Curve:	SECP256R1"),
	   "on P-256");
	free(c.ca_file);
	free(c.crl_file);
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	if (system("command -v certtool >/dev/null") != 0) {
		skip(1, "no certtool on this machine");
		return done();
	}
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	test_names();
	test_quick();
	test_clients();
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
