/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_xfrm_move.c - a client with ESP in UDP changes its port, then its address: the kernel
 * reports it, the pair follows, datagrams go on both ways. The parent is the gateway, the child is
 * the client, each in a network namespace.
 */
#include <arpa/inet.h>
#include <linux/udp.h>
#include <poll.h>

#include "xfrm/sock.h"
#include "xfrm_net.h"

/* What the client shall do. */
enum order {
	READY,
	SEND, /* a datagram, and wait for its echo */
	PORT_4600,
	ADDRESS_3, /* 192.0.2.3, port 4600 */
	ADDRESS_2, /* 192.0.2.2, port 4600 again: only the address tells */
	STOP,
};

static const char *const what_text[] = { "ready",           "an echo",           "port 4600",
					 "another address", "the first address", "stop" };

static struct xfrm_pair pair_of(bool gateway)
{
	struct xfrm_pair p = make_pair(1, &algs[0]);
	struct ipaddr lease = ip("10.99.99.1"), server = ip("10.0.12.1");

	p.in.encap = p.out.encap = true;
	p.in.sport = p.in.dport = p.out.sport = p.out.dport = 4500;
	p.in.report_s = 1;
	p.out.replay_window = 64; /* as the gateway sets up both */
	p.inner = lease;
	p.nets[0] = prefix_of(&server, 32);
	if (!gateway) {
		struct xfrm_sa in = p.in;

		p.in = p.out;
		p.out = in;
		p.in.report_s = p.out.report_s = 0;
		p.inner = server;
		p.nets[0] = prefix_of(&lease, 32);
	}
	return p;
}

static int hear(int fd)
{
	enum order o = STOP;

	return read(fd, &o, sizeof(o)) == (ssize_t)sizeof(o) ? (int)o : (int)STOP;
}

static void say(int fd, enum order o)
{
	if (write(fd, &o, sizeof(o)) != (ssize_t)sizeof(o))
		printf("# the other side is gone\n");
}

/* ---- the client ---- */

static void fail(const char *what, int r)
{
	if (r < 0)
		printf("# client: %s: %s\n", what, strerror(-r));
	fflush(stdout);
}

/* One SA of the client's again, from or to another place of its own. */
static int remake(struct xfrm *x, const struct xfrm_sa *sa, const struct xfrm_place *to, bool in)
{
	_Alignas(8) uint8_t was[XFRM_MSG_ANSWER_MAX], buf[2 * XFRM_MSG_ANSWER_MAX];
	struct wr w = wr_into(buf, sizeof(buf));
	struct span answer;
	int r = xfrm_ask_sa_whole(x, &sa->dst, sa->spi, was, &answer);

	if (r == 0)
		r = xfrm_build_sa_del(&w, 1, &sa->dst, sa->spi);
	if (r == 0)
		r = raw_do(&w);
	w = wr_into(buf, sizeof(buf));
	if (r == 0)
		r = xfrm_build_sa_again(&w, 2, answer, to, false, in ? 0 : 10);
	return r == 0 ? raw_do(&w) : r;
}

static void go_to(struct xfrm *x, struct xfrm_pair *p, const char *addr, uint16_t port)
{
	struct xfrm_place in = { p->in.src, ip(addr), 4500, port },
			  out = { ip(addr), p->out.dst, port, 4500 };
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	_Alignas(8) uint8_t buf[XFRM_MSG_POLICY_MAX];
	unsigned n;

	fail("inbound", remake(x, &p->in, &in, true));
	fail("outbound", remake(x, &p->out, &out, false));
	p->in.dst = p->out.src = ip(addr);
	n = xfrm_pair_policies(p, pol);
	for (unsigned i = 0; i < n; i++) {
		struct wr w = wr_into(buf, sizeof(buf));

		xfrm_build_policy_add(&w, 1, &pol[i], true);
		fail("policy", raw_do(&w));
	}
}

static int client(int fd)
{
	struct xfrm_pair p = pair_of(false);
	struct xfrm *x = NULL;
	const char *what = "";
	int udp, order;
	char data[16];

	if (fresh_netns() < 0 || xfrm_open(&x) < 0)
		return 1;
	say(fd, READY);          /* the namespace is there */
	if (hear(fd) != READY || /* and now a cable is in it */
	    sh("ip -batch - <<E\nlink set lo up\nlink set vb up\naddr add 192.0.2.2/24 dev vb\n"
	       "addr add 192.0.2.3/24 dev vb\naddr add 10.99.99.1/32 dev lo\n"
	       "route add 10.0.12.1/32 dev vb src 10.99.99.1\nE") != 0)
		return 1;
	udp_socket("0.0.0.0", 4500, true);
	udp_socket("0.0.0.0", 4600, true);
	udp = udp_socket("10.99.99.1", 7777, false);
	fail("pair", xfrm_pair_add(x, &p, &what));
	say(fd, READY);
	while ((order = hear(fd)) != STOP) {
		int r = 0;

		if (order == SEND) {
			r = send_to(udp, "10.0.12.1", 1);
			if (r == 0 && recv(udp, data, sizeof(data), 0) != 1)
				r = -errno;
			fail("echo", r);
		} else {
			go_to(x, &p, order == ADDRESS_3 ? "192.0.2.3" : "192.0.2.2", 4600);
		}
		say(fd, r == 0 ? READY : STOP);
	}
	xfrm_close(x);
	return 0;
}

/* ---- the gateway ---- */

static unsigned n_reports;
static struct xfrm_mapping reported;

static void on_report(void *ctx, const struct xfrm_mapping *m)
{
	(void)ctx;
	n_reports++;
	reported = *m;
}

static void on_expiry(void *ctx, const struct xfrm_expiry *e)
{
	(void)ctx;
	printf("# the limit of SPI %08x\n", e->spi);
}

/* Reads what is there now; waits up to this long for something. */
static void listen_for(int fd, int ms)
{
	static const struct xfrm_reports fn = { on_report, on_expiry };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	n_reports = 0;
	if (poll(&p, 1, ms) > 0)
		is_int(xfrm_listen_read(fd, &fn, NULL), 0, "reports are read");
}

static int gateway_up(int fd, pid_t pid)
{
	char cmd[512];

	if (hear(fd) != READY)
		return -EPIPE;
	snprintf(cmd, sizeof(cmd),
		 "ip -batch - <<E\nlink set lo up\nlink add va type veth peer name vb netns %d\n"
		 "link set va up\naddr add 192.0.2.1/24 dev va\naddr add 10.0.12.1/32 dev lo\n"
		 "route add 10.99.99.1/32 dev va src 10.0.12.1\nE",
		 (int)pid);
	if (sh(cmd) != 0)
		return -EIO;
	say(fd, READY);
	return hear(fd) == READY ? 0 : -EPIPE;
}

static struct endpoint at(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e) < 0)
		abort();
	return e;
}

/* The client sends a datagram; the gateway echoes it, moved before if a report says so. */
static bool echo(struct xfrm *x, int fd, int udp, int reports, struct xfrm_pair *p, bool follow)
{
	const char *what = "";
	char data[16];
	int r;

	say(fd, SEND);
	if (recv(udp, data, sizeof(data), 0) != 1)
		printf("# gateway: %s\n", strerror(errno));
	listen_for(reports, follow ? 3000 : 0);
	if (n_reports && follow) {
		r = xfrm_pair_move(x, p, &reported.to, &what);
		if (r < 0)
			printf("# move: %s\n", what);
		p->out.dst = p->in.src = reported.to.addr;
		p->out.dport = p->in.sport = reported.to.port;
	}
	send_to(udp, "10.99.99.1", 1);
	return hear(fd) == READY;
}

static void go(struct xfrm *x, int fd, int udp, int reports, struct xfrm_pair *p, enum order o,
	       const char *from, const char *to)
{
	struct endpoint a = at(from), b = at(to);
	bool good;

	/* The kernel is silent about the same port for up to two seconds: report_s. */
	sleep(o == PORT_4600 ? 0 : 2);
	say(fd, o);
	hear(fd);
	good = echo(x, fd, udp, reports, p, true);
	ok(n_reports == 1 && reported.spi == p->in.spi && reported.reqid == p->in.reqid,
	   "%s: one report, about the inbound SA", what_text[o]);
	ok(endpoint_eq(&reported.from, &a) && endpoint_eq(&reported.to, &b),
	   "%s: says from where to where", what_text[o]);
	ok(good, "%s: and the pair follows before the first answer", what_text[o]);
	good = echo(x, fd, udp, reports, p, false) && echo(x, fd, udp, reports, p, false);
	ok(good && n_reports == 0, "%s: it goes on without another report", what_text[o]);
	is_table(2, 0, 3, 0, "two SAs and three policies are there");
}

/* Sequence number of an outbound SA with a window of 64: XFRMA_REPLAY_ESN_VAL. */
static uint32_t oseq_of(struct xfrm *x, const struct xfrm_sa *sa)
{
	_Alignas(8) uint8_t was[XFRM_MSG_ANSWER_MAX];
	struct span s = { 0 };
	uint32_t v = 0;

	if (xfrm_ask_sa_whole(x, &sa->dst, sa->spi, was, &s) == 0)
		for (size_t i = 16 + 224; i + 32 <= s.n; i += 4)
			if (s.p[i + 2] == 23 && s.p[i + 3] == 0 && s.p[i] == 36)
				memcpy(&v, s.p + i + 8, 4);
	return v;
}

static void gateway(struct xfrm *x, int fd, pid_t pid)
{
	struct xfrm_pair p = pair_of(true);
	struct xfrm_counters in, out;
	const char *what = "";
	struct endpoint to = at("192.0.2.9:1");
	struct ipaddr was;
	int udp, reports, r = gateway_up(fd, pid);

	if (!ok(r == 0, "two namespaces and a cable"))
		return;
	udp_socket("0.0.0.0", 4500, true);
	udp = udp_socket("10.0.12.1", 7777, false);
	is_int(xfrm_pair_add(x, &p, &what), 0, "a pair that reports");
	is_int(xfrm_listen(&reports), 0, "somebody listens");
	ok(echo(x, fd, udp, reports, &p, false) && n_reports == 0, "it carries datagrams");

	go(x, fd, udp, reports, &p, PORT_4600, "192.0.2.2:4500", "192.0.2.2:4600");
	xfrm_sa_counters(x, &p.in.dst, p.in.spi, &in);
	xfrm_sa_counters(x, &p.out.dst, p.out.spi, &out);
	ok(in.packets == 4 && out.packets == 4, "its counters go on, too");
	is_int(oseq_of(x, &p.out), 4, "and its sequence numbers");
	was = p.out.dst;
	go(x, fd, udp, reports, &p, ADDRESS_3, "192.0.2.2:4600", "192.0.2.3:4600");
	is_int(xfrm_sa_counters(x, &was, p.out.spi, &out), -ESRCH, "the old SA is gone");
	is_int(oseq_of(x, &p.out), 4 + 1024 + 3, "the new one passed over some numbers");
	go(x, fd, udp, reports, &p, ADDRESS_2, "192.0.2.3:4600", "192.0.2.2:4600");
	xfrm_sa_counters(x, &p.in.dst, p.in.spi, &in);
	is_int((long long)in.packets, 2, "an SA at another address counts anew");

	to = at("192.0.2.9:4500");
	p.in.spi++;
	is_int(xfrm_pair_move(x, &p, &to, &what), -ESRCH, "a pair with a missing SA");
	ok(has(what, "reading the inbound SA: somebody else has removed it"), "is no pair");
	is_table(1, 0, 3, 0, "what was left of it is gone, the policies stay");
	p.in.spi--;
	is_int(xfrm_pair_move(x, &p, &to, &what), -ESRCH, "nor the other way round");
	is_table(0, 0, 3, 0, "and nothing is left");
	say(fd, STOP);
	close(reports);
}

/* Another client behind the NAT has the same outbound SPI there. */
static void test_taken(void)
{
	struct xfrm_pair p = pair_of(true), q;
	struct endpoint to = at("192.0.2.9:4500");
	struct xfrm *x = NULL;
	const char *what = "";

	if (fresh_netns() < 0 || xfrm_open(&x) < 0)
		abort();
	q = p;
	q.in.spi += 5;
	q.in.src = q.out.dst = to.addr;
	q.inner = ip("10.99.99.9");
	q.in.reqid = q.out.reqid = p.in.reqid + 1;
	ok(xfrm_pair_add(x, &p, &what) == 0 && xfrm_pair_add(x, &q, &what) == 0, "two pairs");
	is_int(xfrm_pair_move(x, &p, &to, &what), -EEXIST, "one cannot go where the other is");
	ok(has(what, "adding the outbound SA: SPI or CPI in use at the new address"), "as is said");
	is_table(2, 0, 6, 0, "it is gone, the other is there");
	p = pair_of(true);
	p.in.encap = p.out.encap = false;
	p.in.report_s = 0;
	p.in.spi += 9;
	p.out.spi += 9;
	p.inner = ip("10.99.99.2");
	ok(xfrm_pair_add(x, &p, &what) == 0, "a pair without UDP");
	is_int(xfrm_pair_move(x, &p, &to, &what), -EINVAL, "does not move");
	xfrm_close(x);
}

int main(void)
{
	struct xfrm *x = NULL;
	int reports;

	if (!can_run())
		return done();
	if (fresh_netns() < 0 || xfrm_open(&x) < 0 || xfrm_listen(&reports) < 0)
		return EXIT_FAILURE;
	listen_for(reports, 0);
	is_int(n_reports, 0, "without SAs there is nothing to hear");
	close(reports);
	gateway_and_client(x, gateway, client);
	x = xfrm_close(x);
	test_taken();
	return done();
}
