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
	static const int groups[] = { XFRMNLGRP_MAPPING, XFRMNLGRP_EXPIRE };
	_cleanup_close_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_XFRM);

	/* Connected to the kernel: nobody else's messages reach this socket. */
	if (fd < 0 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void tell(const struct xfrm_reply *r, const struct xfrm_reports *fn, void *ctx)
{
	const struct xfrm_expiry e = { .spi = r->sa.spi,
				       .reqid = r->sa.reqid,
				       .hard = r->error != 0 };

	if (r->kind == XFRM_REPLY_MAPPING && xfrm_reqid_is_ours(r->mapping.reqid))
		fn->moved(ctx, &r->mapping);
	else if (r->kind == XFRM_REPLY_EXPIRE && xfrm_reqid_is_ours(e.reqid))
		fn->expired(ctx, &e);
}

int xfrm_listen_read(int fd, const struct xfrm_reports *fn, void *ctx)
{
	_Alignas(8) uint8_t buf[4096];
	struct xfrm_reply r;

	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct span left = { buf, n < 0 ? 0 : (size_t)n };

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return errno == EAGAIN ? 0 : -errno;
		while (xfrm_reply_next(&left, &r))
			tell(&r, fn, ctx);
	}
	return 0;
}
