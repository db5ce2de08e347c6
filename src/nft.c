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

#define HEADERS 40  /* IPv4 and TCP without options, which the MSS does not count */
#define MSS_MIN 216 /* as the key's own bound: what is larger than esp_frag is cut by it */

/*
 * Inner packets that fit through 1500 bytes outside, whatever is negotiated: an IPv6 header of 40
 * bytes, UDP 8, SPI and sequence number 8, IV 16, then 1392 with padding and its two bytes, and an
 * integrity value of 32 (RFC 4303 2, RFC 3948 2.1, RFC 4868). With IPv4 and SHA-256 it is 1460,
 * which passes PPPoE, too.
 */
#define INNER_MAX 1390

uint32_t nft_mss(const struct conf_tunnel *t)
{
	uint32_t inner = t->esp_frag && t->esp_frag < INNER_MAX ? t->esp_frag : INNER_MAX;

	if (t->mssclamp != CONF_MSSCLAMP_AUTO)
		return t->mssclamp;
	return inner < MSS_MIN + HEADERS ? MSS_MIN : inner - HEADERS;
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
		fprintf(out,
			" tcp flags & (syn | rst) == syn"
			" tcp option maxseg size set %u\n\t}\n",
			mss);
	}
	fputs("}\n", out);
}
