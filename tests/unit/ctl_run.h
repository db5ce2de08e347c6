/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_run.h - runs the built vpngwctl, on a terminal or not, while the control server works. */
#pragma once

#include <locale.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "ctl_fake.h"

#define OUT_MAX (4 << 20)

/* What one run of a program said, and how it ended. */
static char out[OUT_MAX], err[65536];

static char program[512];

/* ---- running ---- */

/* Words by blanks; '...' keeps blanks. The first is replaced by the program when it is "-". */
static void split(char *line, char **argv, unsigned max)
{
	unsigned n = 0;

	while (*line && n + 1 < max) {
		char end = ' ';

		line += strspn(line, " ");
		if (*line == '\'')
			end = *line++;
		if (!*line && end == ' ')
			break;
		argv[n++] = line;
		line = strchrnul(line, end);
		if (*line)
			*line++ = '\0';
	}
	argv[n] = NULL;
	if (n && strcmp(argv[0], "-") == 0)
		argv[0] = program;
}

/* "NAME=value ..." for the environment, then "-- program arguments"; never returns. */
static void become(const struct fake *f, const char *line)
{
	static char copy[1024];
	char *argv[32], **first = argv;

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, argv, ARRAY_SIZE(argv));
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("CONTROL", f->path, 1);
	unsetenv("PAGER");
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	for (; *first && strchr(*first, '=') && **first != '-' && **first != '/'; first++)
		putenv(*first);
	if (*first && strcmp(*first, "-") == 0)
		*first = program;
	execvp(*first, first);
	_exit(126);
}

static void slurp(int fd, char *to, size_t cap)
{
	ssize_t n, len = 0;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, to + len, cap - 1 - (size_t)len)) > 0)
		len += n;
	to[len] = '\0';
}

static int scratch(const struct fake *f)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/out-XXXXXX", f->dir);
	fd = mkostemp(path, O_CLOEXEC);
	unlink(path);
	return fd;
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Runs it with stdout and stderr in files; the server runs meanwhile. The result is the status. */
__attribute__((format(printf, 2, 3))) static int run(struct fake *f, const char *fmt, ...)
{
	int out_fd = scratch(f), err_fd = scratch(f), status;
	char line[1024];
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		become(f, line);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		fake_turn(f, 1000);
	fake_settle(f);
	slurp(out_fd, out, sizeof(out));
	slurp(err_fd, err, sizeof(err));
	close(out_fd);
	close(err_fd);
	return exit_code(status);
}

/* Runs it on a terminal of that size; `out` is what the terminal got. */
__attribute__((unused)) static int run_tty(struct fake *f, unsigned short rows,
					   unsigned short columns, const char *line)
{
	struct winsize ws = { .ws_row = rows, .ws_col = columns };
	size_t len = 0;
	int master, status;
	bool ended = false;
	pid_t pid;

	fflush(stdout);
	pid = forkpty(&master, NULL, NULL, &ws);
	if (pid == 0)
		become(f, line);
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (;;) {
		ssize_t n = read(master, out + len, sizeof(out) - 1 - len);

		if (n > 0) {
			len += (size_t)n;
			continue;
		}
		if (ended || (n < 0 && errno == EIO && waitpid(pid, &status, 0) == pid))
			break;
		ended = waitpid(pid, &status, WNOHANG) == pid;
		fake_turn(f, 1000);
	}
	out[len] = '\0';
	close(master);
	fake_settle(f);
	return exit_code(status);
}

/* Printable ASCII and line ends. */
__attribute__((unused)) static bool is_ascii(const char *s)
{
	for (; *s; s++) {
		if (*s != '\n' && (*s < 0x20 || *s > 0x7e))
			return false;
	}
	return true;
}

/* False, and reported, when the program is not there. */
static bool run_setup(struct fake *f)
{
	const char *build = getenv("BUILD");

	snprintf(program, sizeof(program), "%s/vpngwctl", build ? build : "build/rel");
	if (access(program, X_OK) != 0) {
		skip(1, "%s is not built", program);
		return false;
	}
	setlocale(LC_CTYPE, "C.UTF-8");
	fake_start(f);
	return true;
}
