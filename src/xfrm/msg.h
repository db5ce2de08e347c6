/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msg.h - requests to NETLINK_XFRM as bytes, and its answers as values. Pure: no socket.
 *
 * Every builder appends one request to `w`, whose buffer is aligned to 4 bytes; requests keep that
 * alignment, so several make one datagram. 0; -ENOBUFS: it does not fit; -EINVAL: the structure
 * asks for something that no message can say. `w` is unchanged after an error. An SA's keys are in
 * the buffer afterwards, past its length too after an error: the caller wipes all of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "xfrm/xfrm.h"

/* The longest request of each kind. */
#define XFRM_MSG_SA_MAX     624
#define XFRM_MSG_POLICY_MAX 352  /* an SA of IPComp, too */
#define XFRM_MSG_ANSWER_MAX 2048 /* about an SA: with its window's bitmap, and more than we set */
#define XFRM_WINDOW_MAX     4096 /* packets; the kernel's own limit */

/* After an administrator's lower numbers (0 is first). All pairs' are equal; what blocks the rest
 * comes after them. */
#define XFRM_POLICY_PRIORITY 1000
#define XFRM_BLOCK_PRIORITY  2000

#define XFRM_PAIR_POLICIES (3 * XFRM_NETS_MAX)

/* Template addresses are outer, selectors inner; the families of the two may differ. */
int xfrm_build_sa_add(struct wr *w, uint32_t seq, const struct xfrm_sa *sa);
int xfrm_build_sa_del(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint32_t spi);
int xfrm_build_sa_get(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint32_t spi);
/* proto: IPPROTO_ESP or IPPROTO_COMP, and no others than those. */
int xfrm_build_sa_dump(struct wr *w, uint32_t seq, uint8_t proto);

/* The SA of IPComp that goes with this one; found by address and CPI. */
int xfrm_build_ipcomp_add(struct wr *w, uint32_t seq, const struct xfrm_sa *sa);
int xfrm_build_ipcomp_del(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint16_t cpi);
int xfrm_build_ipcomp_get(struct wr *w, uint32_t seq, const struct ipaddr *dst, uint16_t cpi);

/* Where an SA is. */
struct xfrm_place {
	struct ipaddr src, dst; /* outer */
	uint16_t sport, dport;
};

/*
 * An SA with encap again at another place, out of the kernel's whole answer about it. An update
 * changes the ports alone, whatever else is said. Otherwise it is made anew, and its next outbound
 * sequence number is `skip` higher than it was. -EBADMSG: not such an answer; -EINVAL: no encap, or
 * another family; -ENOKEY: the kernel does not show keys (lockdown).
 */
int xfrm_build_sa_again(struct wr *w, uint32_t seq, struct span sa, const struct xfrm_place *at,
			bool update, uint32_t skip);

/* replace: UPDPOLICY; else NEWPOLICY, which fails with EEXIST for a selector that is there. */
int xfrm_build_policy_add(struct wr *w, uint32_t seq, const struct xfrm_pol *pol, bool replace);
/* These two find it by selector, direction and if_id. */
int xfrm_build_policy_del(struct wr *w, uint32_t seq, const struct xfrm_pol *pol);
int xfrm_build_policy_get(struct wr *w, uint32_t seq, const struct xfrm_pol *pol);
/* By the kernel's own number, which a dump tells. */
int xfrm_build_policy_del_index(struct wr *w, uint32_t seq, enum xfrm_dir dir, uint32_t index,
				uint32_t if_id);
int xfrm_build_policy_dump(struct wr *w, uint32_t seq);

/* Prefix lengths from which policies are indexed: 0 local, all bits remote. */
int xfrm_build_hthresh(struct wr *w, uint32_t seq);

/* The in, fwd and out policy for each network of the pair; returns how many. */
unsigned xfrm_pair_policies(const struct xfrm_pair *p, struct xfrm_pol out[XFRM_PAIR_POLICIES]);

/* ---- answers ---- */

struct xfrm_sa_info {
	struct ipaddr dst;
	uint32_t spi, reqid, if_id;
	uint8_t proto; /* IPPROTO_ESP, ... */
	struct xfrm_counters counters;
};

#define XFRM_TEMPLATES_MAX 6 /* the kernel's XFRM_MAX_DEPTH */

struct xfrm_pol_info {
	struct prefix src, dst;
	uint8_t proto;
	uint16_t sport, dport; /* 0: any */
	uint8_t dir;           /* enum xfrm_dir; larger for the policy of a socket */
	uint32_t index, if_id;
	uint8_t n_templates;
	uint32_t reqid[XFRM_TEMPLATES_MAX]; /* of each template */
	uint8_t tmpl_proto[XFRM_TEMPLATES_MAX];
};

/* The templates are ours: ESP, or IPComp and then ESP, with one reqid. */
bool xfrm_pol_is_plain(const struct xfrm_pol_info *pol, bool *ret_ipcomp);

static inline bool xfrm_reqid_is_ours(uint32_t reqid)
{
	return reqid >= XFRM_REQID_FIRST && reqid <= XFRM_REQID_LAST;
}

static inline bool xfrm_sa_is_ours(const struct xfrm_sa_info *sa)
{
	return sa->if_id == XFRM_IF_ID || xfrm_reqid_is_ours(sa->reqid);
}

static inline bool xfrm_pol_is_ours(const struct xfrm_pol_info *pol)
{
	if (pol->dir > XFRM_FWD)
		return false; /* a socket's own policy goes with its socket */
	if (pol->if_id == XFRM_IF_ID)
		return true;
	for (unsigned i = 0; i < pol->n_templates; i++) {
		if (xfrm_reqid_is_ours(pol->reqid[i]))
			return true;
	}
	return false;
}

enum xfrm_reply_kind {
	XFRM_REPLY_OTHER, /* nothing that is known here */
	XFRM_REPLY_ACK,   /* the verdict on one request */
	XFRM_REPLY_DONE,  /* the end of a dump */
	XFRM_REPLY_SA,
	XFRM_REPLY_POLICY,
	/* no answers, but reports */
	XFRM_REPLY_MAPPING,
	XFRM_REPLY_EXPIRE, /* of an SA: `sa`, and in `error` 1 when it is gone, 0 before */
};

/* The body of a MAPPING message; false when it is none about ESP. */
bool xfrm_read_mapping(struct span body, struct xfrm_mapping *ret);

struct xfrm_reply {
	enum xfrm_reply_kind kind;
	uint32_t seq;
	bool interrupted;  /* the tables changed during the dump: it may miss objects */
	struct span whole; /* the message, borrowed from the buffer */
	int error;         /* ACK, DONE: 0 or -errno */
	const char *text;  /* ACK, DONE: the kernel's own words or NULL; borrowed from the buffer */
	union {
		struct xfrm_sa_info sa;
		struct xfrm_pol_info pol;
		struct xfrm_mapping mapping;
	};
};

/*
 * Takes the next message off `left`, which starts aligned to 4 bytes; false when there is none or
 * the rest is not a message. What cannot be read is XFRM_REPLY_OTHER.
 */
bool xfrm_reply_next(struct span *left, struct xfrm_reply *ret);
