/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_authd.c - the real vpngw-authd with a users file: verdicts, times, limits, secrets. */
#include <grp.h>

#include "authd_run.h"

#define NAME_64     "abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz"
#define PASSWORD_63 "This password has sixty-three characters, blanks and #:'\"$ inclu"
#define PASSWORD_U  "P\xc3\xa4ssw\xc3\xb6rt-\xe2\x82\xac-\xf0\x9f\x94\x91"
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif
#define CANARY "canary-7b1e0c95-of-a-password"

static void users_file(const struct authd_run *r, const char *more)
{
	write_file(r->users, 0600,
		   "# test users\n"
		   "alice:%s:vpnusers,staff:10.99.99.7\n"
		   "bob:!%s:vpnusers\n"
		   "carol:%s:guests\n"
		   "dave:*:vpnusers\n"
		   "root:%s:vpnusers\n"
		   "%s:%s:vpnusers\n"
		   "j\xc3\xbcrgen:%s:vpnusers\n"
		   "long:%s:vpnusers\n%s",
		   quick_hash("right"), quick_hash("right"), quick_hash("right"),
		   quick_hash("right"), NAME_64, quick_hash("right"), quick_hash(PASSWORD_U),
		   quick_hash(PASSWORD_63), more);
}

static void verdicts(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "alice", .password = "right", .peer = "192.0.2.1" },
		{ .user = "alice", .password = "wrong", .peer = "192.0.2.2" },
		{ .user = "nobody-here", .password = "right", .peer = "192.0.2.3" },
		{ .user = "bob", .password = "right", .peer = "192.0.2.4" },
		{ .user = "root", .password = "right", .peer = "192.0.2.5" },
		{ .user = "alice", .password = "", .peer = "192.0.2.6" },
		{ .user = "", .password = "right", .peer = "192.0.2.7" },
		{ .user = NAME_64, .password = "right", .peer = "192.0.2.8" },
		{ .user = "long", .password = PASSWORD_63, .peer = "192.0.2.9" },
		{ .user = "j\xc3\xbcrgen", .password = PASSWORD_U, .peer = "2001:db8::1" },
		{ .user = "carol", .password = "right", .peer = "192.0.2.10" },
		{ .user = "dave", .password = "right", .peer = "192.0.2.11" },
		{ .user = "al\nice", .password = "right", .peer = "192.0.2.12" },
		{ .user = "Alice", .password = "right", .peer = "192.0.2.13" },
		{ .user = "alice", .password = "right", .peer = "not an address" },
	};
	bool timed = true;

	ask_all(r, a, 15, 20000);
	is_verdict(&a[0], AUTH_OK, NULL, "the right password gets in");
	is_str(a[0].reply.address, "10.99.99.7", "with the user's own address");
	ok(a[0].reply.n_groups == 2 && strcmp(a[0].reply.group[0], "vpnusers") == 0 &&
		   strcmp(a[0].reply.group[1], "staff") == 0,
	   "and the groups");
	is_verdict(&a[1], AUTH_DENIED, "wrong password", "a wrong password is denied");
	is_verdict(&a[2], AUTH_DENIED, "no such user", "an unknown user is denied");
	is_verdict(&a[3], AUTH_NOT_ALLOWED, "locked",
		   "a locked user with the right password is not allowed");
	is_verdict(&a[4], AUTH_NOT_ALLOWED, "root", "root is not allowed");
	is_verdict(&a[5], AUTH_DENIED, "empty", "W13: an empty password is denied");
	is_verdict(&a[6], AUTH_DENIED, "empty", "an empty name is denied");
	is_verdict(&a[7], AUTH_OK, NULL, "a name of 64 characters gets in");
	is_verdict(&a[8], AUTH_OK, NULL, "a password of 63 characters gets in");
	is_verdict(&a[9], AUTH_OK, NULL, "a UTF-8 name and password get in");
	is_verdict(&a[10], AUTH_NOT_ALLOWED, "groups", "who is in no allowed group does not");
	is_verdict(&a[11], AUTH_NOT_ALLOWED, "locked", "nor who has no password at all");
	is_verdict(&a[12], AUTH_DENIED, "control", "a line break in a name is denied");
	is_verdict(&a[13], AUTH_DENIED, "no such", "names are compared byte for byte");
	is_verdict(&a[14], AUTH_ERROR, "peer", "a peer must be an address");
	for (unsigned i = 0; i < 14; i++)
		timed = timed && (a[i].reply.verdict == AUTH_OK || on_the_second(&a[i]));
	ok(timed, "all refusals leave on the second, whatever their reason");
	ok(a[0].took < 0.9, "success does not wait");
}

static void raw_names(struct authd_run *r)
{
	struct auth_reply reply = { 0 };
	int fd = run_connect(r);

	ask_send(fd, 1, hex("616c69636500"), span_str("right"), "192.0.2.14");
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_DENIED,
	   "a NUL at the end of a name is denied");
	ask_send(fd, 2, span_str("alice"), hex("726967687400"), "192.0.2.15");
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_DENIED,
	   "a NUL at the end of a password is denied");
	ask_send(fd, 3, hex("3084ffffffff"), span_str("right"), "192.0.2.16");
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_DENIED,
	   "a name that is no text is denied");
	close(fd);
}

static void hostile_client(struct authd_run *r)
{
	struct span cut = hex("76706731 01 000000000000002a 0105 00");
	struct span noise = hex("00112233");
	struct auth_reply reply = { 0 };
	int fd = run_connect(r);
	char big[4096] = "";

	send(fd, cut.p, cut.n, MSG_NOSIGNAL);
	ok(ask_recv(fd, &reply, 5000) && reply.id == 42 && reply.verdict == AUTH_ERROR,
	   "a malformed request is answered by its id");
	send(fd, noise.p, noise.n, MSG_NOSIGNAL);
	send(fd, big, sizeof(big), MSG_NOSIGNAL);
	ask_send(fd, 43, span_str("alice"), span_str("right"), "192.0.2.20");
	ok(ask_recv(fd, &reply, 5000) && reply.id == 43 && reply.verdict == AUTH_OK,
	   "and the next request on the same connection is good");
	close(fd);
}

/* Whatever the process that faces the network may send: 3000 requests with a few bytes changed. */
static void noise(struct authd_run *r)
{
	struct auth_request q = { 1, span_str("alice"), span_str("right"), span_str("192.0.2.17") };
	struct ask after = { .user = "alice", .password = "right", .peer = "192.0.2.18" };
	uint8_t good[AUTH_REQUEST_MAX], buf[AUTH_REQUEST_MAX];
	int n = auth_put_request(good, sizeof(good), &q), fd = run_connect(r);
	struct auth_reply reply;
	uint32_t x = 12345;

	for (unsigned i = 0; i < 3000; i++) {
		size_t len;

		memcpy(buf, good, sizeof(buf));
		for (unsigned k = 0; k <= (x >> 28); k++) {
			x = x * 1664525 + 1013904223;
			buf[4 + (x >> 8) % (unsigned)(n - 4)] = (uint8_t)(x >> 20);
		}
		len = x & 16 ? (size_t)n : 1 + (x >> 9) % sizeof(buf);
		if (send(fd, buf, len, MSG_NOSIGNAL) < 0)
			bail("send");
		while (ask_recv(fd, &reply, 0))
			;
	}
	close(fd);
	ask_one(r, &after);
	is_verdict(&after, AUTH_OK, NULL, "3000 broken requests do no harm");
}

static void client_gone(struct authd_run *r)
{
	struct ask a = { .user = "alice", .password = "right", .peer = "192.0.2.21" };

	for (int round = 0; round < 5; round++) {
		int fd = run_connect(r);

		for (unsigned i = 0; i < 50; i++) {
			char peer[32];

			snprintf(peer, sizeof(peer), "198.51.100.%u", i);
			ask_send(fd, i, span_str("alice"), span_str(i % 2 ? "right" : "wrong"),
				 peer);
		}
		close(fd);
	}
	ask_one(r, &a);
	is_verdict(&a, AUTH_OK, NULL, "clients that leave their requests behind cost nothing");
	ok(a.took < 5, "not even time");
}

static void many_clients(struct authd_run *r)
{
	struct ask a = { .user = "alice", .password = "right", .peer = "192.0.2.22" };
	int fd[24];
	unsigned open_ends = 0;

	for (int i = 0; i < 24; i++)
		fd[i] = run_connect(r);
	pause_ms(200);
	for (int i = 0; i < 24; i++) {
		struct pollfd p = { .fd = fd[i], .events = POLLIN };

		open_ends += poll(&p, 1, 0) == 0;
	}
	is_int(open_ends, 16, "of 24 connections, 16 are kept");
	for (int i = 0; i < 24; i++)
		close(fd[i]);
	pause_ms(100);
	ask_one(r, &a);
	is_verdict(&a, AUTH_OK, NULL, "and there is room again when they are gone");
}

static void file_changes(struct authd_run *r)
{
	struct ask eve = { .user = "eve", .password = "right", .peer = "192.0.2.30" };
	struct ask alice = { .user = "alice", .password = "right", .peer = "192.0.2.31" };
	char line[300];

	ask_one(r, &eve);
	is_verdict(&eve, AUTH_DENIED, "no such", "before she is added, eve is denied");
	snprintf(line, sizeof(line), "eve:%s:vpnusers\n", quick_hash("right"));
	users_file(r, line);
	ask_one(r, &eve);
	is_verdict(&eve, AUTH_OK, NULL, "after, she gets in without a restart");
	users_file(r, "eve:plaintext:vpnusers\n");
	ask_one(r, &alice);
	is_verdict(&alice, AUTH_ERROR, "/users:10:5: hash",
		   "a mistake is an error with file, line and column");
	unlink(r->users);
	ask_one(r, &alice);
	is_verdict(&alice, AUTH_ERROR, "No such file", "a missing file is an error");
	users_file(r, "");
	ask_one(r, &alice);
	is_verdict(&alice, AUTH_OK, NULL, "and all is well when it is back");
}

static void strangers(struct authd_run *r)
{
	pid_t pid;
	int st = 0;

	if (geteuid() != 0) {
		skip(1, "needs root to become somebody else");
		return;
	}
	chmod(r->sock, 0666); /* past the file's mode, so that SO_PEERCRED decides */
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct auth_reply reply;
		int fd;

		signal(SIGPIPE, SIG_IGN);
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		fd = run_connect(r);
		if (fd < 0)
			_exit(4);
		pause_ms(200);
		if (send(fd, "x", 1, MSG_NOSIGNAL) >= 0)
			_exit(1);
		_exit(ask_recv(fd, &reply, 100) ? 2 : 0);
	}
	waitpid(pid, &st, 0);
	is_int(WIFEXITED(st) ? WEXITSTATUS(st) : -1, 0, "another user's process is turned away");
}

/* How often `needle` is in the memory of a process; -1 when it may not be read. */
static int count_in_memory(pid_t pid, const char *needle)
{
	static char buf[1 << 20];
	char path[64], line[256];
	unsigned long from, to;
	size_t n = strlen(needle);
	FILE *maps;
	int mem, found = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (mem < 0 || !maps)
		return -1;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || !strstr(line, " rw"))
			continue;
		for (unsigned long at = from; at < to; at += sizeof(buf) - 256) {
			size_t want = to - at < sizeof(buf) ? to - at : sizeof(buf);
			ssize_t got = pread(mem, buf, want, (off_t)at);

			for (char *p = buf;
			     got > 0 && (p = memmem(p, (size_t)(buf + got - p), needle, n)); p++)
				found++;
		}
	}
	fclose(maps);
	close(mem);
	return found;
}

static void secrets(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "alice", .password = CANARY "-1", .peer = "192.0.2.50" },
		{ .user = "nobody-here", .password = CANARY "-2", .peer = "192.0.2.51" },
		{ .user = "root", .password = CANARY "-3", .peer = "192.0.2.52" },
		{ .user = "canary", .password = CANARY, .peer = "192.0.2.53" },
	};
	pid_t pid[64];
	unsigned n;
	char line[300], *log;
	int found;

	snprintf(line, sizeof(line), "canary:%s:vpnusers\n", quick_hash(CANARY));
	users_file(r, line);
	ask_all(r, a, 4, 10000);
	is_verdict(&a[3], AUTH_OK, NULL, "the canary's password is right");
	n = children_of(r->pid, pid, 63);
	is_int(n, 3, "three workers are there");
	pid[n++] = r->pid;
	if (SANITIZED || count_in_memory(r->pid, "vpngw-authd") < 1) {
		skip(1, SANITIZED ? "the address sanitizer keeps what was freed"
				  : "needs root to search the memory of processes");
	} else {
		found = 0;
		for (unsigned i = 0; i < n; i++)
			found += count_in_memory(pid[i], CANARY);
		is_int(found, 0, "no password is left in the memory of authd and its workers");
	}
	log = read_file(r->log);
	ok(strstr(log, "Login of nobody-here from 192.0.2.3: denied: no such user"),
	   "the journal names user, peer and reason");
	ok(strstr(log, "Login of al\\x0aice from"), "with control characters escaped");
	ok(!strstr(log, "canary-7b1e") && !strstr(log, "right") && !strstr(log, "$6$"),
	   "and neither passwords nor hashes");
	free(log);
}

/* Running, and not merely waiting to be reaped by process 1. */
static unsigned count_alive(const pid_t *pid, unsigned n)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < n; i++) {
		char path[64], stat[512] = "", *p;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid[i]);
		f = fopen(path, "r");
		if (!f)
			continue;
		p = fgets(stat, sizeof(stat), f) ? strrchr(stat, ')') : NULL;
		alive += p && strncmp(p, ") Z", 3) != 0;
		fclose(f);
	}
	return alive;
}

/* SIGHUP, which systemctl kill gives to all its processes. */
static void hangup(struct authd_run *r)
{
	struct ask a = { .user = "alice", .password = "right", .peer = "192.0.2.61" };
	pid_t pid[64], after[64];
	unsigned n = children_of(r->pid, pid, 64);
	char *log;

	kill(r->pid, SIGHUP);
	for (unsigned i = 0; i < n; i++)
		kill(pid[i], SIGHUP);
	ask_one(r, &a);
	is_verdict(&a, AUTH_OK, NULL, "after SIGHUP it answers");
	ok(children_of(r->pid, after, 64) == n && memcmp(pid, after, n * sizeof(*pid)) == 0,
	   "by the same workers");
	log = read_file(r->log);
	ok(strstr(log, "a reload is not yet supported"), "and says that this is all");
	free(log);
}

static void stops(struct authd_run *r)
{
	pid_t pid[64];
	unsigned n = children_of(r->pid, pid, 64);

	is_int(run_stop(r, SIGTERM), 0, "SIGTERM ends it with status 0");
	ok(access(r->sock, F_OK) < 0, "its socket is gone");
	is_int(count_alive(pid, n), 0, "and so are its workers");
}

static void killed(struct authd_run *r)
{
	struct ask a = { .user = "alice", .password = "right", .peer = "192.0.2.60" };
	pid_t pid[64];
	unsigned n;

	ok(run_start(r), "it starts again");
	n = children_of(r->pid, pid, 64);
	run_stop(r, SIGKILL);
	pause_ms(200);
	is_int(count_alive(pid, n), 0, "after SIGKILL no worker is left");
	ok(access(r->sock, F_OK) == 0 && run_start(r), "the socket it left does not stop the next");
	ask_one(r, &a);
	is_verdict(&a, AUTH_OK, NULL, "which answers");
	run_stop(r, SIGTERM);
}

int main(void)
{
	struct authd_run r;

	run_init(&r);
	users_file(&r, "");
	run_conf(&r, "auth_source = file\nworkers = 3\ngroups = vpnusers\nfail_limit = off\n");
	if (!ok(run_start(&r), "vpngw-authd starts")) {
		char *log = read_file(r.log);

		printf("# %s\n", log);
		return done();
	}
	verdicts(&r);
	raw_names(&r);
	hostile_client(&r);
	noise(&r);
	client_gone(&r);
	many_clients(&r);
	file_changes(&r);
	strangers(&r);
	secrets(&r);
	hangup(&r);
	stops(&r);
	killed(&r);
	run_done(&r);
	return done();
}
