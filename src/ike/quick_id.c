/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quick_id.c - what traffic a Quick Mode may cover (RFC 2409 5.5, RFC 2407 4.6.2). Pure.
 *
 * The client's side is its leased address, IPv4 or IPv6, and nothing else, whatever it claims: a
 * client that could choose would take over the DNS server's traffic. The gateway's side is what the gateway
 * offers: a client may ask for all of it (vpnc and Apple say 0.0.0.0/0 even with split networks),
 * for some of the networks, or for a part of one, and of all this for one protocol or port; what is
 * installed never goes beyond the offer.
 */
#include <errno.h>
#include <netinet/in.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/profile.h"

static struct ipaddr mask_of(uint8_t family, unsigned len)
{
	struct ipaddr ones = { .family = family };

	memset(ones.b, 0xff, ipaddr_len(&ones));
	return prefix_of(&ones, len).addr;
}

static struct ipaddr last_of(const struct prefix *p)
{
	struct ipaddr a = p->addr, mask = mask_of(a.family, p->len);

	for (unsigned i = 0; i < ipaddr_len(&a); i++)
		a.b[i] |= (uint8_t)~mask.b[i];
	return a;
}

static struct prefix host_of(const struct ipaddr *a)
{
	return prefix_of(a, 8 * (unsigned)ipaddr_len(a));
}

static const struct id_form {
	uint8_t type, family;
	enum {
		ONE,
		SUBNET,
		RANGE
	} form;
} forms[] = {
	{ ID_IPV4_ADDR, IP_V4, ONE },           { ID_IPV6_ADDR, IP_V6, ONE },
	{ ID_IPV4_ADDR_SUBNET, IP_V4, SUBNET }, { ID_IPV6_ADDR_SUBNET, IP_V6, SUBNET },
	{ ID_IPV4_ADDR_RANGE, IP_V4, RANGE },   { ID_IPV6_ADDR_RANGE, IP_V6, RANGE },
};

static const struct id_form *form_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].type == type)
			return &forms[i];
	return NULL;
}

/* The subnet from a to what the form has behind it: its mask, or its last address. */
static int prefix_from_two(const struct ipaddr *a, const struct ipaddr *b, bool range,
			   struct prefix *ret)
{
	for (unsigned len = 0; len <= 8 * ipaddr_len(a); len++) {
		struct prefix p = prefix_of(a, len);
		struct ipaddr want = range ? last_of(&p) : mask_of(a->family, len);

		if (ipaddr_eq(&p.addr, a) && ipaddr_eq(&want, b)) {
			*ret = p;
			return 0;
		}
	}
	return -EINVAL;
}

/* An address, a subnet, or a range that is a subnet. */
static int prefix_from_id(struct span body, struct prefix *ret, const char **ret_why)
{
	const struct id_form *f;
	struct ike_id id;
	struct ipaddr a, b;
	size_t one;

	*ret_why = "the identity does not parse";
	if (ike_id_read(body, &id) < 0)
		return -EINVAL;
	*ret_why = "only addresses, subnets and ranges that are subnets are supported";
	f = form_of(id.type);
	if (!f)
		return -EINVAL;
	a = b = (struct ipaddr){ .family = f->family };
	one = ipaddr_len(&a);
	/* An IPv4 address in IPv6's form is none of the tunnel's. */
	if (id.data.n != (f->form == ONE ? one : 2 * one) ||
	    ipaddr_from_bytes((struct span){ id.data.p, one }, &a) < 0 || a.family != f->family)
		return -EINVAL;
	if (f->form == ONE) {
		*ret = host_of(&a);
		return 0;
	}
	memcpy(b.b, id.data.p + one, one);
	return prefix_from_two(&a, &b, f->form == RANGE, ret);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}

bool quick_same_upper(const struct ike_upper *a, const struct ike_upper *b)
{
	return a->proto == b->proto && a->inner_port == b->inner_port && a->net_port == b->net_port;
}

/*
 * The protocol and ports of two identities whose bodies are sound. The kernel's selectors have one
 * protocol for both sides, so where one side leaves it unsaid the other's holds.
 */
static const char *upper_from_ids(struct span ci, struct span cr, struct ike_upper *ret)
{
	struct ike_id client, net;
	uint8_t proto;

	if (ike_id_read(ci, &client) < 0 || ike_id_read(cr, &net) < 0)
		return "the identity does not parse";
	proto = client.proto ? client.proto : net.proto;
	if (net.proto && net.proto != proto)
		return "the two sides name different protocols";
	if ((client.port || net.port) && !has_ports(proto))
		return "a port is named, but no protocol that has ports";
	*ret = (struct ike_upper){ proto, client.port, net.port };
	return NULL;
}

/* What the gateway offers of a family: the networks of split_network include, else everything. */
static unsigned offered(const struct ike_modecfg *m, uint8_t family,
			struct prefix out[static IKE_SELECTORS])
{
	const struct ipaddr any = { .family = family };
	unsigned n = 0;

	if (m->split != IKE_SPLIT_INCLUDE || !m->n_split) {
		out[0] = prefix_of(&any, 0);
		return 1;
	}
	for (unsigned i = 0; i < m->n_split; i++)
		if (m->split_net[i].addr.family == family)
			out[n++] = m->split_net[i];
	return n;
}

/* A pair that the client asked for in these words, its newest; NULL without one. */
static const struct ike_child *asked_before(const struct ike_sa *sa, const struct prefix *net,
					    const struct ike_upper *upper)
{
	const struct ike_child *c = sa->children;

	while (c && (!prefix_eq(&c->asked, net) || !quick_same_upper(&c->upper, upper)))
		c = c->next;
	return c;
}

/*
 * An IPv6 identity of the client's may be wider than its address: the answer then has the address.
 * strongSwan puts the first address of a session, of whatever family, where its configuration says
 * "dynamic", so for the other family a network is all that can be written there.
 */
static const char *check_client(const struct ike_sa *sa, const struct prefix *client,
				const struct prefix *net)
{
	const struct prefix lease = host_of(&sa->lease);

	if (client->addr.family != net->addr.family)
		return "one side is IPv4, and the other IPv6";
	if (client->addr.family == IP_V4)
		return prefix_eq(client, &lease)
			       ? NULL
			       : "the client's side is not the address that it was given";
	if (!sa->lease6.family)
		return "the gateway gives no IPv6 address ([pool] network6)";
	if (!sa->asked6)
		return "the client has not asked for an IPv6 address (mode config)";
	return prefix_has(client, &sa->lease6)
		       ? NULL
		       : "the client's side is not the IPv6 address that it was given";
}

int quick_select(const struct ike_conf *conf, const struct ike_sa *sa, const struct ike_msg *m,
		 struct ike_child *c, const char **ret_why)
{
	const struct ipaddr any = ipaddr_v4(0);
	const struct ike_child *before;
	struct prefix client = host_of(&sa->lease), net = prefix_of(&any, 0);
	struct prefix offer[IKE_SELECTORS];
	unsigned n;

	*ret_why = "one identity payload instead of two";
	if (m->n_id == 1)
		return -EINVAL;
	if (m->n_id == 2 && (prefix_from_id(m->id[0], &client, ret_why) < 0 ||
			     prefix_from_id(m->id[1], &net, ret_why) < 0))
		return -EINVAL;
	*ret_why = m->n_id ? upper_from_ids(m->id[0], m->id[1], &c->upper) : NULL;
	if (!*ret_why)
		*ret_why = check_client(sa, &client, &net);
	if (*ret_why)
		return -EINVAL;
	c->id_ci = m->n_id ? m->id[0].p[0] : 0;
	c->id_cr = m->n_id ? m->id[1].p[0] : 0;
	c->asked = net;
	c->n_nets = 0;
	before = asked_before(sa, &net, &c->upper);
	if (before) {
		c->n_nets = before->n_nets;
		memcpy(c->nets, before->nets, sizeof(c->nets));
		return 0;
	}
	n = offered(profile_modecfg(conf, sa), net.addr.family, offer);
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

static bool meet(uint16_t a, uint16_t b)
{
	return !a || !b || a == b;
}

static bool share_upper(const struct ike_upper *a, const struct ike_upper *b)
{
	return meet(a->proto, b->proto) && meet(a->inner_port, b->inner_port) &&
	       meet(a->net_port, b->net_port);
}

bool quick_overlaps(const struct ike_sa *sa, const struct ike_child *c)
{
	for (const struct ike_child *o = sa->children; o; o = o->next)
		if (o != c && !child_same_traffic(o, c) && share_nets(o, c) &&
		    share_upper(&o->upper, &c->upper))
			return true;
	return false;
}

/* ---- the same the other way round ---- */

static void write_id(struct wr *w, uint8_t type, uint8_t proto, uint16_t port,
		     const struct prefix *p)
{
	const struct id_form *f = form_of(type);
	struct ipaddr mask = mask_of(p->addr.family, p->len), last = last_of(p);

	wr_u8(w, type);
	wr_u8(w, proto);
	wr_be16(w, port);
	wr_span(w, ipaddr_span(&p->addr));
	if (f && f->form != ONE)
		wr_span(w, ipaddr_span(f->form == SUBNET ? &mask : &last));
}

size_t quick_answer_id(const struct ike_sa *sa, uint8_t type, struct span asked, uint8_t *out,
		       size_t cap)
{
	const struct prefix lease = host_of(&sa->lease6);
	const struct id_form *f = form_of(type);
	struct wr w = wr_into(out, cap);
	struct ike_id id;

	if (ike_id_read(asked, &id) < 0)
		return 0;
	if (f && f->family == IP_V6)
		write_id(&w, type, id.proto, id.port, &lease);
	else
		wr_span(&w, asked);
	return w.bad ? 0 : w.len;
}

void quick_put_ids(struct ike_build *b, const struct ike_child *c, const struct ipaddr *lease)
{
	const struct prefix client = host_of(lease);

	if (!c->id_ci)
		return;
	build_open(b, PL_ID);
	write_id(&b->w, c->id_cr, c->upper.proto, c->upper.net_port, &c->asked);
	build_open(b, PL_ID);
	write_id(&b->w, c->id_ci, c->upper.proto, c->upper.inner_port, &client);
}

static bool id_is(struct span body, const struct prefix *want)
{
	struct prefix p;
	const char *why;

	return prefix_from_id(body, &p, &why) == 0 && prefix_eq(&p, want);
}

static bool upper_is(const struct ike_msg *m, const struct ike_upper *want)
{
	struct ike_upper u;

	/* The other way round: IDci is the gateway's side. */
	return !upper_from_ids(m->id[1], m->id[0], &u) && quick_same_upper(&u, want);
}

bool quick_ids_match(const struct ike_msg *m, const struct ike_child *c, const struct ipaddr *lease)
{
	const struct prefix client = host_of(lease);

	if (m->n_id == 0)
		return !c->id_ci;
	return m->n_id == 2 && id_is(m->id[0], &c->asked) && id_is(m->id[1], &client) &&
	       upper_is(m, &c->upper);
}
