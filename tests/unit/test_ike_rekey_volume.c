/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_rekey_volume.c - a pair is renewed when the volume that the client bounds it by is used up. */
#include "offer.h"
#include "rekey_kit.h"

/* A client that bounds its pairs by volume as well, and has been up for a while. */
static void begin_with_volume(const char *kb)
{
	static struct offer o;
	struct ike_build b;

	kit_with(client_login);
	b = client_quick1_open(&c, nil, nil);
	craft_from(&k, client_clear(&b));
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("c0ffee77"));
	offer_transform(&o, 1, 12);
	offer_tv(&o, 4, 1);
	offer_tv(&o, 5, 5);
	offer_tv(&o, 6, 256);
	offer_tv(&o, 1, 1);
	offer_tv(&o, 2, 3600);
	offer_tv(&o, 1, 2);
	offer_tlv(&o, 2, hex(kb));
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	client_to(&c, &g, craft_seal(&k, &c));
	if (client_quick2(&c, gate_only(&g)) < 0)
		abort();
	client_to(&c, &g, client_quick3(&c));
	old_in = c.spi_out;
	gate_pass(&g, S(60));
}

static void expire(uint32_t spi, bool hard)
{
	g.n_out = 0;
	*g.trace = '\0';
	ike_child_expired(g.ike, client_sa(&c, &g)->id.slot, spi, hard, g.now, &g.fx);
	gate_run(&g);
}

static void test_volume(void)
{
	const struct ike_child_fx *fx;

	begin_with_volume("00465000");
	fx = &pair_with(old_in)->fx;
	ok(fx->hard_bytes == (uint64_t)0x465000 * 1024 &&
		   fx->soft_bytes >= fx->hard_bytes / 10 * 8 - 10240 &&
		   fx->soft_bytes < fx->hard_bytes / 10 * 9,
	   "a volume that the client asked for goes to the kernel, with a bound before it");
	expire(old_in, false);
	ok(g.n_out == 0 && ike_deadline(g.ike) <= g.now, "when that has passed");
	gate_pass(&g, 0);
	ok(g.n_out == 1 && client_rekey1(&c, gate_only(&g)) == 0, "the gateway begins at once");
	ok(c.msg.sa.n > 40 &&
		   memcmp(c.msg.sa.p + 28 + 12, hex("80010002 00020004 00465000").p, 12) == 0,
	   "with the same volume");
	expire(old_in, false);
	expire(newest()->next->spi_out, false);
	gate_pass(&g, 0);
	ok(g.n_out == 0, "the other SA's bound, or the same again, begins nothing more");
	ok(answered(), "the client agrees");
	gate_pass(&g, S(3));
	ok(newest()->state == IKE_CHILD_UP && pair_with(c.spi_out)->fx.hard_bytes &&
		   gate_last(&g, FX_REKEY)->by_gateway && kit_sound(),
	   "and the newer pair has its volume again");
	expire(c.spi_out, false);
	gate_pass(&g, S(1));
	ok(!newest()->by_gateway || newest()->state == IKE_CHILD_UP, "a pair that is quite new");
	ok(asked() && newest()->since_us - newest()->next->since_us >= S(LIMIT_REKEY_GAP_S),
	   "is renewed not before it is so old");
	kit_end("volume");
	begin_with_volume("00000001");
	is_int((long long)pair_with(old_in)->fx.hard_bytes, LIMIT_MIN_LIFE_KB * 1024ll,
	       "next to nothing is held to what is sensible");
	kit_end("least volume");
	begin(0);
	ok(!pair_with(old_in)->fx.hard_bytes && !pair_with(old_in)->fx.soft_bytes,
	   "without a volume there is no bound");
	kit_end("no volume");
}

static void test_volume_over(void)
{
	begin_with_volume("00465000");
	expire(old_in, true);
	is_str(g.trace, "sD", "an SA that the kernel has ended goes, and its client is told");
	ok(g.n_pairs == 0 && kit_state() == IKE_ST_UP && kit_sound(), "the session stays");
	expire(old_in, true);
	ok(!*g.trace, "once");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "a new pair is welcome");
	ike_child_expired(g.ike, 4711, c.spi_out, true, g.now, &g.fx);
	ike_child_expired(g.ike, client_sa(&c, &g)->id.slot, 0x77777777, true, g.now, &g.fx);
	gate_run(&g);
	ok(g.n_pairs == 1 && kit_sound(), "an SA that nobody knows is no matter");
	/* during a rekey */
	gate_pass(&g, S(60));
	old_in = c.spi_out;
	asked();
	client_to(&c, &g, client_rekey2(&c));
	expire(old_in, true);
	is_str(g.trace, "sDO", "when the older pair ends early, the newer one sends at once");
	ok(newest()->state == IKE_CHILD_UP && g.n_pairs == 1 && kit_sound(), "and carries on");
	kit_end("volume over");
}

int main(void)
{
	test_volume();
	test_volume_over();
	return done();
}
