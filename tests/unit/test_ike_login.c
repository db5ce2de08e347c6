/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_login.c - whole logins: every proposal, every kind of NAT, every habit of clients. */
#include "craft.h"
#include "ike_kit.h"

enum nat {
	NONE,
	PEER,
	FORCED,
	DRAFT_03,
	DRAFT_02,
	DRAFT_02N,
	UNABLE
};

static const struct {
	const char *name;
	uint32_t vid;
	bool behind, force;
} nats[] = {
	[NONE] = { "no NAT", VID_NATT_RFC, false, false },
	[PEER] = { "behind a NAT", VID_NATT_RFC, true, false },
	[FORCED] = { "NAT forced", VID_NATT_RFC, false, true },
	[DRAFT_03] = { "behind a NAT, draft 03", VID_NATT_03, true, false },
	[DRAFT_02] = { "behind a NAT, draft 02", VID_NATT_02, true, false },
	[DRAFT_02N] = { "behind a NAT, draft 02 with newline", VID_NATT_02N, true, false },
	[UNABLE] = { "NAT forced, but the client knows none", 0, false, true },
};

/* What the gateway believes of the way between the two. */
static bool nat_is_right(enum nat n)
{
	const struct ike_sa *sa = client_sa(&c, &g);
	const struct ike_child_fx *k = &g.pair[0].fx;
	bool floats = n != NONE && n != UNABLE;

	return sa->natt == floats && k->encap == floats &&
	       !(sa->nat & IKE_NAT_PEER) == !nats[n].behind &&
	       !(sa->nat & IKE_NAT_FORCED) == !(nats[n].force && nats[n].vid) &&
	       endpoint_eq(&sa->peer, &c.self) && endpoint_eq(&k->peer, &c.self) &&
	       endpoint_eq(&k->local, &c.gateway) && k->local.port == (floats ? 4500 : 500);
}

static void one(const struct ike_p1 *alg, enum nat n, bool clear, bool vpnc, uint16_t pfs)
{
	char name[IKE_NAME_LEN];
	bool good;

	kit_prepare();
	g.conf.natt = nats[n].force ? IKE_NATT_FORCE : IKE_NATT_ON;
	gate_start(&g);
	c.alg = *alg;
	c.natt = nats[n].vid;
	c.behind_nat = nats[n].behind;
	c.clear_third = clear;
	c.vpnc_order = vpnc;
	c.pfs = pfs;
	good = client_up(&c, &g) && kit_state() == IKE_ST_UP && client_keys_match(&c, &g) &&
	       g.n_pairs == 1 && g.leases == 1 && nat_is_right(n) && kit_sound() &&
	       gate_count(&g, FX_UP, IKE_R__COUNT) == 1 && ike_half_open(g.ike) == 0 &&
	       ipaddr_eq(&g.pair[0].fx.inner, &c.address);
	ok(good, "%s, %s, %s third message, %s style, %s", ike_p1_str(alg, name), nats[n].name,
	   clear ? "clear" : "encrypted", vpnc ? "vpnc" : "strongSwan", pfs ? "PFS" : "no PFS");
	gate_stop(&g);
}

static void test_matrix(void)
{
	struct gate *conf = &g;

	gate_init(conf);
	for (unsigned p = 0; p < g.conf.n_p1; p++) {
		struct ike_p1 alg = g.conf.p1[p];

		for (unsigned n = 0; n < ARRAY_SIZE(nats); n++)
			for (unsigned bits = 0; bits < 8; bits++)
				one(&alg, n, bits & 1, bits & 2, bits & 4 ? 31 : 0);
		gate_init(conf);
	}
}

static void test_every_esp(void)
{
	static const uint16_t pfs[] = { 0, 14, 19, 20, 21, 31 };
	struct ike_p2 alg[8];
	char name[IKE_NAME_LEN];
	unsigned n;

	gate_init(&g);
	n = g.conf.n_p2;
	memcpy(alg, g.conf.p2, sizeof(alg));
	for (unsigned i = 0; i < n; i++) {
		kit_prepare();
		gate_start(&g);
		c.esp = alg[i];
		c.pfs = pfs[i % ARRAY_SIZE(pfs)];
		ok(client_up(&c, &g) && client_keys_match(&c, &g) &&
			   g.pair[0].fx.enc == alg[i].enc && g.pair[0].fx.auth == alg[i].auth,
		   "ESP %s, PFS group %u: both sides have the same keys", ike_p2_str(&alg[i], name),
		   c.pfs);
		is_int(g.pair[0].fx.enc_len,
		       alg[i].enc == ESP_ENC_3DES_CBC    ? 24
		       : alg[i].enc == ESP_ENC_AES_GCM16 ? alg[i].key_len / 8 + 4
							 : alg[i].key_len / 8,
		       "of the cipher's length");
		gate_stop(&g);
	}
}

/* ---- what the gateway's first message holds ---- */

static bool has_vid(enum vid_bit v)
{
	struct vid_set set = { 0 };

	vid_collect(&c.msg, &set);
	return set.bits & v;
}

static void test_second_message(void)
{
	kit_fresh();
	client_to(&c, &g, client_first(&c));
	is_int(client_second(&c, gate_only(&g)), 0, "the second message is signed");
	ok(c.msg.present == (PB(SA) | PB(KE) | PB(NONCE) | PB(ID) | PB(CERT) | PB(SIG) | PB(VID) |
			     PB(NATD)) &&
		   c.msg.first == PL_SA,
	   "it holds SA, KE, nonce, ID, certificate, signature, vendor IDs and NAT-D");
	ok(!(c.msg.present & (PB(CERTREQ) | PB(NOTIFY))),
	   "and never a certificate request or a notify: vpnc gives up on either");
	ok(c.got_cert.n == 701 && c.got_cert.p[0] == 4,
	   "the certificate is sent unasked, as X.509 for signatures");
	ok(c.msg.n_natd == 2 && !c.msg.natd_draft && has_vid(VID_NATT_RFC) && has_vid(VID_XAUTH) &&
		   has_vid(VID_DPD) && has_vid(VID_UNITY),
	   "the vendor IDs are those that both know");
	is_bytes(c.got_id, hex("02000000 76706e2e6578616d706c652e6e6574"),
		 "the identity is the configured name, with protocol and port 0 (RFC 3947 4)");
	is_int(c.msg.nonce.n, 20, "the nonce has the 20 bytes that vpnc can echo");
	kit_end("second message");
	kit_fresh();
	c.unity = false;
	c.natt = VID_NATT_02N;
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	ok(c.msg.n_natd == 2 && c.msg.natd_draft && has_vid(VID_NATT_02N) &&
		   !has_vid(VID_NATT_RFC) && !has_vid(VID_UNITY),
	   "a draft's client gets the draft's payloads, and only what it has offered");
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.natt = IKE_NATT_OFF;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	ok(!c.msg.n_natd && !has_vid(VID_NATT_RFC), "nat_traversal = off offers none");
	gate_stop(&g);
}

static void test_identities(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.my_id_type = IKE_ID_ADDRESS;
	gate_start(&g);
	ok(client_up(&c, &g), "a gateway with its address for identity works");
	gate_stop(&g);
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.my_id_type = IKE_ID_ASN1DN;
	g.conf.my_id = hex("300d310b3009060355040613024445");
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	is_bytes(c.got_id, hex("09000000 300d310b3009060355040613024445"),
		 "a distinguished name is sent as it is");
	gate_stop(&g);
}

/* A client whose port 500 was mapped starts on 4500 or ends there: RFC 3947 4. */
static void test_ports(void)
{
	kit_fresh();
	c.self = ep("192.0.2.9:4500");
	c.gateway.port = 4500;
	c.floated = true;
	ok(client_up(&c, &g) && g.pair[0].fx.encap && kit_state() == IKE_ST_UP,
	   "N116: a login on port 4500 from the start works");
	kit_end("N116");
	kit_fresh();
	c.self = ep("192.0.2.9:4500");
	c.gateway.port = 4500;
	c.floated = c.tunnel_mode = true;
	ok(client_up(&c, &g) && !g.pair[0].fx.encap && kit_state() == IKE_ST_UP,
	   "N116: and may have ESP without UDP, where no NAT is found");
	kit_end("N116, tunnel mode");
	kit_fresh();
	c.behind_nat = c.tunnel_mode = true;
	ok(client_login(&c, &g) && !client_quick(&c, &g) && g.n_pairs == 0,
	   "N202: but not behind one");
	kit_end("N202, tunnel mode");
	kit_fresh();
	c.self = ep("192.0.2.9:31000");
	c.behind_nat = true;
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	struct span third = client_third(&c);

	c.self = ep("203.0.113.77:1024");
	client_to(&c, &g, third);
	ok(client_open(&c, gate_only(&g)) == 0 && kit_state() == IKE_ST_XAUTH &&
		   endpoint_eq(&client_sa(&c, &g)->peer, &c.self),
	   "N115: a third message that verifies may come from another address");
	kit_end("N115");
}

static void test_two_behind_one_nat(void)
{
	static struct client d;

	kit_fresh();
	kit_another(&d, "192.0.2.9:500");
	c.behind_nat = d.behind_nat = true;
	d.seed = c.seed; /* the very same cookie, nonce and value */
	ok(client_up(&c, &g), "the first client behind a NAT");
	d.self = ep("192.0.2.9:61000");
	ok(client_up(&d, &g) && memcmp(c.cky_i, d.cky_i, 8) == 0 &&
		   memcmp(c.cky_r, d.cky_r, 8) != 0,
	   "N021, N118: the second one, with the same initiator cookie, has an SA of its own");
	ok(!ipaddr_eq(&c.address, &d.address) && g.leases == 2 && g.n_pairs == 2 &&
		   client_keys_match(&c, &g) && client_keys_match(&d, &g),
	   "and an address of its own (P-LEASE-2)");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(g.leases == 1 && g.n_pairs == 1 && client_sa(&d, &g) && !client_sa(&c, &g),
	   "and stays when the first one leaves");
	kit_end("two behind one NAT");
}

static void test_names(void)
{
	char name[IKE_SESSION_NAME];
	uint32_t cursor = 0;
	const struct ike_sa *sa;

	kit_with(client_up);
	sa = ike_next(g.ike, &cursor);
	ok(sa && sa == client_sa(&c, &g) && !ike_next(g.ike, &cursor), "a session is listed once");
	ok(strlen(ike_session_name(sa, name)) == 8 && strspn(name, "0123456789abcdef") == 8,
	   "its name is eight hex digits");
	is_str(sa->user, "alice", "its user is known");
	ok(ike_sessions(g.ike) == 1 && ike_counter(g.ike, IKE_C_LOGIN_OK) == 1 &&
		   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 0,
	   "and counted");
	ok(ike_close(g.ike, sa->id, IKE_R_KICKED, g.now, &g.fx) == 0, "an operator ends it");
	gate_run(&g);
	is_int(g.n_out, 2, "the client is told: its pair, and its ISAKMP SA");
	ok(gate_count(&g, FX_DOWN, IKE_R_KICKED) == 1 && g.leases == 0 && g.n_pairs == 0,
	   "nothing of it is left");
	cursor = 0;
	ok(!ike_next(g.ike, &cursor), "and it is no longer listed");
	kit_end("kick");
}

static void test_clients(void)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS };
	uint8_t buf[512], long_name[300];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };

	kit_with(client_xauth);
	build_tlv(&b, INTERNAL_IP4_ADDRESS, (struct span){ 0 });
	build_tlv(&b, APPLICATION_VERSION, span_str("Cisco Systems VPN Client 0.5.3:Linux"));
	client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
	is_str(client_sa(&c, &g)->client, "Cisco Systems VPN Client 0.5.3:Linux",
	       "a client says who it is in mode config");
	kit_with(client_xauth);
	memset(long_name, 'A', sizeof(long_name));
	b.w = wr_into(buf, sizeof(buf));
	build_tlv(&b, APPLICATION_VERSION, SPAN_OF(long_name));
	client_to(&c, &g, client_transaction(&c, CFG_REQUEST, wr_done(&b.w)));
	is_int((long long)strlen(client_sa(&c, &g)->client), LIMIT_CLIENT_NAME,
	       "N186: a longer description is cut to its room");
	kit_with(client_xauth);
	client_to(&c, &g, client_config(&c, want, 1));
	is_str(client_sa(&c, &g)->client, "", "who says nothing stays without a description");
	kit_end("clients");
}

/* Vendor IDs tell who a client is before it says so itself. */
static void test_vendors(void)
{
	static const struct {
		const char *name, *id;
	} rows[] = {
		{ "strongSwan", "882fe56d6fd20dbc2251613b2ebe5beb" },
		{ "racoon", "7003cbc1097dbe9c2600ba6983bc8b35" },
		{ "racoon", "20a3622c1cea7ce37bee3ca484425276" },
		{ "Shrew Soft", "f14b94b7bff1fef02773b8c49feded26" },
		{ "Apple", "4df37928e9fc4fd1b3262170d515c662" },
		{ "Windows", "1e2b516905991c7d7c96fcbfb587e46100000009" },
		{ "", "882fe56d6fd20dbc2251613b2ebe5b" },
		{ "", "882fe56d6fd20dbc2251613b2ebe5beb00" },
		{ "", "00112233445566778899aabbccddeeff" },
	};
	static struct craft k;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kit_fresh();
		craft_from(&k, client_first(&c));
		craft_add(&k, PL_VID, hex(rows[i].id));
		client_to(&c, &g, craft_span(&k));
		client_second(&c, gate_only(&g));
		is_str(client_sa(&c, &g)->client, rows[i].name, "a vendor ID in the first message");
		kit_fresh();
		client_to(&c, &g, client_first(&c));
		client_second(&c, gate_only(&g));
		c.clear_third = true;
		craft_from(&k, client_third(&c));
		craft_add(&k, PL_VID, hex(rows[i].id));
		client_to(&c, &g, craft_span(&k));
		is_str(client_sa(&c, &g)->client, rows[i].name, "or in the third");
	}
	kit_end("vendors");
}

int main(void)
{
	test_matrix();
	test_every_esp();
	test_second_message();
	test_identities();
	test_ports();
	test_two_behind_one_nat();
	test_names();
	test_clients();
	test_vendors();
	return done();
}
