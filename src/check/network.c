/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network.c - forwarding, reverse path filtering, and whether the pools' addresses are free.
 *
 * Routes are read from the main table (proc(5), net/route); who has other tables knows what for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "check/check.h"
#include "cleanup.h"
#include "xfrm/xfrm.h"

#define ROUTES_MAX 4096

struct route {
	uint32_t first, last, gateway; /* host order */
	unsigned metric, bits;
	char dev[IFNAMSIZ];
};

struct routes {
	struct route *r; /* owned */
	size_t n;
};

/* ---- reading ---- */

static int read_routes(struct routes *ret)
{
	_cleanup_fclose_ FILE *in = fopen("/proc/net/route", "re");
	char line[512];

	if (!in)
		return -errno;
	ret->r = calloc(ROUTES_MAX, sizeof(*ret->r));
	if (!ret->r)
		return -ENOMEM;
	while (ret->n < ROUTES_MAX && fgets(line, sizeof(line), in)) {
		struct route r = { 0 };
		unsigned dst, gw, mask;

		/* Iface Destination Gateway Flags RefCnt Use Metric Mask, in network order */
		if (sscanf(line, "%15s %x %x %*x %*u %*u %u %x", r.dev, &dst, &gw, &r.metric,
			   &mask) != 5)
			continue;
		r.first = ntohl(dst);
		r.last = r.first | ~ntohl(mask);
		r.gateway = ntohl(gw);
		r.bits = (unsigned)__builtin_popcount(mask);
		ret->r[ret->n++] = r;
	}
	return 0;
}

/* The value that holds for an interface: the larger of its own and that for all. */
static long rp_filter(const char *dev)
{
	const char *const of[] = { "all", dev };
	long most = 0;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		char path[128], text[16];

		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", of[i]);
		if (check_read(path, text, sizeof(text)) == 0 && strtol(text, NULL, 10) > most)
			most = strtol(text, NULL, 10);
	}
	return most;
}

/* ---- forwarding ---- */

static void check_forwarding(struct findings *f)
{
	int rc = xfrm_forwarding(AF_INET);

	findings_check(f, "forwarding");
	if (rc < 0)
		findings_add(f, FINDING_UNKNOWN, "whether the host forwards IPv4: %s",
			     strerror(-rc));
	if (rc)
		return;
	findings_add(f, FINDING_ERROR,
		     "the host does not forward IPv4: clients reach nothing behind the gateway");
	findings_remedy(f, "sysctl -w net.ipv4.ip_forward=1; the installed 50-vpngw.conf in "
			   "sysctl.d does it at boot");
}

/* ---- reverse path filtering ---- */

static const struct route *best_route(const struct routes *all, uint32_t to)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct route *r = &all->r[i];

		if (to < r->first || to > r->last)
			continue;
		if (!best || r->bits > best->bits ||
		    (r->bits == best->bits && r->metric < best->metric))
			best = r;
	}
	return best;
}

/* Of two ways out one is the better, and who comes in by the other is dropped. */
static void check_two_ways(const struct routes *all, struct findings *f)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < all->n; i++)
		if (all->r[i].bits == 0 && (!best || all->r[i].metric < best->metric))
			best = &all->r[i];
	for (size_t i = 0; i < all->n; i++) {
		const struct route *r = &all->r[i];

		if (r->bits || strcmp(r->dev, best->dev) == 0 || rp_filter(r->dev) != 1)
			continue;
		findings_add(f, FINDING_WARNING,
			     "%s has a default route beside that of %s, and strict reverse path "
			     "filtering: clients that come in by it get no answer",
			     r->dev, best->dev);
		findings_remedy(f, "sysctl -w net.ipv4.conf.%s.rp_filter=2", r->dev);
	}
}

/* Without an interface of their own the clients' packets seem to come in where ESP does. */
static void check_plain(const struct config *c, const struct routes *all, struct findings *f)
{
	const struct route *out = best_route(all, 0);

	for (size_t i = 0; i < c->n_pools; i++) {
		const struct pool_conf *p = &c->pool[i].pool;
		const struct route *r = best_route(all, p->first);

		if (!out || !r || strcmp(r->dev, out->dev) == 0 || rp_filter(out->dev) != 1)
			continue;
		findings_add(
			f, FINDING_WARNING,
			"[pool \"%s\"]: the route to it leads to %s, and with interface = none "
			"its packets come in by %s, where strict reverse path filtering drops "
			"them",
			p->name, r->dev, out->dev);
		findings_remedy(f,
				"sysctl -w net.ipv4.conf.%s.rp_filter=2, or [tunnel] interface = "
				"vpn0",
				out->dev);
	}
}

/* ---- pools ---- */

static const char *v4(uint32_t a, char buf[static ENDPOINT_STRLEN])
{
	struct ipaddr ip = ipaddr_v4(a);

	return ipaddr_str(&ip, buf);
}

static bool answers_for_others(const char *dev)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/proxy_arp", dev);
	return check_read(path, text, sizeof(text)) == 0 && *text != '0';
}

static void compare(const struct config *c, const struct pool_conf *p, const struct route *r,
		    struct findings *f)
{
	uint32_t last = p->first + (p->size - 1);
	char net[ENDPOINT_STRLEN];

	if (r->bits == 0 || r->first > last || p->first > r->last ||
	    (*c->tunnel.interface && strcmp(r->dev, c->tunnel.interface) == 0))
		return;
	v4(r->first, net);
	if (r->first > p->first || r->last < last || r->last - r->first == last - p->first) {
		findings_add(f, FINDING_ERROR,
			     "[pool \"%s\"] overlaps the route to %s/%u by %s: packets to clients "
			     "with these addresses go there",
			     p->name, net, r->bits, r->dev);
		findings_remedy(f, "another network4 for the pool, or ip route del %s/%u dev %s",
				net, r->bits, r->dev);
	} else if (!r->gateway && !answers_for_others(r->dev)) {
		findings_add(f, FINDING_WARNING,
			     "[pool \"%s\"] is in the network %s/%u of %s: hosts there look for "
			     "clients by ARP, and nobody answers",
			     p->name, net, r->bits, r->dev);
		findings_remedy(f,
				"another network4 for the pool, or sysctl -w "
				"net.ipv4.conf.%s.proxy_arp=1",
				r->dev);
	}
}

static void check_own(const struct pool_conf *p, struct findings *f)
{
	struct ifaddrs *all, *i;
	char text[ENDPOINT_STRLEN];

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		struct sockaddr_in sin;
		uint32_t a;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&sin, i->ifa_addr, sizeof(sin));
		a = ntohl(sin.sin_addr.s_addr);
		if (a < p->first || a - p->first >= p->size)
			continue;
		findings_add(f, FINDING_ERROR,
			     "[pool \"%s\"] has %s, which is an address of this host (%s)", p->name,
			     v4(a, text), i->ifa_name);
		findings_remedy(f, "a network4 and a pool_size that leave it out");
	}
	freeifaddrs(all);
}

static void check_pools(const struct config *c, const struct routes *all, struct findings *f)
{
	for (size_t i = 0; i < c->n_pools; i++) {
		for (size_t k = 0; k < all->n; k++)
			compare(c, &c->pool[i].pool, &all->r[k], f);
		check_own(&c->pool[i].pool, f);
	}
}

void check_network(const struct config *config, struct findings *f)
{
	struct routes all = { 0 };
	int rc;

	check_forwarding(f);
	rc = read_routes(&all);
	findings_check(f, "rp_filter");
	if (rc == 0) {
		check_two_ways(&all, f);
		if (config && !*config->tunnel.interface)
			check_plain(config, &all, f);
	}
	if (config)
		findings_check(f, "pools");
	if (rc < 0)
		findings_add(f, FINDING_UNKNOWN, "/proc/net/route: %s", strerror(-rc));
	else if (config)
		check_pools(config, &all, f);
	free(all.r);
}
