/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_main_known.c - whole main mode exchanges of an independent implementation
 * (tests/data/make-main-mode), played to the core: it must say the same, byte for byte, and derive
 * the same keys.
 */
#include "cleanup.h"
#include "ike/core.h"
#include "ike/psk.h"
#include "tap.h"
#include "vectors.h"

static const char *const pairs[][2] = {
#include "../data/main-mode.inc"
};

#define FIELDS 19

static const char *const *at; /* the name of the present case, and what follows it */

static const char *text(const char *key)
{
	for (unsigned i = 0; i < FIELDS; i++)
		if (strcmp(at[2 * i], key) == 0)
			return at[2 * i + 1];
	abort();
}

static struct span get(const char *key)
{
	return hex(text(key));
}

/* The core draws its cookie first, then its nonce; what it draws later does not matter here. */
static unsigned drawn;

static void draw(void *ctx, void *out, size_t n)
{
	struct span s = drawn == 1 ? get("cky_r") : get("nr");

	(void)ctx;
	memset(out, (int)drawn + 1, n);
	if (drawn == 1 || drawn == 2)
		memcpy(out, s.p, n < s.n ? n : s.n);
	drawn++;
}

/* What the configuration views; hex() has a few buffers only, in turn. */
static struct span hold(const char *key, uint8_t *buf, size_t cap)
{
	return unhex(text(key), buf, cap);
}

static struct ike_conf conf;
static struct fx fx;

static struct ike *start(struct psk_table *t, struct psk *row)
{
	static uint8_t psk[256], cert[512];
	char name[64];
	const char *why;
	struct ike *ike;

	memset(&conf, 0, sizeof(conf));
	snprintf(name, sizeof(name), "aes%s-%s-modp1024", text("bits"),
		 *text("hash") == '4' ? "sha256" : "sha1");
	if (ike_p1_parse(name, &conf.p1[conf.n_p1++], &why) < 0)
		abort();
	*row = (struct psk){ .net.addr.family = IP_V4,
			     .key = hold("psk", psk, sizeof(psk)),
			     .line = 1 };
	*t = (struct psk_table){ .v = row, .n = 1 };
	conf.psk = t;
	conf.mode[conf.n_modes++] = XCHG_MAIN;
	conf.auth[conf.n_auth++] = *text("psk") ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
	conf.natt = IKE_NATT_ON;
	conf.p1_life_s = 86400;
	conf.retransmit_us = 2000000;
	conf.retransmit_tries = 1;
	conf.retransmit_factor = 2.0;
	conf.half_open_total = conf.half_open_source = 10;
	conf.auth_timeout_us = 60000000;
	conf.my_id_type = IKE_ID_FQDN;
	conf.my_id = span_str("vpn.example.net");
	conf.cert[conf.n_certs++] = hold("cert", cert, sizeof(cert));
	drawn = 0;
	if (ike_new(&conf, (struct ike_rng){ draw, NULL }, &ike) < 0)
		abort();
	return ike;
}

static void say(struct ike *ike, const char *message, bool natt)
{
	struct ike_dgram d = { .data = get(message), .natt = natt };

	endpoint_parse(natt ? "192.0.2.9:1025" : "192.0.2.9:1024", &d.peer);
	endpoint_parse(natt ? "198.51.100.1:4500" : "198.51.100.1:500", &d.local);
	fx_reset(&fx);
	ike_input(ike, &d, 1000, &fx);
}

/* The first effect, when it is of this kind. */
static const struct fx_item *effect(enum fx_kind kind)
{
	static const struct fx_item none;

	return fx.n && fx.v[0].kind == kind ? &fx.v[0] : &none;
}

static void run(void)
{
	struct psk_table t;
	struct psk row;
	struct ike *ike = start(&t, &row);
	const struct ike_sa *sa;
	struct ike_ticket who;

	printf("# %s\n", text("name"));
	say(ike, "m1", false);
	ok(span_starts(effect(FX_SEND)->send.data, (struct span){ get("m4").p, 16 }),
	   "message 1 is answered, with the cookie that was drawn");
	say(ike, "m3", false);
	is_bytes(effect(FX_DH)->dh.peer_public, (struct span){ get("m3").p + 32, get("g_r").n },
		 "message 3 starts Diffie-Hellman with the client's value");
	who = effect(FX_DH)->who;
	fx_reset(&fx);
	ike_dh_done(ike, who, 0, get("g_r"), get("g_ir"), 1000, &fx);
	is_bytes(effect(FX_SEND)->send.data, get("m4"), "message 4 is the same");
	say(ike, "m5", true);
	if (!*text("psk")) {
		is_bytes(effect(FX_SIGN)->sign.hash, get("hash_r"),
			 "message 5 is taken, and HASH_R goes to be signed");
		who = effect(FX_SIGN)->who;
		fx_reset(&fx);
		ike_sign_done(ike, who, 0, get("sig"), 1000, &fx);
	}
	is_bytes(effect(FX_SEND)->send.data, get("m6"), "message 6 is the same");
	ok(effect(FX_SEND)->send.natt && effect(FX_SEND)->send.peer.port == 1025,
	   "it goes to where message 5 came from");
	sa = ike_find(ike, who.who);
	if (ok(sa && sa->state == IKE_ST_XAUTH, "and phase 1 is done")) {
		is_bytes(secret_span(&sa->keys.skeyid_d), get("skeyid_d"), "SKEYID_d");
		is_bytes(secret_span(&sa->keys.skeyid_a), get("skeyid_a"), "SKEYID_a");
		is_bytes(ike_key_span(&sa->keys), get("key"), "the key of the cipher");
		is_bytes(SPAN_OF(sa->last_block),
			 (struct span){ get("m6").p + get("m6").n - 16, 16 },
			 "what later IVs come from is the last block of message 6");
		ok(sa->nat == IKE_NAT_PEER, "the client is behind a NAT");
	}
	ike_free(ike);
}

int main(void)
{
	for (size_t i = 0; i + FIELDS <= ARRAY_SIZE(pairs); i += FIELDS) {
		at = &pairs[i][0];
		run();
	}
	fx_reset(&fx);
	return done();
}
