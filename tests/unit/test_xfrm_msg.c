/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_xfrm_msg.c - the netlink bytes that go to the kernel.
 *
 * The requests below are what `ip xfrm` (iproute2 6.1) sent for the same objects, seen with
 * strace, with sequence number 7. All of it is little-endian.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

#include "tap.h"
#include "xfrm/msg.h"
#include "xfrm_addr.h"

/* ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1001 reqid 0x76000001 mode tunnel
 * replay-window 64 flag af-unspec auth-trunc "hmac(sha1)" 0x01..14 96 enc "cbc(aes)" 0x00..0f
 * encap espinudp 4500 4501 0.0.0.0 if_id 0x76706e67 */
static const char aes_cbc[] =
	"e801000010000500070000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000c0000201"
	"0000000000000000000000000000100132000000c0000202000000000000000000000000ffffffffffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000100007602000100200000000000000060001400686d616328736861"
	"3129000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000a0000000600000000102030405060708090a0b0c0d0e0f101112131458000200"
	"6362632861657329000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000080000000000102030405060708090a0b0c0d0e0f1c000400"
	"0200119411950000000000000000000000000000000000001c00170002000000000000000000000000000000"
	"000000004000000008001f00676e7076";

/* ... src 2001:db8::2 dst 2001:db8::1 spi 0xc0000002 reqid 0x76000002 replay-window 32
 * flag af-unspec aead "rfc4106(gcm(aes))" 0x00..13 128 */
static const char aes_gcm[] =
	"5001000010000500070000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000020010db8"
	"000000000000000000000001c00000023200000020010db8000000000000000000000002ffffffffffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000020000760a0001202000000000000000600012007266633431303628"
	"67636d2861657329290000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000a000000080000000000102030405060708090a0b0c0d0e0f10111213";

/* ... the same without a window, auth-trunc "hmac(sha256)" 0x01..20 128
 * enc "cbc(des3_ede)" 0x00..17 */
static const char des3[] =
	"bc01000010000500070000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000020010db8"
	"000000000000000000000001c00000023200000020010db8000000000000000000000002ffffffffffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000020000760a00010020000000000000006c001400686d616328736861"
	"3235362900000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000010000800000000102030405060708090a0b0c0d0e0f101112131415161718"
	"191a1b1c1d1e1f206000020063626328646573335f6564652900000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000c00000000001020304050607"
	"08090a0b0c0d0e0f1011121314151617";

/* ip xfrm state delete dst 192.0.2.1 proto esp spi 0x1001, without the attribute XFRMA_SRCADDR
 * (14000d00 and 16 zeroes) that iproute2 adds and ESP does not need */
static const char sa_del[] = "28000000110005000700000000000000c0000201000000000000000000000000"
			     "0000100102003200";

/* ip xfrm policy update dir in src 10.99.99.1/32 dst 10.0.12.0/24 priority 1000 if_id 0x76706e67
 * tmpl src 0.0.0.0 dst 192.0.2.1 proto esp reqid 0x76000001 mode tunnel */
static const char policy_in[] =
	"040100001900050007000000000000000a000c00000000000000000000000000"
	"0a636301000000000000000000000000000000000000000002001820000000000000000000000000ffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000e803000000000000000000000000000044000500c000020100000000000000000000000000000000"
	"3200000002000000000000000000000000000000000000000100007601000000ffffffffffffffffffffffff"
	"08001f00676e7076";

/* ip xfrm policy update dir out src 10.0.12.0/24 dst 10.99.99.1/32 priority 1000
 * tmpl src 2001:db8::1 dst 2001:db8::2 proto esp reqid 0x76000002 mode tunnel */
static const char policy_out[] =
	"fc0000001900050007000000000000000a636301000000000000000000000000"
	"0a000c00000000000000000000000000000000000000000002002018000000000000000000000000ffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000e80300000000000001000000000000004400050020010db800000000000000000000000200000000"
	"320000000a00000020010db80000000000000000000000010200007601000000ffffffffffffffffffffffff";

/* ip xfrm policy update dir out src 0.0.0.1/0 dst 10.99.99.4/30 action block priority 2000
 * tmpl src 0.0.0.0 dst 0.0.0.0 proto esp reqid 0x76ffffff mode tunnel */
static const char block_out[] =
	"fc0000001900050007000000000000000a636304000000000000000000000000"
	"00000001000000000000000000000000000000000000000002001e00000000000000000000000000ffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000d0070000000000000101000000000000440005000000000000000000000000000000000000000000"
	"320000000200000000000000000000000000000000000000ffffff7601000000ffffffffffffffffffffffff";

/* ... dir in src 2001:db8:9::/64 dst ::1/0 action block ... tmpl src :: dst :: ... */
static const char block_in[] =
	"fc00000019000500070000000000000000000000000000000000000000000001"
	"20010db800090000000000000000000000000000000000000a000040000000000000000000000000ffffffff"
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000d0070000000000000001000000000000440005000000000000000000000000000000000000000000"
	"320000000a00000000000000000000000000000000000000ffffff7601000000ffffffffffffffffffffffff";

/* ip xfrm policy delete dir in src 10.99.99.1/32 dst 10.0.12.0/24 if_id 0x76706e67 */
static const char policy_del[] =
	"580000001400050007000000000000000a000c00000000000000000000000000"
	"0a63630100000000000000000000000000000000000000000200182000000000000000000000000000000000"
	"0000000008001f00676e7076";

/* ip xfrm policy get dir out src 10.0.12.0/24 dst 10.99.99.1/32 */
static const char policy_get[] =
	"500000001500010007000000000000000a636301000000000000000000000000"
	"0a000c0000000000000000000000000000000000000000000200201800000000000000000000000000000000"
	"01000000";

/* ip xfrm policy delete dir fwd index 18 if_id 0x76706e67 */
static const char policy_del_index[] =
	"5800000014000500070000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000002000000000000000000000000000000120000000200000008001f00676e7076";

/* ip xfrm policy set hthresh4 0 32 hthresh6 0 128 */
static const char hthresh[] = "24000000240005000700000000000000ffffffff060003000020000006000400"
			      "00800000";

/* ip xfrm state list proto esp, without the attribute XFRMA_ADDRESS_FILTER; ip xfrm policy list */
static const char sa_dump[] = "18000000120001030700000000000000"
			      "0500190032000000";
static const char policy_dump[] = "10000000150001030700000000000000";

static struct xfrm_sa sa_aes(void)
{
	struct xfrm_sa sa = {
		.src = ip("192.0.2.2"),
		.dst = ip("192.0.2.1"),
		.spi = 0x1001,
		.reqid = 0x76000001,
		.if_id = XFRM_IF_ID,
		.enc_name = "cbc(aes)",
		.auth_name = "hmac(sha1)",
		.enc_len = 16,
		.auth_len = 20,
		.icv_bits = 96,
		.encap = true,
		.sport = 4500,
		.dport = 4501,
		.replay_window = 64,
	};

	for (unsigned i = 0; i < XFRM_KEY_MAX; i++) {
		sa.enc_key[i] = (uint8_t)i;
		sa.auth_key[i] = (uint8_t)(i + 1);
	}
	return sa;
}

static struct xfrm_sa sa_v6(void)
{
	struct xfrm_sa sa = sa_aes();

	sa.src = ip("2001:db8::2");
	sa.dst = ip("2001:db8::1");
	sa.spi = 0xc0000002;
	sa.reqid = 0x76000002;
	sa.if_id = 0;
	sa.encap = false;
	return sa;
}

static struct xfrm_sa sa_gcm(void)
{
	struct xfrm_sa sa = sa_v6();

	sa.aead = true;
	sa.enc_name = "rfc4106(gcm(aes))";
	sa.auth_name = NULL;
	sa.enc_len = 20;
	sa.icv_bits = 128;
	sa.replay_window = 32;
	return sa;
}

static struct xfrm_sa sa_des(void)
{
	struct xfrm_sa sa = sa_v6();

	sa.enc_name = "cbc(des3_ede)";
	sa.auth_name = "hmac(sha256)";
	sa.enc_len = 24;
	sa.auth_len = 32;
	sa.icv_bits = 128;
	sa.replay_window = 0;
	return sa;
}

static _Alignas(8) uint8_t buf[8192];

static struct wr room(void)
{
	memset(buf, 0xa5, sizeof(buf));
	return wr_into(buf, sizeof(buf));
}

static void is_request(struct wr *w, int r, const char *want, const char *name)
{
	if (r < 0)
		ok(false, "%s: %s", name, strerror(-r));
	else
		is_bytes(wr_done(w), hex(want), name);
}

static void test_sa_requests(void)
{
	struct xfrm_sa sa = sa_aes();
	struct wr w = room();

	is_request(&w, xfrm_build_sa_add(&w, 7, &sa), aes_cbc,
		   "AES-CBC with SHA-1 in UDP, a window of 64 and if_id is what iproute2 sends");
	sa = sa_gcm();
	w = room();
	is_request(&w, xfrm_build_sa_add(&w, 7, &sa), aes_gcm,
		   "AES-GCM over IPv6 with a window of 32 is what iproute2 sends");
	sa = sa_des();
	w = room();
	is_request(&w, xfrm_build_sa_add(&w, 7, &sa), des3,
		   "3DES with SHA-256 and no window is what iproute2 sends");
	sa = sa_aes();
	sa.soft_bytes = 0x123456789a;
	sa.hard_bytes = 0x200000000000;
	w = room();
	xfrm_build_sa_add(&w, 7, &sa);
	ok(memcmp(w.p + 16 + 96, hex("9a78563412000000 0000000000200000").p, 16) == 0 &&
		   memcmp(w.p + 16 + 112, hex("ffffffffffffffff ffffffffffffffff").p, 16) == 0,
	   "bounds on its bytes go before those on its packets, which has none");
	sa = sa_aes();
	w = room();
	is_request(&w, xfrm_build_sa_del(&w, 7, &sa.dst, sa.spi), sa_del, "an SA is deleted");
	w = room();
	is_int(xfrm_build_sa_get(&w, 7, &sa.dst, sa.spi), 0, "an SA is asked for");
	is_int(buf[4], 0x12, "and that request is GETSA");
	is_int(buf[6], 0x01, "without an ACK: the answer is the SA");
	w = room();
	is_request(&w, xfrm_build_sa_dump(&w, 7, IPPROTO_ESP), sa_dump,
		   "a dump asks for ESP alone");
}

static struct xfrm_pol pol_in(void)
{
	return (struct xfrm_pol){ .dir = XFRM_IN,
				  .src = net("10.99.99.1/32"),
				  .dst = net("10.0.12.0/24"),
				  .tmpl_src = ip("0.0.0.0"),
				  .tmpl_dst = ip("192.0.2.1"),
				  .reqid = 0x76000001,
				  .if_id = XFRM_IF_ID };
}

static struct xfrm_pol pol_out(void)
{
	return (struct xfrm_pol){ .dir = XFRM_OUT,
				  .src = net("10.0.12.0/24"),
				  .dst = net("10.99.99.1/32"),
				  .tmpl_src = ip("2001:db8::1"),
				  .tmpl_dst = ip("2001:db8::2"),
				  .reqid = 0x76000002 };
}

static void test_policy_requests(void)
{
	struct xfrm_pol in = pol_in(), out = pol_out();
	struct wr w = room();

	is_request(&w, xfrm_build_policy_add(&w, 7, &in, true), policy_in,
		   "an inbound policy with if_id is what iproute2 sends");
	w = room();
	is_int(xfrm_build_policy_add(&w, 7, &in, false), 0, "a policy can be made anew");
	is_int(buf[4], 0x13, "and that request is NEWPOLICY");
	buf[4] = 0x19;
	is_bytes(wr_done(&w), hex(policy_in), "and else the same");
	w = room();
	is_request(&w, xfrm_build_policy_add(&w, 7, &out, true), policy_out,
		   "an outbound policy with an IPv6 template for IPv4 is what iproute2 sends");
	w = room();
	is_request(&w, xfrm_build_policy_del(&w, 7, &in), policy_del, "a policy is deleted");
	w = room();
	is_request(&w, xfrm_build_policy_get(&w, 7, &out), policy_get, "a policy is asked for");
	w = room();
	is_request(&w, xfrm_build_policy_del_index(&w, 7, XFRM_FWD, 18, XFRM_IF_ID),
		   policy_del_index, "a policy is deleted by its index");
	is_int(xfrm_build_policy_del_index(&w, 7, XFRM_FWD, 0, XFRM_IF_ID), -EINVAL,
	       "index 0 is refused: it would mean an empty selector");
	w = room();
	is_request(&w, xfrm_build_policy_dump(&w, 7), policy_dump, "policies are dumped");
	w = room();
	is_request(&w, xfrm_build_hthresh(&w, 7), hthresh, "thresholds are what iproute2 sends");
}

/* The bytes of struct xfrm_selector: dport and its mask, sport and its mask, ..., proto. */
static void test_ports(void)
{
	struct xfrm_pair p = { .in = { .src = ip("192.0.2.9"), .dst = ip("198.51.100.1") },
			       .out = { .src = ip("198.51.100.1"), .dst = ip("192.0.2.9") },
			       .inner = ip("10.99.99.1"),
			       .nets = { net("10.0.12.0/24") },
			       .n_nets = 1,
			       .proto = 6,
			       .net_port = 22 };
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	struct xfrm_reply r;
	struct span left;
	struct wr w;

	is_int(xfrm_pair_policies(&p, pol), 3, "a pair for one port has three policies");
	w = room();
	ok(xfrm_build_policy_add(&w, 7, &pol[0], false) == 0 &&
		   memcmp(buf + 16 + 32, hex("0016 ffff 0000 0000").p, 8) == 0 && buf[16 + 44] == 6,
	   "in: the network's port is the destination's");
	w = room();
	ok(xfrm_build_policy_add(&w, 7, &pol[2], false) == 0 &&
		   memcmp(buf + 16 + 32, hex("0000 0000 0016 ffff").p, 8) == 0 && buf[16 + 44] == 6,
	   "out: it is the source's");
	left = (struct span){ buf, w.len };
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_POLICY && r.pol.proto == 6 &&
		   r.pol.sport == 22 && r.pol.dport == 0,
	   "and is read back");
	p.inner_port = 1022;
	xfrm_pair_policies(&p, pol);
	ok(pol[1].dir == XFRM_FWD && pol[1].sport == 1022 && pol[1].dport == 22 &&
		   pol[2].dport == 1022,
	   "the client's port is at its side");
}

/* Where a field of the fixed part stands in a request. */
#define AT(type, field) (16 + offsetof(struct type, field))

static void test_ipcomp(void)
{
	struct xfrm_sa sa = { .src = ip("192.0.2.9"),
			      .dst = ip("198.51.100.1"),
			      .cpi = 0x1234,
			      .reqid = 0x76000010,
			      .if_id = XFRM_IF_ID };
	struct xfrm_reply r;
	struct span left;
	struct wr w = room();

	is_int(xfrm_build_ipcomp_add(&w, 7, &sa), 0, "an SA of IPComp");
	left = (struct span){ buf, w.len };
	ok(xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_SA && r.sa.proto == IPPROTO_COMP &&
		   r.sa.spi == 0x1234 && r.sa.reqid == sa.reqid && r.sa.if_id == XFRM_IF_ID &&
		   ipaddr_eq(&r.sa.dst, &sa.dst),
	   "has its CPI where ESP has the SPI");
	ok(buf[AT(xfrm_usersa_info, mode)] == XFRM_MODE_TUNNEL &&
		   buf[AT(xfrm_usersa_info, flags)] == XFRM_STATE_AF_UNSPEC,
	   "the tunnel is its own");
	ok(memmem(buf, w.len, "deflate", 8) != NULL, "and DEFLATE");
	w = room();
	ok(xfrm_build_ipcomp_del(&w, 7, &sa.dst, sa.cpi) == 0 &&
		   buf[AT(xfrm_usersa_id, spi) + 2] == 0x12 &&
		   buf[AT(xfrm_usersa_id, spi) + 3] == 0x34 &&
		   buf[AT(xfrm_usersa_id, proto)] == IPPROTO_COMP,
	   "it is deleted by address, CPI and protocol");
	w = room();
	ok(xfrm_build_ipcomp_get(&w, 7, &sa.dst, sa.cpi) == 0 && buf[4] == XFRM_MSG_GETSA,
	   "and asked for by the same");
	sa.cpi = 0;
	is_int(xfrm_build_ipcomp_add(&w, 7, &sa), -EINVAL, "without a CPI there is none");
	sa.cpi = 256;
	sa.src = ip("2001:db8::1");
	is_int(xfrm_build_ipcomp_add(&w, 7, &sa), -EINVAL, "nor between IPv4 and IPv6");
}

/* The value of XFRMA_SA_EXTRA_FLAGS in a request for an SA; 0: it is not there. */
static uint32_t extra_flags(const struct wr *w)
{
	struct nlattr a;
	uint32_t v;

	for (size_t at = 16 + sizeof(struct xfrm_usersa_info); at < w->len;
	     at += NLA_ALIGN(a.nla_len)) {
		memcpy(&a, buf + at, sizeof(a));
		memcpy(&v, buf + at + sizeof(a), sizeof(v));
		if (a.nla_type == XFRMA_SA_EXTRA_FLAGS)
			return v;
	}
	return 0;
}

/* What the tunnel's header takes of the packet inside, where the tunnel is. */
static void test_copying(void)
{
	struct xfrm_sa sa = sa_aes();
	unsigned usual = XFRM_STATE_AF_UNSPEC,
		 changed = usual | XFRM_STATE_NOPMTUDISC | XFRM_STATE_DECAP_DSCP;
	struct wr w = room();

	ok(xfrm_build_sa_add(&w, 7, &sa) == 0 && buf[AT(xfrm_usersa_info, flags)] == usual &&
		   extra_flags(&w) == 0,
	   "DF and DSCP are copied to the outer header, and not from it");
	sa.clear_df = sa.decap_dscp = sa.no_encap_dscp = true;
	w = room();
	ok(xfrm_build_sa_add(&w, 7, &sa) == 0 && buf[AT(xfrm_usersa_info, flags)] == changed &&
		   extra_flags(&w) == XFRM_SA_XFLAG_DONT_ENCAP_DSCP,
	   "or the other way");
	sa.cpi = 256;
	w = room();
	ok(xfrm_build_sa_add(&w, 7, &sa) == 0 && buf[AT(xfrm_usersa_info, flags)] == 0 &&
		   extra_flags(&w) == 0 && buf[AT(xfrm_usersa_info, mode)] == XFRM_MODE_TRANSPORT,
	   "not by ESP where IPComp has the tunnel");
	w = room();
	ok(xfrm_build_ipcomp_add(&w, 7, &sa) == 0 && buf[AT(xfrm_usersa_info, flags)] == changed &&
		   extra_flags(&w) == XFRM_SA_XFLAG_DONT_ENCAP_DSCP,
	   "but by that");
}

static void test_ipcomp_policies(void)
{
	struct xfrm_pair p = { .in = { .src = ip("192.0.2.9"), .dst = ip("198.51.100.1") },
			       .out = { .src = ip("198.51.100.1"), .dst = ip("192.0.2.9") },
			       .inner = ip("10.99.99.1"),
			       .nets = { net("10.0.12.0/24") },
			       .n_nets = 1 };
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	struct xfrm_pol_info *got;
	struct xfrm_reply r;
	bool ipcomp;

	p.in.cpi = p.out.cpi = 256;
	p.in.reqid = p.out.reqid = 0x76000010;
	p.in.if_id = p.out.if_id = XFRM_IF_ID;
	xfrm_pair_policies(&p, pol);
	for (unsigned i = 0; i < 3; i++) {
		struct wr w = wr_into(buf, XFRM_MSG_POLICY_MAX);
		struct xfrm_user_tmpl t[2]; /* behind the fixed part and their header */
		struct span left;

		is_int(xfrm_build_policy_add(&w, 7, &pol[i], false), 0,
		       "a policy for IPComp fits XFRM_MSG_POLICY_MAX");
		memcpy(t, buf + 16 + sizeof(struct xfrm_userpolicy_info) + 4, sizeof(t));
		left = (struct span){ buf, w.len };
		got = &r.pol;
		ok(xfrm_reply_next(&left, &r) && xfrm_pol_is_plain(got, &ipcomp) && ipcomp &&
			   xfrm_pol_is_ours(got) && got->tmpl_proto[0] == IPPROTO_COMP &&
			   got->tmpl_proto[1] == IPPROTO_ESP && got->reqid[1] == p.in.reqid,
		   "IPComp is inside, ESP outside");
		ok(t[0].mode == XFRM_MODE_TUNNEL && t[1].mode == XFRM_MODE_TRANSPORT,
		   "the one has the tunnel");
		ok(t[0].optional == (pol[i].dir != XFRM_OUT) && !t[1].optional,
		   "and may be missing in what comes in");
	}
	got->reqid[1]++;
	ok(!xfrm_pol_is_plain(got, &ipcomp), "two templates of two owners are none of ours");
}

/* What blocks is told apart from a client's own policy by an address behind 0 bits of prefix. */
static void test_block_requests(void)
{
	struct xfrm_pol pol = { .dir = XFRM_OUT,
				.src = net("0.0.0.0/0"),
				.dst = net("10.99.99.4/30"),
				.tmpl_src = ip("0.0.0.0"),
				.tmpl_dst = ip("0.0.0.0"),
				.reqid = XFRM_REQID_GATEWAY,
				.block = true };
	struct wr w = room();

	is_request(&w, xfrm_build_policy_add(&w, 7, &pol, true), block_out,
		   "a policy that blocks is what iproute2 sends");
	w = room();
	ok(xfrm_build_policy_get(&w, 7, &pol) == 0 &&
		   memcmp(buf + 16, hex(block_out).p + 16, 56) == 0,
	   "and is asked for by the same selector");
	pol = (struct xfrm_pol){ .dir = XFRM_IN,
				 .src = net("2001:db8:9::/64"),
				 .dst = net("::/0"),
				 .tmpl_src = ip("::"),
				 .tmpl_dst = ip("::"),
				 .reqid = XFRM_REQID_GATEWAY,
				 .block = true };
	w = room();
	is_request(&w, xfrm_build_policy_add(&w, 7, &pol, true), block_in,
		   "as is one for IPv6, inbound");
}

/* The value of the attribute of that type behind `skip` bytes; empty when there is none. */
static struct span attr(struct span msg, size_t skip, uint16_t type)
{
	while (skip + 4 <= msg.n) {
		uint16_t len = (uint16_t)(msg.p[skip] | msg.p[skip + 1] << 8);
		uint16_t t = (uint16_t)(msg.p[skip + 2] | msg.p[skip + 3] << 8);

		if (len < 4 || len > msg.n - skip)
			break;
		if (t == type)
			return (struct span){ msg.p + skip + 4, len - 4u };
		skip += (len + 3u) & ~3u;
	}
	return (struct span){ 0 };
}

#define SA_FIXED (16 + 224)

static void test_windows(void)
{
	static const struct {
		uint32_t window;
		uint8_t field, words;
	} row[] = { { 0, 0, 0 },  { 1, 1, 0 },  { 32, 32, 0 },   { 33, 0, 2 },
		    { 64, 0, 2 }, { 65, 0, 3 }, { 1024, 0, 32 }, { 4096, 0, 128 } };
	struct xfrm_sa sa = sa_aes();

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct wr w = room();
		struct span esn;

		sa.replay_window = row[i].window;
		if (!ok(xfrm_build_sa_add(&w, 7, &sa) == 0, "a window of %u", row[i].window))
			continue;
		esn = attr(wr_done(&w), SA_FIXED, 23);
		ok(buf[16 + 215] == row[i].field && esn.n == (row[i].words ? 24 : 0) &&
			   (!esn.n || esn.p[0] == row[i].words),
		   "has %u in the old field, a bitmap of %u words", row[i].field, row[i].words);
	}
	sa.esn = true;
	for (uint32_t window = 32; window <= 64; window += 32) {
		struct wr w = room();
		struct span esn;

		sa.replay_window = window;
		if (!ok(xfrm_build_sa_add(&w, 7, &sa) == 0, "ESN with a window of %u", window))
			continue;
		esn = attr(wr_done(&w), SA_FIXED, 23);
		ok(buf[16 + 215] == 0 && buf[16 + 216] == 0xa0 && esn.n == 24 &&
			   esn.p[0] == window / 32 && esn.p[20] == window,
		   "has the flag, and a bitmap");
	}
	sa.replay_window = 0;
	struct wr w = room();

	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "which it needs");
	sa.esn = false;
	sa.replay_window = XFRM_WINDOW_MAX + 1;
	w = room();

	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "a window that the kernel has no room for");
	is_int((long long)w.len, 0, "leaves the buffer as it was");
}

static void test_sizes(void)
{
	struct xfrm_sa sa = sa_aes();
	struct xfrm_pol pol = pol_out();
	bool fine = true;
	struct wr w;

	sa.replay_window = XFRM_WINDOW_MAX;
	sa.report_s = 1;
	sa.no_encap_dscp = true;
	sa.enc_len = sa.auth_len = XFRM_KEY_MAX;
	w = wr_into(buf, XFRM_MSG_SA_MAX);
	is_int(xfrm_build_sa_add(&w, 7, &sa), 0, "XFRM_MSG_SA_MAX holds the longest SA");
	pol.if_id = XFRM_IF_ID;
	w = wr_into(buf, XFRM_MSG_POLICY_MAX);
	is_int(xfrm_build_policy_add(&w, 7, &pol, true), 0, "XFRM_MSG_POLICY_MAX a policy");

	sa = sa_aes();
	for (size_t cap = 0; cap < sizeof(aes_cbc) / 2; cap += 4) {
		uint8_t *exact = malloc(cap + 1);

		w = wr_into(exact, cap);
		fine &= xfrm_build_sa_add(&w, 7, &sa) == -ENOBUFS && w.len == 0;
		if (cap < sizeof(policy_in) / 2) {
			pol = pol_in();
			fine &= xfrm_build_policy_add(&w, 7, &pol, true) == -ENOBUFS;
		}
		free(exact);
	}
	ok(fine, "a buffer that is too short is never written past");
}

static void test_nonsense(void)
{
	struct xfrm_sa sa = sa_aes();
	struct xfrm_pol pol = pol_in();
	struct ipaddr none = { 0 };
	struct wr w = room();

	sa.src = ip("2001:db8::1");
	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "outer addresses of two families");
	sa = sa_aes();
	sa.enc_name = NULL;
	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "no cipher");
	sa = sa_aes();
	sa.auth_name = "hmac(a-name-of-more-than-sixty-three-bytes-has-no-room-in-the-message)";
	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "a name that is too long");
	sa = sa_aes();
	sa.auth_len = XFRM_KEY_MAX + 1;
	is_int(xfrm_build_sa_add(&w, 7, &sa), -EINVAL, "a key that is too long");
	is_int(xfrm_build_sa_del(&w, 7, &none, 1), -EINVAL, "no address");
	pol.dst = net("2001:db8::/32");
	is_int(xfrm_build_policy_add(&w, 7, &pol, true), -EINVAL, "selectors of two families");
	pol = pol_in();
	pol.tmpl_src = ip("::");
	is_int(xfrm_build_policy_add(&w, 7, &pol, true), -EINVAL, "a template of two families");
	pol = pol_in();
	pol.src.len = 33;
	is_int(xfrm_build_policy_del(&w, 7, &pol), -EINVAL, "33 bits of IPv4");
	is_int((long long)w.len, 0, "none of them is begun");
}

static void test_pair(void)
{
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	struct xfrm_pair p = { .in = sa_aes(),
			       .out = sa_aes(),
			       .inner = ip("10.99.99.1"),
			       .nets = { net("10.0.12.0/24"), net("0.0.0.0/0") },
			       .n_nets = 2 };
	struct xfrm_pol want = pol_in();
	uint8_t one[XFRM_MSG_POLICY_MAX];
	struct wr w = wr_into(one, sizeof(one));

	p.out.src = p.in.dst;
	p.out.dst = p.in.src;
	is_int(xfrm_pair_policies(&p, pol), 6, "two networks take six policies");
	ok(pol[0].dir == XFRM_IN && pol[1].dir == XFRM_FWD && pol[2].dir == XFRM_OUT,
	   "in, fwd and out");
	ok(prefix_eq(&pol[0].src, &want.src) && prefix_eq(&pol[0].dst, &want.dst) &&
		   prefix_eq(&pol[2].dst, &want.src) && prefix_eq(&pol[2].src, &want.dst),
	   "whose selector is the lease's own /32 and the network");
	ok(ipaddr_eq(&pol[1].tmpl_src, &want.tmpl_src) && ipaddr_eq(&pol[1].tmpl_dst, &p.in.dst),
	   "the inbound template's source is open");
	ok(ipaddr_eq(&pol[2].tmpl_src, &p.out.src) && ipaddr_eq(&pol[2].tmpl_dst, &p.out.dst),
	   "the outbound template's is not");
	ok(pol[5].src.len == 0 && pol[5].reqid == p.out.reqid && pol[5].if_id == XFRM_IF_ID,
	   "and the second network follows");
	p.in.dst = ip("2001:db8::1");
	p.n_nets = 200;
	is_int(xfrm_pair_policies(&p, pol), XFRM_PAIR_POLICIES, "too many networks are cut");
	is_int(pol[0].tmpl_src.family, IP_V6, "an IPv6 outer has :: as the open source");
	p.in.dst = p.out.src;
	p.inner = ip("fd00:99::1");
	p.nets[0] = net("fd00:10::/64");
	p.n_nets = 1;
	is_int(xfrm_pair_policies(&p, pol), 3, "an IPv6 inner over IPv4");
	ok(pol[0].src.len == 128 && pol[0].src.addr.family == IP_V6 && pol[2].dst.len == 128 &&
		   pol[0].tmpl_dst.family == IP_V4 && pol[0].tmpl_src.family == IP_V4,
	   "has a selector of the one family and a template of the other");
	is_int(xfrm_build_policy_add(&w, 1, &pol[0], false), 0, "which is a message");
}

int main(void)
{
	test_sa_requests();
	test_policy_requests();
	test_ports();
	test_ipcomp();
	test_copying();
	test_ipcomp_policies();
	test_block_requests();
	test_windows();
	test_sizes();
	test_nonsense();
	test_pair();
	return done();
}
