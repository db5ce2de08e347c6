/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_sapl_quick.c - choosing among the ESP proposals of Quick Mode (RFC 2407 4.4, 4.5). */
#include <errno.h>

#include "cleanup.h"
#include "ike/dh.h"
#include "ike/sapl.h"
#include "offer.h"
#include "tap.h"

enum {
	DES3 = 3,
	AES = 12,
	GCM = 20,
	TUNNEL = 1,
	UDP = 3,
	UDP_DRAFT = 61443
};

static struct ike_conf conf;
static struct offer o;
static struct p2_choice got;
static char offered[OFFER_TEXT];
static struct p2_want want;

static void accept_p2(const char *p1, const char *a, const char *b, const char *c, const char *d)
{
	const char *const text[] = { a, b, c, d };
	const char *why;

	memset(&conf, 0, sizeof(conf));
	if (ike_p1_parse(p1, &conf.p1[conf.n_p1++], &why) < 0)
		abort();
	for (unsigned i = 0; i < 4 && text[i]; i++)
		if (ike_p2_parse(text[i], &conf.p2[conf.n_p2++], &why) < 0)
			abort();
	want = (struct p2_want){ 0 };
}

static void usual(void)
{
	accept_p2("aes256-sha256-modp2048", "aes256-sha256", "aes128-sha1", "aes256gcm16",
		  "3des-md5");
}

static int choose(struct span sa)
{
	uint8_t *exact = malloc(sa.n ? sa.n : 1);
	int rc;

	if (sa.n)
		memcpy(exact, sa.p, sa.n);
	memset(&got, 0xee, sizeof(got));
	rc = p2_choose((struct span){ exact, sa.n }, &conf, &want, &got, offered);
	if (rc == 0) {
		got.answer.transform.p = sa.p + (got.answer.transform.p - exact);
		got.answer.spi = (struct span){ 0 };
		if (got.ipcomp.cpi)
			got.ipcomp.transform.p = sa.p + (got.ipcomp.transform.p - exact);
	}
	free(exact);
	return rc;
}

static void begin(const char *spi)
{
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex(spi));
}

static int one(uint8_t id, uint16_t bits, uint16_t auth, uint16_t encap, uint16_t group)
{
	begin("c0ffee01");
	offer_p2(&o, 1, id, bits, auth, encap, group);
	return choose(offer_done(&o));
}

static void test_preference(void)
{
	usual();
	begin("c0ffee01");
	offer_p2(&o, 1, DES3, 0, 1, TUNNEL, 0);
	offer_p2(&o, 2, AES, 128, 2, TUNNEL, 0);
	offer_p2(&o, 3, AES, 256, 5, TUNNEL, 0);
	is_int(choose(offer_done(&o)), 0, "one of several transforms is chosen");
	ok(got.alg.enc == ESP_ENC_AES_CBC && got.alg.key_len == 256 &&
		   got.alg.auth == ESP_AUTH_SHA256_128 && got.answer.transform.p[4] == 3,
	   "the one that the gateway likes best");
	ok(got.spi == 0xc0ffee01 && got.group == 0 && got.life_s == 3600,
	   "SPI, group and lifetime are known");
	offer_start(&o);
	offer_proposal(&o, 0, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 0, AES, 128, 2, TUNNEL, 0);
	offer_proposal(&o, 1, PROTO_ESP, hex("22222222"));
	offer_p2(&o, 0, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 9, PROTO_ESP, hex("33333333"));
	offer_p2(&o, 0, DES3, 0, 1, TUNNEL, 0);
	is_int(choose(offer_done(&o)), 0, "vpnc's way, a proposal for each, is understood");
	ok(got.spi == 0x22222222 && got.answer.proposal == 1 && got.answer.transform.p[4] == 0,
	   "with the SPI and the number of the proposal that was chosen");
	is_int(one(GCM, 256, 0, TUNNEL, 0), 0, "AES-GCM without an integrity algorithm");
	is_int(one(GCM, 256, 5, TUNNEL, 0), -ENOENT, "AES-GCM with one is not (RFC 4106 8)");
}

static void test_echo(void)
{
	uint8_t buf[512], cky[8] = { 1 };
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_QUICK, 1);
	struct span out;

	usual();
	is_int(one(AES, 128, 2, TUNNEL, 0), 0, "an offer is chosen");
	sa_put_answer(&b, &got.answer, hex("d00dfeed"));
	out = build_clear(&b);
	is_bytes((struct span){ out.p + 28, out.n - 28 },
		 hex("00000034 00000001 00000001 00000028 01030401 d00dfeed"
		     "0000001c 010c0000 80040001 80050002 80060080 80010001 80020e10"),
		 "the answer is what was offered, with the gateway's own SPI");
}

static void test_spis(void)
{
	static const char *const wrong[] = { "",         "010203",   "0102030405060708",
					     "00000000", "00000001", "000000ff" };

	usual();
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		begin(wrong[i]);
		offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
		ok(choose(offer_done(&o)) == -EBADMSG, "N200: the SPI \"%s\" is refused", wrong[i]);
	}
	begin("00000100");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	is_int(choose(offer_done(&o)), 0, "N200: 256 is the first that is allowed");
	begin("01020304");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	(void)offer_done(&o);
	o.buf[14] = 255;
	ok(choose(wr_done(&o.w)) == -EBADMSG, "N200: an SPI of 255 bytes that are not there");
}

static void test_bundles(void)
{
	usual();
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 1, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	offer_proposal(&o, 2, PROTO_ESP, hex("22222222"));
	offer_p2(&o, 1, AES, 128, 2, TUNNEL, 0);
	is_int(choose(offer_done(&o)), 0, "N201: a bundle with IPComp is passed over");
	is_int(got.spi, 0x22222222, "and what stands alone is chosen");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_AH, hex("33333333"));
	offer_transform(&o, 1, 3);
	offer_proposal(&o, 1, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	is_int(choose(offer_done(&o)), -ENOENT, "N201: a bundle with AH before it is no offer");
	offer_start(&o);
	offer_proposal(&o, 5, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 2, PROTO_ESP, hex("22222222"));
	offer_p2(&o, 1, AES, 128, 2, TUNNEL, 0);
	offer_proposal(&o, 5, PROTO_IPCOMP, hex("00001234"));
	offer_transform(&o, 1, 2);
	is_int(choose(offer_done(&o)), 0, "N201: numbers in any order");
	is_int(got.spi, 0x22222222, "a bundle is one wherever its parts stand");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_AH, hex("33333333"));
	offer_transform(&o, 1, 3);
	is_int(choose(offer_done(&o)), -ENOENT, "AH alone is no offer");
	is_str(offered, "", "and nothing is told about it");
}

/* ---- IPComp: RFC 2408 4.2, RFC 3173 4.1 ---- */

/* ESP and IPComp in proposals of one number. */
static void bundle(uint16_t encap, const char *cpi, uint8_t transform)
{
	begin("11111111");
	offer_p2(&o, 1, AES, 256, 5, encap, 0);
	offer_proposal(&o, 1, PROTO_IPCOMP, hex(cpi));
	offer_transform(&o, 1, transform);
	offer_tv(&o, 4, TUNNEL);
}

static int choose_bundle(uint16_t encap, const char *cpi, uint8_t transform)
{
	bundle(encap, cpi, transform);
	return choose(offer_done(&o));
}

static void deflate(void)
{
	usual();
	want.deflate = true;
}

static void test_ipcomp_choice(void)
{
	usual();
	is_int(choose_bundle(TUNNEL, "1234", 2), -EOPNOTSUPP, "compression alone is told apart");
	ok(strcmp(offered, "aes256-sha256 without PFS") == 0, "from what would fit");
	deflate();
	is_int(choose_bundle(TUNNEL, "1234", 2), 0, "where it may be, it is chosen");
	ok(got.spi == 0x11111111 && got.ipcomp.cpi == 0x1234 && got.ipcomp.cpi_size == 2,
	   "with SPI and CPI");
	ok(choose_bundle(TUNNEL, "00001234", 2) == 0 && got.ipcomp.cpi == 0x1234 &&
		   got.ipcomp.cpi_size == 4,
	   "a CPI of four bytes is one, too");
	bundle(TUNNEL, "1234", 2);
	offer_proposal(&o, 2, PROTO_ESP, hex("22222222"));
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	ok(choose(offer_done(&o)) == 0 && got.spi == 0x11111111 && got.ipcomp.cpi,
	   "it goes before the same without");
	begin("22222222");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 2, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 2, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	ok(choose(offer_done(&o)) == 0 && got.spi == 0x11111111 && got.ipcomp.cpi,
	   "in whichever order");
	want.deflate = false;
	ok(choose(offer_done(&o)) == 0 && got.spi == 0x22222222 && !got.ipcomp.cpi,
	   "and where it may not be, the other is chosen");
	deflate();
	begin("22222222");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 2, PROTO_ESP, hex("11111111"));
	offer_p2(&o, 1, AES, 128, 2, TUNNEL, 0);
	offer_proposal(&o, 2, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	ok(choose(offer_done(&o)) == 0 && got.spi == 0x22222222, "but not before a better cipher");
	bundle(TUNNEL, "1234", 3);
	offer_transform(&o, 2, 2);
	ok(choose(offer_done(&o)) == 0 && got.ipcomp.transform.p[4] == 2,
	   "DEFLATE is found behind LZS");
}

static void test_ipcomp_refused(void)
{
	deflate();
	is_int(choose_bundle(TUNNEL, "1234", 3), -ENOENT, "LZS alone is refused");
	is_int(choose_bundle(TUNNEL, "00ff", 2), -ENOENT, "a CPI that is reserved");
	is_int(choose_bundle(TUNNEL, "12", 2), -ENOENT, "one of a single byte");
	is_int(choose_bundle(TUNNEL, "", 2), -ENOENT, "none at all");
	is_int(choose_bundle(TUNNEL, "123456", 2), -ENOENT, "one of three");
	bundle(TUNNEL, "1234", 2);
	offer_tv(&o, 8, 4); /* dictionary size */
	is_int(choose(offer_done(&o)), -ENOENT, "an attribute that DEFLATE does not have");
	bundle(TUNNEL, "1234", 2);
	offer_tv(&o, 5, 5);
	is_int(choose(offer_done(&o)), -ENOENT, "an integrity algorithm");
	bundle(TUNNEL, "1234", 2);
	offer_proposal(&o, 1, PROTO_AH, hex("33333333"));
	offer_transform(&o, 1, 3);
	is_int(choose(offer_done(&o)), -ENOENT, "AH as a third");
	begin("11111111");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_proposal(&o, 1, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	offer_tv(&o, 4, 2);
	is_int(choose(offer_done(&o)), -ENOENT, "IPComp in transport mode");
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_IPCOMP, hex("1234"));
	offer_transform(&o, 1, 2);
	is_int(choose(offer_done(&o)), -ENOENT, "IPComp without ESP");
}

/* The tunnel is IPComp's: some clients call ESP a tunnel as well, and some do not. */
static void test_ipcomp_modes(void)
{
	deflate();
	ok(choose_bundle(2, "1234", 2) == 0 && !got.encap && got.encap_mode == 2,
	   "ESP in transport mode");
	is_int(choose_bundle(4, "1234", 2), -ENOENT, "in UDP not without a NAT");
	want.path = P2_PATH_UDP;
	ok(choose_bundle(UDP, "1234", 2) == 0 && got.encap, "in UDP behind one");
	ok(choose_bundle(4, "1234", 2) == 0 && got.encap && choose_bundle(61444, "1234", 2) == 0 &&
		   got.encap,
	   "in transport mode as well");
	is_int(choose_bundle(2, "1234", 2), -ENOENT, "and not outside it");
}

static void test_ipcomp_answer(void)
{
	uint8_t buf[512], cky[8] = { 1 };
	struct ike_build b = build_start(buf, sizeof(buf), cky, cky, XCHG_QUICK, 1);
	struct span out;

	deflate();
	choose_bundle(TUNNEL, "00001234", 2);
	p2_put_answer(&b, &got, 0xd00dfeed, 0x4321);
	out = build_clear(&b);
	is_bytes((struct span){ out.p + 28, out.n - 28 },
		 hex("0000004c 00000001 00000001 02000028 01030401 d00dfeed"
		     "0000001c 010c0000 80040001 80050005 80060100 80010001 80020e10"
		     "00000018 01040401 00004321 0000000c 01020000 80040001"),
		 "the answer has both proposals, with the gateway's SPI and CPI");
}

static void test_encapsulation(void)
{
	static const uint16_t never[] = { 2, 4, 5, 61440, 61442, 61444, 65535 };
	bool none = true;

	usual();
	is_int(one(AES, 256, 5, TUNNEL, 0), 0, "N202: tunnel mode without a NAT");
	is_int(one(AES, 256, 5, 0, 0), 0, "N202: no mode at all is tunnel mode, for a gateway");
	ok(one(AES, 256, 5, UDP, 0) == -ENOENT && one(AES, 256, 5, UDP_DRAFT, 0) == -ENOENT,
	   "N202: UDP encapsulation without a NAT is refused");
	want.path = P2_PATH_UDP;
	ok(one(AES, 256, 5, UDP, 0) == 0 && one(AES, 256, 5, UDP_DRAFT, 0) == 0,
	   "N202: UDP encapsulation behind a NAT, by its number of RFC 3947 or the drafts");
	ok(one(AES, 256, 5, TUNNEL, 0) == -ENOENT && one(AES, 256, 5, 0, 0) == -ENOENT,
	   "N202: tunnel mode behind a NAT is refused");
	want.path = P2_PATH_EITHER;
	ok(one(AES, 256, 5, TUNNEL, 0) == 0 && !got.encap && one(AES, 256, 5, UDP, 0) == 0 &&
		   got.encap,
	   "on port 4500 without a NAT the client may have either, and gets what it chose");
	for (enum p2_path path = P2_PATH_PLAIN; path <= P2_PATH_EITHER; path++)
		for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
			want.path = path;
			none &= one(AES, 256, 5, never[i], 0) == -ENOENT;
		}
	ok(none, "N202: transport mode and other values are refused");
}

static void test_algorithms(void)
{
	usual();
	ok(one(11, 0, 2, TUNNEL, 0) == -ENOENT, "N203: ESP NULL");
	ok(one(2, 0, 2, TUNNEL, 0) == -ENOENT, "N203: DES");
	ok(one(23, 256, 0, TUNNEL, 0) == -ENOENT, "N203: AES-GMAC");
	ok(one(AES, 256, 0, TUNNEL, 0) == -ENOENT, "N203: AES-CBC without integrity");
	ok(one(AES, 0, 5, TUNNEL, 0) == -ENOENT, "N203: AES without a key length");
	ok(one(AES, 65535, 5, TUNNEL, 0) == -ENOENT, "N203: AES with 65535 bits");
	ok(one(DES3, 192, 1, TUNNEL, 0) == -ENOENT, "3DES with a key length");
	ok(one(AES, 256, 9, TUNNEL, 0) == -ENOENT, "an unknown integrity algorithm");
	ok(one(0, 256, 5, TUNNEL, 0) == -ENOENT && one(255, 256, 5, TUNNEL, 0) == -ENOENT,
	   "unknown transforms");
	accept_p2("aes256-sha256-modp2048", "aes256-sha256_96", NULL, NULL, NULL);
	is_int(one(AES, 256, 5, TUNNEL, 0), 0, "the truncation of 2002 has the same number");
	is_int(got.alg.auth, ESP_AUTH_SHA256_96, "and is what the configuration says");
}

static int attr(uint16_t type, struct span v)
{
	begin("c0ffee01");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_tlv(&o, type, v);
	return choose(offer_done(&o));
}

static void test_attributes(void)
{
	static const uint16_t twice[] = { 4, 5, 6 };

	usual();
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++)
		ok(attr(twice[i], hex("0001")) == -ENOENT, "attribute %u twice", twice[i]);
	ok(attr(7, hex("0001")) == -ENOENT, "key rounds");
	ok(attr(32001, hex("0001")) == -ENOENT, "an unknown attribute makes a transform unusable");
	ok(attr(10, hex("0001")) == 0, "ECN in the tunnel is no matter");
	begin("c0ffee01");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_tv(&o, 32001, 1);
	offer_p2(&o, 2, AES, 128, 2, TUNNEL, 0);
	is_int(choose(offer_done(&o)), 0, "the next transform is taken instead");
	is_int(got.alg.key_len, 128, "though it is the lesser one");
	ok(attr(4, (struct span){ 0 }) == -ENOENT, "an attribute without a value");
}

/* RFC 4304: what is offered is taken as it is, or not at all. */
static void test_esn(void)
{
	accept_p2("aes256-sha256-modp2048", "aes256-sha256", NULL, NULL, NULL);
	ok(attr(11, hex("0001")) == -ENOENT, "sequence numbers of 64 bits that nobody wants");
	ok(attr(11, hex("0000")) == 0 && !got.alg.esn, "those of 32 bits, said aloud");
	ok(attr(11, hex("0002")) == -ENOENT, "and of some other size");
	accept_p2("aes256-sha256-modp2048", "aes256-sha256-esn", "aes256-sha256", NULL, NULL);
	ok(attr(11, hex("0001")) == 0 && got.alg.esn, "of 64 bits where they are wanted");
	begin("c0ffee01");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_p2(&o, 2, AES, 256, 5, TUNNEL, 0);
	offer_tv(&o, 11, 1);
	ok(choose(offer_done(&o)) == 0 && got.alg.esn, "of both, what is preferred");
	is_int(one(AES, 256, 5, TUNNEL, 0), 0, "a client without them");
	ok(!got.alg.esn, "has none");
}

static uint32_t life(struct span attrs)
{
	begin("c0ffee01");
	offer_transform(&o, 1, AES);
	offer_tv(&o, 5, 5);
	offer_tv(&o, 6, 256);
	wr_span(&o.w, attrs);
	return choose(offer_done(&o)) == 0 ? got.life_s : 77;
}

static void test_lifetimes(void)
{
	usual();
	is_int(life((struct span){ 0 }), 28800, "no lifetime means 8 hours (RFC 2407 4.5)");
	is_int(life(hex("80010001 80020e10")), 3600, "a lifetime as TV");
	is_int(life(hex("80010001 0002000101")), 1, "N205b: 1 s in one byte");
	is_int(life(hex("80010001 00020003015180")), 86400, "three bytes");
	is_int(life(hex("80010001 00020004ffffffff")), UINT32_MAX, "four bytes");
	is_int(life(hex("80010001 000200080000000100000000")), UINT32_MAX, "N205b: 2^32");
	is_int(life(hex("80010001 00020009000000000000000001")), 77,
	       "nine bytes are no number, and no offer");
	is_int(life(hex("80010001 80020e10 80010002 00020004 00465000")), 3600,
	       "seconds, then kilobytes");
	is_int(life(hex("80010002 00020004 00465000 80010001 80020e10")), 3600,
	       "kilobytes, then seconds");
	is_int(life(hex("80010002 00020004 00465000")), 28800, "kilobytes alone");
	is_int(got.life_kb, 0x465000, "which are known as well");
	life(hex("80010001 80020e10 80010002 00020004 00465000"));
	is_int(got.life_kb, 0x465000, "behind seconds, too");
	life(hex("80010002 00020008 8000000000000000"));
	is_int((long long)got.life_kb, UINT32_MAX, "more than anybody sends is held back");
	life(hex("80010001 80020e10"));
	is_int(got.life_kb, 0, "without them there is no bound");
	is_int(life(hex("80020e10")), 28800, "a duration of nothing says nothing");
	is_int(life(hex("80010001 80020e10 80010001 80020e10")), 3600,
	       "the same pair twice, as some clients send it");
}

static void test_pfs_rules(void)
{
	static const struct {
		uint16_t conf, group, ke; /* 0: none */
		int rc;
		const char *name;
	} rows[] = {
		{ 0, 0, 0, 0, "no PFS, and none wanted" },
		{ 0, 14, 14, 0, "PFS in a sound group at the client's wish" },
		{ 0, 19, 19, 0, "PFS in another sound group" },
		{ 0, 2, 2, -EDOM, "a weak group that phase 1 does not name" },
		{ 0, 22, 0, -EDOM, "N204: an unknown group" },
		{ 14, 14, 14, 0, "the group that the gateway wants" },
		{ 14, 0, 0, -EDOM, "N204: PFS wanted, but not offered" },
		{ 14, 19, 19, -EDOM, "N204: another group than the wanted one" },
		{ 14, 14, 0, -EDOM, "N204: a group without a public value" },
		{ 0, 0, 14, -EDOM, "N204: a public value without a group" },
		{ 14, 14, 19, -EDOM, "N204: a public value of another group" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct dh_group *g = dh_group(rows[i].ke);

		usual();
		if (rows[i].conf)
			conf.pfs_group[conf.n_pfs++] = rows[i].conf;
		want.ke = g;
		want.ke_len = g ? g->public_len : 0;
		is_int(one(AES, 256, 5, TUNNEL, rows[i].group), rows[i].rc, rows[i].name);
		if (rows[i].rc == 0)
			is_int(got.group, rows[i].group, "with its group");
	}
}

static void test_pfs_choice(void)
{
	usual();
	conf.pfs_group[conf.n_pfs++] = 14;
	conf.pfs_group[conf.n_pfs++] = 19;
	want = (struct p2_want){ .ke = true, .ke_len = 64 };
	is_int(one(AES, 256, 5, TUNNEL, 19), 0, "one of several groups that the gateway wants");
	begin("c0ffee01");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 14);
	offer_p2(&o, 2, AES, 128, 2, TUNNEL, 19);
	is_int(choose(offer_done(&o)), 0, "the public value decides");
	is_int(got.group, 19, "on the group");
	is_int(one(AES, 256, 5, TUNNEL, 5), -EDOM, "a group that nobody wants");
	is_str(offered, "aes256-sha256 with PFS modp1536", "is named in the text");
	conf.check = IKE_CHECK_OBEY;
	is_int(one(AES, 256, 5, TUNNEL, 19), 0, "obey takes it too");
	want = (struct p2_want){ 0 };
	is_int(one(AES, 256, 5, TUNNEL, 0), 0, "and a client without PFS, although it is wanted");
	want = (struct p2_want){ .ke = true, .ke_len = 128 };
	is_int(one(AES, 256, 5, TUNNEL, 2), -EDOM, "but no weak group that nobody named");
	accept_p2("aes256-sha256-modp1024", "aes256-sha256", NULL, NULL, NULL);
	want = (struct p2_want){ .ke = true, .ke_len = 128 };
	is_int(one(AES, 256, 5, TUNNEL, 2), 0, "a weak group that phase 1 names is allowed");
}

static void test_structure(void)
{
	struct span sa;
	bool all = true;

	usual();
	one(AES, 256, 5, TUNNEL, 0);
	sa = offer_done(&o);
	for (size_t n = 0; n < sa.n; n++)
		all &= choose((struct span){ sa.p, n }) == -EBADMSG;
	ok(all, "cut at any byte an offer is refused");
	for (size_t n = 1; n < 64; n++) {
		memset(o.buf + sa.n, 0, n);
		all &= choose((struct span){ sa.p, sa.n + n }) == -EBADMSG;
	}
	ok(all, "N043: slack is refused");
	o.buf[15] = 2;
	ok(choose(sa) == -EBADMSG, "N070b: a transform too many is refused");
	o.buf[15] = 0;
	ok(choose(sa) == -EBADMSG, "N070b: no transform is refused");
	begin("c0ffee01");
	offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	offer_p2(&o, 2, AES, 256, 5, TUNNEL, 0);
	sa = offer_done(&o);
	o.buf[15] = 1;
	ok(choose(sa) == -EBADMSG, "N070b: a transform too few is refused");
}

static void test_much(void)
{
	usual();
	offer_start(&o);
	for (unsigned i = 0; i < LIMIT_PROPOSALS; i++) {
		offer_proposal(&o, (uint8_t)(i * 7), PROTO_ESP, hex("c0ffee01"));
		for (unsigned k = 0; k < 12; k++)
			offer_transform(&o, (uint8_t)k, AES);
	}
	is_int(choose(offer_done(&o)), -ENOENT, "N201: as much as fits, none of it ours");
	offer_proposal(&o, 1, PROTO_ESP, hex("c0ffee01"));
	offer_start(&o);
	for (unsigned i = 0; i <= LIMIT_PROPOSALS; i++) {
		offer_proposal(&o, (uint8_t)i, PROTO_ESP, hex("c0ffee01"));
		offer_p2(&o, 1, AES, 256, 5, TUNNEL, 0);
	}
	is_int(choose(offer_done(&o)), -EBADMSG, "N201: a proposal more than the limit is refused");
	begin("c0ffee01");
	for (unsigned i = 0; i < 255; i++)
		offer_p2(&o, (uint8_t)i, AES, 256, 5, TUNNEL, (uint16_t)(100 + i));
	is_int(choose(offer_done(&o)), -EDOM, "255 transforms of unknown groups");
	ok(strlen(offered) < OFFER_TEXT && strstr(offered, "with PFS group#100") &&
		   strcmp(offered + strlen(offered) - 3, "...") == 0,
	   "the text about them is bounded");
}

int main(void)
{
	test_preference();
	test_echo();
	test_spis();
	test_bundles();
	test_ipcomp_choice();
	test_ipcomp_refused();
	test_ipcomp_modes();
	test_ipcomp_answer();
	test_encapsulation();
	test_algorithms();
	test_attributes();
	test_esn();
	test_lifetimes();
	test_pfs_rules();
	test_pfs_choice();
	test_structure();
	test_much();
	return done();
}
