/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_natd.c - what the NAT-Ds of the third message say about the way (RFC 3947 3.2): the first
 * one is the gateway as the client sees it, the others are the client's own addresses. Clients hash
 * the ports of before they float to 4500 or of after it.
 */
#include "hostile_kit.h"

#define GW    "198.51.100.1"
#define OTHER "198.51.100.2" /* another address of the same gateway */
#define ME    "192.0.2.9"    /* where the client's first message comes from */

struct row {
	const char *name;
	const char *from, *to;     /* the third message */
	const char *dest, *src[3]; /* what the NAT-Ds are made over; "": over nothing */
	uint8_t nat;
};

static struct span natd(const char *e)
{
	static uint8_t h[4][IKE_HASH_MAX];
	static unsigned turn;
	uint8_t *out = h[turn++ % 4];
	struct endpoint at;

	memset(out, 0x77, IKE_HASH_MAX);
	if (!*e)
		return (struct span){ out, hash_len(c.alg.hash) };
	at = ep(e);
	return (struct span){ out, natd_of(c.alg.hash, c.cky_i, c.cky_r, &at, out) };
}

static void one(const struct row *r)
{
	struct endpoint from = ep(r->from), to = ep(r->to);
	const struct ike_sa *sa;

	kit_fresh();
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	c.clear_third = true;
	craft_from(&k, client_third(&c));
	craft_remove(&k, PL_NATD, 1);
	craft_remove(&k, PL_NATD, 0);
	if (r->dest)
		craft_add(&k, PL_NATD, natd(r->dest));
	for (size_t i = 0; i < ARRAY_SIZE(r->src) && r->src[i]; i++)
		craft_add(&k, PL_NATD, natd(r->src[i]));
	gate_input(&g, &from, &to, to.port == 4500, craft_span(&k));
	sa = client_sa(&c, &g);
	ok(sa && sa->state == IKE_ST_XAUTH && sa->nat == r->nat, "%s: %s%s", r->name,
	   r->nat & IKE_NAT_PEER ? "the client is behind a NAT" : "no NAT before the client",
	   r->nat & IKE_NAT_LOCAL ? ", the gateway is" : "");
	if (sa && sa->nat != r->nat)
		printf("# got %u, want %u\n", sa->nat, r->nat);
	kit_end(r->name);
}

/* Where the client meets the gateway where it is, or thinks it is somewhere else. */
static void test_gateway(void)
{
	static const struct row rows[] = {
		{ "port 500", ME ":500", GW ":500", GW ":500", { ME ":500" }, 0 },
		{ "hashed after floating", ME ":4500", GW ":4500", GW ":4500", { ME ":4500" }, 0 },
		{ "hashed before floating", ME ":4500", GW ":4500", GW ":500", { ME ":500" }, 0 },
		{ "one of each", ME ":4500", GW ":4500", GW ":500", { ME ":4500" }, 0 },
		{ "a gateway elsewhere",
		  ME ":4500",
		  GW ":4500",
		  "10.0.0.1:500",
		  { ME ":500" },
		  IKE_NAT_LOCAL },
		{ "another port of the gateway",
		  ME ":4500",
		  GW ":4500",
		  GW ":501",
		  { ME ":500" },
		  IKE_NAT_LOCAL },
		{ "to another of its addresses, hashed with 4500",
		  ME ":4500",
		  OTHER ":4500",
		  OTHER ":4500",
		  { ME ":500" },
		  0 },
		{ "to another of its addresses, hashed with 500",
		  ME ":4500",
		  OTHER ":4500",
		  OTHER ":500",
		  { ME ":500" },
		  0 },
		{ "to another of its addresses, hashed over the first one",
		  ME ":4500",
		  OTHER ":4500",
		  GW ":500",
		  { ME ":500" },
		  0 },
		{ "to another of its addresses, hashed over one in between",
		  ME ":4500",
		  OTHER ":4500",
		  GW ":4500",
		  { ME ":500" },
		  IKE_NAT_LOCAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		one(&rows[i]);
}

static void test_client(void)
{
	static const struct row rows[] = {
		{ "an inner address",
		  ME ":4500",
		  GW ":4500",
		  GW ":4500",
		  { "192.168.1.5:4500" },
		  IKE_NAT_PEER },
		{ "another port",
		  ME ":31000",
		  GW ":4500",
		  GW ":4500",
		  { ME ":4500" },
		  IKE_NAT_PEER },
		{ "one of several addresses",
		  ME ":4500",
		  GW ":4500",
		  GW ":4500",
		  { "192.168.1.5:4500", "10.0.0.7:4500", ME ":4500" },
		  0 },
		{ "none of several addresses",
		  ME ":4500",
		  GW ":4500",
		  GW ":4500",
		  { "192.168.1.5:4500", "10.0.0.7:4500", "" },
		  IKE_NAT_PEER },
		{ "from elsewhere, hashed over where it comes from",
		  "203.0.113.7:4500",
		  GW ":4500",
		  GW ":4500",
		  { "203.0.113.7:4500" },
		  0 },
		{ "from elsewhere, hashed over where it came from",
		  "203.0.113.7:4500",
		  GW ":4500",
		  GW ":4500",
		  { ME ":500" },
		  0 },
		{ "from elsewhere, hashed over neither",
		  "203.0.113.7:4500",
		  GW ":4500",
		  GW ":4500",
		  { ME ":4500" },
		  IKE_NAT_PEER },
		/* which one stands first matters */
		{ "its address in the first one only",
		  ME ":4500",
		  GW ":4500",
		  ME ":4500",
		  { "" },
		  IKE_NAT_PEER | IKE_NAT_LOCAL },
		{ "the two in the wrong order",
		  ME ":4500",
		  GW ":4500",
		  ME ":4500",
		  { GW ":4500" },
		  IKE_NAT_PEER | IKE_NAT_LOCAL },
		{ "only the gateway's",
		  ME ":4500",
		  GW ":4500",
		  GW ":4500",
		  { NULL },
		  IKE_NAT_PEER },
		{ "the gateway's twice",
		  ME ":4500",
		  GW ":4500",
		  GW ":4500",
		  { GW ":4500" },
		  IKE_NAT_PEER },
		{ "N104: none at all", ME ":4500", GW ":4500", NULL, { NULL }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		one(&rows[i]);
}

int main(void)
{
	test_gateway();
	test_client();
	return done();
}
