/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xfrm_own.h - a network namespace and a socket of the gateway's for each test, and links for it. */
#pragma once

#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>

#include "xfrm_kit.h"

static struct xfrm *x; /* in the namespace of the test that runs */

/* A namespace and a socket of its own for each test; false when the kernel lacks XFRM. */
static bool begin(void)
{
	int r = fresh_netns();

	x = xfrm_close(x);
	if (r == 0)
		r = xfrm_open(&x);
	return ok(r == 0, "a namespace of its own (%s)", strerror(-r));
}

/* A pair of veth devices, up; the index of the first. */
__attribute__((unused)) static int make_veth(const char *a, const char *b)
{
	struct nl_sock *s = nl_socket_alloc();
	struct rtnl_link *l = NULL, *up = rtnl_link_alloc();
	int index = -1;

	rtnl_link_set_flags(up, 1 /* IFF_UP */);
	if (nl_connect(s, NETLINK_ROUTE) == 0 && rtnl_link_veth_add(s, a, b, getpid()) == 0 &&
	    rtnl_link_get_kernel(s, 0, a, &l) == 0 && rtnl_link_change(s, l, up, 0) == 0)
		index = rtnl_link_get_ifindex(l);
	rtnl_link_put(l);
	rtnl_link_put(up);
	nl_socket_free(s);
	return index;
}

/* Root, and a kernel with XFRM; where not, that is told. */
static bool can_run(void)
{
	int r;

	if (geteuid() != 0) {
		skip(1, "needs root for network namespaces");
		return false;
	}
	r = fresh_netns();
	if (r == 0) {
		r = xfrm_open(&x);
		x = xfrm_close(r == 0 ? x : NULL);
	}
	if (r < 0)
		skip(1, "no network namespace with XFRM here: %s", strerror(-r));
	return r == 0;
}
