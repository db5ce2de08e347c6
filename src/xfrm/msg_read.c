/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msg_read.c - plain structures out of the answers and reports of NETLINK_XFRM. Pure.
 *
 * Messages are aligned to 4 bytes, the kernel's structures to 8: they are read as local copies.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

#include "xfrm/msg.h"

static bool get_addr(const xfrm_address_t *from, unsigned family, struct ipaddr *ret)
{
	size_t n = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;

	return n && ipaddr_from_bytes((struct span){ (const uint8_t *)from, n }, ret) == 0;
}

static bool get_prefix(const xfrm_address_t *from, unsigned family, unsigned len,
		       struct prefix *ret)
{
	struct ipaddr a;

	if (!get_addr(from, family, &a) || len > ipaddr_len(&a) * 8)
		return false;
	*ret = prefix_of(&a, len);
	return true;
}

/* Copies the fixed part behind the header. */
static bool get_fixed(const struct nlmsghdr *nlh, void *to, size_t n)
{
	struct rd r = rd_from(
		(struct span){ mnl_nlmsg_get_payload(nlh), mnl_nlmsg_get_payload_len(nlh) });

	rd_copy(&r, to, n);
	return !r.bad;
}

/* An attribute's value when it has exactly the size that is wanted; `to` stays as it is else. */
static void get_value(const struct nlattr *attr, void *to, size_t n)
{
	if (mnl_attr_get_payload_len(attr) == n)
		memcpy(to, mnl_attr_get_payload(attr), n);
}

/* The SA at the beginning of a message whose attributes follow behind `fixed` bytes. */
static bool read_sa(const struct nlmsghdr *nlh, size_t fixed, struct xfrm_sa_info *ret)
{
	struct xfrm_usersa_info info;
	struct nlattr *attr;

	if (!get_fixed(nlh, &info, sizeof(info)) ||
	    !get_addr(&info.id.daddr, info.family, &ret->dst))
		return false;
	ret->spi = ntohl(info.id.spi);
	ret->proto = info.id.proto;
	ret->reqid = info.reqid;
	ret->counters.bytes = info.curlft.bytes;
	ret->counters.packets = info.curlft.packets;
	mnl_attr_for_each (attr, nlh, (unsigned)fixed) {
		if (mnl_attr_get_type(attr) == XFRMA_IF_ID)
			get_value(attr, &ret->if_id, sizeof(ret->if_id));
		else if (mnl_attr_get_type(attr) == XFRMA_LASTUSED)
			get_value(attr, &ret->counters.last_used_s, sizeof(uint64_t));
	}
	return true;
}

static void read_templates(const struct nlattr *attr, struct xfrm_pol_info *ret)
{
	struct rd r = rd_from(
		(struct span){ mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr) });
	struct xfrm_user_tmpl t;

	ret->n_templates = 0;
	while (r.left >= sizeof(t) && ret->n_templates < XFRM_TEMPLATES_MAX) {
		rd_copy(&r, &t, sizeof(t));
		ret->tmpl_proto[ret->n_templates] = t.id.proto;
		ret->reqid[ret->n_templates++] = t.reqid;
	}
}

bool xfrm_pol_is_plain(const struct xfrm_pol_info *pol, bool *ret_ipcomp)
{
	*ret_ipcomp = pol->n_templates == 2 && pol->tmpl_proto[0] == IPPROTO_COMP &&
		      pol->tmpl_proto[1] == IPPROTO_ESP && pol->reqid[0] == pol->reqid[1];
	return *ret_ipcomp || pol->n_templates == 1;
}

static bool read_policy(const struct nlmsghdr *nlh, struct xfrm_pol_info *ret)
{
	struct xfrm_userpolicy_type type = { .type = XFRM_POLICY_TYPE_MAIN };
	struct xfrm_userpolicy_info info;
	struct nlattr *attr;

	if (!get_fixed(nlh, &info, sizeof(info)) ||
	    !get_prefix(&info.sel.saddr, info.sel.family, info.sel.prefixlen_s, &ret->src) ||
	    !get_prefix(&info.sel.daddr, info.sel.family, info.sel.prefixlen_d, &ret->dst))
		return false;
	ret->proto = info.sel.proto;
	ret->sport = ntohs(info.sel.sport & info.sel.sport_mask);
	ret->dport = ntohs(info.sel.dport & info.sel.dport_mask);
	ret->dir = info.dir;
	ret->index = info.index;
	mnl_attr_for_each (attr, nlh, sizeof(info)) {
		if (mnl_attr_get_type(attr) == XFRMA_IF_ID)
			get_value(attr, &ret->if_id, sizeof(ret->if_id));
		else if (mnl_attr_get_type(attr) == XFRMA_POLICY_TYPE)
			get_value(attr, &type, sizeof(type));
		else if (mnl_attr_get_type(attr) == XFRMA_TMPL)
			read_templates(attr, ret);
	}
	return type.type == XFRM_POLICY_TYPE_MAIN; /* else another table, with its own numbers */
}

/* The kernel's words about a verdict (extended ACK), behind `skip` bytes of payload. */
static const char *read_text(const struct nlmsghdr *nlh, size_t skip)
{
	struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || skip > mnl_nlmsg_get_payload_len(nlh))
		return NULL;
	mnl_attr_for_each (attr, nlh, (unsigned)skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

static bool read_ack(const struct nlmsghdr *nlh, struct xfrm_reply *ret)
{
	struct nlmsgerr e;
	size_t skip = sizeof(e);

	if (!get_fixed(nlh, &e, sizeof(e)) || e.error > 0)
		return false;
	/* The request follows unless it was cut off. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e.msg.nlmsg_len > sizeof(e.msg))
		skip += MNL_ALIGN((size_t)e.msg.nlmsg_len - sizeof(e.msg));
	ret->error = e.error;
	ret->text = read_text(nlh, skip);
	return true;
}

static void read_done(const struct nlmsghdr *nlh, struct xfrm_reply *ret)
{
	int32_t error;

	get_fixed(nlh, &error, sizeof(error)); /* 0 when it is not there */
	ret->error = error < 0 ? error : 0;
	ret->text = read_text(nlh, sizeof(error));
}

static bool read_expire(const struct nlmsghdr *nlh, struct xfrm_reply *ret)
{
	struct xfrm_user_expire e;

	if (!get_fixed(nlh, &e, sizeof(e)) || !read_sa(nlh, sizeof(e), &ret->sa))
		return false;
	ret->error = e.hard != 0;
	return true;
}

static enum xfrm_reply_kind read_body(const struct nlmsghdr *nlh, struct xfrm_reply *ret)
{
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		return read_ack(nlh, ret) ? XFRM_REPLY_ACK : XFRM_REPLY_OTHER;
	case NLMSG_DONE:
		read_done(nlh, ret);
		return XFRM_REPLY_DONE;
	case XFRM_MSG_NEWSA:
		return read_sa(nlh, sizeof(struct xfrm_usersa_info), &ret->sa) ? XFRM_REPLY_SA
									       : XFRM_REPLY_OTHER;
	case XFRM_MSG_EXPIRE:
		return read_expire(nlh, ret) ? XFRM_REPLY_EXPIRE : XFRM_REPLY_OTHER;
	case XFRM_MSG_NEWPOLICY:
		return read_policy(nlh, &ret->pol) ? XFRM_REPLY_POLICY : XFRM_REPLY_OTHER;
	case XFRM_MSG_MAPPING:
		return xfrm_read_mapping((struct span){ mnl_nlmsg_get_payload(nlh),
							mnl_nlmsg_get_payload_len(nlh) },
					 &ret->mapping)
			       ? XFRM_REPLY_MAPPING
			       : XFRM_REPLY_OTHER;
	}
	return XFRM_REPLY_OTHER;
}

bool xfrm_reply_next(struct span *left, struct xfrm_reply *ret)
{
	const struct nlmsghdr *nlh = (const void *)left->p;
	size_t n;

	/* Not mnl_nlmsg_ok(): it takes a length of 2 GiB and more for a negative number. */
	if (left->n < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > left->n)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->seq = nlh->nlmsg_seq;
	ret->whole = (struct span){ left->p, nlh->nlmsg_len };
	ret->interrupted = (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	ret->kind = read_body(nlh, ret);
	n = MNL_ALIGN((size_t)nlh->nlmsg_len);
	*left = n < left->n ? (struct span){ left->p + n, left->n - n } : (struct span){ 0 };
	return true;
}
