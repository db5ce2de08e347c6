/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_server.c - takes requests off the socket and puts answers on it.
 *
 * Clients are the gateway and, for tests by hand, root: everybody else would have found a way to
 * try passwords. A client that sends nonsense is answered where its request has an id, and loses
 * nothing but that request.
 */
#include "auth/authd_server.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/authd.h"
#include "cleanup.h"
#include "log.h"

#define GATEWAY_USER "vpngw"
#define READ_AT_ONCE 32 /* messages of one client before others have their turn */

struct client {
	TAILQ_ENTRY(client) link;
	struct authd_server *server; /* borrowed */
	uint64_t number;
	int fd;              /* owned */
	sd_event_source *io; /* owned */
	bool full;           /* answers wait for room */
};

struct authd_server {
	sd_event *event; /* borrowed */
	int listen_fd;   /* owned */
	sd_event_source *listen;
	struct authd_queue *queue;
	TAILQ_HEAD(client_list, client) clients;
	unsigned n_clients;
	uint64_t last_number;
	uid_t gateway; /* (uid_t)-1: no such user */
	struct log_limit limit;
};

static bool may_log(struct authd_server *s)
{
	unsigned long left_out;
	uint64_t now = 0;

	(void)sd_event_now(s->event, CLOCK_BOOTTIME, &now);
	return log_allowed(&s->limit, 10, 10, now, &left_out);
}

static void client_close(struct client *c)
{
	struct authd_server *s = c->server;

	authd_queue_drop(s->queue, c->number);
	TAILQ_REMOVE(&s->clients, c, link);
	s->n_clients--;
	sd_event_source_disable_unref(c->io);
	close(c->fd);
	free(c);
}

static int send_answer(void *ctx, uint64_t number, struct span msg)
{
	struct authd_server *s = ctx;
	struct client *c;

	TAILQ_FOREACH(c, &s->clients, link)
	if (c->number == number)
		break;
	if (!c)
		return 0;
	if (!c->full && send(c->fd, msg.p, msg.n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (!c->full && errno != EAGAIN && errno != ENOBUFS)
		return 0; /* it has gone; on_client() will see */
	c->full = true;
	(void)sd_event_source_set_io_events(c->io, EPOLLIN | EPOLLOUT);
	return -EAGAIN;
}

/* 1: one message was read; 0: there is none; -errno: the client is gone. */
static int read_message(struct client *c)
{
	struct authd_server *s = c->server;
	uint8_t buf[AUTH_REQUEST_MAX];
	struct auth_request r;
	struct auth_answer a;
	uint64_t id;
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
	struct span msg = { buf, n < 0 ? 0 : (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) };

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	if ((size_t)n <= sizeof(buf) && auth_get_request(msg, &r) == 0) {
		authd_queue_submit(s->queue, c->number, &r);
	} else if ((size_t)n <= sizeof(buf) && auth_get_answer(msg, &a) == 0) {
		authd_queue_answer(s->queue, c->number, &a);
	} else if (auth_peek_id(msg, &id)) {
		authd_queue_malformed(s->queue, c->number, id);
	} else if (may_log(s)) {
		log_warning("A client sent %zd bytes that are no request", n);
	}
	explicit_bzero(buf, sizeof(buf));
	return 1;
}

static int on_client(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct client *c = userdata;
	int rc = 1;

	(void)src;
	(void)fd;
	if (revents & EPOLLOUT) {
		c->full = false;
		(void)sd_event_source_set_io_events(c->io, EPOLLIN);
		authd_queue_flush(c->server->queue, c->number);
	}
	for (int i = 0; i < READ_AT_ONCE && rc > 0; i++)
		rc = read_message(c);
	if (rc < 0)
		client_close(c);
	return 0;
}

static bool is_welcome(struct authd_server *s, int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	if (who.uid == 0 || who.uid == geteuid() ||
	    (s->gateway != (uid_t)-1 && who.uid == s->gateway))
		return true;
	if (may_log(s))
		log_warning("Turned away process %d of uid %u: only root and " GATEWAY_USER
			    " may ask here",
			    who.pid, who.uid);
	return false;
}

static int client_new(struct authd_server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->server = s;
	c->number = ++s->last_number;
	c->fd = fd;
	rc = sd_event_add_io(s->event, &c->io, fd, EPOLLIN, on_client, c);
	if (rc < 0) {
		free(c);
		return rc;
	}
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->n_clients++;
	return 0;
}

static int on_listen(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct authd_server *s = userdata;
	_cleanup_close_ int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)src;
	(void)revents;
	if (conn < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED && may_log(s))
			log_err("Cannot accept a client: %m");
		return 0;
	}
	if (!is_welcome(s, conn))
		return 0;
	if (s->n_clients >= AUTHD_CLIENTS) {
		if (may_log(s))
			log_warning("Turned away a client: %d are connected already",
				    AUTHD_CLIENTS);
		return 0;
	}
	if (client_new(s, conn) == 0)
		conn = -1;
	return 0;
}

int authd_server_new(sd_event *event, int listen_fd, const struct conf_auth *conf, uint64_t seed,
		     struct authd_server **ret)
{
	struct authd_server *s = calloc(1, sizeof(*s));
	const struct passwd *pw;
	int rc;

	if (!s) {
		close(listen_fd);
		return -ENOMEM;
	}
	TAILQ_INIT(&s->clients);
	s->event = event;
	s->listen_fd = listen_fd;
	pw = getpwnam(GATEWAY_USER);
	s->gateway = pw ? pw->pw_uid : (uid_t)-1;
	rc = authd_queue_new(event, conf, seed, send_answer, s, &s->queue);
	if (rc >= 0)
		rc = sd_event_add_io(event, &s->listen, listen_fd, EPOLLIN, on_listen, s);
	if (rc >= 0) /* where accept() fails again and again, the loop still turns */
		rc = sd_event_source_set_ratelimit(s->listen, 1000000, 100);
	if (rc < 0) {
		authd_server_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

struct authd_server *authd_server_free(struct authd_server *s)
{
	struct client *c;

	if (!s)
		return NULL;
	while ((c = TAILQ_FIRST(&s->clients)))
		client_close(c);
	s->queue = authd_queue_free(s->queue);
	sd_event_source_disable_unref(s->listen);
	close(s->listen_fd);
	free(s);
	return NULL;
}

struct authd_counts authd_server_counts(const struct authd_server *s)
{
	return authd_queue_counts(s->queue);
}
