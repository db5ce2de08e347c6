/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_values_net6.c - what a value may look like: IPv6 inside the tunnel. */
#include <errno.h>

#include "config_keys.h"
#include "pool/pool.h"

#define NETWORK6_MIN 16 /* bits: what is shorter is a slip of the finger */

static bool same_address(const void *a, const void *b)
{
	return ipaddr_eq(a, b);
}

/* What addresses of hosts beyond their own link begin with: RFC 4291 2.4, RFC 4193 3.1. */
static bool is_routed(const struct ipaddr *a)
{
	return a->family == IP_V6 && (a->b[0] >> 5 == 1 || (a->b[0] & 0xfe) == 0xfc);
}

int conf_parse_address6(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	struct ipaddr addr;

	if (ipaddr_parse(a->text, &addr) < 0 || !is_routed(&addr))
		return conf_wrong(a, 0,
				  "'%s' is no IPv6 address of a host, expected one such as "
				  "fd00:12::53",
				  conf_shown(a->text, buf));
	return conf_append(a, &addr, sizeof(addr), same_address);
}

int conf_parse_network6(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	struct prefix p;

	if (prefix_parse(a->text, &p) < 0 || !is_routed(&p.addr))
		return conf_wrong(a, 0,
				  "'%s' is no IPv6 network for hosts, expected one such as "
				  "fd00:99::/64 with its host bits zero",
				  conf_shown(a->text, buf));
	if (p.len < NETWORK6_MIN || p.len > POOL_NETWORK6_MAX)
		return conf_wrong(a, 0,
				  "'%s' is out of bounds, expected /%d to /%d: an IPv4 address of "
				  "the pool has to fit behind",
				  conf_shown(a->text, buf), NETWORK6_MIN, POOL_NETWORK6_MAX);
	*(struct prefix *)conf_field(a) = p;
	return 0;
}
