/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_worker.c - the worker processes of vpngw-authd, seen from both sides.
 *
 * Each worker has a socket pair with the parent and its own process group, so that whatever a PAM
 * module starts ends with it. After AUTHD_RECYCLE checks a worker ends and another takes its
 * place: modules leak. A worker that dies before it has done anything is replaced after a pause,
 * so a broken module cannot make authd fork in circles.
 *
 * A worker that waits for a user's answer is not busy: another process works in its place, and when
 * there is one too many after that, it ends.
 */
#include "auth/authd_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/authd.h"
#include "auth/authd_source.h"
#include "cleanup.h"
#include "log.h"

enum worker_state {
	W_NONE, /* nobody, and nobody is missed */
	W_DOWN, /* no process; one is made when the pause is over */
	W_IDLE,
	W_BUSY,
	W_ASKING, /* waits for a user's answer */
	W_ENDING, /* told to end, or killed; waiting for SIGCHLD */
};

struct worker {
	struct authd_workers *all; /* borrowed */
	enum worker_state state;
	pid_t pid;
	int fd;                            /* owned */
	sd_event_source *io, *exit, *wait; /* owned */
	uint64_t job;                      /* 0: none */
	unsigned checks;
	bool expected; /* its end was our doing */
};

struct authd_workers {
	sd_event *event;              /* borrowed */
	const struct conf_auth *conf; /* borrowed */
	struct authd_workers_ops ops;
	void *ctx;
	struct log_limit limit;
	size_t want; /* workers that do not wait for a user */
	size_t n;    /* places */
	struct worker w[];
};

/* ---- the worker's side ---- */

static void become_worker(int fd, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* What is inherited and none of its business: sockets to the clients and other workers. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	if (dup2(fd, 3) < 0)
		_exit(1);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
	closefrom(4);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "authd-worker");
	if (getppid() != parent) /* it died before the line above */
		_exit(1);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			(void)signal(s, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN); /* systemctl kill gives it to all of us */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (const char *const *v =
		     (const char *const[]){ "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					    "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", NULL };
	     *v; v++)
		(void)unsetenv(*v);
}

/* The job that this worker has. */
static uint64_t own_job;

/* An end of the parent is that of the worker, also here. */
static int ask_parent(void *ctx, enum auth_ask what, const char *prompt,
		      char answer[static LIMIT_PASSWORD + 1])
{
	const struct auth_question q = { .id = own_job, .ask = what, .prompt = span_str(prompt) };
	uint8_t out[LIMIT_AUTH_MESSAGE], in[AUTH_ANSWER_MAX];
	int len = auth_put_question(out, sizeof(out), &q);
	struct auth_answer a;
	ssize_t n;

	(void)ctx;
	if (len < 0)
		return len;
	if (send(3, out, (size_t)len, MSG_NOSIGNAL) != len)
		_exit(1);
	do
		n = recv(3, in, sizeof(in), 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		_exit(n < 0);
	if (auth_get_answer((struct span){ in, (size_t)n }, &a) < 0 || a.id != own_job || !a.given)
		_exit(1);
	if (a.text.n)
		memcpy(answer, a.text.p, a.text.n);
	answer[a.text.n] = '\0';
	explicit_bzero(in, sizeof(in));
	return 0;
}

/* Ends with the parent: recv() yields 0 then. */
static _Noreturn void worker_run(int fd, pid_t parent, const struct conf_auth *conf)
{
	static const struct authd_asker asker = { .ask = ask_parent };
	struct authd_source *source;
	uint8_t in[AUTH_REQUEST_MAX], out[LIMIT_AUTH_MESSAGE];

	become_worker(fd, parent);
	if (authd_source_new(conf, &source) < 0)
		_exit(1);
	authd_source_ask(source, &asker);
	for (;;) {
		ssize_t n = recv(3, in, sizeof(in), 0);
		struct auth_request q;
		struct auth_reply r;
		int len;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(n < 0);
		if (auth_get_request((struct span){ in, (size_t)n }, &q) < 0)
			_exit(1);
		own_job = q.id;
		authd_source_check(source, &q, &r);
		explicit_bzero(in, sizeof(in));
		len = auth_put_reply(out, sizeof(out), &r);
		if (len < 0 || send(3, out, (size_t)len, MSG_NOSIGNAL) != len)
			_exit(1);
	}
}

/* ---- the parent's side ---- */

static int on_worker(sd_event_source *src, int fd, uint32_t revents, void *userdata);
static int on_worker_exit(sd_event_source *src, const siginfo_t *si, void *userdata);

static void worker_kill(struct worker *w)
{
	/* Not reaped yet, so the number is still its own. The group may not exist yet. */
	(void)kill(-w->pid, SIGKILL);
	(void)kill(w->pid, SIGKILL);
	w->state = W_ENDING;
	w->io = sd_event_source_disable_unref(w->io);
}

static void worker_end(struct worker *w)
{
	w->state = W_ENDING;
	w->expected = true;
	w->io = sd_event_source_disable_unref(w->io);
	(void)shutdown(w->fd, SHUT_RDWR);
}

static int worker_spawn(struct worker *w)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct authd_workers *all = w->all;
	pid_t parent = getpid();
	int sv[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	ours = sv[0];
	theirs = sv[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	w->pid = fork();
	if (w->pid < 0)
		return -errno;
	if (w->pid == 0)
		worker_run(theirs, parent, all->conf);
	w->checks = 0;
	w->expected = false;
	rc = sd_event_add_io(all->event, &w->io, ours, EPOLLIN, on_worker, w);
	/* An answer that is there already is read before the death of its worker is seen. */
	if (rc >= 0)
		rc = sd_event_source_set_priority(w->io, SD_EVENT_PRIORITY_NORMAL - 10);
	if (rc >= 0)
		rc = sd_event_add_child(all->event, &w->exit, w->pid, WEXITED, on_worker_exit, w);
	if (rc < 0) {
		worker_kill(w);
		w->exit = sd_event_source_disable_unref(w->exit);
		(void)waitpid(w->pid, NULL, 0);
		return rc;
	}
	w->fd = TAKE_FD(ours);
	w->state = W_IDLE;
	return 0;
}

/* Those that work, could work or will: who waits for a user does not. */
static size_t n_working(const struct authd_workers *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->w[i].state != W_NONE && all->w[i].state != W_ASKING;
	return n;
}

static int on_pause_over(sd_event_source *src, uint64_t usec, void *userdata);

static void worker_spawn_later(struct worker *w)
{
	w->state = W_DOWN;
	w->wait = sd_event_source_disable_unref(w->wait);
	if (sd_event_add_time_relative(w->all->event, &w->wait, CLOCK_BOOTTIME, AUTHD_PAUSE_US, 0,
				       on_pause_over, w) < 0)
		log_err("No timer for a new worker; %zu are left at most", w->all->want - 1);
}

static int on_pause_over(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct worker *w = userdata;
	int rc;

	(void)src;
	(void)usec;
	rc = worker_spawn(w);
	if (rc < 0) {
		log_err("Cannot start a worker: %s; is TasksMax= or a process limit too low?",
			strerror(-rc));
		worker_spawn_later(w);
		return 0;
	}
	w->all->ops.ready(w->all->ctx);
	return 0;
}

static struct worker *find_worker(struct authd_workers *all, enum worker_state state, uint64_t job)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->w[i].state == state && all->w[i].job == job)
			return &all->w[i];
	return NULL;
}

/* Its user is asked; somebody else works meanwhile. */
static void worker_asks(struct worker *w, const struct auth_question *q)
{
	struct authd_workers *all = w->all;
	struct worker *other = find_worker(all, W_NONE, 0);

	w->state = W_ASKING;
	if (other && n_working(all) < all->want && worker_spawn(other) < 0)
		worker_spawn_later(other);
	all->ops.asked(all->ctx, q->id, q);
	all->ops.ready(all->ctx);
}

static int on_worker(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	uint8_t in[LIMIT_AUTH_MESSAGE];
	struct worker *w = userdata;
	struct auth_question q;
	struct auth_reply r;
	uint64_t job = w->job;
	ssize_t n = recv(fd, in, sizeof(in), MSG_TRUNC);

	(void)src;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && (size_t)n <= sizeof(in) && w->state == W_BUSY &&
	    auth_get_question((struct span){ in, (size_t)n }, &q) == 0 && q.id == job) {
		worker_asks(w, &q);
		return 0;
	}
	if (n <= 0 || (size_t)n > sizeof(in) || w->state != W_BUSY ||
	    auth_get_reply((struct span){ in, (size_t)n }, &r) < 0 || r.id != job) {
		/* It closed its socket, or speaks out of turn. on_worker_exit() does the rest. */
		worker_kill(w);
		return 0;
	}
	w->job = 0;
	w->state = W_IDLE;
	if (++w->checks >= AUTHD_RECYCLE || n_working(w->all) > w->all->want)
		worker_end(w);
	w->all->ops.done(w->all->ctx, job, &r);
	w->all->ops.ready(w->all->ctx);
	return 0;
}

static void report_exit(struct authd_workers *all, const siginfo_t *si)
{
	unsigned long left_out;
	uint64_t now = 0;

	(void)sd_event_now(all->event, CLOCK_BOOTTIME, &now);
	if (!log_allowed(&all->limit, 5, 10, now, &left_out))
		return;
	if (si->si_code == CLD_EXITED)
		log_err("A worker ended by itself with status %d; look at the PAM modules (%lu "
			"such "
			"lines left out)",
			si->si_status, left_out);
	else
		log_err("A worker was ended by signal %d (%s); look at the PAM modules (%lu such "
			"lines left out)",
			si->si_status, strsignal(si->si_status), left_out);
}

/* sd-event reaps it once this has returned. */
static int on_worker_exit(sd_event_source *src, const siginfo_t *si, void *userdata)
{
	struct worker *w = userdata;
	uint64_t job = w->job;
	bool worked = w->checks > 0 || job || w->expected;

	(void)src;
	(void)kill(-w->pid, SIGKILL); /* what a module left behind */
	if (!w->expected)
		report_exit(w->all, si);
	w->io = sd_event_source_disable_unref(w->io);
	w->exit = sd_event_source_disable_unref(w->exit);
	close(w->fd);
	w->fd = -1;
	w->job = 0;
	w->state = W_NONE;
	if (n_working(w->all) < w->all->want && (!worked || worker_spawn(w) < 0))
		worker_spawn_later(w);
	if (job)
		w->all->ops.done(w->all->ctx, job, NULL);
	w->all->ops.ready(w->all->ctx);
	return 0;
}

int authd_workers_new(sd_event *event, const struct conf_auth *conf,
		      const struct authd_workers_ops *ops, void *ctx, struct authd_workers **ret)
{
	size_t want = conf->workers ? conf->workers : 1, n = want + AUTHD_ASKING;
	struct authd_workers *all = calloc(1, sizeof(*all) + n * sizeof(all->w[0]));

	if (!all)
		return -ENOMEM;
	all->event = event;
	all->conf = conf;
	all->ops = *ops;
	all->ctx = ctx;
	all->want = want;
	for (all->n = 0; all->n < n; all->n++) {
		struct worker *w = &all->w[all->n];
		int rc = 0;

		w->all = all;
		w->fd = -1;
		if (all->n < want)
			rc = worker_spawn(w);
		if (rc < 0) {
			authd_workers_free(all);
			return rc;
		}
	}
	*ret = all;
	return 0;
}

struct authd_workers *authd_workers_free(struct authd_workers *all)
{
	if (!all)
		return NULL;
	for (size_t i = 0; i < all->n; i++) {
		struct worker *w = &all->w[i];

		w->wait = sd_event_source_disable_unref(w->wait);
		w->exit = sd_event_source_disable_unref(w->exit);
		if (w->state == W_NONE || w->state == W_DOWN)
			continue;
		worker_kill(w);
		(void)waitpid(w->pid, NULL, 0);
		if (w->fd >= 0)
			close(w->fd);
	}
	free(all);
	return NULL;
}

bool authd_workers_idle(const struct authd_workers *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->w[i].state == W_IDLE)
			return true;
	return false;
}

int authd_workers_give(struct authd_workers *all, const struct auth_request *q)
{
	struct worker *w = find_worker(all, W_IDLE, 0);
	uint8_t out[AUTH_REQUEST_MAX];
	ssize_t sent = -1;
	int len;

	if (!w)
		return -EBUSY;
	len = auth_put_request(out, sizeof(out), q);
	if (len > 0)
		sent = send(w->fd, out, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	explicit_bzero(out, sizeof(out));
	if (len < 0)
		return len;
	w->job = q->id;
	w->state = W_BUSY;
	if (sent != len) /* it is dying; on_worker_exit() answers */
		worker_kill(w);
	return 0;
}

int authd_workers_answer(struct authd_workers *all, uint64_t job, struct span text)
{
	const struct auth_answer a = { .id = job, .given = true, .text = text };
	struct worker *w = find_worker(all, W_ASKING, job);
	uint8_t out[AUTH_ANSWER_MAX];
	ssize_t sent = -1;
	int len;

	if (!w)
		return -ENOENT;
	len = auth_put_answer(out, sizeof(out), &a);
	if (len > 0)
		sent = send(w->fd, out, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	explicit_bzero(out, sizeof(out));
	w->state = W_BUSY;
	if (len < 0 || sent != len) /* it is dying; on_worker_exit() answers */
		worker_kill(w);
	return 0;
}

void authd_workers_kill(struct authd_workers *all, uint64_t job)
{
	struct worker *w = find_worker(all, W_BUSY, job);

	if (!w)
		w = find_worker(all, W_ASKING, job);
	if (!w)
		w = find_worker(all, W_ENDING, job);
	if (!w)
		return;
	w->job = 0;
	w->expected = true;
	worker_kill(w);
}
