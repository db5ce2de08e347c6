/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msg.c - NETLINK_XFRM requests out of plain structures. Pure.
 *
 * The kernel's structures hold 64-bit fields but messages are aligned to 4 bytes only, so they are
 * filled in as locals and copied. They are cleared with memset, padding included: the kernel gets no
 * stray bytes and tests can compare.
 *
 * Not here: answers (msg_read.c), an SA at another place (msg_move.c).
 */
#include "xfrm/msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

static uint16_t kernel_family(const struct ipaddr *a)
{
	return a->family == IP_V6 ? AF_INET6 : AF_INET;
}

static void put_addr(xfrm_address_t *to, const struct ipaddr *a)
{
	memcpy(to, a->b, ipaddr_len(a));
}

/* One request on its way into a `wr`: libmnl writes into the space that is left there. */
struct req {
	struct nlmsghdr *nlh; /* NULL: it does not fit */
	size_t cap;
};

/* A header and the fixed part after it. */
static struct req begin(struct wr *w, uint32_t seq, uint16_t type, uint16_t flags,
			const void *fixed, size_t n)
{
	struct req r = { .cap = w->bad ? 0 : w->cap - w->len };

	if (r.cap < MNL_NLMSG_HDRLEN + MNL_ALIGN(n))
		return (struct req){ 0 };
	r.nlh = mnl_nlmsg_put_header(w->p + w->len);
	r.nlh->nlmsg_type = type;
	r.nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	r.nlh->nlmsg_seq = seq;
	if (n)
		memcpy(mnl_nlmsg_put_extra_header(r.nlh, n), fixed, n);
	return r;
}

static void put(struct req *r, uint16_t type, const void *value, size_t n)
{
	size_t pad = MNL_ALIGN(n) - n;

	if (r->nlh && !mnl_attr_put_check(r->nlh, r->cap, type, n, value))
		r->nlh = NULL;
	if (r->nlh) /* libmnl leaves what was there */
		memset((uint8_t *)mnl_nlmsg_get_payload_tail(r->nlh) - pad, 0, pad);
}

static void put_if_id(struct req *r, uint32_t if_id)
{
	if (if_id)
		put(r, XFRMA_IF_ID, &if_id, sizeof(if_id));
}

static int finish(struct wr *w, const struct req *r)
{
	if (!r->nlh)
		return -ENOBUFS;
	w->len += r->nlh->nlmsg_len;
	return 0;
}

#define ALG_NAME sizeof(((struct xfrm_algo *)NULL)->alg_name)

/*
 * One algorithm. xfrm_algo is name, key bits, key; xfrm_algo_auth and xfrm_algo_aead are alike and
 * have the bits of the ICV before the key.
 */
static void put_alg(struct req *r, uint16_t type, const char *name, const uint8_t *key,
		    uint8_t key_len, uint16_t icv_bits)
{
	uint8_t raw[sizeof(struct xfrm_algo_auth) + XFRM_KEY_MAX];
	uint32_t bits = (uint32_t)key_len * 8, icv = icv_bits;
	struct wr w = wr_into(raw, sizeof(raw));

	wr_bytes(&w, name, strlen(name));
	wr_zero(&w, ALG_NAME - w.len);
	wr_bytes(&w, &bits, sizeof(bits));
	if (type != XFRMA_ALG_CRYPT)
		wr_bytes(&w, &icv, sizeof(icv));
	wr_bytes(&w, key, key_len);
	put(r, type, raw, w.len);
	explicit_bzero(raw, sizeof(raw));
}

static void put_encap(struct req *r, const struct xfrm_sa *sa)
{
	struct xfrm_encap_tmpl e;

	memset(&e, 0, sizeof(e));
	e.encap_type = UDP_ENCAP_ESPINUDP;
	e.encap_sport = htons(sa->sport);
	e.encap_dport = htons(sa->dport);
	put(r, XFRMA_ENCAP, &e, sizeof(e));
}

/* A window that the old 32-bit field cannot hold. The kernel makes the bitmap, empty, itself. */
static void put_window(struct req *r, uint32_t window)
{
	struct xfrm_replay_state_esn esn;

	memset(&esn, 0, sizeof(esn));
	esn.bmp_len = (window + 31) / 32;
	esn.replay_window = window;
	put(r, XFRMA_REPLAY_ESN_VAL, &esn, sizeof(esn));
}

static bool name_ok(const char *name)
{
	return name && name[0] && strlen(name) < ALG_NAME;
}

static bool sa_ok(const struct xfrm_sa *sa)
{
	return sa->src.family == sa->dst.family && ipaddr_len(&sa->dst) != 0 &&
	       sa->enc_len <= XFRM_KEY_MAX && sa->auth_len <= XFRM_KEY_MAX &&
	       sa->replay_window <= XFRM_WINDOW_MAX && (!sa->esn || sa->replay_window) &&
	       name_ok(sa->enc_name) && (sa->aead || name_ok(sa->auth_name));
}

/* The kernel reads 0 as "already used up", not as "no limit". */
static void put_limits(struct xfrm_lifetime_cfg *lft, uint64_t soft_bytes, uint64_t hard_bytes)
{
	lft->soft_byte_limit = soft_bytes ? soft_bytes : XFRM_INF;
	lft->hard_byte_limit = hard_bytes ? hard_bytes : XFRM_INF;
	lft->soft_packet_limit = lft->hard_packet_limit = XFRM_INF;
}

/* Of the SA that has the tunnel. An empty selector of no family: an IPv6 tunnel may carry IPv4. */
static uint8_t tunnel_flags(const struct xfrm_sa *sa)
{
	return (uint8_t)(XFRM_STATE_AF_UNSPEC | (sa->clear_df ? XFRM_STATE_NOPMTUDISC : 0) |
			 (sa->decap_dscp ? XFRM_STATE_DECAP_DSCP : 0));
}

static void put_tunnel_extras(struct req *r, const struct xfrm_sa *sa)
{
	static const uint32_t flags = XFRM_SA_XFLAG_DONT_ENCAP_DSCP;

	if (sa->no_encap_dscp)
		put(r, XFRMA_SA_EXTRA_FLAGS, &flags, sizeof(flags));
}

int xfrm_build_sa_add(struct wr *w, uint32_t seq, const struct xfrm_sa *sa)
{
	bool bitmap = sa->esn || sa->replay_window > 32;
	struct xfrm_usersa_info info;
	struct req r;

	if (!sa_ok(sa))
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	info.family = kernel_family(&sa->dst);
	put_addr(&info.saddr, &sa->src);
	put_addr(&info.id.daddr, &sa->dst);
	info.id.spi = htonl(sa->spi);
	info.id.proto = IPPROTO_ESP;
	info.mode = sa->cpi ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
	info.reqid = sa->reqid;
	info.flags = sa->esn ? XFRM_STATE_ESN : 0;
	if (!sa->cpi)
		info.flags |= tunnel_flags(sa);
	/* The kernel wants this field 0 when the bitmap is there. */
	info.replay_window = bitmap ? 0 : (uint8_t)sa->replay_window;
	put_limits(&info.lft, sa->soft_bytes, sa->hard_bytes);

	r = begin(w, seq, XFRM_MSG_NEWSA, NLM_F_ACK, &info, sizeof(info));
	if (sa->aead) {
		put_alg(&r, XFRMA_ALG_AEAD, sa->enc_name, sa->enc_key, sa->enc_len, sa->icv_bits);
	} else {
		put_alg(&r, XFRMA_ALG_AUTH_TRUNC, sa->auth_name, sa->auth_key, sa->auth_len,
			sa->icv_bits);
		put_alg(&r, XFRMA_ALG_CRYPT, sa->enc_name, sa->enc_key, sa->enc_len, 0);
	}
	if (sa->encap)
		put_encap(&r, sa);
	if (bitmap)
		put_window(&r, sa->replay_window);
	put_if_id(&r, sa->if_id);
	if (!sa->cpi)
		put_tunnel_extras(&r, sa);
	if (sa->encap && sa->report_s)
		put(&r, XFRMA_MTIMER_THRESH, &sa->report_s, sizeof(sa->report_s));
	return finish(w, &r);
}

int xfrm_build_ipcomp_add(struct wr *w, uint32_t seq, const struct xfrm_sa *sa)
{
	struct xfrm_usersa_info info;
	struct xfrm_algo deflate;
	struct req r;

	if (sa->src.family != sa->dst.family || ipaddr_len(&sa->dst) == 0 || !sa->cpi)
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	info.family = kernel_family(&sa->dst);
	put_addr(&info.saddr, &sa->src);
	put_addr(&info.id.daddr, &sa->dst);
	info.id.spi = htonl(sa->cpi);
	info.id.proto = IPPROTO_COMP;
	info.mode = XFRM_MODE_TUNNEL;
	info.reqid = sa->reqid;
	info.flags = tunnel_flags(sa);
	put_limits(&info.lft, 0, 0);
	memset(&deflate, 0, sizeof(deflate));
	memcpy(deflate.alg_name, "deflate", sizeof("deflate"));
	r = begin(w, seq, XFRM_MSG_NEWSA, NLM_F_ACK, &info, sizeof(info));
	put(&r, XFRMA_ALG_COMP, &deflate, sizeof(deflate));
	put_if_id(&r, sa->if_id);
	put_tunnel_extras(&r, sa);
	return finish(w, &r);
}

static int build_sa_id(struct wr *w, uint32_t seq, uint16_t type, uint16_t flags, uint8_t proto,
		       const struct ipaddr *dst, uint32_t spi)
{
	struct xfrm_usersa_id id;
	struct req r;

	if (ipaddr_len(dst) == 0)
		return -EINVAL;
	memset(&id, 0, sizeof(id));
	put_addr(&id.daddr, dst);
	id.spi = htonl(spi);
	id.family = kernel_family(dst);
	id.proto = proto;
	r = begin(w, seq, type, flags, &id, sizeof(id));
	return finish(w, &r);
}

int xfrm_build_sa_del(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint32_t spi)
{
	return build_sa_id(w, seq, XFRM_MSG_DELSA, NLM_F_ACK, IPPROTO_ESP, dst, spi);
}

int xfrm_build_ipcomp_del(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint16_t cpi)
{
	return build_sa_id(w, seq, XFRM_MSG_DELSA, NLM_F_ACK, IPPROTO_COMP, dst, cpi);
}

int xfrm_build_ipcomp_get(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint16_t cpi)
{
	return build_sa_id(w, seq, XFRM_MSG_GETSA, 0, IPPROTO_COMP, dst, cpi);
}

int xfrm_build_sa_get(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint32_t spi)
{
	return build_sa_id(w, seq, XFRM_MSG_GETSA, 0, IPPROTO_ESP, dst, spi);
}

int xfrm_build_sa_dump(struct wr *w, uint32_t seq, uint8_t proto)
{
	struct req r = begin(w, seq, XFRM_MSG_GETSA, NLM_F_DUMP, NULL, 0);

	put(&r, XFRMA_PROTO, &proto, sizeof(proto));
	return finish(w, &r);
}

static bool prefix_ok(const struct prefix *p)
{
	return ipaddr_len(&p->addr) != 0 && p->len <= ipaddr_len(&p->addr) * 8;
}

/*
 * The kernel tells policies apart by selector, direction and if_id, and not by priority. A client's
 * own policy for everything and the one that blocks its address alone would be the same, so
 * "everything" is 0.0.0.1/0 in the latter: for a packet it means 0.0.0.0/0 all the same.
 */
static void set_apart(struct xfrm_selector *sel, size_t n)
{
	if (sel->prefixlen_s == 0)
		((uint8_t *)&sel->saddr)[n - 1] = 1;
	if (sel->prefixlen_d == 0)
		((uint8_t *)&sel->daddr)[n - 1] = 1;
}

static int put_selector(struct xfrm_selector *sel, const struct xfrm_pol *pol)
{
	if (pol->src.addr.family != pol->dst.addr.family || !prefix_ok(&pol->src) ||
	    !prefix_ok(&pol->dst))
		return -EINVAL;
	sel->family = kernel_family(&pol->src.addr);
	put_addr(&sel->saddr, &pol->src.addr);
	put_addr(&sel->daddr, &pol->dst.addr);
	sel->prefixlen_s = pol->src.len;
	sel->prefixlen_d = pol->dst.len;
	sel->proto = pol->proto;
	sel->sport = htons(pol->sport);
	sel->sport_mask = pol->sport ? UINT16_MAX : 0;
	sel->dport = htons(pol->dport);
	sel->dport_mask = pol->dport ? UINT16_MAX : 0;
	if (pol->block)
		set_apart(sel, ipaddr_len(&pol->src.addr));
	return 0;
}

_Static_assert(XFRM_IN == (int)XFRM_POLICY_IN && XFRM_OUT == (int)XFRM_POLICY_OUT &&
		       XFRM_FWD == (int)XFRM_POLICY_FWD,
	       "enum xfrm_dir has the kernel's numbers");

static void fill_template(struct xfrm_user_tmpl *t, const struct xfrm_pol *pol, uint8_t proto,
			  uint8_t mode)
{
	memset(t, 0, sizeof(*t));
	t->family = kernel_family(&pol->tmpl_dst);
	t->id.proto = proto;
	t->mode = mode;
	t->reqid = pol->reqid;
	t->aalgos = t->ealgos = t->calgos = UINT32_MAX; /* any: the SA decides */
	if (mode == XFRM_MODE_TUNNEL) {
		put_addr(&t->saddr, &pol->tmpl_src);
		put_addr(&t->id.daddr, &pol->tmpl_dst);
	}
}

/*
 * The innermost comes first, and only that with the tunnel has addresses. A packet that would not
 * become smaller has no IPComp header (RFC 3173 2.2), so inbound that is optional.
 */
static void put_templates(struct req *r, const struct xfrm_pol *pol)
{
	struct xfrm_user_tmpl t[2];

	if (!pol->ipcomp) {
		fill_template(&t[0], pol, IPPROTO_ESP, XFRM_MODE_TUNNEL);
		put(r, XFRMA_TMPL, t, sizeof(t[0]));
		return;
	}
	fill_template(&t[0], pol, IPPROTO_COMP, XFRM_MODE_TUNNEL);
	t[0].optional = pol->dir != XFRM_OUT;
	fill_template(&t[1], pol, IPPROTO_ESP, XFRM_MODE_TRANSPORT);
	put(r, XFRMA_TMPL, t, sizeof(t));
}

int xfrm_build_policy_add(struct wr *w, uint32_t seq, const struct xfrm_pol *pol, bool replace)
{
	uint16_t type = replace ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY;
	struct xfrm_userpolicy_info info;
	struct req r;

	memset(&info, 0, sizeof(info));
	if (put_selector(&info.sel, pol) < 0 || ipaddr_len(&pol->tmpl_dst) == 0 ||
	    pol->tmpl_src.family != pol->tmpl_dst.family)
		return -EINVAL;
	info.dir = (uint8_t)pol->dir;
	info.action = pol->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
	info.priority = pol->block ? XFRM_BLOCK_PRIORITY : XFRM_POLICY_PRIORITY;
	put_limits(&info.lft, 0, 0);
	r = begin(w, seq, type, NLM_F_ACK, &info, sizeof(info));
	put_templates(&r, pol);
	put_if_id(&r, pol->if_id);
	return finish(w, &r);
}

/* pol: the selector to look for; NULL: `index` says it. */
static int build_policy_id(struct wr *w, uint32_t seq, uint16_t type, uint16_t flags,
			   const struct xfrm_pol *pol, enum xfrm_dir dir, uint32_t index,
			   uint32_t if_id)
{
	struct xfrm_userpolicy_id id;
	struct req r;

	memset(&id, 0, sizeof(id));
	id.sel.family = AF_INET;
	if (pol && put_selector(&id.sel, pol) < 0)
		return -EINVAL;
	id.index = index;
	id.dir = (uint8_t)dir;
	r = begin(w, seq, type, flags, &id, sizeof(id));
	put_if_id(&r, if_id);
	return finish(w, &r);
}

int xfrm_build_policy_del(struct wr *w, uint32_t seq, const struct xfrm_pol *pol)
{
	return build_policy_id(w, seq, XFRM_MSG_DELPOLICY, NLM_F_ACK, pol, pol->dir, 0, pol->if_id);
}

int xfrm_build_policy_get(struct wr *w, uint32_t seq, const struct xfrm_pol *pol)
{
	return build_policy_id(w, seq, XFRM_MSG_GETPOLICY, 0, pol, pol->dir, 0, pol->if_id);
}

int xfrm_build_policy_del_index(struct wr *w, uint32_t seq, enum xfrm_dir dir, uint32_t index,
				uint32_t if_id)
{
	if (index == 0)
		return -EINVAL; /* the kernel would look for an empty selector */
	return build_policy_id(w, seq, XFRM_MSG_DELPOLICY, NLM_F_ACK, NULL, dir, index, if_id);
}

int xfrm_build_policy_dump(struct wr *w, uint32_t seq)
{
	struct req r = begin(w, seq, XFRM_MSG_GETPOLICY, NLM_F_DUMP, NULL, 0);

	return finish(w, &r);
}

int xfrm_build_hthresh(struct wr *w, uint32_t seq)
{
	static const struct xfrmu_spdhthresh v4 = { .rbits = 32 }, v6 = { .rbits = 128 };
	static const uint32_t flags = UINT32_MAX; /* as iproute2; the kernel does not look */
	struct req r = begin(w, seq, XFRM_MSG_NEWSPDINFO, NLM_F_ACK, &flags, sizeof(flags));

	put(&r, XFRMA_SPD_IPV4_HTHRESH, &v4, sizeof(v4));
	put(&r, XFRMA_SPD_IPV6_HTHRESH, &v6, sizeof(v6));
	return finish(w, &r);
}

unsigned xfrm_pair_policies(const struct xfrm_pair *p, struct xfrm_pol out[XFRM_PAIR_POLICIES])
{
	struct prefix inner = prefix_of(&p->inner, (unsigned)ipaddr_len(&p->inner) * 8);
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_nets && i < XFRM_NETS_MAX; i++) {
		struct xfrm_pol *in = &out[n++], *fwd = &out[n++], *back = &out[n++];

		*in = (struct xfrm_pol){ .dir = XFRM_IN,
					 .src = inner,
					 .dst = p->nets[i],
					 .proto = p->proto,
					 .sport = p->inner_port,
					 .dport = p->net_port };
		in->tmpl_src.family = p->in.dst.family;
		in->tmpl_dst = p->in.dst;
		in->reqid = p->in.reqid;
		in->if_id = p->in.if_id;
		in->ipcomp = p->in.cpi != 0;
		*fwd = *in;
		fwd->dir = XFRM_FWD;
		*back = (struct xfrm_pol){ .dir = XFRM_OUT,
					   .src = p->nets[i],
					   .dst = inner,
					   .proto = p->proto,
					   .sport = p->net_port,
					   .dport = p->inner_port };
		back->tmpl_src = p->out.src;
		back->tmpl_dst = p->out.dst;
		back->reqid = p->out.reqid;
		back->if_id = p->out.if_id;
		back->ipcomp = p->out.cpi != 0;
	}
	return n;
}
