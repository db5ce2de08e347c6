/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_config_psk.c - the file of shared keys that [phase1] psk_file names. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_dir.h"
#include "config_try.h"
#include "ike/psk.h"

#define WITH_PSK LEAST "[phase1]\nauthentication = hybrid_rsa, xauth_psk\npsk_file = %s\n"

/* What config_load_psk() says and warns of. */
static int load(const char *path, bool check_only, char **ret_told, struct attempt *ret)
{
	char text[512];
	size_t n;
	FILE *err = open_memstream(ret_told, &n);
	int rc;

	snprintf(text, sizeof(text), WITH_PSK, path);
	*ret = try_text(text, CONF_TO_RUN);
	is_str(ret->told, "", "shared keys: a configuration that names their file");
	rc = config_load_psk(ret->c, check_only, err);
	fclose(err);
	return rc;
}

static void fails(const char *path, bool check_only, const char *want_end, const char *name)
{
	struct attempt t;
	char *told;
	size_t n;

	ok(load(path, check_only, &told, &t) < 0 && !t.c->psk && !t.c->ike.psk, "%s: refused",
	   name);
	n = strlen(told);
	ok(n >= strlen(want_end) && strcmp(told + n - strlen(want_end), want_end) == 0,
	   "  and it says so");
	printf("# %s", told);
	free(told);
	try_end(&t);
}

static void test_good(void)
{
	struct ipaddr a = ipaddr_v4(0xc0000209);
	struct attempt t;
	const char *path = put("psk", "# keys\n* squeamish ossifrage\n192.0.2.0/24 short\n");
	char *told, want[512];

	chmod(path, 0640);
	is_int(load(path, false, &told, &t), 0, "  which is read");
	is_str(told, "", "  without a word");
	ok(t.c->ike.psk && t.c->psk->n == 3 &&
		   span_eq(psk_find(t.c->ike.psk, &a)->key, span_str("short")),
	   "  and given to the core");
	is_int((long long)t.c->n_warnings, 2, "two warnings");
	is_str(t.c->warnings[0],
	       "[phase1] authentication xauth_psk is weak: everybody who knows the shared key can "
	       "pose as the gateway and collect passwords",
	       "  of what a shared key means");
	snprintf(want, sizeof(want),
		 "[phase1] psk_file: the key in line 3 of %s is shorter than 16 bytes and can be "
		 "guessed",
		 path);
	is_str(t.c->warnings[1], want, "  and of a short one");
	free(told);
	try_end(&t);
	chmod(path, 0644);
	is_int(load(path, false, &told, &t), 0, "  which everybody may read, is read");
	snprintf(want, sizeof(want),
		 "[phase1] psk_file: %s is open to everybody on this host (mode 0644)", path);
	is_str(t.c->warnings[1], want, "  with a warning");
	free(told);
	try_end(&t);
	path = put("psk", "# none\n");
	chmod(path, 0600);
	is_int(load(path, false, &told, &t), 0, "  that is empty");
	snprintf(want, sizeof(want),
		 "[phase1] psk_file: %s holds no key: shared keys let nobody in", path);
	is_str(t.c->warnings[1], want, "  has a warning, too");
	free(told);
	try_end(&t);
}

/* Read for a profile alone. */
static void test_profile(void)
{
	const char *path = put("psk", "keyid:staff squeamish ossifrage\n");
	char text[512], want[512], *told = NULL;
	struct attempt t;
	size_t n;
	FILE *err = open_memstream(&told, &n);

	chmod(path, 0600);
	snprintf(text, sizeof(text),
		 LEAST "[phase1]\npsk_file = %s\n[profile \"a\"]\nmatch_id = keyid:staff\n"
		       "exchange_mode = aggressive\nauthentication = xauth_psk\n",
		 path);
	t = try_text(text, CONF_TO_RUN);
	is_int(config_load_psk(t.c, false, err), 0, "keys are read for a profile, too");
	ok(t.c->psk && t.c->psk->n_named == 1 && t.c->n_warnings == 1,
	   "  with no other warning than that of the profile");
	try_end(&t);
	put("psk", "* squeamish ossifrage\n");
	t = try_text(text, CONF_TO_RUN);
	is_int(config_load_psk(t.c, false, err), 0, "  also those that it cannot use");
	snprintf(want, sizeof(want),
		 "[phase1] psk_file: %s holds no key for an identity such as keyid:staff, and "
		 "shared keys in aggressive mode let nobody in",
		 path);
	is_str(t.c->n_warnings == 2 ? t.c->warnings[1] : "", want, "  which is worth a warning");
	try_end(&t);
	fclose(err);
	is_str(told, "", "nothing is wrong with that");
	free(told);
}

static void test_bad(void)
{
	struct attempt t;
	char *told;
	const char *path;

	path = put("psk", "* good enough for all\nvpn.example.net secret\n");
	fails(path, false,
	      "/psk:2:1: 'vpn.example.net' is no address, expected one such as 192.0.2.9, a "
	      "network such as 192.0.2.0/24, *, or an identity such as keyid:staff\n",
	      "a file with a mistake");
	path = put("psk", "10.0.0.1\n");
	fails(path, true, "/psk:1:9: a key of 0 bytes, expected 1 to 256\n",
	      "the same when it is only checked");
	fails(below("no-such"), true, "/no-such: No such file or directory\n",
	      "a file that is missing");
	fails(dir, false, ": Is a directory\n", "what is no file");
	unsetenv("CREDENTIALS_DIRECTORY");
	fails("credential:psk", false,
	      "= credential:psk: systemd has handed over no credentials; started by hand, "
	      "vpngw needs the path of the file\n",
	      "a credential without systemd");
	is_int(load("credential:psk", true, &told, &t), 0, "which a mere check");
	is_str(t.c->warnings[t.c->n_warnings - 1],
	       "the shared keys were not checked: [phase1] psk_file = credential:psk: systemd has "
	       "handed over no credentials; started by hand, vpngw needs the path of the file",
	       "  warns of");
	free(told);
	try_end(&t);
	put("psk", "* from a credential, long enough\n");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	is_int(load("credential:psk", false, &told, &t), 0, "with systemd");
	ok(t.c->psk && t.c->psk->n == 2, "  it is read");
	free(told);
	try_end(&t);
	t = try_text(LEAST "[phase1]\npsk_file = /no/such\n", CONF_TO_RUN);
	is_int(config_load_psk(t.c, false, stdout), 0, "where xauth_psk is not named");
	ok(!t.c->psk && !t.c->n_warnings, "  no file is read");
	try_end(&t);
}

int main(void)
{
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	test_good();
	test_profile();
	test_bad();
	unlink(below("psk"));
	rmdir(dir);
	return done();
}
