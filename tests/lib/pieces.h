/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pieces.h - IKE fragments as clients make and take them, right or wrong. It knows nothing of the
 * gateway's way to do the same.
 */
#pragma once

#include "bytes.h"

#define PIECES     80
#define PIECE_DATA 36 /* where the data begins */

struct piece {
	uint8_t b[3000];
	size_t n;
};

/* A message that was cut. */
struct pieces {
	unsigned n;
	struct piece v[PIECES];
};

/* One fragment of the message `msg`: its header is the message's, but for what makes a fragment. */
void piece_make(struct piece *p, struct span msg, uint16_t id, uint8_t number, bool last,
		struct span data);
struct span piece_span(const struct piece *p);

/* The message in fragments with `each` bytes of data. */
void pieces_cut(struct pieces *p, struct span msg, size_t each, uint16_t id);

/* As strongSwan does it: the exchange is that of phase 1 and the message ID 0 in all of them. */
void pieces_plain(struct pieces *p);

/* A message that comes in fragments. A new id begins a new one. */
struct join {
	uint16_t id;
	uint8_t last;
	bool have[256];
	size_t len[256];
	uint8_t data[PIECES][2048];
	uint8_t whole[20000];
};

bool is_piece(struct span dgram);

/* Forgets what has come. */
void join_reset(struct join *j);

/* Takes one in. The message when all are there, else an empty span. */
struct span join_take(struct join *j, struct span dgram);
