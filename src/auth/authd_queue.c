/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_queue.c - the way of a request through vpngw-authd.
 *
 *   READY    waits for an idle worker, first come first served
 *   PARKED   its source or user is slowed down; READY again when the delay is over
 *   WORKING  a worker has it, and its password is wiped here
 *   ASKING   its user is asked something; the worker waits; WORKING again with the answer
 *   HELD     it has its answer, which waits for its time
 *
 * Each request has one timer, which means something else in each state. The deadline covers all of
 * READY, PARKED and WORKING; no answer is held beyond it. An answer of the user's starts it anew, as if
 * the request had arrived with it.
 *
 * A refusal leaves one AUTHD_FLOOR_US after the request's arrival or at a later multiple of it, or
 * when the throttle's delay is over if that is later still. The same for every reason, and requests
 * that are refused unseen (root, empty names) take their turn like all others: time does not tell
 * an unknown user from a wrong password, a locked user or one in the wrong group.
 */
#include "auth/authd_queue.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "auth/authd.h"
#include "auth/authd_checker.h"
#include "auth/authd_report.h"
#include "auth/throttle.h"
#include "auth/vault.h"
#include "cleanup.h"

enum item_state {
	READY,
	PARKED,
	WORKING,
	ASKING,
	HELD,
	N_STATES,
};

struct item {
	TAILQ_ENTRY(item) link;
	struct authd_queue *queue; /* borrowed */
	enum item_state state;
	uint64_t job, client, id; /* job: unique; client 0: gone; id: the client's */
	uint64_t arrived, deadline, due;
	struct ipaddr peer;
	char peer_text[AUTH_PEER_MAX + 1];
	uint8_t user[LIMIT_USER];
	size_t user_len, peer_len, password_len;
	int password;           /* slot in the vault, or -1 */
	sd_event_source *timer; /* owned */
	uint8_t *reply;         /* owned, HELD only */
	size_t reply_len;
};

TAILQ_HEAD(item_list, item);

struct authd_queue {
	sd_event *event;              /* borrowed */
	const struct conf_auth *conf; /* borrowed */
	struct authd_checker *checker;
	struct throttle *throttle;
	struct vault vault;
	authd_send_fn send;
	void *ctx;
	struct item_list list[N_STATES];
	size_t n[N_STATES];
	uint64_t last_job;
	struct authd_counts counts;
	struct authd_report report;
};

static uint64_t now_of(const struct authd_queue *q)
{
	uint64_t now = 0;

	(void)sd_event_now(q->event, CLOCK_BOOTTIME, &now);
	return now;
}

static struct span user_of(const struct item *it)
{
	return (struct span){ it->user, it->user_len };
}

static void item_move(struct item *it, enum item_state to)
{
	struct authd_queue *q = it->queue;

	TAILQ_REMOVE(&q->list[it->state], it, link);
	q->n[it->state]--;
	it->state = to;
	TAILQ_INSERT_TAIL(&q->list[to], it, link);
	q->n[to]++;
}

static struct item *item_free(struct item *it)
{
	if (!it)
		return NULL;
	TAILQ_REMOVE(&it->queue->list[it->state], it, link);
	it->queue->n[it->state]--;
	it->password = vault_drop(&it->queue->vault, it->password);
	sd_event_source_disable_unref(it->timer);
	free(it->reply);
	free(it);
	return NULL;
}

static void item_wake_at(struct item *it, uint64_t when)
{
	(void)sd_event_source_set_time(it->timer, when);
	(void)sd_event_source_set_enabled(it->timer, SD_EVENT_ONESHOT);
}

/* ---- answers ---- */

/* Returns false while the client has no room. */
static bool item_send(struct item *it)
{
	struct authd_queue *q = it->queue;

	if (it->client &&
	    q->send(q->ctx, it->client, (struct span){ it->reply, it->reply_len }) == -EAGAIN) {
		(void)sd_event_source_set_enabled(it->timer, SD_EVENT_OFF);
		return false;
	}
	item_free(it);
	return true;
}

static bool is_refusal(enum auth_verdict v)
{
	return v == AUTH_DENIED || v == AUTH_NOT_ALLOWED || v == AUTH_THROTTLED;
}

static uint64_t due_time(const struct item *it, enum auth_verdict v, uint64_t now)
{
	uint64_t steps, due, until;

	if (!is_refusal(v))
		return now;
	steps = (now - it->arrived + AUTHD_FLOOR_US - 1) / AUTHD_FLOOR_US;
	due = it->arrived + (steps ? steps : 1) * AUTHD_FLOOR_US;
	until = throttle_peek(it->queue->throttle, user_of(it), &it->peer, now);
	if (until > due)
		due = until;
	return due > it->deadline ? it->deadline : due;
}

static void count(struct authd_queue *q, const struct item *it, enum auth_verdict v, uint64_t now)
{
	switch (v) {
	case AUTH_OK:
		q->counts.ok++;
		throttle_passed(q->throttle, user_of(it), &it->peer, now);
		break;
	case AUTH_DENIED:
	case AUTH_NOT_ALLOWED:
		throttle_failed(q->throttle, user_of(it), &it->peer, now);
		q->counts.refused++;
		break;
	case AUTH_THROTTLED:
		q->counts.refused++;
		break;
	case AUTH_BUSY:
	case AUTH_TIMEOUT:
	case AUTH_ERROR:
		q->counts.errors++;
		break;
	}
}

/* The answer is known; it leaves now or in time. r->id is filled in. */
static void complete(struct item *it, struct auth_reply *r)
{
	struct authd_queue *q = it->queue;
	uint64_t now = now_of(q);
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	struct item *first;
	int n;

	it->password = vault_drop(&q->vault, it->password);
	count(q, it, r->verdict, now);
	authd_report(&q->report, user_of(it),
		     (struct span){ (const uint8_t *)it->peer_text, it->peer_len }, r, now);
	r->id = it->id;
	n = auth_put_reply(buf, sizeof(buf), r);
	it->reply = n > 0 ? malloc((size_t)n) : NULL;
	if (!it->reply) { /* the client's own deadline answers */
		item_free(it);
		return;
	}
	memcpy(it->reply, buf, (size_t)n);
	it->reply_len = (size_t)n;
	it->due = due_time(it, r->verdict, now);
	item_move(it, HELD);
	if (it->due > now)
		item_wake_at(it, it->due);
	else
		(void)item_send(it);
	if (q->n[HELD] > AUTHD_HELD) {
		first = TAILQ_FIRST(&q->list[HELD]);
		if (!item_send(first))
			item_free(first);
	}
}

__attribute__((format(printf, 3, 4))) static void answer(struct item *it, enum auth_verdict v,
							 const char *fmt, ...)
{
	struct auth_reply r = { .verdict = v };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.reason, sizeof(r.reason), fmt, ap);
	va_end(ap);
	complete(it, &r);
}

/* ---- questions ---- */

/* The delay of a slowed source is waited for, if that ends in time and few others wait too. */
static void park(struct item *it, uint64_t until, uint64_t now)
{
	struct authd_queue *q = it->queue;
	unsigned same = 0;
	struct item *other;

	TAILQ_FOREACH(other, &q->list[PARKED], link)
	same += throttle_same_source(&other->peer, &it->peer);
	if (until >= it->deadline || same >= AUTHD_PARKED_PER_SOURCE ||
	    q->n[PARKED] > q->conf->max_pending / 2) {
		answer(it, AUTH_THROTTLED,
		       "too many failures from this address or for this user; next check in %u s",
		       (unsigned)((until - now + 999999) / 1000000));
		return;
	}
	item_move(it, PARKED);
	item_wake_at(it, until);
}

static void start(struct item *it)
{
	struct authd_queue *q = it->queue;
	struct auth_request r = {
		.id = it->job,
		.user = user_of(it),
		.password = { vault_at(&q->vault, it->password), it->password_len },
		.peer = { (const uint8_t *)it->peer_text, it->peer_len },
	};
	enum auth_verdict v;
	const char *why = auth_request_refused(&r, &v);
	int rc;

	q->counts.checked++;
	if (why) {
		answer(it, v, "%s", why);
		return;
	}
	rc = authd_checker_give(q->checker, &r);
	if (rc < 0) {
		answer(it, AUTH_ERROR, "nobody takes the request: %s", strerror(-rc));
		return;
	}
	it->password = vault_drop(&q->vault, it->password);
	item_move(it, WORKING);
	item_wake_at(it, it->deadline);
}

static void pump(struct authd_queue *q)
{
	struct item *it;

	while ((it = TAILQ_FIRST(&q->list[READY])) && authd_checker_idle(q->checker)) {
		uint64_t now = now_of(q);
		uint64_t until = throttle_start(q->throttle, user_of(it), &it->peer, now);

		if (until)
			park(it, until, now);
		else
			start(it);
	}
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct item *it = userdata;
	struct authd_queue *q = it->queue;

	(void)src;
	(void)usec;
	switch (it->state) {
	case READY:
		answer(it, AUTH_TIMEOUT, "waited %u s for an idle worker", q->conf->deadline_s);
		break;
	case PARKED:
		item_move(it, READY);
		item_wake_at(it, it->deadline);
		pump(q);
		break;
	case WORKING:
		authd_checker_kill(q->checker, it->job);
		answer(it, AUTH_TIMEOUT, "the check did not end within %u s", q->conf->deadline_s);
		break;
	case ASKING:
		authd_checker_kill(q->checker, it->job);
		answer(it, AUTH_TIMEOUT, "nobody answered the question to the user");
		break;
	case HELD:
		(void)item_send(it);
		break;
	case N_STATES:
		break;
	}
	return 0;
}

static struct item *by_job(struct authd_queue *q, enum item_state state, uint64_t job)
{
	struct item *it;

	TAILQ_FOREACH(it, &q->list[state], link)
	if (it->job == job)
		break;
	return it;
}

static void on_done(void *ctx, uint64_t job, const struct auth_reply *reply)
{
	struct authd_queue *q = ctx;
	struct item *it = by_job(q, WORKING, job);
	struct auth_reply r;

	if (!it)
		it = by_job(q, ASKING, job);
	if (!it)
		return;
	if (!reply) {
		answer(it, AUTH_ERROR, "the worker died during the check; look at the PAM modules");
		return;
	}
	r = *reply;
	complete(it, &r);
}

/* Whether the user can be asked: each question holds a process. */
static bool may_ask(const struct item *it)
{
	const struct authd_queue *q = it->queue;
	unsigned same = 0;
	struct item *other;

	TAILQ_FOREACH(other, &q->list[ASKING], link)
	same += throttle_same_source(&other->peer, &it->peer);
	return q->n[ASKING] < AUTHD_ASKING && same < AUTHD_ASKING_PER_SOURCE;
}

/* A job without a client any more is not asked about. */
static void on_asked(void *ctx, uint64_t job, const struct auth_question *question)
{
	struct authd_queue *q = ctx;
	struct item *it = by_job(q, WORKING, job);
	struct auth_question out = *question;
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	int n;

	if (!it || !it->client) {
		authd_checker_kill(q->checker, job);
		if (it)
			item_free(it);
		return;
	}
	if (!may_ask(it)) {
		authd_checker_kill(q->checker, job);
		answer(it, AUTH_BUSY, "%zu users are asked for more than a password", q->n[ASKING]);
		return;
	}
	out.id = it->id;
	n = auth_put_question(buf, sizeof(buf), &out);
	if (n < 0 || q->send(q->ctx, it->client, (struct span){ buf, (size_t)n }) < 0) {
		authd_checker_kill(q->checker, job);
		answer(it, AUTH_ERROR, "the gateway does not read a question to the user");
		return;
	}
	item_move(it, ASKING);
	item_wake_at(it, now_of(q) + AUTHD_ANSWER_US);
}

void authd_queue_answer(struct authd_queue *q, uint64_t client, const struct auth_answer *a)
{
	struct item *it;

	TAILQ_FOREACH(it, &q->list[ASKING], link)
	if (it->client == client && it->id == a->id)
		break;
	if (!it)
		return;
	if (!a->given) {
		authd_checker_kill(q->checker, it->job);
		item_free(it);
		return;
	}
	it->arrived = now_of(q);
	it->deadline = it->arrived + q->conf->deadline_s * UINT64_C(1000000);
	item_move(it, WORKING);
	item_wake_at(it, it->deadline);
	(void)authd_checker_answer(q->checker, it->job, a->text);
}

static void on_ready(void *ctx)
{
	pump(ctx);
}

/* A new item in state READY, or NULL. */
static struct item *item_new(struct authd_queue *q, uint64_t client, uint64_t id)
{
	struct item *it = calloc(1, sizeof(*it));
	uint64_t now = now_of(q);

	if (!it)
		return NULL;
	it->queue = q;
	it->job = ++q->last_job;
	it->client = client;
	it->id = id;
	it->password = -1;
	it->arrived = now;
	it->deadline = now + q->conf->deadline_s * UINT64_C(1000000);
	if (sd_event_add_time(q->event, &it->timer, CLOCK_BOOTTIME, it->deadline, 1000, on_timer,
			      it) < 0) {
		free(it);
		return NULL;
	}
	it->state = READY;
	TAILQ_INSERT_TAIL(&q->list[READY], it, link);
	q->n[READY]++;
	return it;
}

void authd_queue_submit(struct authd_queue *q, uint64_t client, const struct auth_request *r)
{
	bool full = q->n[READY] + q->n[PARKED] >= q->conf->max_pending;
	struct item *it = item_new(q, client, r->id);

	if (!it)
		return;
	it->user_len = r->user.n;
	it->peer_len = r->peer.n;
	it->password_len = r->password.n;
	memcpy(it->user, r->user.p, r->user.n);
	memcpy(it->peer_text, r->peer.p, r->peer.n);
	if (full || (it->password = vault_take(&q->vault)) < 0) {
		answer(it, AUTH_BUSY, "%u requests are waiting", q->conf->max_pending);
		return;
	}
	if (strlen(it->peer_text) != it->peer_len || ipaddr_parse(it->peer_text, &it->peer) < 0) {
		answer(it, AUTH_ERROR, "the gateway named a peer that is not an address");
		return;
	}
	memcpy(vault_at(&q->vault, it->password), r->password.p, r->password.n);
	pump(q);
}

void authd_queue_malformed(struct authd_queue *q, uint64_t client, uint64_t id)
{
	struct item *it = item_new(q, client, id);

	if (it)
		answer(it, AUTH_ERROR, "the gateway sent a malformed request");
}

void authd_queue_flush(struct authd_queue *q, uint64_t client)
{
	uint64_t now = now_of(q);
	struct item *it, *next;

	for (it = TAILQ_FIRST(&q->list[HELD]); it; it = next) {
		next = TAILQ_NEXT(it, link);
		if (it->client == client && it->due <= now && !item_send(it))
			return;
	}
}

void authd_queue_drop(struct authd_queue *q, uint64_t client)
{
	struct item *it, *next;

	for (int s = 0; s < N_STATES; s++) {
		for (it = TAILQ_FIRST(&q->list[s]); it; it = next) {
			next = TAILQ_NEXT(it, link);
			if (it->client != client)
				continue;
			if (s == ASKING)
				authd_checker_kill(q->checker, it->job);
			if (s == WORKING) /* its outcome still counts for the throttle */
				it->client = 0;
			else
				item_free(it);
		}
	}
}

struct authd_counts authd_queue_counts(const struct authd_queue *q)
{
	return q->counts;
}

int authd_queue_new(sd_event *event, const struct conf_auth *conf, uint64_t seed,
		    authd_send_fn send, void *ctx, struct authd_queue **ret)
{
	const struct authd_workers_ops ops = { .done = on_done,
					       .asked = on_asked,
					       .ready = on_ready };
	struct authd_queue *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	q->event = event;
	q->conf = conf;
	q->send = send;
	q->ctx = ctx;
	for (int s = 0; s < N_STATES; s++)
		TAILQ_INIT(&q->list[s]);
	rc = throttle_new(conf->fail_count, conf->fail_window_s, seed, &q->throttle);
	if (rc == 0)
		rc = vault_open(&q->vault, LIMIT_PASSWORD + 1, conf->max_pending + 1);
	if (rc == 0)
		rc = authd_checker_new(event, conf, &ops, q, &q->checker);
	if (rc < 0) {
		authd_queue_free(q);
		return rc;
	}
	*ret = q;
	return 0;
}

struct authd_queue *authd_queue_free(struct authd_queue *q)
{
	struct item *it;

	if (!q)
		return NULL;
	q->checker = authd_checker_free(q->checker);
	for (int s = 0; s < N_STATES; s++)
		while ((it = TAILQ_FIRST(&q->list[s])))
			item_free(it);
	vault_close(&q->vault);
	throttle_free(q->throttle);
	free(q);
	return NULL;
}
