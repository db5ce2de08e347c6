/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_msg_bodies.c - notify, delete, identification, attributes (RFC 2408 3.3, 3.8 - 3.15). */
#include "cleanup.h"
#include "ike/build.h"
#include "ike/msg.h"
#include "tap.h"

static void test_notify(void)
{
	struct ike_notify n = { .proto = 77 };
	bool all = true;

	is_int(ike_notify_read(hex("00000001 01 04 8d28 aabbccdd 00000007"), &n), 0,
	       "a notify is read");
	ok(n.doi == 1 && n.proto == 1 && n.type == N_R_U_THERE, "with domain, protocol and type");
	is_bytes(n.spi, hex("aabbccdd"), "its SPI");
	is_bytes(n.data, hex("00000007"), "and its data");
	ok(ike_notify_read(hex("00000001 01 00 000e"), &n) == 0 && !n.spi.n && !n.data.n,
	   "SPI and data may be missing");
	n.proto = 77;
	for (size_t i = 0; i < 8; i++)
		all &= ike_notify_read((struct span){ (const uint8_t *)"\0\0\0\1\1\0\0", i }, &n) <
		       0;
	ok(all && n.proto == 77, "less than its 8 bytes is refused and writes nothing");
	ok(ike_notify_read(hex("00000001 01 05 000e aabbccdd"), &n) < 0 &&
		   ike_notify_read(hex("00000001 01 ff 000e aabbccdd"), &n) < 0,
	   "N218: an SPI longer than what is there is refused");
}

static void test_delete(void)
{
	struct ike_delete d = { .proto = 77 };

	is_int(ike_delete_read(hex("00000001 03 04 0002 11111111 22222222"), &d), 0,
	       "a delete is read");
	ok(d.proto == 3 && d.spi_size == 4 && d.n == 2 && d.spis.n == 8, "with both its SPIs");
	ok(ike_delete_read(hex("00000001 03 04 0001 11111111 00090003616263"), &d) == 0 &&
		   d.spis.n == 4,
	   "what Cisco writes behind the SPIs, a reason, does no harm");
	d.proto = 77;
	ok(ike_delete_read(hex("00000001 03 04 0000"), &d) < 0, "N210: no SPI");
	ok(ike_delete_read(hex("00000001 03 04 03e8 11111111"), &d) < 0,
	   "N210: a thousand SPIs with four bytes there");
	ok(ike_delete_read(hex("00000001 03 04 ffff 11111111"), &d) < 0, "N210: 65535 SPIs");
	ok(ike_delete_read(hex("00000001 03 00 0001 11111111"), &d) < 0, "N210: SPIs of no size");
	ok(ike_delete_read(hex("00000001 03 ff 0001 11111111"), &d) < 0,
	   "N210: an SPI of 255 bytes with four there");
	ok(ike_delete_read(hex("00000001 03 ff ffff 11111111"), &d) < 0,
	   "N210: the largest product of both");
	ok(ike_delete_read(hex("00000001 03 04 00"), &d) < 0 && d.proto == 77,
	   "N210: less than its 8 bytes, and nothing was written");
}

static void test_id(void)
{
	struct ike_id id = { .type = 77 };

	ok(ike_id_read(hex("01 11 01f4 0a000001"), &id) == 0 && id.type == ID_IPV4_ADDR &&
		   id.proto == 17 && id.port == 500 && id.data.n == 4,
	   "an identification is read");
	ok(ike_id_read(hex("00 00 0000"), &id) == 0 && id.data.n == 0,
	   "hybrid's empty one is legal (hybrid-auth-05 4.2)");
	id.type = 77;
	ok(ike_id_read(hex("01 11 01"), &id) < 0 && ike_id_read((struct span){ 0 }, &id) < 0 &&
		   id.type == 77,
	   "N090: fewer than four bytes are refused");
}

/* ---- attributes ---- */

static struct span attr_count(unsigned n)
{
	static uint8_t buf[4 * 1024];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_be32(&w, 0x01000007);
	while (n--)
		wr_be32(&w, 0x00010000);
	return wr_done(&w);
}

static void test_cfg(void)
{
	struct ike_cfg c = { .id = 77 };

	ok(ike_cfg_read(hex("01 00 1234 0001 0000 0003 0004 08080808"), &c) == 0 &&
		   c.type == CFG_REQUEST && c.id == 0x1234 && c.attrs.n == 12,
	   "a configuration payload is read");
	ok(ike_cfg_read(hex("02 ff 0000"), &c) == 0 && c.attrs.n == 0,
	   "it may be empty, and RESERVED is ignored");
	c.id = 77;
	ok(ike_cfg_read(hex("01 00 12"), &c) < 0, "N162: fewer than four bytes are refused");
	ok(ike_cfg_read(hex("01 00 0001 0001"), &c) < 0, "N051: two bytes of an attribute");
	ok(ike_cfg_read(hex("01 00 0001 000100"), &c) < 0, "N051: three bytes of an attribute");
	ok(ike_cfg_read(hex("01 00 0001 00"), &c) < 0, "mode-cfg 3.2: slack behind the attributes");
	ok(ike_cfg_read(hex("01 00 0001 0001 0001"), &c) < 0, "N176: a value that is not there");
	ok(ike_cfg_read(hex("01 00 0001 4089 ffff 61"), &c) < 0, "N165: a name of 65535 bytes");
	ok(ike_cfg_read(hex("01 00 0001 8001"), &c) < 0, "a basic attribute without its value");
	is_int(c.id, 77, "what is refused writes nothing");
	ok(ike_cfg_read(attr_count(LIMIT_ATTRIBUTES - 1), &c) == 0 &&
		   ike_cfg_read(attr_count(LIMIT_ATTRIBUTES), &c) == 0,
	   "N176: so many attributes as the limit says");
	ok(ike_cfg_read(attr_count(LIMIT_ATTRIBUTES + 1), &c) < 0 &&
		   ike_cfg_read(attr_count(1000), &c) < 0,
	   "N054, N176: one more is refused, and so are a thousand");
}

static void test_next(void)
{
	struct rd r = rd_from(hex("8001 0007 000c 0004 00015180 000e 0000"));
	struct ike_attr a = { 0 };
	uint64_t v = 0;

	ok(ike_attr_next(&r, &a) && a.type == 1 && a.basic && a.value == 7 && a.data.n == 2 &&
		   ike_attr_number(&a, &v) && v == 7,
	   "a basic attribute is read");
	ok(ike_attr_next(&r, &a) && a.type == 12 && !a.basic && a.data.n == 4 &&
		   ike_attr_number(&a, &v) && v == 86400,
	   "a variable one is read");
	ok(ike_attr_next(&r, &a) && a.type == 14 && a.data.n == 0 && a.data.p &&
		   !ike_attr_number(&a, &v),
	   "one without a value is read, and is no number");
	ok(!ike_attr_next(&r, &a) && !r.bad, "the end is the end");
	r = rd_from(hex("ffff 8000"));
	ok(ike_attr_next(&r, &a) && a.type == 0x7fff && a.value == 0x8000, "the largest type");
	r = rd_from(hex("0001 00"));
	ok(!ike_attr_next(&r, &a) && r.bad, "N051: a broken one is an error");
	r = rd_from(hex("0001 ffff 00"));
	ok(!ike_attr_next(&r, &a) && r.bad, "N052: one that reaches too far is an error");
}

static void test_number(void)
{
	static const uint8_t ones[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct ike_attr a = { 0 };
	uint64_t v = 99, want = 0;
	bool all = true;

	for (size_t n = 1; n <= 8; n++) {
		a.data = (struct span){ ones, n };
		want = want << 8 | 1;
		all &= ike_attr_number(&a, &v) && v == want;
	}
	ok(all, "a number has one to eight bytes");
	a.data = SPAN_OF(ones);
	v = 99;
	ok(!ike_attr_number(&a, &v) && v == 99, "N070: nine bytes are no number");
	a.data = hex("ffffffffffffffff");
	ok(ike_attr_number(&a, &v) && v == UINT64_MAX, "the largest number is read");
}

/* ---- writing ---- */

static void test_build(void)
{
	static const uint8_t cky[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t buf[128];
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_INFO, 0x0a0b0c0d);
	struct span out;

	build_payload(&b, PL_VID, hex("aabb"));
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, 1);
	build_tv(&b, 1, 2);
	build_tlv(&b, 12, hex("00015180"));
	out = build_clear(&b);
	is_bytes(out,
		 hex("0102030405060708 0102030405060708 0d100500 0a0b0c0d 00000036"
		     "0b000006 aabb 00000014 00000001 8001 0002 000c 0004 00015180"),
		 "a message is written: header, chain, lengths");
	b = build_start(buf, 40, cky, cky, XCHG_INFO, 1);
	build_payload(&b, PL_VID, hex("0011223344556677"));
	is_int((long long)build_clear(&b).n, 40, "a message that just fits");
	b = build_start(buf, 39, cky, cky, XCHG_INFO, 1);
	build_payload(&b, PL_VID, hex("0011223344556677"));
	is_int((long long)build_clear(&b).n, 0, "one that does not is none");
	b = build_start(buf, 20, cky, cky, XCHG_INFO, 1);
	is_int((long long)build_clear(&b).n, 0, "nor is a header that does not fit");
}

static void test_sealed(void)
{
	static const uint8_t cky[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct ike_keys k = { .enc = ENC_AES_CBC, .hash = HASH_SHA1, .key_len = 16 };
	struct secret h = { .n = 20 };
	uint8_t buf[256], iv[IKE_BLOCK_MAX] = { 0 }, back[IKE_BLOCK_MAX] = { 0 };
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_INFO, 1);
	struct span out;
	struct ike_msg m;

	memset(h.b, 0x77, h.n);
	build_hash(&b, 20);
	build_payload(&b, PL_VID, hex("aabbcc"));
	is_bytes(build_after_hash(&b), hex("00000007aabbcc"), "the hash covers what is behind it");
	out = build_sealed(&b, &k, &h, iv);
	ok(out.n == 28 + 32 && out.p[19] == ISAKMP_FLAG_ENCRYPTED && out.p[27] == 60,
	   "a sealed message is padded to the block, and says so (RFC 2409 appendix B)");
	is_bytes(SPAN_OF(iv), (struct span){ out.p + out.n - 16, 16 },
		 "its last block is the next IV");
	cbc_decrypt(k.enc, ike_key_span(&k), back, buf + 28, 32);
	ok(ike_walk((struct span){ buf + 28, 32 }, PL_HASH, &m) == 0 && m.padding.n == 1 &&
		   m.padding.p[0] == 0 && span_eq(m.hash, secret_span(&h)) && m.n_vid == 1,
	   "it opens again, with its hash and zero padding");
	b = build_start(buf, sizeof(buf), cky, cky, XCHG_INFO, 1);
	build_payload(&b, PL_VID, hex("aabbcc"));
	is_int((long long)build_sealed(&b, &k, &h, iv).n, 0, "without a hash nothing is sealed");
	b = build_start(buf, 28 + 24 + 7, cky, cky, XCHG_INFO, 1);
	build_hash(&b, 20);
	build_payload(&b, PL_VID, hex("aabbcc"));
	is_int((long long)build_sealed(&b, &k, &h, iv).n, 0, "nor when the padding does not fit");
}

int main(void)
{
	test_notify();
	test_delete();
	test_id();
	test_cfg();
	test_next();
	test_number();
	test_build();
	test_sealed();
	return done();
}
