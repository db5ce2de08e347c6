/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * move.c - an SA pair follows its peer to another port or address.
 *
 * Another port is an update: the kernel changes it in place. Another address makes both SAs anew
 * out of what the kernel says about them, because the outbound one is found by it and the inbound
 * one would go on to compare with the old one. The new outbound SA is there before the old one
 * goes, and begins behind the numbers that the old one may use meanwhile. The inbound one is away
 * for the time between two requests of one datagram. SAs of IPComp know no ports, and have neither
 * keys nor numbers: at another address there are just new ones.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xfrm/msg.h"
#include "xfrm/sock.h"
#include "xfrm/xfrm.h"

#define MOVE_MAX (7 + XFRM_NETS_MAX)
/* Outbound numbers passed over: a million packets in a second are a thousand in a millisecond. */
#define SKIP     1024

_Static_assert(MOVE_MAX <= XFRM_BATCH_MAX, "a move fits one batch");

struct move {
	const struct xfrm_pair *p;
	struct xfrm_place in, out; /* the new ones */
	struct span was_in, was_out;
	/* The outbound SA, that of IPComp, is in the new place: what is there is ours. */
	bool added, added_ipcomp;
	uint8_t buf_in[XFRM_MSG_ANSWER_MAX], buf_out[XFRM_MSG_ANSWER_MAX];
};

/* The first failure among n verdicts. */
static int all_good(const int *res, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (res[i] != 0)
			return xfrm_verdict(res[i]);
	return 0;
}

static int change_ports(struct xfrm *x, const struct move *m)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, 2);
	int res[2], r = xfrm_build_sa_again(&w, first, m->was_in, &m->in, true, 0);

	if (r == 0)
		r = xfrm_build_sa_again(&w, first + 1, m->was_out, &m->out, true, 0);
	if (r == 0)
		r = xfrm_transact(x, &w, first, 2, res);
	return r == 0 ? all_good(res, 2) : r;
}

static int add_outbound(struct xfrm *x, struct move *m)
{
	struct wr w = xfrm_start(x);
	unsigned n = m->p->out.cpi ? 2 : 1;
	uint32_t first = xfrm_seq(x, n);
	struct xfrm_sa ipcomp = m->p->out;
	int res[2] = { XFRM_NO_VERDICT, XFRM_NO_VERDICT };
	int r = xfrm_build_sa_again(&w, first, m->was_out, &m->out, false, SKIP);

	ipcomp.dst = m->out.dst;
	if (r == 0 && n == 2)
		r = xfrm_build_ipcomp_add(&w, first + 1, &ipcomp);
	if (r == 0)
		r = xfrm_transact(x, &w, first, n, res);
	m->added = r == 0 && res[0] == 0;
	m->added_ipcomp = r == 0 && res[1] == 0;
	return r == 0 ? all_good(res, n) : r;
}

/* The inbound SA of IPComp, which is found by its CPI alone, and the end of the old outbound one. */
static int change_ipcomp(struct wr *w, uint32_t seq, const struct move *m, unsigned *ret_n)
{
	const struct xfrm_pair *p = m->p;
	struct xfrm_sa in = p->in;
	int r;

	*ret_n = 0;
	if (!p->in.cpi)
		return 0;
	in.src = m->in.src;
	*ret_n = 3;
	r = xfrm_build_ipcomp_del(w, seq, &in.dst, in.cpi);
	if (r == 0)
		r = xfrm_build_ipcomp_add(w, seq + 1, &in);
	return r == 0 ? xfrm_build_ipcomp_del(w, seq + 2, &p->out.dst, p->out.cpi) : r;
}

/* The inbound SA, the outbound policies, and the end of the old outbound SA. */
static int change_rest(struct xfrm *x, const struct move *m)
{
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	struct xfrm_pair at = *m->p;
	struct wr w = xfrm_start(x);
	unsigned n, n_ipcomp, i = 0;
	uint32_t first = xfrm_seq(x, MOVE_MAX);
	int res[MOVE_MAX], r;

	at.out.dst = m->out.dst;
	n = xfrm_pair_policies(&at, pol);
	r = xfrm_build_sa_del(&w, first + i++, &m->in.dst, m->p->in.spi);
	if (r == 0)
		r = xfrm_build_sa_again(&w, first + i++, m->was_in, &m->in, false, 0);
	for (unsigned k = 0; k < n && r == 0; k++)
		if (pol[k].dir == XFRM_OUT)
			r = xfrm_build_policy_add(&w, first + i++, &pol[k], true);
	if (r == 0)
		r = xfrm_build_sa_del(&w, first + i++, &m->p->out.dst, m->p->out.spi);
	if (r == 0)
		r = change_ipcomp(&w, first + i, m, &n_ipcomp);
	if (r == 0)
		i += n_ipcomp;
	if (r == 0)
		r = xfrm_transact(x, &w, first, i, res);
	return r == 0 ? all_good(res, i) : r;
}

/* Both SAs, wherever they are. In the new place there may be one of another client behind the same
 * NAT, who chose the same SPI. */
static void give_up(struct xfrm *x, const struct move *m)
{
	const struct xfrm_pair *p = m->p;
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, 6);
	unsigned n = 0;
	int res[6];

	xfrm_build_sa_del(&w, first + n++, &p->in.dst, p->in.spi);
	xfrm_build_sa_del(&w, first + n++, &p->out.dst, p->out.spi);
	if (m->added)
		xfrm_build_sa_del(&w, first + n++, &m->out.dst, p->out.spi);
	if (p->in.cpi) {
		xfrm_build_ipcomp_del(&w, first + n++, &p->in.dst, p->in.cpi);
		xfrm_build_ipcomp_del(&w, first + n++, &p->out.dst, p->out.cpi);
	}
	if (m->added_ipcomp)
		xfrm_build_ipcomp_del(&w, first + n++, &m->out.dst, p->out.cpi);
	xfrm_transact(x, &w, first, n, res);
}

static const char *remedy(int err)
{
	switch (-err) {
	case ESRCH:
		return "somebody else has removed it: see ip xfrm monitor";
	case ENOKEY:
		return "the kernel hides keys (lockdown=confidentiality)";
	case EEXIST:
		return "SPI or CPI in use at the new address";
	case ENOBUFS:
		return "the kernel's answer was lost";
	}
	return strerror(-err);
}

static int run(struct xfrm *x, struct move *m, const char **ret_step)
{
	const struct xfrm_pair *p = m->p;
	bool same_address = ipaddr_eq(&p->out.dst, &m->out.dst);
	int r;

	*ret_step = "reading the inbound SA";
	r = xfrm_ask_sa_whole(x, &p->in.dst, p->in.spi, m->buf_in, &m->was_in);
	if (r < 0)
		return r;
	*ret_step = "reading the outbound SA";
	r = xfrm_ask_sa_whole(x, &p->out.dst, p->out.spi, m->buf_out, &m->was_out);
	if (r < 0)
		return r;
	*ret_step = "changing the ports of an SA";
	if (same_address)
		return change_ports(x, m);
	*ret_step = "adding the outbound SA";
	r = add_outbound(x, m);
	if (r < 0)
		return r;
	*ret_step = "adding the inbound SA";
	return change_rest(x, m);
}

int xfrm_pair_move(struct xfrm *x, const struct xfrm_pair *p, const struct endpoint *to,
		   const char **ret_what)
{
	struct move m = { .p = p,
			  .in = { to->addr, p->in.dst, to->port, p->in.dport },
			  .out = { p->out.src, to->addr, p->out.sport, to->port } };
	const char *step;
	int r = run(x, &m, &step);

	if (r < 0) {
		snprintf(xfrm_what(x), XFRM_WHAT_MAX, "%s: %s", step, remedy(r));
		*ret_what = xfrm_what(x);
		give_up(x, &m);
	}
	xfrm_wipe(x);
	explicit_bzero(m.buf_in, sizeof(m.buf_in));
	explicit_bzero(m.buf_out, sizeof(m.buf_out));
	return r;
}
