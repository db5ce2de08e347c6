/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reload_nets.c - the pools' networks in the kernel, when pools change: routes to the interface, or
 * without one the policies that block addresses without a session (xfrm/guard.c).
 *
 * A network that is of no pool any more stays for as long as addresses drain: their sessions need
 * it.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "gateway.h"

/* ---- sets of networks ---- */

/* What is in v and not in `others`, in front of v; how many. */
static size_t without(struct prefix *v, size_t n, const struct prefix *others, size_t n_others)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!nets_have(others, n_others, &v[i]))
			v[kept++] = v[i];
	return kept;
}

/* ---- the kernel ---- */

/* 0 or -errno. A route of somebody else's is his: that is a warning at the start, too. */
static int let_in(struct gw *gw, const struct prefix *v, size_t n)
{
	const char *name = gw->config->tunnel.interface;
	char text[ENDPOINT_STRLEN];
	size_t failed;
	int rc;

	if (!n)
		return 0;
	if (!*name)
		return xfrm_guard_add(gw->xfrm, v, n, false);
	rc = xfrm_route_add((int)if_nametoindex(name), v, n, &failed);
	if (rc != -EEXIST)
		return rc;
	log_warning("somebody else has a route to %s: packets to clients with these addresses do "
		    "not reach %s",
		    prefix_str(&v[failed], text), name);
	return 0;
}

static void let_out(struct gw *gw, const struct prefix *v, size_t n)
{
	const char *name = gw->config->tunnel.interface;
	int rc = 0;

	if (n)
		rc = *name ? xfrm_route_del((int)if_nametoindex(name), v, n)
			   : xfrm_guard_del(gw->xfrm, v, n);
	if (rc < 0)
		log_warning("the kernel keeps networks that are of no pool any more: %s",
			    strerror(-rc));
}

/* ---- one reload ---- */

static void nets_free(struct reload_nets *n)
{
	free(n->add);
	free(n->drop);
	*n = (struct reload_nets){ 0 };
}

int reload_nets_add(struct gw *gw, const struct config *c, struct reload_nets *ret, char *why,
		    size_t cap)
{
	size_t n_now, n_new, n_all;
	_cleanup_free_ struct prefix *now = nets_of(gw->config, gw->n_stale, &n_now);
	_cleanup_free_ struct prefix *new = nets_of(c, 0, &n_new);
	struct reload_nets n = { .add = nets_of(c, 0, &n_all) };
	int rc = now && new &&n.add ? 0 : -ENOMEM;

	if (rc == 0 && gw->n_stale)
		memcpy(now + n_now, gw->stale, gw->n_stale * sizeof(*now));
	n_now += gw->n_stale;
	if (rc == 0) {
		n.n_add = without(n.add, n_all, now, n_now);
		rc = let_in(gw, n.add, n.n_add);
	}
	if (rc < 0) {
		snprintf(why, cap, "the kernel does not take the pools: %s", strerror(-rc));
		let_out(gw, n.add, n.n_add);
		nets_free(&n);
		return rc;
	}
	n.n_drop = without(now, n_now, new, n_new);
	n.drop = TAKE_PTR(now);
	*ret = n;
	return 0;
}

void reload_nets_undo(struct gw *gw, struct reload_nets *n)
{
	let_out(gw, n->add, n->n_add);
	nets_free(n);
}

void reload_nets_settle(struct gw *gw, struct reload_nets *n)
{
	free(gw->stale);
	gw->stale = TAKE_PTR(n->drop);
	gw->n_stale = n->n_drop;
	nets_free(n);
	reload_drained(gw);
}

/* Of an IPv6 network that its pool does not have any more. */
static bool is_stale6(const struct gw *gw, const struct ipaddr *addr)
{
	for (size_t i = 0; i < gw->config->n_pools; i++)
		if (prefix_has(&gw->config->pool[i].network6, addr))
			return false;
	return addr->family == IP_V6;
}

void reload_nets_drain(struct gw *gw)
{
	size_t max = pools_draining(gw->pools, NULL) + ike_sessions(gw->ike);
	const struct ike_sa *sa;
	struct pool_lease l;
	uint32_t cursor = 0;
	int rc = 0;

	gw->stale = calloc(max + 1, sizeof(*gw->stale));
	while (gw->stale && pool_next(gw->pools, gw_real_s(), &cursor, &l))
		if (pool_drains(gw->pools, &l.addr))
			gw->stale[gw->n_stale++] = prefix_of(&l.addr, 32);
	cursor = 0;
	while (gw->stale && (sa = ike_next(gw->ike, &cursor)))
		if (is_stale6(gw, &sa->lease6))
			gw->stale[gw->n_stale++] = prefix_of(&sa->lease6, 128);
	rc = gw->stale ? let_in(gw, gw->stale, gw->n_stale) : -ENOMEM;
	if (rc < 0)
		log_err("nothing reaches clients whose addresses are in no pool any more: %s",
			strerror(-rc));
}

/* A session has its IPv6 address to the end, also when its pool's network is another by now. */
static bool has_stale6(const struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;
	bool any = false;

	for (size_t i = 0; i < gw->n_stale; i++)
		any |= gw->stale[i].addr.family == IP_V6;
	while (any && (sa = ike_next(gw->ike, &cursor)))
		if (is_stale6(gw, &sa->lease6))
			return true;
	return false;
}

void reload_drained(struct gw *gw)
{
	if (!gw->n_stale || pools_draining(gw->pools, NULL) || has_stale6(gw))
		return;
	let_out(gw, gw->stale, gw->n_stale);
	gw->n_stale = 0;
	handover_reshape(gw);
}
