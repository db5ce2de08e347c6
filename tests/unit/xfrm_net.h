/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xfrm_net.h - what the tests that send datagrams through pairs share: commands and sockets. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "xfrm_kit.h"

static int sh(const char *cmd)
{
	int r = system(cmd);

	if (r != 0)
		printf("# %s: %d\n", cmd, r);
	return r;
}

/* A UDP socket on an inner address, or the one on port 4500 that takes ESP in UDP. */
static int udp_socket(const char *addr, uint16_t port, bool encap)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), type = UDP_ENCAP_ESPINUDP;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval wait = { .tv_sec = 5 };

	inet_pton(AF_INET, addr, &sin.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (encap)
		setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type));
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -1 : fd;
}

/* len bytes, 1000 at most, to port 7777: 0 or -errno. */
static int send_to(int fd, const char *addr, size_t len)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(7777) };
	uint8_t data[1000] = { 1 };

	inet_pton(AF_INET, addr, &sin.sin_addr);
	return sendto(fd, data, len, 0, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -errno : 0;
}

/* Whether this machine can: root, ip, ESP. Else it is said what is missing. */
static bool can_run(void)
{
	struct xfrm_pair p = make_pair(0, &algs[0]);
	int r;

	if (geteuid() != 0) {
		skip(1, "needs root for network namespaces");
		return false;
	}
	if (system("ip -V >/dev/null 2>&1") != 0) {
		skip(1, "needs ip of iproute2");
		return false;
	}
	r = fresh_netns();
	if (r == 0)
		r = raw_sa_add(&p.in);
	if (r < 0)
		skip(1, "no ESP in this kernel: %s", strerror(-r));
	return r == 0;
}

/* The parent is the gateway, in the namespace that it is in; the child is the client. */
static void gateway_and_client(struct xfrm *x, void (*gateway)(struct xfrm *x, int fd, pid_t pid),
			       int (*client)(int fd))
{
	int fd[2], status = 1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		_exit(client(fd[1]));
	}
	close(fd[1]);
	gateway(x, fd[0], pid);
	close(fd[0]);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client ends without an error");
}
