/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rekey_kit.h - a session whose pair is replaced, by the client or by the gateway. */
#pragma once

#include "hostile_kit.h"

static uint32_t old_in; /* the gateway's inbound SPI before */

__attribute__((unused)) static const struct gate_pair *pair_with(uint32_t spi_in)
{
	for (unsigned i = 0; i < g.n_pairs; i++)
		if (g.pair[i].fx.spi_in == spi_in)
			return &g.pair[i];
	return NULL;
}

__attribute__((unused)) static const struct ike_child *newest(void)
{
	return client_sa(&c, &g)->children;
}

/* A session that has been up for a while. */
__attribute__((unused)) static void begin(uint16_t pfs)
{
	kit_fresh();
	c.pfs = pfs;
	if (!client_up(&c, &g))
		abort();
	old_in = c.spi_out;
	gate_pass(&g, S(60));
}

/* Lets time pass until the gateway begins; false when it does not within the pair's life. */
__attribute__((unused)) static bool asked(void)
{
	uint64_t end = newest()->expires_us;

	while (g.now < end) {
		uint64_t due = ike_deadline(g.ike);

		gate_pass(&g, due > g.now ? due - g.now : 0);
		for (unsigned i = 0; i < g.n_out;
		     i++) /* a Delete of an older pair is no question */
			if (client_rekey1(&c, gate_out(&g, i)) == 0)
				return g.now < end;
	}
	return false;
}

/* From the question to HASH(3). */
__attribute__((unused)) static bool answered(void)
{
	client_to(&c, &g, client_rekey2(&c));
	return client_rekey3(&c, gate_only(&g)) == 0;
}
