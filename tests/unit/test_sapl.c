/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_sapl.c - choosing among the proposals of phase 1 (RFC 2408 4.2, RFC 2409 5, appendix A). */
#include "ike/sapl.h"

#include <errno.h>

#include "cleanup.h"
#include "ike/dh.h"
#include "ike/sapl_walk.h"
#include "offer.h"
#include "tap.h"

#define HYB AUTH_HYBRID_INIT_RSA

static struct ike_conf conf;
static struct p1_want want;
static struct offer o;
static struct p1_choice got;
static char offered[OFFER_TEXT];

/* The gateway's proposals, in order of preference. */
static void accept_p1(const char *const *text, unsigned n)
{
	const char *why;

	memset(&conf, 0, sizeof(conf));
	want = (struct p1_want){ .auth = { HYB }, .n_auth = 1 };
	for (unsigned i = 0; i < n; i++)
		if (ike_p1_parse(text[i], &conf.p1[conf.n_p1++], &why) < 0)
			abort();
}

static int choose(struct span sa, uint16_t group)
{
	const struct dh_group *g = dh_group(group);
	uint8_t *exact = malloc(sa.n ? sa.n : 1); /* so that a read past the end is seen */
	int rc;

	if (sa.n)
		memcpy(exact, sa.p, sa.n);
	memset(&got, 0xee, sizeof(got));
	want.ke_len = g ? g->public_len : group ? 1 : 0;
	rc = p1_choose((struct span){ exact, sa.n }, &conf, &want, &got, offered);
	if (rc == 0) { /* the views must outlive the copy */
		got.answer.transform.p = sa.p + (got.answer.transform.p - exact);
		got.answer.spi = (struct span){ 0 };
	}
	free(exact);
	return rc;
}

static const char *const good[] = { "aes256-sha256-modp2048", "aes128-sha1-modp2048",
				    "3des-md5-modp1024", "aes192-sha512-ecp256" };

static void test_preference(void)
{
	accept_p1(good, 4);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 5, 0, 1, 2, HYB);
	offer_p1(&o, 2, 7, 128, 2, 14, HYB);
	offer_p1(&o, 3, 7, 256, 4, 14, HYB);
	offer_p1(&o, 4, 7, 256, 4, 14, HYB);
	is_int(choose(offer_done(&o), 14), 0, "one of several transforms is chosen");
	ok(got.alg.enc == ENC_AES_CBC && got.alg.key_len == 256 && got.alg.hash == HASH_SHA256 &&
		   got.alg.group == 14,
	   "the one that the gateway likes best, not the first one offered");
	is_int(got.answer.transform.p[4], 3, "of two alike the first");
	is_int(got.life_s, 86400, "its lifetime is known");
	is_int(choose(offer_done(&o), 2), 0, "the public value decides on the group (N079)");
	ok(got.alg.group == 2 && got.alg.enc == ENC_3DES_CBC, "so a lesser proposal is taken");
	is_int(choose(offer_done(&o), 5), -ENOENT, "a public value that fits no transform");
	is_str(offered, "3des-md5-modp1024, aes128-sha1-modp2048, aes256-sha256-modp2048",
	       "what was offered is told, each once");
}

static void test_echo(void)
{
	uint8_t buf[512], cky[8] = { 1 };
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_AGGRESSIVE, 0);
	/* vpnc: proposal 0, transform 0, KEY_LENGTH first, lifetime 2147483 s */
	struct span vpnc = hex("00000001 00000001 00000030 00010001 00000028 00010000"
			       "800e0080 80010007 80020002 8004000e 8003fadd 800b0001"
			       "000c0004 0020c49b"),
		    out;

	accept_p1(good, 4);
	is_int(choose(vpnc, 14), 0, "vpnc's order and its numbers from 0 are taken");
	ok(got.answer.proposal == 0 && got.life_s == 2147483, "with its lifetime");
	sa_put_answer(&b, &got.answer, (struct span){ 0 });
	out = build_clear(&b);
	is_bytes((struct span){ out.p + 32, out.n - 32 }, vpnc,
		 "and the answer is what it wrote, byte for byte");
}

static void test_answer_of_many(void)
{
	uint8_t buf[512], cky[8] = { 1 };
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_AGGRESSIVE, 0);
	struct rd r;
	struct span out;

	accept_p1(good, 4);
	offer_start(&o);
	offer_proposal(&o, 7, PROTO_ISAKMP, (struct span){ (const uint8_t *)"12345678", 8 });
	offer_p1(&o, 9, 1, 0, 1, 1, HYB);
	offer_p1(&o, 0xee, 7, 128, 2, 14, HYB);
	offer_p1(&o, 11, 1, 0, 1, 1, HYB);
	is_int(choose(offer_done(&o), 14), 0, "a transform in the middle is chosen");
	sa_put_answer(&b, &got.answer, (struct span){ 0 });
	out = build_clear(&b);
	r = rd_from((struct span){ out.p + 28, out.n - 28 }); /* behind the header */
	is_bytes(rd_take(&r, 20), hex("0000003c 00000001 00000001 00000030 07010001"),
		 "the answer has one proposal under its number, one transform");
	is_bytes(rd_take(&r, 8), hex("00000028 ee010000"),
		 "which is the last of its chain, under its number");
	r = rd_from(got.answer.transform);
	(void)rd_u8(&r);
	is_bytes((struct span){ out.p + 49, out.n - 49 }, rd_rest(&r),
		 "and otherwise unchanged (RFC 2408 4.2)");
}

/* ---- what is no offer for us ---- */

static int one(uint16_t enc, uint16_t bits, uint16_t hash, uint16_t group, uint16_t auth)
{
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, enc, bits, hash, group, auth);
	return choose(offer_done(&o), group ? group : 14);
}

static void test_methods(void)
{
	static const uint16_t other[] = { 1,     2,     3,     4,     5,     8,     65001, 65002,
					  65003, 65005, 64222, 64223, 64224, 65535, 0 };

	accept_p1(good, 4);
	is_int(one(7, 256, 4, 14, HYB), 0, "hybrid with RSA is taken");
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		ok(one(7, 256, 4, 14, other[i]) == -ENOENT,
		   "N065, N066, N069: authentication method %u is not", other[i]);
	}
	is_str(offered, "authentication auth#0", "and the text says what is wrong");
	ok(!got.auth_fits && one(7, 256, 4, 14, 65001) < 0 && got.other_auth == 65001 &&
		   strcmp(offered, "authentication xauth_psk") == 0,
	   "with the word for it where there is one");
	is_int(one(7, 128, 4, 14, HYB), -ENOENT, "a cipher that is not wanted");
	ok(got.auth_fits && got.other_auth == 0, "is told from a method that is not");
	for (uint16_t m = AUTH_ECDSA_256; m <= AUTH_ECDSA_521; m++)
		for (uint16_t h = HASH_SHA256; h <= HASH_SHA512; h++) {
			want.auth[0] = m;
			conf.p1[0].hash = h;
			is_int(one(7, 256, h, 14, m) == 0, m - AUTH_ECDSA_256 == h - HASH_SHA256,
			       "RFC 4754 3: ECDSA wants a hash as long as its numbers");
		}
}

static void test_method_preference(void)
{
	accept_p1(good, 4);
	want.auth[0] = 65001;
	want.auth[1] = HYB;
	want.n_auth = 2;
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 7, 256, 4, 14, HYB);
	offer_p1(&o, 2, 7, 256, 4, 14, 3);
	offer_p1(&o, 3, 5, 0, 1, 2, 65001);
	is_int(choose(offer_done(&o), 0), 0, "without a public value any group will do");
	ok(got.auth == 65001 && got.alg.enc == 5,
	   "the preferred method comes before the preferred proposal");
	ok(got.auth_fits && got.other_auth == 3, "what else was offered is known");
	is_str(offered, "aes256-sha256-modp2048, authentication rsasig, 3des-md5-modp1024",
	       "and told");
	is_int(choose(offer_done(&o), 14), 0, "with one of group 14");
	ok(got.auth == HYB && got.alg.enc == 7, "the method is taken that fits its length");
}

static void test_values(void)
{
	static const uint16_t bits[] = { 1, 7, 64, 127, 129, 192, 512, 65535 };
	static const uint16_t groups[] = { 1, 5, 15, 22, 23, 1025, 32768, 65535 };

	accept_p1(good, 4);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		ok(one(7, bits[i], 4, 14, HYB) == -ENOENT, "N056: AES with a key of %u bits",
		   bits[i]);
	ok(one(7, 0, 4, 14, HYB) == -ENOENT, "N057: AES without a key length");
	ok(one(5, 192, 1, 2, HYB) == -ENOENT, "N057: 3DES with a key length");
	ok(one(1, 0, 1, 2, HYB) == -ENOENT && one(1, 0, 1, 1, HYB) == -ENOENT, "N058: DES");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		ok(one(7, 256, 4, groups[i], HYB) == -ENOENT, "N064: group %u", groups[i]);
	ok(one(0, 256, 4, 14, HYB) == -ENOENT, "N061: no cipher");
	ok(one(7, 256, 0, 14, HYB) == -ENOENT, "N061: no hash");
	ok(one(7, 256, 4, 0, HYB) == -ENOENT, "N061: no group");
	ok(one(7, 256, 3, 14, HYB) == -ENOENT, "an unknown hash");
}

/* A good transform with one more attribute. */
static int with(uint16_t type, bool basic, struct span value)
{
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 7, 256, 4, 14, HYB);
	if (basic)
		offer_tv(&o, type, (uint16_t)(value.p[0] << 8 | value.p[1]));
	else
		offer_tlv(&o, type, value);
	return choose(offer_done(&o), 14);
}

static void test_attributes(void)
{
	static const uint16_t twice[] = { 1, 2, 3, 4, 14 };
	static const uint8_t thousand[1000];
	struct span two = hex("0007");

	accept_p1(good, 4);
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++) {
		ok(with(twice[i], true, two) == -ENOENT, "N055: attribute %u twice", twice[i]);
	}
	ok(with(13, true, two) == -ENOENT, "a PRF of the client's choice");
	ok(with(5, true, two) == -ENOENT && with(6, false, hex("ff")) == -ENOENT,
	   "N064: parameters of a group of its own");
	ok(with(16384, false, hex("6162")) == -ENOENT && with(32767, true, two) == -ENOENT,
	   "N067: attributes of vendors");
	ok(with(11, true, hex("0002")) == 0, "a second life type alone says nothing");
	ok(with(6, false, (struct span){ 0 }) == -ENOENT, "N052: an attribute without a value");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_transform(&o, 1, 1);
	offer_tlv(&o, 1, hex("0007"));
	offer_tlv(&o, 14, hex("00000100"));
	offer_tlv(&o, 2, hex("04"));
	offer_tlv(&o, 3, hex("fadd"));
	offer_tlv(&o, 4, hex("000e"));
	is_int(choose(offer_done(&o), 14), 0, "N053: basic attributes in the variable form count");
	is_int((long long)got.life_s, UINT32_MAX, "without a lifetime none is known");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 7, 256, 4, 14, HYB);
	offer_tlv(&o, 1, SPAN_OF(thousand));
	is_int(choose(offer_done(&o), 14), -ENOENT, "N053: a cipher of 1000 bytes");
}

static uint32_t life(uint16_t type, bool basic, struct span v)
{
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_transform(&o, 1, 1);
	offer_tv(&o, 1, 7);
	offer_tv(&o, 14, 256);
	offer_tv(&o, 2, 4);
	offer_tv(&o, 3, HYB);
	offer_tv(&o, 4, 14);
	offer_tv(&o, 11, type);
	if (basic)
		offer_tv(&o, 12, (uint16_t)(v.p[0] << 8 | v.p[1]));
	else
		offer_tlv(&o, 12, v);
	return choose(offer_done(&o), 14) == 0 ? got.life_s : 77;
}

static void test_lifetimes(void)
{
	accept_p1(good, 4);
	is_int(life(1, true, hex("7080")), 28800, "a lifetime as TV");
	is_int(life(1, false, hex("01")), 1, "N070: 1 s in one byte");
	is_int(life(1, false, hex("015180")), 86400, "three bytes");
	is_int(life(1, false, hex("ffffffff")), UINT32_MAX, "N070: 2^32-1 s");
	is_int(life(1, false, hex("0000000100000000")), UINT32_MAX, "more is held back to that");
	is_int(life(1, false, hex("ffffffffffffffff")), UINT32_MAX, "eight bytes");
	is_int(life(1, false, hex("00")), 0, "N070: a lifetime of 0");
	is_int(life(1, false, hex("00000000 00000001 51 80")), 77,
	       "N070: a lifetime of more than eight bytes is no number, and no offer");
	is_int(life(2, false, hex("00001000")), UINT32_MAX, "N070: kilobytes alone are no seconds");
	is_int(life(3, false, hex("00001000")), UINT32_MAX,
	       "N070: an unknown life type is no seconds");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 7, 256, 4, 14, HYB);
	offer_tv(&o, 11, 2);
	offer_tv(&o, 12, 4096);
	is_int(choose(offer_done(&o), 14), 0, "seconds and kilobytes together are taken");
	is_int(got.life_s, 86400, "and the seconds count");
}

/* ---- structure ---- */

static struct span sound(void)
{
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	offer_p1(&o, 1, 7, 256, 4, 14, HYB);
	return offer_done(&o);
}

/* 0 or -errno with the 16-bit field at `at` set to v. */
static int patched(size_t at, uint16_t v)
{
	struct span sa = sound();

	o.buf[at] = (uint8_t)(v >> 8);
	o.buf[at + 1] = (uint8_t)v;
	return choose(sa, 14);
}

static void test_structure(void)
{
	struct span sa;
	bool all = true;

	accept_p1(good, 4);
	is_int(choose(sound(), 14), 0, "a sound offer is taken");
	sa = sound();
	for (size_t n = 0; n < sa.n; n++)
		all &= choose((struct span){ sa.p, n }, 14) == -EBADMSG;
	ok(all, "N044, N046, N048: cut at any byte it is refused");
	o.w.len = sa.n;
	for (size_t n = 1; n < 100; n++) {
		memset(o.buf + sa.n, 0, n);
		all &= choose((struct span){ sa.p, sa.n + n }, 14) == -EBADMSG;
	}
	ok(all, "N043: slack behind the proposals is refused");
	for (unsigned v = 0; v < 8; v++)
		all &= patched(10, (uint16_t)v) == -EBADMSG && patched(18, (uint16_t)v) == -EBADMSG;
	ok(all, "N049: proposal and transform lengths of 0 to 7 are refused");
	ok(patched(10, (uint16_t)(sa.n - 7)) == -EBADMSG && patched(10, 0xffff) == -EBADMSG &&
		   patched(18, (uint16_t)(sa.n - 15)) == -EBADMSG &&
		   patched(18, 0xffff) == -EBADMSG,
	   "N035: lengths beyond the end are refused");
	ok(patched(14, 0x0000) == -EBADMSG && patched(14, 0x0002) == -EBADMSG &&
		   patched(14, 0x00ff) == -EBADMSG,
	   "N070b: 0, 2 and 255 transforms with one present are refused");
	ok(patched(14, 0xff01) == -EBADMSG && patched(14, 0x1001) == -EBADMSG,
	   "N050: an SPI that is not there is refused");
	ok(patched(0, 1) == -EBADMSG && patched(2, 0) == -EBADMSG && patched(2, 2) == -EBADMSG,
	   "N047: another domain of interpretation is refused");
	ok(patched(6, 0) == -EBADMSG && patched(6, 2) == -EBADMSG && patched(6, 3) == -EBADMSG &&
		   patched(4, 0xffff) == -EBADMSG,
	   "N068: another situation is refused");
	ok(patched(12, 0x0103) == -EBADMSG && patched(12, 0x0102) == -EBADMSG &&
		   patched(12, 0x0104) == -EBADMSG && patched(12, 0x0100) == -EBADMSG,
	   "N059: ESP, AH, IPCOMP in phase 1 are refused");
	ok(patched(8, 0x0300) == -EBADMSG && patched(8, 0x0200) == -EBADMSG,
	   "N031: a next proposal that is not there is refused");
	ok(patched(16, 0x0300) == -EBADMSG && patched(16, 0x0200) == -EBADMSG,
	   "N031: a next transform that is not there is refused");
	ok(patched(20, 0x0102) == -ENOENT, "N060: a transform that is not KEY_IKE is passed over");
	is_int(patched(12, 0xff01), 0, "N060: any proposal number is taken");
}

static void test_many(void)
{
	char text[OFFER_TEXT];
	bool bounded = true;

	accept_p1(good, 4);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	for (unsigned i = 0; i < 255; i++)
		offer_p1(&o, (uint8_t)i, 7, (uint16_t)(300 + i), (uint16_t)(4 + i), 14, HYB);
	is_int(choose(offer_done(&o), 14), -ENOENT, "N063: 255 transforms, none of them ours");
	ok(strlen(offered) < OFFER_TEXT && strcmp(offered + strlen(offered) - 3, "...") == 0,
	   "the text about them is bounded, and says that there were more");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
	for (unsigned i = 0; i < 254; i++)
		offer_p1(&o, (uint8_t)i, 1, 0, 1, 1, HYB);
	offer_p1(&o, 254, 7, 256, 4, 14, HYB);
	is_int(choose(offer_done(&o), 14), 0, "N063: 255 transforms, the last of them ours");
	for (unsigned n = 1; n < 200; n++) {
		char name[64];

		memset(name, 'x', sizeof(name));
		text[0] = '\0';
		for (unsigned i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "%0*u", (int)(1 + n % 60), i * 7919);
			sa_offer_text(text, name);
			bounded &= strlen(text) < OFFER_TEXT;
		}
	}
	ok(bounded, "a list of offers of any kind stays in its buffer");
	text[0] = '\0';
	sa_offer_text(text, "aes256-sha1-group#14");
	sa_offer_text(text, "aes256-sha1-group#1");
	is_str(text, "aes256-sha1-group#14, aes256-sha1-group#1",
	       "a name that begins another one is listed too");
}

static void test_proposals(void)
{
	accept_p1(good, 4);
	for (unsigned n = LIMIT_PROPOSALS - 1; n <= LIMIT_PROPOSALS + 1; n++) {
		offer_start(&o);
		for (unsigned i = 0; i < n; i++) {
			offer_proposal(&o, (uint8_t)i, PROTO_ISAKMP, (struct span){ 0 });
			offer_p1(&o, 1, 7, 256, 4, 14, HYB);
		}
		is_int(choose(offer_done(&o), 14), n > LIMIT_PROPOSALS ? -EBADMSG : 0,
		       n > LIMIT_PROPOSALS ? "one proposal more than the limit is refused"
					   : "N060: several proposals are taken up to the limit");
	}
	for (unsigned n = LIMIT_ATTRIBUTES - 1; n <= LIMIT_ATTRIBUTES + 1; n++) {
		offer_start(&o);
		offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ 0 });
		offer_p1(&o, 1, 7, 256, 4, 14, HYB);
		for (unsigned i = 7; i < n; i++)
			offer_tv(&o, 11, 1);
		is_int(choose(offer_done(&o), 14), n > LIMIT_ATTRIBUTES ? -EBADMSG : 0,
		       n > LIMIT_ATTRIBUTES ? "N054: one attribute more than the limit is refused"
					    : "N054: so many attributes as the limit says");
	}
	for (unsigned spi = 15; spi <= 17; spi++) {
		offer_start(&o);
		offer_proposal(&o, 1, PROTO_ISAKMP, (struct span){ (const uint8_t *)good, spi });
		offer_p1(&o, 1, 7, 256, 4, 14, HYB);
		is_int(choose(offer_done(&o), 14), spi > 16 ? -EBADMSG : 0,
		       spi > 16 ? "N050: an SPI of more than both cookies is refused"
				: "N050: cookies as the SPI are tolerated");
	}
}

int main(void)
{
	test_preference();
	test_echo();
	test_answer_of_many();
	test_methods();
	test_method_preference();
	test_values();
	test_attributes();
	test_lifetimes();
	test_structure();
	test_many();
	test_proposals();
	return done();
}
