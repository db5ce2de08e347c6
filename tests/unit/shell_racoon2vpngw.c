/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_racoon2vpngw.c - scripts/racoon2vpngw: each racoon.conf of tests/data/racoon gives the
 * configuration beside it (.vpngw) and names what it could not carry over (.lost), and vpngw takes
 * what comes out.
 *
 * Where one of the two is wrong on purpose after a change: scripts/racoon2vpngw FILE >..., in
 * tests/data/racoon.
 */
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "tap.h"

#define DATA "tests/data/racoon"

static char dir[] = "/tmp/vpngw-racoon-XXXXXX";
static char program[512];
static char *root; /* where the tests are started */

__attribute__((format(printf, 1, 2))) static int sh(const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fflush(stdout);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

static int convert(const char *name)
{
	return sh("cd %s/" DATA " && ../../../scripts/racoon2vpngw %s.conf >%s/out 2>%s/err", root,
		  name, dir, dir);
}

static bool same(const char *got, const char *want)
{
	return sh("diff -u %s/" DATA "/%s %s/%s | sed 's/^/# /' | { ! grep .; }", root, want, dir,
		  got) == 0;
}

static void test_sample(const char *name, bool usable)
{
	char want[64];

	is_int(convert(name), 1, name);
	snprintf(want, sizeof(want), "%s.vpngw", name);
	ok(same("out", want), "  becomes what it shall");
	snprintf(want, sizeof(want), "%s.lost", name);
	ok(same("err", want), "  and each statement that is lost is named, with its line");
	if (!usable)
		return;
	/* Files are those of the test. */
	sh("sed -i 's|= /.*/|= %s/|' %s/out", dir, dir);
	is_int(sh("%s --check-config=%s/out >%s/said 2>&1", program, dir, dir), 0,
	       "  and vpngw takes it");
	sh("grep -v '^warning: ' %s/said | grep -v '^The configuration is valid' | sed 's/^/# /'",
	   dir);
}

/* Nothing is lost of one that says only what vpngw has. */
static void test_whole(void)
{
	is_int(sh("sed -e '/adminsock/d; /script/d; /compression/d' -e '/pfs_group "
		  "2;/{x;s/^/x/;/^x$/{"
		  "x;d};x}' %s/" DATA "/howto.conf | scripts/racoon2vpngw - >%s/out 2>%s/err",
		  root, dir, dir),
	       0, "a racoon.conf of which nothing is lost: 0");
	is_int(sh("test -s %s/err", dir), 1, "and nothing is said");
}

static void test_include(void)
{
	sh("mkdir %s/more && sed '/^mode_cfg/,/^}/d' " DATA "/howto.conf >%s/main.conf && sed -n "
	   "'/^mode_cfg/,/^}/p' " DATA "/howto.conf >%s/more/a.conf",
	   dir, dir, dir);
	sh("printf 'path include \"%s/more\";\\ninclude \"*.conf\";\\n' >>%s/main.conf", dir, dir);
	sh("scripts/racoon2vpngw %s/main.conf >%s/out 2>%s/err", dir, dir, dir);
	ok(same("out", "howto.vpngw"), "what is included is the same as what is there");
	is_int(sh("grep -q '^%s/more/a.conf:8: pfs_group 2: ' %s/err", dir, dir), 0,
	       "and is named by its own file and line");
	sh("echo 'include \"%s/loop.conf\";' >%s/loop.conf", dir, dir);
	is_int(sh("scripts/racoon2vpngw %s/loop.conf >%s/out 2>%s/err", dir, dir, dir), 2,
	       "a file that includes itself: 2");
}

static void refused(const char *text, const char *why)
{
	int rc = sh("printf '%s' | scripts/racoon2vpngw - >%s/out 2>%s/err", text, dir, dir);

	ok(rc == 2 && sh("grep -qF '%s' %s/err", why, dir) == 0, "%s: 2", why);
}

static void test_refused(void)
{
	refused("remote anonymous {\\n", "standard input:1: \"remote\" is not closed");
	refused("log debug\\n", "standard input:1: \"log\" has no \";\" at its end");
	refused("\\n}\\n", "standard input:2: \"}\" that closes nothing");
	refused("{ a; }", "standard input:1: \"{\" without a word before it");
	refused("log \"debug;\\n", "standard input:1: a string is not closed");
	is_int(sh("scripts/racoon2vpngw /nonexistent 2>%s/err", dir), 2, "no such file: 2");
	is_int(sh("scripts/racoon2vpngw a b 2>%s/err", dir), 2, "two files: 2");
	is_int(sh("scripts/racoon2vpngw " DATA "/howto.conf >/dev/full 2>%s/err", dir), 2,
	       "an output that cannot be written: 2");
	is_int(sh("scripts/racoon2vpngw --help >%s/out", dir), 0, "--help");
}

/* Cut at any place, or with a word too many or too few, it is converted or refused. */
static void test_broken(void)
{
	is_int(sh("python3 - >%s/out 2>&1 <<'E'\n"
		  "import contextlib, importlib.machinery, importlib.util, io, os\n"
		  "loader = importlib.machinery.SourceFileLoader('r', 'scripts/racoon2vpngw')\n"
		  "r = importlib.util.module_from_spec(importlib.util.spec_from_loader('r', "
		  "loader))\n"
		  "import sys; sys.dont_write_bytecode = True\n"
		  "loader.exec_module(r)\n"
		  "text = open('" DATA "/large.conf').read()\n"
		  "words = text.split(' ')\n"
		  "tries = [text[:n] for n in range(0, len(text), 7)]\n"
		  "tries += [' '.join(words[:n] + words[n + 1:]) for n in range(len(words))]\n"
		  "tries += [' '.join(words[:n] + [';'] + words[n:]) for n in range(len(words))]\n"
		  "tries += [' '.join(words[:n] + ['x', '1'] + words[n:]) for n in "
		  "range(len(words))]\n"
		  "seen = set()\n"
		  "for t in tries:\n"
		  "    sys.stdin = io.StringIO(t)\n"
		  "    with contextlib.redirect_stdout(io.StringIO()), "
		  "contextlib.redirect_stderr(io.StringIO()):\n"
		  "        seen.add(r.main(['-']))\n"
		  "assert seen == {1, 2}, seen\n"
		  "E",
		  dir),
	       0, "a broken one is converted or refused, never a surprise");
	sh("sed 's/^/# /' %s/out", dir);
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	const char *build = getenv("BUILD");

	root = getcwd(NULL, 0);
	snprintf(program, sizeof(program), "%s/vpngw", build ? build : "build/rel");
	if (!root || sh("command -v python3 >/dev/null") != 0 || access(program, X_OK) != 0) {
		skip(1, "no python3 on this machine, or no %s", program);
		return done();
	}
	if (!mkdtemp(dir) ||
	    sh("scripts/pki quick %s vpn.example.net >/dev/null 2>&1 && cd %s && "
	       "cp vpn.example.net.pem gateway.crt && cp vpn.example.net.key gateway.key && "
	       "cp ca.pem clients.pem && echo hello >motd && "
	       "echo '* a key of more than sixteen bytes' >psk.txt && chmod 0600 psk.txt *.key",
	       dir, dir) != 0) {
		skip(1, "no certtool on this machine");
		return done();
	}
	test_sample("howto", true);
	test_sample("howto-radius", true);
	test_sample("large", true);
	test_sample("client", false);
	test_whole();
	test_include();
	test_refused();
	test_broken();
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	free(root);
	return done();
}
