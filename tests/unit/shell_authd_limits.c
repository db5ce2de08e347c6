/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_authd_limits.c - the real vpngw-authd where something runs out: tries, room, time; and as a
 * service of systemd.
 */
#include "authd_run.h"

/* About `want` seconds of work for one check: the cost doubles with each step. */
static const char *slow_hash(double want)
{
	static char out[CRYPT_OUTPUT_SIZE];
	static struct crypt_data data;
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];

	for (unsigned cost = 4; cost < 16; cost++) {
		double start = now_s();

		crypt_gensalt_rn("$2b$", cost, NULL, 0, salt, sizeof(salt));
		snprintf(out, sizeof(out), "%s", crypt_r("slow", salt, &data));
		if (now_s() - start > want)
			break;
	}
	return out;
}

static void users_file(const struct authd_run *r, const char *slow)
{
	write_file(r->users, 0600, "alice:%s\nbob:%s\nslow:%s\n", quick_hash("right"),
		   quick_hash("right"), slow);
}

static void throttled(struct authd_run *r)
{
	struct ask wrong[] = {
		{ .user = "alice", .password = "1", .peer = "192.0.2.1" },
		{ .user = "alice", .password = "2", .peer = "192.0.2.1" },
		{ .user = "alice", .password = "3", .peer = "192.0.2.1" },
	};
	struct ask right = { .user = "alice", .password = "right", .peer = "192.0.2.1" };
	struct ask home = { .user = "alice", .password = "right", .peer = "198.51.100.1" };
	struct ask flood[40];
	unsigned denied = 0, refused = 0, answered = 0;
	int fd;

	run_conf(r, "auth_source = file\nworkers = 2\ndeadline = 2s\nfail_limit = 3/10m\n");
	ok(run_start(r), "vpngw-authd starts");
	ask_all(r, wrong, 3, 10000);
	is_verdict(&wrong[2], AUTH_DENIED, NULL, "three wrong passwords are denied");
	ask_one(r, &right);
	is_verdict(&right, AUTH_OK, NULL, "the right one gets in after the delay, not locked out");
	for (unsigned i = 0; i < 40; i++)
		flood[i] = (struct ask){ .user = "alice", .password = "x", .peer = "192.0.2.1" };
	ask_all(r, flood, 40, 12000);
	for (unsigned i = 0; i < 40; i++) {
		answered += flood[i].answered;
		denied += flood[i].answered && flood[i].reply.verdict == AUTH_DENIED;
		refused += flood[i].answered && flood[i].reply.verdict == AUTH_THROTTLED;
	}
	printf("# of 40 guesses at once: %u checked, %u throttled\n", denied, refused);
	is_int(answered, 40, "all of 40 guesses at once are answered");
	ok(denied <= 8 && denied + refused == 40, "few of them with a check");
	fd = run_connect(r);
	ask_send(fd, 1, span_str("alice"), span_str("x"), "192.0.2.1");
	pause_ms(500);
	ask_one(r, &right);
	is_verdict(&right, AUTH_THROTTLED, "next check in",
		   "where the delay is longer than the deadline, the right password is refused");
	ok(right.took > 1.9 && right.took < 3, "held until its deadline");
	close(fd);
	ask_one(r, &home);
	is_verdict(&home, AUTH_OK, NULL, "and lets in from elsewhere");
	ok(home.took < 0.9, "at once");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

static void queue_full(struct authd_run *r)
{
	struct ask a[6];
	unsigned busy = 0, good = 0;

	users_file(r, slow_hash(0.3));
	run_conf(r, "auth_source = file\nworkers = 1\nmax_pending = 2\ndeadline = 30s\n");
	ok(run_start(r), "vpngw-authd starts with one worker and a queue of two");
	for (unsigned i = 0; i < 6; i++)
		a[i] = (struct ask){ .user = "slow", .password = "slow", .peer = "192.0.2.1" };
	ask_all(r, a, 6, 30000);
	for (unsigned i = 0; i < 6; i++) {
		busy += a[i].answered && a[i].reply.verdict == AUTH_BUSY && a[i].took < 0.9;
		good += a[i].answered && a[i].reply.verdict == AUTH_OK;
	}
	is_int(busy, 3, "of six at once, three are told at once that it is busy");
	is_int(good, 3, "and three get in");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

static void deadline(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "slow", .password = "slow", .peer = "192.0.2.1" },
		{ .user = "slow", .password = "slow", .peer = "192.0.2.2" },
		{ .user = "slow", .password = "slow", .peer = "192.0.2.3" },
	};
	struct ask quick = { .user = "alice", .password = "right", .peer = "192.0.2.4" };

	users_file(r, slow_hash(2.5));
	run_conf(r, "auth_source = file\nworkers = 2\ndeadline = 1s\n");
	ok(run_start(r), "vpngw-authd starts with a deadline of 1 s");
	ask_all(r, a, 3, 8000);
	is_verdict(&a[0], AUTH_TIMEOUT, "did not end", "a check that takes longer is ended");
	is_verdict(&a[2], AUTH_TIMEOUT, NULL, "the deadline covers the time in the queue, too");
	ok(a[0].took > 0.9 && a[0].took < 1.9 && a[2].took < 1.9, "after one second");
	ask_one(r, &quick);
	is_verdict(&quick, AUTH_OK, NULL, "and new workers answer");
	ok(quick.took < 0.9, "at once");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

static void recycled(struct authd_run *r)
{
	pid_t before[4] = { 0 }, after[4] = { 0 };
	struct ask a[110], one = { .user = "alice", .password = "right", .peer = "192.0.2.1" };
	unsigned good = 0;

	run_conf(r, "auth_source = file\nworkers = 1\n");
	ok(run_start(r), "vpngw-authd starts with one worker");
	ask_one(r, &one);
	is_int(children_of(r->pid, before, 4), 1, "which is there");
	for (unsigned i = 0; i < 1100; i++) {
		a[i % 110] =
			(struct ask){ .user = "alice", .password = "right", .peer = "192.0.2.1" };
		if (i % 110 < 109)
			continue;
		ask_all(r, a, 110, 20000);
		for (unsigned k = 0; k < 110; k++)
			good += a[k].answered && a[k].reply.verdict == AUTH_OK;
	}
	is_int(good, 1100, "1100 right passwords get in");
	ask_one(r, &one);
	is_int(children_of(r->pid, after, 4), 1, "one worker is there");
	ok(after[0] != before[0], "another than at first");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

/* ---- as systemd starts it ---- */

static int bind_unix(const char *path, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		bail(path);
	return fd;
}

static void exec_as_service(const struct authd_run *r, int listener, const char *notify)
{
	char path[256], pid[32];

	dup2(listener, 3);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("NOTIFY_SOCKET", notify, 1);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "600000", 1);
	program("vpngw-authd", path, sizeof(path));
	execl(path, path, "--config", r->conf, (char *)NULL);
	_exit(127);
}

/* Whether a notification that holds `want` comes within ms. */
static bool notified(int fd, const char *want, int ms)
{
	double end = now_s() + ms / 1000.0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[1024];

	while (now_s() < end && poll(&p, 1, (int)((end - now_s()) * 1000) + 1) > 0) {
		ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

		buf[n > 0 ? n : 0] = '\0';
		if (strstr(buf, want))
			return true;
	}
	return false;
}

static void activated(struct authd_run *r)
{
	struct ask a = { .user = "alice", .password = "right", .peer = "192.0.2.1" };
	char notify[128];
	int listener, notes, first;

	users_file(r, "!");
	run_conf(r, "auth_source = file\n");
	snprintf(notify, sizeof(notify), "%s/notify", r->dir);
	notes = bind_unix(notify, SOCK_DGRAM);
	listener = bind_unix(r->sock, SOCK_SEQPACKET);
	if (listen(listener, 16) < 0)
		bail("listen");
	first = run_connect(r); /* before anybody is there to accept */
	ask_send(first, 7, span_str("alice"), span_str("right"), "192.0.2.2");
	fflush(stdout);
	r->pid = fork();
	if (r->pid == 0)
		exec_as_service(r, listener, notify);
	ok(notified(notes, "STATUS=Checks passwords with file", 5000), "it tells its status");
	ok(notified(notes, "READY=1", 5000), "and that it is ready");
	ok(ask_recv(first, &a.reply, 3000) && a.reply.id == 7 && a.reply.verdict == AUTH_OK,
	   "a request that was there before it is answered");
	ask_one(r, &a);
	is_verdict(&a, AUTH_OK, NULL, "the socket it was passed works");
	ok(notified(notes, "WATCHDOG=1", 3000), "it feeds the watchdog");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
	ok(notified(notes, "STOPPING=1", 1000), "and says so");
	ok(access(r->sock, F_OK) == 0, "a socket that was passed stays");
	close(first);
	close(listener);
	close(notes);
	unlink(r->sock);
}

static int exit_of(const char *args)
{
	char cmd[512], path[256];
	int st;

	snprintf(cmd, sizeof(cmd), "%s %s >/dev/null 2>&1",
		 program("vpngw-authd", path, sizeof(path)), args);
	st = system(cmd);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void options(struct authd_run *r)
{
	char args[256];

	is_int(exit_of("--help"), 0, "--help is 0");
	is_int(exit_of("--version"), 0, "--version is 0");
	is_int(exit_of("--nonsense"), 2, "an unknown option is 2");
	is_int(exit_of("--help-me please"), 2, "an argument is 2");
	snprintf(args, sizeof(args), "--config %s/none --listen %s", r->dir, r->sock);
	is_int(exit_of(args), 6, "a missing configuration is 6");
	snprintf(args, sizeof(args), "--config %s", r->conf);
	is_int(exit_of(args), 2, "no socket is 2");
	snprintf(args, sizeof(args), "--config %s --listen /nonexistent/auth", r->conf);
	is_int(exit_of(args), 1, "a socket that cannot be made is 1");
	ok(run_start(r), "one runs");
	snprintf(args, sizeof(args), "--config %s --listen %s", r->conf, r->sock);
	is_int(exit_of(args), 1, "a second one on its socket is 1");
	is_int(run_stop(r, SIGINT), 0, "SIGINT ends it as well");
}

int main(void)
{
	struct authd_run r;

	run_init(&r);
	users_file(&r, "!");
	throttled(&r);
	queue_full(&r);
	deadline(&r);
	recycled(&r);
	activated(&r);
	options(&r);
	run_done(&r);
	return done();
}
