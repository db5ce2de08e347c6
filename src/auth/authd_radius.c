/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_radius.c - auth_source = radius: requests to servers, from the event loop.
 *
 * Each request has a socket of its own that is connected to its server: answers need no search,
 * nobody else is heard, a closed port is known at once, and who would forge an answer has to guess
 * a port, an id and 16 random bytes even before the secret. A request is repeated byte for byte
 * (RFC 5080 2.2.1); the next server gets one of its own. A server that was silent is asked after
 * the others for a while.
 *
 *   START    the next server is to be asked, from the timer: no callback comes out of give()
 *   SENT     waits for an answer; packets that are none are ignored
 *   ASKING   the server wants to know more, and the user is asked; there is no socket
 */
#include "auth/authd_radius.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/authd.h"
#include "auth/authd_radius_server.h"
#include "auth/authd_source.h"
#include "auth/vault.h"
#include "cleanup.h"
#include "text.h"

#define READ_AT_ONCE 16 /* packets of one server before others have their turn */
#define REQUEST_MAX  1024
#define NOBODY       UINT8_MAX

enum query_state {
	START,
	SENT,
	ASKING,
};

struct query {
	TAILQ_ENTRY(query) link;
	struct authd_radius *all; /* borrowed */
	enum query_state state;
	uint64_t job;
	sd_event_source *io, *timer; /* owned */
	int fd;                      /* owned, SENT only */
	uint8_t server;              /* which one is asked, or was; or NOBODY */
	uint8_t asked;               /* a bit for each that had its turn */
	unsigned sends, rounds;      /* of this packet; questions to the user */
	struct radius_key key;
	uint8_t packet[REQUEST_MAX];
	size_t packet_len;
	int password; /* slot in the vault, or -1 */
	size_t user_len, from_len, password_len, challenge_len;
	uint8_t user[LIMIT_USER], from[AUTH_PEER_MAX], challenge[RADIUS_VALUE];
	bool too_long; /* the password: RADIUS has no room for it */
	char why[128]; /* why the last server gave no answer */
};

TAILQ_HEAD(query_list, query);

struct authd_radius {
	sd_event *event;              /* borrowed */
	const struct conf_auth *conf; /* borrowed */
	struct authd_workers_ops ops;
	void *ctx;
	char nas_name[64 + 1];
	struct vault vault;
	struct query_list list;
	size_t n_busy; /* those that are not ASKING */
	struct log_limit said;
	struct radius_server server[LIMIT_RADIUS_SERVERS];
};

static uint64_t now_of(const struct authd_radius *all)
{
	uint64_t now = 0;

	(void)sd_event_now(all->event, CLOCK_BOOTTIME, &now);
	return now;
}

static void wake_at(struct query *q, uint64_t when)
{
	(void)sd_event_source_set_time(q->timer, when);
	(void)sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT);
}

static void hang_up(struct query *q)
{
	q->io = sd_event_source_disable_unref(q->io);
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

static void query_move(struct query *q, enum query_state to)
{
	q->all->n_busy -= q->state != ASKING;
	q->state = to;
	q->all->n_busy += q->state != ASKING;
}

static void query_free(struct query *q)
{
	struct authd_radius *all = q->all;

	hang_up(q);
	sd_event_source_disable_unref(q->timer);
	TAILQ_REMOVE(&all->list, q, link);
	all->n_busy -= q->state != ASKING;
	vault_drop(&all->vault, q->password);
	explicit_bzero(q, sizeof(*q));
	free(q);
}

/* The last thing that is done with it. */
static void finish(struct query *q, struct auth_reply *r)
{
	struct authd_radius *all = q->all;

	r->id = q->job;
	authd_source_settle(all->conf, r);
	query_free(q);
	all->ops.done(all->ctx, r->id, r);
	all->ops.ready(all->ctx);
}

/* ---- asking ---- */

/* The first that has not had its turn, those that were silent last. A challenge is answered to the
 * server that made it. NOBODY: all had their turn. */
static uint8_t next_server(const struct query *q, uint64_t now)
{
	const struct authd_radius *all = q->all;
	uint8_t last = NOBODY;

	for (uint8_t i = 0; i < all->conf->n_radius; i++) {
		if (q->asked & 1u << i)
			continue;
		if (q->rounds && i != q->server)
			continue;
		if (!all->server[i].silent || now >= all->server[i].silent_until)
			return i;
		if (last == NOBODY)
			last = i;
	}
	return last;
}

static int make_packet(struct query *q, const struct ipaddr *own)
{
	struct authd_radius *all = q->all;
	const struct radius_server *s = &all->server[q->server];
	const struct radius_request r = {
		.user = { q->user, q->user_len },
		.password = { vault_at(&all->vault, q->password), q->password_len },
		.state = { q->challenge, q->challenge_len },
		.nas_name = span_str(all->nas_name),
		.nas = *own,
		.from = { q->from, q->from_len },
	};
	int n;

	if (getrandom(&q->key.id, sizeof(q->key.id), GRND_NONBLOCK) != sizeof(q->key.id) ||
	    getrandom(q->key.authenticator, sizeof(q->key.authenticator), GRND_NONBLOCK) !=
		    sizeof(q->key.authenticator))
		return -EIO;
	q->key.secret = (struct span){ s->secret, s->secret_len };
	n = radius_put_request(q->packet, sizeof(q->packet), &q->key, &r);
	q->packet_len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? n : 0;
}

static int on_answer(sd_event_source *src, int fd, uint32_t revents, void *userdata);

/* 0, or -errno with q->why: this server cannot be asked. */
static int ask_server(struct query *q, uint64_t now)
{
	struct radius_server *s = &q->all->server[q->server];
	struct ipaddr own;
	int rc = radius_server_secret(s, q->why, sizeof(q->why));

	if (rc == 0)
		rc = radius_server_open(s, &q->fd, &own, q->why, sizeof(q->why));
	if (rc < 0)
		return rc;
	rc = make_packet(q, &own);
	if (rc == 0)
		rc = sd_event_add_io(q->all->event, &q->io, q->fd, EPOLLIN, on_answer, q);
	if (rc >= 0 && send(q->fd, q->packet, q->packet_len, MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (rc < 0) {
		radius_server_why(rc, q->why, sizeof(q->why));
		hang_up(q);
		return rc;
	}
	snprintf(q->why, sizeof(q->why), "no answer");
	q->sends = 1;
	query_move(q, SENT);
	wake_at(q, now + s->conf->timeout_s * UINT64_C(1000000));
	return 0;
}

/* The last thing that is done with it. */
static void ask_next(struct query *q)
{
	uint64_t now = now_of(q->all);
	struct auth_reply r = { 0 };

	hang_up(q);
	query_move(q, START);
	for (;;) {
		uint8_t i = next_server(q, now);

		if (i == NOBODY)
			break;
		q->asked |= (uint8_t)(1u << i);
		q->server = i;
		if (ask_server(q, now) == 0)
			return;
		radius_server_is_silent(&q->all->server[i], q->why, now);
	}
	authd_say(&r, AUTH_ERROR, "%s; RADIUS server %s: %s",
		  q->all->conf->n_radius > 1 ? "no RADIUS server answers" : "nobody answers",
		  q->all->server[q->server].name, q->why);
	finish(q, &r);
}

/* Its time is over, or nobody is there. */
static void give_up(struct query *q, const char *why)
{
	radius_server_is_silent(&q->all->server[q->server], why, now_of(q->all));
	ask_next(q);
}

/* The last thing that is done with it. */
static void start(struct query *q)
{
	struct auth_reply r = { 0 };

	if (!q->too_long) {
		ask_next(q);
		return;
	}
	authd_say(&r, AUTH_DENIED, "a password of more than %d bytes, which RADIUS has no room for",
		  RADIUS_PASSWORD_MAX);
	finish(q, &r);
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct query *q = userdata;
	const struct conf_radius_server *conf;

	(void)src;
	(void)usec;
	if (q->state == START) {
		start(q);
		return 0;
	}
	conf = q->all->server[q->server].conf;
	if (q->sends > conf->retries) {
		give_up(q, "does not answer: is it there, does it know this gateway, and is the "
			   "secret the same?");
		return 0;
	}
	q->sends++;
	(void)send(q->fd, q->packet, q->packet_len, MSG_NOSIGNAL);
	wake_at(q, now_of(q->all) + conf->timeout_s * UINT64_C(1000000));
	return 0;
}

/* ---- answers ---- */

/* Other servers' Classes may be anything; a group is text. */
static void let_in(struct query *q, const struct radius_answer *a, struct auth_reply *r)
{
	struct span all = a->attributes, class;
	char ip[ENDPOINT_STRLEN];

	if (a->bad) {
		authd_say(r, AUTH_ERROR, "RADIUS server %s gives a %s that makes no sense",
			  q->all->server[q->server].name, a->bad);
		return;
	}
	authd_say(r, AUTH_OK, "%s", "");
	while (radius_next(&all, RADIUS_CLASS, &class))
		if (text_is_clean(class))
			authd_add_group(q->all->conf, r, class);
	r->session_s = a->session_s;
	if (a->address.family != IP_NONE)
		snprintf(r->address, sizeof(r->address), "%.60s", ipaddr_str(&a->address, ip));
}

static void log_text(struct query *q, const char *text)
{
	unsigned long left_out;
	char who[160], what[200];

	if (!*text || !log_allowed(&q->all->said, 20, 10, now_of(q->all), &left_out))
		return;
	log_info("RADIUS server %s says about %s: %s", q->all->server[q->server].name,
		 text_escape((struct span){ q->user, q->user_len }, who, sizeof(who)),
		 text_escape(span_str(text), what, sizeof(what)));
}

/* The last thing that is done with it. */
static void ask_user(struct query *q, const struct radius_answer *a)
{
	struct authd_radius *all = q->all;
	char prompt[LIMIT_PROMPT + 1];
	const struct auth_question question = {
		.id = q->job,
		.ask = a->echo ? AUTH_ASK_ANSWER : AUTH_ASK_PASSCODE,
		.prompt = span_str(radius_text(a, prompt, sizeof(prompt))),
	};
	struct auth_reply r = { 0 };

	if (++q->rounds > LIMIT_XAUTH_ROUNDS) {
		authd_say(&r, AUTH_DENIED, "RADIUS server %s asks without an end",
			  all->server[q->server].name);
		finish(q, &r);
		return;
	}
	q->challenge_len = a->state.n;
	if (a->state.n)
		memcpy(q->challenge, a->state.p, a->state.n);
	hang_up(q);
	(void)sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
	q->password = vault_drop(&all->vault, q->password);
	query_move(q, ASKING);
	all->ops.asked(all->ctx, question.id, &question);
	all->ops.ready(all->ctx);
}

/* The last thing that is done with it. */
static void take_answer(struct query *q, const struct radius_answer *a)
{
	struct radius_server *s = &q->all->server[q->server];
	struct auth_reply r = { 0 };
	char text[LIMIT_PROMPT + 1];

	radius_server_answers(s);
	radius_text(a, text, sizeof(text));
	switch (a->code) {
	case RADIUS_CHALLENGE:
		ask_user(q, a);
		return;
	case RADIUS_ACCEPT:
		log_text(q, text);
		let_in(q, a, &r);
		break;
	case RADIUS_REJECT:
	case RADIUS_REQUEST:
		authd_say(&r, AUTH_DENIED, "refused by RADIUS server %s%s%.60s", s->name,
			  *text ? ": " : "", text);
		break;
	}
	finish(q, &r);
}

static int on_answer(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct query *q = userdata;
	struct radius_server *s = &q->all->server[q->server];
	uint8_t buf[RADIUS_PACKET + 1];
	struct radius_answer a;

	(void)src;
	(void)revents;
	for (int i = 0; i < READ_AT_ONCE; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		enum radius_flaw flaw;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0) {
			snprintf(q->why, sizeof(q->why), "%s", strerror(errno));
			give_up(q, q->why);
			return 0;
		}
		flaw = radius_get_answer((struct span){ buf, (size_t)n }, &q->key, !s->conf->lax,
					 &a);
		if (flaw == RADIUS_GOOD) {
			take_answer(q, &a);
			return 0;
		}
		snprintf(q->why, sizeof(q->why), "its answer %s", radius_flaw_str(flaw));
		radius_server_ignored(s, flaw, now_of(q->all));
	}
	return 0;
}

/* ---- for the queue ---- */

int authd_radius_new(sd_event *event, const struct conf_auth *conf,
		     const struct authd_workers_ops *ops, void *ctx, struct authd_radius **ret)
{
	struct authd_radius *all = calloc(1, sizeof(*all));
	int rc;

	if (!all)
		return -ENOMEM;
	all->event = event;
	all->conf = conf;
	all->ops = *ops;
	all->ctx = ctx;
	TAILQ_INIT(&all->list);
	for (size_t i = 0; i < conf->n_radius; i++)
		radius_server_init(&all->server[i], &conf->radius[i]);
	if (*conf->nas_identifier)
		snprintf(all->nas_name, sizeof(all->nas_name), "%s", conf->nas_identifier);
	else if (gethostname(all->nas_name, sizeof(all->nas_name) - 1) < 0)
		snprintf(all->nas_name, sizeof(all->nas_name), "vpngw");
	/* Whoever has answered a question needs a place besides. */
	rc = vault_open(&all->vault, RADIUS_PASSWORD_MAX, AUTHD_RADIUS_QUERIES + AUTHD_ASKING);
	if (rc < 0) {
		free(all);
		return rc;
	}
	*ret = all;
	return 0;
}

struct authd_radius *authd_radius_free(struct authd_radius *all)
{
	struct query *q;

	if (!all)
		return NULL;
	while ((q = TAILQ_FIRST(&all->list)))
		query_free(q);
	vault_close(&all->vault);
	explicit_bzero(all, sizeof(*all));
	free(all);
	return NULL;
}

bool authd_radius_idle(const struct authd_radius *all)
{
	return all->n_busy < AUTHD_RADIUS_QUERIES;
}

static int take_password(struct query *q, struct span password)
{
	struct vault *v = &q->all->vault;

	q->too_long = password.n > RADIUS_PASSWORD_MAX;
	if (q->too_long)
		return 0;
	q->password = vault_take(v);
	if (q->password < 0)
		return -EBUSY;
	q->password_len = password.n;
	if (password.n)
		memcpy(vault_at(v, q->password), password.p, password.n);
	return 0;
}

int authd_radius_give(struct authd_radius *all, const struct auth_request *r)
{
	struct query *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	q->all = all;
	q->job = r->id;
	q->fd = -1;
	q->server = NOBODY;
	q->password = -1;
	q->user_len = r->user.n;
	memcpy(q->user, r->user.p, r->user.n);
	q->from_len = r->peer.n;
	memcpy(q->from, r->peer.p, r->peer.n);
	TAILQ_INSERT_TAIL(&all->list, q, link);
	all->n_busy++;
	rc = take_password(q, r->password);
	if (rc == 0)
		rc = sd_event_add_time(all->event, &q->timer, CLOCK_BOOTTIME, 0, 1000, on_timer, q);
	if (rc < 0)
		query_free(q);
	return rc < 0 ? rc : 0;
}

static struct query *find(struct authd_radius *all, uint64_t job)
{
	struct query *q;

	TAILQ_FOREACH(q, &all->list, link)
	if (q->job == job)
		break;
	return q;
}

int authd_radius_answer(struct authd_radius *all, uint64_t job, struct span text)
{
	struct query *q = find(all, job);
	int rc;

	if (!q || q->state != ASKING)
		return -ENOENT;
	rc = take_password(q, text);
	if (rc < 0)
		return rc;
	q->asked = 0;
	query_move(q, START);
	wake_at(q, 0);
	return 0;
}

void authd_radius_kill(struct authd_radius *all, uint64_t job)
{
	struct query *q = find(all, job);

	if (q)
		query_free(q);
}
