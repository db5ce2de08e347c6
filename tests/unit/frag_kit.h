/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* frag_kit.h - a message in fragments, for the tests of what the gateway makes of them. */
#pragma once

#include "hostile_kit.h"

static struct pieces p;
__attribute__((unused)) static struct piece one;
static uint8_t msg_copy[70000];
static struct span msg; /* what was cut, in msg_copy */

__attribute__((unused)) static void cut(struct span s, size_t each, uint16_t id)
{
	memcpy(msg_copy, s.p, s.n);
	msg = (struct span){ msg_copy, s.n };
	pieces_cut(&p, msg, each, id);
}

/* A fresh gateway, and the client's first message in fragments of 100 bytes: five or more. */
__attribute__((unused)) static void cut_first(void)
{
	kit_fresh();
	cut(client_first(&c), 100, 1);
}

__attribute__((unused)) static void send_piece(unsigned i)
{
	client_raw(&c, &g, piece_span(&p.v[i]));
}

__attribute__((unused)) static void send_all(void)
{
	for (unsigned i = 0; i < p.n; i++)
		send_piece(i);
}

/* So many datagrams that were not taken, and no answer. */
__attribute__((unused)) static bool silent(void)
{
	return g.n_out == 0 && kit_sound();
}

/* The gateway has just answered the first message. */
__attribute__((unused)) static bool answered(void)
{
	return client_second(&c, client_answer(&g)) == 0 && kit_sound();
}

/* The message comes as it should, and is answered. */
__attribute__((unused)) static bool then_whole(void)
{
	send_all();
	return answered();
}

__attribute__((unused)) static long long count(enum ike_count which)
{
	return (long long)ike_counter(g.ike, which);
}
