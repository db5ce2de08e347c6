/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client.c - the gateway's side of the socket to vpngw-authd.
 *
 * A request is a slot. The number on the wire is the slot and its generation, so an answer finds
 * its request without a search and a late one finds nothing. All requests wait equally long: they
 * end in the order in which they came, and one timer is enough.
 *
 * When the connection breaks (authd restarts, or was killed), requests without an answer are sent
 * once more over the next one. A request that broke two connections gets no third, and one whose user
 * was asked a question is not sent again: the user would have to be asked anew.
 */
#include "auth/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth/vault.h"
#include "cleanup.h"
#include "log.h"

#define GRACE_US       UINT64_C(2000000)
#define BACKOFF_MIN_US UINT64_C(100000)
#define BACKOFF_MAX_US UINT64_C(5000000)
#define READ_AT_ONCE   64
#define SENDS_MAX      2

struct request {
	TAILQ_ENTRY(request) by_age;  /* all, oldest first, but those that ask: in `asking` */
	TAILQ_ENTRY(request) to_send; /* those that this connection has not carried */
	uint64_t cookie, deadline;
	uint32_t generation;
	uint16_t len; /* of the message in the vault; 0: not in use */
	uint8_t sends;
	bool waiting; /* in to_send */
	bool asking;  /* the user has not answered yet */
	bool asked;   /* there was a question */
};

TAILQ_HEAD(request_list, request);

struct auth_client {
	sd_event *event; /* borrowed */
	struct sockaddr_un addr;
	uint64_t wait; /* microseconds that a request may take */
	auth_client_fn fn;
	auth_question_fn ask;
	void *ctx;
	int fd;                                  /* owned; -1: not connected */
	sd_event_source *io, *reconnect, *timer; /* owned */
	uint64_t backoff, down_since, up_since;
	bool told; /* the journal knows that authd is gone */
	unsigned n;
	struct request_list by_age, asking, to_send;
	struct vault vault; /* slot i: the message of req[i] */
	struct request req[AUTH_CLIENT_PENDING];
};

static uint64_t now_of(const struct auth_client *c)
{
	uint64_t now = 0;

	(void)sd_event_now(c->event, CLOCK_BOOTTIME, &now);
	return now;
}

static int slot_of(const struct auth_client *c, const struct request *r)
{
	return (int)(r - c->req);
}

static uint64_t wire_id(const struct auth_client *c, const struct request *r)
{
	return (uint64_t)r->generation << 32 | (unsigned)slot_of(c, r);
}

static struct request *by_wire_id(struct auth_client *c, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	struct request *r = slot < AUTH_CLIENT_PENDING ? &c->req[slot] : NULL;

	return r && r->len && r->generation == id >> 32 ? r : NULL;
}

static void set_waiting(struct auth_client *c, struct request *r, bool waiting)
{
	if (r->waiting == waiting)
		return;
	r->waiting = waiting;
	if (waiting)
		TAILQ_INSERT_TAIL(&c->to_send, r, to_send);
	else
		TAILQ_REMOVE(&c->to_send, r, to_send);
}

/* One timer, for the oldest request. */
static void arm_timer(struct auth_client *c)
{
	const struct request *oldest = TAILQ_FIRST(&c->by_age);

	if (oldest)
		(void)sd_event_source_set_time(c->timer, oldest->deadline);
	(void)sd_event_source_set_enabled(c->timer, oldest ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void set_asking(struct auth_client *c, struct request *r, bool asking)
{
	struct request_list *from = r->asking ? &c->asking : &c->by_age;
	struct request_list *to = asking ? &c->asking : &c->by_age;

	TAILQ_REMOVE(from, r, by_age);
	TAILQ_INSERT_TAIL(to, r, by_age);
	r->asking = asking;
}

static void release(struct auth_client *c, struct request *r)
{
	set_waiting(c, r, false);
	set_asking(c, r, false);
	TAILQ_REMOVE(&c->by_age, r, by_age);
	(void)vault_drop(&c->vault, slot_of(c, r));
	r->len = 0;
	c->n--;
	arm_timer(c);
}

/* The slot is free before the callback runs, which may use it again. */
static void finish(struct auth_client *c, struct request *r, struct auth_reply *reply)
{
	uint64_t cookie = r->cookie;

	release(c, r);
	reply->id = cookie;
	c->fn(c->ctx, cookie, reply);
}

static void fail(struct auth_client *c, struct request *r, enum auth_verdict v, const char *why)
{
	struct auth_reply reply = { .verdict = v };

	snprintf(reply.reason, sizeof(reply.reason), "%s", why);
	finish(c, r, &reply);
}

/* ---- the connection ---- */

static void say_gone(struct auth_client *c, int error)
{
	if (c->told)
		return;
	c->told = true;
	log_warning("vpngw-authd does not answer on %s (%s): nobody can log in until it does; see "
		    "systemctl status vpngw-authd.socket vpngw-authd.service",
		    c->addr.sun_path, strerror(-error));
}

static void try_later(struct auth_client *c)
{
	(void)sd_event_source_set_time_relative(c->reconnect, c->backoff);
	(void)sd_event_source_set_enabled(c->reconnect, SD_EVENT_ONESHOT);
	c->backoff = c->backoff * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : c->backoff * 2;
}

/* What was sent and not answered goes again, in its old order, or fails for good. */
static void disconnect(struct auth_client *c)
{
	struct request_list lost = TAILQ_HEAD_INITIALIZER(lost);
	uint64_t now = now_of(c);
	struct request *r, *next;

	c->io = sd_event_source_disable_unref(c->io);
	close(c->fd);
	c->fd = -1;
	c->down_since = now;
	if (now - c->up_since > BACKOFF_MAX_US)
		c->backoff = BACKOFF_MIN_US;
	try_later(c);
	/* First all back into line, then the callbacks, which may ask anew. */
	TAILQ_INIT(&c->to_send);
	TAILQ_FOREACH(r, &c->by_age, by_age)
	{
		r->waiting = r->sends < SENDS_MAX && !r->asked;
		if (r->waiting)
			TAILQ_INSERT_TAIL(&c->to_send, r, to_send);
		else
			TAILQ_INSERT_TAIL(&lost, r, to_send);
	}
	TAILQ_FOREACH(r, &c->asking, by_age)
	TAILQ_INSERT_TAIL(&lost, r, to_send);
	for (r = TAILQ_FIRST(&lost); r; r = next) {
		next = TAILQ_NEXT(r, to_send);
		fail(c, r, AUTH_ERROR,
		     r->asked ? "vpngw-authd ended during the login"
			      : "vpngw-authd ended twice during the check");
	}
}

/* Sends what waits, as long as there is room. -errno: the connection is broken. */
static int send_waiting(struct auth_client *c)
{
	uint32_t events = EPOLLIN;
	struct request *r;

	while ((r = TAILQ_FIRST(&c->to_send))) {
		const uint8_t *msg = vault_at(&c->vault, slot_of(c, r));

		if (send(c->fd, msg, r->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno != EAGAIN && errno != ENOBUFS)
				return -errno;
			events |= EPOLLOUT;
			break;
		}
		r->sends++;
		set_waiting(c, r, false);
	}
	return sd_event_source_set_io_events(c->io, events);
}

/* As well as it goes: authd has a deadline of its own. */
static void call_off(struct auth_client *c, uint64_t id)
{
	const struct auth_answer a = { .id = id };
	uint8_t buf[AUTH_ANSWER_MAX];
	int n = auth_put_answer(buf, sizeof(buf), &a);

	if (n > 0 && c->fd >= 0)
		(void)send(c->fd, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* 0, or -errno: authd speaks out of turn. */
static int take_question(struct auth_client *c, const struct auth_question *q)
{
	struct request *r = by_wire_id(c, q->id);

	if (!r) { /* it came after the deadline */
		call_off(c, q->id);
		return 0;
	}
	if (r->waiting || r->asking)
		return -EPROTO;
	set_asking(c, r, true);
	r->asked = true;
	explicit_bzero(vault_at(&c->vault, slot_of(c, r)), r->len); /* it is not sent again */
	arm_timer(c);
	if (c->ask)
		c->ask(c->ctx, r->cookie, q->id, q);
	else
		(void)auth_client_answer(c, q->id, false, (struct span){ 0 });
	return 0;
}

/* 1: one answer was read; 0: there is none; -errno: the connection is broken. */
static int read_answer(struct auth_client *c)
{
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
	struct span msg = { buf, n > 0 ? (size_t)n : 0 };
	struct auth_question q;
	struct auth_reply reply;
	struct request *r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	if (msg.n <= sizeof(buf) && auth_get_question(msg, &q) == 0 && take_question(c, &q) == 0)
		return 1;
	if (msg.n > sizeof(buf) || auth_get_reply(msg, &reply) < 0) {
		log_err("vpngw-authd sent a malformed answer; are vpngw and vpngw-authd of one "
			"version?");
		return -EPROTO;
	}
	c->backoff = BACKOFF_MIN_US;
	r = by_wire_id(c, reply.id);
	if (r) /* else it came after the deadline */
		finish(c, r, &reply);
	return 1;
}

static int on_io(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct auth_client *c = userdata;
	int rc = 1;

	(void)src;
	(void)fd;
	for (int i = 0; i < READ_AT_ONCE && rc > 0; i++)
		rc = read_answer(c);
	if (rc >= 0 && (revents & EPOLLOUT))
		rc = send_waiting(c);
	if (rc < 0)
		disconnect(c);
	return 0;
}

static int try_connect(struct auth_client *c)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	/* Of a local socket this never takes time: it is there, or it is not. */
	if (connect(fd, (const struct sockaddr *)&c->addr, sizeof(c->addr)) < 0)
		return -errno;
	rc = sd_event_add_io(c->event, &c->io, fd, EPOLLIN, on_io, c);
	if (rc < 0)
		return rc;
	c->fd = TAKE_FD(fd);
	c->up_since = now_of(c);
	if (c->told)
		log_notice("vpngw-authd is back on %s", c->addr.sun_path);
	c->told = false;
	rc = send_waiting(c);
	if (rc < 0)
		disconnect(c);
	return 0;
}

static int on_reconnect(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct auth_client *c = userdata;
	int rc;

	(void)src;
	(void)usec;
	rc = try_connect(c);
	if (rc < 0) {
		say_gone(c, rc);
		try_later(c);
	}
	return 0;
}

static int on_deadline(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct auth_client *c = userdata;
	uint64_t now = now_of(c);
	struct request *r;

	(void)src;
	(void)usec;
	while ((r = TAILQ_FIRST(&c->by_age)) && r->deadline <= now) {
		if (c->fd < 0)
			fail(c, r, AUTH_ERROR, "vpngw-authd is not running");
		else
			fail(c, r, AUTH_TIMEOUT, "vpngw-authd did not answer in time");
	}
	arm_timer(c);
	return 0;
}

/* ---- for the gateway ---- */

int auth_client_new(sd_event *event, const char *path, uint32_t deadline_s, auth_client_fn fn,
		    void *ctx, struct auth_client **ret)
{
	struct auth_client *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->event = event;
	c->fd = -1;
	c->fn = fn;
	c->ctx = ctx;
	c->wait = deadline_s * UINT64_C(1000000) + GRACE_US;
	c->backoff = BACKOFF_MIN_US;
	c->down_since = now_of(c);
	TAILQ_INIT(&c->by_age);
	TAILQ_INIT(&c->asking);
	TAILQ_INIT(&c->to_send);
	c->addr.sun_family = AF_UNIX;
	if (!path)
		path = AUTH_SOCKET;
	rc = strlen(path) < sizeof(c->addr.sun_path) ? 0 : -ENAMETOOLONG;
	if (rc == 0) {
		memcpy(c->addr.sun_path, path, strlen(path));
		rc = vault_open(&c->vault, AUTH_REQUEST_MAX, AUTH_CLIENT_PENDING);
	}
	if (rc >= 0)
		rc = sd_event_add_time(event, &c->timer, CLOCK_BOOTTIME, 0, 10000, on_deadline, c);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	/* Once the loop runs. */
	if (rc >= 0)
		rc = sd_event_add_time(event, &c->reconnect, CLOCK_BOOTTIME, 0, 10000, on_reconnect,
				       c);
	if (rc < 0) {
		auth_client_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

struct auth_client *auth_client_free(struct auth_client *c)
{
	if (!c)
		return NULL;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->reconnect);
	sd_event_source_disable_unref(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	vault_close(&c->vault);
	free(c);
	return NULL;
}

int auth_client_check(struct auth_client *c, uint64_t cookie, struct span user,
		      struct span password, struct span peer)
{
	struct auth_request q = { .user = user, .password = password, .peer = peer };
	uint64_t now = now_of(c);
	struct request *r;
	int slot, n;

	if (c->fd < 0 && now - c->down_since > c->wait)
		return -ENOTCONN;
	slot = vault_take(&c->vault);
	if (slot < 0)
		return -EBUSY;
	r = &c->req[slot];
	r->generation++;
	q.id = wire_id(c, r);
	n = auth_put_request(vault_at(&c->vault, slot), AUTH_REQUEST_MAX, &q);
	if (n < 0) {
		(void)vault_drop(&c->vault, slot);
		return n;
	}
	r->len = (uint16_t)n;
	r->cookie = cookie;
	r->deadline = now + c->wait;
	r->sends = 0;
	r->asking = r->asked = false;
	TAILQ_INSERT_TAIL(&c->by_age, r, by_age);
	set_waiting(c, r, true);
	c->n++;
	arm_timer(c);
	/* A broken connection shows itself to on_io(); the request waits for the next one. */
	if (c->fd >= 0)
		(void)send_waiting(c);
	return 0;
}

void auth_client_on_question(struct auth_client *c, auth_question_fn fn)
{
	c->ask = fn;
}

int auth_client_answer(struct auth_client *c, uint64_t handle, bool given, struct span text)
{
	const struct auth_answer a = { .id = handle, .given = given, .text = text };
	struct request *r = by_wire_id(c, handle);
	int n;

	if (!r || !r->asking)
		return -ENOENT;
	if (!given) {
		release(c, r);
		call_off(c, handle);
		return 0;
	}
	n = auth_put_answer(vault_at(&c->vault, slot_of(c, r)), AUTH_REQUEST_MAX, &a);
	if (n < 0)
		return n;
	r->len = (uint16_t)n;
	r->deadline = now_of(c) + c->wait;
	set_asking(c, r, false);
	set_waiting(c, r, true);
	arm_timer(c);
	if (c->fd >= 0)
		(void)send_waiting(c);
	return 0;
}

bool auth_client_connected(const struct auth_client *c)
{
	return c->fd >= 0;
}

unsigned auth_client_pending(const struct auth_client *c)
{
	return c->n;
}
