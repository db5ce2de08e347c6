/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_addr.c - addresses, endpoints and prefixes: parse, print, compare, contain. */
#include "addr.h"
#include "cleanup.h"
#include "tap.h"

static void test_addresses(void)
{
	static const char *const both_ways[] = { "0.0.0.0", "192.0.2.1",   "255.255.255.255",
						 "::",      "2001:db8::1", "fe80::1:2:3:4" };
	static const char *const wrong[] = {
		"",    "1.2.3",     "1.2.3.4.5", "1.2.3.256", "01.2.3.4x", "1.2.3.4 ", " 1.2.3.4",
		":::", "fe80::1%2", "2001:db8:", "[2001::1]", "localhost", "0x7f.1",   "1.2.3.4/32"
	};
	char buf[ENDPOINT_STRLEN];
	struct ipaddr a = { 0 }, b;

	for (size_t i = 0; i < ARRAY_SIZE(both_ways); i++) {
		ok(ipaddr_parse(both_ways[i], &a) == 0, "%s is an address", both_ways[i]);
		is_str(ipaddr_str(&a, buf), both_ways[i], "and prints as it was written");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ok(ipaddr_parse(wrong[i], &a) < 0, "\"%s\" is no address", wrong[i]);
	ok(ipaddr_parse("::ffff:192.0.2.1", &a) == 0 && a.family == IP_V4,
	   "an IPv4-mapped address is the IPv4 address (N027)");
	ipaddr_parse("192.0.2.1", &b);
	ok(ipaddr_eq(&a, &b), "so one host has one value");
	is_int(ipaddr_to_v4(&b), 0xc0000201, "an IPv4 address as a number");
	b = ipaddr_v4(0xc0000201);
	ok(ipaddr_eq(&a, &b), "and back");
	ipaddr_parse("2001:db8::1", &b);
	is_int(ipaddr_to_v4(&b), 0, "an IPv6 address is no IPv4 number");
	ok(!ipaddr_eq(&a, &b), "families differ");
	a = (struct ipaddr){ 0 };
	is_str(ipaddr_str(&a, buf), "-", "no address prints as a dash");
	is_int((long long)ipaddr_len(&a), 0, "and has no bytes");
}

static void test_bytes_in(void)
{
	struct ipaddr a = { .family = 99 };

	ok(ipaddr_from_bytes(hex("0a000001"), &a) == 0 && ipaddr_to_v4(&a) == 0x0a000001,
	   "4 bytes are an IPv4 address");
	is_bytes(ipaddr_span(&a), hex("0a000001"), "and come out again");
	ok(ipaddr_from_bytes(hex("20010db8000000000000000000000001"), &a) == 0 && a.family == IP_V6,
	   "16 bytes are an IPv6 address");
	ok(ipaddr_from_bytes(hex("00000000000000000000ffff0a000001"), &a) == 0 &&
		   a.family == IP_V4 && ipaddr_to_v4(&a) == 0x0a000001,
	   "16 bytes that map an IPv4 address are that");
	a.family = 99;
	for (size_t n = 0; n < 20; n++)
		if (n != 4 && n != 16 &&
		    ipaddr_from_bytes((struct span){ (const uint8_t *)"aaaaaaaaaaaaaaaaaaaa", n },
				      &a) == 0)
			a.family = 0;
	is_int(a.family, 99, "any other length is refused and writes nothing (N091)");
}

static void test_endpoints(void)
{
	static const char *const both_ways[] = { "192.0.2.1:500", "[2001:db8::1]:4500", "0.0.0.0:0",
						 "[::]:65535" };
	static const char *const wrong[] = { "192.0.2.1",
					     "192.0.2.1:",
					     "192.0.2.1:65536",
					     "192.0.2.1:-1",
					     "192.0.2.1: 5",
					     "2001:db8::1:500",
					     "[192.0.2.1]:5",
					     "[2001:db8::1]",
					     "[2001:db8::1:5",
					     "2001:db8::1]:5",
					     ":500",
					     "[]:500",
					     "192.0.2.1:5x",
					     "" };
	char buf[ENDPOINT_STRLEN], big[200];
	struct endpoint e = { 0 }, f;

	for (size_t i = 0; i < ARRAY_SIZE(both_ways); i++) {
		ok(endpoint_parse(both_ways[i], &e) == 0, "%s is an endpoint", both_ways[i]);
		is_str(endpoint_str(&e, buf), both_ways[i], "and prints as it was written");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ok(endpoint_parse(wrong[i], &e) < 0, "\"%s\" is no endpoint", wrong[i]);
	memset(big, '1', sizeof(big));
	strcpy(big + sizeof(big) - 5, ":500");
	ok(endpoint_parse(big, &e) < 0, "a very long host is no endpoint");
	endpoint_parse("192.0.2.1:500", &e);
	endpoint_parse("192.0.2.1:501", &f);
	ok(!endpoint_eq(&e, &f) && endpoint_eq(&e, &e), "another port is another endpoint");
	endpoint_parse("[::ffff:192.0.2.1]:500", &f);
	ok(endpoint_eq(&e, &f), "an IPv4-mapped endpoint is the IPv4 one");
}

static void test_prefixes(void)
{
	static const char *const both_ways[] = { "10.0.0.0/8",    "0.0.0.0/0", "192.0.2.1/32",
						 "2001:db8::/32", "::/0",      "2001:db8::1/128" };
	static const char *const wrong[] = { "10.0.0.1/8",     "10.0.0.0/33", "10.0.0.0/-1",
					     "10.0.0.0/",      "/8",          "2001:db8::/129",
					     "2001:db8::1/64", "10.0.0.0/8x", "10/8" };
	char buf[ENDPOINT_STRLEN];
	struct prefix p = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(both_ways); i++) {
		ok(prefix_parse(both_ways[i], &p) == 0, "%s is a prefix", both_ways[i]);
		is_str(prefix_str(&p, buf), both_ways[i], "and prints as it was written");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ok(prefix_parse(wrong[i], &p) < 0, "\"%s\" is no prefix", wrong[i]);
	ok(prefix_parse("192.0.2.7", &p) == 0 && p.len == 32, "a bare address is a host prefix");
	ok(prefix_parse("2001:db8::7", &p) == 0 && p.len == 128, "for IPv6 too");
}

static void test_containing(void)
{
	struct prefix net, host, other, any;
	struct ipaddr a;
	bool good = true;

	prefix_parse("10.1.2.0/23", &net);
	prefix_parse("10.1.3.255", &host);
	prefix_parse("10.1.4.0", &other);
	prefix_parse("0.0.0.0/0", &any);
	ok(prefix_has(&net, &host.addr) && !prefix_has(&net, &other.addr),
	   "a network has its last address and not the one behind it");
	ok(prefix_covers(&net, &host) && !prefix_covers(&host, &net) && prefix_covers(&any, &net),
	   "a network covers the smaller one, not the other way round");
	ok(prefix_covers(&net, &net) && prefix_eq(&net, &net), "it covers itself");
	ipaddr_parse("2001:db8::1", &a);
	ok(!prefix_has(&any, &a), "0.0.0.0/0 has no IPv6 address");
	prefix_parse("0.0.0.0/1", &other);
	ok(!prefix_eq(&any, &other), "another length is another prefix");
	for (unsigned len = 0; len <= 32; len++) {
		a = ipaddr_v4(UINT32_MAX);
		net = prefix_of(&a, len);
		good &= ipaddr_to_v4(&net.addr) == prefix_mask_v4(len) && prefix_has(&net, &a);
		good &= prefix_mask_v4(len) == (len ? UINT32_MAX << (32 - len) : 0);
	}
	ok(good, "every IPv4 length has its mask");
	good = true;
	for (unsigned len = 0; len <= 128; len++) {
		memset(&a, 0xff, sizeof(a));
		a.family = IP_V6;
		net = prefix_of(&a, len);
		unsigned bits = 0;

		for (unsigned i = 0; i < 16; i++)
			bits += (unsigned)__builtin_popcount(net.addr.b[i]);
		good &= bits == len && prefix_has(&net, &a);
	}
	ok(good, "every IPv6 length keeps just so many bits");
}

int main(void)
{
	test_addresses();
	test_bytes_in();
	test_endpoints();
	test_prefixes();
	test_containing();
	return done();
}
