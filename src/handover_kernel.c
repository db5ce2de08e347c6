/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover_kernel.c - which of our objects in the kernel belong to the sessions of the last run.
 *
 * A reqid names the place of a session and the set of its pairs; address, SPI and selectors must be
 * those of such a pair. All else of ours goes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "cleanup.h"
#include "handover_private.h"

int handover_want(struct handover *h, const struct ike_sa *sa)
{
	for (const struct ike_child *c = sa->children; c; c = c->next) {
		if (h->n_wanted == h->cap_wanted) {
			size_t cap = h->cap_wanted ? h->cap_wanted * 2 : 256;
			struct wanted *v = reallocarray(h->wanted, cap, sizeof(*v));

			if (!v)
				return -ENOMEM;
			h->wanted = v;
			h->cap_wanted = cap;
		}
		h->wanted[h->n_wanted++] = (struct wanted){ .who = sa->id,
							    .child = c->number,
							    .out = c->out,
							    .ipcomp_in = !c->cpi_in,
							    .ipcomp_out = !c->cpi_in || c->out };
	}
	return 0;
}

/* The first of the pairs that this reqid may be about; the others follow. */
static struct wanted *wanted_of(struct handover *h, uint32_t reqid)
{
	uint32_t slot = (reqid - XFRM_REQID_FIRST) / IKE_SETS;
	size_t lo = 0, hi = h->n_wanted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (h->wanted[mid].who.slot < slot)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->n_wanted && h->wanted[lo].who.slot == slot ? &h->wanted[lo] : NULL;
}

static const struct ike_child *child_of(const struct ike_sa *sa, uint32_t number)
{
	const struct ike_child *c = sa ? sa->children : NULL;

	while (c && c->number != number)
		c = c->next;
	return c;
}

static bool more_of(const struct handover *h, const struct wanted *w, uint32_t slot)
{
	return w && w < h->wanted + h->n_wanted && w->who.slot == slot;
}

static bool wants_sa(void *ctx, uint32_t reqid, uint8_t proto, const struct ipaddr *dst,
		     uint32_t spi)
{
	bool esp = proto == IPPROTO_ESP;
	struct gw *gw = ctx;
	struct handover *h = gw->handover;
	struct wanted *w = wanted_of(h, reqid);
	uint32_t slot = w ? w->who.slot : 0, set = (reqid - XFRM_REQID_FIRST) % IKE_SETS;

	for (; more_of(h, w, slot); w++) {
		const struct ike_child *c = child_of(ike_find(gw->ike, w->who), w->child);

		if (!c || c->set != set)
			continue;
		if ((esp ? c->spi_in : c->cpi_in) == spi && ipaddr_eq(&c->local.addr, dst))
			return *(esp ? &w->in : &w->ipcomp_in) = true;
		if ((esp ? c->spi_out : c->cpi_out) == spi && ipaddr_eq(&c->peer.addr, dst) &&
		    !c->out)
			return *(esp ? &w->out : &w->ipcomp_out) = true;
	}
	return false;
}

/* Which of the pair's policies it is: a bit; 0: none. */
static uint64_t policy_bit(const struct ike_sa *sa, const struct ike_child *c,
			   const struct xfrm_pol *p)
{
	bool out = p->dir == XFRM_OUT;
	const struct prefix *inner = out ? &p->dst : &p->src, *net = out ? &p->src : &p->dst;
	const struct ipaddr *own = ike_child_inner(sa, c);
	struct prefix lease = prefix_of(own, 8 * (unsigned)ipaddr_len(own));

	if (!prefix_eq(inner, &lease) || p->ipcomp != (c->cpi_in != 0) ||
	    p->proto != c->upper.proto || (out ? p->dport : p->sport) != c->upper.inner_port ||
	    (out ? p->sport : p->dport) != c->upper.net_port)
		return 0;
	for (unsigned i = 0; i < c->n_nets; i++)
		if (prefix_eq(net, &c->nets[i]))
			return UINT64_C(1) << (3 * i + (unsigned)p->dir);
	return 0;
}

static bool wants_policy(void *ctx, const struct xfrm_pol *pol)
{
	struct gw *gw = ctx;
	struct handover *h = gw->handover;
	struct wanted *w = wanted_of(h, pol->reqid);
	uint32_t slot = w ? w->who.slot : 0, set = (pol->reqid - XFRM_REQID_FIRST) % IKE_SETS;
	bool wants = false;

	if (pol->reqid == XFRM_REQID_GATEWAY)
		return h->fits;
	for (; more_of(h, w, slot); w++) {
		const struct ike_sa *sa = ike_find(gw->ike, w->who);
		const struct ike_child *c = child_of(sa, w->child);
		uint64_t bit = c && c->set == set ? policy_bit(sa, c, pol) : 0;

		w->policies |= bit;
		wants |= bit != 0;
	}
	return wants;
}

_Static_assert(3 * IKE_SELECTORS <= 64, "a bit for each policy of a pair");

int handover_sweep(struct gw *gw, unsigned *ret_sas, unsigned *ret_policies, unsigned *ret_links)
{
	const struct handover *h = gw->handover;
	const struct xfrm_keep keep = { wants_sa, wants_policy, gw };
	int rc = xfrm_sweep_but(gw->xfrm, h->same_if ? &keep : NULL, ret_sas, ret_policies);

	if (rc < 0)
		return rc;
	return h->fits ? xfrm_link_sweep_but(gw->config->tunnel.interface, ret_links)
		       : xfrm_link_sweep(ret_links);
}

bool handover_fits(const struct gw *gw)
{
	return gw->handover->fits;
}

static bool complete(const struct gw *gw, const struct wanted *w)
{
	const struct ike_child *c = child_of(ike_find(gw->ike, w->who), w->child);
	uint64_t all = c ? (UINT64_C(1) << 3 * c->n_nets) - 1 : 0;

	return !c ||
	       (w->in && w->out && w->ipcomp_in && w->ipcomp_out && (w->policies & all) == all);
}

void handover_tell_lost(struct gw *gw)
{
	struct handover *h = gw->handover;

	for (size_t i = 0; i < h->n_wanted; i++) {
		if (complete(gw, &h->wanted[i]))
			continue;
		h->lost++;
		ike_child_lost(gw->ike, h->wanted[i].who, h->wanted[i].child, gw_now_us(gw),
			       gw->fx);
		gw_run_effects(gw);
	}
	h->n_wanted = 0;
}
