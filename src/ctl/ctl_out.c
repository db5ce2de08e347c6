/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_out.c - standard output, or a pager when that is a terminal with too few lines. */
#include "ctl/ctl_out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "ctl/server.h"

/* A number from the environment, 0 without one. */
static unsigned env_number(const char *name)
{
	const char *v = getenv(name);
	unsigned long n = v ? strtoul(v, NULL, 10) : 0;

	return n < 10000 ? (unsigned)n : 0;
}

enum ctl_exit ctl_out_open(const struct ctl_options *o, struct ctl_out *ret)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct ctl_out out = { .tty = isatty(STDOUT_FILENO) };
	struct winsize ws = { 0 };

	if (out.tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0)
		ws = (struct winsize){ 0 };
	if (out.tty) {
		out.width = env_number("COLUMNS");
		if (!out.width)
			out.width = ws.ws_col ? ws.ws_col : 80;
		out.height = ws.ws_row;
		out.bold = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
		out.pager = !o->no_pager && out.height;
	}
	*ret = out;
	ret->f = open_memstream(&ret->text, &ret->n);
	if (!ret->f) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static unsigned count_lines(const struct ctl_out *out)
{
	unsigned lines = 0;

	for (size_t i = 0; i < out->n; i++)
		lines += out->text[i] == '\n';
	return lines;
}

/* Clears the terminal, and cuts what it has no lines for. What is no terminal gets it all. */
static void show_again(struct ctl_out *out)
{
	const char *term = getenv("TERM");
	unsigned lines = 0;
	size_t n = 0;

	if (!out->tty || !out->height || !term || strcmp(term, "dumb") == 0)
		return;
	while (n < out->n && lines + 1 < out->height)
		lines += out->text[n++] == '\n';
	out->n = n;
	fputs("\x1b[H\x1b[2J", stdout);
}

/* The pager that the user wants, or NULL for none. less may not start commands: with sudo it would
 * start them as root. */
static const char *pager_command(void)
{
	const char *v = getenv("PAGER");

	setenv("LESSSECURE", "1", 1);
	if (!v)
		return "less -FRX";
	return *v && strcmp(v, "cat") != 0 ? v : NULL;
}

/* What a user does not read is not an error: q in the pager closes the pipe. */
static void feed(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

/* False when there is no pager to be had, and nothing was shown. */
static bool show_in_pager(const struct ctl_out *out)
{
	const char *command = pager_command();
	int pipe_fd[2], status = 0;
	pid_t pid;

	if (!command || pipe2(pipe_fd, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fd[0], STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(pipe_fd[0]);
	if (pid < 0) {
		close(pipe_fd[1]);
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* it is for the pager */
	feed(pipe_fd[1], out->text, out->n);
	close(pipe_fd[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

enum ctl_exit ctl_out_close(struct ctl_out *out)
{
	_cleanup_free_ char *text = NULL;
	bool bad = ferror(out->f) || fclose(out->f) != 0;

	out->f = NULL;
	text = TAKE_PTR(out->text);
	if (bad || !text) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	out->text = text;
	if (out->again)
		show_again(out);
	bad = out->pager && count_lines(out) >= out->height && show_in_pager(out);
	out->text = NULL;
	if (bad)
		return CTL_DONE;
	if (fwrite(text, 1, out->n, stdout) != out->n || fflush(stdout) != 0) {
		ctl_complain("cannot write: %s", strerror(errno));
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* ---- JSON ---- */

enum ctl_exit ctl_out_json(const struct ctl_options *o, json_t *root)
{
	size_t flags =
		JSON_ENSURE_ASCII | (o->json == CTL_JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT);
	_cleanup_free_ char *text = json_dumps(root, flags);
	struct ctl_out out;
	enum ctl_exit rc;

	json_decref(root);
	if (!text) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	rc = ctl_out_open(o, &out);
	if (rc != CTL_DONE)
		return rc;
	for (const char *p = text; *p; p++) {
		if (*p == '\x7f') /* the one control character that JSON may have as it is */
			fputs("\\u007f", out.f);
		else
			putc(*p, out.f);
	}
	putc('\n', out.f);
	return ctl_out_close(&out);
}

enum ctl_exit ctl_out_json_member(const struct ctl_options *o, const char *key, json_t *value)
{
	json_t *root = json_pack("{s:s, s:o}", "schema_version", CTL_SCHEMA, key, value);

	return ctl_out_json(o, root);
}
