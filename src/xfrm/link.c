/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * link.c - the XFRM interface and the routes into it, by libnl-route. Set-up only, not hot.
 *
 * Ours is what carries XFRM_IF_ID, whatever it is called. What an earlier daemon left behind is
 * removed, with the routes into it, which may be those of other pools, unless its sessions go on.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/xfrmi.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "cleanup.h"
#include "xfrm/xfrm.h"

#define DEFAULT_MTU 1500 /* what the kernel gives an XFRM interface without a device below */

static struct nl_sock *sock_free(struct nl_sock *s)
{
	nl_socket_free(s);
	return NULL;
}
DEFINE_CLEANUP(struct nl_sock, sock_free)

static struct rtnl_link *link_put(struct rtnl_link *l)
{
	rtnl_link_put(l);
	return NULL;
}
DEFINE_CLEANUP(struct rtnl_link, link_put)

static struct rtnl_route *route_put(struct rtnl_route *r)
{
	rtnl_route_put(r);
	return NULL;
}
DEFINE_CLEANUP(struct rtnl_route, route_put)

/* libnl's errors are its own numbers. */
static int to_errno(int nle)
{
	switch (nle < 0 ? -nle : nle) {
	case NLE_SUCCESS:
		return 0;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_INVAL:
	case NLE_RANGE:
		return -EINVAL;
	case NLE_OPNOTSUPP:
	case NLE_MSGTYPE_NOSUPPORT:
		return -EOPNOTSUPP;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_BUSY:
		return -EBUSY;
	}
	return -EIO;
}

static int open_route_socket(struct nl_sock **ret)
{
	struct nl_sock *s = nl_socket_alloc();
	int r;

	if (!s)
		return -ENOMEM;
	r = to_errno(nl_connect(s, NETLINK_ROUTE));
	if (r < 0)
		sock_free(s);
	else
		*ret = s;
	return r;
}

static bool is_ours(struct rtnl_link *l)
{
	uint32_t if_id;

	return rtnl_link_is_xfrmi(l) && rtnl_link_xfrmi_get_if_id(l, &if_id) == 0 &&
	       if_id == XFRM_IF_ID;
}

/* A fresh xfrm link with the settings that ours has. */
static int wanted_link(const char *name, uint32_t mtu, struct rtnl_link **ret)
{
	struct rtnl_link *l = rtnl_link_xfrmi_alloc();

	if (!l)
		return -ENOMEM;
	rtnl_link_set_name(l, name);
	rtnl_link_set_flags(l, IFF_UP);
	rtnl_link_xfrmi_set_if_id(l, XFRM_IF_ID);
	if (mtu)
		rtnl_link_set_mtu(l, mtu);
	*ret = l;
	return 0;
}

static int add_link(struct nl_sock *s, const char *name, uint32_t mtu)
{
	_cleanup_(link_putp) struct rtnl_link *l = NULL;
	int r = wanted_link(name, mtu, &l);

	return r < 0 ? r : to_errno(rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL));
}

int xfrm_link_sweep_but(const char *name, unsigned *ret_links)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	struct nl_cache *links;
	unsigned n = 0;
	int r = open_route_socket(&s);

	if (r == 0)
		r = to_errno(rtnl_link_alloc_cache(s, AF_UNSPEC, &links));
	if (r < 0)
		return r;
	for (struct nl_object *o = nl_cache_get_first(links); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *l = (struct rtnl_link *)o;
		bool goes = is_ours(l) && !(name && strcmp(rtnl_link_get_name(l), name) == 0);
		int e = goes ? to_errno(rtnl_link_delete(s, l)) : 0;

		n += goes && e == 0;
		if (r == 0 && e != -ENODEV) /* gone by itself meanwhile */
			r = e;
	}
	nl_cache_free(links);
	if (r == 0)
		*ret_links = n;
	return r;
}

int xfrm_link_sweep(unsigned *ret_links)
{
	return xfrm_link_sweep_but(NULL, ret_links);
}

int xfrm_link_add(const char *name, uint32_t mtu, int *ret_ifindex)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	_cleanup_(link_putp) struct rtnl_link *l = NULL;
	int r = open_route_socket(&s);

	if (r < 0)
		return r;
	r = add_link(s, name, mtu);
	if (r == 0)
		r = to_errno(rtnl_link_get_kernel(s, 0, name, &l));
	if (r == 0)
		*ret_ifindex = rtnl_link_get_ifindex(l);
	return r;
}

int xfrm_link_keep(const char *name, uint32_t mtu, int *ret_ifindex)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	_cleanup_(link_putp) struct rtnl_link *l = NULL, *change = NULL;
	uint32_t want = mtu ? mtu : DEFAULT_MTU;
	int r = open_route_socket(&s);

	if (r == 0)
		r = to_errno(rtnl_link_get_kernel(s, 0, name, &l));
	if (r == 0)
		r = !is_ours(l) ? -EPERM : wanted_link(name, want, &change);
	if (r == 0 && (rtnl_link_get_mtu(l) != want || !(rtnl_link_get_flags(l) & IFF_UP)))
		r = to_errno(rtnl_link_change(s, l, change, 0));
	if (r == 0)
		*ret_ifindex = rtnl_link_get_ifindex(l);
	return r;
}

int xfrm_link_del(const char *name)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	_cleanup_(link_putp) struct rtnl_link *l = NULL;
	int r = open_route_socket(&s);

	if (r < 0)
		return r;
	r = to_errno(rtnl_link_get_kernel(s, 0, name, &l));
	if (r < 0)
		return r;
	return is_ours(l) ? to_errno(rtnl_link_delete(s, l)) : -EPERM;
}

static int wanted_route(int ifindex, const struct prefix *net, struct rtnl_route **ret)
{
	int family = net->addr.family == IP_V6 ? AF_INET6 : AF_INET;
	_cleanup_(route_putp) struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = nl_addr_build(family, net->addr.b, ipaddr_len(&net->addr));
	int r = route && hop && dst ? 0 : -ENOMEM;

	if (r == 0) {
		nl_addr_set_prefixlen(dst, net->len);
		rtnl_route_set_family(route, (uint8_t)family);
		rtnl_route_set_table(route, RT_TABLE_MAIN);
		rtnl_route_set_scope(route, RT_SCOPE_LINK);
		rtnl_route_set_protocol(route, XFRM_ROUTE_PROTOCOL);
		r = to_errno(rtnl_route_set_dst(route, dst)); /* takes a reference of its own */
	}
	if (r == 0) {
		rtnl_route_nh_set_ifindex(hop, ifindex);
		rtnl_route_add_nexthop(route, hop); /* owns it from here */
		hop = NULL;
		*ret = TAKE_PTR(route);
	}
	if (hop)
		rtnl_route_nh_free(hop);
	nl_addr_put(dst);
	return r;
}

static int add_route(struct nl_sock *s, int ifindex, const struct prefix *net)
{
	_cleanup_(route_putp) struct rtnl_route *route = NULL;
	int r = wanted_route(ifindex, net, &route);

	if (r < 0)
		return r;
	r = to_errno(rtnl_route_add(s, route, NLM_F_EXCL));
	if (r != -EEXIST)
		return r;
	/* Whose is it? Beside another's there may be one of ours, but not the same one twice. And it
	 * is never away for a moment, in which packets for clients would go elsewhere, in clear. */
	r = to_errno(rtnl_route_add(s, route, NLM_F_APPEND));
	if (r < 0)
		return r == -EEXIST ? 0 : r;
	rtnl_route_delete(s, route, 0);
	return -EEXIST;
}

int xfrm_route_add(int ifindex, const struct prefix *nets, size_t n, size_t *ret_failed)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	int r = open_route_socket(&s), first = 0;

	*ret_failed = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = add_route(s, ifindex, &nets[i]);
		if (r == 0 || first < 0)
			continue;
		first = r;
		*ret_failed = i;
	}
	return first;
}

int xfrm_route_del(int ifindex, const struct prefix *nets, size_t n)
{
	_cleanup_(sock_freep) struct nl_sock *s = NULL;
	int r = open_route_socket(&s);

	for (size_t i = 0; i < n && r == 0; i++) {
		_cleanup_(route_putp) struct rtnl_route *route = NULL;

		r = wanted_route(ifindex, &nets[i], &route);
		if (r == 0)
			rtnl_route_delete(s, route, 0); /* or somebody else has */
	}
	return r;
}
