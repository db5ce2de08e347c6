/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * forwarding.c - whether the host forwards packets, asked over netlink: the service sees no
 * /proc/sys (ProcSubset=pid).
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "xfrm/xfrm.h"

/* The setting in an answer, or -EBADMSG. */
static int read_answer(const struct nlmsghdr *nlh)
{
	struct nlattr *attr;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		struct nlmsgerr e = { .error = -EBADMSG };

		if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(e))
			memcpy(&e, mnl_nlmsg_get_payload(nlh), sizeof(e));
		return e.error < 0 ? e.error : -EBADMSG;
	}
	if (nlh->nlmsg_type != RTM_NEWNETCONF)
		return -EBADMSG;
	mnl_attr_for_each (attr, nlh, sizeof(struct netconfmsg)) {
		if (mnl_attr_get_type(attr) == NETCONFA_FORWARDING &&
		    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			return mnl_attr_get_u32(attr) != 0;
	}
	return -EBADMSG;
}

static int ask(struct mnl_socket *s, int family)
{
	_Alignas(8) uint8_t buf[2048];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct netconfmsg *conf;
	ssize_t n;

	nlh->nlmsg_type = RTM_GETNETCONF;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = 1;
	conf = mnl_nlmsg_put_extra_header(nlh, sizeof(*conf));
	conf->ncm_family = (uint8_t)family;
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	nlh = (struct nlmsghdr *)buf;
	if ((size_t)n < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) ||
	    nlh->nlmsg_len > (size_t)n || nlh->nlmsg_seq != 1)
		return -EBADMSG;
	return read_answer(nlh);
}

int xfrm_forwarding(int family)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	if (!s)
		return -errno;
	r = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : ask(s, family);
	mnl_socket_close(s);
	return r;
}
