/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_pki.c - scripts/pki: names that it refuses, and that the gateway takes what it makes. */
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "creds.h"
#include "tap.h"

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
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
