/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_children.c - several SA pairs of one session. The kernel's policies belong to traffic,
 * not to pairs: two pairs may have the same networks, protocol and ports or nothing in common, and
 * nothing in between.
 */
#include "ike_kit.h"

#define ALL    "04000000 00000000 00000000"
#define NET1   "04000000 0a010000 ffff0000" /* 10.1.0.0/16 */
#define NET2   "04000000 0a020000 ffff0000"
#define NET3   "04000000 c0000200 ffffff00" /* 192.0.2.0/24 */
#define PART1  "04000000 0a010200 ffffff00" /* 10.1.2.0/24 */
#define REST1  "04000000 0a018000 ffff8000" /* 10.1.128.0/17 */
#define AROUND "04000000 0a000000 ff000000" /* 10.0.0.0/8 */

/* The same with a protocol, and a port of each side where it has one. */
#define OWN_ICMP  "01010000 0a636301"
#define OWN_TCP   "01060000 0a636301"
#define OWN_1022  "010603fe 0a636301"
#define NET1_ICMP "04010000 0a010000 ffff0000"
#define NET1_TCP  "04060000 0a010000 ffff0000"
#define NET1_22   "04060016 0a010000 ffff0000"
#define NET1_80   "04060050 0a010000 ffff0000"
#define ALL_ICMP  "04010000 00000000 00000000"

static const struct span none = { 0 };

/* Three split networks, and a client that is logged in. */
static void begin(void)
{
	static const char *const nets[] = { "10.1.0.0/16", "10.2.0.0/16", "192.0.2.0/24" };

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.modecfg.split = IKE_SPLIT_INCLUDE;
	for (unsigned i = 0; i < ARRAY_SIZE(nets); i++)
		prefix_parse(nets[i], &g.conf.modecfg.split_net[g.conf.modecfg.n_split++]);
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
}

static bool up_for(const char *own, const char *net)
{
	unsigned n = g.n_pairs;

	client_to(&c, &g, client_quick1(&c, own ? hex(own) : none, hex(net)));
	if (client_quick2(&c, gate_only(&g)) < 0)
		return false;
	client_to(&c, &g, client_quick3(&c));
	return g.n_pairs == n + 1 && kit_state() == IKE_ST_UP && client_keys_match(&c, &g) &&
	       kit_sound();
}

static bool up(const char *net)
{
	return up_for(NULL, net);
}

/* Told so, with a line for the operator, and the session is as it was. */
static bool refused_for(const char *own, const char *net)
{
	unsigned n = g.n_pairs, notes = gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED);
	struct ike_notify notify = { 0 };
	int state = kit_state();

	client_to(&c, &g, client_quick1(&c, own ? hex(own) : none, hex(net)));
	return client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
	       ike_notify_read(c.msg.notify[0], &notify) == 0 &&
	       notify.type == N_INVALID_ID_INFORMATION && g.n_pairs == n && kit_state() == state &&
	       gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED) == notes + 1 &&
	       strstr(gate_last(&g, FX_NOTE)->text, "another SA pair") && kit_sound();
}

static bool refused(const char *net)
{
	return refused_for(NULL, net);
}

static unsigned set_of_pair(unsigned i)
{
	return g.pair[i].fx.set;
}

static void test_overlap(void)
{
	begin();
	ok(up(ALL), "a pair for all networks");
	ok(refused(NET1), "one more for the first of them alone is refused");
	ok(refused(PART1), "as is one for a part of it");
	ok(up(ALL), "for all of them again it is a rekey");
	is_int(set_of_pair(0), set_of_pair(1), "which shares the policies");
	kit_end("a part of the networks");

	begin();
	ok(up(PART1), "a pair for a part of a network");
	ok(refused(ALL), "one more for all is refused");
	ok(refused(NET1), "as is one for the whole network");
	ok(refused(AROUND), "and one for more than it, narrowed to what is offered");
	ok(up(REST1) && up(NET2), "what is apart from it is not");
	kit_end("more than the networks");
}

static void test_pending_and_old(void)
{
	uint32_t first;

	begin();
	client_to(&c, &g, client_quick1(&c, none, hex(NET1)));
	ok(g.n_out == 1 && g.n_pairs == 1, "a Quick Mode under way");
	ok(refused(ALL), "counts already");
	gate_pass(&g, S(LIMIT_QUICK_WAIT_S + 1));
	ok(g.n_pairs == 0 && up(ALL), "until it has come to nothing");
	first = c.spi_in;
	ok(up(ALL), "a pair is replaced");
	client_to(&c, &g, client_delete_child(&c));
	ok(g.n_pairs == 1 && g.pair[0].fx.spi_out == first, "and the new one deleted first");
	ok(refused(NET1), "the old one counts as long as it is there");
	gate_pass(&g, S(31));
	is_int(g.n_pairs, 0, "it goes in its time");
	gate_pass(&g, S(60)); /* the Quick Mode of the gateway's for it is not answered */
	ok(up(NET1), "and then no more");
	kit_end("pending and old");
}

static void test_apart(void)
{
	begin();
	ok(up(NET1) && up(NET2) && up(NET3), "a pair for each of three networks (Cisco, macOS)");
	ok(set_of_pair(0) != set_of_pair(1) && set_of_pair(1) != set_of_pair(2) &&
		   set_of_pair(0) != set_of_pair(2),
	   "each has policies of its own");
	ok(up(NET1) && set_of_pair(3) == set_of_pair(0), "each is rekeyed by itself");
	client_to(&c, &g, client_delete_child(&c));
	ok(g.n_pairs == 3 && kit_sound(), "and deleted by itself");
	gate_pass(&g, S(31));
	ok(g.n_pairs == 2 && set_of_pair(0) != set_of_pair(1) && kit_state() == IKE_ST_UP,
	   "the others go on");
	ok(up(NET1), "and what was deleted may come again");
	kit_end("apart");
}

/* ---- for one protocol or port: RFC 2407 4.6.2 ---- */

static bool pair_is_for(unsigned i, uint8_t proto, uint16_t inner_port, uint16_t net_port)
{
	const struct ike_upper *u = &g.pair[i].fx.upper;

	return u->proto == proto && u->inner_port == inner_port && u->net_port == net_port;
}

static void test_upper(void)
{
	begin();
	ok(up_for(OWN_ICMP, NET1_ICMP) && pair_is_for(0, 1, 0, 0), "a pair for ICMP alone");
	ok(up_for(OWN_TCP, NET1_22) && pair_is_for(1, 6, 0, 22),
	   "another for one port of TCP, to the same network");
	ok(set_of_pair(0) != set_of_pair(1), "each has policies of its own");
	ok(up_for(OWN_1022, NET1_80) && pair_is_for(2, 6, 1022, 80),
	   "one with a port of either side");
	ok(refused(NET1), "one for every protocol would have some of each");
	ok(refused_for(OWN_TCP, NET1_TCP), "and one for all of TCP some of two");
	ok(refused_for(OWN_ICMP, ALL_ICMP), "one protocol, but more networks");
	ok(up_for(OWN_TCP, NET1_22) && set_of_pair(3) == set_of_pair(1),
	   "just the same is a rekey, which shares the policies");
	client_to(&c, &g, client_delete_child(&c));
	ok(g.n_pairs == 3 && kit_sound(), "each is deleted by itself");
	kit_end("protocols and ports");
}

/* Clients leave a protocol unsaid on one side: libreswan, by its leftprotoport alone. */
static void test_upper_of_one_side(void)
{
	begin();
	ok(up(NET1_22) && pair_is_for(0, 6, 0, 22), "a protocol on the far side alone counts");
	ok(up_for(OWN_ICMP, NET2) && pair_is_for(1, 1, 0, 0), "and on the client's alone");
	kit_end("one side");
	begin();
	client_to(&c, &g, client_quick1(&c, hex(OWN_ICMP), hex(NET1_TCP)));
	ok(g.n_pairs == 0 && gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED) == 1 &&
		   strstr(gate_last(&g, FX_NOTE)->text, "different protocols"),
	   "two protocols are refused");
	kit_end("two protocols");
}

/* A session keeps what it has, and so does each protocol. */
static void test_upper_keeps_networks(void)
{
	begin();
	ok(up_for(OWN_ICMP, ALL_ICMP) && g.pair[0].fx.n_nets == 3, "ICMP to all networks");
	g.conf.modecfg.n_split = 1;
	ok(up_for(OWN_ICMP, ALL_ICMP) && g.pair[1].fx.n_nets == 3, "is renewed as it was");
	ok(up_for(OWN_TCP, "04060000 00000000 00000000") && g.pair[2].fx.n_nets == 1,
	   "what is new gets what is offered by now");
	kit_end("networks of a protocol");
}

int main(void)
{
	test_overlap();
	test_upper();
	test_upper_of_one_side();
	test_upper_keeps_networks();
	test_pending_and_old();
	test_apart();
	return done();
}
