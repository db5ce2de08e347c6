/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_run.h - starts the built vpngw-authd ($BUILD/vpngw-authd) in a directory of its own and
 * talks to it as the gateway does.
 */
#pragma once

#include <crypt.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/proto.h"
#include "tap.h"

#define UNUSED __attribute__((unused))

struct authd_run {
	char dir[64], conf[96], users[96], sock[96], log[96];
	pid_t pid;
};

static UNUSED double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static UNUSED void pause_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static UNUSED void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static UNUSED const char *program(const char *name, char *buf, size_t cap)
{
	const char *build = getenv("BUILD");

	snprintf(buf, cap, "%s/%s", build ? build : "build/rel", name);
	return buf;
}

__attribute__((format(printf, 3, 4))) static UNUSED void write_file(const char *path, mode_t mode,
								    const char *fmt, ...)
{
	FILE *f = fopen(path, "w");
	va_list ap;

	if (!f)
		bail(path);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	if (fclose(f) != 0 || chmod(path, mode) < 0)
		bail(path);
}

static UNUSED char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 18);

	if (!f || !text)
		bail(path);
	text[fread(text, 1, (1 << 18) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* A hash that is quick to check; into a rotating set of static buffers. */
static UNUSED const char *quick_hash(const char *password)
{
	static char buf[16][CRYPT_OUTPUT_SIZE];
	static struct crypt_data data;
	static unsigned turn;
	char *out = buf[turn++ % 16];

	snprintf(out, sizeof(buf[0]), "%s",
		 crypt_r(password, "$6$rounds=1000$testsaltsalt$", &data));
	return out;
}

static UNUSED void run_init(struct authd_run *r)
{
	*r = (struct authd_run){ .dir = "/tmp/vpngw-authd.XXXXXX" };
	if (!mkdtemp(r->dir) || chmod(r->dir, 0755) < 0)
		bail("mkdtemp");
	snprintf(r->conf, sizeof(r->conf), "%s/vpngw.conf", r->dir);
	snprintf(r->users, sizeof(r->users), "%s/users", r->dir);
	snprintf(r->sock, sizeof(r->sock), "%s/auth", r->dir);
	snprintf(r->log, sizeof(r->log), "%s/log", r->dir);
}

/* The lines of [auth]; the rest is what the configuration asks for. */
static UNUSED void run_conf(const struct authd_run *r, const char *auth)
{
	write_file(r->conf, 0644,
		   "[gateway]\ncertificate = /nonexistent.pem\nprivate_key = /nonexistent.key\n"
		   "[pool \"default\"]\nnetwork4 = 10.99.99.1\npool_size = 50\n"
		   "[auth]\nusers_file = %s\n%s",
		   r->users, auth);
}

static UNUSED int run_connect(const struct authd_run *r)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", r->sock);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The child's side of run_start(): standard error to the log, then the program. */
static UNUSED void run_exec(const struct authd_run *r)
{
	int log = open(r->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	char path[256];

	if (log >= 0)
		dup2(log, STDERR_FILENO);
	program("vpngw-authd", path, sizeof(path));
	execl(path, path, "--config", r->conf, "--listen", r->sock, "--debug", (char *)NULL);
	_exit(127);
}

static UNUSED bool run_wait_up(struct authd_run *r)
{
	for (int i = 0; i < 500; i++) {
		int fd = run_connect(r);

		if (fd >= 0) {
			close(fd);
			return true;
		}
		pause_ms(20);
	}
	return false;
}

static UNUSED bool run_start(struct authd_run *r)
{
	fflush(stdout);
	r->pid = fork();
	if (r->pid == 0)
		run_exec(r);
	return run_wait_up(r);
}

/* The exit status, or 128 + signal. */
static UNUSED int run_stop(struct authd_run *r, int sig)
{
	int st = 0;

	if (r->pid <= 0)
		return -1;
	kill(r->pid, sig);
	waitpid(r->pid, &st, 0);
	r->pid = 0;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static UNUSED void run_done(struct authd_run *r)
{
	char cmd[128];

	run_stop(r, SIGTERM);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", r->dir);
	if (system(cmd) != 0)
		printf("# could not remove %s\n", r->dir);
}

static UNUSED unsigned children_of(pid_t parent, pid_t *ret, unsigned cap)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		char path[300], stat[512] = "", *p;
		int ppid = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(stat, sizeof(stat), f) && (p = strrchr(stat, ')')) &&
		    sscanf(p + 1, " %*c %d", &ppid) == 1 && ppid == parent && n < cap)
			ret[n++] = atoi(e->d_name);
		fclose(f);
	}
	if (d)
		closedir(d);
	return n;
}

/* ---- questions and answers ---- */

struct ask {
	const char *user, *password, *peer;
	/* filled in by ask_all() */
	struct auth_reply reply;
	bool answered;
	double took; /* seconds */
};

static UNUSED void ask_send(int fd, uint64_t id, struct span user, struct span password,
			    const char *peer)
{
	struct auth_request q = { id, user, password, span_str(peer) };
	uint8_t buf[AUTH_REQUEST_MAX];
	int n = auth_put_request(buf, sizeof(buf), &q);

	if (n < 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		bail("send");
}

/* One answer within ms. */
static UNUSED bool ask_recv(int fd, struct auth_reply *ret, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = recv(fd, buf, sizeof(buf), 0);
	return n > 0 && auth_get_reply((struct span){ buf, (size_t)n }, ret) == 0;
}

/* A question to the user within ms; its prompt into `prompt`. */
static UNUSED bool ask_question(int fd, struct auth_question *ret, char prompt[LIMIT_PROMPT + 1],
				int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = recv(fd, buf, sizeof(buf), 0);
	if (n <= 0 || auth_get_question((struct span){ buf, (size_t)n }, ret) < 0)
		return false;
	snprintf(prompt, LIMIT_PROMPT + 1, "%.*s", (int)ret->prompt.n, (const char *)ret->prompt.p);
	return true;
}

/* text NULL: there is no answer. */
static UNUSED void ask_answer(int fd, uint64_t id, const char *text)
{
	struct auth_answer a = { .id = id, .given = text };
	uint8_t buf[AUTH_ANSWER_MAX];
	int n;

	if (text)
		a.text = span_str(text);
	n = auth_put_answer(buf, sizeof(buf), &a);
	if (n < 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		bail("send");
}

/* Sends n questions at once, collects the answers for up to ms. */
static UNUSED void ask_all(const struct authd_run *r, struct ask *a, unsigned n, int ms)
{
	double start = now_s(), end = start + ms / 1000.0;
	int fd = run_connect(r);

	if (fd < 0)
		bail("connect");
	for (unsigned i = 0; i < n; i++) {
		a[i].answered = false;
		ask_send(fd, i, span_str(a[i].user), span_str(a[i].password), a[i].peer);
	}
	for (unsigned got = 0; got < n && now_s() < end;) {
		struct auth_reply reply;

		if (!ask_recv(fd, &reply, (int)((end - now_s()) * 1000) + 1))
			break;
		if (reply.id >= n || a[reply.id].answered) {
			ok(false, "an answer that nobody asked for");
			break;
		}
		a[reply.id].reply = reply;
		a[reply.id].answered = true;
		a[reply.id].took = now_s() - start;
		got++;
	}
	close(fd);
}

static UNUSED enum auth_verdict ask_one(const struct authd_run *r, struct ask *a)
{
	ask_all(r, a, 1, 30000);
	return a->answered ? a->reply.verdict : (enum auth_verdict)99;
}

/* A refusal leaves at a full second after its request, whatever the load: at the first, or, where
 * the machine was too busy to check a password in that time, at a later one. */
static UNUSED bool on_the_second(const struct ask *a)
{
	double late = a->took - (double)(long)a->took;
	bool good = a->answered && a->took >= 0.99 && (late < 0.3 || late > 0.99);

	if (!good)
		printf("# %s: answered after %.3f s\n", a->user, a->took);
	return good;
}

static UNUSED bool is_verdict(const struct ask *a, enum auth_verdict want, const char *reason,
			      const char *name)
{
	bool good = a->answered && a->reply.verdict == want &&
		    (!reason || strstr(a->reply.reason, reason));

	if (!good)
		printf("# %s: %s, \"%s\" after %.2f s\n", a->user,
		       a->answered ? auth_verdict_str(a->reply.verdict) : "no answer",
		       a->reply.reason, a->took);
	return ok(good, "%s", name);
}
