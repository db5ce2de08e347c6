/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server.c - the control socket: connections, their limits, bytes in and bytes out.
 *
 * Everything is level-triggered and one turn is short: at most one read, one request or one piece
 * of a job, and one write per client. EPOLLOUT asks for the next turn, so a client that takes
 * nothing gets no turn either, until its time is up.
 */
#include "ctl/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "cleanup.h"
#include "ctl/server_private.h"
#include "log.h"

#define USEC           UINT64_C(1000000)
#define ACCEPT_TURN    8     /* connections accepted in one turn */
#define ACCEPT_RETRY_S 1     /* after running out of descriptors or memory */
#define KEEP_OUT       16384 /* a larger send buffer is given back when it is empty */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * USEC + (uint64_t)t.tv_nsec / 1000;
}

static struct ctl_client *client_free(struct ctl_client *c)
{
	if (!c)
		return NULL;
	if (c->server)
		c->server->client[c->slot] = NULL;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	varlink_buf_reset(&c->in);
	jsonw_reset(&c->out);
	free(c);
	return NULL;
}

DEFINE_CLEANUP(struct ctl_client, client_free)

static void drop(struct ctl_client *c, const char *why)
{
	log_debug("control: connection of uid %u pid %d closed: %s", c->peer.uid, c->peer.pid, why);
	client_free(c);
}

/* Moves the timer to an earlier time only; that it fires too early is on_deadline()'s to find. */
static void set_deadline(struct ctl_client *c, uint64_t from_now_us)
{
	c->deadline_us = now_us() + from_now_us;
	if (c->deadline_us < c->timer_us && sd_event_source_set_time(c->timer, c->deadline_us) >= 0)
		c->timer_us = c->deadline_us;
}

/* ---- one turn ---- */

/* Waits for events: nothing is to be done for it until there is one. */
static bool watches(const struct ctl_client *c)
{
	return c->job.kind == CTL_JOB_MONITOR;
}

static bool is_busy(const struct ctl_client *c)
{
	return (c->job.kind != CTL_JOB_NONE && !watches(c)) || jsonw_left(&c->out) > 0;
}

void ctl_client_wake(struct ctl_client *c)
{
	if (jsonw_left(&c->out) == 0)
		set_deadline(c, c->server->stall_us);
	(void)sd_event_source_set_io_events(c->io, EPOLLOUT);
}

static bool may_read(struct ctl_client *c)
{
	return !c->eof && !is_busy(c) && !varlink_buf_ready(&c->in);
}

/* NULL, or why the client has to go. */
static const char *turn_read(struct ctl_client *c)
{
	size_t n;
	ssize_t got;
	void *p;
	int r = varlink_buf_space(&c->in, &p, &n);

	if (r == -EMSGSIZE)
		return "the request is too long";
	if (r < 0)
		return "out of memory";
	got = recv(c->fd, p, n, MSG_DONTWAIT);
	if (got > 0)
		varlink_buf_add(&c->in, (size_t)got);
	else if (got == 0)
		c->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		return "the connection broke";
	return NULL;
}

static const char *turn_work(struct ctl_client *c)
{
	struct varlink_call call;
	struct span message;

	if (watches(c))
		return c->out.bad ? "the answer does not fit" : NULL;
	if (jsonw_left(&c->out) >= CTL_HIGH)
		return NULL;
	if (c->job.kind != CTL_JOB_NONE) {
		ctl_job_turn(c);
	} else if (varlink_buf_next(&c->in, &message)) {
		if (varlink_call_parse(message, &call) < 0)
			return "the request is no Varlink call";
		ctl_dispatch(c, &call);
		varlink_call_clear(&call);
	} else {
		return NULL;
	}
	/* While there is work the limit is for taking the answer. */
	set_deadline(c, c->server->stall_us);
	return c->out.bad ? "the answer does not fit" : NULL;
}

static const char *turn_write(struct ctl_client *c)
{
	struct jsonw *w = &c->out;
	ssize_t n;

	if (!jsonw_left(w))
		return NULL;
	n = send(c->fd, w->p + w->sent, jsonw_left(w), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : "the connection broke";
	w->sent += (size_t)n;
	set_deadline(c, c->server->stall_us);
	if (jsonw_left(w))
		return NULL;
	w->sent = w->len = 0;
	if (w->cap > KEEP_OUT)
		jsonw_reset(w);
	return NULL;
}

/* What the client waits for next, or why it is done. */
static const char *turn_end(struct ctl_client *c, bool was_busy)
{
	bool work = is_busy(c) || varlink_buf_ready(&c->in);
	uint32_t events = (may_read(c) ? EPOLLIN : 0) | (work ? EPOLLOUT : 0);

	if (watches(c) && c->in.len > c->in.from)
		return "it asks while it watches";
	if (!work && c->eof)
		return "it hung up";
	if (!work) {
		varlink_buf_trim(&c->in);
		if (was_busy) {
			c->idle_since_us = now_us();
			set_deadline(c, c->server->idle_us);
		}
	}
	return sd_event_source_set_io_events(c->io, events) < 0 ? "out of memory" : NULL;
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ctl_client *c = userdata;
	bool was_busy = is_busy(c);
	const char *why = NULL;

	(void)source;
	(void)fd;
	if (may_read(c) && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		why = turn_read(c);
	was_busy |= varlink_buf_ready(&c->in);
	if (!why)
		why = turn_work(c);
	if (!why)
		why = turn_write(c);
	if (!why)
		why = turn_end(c, was_busy);
	if (why)
		drop(c, why);
	return 0;
}

/* The deadline moves back with every answer; the timer finds out when it fires. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_client *c = userdata;
	uint64_t now = now_us();

	(void)usec;
	if (watches(c) && !is_busy(c))
		c->deadline_us = now + c->server->idle_us;
	if (now < c->deadline_us && sd_event_source_set_time(source, c->deadline_us) >= 0 &&
	    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0) {
		c->timer_us = c->deadline_us;
		return 0;
	}
	drop(c, is_busy(c) ? "it does not take its answer" : "it asks nothing");
	return 0;
}

/* ---- connections ---- */

/* A free place, if need be that of the connection that has been idle for longest; -1 if none. */
static int find_slot(struct ctl_server *s)
{
	struct ctl_client *oldest = NULL;
	uint64_t now = now_us();
	int slot;

	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++) {
		struct ctl_client *c = s->client[i];

		if (!c)
			return (int)i;
		if (!is_busy(c) && !watches(c) && !varlink_buf_ready(&c->in) &&
		    now - c->idle_since_us >= s->evict_us &&
		    (!oldest || c->idle_since_us < oldest->idle_since_us))
			oldest = c;
	}
	if (!oldest)
		return -1;
	slot = (int)oldest->slot;
	drop(oldest, "idle, and others wait");
	return slot;
}

static void refuse(int fd)
{
	static const char busy[] = "{\"error\":\"io.vpngw.Busy\",\"parameters\":{"
				   "\"schema_version\":\"" CTL_SCHEMA "\","
				   "\"what\":\"too many connections\"}}";

	(void)!send(fd, busy, sizeof(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* fd is taken over on success. */
static int client_new(struct ctl_server *s, int fd, unsigned slot)
{
	_cleanup_(client_freep) struct ctl_client *c = calloc(1, sizeof(*c));
	struct ucred cred;
	socklen_t n = sizeof(cred);
	int r;

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->in.max = LIMIT_CTL_REQUEST;
	c->out.max = CTL_OUT_MAX;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return -errno;
	c->peer.pid = cred.pid;
	c->peer.uid = cred.uid;
	c->idle_since_us = now_us();
	c->deadline_us = c->timer_us = c->idle_since_us + s->idle_us;
	r = sd_event_add_io(s->event, &c->io, fd, EPOLLIN, on_client, c);
	if (r < 0)
		return r;
	r = sd_event_add_time(s->event, &c->timer, CLOCK_MONOTONIC, c->deadline_us, 0, on_deadline,
			      c);
	if (r < 0)
		return r;
	c->fd = fd;
	c->server = s;
	c->slot = slot;
	s->client[slot] = TAKE_PTR(c);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_server *s = userdata;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(s->accept, SD_EVENT_ON);
}

/* Out of descriptors, the socket stays readable: look away for a while instead of spinning. */
static void pause_accept(struct ctl_server *s, int error)
{
	log_warning("control: cannot accept a connection: %s", strerror(error));
	if (sd_event_source_set_time_relative(s->retry, ACCEPT_RETRY_S * USEC) >= 0 &&
	    sd_event_source_set_enabled(s->retry, SD_EVENT_ONESHOT) >= 0)
		(void)sd_event_source_set_enabled(s->accept, SD_EVENT_OFF);
}

static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata)
{
	struct ctl_server *s = userdata;

	(void)source;
	(void)revents;
	for (unsigned i = 0; i < ACCEPT_TURN; i++) {
		_cleanup_close_ int fd =
			accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		int slot, r;

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				pause_accept(s, errno);
			return 0;
		}
		slot = find_slot(s);
		if (slot < 0) {
			refuse(fd);
			continue;
		}
		r = client_new(s, fd, (unsigned)slot);
		if (r < 0)
			log_warning("control: connection refused: %s", strerror(-r));
		else
			(void)TAKE_FD(fd);
	}
	return 0;
}

/* ---- the server ---- */

struct ctl_server *ctl_server_free(struct ctl_server *s)
{
	if (!s)
		return NULL;
	log_untap(s);
	for (unsigned i = 0; i < LIMIT_CTL_CLIENTS; i++)
		client_free(s->client[i]);
	sd_event_source_disable_unref(s->accept);
	sd_event_source_disable_unref(s->retry);
	if (s->fd >= 0)
		close(s->fd);
	sd_event_unref(s->event);
	free(s);
	return NULL;
}

DEFINE_CLEANUP(struct ctl_server, ctl_server_free)

/* systemd hands sockets over in blocking mode. */
static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void ctl_server_read_only(struct ctl_server *s)
{
	s->read_only = true;
}

int ctl_server_new(sd_event *event, int listen_fd, const struct ctl_ops *ops, void *ctx,
		   struct ctl_server **ret)
{
	_cleanup_(ctl_server_freep) struct ctl_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->event = sd_event_ref(event);
	s->ops = ops;
	s->ctx = ctx;
	s->idle_us = CTL_IDLE_S * USEC;
	s->stall_us = CTL_STALL_S * USEC;
	s->evict_us = CTL_EVICT_S * USEC;
	r = sd_is_socket_unix(listen_fd, SOCK_STREAM, 1, NULL, 0);
	if (r <= 0)
		return r < 0 ? r : -ENOTSOCK;
	r = set_nonblocking(listen_fd);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &s->accept, listen_fd, EPOLLIN, on_accept, s);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(event, &s->retry, CLOCK_MONOTONIC, 0, 0, on_retry, s);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(s->retry, SD_EVENT_OFF);
	if (r < 0)
		return r;
	s->fd = listen_fd;
	log_tap(ctl_on_log, s);
	*ret = TAKE_PTR(s);
	return 0;
}
