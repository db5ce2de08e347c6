/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gate_policy.c - the policies of a gateway for tests. A selector has one policy, as in the kernel:
 * the pair that is installed last has it, and a pair that is removed takes its selectors along
 * unless it is told to leave them. One thing is kinder here: what pairs of two sets have in common
 * falls back to the one that stays.
 */
#include <stdlib.h>

#include "gate.h"
#include "ike/core.h"

/* The policy with this selector; NULL: none. */
static struct gate_policy *find(struct gate *g, const struct ike_child_fx *k,
				const struct prefix *net)
{
	for (unsigned i = 0; i < g->n_policies; i++) {
		struct gate_policy *p = &g->policy[i];

		if (ipaddr_eq(&p->inner, &k->inner) && prefix_eq(&p->net, net) &&
		    quick_same_upper(&p->upper, &k->upper))
			return p;
	}
	return NULL;
}

void gate_policies_add(struct gate *g, const struct ike_child_fx *k)
{
	for (unsigned i = 0; i < k->n_nets; i++) {
		struct gate_policy *p = find(g, k, &k->nets[i]);

		if (!p && g->n_policies == GATE_POLICIES)
			abort();
		if (!p)
			p = &g->policy[g->n_policies++];
		*p = (struct gate_policy){
			.inner = k->inner, .net = k->nets[i], .upper = k->upper, .set = k->set
		};
	}
}

/* A pair of another set for this network of k's; NULL: none. */
static const struct ike_child_fx *heir(const struct gate *g, const struct ike_child_fx *k,
				       const struct prefix *net)
{
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct ike_child_fx *o = &g->pair[i].fx;

		for (unsigned n = 0; n < o->n_nets; n++)
			if (o->set != k->set && ipaddr_eq(&o->inner, &k->inner) &&
			    prefix_eq(&o->nets[n], net) && quick_same_upper(&o->upper, &k->upper))
				return o;
	}
	return NULL;
}

void gate_policies_del(struct gate *g, const struct ike_child_fx *k)
{
	for (unsigned i = 0; i < k->n_nets; i++) {
		struct gate_policy *p = find(g, k, &k->nets[i]);
		const struct ike_child_fx *o = heir(g, k, &k->nets[i]);

		if (p && o)
			p->set = o->set;
		else if (p)
			*p = g->policy[--g->n_policies];
	}
}

static bool has_pair(struct gate *g, const struct gate_policy *p)
{
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct ike_child_fx *k = &g->pair[i].fx;

		for (unsigned n = 0; n < k->n_nets; n++)
			if (find(g, k, &k->nets[n]) == p && k->set == p->set)
				return true;
	}
	return false;
}

static bool same_traffic(const struct ike_child_fx *a, const struct ike_child_fx *b)
{
	bool same = a->n_nets == b->n_nets && quick_same_upper(&a->upper, &b->upper);

	for (unsigned n = 0; same && n < a->n_nets; n++)
		same = prefix_eq(&a->nets[n], &b->nets[n]);
	return same;
}

/* The kernel sends through any pair of the set that a policy names: it holds for one kind of
 * traffic, and each has one. */
static bool sets_are_right(const struct gate *g)
{
	for (unsigned i = 0; i < g->n_pairs; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct ike_child_fx *a = &g->pair[i].fx, *b = &g->pair[j].fx;

			if (ipaddr_eq(&a->inner, &b->inner) &&
			    (a->set == b->set) != same_traffic(a, b))
				return false;
		}
	return true;
}

const char *gate_policies_check(struct gate *g)
{
	if (!sets_are_right(g))
		return "pairs for different traffic with one set, or for the same with two";
	for (unsigned i = 0; i < g->n_pairs; i++) {
		const struct ike_child_fx *k = &g->pair[i].fx;

		for (unsigned n = 0; n < k->n_nets; n++)
			if (g->pair[i].out && !find(g, k, &k->nets[n]))
				return "a pair in the kernel without its policies";
	}
	for (unsigned i = 0; i < g->n_policies; i++)
		if (!has_pair(g, &g->policy[i]))
			return "a policy in the kernel whose pair is gone";
	return "";
}

void gate_sweep(struct gate *g)
{
	g->n_pairs = g->n_policies = 0;
}
