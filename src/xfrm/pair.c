/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pair.c - puts an SA pair and its policies into the kernel as a whole, or not at all.
 *
 * All of it travels in one datagram. The kernel judges each request by itself and goes on after a
 * refusal, so on failure what did go in is known by its verdict and taken out again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xfrm/msg.h"
#include "xfrm/sock.h"
#include "xfrm/xfrm.h"

#define PAIR_MAX (4 + XFRM_PAIR_POLICIES)
#define NOT_OURS 2 /* beside the verdicts: an object that is not this call's to take out */

_Static_assert(PAIR_MAX <= XFRM_BATCH_MAX, "a pair fits one batch");

enum kind {
	IPCOMP_IN,
	ESP_IN,
	ESP_OUT,
	IPCOMP_OUT,
	POLICY, /* and the others follow */
};

/* What a pair has in the kernel, in the order of the batch. */
struct objects {
	const struct xfrm_pair *p;
	enum kind kind[PAIR_MAX];
	unsigned n, n_sas, out; /* all; without the policies; the first of the outbound ones */
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
};

static void list_objects(const struct xfrm_pair *p, struct objects *o)
{
	unsigned n_pol = xfrm_pair_policies(p, o->pol);

	o->p = p;
	o->n = 0;
	if (p->in.cpi)
		o->kind[o->n++] = IPCOMP_IN;
	o->kind[o->n++] = ESP_IN;
	o->out = o->n;
	o->kind[o->n++] = ESP_OUT;
	if (p->out.cpi)
		o->kind[o->n++] = IPCOMP_OUT;
	o->n_sas = o->n;
	for (unsigned i = 0; i < n_pol; i++)
		o->kind[o->n++] = POLICY;
}

static const struct xfrm_sa *sa_of(const struct objects *o, unsigned i)
{
	return o->kind[i] == IPCOMP_IN || o->kind[i] == ESP_IN ? &o->p->in : &o->p->out;
}

static bool is_ipcomp(const struct objects *o, unsigned i)
{
	return o->kind[i] == IPCOMP_IN || o->kind[i] == IPCOMP_OUT;
}

static const struct xfrm_pol *pol_of(const struct objects *o, unsigned i)
{
	return &o->pol[i - o->n_sas];
}

static int build_add(struct wr *w, uint32_t seq, const struct objects *o, unsigned i)
{
	if (o->kind[i] == POLICY)
		return xfrm_build_policy_add(w, seq, pol_of(o, i), false);
	return is_ipcomp(o, i) ? xfrm_build_ipcomp_add(w, seq, sa_of(o, i))
			       : xfrm_build_sa_add(w, seq, sa_of(o, i));
}

static int build_del(struct wr *w, uint32_t seq, const struct objects *o, unsigned i)
{
	const struct xfrm_sa *sa = sa_of(o, i);

	if (o->kind[i] == POLICY)
		return xfrm_build_policy_del(w, seq, pol_of(o, i));
	return is_ipcomp(o, i) ? xfrm_build_ipcomp_del(w, seq, &sa->dst, sa->cpi)
			       : xfrm_build_sa_del(w, seq, &sa->dst, sa->spi);
}

/* ---- what went wrong ---- */

/* The kernel's module for "cbc(aes)" answers to the alias crypto-aes. */
static int alg_len(const char *name, const char **ret_start)
{
	const char *open = name ? strchr(name, '(') : NULL;

	*ret_start = open ? open + 1 : "";
	return open ? (int)strcspn(open + 1, "()") : 0;
}

static const char *sa_remedy(const struct xfrm_sa *sa, int err, char *buf, size_t cap)
{
	const char *enc, *auth;
	int enc_len = alg_len(sa->enc_name, &enc), auth_len = alg_len(sa->auth_name, &auth);

	switch (-err) {
	case EPROTONOSUPPORT:
		return sa->dst.family == IP_V6 ? "no ESP in this kernel: load esp6"
					       : "no ESP in this kernel: load esp4";
	case ENOSYS: /* an algorithm is not there, or what joins them: which one is a matter of luck */
	case ENOENT:
		if (sa->aead)
			return "cipher not available: modprobe -a crypto-gcm crypto-seqiv "
			       "crypto-stdrng";
		snprintf(buf, cap,
			 "cipher or hash not available: modprobe -a crypto-%.*s crypto-%.*s "
			 "crypto-authenc crypto-echainiv crypto-stdrng",
			 enc_len, enc, auth_len, auth);
		return buf;
	case EEXIST:
		return "SPI in use";
	case EINVAL:
		return "key length, window or addresses refused";
	case EOPNOTSUPP:
		return "UDP encapsulation or this mode is not supported";
	}
	return NULL;
}

static const char *any_remedy(int err)
{
	switch (-err) {
	case EPERM:
		return "CAP_NET_ADMIN is missing";
	case EEXIST:
		return "somebody else has a policy with this selector: see ip xfrm policy";
	case ENOMEM:
		return "the kernel is out of memory";
	case ENOBUFS:
		return "the kernel's answer was lost";
	}
	return strerror(-err);
}

static const char *explain_sa(struct xfrm *x, const char *which, const struct xfrm_sa *sa, int err)
{
	char text[128], *what = xfrm_what(x);
	const char *remedy = sa_remedy(sa, err, text, sizeof(text));

	snprintf(what, XFRM_WHAT_MAX, "%sSA with %s%s%s: %s", which,
		 sa->enc_name ? sa->enc_name : "?", sa->auth_name ? " " : "",
		 sa->auth_name ? sa->auth_name : "", remedy ? remedy : any_remedy(err));
	return what;
}

static const char *explain_ipcomp(struct xfrm *x, const char *which, int err)
{
	char *what = xfrm_what(x);
	const char *remedy = any_remedy(err);

	switch (-err) {
	case EPROTONOSUPPORT:
		remedy = "no IPComp in this kernel: modprobe -a ipcomp ipcomp6";
		break;
	case ENOSYS:
	case ENOENT:
		remedy = "DEFLATE not available: modprobe deflate";
		break;
	case EEXIST:
		remedy = "CPI in use";
		break;
	}
	snprintf(what, XFRM_WHAT_MAX, "%sSA of IPComp: %s", which, remedy);
	return what;
}

/* Writes what failed and what may help: object i of the pair, in the order of the batch. */
static const char *explain(struct xfrm *x, const struct objects *o, unsigned i, int err)
{
	char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN], *what = xfrm_what(x);
	const char *which = i < o->out ? "inbound " : "outbound ";

	if (o->kind[i] == POLICY)
		snprintf(what, XFRM_WHAT_MAX, "policy %s to %s: %s",
			 prefix_str(&pol_of(o, i)->src, src), prefix_str(&pol_of(o, i)->dst, dst),
			 any_remedy(err));
	else if (is_ipcomp(o, i))
		explain_ipcomp(x, which, err);
	else
		explain_sa(x, which, sa_of(o, i), err);
	return what;
}

/* Objects `lo` to `hi` of a pair: those that are meant. */
struct range {
	unsigned lo, hi;
};

static struct range range_of(const struct objects *o)
{
	switch (o->p->part) {
	case XFRM_PAIR_BOTH:
		break;
	case XFRM_PAIR_IN:
		return (struct range){ 0, o->out };
	case XFRM_PAIR_OUT:
		return (struct range){ o->out, o->n };
	}
	return (struct range){ 0, o->n };
}

/* All of them as one datagram. On failure *ret_bad is the object that cannot be built. */
static int send_pair(struct xfrm *x, const struct objects *o, struct range m, int *res,
		     unsigned *ret_bad)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, m.hi - m.lo);
	int r = 0;

	for (unsigned i = m.lo; i < m.hi && r == 0; i++) {
		r = build_add(&w, first + i - m.lo, o, i);
		if (r < 0)
			*ret_bad = i;
	}
	if (r == 0)
		r = xfrm_transact(x, &w, first, m.hi - m.lo, res + m.lo);
	xfrm_wipe(x);
	return r;
}

/* A policy with our if_id cannot be another's; without one, its templates tell. */
static int check_ours(struct xfrm *x, const struct xfrm_pol *pol)
{
	struct xfrm_reply reply;
	int r;

	if (pol->if_id == XFRM_IF_ID)
		return 0;
	r = xfrm_ask_policy(x, pol, &reply);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return xfrm_pol_is_ours(&reply.pol) ? 0 : -EEXIST;
}

/*
 * The policies that were there already (a rekey: the session's older pair needs them too) are
 * replaced when all else has gone in, and only if they are ours.
 */
static void replace_policies(struct xfrm *x, const struct xfrm_pol *pol, unsigned n, int *res)
{
	unsigned which[XFRM_PAIR_POLICIES], m = 0;
	int verdict[XFRM_PAIR_POLICIES], r;
	struct wr w;
	uint32_t first;

	for (unsigned i = 0; i < n; i++) {
		if (res[i] != -EEXIST)
			continue;
		r = check_ours(x, &pol[i]);
		res[i] = r < 0 ? r : NOT_OURS;
		if (r < 0)
			return;
		which[m++] = i;
	}
	if (m == 0)
		return;
	w = xfrm_start(x);
	first = xfrm_seq(x, m);
	for (unsigned k = 0; k < m; k++) {
		r = xfrm_build_policy_add(&w, first + k, &pol[which[k]], true);
		if (r < 0) {
			res[which[k]] = r;
			return;
		}
	}
	xfrm_transact(x, &w, first, m, verdict);
	for (unsigned k = 0; k < m; k++)
		res[which[k]] = verdict[k] == 0 ? NOT_OURS : xfrm_verdict(verdict[k]);
}

/* Object i of a pair whose verdict was lost: in the kernel, and this pair's own? */
static bool went_in(struct xfrm *x, const struct objects *o, unsigned i)
{
	const struct xfrm_sa *sa = sa_of(o, i);
	struct xfrm_reply reply;
	bool ipcomp;

	if (o->kind[i] == POLICY)
		return xfrm_ask_policy(x, pol_of(o, i), &reply) == 0 &&
		       xfrm_pol_is_plain(&reply.pol, &ipcomp) &&
		       reply.pol.reqid[0] == pol_of(o, i)->reqid;
	return (is_ipcomp(o, i) ? xfrm_ask_ipcomp(x, &sa->dst, sa->cpi, &reply)
				: xfrm_ask_sa(x, &sa->dst, sa->spi, &reply)) == 0 &&
	       reply.sa.reqid == sa->reqid;
}

/* Deletes the first n objects of the pair, those for which in[] is 0. */
static int take_out(struct xfrm *x, const struct objects *o, unsigned n, const int *in)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, n);
	unsigned m = 0;
	int res[PAIR_MAX], r = 0;

	for (unsigned i = 0; i < n; i++) {
		if (in[i] != 0)
			continue;
		r = build_del(&w, first + m, o, i);
		if (r < 0)
			return r;
		m++;
	}
	if (m > 0)
		r = xfrm_transact(x, &w, first, m, res);
	for (unsigned i = 0; i < m && r == 0; i++)
		r = xfrm_verdict_del(res[i]);
	return r;
}

/* The first object that is meant and not in, or m.hi. `expected` is a verdict on a policy that is
 * not a failure yet. */
static unsigned first_bad(const struct objects *o, const int *res, struct range m, int expected)
{
	unsigned i = m.lo;

	while (i < m.hi && (res[i] == 0 || (o->kind[i] == POLICY && res[i] == expected)))
		i++;
	return i;
}

int xfrm_pair_add(struct xfrm *x, const struct xfrm_pair *p, const char **ret_what)
{
	struct objects o;
	struct range m;
	unsigned bad = 0;
	int res[PAIR_MAX], err;

	if (p->n_nets == 0 || p->n_nets > XFRM_NETS_MAX) {
		*ret_what = "SA pair without networks, or with too many";
		return -EINVAL;
	}
	list_objects(p, &o);
	m = range_of(&o);
	for (unsigned i = 0; i < o.n; i++)
		res[i] = NOT_OURS;
	err = send_pair(x, &o, m, res, &bad);
	if (err < 0) {
		*ret_what = explain(x, &o, bad, err);
		return err; /* nothing was sent */
	}
	bad = first_bad(&o, res, m, -EEXIST);
	if (bad == m.hi && m.hi > o.n_sas) {
		replace_policies(x, o.pol, o.n - o.n_sas, res + o.n_sas);
		bad = first_bad(&o, res, m, NOT_OURS);
	}
	if (bad == m.hi)
		return 0;
	err = xfrm_verdict(res[bad]);
	*ret_what = explain(x, &o, bad, err);
	for (unsigned i = m.lo; i < m.hi; i++) {
		if (res[i] == XFRM_NO_VERDICT && went_in(x, &o, i))
			res[i] = 0;
	}
	take_out(x, &o, o.n, res);
	return err;
}

int xfrm_pair_del(struct xfrm *x, const struct xfrm_pair *p, bool keep_policies)
{
	int all[PAIR_MAX] = { 0 };
	struct objects o;
	unsigned n;
	int r;

	list_objects(p, &o);
	n = keep_policies ? o.n_sas : o.n;
	for (unsigned i = o.out; p->part == XFRM_PAIR_IN && i < o.n_sas; i++)
		all[i] = NOT_OURS;
	r = take_out(x, &o, n, all);
	/* Deleting twice does no harm, so a lost verdict is asked for again. */
	return r == -ENOBUFS ? take_out(x, &o, n, all) : r;
}

/* Puts one SA in, or takes it out: with a CPI the one of IPComp, which is no more. */
static int one_sa(struct xfrm *x, const struct xfrm_sa *sa, bool add)
{
	struct wr w = xfrm_start(x);
	uint32_t first = xfrm_seq(x, 1);
	int res, r;

	if (sa->cpi)
		r = add ? xfrm_build_ipcomp_add(&w, first, sa)
			: xfrm_build_ipcomp_del(&w, first, &sa->dst, sa->cpi);
	else
		r = add ? xfrm_build_sa_add(&w, first, sa)
			: xfrm_build_sa_del(&w, first, &sa->dst, sa->spi);
	if (r == 0)
		r = xfrm_transact(x, &w, first, 1, &res);
	xfrm_wipe(x);
	return r < 0 ? r : xfrm_verdict(res);
}

/* The kernel looks whether the SPI is free when all else is well. */
static int probe(struct xfrm *x, const struct xfrm_sa *sa)
{
	int r = one_sa(x, sa, true);

	if (r == 0)
		one_sa(x, sa, false);
	return r == -EEXIST ? 0 : r;
}

int xfrm_sa_probe(struct xfrm *x, const struct xfrm_sa *sa, const char **ret_what)
{
	int r = probe(x, sa);

	if (r < 0)
		*ret_what = explain_sa(x, "", sa, r);
	return r;
}

int xfrm_ipcomp_probe(struct xfrm *x, const char **ret_what)
{
	/* No packet can meet it: both its ends are this host. */
	const struct xfrm_sa sa = { .src = ipaddr_v4(0x7f000001),
				    .dst = ipaddr_v4(0x7f000001),
				    .cpi = 256,
				    .reqid = XFRM_REQID_GATEWAY };
	int r = probe(x, &sa);

	if (r < 0)
		*ret_what = explain_ipcomp(x, "", r);
	return r;
}
