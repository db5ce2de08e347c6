/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_rekey.c - a pair is replaced by a newer one, and traffic notices nothing. */
#include "hostile_kit.h"

static uint32_t old_in; /* the gateway's inbound SPI before */

static const struct gate_pair *pair_with(uint32_t spi_in)
{
	for (unsigned i = 0; i < g.n_pairs; i++)
		if (g.pair[i].fx.spi_in == spi_in)
			return &g.pair[i];
	return NULL;
}

static const struct ike_child *newest(void)
{
	return client_sa(&c, &g)->children;
}

/* A session that has been up for a while. */
static void begin(uint16_t pfs)
{
	kit_fresh();
	c.pfs = pfs;
	if (!client_up(&c, &g))
		abort();
	old_in = c.spi_out;
	gate_pass(&g, S(60));
}

/* ---- by the client ---- */

static void test_by_client(uint16_t pfs)
{
	struct prefix nets[IKE_SELECTORS];
	uint8_t set;

	begin(pfs);
	memcpy(nets, newest()->nets, sizeof(nets));
	set = newest()->set;
	client_to(&c, &g, client_quick1(&c, nil, nil));
	is_str(g.trace, pfs ? "kIs" : "Is", "the newer pair receives before our answer leaves");
	client_quick2(&c, gate_only(&g));
	ok(pair_with(old_in)->out && !pair_with(c.spi_out)->out, "and the older one sends on");
	gate_pass(&g, S(1));
	client_to(&c, &g, client_quick3(&c));
	is_str(g.trace, "OR", "the newer one sends when the client has said that it has the keys");
	ok(gate_count(&g, FX_REKEY, IKE_R__COUNT) == 1 && !gate_last(&g, FX_REKEY)->by_gateway &&
		   ike_counter(g.ike, IKE_C_REKEYED) == 1,
	   "which is told and counted");
	ok(pair_with(old_in) && pair_with(c.spi_out)->out && client_keys_match(&c, &g),
	   "with the right keys, and the older one still receives");
	ok(newest()->state == IKE_CHILD_UP && newest()->next->state == IKE_CHILD_OLD &&
		   !newest()->out,
	   "which both know of themselves");
	ok(newest()->set == set && newest()->n_nets == 1 &&
		   memcmp(nets, newest()->nets, sizeof(nets)) == 0,
	   "the selectors are the same");
	ok(kit_sound(), "nothing is out of order");
	gate_pass(&g, S(29));
	ok(pair_with(old_in) && !*g.trace, "for its grace time the older one lives");
	gate_pass(&g, S(2));
	ok(!pair_with(old_in) && g.n_pairs == 1, "and then it goes");
	ok(gate_count(&g, FX_UP, IKE_R__COUNT) == 1 && gate_count(&g, FX_DOWN, IKE_R__COUNT) == 0,
	   "all that is one session");
	kit_end("by the client");
}

/* HASH(3) does not come: the older pair never stopped sending. */
static void test_unconfirmed(void)
{
	begin(0);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	gate_pass(&g, S(31));
	ok(g.n_pairs == 1 && pair_with(old_in)->out && newest()->state == IKE_CHILD_UP,
	   "without HASH(3) the newer pair is gone after a while, and the older one is as before");
	kit_end("unconfirmed");
}

/* The client deletes the older pair before its HASH(3) arrives, or with it. */
static void test_early_delete(void)
{
	uint8_t spi[4];
	struct wr w = wr_into(spi, sizeof(spi));
	static struct client then;

	begin(0);
	wr_be32(&w, newest()->spi_out);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	then = c;
	client_to(&c, &g, client_delete(&c, PROTO_ESP, SPAN_OF(spi)));
	is_str(g.trace, "D", "the client deletes the older pair early");
	ok(!pair_with(old_in) && kit_sound(), "it goes, and its policies stay");
	memcpy(c.iv, then.iv, sizeof(c.iv));
	c.msgid = then.msgid;
	c.msg.nonce = then.msg.nonce;
	memcpy(c.plain, then.plain, sizeof(c.plain));
	client_to(&c, &g, client_quick3(&c));
	ok(pair_with(c.spi_out) && pair_with(c.spi_out)->out && client_keys_match(&c, &g),
	   "with HASH(3) the newer one sends");
	kit_end("early delete");
}

/* ---- a kernel that refuses, or takes its time ---- */

static void test_kernel_refuses_out(void)
{
	begin(0);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	g.child_err = -12;
	client_to(&c, &g, client_quick3(&c));
	is_str(g.trace, "OnsD", "a refused outbound SA is told, and the pair is taken out");
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1, "by a Delete");
	ok(g.n_pairs == 1 && pair_with(old_in)->out && newest()->state == IKE_CHILD_UP &&
		   gate_count(&g, FX_NOTE, IKE_R_KERNEL) == 1,
	   "the older one carries on");
	g.child_err = 0;
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "and another Quick Mode may do it");
	kit_end("outbound refused");
}

static void test_kernel_is_slow(void)
{
	begin(0);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick3(&c));
	ok(newest()->state == IKE_CHILD_READY && newest()->next->state == IKE_CHILD_UP,
	   "until the kernel has the outbound SA the older pair is the one that counts");
	ok(kit_sound(), "which is in order");
	gate_pass(&g, S(20));
	ok(!*g.trace && g.n_jobs == 1, "it is asked for once");
	gate_do_all(&g);
	ok(newest()->state == IKE_CHILD_UP && pair_with(c.spi_out)->out && kit_sound(), "then not");
	/* once more, and the session ends meanwhile */
	g.hold = 0;
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick3(&c));
	client_to(&c, &g, client_delete_isakmp(&c));
	gate_do_all(&g);
	ok(g.n_pairs == 0 && g.leases == 0, "an outbound SA that comes too late harms nobody");
	kit_end("slow kernel");
}

/* The pair that only receives, saved and read back, begins to send. */
static void test_saved(void)
{
	static uint8_t rec[8192];
	struct sess_id id;
	size_t n;

	begin(0);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	g.hold = GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_quick3(&c));
	is_int(ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n), 0,
	       "a session with a pair that only receives yet is saved");
	g.n_jobs = 0;
	g.hold = 0;
	g.ike = ike_free(g.ike);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), 0, "and restored");
	for (unsigned i = 0; i < g.n_pairs; i++)
		g.pair[i].who = id;
	ok(newest()->state == IKE_CHILD_READY && kit_sound(), "as it was");
	gate_pass(&g, 0);
	is_str(g.trace, "OR", "then it begins to send");
	ok(newest()->state == IKE_CHILD_UP && client_keys_match(&c, &g), "with the right keys");
	kit_end("saved");
}

int main(void)
{
	test_by_client(0);
	test_by_client(31);
	test_unconfirmed();
	test_early_delete();
	test_kernel_refuses_out();
	test_kernel_is_slow();
	test_saved();
	return done();
}
