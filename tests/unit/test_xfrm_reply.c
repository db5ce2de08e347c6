/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_xfrm_reply.c - what is made of the kernel's answers.
 *
 * They were read from a 6.1 kernel after three pings through two SAs. All of it is little-endian.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

#include "tap.h"
#include "xfrm/msg.h"
#include "xfrm_addr.h"

/* An SA of the host with our if_id; 0xc0000002 and 0x1001 with a reqid of ours and 3 packets */
static const char sa_answer[] =
	"680100001000020007000000f900000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000020010db8"
	"000000000000000000000001000000773200000020010db8000000000000000000000002ffffffffffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000005ea7046b000000000000000000000000"
	"00000000000000000000000000000000050000000a0001002000000000000000600012007266633431303628"
	"67636d2861657329290000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000a000000080000000000102030405060708090a0b0c0d0e0f1011121310000a00"
	"00000000000000000000000008001f00676e7076600100001000020007000000f90000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000c0000202000000000000000000000000c000000232000000c0000201000000000000000000000000"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff000000000000000000000000"
	"0000000000000000000000000000000000000000fc0000000000000003000000000000005ca7046b00000000"
	"5fa7046b00000000000000000000000000000000000000000100007602000100200000000000000060001200"
	"726663343130362867636d286165732929000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000a000000080000000000102030405060708090a0b0c0d0e0f"
	"1011121310000a00030000000000000000000000280200001000020007000000f90000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000c00002010000000000000000000000000000100132000000c0000202000000000000000000000000"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff000000000000000000000000"
	"0000000000000000000000000000000000000000fc0000000000000003000000000000005aa7046b00000000"
	"5fa7046b0000000000000000000000000000000000000000010000760200010020000000000000005c000100"
	"686d616328736861312900000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000a00000000102030405060708090a0b0c0d0e0f1011121314"
	"60001400686d6163287368613129000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000a0000000600000000102030405060708090a0b0c"
	"0d0e0f1011121314580002006362632861657329000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000800000000001020304050607"
	"08090a0b0c0d0e0f240017000200000000000000030000000000000000000000400000000700000000000000";

/* fwd with our if_id and two templates; out and in with a reqid of ours */
static const char policy_answer[] =
	"500100001300020007000000f90000000000000000000000000000000000000020010db80000000000000000"
	"0000000000000000000000000a000020000000000000000000000000ffffffffffffffffffffffffffffffff"
	"ffffffffffffffffffffffffffffffff00000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000005fa7046b0000000000000000000000000500000012000000"
	"02000000000000008400050020010db8000000000000000000000001000000006c0000000a00000000000000"
	"0000000000000000000000000100000001000100ffffffffffffffffffffffff20010db80000000000000000"
	"0000000100000000320000000a000000000000000000000000000000000000000200000000000000ffffffff"
	"ffffffffffffffff0a001000000000000000000008001f00676e7076080100001300020007000000f9000000"
	"0a6363010000000000000000000000000a000c00000000000000000000000000000000000000000002002018"
	"000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000005fa7046b0000000060a7046b00000000e803000009000000010000000000000044000500c0000202"
	"000000000000000000000000000000003200000002000000c000020100000000000000000000000001000076"
	"01000000ffffffffffffffffffffffff0a0010000000000000000000080100001300020007000000f9000000"
	"0a000c000000000000000000000000000a636301000000000000000000000000000000000000000002001820"
	"000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000005fa7046b0000000060a7046b00000000e803000008000000000000000000000044000500c0000201"
	"0000000000000000000000000000000032000000020000000000000000000000000000000000000001000076"
	"01000000ffffffffffffffffffffffff0a0010000000000000000000";

static const char dump_end[] = "140000000300020007000000f900000000000000";

/* A policy with direction 9; an SA without algorithms, with and without NETLINK_CAP_ACK */
static const char refused_policy[] =
	"440000000200000309000000f9000000eaffffffb80000001300050009000000000000001d000100496e7661"
	"6c696420706f6c69637920646972656374696f6e00000000";
static const char refused_sa[] =
	"7c0000000200000309000000f9000000eafffffff00000001000050009000000"
	"00000000560001004d697373696e672072657175697265642061747472696275746520666f72204553503a20"
	"6174206c65617374206f6e65206f6620415554482c20415554485f5452554e432c2043525950542c20414541"
	"44000000";
static const char refused_uncut[] =
	"5c0100000200000209000000f9000000eafffffff00000001000050009000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000003200000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000002000100000000000000000056000100"
	"4d697373696e672072657175697265642061747472696275746520666f72204553503a206174206c65617374"
	"206f6e65206f6620415554482c20415554485f5452554e432c2043525950542c2041454144000000";

#define SA_FIXED (16 + 224)

static void test_sa_answers(void)
{
	struct span left = hex(sa_answer);
	struct ipaddr dst6 = ip("2001:db8::1"), dst4 = ip("192.0.2.1");
	struct xfrm_reply r;

	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_SA && r.seq == 7, "an SA");
	ok(ipaddr_eq(&r.sa.dst, &dst6) && r.sa.spi == 0x77 && r.sa.proto == IPPROTO_ESP,
	   "over IPv6 has its address and SPI");
	ok(r.sa.reqid == 5 && r.sa.if_id == XFRM_IF_ID && xfrm_sa_is_ours(&r.sa),
	   "and is ours by its if_id");
	ok(r.sa.counters.bytes == 0 && r.sa.counters.last_used_s == 0, "and was not used");
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_SA && r.sa.spi == 0xc0000002,
	   "the second");
	ok(r.sa.counters.bytes == 252 && r.sa.counters.packets == 3, "carried three pings");
	ok(r.sa.if_id == 0 && xfrm_sa_is_ours(&r.sa), "and is ours by its reqid");
	ok(xfrm_reply_next(&left, &r) && r.sa.spi == 0x1001 && ipaddr_eq(&r.sa.dst, &dst4),
	   "the third, with a bitmap");
	ok(!xfrm_reply_next(&left, &r) && left.n == 0, "and then there is nothing");
	left = hex(dump_end);
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_DONE && r.error == 0 &&
		   !r.interrupted,
	   "but the end");
}

static void test_last_used(void)
{
	uint8_t msg[SA_FIXED + 12] = { 0 };
	struct span head = hex(sa_answer), left = { msg, sizeof(msg) };
	struct xfrm_reply r;

	/* A kernel of today adds XFRMA_LASTUSED (15): 12 bytes. */
	memcpy(msg, head.p, SA_FIXED);
	msg[0] = sizeof(msg);
	msg[1] = 0;
	memcpy(msg + SA_FIXED, hex("0c000f005ca7046b00000000").p, 12);
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_SA &&
		   r.sa.counters.last_used_s == 0x6b04a75c,
	   "the time of an SA's last use is read");
	msg[SA_FIXED] = 8;
	msg[0] = sizeof(msg) - 4;
	left = (struct span){ msg, sizeof(msg) - 4 };
	ok(xfrm_reply_next(&left, &r) && r.sa.counters.last_used_s == 0, "not from half a field");
}

/* Told by a 6.1 kernel when an SA with `limit byte-soft 1500 byte-hard 1000000` had carried 2056. */
static const char expire[] =
	"f800000018000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000c0000201000000000000000000000000"
	"0001000032000000c0000202000000000000000000000000dc0500000000000040420f0000000000ffffffff"
	"ffffffffffffffffffffffff0000000000000000000000000000000000000000000000000000000000000000"
	"080800000000000002000000000000003347066b000000003347066b00000000000000000000000000000000"
	"00000000000000760200010020000000000000000000000000000000";

static void test_expiry(void)
{
	uint8_t msg[248 + 8];
	struct span left = hex(expire);
	struct ipaddr dst = ip("192.0.2.1");
	struct xfrm_reply r;

	memcpy(msg, left.p, left.n);
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_EXPIRE && r.seq == 0 && left.n == 0,
	   "the volume of an SA is used up");
	ok(r.sa.spi == 0x10000 && ipaddr_eq(&r.sa.dst, &dst) && r.sa.reqid == XFRM_REQID_FIRST &&
		   xfrm_sa_is_ours(&r.sa) && r.sa.counters.bytes == 2056 && r.error == 0,
	   "softly, and it is one of ours");
	msg[16 + 224] = 1; /* hard; and an if_id behind it */
	msg[0] = 0;
	msg[1] = 1;
	memcpy(msg + 248, hex("08001f00676e7076").p, 8);
	left = (struct span){ msg, sizeof(msg) };
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_EXPIRE && r.error == 1 &&
		   r.sa.if_id == XFRM_IF_ID,
	   "or for good");
	msg[1] = 0;
	msg[0] = 240;
	left = (struct span){ msg, sizeof(msg) };
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_OTHER, "half of it says nothing");
}

static void test_policy_answers(void)
{
	struct span left = hex(policy_answer);
	struct prefix want = net("2001:db8::/32");
	struct xfrm_reply r;

	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_POLICY && r.pol.dir == XFRM_FWD,
	   "a fwd policy");
	ok(prefix_eq(&r.pol.src, &want) && r.pol.dst.len == 0 && r.pol.index == 18,
	   "with its selector and index");
	ok(r.pol.n_templates == 2 && r.pol.reqid[0] == 1 && r.pol.reqid[1] == 2,
	   "has two templates");
	ok(xfrm_pol_is_ours(&r.pol) && r.pol.if_id == XFRM_IF_ID, "and is ours by its if_id");
	r.pol.if_id = 5;
	ok(!xfrm_pol_is_ours(&r.pol), "with another if_id it is not");
	r.pol.reqid[1] = XFRM_REQID_LAST;
	ok(xfrm_pol_is_ours(&r.pol), "but with a reqid of ours in any template");
	r.pol.dir = 3;
	ok(!xfrm_pol_is_ours(&r.pol), "unless it is a socket's");
	ok(xfrm_reply_next(&left, &r) && r.pol.dir == XFRM_OUT && r.pol.if_id == 0 &&
		   xfrm_pol_is_ours(&r.pol),
	   "an outbound one is ours by its reqid");
	ok(xfrm_reply_next(&left, &r) && r.pol.dir == XFRM_IN && r.pol.index == 8,
	   "and an inbound one");
	ok(!xfrm_reply_next(&left, &r), "and then there is nothing");
}

static void test_ours(void)
{
	struct xfrm_sa_info sa = { .reqid = XFRM_REQID_FIRST };

	ok(xfrm_sa_is_ours(&sa), "the first reqid is ours");
	sa.reqid = XFRM_REQID_LAST + 1;
	ok(!xfrm_sa_is_ours(&sa), "the one after the last is not");
	sa.reqid = XFRM_REQID_FIRST - 1;
	ok(!xfrm_sa_is_ours(&sa), "nor the one before the first");
	sa.if_id = XFRM_IF_ID + 1;
	ok(!xfrm_sa_is_ours(&sa), "nor another if_id");
}

static void test_verdicts(void)
{
	struct span left = hex(refused_policy);
	struct xfrm_reply r;

	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_ACK && r.seq == 9, "a verdict");
	is_int(r.error, -EINVAL, "is negative");
	is_str(r.text, "Invalid policy direction", "and has the kernel's words");
	left = hex(refused_sa);
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_ACK, "a longer one");
	is_str(r.text,
	       "Missing required attribute for ESP: at least one of AUTH, AUTH_TRUNC, CRYPT, AEAD",
	       "too");
	left = hex(refused_uncut);
	ok(xfrm_reply_next(&left, &r) && r.error == -EINVAL && r.text &&
		   strncmp(r.text, "Missing", 7) == 0,
	   "also behind a copy of the request");
	left = hex("140000000200030209000000f900000000000000");
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_OTHER, "half a verdict is none");
	left = hex("14000000030012000700000000000000f5ffffff");
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_DONE && r.error == -11 &&
		   r.interrupted,
	   "an interrupted dump says so");
}

/* Every answer, cut at every length: no byte past the end is touched (ASan looks). */
static void test_cut(void)
{
	static const char *const whole[] = { sa_answer,  policy_answer, refused_policy,
					     refused_sa, refused_uncut, dump_end };
	bool fine = true;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct span s = hex(whole[i]);

		for (size_t n = 0; n <= s.n; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			struct span left = { exact, n };
			struct xfrm_reply r;
			unsigned rounds = 0;

			memcpy(exact, s.p, n);
			while (xfrm_reply_next(&left, &r))
				rounds++;
			/* Also with a header that admits the cut. */
			if (n >= 16 && n < 256) {
				left = (struct span){ exact, n };
				exact[0] = (uint8_t)n;
				exact[1] = 0;
				fine &= xfrm_reply_next(&left, &r) && left.n == 0;
			}
			fine &= rounds <= 3;
			free(exact);
		}
	}
	ok(fine, "answers cut anywhere are read to where they go");
}

int main(void)
{
	test_sa_answers();
	test_last_used();
	test_expiry();
	test_policy_answers();
	test_ours();
	test_verdicts();
	test_cut();
	return done();
}
