/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * listen.c - what the kernel reports by itself about our SAs, on a socket of its own, so that no
 * report comes between a request and its answer.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "xfrm/msg.h"
#include "xfrm/xfrm.h"

#define BATCH 64 /* datagrams in one go: others wait for the loop as well */

int xfrm_listen(int *ret_fd)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int group = XFRMNLGRP_MAPPING;
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_XFRM);

	/* Connected to the kernel: nobody else's messages reach this socket. */
	if (fd < 0 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int xfrm_listen_read(int fd, void (*fn)(void *ctx, const struct xfrm_mapping *m), void *ctx)
{
	_Alignas(8) uint8_t buf[4096];
	struct xfrm_reply r;

	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct span left = { buf, n < 0 ? 0 : (size_t)n };

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return errno == EAGAIN ? 0 : -errno;
		while (xfrm_reply_next(&left, &r))
			if (r.kind == XFRM_REPLY_MAPPING && xfrm_reqid_is_ours(r.mapping.reqid))
				fn(ctx, &r.mapping);
	}
	return 0;
}
