/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keymat.c - every key, hash and IV of IKEv1: RFC 2409 5, 5.1, 5.5, appendix B. Pure. */
#include "ike/keymat.h"

#include <errno.h>

#include "cleanup.h"

int keymat_skeyid_sig(uint16_t hash, struct span ni, struct span nr, struct span shared,
		      struct secret *ret)
{
	uint8_t key[512];
	struct wr w = wr_into(key, sizeof(key));

	wr_span(&w, ni);
	wr_span(&w, nr);
	return w.bad ? -EINVAL : prf(hash, wr_done(&w), &shared, 1, ret);
}

int keymat_skeyid_psk(uint16_t hash, struct span psk, struct span ni, struct span nr,
		      struct secret *ret)
{
	const struct span v[] = { ni, nr };

	return psk.n ? prf(hash, psk, v, ARRAY_SIZE(v), ret) : -EINVAL;
}

/* Appendix B: SKEYID_e itself when it is long enough, else K1 | K2 | ... from it. */
static int cipher_key(uint16_t hash, const struct secret *e, struct ike_keys *k)
{
	_cleanup_(secret_wipe) struct secret block = { .n = 0 };
	static const uint8_t zero = 0;
	struct span seed = { &zero, 1 };
	size_t have = 0;

	if (e->n >= k->key_len) {
		memcpy(k->key, e->b, k->key_len);
		return 0;
	}
	while (have < k->key_len) {
		struct secret next;
		int rc = prf(hash, secret_span(e), &seed, 1, &next);
		size_t n;

		if (rc < 0)
			return rc;
		block = next;
		secret_wipe(&next);
		n = block.n < k->key_len - have ? block.n : k->key_len - have;
		memcpy(k->key + have, block.b, n);
		have += n;
		seed = secret_span(&block);
	}
	return 0;
}

int keymat_phase1(uint16_t hash, uint16_t enc, uint16_t key_bits, const struct secret *skeyid,
		  struct span shared, struct span cookies, struct ike_keys *ret)
{
	_cleanup_(secret_wipe) struct secret e = { .n = 0 };
	static const uint8_t tag[3] = { 0, 1, 2 };
	struct ike_keys k = { .enc = enc, .hash = hash };
	const struct secret *prev = NULL;
	struct secret *const out[3] = { &k.skeyid_d, &k.skeyid_a, &e };
	int rc = 0;

	k.key_len = (uint8_t)cipher_key_len(enc, key_bits);
	if (!k.key_len || cookies.n != 2 * IKE_COOKIE)
		return -EINVAL;
	for (unsigned i = 0; i < 3 && rc == 0; i++) {
		const struct span v[] = { prev ? secret_span(prev) : (struct span){ 0 },
					  shared,
					  cookies,
					  { &tag[i], 1 } };

		rc = prf(hash, secret_span(skeyid), v, ARRAY_SIZE(v), out[i]);
		prev = out[i];
	}
	if (rc == 0)
		rc = cipher_key(hash, &e, &k);
	if (rc == 0)
		*ret = k;
	explicit_bzero(&k, sizeof(k));
	return rc;
}

int keymat_hash_p1(uint16_t hash, const struct secret *skeyid, const struct hash_input *in,
		   struct secret *ret)
{
	const struct span v[] = { in->g_own,     in->g_other, in->cky_own,
				  in->cky_other, in->sa_i,    in->id };

	return prf(hash, secret_span(skeyid), v, ARRAY_SIZE(v), ret);
}

static int iv_of(uint16_t hash, uint16_t enc, struct span a, struct span b,
		 uint8_t ret_iv[static IKE_BLOCK_MAX])
{
	const struct span v[] = { a, b };
	uint8_t h[IKE_HASH_MAX];
	int rc = hash_of(hash, v, ARRAY_SIZE(v), h);

	if (rc == 0)
		memcpy(ret_iv, h, cipher_block(enc));
	return rc;
}

int keymat_iv_phase1(uint16_t hash, uint16_t enc, struct span g_i, struct span g_r,
		     uint8_t ret_iv[static IKE_BLOCK_MAX])
{
	return iv_of(hash, enc, g_i, g_r, ret_iv);
}

/* The message ID as it stands in the header. */
static struct span msgid_bytes(uint32_t msgid, uint8_t buf[static 4])
{
	struct wr w = wr_into(buf, 4);

	wr_be32(&w, msgid);
	return wr_done(&w);
}

int keymat_iv_phase2(const struct ike_keys *k, const uint8_t *last_block, uint32_t msgid,
		     uint8_t ret_iv[static IKE_BLOCK_MAX])
{
	uint8_t m[4];

	return iv_of(k->hash, k->enc, (struct span){ last_block, cipher_block(k->enc) },
		     msgid_bytes(msgid, m), ret_iv);
}

int keymat_hash1(const struct ike_keys *k, uint32_t msgid, struct span rest, struct secret *ret)
{
	return keymat_hash2(k, msgid, (struct span){ 0 }, rest, ret);
}

int keymat_hash2(const struct ike_keys *k, uint32_t msgid, struct span ni, struct span rest,
		 struct secret *ret)
{
	uint8_t m[4];
	const struct span v[] = { msgid_bytes(msgid, m), ni, rest };

	return prf(k->hash, secret_span(&k->skeyid_a), v, ARRAY_SIZE(v), ret);
}

int keymat_hash3(const struct ike_keys *k, uint32_t msgid, struct span ni, struct span nr,
		 struct secret *ret)
{
	static const uint8_t zero = 0;
	uint8_t m[4];
	const struct span v[] = { { &zero, 1 }, msgid_bytes(msgid, m), ni, nr };

	return prf(k->hash, secret_span(&k->skeyid_a), v, ARRAY_SIZE(v), ret);
}

int keymat_child(const struct ike_keys *k, uint8_t proto, uint32_t spi, struct span shared,
		 struct span ni, struct span nr, uint8_t *out, size_t n)
{
	_cleanup_(secret_wipe) struct secret block = { .n = 0 };
	uint8_t head[5];
	struct wr w = wr_into(head, sizeof(head));
	size_t have = 0;

	wr_u8(&w, proto);
	wr_be32(&w, spi);
	while (have < n) {
		const struct span v[] = { secret_span(&block), shared, wr_done(&w), ni, nr };
		struct secret next;
		int rc = prf(k->hash, secret_span(&k->skeyid_d), v, ARRAY_SIZE(v), &next);
		size_t take;

		if (rc < 0)
			return rc;
		block = next;
		secret_wipe(&next);
		take = block.n < n - have ? block.n : n - have;
		memcpy(out + have, block.b, take);
		have += take;
	}
	return 0;
}
