/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_radius_server.c - one RADIUS server: secret, sockets, whether it answers. */
#include "auth/authd_radius_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/authd.h"
#include "auth/authd_source.h"
#include "cleanup.h"
#include "credential.h"

#define SECRET_SHORT 16 /* bytes: RFC 2865 3 */

void radius_server_init(struct radius_server *s, const struct conf_radius_server *conf)
{
	*s = (struct radius_server){ .conf = conf };
	(void)endpoint_str(&conf->at, s->name);
}

/* ---- secrets ---- */

/* The first line of the file. -errno, or -EBADMSG for what is no secret. */
static int read_secret(struct radius_server *s, const char *path, struct stat *ret_st)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t buf[RADIUS_SECRET_MAX + 2]; /* and a line break */
	ssize_t n;
	size_t len;

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EBADMSG;
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	for (len = 0; len < (size_t)n && buf[len] != '\n'; len++)
		;
	if (len > 0 && len < (size_t)n && buf[len - 1] == '\r')
		len--;
	if (len > 0 && len <= RADIUS_SECRET_MAX && !memchr(buf, '\0', len)) {
		memcpy(s->secret, buf, len);
		s->secret_len = len;
	}
	explicit_bzero(buf, sizeof(buf));
	return s->secret_len ? 0 : -EBADMSG;
}

static int load_secret(struct radius_server *s, struct stat *ret_st, char *why, size_t cap)
{
	char buf[512];
	const char *path = credential_path(s->conf->secret, NULL, buf, sizeof(buf));
	int rc = path ? read_secret(s, path, ret_st) : -ENOKEY;

	if (rc == -ENOKEY)
		snprintf(why, cap,
			 "%s: systemd has handed over no credentials; the unit needs "
			 "LoadCredential=, see vpngw-authd(8)",
			 s->conf->secret);
	else if (rc == -EBADMSG)
		snprintf(why, cap, "%s: its first line is no secret of 1 to %d bytes", path,
			 RADIUS_SECRET_MAX);
	else if (rc < 0)
		snprintf(why, cap, "cannot read %s: %s; %s", path, strerror(-rc),
			 rc == -ENOENT ? "it must hold the secret of the RADIUS server"
				       : "user vpngw-auth must be able to");
	return rc;
}

int radius_server_secret(struct radius_server *s, char *why, size_t cap)
{
	struct stat st;

	return s->secret_len ? 0 : load_secret(s, &st, why, cap);
}

/* ---- sockets ---- */

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_of(const struct endpoint *e, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (e->addr.family == IP_V4) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(e->port);
		memcpy(&ret->v4.sin_addr, e->addr.b, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(e->port);
	memcpy(&ret->v6.sin6_addr, e->addr.b, 16);
	return sizeof(ret->v6);
}

void radius_server_why(int error, char *why, size_t cap)
{
	bool closed = error == -EAFNOSUPPORT || error == -ENETUNREACH || error == -EPERM;

	snprintf(why, cap, "%s%s", strerror(-error),
		 closed ? "; does the unit let it? see RADIUS in vpngw-authd(8)" : "");
}

int radius_server_open(const struct radius_server *s, int *ret_fd, struct ipaddr *ret_own,
		       char *why, size_t cap)
{
	union address to, own;
	socklen_t len = address_of(&s->conf->at, &to), n = sizeof(own);
	_cleanup_close_ int fd =
		socket(to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ipaddr ip = { 0 };
	int rc;

	if (fd < 0 || connect(fd, &to.sa, len) < 0 || getsockname(fd, &own.sa, &n) < 0) {
		rc = -errno;
		radius_server_why(rc, why, cap);
		return rc;
	}
	if (own.sa.sa_family == AF_INET)
		(void)ipaddr_from_bytes((struct span){ (const uint8_t *)&own.v4.sin_addr, 4 }, &ip);
	else
		(void)ipaddr_from_bytes((struct span){ (const uint8_t *)&own.v6.sin6_addr, 16 },
					&ip);
	*ret_own = ip;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* ---- whether it answers ---- */

void radius_server_is_silent(struct radius_server *s, const char *why, uint64_t now)
{
	unsigned long left_out;

	if (!s->silent && log_allowed(&s->trouble, 3, 60, now, &left_out))
		log_warning("RADIUS server %s: %s", s->name, why);
	s->silent = true;
	s->silent_until = now + AUTHD_RADIUS_SILENT_US;
}

void radius_server_answers(struct radius_server *s)
{
	if (s->silent)
		log_notice("RADIUS server %s answers again", s->name);
	s->silent = false;
	s->silent_until = 0;
}

void radius_server_ignored(struct radius_server *s, enum radius_flaw flaw, uint64_t now)
{
	char more[64] = "";
	unsigned long left_out;

	if (!log_allowed(&s->ignored, 3, 60, now, &left_out))
		return;
	if (left_out)
		snprintf(more, sizeof(more), " (%lu such lines left out)", left_out);
	log_warning("Ignored an answer of RADIUS server %s, which %s%s%s", s->name,
		    radius_flaw_str(flaw),
		    flaw == RADIUS_UNAUTHENTICATED
			    ? "; the server is older than 2024, or see "
			      "require_message_authenticator in vpngw.conf(5)"
			    : "",
		    more);
}

/* ---- before the first login ---- */

int radius_server_probe(struct radius_server *s, bool secret, char *why, size_t cap)
{
	struct stat st = { 0 };
	char what[128];
	struct ipaddr own;
	int fd, rc = secret ? load_secret(s, &st, why, cap) : 0;

	if (rc < 0)
		return rc;
	rc = radius_server_open(s, &fd, &own, what, sizeof(what));
	if (rc < 0) {
		snprintf(why, cap, "RADIUS server %s cannot be asked: %s", s->name, what);
		return rc;
	}
	close(fd);
	if (st.st_mode & S_IRWXO) {
		snprintf(why, cap,
			 "%s has mode %04o and holds the secret of RADIUS server %s; chmod 0640 it",
			 s->conf->secret, st.st_mode & 07777u, s->name);
		return 1;
	}
	if (secret && s->secret_len < SECRET_SHORT) {
		snprintf(why, cap,
			 "%s: the secret of RADIUS server %s has %zu bytes and can be guessed; "
			 "agree on %d random ones or more",
			 s->conf->secret, s->name, s->secret_len, SECRET_SHORT);
		return 1;
	}
	return 0;
}

int authd_radius_probe(const struct conf_auth *conf, char *why, size_t cap)
{
	int worst = 0;

	for (size_t i = 0; i < conf->n_radius && worst >= 0; i++) {
		struct radius_server s;
		char what[512];
		int rc;

		radius_server_init(&s, &conf->radius[i]);
		rc = radius_server_probe(&s, true, what, sizeof(what));
		explicit_bzero(&s, sizeof(s));
		if (rc < 0 || (rc > 0 && worst == 0)) {
			worst = rc;
			snprintf(why, cap, "%s", what);
		}
	}
	return worst;
}
