/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* build.c - writing ISAKMP messages: header, payload chain, hash, padding, encryption. Pure. */
#include "ike/build.h"

enum {
	AT_NEXT = 16,
	AT_FLAGS = 19,
	AT_LENGTH = 24,
};

struct ike_build build_start(void *buf, size_t cap, const uint8_t cky_i[static 8],
			     const uint8_t cky_r[static 8], uint8_t xchg, uint32_t msgid)
{
	struct ike_build b = { .w = wr_into(buf, cap), .next_at = AT_NEXT };

	wr_bytes(&b.w, cky_i, 8);
	wr_bytes(&b.w, cky_r, 8);
	wr_u8(&b.w, PL_NONE);
	wr_u8(&b.w, 0x10); /* version 1.0 */
	wr_u8(&b.w, xchg);
	wr_u8(&b.w, 0);
	wr_be32(&b.w, msgid);
	wr_be32(&b.w, 0);
	return b;
}

static void build_close(struct ike_build *b)
{
	if (b->payload_at)
		wr_patch_be16(&b->w, b->payload_at + 2, b->w.len - b->payload_at);
	b->payload_at = 0;
}

void build_open(struct ike_build *b, uint8_t type)
{
	build_close(b);
	wr_patch_u8(&b->w, b->next_at, type);
	b->payload_at = b->next_at = b->w.len;
	wr_be32(&b->w, 0); /* next payload, RESERVED, length */
}

void build_payload(struct ike_build *b, uint8_t type, struct span body)
{
	build_open(b, type);
	wr_span(&b->w, body);
}

void build_hash(struct ike_build *b, size_t n)
{
	build_open(b, PL_HASH);
	b->hash_at = b->w.len;
	wr_zero(&b->w, n);
	build_close(b);
}

struct span build_after_hash(struct ike_build *b)
{
	size_t end;

	build_close(b);
	if (b->w.bad || !b->hash_at)
		return (struct span){ 0 };
	/* The HASH payload's own length tells where it ends. */
	end = b->hash_at - 4 + (size_t)(b->w.p[b->hash_at - 2] << 8 | b->w.p[b->hash_at - 1]);
	return (struct span){ b->w.p + end, b->w.len - end };
}

/* The length field has 32 bits, but no datagram is longer than 16 bits can say. */
static struct span finish(struct ike_build *b)
{
	build_close(b);
	wr_patch_be16(&b->w, AT_LENGTH + 2, b->w.len);
	return wr_done(&b->w);
}

struct span build_clear(struct ike_build *b)
{
	return finish(b);
}

struct span build_encrypted(struct ike_build *b, const struct ike_keys *k,
			    uint8_t iv[static IKE_BLOCK_MAX])
{
	size_t block = cipher_block(k->enc);
	struct span out;

	build_close(b);
	if (b->w.bad || !block)
		return (struct span){ 0 };
	while ((b->w.len - ISAKMP_HDR) % block && !b->w.bad)
		wr_u8(&b->w, 0);
	wr_patch_u8(&b->w, AT_FLAGS, ISAKMP_FLAG_ENCRYPTED);
	out = finish(b);
	if (!out.n || cbc_encrypt(k->enc, ike_key_span(k), iv, b->w.p + ISAKMP_HDR,
				  b->w.len - ISAKMP_HDR) < 0)
		return (struct span){ 0 };
	return out;
}

struct span build_sealed(struct ike_build *b, const struct ike_keys *k, const struct secret *hash,
			 uint8_t iv[static IKE_BLOCK_MAX])
{
	build_close(b);
	if (b->w.bad || !b->hash_at || b->hash_at + hash->n > b->w.len)
		return (struct span){ 0 };
	memcpy(b->w.p + b->hash_at, hash->b, hash->n);
	return build_encrypted(b, k, iv);
}

void build_tv(struct ike_build *b, uint16_t type, uint16_t value)
{
	wr_be16(&b->w, (uint16_t)(0x8000 | type));
	wr_be16(&b->w, value);
}

void build_tlv(struct ike_build *b, uint16_t type, struct span value)
{
	if (value.n > UINT16_MAX) {
		b->w.bad = true;
		return;
	}
	wr_be16(&b->w, type);
	wr_be16(&b->w, (uint16_t)value.n);
	wr_span(&b->w, value);
}
