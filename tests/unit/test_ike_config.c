/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_config.c - mode config: what a client asks for and what it gets. */
#include "ike_kit.h"

/* Asks for these types; the reply's attributes are in c.cfg.attrs. */
static bool ask(const uint16_t *types, size_t n)
{
	client_to(&c, &g, client_config(&c, types, n));
	return client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_REPLY;
}

static void full(struct ike_modecfg *m)
{
	m->netmask_len = 24;
	m->dns[0] = ipaddr_v4(0x0a0a0035);
	m->dns[1] = ipaddr_v4(0x0a0a0036);
	m->n_dns = 2;
	m->nbns[0] = ipaddr_v4(0x0a0a0089);
	m->n_nbns = 1;
	m->default_domain = span_str("example.net");
	m->split_dns = span_str("corp.example,lab.example");
	m->backup_servers = span_str("vpn2.example.net");
	m->split = IKE_SPLIT_INCLUDE;
	prefix_parse("10.1.0.0/16", &m->split_net[0]);
	prefix_parse("192.0.2.0/24", &m->split_net[1]);
	m->n_split = 2;
	m->save_passwd = true;
	m->pfs_group = 14;
	m->natt_port = 4500;
}

/* Prepares a session that may ask. */
static void ready(void (*set)(struct ike_modecfg *))
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	if (set)
		set(&g.conf.modecfg);
	gate_start(&g);
	if (!client_xauth(&c, &g))
		abort();
}

static void test_everything(void)
{
	static const uint16_t all[] = {
		INTERNAL_IP4_ADDRESS,
		INTERNAL_IP4_NETMASK,
		INTERNAL_IP4_DNS,
		INTERNAL_IP4_NBNS,
		UNITY_DEF_DOMAIN,
		UNITY_NATT_PORT,
		UNITY_PFS,
		UNITY_BANNER,
		UNITY_SAVE_PASSWD,
		UNITY_SPLIT_INCLUDE,
		UNITY_SPLITDNS_NAME,
		APPLICATION_VERSION,
		INTERNAL_IP4_SUBNET,
		UNITY_BACKUP_SERVERS,
	};

	ready(full);
	ok(ask(all, ARRAY_SIZE(all)), "a client asks for everything");
	is_bytes(c.cfg.attrs,
		 hex("00010004 0a636301" /* 10.99.99.1 */
		     "00020004 ffffff00"
		     "00030004 0a0a0035 00030004 0a0a0036"
		     "00040004 0a0a0089"
		     "7002000b 6578616d706c652e6e6574"
		     "f0051194"
		     "f007000e"
		     "70000007 57656c636f6d65"
		     "f0010001"
		     "7004001c 0a010000 ffff0000 000000000000 c0000200 ffffff00 000000000000"
		     "70030018 636f72702e6578616d706c652c6c61622e6578616d706c65"
		     "0007000a 76706e67772074657374"
		     "000d0008 0a010000 ffff0000 000d0008 c0000200 ffffff00"
		     "70090010 76706e322e6578616d706c652e6e6574"),
		 "and gets it, in the order of its request");
	is_int(c.cfg.id, 20, "with the identifier of its request");
	kit_end("everything");
}

static void test_asked_only(void)
{
	static const uint16_t few[] = { UNITY_BANNER, INTERNAL_IP4_ADDRESS };
	static const uint16_t odd[] = { 1,     1,     3,     5,     6,     8,     9,
					14,    15,    16383, 16520, 16521, 16522, 16527,
					28680, 28682, 28683, 32767, 0,     1 };
	static const uint16_t lan[] = { UNITY_SPLIT_INCLUDE, UNITY_LOCAL_LAN };

	ready(full);
	ok(ask(few, 2), "a client asks for two things");
	is_bytes(c.cfg.attrs, hex("70000007 57656c636f6d65 00010004 0a636301"),
		 "and gets these two: nothing is volunteered");
	ok(ask(odd, ARRAY_SIZE(odd)), "a client asks for unknown things, and for one twice (N177)");
	is_bytes(c.cfg.attrs, hex("00010004 0a636301 00030004 0a0a0035 00030004 0a0a0036"),
		 "what is known is answered, once (mode-cfg 3.4)");
	kit_end("asked only");
	ready(full);
	g.conf.modecfg.split = IKE_SPLIT_LOCAL_LAN;
	ok(ask(lan, 2), "a client asks for both kinds of split networks");
	is_bytes(c.cfg.attrs,
		 hex("7006001c 0a010000 ffff0000 000000000000 c0000200 ffffff00 000000000000"),
		 "and gets the kind that is configured");
	kit_end("local LAN");
}

static void bare(struct ike_modecfg *m)
{
	*m = (struct ike_modecfg){ .netmask_len = 32 };
}

static void test_no_empty(void)
{
	static const uint16_t all[] = { 1,     2,     3,     4,     7,     13,    28672, 28673,
					28674, 28675, 28676, 28677, 28678, 28679, 28681 };
	struct rd r;
	struct ike_attr a;
	bool full_ones = true;

	ready(bare);
	ok(ask(all, ARRAY_SIZE(all)), "a gateway without any of it is asked for everything");
	r = rd_from(c.cfg.attrs);
	while (ike_attr_next(&r, &a))
		full_ones &= a.data.n != 0;
	ok(full_ones, "no attribute of the reply is empty (mode-cfg 3.4)");
	is_bytes(c.cfg.attrs, hex("00010004 0a636301 00020004 ffffffff f0010000 f0070000"),
		 "what has no value is left out");
	kit_end("bare");
}

static void test_request_forms(void)
{
	uint8_t buf[64];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	ready(NULL);
	build_tlv(&b, INTERNAL_IP4_ADDRESS, hex("00000000"));
	build_tv(&b, INTERNAL_IP4_DNS, 0);
	client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c),
	   "zeros instead of nothing ask, too, and so does the basic form");
	for (unsigned i = 0; i < 5; i++) {
		static const char *const wish[] = { "0a636320", "0a636301", "c6336401", "ffffffff",
						    "00000000" };

		ready(NULL);
		b.w = wr_into(buf, sizeof(buf));
		build_tlv(&b, INTERNAL_IP4_ADDRESS, hex(wish[i]));
		client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
		client_open(&c, gate_only(&g));
		ok(client_take_address(&c) && ipaddr_to_v4(&c.address) == g.pool_first,
		   "N179: a wish for %s gets what the pool gives", wish[i]);
	}
	ready(NULL);
	client_to(&c, &g, client_transaction(&c, CFG_REQUEST, (struct span){ 0 }));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.attrs.n == 0,
	   "an empty request gets an empty reply");
	kit_end("forms");
}

static void test_again(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };

	ready(NULL);
	ok(ask(addr, 1) && client_take_address(&c), "a client asks for its address");
	ok(ask(addr, 1) && client_take_address(&c) && ipaddr_to_v4(&c.address) == g.pool_first &&
		   g.leases == 1 && gate_count(&g, FX_LEASE, IKE_R__COUNT) == 1,
	   "and again: it is the same one");
	ok(client_quick(&c, &g) && ask(addr, 1) && client_take_address(&c) &&
		   ipaddr_to_v4(&c.address) == g.pool_first && kit_state() == IKE_ST_UP,
	   "and once more when it is up");
	kit_end("again");
}

/* The address comes before the good news. */
static void test_pool_takes_time(void)
{
	kit_fresh();
	g.hold = GATE_HOLD(LEASE);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(g.n_out == 0 && g.n_jobs == 1 && kit_state() == IKE_ST_CHECKING,
	   "a right password takes an address first");
	gate_do(&g, 0);
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET && g.leases == 1 &&
		   kit_state() == IKE_ST_AUTHED,
	   "then the client is told that it is in");
	kit_end("pool");
}

/* The address arrives when nobody waits for it any more. */
static void test_stale(void)
{
	kit_fresh();
	g.hold = GATE_HOLD(LEASE);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	client_to(&c, &g, client_delete_isakmp(&c));
	is_int(kit_state(), -1, "a client leaves while the pool works");
	gate_do(&g, 0);
	ok(g.n_out == 0 && g.leases == 0, "its address goes back to the pool");
	kit_end("stale address");
	kit_fresh();
	g.hold = GATE_HOLD(LEASE);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	gate_pass(&g, S(61));
	is_int(gate_count(&g, FX_DOWN, IKE_R_AUTH_UNAVAILABLE), 1,
	       "a pool that takes too long is a login that failed");
	gate_do(&g, 0);
	ok(g.n_out == 0 && g.leases == 0 && ike_sessions(g.ike) == 0,
	   "and its answer comes too late");
	kit_end("late address");
}

/* Both orders of the acknowledgement and the request, and the request alone. */
static void test_orders(void)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };
	uint8_t ack[256], req[256];
	struct span a, r;

	for (unsigned order = 0; order < 3; order++) {
		kit_fresh();
		client_phase1(&c, &g);
		client_to(&c, &g,
			  client_credentials(&c, span_str("alice"), span_str("wonderland")));
		client_open(&c, gate_only(&g));
		a = client_ack(&c);
		memcpy(ack, a.p, a.n);
		r = client_config(&c, addr, 1);
		memcpy(req, r.p, r.n);
		if (order == 0)
			client_to(&c, &g, (struct span){ ack, a.n });
		client_to(&c, &g, (struct span){ req, r.n });
		ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c),
		   order == 0   ? "acknowledgement, then request"
		   : order == 1 ? "request, then acknowledgement (strongSwan)"
				: "request without an acknowledgement");
		if (order == 1)
			client_to(&c, &g, (struct span){ ack, a.n });
		gate_pass(&g, S(20));
		is_int(g.n_out, 0, "the verdict is not repeated any more");
		ok(client_quick(&c, &g) && kit_state() == IKE_ST_UP, "and the login goes on");
		kit_end("order");
	}
}

/* The types of the attributes that the gateway pushed, in their order. */
static unsigned pushed(uint16_t types[16])
{
	struct rd r = rd_from(c.cfg.attrs);
	struct ike_attr a;
	unsigned n = 0;

	while (ike_attr_next(&r, &a) && n < 16)
		types[n++] = a.type;
	return n;
}

static void test_push(void)
{
	uint16_t types[16];
	unsigned n;

	kit_fresh();
	c.unity = false;
	client_xauth(&c, &g);
	is_int(g.n_out, 0, "a client that is in is given time to ask for its configuration");
	gate_pass(&g, S(1));
	is_int(g.n_out, 0, "a moment");
	gate_pass(&g, S(1));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET && client_take_address(&c),
	   "A18: one that asks for nothing is told");
	n = pushed(types);
	ok(n >= 3 && types[0] == INTERNAL_IP4_ADDRESS && types[1] == INTERNAL_IP4_NETMASK,
	   "its address and netmask, and more");
	while (n && types[n - 1] < UNITY_BANNER)
		n--;
	is_int(n, 0, "but nothing of Unity's to who does not speak it");
	client_to(&c, &g, client_attr(&c, CFG_ACK, c.cfg.id, hex("00010000")));
	is_int(kit_state(), IKE_ST_LEASED, "its acknowledgement may list what it took");
	gate_pass(&g, S(30));
	is_int(g.n_out, 0, "and ends the matter");
	ok(client_quick(&c, &g) && kit_state() == IKE_ST_UP, "the session comes up");
	kit_end("push");
	kit_fresh();
	c.unity = true;
	client_xauth(&c, &g);
	gate_pass(&g, S(2));
	client_open(&c, gate_only(&g));
	n = pushed(types);
	ok(n && types[n - 1] >= UNITY_BANNER, "who speaks Unity is told Unity's, too");
	kit_end("push, Unity");
	kit_with(client_login);
	gate_pass(&g, S(60));
	is_int(g.n_out, 0, "one that asks is told once");
	kit_end("pull");
	kit_with(client_xauth);
	gate_pass(&g, S(2));
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_REPLY &&
		   client_take_address(&c) && kit_state() == IKE_ST_LEASED,
	   "one that asks late is answered");
	gate_pass(&g, S(60));
	is_int(g.n_out, 0, "and no longer pushed");
	kit_end("pull, late");
}

int main(void)
{
	test_everything();
	test_asked_only();
	test_no_empty();
	test_request_forms();
	test_again();
	test_pool_takes_time();
	test_stale();
	test_orders();
	test_push();
	return done();
}
