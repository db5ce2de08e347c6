/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_cli.c - vpngwctl's verbs, its JSON and its exit status, against the real server. */
#include <grp.h>

#include "ctl_run.h"

/* ---- JSON ---- */

static json_t *run_json(struct fake *f, const char *args)
{
	json_error_t e;
	json_t *root;

	run(f, "- --socket %s %s", f->path, args);
	root = json_loads(out, 0, &e);
	if (!root)
		printf("# %s: %s\n", args, e.text);
	if (strcmp(json_string_value(json_object_get(root, "schema_version")) ?: "", "1.0") != 0) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static void test_json(struct fake *f)
{
	const char *user = "", *since = "", *peer = "";
	json_int_t unix_s = 0, in = 0;
	json_t *r;

	fake_sessions(f, 3);
	strcpy(f->named[1].user, "j\xc3\xbcrgen\x1b[2J\x7f");
	r = run_json(f, "--json=short list");
	is_int((long long)json_array_size(json_object_get(r, "sessions")), 3, "list as JSON");
	ok(is_ascii(out), "JSON is ASCII: safe on a terminal");
	ok(strchr(out, '\n') == out + strlen(out) - 1, "--json=short is one line");
	json_unpack(json_array_get(json_object_get(r, "sessions"), 1), "{s:s, s:s, s:I, s:s, s:I}",
		    "user", &user, "since", &since, "since_unix", &unix_s, "peer", &peer,
		    "bytes_in", &in);
	is_str(user, f->named[1].user, "the name is whole");
	is_str(since, "2026-11-23T18:54:05Z", "the time is RFC 3339");
	ok(unix_s == EPOCH && in == 1536 && strcmp(peer, "198.51.100.1:4500") == 0,
	   "numbers and endpoints are as the gateway gave them");
	json_decref(r);
	r = run_json(f, "list --json=pretty");
	ok(r && strstr(out, "\n  \"sessions\": [\n") != NULL, "--json=pretty is indented");
	json_decref(r);
	r = run_json(f, "show 5e550002 --json");
	is_int((long long)json_array_size(json_object_get(
		       json_array_get(json_object_get(r, "sessions"), 0), "children")),
	       1, "show as JSON has the children");
	json_decref(r);
	r = run_json(f, "--json status");
	is_int(json_integer_value(json_object_get(json_object_get(r, "counters"), "logins")), 77,
	       "status as JSON");
	json_decref(r);
	f->n_leases = 2;
	r = run_json(f, "--json leases");
	is_int((long long)json_array_size(json_object_get(r, "leases")), 2, "leases as JSON");
	json_decref(r);
	r = run_json(f, "--json kick 5e550003");
	is_int(json_integer_value(json_object_get(r, "count")), 1, "kick as JSON");
	json_decref(r);
	fake_sessions(f, 0);
	r = run_json(f, "--json");
	ok(json_is_array(json_object_get(r, "sessions")), "an empty list as JSON is an array");
	json_decref(r);
}

/* ---- verbs ---- */

static void test_show(struct fake *f)
{
	fake_sessions(f, 3);
	strcpy(f->named[0].user, "alice");
	strcpy(f->named[2].user, "alice");
	is_int(run(f, "- show alice --socket %s", f->path), 0, "show a user");
	ok(strstr(out, "Session 5e550001\n") && strstr(out, "\n\nSession 5e550003\n") &&
		   !strstr(out, "Session 5e550002\n"),
	   "prints all sessions of that user");
	ok(strstr(out, "       Traffic: received 1.5 KiB, sent 12 MiB\n") &&
		   strstr(out, "IKE: aes256-sha256-modp2048\n                xauth_psk in main "
			       "mode\n") &&
		   strstr(out, "SPI 0xc1a2b3d4 in, 0x00000fff out\n") &&
		   strstr(out, "aes256-sha256 in UDP\n") &&
		   strstr(out,
			  "10.0.12.0/24, 10.0.13.0/24\n                tcp to port 22 only\n") &&
		   strstr(out, "received 1.5 KiB in 12 packets, sent 12 MiB in 9000 packets\n") &&
		   strstr(out, " up, 30:00 old, expires in 30:00\n"),
	   "with traffic, mode and method, SPIs, networks and age");
	ok(strstr(out, "      Heard of: 00:21 ago\n") != NULL,
	   "and when the client gave a sign of life");
	is_int(run(f, "- show 10.9.0.3 --socket %s", f->path), 0, "show an address");
	ok(strstr(out, "Session 5e550002\n") != NULL, "finds its session");
	ok(strstr(out, "      Heard of: 00:21 ago, 1 unanswered\n") != NULL,
	   "whose client has been asked for one");
	ok(strstr(out, " IKE fragments: both\n") != NULL, "which uses fragments of IKE messages");
	is_int(run(f, "- show 5e550001 --socket %s", f->path), 0, "show another");
	ok(strstr(out, "fragments") == NULL, "which does not");
	is_int(run(f, "- status --socket %s", f->path), 0, "status");
	ok(strncmp(out, "vpngw 9.9\n", 10) == 0 &&
		   strstr(out, "         Pools: default: 10.9.0.2 to 10.9.0.254, "
			       "12 of 253 leased, 5 kept, 2 draining\n") &&
		   strstr(out, "    Incomplete: 4 messages in fragments\n") &&
		   strstr(out, "      Counters: logins 77\n") &&
		   strstr(out, "       Warning: phase 1 accepts SHA-1\n"),
	   "tells version, pools, counters and warnings");
}

static void test_kick(struct fake *f)
{
	fake_sessions(f, 20);
	strcpy(f->named[0].user, "alice");
	strcpy(f->named[2].user, "alice");
	strcpy(f->named[4].user, "20260101");
	strcpy(f->named[5].user, "5e550007");
	strcpy(f->named[7].user, "7");
	is_int(run(f, "- kick alice --reason 'left the company' --socket %s", f->path), 0,
	       "kick a user");
	is_str(out, "2 sessions ended.\n", "ends all sessions and says how many");
	is_str(f->who.reason, "left the company", "with the reason");
	is_int(run(f, "- kick 20260101 --socket %s", f->path), 0, "8 digits that are no session");
	ok(f->gone[4], "are a user");
	is_int(run(f, "- kick 5e550007 --socket %s", f->path), 0, "8 digits that are both");
	ok(f->gone[6] && !f->gone[5], "are a session");
	is_int(run(f, "- kick user=5e550007 --socket %s", f->path), 0, "user= in front");
	ok(f->gone[5], "makes them a user");
	is_int(run(f, "- kick 7 --socket %s", f->path), 0, "any other number");
	ok(f->gone[7], "is a user");
	is_int(run(f, "- kick session=5e55000a --socket %s", f->path), 0, "session= in front");
	ok(f->gone[9], "makes it a session");
	is_int(run(f, "- kick 10.9.0.10 --socket %s", f->path), 0, "kick an address");
	ok(f->gone[8], "ends its session");
	is_int(run(f, "- --all kick --socket %s", f->path), 0, "kick --all");
	is_str(out, "12 sessions ended.\n", "ends the rest");
	is_int(run(f, "- --all kick --socket %s", f->path), 0, "kick --all of none is done");
	is_str(out, "No sessions.\n", "and says so");
}

static void test_leases(struct fake *f)
{
	f->n_leases = 2;
	is_int(run(f, "- leases --socket %s", f->path), 0, "leases");
	is_str(out,
	       "ADDRESS  POOL    USER  STATE  GRANTED             RELEASED\n"
	       "10.9.0.2 default user0 leased 2026-11-23 18:54:05 -\n"
	       "10.9.0.3 default user1 kept   2026-11-23 18:54:05 2026-11-23 18:55:05\n"
	       "\n2 leases.\n",
	       "are a table");
	is_int(run(f, "- leases release 10.9.0.3 --socket %s", f->path), 0, "leases release");
	is_str(out, "Lease of 10.9.0.3 released.\n", "says what it did");
	f->forget_error = -EBUSY;
	is_int(run(f, "- leases release 10.9.0.3 --socket %s", f->path), 1, "a lease in use: 1");
	is_str(err, "vpngwctl: busy: lease of 10.9.0.3 is in use\n", "and why");
	f->forget_error = -ENOENT;
	is_int(run(f, "- leases release 10.9.0.3 --socket %s", f->path), 4, "no lease: 4");
	f->forget_error = -EEXIST;
	is_int(run(f, "- leases release 10.9.0.3 --socket %s", f->path), 1, "a pinned one: 1");
	is_str(err, "vpngwctl: busy: lease of 10.9.0.3 is pinned\n", "and why");
	f->forget_error = 0;
}

static void test_pin(struct fake *f)
{
	f->n_leases = 4;
	is_int(run(f, "- leases --no-legend --socket %s", f->path), 0, "leases that are pinned");
	ok(strstr(out, "user2 leased, pinned ") && strstr(out, "user3 pinned "),
	   "are shown as such");
	is_int(run(f, "- leases pin alice 10.9.0.3 --socket %s", f->path), 0, "leases pin");
	is_str(out, "Lease of 10.9.0.3 pinned to alice.\n", "says what it did");
	is_str(f->pinned_to, "alice", "which the gateway was told");
	is_int(run(f, "- leases unpin 10.9.0.3 --socket %s", f->path), 0, "leases unpin");
	is_str(out, "Lease of 10.9.0.3 unpinned.\n", "as well");
	f->pin_error = -ENOENT;
	is_int(run(f, "- leases pin alice 10.1.1.1 --socket %s", f->path), 4, "in no pool: 4");
	is_str(err, "vpngwctl: no address 10.1.1.1 in any pool\n", "and why");
	is_int(run(f, "- leases unpin 10.9.0.3 --socket %s", f->path), 4, "not pinned: 4");
	is_str(err, "vpngwctl: no pin of 10.9.0.3\n", "and why");
	f->pin_error = -EBUSY;
	is_int(run(f, "- leases pin alice 10.9.0.3 --socket %s", f->path), 1, "taken: 1");
	is_str(err, "vpngwctl: busy: another user has 10.9.0.3\n", "and why");
	f->pin_error = -EEXIST;
	run(f, "- leases pin alice 10.9.0.3 --socket %s", f->path);
	is_str(err, "vpngwctl: busy: 10.9.0.3 is pinned to another user\n", "or pinned");
	f->pin_error = -EPERM;
	run(f, "- leases pin alice 10.9.0.3 --socket %s", f->path);
	is_str(err,
	       "vpngwctl: busy: alice has an address of the own, from where passwords are "
	       "checked\n",
	       "or not for this user");
	f->pin_error = 0;
	f->n_leases = 2;
}

/* ---- exit codes ---- */

static void test_reload(struct fake *f)
{
	char file[160];
	FILE *out_file;

	is_int(run(f, "- reload --socket %s", f->path), 0, "reload ends well");
	is_str(out,
	       "In effect:\n"
	       "  [mode_cfg] dns4: 10.0.0.1 -> 10.0.0.2, 10.0.0.3\n"
	       "  [mode_cfg] banner: content\n"
	       "Not yet in effect, but after what is said:\n"
	       "  [listen] isakmp: 0.0.0.0:500 -> 0.0.0.0:501\n"
	       "          systemctl restart vpngw\n",
	       "and tells what holds now, what must wait and for what");
	is_str(err, "warning: phase 1 accepts SHA-1\n", "and what to think about");
	is_int(run(f, "- config diff --socket %s", f->path), 0, "so does config diff");
	ok(strncmp(out, "A reload would change:\n  [mode_cfg] dns4: ", 40) == 0,
	   "of what would hold");
	f->no_change = true;
	run(f, "- reload --socket %s", f->path);
	is_str(out, "Reloaded; nothing differs from what was in effect.\n",
	       "that nothing differs is said");
	f->no_change = false;
	f->bad_config = true;
	is_int(run(f, "- reload --socket %s", f->path), 6, "mistakes: 6");
	is_str(err,
	       "/etc/vpngw/vpngw.conf:7:9: dns4: '10.0.0.300' is no address\n"
	       "/etc/vpngw/vpngw.conf:9:1: '\\x1b[2J' is no key\n"
	       "vpngwctl: the configuration is not valid; the one in effect stays so\n",
	       "each with its place");
	is_str(out, "", "and nothing else");
	is_int(run(f, "- config diff --json --socket %s", f->path), 6, "--json as well");
	f->bad_config = false;
	is_int(run(f, "- reload now --socket %s", f->path), 2, "reload takes no argument: 2");

	is_int(run(f, "- config --socket %s", f->path), 0, "config shows what is in effect");
	is_str(out,
	       "[phase1]\n"
	       "lifetime = 24h                                   # default\n"
	       "\n"
	       "[mode_cfg]\n"
	       "split_network = include 10.0.12.0/24             # /etc/vpngw/vpngw.conf:9\n"
	       "split_network = include 10.0.13.0/24             # /etc/vpngw/vpngw.conf:9\n"
	       "wins4 =                                          # default\n"
	       "\n"
	       "[pool \"default\"]\n"
	       "pool_size = 50                                   # /etc/vpngw/vpngw.conf:12\n",
	       "and where it comes from");
	is_int(run(f, "- config cat --socket %s", f->path), 1, "a file that is gone: 1");
	snprintf(file, sizeof(file), "%s/vpngw.conf", f->dir);
	out_file = fopen(file, "w");
	fputs("[phase1]\n\tlifetime = \033[1m\n", out_file);
	fclose(out_file);
	f->file = file;
	is_int(run(f, "- config cat --socket %s", f->path), 0, "config cat shows files");
	ok(strncmp(out, "# /tmp/", 7) == 0 && strstr(out, "\n[phase1]\n lifetime = \\x1b[1m\n"),
	   "each with its name, and nothing that moves a cursor");
	unlink(file);
	is_int(run(f, "- config edit --socket %s", f->path), 2, "another word: 2");
}

static void test_usage(struct fake *f)
{
	static const char *const wrong[] = {
		"lst",
		"list x",
		"show",
		"show a b",
		"kick",
		"kick --all x",
		"status x",
		"leases release",
		"leases drop x",
		"leases pin 10.9.0.3",
		"leases pin alice host",
		"leases unpin alice 10.9.0.3",
		"--json=xml",
		"--bogus",
		"list --reason x",
		"list --sort colour",
		"list --watch=0",
		"list --watch=2s",
		"list --address ten",
		"list --peer 10.0.0.1/8",
		"list --wait",
		"show --user alice",
		"kick --user alice",
		"kick --all --pool default",
		"kick --pool default alice",
		"leases --peer 10.0.0.1",
		"status --all",
		"--socket",
		"leases release host",
		"passwd",
		"passwd --json x",
		"--json passwd --help",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		char name[80];

		snprintf(name, sizeof(name), "\"%s\" is a usage error", wrong[i]);
		is_int(run(f, "- %s", wrong[i]), 2, name);
	}
	run(f, "- lst");
	is_str(err, "vpngwctl: unknown verb lst; did you mean list?\n", "a near verb is named");
	run(f, "- '\x1b[2J'");
	ok(!strchr(err, '\x1b'), "what is typed is escaped too");
	is_int(run(f, "- --help"), 0, "--help");
	ok(strstr(out, "kick SESSION|USER|ADDRESS|--all") != NULL, "names the verbs");
	is_int(run(f, "- --version"), 0, "--version");
	is_str(out, "vpngwctl " VERSION "\n", "tells the version");
}

/* Runs it as somebody who is not root, and so subject to modes. */
static void test_denied(struct fake *f)
{
	pid_t pid;
	int status;

	if (getuid() != 0) {
		skip(2, "needs root to become somebody else");
		return;
	}
	chmod(f->dir, 0755);
	chmod(f->path, 0660);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		char copy[600];

		snprintf(copy, sizeof(copy), "%s/err", f->dir);
		dup2(open(copy, O_CREAT | O_WRONLY, 0666), STDERR_FILENO);
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		execl(program, program, "--socket", f->path, (char *)NULL);
		_exit(126);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		fake_turn(f, 1000);
	if (exit_code(status) == 126) {
		skip(2, "the program is where others cannot run it");
	} else {
		char path[600];
		int fd;

		is_int(exit_code(status), 5, "who may not use the socket: 5");
		snprintf(path, sizeof(path), "%s/err", f->dir);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		slurp(fd, err, sizeof(err));
		close(fd);
		ok(strstr(err, "you are not in group vpngw-admin") != NULL, "and how to change it");
	}
	run(f, "rm -f %s/err", f->dir);
}

static void test_exit_codes(struct fake *f)
{
	char want[256];
	int fd;

	fake_sessions(f, 3);
	is_int(run(f, "- --socket /nonexistent/control"), 3, "no socket: 3");
	is_str(err,
	       "vpngwctl: vpngw is not running (no /nonexistent/control): systemctl start vpngw\n",
	       "and what to do");
	snprintf(want, sizeof(want), "%s/dead", f->dir);
	fd = listen_at(want);
	close(fd);
	is_int(run(f, "- --socket %s", want), 3, "nobody listens: 3");
	unlink(want);
	is_int(run(f, "- show mallory --socket %s", f->path), 4, "no such user: 4");
	is_str(err, "vpngwctl: no session of user mallory\n", "and who");
	is_int(run(f, "- kick 5e559999 --socket %s", f->path), 4, "no such session: 4");
	is_str(err, "vpngwctl: no session or user 5e559999\n", "and which");
	is_int(run(f, "- show 10.99.99.99 --socket %s", f->path), 4, "no such address: 4");
	f->kick_error = -EPERM;
	is_int(run(f, "- kick 5e550001 --socket %s", f->path), 5,
	       "a kick that is not permitted: 5");
	f->kick_error = 0;
	is_int(run(f, "sh -c '\"$0\" --socket \"$CONTROL\" >/dev/full' %s", program), 1,
	       "an output that cannot be written: 1");
	fake_sessions(f, 5000);
	is_int(run(f, "sh -c '\"$0\" --socket \"$CONTROL\" | head -n 1' %s", program), 0,
	       "a reader that has enough is no error");
	memset(want, 'a', 200);
	strcpy(want + 200, "");
	is_int(run(f, "- --socket /%s", want), 2, "a path that is too long: 2");
	test_denied(f);
}

/* ---- other daemons ---- */

/* A daemon that answers anything with those bytes and hangs up. */
static int run_against(struct fake *f, const char *answer, size_t n)
{
	char path[128], line[256];
	int listener, err_fd = scratch(f), status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/other", f->dir);
	listener = listen_at(path);
	snprintf(line, sizeof(line), "- --json --socket %s", path);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		become(f, line);
	} else {
		char request[4096];
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 || read(fd, request, sizeof(request)) <= 0 ||
		    send(fd, answer, n, MSG_NOSIGNAL) < 0)
			abort();
		close(fd);
	}
	waitpid(pid, &status, 0);
	slurp(err_fd, err, sizeof(err));
	close(err_fd);
	close(listener);
	unlink(path);
	return exit_code(status);
}

static void test_other_daemons(struct fake *f)
{
	static const char newer[] = "{\"parameters\":{\"schema_version\":\"1.7\","
				    "\"sessions\":[{\"new\":1}]}}";
	static const struct {
		const char *answer, *says, *name;
	} daemon[] = {
		{ "", "closed the connection", "a daemon that says nothing" },
		{ "{\"parameters\":{\"schema_version\":\"2.0\",\"sessions\":[]}}",
		  "different versions", "a schema from the future" },
		{ "{\"parameters\":{\"schema_version\":\"1.7\",\"sessions\":{}}}",
		  "does not understand", "sessions of another shape" },
		{ "{\"parameters\":", "does not understand", "half an answer" },
		{ "\x1b[2J", "does not understand", "another protocol" },
		{ "{\"error\":\"x.y.\\u001b[2J\"}", "vpngw answered x.y.\\x1b[2J",
		  "an error nobody knows" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(daemon); i++) {
		size_t n = strlen(daemon[i].answer);
		char name[80];

		snprintf(name, sizeof(name), "%s: 1", daemon[i].name);
		is_int(run_against(f, daemon[i].answer, n ? n + 1 : 0), 1, name);
		if (!ok(strstr(err, daemon[i].says) != NULL, "and it is said"))
			printf("# %s", err);
	}
	is_int(run_against(f, newer, sizeof(newer)), 0, "a newer minor schema is understood");
}

static void test_varlinkctl(struct fake *f)
{
	if (run(f, "sh -c 'command -v varlinkctl'") != 0) {
		skip(4, "no varlinkctl on this machine");
		return;
	}
	fake_sessions(f, 3);
	is_int(run(f, "varlinkctl info %s", f->path), 0, "varlinkctl info");
	is_int(run(f, "varlinkctl introspect %s io.vpngw", f->path), 0, "varlinkctl introspect");
	is_int(run(f, "varlinkctl call --more %s io.vpngw.List {}", f->path), 0,
	       "varlinkctl call --more");
	ok(strstr(out, "user2") != NULL, "shows the sessions");
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	test_json(&f);
	test_show(&f);
	test_kick(&f);
	test_leases(&f);
	test_pin(&f);
	test_reload(&f);
	test_usage(&f);
	test_exit_codes(&f);
	test_other_daemons(&f);
	test_varlinkctl(&f);
	fake_stop(&f);
	return done();
}
