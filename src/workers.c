/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* workers.c - a small pool of threads with one queue in and one queue out. */
#include "workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "cleanup.h"
#include "log.h"
#include "random.h"

#define MAX_THREADS 64

struct queue {
	struct work *head, **tail;
};

struct workers {
	pthread_t thread[MAX_THREADS];
	unsigned n;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct queue todo, done; /* under lock */
	bool stop;               /* under lock */
	struct creds *creds;     /* owned reference, as is the next; the loop's alone */
	struct trust *trust;
	int event_fd;
	sd_event_source *source;
	work_fn fn;
	void *ctx;
};

static void queue_init(struct queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void queue_put(struct queue *q, struct work *w)
{
	w->next = NULL;
	*q->tail = w;
	q->tail = &w->next;
}

static struct work *queue_take(struct queue *q)
{
	struct work *w = q->head;

	if (w) {
		q->head = w->next;
		if (!q->head)
			q->tail = &q->head;
	}
	return w;
}

static void work_free(struct work *w)
{
	creds_free(w->creds);
	trust_free(w->trust);
	free(w->proof);
	explicit_bzero(w, sizeof(*w));
	free(w);
}

/* ---- in a thread ---- */

/* All of it, or as initiator in two halves: a key pair, and later the shared secret. */
static void do_dh(struct work *w)
{
	const struct dh_group *g = dh_group(w->group);

	if (!g || (w->secret_len && w->secret_len != g->private_len)) {
		w->rc = -ENOTSUP;
		return;
	}
	if (!w->secret_len) {
		random_key(w->secret, g->private_len);
		w->rc = dh_make(g, w->secret, w->public_value);
		w->public_len = g->public_len;
	}
	if (w->in_len) {
		if (w->rc == 0)
			w->rc = dh_agree(g, w->secret, (struct span){ w->in, w->in_len }, w->out);
		w->out_len = g->shared_len;
	} else {
		memcpy(w->out, w->secret, g->private_len);
		w->out_len = g->private_len;
	}
}

/* What a thread has of its own: kept open until it is to work with others. */
struct tools {
	struct creds *creds; /* owned reference, as is trust */
	struct signer *signer;
	struct trust *trust;
	struct verifier *verifier;
};

static void close_signer(struct tools *t)
{
	t->signer = signer_free(t->signer);
	t->creds = creds_free(t->creds);
}

static void close_verifier(struct tools *t)
{
	t->verifier = verifier_free(t->verifier);
	t->trust = trust_free(t->trust);
}

static void do_sign(struct tools *t, struct work *w)
{
	if (t->creds != w->creds) {
		close_signer(t);
		t->creds = creds_ref(w->creds);
		t->signer = t->creds ? creds_signer(t->creds) : NULL;
	}
	w->rc = t->signer ? signer_sign(t->signer, (struct span){ w->in, w->in_len }, w->out,
					sizeof(w->out), &w->out_len)
			  : -ENOMEM;
}

static void do_proof(struct tools *t, struct work *w)
{
	struct work_proof *p = w->proof;

	if (t->trust != w->trust) {
		close_verifier(t);
		t->trust = trust_ref(w->trust);
		t->verifier = verifier_new(t->trust);
	}
	p->verdict = t->verifier ? verifier_check(t->verifier, &p->p, p->why, sizeof(p->why))
				 : IKE_PROOF_FAILED;
}

static void do_work(struct tools *t, struct work *w)
{
	switch (w->kind) {
	case WORK_DH:
		do_dh(w);
		break;
	case WORK_SIGN:
		do_sign(t, w);
		break;
	case WORK_PROOF:
		do_proof(t, w);
		break;
	}
}

static void *worker(void *arg)
{
	struct workers *ws = arg;
	struct tools t = { 0 };

	pthread_mutex_lock(&ws->lock);
	while (!ws->stop) {
		struct work *w = queue_take(&ws->todo);
		uint64_t one = 1;
		bool first;

		if (!w) {
			pthread_cond_wait(&ws->more, &ws->lock);
			continue;
		}
		pthread_mutex_unlock(&ws->lock);
		do_work(&t, w);
		pthread_mutex_lock(&ws->lock);
		first = !ws->done.head;
		queue_put(&ws->done, w);
		if (first && write(ws->event_fd, &one, sizeof(one)) < 0)
			log_err("workers: eventfd: %s", strerror(errno));
	}
	pthread_mutex_unlock(&ws->lock);
	close_signer(&t);
	close_verifier(&t);
	return NULL;
}

/* ---- on the loop ---- */

static int on_done(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct workers *ws = userdata;
	uint64_t n;
	struct work *w;

	(void)src;
	(void)revents;
	if (read(fd, &n, sizeof(n)) < 0)
		return 0;
	pthread_mutex_lock(&ws->lock);
	struct queue done = ws->done;

	queue_init(&ws->done);
	pthread_mutex_unlock(&ws->lock);
	while ((w = queue_take(&done))) {
		ws->fn(ws->ctx, w);
		work_free(w);
	}
	return 0;
}

static int start_threads(struct workers *ws, unsigned n)
{
	sigset_t all, old;
	int rc = 0;

	if (n == 0) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);

		n = cpus > 0 ? (unsigned)cpus : 1;
	}
	if (n > MAX_THREADS)
		n = MAX_THREADS;
	/* Signals are the loop's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (ws->n < n && rc == 0) {
		rc = -pthread_create(&ws->thread[ws->n], NULL, worker, ws);
		ws->n += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ws->n ? 0 : rc;
}

int workers_new(sd_event *event, unsigned n, struct creds *creds, struct trust *trust, work_fn fn,
		void *ctx, struct workers **ret)
{
	struct workers *ws = calloc(1, sizeof(*ws));
	int rc;

	if (!ws)
		return -ENOMEM;
	ws->creds = creds_ref(creds);
	ws->trust = trust_ref(trust);
	ws->fn = fn;
	ws->ctx = ctx;
	queue_init(&ws->todo);
	queue_init(&ws->done);
	pthread_mutex_init(&ws->lock, NULL);
	pthread_cond_init(&ws->more, NULL);
	ws->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = ws->event_fd < 0
		     ? -errno
		     : sd_event_add_io(event, &ws->source, ws->event_fd, EPOLLIN, on_done, ws);
	if (rc >= 0)
		rc = start_threads(ws, n);
	if (rc < 0) {
		workers_free(ws);
		return rc;
	}
	*ret = ws;
	return 0;
}

void workers_set_keys(struct workers *ws, struct creds *creds, struct trust *trust)
{
	struct creds *old_creds = ws->creds;
	struct trust *old_trust = ws->trust;

	ws->creds = creds_ref(creds);
	ws->trust = trust_ref(trust);
	creds_free(old_creds);
	trust_free(old_trust);
}

struct workers *workers_free(struct workers *ws)
{
	struct work *w;

	if (!ws)
		return NULL;
	pthread_mutex_lock(&ws->lock);
	ws->stop = true;
	pthread_cond_broadcast(&ws->more);
	pthread_mutex_unlock(&ws->lock);
	for (unsigned i = 0; i < ws->n; i++)
		pthread_join(ws->thread[i], NULL);
	while ((w = queue_take(&ws->todo)) || (w = queue_take(&ws->done)))
		work_free(w);
	sd_event_source_disable_unref(ws->source);
	if (ws->event_fd >= 0)
		close(ws->event_fd);
	pthread_mutex_destroy(&ws->lock);
	pthread_cond_destroy(&ws->more);
	creds_free(ws->creds);
	trust_free(ws->trust);
	free(ws);
	return NULL;
}

static void enqueue(struct workers *ws, struct work *w)
{
	pthread_mutex_lock(&ws->lock);
	queue_put(&ws->todo, w);
	pthread_cond_signal(&ws->more);
	pthread_mutex_unlock(&ws->lock);
}

static int submit(struct workers *ws, enum work_kind kind, struct ike_ticket who, uint16_t group,
		  struct span in, struct span secret)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w || in.n > sizeof(w->in) || secret.n > sizeof(w->secret)) {
		free(w);
		return -ENOMEM;
	}
	w->kind = kind;
	w->who = who;
	w->group = group;
	w->in_len = in.n;
	w->secret_len = secret.n;
	if (kind == WORK_SIGN)
		w->creds = creds_ref(ws->creds);
	if (in.n)
		memcpy(w->in, in.p, in.n);
	if (secret.n)
		memcpy(w->secret, secret.p, secret.n);
	enqueue(ws, w);
	return 0;
}

int workers_dh(struct workers *w, struct ike_ticket who, uint16_t group, struct span peer_public,
	       struct span secret)
{
	return submit(w, WORK_DH, who, group, peer_public, secret);
}

int workers_sign(struct workers *w, struct ike_ticket who, struct span hash)
{
	return submit(w, WORK_SIGN, who, 0, hash, (struct span){ 0 });
}

static struct span put(struct wr *w, struct span s)
{
	const uint8_t *at = w->p + w->len;

	wr_span(w, s);
	return (struct span){ at, s.n };
}

/* A copy in one block, which the job owns. */
static struct work_proof *copy_proof(const struct fx_proof *p)
{
	size_t n = p->hash.n + p->sig.n + p->id.n;
	struct work_proof *c;
	struct wr w;

	for (unsigned i = 0; i < p->n_certs; i++)
		n += p->cert[i].n;
	c = calloc(1, sizeof(*c) + n);
	if (!c)
		return NULL;
	w = wr_into(c->data, n);
	c->p.hash = put(&w, p->hash);
	c->p.sig = put(&w, p->sig);
	c->p.id = put(&w, p->id);
	c->p.n_certs = p->n_certs;
	c->p.auth = p->auth;
	for (unsigned i = 0; i < p->n_certs; i++)
		c->p.cert[i] = put(&w, p->cert[i]);
	return c;
}

int workers_proof(struct workers *ws, struct ike_ticket who, const struct fx_proof *p)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w)
		w->proof = copy_proof(p);
	if (!w || !w->proof) {
		free(w);
		return -ENOMEM;
	}
	w->kind = WORK_PROOF;
	w->trust = trust_ref(ws->trust);
	w->who = who;
	enqueue(ws, w);
	return 0;
}
