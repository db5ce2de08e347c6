/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_vpngw.c - vpngw's command line: what it says of a configuration, and its exit status. */
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "tap.h"

static char dir[] = "/tmp/vpngw-cli-XXXXXX";
static char program[512], out[65536], err[65536];

static const char *put(const char *name, const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	return path;
}

static void slurp(const char *name, char *to, size_t cap)
{
	char path[256];
	FILE *f;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (f) {
		n = fread(to, 1, cap - 1, f);
		fclose(f);
	}
	to[n] = '\0';
}

/* Runs it through the shell; `args` may send the output elsewhere. The result is the status. */
__attribute__((format(printf, 1, 2))) static int run(const char *args, ...)
{
	char given[512], line[2048];
	va_list ap;
	int status;

	va_start(ap, args);
	vsnprintf(given, sizeof(given), args, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "'%s' >'%s/out' 2>'%s/err' %s", program, dir, dir, given);
	fflush(stdout);
	status = system(line);
	slurp("out", out, sizeof(out));
	slurp("err", err, sizeof(err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

static void test_check_config(void)
{
	char want[512];
	const char *path = put("bad.conf", "[gateway]\ncertificate = /nonexistent/gw.pem\n"
					   "[pool \"default\"]\nnetwork4 = 10.99.99.1\n");

	is_int(run("--check-config=%s", path), 6, "a certificate that is missing: 6");
	snprintf(want, sizeof(want),
		 "%s:2:15: certificate = /nonexistent/gw.pem: No such file or directory\n", path);
	is_str(err, want, "and the place where it is named");
	is_str(out, "", "and it is not called valid");
}

static void test_print_config(void)
{
	const char *path = put("good.conf", "[pool \"default\"]\nnetwork4 = 10.99.99.1\n");

	is_int(run("--print-config=%s", path), 0, "--print-config");
	ok(strstr(out, "\nprivate_key = credential:gateway.key") && strstr(out, "good.conf:2\n"),
	   "tells values and places");
	is_int(run("--print-config=%s >/dev/full", path), 1, "an output that cannot be written: 1");
	ok(strstr(err, "cannot write: No space left on device") != NULL, "and it is said");
	is_int(run("--version >/dev/full"), 1, "the version as well");
	is_int(run("--help"), 0, "--help");
	is_int(run("--bogus"), 2, "an unknown option is a usage error");
	is_int(run("bogus"), 2, "and so is a word");
}

static void test_print_nft(void)
{
	const char *path = put("nft.conf", "[tunnel]\nmssclamp = 512\n"
					   "[pool \"default\"]\nnetwork4 = 10.99.99.1\n");

	is_int(run("--print-nft=%s", path), 0, "--print-nft");
	ok(strstr(out, "table inet vpngw\ndelete table inet vpngw\n") == out &&
		   strstr(out, "maxseg size set 512\n"),
	   "tells rules that replace a table");
	is_int(run("--print-nft=%s >/dev/full", path), 1, "rules that cannot be written: 1");
	path = put("off.conf", "[pool \"default\"]\nnetwork4 = 10.99.99.1\n");
	is_int(run("--print-nft=%s", path), 0, "--print-nft without mssclamp");
	is_str(out, "", "tells none");
	path = put("bad.conf", "[tunnel]\nmssclamp = some\n");
	is_int(run("--print-nft=%s", path), 6, "--print-nft of what is not valid: 6");
	ok(strstr(err, "bad.conf:2:12: mssclamp: ") != NULL, "and the place of the mistake");
	is_str(out, "", "and no rules");
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	const char *build = getenv("BUILD");

	snprintf(program, sizeof(program), "%s/vpngw", build ? build : "build/rel");
	if (access(program, X_OK) != 0) {
		skip(1, "%s is not built", program);
		return done();
	}
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	test_check_config();
	test_print_config();
	test_print_nft();
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
