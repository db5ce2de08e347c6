/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nets.c - the networks of pools, as the kernel is told of them: IPv4 ranges and IPv6 networks. */
#include "nets.h"

#include <stdlib.h>

bool nets_have(const struct prefix *v, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_eq(&v[i], p))
			return true;
	return false;
}

/* Of two pools with the same network the first one counts. */
static bool is_within_another(const struct config *c, size_t i)
{
	const struct prefix *own = &c->pool[i].network6;

	for (size_t k = 0; k < c->n_pools; k++) {
		const struct prefix *p = &c->pool[k].network6;

		if (k != i && prefix_covers(p, own) && (k < i || !prefix_eq(p, own)))
			return true;
	}
	return false;
}

size_t nets_of_pool(const struct config *c, size_t i, struct prefix out[static NETS_OF_POOL])
{
	const struct conf_pool *p = &c->pool[i];
	size_t n = pool_prefixes(p->pool.first, p->pool.size, out, NETS_OF_POOL - 1);

	if (p->network6.addr.family && !is_within_another(c, i))
		out[n++] = p->network6;
	return n;
}

struct prefix *nets_of(const struct config *c, size_t more, size_t *ret_n)
{
	struct prefix *v = calloc(c->n_pools * NETS_OF_POOL + more + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < c->n_pools; i++)
		n += nets_of_pool(c, i, v + n);
	*ret_n = n;
	return v;
}

const struct conf_pool *pool_of_address(const struct config *c, const struct ipaddr *addr)
{
	uint32_t a = ipaddr_to_v4(addr);

	for (size_t i = 0; addr->family == IP_V4 && i < c->n_pools; i++)
		if (a - c->pool[i].pool.first < c->pool[i].pool.size)
			return &c->pool[i];
	return NULL;
}

bool wants_ipv6(const struct config *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_pools; i++)
		any |= c->pool[i].network6.addr.family == IP_V6;
	return any;
}
