/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_quick.c - Quick Mode with a client that means well: what the gateway's message holds, what
 * a request also says, and how a pair gives way to the next one.
 */
#include "hostile_kit.h"

/* ---- RESPONDER-LIFETIME (RFC 2407 4.6.3.1) ---- */

/* A client whose offer of 28800 s meets this configuration; its Quick Mode is answered. */
static void offer(uint32_t life_s, enum ike_check check)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.p2_life_s = life_s;
	g.conf.check = check;
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
	client_to(&c, &g, client_quick1(&c, nil, nil));
	if (client_quick2(&c, gate_only(&g)) < 0)
		abort();
}

static long long pair_life(void)
{
	return (long long)((client_sa(&c, &g)->children->expires_us - g.now) / US_PER_S);
}

static void test_told_lifetime(void)
{
	static const uint32_t lives[] = { 3600, 1200, 28799 };

	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		uint8_t body[24];
		struct wr w = wr_into(body, sizeof(body));

		offer(lives[i], IKE_CHECK_CLAIM);
		wr_span(&w, hex("00000001 03 04 6000")); /* DOI, ESP, SPI of 4 bytes, type */
		wr_be32(&w, c.spi_out);                  /* what the client sends to: ours */
		wr_span(&w, hex("80010001 00020004"));   /* in seconds, of 4 bytes */
		wr_be32(&w, lives[i]);
		is_int(c.msg.n_notify, 1, "a client that offers a longer life is told");
		is_bytes(c.msg.notify[0], wr_done(&w), "with the pair's SPI and its real life");
		is_int(pair_life(), lives[i], "which is the one that it has");
		kit_end("lifetime told");
	}
}

static void test_untold_lifetime(void)
{
	static const struct {
		const char *name;
		uint32_t conf, life;
		enum ike_check check;
	} rows[] = {
		{ "as long as ours", 28800, 28800, IKE_CHECK_CLAIM },
		{ "a shorter one", 86400, 28800, IKE_CHECK_CLAIM },
		{ "a longer one, obeyed", 3600, 28800, IKE_CHECK_OBEY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		offer(rows[i].conf, rows[i].check);
		is_int(c.msg.n_notify, 0, rows[i].name);
		is_int(pair_life(), rows[i].life, "is taken as it is, without a word");
		kit_end("lifetime untold");
	}
}

/* ---- what a request also says ---- */

/* A client that has the verdict, but has not acknowledged it. */
static void unacknowledged(void)
{
	kit_with(client_phase1);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	if (client_open(&c, gate_only(&g)) < 0 || c.cfg.type != CFG_SET)
		abort();
}

/* How many datagrams leave in this time. */
static unsigned leaving(uint64_t us)
{
	uint64_t end = g.now + us;
	unsigned n = 0;

	while (ike_deadline(g.ike) <= end) {
		gate_pass(&g, ike_deadline(g.ike) > g.now ? ike_deadline(g.ike) - g.now : 0);
		n += g.n_out;
	}
	gate_pass(&g, end - g.now);
	return n;
}

static void test_verdict_seen(void)
{
	unacknowledged();
	client_to(&c, &g, client_quick1(&c, hex("01000000 0a636301"), nil));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	is_int(leaving(S(60)), 0,
	       "a Quick Mode says that the verdict has arrived: it is not repeated");
	kit_end("verdict seen, Quick Mode");
	unacknowledged();
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	is_int(leaving(S(60)), 0, "so does a request for the configuration");
	kit_end("verdict seen, configuration");
}

/* ---- one pair after the other ---- */

static void test_pending_delete(void)
{
	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	uint32_t msgid = c.msgid;
	uint8_t iv[IKE_BLOCK_MAX];

	memcpy(iv, c.iv, sizeof(iv));
	client_to(&c, &g, client_delete_child(&c));
	ok(g.n_out == 0 && g.n_pairs == 1, "a delete does not touch a pair that is not confirmed");
	c.msgid = msgid; /* back to the Quick Mode */
	memcpy(c.iv, iv, sizeof(iv));
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_UP && client_keys_match(&c, &g), "which is confirmed as ever");
	client_to(&c, &g, client_delete_child(&c));
	is_int(g.n_pairs, 0, "and can be deleted then");
	kit_end("delete of a pending pair");
}

static void test_supersede(void)
{
	uint32_t old;

	kit_with(client_up);
	gate_pass(&g, S(3590));
	old = c.spi_out;
	client_quick(&c, &g);
	gate_pass(&g, S(9));
	is_int(g.n_pairs, 2, "a pair with ten seconds to live has them when it is replaced");
	is_int(leaving(S(2)), 1, "its end is told, in case the client still sends with it");
	ok(g.n_pairs == 1 && g.pair[0].fx.spi_in == c.spi_out && c.spi_out != old,
	   "and not the thirty of others");
	kit_end("replaced at its end");
}

int main(void)
{
	test_told_lifetime();
	test_untold_lifetime();
	test_verdict_seen();
	test_pending_delete();
	test_supersede();
	return done();
}
