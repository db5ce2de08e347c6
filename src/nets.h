/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nets.h - the networks of pools, as the kernel is told of them: IPv4 ranges and IPv6 networks. */
#pragma once

#include "config.h"

#define NETS_OF_POOL 65 /* enough for any: pool.h, and the one of IPv6 */

/* The networks of the i-th pool, without an IPv6 network that is in another one's; how many. */
size_t nets_of_pool(const struct config *c, size_t i, struct prefix out[static NETS_OF_POOL]);

/* Those of all pools, with room for `more`; owned by the caller. NULL: out of memory. */
struct prefix *nets_of(const struct config *c, size_t more, size_t *ret_n);

bool nets_have(const struct prefix *v, size_t n, const struct prefix *p);

/* The pool with this IPv4 address, NULL: none. They do not overlap. */
const struct conf_pool *pool_of_address(const struct config *c, const struct ipaddr *addr);

/* A pool has IPv6. */
bool wants_ipv6(const struct config *c);
