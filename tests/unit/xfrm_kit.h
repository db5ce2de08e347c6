/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xfrm_kit.h - what the tests against a real kernel share: a network namespace of their own,
 * pairs to put into it, and a second socket to look at the tables with.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "tap.h"
#include "xfrm/msg.h"
#include "xfrm_addr.h"

struct alg {
	const char *enc;
	uint8_t enc_len;
	const char *auth;
	uint8_t auth_len;
	uint16_t icv_bits;
};

static const struct alg algs[] = {
	{ "cbc(aes)", 16, "hmac(sha1)", 20, 96 },     { "cbc(aes)", 24, "hmac(sha256)", 32, 128 },
	{ "cbc(aes)", 32, "hmac(sha256)", 32, 96 }, /* the truncation of the 2002 draft */
	{ "cbc(aes)", 16, "hmac(sha384)", 48, 192 },  { "cbc(aes)", 32, "hmac(sha512)", 64, 256 },
	{ "cbc(des3_ede)", 24, "hmac(md5)", 16, 96 }, { "cbc(des3_ede)", 24, "hmac(sha1)", 20, 96 },
	{ "rfc4106(gcm(aes))", 20, NULL, 0, 128 },    { "rfc4106(gcm(aes))", 36, NULL, 0, 128 },
};

static void set_alg(struct xfrm_sa *sa, const struct alg *alg)
{
	sa->aead = !alg->auth;
	sa->enc_name = alg->enc;
	sa->enc_len = alg->enc_len;
	sa->auth_name = alg->auth;
	sa->auth_len = alg->auth_len;
	sa->icv_bits = alg->icv_bits;
	/* Keys without a pattern: 3DES refuses equal thirds. */
	for (unsigned i = 0; i < XFRM_KEY_MAX; i++) {
		sa->enc_key[i] = (uint8_t)(i * 37 + sa->spi);
		sa->auth_key[i] = (uint8_t)(i * 59 + sa->spi);
	}
}

/* The gateway's view of client number `id`: 192.0.2.1 is the gateway, 192.0.2.2 the client. */
__attribute__((unused)) static struct xfrm_pair make_pair(uint32_t id, const struct alg *alg)
{
	struct xfrm_pair p = { .inner = ipaddr_v4(0x0a636301 + id),
			       .nets = { net("10.0.12.0/24") },
			       .n_nets = 1 };

	p.in.src = p.out.dst = ip("192.0.2.2");
	p.in.dst = p.out.src = ip("192.0.2.1");
	p.in.spi = 0x10000 + id;
	p.out.spi = 0xc0000000 + id;
	p.in.reqid = p.out.reqid = XFRM_REQID_FIRST + id;
	p.in.replay_window = 64;
	set_alg(&p.in, alg);
	set_alg(&p.out, alg);
	return p;
}

/* 0, or what unshare() says. */
__attribute__((unused)) static int fresh_netns(void)
{
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

/* Sends one request on a socket of its own; the answers go to `buf`. Returns their bytes. */
static ssize_t raw_ask(const struct wr *w, void *buf, size_t cap)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t used = 0;
	ssize_t n;

	if (fd < 0 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    send(fd, w->p, w->len, 0) < 0)
		return -errno;
	while ((n = recv(fd, (uint8_t *)buf + used, cap - used, MSG_DONTWAIT)) > 0)
		used += (size_t)n;
	return (ssize_t)used;
}

/* The verdict on one request. */
static int raw_do(const struct wr *w)
{
	_Alignas(8) uint8_t buf[4096];
	ssize_t n = raw_ask(w, buf, sizeof(buf));
	struct span left = { buf, n < 0 ? 0 : (size_t)n };
	struct xfrm_reply r;

	if (n < 0)
		return (int)n;
	return xfrm_reply_next(&left, &r) && r.kind == XFRM_REPLY_ACK ? r.error : -EBADMSG;
}

__attribute__((unused)) static int raw_policy_add(const struct xfrm_pol *pol)
{
	_Alignas(8) uint8_t buf[XFRM_MSG_POLICY_MAX];
	struct wr w = wr_into(buf, sizeof(buf));
	int r = xfrm_build_policy_add(&w, 1, pol, false);

	return r < 0 ? r : raw_do(&w);
}

__attribute__((unused)) static int raw_sa_add(const struct xfrm_sa *sa)
{
	_Alignas(8) uint8_t buf[XFRM_MSG_SA_MAX];
	struct wr w = wr_into(buf, sizeof(buf));
	int r = xfrm_build_sa_add(&w, 1, sa);

	return r < 0 ? r : raw_do(&w);
}

/* How many there are: ours and others'. */
struct census {
	unsigned ours, others;
};

static struct census count_kind(bool sas)
{
	static _Alignas(8) uint8_t buf[1 << 20];
	struct wr w = wr_into(buf, sizeof(buf));
	struct census c = { 0 };
	struct xfrm_reply r;
	struct span left;
	ssize_t n;

	if ((sas ? xfrm_build_sa_dump(&w, 1, IPPROTO_ESP) : xfrm_build_policy_dump(&w, 1)) < 0)
		abort();
	n = raw_ask(&w, buf, sizeof(buf));
	left = (struct span){ buf, n < 0 ? 0 : (size_t)n };
	while (xfrm_reply_next(&left, &r)) {
		bool ours =
			r.kind == XFRM_REPLY_SA ? xfrm_sa_is_ours(&r.sa) : xfrm_pol_is_ours(&r.pol);

		if (r.kind == XFRM_REPLY_SA || r.kind == XFRM_REPLY_POLICY)
			*(ours ? &c.ours : &c.others) += 1;
	}
	return c;
}

__attribute__((unused)) static void is_table(unsigned our_sas, unsigned other_sas,
					     unsigned our_pols, unsigned other_pols,
					     const char *name)
{
	struct census sa = count_kind(true), pol = count_kind(false);
	bool good = sa.ours == our_sas && sa.others == other_sas && pol.ours == our_pols &&
		    pol.others == other_pols;

	if (!good)
		printf("# SAs: %u ours, %u others; policies: %u ours, %u others\n", sa.ours,
		       sa.others, pol.ours, pol.others);
	ok(good, "%s", name);
}

__attribute__((unused)) static bool has(const char *what, const char *part)
{
	if (!what || !strstr(what, part)) {
		printf("# \"%s\" lacks \"%s\"\n", what ? what : "(null)", part);
		return false;
	}
	return true;
}
