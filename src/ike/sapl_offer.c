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

/* IPComp has the tunnel, whatever ESP's mode is. */
static uint16_t ipcomp_mode(const struct ike_child *c)
{
	return c->encap_mode == ENCAP_TRANSPORT             ? ENCAP_TUNNEL
	       : c->encap_mode == ENCAP_UDP_TRANSPORT       ? ENCAP_UDP_TUNNEL
	       : c->encap_mode == ENCAP_UDP_TRANSPORT_DRAFT ? ENCAP_UDP_TUNNEL_DRAFT
							    : c->encap_mode;
}

/* In the same proposal as ESP, by its number. */
static void put_ipcomp(struct ike_build *b, const struct ike_child *c)
{
	size_t proposal = b->w.len, transform;

	wr_be32(&b->w, 0);
	wr_u8(&b->w, 1);
	wr_u8(&b->w, PROTO_IPCOMP);
	wr_u8(&b->w, 2);
	wr_u8(&b->w, 1);
	wr_be16(&b->w, c->cpi_in);
	transform = b->w.len;
	wr_be32(&b->w, 0);
	wr_u8(&b->w, 1);
	wr_u8(&b->w, IPCOMP_DEFLATE);
	wr_be16(&b->w, 0);
	build_tv(b, P2_LIFE_TYPE, LIFE_SECONDS);
	put_u32(b, P2_LIFE_DURATION, c->life_s);
	if (ipcomp_mode(c))
		build_tv(b, P2_ENCAP, ipcomp_mode(c));
	wr_patch_be16(&b->w, transform + 2, b->w.len - transform);
	wr_patch_be16(&b->w, proposal + 2, b->w.len - proposal);
}

void p2_put_offer(struct ike_build *b, const struct ike_child *c)
{
	size_t proposal, transform;

	build_open(b, PL_SA);
	wr_be32(&b->w, ISAKMP_DOI_IPSEC);
	wr_be32(&b->w, ISAKMP_SIT_IDENTITY);
	proposal = b->w.len;
	wr_u8(&b->w, c->cpi_in ? PL_PROPOSAL : PL_NONE);
	wr_zero(&b->w, 3); /* its length follows */
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
	if (c->cpi_in)
		put_ipcomp(b, c);
}

/* A client may leave tunnel mode unsaid, or say it. */
static bool same_mode(uint16_t a, uint16_t b)
{
	return (a ? a : ENCAP_TUNNEL) == (b ? b : ENCAP_TUNNEL);
}

/* The parts of an answer, as far as they have been read. */
struct answer {
	struct p2_offer esp;
	uint32_t spi;
	uint16_t cpi;
	uint8_t number;
	unsigned seen; /* bits: protocols */
	bool again;
};

#define BIT(proto) (1u << (proto))

/* strongSwan repeats ESP alone behind the two, under another number, as it would when asking. */
static bool says_again(const struct answer *a, const struct sa_proposal *p, uint32_t spi)
{
	return a->seen == (BIT(PROTO_ESP) | BIT(PROTO_IPCOMP)) && !a->again &&
	       p->proto == PROTO_ESP && p->number != a->number && spi == a->spi;
}

static int read_part(struct answer *a, const struct sa_proposal *p, const struct sa_transform *t)
{
	struct rd r = rd_from(p->spi);
	bool esp = p->proto == PROTO_ESP;
	uint32_t spi = esp && p->spi.n == 4 ? rd_be32(&r) : 0;
	struct p2_offer ipcomp;

	if (p->n_transforms != 1)
		return -EBADMSG;
	if (says_again(a, p, spi)) {
		a->again = true;
		return 0;
	}
	if ((!esp && p->proto != PROTO_IPCOMP) || a->seen & BIT(p->proto) ||
	    (a->seen && p->number != a->number))
		return -EBADMSG;
	a->seen |= BIT(p->proto);
	a->number = p->number;
	if (esp) {
		a->spi = spi;
		return p2_read(t, &a->esp);
	}
	a->cpi = p2_cpi(p->spi);
	return p2_read_ipcomp(t, &ipcomp) < 0 || !ipcomp.usable ? -EBADMSG : 0;
}

int p2_read_answer(struct span sa, const struct ike_child *c, uint32_t *ret_spi, uint16_t *ret_cpi)
{
	unsigned all = BIT(PROTO_ESP) | (c->cpi_in ? BIT(PROTO_IPCOMP) : 0);
	struct answer a = { 0 };
	struct sa_transform t;
	struct sa_walk w;
	int rc = sa_walk_start(sa, &w);

	while (rc >= 0 && (rc = sa_walk_next(&w, &t)) > 0)
		rc = read_part(&a, &w.prop, &t);
	if (rc < 0 || a.seen != all || a.spi < 256 /* RFC 4303 2.1 */ || !c->cpi_in != !a.cpi)
		return -EBADMSG;
	if (!a.esp.usable || !p2_same_alg(&c->alg, &a.esp.alg) || a.esp.group != c->pfs_group ||
	    !same_mode(a.esp.encap, c->encap_mode))
		return -ENOENT;
	*ret_spi = a.spi;
	*ret_cpi = a.cpi;
	return 0;
}
