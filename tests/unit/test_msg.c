/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_msg.c - the ISAKMP header and the walk over payloads (RFC 2408 3.1, 3.2). */
#include "ike/msg.h"

#include "cleanup.h"
#include "tap.h"

/* ---- the header ---- */

static void put_header(struct wr *w, uint8_t next, uint32_t length)
{
	wr_bytes(w, "\x11\x12\x13\x14\x15\x16\x17\x18", 8);
	wr_bytes(w, "\x21\x22\x23\x24\x25\x26\x27\x28", 8);
	wr_u8(w, next);
	wr_u8(w, 0x10);
	wr_u8(w, XCHG_QUICK);
	wr_u8(w, 0x01);
	wr_be32(w, 0x01020304);
	wr_be32(w, length);
}

static void test_header(void)
{
	uint8_t buf[40];
	struct wr w = wr_into(buf, sizeof(buf));
	struct ike_hdr h = { 0 };

	put_header(&w, PL_HASH, 40);
	wr_zero(&w, 12);
	is_int(ike_hdr_read(wr_done(&w), &h), 0, "a header is read");
	is_bytes(SPAN_OF(h.cky_i), hex("1112131415161718"), "with the initiator's cookie");
	is_bytes(SPAN_OF(h.cky_r), hex("2122232425262728"), "and the responder's");
	ok(h.next == PL_HASH && h.version == 0x10 && h.xchg == XCHG_QUICK && h.flags == 1 &&
		   h.msgid == 0x01020304 && h.length == 40,
	   "and all its fields");
}

static int header_with(size_t at, uint8_t v)
{
	uint8_t buf[40] = { 0 };
	struct wr w = wr_into(buf, sizeof(buf));
	struct ike_hdr h;

	put_header(&w, PL_HASH, 40);
	buf[at] = v;
	return ike_hdr_read(SPAN_OF(buf), &h);
}

static void test_header_refused(void)
{
	uint8_t buf[64] = { 0 };
	struct wr w = wr_into(buf, sizeof(buf));
	struct ike_hdr h = { .msgid = 99 };
	bool all = true;
	static const uint32_t lengths[] = { 0,  1,       27,         28,         39,
					    41, 0x10028, 0x7fffffff, 0x80000000, 0xffffffff };

	for (size_t n = 0; n < 28; n++)
		all &= ike_hdr_read((struct span){ buf, n }, &h) < 0;
	ok(all, "N001, N002: less than a header is refused");
	put_header(&w, PL_SA, 28);
	is_int(ike_hdr_read((struct span){ buf, 28 }, &h), 0,
	       "N003: a header alone is read; the walk refuses it");
	h.msgid = 99;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		w = wr_into(buf, sizeof(buf));
		put_header(&w, PL_SA, lengths[i]);
		ok(ike_hdr_read((struct span){ buf, 40 }, &h) < 0,
		   "N004-N008: a length of %u in a datagram of 40 is refused", lengths[i]);
	}
	is_int(h.msgid, 99, "what is refused writes nothing");
	for (unsigned v = 0; v < 256; v++)
		if (v != 0x10)
			all &= header_with(17, (uint8_t)v) < 0;
	ok(all, "N011-N014: any version but 1.0 is refused");
	ok(header_with(16, 0) < 0, "a message without payloads is refused");
	for (unsigned v = 0; v < 256; v++)
		all &= header_with(18, (uint8_t)v) == 0;
	ok(all, "any exchange type is read: what is done with it is another's matter");
	memset(buf, 0, 8);
	put_header(&(struct wr){ .p = buf, .cap = sizeof(buf) }, PL_SA, 40);
	memset(buf, 0, 8);
	ok(ike_hdr_read((struct span){ buf, 40 }, &h) < 0, "N019: no initiator cookie is refused");
	memset(buf, 7, 16);
	ok(ike_hdr_read((struct span){ buf, 40 }, &h) < 0, "N021: equal cookies are refused");
}

/* ---- the walk ---- */

/* A chain of payloads: type and body length each, with bodies of 0x5a. */
struct part {
	uint8_t type;
	uint16_t n;
};

static struct span chain(const struct part *p, size_t n, uint8_t *buf, size_t cap)
{
	struct wr w = wr_into(buf, cap);

	for (size_t i = 0; i < n; i++) {
		uint8_t *body;

		wr_u8(&w, i + 1 < n ? p[i + 1].type : PL_NONE);
		wr_u8(&w, 0);
		wr_be16(&w, (uint16_t)(4 + p[i].n));
		body = wr_space(&w, p[i].n);
		if (body)
			memset(body, 0x5a, p[i].n);
	}
	return wr_done(&w);
}

static int walk(const struct part *p, size_t n, struct ike_msg *m)
{
	static uint8_t buf[140000];

	return ike_walk(chain(p, n, buf, sizeof(buf)), p[0].type, m);
}

#define WALK(m, ...)                                             \
	({                                                       \
		static const struct part parts_[] = __VA_ARGS__; \
		walk(parts_, ARRAY_SIZE(parts_), m);             \
	})

static void test_walk(void)
{
	struct ike_msg m = { 0 };

	is_int(WALK(&m, { { PL_SA, 40 },
			  { PL_KE, 128 },
			  { PL_NONCE, 20 },
			  { PL_ID, 9 },
			  { PL_VID, 16 },
			  { PL_VID, 0 } }),
	       0, "a first message is walked");
	ok(m.present == (PB(SA) | PB(KE) | PB(NONCE) | PB(ID) | PB(VID)) && m.first == PL_SA,
	   "what is there is known");
	ok(m.sa.n == 40 && m.ke.n == 128 && m.nonce.n == 20 && m.id[0].n == 9 && m.n_id == 1 &&
		   m.n_vid == 2 && m.vid[0].n == 16 && m.vid[1].n == 0,
	   "each payload has its body");
	ok(m.padding.n == 0 && m.after_hash.n == 0, "there is no padding and no hash");
	WALK(&m, { { PL_HASH, 20 }, { PL_SA, 40 }, { PL_NONCE, 20 }, { PL_ID, 8 }, { PL_ID, 12 } });
	ok(m.after_hash.n == 44 + 24 + 12 + 16 && m.n_id == 2 && m.id[1].n == 12,
	   "what stands behind the hash is known to the byte");
	WALK(&m, { { PL_NATD, 20 }, { PL_NATD, 20 } });
	ok(m.n_natd == 2 && !m.natd_draft, "NAT-D by its number of RFC 3947");
	WALK(&m, { { PL_NATD_DRAFT, 20 }, { PL_NATD_DRAFT, 20 } });
	ok(m.n_natd == 2 && m.natd_draft && m.present == PB(NATD), "and by that of the drafts");
	WALK(&m, { { PL_CERT, 600 }, { PL_SIG, 128 }, { PL_CERTREQ, 1 }, { PL_NATOA, 8 } });
	ok(m.present == (PB(CERT) | PB(SIG) | PB(CERTREQ) | PB(NATOA)),
	   "certificates, signatures and NAT-OA are seen and passed over (N096)");
}

static void test_order(void)
{
	static const uint8_t type[4] = { PL_SA, PL_KE, PL_NONCE, PL_ID };
	bool same = true;

	for (unsigned i = 0; i < 256; i++) {
		unsigned a = i & 3, b = i >> 2 & 3, c = i >> 4 & 3, d = i >> 6;
		const struct part p[4] = {
			{ type[a], 16 }, { type[b], 16 }, { type[c], 16 }, { type[d], 16 }
		};
		struct ike_msg m;

		if ((1u << a | 1u << b | 1u << c | 1u << d) == 15)
			same &= walk(p, 4, &m) == 0 &&
				m.present == (PB(SA) | PB(KE) | PB(NONCE) | PB(ID));
	}
	ok(same, "N045: all 24 orders of SA, KE, nonce and ID are walked alike");
}

static void test_chain(void)
{
	struct ike_msg m = { .n_id = 7 };
	uint8_t big[65536];

	ok(ike_walk(hex("00000000"), PL_VID, &m) < 0, "N034: a payload of length 0 is refused");
	ok(ike_walk(hex("0d000000"), PL_VID, &m) < 0,
	   "N032: a payload of length 0 that names itself as the next is no loop");
	ok(ike_walk(hex("00000001"), PL_VID, &m) < 0 && ike_walk(hex("00000002"), PL_VID, &m) < 0 &&
		   ike_walk(hex("00000003"), PL_VID, &m) < 0,
	   "N034: nor one of 1, 2, 3");
	ok(ike_walk(hex("00000004"), PL_VID, &m) == 0, "one of 4 is empty");
	ok(ike_walk(hex("0000000541"), PL_VID, &m) == 0, "one of 5 has a byte");
	ok(ike_walk(hex("00000005"), PL_VID, &m) < 0, "N035: one byte more than there is, refused");
	ok(ike_walk(hex("0000ffff41"), PL_VID, &m) < 0, "N035: the longest, refused");
	ok(ike_walk(hex("0d000004"), PL_VID, &m) < 0, "N037: a next payload that is not there");
	ok(ike_walk((struct span){ 0 }, PL_VID, &m) < 0, "N031: a first payload that is not there");
	ok(ike_walk(hex("0000"), PL_VID, &m) < 0, "half a header is refused");
	ok(ike_walk(hex("00000004aabb"), PL_VID, &m) == 0 && m.padding.n == 2,
	   "N038: what remains is told, for the caller to judge");
	is_int(ike_walk((struct span){ 0 }, PL_NONE, &m), 0, "no payload is no payload");
	memset(big, 0, sizeof(big));
	for (size_t i = 0; i < 1000; i++) {
		big[4 * i] = PL_VID;
		big[4 * i + 3] = 4;
	}
	ok(ike_walk((struct span){ big, 4000 }, PL_VID, &m) < 0,
	   "N033: a thousand payloads of length 4 are refused");
	memset(&m, 0, sizeof(m));
	big[0] = PL_NONE;
	big[1] = 0xff;
	is_int(ike_walk((struct span){ big, 4 }, PL_VID, &m), 0, "N036: RESERVED is ignored");
}

static void test_untouched(void)
{
	struct ike_msg m = { .n_id = 7 };

	ok(ike_walk(hex("05000008aaaaaaaa00000003"), PL_VID, &m) < 0 && m.n_id == 7,
	   "a walk that fails writes nothing");
}

/* What the table states about each payload. */
static void test_lengths(void)
{
	static const struct {
		uint8_t type;
		uint32_t min, max;
		const char *name;
	} rows[] = {
		{ PL_SA, 8, LIMIT_SA_PAYLOAD, "N046: SA" },
		{ PL_KE, 1, 1024, "N077: KE" },
		{ PL_ID, 4, LIMIT_ID + 4, "N090, N094: ID" },
		{ PL_CERT, 0, 65531, "N097: CERT" },
		{ PL_CERTREQ, 1, 65531, "N098: CERTREQ" },
		{ PL_HASH, 16, 64, "N159: HASH" },
		{ PL_SIG, 1, 65531, "SIG" },
		{ PL_NONCE, 8, 256, "N088, N089: nonce" },
		{ PL_NOTIFY, 8, 65531, "notify" },
		{ PL_DELETE, 8, 65531, "delete" },
		{ PL_VID, 0, 65531, "N099: vendor ID" },
		{ PL_ATTR, 4, 65531, "attributes" },
		{ PL_NATD, 0, 65531, "N102: NAT-D" },
		{ PL_NATD_DRAFT, 0, 65531, "N102: NAT-D of the drafts" },
		{ PL_NATOA, 0, 65531, "NAT-OA" },
		{ PL_NATOA_DRAFT, 0, 65531, "NAT-OA of the drafts" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct part p = { rows[i].type, (uint16_t)rows[i].min };
		struct ike_msg m;
		bool good = walk(&p, 1, &m) == 0;

		p.n = (uint16_t)rows[i].max;
		good &= walk(&p, 1, &m) == 0;
		if (rows[i].min) {
			p.n = (uint16_t)(rows[i].min - 1);
			good &= walk(&p, 1, &m) < 0;
		}
		if (rows[i].max < 65531) {
			p.n = (uint16_t)(rows[i].max + 1);
			good &= walk(&p, 1, &m) < 0;
		}
		ok(good, "%s: %u to %u bytes, no less and no more", rows[i].name, rows[i].min,
		   rows[i].max);
	}
}

static void test_counts(void)
{
	static const struct {
		uint8_t type;
		unsigned times;
		const char *name;
	} rows[] = {
		{ PL_SA, 1, "N086: SA" },
		{ PL_KE, 1, "N087: KE" },
		{ PL_NONCE, 1, "N087: nonce" },
		{ PL_ID, 2, "N187: ID" },
		{ PL_HASH, 1, "N158: HASH" },
		{ PL_SIG, 1, "SIG" },
		{ PL_ATTR, 1, "N176: attributes" },
		{ PL_CERT, 8, "N097: CERT" },
		{ PL_CERTREQ, 8, "N098: CERTREQ" },
		{ PL_NOTIFY, MSG_NOTIFIES, "notify" },
		{ PL_DELETE, MSG_DELETES, "delete" },
		{ PL_VID, LIMIT_VENDOR_IDS, "N041, N042: vendor ID" },
		{ PL_NATD, LIMIT_NAT_D, "N103: NAT-D" },
		{ PL_NATD_DRAFT, LIMIT_NAT_D, "N103: NAT-D of the drafts" },
		{ PL_NATOA, 4, "NAT-OA" },
		{ 200, LIMIT_PAYLOADS, "N040: a private payload" },
		{ 33, LIMIT_PAYLOADS, "N039: a payload of IKEv2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct part p[301];
		struct ike_msg m;
		bool good = true;

		for (size_t k = 0; k < ARRAY_SIZE(p); k++)
			p[k] = (struct part){ rows[i].type, 32 };
		good &= walk(p, rows[i].times, &m) == 0;
		good &= rows[i].times == 1 || walk(p, rows[i].times - 1, &m) == 0;
		good &= walk(p, rows[i].times + 1, &m) < 0;
		good &= walk(p, 2 * rows[i].times, &m) < 0;
		good &= walk(p, 300, &m) < 0;
		ok(good, "%s: %u in a message, no more", rows[i].name, rows[i].times);
	}
}

static void test_mixed_counts(void)
{
	struct part p[LIMIT_PAYLOADS + 1];
	struct ike_msg m;

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = (struct part){ i % 2 ? PL_NATD : PL_NATD_DRAFT, 20 };
	ok(walk(p, LIMIT_NAT_D, &m) == 0 && m.n_natd == LIMIT_NAT_D,
	   "both numbers of NAT-D share one limit");
	ok(walk(p, LIMIT_NAT_D + 1, &m) < 0, "and cannot get past it together");
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = (struct part){ i % 2 ? 200 : PL_VID, 4 };
	ok(walk(p, LIMIT_PAYLOADS, &m) == 0, "N041: 32 payloads of several kinds are walked");
	ok(walk(p, LIMIT_PAYLOADS + 1, &m) < 0, "N042: one more is refused");
}

static void test_unknown(void)
{
	bool skipped = true;
	struct ike_msg m;

	for (unsigned t = 1; t < 256; t++) {
		const struct part p[] = { { (uint8_t)t, 40 }, { PL_VID, 16 } };
		char name[64];

		if (*ike_payload_str((uint8_t)t, name) == '#') {
			int rc = walk(p, 2, &m);

			skipped &= rc == 0 && m.n_vid == 1 && m.present == (PB(UNKNOWN) | PB(VID));
		}
	}
	ok(skipped, "N039, N040: every unknown payload is passed over, never acted upon");
	ok(WALK(&m, { { PL_FRAGMENT, 40 } }) == 0 && m.present == PB(UNKNOWN),
	   "so is a fragment, which is not for this version");
	ok(WALK(&m, { { PL_PROPOSAL, 40 } }) == 0 && m.present == PB(UNKNOWN),
	   "so is a proposal outside of an SA payload");
}

int main(void)
{
	test_header();
	test_header_refused();
	test_walk();
	test_order();
	test_chain();
	test_untouched();
	test_lengths();
	test_counts();
	test_mixed_counts();
	test_unknown();
	return done();
}
