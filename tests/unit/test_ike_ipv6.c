/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_ipv6.c - an IPv6 address inside, beside the IPv4 one: mode config and Quick Mode. */
#include "ike_kit.h"

#define LEASE6 "fd000099000000000000 00000a636301" /* 10.99.99.1 in fd00:99::/64 */
#define ONES   "ffffffffffffffffffffffffffffffff"

static const struct span none = { 0 };

/* A session that may ask, of a pool with IPv6. */
static void ready(const char *network6)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = c.v6 = true;
	if (network6)
		prefix_parse(network6, &g.network6);
	ipaddr_parse("fd00:10::53", &g.conf.modecfg.dns6[0]);
	ipaddr_parse("fd00:10::54", &g.conf.modecfg.dns6[1]);
	g.conf.modecfg.n_dns6 = 2;
	gate_start(&g);
	if (!client_xauth(&c, &g))
		abort();
}

static void split(void)
{
	static const char *const nets[] = { "10.1.0.0/16", "fd00:10::/64", "192.0.2.0/24",
					    "fd00:20::/32" };

	g.conf.modecfg.split = IKE_SPLIT_INCLUDE;
	for (size_t i = 0; i < ARRAY_SIZE(nets); i++)
		prefix_parse(nets[i], &g.conf.modecfg.split_net[i]);
	g.conf.modecfg.n_split = ARRAY_SIZE(nets);
}

/* What it is told about this one type, asked for with this value. */
static struct span answer_to(uint16_t type, struct span value)
{
	uint8_t buf[64];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	build_tlv(&b, type, value);
	client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_REPLY)
		abort();
	return c.cfg.attrs;
}

/* ---- mode config ---- */

static void test_told(void)
{
	ready("fd00:99::/64");
	is_bytes(answer_to(INTERNAL_IP6_ADDRESS, none), hex("00080011" LEASE6 "80"),
		 "who asks for an IPv6 address has one, with the length of a host behind it");
	is_bytes(answer_to(INTERNAL_IP6_ADDRESS, hex("00000000000000000000000000000000 40")),
		 hex("00080011" LEASE6 "80"), "whatever it wishes for in that form");
	is_bytes(answer_to(INTERNAL_IP6_ADDRESS, hex("20010db8000000000000000000000001")),
		 hex("00080010" LEASE6), "and who asks in the draft's form is answered in it");
	is_bytes(answer_to(INTERNAL_IP6_DNS, none),
		 hex("000a0010 fd000010000000000000000000000053"
		     "000a0010 fd000010000000000000000000000054"),
		 "it is told the DNS servers");
	is_bytes(answer_to(INTERNAL_IP6_SUBNET, none), none,
		 "and no networks where there are none");
	is_bytes(answer_to(9, none), none, "an IPv6 netmask is no more than unknown");
	kit_end("told");
	ready(NULL);
	is_bytes(answer_to(INTERNAL_IP6_ADDRESS, none), none,
		 "without network6 there is no IPv6 address");
	ok(!client_sa(&c, &g)->asked6, "and the session has none");
	kit_end("no network6");
}

static void test_networks(void)
{
	ready("fd00:99::/64");
	split();
	is_bytes(answer_to(INTERNAL_IP6_SUBNET, none),
		 hex("000f0011 fd000010000000000000000000000000 40"
		     "000f0011 fd000020000000000000000000000000 20"),
		 "a client is told the IPv6 networks");
	is_bytes(answer_to(INTERNAL_IP4_SUBNET, none),
		 hex("000d0008 0a010000 ffff0000 000d0008 c0000200 ffffff00"), "or the IPv4 ones");
	is_bytes(answer_to(UNITY_SPLIT_INCLUDE, none),
		 hex("7004001c 0a010000 ffff0000 000000000000 c0000200 ffffff00 000000000000"),
		 "Unity, which has no form for IPv6, hears of the latter");
	kit_end("networks");
}

/* A client that is told unasked may be any old one. */
static void test_push(void)
{
	struct ike_attr a;
	struct rd r;

	ready("fd00:99::/64");
	gate_pass(&g, S(2));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET, "a client is pushed");
	r = rd_from(c.cfg.attrs);
	while (ike_attr_next(&r, &a) && a.type != INTERNAL_IP6_ADDRESS &&
	       a.type != INTERNAL_IP6_DNS)
		;
	ok(!r.left, "nothing of IPv6");
	kit_end("push");
}

/* ---- Quick Mode ---- */

static void test_both(void)
{
	struct span v4 = hex("01000000 0a636301"), all = hex("04000000 00000000 00000000");

	ready("fd00:99::/64");
	client_to(&c, &g, client_config_usual(&c));
	client_open(&c, gate_only(&g));
	ok(client_take_address(&c), "a client asks for both addresses");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && g.n_pairs == 1 &&
		   ipaddr_eq(&g.pair[0].fx.inner, &c.address6) && g.pair[0].fx.n_nets == 1 &&
		   g.pair[0].fx.nets[0].addr.family == IP_V6 && g.pair[0].fx.nets[0].len == 0,
	   "its pair for IPv6 has the IPv6 address and all of IPv6");
	ok(kit_state() == IKE_ST_UP, "with it the session is up");
	client_to(&c, &g, client_quick1(&c, v4, all));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	ok(g.n_pairs == 2 && client_keys_match(&c, &g) &&
		   ipaddr_eq(&g.pair[1].fx.inner, &c.address) &&
		   g.pair[0].fx.set != g.pair[1].fx.set && kit_sound(),
	   "one for IPv4 stands beside it");
	ok(client_quick(&c, &g) && g.n_pairs == 3 && g.pair[2].fx.set == g.pair[0].fx.set &&
		   kit_sound(),
	   "another one for IPv6 replaces the first");
	gate_pass(&g, S(31));
	is_int(g.n_pairs, 2, "which goes when its time is over");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(g.n_pairs == 0 && g.leases == 0 && g.n_policies == 0, "and all with the session");
	kit_end("both families");
}

static void taken(const char *name, const char *ci, const char *echoed, const char *cr,
		  unsigned nets)
{
	client_to(&c, &g, client_quick1(&c, hex(ci), cr ? hex(cr) : none));
	ok(client_quick2(&c, gate_only(&g)) == 0 && c.msg.n_id == 2 &&
		   span_eq(c.msg.id[0], hex(echoed)) && (!cr || span_eq(c.msg.id[1], hex(cr))),
	   "%s: taken", name);
	client_to(&c, &g, client_quick3(&c));
	ok(g.n_pairs && g.pair[g.n_pairs - 1].fx.n_nets == nets &&
		   ipaddr_eq(&g.pair[g.n_pairs - 1].fx.inner, &c.address6) &&
		   client_keys_match(&c, &g),
	   "%s: with the address and %u networks in the kernel", name, nets);
}

static void logged_in(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = c.v6 = true;
	prefix_parse("fd00:99::/64", &g.network6);
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
}

static void test_taken(void)
{
	static const struct {
		const char *name, *ci, *echoed;
	} rows[] = {
		{ "an address", "05000000" LEASE6, "05000000" LEASE6 },
		{ "a subnet of one address", "06000000" LEASE6 ONES, "06000000" LEASE6 ONES },
		{ "a range of one address", "08000000" LEASE6 LEASE6, "08000000" LEASE6 LEASE6 },
		{ "a network around it",
		  "06000000 fd000099000000000000000000000000 ffffffffffffffff0000000000000000",
		  "06000000" LEASE6 ONES },
		{ "a range around it",
		  "08000000 fd000099000000000000000000000000 fd00009900000000ffffffffffffffff",
		  "08000000" LEASE6 LEASE6 },
		{ "everything",
		  "06000000 00000000000000000000000000000000 00000000000000000000000000000000",
		  "06000000" LEASE6 ONES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		logged_in();
		taken(rows[i].name, rows[i].ci, rows[i].echoed, NULL, 1);
		kit_end(rows[i].name);
	}
	logged_in();
	split();
	taken("all of it", rows[0].ci, rows[0].echoed,
	      "06000000 00000000000000000000000000000000 00000000000000000000000000000000", 2);
	kit_end("split networks, all");
	logged_in();
	split();
	taken("a part of one", rows[0].ci, rows[0].echoed,
	      "06000000 fd000020000100000000000000000000 ffffffffffff00000000000000000000", 1);
	ok(g.pair[0].fx.nets[0].len == 48, "as much as it asked for");
	taken("one host", rows[0].ci, rows[0].echoed, "05000000 fd000010000000000000000000000007",
	      1);
	ok(g.pair[1].fx.nets[0].len == 128, "and no more");
	kit_end("split networks, a part");
}

static void refused(const char *name, struct span ci, struct span cr)
{
	struct ike_notify n = { 0 };

	client_to(&c, &g, client_quick1(&c, ci, cr));
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
		   ike_notify_read(c.msg.notify[0], &n) == 0 &&
		   n.type == N_INVALID_ID_INFORMATION && g.n_pairs == 0 &&
		   gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED) == 1,
	   "%s: refused (%s)", name, gate_last(&g, FX_NOTE) ? gate_last(&g, FX_NOTE)->text : "");
}

static void test_refused(void)
{
	static const struct {
		const char *name, *ci, *cr;
	} rows[] = {
		{ "N193: another address", "05000000 fd000099000000000000 00000a636302", NULL },
		{ "N191: another's network",
		  "06000000 fd000098000000000000000000000000 ffffffffffffffff0000000000000000",
		  NULL },
		{ "N196: IPv6 to IPv4", "05000000" LEASE6, "04000000 0a000000 ff000000" },
		{ "N196: IPv4 to IPv6", "01000000 0a636301", "05000000" LEASE6 },
		{ "N196: the lease mapped into IPv6", "05000000 00000000000000000000ffff0a636301",
		  NULL },
		{ "N196: all that is mapped",
		  "06000000 00000000000000000000ffff00000000 ffffffffffffffffffffffff00000000",
		  NULL },
		{ "N187: fifteen bytes", "05000000 fd0000990000000000000000 0a6363", NULL },
		{ "N187: seventeen bytes", "05000000" LEASE6 "80", NULL },
		{ "N187: a subnet without a mask", "06000000" LEASE6, NULL },
		{ "N187: a length in place of the mask", "06000000" LEASE6 "80", NULL },
		{ "N187: a mask with holes",
		  "06000000 fd000099000000000000000000000000 ffff00ffffffffff0000000000000000",
		  NULL },
		{ "N187: host bits behind the mask",
		  "06000000" LEASE6 "ffffffffffffffff0000000000000000", NULL },
		{ "N187: a range of two addresses",
		  "08000000" LEASE6 "fd0000990000000000000000 0a636302", NULL },
		{ "N187: a range backwards", "08000000" LEASE6 "fd0000990000000000000000 0a636300",
		  NULL },
		{ "N189: a port", "05000035" LEASE6, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		logged_in();
		refused(rows[i].name, hex(rows[i].ci), rows[i].cr ? hex(rows[i].cr) : none);
		ok(client_quick(&c, &g) && client_keys_match(&c, &g), "%s: a proper one works",
		   rows[i].name);
		kit_end(rows[i].name);
	}
	logged_in();
	split();
	refused("a network that is not offered", none,
		hex("05000000 20010db8000000000000000000000001"));
	kit_end("not offered");
	logged_in();
	g.conf.modecfg.split = IKE_SPLIT_INCLUDE;
	prefix_parse("10.1.0.0/16", &g.conf.modecfg.split_net[0]);
	g.conf.modecfg.n_split = 1;
	refused("IPv6 where only IPv4 is offered", none, none);
	kit_end("IPv4 offered");
}

/* The address that it would have is of no use to a client that has not asked. */
static void test_not_asked(void)
{
	static const uint16_t v4[] = { INTERNAL_IP4_ADDRESS };

	ready("fd00:99::/64");
	client_to(&c, &g, client_config(&c, v4, 1));
	refused("an address that was not asked for", hex("05000000" LEASE6), none);
	ok(strstr(gate_last(&g, FX_NOTE)->text, "has not asked for an IPv6 address"),
	   "and it is told why");
	answer_to(INTERNAL_IP6_ADDRESS, none);
	ipaddr_parse("fd00:99::a63:6301", &c.address6);
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "afterwards it is good");
	kit_end("not asked");
	ready(NULL);
	client_to(&c, &g, client_config(&c, v4, 1));
	refused("IPv6 where there is none", hex("05000000" LEASE6), none);
	ok(strstr(gate_last(&g, FX_NOTE)->text, "network6"), "the journal names the setting");
	kit_end("none");
}

/* ---- new keys ---- */

static void test_by_gateway(void)
{
	logged_in();
	client_to(&c, &g,
		  client_quick1(&c,
				hex("06000000 fd000099000000000000000000000000"
				    "ffffffffffffffff0000000000000000"),
				none));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	gate_pass(&g, client_sa(&c, &g)->children->rekey_us - g.now);
	ok(client_rekey1(&c, gate_only(&g)) == 0 && c.msg.n_id == 2,
	   "the gateway begins a Quick Mode for the IPv6 address");
	is_bytes(c.msg.id[0],
		 hex("06000000 00000000000000000000000000000000 00000000000000000000000000000000"),
		 "with the network that the client asked for");
	is_bytes(c.msg.id[1], hex("06000000" LEASE6 ONES), "and the client's address alone");
	client_to(&c, &g, client_rekey2(&c));
	ok(client_rekey3(&c, gate_only(&g)) == 0 && g.n_pairs == 2, "the client answers");
	gate_pass(&g, S(40));
	ok(g.n_pairs == 1 && client_keys_match(&c, &g) &&
		   ipaddr_eq(&g.pair[0].fx.inner, &c.address6),
	   "there is a new pair for the same address");
	kit_end("by the gateway");
}

/* What the shell is told for the journal. */
static void test_reported(void)
{
	logged_in();
	ok(client_quick(&c, &g) && gate_last(&g, FX_UP) &&
		   ipaddr_eq(&gate_last(&g, FX_UP)->lease6, &c.address6),
	   "a session that comes up tells its IPv6 address");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(gate_last(&g, FX_DOWN) && ipaddr_eq(&gate_last(&g, FX_DOWN)->lease6, &c.address6),
	   "and when it goes");
	kit_end("reported");
	ready("fd00:99::/64");
	c.v6 = false;
	client_to(&c, &g, client_config_usual(&c));
	client_open(&c, gate_only(&g));
	client_take_address(&c);
	ok(client_quick(&c, &g) && gate_last(&g, FX_UP)->lease6.family == IP_NONE,
	   "one that has not asked has none to tell");
	kit_end("not reported");
}

int main(void)
{
	test_told();
	test_networks();
	test_push();
	test_both();
	test_taken();
	test_refused();
	test_not_asked();
	test_by_gateway();
	test_reported();
	return done();
}
