/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guard.c - policies that block what has an inner address and no SA pair.
 *
 * With plain policies nothing else stands between an address without a session and the default
 * route: what the network behind the gateway still sends to it would leave in clear, and what a
 * stranger sends from it would be let in. A pair's own policies come before them.
 */
#include "cleanup.h"
#include "xfrm/msg.h"
#include "xfrm/sock.h"
#include "xfrm/xfrm.h"

static const enum xfrm_dir dirs[] = { XFRM_IN, XFRM_FWD, XFRM_OUT };

static struct xfrm_pol guard(const struct prefix *net, enum xfrm_dir dir)
{
	struct ipaddr any = { .family = net->addr.family };
	struct prefix all = { .addr = any };

	return (struct xfrm_pol){ .dir = dir,
				  .src = dir == XFRM_OUT ? all : *net,
				  .dst = dir == XFRM_OUT ? *net : all,
				  .tmpl_src = any,
				  .tmpl_dst = any,
				  .reqid = XFRM_REQID_GATEWAY,
				  .block = true };
}

static int guard_one(struct xfrm *x, const struct prefix *net, bool again)
{
	uint32_t first = xfrm_seq(x, ARRAY_SIZE(dirs));
	struct wr w = xfrm_start(x);
	int res[ARRAY_SIZE(dirs)], r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++) {
		struct xfrm_pol pol = guard(net, dirs[i]);

		r = xfrm_build_policy_add(&w, first + i, &pol, again);
	}
	if (r == 0)
		r = xfrm_transact(x, &w, first, ARRAY_SIZE(dirs), res);
	for (unsigned i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++)
		r = xfrm_verdict(res[i]);
	xfrm_wipe(x);
	return r;
}

int xfrm_guard_add(struct xfrm *x, const struct prefix *nets, size_t n, bool again)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = guard_one(x, &nets[i], again);
	return r;
}

static int unguard_one(struct xfrm *x, const struct prefix *net)
{
	uint32_t first = xfrm_seq(x, ARRAY_SIZE(dirs));
	struct wr w = xfrm_start(x);
	int res[ARRAY_SIZE(dirs)], r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++) {
		struct xfrm_pol pol = guard(net, dirs[i]);

		r = xfrm_build_policy_del(&w, first + i, &pol);
	}
	if (r == 0)
		r = xfrm_transact(x, &w, first, ARRAY_SIZE(dirs), res);
	for (unsigned i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++)
		r = xfrm_verdict_del(res[i]);
	xfrm_wipe(x);
	return r;
}

int xfrm_guard_del(struct xfrm *x, const struct prefix *nets, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = unguard_one(x, &nets[i]);
	return r;
}
