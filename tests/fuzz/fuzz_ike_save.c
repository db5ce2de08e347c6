/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ike_save.c - saved sessions. The envelope is made right, so that changes reach the fields;
 * what is restored must live: be saved again, age, and end without a trace.
 */
#include <stdlib.h>

#include "gate.h"
#include "ike/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate g;

#define check(good) ((good) ? (void)0 : abort())

static void live(struct sess_id id, struct span first)
{
	static uint8_t out[1 << 17]; /* larger than any record */
	size_t n;

	check(ike_save(g.ike, id, out, sizeof(out), &n) == 0);
	/* Booleans and counts may become plainer, never longer; a verdict that is told again takes a
	 * message ID. */
	check(n <= first.n + sizeof(uint32_t));
	g.n_out = 0;
	for (unsigned i = 0; i < 1000 && ike_deadline(g.ike) != UINT64_MAX; i++) {
		if (ike_deadline(g.ike) > g.now)
			g.now = ike_deadline(g.ike);
		ike_tick(g.ike, g.now, &g.fx);
		check(!g.fx.overflow);
		fx_reset(&g.fx);
	}
	if (ike_find(g.ike, id))
		check(ike_close(g.ike, id, IKE_R_KICKED, g.now, &g.fx) == 0);
	check(!g.fx.overflow);
	fx_reset(&g.fx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t rec[1 << 16];
	struct sess_id id;

	if (size < 26 || size > sizeof(rec))
		return 0;
	memcpy(rec, data, size);
	rec[6] = rec[7] = 0;
	rec[8] = (uint8_t)((size - 26) >> 8);
	rec[9] = (uint8_t)(size - 26);
	digest_of((struct span){ rec + 26, size - 26 }, rec + 10);
	gate_init(&g);
	g.conf.dpd_delay_us = 20000000;
	g.conf.idle_limit_us = g.conf.session_limit_us = 3600000000;
	gate_start(&g);
	if (ike_restore(g.ike, (struct span){ rec, size }, g.now, &id) == 0)
		live(id, (struct span){ rec, size });
	else
		check(g.ike->t.n == 0 && g.ike->t.spis.n == 0 && ike_deadline(g.ike) == UINT64_MAX);
	gate_stop(&g);
	return 0;
}
