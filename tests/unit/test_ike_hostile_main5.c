/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_hostile_main5.c - hostile input to main mode from the fifth message on: N143 - N152,
 * another shared key (A39), what comes too early, and answers that nobody waits for.
 */
#include "main_kit.h"

/* ---- message 5 ---- */

static void open_fifth(void)
{
	struct ike_build b = client_main5_open(&c);

	craft_from(&k, client_clear(&b));
}

static struct span sealed_fifth(void)
{
	c.msgid = 0;
	memcpy(c.iv, c.last_block, sizeof(c.iv));
	return craft_seal_raw(&k, &c);
}

static void with_fifth(const char *name, void (*change)(void))
{
	begin4(false);
	open_fifth();
	change();
	ok(dropped(sealed_fifth()) && kit_state() == IKE_ST_MM_KE, "message 5 %s: dropped", name);
	ok(fifth_works(), "  and the right one works");
}

static void no_id(void)
{
	craft_remove(&k, PL_ID, 0);
}

static void two_ids(void)
{
	craft_add(&k, PL_ID, (struct span){ c.id_i, c.id_i_len });
}

static void large_id(void)
{
	craft_replace(&k, PL_ID, 0, (struct span){ zeros, LIMIT_ID + 5 });
}

static void no_hash(void)
{
	craft_remove(&k, PL_HASH, 0);
}

static void two_hashes(void)
{
	craft_add(&k, PL_HASH, (struct span){ zeros, 32 });
}

static void zero_hash(void)
{
	craft_replace(&k, PL_HASH, 0, (struct span){ zeros, 32 });
}

static void short_hash(void)
{
	craft_replace(&k, PL_HASH, 0, (struct span){ c.hash_i.b, 31 });
}

static void sha1_hash(void)
{
	craft_replace(&k, PL_HASH, 0, (struct span){ c.hash_i.b, 20 });
}

static void other_id(void)
{
	craft_body(&k, PL_ID, 0)[4] ^= 1;
}

static void sig_instead(void)
{
	no_hash();
	craft_add(&k, PL_SIG, (struct span){ zeros, 128 });
}

static void with_delete(void)
{
	craft_add(&k, PL_DELETE, hex("00000001 01 10 0001 00112233445566778899aabbccddeeff"));
}

static void with_attr(void)
{
	craft_add(&k, PL_ATTR, hex("02000001"));
}

static void much_behind(void)
{
	craft_trail(&k, (struct span){ zeros, 272 });
}

static void test_fifth(void)
{
	bool all = true;
	uint8_t five[512];
	struct span m;
	size_t n;

	with_fifth("N152: without identity", no_id);
	with_fifth("N152: with another identity", other_id);
	with_fifth("with two identities", two_ids);
	with_fifth("N094: with an identity of 257 bytes", large_id);
	with_fifth("N144: without hash", no_hash);
	with_fifth("N144: with a signature instead", sig_instead);
	with_fifth("N158: with two hashes", two_hashes);
	with_fifth("N143: with a hash of zeros", zero_hash);
	with_fifth("N143: with a hash that is a byte short", short_hash);
	with_fifth("N143: with the hash of another length", sha1_hash);
	with_fifth("with a delete", with_delete);
	with_fifth("with a configuration", with_attr);
	with_fifth("with 272 bytes behind it", much_behind);

	begin4(false);
	m = client_main5(&c);
	memcpy(five, m.p, n = m.n);
	for (size_t i = ISAKMP_HDR * 8; i < n * 8; i++) {
		five[i / 8] ^= (uint8_t)(1u << i % 8);
		all &= dropped((struct span){ five, n });
		five[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ok(all && fifth_works(),
	   "N143, N147: message 5 with any bit changed: dropped, then it works");
	begin4(false);
	for (unsigned len = 0; ISAKMP_HDR + len < n; len++) {
		struct craft cut = { .n = ISAKMP_HDR + len };

		memcpy(cut.b, five, ISAKMP_HDR + len);
		memcpy(cut.b, c.cky_i, 8);
		memcpy(cut.b + 8, c.cky_r, 8);
		craft_length(&cut);
		all &= dropped(craft_span(&cut));
	}
	ok(all && fifth_works(), "N146: of any length that is no block's: dropped");
	begin4(false);
	open_fifth();
	ok(dropped(craft_span(&k)) && fifth_works(), "message 5 in clear: dropped");
	begin2(false);
	client_main3(&c);
	c.keys = (struct ike_keys){ .enc = ENC_AES_CBC, .hash = HASH_SHA256, .key_len = 32 };
	ok(dropped(client_main5(&c)) && third_works() && fifth_works(),
	   "N152: message 5 before the third: dropped");
	finish("message 5");
}

/* One line for each exchange, whatever comes, and the right client still gets in. */
static void test_wrong_key(void)
{
	static struct client liar;
	unsigned notes = 0;

	begin4(true);
	liar = c;
	for (unsigned i = 0; i < 100; i++) {
		liar.psk = i % 2 ? "guess" : "";
		memset(liar.keys.key, (int)i, sizeof(liar.keys.key));
		memcpy(liar.iv, liar.last_block, sizeof(liar.iv));
		client_to(&liar, &g, client_main5(&liar));
		if (g.n_out || kit_state() != IKE_ST_MM_KE)
			break;
	}
	notes = gate_count(&g, FX_NOTE, IKE_R_SHARED_KEY);
	is_int(notes, 1, "A39: wrong keys are noted once for an exchange");
	ok(ike_counter(g.ike, IKE_C_DROP_HASH) + ike_counter(g.ike, IKE_C_DROP_MALFORMED) == 100 &&
		   g.n_out == 0 && g.n_jobs == 0,
	   "A39: counted, and not answered");
	ok(fifth_works(), "A39: the exchange goes on with the right key");
	begin(true);
	c.psk = "another key";
	ok(!client_phase1(&c, &g) && kit_state() == IKE_ST_MM_KE,
	   "a client with another key stays out");
	is_str(gate_last(&g, FX_NOTE)->text,
	       "message 5 of main mode does not decrypt with the one for 0.0.0.0/0 ([phase1] "
	       "psk_file, line 1)",
	       "the journal says which key it was");
	gate_pass(&g, S(60));
	ok(ike_half_open(g.ike) == 0 && g.n_out == 0, "and all of it ends without a word");
	begin(false);
	client_to_main4(&c, &g);
	memset(c.keys.key, 1, sizeof(c.keys.key));
	ok(dropped(client_main5(&c)), "with hybrid there is nothing to say about keys");
	finish("wrong key");
}

/* Nothing but phase 1 has a row before it is over. */
static void test_too_early(void)
{
	static const char *const at[] = { "message 2", "message 4", "the signature" };

	uint8_t iv[IKE_BLOCK_MAX];

	for (unsigned s = 0; s < 3; s++) {
		bool all = true;

		if (s == 0) {
			begin2(false);
			c.keys = (struct ike_keys){ .enc = ENC_AES_CBC,
						    .hash = HASH_SHA256,
						    .key_len = 32,
						    .skeyid_a.n = 32 };
		} else {
			begin4(false);
			g.hold = GATE_HOLD(SIGN);
			if (s == 2)
				client_to(&c, &g, client_main5(&c));
		}
		memcpy(iv, c.iv, sizeof(iv));
		all &= dropped(client_delete_isakmp(&c));
		all &= dropped(client_notify(&c, N_AUTHENTICATION_FAILED, nil, nil));
		all &= dropped(client_notify(&c, N_INITIAL_CONTACT, nil, nil));
		all &= dropped(client_dpd(&c, 1));
		all &= dropped(client_transaction(&c, CFG_REPLY, hex("40890001 61 408a0001 62")));
		all &= dropped(client_transaction(&c, CFG_REQUEST, hex("00010000")));
		all &= dropped(client_quick1(&c, nil, nil));
		ok(all && ike_half_open(g.ike) == 1,
		   "N145: anything else while %s is awaited: dropped", at[s]);
		if (s == 2) {
			memcpy(c.iv, iv, sizeof(iv));
			g.hold = 0;
			gate_do_all(&g);
			ok(client_main6(&c, gate_out(&g, 0)) == 0 && kit_sound(),
			   "and then it goes on");
		}
	}
	finish("too early");
}

/* Answers of workers that come when nobody waits any more. */
static void test_stale(void)
{
	begin2(false);
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, client_main3(&c));
	gate_pass(&g, S(40));
	is_int(ike_half_open(g.ike), 0, "an exchange ends while Diffie-Hellman goes on");
	gate_do_all(&g);
	ok(g.n_out == 0 && kit_sound(), "whose result is for nobody");
	begin4(false);
	g.hold = GATE_HOLD(SIGN);
	client_to(&c, &g, client_main5(&c));
	gate_pass(&g, S(40));
	is_int(ike_half_open(g.ike), 0, "the same while the signature is made");
	gate_do_all(&g);
	ok(g.n_out == 0 && kit_sound(), "whose result is for nobody");
	begin2(false);
	g.dh_err = -22;
	client_to(&c, &g, client_main3(&c));
	ok(g.n_out == 0 && ike_half_open(g.ike) == 0, "a failed computation ends the exchange");
	begin4(false);
	g.sign_err = -5;
	client_to(&c, &g, client_main5(&c));
	ok(g.n_out == 0 && ike_half_open(g.ike) == 0, "and so does a key that does not sign");
	g.sign_err = 0;
	finish("stale");
}

int main(void)
{
	test_fifth();
	test_wrong_key();
	test_too_early();
	test_stale();
	return done();
}
