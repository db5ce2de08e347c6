/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawn.c - runs a program and reads what it says, within a time and a size. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int start(const char *const argv[], bool quiet, int out, pid_t *ret)
{
	posix_spawn_file_actions_t a;
	int rc = posix_spawn_file_actions_init(&a);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_addopen(&a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&a, out, STDOUT_FILENO);
	if (!rc && quiet)
		rc = posix_spawn_file_actions_addopen(&a, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawnp(ret, argv[0], &a, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&a);
	return -rc;
}

/* Until its end: 0 or -errno. */
static int collect(int fd, size_t max, int64_t deadline, char **buf, size_t *n)
{
	size_t cap = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		ssize_t got;

		if (*n + 1 >= cap) {
			char *more = realloc(*buf, cap = cap ? 2 * cap : 4096);

			if (!more)
				return -ENOMEM;
			*buf = more;
		}
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		got = read(fd, *buf + *n, cap - 1 - *n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			*n += (size_t)got;
		if (*n > max)
			return -EFBIG;
		(*buf)[*n] = '\0';
		if (got == 0)
			return 0;
	}
}

int spawn_read(const char *const argv[], bool quiet, size_t max, unsigned patience_s, char **ret,
	       size_t *ret_n)
{
	int64_t deadline = now_ms() + (int64_t)patience_s * 1000;
	_cleanup_free_ char *buf = NULL;
	int fd[2], status = 0, rc;
	size_t n = 0;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	rc = start(argv, quiet, fd[1], &pid);
	close(fd[1]);
	if (rc < 0) {
		close(fd[0]);
		return rc;
	}
	rc = collect(fd[0], max, deadline, &buf, &n);
	close(fd[0]);
	if (rc < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(buf);
	*ret_n = n;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
