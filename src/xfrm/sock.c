/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sock.c - sends what msg.c builds to NETLINK_XFRM and sorts the verdicts.
 *
 * The kernel handles a request inside send(): when that returns, every answer is in the receive
 * queue (the next part of a dump is queued before recv() returns the one before). So nothing here
 * ever waits, and an empty queue means that an answer was lost. Answers are told apart by their
 * sequence number; one that nobody waits for any more is skipped.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "log.h"
#include "xfrm/msg.h"
#include "xfrm/sock.h"
#include "xfrm/xfrm.h"

#define TX_SIZE     (2 * XFRM_MSG_SA_MAX + XFRM_BATCH_MAX * XFRM_MSG_POLICY_MAX)
#define RX_SIZE     32768 /* the largest part of a dump that the kernel makes */
#define QUEUE_BYTES (1 << 20)
#define DUMP_TRIES  5

struct xfrm {
	int fd;
	uint32_t seq;     /* of the next request */
	struct span left; /* of rx, not looked at yet */
	size_t rx_used;   /* most bytes of rx since it was wiped */
	char what[XFRM_WHAT_MAX];
	_Alignas(8) uint8_t tx[TX_SIZE];
	_Alignas(8) uint8_t rx[RX_SIZE];
};

/* Both buffers have seen keys: a dump shows those of every SA of the host. */
void xfrm_wipe(struct xfrm *x)
{
	explicit_bzero(x->tx, sizeof(x->tx));
	explicit_bzero(x->rx, x->rx_used);
	x->rx_used = 0;
	x->left = (struct span){ 0 };
}

struct wr xfrm_start(struct xfrm *x)
{
	x->left = (struct span){ 0 };
	return wr_into(x->tx, sizeof(x->tx));
}

static int transmit(struct xfrm *x, const struct wr *w)
{
	ssize_t n;

	do
		n = send(x->fd, w->p, w->len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int receive(struct xfrm *x)
{
	ssize_t n;

	do
		n = recv(x->fd, x->rx, sizeof(x->rx), MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n > sizeof(x->rx)) {
		x->rx_used = sizeof(x->rx);
		return -EMSGSIZE;
	}
	if ((size_t)n > x->rx_used)
		x->rx_used = (size_t)n;
	x->left = (struct span){ x->rx, (size_t)n };
	return 0;
}

/* 0; -EAGAIN: there is none; -ENOBUFS: the queue ran over, and what it still holds comes next. */
static int next_reply(struct xfrm *x, struct xfrm_reply *ret)
{
	while (!xfrm_reply_next(&x->left, ret)) {
		int r = receive(x);

		if (r < 0)
			return r;
	}
	if (ret->text)
		log_debug("xfrm: the kernel says: %s", ret->text);
	return 0;
}

uint32_t xfrm_seq(struct xfrm *x, unsigned n)
{
	x->seq += n;
	return x->seq - n;
}

char *xfrm_what(struct xfrm *x)
{
	return x->what;
}

int xfrm_transact(struct xfrm *x, const struct wr *w, uint32_t first, unsigned n, int *res)
{
	struct xfrm_reply reply;
	unsigned missing = n;
	int r = transmit(x, w);

	for (unsigned i = 0; i < n; i++)
		res[i] = r < 0 ? r : XFRM_NO_VERDICT;
	if (r < 0)
		return r;
	while (missing) {
		r = next_reply(x, &reply);
		if (r == -ENOBUFS)
			continue;
		if (r < 0)
			break;
		uint32_t i = reply.seq - first;

		if (reply.kind != XFRM_REPLY_ACK || i >= n || res[i] != XFRM_NO_VERDICT)
			continue;
		res[i] = reply.error;
		missing--;
	}
	if (missing)
		log_debug("xfrm: %u of %u verdicts lost", missing, n);
	return 0;
}

/* Asks for one object: 0 with it in *ret and, if wanted, the whole message in *keep, or -errno. */
static int ask(struct xfrm *x, const struct wr *w, uint32_t seq, enum xfrm_reply_kind kind,
	       struct xfrm_reply *ret, struct wr *keep)
{
	int r = transmit(x, w);

	while (r >= 0) {
		r = next_reply(x, ret);
		if (r == -ENOBUFS)
			r = 0;
		else if (r == 0 && ret->seq == seq && ret->kind == kind)
			break;
		else if (r == 0 && ret->seq == seq && ret->kind == XFRM_REPLY_ACK)
			r = ret->error < 0 ? ret->error : -EBADMSG;
	}
	if (r == 0 && keep) {
		wr_span(keep, ret->whole);
		r = keep->bad ? -EMSGSIZE : 0;
	}
	ret->text = NULL;
	ret->whole = (struct span){ 0 };
	xfrm_wipe(x);
	return r == -EAGAIN ? -ENOBUFS : r;
}

int xfrm_ask_sa(struct xfrm *x, const struct ipaddr *dst, uint32_t spi, struct xfrm_reply *ret)
{
	struct wr w = xfrm_start(x);
	uint32_t seq = xfrm_seq(x, 1);
	int r = xfrm_build_sa_get(&w, seq, dst, spi);

	return r < 0 ? r : ask(x, &w, seq, XFRM_REPLY_SA, ret, NULL);
}

int xfrm_ask_ipcomp(struct xfrm *x, const struct ipaddr *dst, uint16_t cpi, struct xfrm_reply *ret)
{
	struct wr w = xfrm_start(x);
	uint32_t seq = xfrm_seq(x, 1);
	int r = xfrm_build_ipcomp_get(&w, seq, dst, cpi);

	return r < 0 ? r : ask(x, &w, seq, XFRM_REPLY_SA, ret, NULL);
}

int xfrm_ask_sa_whole(struct xfrm *x, const struct ipaddr *dst, uint32_t spi,
		      uint8_t buf[static XFRM_MSG_ANSWER_MAX], struct span *ret)
{
	struct wr w = xfrm_start(x), keep = wr_into(buf, XFRM_MSG_ANSWER_MAX);
	uint32_t seq = xfrm_seq(x, 1);
	struct xfrm_reply reply;
	int r = xfrm_build_sa_get(&w, seq, dst, spi);

	if (r == 0)
		r = ask(x, &w, seq, XFRM_REPLY_SA, &reply, &keep);
	if (r == 0)
		*ret = wr_done(&keep);
	return r;
}

int xfrm_ask_policy(struct xfrm *x, const struct xfrm_pol *pol, struct xfrm_reply *ret)
{
	struct wr w = xfrm_start(x);
	uint32_t seq = xfrm_seq(x, 1);
	int r = xfrm_build_policy_get(&w, seq, pol);

	return r < 0 ? r : ask(x, &w, seq, XFRM_REPLY_POLICY, ret, NULL);
}

/* ---- opening ---- */

int xfrm_open(struct xfrm **ret)
{
	static const struct ipaddr nobody = { .family = IP_V4 };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int one = 1, size = QUEUE_BYTES, r;
	struct xfrm_reply reply;
	struct xfrm *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->seq = 1;
	x->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	/* Connected to the kernel: nobody else's messages reach this socket. */
	r = x->fd < 0 || connect(x->fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno
											: 0;
	if (r == 0) {
		/* Verdicts without a copy of the request (its keys), but with words. */
		setsockopt(x->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
		setsockopt(x->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
		if (setsockopt(x->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
			setsockopt(x->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		/* Any question shows whether we may ask; this SA cannot exist. */
		r = xfrm_ask_sa(x, &nobody, 0, &reply);
		if (r == -ESRCH)
			r = 0;
	}
	if (r < 0) {
		xfrm_close(x);
		return r;
	}
	*ret = x;
	return 0;
}

struct xfrm *xfrm_close(struct xfrm *x)
{
	if (x) {
		if (x->fd >= 0)
			close(x->fd);
		xfrm_wipe(x);
		free(x);
	}
	return NULL;
}

int xfrm_set_hthresh(struct xfrm *x)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, 1);
	int res, r = xfrm_build_hthresh(&w, first);

	if (r == 0)
		r = xfrm_transact(x, &w, first, 1, &res);
	xfrm_wipe(x);
	return r < 0 ? r : xfrm_verdict(res);
}

/* ---- reading the tables ---- */

int xfrm_sa_counters(struct xfrm *x, const struct ipaddr *dst, uint32_t spi,
		     struct xfrm_counters *ret)
{
	struct xfrm_reply reply;
	int r = xfrm_ask_sa(x, dst, spi, &reply);

	if (r == 0)
		*ret = reply.sa.counters;
	return r;
}

typedef int (*each_fn)(void *ctx, const struct xfrm_reply *reply);

/* What is dumped: policies, or the SAs of a protocol. */
#define POLICIES 0

/* One dump. After an error of fn it is read to its end all the same, or its rest would be taken
 * for the answer to the next request. */
static int dump_once(struct xfrm *x, uint8_t what, each_fn fn, void *ctx, bool *ret_torn)
{
	enum xfrm_reply_kind kind = what == POLICIES ? XFRM_REPLY_POLICY : XFRM_REPLY_SA;

	struct wr w = xfrm_start(x);
	uint32_t seq = xfrm_seq(x, 1);
	struct xfrm_reply reply;
	int r, err = 0;

	r = what == POLICIES ? xfrm_build_policy_dump(&w, seq) : xfrm_build_sa_dump(&w, seq, what);
	if (r == 0)
		r = transmit(x, &w);
	while (r == 0) {
		r = next_reply(x, &reply);
		if (r == -ENOBUFS) {
			*ret_torn = true;
			r = 0;
			continue;
		}
		if (r < 0 || reply.seq != seq)
			continue;
		*ret_torn |= reply.interrupted;
		if (reply.kind == XFRM_REPLY_DONE || reply.kind == XFRM_REPLY_ACK) {
			r = reply.error;
			break;
		}
		if (reply.kind == kind && err >= 0)
			err = fn(ctx, &reply);
	}
	return err < 0 ? err : r == -EAGAIN ? -ENOBUFS : r;
}

/* Repeats a dump during which the tables changed: fn may see an object twice. */
static int dump(struct xfrm *x, uint8_t what, each_fn fn, void *ctx)
{
	bool torn = true;
	int r = 0;

	for (unsigned i = 0; i < DUMP_TRIES && torn && r == 0; i++) {
		torn = false;
		r = dump_once(x, what, fn, ctx, &torn);
	}
	xfrm_wipe(x);
	return r == 0 && torn ? -EAGAIN : r;
}

struct sa_each {
	int (*fn)(void *ctx, const struct ipaddr *dst, uint32_t spi, const struct xfrm_counters *c);
	void *ctx;
};

static int each_sa(void *ctx, const struct xfrm_reply *reply)
{
	const struct sa_each *e = ctx;

	if (!xfrm_sa_is_ours(&reply->sa) || reply->sa.spi == 0)
		return 0;
	return e->fn(e->ctx, &reply->sa.dst, reply->sa.spi, &reply->sa.counters);
}

int xfrm_sa_each(struct xfrm *x,
		 int (*fn)(void *ctx, const struct ipaddr *dst, uint32_t spi,
			   const struct xfrm_counters *c),
		 void *ctx)
{
	struct sa_each e = { fn, ctx };

	return dump(x, IPPROTO_ESP, each_sa, &e);
}

/* ---- sweeping ---- */

struct found {
	const struct xfrm_keep *keep; /* borrowed; NULL: nothing stays */
	struct xfrm_reply *v;         /* owned */
	size_t n, cap;
};

static bool stays(const struct xfrm_keep *keep, const struct xfrm_reply *r)
{
	bool ipcomp;

	if (!keep)
		return false;
	if (r->kind == XFRM_REPLY_SA)
		return keep->sa(keep->ctx, r->sa.reqid, r->sa.proto, &r->sa.dst, r->sa.spi);
	return xfrm_pol_is_plain(&r->pol, &ipcomp) &&
	       keep->policy(keep->ctx, &(struct xfrm_pol){ .dir = (enum xfrm_dir)r->pol.dir,
							   .src = r->pol.src,
							   .dst = r->pol.dst,
							   .proto = r->pol.proto,
							   .sport = r->pol.sport,
							   .dport = r->pol.dport,
							   .reqid = r->pol.reqid[0],
							   .ipcomp = ipcomp });
}

static int collect(void *ctx, const struct xfrm_reply *reply)
{
	struct found *h = ctx;
	bool ours = reply->kind == XFRM_REPLY_SA ? xfrm_sa_is_ours(&reply->sa)
						 : xfrm_pol_is_ours(&reply->pol);

	if (!ours || stays(h->keep, reply))
		return 0;
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		void *v = reallocarray(h->v, cap, sizeof(*h->v));

		if (!v)
			return -ENOMEM;
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = *reply;
	return 0;
}

static int sweep_one(struct wr *w, uint32_t seq, const struct xfrm_reply *v)
{
	if (v->kind == XFRM_REPLY_POLICY)
		return xfrm_build_policy_del_index(w, seq, (enum xfrm_dir)v->pol.dir, v->pol.index,
						   v->pol.if_id);
	return v->sa.proto == IPPROTO_COMP
		       ? xfrm_build_ipcomp_del(w, seq, &v->sa.dst, (uint16_t)v->sa.spi)
		       : xfrm_build_sa_del(w, seq, &v->sa.dst, v->sa.spi);
}

/* Deletes up to XFRM_BATCH_MAX objects and counts those that are gone by it. */
static int sweep_some(struct xfrm *x, const struct xfrm_reply *v, unsigned n, unsigned *count)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, n);
	int res[XFRM_BATCH_MAX], r;

	for (unsigned i = 0; i < n; i++) {
		r = sweep_one(&w, first + i, &v[i]);
		if (r < 0)
			return r;
	}
	r = xfrm_transact(x, &w, first, n, res);
	for (unsigned i = 0; i < n; i++) {
		*count += res[i] == 0;
		if (r == 0)
			r = xfrm_verdict_del(res[i]);
	}
	return r;
}

static int sweep_kind(struct xfrm *x, uint8_t what, const struct xfrm_keep *keep, unsigned *count)
{
	struct found h = { .keep = keep };
	int r = dump(x, what, collect, &h);

	/* What was found goes, even when the list may be incomplete. */
	for (size_t i = 0; i < h.n; i += XFRM_BATCH_MAX) {
		size_t n = h.n - i < XFRM_BATCH_MAX ? h.n - i : XFRM_BATCH_MAX;
		int e = sweep_some(x, h.v + i, (unsigned)n, count);

		if (r == 0)
			r = e;
	}
	free(h.v);
	return r;
}

int xfrm_sweep_but(struct xfrm *x, const struct xfrm_keep *keep, unsigned *ret_sas,
		   unsigned *ret_policies)
{
	unsigned sas = 0, policies = 0;
	static const uint8_t sa_protos[] = { IPPROTO_ESP, IPPROTO_COMP };
	int r = 0, r2;

	for (size_t i = 0; i < ARRAY_SIZE(sa_protos); i++) {
		r2 = sweep_kind(x, sa_protos[i], keep, &sas);
		if (r == 0)
			r = r2;
	}
	r2 = sweep_kind(x, POLICIES, keep, &policies);
	if (r < 0 || r2 < 0)
		return r < 0 ? r : r2;
	*ret_sas = sas;
	*ret_policies = policies;
	return 0;
}

int xfrm_sweep(struct xfrm *x, unsigned *ret_sas, unsigned *ret_policies)
{
	return xfrm_sweep_but(x, NULL, ret_sas, ret_policies);
}
