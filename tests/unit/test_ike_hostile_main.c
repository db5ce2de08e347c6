/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_hostile_main.c - hostile input to main mode's first and third message: N152, and what
 * applies of the rows for the first message of aggressive mode.
 */
#include "ike/dh.h"
#include "main_kit.h"

/* ---- message 1 ---- */

static void test_first(void)
{
	static const struct {
		const char *name;
		uint8_t type;
		size_t n;
		bool taken;
	} extra[] = {
		{ "KE", PL_KE, 256, false },
		{ "a nonce", PL_NONCE, 20, false },
		{ "an identity", PL_ID, 8, false },
		{ "a hash", PL_HASH, 32, false },
		{ "a signature", PL_SIG, 128, false },
		{ "a certificate", PL_CERT, 600, false },
		{ "a delete", PL_DELETE, 12, false },
		{ "a configuration", PL_ATTR, 4, false },
		{ "NAT-D", PL_NATD, 32, false },
		{ "a payload of IKEv2", 33, 40, true },
		{ "a vendor ID of 30 kB", PL_VID, 30000, true },
		{ "a certificate request", PL_CERTREQ, 100, true },
		{ "a notify", PL_NOTIFY, 8, true },
	};
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(extra); i++) {
		begin(false);
		first();
		craft_add(&k, extra[i].type, (struct span){ zeros, extra[i].n });
		if (!extra[i].taken) {
			ok(dropped(craft_span(&k)) && ike_half_open(g.ike) == 0,
			   "message 1 with %s: dropped", extra[i].name);
			continue;
		}
		client_to(&c, &g, craft_span(&k));
		ok(client_main2(&c, gate_only(&g)) == 0 && g.n_events == 0,
		   "message 1 with %s: passed over", extra[i].name);
	}
	begin(false);
	first();
	for (size_t n = ISAKMP_HDR; n < k.n; n++) {
		struct craft cut = k;

		cut.n = n;
		craft_length(&cut);
		all &= dropped(craft_span(&cut));
	}
	ok(all && ike_half_open(g.ike) == 0, "message 1 cut at any byte: dropped");
	k.b[19] = ISAKMP_FLAG_ENCRYPTED;
	ok(dropped(craft_span(&k)), "message 1 encrypted: dropped");
	k.b[19] = 0;
	client_to(&c, &g, craft_span(&k));
	k.b[craft_at(&k, PL_SA, 0) + 30] ^= 1;
	ok(dropped(craft_span(&k)), "N029: another offer under the same cookie is dropped");
	k.b[18] = XCHG_AGGRESSIVE;
	ok(dropped(craft_span(&k)), "and so is another mode");
	ok(client_main2(&c, gate_out(&g, 0)) < 0 && ike_half_open(g.ike) == 1 && kit_sound(),
	   "nothing has come of it");
	finish("message 1");
}

/* ---- message 3 ---- */

static void with_third(const char *name, void (*change)(void), bool taken)
{
	begin2(false);
	craft_from(&k, client_main3(&c));
	change();
	if (!taken) {
		ok(dropped(craft_span(&k)) && kit_state() == IKE_ST_MM_SA && third_works(),
		   "message 3 %s: dropped, and the right one works", name);
		return;
	}
	client_to(&c, &g, craft_span(&k));
	ok(g.n_out == 1 && kit_state() == IKE_ST_MM_KE && kit_sound(), "message 3 %s: taken", name);
}

static void short_ke(void)
{
	craft_replace(&k, PL_KE, 0, (struct span){ zeros, 255 });
}

static void long_ke(void)
{
	craft_replace(&k, PL_KE, 0, (struct span){ zeros, 257 });
}

static void group2_ke(void)
{
	craft_replace(&k, PL_KE, 0, (struct span){ zeros, 128 });
}

static void no_ke(void)
{
	craft_remove(&k, PL_KE, 0);
}

static void two_ke(void)
{
	craft_add(&k, PL_KE, (struct span){ zeros, 256 });
}

static void no_nonce(void)
{
	craft_remove(&k, PL_NONCE, 0);
}

static void nonce_7(void)
{
	craft_replace(&k, PL_NONCE, 0, (struct span){ zeros, 7 });
}

static void nonce_8(void)
{
	craft_replace(&k, PL_NONCE, 0, (struct span){ zeros, 8 });
}

static void nonce_256(void)
{
	craft_replace(&k, PL_NONCE, 0, (struct span){ zeros, 256 });
}

static void nonce_257(void)
{
	craft_replace(&k, PL_NONCE, 0, (struct span){ zeros, 257 });
}

static void with_sa(void)
{
	craft_add(&k, PL_SA, (struct span){ c.sa_i, c.sa_i_len });
}

static void with_id(void)
{
	craft_add(&k, PL_ID, (struct span){ c.id_i, c.id_i_len });
}

static void with_hash(void)
{
	craft_add(&k, PL_HASH, (struct span){ zeros, 32 });
}

static void nine_natd(void)
{
	for (unsigned i = 0; i < 7; i++)
		craft_add(&k, PL_NATD, (struct span){ zeros, 32 });
}

static void eight_natd(void)
{
	for (unsigned i = 0; i < 6; i++)
		craft_add(&k, PL_NATD, (struct span){ zeros, 32 });
}

static void encrypted(void)
{
	k.b[19] = ISAKMP_FLAG_ENCRYPTED;
}

static void message_id(void)
{
	k.b[23] = 1;
}

static void aggressive(void)
{
	k.b[18] = XCHG_AGGRESSIVE;
}

static void trailing(void)
{
	craft_trail(&k, hex("00"));
}

static void test_third(void)
{
	bool all = true;
	struct span m;

	with_third("as it should be", eight_natd, true);
	with_third("N076: with a KE one byte short", short_ke, false);
	with_third("N076: with a KE one byte long", long_ke, false);
	with_third("N079: with a KE of another group", group2_ke, false);
	with_third("N082: without KE", no_ke, false);
	with_third("N087: with two KEs", two_ke, false);
	with_third("N083: without nonce", no_nonce, false);
	with_third("N088: with a nonce of 7 bytes", nonce_7, false);
	with_third("N089: with a nonce of 8 bytes", nonce_8, true);
	with_third("N089: with a nonce of 256 bytes", nonce_256, true);
	with_third("N089: with a nonce of 257 bytes", nonce_257, false);
	with_third("with another SA", with_sa, false);
	with_third("with an identity", with_id, false);
	with_third("with a hash", with_hash, false);
	with_third("N103: with nine NAT-Ds", nine_natd, false);
	with_third("encrypted, when there are no keys (W1)", encrypted, false);
	with_third("with a message ID", message_id, false);
	with_third("as aggressive mode", aggressive, false);
	with_third("N009: with a byte behind it", trailing, false);
	begin2(false);
	craft_from(&k, client_main3(&c));
	for (size_t n = ISAKMP_HDR; n < k.n; n++) {
		struct craft cut = k;

		cut.n = n;
		craft_length(&cut);
		all &= dropped(craft_span(&cut));
	}
	ok(all && third_works(), "message 3 cut at any byte: dropped, and the whole one works");
	begin2(false);
	c.self.addr.b[3]++;
	ok(dropped(client_main3(&c)), "message 3 from another address: its cookie proves nothing");
	c.self.addr.b[3]--;
	c.self.port = 4711;
	ok(third_works() && fifth_works(), "from another port it may come");
	begin(false);
	client_first(&c);
	memset(c.cky_r, 7, 8);
	ok(dropped(client_main3(&c)), "N152: message 3 without a first: dropped");
	begin4(false);
	m = client_main3(&c);
	craft_from(&k, m);
	craft_body(&k, PL_KE, 0)[0] ^= 1;
	ok(dropped(craft_span(&k)), "N152: a second message 3 with another KE is dropped");
	ok(fifth_works(), "and the first one counts");
	begin2(false);
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, client_main3(&c));
	craft_from(&k, client_main3(&c));
	craft_body(&k, PL_KE, 0)[0] ^= 1;
	ok(dropped(craft_span(&k)) && g.n_jobs == 1, "the same while the first is computed");
	g.hold = 0;
	gate_do_all(&g);
	finish("message 3");
}

/* Public values that are none, with real Diffie-Hellman. */
static void test_public_values(void)
{
	static const uint16_t groups[] = { 14, 2, 20, 31 };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct dh_group *grp = dh_group(groups[i]);
		struct span p = modp_prime(groups[i]);
		uint8_t v[DH_PUBLIC_MAX] = { 0 };

		for (unsigned bad = 0; bad < (grp->kind == DH_X25519 ? 2 : 5); bad++) {
			memset(v, bad == 4 ? 0xff : 0, sizeof(v));
			if (bad == 1)
				v[grp->kind == DH_X25519 ? 0 : grp->public_len - 1] = 1;
			if (bad == 2 || bad == 3)
				memcpy(v, p.n ? p.p : v, p.n);
			if (bad == 2 && p.n)
				v[p.n - 1]--; /* p is odd */
			kit_prepare();
			c.main = true;
			gate_start(&g);
			for (unsigned a = 0; a < g.conf.n_p1; a++)
				if (g.conf.p1[a].group == groups[i])
					c.alg = g.conf.p1[a];
			client_to_main2(&c, &g);
			craft_from(&k, client_main3(&c));
			craft_replace(&k, PL_KE, 0, (struct span){ v, grp->public_len });
			client_to(&c, &g, craft_span(&k));
			ok(g.n_out == 0 && ike_half_open(g.ike) == 0 && kit_sound() &&
				   ike_counter(g.ike, IKE_C_DROP_MALFORMED) == 1,
			   "N071-N075, N080: group %u, value %u: no answer, and the end", groups[i],
			   bad);
		}
	}
	finish("public values");
}

/* Two modes under the same cookie of one client; two exchanges of one client. */
static void test_mixed(void)
{
	static struct client am;

	begin2(false);
	am = c;
	am.main = false;
	memset(am.cky_r, 0, 8);
	craft_from(&k, client_first(&am));
	memcpy(k.b, c.cky_i, 8);
	ok(dropped(craft_span(&k)), "aggressive mode under the cookie of main mode: dropped");
	ok(third_works() && fifth_works(), "and main mode goes on");
	kit_fresh();
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	ok(dropped(client_main3(&c)), "main mode's third under aggressive mode: dropped");
	client_to(&c, &g, client_third(&c));
	ok(client_open(&c, gate_only(&g)) == 0, "and aggressive mode goes on");
	begin(false);
	am = c;
	am.seed++;
	client_to_main4(&c, &g);
	client_to_main4(&am, &g);
	ok(ike_half_open(g.ike) == 2, "N153: one client may have two under way");
	memcpy(am.cky_r, c.cky_r, 8);
	ok(dropped(client_main5(&am)), "N160: whose messages do not fit one another");
	ok(fifth_works(), "and do no harm");
	finish("mixed");
}

int main(void)
{
	test_first();
	test_third();
	test_public_values();
	test_mixed();
	return done();
}
