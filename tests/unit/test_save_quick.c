/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_save_quick.c - the gateway is killed in the middle of a Quick Mode, at every place of it, and
 * the next one brings it to its end: nowhere does one side believe in a pair that the other lacks.
 */
#include <errno.h>

#include "rekey_kit.h"

static uint8_t rec[65536];
static size_t n_rec;

/* What was kept before the last datagrams left, as the next process reads it; g.out is lost. */
static bool killed(void)
{
	struct sess_id id;

	if (ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n_rec) < 0)
		return false;
	g.ike = ike_free(g.ike);
	gate_start(&g);
	g.n_jobs = 0;
	if (ike_restore(g.ike, (struct span){ rec, n_rec }, g.now, &id) < 0)
		return false;
	/* What is in the kernel and belongs to no pair goes; see handover_kernel.c. */
	for (unsigned i = 0; i < g.n_pairs;) {
		const struct ike_child *own = client_sa(&c, &g)->children;

		while (own && own->spi_in != g.pair[i].fx.spi_in)
			own = own->next;
		g.pair[i].who = id;
		if (own)
			i++;
		else
			g.pair[i] = g.pair[--g.n_pairs];
	}
	return true;
}

static bool same_again(void)
{
	static uint8_t again[sizeof(rec)];
	size_t n;

	return ike_save(g.ike, client_sa(&c, &g)->id, again, sizeof(again), &n) == 0 &&
	       n == n_rec && memcmp(rec, again, n) == 0;
}

static void test_first(uint16_t pfs)
{
	uint8_t q1[2048];
	struct span s;
	size_t n;

	kit_fresh();
	if (!client_login(&c, &g))
		abort();
	c.pfs = pfs;
	s = client_quick1(&c, nil, nil);
	memcpy(q1, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(client_quick2(&c, gate_only(&g)) == 0, "the gateway answers (PFS %u)", pfs);
	ok(killed() && kit_state() == IKE_ST_LEASED && g.n_pairs == 1 && kit_sound(),
	   "it is killed: the pair stays, for the client may send with it");
	ok(same_again(), "it is saved as it was");
	client_to(&c, &g, (struct span){ q1, n });
	ok(g.n_out == 1 && g.n_pairs == 1, "the same question has the same answer");
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_UP && client_keys_match(&c, &g) && kit_sound(),
	   "HASH(3) is understood");
	client_to(&c, &g, (struct span){ q1, n });
	ok(g.n_out == 0 && g.n_pairs == 1, "the question begins nothing any more");
	kit_end("first");
}

/* The question of a Quick Mode of before the restart is as old as it was, too. */
static void test_silence(void)
{
	uint8_t q1[1024];
	struct span s;
	size_t n;

	begin(0);
	s = client_quick1(&c, nil, nil);
	memcpy(q1, s.p, n = s.n);
	client_to(&c, &g, s);
	is_int(client_quick2(&c, gate_only(&g)), 0, "the client renews its pair, and is answered");
	ok(killed() && g.n_pairs == 2, "the gateway is killed");
	gate_pass(&g, S(1) + g.conf.retransmit_us);
	ok(g.n_out == 1, "and repeats its answer, for HASH(3) may be lost");
	gate_pass(&g, S(LIMIT_QUICK_WAIT_S + 1));
	ok(g.n_pairs == 1 && pair_with(old_in) && kit_state() == IKE_ST_UP && kit_sound(),
	   "without HASH(3) the pair goes, and the older one is what it was");
	client_to(&c, &g, (struct span){ q1, n });
	ok(g.n_out == 0 && g.n_pairs == 1, "a replay of the question brings nothing back");
	kit_end("silence");
}

static void test_by_client(uint16_t pfs)
{
	begin(pfs);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(client_quick2(&c, gate_only(&g)) == 0, "the client renews its pair (PFS %u)", pfs);
	ok(killed() && g.n_pairs == 2 && pair_with(old_in)->out && !pair_with(c.spi_out)->out,
	   "the gateway is killed: both receive, the older one sends");
	ok(same_again(), "it is saved as it was");
	client_to(&c, &g, client_quick3(&c));
	ok(pair_with(c.spi_out)->out && client_keys_match(&c, &g) && kit_sound(),
	   "with HASH(3) the newer one sends, with the right keys");
	kit_end("by the client");
}

/* A Quick Mode of ours that the client has not answered is nothing to it: we begin again. */
static void test_asked(uint16_t pfs)
{
	begin(pfs);
	ok(asked() && newest()->state == IKE_CHILD_PENDING, "the gateway renews (PFS %u)", pfs);
	ok(killed() && newest()->state == IKE_CHILD_UP && !newest()->next && kit_sound(),
	   "it is killed before the client answers");
	ok(asked(), "and begins anew, while the pair lives");
	ok(answered() && g.n_pairs == 2, "with success");
	gate_pass(&g, S(3));
	ok(client_keys_match(&c, &g), "and the right keys");
	kit_end("asked");
}

static void test_third_lost(const char *client_name)
{
	static uint8_t second[2048];
	struct span s;
	size_t n;

	begin(0);
	snprintf(((struct ike_sa *)(uintptr_t)client_sa(&c, &g))->client, LIMIT_CLIENT_NAME, "%s",
		 client_name);
	if (!asked())
		abort();
	s = client_rekey2(&c);
	memcpy(second, s.p, n = s.n);
	client_to(&c, &g, s);
	ok(g.n_out == 1 && killed() && g.n_pairs == 2 && kit_sound(),
	   "the gateway is killed before its HASH(3) has left");
	gate_pass(&g, 0);
	ok(client_rekey3(&c, gate_only(&g)) == 0, "the next one sends it");
	gate_pass(&g, S(10));
	ok(g.n_out == 0 && client_keys_match(&c, &g) && newest()->state == IKE_CHILD_UP,
	   "once, and both sides have the newer pair");
	client_to(&c, &g, (struct span){ second, n });
	ok(g.n_out == 1, "the client's message has its answer as before");
	gate_pass(&g, S(100));
	ok(!client_sa(&c, &g)->xchgs && g.n_pairs == 1 && kit_sound(), "then it is forgotten");
	kit_end("third lost");
}

/* The kernel lost it meanwhile: the client, which has our answer, is told. */
static void test_not_in_kernel(void)
{
	kit_fresh();
	if (!client_login(&c, &g))
		abort();
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	ok(killed(), "the gateway is killed");
	ike_child_lost(g.ike, client_sa(&c, &g)->id, newest()->number, g.now, &g.fx);
	g.n_out = 0;
	gate_run(&g);
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1 && g.n_pairs == 0,
	   "its client hears that the pair is gone");
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_LEASED && client_quick(&c, &g) && kit_state() == IKE_ST_UP,
	   "and makes another");
	kit_end("not in the kernel");
}

/* A pair that waits for HASH(3), and nothing in which it could come. */
static void test_lies(void)
{
	struct sess_id id;

	kit_fresh();
	if (!client_login(&c, &g))
		abort();
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n_rec);
	/* The exchange is the record's end; its child's number stands behind msgid, serial, a flag. */
	for (size_t i = 26; i + 4 < n_rec; i++)
		if (memcmp(rec + i,
			   &(uint32_t){ __builtin_bswap32(client_sa(&c, &g)->xchgs->msgid) },
			   4) == 0)
			rec[i + 12]++;
	digest_of((struct span){ rec + 26, n_rec - 26 }, rec + 10);
	g.ike = ike_free(g.ike);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ rec, n_rec }, g.now, &id), -EBADMSG,
	       "an exchange about another pair than the one that waits is refused");
	ok(g.ike->t.n == 0 && g.ike->t.spis.n == 0, "and nothing stays");
	gate_sweep(&g);
	gate_stop(&g);
}

int main(void)
{
	test_first(0);
	test_first(31);
	test_silence();
	test_by_client(0);
	test_by_client(31);
	test_asked(0);
	test_asked(31);
	test_third_lost("");
	test_third_lost("Cisco Systems VPN Client 0.5.3:Linux");
	test_not_in_kernel();
	test_lies();
	return done();
}
