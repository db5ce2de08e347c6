/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pieces.c - IKE fragments as clients make and take them. */
#include "pieces.h"

#include <stdlib.h>

#include "ike/msg.h"

void piece_make(struct piece *p, struct span msg, uint16_t id, uint8_t number, bool last,
		struct span data)
{
	struct wr w = wr_into(p->b, sizeof(p->b));

	wr_bytes(&w, msg.p, 16);
	wr_u8(&w, PL_FRAGMENT);
	wr_bytes(&w, msg.p + 17, 7); /* version, exchange, flags, message ID */
	wr_be32(&w, (uint32_t)(PIECE_DATA + data.n));
	wr_be16(&w, 0);
	wr_be16(&w, (uint16_t)(8 + data.n));
	wr_be16(&w, id);
	wr_u8(&w, number);
	wr_u8(&w, last);
	wr_span(&w, data);
	if (w.bad)
		abort();
	p->n = w.len;
}

struct span piece_span(const struct piece *p)
{
	return (struct span){ p->b, p->n };
}

void pieces_cut(struct pieces *p, struct span msg, size_t each, uint16_t id)
{
	struct span rest = msg;

	p->n = 0;
	while (rest.n) {
		size_t n = rest.n < each ? rest.n : each;

		if (p->n == PIECES)
			abort();
		piece_make(&p->v[p->n], msg, id, (uint8_t)(p->n + 1), n == rest.n,
			   (struct span){ rest.p, n });
		p->n++;
		rest = (struct span){ rest.p + n, rest.n - n };
	}
}

void pieces_plain(struct pieces *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->v[i].b[18] != XCHG_MAIN)
			p->v[i].b[18] = XCHG_AGGRESSIVE;
		p->v[i].b[19] = 0;
		memset(p->v[i].b + 20, 0, 4);
	}
}

bool is_piece(struct span dgram)
{
	return dgram.n > PIECE_DATA && dgram.p[16] == PL_FRAGMENT;
}

void join_reset(struct join *j)
{
	memset(j->have, 0, sizeof(j->have));
	j->last = 0;
	j->id = 0;
}

struct span join_take(struct join *j, struct span dgram)
{
	struct rd r = rd_from(dgram);
	uint16_t id;
	uint8_t number;
	bool last;
	struct wr w = wr_into(j->whole, sizeof(j->whole));

	(void)rd_take(&r, ISAKMP_HDR + 4);
	id = rd_be16(&r);
	number = rd_u8(&r);
	last = rd_u8(&r) & 1;
	if (r.bad || !number || number > PIECES || r.left > sizeof(j->data[0]))
		return (struct span){ 0 };
	if (id != j->id) {
		join_reset(j);
		j->id = id;
	}
	j->have[number] = true;
	j->len[number] = r.left;
	memcpy(j->data[number - 1], r.p, r.left);
	if (last)
		j->last = number;
	if (!j->last)
		return (struct span){ 0 };
	for (unsigned i = 1; i <= j->last; i++) {
		if (!j->have[i])
			return (struct span){ 0 };
		wr_bytes(&w, j->data[i - 1], j->len[i]);
	}
	join_reset(j);
	return wr_done(&w);
}
