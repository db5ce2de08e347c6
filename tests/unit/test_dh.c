/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_dh.c - Diffie-Hellman: agreement in every group, both engines, published values, bad values. */
#include "ike/dh.h"

#include "cleanup.h"
#include "tap.h"

static const uint16_t all[] = { 1, 2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 31 };

static void fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		p[i] = (uint8_t)(seed >> 16);
	}
}

static void agreement(const struct dh_group *g)
{
	uint8_t a[DH_PRIVATE_MAX], b[DH_PRIVATE_MAX], ga[DH_PUBLIC_MAX], gb[DH_PUBLIC_MAX],
		s1[DH_SHARED_MAX], s2[DH_SHARED_MAX];

	fill(a, sizeof(a), g->id);
	fill(b, sizeof(b), g->id + 100u);
	ok(dh_make(g, a, ga) == 0 && dh_make(g, b, gb) == 0 &&
		   dh_agree(g, a, (struct span){ gb, g->public_len }, s1) == 0 &&
		   dh_agree(g, b, (struct span){ ga, g->public_len }, s2) == 0 &&
		   memcmp(s1, s2, g->shared_len) == 0,
	   "group %u: both sides reach one secret", g->id);
	ok(dh_agree(g, a, (struct span){ gb, g->public_len - 1u }, s1) < 0,
	   "group %u: a public value one byte short is refused", g->id);
	ok(dh_agree(g, a, (struct span){ gb, 0 }, s1) < 0,
	   "group %u: an empty public value is refused", g->id);
}

static void engines(const struct dh_group *g)
{
#ifdef HAVE_LIBCRYPTO
	uint8_t a[DH_PRIVATE_MAX], b[DH_PRIVATE_MAX], g1[DH_PUBLIC_MAX], g2[DH_PUBLIC_MAX],
		gb[DH_PUBLIC_MAX], s1[DH_SHARED_MAX], s2[DH_SHARED_MAX];
	bool same = true;

	for (unsigned round = 0; same && round < (g->public_len > 256 ? 2 : 8); round++) {
		fill(a, sizeof(a), g->id + round);
		fill(b, sizeof(b), g->id + 77u * round);
		same = dh_make_with(&dh_engine_gmp, g, a, g1) == 0 &&
		       dh_make_with(&dh_engine_libcrypto, g, a, g2) == 0 &&
		       memcmp(g1, g2, g->public_len) == 0 &&
		       dh_make_with(&dh_engine_gmp, g, b, gb) == 0;
		same = same &&
		       dh_agree_with(&dh_engine_gmp, g, a, (struct span){ gb, g->public_len },
				     s1) == 0 &&
		       dh_agree_with(&dh_engine_libcrypto, g, a, (struct span){ gb, g->public_len },
				     s2) == 0 &&
		       memcmp(s1, s2, g->shared_len) == 0;
	}
	ok(same, "group %u: gmp and libcrypto compute the same", g->id);
#else
	skip(1, "group %u: built without libcrypto", g->id);
#endif
}

/* 0, 1, p-1, p, p+1 and all ones prove nothing or are no members: RFC 2409 5, N071-N075. */
static void modp_bad_values(const struct dh_group *g)
{
	struct span p = modp_prime(g->id);
	uint8_t y[DH_PUBLIC_MAX], s[DH_SHARED_MAX], a[DH_PRIVATE_MAX];
	static const char *const what[] = { "0", "1", "p-1", "p", "p+1", "all ones" };

	fill(a, sizeof(a), 5);
	for (unsigned i = 0; i < ARRAY_SIZE(what); i++) {
		memset(y, i == 5 ? 0xff : 0, p.n);
		if (i >= 2 && i <= 4)
			memcpy(y, p.p, p.n);
		if (i == 1)
			y[p.n - 1] = 1;
		if (i == 2)
			y[p.n - 1]--;
		if (i == 4) { /* the primes end in 64 ones: the carry runs through 8 bytes */
			for (size_t k = p.n; k-- && ++y[k] == 0;)
				;
		}
		ok(dh_agree(g, a, (struct span){ y, p.n }, s) < 0, "group %u: %s is refused", g->id,
		   what[i]);
	}
	memset(y, 0, p.n);
	y[p.n - 1] = 2;
	ok(dh_agree(g, a, (struct span){ y, p.n }, s) == 0, "group %u: 2 is accepted", g->id);
	memcpy(y, p.p, p.n);
	y[p.n - 1] -= 2;
	ok(dh_agree(g, a, (struct span){ y, p.n }, s) == 0, "group %u: p-2 is accepted", g->id);
}

/* A secret with leading zero bytes keeps the group's width: about one handshake in 256. */
static void left_padding(void)
{
	const struct dh_group *g = dh_group(2);
	uint8_t a[DH_PRIVATE_MAX], ga[DH_PUBLIC_MAX], s[DH_SHARED_MAX];
	unsigned zeros = 0;

	for (unsigned i = 0; i < 1500 && !zeros; i++) {
		fill(a, sizeof(a), i);
		dh_make(g, a, ga);
		memset(s, 0xaa, sizeof(s));
		dh_agree(g, a, (struct span){ ga, g->public_len }, s);
		zeros += s[0] == 0;
		if (s[g->shared_len] != 0xaa)
			break;
	}
	ok(zeros > 0, "a secret with a leading zero byte is padded to the group's width");
}

/* RFC 5903 8.1 (P-256) and RFC 7748 6.1 (X25519): the published secrets. */
static void published(void)
{
	const struct dh_group *x = dh_group(31), *p256 = dh_group(19);
	struct span alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
				"0000000000000000");
	struct span bob_pub =
		hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	uint8_t out[DH_SHARED_MAX], pub[DH_PUBLIC_MAX];
	struct span i_scalar =
		hex("0000000000000000c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049"
		    "c62a9c57862d1433");
	struct span r_pub = hex("d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
				"56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab");
	uint8_t k[DH_PRIVATE_MAX];

	dh_make(x, alice.p, pub);
	is_bytes((struct span){ pub, 32 },
		 hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
		 "X25519: Alice's public value of RFC 7748 6.1");
	dh_agree(x, alice.p, bob_pub, out);
	is_bytes((struct span){ out, 32 },
		 hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
		 "X25519: the shared secret of RFC 7748 6.1");

	/* dh_make() adds one to the scalar modulo the order, so give it one less. */
	memcpy(k, i_scalar.p, i_scalar.n);
	k[i_scalar.n - 1]--;
	dh_make(p256, k, pub);
	is_bytes((struct span){ pub, 64 },
		 hex("dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
		     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"),
		 "P-256: the initiator's public value of RFC 5903 8.1");
	dh_agree(p256, k, r_pub, out);
	is_bytes((struct span){ out, 32 },
		 hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"),
		 "P-256: the shared secret of RFC 5903 8.1");
}

static void ecp_bad_values(void)
{
	uint8_t y[DH_PUBLIC_MAX], s[DH_SHARED_MAX], a[DH_PRIVATE_MAX];

	fill(a, sizeof(a), 9);
	for (uint16_t id = 19; id <= 21; id++) {
		const struct dh_group *g = dh_group(id);

		dh_make(g, a, y);
		y[g->public_len - 1] ^= 1;
		ok(dh_agree(g, a, (struct span){ y, g->public_len }, s) < 0,
		   "group %u: a point off the curve is refused", id);
		memset(y, 0, sizeof(y));
		ok(dh_agree(g, a, (struct span){ y, g->public_len }, s) < 0,
		   "group %u: all zeros are refused", id);
		memset(y, 0xff, sizeof(y));
		ok(dh_agree(g, a, (struct span){ y, g->public_len }, s) < 0,
		   "group %u: coordinates above the field are refused", id);
	}
	memset(y, 0, sizeof(y));
	ok(dh_agree(dh_group(31), a, (struct span){ y, 32 }, s) < 0,
	   "X25519: a value of low order is refused");
}

int main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		const struct dh_group *g = dh_group(all[i]);

		agreement(g);
		if (g->kind == DH_MODP) {
			engines(g);
			modp_bad_values(g);
		}
	}
	left_padding();
	published();
	ecp_bad_values();
	ok(!dh_group(0) && !dh_group(22) && !dh_group(1025) && !dh_group(65535),
	   "other groups do not exist");
	return done();
}
