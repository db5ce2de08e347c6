/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msg_move.c - what the kernel reports about ESP in UDP from a new source, and an SA again at
 * another place. Pure.
 *
 * The request for the latter is made of the kernel's own answer about the SA: what is not about
 * the place stays byte for byte, so keys, window, marks and limits need not be known here.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "xfrm/msg.h"

/* ---- reports ---- */

static bool get_endpoint(const xfrm_address_t *from, unsigned family, uint16_t port,
			 struct endpoint *ret)
{
	size_t n = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;

	ret->port = ntohs(port);
	return n && ipaddr_from_bytes((struct span){ (const uint8_t *)from, n }, &ret->addr) == 0;
}

bool xfrm_read_mapping(struct span body, struct xfrm_mapping *ret)
{
	struct rd r = rd_from(body);
	struct xfrm_user_mapping m;

	rd_copy(&r, &m, sizeof(m));
	ret->spi = ntohl(m.id.spi);
	ret->reqid = m.reqid;
	return !r.bad && m.id.proto == IPPROTO_ESP &&
	       get_endpoint(&m.old_saddr, m.id.family, m.old_sport, &ret->from) &&
	       get_endpoint(&m.new_saddr, m.id.family, m.new_sport, &ret->to);
}

/* ---- an SA again ---- */

struct answer {
	struct xfrm_usersa_info info;
	struct rd attrs;
};

static bool open_answer(struct span whole, struct answer *ret)
{
	struct nlmsghdr h;

	ret->attrs = rd_from(whole);
	rd_copy(&ret->attrs, &h, sizeof(h));
	rd_copy(&ret->attrs, &ret->info, sizeof(ret->info));
	return !ret->attrs.bad && h.nlmsg_type == XFRM_MSG_NEWSA && h.nlmsg_len == whole.n;
}

/* The next attribute; false at the end, with r->bad where one makes no sense. */
static bool next_attr(struct rd *r, uint16_t *ret_type, struct span *ret)
{
	struct nlattr a;
	size_t pad;

	if (r->left == 0)
		return false;
	rd_copy(r, &a, sizeof(a));
	*ret_type = a.nla_type & NLA_TYPE_MASK;
	*ret = rd_take(r, a.nla_len < sizeof(a) ? SIZE_MAX : a.nla_len - sizeof(a));
	pad = NLA_ALIGN(ret->n) - ret->n;
	(void)rd_take(r, pad < r->left ? pad : r->left);
	return !r->bad;
}

static void put_attr(struct wr *w, uint16_t type, struct span value)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + value.n), .nla_type = type };

	wr_bytes(w, &a, sizeof(a));
	wr_span(w, value);
	wr_zero(w, NLA_ALIGN(value.n) - value.n);
}

/* Under lockdown the kernel shows keys as zeroes. They come behind a name and one or two numbers. */
static bool hides_key(struct span alg)
{
	size_t i = sizeof(struct xfrm_algo_auth);

	if (alg.n <= i)
		return false;
	while (i < alg.n && !alg.p[i])
		i++;
	return i == alg.n;
}

/* Passes over numbers that the old SA may use before the new one is there: none twice, RFC 4303
 * 3.3.3. Without extended ones the SA ends with the last of them anyway. */
static void skip_seq(uint32_t *seq, uint32_t *hi, uint32_t skip)
{
	if (*seq > UINT32_MAX - skip) {
		if (!hi)
			return;
		++*hi;
	}
	*seq += skip;
}

/* The replay state, of either form. */
static int put_replay(struct wr *w, const struct answer *a, uint16_t type, struct span old,
		      uint32_t skip)
{
	struct xfrm_replay_state_esn esn;
	struct xfrm_replay_state plain;
	struct rd r = rd_from(old);
	size_t at = w->len + sizeof(struct nlattr);

	put_attr(w, type, old);
	if (w->bad)
		return -ENOBUFS;
	if (type == XFRMA_REPLAY_VAL) {
		rd_copy(&r, &plain, sizeof(plain));
		skip_seq(&plain.oseq, NULL, skip);
		if (!r.bad)
			memcpy(w->p + at, &plain, sizeof(plain));
	} else {
		rd_copy(&r, &esn, sizeof(esn));
		skip_seq(&esn.oseq, a->info.flags & XFRM_STATE_ESN ? &esn.oseq_hi : NULL, skip);
		if (!r.bad)
			memcpy(w->p + at, &esn, sizeof(esn));
	}
	return r.bad ? -EBADMSG : 0;
}

static int put_encap(struct wr *w, const struct xfrm_place *at, struct span old)
{
	struct xfrm_encap_tmpl e;
	struct rd r = rd_from(old);

	rd_copy(&r, &e, sizeof(e));
	if (r.bad || e.encap_type != UDP_ENCAP_ESPINUDP)
		return -EBADMSG;
	e.encap_sport = htons(at->sport);
	e.encap_dport = htons(at->dport);
	put_attr(w, XFRMA_ENCAP, (struct span){ (const uint8_t *)&e, sizeof(e) });
	return 0;
}

static int put_attrs(struct wr *w, struct answer *a, const struct xfrm_place *at, bool update,
		     uint32_t skip)
{
	bool encap = false;
	struct span v;
	uint16_t type;
	int rc = 0;

	while (rc == 0 && next_attr(&a->attrs, &type, &v)) {
		switch (type) {
		case XFRMA_LASTUSED: /* an answer only */
		case XFRMA_PAD:
		case XFRMA_ALG_AUTH: /* again, with its length, in AUTH_TRUNC */
			break;
		case XFRMA_ENCAP:
			encap = true;
			rc = put_encap(w, at, v);
			break;
		case XFRMA_REPLAY_VAL:
		case XFRMA_REPLAY_ESN_VAL:
			rc = put_replay(w, a, type, v, skip);
			break;
		case XFRMA_ALG_CRYPT:
		case XFRMA_ALG_AEAD:
		case XFRMA_ALG_AUTH_TRUNC:
			/* An update keeps the keys that the SA has. */
			rc = !update && hides_key(v) ? -ENOKEY : 0;
			put_attr(w, type, v);
			break;
		default:
			put_attr(w, type, v);
			break;
		}
	}
	if (rc == 0 && a->attrs.bad)
		rc = -EBADMSG;
	return rc == 0 && !encap ? -EINVAL : rc;
}

static void put_addr(xfrm_address_t *to, const struct ipaddr *a)
{
	memset(to, 0, sizeof(*to));
	memcpy(to, a->b, ipaddr_len(a));
}

int xfrm_build_sa_again(struct wr *w, uint32_t seq, struct span sa, const struct xfrm_place *at,
			bool update, uint32_t skip)
{
	uint16_t family = at->dst.family == IP_V6 ? AF_INET6 : AF_INET;
	size_t start = w->len, len;
	struct nlmsghdr h;
	struct answer a;
	int rc;

	if (!open_answer(sa, &a))
		return -EBADMSG;
	if (ipaddr_len(&at->dst) == 0 || at->src.family != at->dst.family ||
	    a.info.family != family)
		return -EINVAL;
	put_addr(&a.info.saddr, &at->src);
	put_addr(&a.info.id.daddr, &at->dst);
	a.info.seq = 0;
	memset(&a.info.curlft, 0, sizeof(a.info.curlft));
	memset(&a.info.stats, 0, sizeof(a.info.stats));
	memset(&h, 0, sizeof(h));
	wr_bytes(w, &h, sizeof(h));
	wr_bytes(w, &a.info, sizeof(a.info));
	rc = put_attrs(w, &a, at, update, skip);
	if (rc == 0 && w->bad)
		rc = -ENOBUFS;
	if (rc < 0) {
		w->len = start;
		w->bad = false;
		return rc;
	}
	len = w->len - start;
	h.nlmsg_len = (uint32_t)len;
	h.nlmsg_type = update ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA;
	h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h.nlmsg_seq = seq;
	memcpy(w->p + start, &h, sizeof(h));
	return 0;
}
