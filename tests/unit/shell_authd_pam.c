/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_authd_pam.c - the real vpngw-authd with PAM: modules that hang, crash and ask too much, and
 * pam_unix over users of our own.
 *
 * /etc/pam.d, /etc/passwd, /etc/shadow and /etc/group are replaced by files of the test, in a mount
 * namespace that nobody else sees. Skips where such a namespace cannot be made.
 */
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "auth/authd.h"
#include "authd_run.h"

#define MODULE "tests/unit/pam_test_module.c"

static char pam_dir[96], notes_dir[96];

/* ---- a world of its own ---- */

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool own_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char uids[32], gids[32];

	if (uid == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			return false;
	} else {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		snprintf(uids, sizeof(uids), "0 %u 1", uid);
		snprintf(gids, sizeof(gids), "0 %u 1", gid);
		if (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", uids) ||
		    !put("/proc/self/gid_map", gids))
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool build_module(const struct authd_run *r)
{
	const char *cc = getenv("CC");
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "%s -shared -fPIC -D_GNU_SOURCE -o %s/pam_test.so %s -lpam",
		 cc ? cc : "cc", r->dir, MODULE);
	return access(MODULE, R_OK) == 0 && system(cmd) == 0;
}

static void cover(const struct authd_run *r, const char *name, const char *over)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	if (mount(path, over, NULL, MS_BIND, NULL) < 0)
		bail(over);
}

static void make_world(const struct authd_run *r)
{
	char path[160], clubs[2048] = "";

	for (unsigned i = 0; i < LIMIT_GROUPS + 8; i++)
		sprintf(clubs + strlen(clubs), "club%u:x:%u:joiner\n", i, 7100 + i);
	snprintf(pam_dir, sizeof(pam_dir), "%s/pam.d", r->dir);
	snprintf(notes_dir, sizeof(notes_dir), "%s/notes", r->dir);
	if (mkdir(pam_dir, 0755) < 0 || mkdir(notes_dir, 0777) < 0 || chmod(notes_dir, 0777) < 0)
		bail(pam_dir);
	snprintf(path, sizeof(path), "%s/vpngw", pam_dir);
	write_file(path, 0644,
		   "auth required %s/pam_test.so %s\naccount required %s/pam_test.so %s\n", r->dir,
		   notes_dir, r->dir, notes_dir);
	snprintf(path, sizeof(path), "%s/passwd", r->dir);
	write_file(path, 0644,
		   "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"
		   "good:x:7001:7001::/nonexistent:/bin/sh\n"
		   "unixuser:x:7002:7002::/nonexistent:/usr/sbin/nologin\n"
		   "unixlocked:x:7003:7002::/nonexistent:/bin/sh\n"
		   "unixold:x:7004:7002::/nonexistent:/bin/sh\n"
		   "joiner:x:7005:7001::/nonexistent:/bin/sh\n"
		   "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
	snprintf(path, sizeof(path), "%s/group", r->dir);
	write_file(path, 0644,
		   "root:x:0:\nshadow:x:42:\ngoodies:x:7001:\nstaff:x:7002:\n"
		   "%svpnusers:x:7010:good,unixuser,joiner\nlab:x:7011:joiner\n"
		   "nogroup:x:65534:\n",
		   clubs);
	snprintf(path, sizeof(path), "%s/shadow", r->dir);
	write_file(path, 0640,
		   "root:%s:19000::::::\ntoor:%s:19000::::::\nunixuser:%s:19000::::::\n"
		   "unixlocked:!%s:19000::::::\nunixold:%s:19000:::::19001:\n",
		   quick_hash("right"), quick_hash("right"), quick_hash("right"),
		   quick_hash("right"), quick_hash("right"));
	if (chown(path, (uid_t)-1, 42) < 0)
		printf("# group shadow cannot be given to the test's shadow file\n");
	cover(r, "pam.d", "/etc/pam.d");
	cover(r, "passwd", "/etc/passwd");
	cover(r, "group", "/etc/group");
	cover(r, "shadow", "/etc/shadow");
}

static bool was_asked(const char *user)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/asked-%s", notes_dir, user);
	return access(path, F_OK) == 0;
}

/* ---- modules ---- */

static void verdicts(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "good", .password = "right", .peer = "192.0.2.1" },
		{ .user = "good", .password = "wrong", .peer = "192.0.2.2" },
		{ .user = "root", .password = "right", .peer = "192.0.2.3" },
		{ .user = "toor", .password = "right", .peer = "192.0.2.4" },
		{ .user = "toroot", .password = "right", .peer = "192.0.2.5" },
		{ .user = "twice", .password = "right", .peer = "192.0.2.6" },
		{ .user = "polite", .password = "right", .peer = "192.0.2.7" },
		{ .user = "expired", .password = "right", .peer = "192.0.2.10" },
		{ .user = "gone", .password = "right", .peer = "192.0.2.11" },
		{ .user = "broken", .password = "right", .peer = "192.0.2.12" },
		{ .user = "items", .password = "right", .peer = "192.0.2.77" },
		{ .user = "noisy", .password = "right", .peer = "192.0.2.13" },
		{ .user = "canonical", .password = "right", .peer = "192.0.2.14" },
		{ .user = "good", .password = "", .peer = "192.0.2.15" },
		{ .user = "../good", .password = "right", .peer = "192.0.2.16" },
	};

	ask_all(r, a, 15, 10000);
	is_verdict(&a[0], AUTH_OK, NULL, "the right password gets in");
	ok(a[0].reply.n_groups == 2 && strcmp(a[0].reply.group[0], "goodies") == 0 &&
		   strcmp(a[0].reply.group[1], "vpnusers") == 0,
	   "with the system's groups");
	is_verdict(&a[1], AUTH_DENIED, "beware", "a wrong one is denied");
	ok(!strchr(a[1].reply.reason, '\033'), "and the module's text made safe to show");
	ok(on_the_second(&a[1]) && a[1].took < 4, "after a second, not after the module's five");
	is_verdict(&a[2], AUTH_NOT_ALLOWED, "root", "root is not allowed");
	ok(!was_asked("root"), "and PAM is not asked");
	is_verdict(&a[3], AUTH_NOT_ALLOWED, "uid 0", "nor is another name of uid 0");
	ok(!was_asked("toor"), "of whom PAM is not asked, either");
	is_verdict(&a[4], AUTH_NOT_ALLOWED, "uid 0", "nor a name that a module turns into root");
	is_verdict(&a[5], AUTH_OK, NULL, "a second question for the password is answered");
	is_verdict(&a[6], AUTH_OK, NULL, "a question for the name, too");
	is_verdict(&a[7], AUTH_NOT_ALLOWED, "expired", "an expired password is not allowed");
	is_verdict(&a[8], AUTH_NOT_ALLOWED, "expired", "nor an expired account");
	is_verdict(&a[9], AUTH_ERROR, "service vpngw, auth",
		   "a module without a source is an error");
	is_verdict(&a[10], AUTH_OK, NULL, "modules see the peer and the terminal");
	is_verdict(&a[11], AUTH_OK, NULL, "a module may print");
	ok(a[12].reply.verdict == AUTH_OK && a[12].reply.n_groups == 2,
	   "the groups are those of the name that PAM made of it");
	is_verdict(&a[13], AUTH_DENIED, "empty", "W13: an empty password is denied");
	is_verdict(&a[14], AUTH_DENIED, "slash", "a name that is a path is denied");
}

/* Processes that run with this run's configuration on their command line: vpngw-authd, its workers,
 * and what a module forked. Dead ones that wait for their parent have none. */
static unsigned count_processes(const struct authd_run *r)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		char path[300], line[512] = "";
		ssize_t len;
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		fd = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? open(path, O_RDONLY | O_CLOEXEC)
								: -1;
		if (fd < 0)
			continue;
		len = read(fd, line, sizeof(line));
		n += len > 0 && memmem(line, (size_t)len, r->conf, strlen(r->conf));
		close(fd);
	}
	if (d)
		closedir(d);
	return n;
}

/* A fork, or a signal, takes a moment. */
static bool are_processes(const struct authd_run *r, unsigned want)
{
	unsigned n = want + 1;

	for (unsigned i = 0; i < 250 && (n = count_processes(r)) != want; i++)
		pause_ms(20);
	if (n != want)
		printf("# %u processes, not %u\n", n, want);
	return n == want;
}

/* ---- questions ---- */

/* Says the password of `user`, whose module then asks `prompt`. */
static bool is_asked(int fd, uint64_t id, const char *user, enum auth_ask ask, const char *prompt,
		     const char *peer)
{
	char got[LIMIT_PROMPT + 1] = "";
	struct auth_question q = { 0 };

	ask_send(fd, id, span_str(user), span_str("right"), peer);
	if (ask_question(fd, &q, got, 5000) && q.id == id && q.ask == ask &&
	    strcmp(got, prompt) == 0)
		return true;
	printf("# %s: asked \"%s\"\n", user, got);
	return false;
}

static bool ends(int fd, enum auth_verdict want, const char *reason)
{
	struct auth_reply r;

	if (ask_recv(fd, &r, 8000) && r.verdict == want && (!reason || strstr(r.reason, reason)))
		return true;
	printf("# %s: %s\n", auth_verdict_str(r.verdict), r.reason);
	return false;
}

#define OTP "\\x1b[2Jbeware One-time password:"

static void questions(struct authd_run *r)
{
	struct auth_question q;
	char prompt[LIMIT_PROMPT + 1];
	unsigned n = 0;
	double start;
	int fd = run_connect(r);

	ok(is_asked(fd, 1, "otp", AUTH_ASK_PASSCODE, OTP, "192.0.2.8"),
	   "a question for a code goes to the user, with what the module said before it");
	ask_answer(fd, 1, "271828");
	ok(ends(fd, AUTH_OK, NULL), "who answers it right gets in");
	ok(is_asked(fd, 2, "otp", AUTH_ASK_PASSCODE, OTP, "192.0.2.9"), "it is asked again");
	pause_ms(1500);
	start = now_s();
	ask_answer(fd, 2, "314159");
	ok(ends(fd, AUTH_DENIED, "after the answer to \"One-time password:\""),
	   "a wrong answer is denied, with the step at which it was");
	start = now_s() - start;
	ok(start > 0.98 && (start < 1.3 || start > 1.98), "a full second after the answer");
	ok(is_asked(fd, 3, "question", AUTH_ASK_ANSWER,
		    "\\x1b[2Jbeware Favourite colour:", "192.0.2.8"),
	   "an answer that may be seen is asked for as such, in one line");
	ask_answer(fd, 3, "blue");
	ok(ends(fd, AUTH_OK, NULL), "and checked");
	ok(is_asked(fd, 4, "pin", AUTH_ASK_PIN,
		    "\\x1b[2Jbeware Your PIN has expired.\\x1b[2J Four digits. Enter a new PIN:",
		    "192.0.2.8"),
	   "so is a new PIN, with errors and remarks in front of it");
	ask_answer(fd, 4, "1234");
	ok(ask_question(fd, &q, prompt, 5000) && q.ask == AUTH_ASK_ANSWER &&
		   strcmp(prompt, "Keep it?") == 0,
	   "a further question has its own words alone");
	ask_answer(fd, 4, "");
	ok(ends(fd, AUTH_OK, NULL), "and may have an empty answer");
	ask_send(fd, 5, span_str("curious"), span_str("right"), "192.0.2.10");
	while (n < 100 && ask_question(fd, &q, prompt, 3000)) {
		n++;
		ask_answer(fd, 5, "y");
	}
	is_int(n, 7, "N186b: a module that never stops to ask is stopped");
	ok(is_asked(fd, 6, "dies", AUTH_ASK_ANSWER, "\\x1b[2Jbeware Now?", "192.0.2.8"),
	   "a module asks");
	ask_answer(fd, 6, "yes");
	ok(ends(fd, AUTH_ERROR, "died"), "and may die of the answer");
	close(fd);
}

/* Two workers, and more users than that who think. */
static void thinking(struct authd_run *r)
{
	struct ask a = { .user = "good", .password = "right", .peer = "192.0.2.70" };
	unsigned asked = 0, right = 0;
	struct auth_reply reply;
	char user[16], peer[32];
	int fd = run_connect(r);

	for (unsigned i = 0; i < AUTHD_ASKING; i++) {
		snprintf(user, sizeof(user), "otp%u", i);
		snprintf(peer, sizeof(peer), "198.51.100.%u", i);
		asked += is_asked(fd, i, user, AUTH_ASK_PASSCODE, OTP, peer);
	}
	is_int(asked, AUTHD_ASKING, "64 users may think at once");
	ok(are_processes(r, 3 + AUTHD_ASKING), "each has a process, and two workers are left");
	is_int(ask_one(r, &a), AUTH_OK, "which check passwords meanwhile");
	ask_send(fd, 99, span_str("otp"), span_str("right"), "192.0.2.71");
	ok(ends(fd, AUTH_BUSY, "64 users"), "one more is told that it is busy");
	ask_answer(fd, 7777, "271828");
	for (unsigned i = 0; i < AUTHD_ASKING / 2; i++)
		ask_answer(fd, i, "271828");
	for (unsigned i = 0; i < AUTHD_ASKING / 2; i++)
		right += ask_recv(fd, &reply, 8000) && reply.verdict == AUTH_OK;
	is_int(right, AUTHD_ASKING / 2, "those who answer get in");
	for (unsigned i = AUTHD_ASKING / 2; i < AUTHD_ASKING - 1; i++)
		ask_answer(fd, i, NULL);
	ok(are_processes(r, 4), "who does not leaves no process behind");
	ok(!ask_recv(fd, &reply, 1200), "and hears nothing more");
	close(fd);
	ok(are_processes(r, 3), "nor does the last one, when the gateway is gone");
	is_int(ask_one(r, &a), AUTH_OK, "and both workers work");
	fd = run_connect(r);
	for (unsigned i = 0; i < AUTHD_ASKING_PER_SOURCE; i++)
		ok(is_asked(fd, i, "otp", AUTH_ASK_PASSCODE, OTP, "192.0.2.72"),
		   "%u from one address", i + 1);
	ask_send(fd, 99, span_str("otp"), span_str("right"), "192.0.2.72");
	ok(ends(fd, AUTH_BUSY, NULL), "and no more than that");
	close(fd);
	ok(are_processes(r, 3), "and all of them go");
}

static void accidents(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "hang", .password = "right", .peer = "192.0.2.20" },
		{ .user = "crash", .password = "right", .peer = "192.0.2.21" },
		{ .user = "exit", .password = "right", .peer = "192.0.2.22" },
		{ .user = "closer", .password = "right", .peer = "192.0.2.23" },
		{ .user = "slow", .password = "right", .peer = "192.0.2.24" },
		{ .user = "good", .password = "right", .peer = "192.0.2.25" },
		{ .user = "forker", .password = "right", .peer = "192.0.2.26" },
		{ .user = "polite", .password = "right", .peer = "192.0.2.27" },
	};
	struct ask after[] = {
		{ .user = "good", .password = "right", .peer = "192.0.2.28" },
		{ .user = "slow", .password = "right", .peer = "192.0.2.28" },
	};

	ask_all(r, a, 8, 10000);
	is_verdict(&a[0], AUTH_TIMEOUT, "did not end",
		   "a module that hangs runs into the deadline");
	ok(a[0].took > 2.9 && a[0].took < 4, "of three seconds");
	is_verdict(&a[1], AUTH_ERROR, "died", "a module that crashes costs its own request");
	is_verdict(&a[2], AUTH_ERROR, "died", "one that ends the process, too");
	is_verdict(&a[3], AUTH_ERROR, "died", "and one that closes every descriptor");
	is_verdict(&a[4], AUTH_OK, NULL, "meanwhile others are answered");
	is_verdict(&a[5], AUTH_OK, NULL, "one");
	is_verdict(&a[6], AUTH_OK, NULL, "after");
	is_verdict(&a[7], AUTH_OK, NULL, "the other");
	ok(a[4].took < 2.5 && a[5].took < 2.5 && a[6].took < 2.5 && a[7].took < 2.5,
	   "without waiting for the one that hangs");
	ask_all(r, after, 2, 10000);
	ok(after[0].reply.verdict == AUTH_OK && after[1].reply.verdict == AUTH_OK &&
		   after[1].took < 2.5,
	   "and both workers work again");
	/* The one that hung had one, too, and went with its worker. */
	ok(are_processes(r, 4), "beside the process that a module has left behind");
}

static void queue(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "hang", .password = "right", .peer = "192.0.2.30" },
		{ .user = "hang2", .password = "right", .peer = "192.0.2.31" },
		{ .user = "good", .password = "right", .peer = "192.0.2.32" },
		{ .user = "good", .password = "right", .peer = "192.0.2.33" },
		{ .user = "good", .password = "right", .peer = "192.0.2.34" },
	};

	double start;
	int fd;

	run_conf(r, "auth_source = pam\nworkers = 2\nmax_pending = 2\ndeadline = 2s\n");
	ok(run_start(r), "it starts with a queue of two");
	ask_all(r, a, 5, 10000);
	is_verdict(&a[0], AUTH_TIMEOUT, NULL, "with both workers hanging");
	is_verdict(&a[2], AUTH_TIMEOUT, NULL, "two requests wait, in vain");
	is_verdict(&a[4], AUTH_BUSY, NULL, "and one is told that it is busy");
	ok(a[4].took < 0.9, "at once");
	ask_one(r, &a[2]);
	is_verdict(&a[2], AUTH_OK, NULL, "then all is well again");
	fd = run_connect(r);
	ask_send(fd, 1, span_str("hang"), span_str("right"), "192.0.2.35");
	pause_ms(200);
	start = now_s();
	is_int(run_stop(r, SIGTERM), 0, "it ends while a module hangs");
	ok(now_s() - start < 1.5, "without waiting for that");
	close(fd);
}

static bool has_group(const struct auth_reply *a, const char *name)
{
	for (unsigned i = 0; i < a->n_groups; i++)
		if (strcmp(a->group[i], name) == 0)
			return true;
	return false;
}

static void groups(struct authd_run *r)
{
	struct ask a[] = {
		{ .user = "good", .password = "right", .peer = "192.0.2.40" },
		{ .user = "polite", .password = "right", .peer = "192.0.2.41" },
		{ .user = "good", .password = "wrong", .peer = "192.0.2.42" },
		{ .user = "joiner", .password = "right", .peer = "192.0.2.43" },
	};

	run_conf(r, "auth_source = pam\ngroups = admins, vpnusers\n"
		    "[profile \"lab\"]\nmatch_group = lab\n");
	ok(run_start(r), "it starts with a group required");
	ask_all(r, a, 4, 10000);
	is_verdict(&a[0], AUTH_OK, NULL, "a member gets in");
	ok(a[3].reply.verdict == AUTH_OK && a[3].reply.n_groups == LIMIT_GROUPS,
	   "of too many groups there are as many as may be");
	ok(has_group(&a[3].reply, "vpnusers"), "  with the one that [auth] groups names");
	ok(has_group(&a[3].reply, "lab"), "  and the one that a profile names");
	is_verdict(&a[1], AUTH_NOT_ALLOWED, "groups", "a user without system groups does not");
	ok(on_the_second(&a[1]) && on_the_second(&a[2]),
	   "which is told on the second, as a wrong password is");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

static void missing_service(struct authd_run *r)
{
	struct ask a = { .user = "good", .password = "right", .peer = "192.0.2.50" };
	char *log;

	run_conf(r, "auth_source = pam\npam_service = not-there\n");
	ok(run_start(r), "it starts without its PAM service");
	ask_one(r, &a);
	is_verdict(&a, AUTH_ERROR, "create /etc/pam.d/not-there", "and says what is missing");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
	log = read_file(r->log);
	ok(strstr(log, "error: Nobody can log in yet: no PAM service not-there"),
	   "at its start, too");
	ok(!strstr(log, "right"), "W16: no password is in the log");
	free(log);
}

/* ---- auth_source = system ---- */

/* Puts the shipped service where vpngw-authd was built to look, in our namespace only. */
static bool install_system_service(const struct authd_run *r)
{
	char parent[256] = LIBDIR "/pam.d", opts[600], cmd[900], upper[128], work[128];

	while (access(parent, F_OK) < 0)
		*strrchr(parent, '/') = '\0';
	snprintf(upper, sizeof(upper), "%s/upper", r->dir);
	snprintf(work, sizeof(work), "%s/work", r->dir);
	snprintf(opts, sizeof(opts), "lowerdir=%s,upperdir=%s,workdir=%s", parent, upper, work);
	if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
		return false;
	/* Where an overlay cannot be had, an empty directory does if nothing of it is needed. */
	if (mount("overlay", parent, "overlay", 0, opts) < 0 &&
	    (strncmp(parent, "/usr/local/", 11) != 0 ||
	     mount("tmpfs", parent, "tmpfs", 0, "mode=0755") < 0))
		return false;
	snprintf(cmd, sizeof(cmd), "mkdir -p %s && cp etc/pam.d/vpngw-system %s/vpngw-system",
		 LIBDIR "/pam.d", LIBDIR "/pam.d");
	return system(cmd) == 0;
}

/* As the unit runs it: no root, no capability, no way to get any, group shadow. */
static bool start_unprivileged(struct authd_run *r)
{
	gid_t shadow = 42;

	if (chown(r->dir, 65534, 65534) < 0)
		return false;
	unlink(r->log);
	fflush(stdout);
	r->pid = fork();
	if (r->pid == 0) {
		if (setgroups(1, &shadow) < 0 || setgid(65534) < 0 || setuid(65534) < 0 ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(126);
		run_exec(r);
	}
	return run_wait_up(r);
}

static void system_users(struct authd_run *r, bool privileged)
{
	struct ask a[] = {
		{ .user = "unixuser", .password = "right", .peer = "192.0.2.60" },
		{ .user = "unixuser", .password = "wrong", .peer = "192.0.2.61" },
		{ .user = "unixlocked", .password = "right", .peer = "192.0.2.62" },
		{ .user = "unixold", .password = "right", .peer = "192.0.2.63" },
		{ .user = "root", .password = "right", .peer = "192.0.2.64" },
		{ .user = "toor", .password = "right", .peer = "192.0.2.65" },
		{ .user = "nobody-here", .password = "right", .peer = "192.0.2.66" },
	};
	bool timed = true;

	run_conf(r, "auth_source = system\n");
	if (!ok(privileged ? run_start(r) : start_unprivileged(r), "it starts%s",
		privileged ? "" : " without privileges, in group shadow"))
		return;
	ask_all(r, a, 7, 10000);
	is_verdict(&a[0], AUTH_OK, NULL, "a system user with the right password gets in");
	ok(a[0].reply.n_groups == 2, "with his groups");
	is_verdict(&a[1], AUTH_DENIED, NULL, "with a wrong one he does not");
	is_verdict(&a[2], AUTH_DENIED, NULL, "nor does a locked user");
	is_verdict(&a[3], AUTH_NOT_ALLOWED, NULL, "nor one whose account has expired");
	is_verdict(&a[4], AUTH_NOT_ALLOWED, NULL, "nor root");
	is_verdict(&a[5], AUTH_NOT_ALLOWED, NULL, "nor another name of uid 0");
	is_verdict(&a[6], AUTH_DENIED, NULL, "nor somebody unknown");
	for (unsigned i = 1; i < 7; i++)
		timed = timed && on_the_second(&a[i]);
	ok(timed, "and all refusals leave on the second");
	is_int(run_stop(r, SIGTERM), 0, "it ends");
}

int main(void)
{
	bool real_root = geteuid() == 0;
	struct authd_run r;

	run_init(&r);
	if (!build_module(&r)) {
		skip(1, "no compiler, no PAM headers, or not run in the top directory");
		run_done(&r);
		return done();
	}
	if (!own_namespace()) {
		skip(1, "no mount namespace: %s", strerror(errno));
		run_done(&r);
		return done();
	}
	make_world(&r);
	run_conf(&r, "auth_source = pam\nworkers = 2\ndeadline = 3s\nfail_limit = off\n");
	ok(run_start(&r), "vpngw-authd starts");
	ok(are_processes(&r, 3), "with two workers");
	verdicts(&r);
	questions(&r);
	thinking(&r);
	accidents(&r);
	is_int(run_stop(&r, SIGTERM), 0, "it ends");
	ok(are_processes(&r, 0), "and leaves no process of a module behind");
	queue(&r);
	groups(&r);
	missing_service(&r);
	if (!install_system_service(&r)) {
		skip(1, "auth_source = system: nothing can be put into %s", LIBDIR);
	} else {
		system_users(&r, true);
		if (real_root)
			system_users(&r, false);
		else
			skip(1, "needs root to try it as another user in group shadow");
	}
	run_done(&r);
	return done();
}
