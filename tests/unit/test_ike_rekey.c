/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_rekey.c - a pair is replaced by a newer one, and traffic notices nothing. */
#include "rekey_kit.h"

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
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1,
	   "and the client is told, in case it still sends with it");
	ok(gate_count(&g, FX_UP, IKE_R__COUNT) == 1 && gate_count(&g, FX_DOWN, IKE_R__COUNT) == 0,
	   "all that is one session");
	kit_end("by the client");
}

/* Sequence numbers of 64 bits stay, whoever renews, and the next process knows of them. */
static void test_esn(void)
{
	static uint8_t rec[65536];
	struct sess_id id;
	size_t n;

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.p2[0].esn = c.esp.esn = true;
	gate_start(&g);
	ok(client_up(&c, &g) && newest()->alg.esn && g.pair[0].fx.esn, "a pair with ESN");
	old_in = c.spi_out;
	gate_pass(&g, S(60));
	ok(client_quick(&c, &g) && newest()->alg.esn && pair_with(c.spi_out)->fx.esn,
	   "a newer one by the client has it");
	ok(asked() && answered() && newest()->alg.esn && pair_with(newest()->spi_in)->fx.esn,
	   "as has one by the gateway");
	if (ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) < 0)
		abort();
	kit_end("ESN");
	gate_start(&g);
	ok(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id) == 0 &&
		   ike_find(g.ike, id)->children->alg.esn && !ike_find(g.ike, id)->children->encap,
	   "and the session in another process");
	gate_stop(&g);
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
	ike_save(g.ike, id, rec, sizeof(rec), &n);
	g.ike = ike_free(g.ike);
	gate_start(&g);
	ike_restore(g.ike, (struct span){ rec, n }, g.now, &id);
	for (unsigned i = 0; i < g.n_pairs; i++)
		g.pair[i].who = id;
	ok(asked() && c.msg.n_id == 2 && answered(),
	   "a restored session's pair is renewed in its time, as the client asked for it at first");
	kit_end("saved");
}

/* ---- by the gateway ---- */

static void test_by_gateway(uint16_t pfs, const char *client_name)
{
	const char *out = pfs ? "kI" : "I";
	uint64_t up, share;
	struct prefix nets[IKE_SELECTORS];

	begin(pfs);
	if (*client_name)
		snprintf(((struct ike_sa *)(uintptr_t)client_sa(&c, &g))->client, LIMIT_CLIENT_NAME,
			 "%s", client_name);
	up = newest()->since_us;
	memcpy(nets, newest()->nets, sizeof(nets));
	ok(asked(), "before a pair's life is over, the gateway begins a Quick Mode");
	share = (g.now - up) / (36 * US_PER_S);
	ok(share >= 80 && share < 90, "at 80 to 90 per cent of it: %u", (unsigned)share);
	is_int((long long)c.q_peer_len, 20, "its nonce has 20 bytes");
	ok(c.msg.n_id == 2 && span_eq(c.msg.id[0], hex("04000000 00000000 00000000")) &&
		   span_eq(c.msg.id[1], hex("01000000 0a636301")),
	   "IDci is what the client asked for, IDcr its address");
	ok(c.msg.sa.n && c.msg.sa.p[15] == 1 && c.msg.sa.p[12] == 1, "there is one transform");
	is_str(g.trace, pfs ? "ks" : "s", "nothing is in the kernel yet");
	client_to(&c, &g, client_rekey2(&c));
	if (*client_name) {
		is_str(g.trace, pfs ? "kBsR" : "BsR", "to vpnc the newer pair sends at once");
		ok(client_rekey3(&c, gate_only(&g)) == 0 && client_keys_match(&c, &g),
		   "with the right keys");
		kit_end("vpnc");
		return;
	}
	ok(strncmp(g.trace, out, strlen(out)) == 0 && strcmp(g.trace + strlen(out), "s") == 0,
	   "with the answer the newer pair receives, before HASH(3) leaves (%s)", g.trace);
	ok(client_rekey3(&c, gate_only(&g)) == 0, "HASH(3) is right");
	ok(pair_with(old_in)->out && !pair_with(c.spi_out)->out && kit_sound(),
	   "the older one sends on: the client is still installing");
	gate_pass(&g, S(1));
	ok(!*g.trace, "for a moment");
	gate_pass(&g, S(2));
	is_str(g.trace, "OR", "then the newer one sends");
	ok(client_keys_match(&c, &g) && gate_last(&g, FX_REKEY)->by_gateway, "with the right keys");
	ok(newest()->state == IKE_CHILD_UP && newest()->n_nets == 1 &&
		   memcmp(nets, newest()->nets, sizeof(nets)) == 0,
	   "for the same networks");
	ok(newest()->expires_us - newest()->since_us == S(3600), "with a whole life before it");
	gate_pass(&g, S(35));
	ok(g.n_pairs == 1 && !pair_with(old_in), "the older one goes after its grace");
	old_in = c.spi_out;
	ok(asked() && answered(), "and so on");
	gate_pass(&g, S(40));
	ok(g.n_pairs == 1 && client_keys_match(&c, &g) && gate_count(&g, FX_UP, IKE_R__COUNT) == 1,
	   "in one session");
	kit_end("by the gateway");
}

/* What the client asked for at first is asked for again, in its own form. */
static void test_identities(void)
{
	static const struct {
		const char *what, *ci, *cr;
	} rows[] = {
		{ "an address and a range", "01000000 0a636301", "07000000 0a010000 0a01ffff" },
		{ "two subnets", "04000000 0a636301 ffffffff", "04000000 0a010000 ffff0000" },
		{ "a host", "01000000 0a636301", "01000000 0a010203" },
		{ "a protocol", "01010000 0a636301", "04010000 0a010000 ffff0000" },
		{ "ports", "010603fe 0a636301", "04060016 0a010000 ffff0000" },
	};
	struct ike_build b;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kit_with(client_login);
		client_to(&c, &g, client_quick1(&c, hex(rows[i].ci), hex(rows[i].cr)));
		client_quick2(&c, gate_only(&g));
		client_to(&c, &g, client_quick3(&c));
		ok(asked() && span_eq(c.msg.id[0], hex(rows[i].cr)) &&
			   span_eq(c.msg.id[1], hex(rows[i].ci)),
		   "%s", rows[i].what);
		ok(answered() && newest()->state == IKE_CHILD_READY, "and the answer fits");
		kit_end("identities");
	}
	kit_with(client_login);
	b = client_quick1_open(&c, nil, nil);
	craft_from(&k, client_clear(&b));
	craft_remove(&k, PL_ID, 0);
	craft_remove(&k, PL_ID, 0);
	client_to(&c, &g, craft_seal(&k, &c));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	ok(asked() && c.msg.n_id == 0, "a client that sent no identities gets none");
	ok(answered() && newest()->state == IKE_CHILD_READY, "and need send none");
	kit_end("no identities");
}

/* HASH(3) is lost: the client sends its message again, and gets it again. */
static void test_repeated_answer(void)
{
	uint8_t second[1024], third[512];
	size_t n, n3;
	struct span s;

	begin(0);
	asked();
	s = client_rekey2(&c);
	memcpy(second, s.p, n = s.n);
	client_to(&c, &g, s);
	s = gate_only(&g);
	memcpy(third, s.p, n3 = s.n);
	gate_pass(&g, S(1));
	client_to(&c, &g, (struct span){ second, n });
	ok(span_eq(gate_only(&g), (struct span){ third, n3 }), "HASH(3) is kept and sent again");
	gate_pass(&g, S(1) + 900000);
	ok(!*g.trace && newest()->state == IKE_CHILD_READY,
	   "and the newer pair waits anew: the client cannot hear it yet");
	gate_pass(&g, S(1));
	is_str(g.trace, "OR", "but not for ever");
	gate_pass(&g, S(31));
	ok(dropped((struct span){ second, n }), "after half a minute it is a replay");
	kit_end("repeated answer");
}

static void test_silence(void)
{
	begin(0);
	gate_pass(&g, newest()->rekey_us - g.now);
	ok(g.n_out == 1 && g.n_pairs == 1, "the gateway asks");
	gate_pass(&g, S(31));
	is_int(g.n_out, 4, "four times more, ever more slowly");
	ok(client_sa(&c, &g)->children->next, "an answer may still come");
	client_rekey1(&c, gate_out(&g, 0));
	gate_pass(&g, S(40));
	ok(!client_sa(&c, &g)->children->next && gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1 &&
		   ike_counter(g.ike, IKE_C_REKEY_FAILED) == 1,
	   "then the gateway gives up, and says so");
	ok(kit_sound(), "nothing is left of it");
	ok(dropped(client_rekey2(&c)), "an answer that comes now is dropped");
	ok(g.n_pairs == 1 && pair_with(old_in)->out, "the pair lives out its time");
	gate_pass(&g, S(720));
	ok(g.n_pairs == 0 && kit_state() == IKE_ST_UP, "and expires");
	kit_end("silence");
}

/* ---- both at once ---- */

static unsigned n_up(void)
{
	unsigned n = 0;

	for (const struct ike_child *o = newest(); o; o = o->next)
		n += o->state == IKE_CHILD_UP;
	return n;
}

static void test_client_is_at_it(void)
{
	begin(0);
	gate_pass(&g, newest()->rekey_us - g.now - 1000);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	gate_pass(&g, S(1));
	ok(g.n_out == 0, "while the client is at it the gateway does not begin");
	client_to(&c, &g, client_quick3(&c));
	gate_pass(&g, S(60));
	ok(!newest()->by_gateway && g.n_pairs == 1 && client_keys_match(&c, &g),
	   "and then it need not");
	kit_end("client first");
	begin(0);
	gate_pass(&g, newest()->rekey_us - g.now - 1000);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	gate_pass(&g, S(33));
	ok(newest()->state == IKE_CHILD_PENDING && newest()->by_gateway,
	   "when nothing comes of the client's, it begins after all");
	kit_end("client first, in vain");
}

/* Our message and the client's cross on the wire. */
static void test_crossing(bool ours_first)
{
	static struct client theirs;
	struct span s;

	begin(0);
	asked();
	theirs = c; /* one client with two exchanges under way: the views are not used any more */
	client_to(&theirs, &g, client_quick1(&theirs, nil, nil));
	ok(client_quick2(&theirs, gate_only(&g)) == 0, "the client's own Quick Mode is answered");
	if (!ours_first)
		client_to(&theirs, &g, client_quick3(&theirs));
	s = client_rekey2(&c);
	client_to(&c, &g, s);
	ok(client_rekey3(&c, gate_only(&g)) == 0, "and the gateway's comes to its end");
	if (ours_first) {
		gate_pass(&g, S(3));
		client_to(&theirs, &g, client_quick3(&theirs));
	}
	gate_pass(&g, S(3));
	ok(kit_sound() && n_up() == 1, "one pair carries the traffic");
	ok(client_keys_match(&c, &g) && client_keys_match(&theirs, &g), "both have their keys");
	ok(pair_with(old_in), "the older one has its grace");
	gate_pass(&g, S(20));
	ok(g.n_pairs == 3, "so has the one that was replaced at once");
	gate_pass(&g, S(30));
	ok(g.n_pairs == 1 && kit_sound(), "then one pair is left");
	ok(client_keys_match(ours_first ? &theirs : &c, &g), "the one that took over last");
	kit_end("crossing");
}

/* Of two pairs that were made at once, the client may delete the one that the gateway prefers. */
static void test_other_kept(void)
{
	static struct client theirs;
	uint32_t kept;

	begin(0);
	asked();
	theirs = c;
	client_to(&theirs, &g, client_quick1(&theirs, nil, nil));
	client_quick2(&theirs, gate_only(&g));
	client_to(&theirs, &g, client_quick3(&theirs));
	kept = theirs.spi_out;
	client_to(&c, &g, client_rekey2(&c));
	client_rekey3(&c, gate_only(&g));
	gate_pass(&g, S(3));
	ok(newest()->next->state == IKE_CHILD_UP && newest()->next->spi_in == c.spi_out,
	   "the gateway's pair is in use");
	c.seed = theirs.seed; /* one client: no message ID twice */
	client_to(&c, &g, client_delete_child(&c));
	ok(newest()->spi_in == kept && newest()->state == IKE_CHILD_UP && n_up() == 1 &&
		   g.n_pairs == 2 && kit_sound(),
	   "when the client deletes it, the client's is");
	ok(asked() && answered(), "until the gateway soon makes another");
	ok(g.now < newest()->since_us + S(10) && n_up() == 1 && kit_sound(), "for good");
	kit_end("other kept");
}

static void test_limits(void)
{
	kit_fresh();
	if (!client_login(&c, &g))
		abort();
	for (unsigned i = 0; i < LIMIT_CHILDREN; i++) {
		uint8_t net[12] = {
			ID_IPV4_ADDR_SUBNET, 0, 0, 0, 10, (uint8_t)i, 0, 0, 0xff, 0xff, 0, 0
		};

		client_to(&c, &g, client_quick1(&c, nil, SPAN_OF(net)));
		client_quick2(&c, gate_only(&g));
		client_to(&c, &g, client_quick3(&c));
	}
	is_int(g.n_pairs, LIMIT_CHILDREN, "as many pairs as there may be");
	gate_pass(&g, S(3300));
	ok(g.n_out == 0 && kit_sound(), "there is no room for a newer one");
	client_to(&c, &g, client_delete_child(&c));
	gate_pass(&g, S(3));
	ok(g.n_out >= 1 && newest()->by_gateway && !newest()->next->by_gateway && kit_sound(),
	   "when there is, the gateway begins, for one of them");
	kit_end("limits");
}

/* A client that left during it. */
static void test_leaving(void)
{
	begin(31);
	g.hold = GATE_HOLD(DH) | GATE_HOLD(CHILD_ADD);
	gate_pass(&g, newest()->rekey_us - g.now);
	is_str(g.trace, "k", "a key pair is being made");
	client_to(&c, &g, client_delete_isakmp(&c));
	gate_do_all(&g);
	ok(g.n_out == 0 && g.n_pairs == 0 && kit_sound(),
	   "and comes too late for one who has left");
	kit_end("leaving");
	begin(31);
	asked();
	g.hold = GATE_HOLD(DH) | GATE_HOLD(CHILD_ADD);
	client_to(&c, &g, client_rekey2(&c));
	gate_do(&g, 0);
	gate_pass(&g, S(31));
	ok(gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1, "a kernel that does not answer");
	gate_do_all(&g);
	ok(g.n_pairs == 1 && kit_sound(), "leaves the older pair in place");
	kit_end("kernel silent");
	begin(0);
	asked();
	g.child_err = -12;
	client_to(&c, &g, client_rekey2(&c));
	is_str(g.trace, "Ins", "one that refuses makes the gateway take it back");
	ok(g.n_pairs == 1 && client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1,
	   "by a Delete");
	kit_end("kernel refuses");
}

int main(void)
{
	test_by_client(0);
	test_by_client(31);
	test_esn();
	test_unconfirmed();
	test_early_delete();
	test_kernel_refuses_out();
	test_kernel_is_slow();
	test_saved();
	test_by_gateway(0, "");
	test_by_gateway(31, "");
	test_by_gateway(0, "Cisco Systems VPN Client 0.5.3:Linux");
	test_by_gateway(31, "Cisco Systems VPN Client 0.5.3:Linux");
	test_identities();
	test_repeated_answer();
	test_silence();
	test_client_is_at_it();
	test_crossing(false);
	test_crossing(true);
	test_other_kept();
	test_limits();
	test_leaving();
	return done();
}
