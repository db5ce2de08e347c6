/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sock.h - how the files of xfrm/ talk over their NETLINK_XFRM socket. Nobody else includes it.
 *
 * One use: xfrm_start() gives the empty send buffer, the builders of msg.h fill it, with numbers
 * taken from xfrm_seq(), xfrm_transact() sends it and sorts the verdicts, xfrm_wipe() forgets it.
 */
#pragma once

#include <errno.h>

#include "xfrm/msg.h"
#include "xfrm/xfrm.h"

#define XFRM_BATCH_MAX  64  /* requests in one datagram */
#define XFRM_NO_VERDICT 1   /* beside 0 and -errno: the answer was lost */
#define XFRM_WHAT_MAX   256 /* bytes of the text that explains a failure */

struct wr xfrm_start(struct xfrm *x);
void xfrm_wipe(struct xfrm *x);

/* The first of n new sequence numbers. */
uint32_t xfrm_seq(struct xfrm *x, unsigned n);

/*
 * Sends the n requests of `w`, numbered from `first`, and writes the verdict on each to res[]:
 * 0, -errno, or XFRM_NO_VERDICT. Returns -errno, in res[] too, when nothing was sent.
 */
int xfrm_transact(struct xfrm *x, const struct wr *w, uint32_t first, unsigned n, int *res);

static inline int xfrm_verdict(int res)
{
	return res == XFRM_NO_VERDICT ? -ENOBUFS : res;
}

/* For a deletion: what is gone already is no error. */
static inline int xfrm_verdict_del(int res)
{
	return res == -ESRCH || res == -ENOENT ? 0 : xfrm_verdict(res);
}

/* Ask for one object; 0, -errno (-ESRCH, -ENOENT: there is none). */
int xfrm_ask_sa(struct xfrm *x, const struct ipaddr *dst, uint32_t spi, struct xfrm_reply *ret);
int xfrm_ask_ipcomp(struct xfrm *x, const struct ipaddr *dst, uint16_t cpi, struct xfrm_reply *ret);
/* The kernel's whole answer, keys and all, for xfrm_build_sa_again(): the caller wipes it. */
int xfrm_ask_sa_whole(struct xfrm *x, const struct ipaddr *dst, uint32_t spi,
		      uint8_t buf[static XFRM_MSG_ANSWER_MAX], struct span *ret);
int xfrm_ask_policy(struct xfrm *x, const struct xfrm_pol *pol, struct xfrm_reply *ret);

/* Room of XFRM_WHAT_MAX bytes for a text that holds until the next one. */
char *xfrm_what(struct xfrm *x);
