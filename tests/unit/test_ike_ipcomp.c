/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_ipcomp.c - sessions with IPComp (RFC 3173): who gets it, and what becomes of it with new
 * keys, another configuration, a restart and the end.
 */
#include <errno.h>

#include "rekey_kit.h"

static const char *noted(void)
{
	const struct gate_event *e = gate_last(&g, FX_NOTE);

	return e ? e->text : "";
}

/* The type of the one Notify that the gateway has answered with; 0: none. */
static unsigned notified(void)
{
	struct ike_notify n;

	return client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1 &&
			       ike_notify_read(c.msg.notify[0], &n) == 0
		       ? n.type
		       : 0;
}

/* A gateway that allows it, and a client that offers it and nothing else. */
static void allow(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = c.ipcomp = true;
	g.conf.compression = IKE_COMPRESSION_DEFLATE;
	gate_start(&g);
}

static void compressed(void)
{
	allow();
	if (!client_up(&c, &g))
		abort();
	old_in = c.spi_out;
}

/* The pair of the last Quick Mode has a CPI of either side's. */
static bool has_cpis(void)
{
	const struct gate_pair *p = pair_with(c.spi_out);

	return p && c.cpi_out >= CPI_MIN && c.cpi_out <= CPI_MAX && p->fx.cpi_in == c.cpi_out &&
	       p->fx.cpi_out == c.cpi_in && client_keys_match(&c, &g);
}

static void test_agreed(void)
{
	compressed();
	ok(has_cpis(), "a pair with a CPI of either side, and ESP's keys as ever");
	is_int(g.ike->t.cpis.n, 1, "ours is marked as used");
	client_to(&c, &g, client_delete_child(&c));
	ok(g.n_pairs == 0 && g.ike->t.cpis.n == 0, "the Delete of ESP takes it along");
	kit_end("agreed");
	allow();
	c.ipcomp = false;
	ok(client_up(&c, &g) && g.n_pairs == 1 && !g.pair[0].fx.cpi_in && !g.pair[0].fx.cpi_out,
	   "a client that does not ask for it does not get it");
	kit_end("not asked for");
}

static void test_off(void)
{
	kit_fresh();
	c.ipcomp = true;
	if (!client_login(&c, &g))
		abort();
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(notified() == N_NO_PROPOSAL_CHOSEN && g.n_pairs == 0, "where it is off, it is refused");
	ok(strstr(noted(), "compression_algorithm") != NULL, "and the line names the key: %s",
	   noted());
	kit_end("off");
}

/* The kernel cannot. */
static void test_other_family(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = c.ipcomp = c.v6 = true;
	g.conf.compression = IKE_COMPRESSION_DEFLATE;
	prefix_parse("fd00:99::/64", &g.network6);
	gate_start(&g);
	if (!client_login(&c, &g))
		abort();
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(notified() == N_NO_PROPOSAL_CHOSEN && g.n_pairs == 0 && strstr(noted(), "IPv6 in IPv4"),
	   "IPv6 in an IPv4 tunnel goes without: %s", noted());
	c.ipcomp = false;
	ok(client_quick(&c, &g) && g.n_pairs == 1 && !g.pair[0].fx.cpi_in, "and works so");
	kit_end("other family");
}

static void test_by_client(void)
{
	uint16_t first;

	compressed();
	first = c.cpi_out;
	gate_pass(&g, S(60));
	ok(client_quick(&c, &g) && has_cpis() && c.cpi_out != first,
	   "the client renews the pair, with another CPI");
	ok(pair_with(old_in)->fx.set == pair_with(c.spi_out)->fx.set && kit_sound(),
	   "under the same policies");
	gate_pass(&g, S(31));
	ok(g.n_pairs == 1 && g.ike->t.cpis.n == 1, "the older one goes whole");
	g.conf.compression = IKE_COMPRESSION_NONE;
	ok(client_quick(&c, &g) && has_cpis(),
	   "what a session has it keeps, whatever the configuration says by now");
	kit_end("by the client");
}

static void test_by_gateway(void)
{
	compressed();
	ok(asked() && c.cpi_out >= CPI_MIN, "the gateway asks for IPComp again");
	ok(answered() && newest()->state == IKE_CHILD_READY, "and gets it");
	gate_pass(&g, S(40));
	ok(g.n_pairs == 1 && has_cpis() && g.ike->t.cpis.n == 1, "and nothing else stays");
	kit_end("by the gateway");
}

/* Answers of a client that does not take what it is asked for: bytes of its proposal of IPComp. */
static void wrong_answer(const char *what, size_t at, const char *bytes)
{
	struct span new = hex(bytes), sa;
	struct ike_build b;

	compressed();
	if (!asked())
		abort();
	b = client_rekey2_open(&c);
	craft_from(&k, client_clear(&b));
	sa = (struct span){ craft_body(&k, PL_SA, 0), craft_body_len(&k, PL_SA, 0) };
	at += (size_t)(client_cpi_at(sa) - sa.p) - 8;
	memcpy(craft_body(&k, PL_SA, 0) + at, new.p, new.n);
	client_to(&c, &g, craft_seal(&k, &c));
	ok(gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1 && g.n_pairs == 1 && kit_sound(),
	   "%s: %s", what, noted());
	kit_end(what);
}

/* strongSwan's way: both as asked, and ESP once more under the next number. */
static void test_answered_again(bool other_spi)
{
	static uint8_t sa[2048];
	struct ike_build b;
	size_t n, esp, at;

	compressed();
	if (!asked())
		abort();
	b = client_rekey2_open(&c);
	craft_from(&k, client_clear(&b));
	n = craft_body_len(&k, PL_SA, 0);
	memcpy(sa, craft_body(&k, PL_SA, 0), n);
	esp = (size_t)(sa[10] << 8 | sa[11]);
	at = n;
	memcpy(sa + n, sa + 8, esp);
	n += esp;
	sa[8 + esp] = PL_PROPOSAL; /* what follows IPComp */
	sa[at] = PL_NONE;
	sa[at + 4]++;
	sa[at + 11] ^= other_spi;
	craft_replace(&k, PL_SA, 0, (struct span){ sa, n });
	client_to(&c, &g, craft_seal(&k, &c));
	if (other_spi) {
		ok(gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1 && g.n_pairs == 1,
		   "an answer with a choice is none");
	} else {
		ok(client_rekey3(&c, gate_only(&g)) == 0 && newest()->state == IKE_CHILD_READY,
		   "an answer that has ESP once more is taken");
		gate_pass(&g, S(40));
		ok(g.n_pairs == 1 && has_cpis(), "for what it says first");
	}
	kit_end("once more");
}

static void test_restart(void)
{
	static uint8_t rec[65536];
	const struct ike_child *p;
	struct sess_id id;
	size_t n;

	compressed();
	gate_pass(&g, S(1));
	if (ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) < 0)
		abort();
	g.ike = ike_free(g.ike);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), 0,
	       "a session with IPComp is restored");
	g.pair[0].who = id;
	p = client_sa(&c, &g)->children;
	ok(p->cpi_in == c.cpi_out && p->cpi_out == c.cpi_in && g.ike->t.cpis.n == 1,
	   "with its CPIs, and ours is taken");
	ok(client_quick(&c, &g) && has_cpis(), "it goes on");
	kit_end("restart");
}

/* Two sessions cannot have one CPI. */
static void test_restart_twice(void)
{
	static uint8_t rec[65536];
	struct sess_id id;
	size_t n;

	compressed();
	if (ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) < 0)
		abort();
	g.ike = ike_free(g.ike);
	g.n_pairs = g.n_policies = 0;
	gate_start(&g);
	u32_add(&g.ike->t.cpis, c.cpi_out);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), -EEXIST,
	       "a session whose CPI is taken is refused");
	ok(g.ike->t.n == 0 && g.ike->t.spis.n == 0 && g.ike->t.cpis.n <= 1, "whole");
	gate_sweep(&g);
	gate_stop(&g);
}

static void test_limit(void)
{
	allow();
	if (!client_login(&c, &g))
		abort();
	for (uint32_t i = 0; i < LIMIT_CPIS; i++)
		u32_add(&g.ike->t.cpis, CPI_MIN + i);
	client_to(&c, &g, client_quick1(&c, nil, nil));
	ok(notified() == N_NO_PROPOSAL_CHOSEN && g.n_pairs == 0,
	   "with LIMIT_CPIS in use there is none for another client");
	u32_del(&g.ike->t.cpis, CPI_MIN);
	ok(client_quick(&c, &g) && has_cpis() && g.ike->t.cpis.n == LIMIT_CPIS,
	   "and with one less there is");
	for (uint32_t i = 1; i < LIMIT_CPIS; i++)
		if (CPI_MIN + i != c.cpi_out)
			u32_del(&g.ike->t.cpis, CPI_MIN + i);
	kit_end("LIMIT_CPIS");
}

int main(void)
{
	test_agreed();
	test_off();
	test_other_family();
	test_by_client();
	test_by_gateway();
	wrong_answer("an answer with another transform of IPComp", 15, "03");
	wrong_answer("one with a CPI that is reserved", 8, "00ff");
	wrong_answer("one with two proposals, but two numbers", 4, "02");
	wrong_answer("one with ESP twice", 5, "03");
	test_answered_again(false);
	test_answered_again(true);
	test_restart();
	test_restart_twice();
	test_limit();
	return done();
}
