/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_stats.c - vpngwctl pools, stats and log. */
#include "ctl_run.h"

static void test_pools(struct fake *f)
{
	is_int(run(f, "- pools --socket %s", f->path), 0, "pools");
	is_str(out,
	       "POOL    FIRST    LAST       SIZE USED FREE KEPT DRAINING\n"
	       "default 10.9.0.2 10.9.0.254  253   12  241    5        2\n",
	       "are a table: an address that is kept is free as well");
	is_int(run(f, "- pools --no-legend --socket %s", f->path), 0, "without a header");
	ok(strncmp(out, "default ", 8) == 0, "for scripts");
	is_int(run(f, "- pools --json --socket %s", f->path), 0, "pools as JSON");
	ok(strstr(out, "{\"schema_version\":\"1.0\",\"pools\":[{") == out, "are an array");
	ok(strstr(out, "\"network6\":\"fd00:99::/64\""), "with the IPv6 network");
}

static void test_stats(struct fake *f)
{
	is_int(run(f, "- stats --socket %s", f->path), 0, "stats");
	is_str(out,
	       "   COUNT NAME        MEANING\n"
	       "      77 logins      people who got in\n"
	       "       0 resent      answers sent again\n"
	       "12345678 auth-failed login refused\n",
	       "are all counters, and the reasons that there were");
	is_int(run(f, "- stats --json=short --socket %s", f->path), 0, "stats as JSON");
	ok(strstr(out, "{\"name\":\"busy\",\"value\":0,\"meaning\":\"too much cryptography"),
	   "are all reasons");
	is_int(run(f, "- stats x --socket %s", f->path), 2, "stats takes no argument");
}

/* A journalctl that says how it was called, a word in each line. */
static void test_log(struct fake *f)
{
	char path[128];
	FILE *script;

	snprintf(path, sizeof(path), "%s/journalctl", f->dir);
	script = fopen(path, "we");
	if (!script)
		abort();
	fputs("#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n", script);
	fclose(script);
	chmod(path, 0755);
	is_int(run(f, "PATH=%s:/usr/bin:/bin - log --user 'DOMAIN\\al ice' --json=short -- -f -n 5",
		   f->dir),
	       7, "log ends as journalctl does");
	is_str(out,
	       "--unit=vpngw.service\n--unit=vpngw-authd.service\n--unit=vpngw-nft.service\n"
	       "--output=json\n-f\n-n\n5\nVPNGW_USER=DOMAIN\\al ice\n",
	       "which gets the units, the user, and its own options");
	unlink(path);
	is_int(run(f, "PATH=%s - log", f->dir), 1, "without journalctl it fails");
	ok(strstr(err, "cannot run journalctl: ") != NULL, "and says why");
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	test_pools(&f);
	test_stats(&f);
	test_log(&f);
	fake_stop(&f);
	return done();
}
