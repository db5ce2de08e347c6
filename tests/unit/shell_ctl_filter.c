/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_filter.c - vpngwctl list and leases by filters, in an order, again and again. */
#include "ctl_run.h"

/* The sessions that were printed, by the last digit of their names. */
static const char *printed(void)
{
	static char digits[64];
	size_t n = 0;

	for (const char *p = out; p && *p && n + 1 < sizeof(digits); p = strchr(p, '\n'), p += !!p)
		if (strncmp(p, "5e55000", 7) == 0)
			digits[n++] = p[7];
	digits[n] = '\0';
	return digits;
}

static void try_list(struct fake *f, const char *options, const char *want, const char *name)
{
	int rc = run(f, "- list --no-legend %s --socket %s", options, f->path);

	if (rc != 0)
		printf("# exit status %d: %s", rc, err);
	is_str(rc == 0 ? printed() : "?", want, name);
}

static void test_filters(struct fake *f)
{
	fake_sessions(f, 6);
	strcpy(f->named[0].user, "alice");
	strcpy(f->named[3].user, "alice");
	strcpy(f->named[4].user, "a\x1b[2J");
	f->named[5].address = (struct ipaddr){ 0 };
	try_list(f, "", "123456", "without a filter there are all");
	try_list(f, "--user alice", "14", "--user: a user's sessions");
	try_list(f, "--user 'a\\x1b[2J'", "5", "  whose name may be written as it is shown");
	try_list(f, "--user mallory", "", "  who may be nobody: that is no error");
	try_list(f, "--pool guests", "246", "--pool: those of a pool");
	try_list(f, "--address 10.9.0.3", "2", "--address: an address");
	try_list(f, "--address 10.9.0.4/31", "34", "  or a prefix, in which no address is not");
	ipaddr_parse("fd00:99::5", &f->named[4].address6);
	try_list(f, "--address fd00:99::/64", "5", "  of either family");
	try_list(f, "--peer 198.51.100.2", "3", "--peer: where the client is, whatever its port");
	try_list(f, "--peer 198.51.100.2:4500", "3", "  or with its port");
	try_list(f, "--peer 198.51.100.2:4501", "", "  which is to be that one");
	try_list(f, "--peer 198.51.100.0/30", "1234", "  or in which network");
	try_list(f, "--peer 198.51.100.0/30 --user alice --pool default", "1",
		 "several filters are to fit, all of them");
	run(f, "- --user alice --json=short --socket %s", f->path);
	ok(strstr(out, "5e550004") && !strstr(out, "5e550002"), "and JSON has no others, too");
}

static void test_order(struct fake *f)
{
	fake_sessions(f, 4);
	f->named[0].bytes_out = 5;
	f->named[2].bytes_out = UINT64_C(5) << 40;
	f->named[1].address = ipaddr_v4(0x0a090064);
	f->named[3].address = ipaddr_v4(0x09000001);
	f->named[1].user[0] = '\0';
	strcpy(f->named[0].user, "zoe");
	try_list(f, "--sort TX", "1243", "--sort: by a size");
	try_list(f, "--sort=-tx", "3241", "  or the other way");
	try_list(f, "--sort address", "4132", "  by an address as a number");
	try_list(f, "--sort user", "2341", "  by a name, where none is the first");
	try_list(f, "--sort user --pool guests", "24", "  with a filter");
	f->n_leases = 4;
	is_int(run(f, "- leases --sort -address --user user2 --no-legend --socket %s", f->path), 0,
	       "leases have both");
	ok(strncmp(out, "10.9.0.4 ", 9) == 0 && strchr(out, '\n') == out + strlen(out) - 1,
	   "and show that user's");
}

static void test_watch(struct fake *f)
{
	char line[640];

	fake_sessions(f, 40);
	is_int(run(f, "sh -c '\"$0\" --watch=1 --socket \"$CONTROL\" | head -n 50' %s", program), 0,
	       "--watch lists again");
	ok(strstr(strstr(out, "40 sessions.") ?: "", "SESSION") && !strchr(out, '\x1b'),
	   "below what was there, into a pipe");
	run(f, "sh -c '\"$0\" --watch=1 --json --socket \"$CONTROL\" | head -n 2' %s", program);
	ok(strncmp(out, "{\"", 2) == 0 && strstr(out, "}\n{\"schema_version\""),
	   "JSON is one line each time");
	snprintf(
		line, sizeof(line),
		"TERM=xterm sh -c '\"$0\" --watch=1 --socket \"$CONTROL\" & sleep 1.5; kill $!' %s",
		program);
	run_tty(f, 10, 100, line);
	ok(strstr(strstr(out, "\x1b[H\x1b[2J") ?: "", "SESSION") && strstr(out, "5e550008") &&
		   !strstr(out, "5e550009"),
	   "a terminal is cleared, and has as much as it has lines for");
}

static void test_kick(struct fake *f)
{
	fake_sessions(f, 6);
	is_int(run(f, "- kick --pool guests --wait --reason move --socket %s", f->path), 0,
	       "kick --pool");
	is_str(out, "3 sessions ended.\n", "ends the sessions with addresses of that pool");
	ok(f->gone[1] && f->gone[3] && f->gone[5] && !f->gone[0], "and no others");
	is_int(run(f, "- kick --pool guests --socket %s", f->path), 4, "in which there is nobody");
	is_str(err, "vpngwctl: no session in pool guests\n", "is said");
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	test_filters(&f);
	test_order(&f);
	test_watch(&f);
	test_kick(&f);
	fake_stop(&f);
	return done();
}
