/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client_rekey.c - the scripted initiator as responder: a Quick Mode that the gateway begins. */
#include <errno.h>
#include <string.h>

#include "client.h"

/* DOI, situation, header of the one proposal: its SPI stands behind them. */
#define SPI_AT 16

int client_rekey1(struct client *c, struct span in)
{
	const uint8_t *cpi;
	struct rd r;
	int rc = client_open(c, in);

	if (rc < 0)
		return rc;
	if (c->hdr.xchg != XCHG_QUICK || !c->msg.sa.n || !c->msg.nonce.n)
		return -EBADMSG;
	c->theirs = true;
	c->q_peer_len = c->msg.nonce.n;
	memcpy(c->q_peer, c->msg.nonce.p, c->q_peer_len);
	r = rd_from(c->msg.sa);
	(void)rd_take(&r, SPI_AT);
	c->spi_out = rd_be32(&r);
	for (size_t i = 0; i < sizeof(c->q_nonce); i++)
		c->q_nonce[i] = (uint8_t)(c->msgid >> (i % 4 * 8)) ^ (uint8_t)(i + 100);
	c->spi_in = (c->msgid ^ 0xbadcafe0u) | 0x1000u;
	cpi = client_cpi_at(c->msg.sa);
	c->cpi_out = cpi ? (uint16_t)(cpi[0] << 8 | cpi[1]) : 0;
	c->cpi_in = (uint16_t)(0x2000 | (c->msgid & 0xfff));
	return r.bad ? -EBADMSG : 0;
}

static void keys(struct client *c, struct span shared)
{
	const struct span ni = { c->q_peer, c->q_peer_len };

	c->key_len = sizeof(c->key_in);
	keymat_child(&c->keys, PROTO_ESP, c->spi_in, shared, ni, SPAN_OF(c->q_nonce), c->key_in,
		     c->key_len);
	keymat_child(&c->keys, PROTO_ESP, c->spi_out, shared, ni, SPAN_OF(c->q_nonce), c->key_out,
		     c->key_len);
}

struct ike_build client_rekey2_open(struct client *c)
{
	const struct dh_group *g = dh_group(c->pfs);
	struct ike_build b = client_start(c, XCHG_QUICK);
	uint8_t shared[DH_SHARED_MAX], sa[1024];
	struct wr w = wr_into(sa, sizeof(sa));
	struct span s = { 0 };

	wr_bytes(&w, c->msg.sa.p, SPI_AT);
	wr_be32(&w, c->spi_in);
	wr_bytes(&w, c->msg.sa.p + w.len, c->msg.sa.n - w.len);
	if (c->cpi_out)
		wr_patch_be16(&w, (size_t)(client_cpi_at(c->msg.sa) - c->msg.sa.p), c->cpi_in);
	build_payload(&b, PL_SA, wr_done(&w));
	build_payload(&b, PL_NONCE, SPAN_OF(c->q_nonce));
	if (g) {
		memset(c->q_x, 11, sizeof(c->q_x));
		memset(c->q_g, 9, g->public_len);
		if (!c->no_crypto)
			dh_make(g, c->q_x, c->q_g);
		if (client_agree(c, g, c->q_x, c->msg.ke, shared) == 0)
			s = (struct span){ shared, g->shared_len };
		build_payload(&b, PL_KE, (struct span){ c->q_g, g->public_len });
	}
	for (unsigned i = 0; i < c->msg.n_id; i++)
		build_payload(&b, PL_ID, c->msg.id[i]);
	keys(c, s);
	return b;
}

struct span client_rekey2(struct client *c)
{
	struct ike_build b = client_rekey2_open(c);
	struct secret h;

	keymat_hash2(&c->keys, c->msgid, (struct span){ c->q_peer, c->q_peer_len },
		     build_after_hash(&b), &h);
	return build_sealed(&b, &c->keys, &h, c->iv);
}

int client_rekey3(struct client *c, struct span in)
{
	int rc = client_open(c, in);

	return rc == 0 && c->hdr.xchg != XCHG_QUICK ? -EBADMSG : rc;
}
