/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_xfrm_traffic.c - datagrams through the SA pairs that xfrm/ installs, between two network
 * namespaces: every algorithm, plain and in UDP, by policies alone and through the XFRM interface,
 * over IPv4 and over IPv6. The parent is the gateway, the child is the client. What is asserted
 * are the SAs' own counters: a datagram could also have travelled in clear.
 */
#include <arpa/inet.h>
#include <linux/udp.h>
#include <poll.h>

#include "xfrm_net.h"

#define DATAGRAMS 3

static int events; /* the socket that hears of limits */

/* One run: how the pair is made on both sides. */
struct run {
	uint32_t alg; /* index in algs[] */
	bool encap, iface, outer6, last;
};

static struct xfrm_pair pair_of(const struct run *run, uint32_t id, bool gateway)
{
	struct xfrm_pair p = make_pair(id, &algs[run->alg]);
	struct ipaddr lease = ip("10.99.99.1"), server = ip("10.0.12.1");

	if (run->outer6) {
		p.in.src = p.out.dst = ip("2001:db8::2");
		p.in.dst = p.out.src = ip("2001:db8::1");
	}
	p.in.encap = p.out.encap = run->encap;
	p.in.sport = p.in.dport = p.out.sport = p.out.dport = 4500;
	p.in.if_id = p.out.if_id = run->iface ? XFRM_IF_ID : 0;
	p.inner = lease;
	p.nets[0] = prefix_of(&server, 32);
	if (!gateway) {
		/* The same tunnel from its other end. */
		struct xfrm_sa in = p.in;

		p.in = p.out;
		p.out = in;
		p.in.replay_window = 64;
		p.inner = server;
		p.nets[0] = prefix_of(&lease, 32);
	}
	return p;
}

/* Waits for one word of the other side; false when it has gone. */
static bool wait_word(int fd, struct run *run)
{
	return read(fd, run, sizeof(*run)) == (ssize_t)sizeof(*run);
}

static void say_word(int fd, const struct run *run)
{
	if (write(fd, run, sizeof(*run)) != (ssize_t)sizeof(*run))
		printf("# the other side is gone\n");
}

/* ---- the client ---- */

static int client(int fd)
{
	struct xfrm *x = NULL;
	struct run run = { 0 };
	int udp, index = 0, ret = 0;
	bool iface = false;
	uint32_t id = 0;

	if (fresh_netns() < 0 || xfrm_open(&x) < 0)
		return 1;
	say_word(fd, &run);         /* the namespace is there */
	if (!wait_word(fd, &run) || /* and now a cable is in it */
	    sh("ip -batch - <<E\nlink set lo up\nlink set vb up\naddr add 192.0.2.2/24 dev vb\n"
	       "addr add 2001:db8::2/64 dev vb nodad\naddr add 10.99.99.1/32 dev lo\n"
	       "route add 10.0.12.1/32 dev vb src 10.99.99.1\nE") != 0)
		return 1;
	udp_socket("0.0.0.0", 4500, true);
	udp = udp_socket("10.99.99.1", 7777, false);
	say_word(fd, &run);
	while (wait_word(fd, &run)) {
		struct xfrm_pair p = pair_of(&run, id++, false);
		const char *what = "";
		uint8_t data[2000];
		int r;

		if (run.iface && !iface) {
			sh("ip route del 10.0.12.1/32");
			if (xfrm_link_add("vpn0", 1300, &index) < 0)
				printf("# client: no interface\n");
			sh("ip route add 10.0.12.1/32 dev vpn0 src 10.99.99.1");
			iface = true;
		}
		r = xfrm_pair_add(x, &p, &what);
		if (r < 0)
			printf("# client: %s\n", what);
		say_word(fd, &run);
		if (!wait_word(fd, &run))
			break;
		for (unsigned i = 0; i < DATAGRAMS && r == 0; i++) {
			r = send_to(udp, "10.0.12.1", 1000);
			if (r == 0 && recv(udp, data, sizeof(data), 0) != 1000)
				r = -errno;
		}
		if (r < 0)
			printf("# client: %s\n", strerror(-r));
		fflush(stdout);
		ret |= xfrm_pair_del(x, &p, false) < 0;
		say_word(fd, &run);
		if (run.last)
			break;
	}
	xfrm_close(x);
	return ret;
}

/* ---- the gateway ---- */

static int gateway_up(int fd, pid_t pid, struct run *run)
{
	char cmd[512];

	if (!wait_word(fd, run))
		return -EPIPE;
	snprintf(cmd, sizeof(cmd),
		 "ip -batch - <<E\nlink set lo up\nlink add va type veth peer name vb netns %d\n"
		 "link set va up\naddr add 192.0.2.1/24 dev va\n"
		 "addr add 2001:db8::1/64 dev va nodad\naddr add 10.0.12.1/32 dev lo\n"
		 "route add 10.99.99.1/32 dev va src 10.0.12.1\nE",
		 (int)pid);
	if (sh(cmd) != 0)
		return -EIO;
	say_word(fd, run);
	return wait_word(fd, run) ? 0 : -EPIPE;
}

static void echo(int udp)
{
	uint8_t data[2000];

	for (unsigned i = 0; i < DATAGRAMS; i++) {
		if (recv(udp, data, sizeof(data), 0) != 1000 ||
		    send_to(udp, "10.99.99.1", 1000) < 0) {
			printf("# gateway: %s\n", strerror(errno));
			return;
		}
	}
}

/* What the kernel has told of limits. */
static struct xfrm_expiry told[8];
static unsigned n_told;

static void on_expiry(void *ctx, const struct xfrm_expiry *e)
{
	(void)ctx;
	if (n_told < ARRAY_SIZE(told))
		told[n_told++] = *e;
}

static void on_move(void *ctx, const struct xfrm_mapping *m)
{
	(void)ctx;
	printf("# SPI %08x has moved\n", m->spi);
}

/* The first pair had soft limits of half of what it carried, and its outbound SA a hard one of all:
 * one datagram more is too many. */
static void check_limits(const struct xfrm_pair *p, int udp)
{
	static const struct xfrm_reports fn = { on_move, on_expiry };
	bool in = false, out_soft = false, out_hard = false;
	struct pollfd fd = { .fd = events, .events = POLLIN };

	(void)send_to(udp, "10.99.99.1", 1000);
	while (!out_hard && poll(&fd, 1, 5000) == 1) {
		n_told = 0;
		is_int(xfrm_listen_read(events, &fn, NULL), 0, "it tells something");
		for (unsigned i = 0; i < n_told; i++) {
			const struct xfrm_expiry *e = &told[i];

			in |= e->spi == p->in.spi && !e->hard && e->reqid == p->in.reqid;
			out_soft |= e->spi == p->out.spi && !e->hard && e->reqid == p->out.reqid;
			out_hard |= e->spi == p->out.spi && e->hard && e->reqid == p->out.reqid;
		}
	}
	ok(in && out_soft && out_hard, "the kernel tells when volumes are used up");
}

static void run_one(struct xfrm *x, int fd, int udp, struct run run, uint32_t id)
{
	struct xfrm_pair p = pair_of(&run, id, true);
	struct xfrm_counters in = { 0 }, out = { 0 };
	const struct alg *alg = &algs[run.alg];
	const char *what = "";

	if (id == 0) {
		p.in.soft_bytes = p.out.soft_bytes = 1500;
		p.in.hard_bytes = 1000000;
		p.out.hard_bytes = DATAGRAMS * 1028;
	}
	if (xfrm_pair_add(x, &p, &what) < 0)
		printf("# gateway: %s\n", what);
	say_word(fd, &run);
	wait_word(fd, &run); /* the client has its pair */
	say_word(fd, &run);
	echo(udp);
	wait_word(fd, &run);
	xfrm_sa_counters(x, &p.in.dst, p.in.spi, &in);
	xfrm_sa_counters(x, &p.out.dst, p.out.spi, &out);
	ok(in.packets == DATAGRAMS && out.packets == DATAGRAMS && in.bytes > 3000 &&
		   out.bytes > 3000,
	   "%s %u, %s/%u carries datagrams%s%s%s", alg->enc, alg->enc_len * 8,
	   alg->auth ? alg->auth : "-", alg->icv_bits, run.encap ? ", in UDP" : "",
	   run.iface ? ", by the interface" : "", run.outer6 ? ", over IPv6" : "");
	if (in.packets != DATAGRAMS || out.packets != DATAGRAMS)
		printf("# in %u, out %u packets\n", (unsigned)in.packets, (unsigned)out.packets);
	if (id == 0)
		printf("# this kernel says when an SA was used: %s\n",
		       in.last_used_s && out.last_used_s ? "yes" : "no");
	if (id == 0)
		check_limits(&p, udp);
	is_int(xfrm_pair_del(x, &p, false), 0, "and goes");
}

static void gateway(struct xfrm *x, int fd, pid_t pid)
{
	struct ipaddr lease = ip("10.99.99.1");
	struct prefix to_lease = prefix_of(&lease, 32);
	struct run run = { 0 };
	uint32_t id = 0;
	int udp, index, r = gateway_up(fd, pid, &run);
	size_t failed;

	if (!ok(r == 0, "two namespaces and a cable"))
		return;
	udp_socket("0.0.0.0", 4500, true);
	udp = udp_socket("10.0.12.1", 7777, false);
	for (uint32_t i = 0; i < ARRAY_SIZE(algs); i++) {
		run_one(x, fd, udp, (struct run){ .alg = i }, id++);
		run_one(x, fd, udp, (struct run){ .alg = i, .encap = true }, id++);
	}
	run_one(x, fd, udp, (struct run){ .outer6 = true }, id++);

	r = xfrm_link_add("vpn0", 1300, &index);
	if (r == -EOPNOTSUPP) {
		skip(5, "no XFRM interface in this kernel");
		run_one(x, fd, udp, (struct run){ .last = true }, id++);
		return;
	}
	sh("ip route del 10.99.99.1/32");
	is_int(r == 0 ? xfrm_route_add(index, &to_lease, 1, &failed) : r, 0,
	       "an interface and its route");
	run_one(x, fd, udp, (struct run){ .iface = true }, id++);
	run_one(x, fd, udp, (struct run){ .alg = 7, .iface = true, .outer6 = true }, id++);
	run_one(x, fd, udp, (struct run){ .iface = true, .encap = true, .last = true }, id++);
}

int main(void)
{
	struct xfrm *x = NULL;

	if (!can_run())
		return done();
	if (fresh_netns() < 0 || xfrm_open(&x) < 0 || xfrm_listen(&events) < 0)
		return EXIT_FAILURE;
	gateway_and_client(x, gateway, client);
	xfrm_close(x);
	return done();
}
