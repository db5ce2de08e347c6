/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_main.c - main mode as it should be: both methods, all habits, what each message holds,
 * what it costs, and what comes again.
 */
#include "capture.h"
#include "hostile_kit.h"
#include "ike/dh.h"
#include "ike/psk.h"

static const char *const method_names[] = { "hybrid", "shared key" };

static void prepare(bool psk)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	c.main = true;
	c.auth = psk ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
}

static void begin(bool psk)
{
	prepare(psk);
	gate_start(&g);
}

/* A copy of what the gateway sent last, good until the next one. */
static struct span copy(struct span s)
{
	static uint8_t b[8192];

	memcpy(b, s.p, s.n);
	return (struct span){ b, s.n };
}

/* ---- logins ---- */

static void test_logins(void)
{
	static const enum ike_natt natts[] = { IKE_NATT_ON, IKE_NATT_OFF, IKE_NATT_FORCE };
	static const uint32_t vids[] = { VID_NATT_RFC, VID_NATT_02N, 0 };

	for (unsigned i = 0; i < 3 * 3 * 2 * 2; i++) {
		bool psk = i & 1, behind = i & 2;
		enum ike_natt natt = natts[i / 4 % 3];
		uint32_t vid = vids[i / 12];
		bool floats = natt != IKE_NATT_OFF && vid && (behind || natt == IKE_NATT_FORCE);
		const struct ike_sa *sa;

		prepare(psk);
		g.conf.natt = natt;
		c.natt = vid;
		c.behind_nat = behind;
		gate_start(&g);
		ok(client_up(&c, &g) && client_keys_match(&c, &g),
		   "%s, %s a NAT, nat_traversal %u, vendor ID %u: a session with traffic",
		   method_names[psk], behind ? "behind" : "without", natt, vid);
		sa = client_sa(&c, &g);
		ok(sa && sa->mode == XCHG_MAIN && sa->auth == c.auth && c.floated == floats &&
			   sa->natt == floats && g.pair[0].fx.encap == floats &&
			   endpoint_eq(&sa->peer, &c.self) &&
			   !!(sa->nat & IKE_NAT_PEER) == (behind && vid && natt != IKE_NATT_OFF),
		   "  which knows how it came, and where the client is");
		kit_end("  login");
	}
}

static void test_algorithms(void)
{
	char name[IKE_NAME_LEN];

	for (unsigned psk = 0; psk < 2; psk++)
		for (unsigned i = 0; i < 6; i++) {
			kit_prepare();
			c.main = true;
			c.auth = psk ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
			c.alg = g.conf.p1[i];
			c.pfs = 31;
			gate_start(&g);
			ok(client_up(&c, &g) && client_keys_match(&c, &g),
			   "%s with %s, computed for real", method_names[psk],
			   ike_p1_str(&c.alg, name));
			kit_end("  algorithms");
		}
}

/* ---- what stands in the messages ---- */

static void is_chain(struct span m, const char *want, const char *name)
{
	char buf[256];

	is_str(chain_text(m, buf), want, name);
}

static void test_shapes(void)
{
	for (unsigned psk = 0; psk < 2; psk++) {
		struct span six;

		begin(psk);
		client_to(&c, &g, client_first(&c));
		is_chain(gate_only(&g), "1 13 13 13 13 13",
			 "message 2 holds SA and the vendor IDs that the client knows");
		ok(client_main2(&c, gate_only(&g)) == 0 &&
			   span_eq(c.msg.sa, (struct span){ c.sa_i, c.sa_i_len }),
		   "the one transform that was offered comes back as it was");
		client_to(&c, &g, client_main3(&c));
		is_chain(gate_only(&g), "4 10 20 20", "message 4 holds KE, Nr and two NAT-Ds");
		client_main4(&c, gate_only(&g));
		client_to(&c, &g, client_main5(&c));
		six = gate_out(&g, 0);
		ok(g.n_out == 2 && client_main6(&c, six) == 0,
		   "message 6 proves the gateway, and the XAuth request follows at once");
		is_chain((struct span){ c.plain, six.n }, psk ? "5 8" : "5 6 9",
			 psk ? "it holds IDir and HASH_R" : "it holds IDir, CERT and SIG_R");
		is_bytes(c.got_id, hex("02000000 76706e2e6578616d706c652e6e6574"),
			 "the identity is the configured one");
		ok(psk || c.got_cert.n == 701, "the certificate is there unasked");
		kit_end("shapes");
	}
	prepare(false);
	c.natt = VID_NATT_02N;
	c.unity = false;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	is_chain(gate_only(&g), "1 13 13 13 13", "neither NAT traversal nor Unity unasked");
	client_main2(&c, gate_only(&g));
	client_to(&c, &g, client_main3(&c));
	is_chain(gate_only(&g), "4 10 130 130", "NAT-D of the drafts has its own number");
	kit_end("drafts");
	prepare(false);
	c.natt = 0;
	gate_start(&g);
	client_to_main2(&c, &g);
	client_to(&c, &g, client_main3(&c));
	is_chain(gate_only(&g), "4 10", "without NAT traversal there is no NAT-D");
	kit_end("without NAT traversal");
}

/* What a client may add, and what has no effect. */
static void test_extras(void)
{
	struct ike_build b;

	for (unsigned psk = 0; psk < 2; psk++) {
		begin(psk);
		craft_from(&k, client_first(&c));
		craft_add(&k, PL_CERTREQ, hex("04"));
		craft_add(&k, PL_NOTIFY, hex("00000001 01 00 6002"));
		craft_prepend(&k, PL_VID, hex("00112233"));
		client_to(&c, &g, craft_span(&k));
		ok(client_main2(&c, gate_only(&g)) == 0, "message 1 may hold more");
		craft_from(&k, client_main3(&c));
		craft_add(&k, PL_CERTREQ, hex("04 300f"));
		craft_add(&k, PL_VID, hex("70 03cb c109 7dbe 9c26 00ba 6983 bc8b 35"));
		client_to(&c, &g, craft_span(&k));
		ok(client_main4(&c, gate_only(&g)) == 0, "message 3, too");
		b = client_main5_open(&c);
		craft_from(&k, client_clear(&b));
		craft_add(&k, PL_CERT, hex("04"));
		craft_add(&k, PL_CERT, nil);
		craft_add(&k, PL_CERTREQ, hex("04"));
		craft_add(&k, PL_NOTIFY,
			  hex("00000001 01 10 6002 00112233445566778899aabbccddeeff"));
		craft_add(&k, PL_VID, hex("00112233"));
		client_to(&c, &g, craft_seal_raw(&k, &c));
		ok(g.n_out == 2 && client_main6(&c, gate_out(&g, 0)) == 0 &&
			   kit_state() == IKE_ST_XAUTH,
		   "message 5 with an empty CERT, CERTREQ and INITIAL-CONTACT is taken");
		is_str(client_sa(&c, &g)->client, "racoon", "vendor IDs count wherever they stand");
		is_bytes(
			(struct span){ client_sa(&c, &g)->peer_id, client_sa(&c, &g)->peer_id_len },
			(struct span){ c.id_i, c.id_i_len }, "IDii is kept as it is");
		kit_end("extras");
	}
}

/* ---- what it costs ---- */

static void test_cost(void)
{
	for (unsigned psk = 0; psk < 2; psk++) {
		begin(psk);
		g.hold = GATE_HOLD(DH) | GATE_HOLD(SIGN);
		client_to(&c, &g, client_first(&c));
		ok(g.n_out == 1 && g.n_jobs == 0 && g.ike->crypto_pending == 0 &&
			   ike_half_open(g.ike) == 1,
		   "%s: message 1 costs an entry, and no computation", method_names[psk]);
		client_main2(&c, gate_only(&g));
		client_to(&c, &g, client_main3(&c));
		ok(g.n_out == 0 && g.n_jobs == 1 && g.job[0].kind == FX_DH,
		   "Diffie-Hellman starts with message 3");
		gate_do(&g, 0);
		client_main4(&c, gate_only(&g));
		ok(g.n_jobs == 0, "a signature not before message 5");
		client_to(&c, &g, client_main5(&c));
		if (psk) {
			ok(g.n_out == 2 && g.n_jobs == 0, "which with a shared key needs none");
		} else {
			ok(g.n_out == 0 && g.n_jobs == 1 && g.job[0].kind == FX_SIGN &&
				   kit_state() == IKE_ST_SIGN,
			   "which it then asks for");
			gate_do(&g, 0);
		}
		ok(g.n_out == 2 && client_main6(&c, gate_out(&g, 0)) == 0 &&
			   kit_state() == IKE_ST_XAUTH && kit_sound(),
		   "and XAuth begins");
		kit_end("cost");
	}
}

/* ---- what comes again ---- */

static void again(struct span request, struct span answer, const char *name)
{
	uint64_t resent = ike_counter(g.ike, IKE_C_RESENT);

	client_to(&c, &g, request);
	is_bytes(gate_only(&g), answer, name);
	is_int((long long)(ike_counter(g.ike, IKE_C_RESENT) - resent), 1, "  and is counted");
}

static void test_repeats(void)
{
	for (unsigned psk = 0; psk < 2; psk++) {
		uint8_t one[512], three[1024], five[512];
		struct span m, r;
		size_t n1, n3, n5;

		begin(psk);
		m = client_first(&c);
		memcpy(one, m.p, n1 = m.n);
		client_to(&c, &g, m);
		r = copy(gate_only(&g));
		client_main2(&c, r);
		again((struct span){ one, n1 }, r, "N237: message 1 again gets the same bytes");
		g.hold = GATE_HOLD(DH) | GATE_HOLD(SIGN);
		m = client_main3(&c);
		memcpy(three, m.p, n3 = m.n);
		client_to(&c, &g, m);
		for (unsigned i = 0; i < 10; i++)
			client_to(&c, &g, (struct span){ three, n3 });
		ok(g.n_out == 0 && g.n_jobs == 1,
		   "N028: message 3 again meanwhile starts nothing and gets nothing");
		gate_do(&g, 0);
		r = copy(gate_only(&g));
		client_main4(&c, r);
		again((struct span){ three, n3 }, r, "N237: afterwards it gets the same bytes");
		ok(dropped((struct span){ one, n1 }), "message 1 is over, and gets none");
		m = client_main5(&c);
		memcpy(five, m.p, n5 = m.n);
		client_to(&c, &g, m);
		if (!psk) {
			client_to(&c, &g, (struct span){ five, n5 });
			ok(g.n_out == 0 && g.n_jobs == 1, "N028: the same for message 5");
			gate_do(&g, 0);
		}
		r = copy(gate_out(&g, 0));
		client_main6(&c, r);
		client_open(&c, gate_out(&g, 1));
		again((struct span){ five, n5 }, r, "N237: message 5 again gets the same bytes");
		ok(dropped((struct span){ three, n3 }), "message 3 is over, and gets none");
		ok(dropped((struct span){ one, n1 }), "nor has message 1 come back");
		g.hold = 0;
		client_to(&c, &g,
			  client_credentials(&c, span_str("alice"), span_str("wonderland")));
		again((struct span){ five, n5 }, r, "when the user has logged in it still does");
		ok(kit_state() == IKE_ST_AUTHED, "and changes nothing");
		gate_pass(&g, S(LIMIT_EXCHANGE_KEEP_S + 1));
		ok(dropped((struct span){ five, n5 }), "until the answer is forgotten");
		kit_end("repeats");
	}
}

/* The client has to ask again for what got lost: nothing is sent unasked before XAuth. */
static void test_silence(void)
{
	uint8_t five[512];
	struct span m, r;
	size_t n;

	begin(false);
	client_to_main2(&c, &g);
	gate_pass(&g, S(LIMIT_MM3_WAIT_S) - 1);
	ok(g.n_out == 0 && ike_half_open(g.ike) == 1, "message 2 is not repeated unasked");
	gate_pass(&g, 2);
	ok(ike_half_open(g.ike) == 0 && g.n_out == 0 && g.n_events == 0,
	   "DOS-02: and its exchange ends without a word after 15 seconds");
	kit_end("silence after 2");
	begin(true);
	client_to_main2(&c, &g);
	gate_pass(&g, S(LIMIT_MM3_WAIT_S - 1));
	client_to(&c, &g, client_main3(&c));
	ok(client_main4(&c, gate_only(&g)) == 0, "a client may take its time for message 3");
	gate_pass(&g, S(LIMIT_MM5_WAIT_S) - 1);
	ok(g.n_out == 0 && ike_half_open(g.ike) == 1, "message 4 is not repeated unasked");
	gate_pass(&g, 2);
	ok(ike_half_open(g.ike) == 0 && g.n_out == 0 && g.n_events == 0,
	   "DOS-02: and its exchange ends without a word after 30 seconds");
	kit_end("silence after 4");
	begin(false);
	client_to_main4(&c, &g);
	m = client_main5(&c);
	memcpy(five, m.p, n = m.n);
	client_to(&c, &g, m); /* 6 and the XAuth request are lost */
	r = copy(gate_out(&g, 0));
	gate_pass(&g, S(2));
	ok(g.n_out == 1 && client_open(&c, gate_only(&g)) < 0,
	   "the XAuth request is repeated, but without message 6 it cannot be read");
	again((struct span){ five, n }, r, "so the client repeats message 5");
	ok(client_main6(&c, gate_only(&g)) == 0, "gets message 6");
	gate_pass(&g, S(4));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_REQUEST,
	   "and then the request once more");
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(kit_state() == IKE_ST_AUTHED, "which it answers");
	kit_end("lost");
}

/* ---- which key, which method ---- */

static const char *noted(void)
{
	const struct gate_event *e = gate_last(&g, FX_NOTE);

	return e ? e->text : "";
}

static void test_keys_by_address(void)
{
	static const struct psk_table *t;
	static const struct {
		const char *from, *key;
		bool up;
	} rows[] = {
		{ "192.0.2.9:500", "for one host", true },
		{ "192.0.2.9:500", "for the office", false },
		{ "192.0.2.10:500", "for the office", true },
		{ "198.18.0.1:500", "for the office", false },
	};
	struct psk psks[] = { { .line = 3, .key = span_str("for one host") },
			      { .line = 1, .key = span_str("for the office") } };
	struct psk_table table = { .v = psks, .n = 2 };

	prefix_parse("192.0.2.9", &psks[0].net);
	prefix_parse("192.0.2.0/24", &psks[1].net);
	t = &table;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(true);
		g.conf.psk = t;
		c.self = ep(rows[i].from);
		c.psk = rows[i].key;
		gate_start(&g);
		ok(client_phase1(&c, &g) == rows[i].up, "%s with the key \"%s\": %s", rows[i].from,
		   rows[i].key, rows[i].up ? "gets in" : "does not");
		if (i == 1)
			is_str(noted(),
			       "message 5 of main mode does not decrypt with the one for "
			       "192.0.2.9/32 ([phase1] psk_file, line 3)",
			       "the journal names the row");
		if (i == 3)
			is_str(noted(),
			       "the client offers xauth_psk: [phase1] psk_file has no key for this "
			       "address",
			       "an address without a key is turned away at once, and noted");
		kit_end("keys by address");
	}
	prepare(true);
	g.conf.psk = NULL;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(g.out[0].n == 40 && ike_half_open(g.ike) == 0, "without keys there is no shared key");
	c.auth = AUTH_HYBRID_INIT_RSA;
	ok(client_up(&c, &g), "and hybrid works as ever");
	kit_end("no keys");
}

static void test_not_in_aggressive_mode(void)
{
	begin(true);
	c.main = false;
	client_to(&c, &g, client_first(&c));
	ok(g.n_out == 1 && g.out[0].n == 40 && ike_half_open(g.ike) == 0 && g.n_jobs == 0,
	   "N065: a shared key in aggressive mode gets a notify, never a HASH_R");
	is_str(noted(),
	       "the client offers xauth_psk: in aggressive mode its key could be guessed from our "
	       "answer; the gateway takes it in main mode alone, but for identities that a "
	       "[profile] allows it",
	       "the journal says why");
	kit_end("not in aggressive mode");
	prepare(true);
	g.conf.n_auth = 1; /* hybrid_rsa */
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(g.out[0].n == 40 && ike_half_open(g.ike) == 0,
	   "nor in main mode, where it is not named");
	is_str(noted(),
	       "the client offers authentication xauth_psk; the gateway accepts hybrid_rsa "
	       "([phase1] authentication)",
	       "the journal names the setting");
	kit_end("not named");
	prepare(false);
	g.conf.n_modes = 1; /* aggressive */
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(g.out[0].n == 40 && ike_half_open(g.ike) == 0, "N024: main mode may be switched off");
	is_str(noted(), "the client uses main mode, which is not answered ([phase1] exchange_mode)",
	       "the journal names the setting");
	kit_end("mode not named");
}

/* ---- limits ---- */

static void knock(uint32_t from, uint32_t seed)
{
	static struct client x;

	client_init(&x, "192.0.2.9:500", "198.51.100.1:500");
	x.no_crypto = x.main = true;
	x.self.addr = ipaddr_v4(from);
	x.seed = seed;
	client_to(&x, &g, client_first(&x));
}

static void test_half_open(void)
{
	prepare(false);
	g.conf.half_open_total = 50;
	g.conf.half_open_source = 5;
	gate_start(&g);
	client_to_main4(&c, &g);
	for (unsigned i = 0; i < 20; i++)
		knock(0x0a000001, i);
	is_int(ike_half_open(g.ike), 6,
	       "DOS-01: so many exchanges from one address, in main mode, too");
	for (unsigned i = 0; i < 200; i++)
		knock(0x0b000000 + i, i);
	ok(ike_half_open(g.ike) == 50 && kit_state() == IKE_ST_MM_KE,
	   "DOS-01: newer ones take the place of those that have proved nothing, and of no other");
	client_to(&c, &g, client_main5(&c));
	ok(client_main6(&c, gate_out(&g, 0)) == 0, "so that an honest client gets in");
	gate_pass(&g, S(20));
	is_int(ike_half_open(g.ike), 1, "I7: all others end by themselves");
	kit_end("half-open");
}

static void test_crypto(void)
{
	uint8_t three[1024], five[512];
	struct span m;
	size_t n3, n5;

	begin(false);
	client_to_main2(&c, &g);
	m = client_main3(&c);
	memcpy(three, m.p, n3 = m.n);
	g.ike->crypto_pending += LIMIT_CRYPTO_PENDING;
	client_to(&c, &g, (struct span){ three, n3 });
	ok(g.n_out == 0 && kit_state() == IKE_ST_MM_SA &&
		   gate_count(&g, FX_NOTE, IKE_R_BUSY) == 1 &&
		   ike_counter(g.ike, IKE_C_DROP_LIMIT) == 1,
	   "message 3 waits while too much is being computed, and that is noted");
	g.ike->crypto_pending -= LIMIT_CRYPTO_PENDING;
	client_to(&c, &g, (struct span){ three, n3 });
	ok(client_main4(&c, gate_only(&g)) == 0, "repeated, it is answered");
	m = client_main5(&c);
	memcpy(five, m.p, n5 = m.n);
	g.ike->crypto_pending += LIMIT_CRYPTO_PENDING;
	client_to(&c, &g, (struct span){ five, n5 });
	ok(g.n_out == 0 && kit_state() == IKE_ST_MM_KE && gate_count(&g, FX_NOTE, IKE_R_BUSY) == 2,
	   "the same for message 5");
	g.ike->crypto_pending -= LIMIT_CRYPTO_PENDING;
	client_to(&c, &g, (struct span){ five, n5 });
	ok(client_main6(&c, gate_out(&g, 0)) == 0, "which is taken when it comes again");
	kit_end("crypto");
}

/* N241: here the first answer, too, is less than three times what came. */
static void test_amplification(void)
{
	uint64_t in;

	prepare(false);
	c.natt = 0;
	c.unity = false;
	gate_start(&g);
	first();
	while (craft_at(&k, PL_VID, 0) != CRAFT_NONE)
		craft_remove(&k, PL_VID, 0);
	in = k.n;
	client_to(&c, &g, craft_span(&k));
	printf("# a first message of %zu bytes gets %zu\n", k.n, gate_only(&g).n);
	for (unsigned i = 0; i < 100; i++) {
		client_to(&c, &g, craft_span(&k));
		in += k.n;
		if (g.bytes_out > LIMIT_AMPLIFY * in)
			break;
	}
	ok(g.bytes_out <= LIMIT_AMPLIFY * in && ike_counter(g.ike, IKE_C_RESENT) > 0,
	   "N241: repeated, the smallest first message gets three times what it sends at most");
	kit_end("amplification");
	printf("# a half-open exchange: %zu bytes, and some hundred of its offer and answer\n",
	       sizeof(struct ike_sa) + sizeof(struct ike_nego));
	ok(sizeof(struct ike_sa) + sizeof(struct ike_nego) < 1800,
	   "DOS-03: a half-open exchange is small");
}

int main(void)
{
	test_logins();
	test_algorithms();
	test_shapes();
	test_extras();
	test_cost();
	test_repeats();
	test_silence();
	test_keys_by_address();
	test_not_in_aggressive_mode();
	test_half_open();
	test_crypto();
	test_amplification();
	return done();
}
