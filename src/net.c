/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net.c - the UDP sockets: receive with the local address, send from it, marker on 4500. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "log.h"

#ifndef UDP_ENCAP
#define UDP_ENCAP 100
#endif
#ifndef UDP_ENCAP_ESPINUDP
#define UDP_ENCAP_ESPINUDP 2
#endif

#define BATCH     32 /* datagrams per wake-up */
#define MARKER    4  /* bytes of the non-ESP marker: RFC 3948 2.2 */
#define RCVBUF    (8 << 20)
#define MAX_SOCKS 16

struct sock {
	struct net *net; /* borrowed */
	int fd;
	int family;
	struct endpoint bound;
	bool natt;
	sd_event_source *source;
};

struct net {
	struct sock sock[MAX_SOCKS];
	unsigned n;
	net_fn fn;
	void *ctx;
	uint8_t buf[BATCH][LIMIT_DATAGRAM + 1];
};

union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

union control {
	struct cmsghdr align;
	uint8_t b[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static struct endpoint from_sockaddr(const union addr *a)
{
	struct endpoint e = { 0 };

	if (a->sa.sa_family == AF_INET) {
		ipaddr_from_bytes((struct span){ (const uint8_t *)&a->v4.sin_addr, 4 }, &e.addr);
		e.port = ntohs(a->v4.sin_port);
	} else if (a->sa.sa_family == AF_INET6) {
		ipaddr_from_bytes((struct span){ a->v6.sin6_addr.s6_addr, 16 }, &e.addr);
		e.port = ntohs(a->v6.sin6_port);
	}
	return e;
}

static socklen_t to_sockaddr(const struct endpoint *e, union addr *ret)
{
	*ret = (union addr){ 0 };
	if (e->addr.family == IP_V6) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(e->port);
		memcpy(ret->v6.sin6_addr.s6_addr, e->addr.b, 16);
		return sizeof(ret->v6);
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons(e->port);
	memcpy(&ret->v4.sin_addr, e->addr.b, 4);
	return sizeof(ret->v4);
}

/* ---- receiving ---- */

static void local_address(const struct msghdr *h, struct ipaddr *ret)
{
	struct msghdr *m = (struct msghdr *)(uintptr_t)h; /* CMSG_NXTHDR wants no const */

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo p;

			memcpy(&p, CMSG_DATA(c), sizeof(p));
			ipaddr_from_bytes((struct span){ (uint8_t *)&p.ipi_spec_dst, 4 }, ret);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo p;

			memcpy(&p, CMSG_DATA(c), sizeof(p));
			ipaddr_from_bytes((struct span){ p.ipi6_addr.s6_addr, 16 }, ret);
		}
	}
}

/* Sources that nobody can be answered at (N025, N026). */
static bool is_bogus(const struct endpoint *peer)
{
	const struct ipaddr *a = &peer->addr;

	if (peer->port == 0 || a->family == IP_NONE)
		return true;
	if (a->family == IP_V4)
		return a->b[0] == 0 || a->b[0] >= 224;
	return a->b[0] == 0xff;
}

static void take(struct sock *s, const struct mmsghdr *m, const uint8_t *buf)
{
	struct ike_dgram d = { .natt = s->natt, .data = { buf, m->msg_len } };

	if (m->msg_hdr.msg_flags & MSG_TRUNC)
		return;
	d.peer = from_sockaddr(m->msg_hdr.msg_name);
	d.local = s->bound;
	local_address(&m->msg_hdr, &d.local.addr);
	if (s->natt) {
		static const uint8_t marker[MARKER];

		/* A keepalive, or ESP that the kernel left to us: neither is ours. */
		if (!span_starts(d.data, SPAN_OF(marker)))
			return;
		d.data.p += MARKER;
		d.data.n -= MARKER;
	}
	if (!is_bogus(&d.peer))
		s->net->fn(s->net->ctx, &d);
}

static int on_udp(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct sock *s = userdata;
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	union addr from[BATCH];
	union control control[BATCH];
	int n;

	(void)src;
	(void)revents;
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ s->net->buf[i], sizeof(s->net->buf[i]) };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i],
						      .msg_namelen = sizeof(from[i]),
						      .msg_iov = &iov[i],
						      .msg_iovlen = 1,
						      .msg_control = &control[i],
						      .msg_controllen = sizeof(control[i]) } };
	}
	n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(s, &m[i], s->net->buf[i]);
	return 0; /* a bad packet or a pending ICMP error never stops the loop */
}

/* ---- sending ---- */

/* The socket of the local port and family; an exact address wins over a wildcard. */
static struct sock *sock_for(struct net *n, const struct endpoint *local)
{
	struct sock *best = NULL;

	for (unsigned i = 0; i < n->n; i++) {
		struct sock *s = &n->sock[i];

		if (s->bound.port != local->port || s->bound.addr.family != local->addr.family)
			continue;
		if (!best || ipaddr_eq(&s->bound.addr, &local->addr))
			best = s;
	}
	return best;
}

static void set_source(struct msghdr *h, const struct ipaddr *local, union control *control)
{
	struct cmsghdr *c = &control->align;

	*control = (union control){ 0 };
	h->msg_control = control;
	if (local->family == IP_V4) {
		struct in_pktinfo p = { 0 };

		memcpy(&p.ipi_spec_dst, local->b, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(p));
		memcpy(CMSG_DATA(c), &p, sizeof(p));
		h->msg_controllen = CMSG_SPACE(sizeof(p));
	} else {
		struct in6_pktinfo p = { 0 };

		memcpy(p.ipi6_addr.s6_addr, local->b, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(p));
		memcpy(CMSG_DATA(c), &p, sizeof(p));
		h->msg_controllen = CMSG_SPACE(sizeof(p));
	}
}

int net_send(struct net *n, const struct endpoint *local, const struct endpoint *peer, bool natt,
	     struct span data)
{
	static const uint8_t marker[MARKER];
	struct sock *s = sock_for(n, local);
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)marker, natt ? MARKER : 0 },
		{ (void *)(uintptr_t)data.p, data.n },
	};
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };
	union control control;
	union addr to;

	if (!s)
		return -EADDRNOTAVAIL;
	h.msg_namelen = to_sockaddr(peer, &to);
	h.msg_name = &to;
	set_source(&h, &local->addr, &control);
	return sendmsg(s->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- opening ---- */

static int set_int(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v)) < 0 ? -errno : 0;
}

/* Options that we need whoever opened the socket. */
static int prepare(struct sock *s)
{
	char text[ENDPOINT_STRLEN];
	int rc;

	if (s->family == AF_INET) {
		rc = set_int(s->fd, IPPROTO_IP, IP_PKTINFO, 1);
		/* Message 2 may be larger than the path: let it travel in fragments. */
		if (rc == 0)
			rc = set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	} else {
		rc = set_int(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
	if (rc == 0 && s->natt) {
		rc = set_int(s->fd, IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP);
		if (rc < 0)
			log_err("%s: the kernel refuses ESP in UDP (%s): it needs IPsec support "
				"(CONFIG_XFRM)",
				endpoint_str(&s->bound, text), strerror(-rc));
	}
	if (set_int(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF) < 0)
		set_int(s->fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	return rc;
}

static int add_socket(struct net *n, int fd, bool natt)
{
	struct sock *s = &n->sock[n->n];
	union addr a = { 0 };
	socklen_t len = sizeof(a);

	if (n->n == MAX_SOCKS) {
		close(fd);
		return -EMFILE;
	}
	*s = (struct sock){ .net = n, .fd = fd, .natt = natt };
	n->n++;
	if (getsockname(fd, &a.sa, &len) < 0)
		return -errno;
	s->bound = from_sockaddr(&a);
	s->family = a.sa.sa_family;
	return prepare(s);
}

static int bind_one(struct net *n, const struct endpoint *e, bool natt)
{
	int family = e->addr.family == IP_V6 ? AF_INET6 : AF_INET;
	char text[ENDPOINT_STRLEN];
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union addr a;
	socklen_t len = to_sockaddr(e, &a);

	if (fd < 0 && errno == EAFNOSUPPORT && family == AF_INET6)
		return 0; /* a machine without IPv6 */
	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, &a.sa, len) < 0) {
		int rc = -errno;

		if (rc == -EADDRNOTAVAIL && family == AF_INET6)
			return 0;
		log_err("cannot bind %s: %s%s", endpoint_str(e, text), strerror(-rc),
			rc == -EADDRINUSE ? ": is another IKE daemon running? (ss -lunp)"
			: rc == -EACCES   ? ": start it through vpngw.socket"
					  : "");
		return rc;
	}
	return add_socket(n, TAKE_FD(fd), natt);
}

static bool is_natt_port(const struct config *config, int fd)
{
	if (sd_is_socket_inet(fd, 0, SOCK_DGRAM, -1, 4500) > 0)
		return true;
	for (unsigned i = 0; i < config->listen.n_isakmp_natt; i++)
		if (sd_is_socket_inet(fd, 0, SOCK_DGRAM, -1, config->listen.isakmp_natt[i].port) >
		    0)
			return true;
	return false;
}

static int open_sockets(struct net *n, const struct config *config, const int *fds, unsigned n_fds)
{
	const struct conf_listen *l = &config->listen;
	int rc = 0;

	for (unsigned i = 0; i < n_fds && rc == 0; i++)
		if (sd_is_socket(fds[i], 0, SOCK_DGRAM, -1) > 0 &&
		    sd_is_socket_unix(fds[i], 0, -1, NULL, 0) == 0)
			rc = add_socket(n, fds[i], is_natt_port(config, fds[i]));
	if (rc < 0 || n->n)
		return rc;
	for (unsigned i = 0; i < l->n_isakmp && rc == 0; i++)
		rc = bind_one(n, &l->isakmp[i], false);
	for (unsigned i = 0; i < l->n_isakmp_natt && rc == 0; i++)
		rc = bind_one(n, &l->isakmp_natt[i], true);
	return rc;
}

int net_new(const struct config *config, const int *fds, unsigned n_fds, struct net **ret)
{
	struct net *n = calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return -ENOMEM;
	rc = open_sockets(n, config, fds, n_fds);
	if (rc == 0 && !n->n)
		rc = -ENOTCONN;
	if (rc < 0) {
		net_free(n);
		return rc;
	}
	*ret = n;
	return 0;
}

int net_listen(struct net *n, sd_event *event, net_fn fn, void *ctx)
{
	char text[ENDPOINT_STRLEN];

	n->fn = fn;
	n->ctx = ctx;
	for (unsigned i = 0; i < n->n; i++) {
		struct sock *s = &n->sock[i];
		int rc = sd_event_add_io(event, &s->source, s->fd, EPOLLIN, on_udp, s);

		if (rc < 0)
			return rc;
		log_info("listening on %s%s", endpoint_str(&s->bound, text),
			 s->natt ? " (NAT traversal)" : "");
	}
	return 0;
}

struct net *net_free(struct net *n)
{
	if (!n)
		return NULL;
	for (unsigned i = 0; i < n->n; i++) {
		sd_event_source_disable_unref(n->sock[i].source);
		close(n->sock[i].fd);
	}
	free(n);
	return NULL;
}
