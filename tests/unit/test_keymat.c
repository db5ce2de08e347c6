/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_keymat.c - SKEYID and what comes from it, HASH_R, NAT-D: published answers.
 *
 * A few are typed in; all of them run where VPNGW_VECTORS names their directory.
 */
#include "ike/keymat.h"

#include "cleanup.h"
#include "ike/core.h"
#include "tap.h"
#include "vectors.h"

/* ---- SKEYID, SKEYID_d, SKEYID_a, SKEYID_e: NIST CAVS ---- */

struct cavs {
	uint16_t hash;
	struct span cky_i, cky_r, ni, nr, gxy, psk, skeyid, d, a, e;
};

/*
 * RFC 2409 appendix B, written a second time: the core keeps SKEYID_e and its expansion to itself.
 * NSS tells whether this one is right, and this one whether the core is.
 */
static void appendix_b(uint16_t hash, struct span e, uint8_t *out, size_t n)
{
	struct span seed = { (const uint8_t *)"", 1 };
	struct secret k = { .n = 0 }, next;

	if (e.n >= n) {
		memcpy(out, e.p, n);
		return;
	}
	for (size_t have = 0; have < n; have += k.n) {
		prf(hash, e, &seed, 1, &next);
		k = next;
		memcpy(out + have, k.b, k.n < n - have ? k.n : n - have);
		seed = secret_span(&k);
	}
}

static bool cavs_holds(const struct cavs *c)
{
	static const uint16_t ciphers[][2] = { { ENC_AES_CBC, 128 },
					       { ENC_AES_CBC, 192 },
					       { ENC_AES_CBC, 256 },
					       { ENC_3DES_CBC, 0 } };
	uint8_t both[16], key[32];
	struct secret skeyid;
	struct ike_keys k;
	bool good;

	memcpy(both, c->cky_i.p, 8);
	memcpy(both + 8, c->cky_r.p, 8);
	if (c->psk.p)
		good = keymat_skeyid_psk(c->hash, c->psk, c->ni, c->nr, &skeyid) == 0;
	else
		good = keymat_skeyid_sig(c->hash, c->ni, c->nr, c->gxy, &skeyid) == 0;
	good = good && span_eq(secret_span(&skeyid), c->skeyid);
	for (size_t i = 0; i < ARRAY_SIZE(ciphers) && good; i++) {
		good = keymat_phase1(c->hash, ciphers[i][0], ciphers[i][1], &skeyid, c->gxy,
				     SPAN_OF(both), &k) == 0 &&
		       span_eq(secret_span(&k.skeyid_d), c->d) &&
		       span_eq(secret_span(&k.skeyid_a), c->a);
		if (!good)
			break;
		appendix_b(c->hash, c->e, key, k.key_len);
		good = memcmp(k.key, key, k.key_len) == 0;
	}
	return good;
}

static const struct {
	const char *name;
	uint16_t hash;
	const char *cky_i, *cky_r, *ni, *nr, *gxy, *psk, *skeyid, *d, *a, *e;
} typed[] = {
#include "../data/cavs.inc"
};

static struct span keep(const char *text, uint8_t **at)
{
	struct span s = unhex(text, *at, 2048);

	*at += s.n;
	return s;
}

static void test_typed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		uint8_t buf[4096], *p = buf;
		const struct cavs c = {
			.hash = typed[i].hash,
			.cky_i = keep(typed[i].cky_i, &p),
			.cky_r = keep(typed[i].cky_r, &p),
			.ni = keep(typed[i].ni, &p),
			.nr = keep(typed[i].nr, &p),
			.gxy = keep(typed[i].gxy, &p),
			.psk = typed[i].psk ? keep(typed[i].psk, &p) : (struct span){ 0 },
			.skeyid = keep(typed[i].skeyid, &p),
			.d = keep(typed[i].d, &p),
			.a = keep(typed[i].a, &p),
			.e = keep(typed[i].e, &p),
		};

		ok(cavs_holds(&c), "%s", typed[i].name);
	}
}

static struct span *cavs_field(struct cavs *c, const char *key)
{
	const struct {
		const char *key;
		struct span *field;
	} map[] = {
		{ "CKY_I", &c->cky_i },   { "CKY_R", &c->cky_r }, { "Ni", &c->ni },
		{ "Nr", &c->nr },         { "g^xy", &c->gxy },    { "pre-shared-key", &c->psk },
		{ "SKEYID", &c->skeyid }, { "SKEYID_d", &c->d },  { "SKEYID_a", &c->a },
		{ "SKEYID_e", &c->e },
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (strcmp(map[i].key, key) == 0)
			return map[i].field;
	return NULL;
}

static void test_cavs(void)
{
	static uint8_t buf[16384];
	uint8_t *p = buf;
	struct cavs c = { 0 };
	const char *key, *value;
	struct vectors v;
	unsigned good = 0, bad = 0, hashes = 0;

	if (!vectors_open(&v, "nist-cavs-ikev1_psk.fax")) {
		skip(1, "VPNGW_VECTORS is not set: no NIST CAVS");
		return;
	}
	while (vectors_next(&v, &key, &value)) {
		struct span *field = cavs_field(&c, key);

		if (!*key && hash_by_name(value))
			c.hash = hash_by_name(value);
		if (strcmp(key, "COUNT") == 0)
			p = buf;
		if (!field)
			continue;
		*field = keep(value, &p);
		if (field != &c.e)
			continue;
		hashes |= 1u << c.hash;
		*(cavs_holds(&c) ? &good : &bad) += 1;
	}
	printf("# %u cases, %u wrong\n", good + bad, bad);
	ok(good == 1700 && !bad &&
		   hashes == (1u << HASH_SHA1 | 1u << HASH_SHA256 | 1u << HASH_SHA384 |
			      1u << HASH_SHA512),
	   "all 1700 NIST CAVS cases");
	vectors_close(&v);
}

/* ---- appendix B: expansion of SKEYID_e ---- */

static bool expands(uint16_t hash, struct span e, struct span want)
{
	uint8_t out[2048];

	if (!want.n || want.n > sizeof(out))
		return false;
	appendix_b(hash, e, out, want.n);
	return memcmp(out, want.p, want.n) == 0;
}

static void test_nss(void)
{
	static uint8_t buf[8192];
	struct span ikm = { 0 }, okm = { 0 };
	const char *key, *value;
	char type[32] = "";
	uint16_t hash = 0;
	struct vectors v;
	unsigned good = 0, bad = 0;

	if (!vectors_open(&v, "nss-ikev1-kdf.json")) {
		skip(1, "VPNGW_VECTORS is not set: no NSS vectors");
		return;
	}
	while (vectors_next(&v, &key, &value)) {
		if (strcmp(key, "ikm") == 0)
			ikm = unhex(value, buf, 4096);
		else if (strcmp(key, "okm") == 0)
			okm = unhex(value, buf + 4096, 4096);
		else if (strcmp(key, "prf") == 0)
			hash = hash_by_name(value);
		else if (strcmp(key, "type") == 0)
			snprintf(type, sizeof(type), "%s", value);
		else if (strcmp(key, "valid") == 0 && hash && strcmp(type, "ikeV1AppB") == 0)
			*(expands(hash, ikm, okm) ? &good : &bad) += 1;
	}
	printf("# %u expansions, %u wrong\n", good + bad, bad);
	ok(good == 12 && !bad, "NSS expands SKEYID_e as the core does");
	vectors_close(&v);
}

static void test_expansion(void)
{
	/* The first of NSS, id 11. */
	ok(expands(HASH_SHA1, hex("63e81194946ebd05df7df5ebf5d8750056bf1f1d"),
		   hex("933347a07de5782247dd36d1562ffe0eecade1eb4134165257e3af1000af8ae3f165063828"
		       "cbb60d910b7db38fa3c7f62c4afaaf3203da065c841729853edb23")),
	   "SKEYID_e is expanded as NSS does it");
}

/* ---- HASH_R: live recordings, PSK as their SKEYID ---- */

static void test_hash_r(void)
{
	const struct hash_input in = {
		.g_own = hex(
			"6d026d5616c45be05e5b898411e9f95d195cea009ad22c62bef06c571b7cfbc4792f4556"
			"4ec710ac584aa18d20cbc8f5f8910666b89e4ee2f95abc0230e2cba1b88ac4bba7fcc818"
			"a986c01a4ca865a5eb82884dbec85bfd7d1a303b09894dcf2e3785fd79dba225377cf8cc"
			"a009ceffbb6aa38b648c4b05404f1cfaac361aff"),
		.g_other =
			hex("2f7c491c67e3609a09c4e03342f7457ef4b8439266dba07efbd891874542de212d3cc3"
			    "cc0274e680e7adee2c3476d1e61dfefa75039392e0705ae7b1e0012bdabc06cfbc43f3"
			    "cd25d5ac8cb0d9ae345c61fb91f120a1d405daaeafdb275d3f33bfddd7d2d8562fa812"
			    "190e977074fb177188886d6ae884ad1c0fbce3f06b4f07"),
		.cky_own = hex("a00b8ef0ea9ff883"),
		.cky_other = hex("e47a591f78c99d7f"),
		.sa_i = hex(
			"00000001000000010000003001010001000000280101000080010007800e00808002000280"
			"04000280030001800b0001000c000400015180"),
		.id = hex("01000000c0a80c02"),
	};
	const struct span nonces[] = { hex("f45234b575fa02bdbfd717081e92868f5e2d3773"
					   "1f26436f8ae50d3aad805d26ad4d7512a7e72a81") };
	struct secret skeyid, h;

	prf(HASH_SHA1, span_str("MYPASSWORD"), nonces, 1, &skeyid);
	is_bytes(secret_span(&skeyid), hex("eaab18f059ca990f4db5a5f8981f99b354f69940"),
		 "Cisco IOS has this SKEYID");
	is_int(keymat_hash_p1(HASH_SHA1, &skeyid, &in, &h), 0, "HASH_R is worked out");
	is_bytes(secret_span(&h), hex("8585d037d9b48b7cd17e235549e023f137c7ce26"),
		 "and is what Cisco IOS sent");
}

/* Nortel replaces the shared key by HMAC-SHA1(SHA1(key), name of the user). */
static struct secret nortel(const char *psk, const char *user)
{
	struct span p = span_str(psk), u = span_str(user);
	struct secret key;
	uint8_t h[IKE_HASH_MAX];

	hash_of(HASH_SHA1, &p, 1, h);
	prf(HASH_SHA1, (struct span){ h, 20 }, &u, 1, &key);
	return key;
}

static void test_ike_scan(void)
{
	static uint8_t buf[16384];
	uint8_t *p = buf;
	struct span f[10] = { 0 };
	static const char *const names[] = { "g_xr",   "g_xi", "cky_r", "cky_i",  "sai_b",
					     "idir_b", "ni_b", "nr_b",  "hash_r", "skeyid" };
	const char *key, *value, *psk = "", *user = "";
	struct vectors v;
	uint16_t hash = 0;
	unsigned good = 0, bad = 0;

	if (!vectors_open(&v, "ike-scan-aggressive-psk-hash_r.json")) {
		skip(1, "VPNGW_VECTORS is not set: no recordings of ike-scan");
		return;
	}
	while (vectors_next(&v, &key, &value)) {
		if (strcmp(key, "prf") == 0) {
			hash = hash_by_name(value);
			p = buf;
		} else if (strcmp(key, "psk") == 0) {
			psk = value;
		} else if (strcmp(key, "nortel_user") == 0) {
			user = value;
		}
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strcmp(key, names[i]) == 0)
				f[i] = keep(value, &p);
		if (strcmp(key, "skeyid") != 0)
			continue;
		struct secret k = nortel(psk, user), skeyid, h;
		struct span psk_key = strcmp(user, "null") ? secret_span(&k) : span_str(psk);
		const struct hash_input in = { f[0], f[1], f[2], f[3], f[4], f[5] };

		keymat_skeyid_psk(hash, psk_key, f[6], f[7], &skeyid);
		keymat_hash_p1(hash, &skeyid, &in, &h);
		*(span_eq(secret_span(&skeyid), f[9]) && span_eq(secret_span(&h), f[8]) ? &good
											: &bad) +=
			1;
	}
	printf("# %u recordings, %u wrong\n", good + bad, bad);
	ok(good == 8 && !bad, "HASH_R of Check Point, NetScreen and Nortel");
	vectors_close(&v);
}

/* ---- NAT-D ---- */

static void test_natd(void)
{
	struct endpoint e = { 0 };
	uint8_t h[IKE_HASH_MAX];
	size_t n;

	endpoint_parse("192.168.12.2:500", &e);
	n = natd_of(HASH_SHA1, hex("e47a591fd057587f").p, hex("a00b8ef0902bb8ec").p, &e, h);
	is_bytes((struct span){ h, n }, hex("1574d64c0165bad16a023f038d45a07498d8d051"),
		 "NAT-D of Cisco IOS");
	endpoint_parse("192.1.2.23:500", &e);
	n = natd_of(HASH_MD5, hex("9e89f2388f90bc1e").p, hex("0a74357ce3d1a4bf").p, &e, h);
	is_bytes((struct span){ h, n }, hex("6efe12f04af90dfbcfb15d71b841bb9e"),
		 "NAT-D of Openswan");
	is_int((long long)natd_of(3, h, h, &e, h), 0, "no hash, no NAT-D");
}

static void test_natd_captures(void)
{
	struct endpoint e = { 0 };
	uint8_t cky_i[8], cky_r[8], digest[64], h[IKE_HASH_MAX];
	const char *key, *value;
	struct vectors v;
	uint16_t hash = 0;
	unsigned good = 0, bad = 0;
	bool known = false;

	if (!vectors_open(&v, "natd-from-captures.json")) {
		skip(1, "VPNGW_VECTORS is not set: no NAT-D of captures");
		return;
	}
	while (vectors_next(&v, &key, &value)) {
		if (strcmp(key, "capture") == 0)
			known = false;
		else if (strcmp(key, "hash") == 0)
			hash = hash_by_name(value);
		else if (strcmp(key, "cky_i") == 0)
			unhex(value, cky_i, 8);
		else if (strcmp(key, "cky_r") == 0)
			unhex(value, cky_r, 8);
		else if (strcmp(key, "addr") == 0)
			known = ipaddr_parse(value, &e.addr) == 0;
		else if (strcmp(key, "port") == 0)
			e.port = (uint16_t)atoi(value);
		if (strcmp(key, "digest") != 0 || !known)
			continue;
		struct span want = unhex(value, digest, sizeof(digest));
		size_t n = natd_of(hash, cky_i, cky_r, &e, h);

		*(span_eq(want, (struct span){ h, n }) ? &good : &bad) += 1;
	}
	printf("# %u payloads, %u wrong\n", good + bad, bad);
	ok(good == 17 && !bad, "NAT-D of every capture");
	vectors_close(&v);
}

int main(void)
{
	test_expansion();
	test_nss();
	test_typed();
	test_cavs();
	test_hash_r();
	test_ike_scan();
	test_natd();
	test_natd_captures();
	return done();
}
