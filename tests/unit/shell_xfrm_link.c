/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_xfrm_link.c - the interface, its routes, forwarding and the thresholds of the policies' index
 * against a real kernel, in network namespaces of their own.
 */
#include <netlink/route/link/xfrmi.h>
#include <netlink/route/route.h>

#include "xfrm_own.h"

static void test_hthresh(void)
{
	_Alignas(8) uint8_t buf[1024] = { 0 };
	/* XFRM_MSG_GETSPDINFO */
	struct span ask = hex("14000000250001000700000000000000ffffffff");
	struct wr w = { (uint8_t *)buf, sizeof(buf), 0, false };
	bool v4 = false, v6 = false;
	ssize_t n;

	if (!begin())
		return;
	is_int(xfrm_set_hthresh(x), 0, "thresholds are accepted");
	wr_span(&w, ask);
	n = raw_ask(&w, buf, sizeof(buf));
	for (ssize_t i = 20; i + 6 <= n; i += 4) {
		v4 |= memcmp(buf + i, hex("060003000020").p, 6) == 0;
		v6 |= memcmp(buf + i, hex("060004000080").p, 6) == 0;
	}
	ok(v4 && v6, "and the kernel has them: 0/32 and 0/128");
}

static void write_sysctl(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, 1) != 1)
		printf("# %s: %s\n", path, strerror(errno));
}

static void test_forwarding(void)
{
	if (!begin())
		return;
	write_sysctl("/proc/sys/net/ipv4/ip_forward", "0");
	write_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "0");
	is_int(xfrm_forwarding(AF_INET), 0, "IPv4 is not forwarded");
	is_int(xfrm_forwarding(AF_INET6), 0, "IPv6 is not forwarded");
	write_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	is_int(xfrm_forwarding(AF_INET), 1, "IPv4 is forwarded");
	is_int(xfrm_forwarding(AF_INET6), 0, "IPv6 is not for that");
	write_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	is_int(xfrm_forwarding(AF_INET6), 1, "but by its own setting");
	ok(xfrm_forwarding(AF_UNIX) < 0, "another family is an error");
}

/* The mtu of an interface; -1 when there is none. */
static int mtu_of(const char *name)
{
	struct nl_sock *s = nl_socket_alloc();
	struct rtnl_link *l = NULL;
	int mtu = -1;

	if (nl_connect(s, NETLINK_ROUTE) == 0 && rtnl_link_get_kernel(s, 0, name, &l) == 0)
		mtu = (int)rtnl_link_get_mtu(l);
	rtnl_link_put(l);
	nl_socket_free(s);
	return mtu;
}

/* The interface that packets to an address leave by; 0: none. */
static int route_of(const char *to)
{
	struct ipaddr a = ip(to);
	struct nl_sock *s = nl_socket_alloc();
	struct nl_addr *dst = nl_addr_build(AF_INET, a.b, 4);
	struct nl_cache *routes = NULL;
	int index = 0, best = -1;

	if (nl_connect(s, NETLINK_ROUTE) == 0)
		rtnl_route_alloc_cache(s, AF_INET, 0, &routes);
	for (struct nl_object *o = routes ? nl_cache_get_first(routes) : NULL; o;
	     o = nl_cache_get_next(o)) {
		struct rtnl_route *r = (struct rtnl_route *)o;
		struct nl_addr *net_of = rtnl_route_get_dst(r);
		int len = (int)nl_addr_get_prefixlen(net_of);

		if (len > best && nl_addr_get_family(net_of) == AF_INET &&
		    nl_addr_cmp_prefix(net_of, dst) == 0 && rtnl_route_get_nnexthops(r) == 1) {
			best = len;
			index = rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(r, 0));
		}
	}
	nl_cache_free(routes);
	nl_addr_put(dst);
	nl_socket_free(s);
	return index;
}

static void test_routes(void)
{
	struct prefix some[] = { net("10.99.99.0/24"), net("10.99.100.1/32") };
	struct prefix more[] = { net("10.99.98.0/24"), some[0], net("10.99.97.0/24"), some[1] };
	struct prefix six = net("2001:db8:99::/64");
	size_t failed = 9;
	int a, b;

	if (!begin())
		return;
	a = make_veth("va", "vb");
	b = make_veth("vc", "vd");
	if (a < 0 || b < 0) {
		skip(14, "no veth in this kernel");
		return;
	}
	is_int(xfrm_route_add(a, some, 2, &failed), 0, "routes to an interface");
	is_int(xfrm_route_add(a, some, 2, &failed), 0, "stay when they are wanted again");
	is_int(xfrm_route_add(b, more, 4, &failed), -EEXIST, "but not taken from another");
	is_int((long long)failed, 1, "the first that fails is named");
	ok(route_of("10.99.98.7") == b && route_of("10.99.97.7") == b, "all others are made");
	ok(route_of("10.99.99.7") == a && route_of("10.99.100.1") == a, "the other's are there");
	is_int(xfrm_route_add(a, &six, 1, &failed), 0, "IPv6 has them too");
	is_int(xfrm_route_add(a, &six, 1, &failed), 0, "and keeps them");
	ok(xfrm_route_add(9999, some, 1, &failed) < 0,
	   "an interface that is not there is an error");
	is_int((long long)failed, 0, "with the first prefix");
	is_int(xfrm_route_del(b, more, 4), 0, "routes are taken out");
	ok(route_of("10.99.98.7") == 0 && route_of("10.99.97.7") == 0, "each of them");
	ok(route_of("10.99.99.7") == a && route_of("10.99.100.1") == a, "but not another's");
	is_int(xfrm_route_del(b, more, 4), 0, "nor is it an error that they are gone");
}

static int make_xfrmi(const char *name, uint32_t if_id)
{
	struct nl_sock *s = nl_socket_alloc();
	struct rtnl_link *l = rtnl_link_xfrmi_alloc();
	int r;

	rtnl_link_set_name(l, name);
	rtnl_link_xfrmi_set_if_id(l, if_id);
	r = nl_connect(s, NETLINK_ROUTE);
	if (r == 0)
		r = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(l);
	nl_socket_free(s);
	return r;
}

static void test_link(void)
{
	struct prefix pool = net("10.99.99.0/24");
	int index = 0, again = 0, r;
	unsigned links = 9;
	size_t failed;

	if (!begin())
		return;
	if (make_veth("theirs", "peer") > 0)
		is_int(xfrm_link_add("theirs", 0, &index), -EEXIST, "others' interface stays");
	else
		skip(1, "no veth in this kernel");
	r = xfrm_link_add("vpn0", 1400, &index);
	if (r == -EOPNOTSUPP) {
		skip(22, "no XFRM interface in this kernel");
		return;
	}
	is_int(r, 0, "an XFRM interface");
	is_int(mtu_of("vpn0"), 1400, "has the mtu that was wanted");
	is_int(xfrm_route_add(index, &pool, 1, &failed), 0, "and a route");
	is_int(xfrm_link_add("vpn1", 0, &again), -EEXIST, "there is no second one");
	is_int(xfrm_link_sweep_but("vpn0", &links), 0, "a sweep that leaves it");
	ok(links == 0 && mtu_of("vpn0") == 1400, "removes nothing");
	ok(xfrm_link_keep("vpn0", 1300, &again) == 0 && again == index && mtu_of("vpn0") == 1300,
	   "it can be kept, with another mtu");
	ok(xfrm_link_keep("vpn0", 0, &again) == 0 && mtu_of("vpn0") == 1500,
	   "or with the kernel's own");
	is_int(route_of("10.99.99.1"), index, "its route stays");
	ok(xfrm_link_keep("vpn1", 0, &again) == -ENODEV &&
		   xfrm_link_keep("theirs", 0, &again) == -EPERM,
	   "others' are not kept, nor what is not there");
	is_int(xfrm_link_del("theirs"), -EPERM, "others' interface is not deleted");
	is_int(make_xfrmi("theirs2", 77), 0, "nor is an XFRM interface of others");
	is_int(xfrm_link_sweep(&links), 0, "by the sweep");
	is_int(links, 1, "which finds ours, whatever its name");
	ok(mtu_of("vpn0") == -1 && route_of("10.99.99.1") == 0, "and removes it with its route");
	is_int(xfrm_link_sweep(&links), 0, "another sweep");
	is_int(links, 0, "finds nothing");
	is_int(xfrm_link_add("vpn1", 0, &again), 0, "one of another name");
	is_int(mtu_of("vpn1"), 1500, "has the kernel's own mtu");
	is_int(xfrm_link_del("vpn1"), 0, "and is deleted");
	is_int(xfrm_link_del("vpn1"), -ENODEV, "once");
	ok(mtu_of("theirs") == 1500 && mtu_of("theirs2") > 0, "others' are still there");
}

int main(void)
{
	if (!can_run())
		return done();
	test_hthresh();
	test_forwarding();
	test_routes();
	test_link();
	xfrm_close(x);
	return done();
}
