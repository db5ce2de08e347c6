/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sapl_offer.c - asking for an ESP pair that is like an older one, and reading the answer (RFC 2407
 * 4.5, RFC 2408 4.2). One proposal, one transform: what both sides have agreed on before. Pure.
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/sa.h"
#include "ike/sapl_walk.h"

static void put_u32(struct ike_build *b, uint16_t type, uint32_t v)
{
	uint8_t buf[4];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_be32(&w, v);
	build_tlv(b, type, wr_done(&w));
}

/* vpnc wants LIFE_DURATION right behind its LIFE_TYPE and nothing that is not listed here. */
static void put_attributes(struct ike_build *b, const struct ike_child *c)
{
	build_tv(b, P2_LIFE_TYPE, LIFE_SECONDS);
	put_u32(b, P2_LIFE_DURATION, c->life_s);
	if (c->life_kb) {
		build_tv(b, P2_LIFE_TYPE, LIFE_KILOBYTES);
		put_u32(b, P2_LIFE_DURATION, c->life_kb);
	}
	if (c->encap_mode)
		build_tv(b, P2_ENCAP, c->encap_mode);
	if (p2_auth_id(c->alg.auth))
		build_tv(b, P2_AUTH, p2_auth_id(c->alg.auth));
	if (c->alg.key_len)
		build_tv(b, P2_KEY_LENGTH, c->alg.key_len);
	if (c->pfs_group)
		build_tv(b, P2_GROUP, c->pfs_group);
	if (c->alg.esn)
		build_tv(b, P2_ESN, 1);
}

void p2_put_offer(struct ike_build *b, const struct ike_child *c)
{
	size_t proposal, transform;

	build_open(b, PL_SA);
	wr_be32(&b->w, ISAKMP_DOI_IPSEC);
	wr_be32(&b->w, ISAKMP_SIT_IDENTITY);
	proposal = b->w.len;
	wr_be32(&b->w, 0); /* the last one; its length follows */
	wr_u8(&b->w, 1);
	wr_u8(&b->w, PROTO_ESP);
	wr_u8(&b->w, 4);
	wr_u8(&b->w, 1);
	wr_be32(&b->w, c->spi_in);
	transform = b->w.len;
	wr_be32(&b->w, 0);
	wr_u8(&b->w, 1);
	wr_u8(&b->w, p2_transform_id(c->alg.enc));
	wr_be16(&b->w, 0);
	put_attributes(b, c);
	wr_patch_be16(&b->w, transform + 2, b->w.len - transform);
	wr_patch_be16(&b->w, proposal + 2, b->w.len - proposal);
}

/* A client may leave tunnel mode unsaid, or say it. */
static bool same_mode(uint16_t a, uint16_t b)
{
	return (a ? a : ENCAP_TUNNEL) == (b ? b : ENCAP_TUNNEL);
}

int p2_read_answer(struct span sa, const struct ike_child *c, uint32_t *ret_spi)
{
	struct sa_transform t;
	struct p2_offer o;
	struct sa_walk w;
	uint32_t spi;
	struct rd r;

	if (sa_walk_start(sa, &w) < 0 || sa_walk_next(&w, &t) <= 0 || p2_read(&t, &o) < 0)
		return -EBADMSG;
	r = rd_from(w.prop.spi);
	spi = rd_be32(&r);
	if (w.prop.proto != PROTO_ESP || w.prop.spi.n != 4 || spi < 256)
		return -EBADMSG; /* RFC 4303 2.1 */
	if (w.prop.n_transforms != 1 || sa_walk_next(&w, &t) != 0)
		return -EBADMSG;
	if (!o.usable || !p2_same_alg(&c->alg, &o.alg) || o.group != c->pfs_group ||
	    !same_mode(o.encap, c->encap_mode))
		return -ENOENT;
	*ret_spi = spi;
	return 0;
}
