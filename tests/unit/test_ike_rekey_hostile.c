/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_rekey_hostile.c - answers to the gateway's Quick Mode that are wrong or broken. */
#include "offer.h"
#include "rekey_kit.h"

/* The answers that are authentic and wrong: the pair is given up at once, the older one stays. */
static void wrong_answer(const char *what)
{
	client_to(&c, &g, craft_seal(&k, &c));
	ok(g.n_pairs == 1 && pair_with(old_in) && newest()->state == IKE_CHILD_UP &&
		   gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1 && kit_sound(),
	   "%s: refused", what);
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1,
	   "and the client is told to forget the pair");
	gate_pass(&g, S(100));
	ok(g.n_pairs == 1 && kit_sound(), "nothing comes of it later");
	gate_stop(&g);
}

static void answer_to_craft(uint16_t pfs)
{
	struct ike_build b;

	begin(pfs);
	if (!asked())
		abort();
	b = client_rekey2_open(&c);
	craft_from(&k, client_clear(&b));
}

static void with_transform(const char *what, uint8_t id, uint16_t bits, uint16_t auth,
			   uint16_t encap, uint16_t group)
{
	static struct offer o;

	answer_to_craft(0);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("c0ffee77"));
	offer_p2(&o, 1, id, bits, auth, encap, group);
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	wrong_answer(what);
}

static void test_wrong_answers(void)
{
	static struct offer o;

	with_transform("another cipher", 3, 0, 5, 1, 0);
	with_transform("a shorter key", 12, 128, 5, 1, 0);
	with_transform("another integrity algorithm", 12, 256, 2, 1, 0);
	with_transform("none", 12, 256, 0, 1, 0);
	with_transform("transport mode", 12, 256, 5, 2, 0);
	with_transform("ESP in UDP", 12, 256, 5, 3, 0);
	with_transform("PFS that nobody asked for", 12, 256, 5, 1, 14);
	answer_to_craft(0);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("c0ffee77"));
	offer_p2(&o, 1, 12, 256, 5, 1, 0);
	offer_p2(&o, 2, 12, 256, 5, 1, 0);
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	wrong_answer("two transforms");
	answer_to_craft(0);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("c0ffee77"));
	offer_p2(&o, 1, 12, 256, 5, 1, 0);
	offer_proposal(&o, 1, 2, hex("c0ffee78"));
	offer_p2(&o, 1, 2, 0, 1, 1, 0);
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	wrong_answer("AH beside it");
	answer_to_craft(0);
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, hex("000000ff"));
	offer_p2(&o, 1, 12, 256, 5, 1, 0);
	craft_replace(&k, PL_SA, 0, offer_done(&o));
	wrong_answer("a reserved SPI");
	answer_to_craft(0);
	craft_replace(&k, PL_ID, 0, hex("04000000 0a000000 ff000000"));
	wrong_answer("another IDci");
	answer_to_craft(0);
	craft_replace(&k, PL_ID, 1, hex("01000000 0a636302"));
	wrong_answer("another IDcr");
	answer_to_craft(0);
	craft_replace(&k, PL_ID, 1, hex("01060000 0a636301"));
	wrong_answer("an IDcr for one protocol");
	answer_to_craft(0);
	craft_remove(&k, PL_ID, 1);
	wrong_answer("one identity");
	answer_to_craft(0);
	craft_remove(&k, PL_ID, 0);
	craft_remove(&k, PL_ID, 0);
	wrong_answer("no identities");
	answer_to_craft(0);
	craft_add(&k, PL_KE,
		  hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
	wrong_answer("a public value that nobody asked for");
	answer_to_craft(31);
	craft_remove(&k, PL_KE, 0);
	wrong_answer("no public value");
	answer_to_craft(31);
	craft_replace(&k, PL_KE, 0, hex("0011223344"));
	wrong_answer("a public value of another group");
	answer_to_craft(31);
	g.dh_err = -22;
	wrong_answer("a public value that is none");
}

/* What does not parse or verify is dropped, and the exchange goes on. */
static void test_broken_answers(void)
{
	uint8_t zero[300] = { 0 };

	answer_to_craft(0);
	craft_replace(&k, PL_NONCE, 0, (struct span){ zero, 7 });
	ok(dropped(craft_seal(&k, &c)), "a nonce of 7 bytes: dropped");
	answer_to_craft(0);
	craft_replace(&k, PL_NONCE, 0, (struct span){ zero, 257 });
	ok(dropped(craft_seal(&k, &c)), "a nonce of 257 bytes: dropped");
	answer_to_craft(0);
	craft_remove(&k, PL_NONCE, 0);
	ok(dropped(craft_seal(&k, &c)), "no nonce: dropped");
	answer_to_craft(0);
	craft_remove(&k, PL_SA, 0);
	ok(dropped(craft_seal(&k, &c)), "no SA: dropped");
	answer_to_craft(0);
	c.theirs = false; /* HASH(1) instead of HASH(2) */
	ok(dropped(craft_seal(&k, &c)), "a wrong hash: dropped");
	answer_to_craft(0);
	craft_add(&k, PL_CERT, hex("04"));
	ok(dropped(craft_seal(&k, &c)), "a certificate: dropped");
	answer_to_craft(0);
	ok(dropped(client_quick3(&c)), "HASH(3) instead of an answer: dropped");
	gate_pass(&g, S(3));
	ok(g.n_out == 1 && client_sa(&c, &g)->children->next, "the question is asked again");
	kit_end("broken answers");
	begin(31);
	asked();
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, client_rekey2(&c));
	c.q_nonce[0] ^= 1;
	ok(dropped(client_rekey2(&c)), "another answer while the first is worked on: dropped");
	kit_end("two answers");
}

/* The client says no. */
static void test_refused(void)
{
	uint8_t spi[4];
	struct wr w = wr_into(spi, sizeof(spi));
	struct ike_build b;

	begin(0);
	asked();
	wr_be32(&w, c.spi_out);
	client_new_exchange(&c);
	b = client_start(&c, XCHG_INFO);
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, 1);
	wr_u8(&b.w, PROTO_ESP);
	wr_u8(&b.w, 4);
	wr_be16(&b.w, N_NO_PROPOSAL_CHOSEN);
	wr_bytes(&b.w, spi, 4);
	client_to(&c, &g, client_seal(&c, &b));
	ok(!client_sa(&c, &g)->children->next && gate_count(&g, FX_NOTE, IKE_R_REKEY_FAILED) == 1 &&
		   g.n_out == 0 && kit_sound(),
	   "NO-PROPOSAL-CHOSEN for the pair ends the attempt");
	gate_pass(&g, S(100));
	ok(g.n_out == 0 && g.n_pairs == 1, "it is not asked again");
	kit_end("refused");
}

int main(void)
{
	test_wrong_answers();
	test_broken_answers();
	test_refused();
	return done();
}
