/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_xfrm_move.c - the kernel's report about a new source of ESP in UDP, and requests for an SA
 * at another place. Reports and answers below were read from a 6.1 kernel; it took the requests, and
 * datagrams went on through the SAs (shell_xfrm_move.c). All of it is little-endian.
 */
#include <errno.h>

#include "tap.h"
#include "xfrm/msg.h"

/* 192.0.2.3:4600 -> 192.0.2.2:4600 */
static const char report[] =
	"50000000260000000000000000000000c0000201000000000000000000000000000100010200320001000076"
	"c0000203000000000000000000000000c000020200000000000000000000000011f811f8";

/* AES-CBC with SHA-1, a window of 64, asked to report once a second; after some datagrams. */
static const char sa_in[] =
	"4c020000100000000e0000008100000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000201000000000000000000000000"
	"0001000132000000c0000202000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"91000000000000000500000000000000e63b066b00000000e63b066b00000000000000000000000000000000"
	"00000000010000760200010020000000000000005c000100686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a0000000013c77b2ed28639ed9144f8ac5003b76b1ec276260001400686d6163287368613129000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec2762580002006362632861657329"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000008000000001264b7095badf04294e7398bde2072c1c000400020011f811940000"
	"0000000000000000000000000000000024001700020000000000000019000000000000000000000040000000"
	"01380001000000000800200001000000";

static const char sa_out[] =
	"44020000100000000f0000008100000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000202000000000000000000000000"
	"c000000132000000c0000201000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"74000000000000000400000000000000e63b066b00000000e63b066b00000000000000000000000000000000"
	"00000000010000760200010020000000000000005c000100686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a0000000013c77b2ed28639ed9144f8ac5003b76b1ec276260001400686d6163287368613129000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec2762580002006362632861657329"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000008000000001264b7095badf04294e7398bde2072c1c0004000200119411f80000"
	"0000000000000000000000000000000024001700020000000400000000000000000000000000000040000000"
	"0000000000000000";

static const char update_in[] =
	"f00100001a000500090000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000201000000000000000000000000"
	"0001000132000000c0000202000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000100007602000100200000000000000060001400686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec276258000200636263286165732900000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000008000000001264b7095badf04294e7398bde2072c1c000400020011f81194000000000000"
	"0000000000000000000000002400170002000000000000000c00000000000000000000004000000001080000"
	"000000000800200001000000";

static const char update_out[] =
	"e80100001a0005000a0000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000202000000000000000000000000"
	"c000000132000000c0000201000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000100007602000100200000000000000060001400686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec276258000200636263286165732900000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000008000000001264b7095badf04294e7398bde2072c1c0004000200119411f8000000000000"
	"0000000000000000000000002400170002000000010000000000000000000000000000004000000000000000"
	"00000000";

static const char new_out[] =
	"e801000010000500100000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000203000000000000000000000000"
	"c000000132000000c0000201000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000100007602000100200000000000000060001400686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec276258000200636263286165732900000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000008000000001264b7095badf04294e7398bde2072c1c0004000200119411f8000000000000"
	"0000000000000000000000002400170002000000040400000000000000000000000000004000000000000000"
	"00000000";

static const char new_in[] =
	"f001000010000500120000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000201000000000000000000000000"
	"0001000132000000c0000203000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000100007602000100200000000000000060001400686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec276258000200636263286165732900000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000008000000001264b7095badf04294e7398bde2072c1c000400020011f81194000000000000"
	"0000000000000000000000002400170002000000000000001900000000000000000000004000000001380001"
	"000000000800200001000000";

/* The two SAs before they had another port. */
static const char sa_in_old[] =
	"4c02000010000000070000008100000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000201000000000000000000000000"
	"0001000132000000c0000202000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"3a000000000000000200000000000000e63b066b00000000e63b066b00000000000000000000000000000000"
	"00000000010000760200010020000000000000005c000100686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a0000000013c77b2ed28639ed9144f8ac5003b76b1ec276260001400686d6163287368613129000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec2762580002006362632861657329"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000008000000001264b7095badf04294e7398bde2072c1c0004000200119411940000"
	"000000000000000000000000000000002400170002000000000000000c000000000000000000000040000000"
	"01080000000000000800200001000000";

static const char sa_out_old[] =
	"4402000010000000080000008100000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000202000000000000000000000000"
	"c000000132000000c0000201000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"1d000000000000000100000000000000e63b066b00000000e63b066b00000000000000000000000000000000"
	"00000000010000760200010020000000000000005c000100686d616328736861312900000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"a0000000013c77b2ed28639ed9144f8ac5003b76b1ec276260001400686d6163287368613129000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000a000000060000000013c77b2ed28639ed9144f8ac5003b76b1ec2762580002006362632861657329"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000008000000001264b7095badf04294e7398bde2072c1c0004000200119411940000"
	"0000000000000000000000000000000024001700020000000100000000000000000000000000000040000000"
	"0000000000000000";

#define SA_FIXED (16 + 224)

static _Alignas(8) uint8_t buf[4096], copy[4096];

static struct ipaddr ip(const char *s)
{
	struct ipaddr a;

	if (ipaddr_parse(s, &a) < 0)
		abort();
	return a;
}

static struct wr room(void)
{
	memset(buf, 0xa5, sizeof(buf));
	return wr_into(buf, sizeof(buf));
}

/* An answer that a test may change. */
static struct span changed(const char *text)
{
	struct span s = hex(text);

	memcpy(copy, s.p, s.n);
	return (struct span){ copy, s.n };
}

/* Where in a message the attribute of that type begins; 0: nowhere. */
static size_t attr_at(struct span m, uint16_t type)
{
	for (size_t at = SA_FIXED; at + 4 <= m.n; at += (m.p[at] + 3u) & ~3u) {
		if (m.p[at + 2] == type)
			return at;
		if (m.p[at] < 4)
			break;
	}
	return 0;
}

static struct xfrm_place inbound(const char *src, uint16_t port)
{
	return (struct xfrm_place){ ip(src), ip("192.0.2.1"), port, 4500 };
}

static struct xfrm_place outbound(const char *dst, uint16_t port)
{
	return (struct xfrm_place){ ip("192.0.2.1"), ip(dst), 4500, port };
}

/* ---- reports ---- */

static void test_report(void)
{
	struct ipaddr from = ip("192.0.2.3"), to = ip("192.0.2.2"), six = ip("2001:db8::7");
	struct span left = hex(report);
	struct xfrm_reply r;

	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_MAPPING && left.n == 0, "a report");
	ok(r.mapping.spi == 0x10001 && r.mapping.reqid == 0x76000001,
	   "names the SPI and the reqid of the inbound SA");
	ok(ipaddr_eq(&r.mapping.from.addr, &from) && r.mapping.from.port == 4600 &&
		   ipaddr_eq(&r.mapping.to.addr, &to) && r.mapping.to.port == 4600,
	   "and both places");
	left = changed(report);
	copy[36] = 10; /* AF_INET6 */
	memcpy(copy + 60, six.b, 16);
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_MAPPING &&
		   ipaddr_eq(&r.mapping.to.addr, &six),
	   "over IPv6, too");
	left = changed(report);
	copy[38] = 51;
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_OTHER, "one about AH is none");
	left = changed(report);
	copy[36] = 3;
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_OTHER, "nor one of no family");
	left = changed(report);
	copy[0] = 76;
	left.n = 76;
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_OTHER, "nor one that is too short");
}

static void test_asked_for(void)
{
	struct xfrm_sa sa = { .src = ip("192.0.2.2"),
			      .dst = ip("192.0.2.1"),
			      .spi = 0x10001,
			      .reqid = 0x76000001,
			      .enc_name = "cbc(aes)",
			      .auth_name = "hmac(sha1)",
			      .enc_len = 16,
			      .auth_len = 20,
			      .icv_bits = 96,
			      .encap = true,
			      .sport = 4500,
			      .dport = 4500,
			      .report_s = 1 };
	struct wr w = room();
	size_t at;

	xfrm_build_sa_add(&w, 7, &sa);
	at = attr_at(wr_done(&w), 32);
	is_bytes((struct span){ buf + at, at ? 8 : 0 }, hex("0800200001000000"),
		 "an inbound SA in UDP asks not to have every packet reported");
	sa.report_s = 0;
	w = room();
	xfrm_build_sa_add(&w, 7, &sa);
	ok(!attr_at(wr_done(&w), 32), "another one does not say");
	sa.report_s = 1;
	sa.encap = false;
	w = room();
	xfrm_build_sa_add(&w, 7, &sa);
	ok(!attr_at(wr_done(&w), 32), "nor one without UDP, which the kernel would refuse");
}

/* ---- an SA again ---- */

static void is_again(uint32_t seq, const char *was, struct xfrm_place at, bool update,
		     uint32_t skip, const char *want, const char *name)
{
	struct wr w = room();
	int r = xfrm_build_sa_again(&w, seq, hex(was), &at, update, skip);

	if (r < 0)
		ok(false, "%s: %s", name, strerror(-r));
	else
		is_bytes(wr_done(&w), hex(want), name);
}

static void test_again(void)
{
	is_again(9, sa_in_old, inbound("192.0.2.2", 4600), true, 0, update_in,
		 "another port of an inbound SA is an update of its encapsulation");
	is_again(10, sa_out_old, outbound("192.0.2.2", 4600), true, 0, update_out,
		 "as it is of an outbound one");
	is_again(16, sa_out, outbound("192.0.2.3", 4600), false, 1024, new_out,
		 "at another address an outbound SA is new, and passes over sequence numbers");
	is_again(18, sa_in, inbound("192.0.2.3", 4600), false, 0, new_in,
		 "an inbound one has the window that it had");
}

/* The oseq, and its upper half, of what comes of this answer. */
static uint64_t oseq_after(struct span answer, uint32_t skip)
{
	struct xfrm_place at = outbound("192.0.2.3", 1);
	struct wr w = room();
	uint32_t lo = 0, hi = 0;
	size_t p;

	if (xfrm_build_sa_again(&w, 1, answer, &at, false, skip) < 0)
		return UINT64_MAX;
	p = attr_at(wr_done(&w), 23);
	if (p) {
		memcpy(&lo, buf + p + 8, 4);
		memcpy(&hi, buf + p + 16, 4);
	} else {
		p = attr_at(wr_done(&w), 10);
		memcpy(&lo, buf + p + 4, 4);
	}
	return (uint64_t)hi << 32 | lo;
}

static void test_numbers(void)
{
	struct span s = changed(sa_out);
	size_t p = attr_at(s, 23);

	ok(oseq_after(s, 1024) == 1028, "sequence numbers go on");
	memset(copy + p + 8, 0xff, 4);
	ok(oseq_after(s, 1024) == UINT32_MAX, "but not past the end: none comes twice");
	copy[16 + 216] |= 128; /* XFRM_STATE_ESN */
	ok(oseq_after(s, 1024) == (UINT64_C(1) << 32) + 1023, "unless they are extended ones");
	s = changed(sa_out);
	copy[p] = 16; /* the old form is shorter: a window of 32 at most */
	copy[p + 2] = 10;
	memcpy(copy + p + 4, hex("050000000000000000000000").p, 12);
	s.n = p + 16;
	memcpy(copy, &(uint32_t){ (uint32_t)s.n }, 4);
	ok(oseq_after(s, 1024) == 1029, "the old form of the window has them, too");
}

static int again(struct span answer, struct xfrm_place at, bool update)
{
	struct wr w = room();
	int r;

	wr_zero(&w, 8);
	r = xfrm_build_sa_again(&w, 1, answer, &at, update, 0);
	if (r < 0 && (w.len != 8 || w.bad))
		return -EPIPE; /* it was to stay as it was */
	return r;
}

static void test_refused(void)
{
	struct xfrm_place at = inbound("192.0.2.3", 4500);
	struct span s = changed(sa_in);
	size_t enc = attr_at(s, 2), auth = attr_at(s, 20);

	is_int(again(s, at, false), 0, "an answer");
	memset(copy + enc + 4 + 68, 0, 16);
	is_int(again(s, at, false), -ENOKEY, "whose cipher key is hidden makes no new SA");
	is_int(again(s, at, true), 0, "but does for an update, which keeps the keys");
	s = changed(sa_in);
	memset(copy + auth + 4 + 72, 0, 20);
	is_int(again(s, at, false), -ENOKEY, "nor does one with a hidden integrity key");
	s = changed(sa_in);
	copy[attr_at(s, 4) + 2] = 99;
	is_int(again(s, at, true), -EINVAL, "an SA without UDP has no ports");
	s = changed(sa_in);
	copy[attr_at(s, 4) + 4] = 1; /* UDP_ENCAP_ESPINUDP_NON_IKE */
	is_int(again(s, at, true), -EBADMSG, "another encapsulation is none that we made");
	s = changed(sa_in);
	at.src = ip("2001:db8::1");
	is_int(again(s, at, true), -EINVAL, "addresses of two families");
	at.dst = ip("2001:db8::2");
	is_int(again(s, at, true), -EINVAL, "or of another than the SA has");
	at = inbound("192.0.2.3", 4500);
	copy[4] = 0x13;
	is_int(again(s, at, true), -EBADMSG, "a policy is no SA");
	s = changed(sa_in);
	s.n--;
	is_int(again(s, at, true), -EBADMSG, "nor is half a message one");
	s = changed(sa_in);
	copy[enc] = 3;
	is_int(again(s, at, true), -EBADMSG, "nor one with an attribute that is none");
}

/* What is not known here goes along; what an answer alone may hold does not. */
static void test_attributes(void)
{
	struct xfrm_place at = inbound("192.0.2.3", 4500);
	struct span s = changed(sa_in);
	struct wr w = room();

	memcpy(copy + s.n,
	       hex("08006300deadbeef"
		   "06006200abcd0000"
		   "0c000f00112233440000000004001b00")
		       .p,
	       8 + 8 + 16);
	s.n += 32;
	memcpy(copy, &(uint32_t){ (uint32_t)s.n }, 4);
	is_int(xfrm_build_sa_again(&w, 1, s, &at, false, 0), 0, "an answer with more than we know");
	is_bytes((struct span){ buf + w.len - 16, 16 }, hex("08006300deadbeef06006200abcd0000"),
		 "is taken over as it is, without what belongs to answers");
	ok(!attr_at(wr_done(&w), 15) && !attr_at(wr_done(&w), 27) && !attr_at(wr_done(&w), 1),
	   "the time of the last use, padding, the integrity key a second time");
}

static void test_cut(void)
{
	struct xfrm_place at = inbound("192.0.2.3", 4500);
	struct span s = hex(sa_in);
	bool fine = true;

	for (size_t n = 0; n < s.n; n++) {
		uint8_t *exact = malloc(n + 1);
		uint32_t len = (uint32_t)n;
		struct wr w = room();
		int r;

		memcpy(exact, s.p, n);
		if (n >= 4)
			memcpy(exact, &len, 4); /* a header that admits the cut */
		r = xfrm_build_sa_again(&w, 1, (struct span){ exact, n }, &at, true, 0);
		fine &= r == 0 || r == -EBADMSG || r == -EINVAL;
		free(exact);
	}
	ok(fine, "an answer cut anywhere is read to where it goes");
	for (size_t cap = 0; cap < sizeof(new_in) / 2; cap += 4) {
		uint8_t *exact = malloc(cap + 1);
		struct wr w = wr_into(exact, cap);

		fine &= xfrm_build_sa_again(&w, 1, s, &at, false, 0) == -ENOBUFS && w.len == 0 &&
			!w.bad;
		free(exact);
	}
	ok(fine, "a buffer that is too short is never written past");
}

int main(void)
{
	test_report();
	test_asked_for();
	test_again();
	test_numbers();
	test_refused();
	test_attributes();
	test_cut();
	return done();
}
