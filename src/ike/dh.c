/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dh.c - Diffie-Hellman: the groups, the checks, and the GMP and nettle engine.
 *
 * GnuTLS 3.7 exports no Diffie-Hellman of its own, but it stands on GMP and nettle, so these cost
 * no further library. Modular exponentiation uses mpn_sec_powm, whose time does not tell the
 * exponent.
 */
#include "ike/dh.h"

#include <errno.h>
#include <gmp.h>
#include <nettle/curve25519.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include "cleanup.h"

/*
 * Private exponents have twice the bits of the group's strength (RFC 3526 8). The first 32 bytes
 * serve every group up to 3072 bits.
 */
static const struct dh_group groups[] = {
	{ 1, DH_MODP, 96, 96, 32 },      { 2, DH_MODP, 128, 128, 32 },
	{ 5, DH_MODP, 192, 192, 32 },    { 14, DH_MODP, 256, 256, 32 },
	{ 15, DH_MODP, 384, 384, 32 },   { 16, DH_MODP, 512, 512, 40 },
	{ 17, DH_MODP, 768, 768, 48 },   { 18, DH_MODP, 1024, 1024, 56 },
	{ 19, DH_ECP, 64, 32, 32 + 8 },  { 20, DH_ECP, 96, 48, 48 + 8 },
	{ 21, DH_ECP, 132, 66, 66 + 8 }, { 31, DH_X25519, 32, 32, 32 },
};

const struct dh_group *dh_group(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

/* ---- MODP ---- */

#define LIMB_BYTES sizeof(mp_limb_t)
#define MODP_LIMBS (DH_PUBLIC_MAX / LIMB_BYTES)

static void limbs_from(mp_limb_t *out, size_t n, struct span s)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = 0;
		for (size_t b = 0; b < LIMB_BYTES; b++) {
			size_t at = i * LIMB_BYTES + b;

			if (at < s.n)
				out[i] |= (mp_limb_t)s.p[s.n - 1 - at] << (8 * b);
		}
	}
}

static void limbs_to(uint8_t *out, size_t len, const mp_limb_t *v)
{
	for (size_t at = 0; at < len; at++)
		out[len - 1 - at] = (uint8_t)(v[at / LIMB_BYTES] >> (8 * (at % LIMB_BYTES)));
}

static int gmp_modexp(struct span base, struct span exp, struct span mod, uint8_t *out)
{
	size_t n = mod.n / LIMB_BYTES, en = (exp.n + LIMB_BYTES - 1) / LIMB_BYTES;
	mp_limb_t b[MODP_LIMBS], m[MODP_LIMBS], r[MODP_LIMBS], e[DH_PRIVATE_MAX / LIMB_BYTES + 1];
	size_t itch = (size_t)mpn_sec_powm_itch((mp_size_t)n, exp.n * 8, (mp_size_t)n) * LIMB_BYTES;
	mp_limb_t *tmp;

	if (mod.n % LIMB_BYTES || n > MODP_LIMBS || base.n > mod.n || exp.n > DH_PRIVATE_MAX)
		return -EINVAL;
	tmp = malloc(itch);
	if (!tmp)
		return -ENOMEM;
	limbs_from(b, n, base);
	limbs_from(m, n, mod);
	limbs_from(e, en, exp);
	mpn_sec_powm(r, b, (mp_size_t)n, e, exp.n * 8, m, (mp_size_t)n, tmp);
	limbs_to(out, mod.n, r);
	explicit_bzero(e, sizeof(e));
	explicit_bzero(r, sizeof(r));
	explicit_bzero(tmp, itch);
	free(tmp);
	return 0;
}

const struct dh_engine dh_engine_gmp = { .name = "gmp", .modexp = gmp_modexp };

/* 2 <= y <= p - 2: the values that prove nothing are 0, 1 and p - 1 (the primes are safe). */
static bool modp_valid(struct span y, struct span p)
{
	uint8_t top = 0;
	int cmp;

	if (y.n != p.n)
		return false;
	for (size_t i = 0; i + 1 < y.n; i++)
		top |= y.p[i];
	if (!top && y.p[y.n - 1] < 2)
		return false;
	/* p is odd, so p - 1 differs from it in the last byte only. */
	cmp = memcmp(y.p, p.p, p.n - 1);
	return cmp < 0 || (cmp == 0 && y.p[y.n - 1] < p.p[p.n - 1] - 1);
}

static int modp_make(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		     uint8_t *ret_public)
{
	static const uint8_t two[] = { 2 };

	return e->modexp(SPAN_OF(two), (struct span){ private, g->private_len }, modp_prime(g->id),
			 ret_public);
}

static int modp_agree(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		      struct span peer, uint8_t *ret_shared)
{
	struct span p = modp_prime(g->id);

	if (!modp_valid(peer, p))
		return -EINVAL;
	return e->modexp(peer, (struct span){ private, g->private_len }, p, ret_shared);
}

/* ---- ECP ---- */

static const struct ecc_curve *ecp_curve(uint16_t id)
{
	return id == 19   ? nettle_get_secp_256r1()
	       : id == 20 ? nettle_get_secp_384r1()
			  : nettle_get_secp_521r1();
}

/* The group's order; nettle does not export it. SEC 2 2.4.2, 2.5.1, 2.6.1. */
static const char *ecp_order(uint16_t id)
{
	switch (id) {
	case 19:
		return "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	case 20:
		return "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db2"
		       "48b0a77aecec196accc52973";
	default:
		return "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
		       "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
	}
}

/* A scalar in 1..order-1; the 8 surplus random bytes leave no bias that could be seen. */
static void ecp_scalar(const struct dh_group *g, const uint8_t *private, struct ecc_scalar *ret)
{
	mpz_t k, n;

	mpz_init(k);
	mpz_init_set_str(n, ecp_order(g->id), 16);
	mpz_sub_ui(n, n, 1);
	mpz_import(k, g->private_len, 1, 1, 1, 0, private);
	mpz_mod(k, k, n);
	mpz_add_ui(k, k, 1);
	ecc_scalar_init(ret, ecp_curve(g->id));
	ecc_scalar_set(ret, k);
	/* mpz_clear does not wipe. */
	for (size_t i = 0; i < mpz_size(k); i++)
		mpz_limbs_modify(k, (mp_size_t)mpz_size(k))[i] = 0;
	mpz_clears(k, n, NULL);
}

/* x|y or x alone, left-padded. */
static void ecp_put(const struct dh_group *g, const struct ecc_point *p, uint8_t *x, uint8_t *y)
{
	size_t len = g->shared_len, n;
	mpz_t v[2];
	uint8_t *out[2] = { x, y };

	mpz_inits(v[0], v[1], NULL);
	ecc_point_get(p, v[0], v[1]);
	for (unsigned i = 0; i < 2; i++) {
		if (!out[i])
			continue;
		memset(out[i], 0, len);
		n = (mpz_sizeinbase(v[i], 2) + 7) / 8;
		if (mpz_sgn(v[i]) != 0)
			mpz_export(out[i] + len - n, NULL, 1, 1, 1, 0, v[i]);
	}
	mpz_clears(v[0], v[1], NULL);
}

static int ecp_make(const struct dh_group *g, const uint8_t *private, uint8_t *ret_public)
{
	struct ecc_scalar k;
	struct ecc_point r;

	ecp_scalar(g, private, &k);
	ecc_point_init(&r, ecp_curve(g->id));
	ecc_point_mul_g(&r, &k);
	ecp_put(g, &r, ret_public, ret_public + g->shared_len);
	ecc_point_clear(&r);
	ecc_scalar_clear(&k);
	return 0;
}

static int ecp_agree(const struct dh_group *g, const uint8_t *private, struct span peer,
		     uint8_t *ret_shared)
{
	struct ecc_scalar k;
	struct ecc_point q, r;
	mpz_t x, y;
	int on_curve;

	if (peer.n != g->public_len)
		return -EINVAL;
	mpz_inits(x, y, NULL);
	mpz_import(x, g->shared_len, 1, 1, 1, 0, peer.p);
	mpz_import(y, g->shared_len, 1, 1, 1, 0, peer.p + g->shared_len);
	ecc_point_init(&q, ecp_curve(g->id));
	on_curve = ecc_point_set(&q, x, y);
	mpz_clears(x, y, NULL);
	if (!on_curve) {
		ecc_point_clear(&q);
		return -EINVAL;
	}
	ecp_scalar(g, private, &k);
	ecc_point_init(&r, ecp_curve(g->id));
	ecc_point_mul(&r, &k, &q);
	ecp_put(g, &r, ret_shared, NULL);
	ecc_point_clear(&r);
	ecc_point_clear(&q);
	ecc_scalar_clear(&k);
	return 0;
}

/* ---- X25519 ---- */

static int x25519_agree(const uint8_t *private, struct span peer, uint8_t *ret_shared)
{
	uint8_t any = 0;

	if (peer.n != CURVE25519_SIZE)
		return -EINVAL;
	curve25519_mul(ret_shared, private, peer.p);
	for (size_t i = 0; i < CURVE25519_SIZE; i++)
		any |= ret_shared[i];
	return any ? 0 : -EINVAL; /* RFC 7748 6.1: a value of low order */
}

/* ---- both ---- */

int dh_make_with(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		 uint8_t *ret_public)
{
	switch (g->kind) {
	case DH_MODP:
		return modp_make(e, g, private, ret_public);
	case DH_ECP:
		return ecp_make(g, private, ret_public);
	case DH_X25519:
		curve25519_mul_g(ret_public, private);
		return 0;
	}
	return -EINVAL;
}

int dh_agree_with(const struct dh_engine *e, const struct dh_group *g, const uint8_t *private,
		  struct span peer_public, uint8_t *ret_shared)
{
	switch (g->kind) {
	case DH_MODP:
		return modp_agree(e, g, private, peer_public, ret_shared);
	case DH_ECP:
		return ecp_agree(g, private, peer_public, ret_shared);
	case DH_X25519:
		return x25519_agree(private, peer_public, ret_shared);
	}
	return -EINVAL;
}

#ifdef HAVE_LIBCRYPTO
#define DH_ENGINE dh_engine_libcrypto
#else
#define DH_ENGINE dh_engine_gmp
#endif

int dh_make(const struct dh_group *g, const uint8_t *private, uint8_t *ret_public)
{
	return dh_make_with(&DH_ENGINE, g, private, ret_public);
}

int dh_agree(const struct dh_group *g, const uint8_t *private, struct span peer_public,
	     uint8_t *ret_shared)
{
	return dh_agree_with(&DH_ENGINE, g, private, peer_public, ret_shared);
}
