/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quick_id.c - what traffic a Quick Mode may cover (RFC 2409 5.5, RFC 2407 4.6.2). Pure.
 *
 * The client's side is its leased address and nothing else, whatever it claims: a client that
 * could choose would take over the DNS server's traffic. The gateway's side is what the gateway
 * offers: a client may ask for all of it (vpnc and Apple say 0.0.0.0/0 even with split networks),
 * for some of the networks, or for a part of one; what is installed never goes beyond the offer.
 */
#include <errno.h>

#include "ike/core.h"
#include "ike/profile.h"

/* An address, a subnet, or a range that is a subnet. */
static int prefix_from_id(struct span body, struct prefix *ret, const char **ret_why)
{
	struct ike_id id;
	struct ipaddr a, b;
	size_t half;
	unsigned len = 0;

	*ret_why = "the identity does not parse";
	if (ike_id_read(body, &id) < 0)
		return -EINVAL;
	if (id.proto || id.port) {
		*ret_why = "selectors for one protocol or port are not supported";
		return -EINVAL;
	}
	if (id.type == ID_IPV4_ADDR && ipaddr_from_bytes(id.data, &a) == 0 && id.data.n == 4) {
		*ret = prefix_of(&a, 32);
		return 0;
	}
	half = id.data.n / 2;
	*ret_why = "only IPv4 addresses, subnets and ranges that are subnets are supported";
	if ((id.type != ID_IPV4_ADDR_SUBNET && id.type != ID_IPV4_ADDR_RANGE) || id.data.n != 8)
		return -EINVAL;
	ipaddr_from_bytes((struct span){ id.data.p, half }, &a);
	ipaddr_from_bytes((struct span){ id.data.p + half, half }, &b);
	for (; len <= 32; len++) {
		uint32_t mask = prefix_mask_v4(len);
		uint32_t want = id.type == ID_IPV4_ADDR_SUBNET ? mask : ipaddr_to_v4(&a) | ~mask;

		if (ipaddr_to_v4(&b) == want && !(ipaddr_to_v4(&a) & ~mask)) {
			*ret = prefix_of(&a, len);
			return 0;
		}
	}
	return -EINVAL;
}

/* What the gateway offers: the networks of split_network include, else everything. */
static unsigned offered(const struct ike_modecfg *m, struct prefix out[static IKE_SELECTORS])
{
	const struct ipaddr any = ipaddr_v4(0);

	if (m->split != IKE_SPLIT_INCLUDE || !m->n_split) {
		out[0] = prefix_of(&any, 0);
		return 1;
	}
	for (unsigned i = 0; i < m->n_split; i++)
		out[i] = m->split_net[i];
	return m->n_split;
}

/* A pair that the client asked for in these words, its newest; NULL without one. */
static const struct ike_child *asked_before(const struct ike_sa *sa, const struct prefix *net)
{
	const struct ike_child *c = sa->children;

	while (c && (c->asked.len != net->len || !ipaddr_eq(&c->asked.addr, &net->addr)))
		c = c->next;
	return c;
}

int quick_select(const struct ike_conf *conf, const struct ike_sa *sa, const struct ike_msg *m,
		 struct ike_child *c, const char **ret_why)
{
	const struct ipaddr any = ipaddr_v4(0), *lease = &sa->lease;
	const struct ike_child *before;
	struct prefix client = prefix_of(lease, 32), net = prefix_of(&any, 0);
	struct prefix offer[IKE_SELECTORS];
	unsigned n = offered(profile_modecfg(conf, sa), offer);

	*ret_why = "one identity payload instead of two";
	if (m->n_id == 1)
		return -EINVAL;
	if (m->n_id == 2 && (prefix_from_id(m->id[0], &client, ret_why) < 0 ||
			     prefix_from_id(m->id[1], &net, ret_why) < 0))
		return -EINVAL;
	*ret_why = "the client's side is not the address that it was given";
	if (client.len != 32 || !ipaddr_eq(&client.addr, lease))
		return -EINVAL;
	c->id_ci = m->n_id ? m->id[0].p[0] : 0;
	c->id_cr = m->n_id ? m->id[1].p[0] : 0;
	c->asked = net;
	c->n_nets = 0;
	before = asked_before(sa, &net);
	if (before) {
		c->n_nets = before->n_nets;
		memcpy(c->nets, before->nets, sizeof(c->nets));
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		if (prefix_covers(&net, &offer[i]))
			c->nets[c->n_nets++] = offer[i];
		else if (prefix_covers(&offer[i], &net))
			c->nets[c->n_nets++] = net;
	}
	*ret_why = "the gateway does not offer that network (split_network)";
	return c->n_nets ? 0 : -EINVAL;
}

static bool share_nets(const struct ike_child *a, const struct ike_child *b)
{
	for (unsigned i = 0; i < a->n_nets; i++)
		for (unsigned k = 0; k < b->n_nets; k++)
			if (prefix_covers(&a->nets[i], &b->nets[k]) ||
			    prefix_covers(&b->nets[k], &a->nets[i]))
				return true;
	return false;
}

bool quick_overlaps(const struct ike_sa *sa, const struct ike_child *c)
{
	for (const struct ike_child *o = sa->children; o; o = o->next)
		if (o != c && !child_same_nets(o, c) && share_nets(o, c))
			return true;
	return false;
}

/* ---- the same the other way round ---- */

static void put_id(struct ike_build *b, uint8_t type, const struct prefix *p)
{
	uint32_t mask = prefix_mask_v4(p->len);

	build_open(b, PL_ID);
	wr_u8(&b->w, type);
	wr_zero(&b->w, 3); /* any protocol, any port */
	wr_span(&b->w, ipaddr_span(&p->addr));
	if (type == ID_IPV4_ADDR_SUBNET)
		wr_be32(&b->w, mask);
	else if (type == ID_IPV4_ADDR_RANGE)
		wr_be32(&b->w, ipaddr_to_v4(&p->addr) | ~mask);
}

void quick_put_ids(struct ike_build *b, const struct ike_child *c, const struct ipaddr *lease)
{
	const struct prefix client = prefix_of(lease, 32);

	if (!c->id_ci)
		return;
	put_id(b, c->id_cr, &c->asked);
	put_id(b, c->id_ci, &client);
}

static bool id_is(struct span body, const struct prefix *want)
{
	struct prefix p;
	const char *why;

	return prefix_from_id(body, &p, &why) == 0 && p.len == want->len &&
	       ipaddr_eq(&p.addr, &want->addr);
}

bool quick_ids_match(const struct ike_msg *m, const struct ike_child *c, const struct ipaddr *lease)
{
	const struct prefix client = prefix_of(lease, 32);

	if (m->n_id == 0)
		return !c->id_ci;
	return m->n_id == 2 && id_is(m->id[0], &c->asked) && id_is(m->id[1], &client);
}
