/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_net.c - the UDP sockets on the loopback interface: what reaches the core and how, from where
 * its answers leave, which sockets are taken over (N001, N025, N026, N105 - N107, N112).
 */
#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/ip.h>

#include "client.h"
#include "gate.h"
#include "net_kit.h"

/* ---- to the core and back ---- */

static struct gate g;
static struct client c;

/* Gives what was heard to a core; true when it was dropped as no message for it. */
static bool core_drops(const struct heard *h)
{
	uint64_t n = ike_counter(g.ike, IKE_C_DROP_HEADER);

	gate_input(&g, &h->d.peer, &h->d.local, h->d.natt, h->d.data);
	return g.n_out == 0 && ike_counter(g.ike, IKE_C_DROP_HEADER) == n + 1;
}

static void fresh_core(void)
{
	if (g.ike)
		gate_stop(&g);
	gate_init(&g);
	g.no_crypto = true;
	gate_start(&g);
	client_init(&c, "127.0.0.1:500", "127.0.0.1:500");
	c.no_crypto = true;
}

/* Sends the core's answer; true when it arrives as it should from where the request went. */
static bool answered(uint16_t port, bool with_marker)
{
	static const uint8_t zero[4];
	const struct gate_dgram *d = &g.out[0];
	struct endpoint from, gw = at("127.0.0.1", port);
	struct span got;

	if (g.n_out != 1 ||
	    net_send(net, &d->local, &d->peer, d->natt, (struct span){ d->b, d->n }) != 0)
		return false;
	got = received(&from);
	if (with_marker) {
		if (!span_starts(got, SPAN_OF(zero)))
			return false;
		got = (struct span){ got.p + 4, got.n - 4 };
	}
	return endpoint_eq(&from, &gw) && span_eq(got, (struct span){ d->b, d->n });
}

static void test_plain(void)
{
	struct endpoint gw = at("127.0.0.1", plain);
	struct span first;

	fresh_core();
	first = client_first(&c);
	ok(with(plain, first) == 1 && span_eq(heard[0].d.data, first) && !heard[0].d.natt &&
		   endpoint_eq(&heard[0].d.peer, &self) && endpoint_eq(&heard[0].d.local, &gw),
	   "a message on the first port arrives as it was sent");
	gate_input(&g, &heard[0].d.peer, &heard[0].d.local, heard[0].d.natt, heard[0].d.data);
	ok(answered(plain, false), "its answer leaves from there, without a marker");
	ok(with(plain, marked(first)) == 1 && heard[0].d.data.n == first.n + 4 &&
		   core_drops(&heard[0]),
	   "N106: with a marker in front it is no message");
	ok(with(plain, (struct span){ NULL, 0 }) == 1 && heard[0].d.data.n == 0 &&
		   core_drops(&heard[0]),
	   "N001: nor is an empty datagram");
	ok(with(plain, hex("ff")) == 1 && core_drops(&heard[0]), "N112: nor a keepalive");
}

static void test_natt(void)
{
	struct endpoint gw = at("127.0.0.1", natt);
	struct span first;
	bool all = true;

	fresh_core();
	first = client_first(&c);
	ok(with(natt, marked(first)) == 1 && span_eq(heard[0].d.data, first) && heard[0].d.natt &&
		   endpoint_eq(&heard[0].d.peer, &self) && endpoint_eq(&heard[0].d.local, &gw),
	   "a message behind a marker on the second port arrives without the marker");
	gate_input(&g, &heard[0].d.peer, &heard[0].d.local, heard[0].d.natt, heard[0].d.data);
	ok(answered(natt, true), "its answer leaves from there, behind a marker");
	ok(with(natt, first) == 0, "N105: without a marker it does not arrive: it may be ESP");
	for (size_t n = 1; n < 4; n++)
		all &= with(natt, (struct span){ (const uint8_t *)"\0\0\0", n }) == 0;
	ok(all, "N107: nor do one to three zero bytes");
	for (size_t n = 0; n < ISAKMP_HDR; n++)
		all &= with(natt, marked((struct span){ first.p, n })) == 1 &&
		       heard[0].d.data.n == n && heard[0].d.natt && core_drops(&heard[0]);
	ok(all, "N107: a marker with less than a header behind it is no message");
	for (size_t n = 1; n <= 40; n++)
		all &= with(natt, (struct span){ first.p, n }) == 0;
	ok(all, "N105: other bytes of any length do not arrive");
}

static void test_keepalives(void)
{
	struct span one = hex("ff");
	bool all = true;

	ok(with(natt, one) == 0, "N112: a keepalive does not arrive");
	ok(with(natt, hex("ffff")) == 0, "N112: nor does one of two bytes");
	for (unsigned i = 0; i < 2000; i++)
		all &= send_to("127.0.0.1", natt, one);
	ok(all && arrived(natt) == 0, "N112: nor do thousands of them");
}

/* ---- sources that cannot be answered ---- */

/* A datagram with this source, by a raw socket; false: the kernel does not let us. */
static bool forge(int raw, const char *from, uint16_t from_port, uint16_t to_port)
{
	struct endpoint src = at(from, from_port), dst = at("127.0.0.1", to_port);
	struct {
		struct iphdr ip;
		struct udphdr udp;
		uint8_t b[32];
	} __attribute__((packed)) p = { .ip = { .version = 4,
						.ihl = 5,
						.ttl = 64,
						.protocol = IPPROTO_UDP,
						.tot_len = htons(sizeof(p)) },
					.udp = { .source = htons(from_port),
						 .dest = htons(to_port),
						 .len = htons(sizeof(p) - sizeof(p.ip)) } };
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_of(&dst, &sa);

	memcpy(&p.ip.saddr, src.addr.b, 4);
	memcpy(&p.ip.daddr, dst.addr.b, 4);
	return sendto(raw, &p, sizeof(p), 0, (struct sockaddr *)&sa, len) == sizeof(p);
}

static void test_bogus(void)
{
	static const struct {
		const char *name, *from;
		uint16_t port;
		bool taken;
	} rows[] = {
		{ "an ordinary source", "192.0.2.9", 500, true },
		{ "the highest address of a host", "223.255.255.255", 500, true },
		{ "N025: port 0", "192.0.2.9", 0, false },
		{ "N026: this network", "0.1.2.3", 500, false },
		{ "N026: multicast", "224.0.0.1", 500, false },
		{ "N026: the last of multicast", "239.255.255.255", 500, false },
		{ "N026: reserved", "240.0.0.1", 500, false },
		{ "N026: broadcast", "255.255.255.255", 500, false },
	};
	_cleanup_close_ int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (raw < 0) {
		skip(2 * ARRAY_SIZE(rows), "no raw sockets (%s)", strerror(errno));
		return;
	}
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		uint16_t port = i % 2 ? natt : plain;
		struct endpoint from = at(rows[i / 2].from, rows[i / 2].port);
		bool sent = forge(raw, rows[i / 2].from, rows[i / 2].port, port);
		unsigned n = arrived(port);

		ok(sent && n == rows[i / 2].taken && (!n || endpoint_eq(&heard[0].d.peer, &from)),
		   "%s: %s on the %s port", rows[i / 2].name,
		   rows[i / 2].taken ? "arrives" : "does not arrive", i % 2 ? "second" : "first");
	}
}

/* ---- much, and large ---- */

/* The longest datagrams that there are: nothing is cut off. */
static void test_longest(void)
{
	static uint8_t big[65507];

	for (size_t i = 4; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 11);
	ok(with(plain, SPAN_OF(big)) == 1 && span_eq(heard[0].d.data, SPAN_OF(big)),
	   "N010: the longest datagram arrives whole");
	ok(with(natt, SPAN_OF(big)) == 1 &&
		   span_eq(heard[0].d.data, (struct span){ big + 4, sizeof(big) - 4 }),
	   "N010: on the second port, too");
}

static void test_many(void)
{
	bool all = true;

	for (unsigned i = 0; i < 100; i++) {
		uint8_t b[5] = { 0, 0, 0, 0, (uint8_t)i };

		all &= send_to("127.0.0.1", natt, SPAN_OF(b));
	}
	ok(all && arrived(natt) == 100, "a hundred datagrams at once all arrive");
	for (unsigned i = 0; i < 100; i++)
		all &= heard[i].d.data.n == 1 && *heard[i].d.data.p == i;
	ok(all, "in their order");
}

/* ---- where answers leave ---- */

static void test_wildcard(void)
{
	struct endpoint local, from, nowhere, v6 = at("::1", plain);
	struct span hello = span_str("hello");

	is_int(start("0.0.0.0"), 0, "sockets for any address");
	send_to("127.0.0.7", plain, hello);
	local = at("127.0.0.7", plain);
	ok(turn(1) && endpoint_eq(&heard[0].d.local, &local),
	   "it is known which address a message was sent to");
	ok(net_send(net, &heard[0].d.local, &heard[0].d.peer, false, hello) == 0 &&
		   span_eq(received(&from), hello) && endpoint_eq(&from, &local),
	   "and its answer leaves from that one");
	nowhere = at("127.0.0.7", (uint16_t)(plain ^ 0x8000));
	is_int(net_send(net, &nowhere, &self, false, hello), -EADDRNOTAVAIL,
	       "from a port that is not ours nothing is sent");
	is_int(net_send(net, &v6, &self, false, hello), -EADDRNOTAVAIL,
	       "nor from a family that we do not have");
}

static void test_v6(void)
{
	struct endpoint gw, from;
	struct span hello = span_str("hello");
	int fd = bound("::1", 0, &gw);

	if (fd < 0) {
		skip(4, "no IPv6 on this machine (%s)", strerror(-fd));
		return;
	}
	close(fd);
	is_int(start("::"), 0, "sockets for any IPv6 address");
	for (unsigned i = 0; i < 2; i++) {
		gw = at("::1", i ? natt : plain);
		n_heard = 0;
		send_to("::1", gw.port, i ? marked(hello) : hello);
		ok(turn(1) && span_eq(heard[0].d.data, hello) && heard[0].d.natt == (i == 1) &&
			   endpoint_eq(&heard[0].d.peer, &self) &&
			   endpoint_eq(&heard[0].d.local, &gw) &&
			   net_send(net, &gw, &self, i, hello) == 0 &&
			   span_eq(received(&from), i ? marked(hello) : hello) &&
			   endpoint_eq(&from, &gw),
		   "IPv6, %s port: there and back", i ? "second" : "first");
	}
	fd = bound("0.0.0.0", plain, &gw);
	ok(fd >= 0, "the IPv4 port beside it is still free");
	if (fd >= 0)
		close(fd);
}

/* ---- which sockets ---- */

/* What systemd passes: ours among others, in any order. */
static void test_passed(void)
{
	struct config config = { .listen = { .n_isakmp = 1, .n_isakmp_natt = 1 } };
	struct endpoint a = { 0 }, b = { 0 };
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int local = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fds[4] = { tcp, bound("127.0.0.1", 0, &a), local, bound("127.0.0.1", 0, &b) };

	stop();
	config.listen.isakmp[0] = at("127.0.0.1", free_port("127.0.0.1"));
	config.listen.isakmp_natt[0] = a; /* the one that comes first */
	peer = bound("127.0.0.1", 0, &self);
	is_int(open_net(&config, fds, ARRAY_SIZE(fds), &net), 0,
	       "sockets are taken over from systemd");
	ok(with(a.port, marked(span_str("hello"))) == 1 && heard[0].d.natt &&
		   heard[0].d.data.n == 5,
	   "the one with the port of NAT traversal has markers");
	ok(with(b.port, span_str("hello")) == 1 && !heard[0].d.natt && heard[0].d.data.n == 5,
	   "the other one has none");
	int mine = bound("127.0.0.1", config.listen.isakmp[0].port, &b);

	ok(mine >= 0, "what the configuration says is not bound besides");
	close(mine);
	stop();
	ok(fcntl(fds[1], F_GETFD) < 0 && fcntl(fds[3], F_GETFD) < 0, "they are closed at the end");
	ok(fcntl(tcp, F_GETFD) >= 0 && fcntl(local, F_GETFD) >= 0, "sockets of others are not");
	n_heard = 0;
	fds[1] = local;
	config.listen.isakmp_natt[0].port = free_port("127.0.0.1");
	is_int(open_net(&config, fds, 2, &net), 0,
	       "where none of them is UDP, those of the configuration are bound");
	peer = bound("127.0.0.1", 0, &self);
	is_int(with(config.listen.isakmp[0].port, span_str("hello")), 1, "and work");
	close(tcp);
	close(local);
}

static void test_refused(void)
{
	struct config config = { 0 };
	struct net *none = NULL;
	struct endpoint e = { 0 };
	int fd = bound("127.0.0.1", 0, &e), fds[20];

	is_int(open_net(&config, NULL, 0, &none), -ENOTCONN,
	       "without any socket there is no daemon");
	config.listen.n_isakmp = 1;
	config.listen.isakmp[0] = e;
	is_int(open_net(&config, NULL, 0, &none), -EADDRINUSE,
	       "a port that another daemon has is told");
	config.listen.isakmp[0] = at("203.0.113.1", 0);
	is_int(open_net(&config, NULL, 0, &none), -EADDRNOTAVAIL,
	       "so is an address that this host does not have");
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = bound("127.0.0.1", 0, &e);
	is_int(open_net(&config, fds, ARRAY_SIZE(fds), &none), -EMFILE,
	       "and more sockets than there is room for");
	ok(!none && !net_free(NULL), "none of them leaves anything behind");
	close(fd);
}

/* What the kernel says to ESP in UDP: 0 or -errno. */
static int kernel_encap(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int v = UDP_ENCAP_ESPINUDP;

	return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &v, sizeof(v)) < 0 ? -errno : 0;
}

int main(void)
{
	int rc = kernel_encap();

	peer = bound("127.0.0.1", 0, &self);
	if (peer < 0 || !send_to("127.0.0.1", self.port, span_str("hello"))) {
		skip(1, "no loopback interface");
		return done();
	}
	if (sd_event_new(&event) < 0)
		abort();
	is_int(start("127.0.0.1"), rc, "two sockets, as far as the kernel has ESP in UDP");
	if (rc == 0) {
		test_plain();
		test_natt();
		test_keepalives();
		test_bogus();
		test_longest();
		test_many();
		test_wildcard();
		test_v6();
		test_passed();
		gate_stop(&g);
	} else {
		skip(1, "no ESP in UDP in this kernel (%s): the daemon does not start",
		     strerror(-rc));
	}
	test_refused();
	stop();
	sd_event_unref(event);
	return done();
}
