/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_refuse.c - what is refused in the open: the client is told, the journal knows why. */
#include "craft.h"
#include "ike_kit.h"

static const struct span none = { 0 };

/* The type of the one notify in the last answer; 0: there is none. */
static unsigned notified(void)
{
	struct ike_notify n;

	if (client_open(&c, gate_only(&g)) < 0 || c.msg.n_notify != 1 ||
	    ike_notify_read(c.msg.notify[0], &n) < 0)
		return 0;
	return n.type;
}

static const char *noted(void)
{
	const struct gate_event *e = gate_last(&g, FX_NOTE);

	return e ? e->text : "";
}

/* ---- phase 1 ---- */

static void test_no_proposal1(void)
{
	struct ike_hdr h;
	struct ike_msg m;
	struct ike_notify n;
	struct span first, out;

	kit_fresh();
	c.alg = (struct ike_p1){ ENC_AES_CBC, 128, HASH_MD5, 14 };
	first = client_first(&c);
	client_to(&c, &g, first);
	out = gate_only(&g);
	ok(ike_hdr_read(out, &h) == 0 && h.xchg == XCHG_INFO && !(h.flags & 1) && h.msgid &&
		   ike_walk((struct span){ out.p + 28, out.n - 28 }, h.next, &m) == 0 &&
		   m.n_notify == 1 && ike_notify_read(m.notify[0], &n) == 0 &&
		   n.type == N_NO_PROPOSAL_CHOSEN && n.proto == PROTO_ISAKMP,
	   "a client without a common proposal is told so, in clear");
	ok(out.n <= first.n, "in fewer bytes than it has sent (DOS-07)");
	is_str(noted(),
	       "the client offers aes128-md5-modp2048; the gateway accepts aes256-sha256-modp2048, "
	       "aes256-sha1-modp2048, aes128-sha1-modp1024, 3des-md5-modp768, "
	       "aes256-sha512-ecp384, "
	       "aes192-sha384-x25519 ([phase1] proposal)",
	       "the journal says what both offer and where to change it");
	is_int(gate_count(&g, FX_NOTE, IKE_R_NO_PROPOSAL_P1), 1, "under its reason");
	is_int(ike_counter(g.ike, IKE_C_NO_PROPOSAL), 1, "and it is counted");
	ok(ike_half_open(g.ike) == 0, "nothing is kept");
	/* N242: the cookie in the notify belongs to nothing */
	memcpy(c.cky_r, h.cky_r, 8);
	memcpy(c.buf + 8, h.cky_r, 8);
	client_to(&c, &g, first);
	ok(g.n_out == 0 && ike_counter(g.ike, IKE_C_DROP_COOKIE) == 1,
	   "N242: whoever sends its cookie back meets nothing");
	kit_end("no proposal 1");
}

static void test_other_methods(void)
{
	static const struct {
		uint16_t auth;
		const char *word;
	} other[] = { { 1, "psk" },           { 3, "rsasig" },         { 65001, "xauth_psk" },
		      { 65005, "xauth_rsa" }, { 64222, "auth#64222" }, { 64223, "auth#64223" } };
	char want[128];

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		kit_prepare();
		g.hold = GATE_HOLD(DH);
		g.conf.n_auth = 1; /* hybrid_rsa */
		gate_start(&g);
		c.auth = other[i].auth;
		client_to(&c, &g, client_first(&c));
		ok(g.n_out == 1 && g.out[0].n == 40 && ike_half_open(g.ike) == 0 && g.n_jobs == 0,
		   "N065, N066, N069: method %u gets a notify of 40 bytes, never a HASH_R",
		   other[i].auth);
		snprintf(want, sizeof(want),
			 "the client offers authentication %s; the gateway accepts hybrid_rsa "
			 "([phase1] authentication)",
			 other[i].word);
		is_str(noted(), want, "and the journal says so");
		kit_end("method");
	}
}

static void test_other_mode(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.mode[0] = XCHG_MAIN;
	g.conf.n_modes = 1;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(g.n_out == 1 && g.out[0].n == 40 && ike_half_open(g.ike) == 0,
	   "N024: a mode that is not answered gets a notify of 40 bytes");
	is_str(noted(),
	       "the client uses aggressive mode, which is not answered ([phase1] exchange_mode)",
	       "and the journal says so");
	kit_end("other mode");
}

/* ---- Quick Mode ---- */

/* The session is as it was and works. */
static void unharmed(const char *name)
{
	uint8_t cookies[16];

	memcpy(cookies, c.cky_i, 8);
	memcpy(cookies + 8, c.cky_r, 8);
	ok(kit_state() == IKE_ST_LEASED && g.n_pairs == 0 && g.leases == 1 && kit_sound(),
	   "%s: nothing of the session has changed", name);
	ok(client_quick(&c, &g) && kit_state() == IKE_ST_UP && client_keys_match(&c, &g),
	   "%s: a proper Quick Mode works afterwards", name);
}

static void test_no_proposal2(void)
{
	kit_with(client_login);
	c.esp = (struct ike_p2){ ESP_ENC_AES_CBC, 256, ESP_AUTH_MD5_96, false };
	client_to(&c, &g, client_quick1(&c, none, none));
	is_int(notified(), N_NO_PROPOSAL_CHOSEN, "no common ESP proposal: the client is told");
	is_str(noted(),
	       "the client offers aes256-md5 without PFS; the gateway accepts aes256-sha256, "
	       "aes128-sha1, aes256gcm16, 3des-md5, aes192-sha512, aes128-sha384 "
	       "([phase2] proposal)",
	       "the journal says what both offer and where to change it");
	is_int(gate_count(&g, FX_NOTE, IKE_R_NO_PROPOSAL_P2), 1, "under its reason");
	c.esp = (struct ike_p2){ ESP_ENC_AES_CBC, 256, ESP_AUTH_SHA256_128, false };
	unharmed("no proposal 2");
}

static void test_pfs(void)
{
	static const struct {
		uint16_t conf, client;
		const char *name;
	} rows[] = {
		{ 14, 0, "PFS wanted by the gateway only" },
		{ 14, 31, "PFS in another group" },
		{ 0, 5, "PFS in a weak group that nobody has named" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kit_prepare();
		g.no_crypto = c.no_crypto = true;
		if (rows[i].conf)
			g.conf.pfs_group[g.conf.n_pfs++] = rows[i].conf;
		gate_start(&g);
		client_login(&c, &g);
		c.pfs = rows[i].client;
		client_to(&c, &g, client_quick1(&c, none, none));
		is_int(notified(), N_NO_PROPOSAL_CHOSEN, rows[i].name);
		ok(gate_count(&g, FX_NOTE, IKE_R_PFS_MISMATCH) == 1 &&
			   strstr(noted(), "([phase2] pfs_group)"),
		   "the journal names the setting");
		printf("# %s\n", noted());
		c.pfs = rows[i].conf;
		unharmed(rows[i].name);
	}
}

/* ---- identities ---- */

static void refused_ids(const char *name, struct span ci, struct span cr)
{
	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, ci, cr));
	ok(notified() == N_INVALID_ID_INFORMATION &&
		   gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED) == 1 && *noted(),
	   "%s: refused with INVALID-ID-INFORMATION (%s)", name, noted());
	unharmed(name);
}

static void test_idci(void)
{
	static const struct {
		const char *name, *id;
	} rows[] = {
		{ "N190: 0.0.0.0/0", "04000000 00000000 00000000" },
		{ "N191: the pool", "04000000 0a636300 ffffff00" },
		{ "N191: the lease with /31", "04000000 0a636300 fffffffe" },
		{ "N191: the address before the lease", "01000000 0a636300" },
		{ "N191: the address behind the lease", "01000000 0a636302" },
		{ "N193: the gateway", "01000000 c6336401" },
		{ "N193: the DNS server", "01000000 0a0a0035" },
		{ "N193: loopback", "01000000 7f000001" },
		{ "N193: multicast", "01000000 e0000001" },
		{ "N193: broadcast", "01000000 ffffffff" },
		{ "N194: its outer address", "01000000 c0000209" },
		{ "N187: three bytes of an address", "01000000 0a6363" },
		{ "N187: five bytes", "01000000 0a63630100" },
		{ "N187: seven bytes of a subnet", "04000000 0a636301 ffffff" },
		{ "N187: nine bytes of a subnet", "04000000 0a636301 ffffffff 00" },
		{ "N187: a mask with holes", "04000000 0a636301 ff00ffff" },
		{ "N187: a range of two addresses", "07000000 0a636301 0a636302" },
		{ "N187: a range backwards", "07000000 0a636301 0a636300" },
		{ "N188: FQDN", "02000000 616c696365" },
		{ "N188: KEY_ID", "0b000000 7374616666" },
		{ "N188: DER", "09000000 3000" },
		{ "N188: an unknown type", "ff000000 0a636301" },
		{ "N188: an empty one", "00000000" },
		{ "N189: a port without a protocol", "010001f4 0a636301" },
		{ "N189: a port of a protocol without ports", "01010800 0a636301" },
		{ "N196: IPv6", "05000000 20010db8000000000000000000000001" },
		{ "N196: an IPv6 subnet",
		  "06000000 20010db8000000000000000000000000 ffffffffffffffffffffffffffffffff" },
		{ "N196: the lease mapped into IPv6", "05000000 00000000000000000000ffff0a636301" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused_ids(rows[i].name, hex(rows[i].id), none);
}

static void accepted_ids(const char *name, struct span ci, struct span cr, unsigned nets)
{
	client_to(&c, &g, client_quick1(&c, ci, cr));
	ok(client_quick2(&c, gate_only(&g)) == 0 && (!ci.n || span_eq(c.msg.id[0], ci)) &&
		   (!cr.n || span_eq(c.msg.id[1], cr)) && c.msg.n_id == 2,
	   "%s: taken, and echoed as it was written", name);
	client_to(&c, &g, client_quick3(&c));
	ok(g.n_pairs && g.pair[g.n_pairs - 1].fx.n_nets == nets &&
		   ipaddr_eq(&g.pair[g.n_pairs - 1].fx.inner, &c.address) &&
		   client_keys_match(&c, &g),
	   "%s: with the lease and %u networks in the kernel", name, nets);
}

static void test_idci_taken(void)
{
	struct ike_build b;
	struct craft k;

	kit_with(client_login);
	accepted_ids("an address", hex("01000000 0a636301"), none, 1);
	accepted_ids("a subnet of one address", hex("04000000 0a636301 ffffffff"), none, 1);
	accepted_ids("a range of one address", hex("07000000 0a636301 0a636301"), none, 1);
	kit_end("forms of the lease");
	kit_with(client_login);
	b = client_quick1_open(&c, none, none);
	craft_from(&k, client_clear(&b));
	craft_remove(&k, PL_ID, 1);
	client_to(&c, &g, craft_seal(&k, &c));
	is_int(notified(), N_INVALID_ID_INFORMATION, "N187: one identity instead of two");
	unharmed("N187: one identity");
	kit_with(client_login);
	b = client_quick1_open(&c, none, none);
	craft_from(&k, client_clear(&b));
	craft_remove(&k, PL_ID, 1);
	craft_remove(&k, PL_ID, 0);
	client_to(&c, &g, craft_seal(&k, &c));
	ok(client_quick2(&c, gate_only(&g)) == 0 && c.msg.n_id == 0,
	   "N187: no identities mean the lease and everything");
	client_to(&c, &g, client_quick3(&c));
	ok(g.n_pairs == 1 && g.pair[0].fx.nets[0].len == 0 && kit_state() == IKE_ST_UP,
	   "N187: and work");
	kit_end("no identities");
	kit_with(client_login);
	b = client_quick1_open(&c, none, none);
	craft_from(&k, client_clear(&b));
	craft_add(&k, PL_ID, hex("01000000 0a636301"));
	client_to(&c, &g, craft_seal(&k, &c));
	is_int(g.n_out, 0, "N187: three identities are dropped");
	unharmed("N187: three identities");
}

static void test_other_client(void)
{
	static struct client d, before;

	kit_with(client_up);
	kit_another(&d, "192.0.2.55:500");
	ok(client_up(&d, &g), "two clients are up");
	before = d;
	client_to(&d, &g, client_quick1(&d, hex("01000000 0a636301"), none));
	ok(g.n_pairs == 2 && gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED) == 1,
	   "N192, W7: one cannot take the other's address");
	ok(client_keys_match(&c, &g) && client_keys_match(&before, &g), "N192: both go on");
	kit_end("N192");
}

static void split(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.modecfg.split = IKE_SPLIT_INCLUDE;
	prefix_parse("10.1.0.0/16", &g.conf.modecfg.split_net[0]);
	prefix_parse("192.0.2.0/24", &g.conf.modecfg.split_net[1]);
	g.conf.modecfg.n_split = 2;
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
}

static void test_idcr(void)
{
	static const struct {
		const char *name, *id;
	} rows[] = {
		{ "N195: a network that is not offered", "04000000 0a020000 ffff0000" },
		{ "N195: a host that is not offered", "01000000 08080808" },
		{ "N188: FQDN as the other side", "02000000 616c696365" },
		{ "N189: a port on the other side, without a protocol",
		  "04000050 0a010000 ffff0000" },
		{ "N196: IPv6 as the other side",
		  "06000000 00000000000000000000000000000000 00000000000000000000000000000000" },
		{ "N187: a mask with holes on the other side", "04000000 0a010000 ff00ff00" },
		{ "N187: a subnet with host bits", "04000000 0a010001 ffff0000" },
		{ "N187: a range that is no subnet", "07000000 0a010000 0a010004" },
	};
	struct prefix *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		split();
		client_to(&c, &g, client_quick1(&c, none, hex(rows[i].id)));
		ok(notified() == N_INVALID_ID_INFORMATION && kit_state() == IKE_ST_LEASED, "%s: %s",
		   rows[i].name, noted());
		unharmed(rows[i].name);
	}
	split();
	accepted_ids("N195: everything", none, hex("04000000 00000000 00000000"), 2);
	p = g.pair[0].fx.nets;
	ok(ipaddr_to_v4(&p[0].addr) == 0x0a010000 && p[0].len == 16 &&
		   ipaddr_to_v4(&p[1].addr) == 0xc0000200 && p[1].len == 24,
	   "N195: what is installed is the offer, nothing wider");
	split();
	accepted_ids("one of the networks", none, hex("04000000 0a010000 ffff0000"), 1);
	split();
	accepted_ids("a part of one", none, hex("04000000 0a010200 ffffff00"), 1);
	split();
	accepted_ids("a host in one", none, hex("01000000 c0000205"), 1);
	split();
	accepted_ids("a network around one", none, hex("04000000 0a000000 ff000000"), 1);
	p = g.pair[g.n_pairs - 1].fx.nets;
	ok(ipaddr_to_v4(&p[0].addr) == 0x0a010000 && p[0].len == 16,
	   "N195: and a wider one is narrowed to the offer");
	kit_end("N195");
}

/* ---- what the gateway cannot do ---- */

/* What XAuth says to a client that knows its password; -1: nothing. */
static int verdict(struct client *who)
{
	struct rd r;
	struct ike_attr a;

	if (!client_phase1(who, &g))
		return -1;
	client_to(who, &g, client_credentials(who, span_str("alice"), span_str("wonderland")));
	if (client_open(who, gate_only(&g)) < 0 || who->cfg.type != CFG_SET)
		return -1;
	r = rd_from(who->cfg.attrs);
	return ike_attr_next(&r, &a) && a.type == XAUTH_STATUS ? a.value : -1;
}

static void test_pool(void)
{
	static struct client d;

	kit_fresh();
	g.pool_len = 1;
	ok(client_up(&c, &g), "the last address is taken");
	kit_another(&d, "192.0.2.55:500");
	is_int(verdict(&d), XAUTH_STATUS_FAIL, "REL-15: the next login fails at once");
	ok(gate_count(&g, FX_DOWN, IKE_R_POOL_EXHAUSTED) == 1 && ike_sessions(g.ike) == 1 &&
		   g.leases == 1,
	   "and the journal knows why");
	client_to(&d, &g, client_ack(&d));
	ok(client_open(&d, gate_only(&g)) == 0 && d.msg.n_delete == 1, "it gets its delete");
	client_to(&c, &g, client_delete_isakmp(&c));
	kit_another(&d, "192.0.2.56:500");
	ok(client_up(&d, &g), "when the first one leaves there is room again");
	kit_end("pool");
	kit_fresh();
	g.lease_reason = IKE_R_ADDRESS_TAKEN;
	is_int(verdict(&c), XAUTH_STATUS_FAIL,
	       "N183: a user whose own address is taken is refused");
	is_int(gate_count(&g, FX_DOWN, IKE_R_ADDRESS_TAKEN), 1, "for that reason");
	kit_end("address taken");
}

/* proposal_check = strict: a longer lifetime than ours is refused in words. */
static void test_lifetime(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.check = IKE_CHECK_STRICT;
	g.conf.p1_life_s = 600;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(ike_half_open(g.ike) == 0 && g.n_out == 1 &&
		   gate_count(&g, FX_NOTE, IKE_R_NO_PROPOSAL_P1) == 1,
	   "strict: a longer phase 1 is refused, and the client is told");
	is_str(noted(),
	       "the client wants a lifetime of 86400 s; the gateway accepts at most 600 s "
	       "([phase1] lifetime, [phase1] proposal_check)",
	       "the journal says what each side wants");
	kit_end("phase 1 lifetime");
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.check = IKE_CHECK_STRICT;
	g.conf.p1_life_s = 30 * 86400;
	g.conf.p2_life_s = 600;
	gate_start(&g);
	client_login(&c, &g);
	client_to(&c, &g, client_quick1(&c, none, none));
	is_int(notified(), N_NO_PROPOSAL_CHOSEN, "strict: a longer phase 2 is refused");
	is_str(noted(),
	       "the client wants a lifetime of 28800 s; the gateway accepts at most 600 s "
	       "([phase2] lifetime, [phase1] proposal_check)",
	       "the journal says so");
	g.conf.p2_life_s = 28800;
	unharmed("phase 2 lifetime");
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.n_p1 = g.conf.n_p2 = 1;
	g.conf.p1[0].key_len = g.conf.p2[0].key_len = 128;
	gate_start(&g);
	ok(client_up(&c, &g) && client_keys_match(&c, &g) &&
		   client_sa(&c, &g)->alg.key_len == 256 &&
		   client_sa(&c, &g)->children->alg.key_len == 256,
	   "claim: longer keys than ours are taken");
	kit_end("key length");
}

static void test_kernel(void)
{
	kit_with(client_login);
	g.child_err = -28;
	client_to(&c, &g, client_quick1(&c, none, none));
	is_int(notified(), N_NO_PROPOSAL_CHOSEN, "a kernel that refuses: the client is told");
	ok(gate_count(&g, FX_NOTE, IKE_R_KERNEL) == 1, "and so is the journal");
	g.child_err = 0;
	unharmed("kernel");
	kit_with(client_login);
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick1(&c, none, none));
	is_int(g.n_out, 0, "nothing is answered before the kernel has the pair");
	client_to(&c, &g, client_delete_isakmp(&c));
	g.hold = 0;
	gate_do_all(&g);
	ok(g.n_pairs == 0 && kit_state() == -1, "a pair that nobody wants any more is taken out");
	kit_end("late kernel");
}

static void test_crypto(void)
{
	kit_with(client_login);
	g.dh_err = -22;
	c.pfs = 31;
	client_to(&c, &g, client_quick1(&c, none, none));
	is_int(notified(), N_INVALID_KEY_INFORMATION,
	       "N204: a public value that is none: the client is told");
	g.dh_err = 0;
	unharmed("N204");
	kit_fresh();
	g.dh_err = -22;
	client_to(&c, &g, client_first(&c));
	ok(g.n_out == 0 && ike_half_open(g.ike) == 0,
	   "N071-N080: one in phase 1 ends the exchange without a word");
	kit_end("public value");
	kit_fresh();
	g.sign_err = -5;
	client_to(&c, &g, client_first(&c));
	ok(g.n_out == 0 && ike_half_open(g.ike) == 0, "so does a signature that fails");
	kit_end("signature");
}

/* Apple renews its phase 1 without mode config: the address it had is the only one it may name. */
static void test_before_config(void)
{
	kit_with(client_xauth);
	client_to(&c, &g, client_quick1(&c, hex("01000000 0a636302"), none));
	ok(notified() == N_INVALID_ID_INFORMATION && g.n_pairs == 0,
	   "N198: Quick Mode without mode config, for another address: refused");
	ok(strstr(noted(), "mode config") != NULL, "N198: and the journal says what is missing");
	kit_end("N198");
	kit_with(client_xauth);
	client_to(&c, &g, client_quick1(&c, hex("01000000 0a636301"), none));
	ok(client_quick2(&c, gate_only(&g)) == 0, "for its own address: taken");
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_UP && client_keys_match(&c, &g), "and it works");
	kit_end("without mode config");
}

int main(void)
{
	test_no_proposal1();
	test_other_methods();
	test_other_mode();
	test_no_proposal2();
	test_pfs();
	test_idci();
	test_idci_taken();
	test_other_client();
	test_idcr();
	test_pool();
	test_lifetime();
	test_kernel();
	test_crypto();
	test_before_config();
	return done();
}
