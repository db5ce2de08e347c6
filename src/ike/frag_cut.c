/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frag_cut.c - cuts messages that are too long for one datagram (Cisco, Microsoft: payload 132).
 * Pure.
 *
 * The header of a fragment is what racoon, Apple, strongSwan and libreswan all take: the exchange
 * of phase 1 and message ID 0 whatever is inside, and not marked as encrypted, for it is not. All
 * fragments of a message have an id that its repetition has as well and the message before it has
 * not: strongSwan takes another id for the end of what it waited for.
 */
#include "cleanup.h"
#include "ike/core.h"

#define MARKER    4 /* of IKE on port 4500: RFC 3948 2.2 */
#define FLAG_LAST 0x01

_Static_assert(LIMIT_FRAG_SENT *FRAG_DATA(IKE_FRAG_SIZE_MIN) >= sizeof(((struct ike *)0)->out),
	       "every message that can be built can be sent in fragments");
_Static_assert(LIMIT_FRAG_SENT <= UINT8_MAX, "the number of a fragment has 8 bits");

bool frag_wanted(const struct ike_conf *conf, const struct ike_sa *sa, size_t n)
{
	bool knows = sa->vids & VID_FRAG || sa->frag & IKE_FRAG_IN;

	return n + (sa->natt ? MARKER : 0) > conf->frag_size &&
	       (conf->frag == IKE_FRAG_FORCE || (conf->frag == IKE_FRAG_ON && knows));
}

size_t frag_cost(const struct ike_conf *conf, const struct ike_sa *sa, size_t n)
{
	size_t each = FRAG_DATA(conf->frag_size);

	return frag_wanted(conf, sa, n) ? n + (n + each - 1) / each * FRAG_HEADER : n;
}

bool frag_cut(const struct ike_conf *conf, const struct ike_sa *sa, struct span msg, unsigned i,
	      struct wr *w)
{
	size_t each = FRAG_DATA(conf->frag_size), from = i * each, n;
	struct ike_hdr h;

	if (from >= msg.n || ike_hdr_read(msg, &h) < 0)
		return false;
	n = msg.n - from < each ? msg.n - from : each;
	wr_bytes(w, h.cky_i, sizeof(h.cky_i));
	wr_bytes(w, h.cky_r, sizeof(h.cky_r));
	wr_u8(w, PL_FRAGMENT);
	wr_u8(w, h.version);
	wr_u8(w, h.msgid ? sa->mode : h.xchg);
	wr_u8(w, 0); /* flags */
	wr_be32(w, 0);
	wr_be32(w, (uint32_t)(FRAG_HEADER + n));
	wr_be16(w, 0); /* next payload, RESERVED */
	wr_be16(w, (uint16_t)(FRAG_HEADER - ISAKMP_HDR + n));
	wr_be16(w, h.msgid ? (uint16_t)((h.msgid ^ h.msgid >> 16) | 2) : 1);
	wr_u8(w, (uint8_t)(i + 1));
	wr_u8(w, from + n == msg.n ? FLAG_LAST : 0);
	wr_bytes(w, msg.p + from, n);
	return !w->bad;
}
