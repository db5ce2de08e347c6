/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ike_input.c - the whole state machine. The first byte says how far a login has got; then
 * come datagrams, each with a byte of habits and two of length. What must hold is looked at after
 * each. Built for a fuzzer, the encryption is transparent (crypto.c); replayed, it is not.
 */
#include <stdlib.h>

#include "fuzz_login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct gate *g)
{
	if (*gate_check(g) || (ike_deadline(g->ike) <= g->now && fx_has_room(&g->fx)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_login f;
	struct rd r = rd_from((struct span){ data, size });

	fuzz_login(&f, rd_u8(&r));
	while (r.left && !r.bad) {
		uint8_t how = rd_u8(&r);
		size_t n = rd_be16(&r);
		struct span s = rd_take(&r, n > r.left ? r.left : n);
		uint8_t *copy = malloc(s.n ? s.n : 1);

		memcpy(copy, s.p ? s.p : copy, s.n);
		fuzz_habits(&f, how, copy, s.n);
		f.c.self.port += how & FUZZ_MOVES ? 1 : 0;
		gate_input(&f.g, &f.c.self, &f.c.gateway, how & FUZZ_NATT,
			   (struct span){ copy, s.n });
		free(copy);
		if (how & FUZZ_JOBS)
			gate_do_all(&f.g);
		if (how & FUZZ_WAITS)
			gate_pass(&f.g, 3000000);
		if (how & FUZZ_ESP && f.g.n_pairs) {
			const struct ike_child_fx *k = &f.g.pair[0].fx;

			ike_moved(f.g.ike, k->spi_in, &k->peer, &f.c.self, f.g.now, &f.g.fx);
			gate_run(&f.g);
		}
		check(&f.g);
	}
	gate_do_all(&f.g);
	gate_pass(&f.g, UINT64_C(200000000000));
	if (*gate_check(&f.g) || f.g.leases || f.g.n_pairs)
		abort();
	gate_stop(&f.g);
	return 0;
}
