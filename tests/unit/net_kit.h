/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * net_kit.h - a gateway's UDP sockets and a client's on the loopback interface, for the tests of
 * net.c. That something does not arrive is seen by what is sent behind it: loopback keeps the order.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "net.h"
#include "tap.h"

#define HEARD 128

static sd_event *event;
static struct net *net;
static uint16_t plain, natt; /* ports of the gateway */
static int peer = -1;        /* the client's socket */
static struct endpoint self; /* its address */

/* What came out of the sockets, whole. */
static struct heard {
	struct ike_dgram d;
	uint8_t b[LIMIT_DATAGRAM];
} heard[HEARD];
static unsigned n_heard;

static void on_dgram(void *ctx, const struct ike_dgram *d)
{
	struct heard *h = &heard[n_heard++];

	if (n_heard > HEARD || d->data.n > sizeof(h->b) || ctx != &event)
		abort();
	h->d = *d;
	if (d->data.n)
		memcpy(h->b, d->data.p, d->data.n);
	h->d.data.p = h->b;
}

/* Runs the loop until that many have come; gives up after five seconds. */
static bool turn(unsigned n)
{
	uint64_t start, now;

	sd_event_now(event, CLOCK_MONOTONIC, &start);
	for (now = start; n_heard < n && now - start < 5000000;) {
		sd_event_run(event, 100000);
		sd_event_now(event, CLOCK_MONOTONIC, &now);
	}
	return n_heard >= n;
}

/* ---- addresses ---- */

static socklen_t sockaddr_of(const struct endpoint *e, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (e->addr.family == IP_V6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		memcpy(&v6->sin6_addr, e->addr.b, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(e->port);
	memcpy(&v4->sin_addr, e->addr.b, 4);
	return sizeof(*v4);
}

static struct endpoint endpoint_of(const struct sockaddr_storage *s)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)s;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)s;
	struct endpoint e = { 0 };

	if (s->ss_family == AF_INET6) {
		ipaddr_from_bytes((struct span){ v6->sin6_addr.s6_addr, 16 }, &e.addr);
		e.port = ntohs(v6->sin6_port);
	} else {
		ipaddr_from_bytes((struct span){ (const uint8_t *)&v4->sin_addr, 4 }, &e.addr);
		e.port = ntohs(v4->sin_port);
	}
	return e;
}

static struct endpoint at(const char *addr, uint16_t port)
{
	struct endpoint e = { .port = port };

	if (ipaddr_parse(addr, &e.addr) < 0)
		abort();
	return e;
}

/* A UDP socket at this address, or -errno; its endpoint with the port that it has got. */
static int bound(const char *addr, uint16_t port, struct endpoint *ret)
{
	struct endpoint e = at(addr, port);
	struct sockaddr_storage s;
	socklen_t len = sockaddr_of(&e, &s);
	int fd = socket(s.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&s, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&s, &len) < 0) {
		close(fd);
		return -errno;
	}
	*ret = endpoint_of(&s);
	return fd;
}

/* A port that nobody has. */
static uint16_t free_port(const char *addr)
{
	struct endpoint e = { 0 };
	int fd = bound(addr, 0, &e);

	if (fd < 0)
		abort();
	close(fd);
	return e.port;
}

/* ---- a gateway's sockets and a client's ---- */

static void stop(void)
{
	net = net_free(net);
	if (peer >= 0)
		close(peer);
	peer = -1;
}

/* Opens them and hears what arrives. */
static int open_net(const struct config *config, const int *fds, unsigned n_fds, struct net **ret)
{
	int rc = net_new(config, fds, n_fds, ret);

	return rc < 0 ? rc : net_listen(*ret, event, on_dgram, &event);
}

/* The sockets that vpngw would open with this address for its two ports. */
static int start(const char *addr)
{
	static struct config config;

	stop();
	n_heard = 0;
	plain = free_port(addr);
	do
		natt = free_port(addr);
	while (natt == plain);
	config = (struct config){ .listen = { .isakmp = { at(addr, plain) },
					      .isakmp_natt = { at(addr, natt) },
					      .n_isakmp = 1,
					      .n_isakmp_natt = 1 } };
	peer = bound(strchr(addr, ':') ? "::1" : "127.0.0.1", 0, &self);
	return open_net(&config, NULL, 0, &net);
}

static bool send_to(const char *addr, uint16_t port, struct span s)
{
	struct endpoint to = at(addr, port);
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(&to, &sa);

	return sendto(peer, s.p ? s.p : (const uint8_t *)"", s.n, 0, (struct sockaddr *)&sa, len) ==
	       (ssize_t)s.n;
}

/* What the client got, and from where; an empty span when nothing came. */
static struct span received(struct endpoint *ret_from)
{
	static uint8_t b[LIMIT_DATAGRAM];
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	ssize_t n = recvfrom(peer, b, sizeof(b), 0, (struct sockaddr *)&sa, &len);

	*ret_from = n < 0 ? (struct endpoint){ 0 } : endpoint_of(&sa);
	return (struct span){ b, n < 0 ? 0 : (size_t)n };
}

/*
 * How many of what was sent since the last time have come, when all of it must have. They stand in
 * heard[] from 0 on.
 */
static unsigned arrived(uint16_t port)
{
	static const uint8_t last[] = "\0\0\0\0the last one";

	n_heard = 0;
	if (!send_to("127.0.0.1", port, SPAN_OF(last)))
		return HEARD;
	for (unsigned n = 1; turn(n); n++) {
		const struct span got = heard[n - 1].d.data;

		if (got.n >= 12 && memcmp(got.p + got.n - 12, last + 5, 12) == 0)
			return n - 1;
	}
	return HEARD;
}

static unsigned with(uint16_t port, struct span s)
{
	return send_to("127.0.0.1", port, s) ? arrived(port) : HEARD;
}

/* The bytes behind a marker, in a static buffer. */
static struct span marked(struct span s)
{
	static uint8_t b[LIMIT_DATAGRAM];

	memset(b, 0, 4);
	memcpy(b + 4, s.p, s.n);
	return (struct span){ b, s.n + 4 };
}
