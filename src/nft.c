/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nft.c - the firewall rules that a configuration asks for: a bound on the MSS of TCP connections
 * through the tunnel.
 *
 * Each side of a connection names in its SYN what it can take (RFC 9293 3.7.1), so the SYNs of both
 * directions are changed, answers included. They are seen in prerouting, as they come out of the
 * tunnel, and in postrouting, before they go into it: there the gateway's own connections pass as
 * well as forwarded ones. With an XFRM interface it tells what the tunnel carries, without one the
 * addresses of the pools do. nft's "set" never raises an MSS.
 */
#include "nft.h"

#include "cleanup.h"
#include "nets.h"

#define HEADERS  40  /* IPv4 and TCP without options, which the MSS does not count */
#define HEADERS6 60  /* the same with IPv6 */
#define MSS_MIN  216 /* as the key's own bound: what is larger than esp_frag is cut by it */

/*
 * Inner packets that fit through 1500 bytes outside, whatever is negotiated: an IPv6 header of 40
 * bytes, UDP 8, SPI and sequence number 8, IV 16, then 1392 with padding and its two bytes, and an
 * integrity value of 32 (RFC 4303 2, RFC 3948 2.1, RFC 4868). With IPv4 and SHA-256 it is 1460,
 * which passes PPPoE, too.
 */
#define INNER_MAX 1390

static uint32_t mss_of(const struct conf_tunnel *t, uint32_t headers)
{
	uint32_t inner = t->esp_frag && t->esp_frag < INNER_MAX ? t->esp_frag : INNER_MAX;

	if (t->mssclamp != CONF_MSSCLAMP_AUTO)
		return t->mssclamp;
	return inner < MSS_MIN + headers ? MSS_MIN : inner - headers;
}

uint32_t nft_mss(const struct conf_tunnel *t)
{
	return mss_of(t, HEADERS);
}

uint32_t nft_mss6(const struct conf_tunnel *t)
{
	return mss_of(t, HEADERS6);
}

/* A range of one address is an address to nft. */
static void print_pool(const struct pool_conf *p, FILE *out)
{
	struct ipaddr first = ipaddr_v4(p->first), last = ipaddr_v4(p->first + (p->size - 1));
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];

	fputs(ipaddr_str(&first, a), out);
	if (p->size > 1)
		fprintf(out, "-%s", ipaddr_str(&last, b));
}

/* interface, address: nft's words for where a packet comes from, or goes to. */
static void print_match(const struct config *c, const char *interface, const char *address,
			FILE *out)
{
	if (c->tunnel.interface[0]) {
		fprintf(out, "%s \"%s\"", interface, c->tunnel.interface);
		return;
	}
	fprintf(out, "ip %s { ", address);
	for (size_t i = 0; i < c->n_pools; i++) {
		fputs(i ? ", " : "", out);
		print_pool(&c->pool[i].pool, out);
	}
	fputs(" }", out);
}

static void print_clamp(uint32_t mss, FILE *out)
{
	fprintf(out, " tcp flags & (syn | rst) == syn tcp option maxseg size set %u\n", mss);
}

/* A second rule for IPv6, where the first one does not meet it, or sets too much. */
static void print_ipv6(const struct config *c, const char *interface, const char *address,
		       FILE *out)
{
	uint32_t mss = nft_mss6(&c->tunnel);
	char text[ENDPOINT_STRLEN];
	size_t n;
	_cleanup_free_ struct prefix *nets = nets_of(c, 0, &n);
	const char *sep = "";

	if (!wants_ipv6(c) || !nets || (c->tunnel.interface[0] && mss == nft_mss(&c->tunnel)))
		return;
	if (c->tunnel.interface[0]) {
		fprintf(out, "\t\t%s \"%s\" meta nfproto ipv6", interface, c->tunnel.interface);
		print_clamp(mss, out);
		return;
	}
	fprintf(out, "\t\tip6 %s { ", address);
	for (size_t i = 0; i < n; i++) {
		if (nets[i].addr.family != IP_V6)
			continue;
		fprintf(out, "%s%s", sep, prefix_str(&nets[i], text));
		sep = ", ";
	}
	fputs(" }", out);
	print_clamp(mss, out);
}

void nft_print_rules(const struct config *c, FILE *out)
{
	static const struct {
		const char *chain, *hook, *interface, *address;
	} way[] = {
		{ "from_clients", "prerouting", "iifname", "saddr" },
		{ "to_clients", "postrouting", "oifname", "daddr" },
	};
	uint32_t mss = nft_mss(&c->tunnel);

	if (!mss)
		return;
	/* The first line makes sure that there is a table to delete. */
	fputs("table inet vpngw\ndelete table inet vpngw\n\ntable inet vpngw {\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		fprintf(out,
			"%s\tchain %s {\n"
			"\t\ttype filter hook %s priority mangle; policy accept;\n\t\t",
			i ? "\n" : "", way[i].chain, way[i].hook);
		print_match(c, way[i].interface, way[i].address, out);
		print_clamp(mss, out);
		print_ipv6(c, way[i].interface, way[i].address, out);
		fputs("\t}\n", out);
	}
	fputs("}\n", out);
}
