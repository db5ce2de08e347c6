/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_call.c - one Varlink call to the daemon, and what its errors mean for the exit status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "addr.h"
#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_text.h"
#include "ctl/server.h"
#include "ctl/varlink.h"
#include "text.h"

#define TIMEOUT_S      30 /* without a byte from the daemon */
#define SESSION_ID_LEN 8

/* ---- the connection ---- */

static enum ctl_exit cannot_connect(const char *path, int error)
{
	char shown[CTL_TEXT_MAX];

	ctl_text(path, shown, sizeof(shown));
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		ctl_complain("vpngw is not running (no %s): systemctl start vpngw", shown);
		return CTL_NOT_RUNNING;
	case ECONNREFUSED:
		ctl_complain("vpngw is not running (nobody listens on %s): systemctl start vpngw",
			     shown);
		return CTL_NOT_RUNNING;
	case EACCES:
	case EPERM:
		ctl_complain("you may not use %s: you are not in group vpngw-admin: "
			     "usermod -aG vpngw-admin USER, then log in again, or use sudo",
			     shown);
		return CTL_NOT_PERMITTED;
	case EAGAIN:
		ctl_complain("vpngw does not answer on %s: systemctl status vpngw", shown);
		return CTL_FAILED;
	default:
		ctl_complain("%s: %s", shown, strerror(error));
		return CTL_FAILED;
	}
}

/* Who may only look has a socket for that. */
static bool may_look(int fd, const char *path)
{
	static const struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = CTL_MONITOR };
	int error = errno;

	if (error == EACCES && strcmp(path, CTL_SOCKET) == 0 &&
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return true;
	errno = error;
	return false;
}

static enum ctl_exit dial(const char *path, unsigned wait_s, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = wait_s ? wait_s : TIMEOUT_S };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sa.sun_path)) {
		ctl_complain("the path of a socket has at most %zu bytes", sizeof(sa.sun_path) - 1);
		return CTL_USAGE;
	}
	strcpy(sa.sun_path, path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && !may_look(fd, path)))
		return cannot_connect(path, errno);
	*ret_fd = TAKE_FD(fd);
	return CTL_DONE;
}

/* A daemon that hangs up while we send may have said why: that is for the reader to find out. */
static int send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* The next message, valid until the next call. -ENOTCONN at the end of the stream. */
static int receive(int fd, struct varlink_buf *b, struct span *ret)
{
	while (!varlink_buf_next(b, ret)) {
		ssize_t got;
		void *p;
		size_t n;
		int r = varlink_buf_space(b, &p, &n);

		if (r < 0)
			return r;
		got = recv(fd, p, n, 0);
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return -ENOTCONN;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			varlink_buf_add(b, (size_t)got);
	}
	return 0;
}

/* ---- replies ---- */

static const char *parameter(const struct varlink_reply *r, const char *key, const char *otherwise)
{
	const char *v = json_string_value(json_object_get(r->parameters, key));

	return v ? v : otherwise;
}

void ctl_say_all(const json_t *o, const char *key, const char *before)
{
	json_t *all = json_object_get(o, key), *m;
	char text[CTL_TEXT_MAX];
	size_t i;

	json_array_foreach (all, i, m)
		fprintf(stderr, "%s%s\n", before,
			ctl_text(json_is_string(m) ? json_string_value(m) : "?", text,
				 sizeof(text)));
}

/* As a compiler would say it: an editor finds the place. */
static enum ctl_exit on_bad_config(const struct varlink_reply *r)
{
	ctl_say_all(r->parameters, "messages", "");
	ctl_complain("the configuration is not valid; the one in effect stays so");
	return CTL_BAD_CONFIG;
}

static enum ctl_exit on_error(const struct ctl_request *q, const struct varlink_reply *r)
{
	char what[CTL_TEXT_MAX], error[CTL_TEXT_MAX];

	if (strcmp(r->error, "io.vpngw.ConfigInvalid") == 0)
		return on_bad_config(r);
	ctl_text(parameter(r, "what", "?"), what, sizeof(what));
	ctl_text(r->error, error, sizeof(error));
	if (strcmp(r->error, "io.vpngw.NotFound") == 0) {
		if (!q->quiet)
			ctl_complain("no %s", what);
		return CTL_NOT_FOUND;
	}
	if (strcmp(r->error, "io.vpngw.NotPermitted") == 0) {
		ctl_complain("not permitted: %s", what);
		return CTL_NOT_PERMITTED;
	}
	if (strcmp(r->error, "io.vpngw.Busy") == 0) {
		ctl_complain("busy: %s", what);
		return CTL_FAILED;
	}
	ctl_text(parameter(r, "parameter", parameter(r, "method", "")), what, sizeof(what));
	ctl_complain("vpngw answered %s%s%s", error, what[0] ? ": " : "", what);
	return CTL_FAILED;
}

/* Additions raise the minor number; another major number is another language. */
static bool speaks_our_schema(const struct varlink_reply *r)
{
	return strncmp(parameter(r, "schema_version", ""), "1.", 2) == 0;
}

static enum ctl_exit on_reply(const struct ctl_request *q, const struct varlink_reply *r)
{
	if (r->error)
		return on_error(q, r);
	if (!speaks_our_schema(r)) {
		ctl_complain("vpngw and vpngwctl are of different versions: restart vpngw");
		return CTL_FAILED;
	}
	switch (q->reply ? q->reply(q->ctx, r->parameters) : 0) {
	case 0:
		return CTL_DONE;
	case -ENOMEM:
		ctl_complain("out of memory");
		return CTL_FAILED;
	default:
		ctl_complain("vpngw gave an answer that vpngwctl does not understand");
		return CTL_FAILED;
	}
}

static enum ctl_exit cannot_receive(int error)
{
	if (error == -EAGAIN)
		ctl_complain("vpngw does not answer: systemctl status vpngw");
	else if (error == -ENOTCONN)
		ctl_complain("vpngw closed the connection without an answer: "
			     "systemctl status vpngw");
	else if (error == -EBADMSG)
		ctl_complain("vpngw gave an answer that vpngwctl does not understand");
	else
		ctl_complain("cannot read vpngw's answer: %s", strerror(-error));
	return CTL_FAILED;
}

static enum ctl_exit converse(int fd, const struct ctl_request *q, struct varlink_buf *b)
{
	const struct timeval no_limit = { 0 };
	struct varlink_reply reply = { 0 };
	enum ctl_exit rc;
	bool continues, first = true;

	do {
		struct span message;
		int r = receive(fd, b, &message);

		if (q->endless && !first && r == -ENOTCONN) {
			ctl_complain("vpngw has ended");
			return CTL_NOT_RUNNING;
		}
		if (q->endless && first)
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &no_limit, sizeof(no_limit));
		first = false;

		if (r == 0)
			r = varlink_reply_parse(message, &reply);
		if (r < 0)
			return cannot_receive(r);
		continues = reply.continues;
		rc = on_reply(q, &reply);
		varlink_reply_clear(&reply);
	} while (continues && rc == CTL_DONE);
	return rc;
}

enum ctl_exit ctl_call(const struct ctl_options *o, const struct ctl_request *q)
{
	struct varlink_buf b = { .max = VARLINK_REPLY_MAX };
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	enum ctl_exit rc;
	size_t n = 0;
	int r;

	text = varlink_call_text(q->method, q->parameters, q->more, &n);
	json_decref(q->parameters);
	if (!text) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	rc = dial(o->socket, o->wait_s, &fd);
	if (rc != CTL_DONE)
		return rc;
	r = send_all(fd, text, n);
	rc = r < 0 ? cannot_receive(r) : converse(fd, q, &b);
	varlink_buf_reset(&b);
	return rc;
}

/* ---- which sessions ---- */

/*
 * "0d2157c2". The gateway gives no two sessions the same one; that it looks like a user's name is
 * possible, so one that no session has is looked for among the users.
 */
static bool is_session_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == SESSION_ID_LEN && s[SESSION_ID_LEN] == '\0';
}

static enum ctl_exit call_by(const struct ctl_options *o, const struct ctl_request *q,
			     const char *key, const char *value, bool quiet)
{
	struct ctl_request with = *q;
	char safe[CTL_TEXT_MAX];
	json_t *v;

	/* Bytes that JSON cannot carry: the daemon knows such a name as it is shown. */
	if (!text_is_utf8(span_str(value)))
		value = text_escape(span_str(value), safe, sizeof(safe));
	v = json_string(value);
	with.quiet = quiet;
	with.parameters = q->parameters ? json_deep_copy(q->parameters) : json_object();
	if (!v || json_object_set_new(with.parameters, key, v) < 0) {
		json_decref(with.parameters);
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	return ctl_call(o, &with);
}

enum ctl_exit ctl_call_which(const struct ctl_options *o, struct ctl_request *q, const char *which)
{
	static const char *const key[] = { "session", "user", "address" };
	char shown[CTL_TEXT_MAX];
	struct ipaddr addr;
	enum ctl_exit rc = CTL_NOT_FOUND;
	bool explicit = false;

	for (unsigned i = 0; i < ARRAY_SIZE(key) && !explicit; i++) {
		size_t n = strlen(key[i]);

		if (strncmp(which, key[i], n) == 0 && which[n] == '=') {
			explicit = true;
			rc = call_by(o, q, key[i], which + n + 1, false);
		}
	}
	if (!explicit && ipaddr_parse(which, &addr) == 0) {
		rc = call_by(o, q, "address", which, false);
	} else if (!explicit && is_session_id(which)) {
		rc = call_by(o, q, "session", which, true);
		if (rc == CTL_NOT_FOUND)
			rc = call_by(o, q, "user", which, true);
		if (rc == CTL_NOT_FOUND)
			ctl_complain("no session or user %s",
				     ctl_text(which, shown, sizeof(shown)));
	} else if (!explicit) {
		rc = call_by(o, q, "user", which, false);
	}
	json_decref(q->parameters);
	q->parameters = NULL;
	return rc;
}
