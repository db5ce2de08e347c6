/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics.c - vpngw-metrics: what the gateway counts, for whoever scrapes it by HTTP.
 *
 * systemd listens and starts it for the first connection; it has no right but to ask the monitoring
 * socket, and ends when nobody has come for a while. Each connection has one request and a time for
 * it. Asking the gateway takes a moment, in which the others wait; the answer is good for a second,
 * so that the gateway is asked once a second however many come.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "ctl/ctl_metrics.h"
#include "ctl/metrics_http.h"
#include "ctl/server.h"

#define IDLE_MS    120000 /* then it ends; the next connection starts it again */
#define REUSE_MS   1000
#define GATEWAY_S  3 /* without a byte from the gateway */
#define LISTEN_MAX 8

enum state {
	FREE,
	READING,
	WRITING,
	READING_OVER, /* what was sent behind the request: closing now would take the answer back */
};

struct client {
	enum state state;
	int fd;
	uint64_t until_ms;
	char in[LIMIT_METRICS_REQUEST];
	size_t got;
	char *out; /* owned */
	size_t out_n, sent;
};

struct server {
	struct ctl_options options;
	int listen_fd[LISTEN_MAX];
	int n_listen;
	struct client client[LIMIT_METRICS_CLIENTS];
	char *text; /* owned; the last answer of the gateway's */
	size_t text_n;
	uint64_t asked_ms;
};

/* A gateway that is not there is said once, not with every scrape. */
void ctl_complain(const char *fmt, ...)
{
	static char before[512];
	char line[sizeof(before)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (strcmp(line, before) == 0)
		return;
	strcpy(before, line);
	fprintf(stderr, "%s\n", line);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- an answer ---- */

/* The gateway's numbers, as of this second. False without memory. */
static bool get_text(struct server *s)
{
	if (s->text && now_ms() - s->asked_ms < REUSE_MS)
		return true;
	free(s->text);
	(void)ctl_metrics_text(&s->options, &s->text, &s->text_n);
	s->asked_ms = now_ms();
	return s->text;
}

static void hang_up(struct client *c)
{
	close(c->fd);
	free(c->out);
	c->out = NULL;
	c->state = FREE;
}

static void answer(struct server *s, struct client *c, unsigned status, bool head)
{
	char text[METRICS_HEAD_MAX];
	const char *body;
	size_t n, body_n;

	if (status == 200 && !get_text(s))
		status = 503;
	body = status == 200 ? s->text : metrics_http_body(status);
	body_n = status == 200 ? s->text_n : strlen(body);
	n = metrics_http_head(status, body_n, text);
	if (head)
		body_n = 0;
	c->out = malloc(n + body_n);
	if (!c->out) {
		hang_up(c);
		return;
	}
	memcpy(c->out, text, n);
	memcpy(c->out + n, body, body_n);
	c->out_n = n + body_n;
	c->sent = 0;
	c->state = WRITING;
	c->until_ms = now_ms() + LIMIT_METRICS_S * 1000;
}

/* ---- a connection ---- */

static void take(struct server *s, int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return; /* it has gone again */
	for (size_t i = 0; i < ARRAY_SIZE(s->client); i++) {
		struct client *c = &s->client[i];

		if (c->state != FREE)
			continue;
		c->fd = fd;
		c->got = 0;
		c->state = READING;
		c->until_ms = now_ms() + LIMIT_METRICS_S * 1000;
		return;
	}
	close(fd);
}

/* False when the other end has gone. */
static bool still_there(ssize_t n)
{
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void read_request(struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->got, sizeof(c->in) - c->got, 0);
	struct metrics_request r;
	unsigned status;

	if (!still_there(n)) {
		hang_up(c);
		return;
	}
	c->got += n > 0 ? (size_t)n : 0;
	status = metrics_http_read((struct span){ (const uint8_t *)c->in, c->got }, &r);
	if (status)
		answer(s, c, status, r.head);
}

static void write_answer(struct client *c)
{
	ssize_t n = send(c->fd, c->out + c->sent, c->out_n - c->sent, MSG_NOSIGNAL);

	if (n < 0 && !still_there(n)) {
		hang_up(c);
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < c->out_n)
		return;
	shutdown(c->fd, SHUT_WR);
	c->got = 0;
	c->state = READING_OVER;
}

/* As much again as a request may have. */
static void read_over(struct client *c)
{
	ssize_t n = recv(c->fd, c->in, sizeof(c->in), 0);

	c->got += n > 0 ? (size_t)n : 0;
	if (!still_there(n) || c->got >= LIMIT_METRICS_REQUEST)
		hang_up(c);
}

static void go_on(struct server *s, struct client *c)
{
	switch (c->state) {
	case READING:
		read_request(s, c);
		break;
	case WRITING:
		write_answer(c);
		break;
	case READING_OVER:
		read_over(c);
		break;
	case FREE:
		break;
	}
}

/* ---- the loop ---- */

/* Whom to wait for, and how long. False: nobody is there but those who listen. */
static bool watch(const struct server *s, struct pollfd *p, uint64_t *ret_until_ms)
{
	uint64_t until = UINT64_MAX;
	int n = 0, busy = 0;

	for (size_t i = 0; i < ARRAY_SIZE(s->client); i++) {
		const struct client *c = &s->client[i];
		bool there = c->state != FREE;

		p[n++] = (struct pollfd){ .fd = there ? c->fd : -1,
					  .events = c->state == WRITING ? POLLOUT : POLLIN };
		busy += there;
		if (there && c->until_ms < until)
			until = c->until_ms;
	}
	for (int i = 0; i < s->n_listen; i++)
		p[n++] = (struct pollfd){ .fd = busy < LIMIT_METRICS_CLIENTS ? s->listen_fd[i] : -1,
					  .events = POLLIN };
	*ret_until_ms = busy ? until : now_ms() + IDLE_MS;
	return busy;
}

static int serve(struct server *s)
{
	struct pollfd p[LIMIT_METRICS_CLIENTS + LISTEN_MAX];

	for (;;) {
		uint64_t until, now;
		bool busy = watch(s, p, &until);
		int r;

		now = now_ms();
		r = poll(p, (nfds_t)(LIMIT_METRICS_CLIENTS + s->n_listen),
			 until > now ? (int)(until - now) : 0);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0 && !busy)
			return 0;
		for (size_t i = 0; i < ARRAY_SIZE(s->client); i++) {
			struct client *c = &s->client[i];

			if (r > 0 && c->state != FREE && p[i].revents)
				go_on(s, c);
			if (c->state != FREE && now_ms() >= c->until_ms)
				hang_up(c);
		}
		for (int i = 0; r > 0 && i < s->n_listen; i++)
			if (p[LIMIT_METRICS_CLIENTS + i].revents)
				take(s, s->listen_fd[i]);
	}
}

static const struct option option[] = {
	{ "per-user", no_argument, NULL, 'u' },
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static const char help_text[] =
	"vpngw-metrics [OPTION...]\n"
	"\n"
	"Answers GET /metrics on the socket that systemd passes; see vpngw-metrics(8).\n"
	"\n"
	"  --per-user     series for each session and its user as well\n"
	"  --socket PATH  of the gateway, instead of " CTL_MONITOR "\n"
	"  --help; --version\n";

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct ctl_options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", option, NULL)) != -1) {
		switch (c) {
		case 'u':
			o->per_user = true;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'h':
			fputs(help_text, stdout);
			return CTL_DONE;
		case 'v':
			puts("vpngw-metrics " VERSION);
			return CTL_DONE;
		default:
			return CTL_USAGE;
		}
	}
	if (optind < argc)
		fprintf(stderr, "vpngw-metrics: no arguments are expected\n");
	return optind < argc ? CTL_USAGE : -1;
}

int main(int argc, char **argv)
{
	static struct server s = { .options = { .socket = CTL_MONITOR, .wait_s = GATEWAY_S } };
	int r = parse_options(argc, argv, &s.options);

	if (r >= 0)
		return r;
	s.n_listen = sd_listen_fds(true);
	if (s.n_listen < 1 || s.n_listen > LISTEN_MAX) {
		fprintf(stderr, "vpngw-metrics: no socket was passed: "
				"systemctl enable --now vpngw-metrics.socket\n");
		return CTL_FAILED;
	}
	for (int i = 0; i < s.n_listen; i++) {
		s.listen_fd[i] = SD_LISTEN_FDS_START + i;
		if (sd_is_socket(s.listen_fd[i], AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
		    fcntl(s.listen_fd[i], F_SETFL, O_NONBLOCK) < 0) {
			fprintf(stderr, "vpngw-metrics: not a listening stream socket\n");
			return CTL_FAILED;
		}
	}
	r = serve(&s);
	free(s.text);
	if (r < 0)
		fprintf(stderr, "vpngw-metrics: %s\n", strerror(-r));
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
