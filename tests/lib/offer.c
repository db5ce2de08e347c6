/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* offer.c - SA payload bodies for tests. */
#include "offer.h"

void offer_start(struct offer *o)
{
	o->w = wr_into(o->buf, sizeof(o->buf));
	o->proposal = o->transform = 0;
	wr_be32(&o->w, 1);
	wr_be32(&o->w, 1);
}

static void close_transform(struct offer *o)
{
	if (o->transform)
		wr_patch_be16(&o->w, o->transform + 2, o->w.len - o->transform);
	o->transform = 0;
}

static void close_proposal(struct offer *o)
{
	close_transform(o);
	if (!o->proposal)
		return;
	wr_patch_be16(&o->w, o->proposal + 2, o->w.len - o->proposal);
	wr_patch_u8(&o->w, o->proposal + 7, (uint8_t)o->transforms);
	o->proposal = 0;
}

void offer_proposal(struct offer *o, uint8_t number, uint8_t proto, struct span spi)
{
	if (o->proposal)
		wr_patch_u8(&o->w, o->proposal, 2);
	close_proposal(o);
	o->proposal = o->w.len;
	o->transforms = 0;
	wr_be32(&o->w, 0);
	wr_u8(&o->w, number);
	wr_u8(&o->w, proto);
	wr_u8(&o->w, (uint8_t)spi.n);
	wr_u8(&o->w, 0);
	wr_span(&o->w, spi);
}

void offer_transform(struct offer *o, uint8_t number, uint8_t id)
{
	if (o->transform)
		wr_patch_u8(&o->w, o->transform, 3);
	close_transform(o);
	o->transform = o->w.len;
	o->transforms++;
	wr_be32(&o->w, 0);
	wr_u8(&o->w, number);
	wr_u8(&o->w, id);
	wr_be16(&o->w, 0);
}

void offer_tv(struct offer *o, uint16_t type, uint16_t value)
{
	wr_be16(&o->w, (uint16_t)(0x8000 | type));
	wr_be16(&o->w, value);
}

void offer_tlv(struct offer *o, uint16_t type, struct span value)
{
	wr_be16(&o->w, type);
	wr_be16(&o->w, (uint16_t)value.n);
	wr_span(&o->w, value);
}

struct span offer_done(struct offer *o)
{
	close_proposal(o);
	return wr_done(&o->w);
}

void offer_p1(struct offer *o, uint8_t number, uint16_t enc, uint16_t bits, uint16_t hash,
	      uint16_t group, uint16_t auth)
{
	static const uint8_t day[4] = { 0, 1, 0x51, 0x80 };

	offer_transform(o, number, 1);
	if (enc)
		offer_tv(o, 1, enc);
	if (bits)
		offer_tv(o, 14, bits);
	if (hash)
		offer_tv(o, 2, hash);
	if (auth)
		offer_tv(o, 3, auth);
	if (group)
		offer_tv(o, 4, group);
	offer_tv(o, 11, 1);
	offer_tlv(o, 12, SPAN_OF(day));
}

void offer_p2(struct offer *o, uint8_t number, uint8_t id, uint16_t bits, uint16_t auth,
	      uint16_t encap, uint16_t group)
{
	offer_transform(o, number, id);
	if (encap)
		offer_tv(o, 4, encap);
	if (auth)
		offer_tv(o, 5, auth);
	if (bits)
		offer_tv(o, 6, bits);
	if (group)
		offer_tv(o, 3, group);
	offer_tv(o, 1, 1);
	offer_tv(o, 2, 3600);
}
