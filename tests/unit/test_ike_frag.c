/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_frag.c - messages in fragments that must get through: in any order, doubled, lost and
 * repeated, before there are keys and after, on both ports. N134 to N137, and what the first
 * repair of CVE-2016-10396 broke in racoon.
 */
#include "frag_kit.h"

/* ---- whole logins ---- */

static void test_logins(void)
{
	static const size_t sizes[] = { 16, 100, 300 };
	unsigned n = 0;

	for (unsigned how = 0; how < 16; how++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			bool up;

			kit_prepare();
			g.no_crypto = c.no_crypto = true;
			g.conf.frag_size = IKE_FRAG_SIZE_MIN;
			gate_start(&g);
			c.frag = sizes[i];
			c.knows_frag = how & 1;
			c.behind_nat = how & 2;
			c.clear_third = how & 4;
			c.pfs = how & 8 ? 14 : 0;
			/* 32 of 16 bytes are too few for a first message of more than 512 */
			if (sizes[i] == 16) {
				c.frag = 0;
				up = client_phase1(&c, &g);
				c.frag = 16;
				client_to(&c, &g,
					  client_credentials(&c, span_str("alice"),
							     span_str("wonderland")));
				up = up && client_open(&c, client_answer(&g)) == 0;
				client_to(&c, &g, client_ack(&c));
				up = up && kit_state() == IKE_ST_AUTHED;
			} else {
				up = client_up(&c, &g) && client_keys_match(&c, &g);
			}
			n += up && kit_sound() && g.longest <= (how & 1 ? 296 : 2000) &&
			     client_sa(&c, &g)->frag & IKE_FRAG_IN && drops() == 0 &&
			     c.floated == !!(how & 2);
		}
	is_int(n, 48, "A31: logins with every message in fragments, on both ports: none is lost");
	gate_pass(&g, S(11));
	ok(ike_fragmented(g.ike) == 0 && g.ike->frags.bytes == 0, "and no fragment is left");
	kit_end("logins");
}

/* A32: the first message in fragments, from a client that has not said that it knows them. */
static void test_first(void)
{
	cut_first();
	send_all();
	ok(answered() && client_sa(&c, &g)->frag == (IKE_FRAG_IN | IKE_FRAG_OUT),
	   "A32: a first message in fragments is taken before any vendor ID");
	ok(g.n_out > 1 && g.longest <= 552, "A32: and answered in fragments");
	kit_end("A32");
}

/* ---- order ---- */

/* The i-th of all n! orders of n things. */
static void order_of(unsigned i, unsigned n, unsigned *out)
{
	unsigned left[8];

	for (unsigned at = 0; at < n; at++)
		left[at] = at;
	for (unsigned at = 0; at < n; at++) {
		unsigned m = n - at, pick = i % m;

		i /= m;
		out[at] = left[pick];
		memmove(&left[pick], &left[pick + 1], (m - pick - 1) * sizeof(*left));
	}
}

static void test_orders(void)
{
	unsigned order[8], good = 0;

	for (unsigned i = 0; i < 120; i++) {
		kit_fresh();
		cut(client_first(&c), 110, 1);
		if (p.n != 5)
			abort();
		order_of(i, 5, order);
		for (unsigned at = 0; at < 5; at++)
			send_piece(order[at]);
		good += answered() && drops() == 0;
	}
	is_int(good, 120, "N134: five fragments in each of their 120 orders");
	good = 0;
	for (unsigned i = 0; i < 6; i++) {
		struct span s;

		kit_with(client_up);
		s = client_dpd(&c, 7);
		cut(s, s.n / 2 - 5, 1);
		if (p.n != 3)
			abort();
		order_of(i, 3, order);
		for (unsigned at = 0; at < 3; at++)
			send_piece(order[at]);
		good += client_open(&c, client_answer(&g)) == 0 && c.msg.n_notify == 1;
	}
	is_int(good, 6, "N134: 1,3,2 and 3,2,1 and the others, behind the encryption");
	kit_end("N134");
}

/* ---- again ---- */

static void test_last_again(void)
{
	cut_first();
	send_piece(p.n - 1);
	send_piece(p.n - 1);
	for (unsigned i = 0; i + 1 < p.n; i++)
		send_piece(i);
	ok(answered() && drops() == 0, "N135: the last one twice before the others");
	cut_first();
	for (unsigned i = 0; i < p.n; i++) {
		if (i == 1)
			send_piece(p.n - 1);
		if (i)
			send_piece(p.n - 1 - i);
	}
	ok(answered(), "N135: twice between the others");
	kit_end("N135");
}

/* Enough bytes from the client that it may be answered twice. */
static void large_first(void)
{
	static const uint8_t filler[1500];

	kit_fresh();
	first();
	craft_add(&k, PL_VID, SPAN_OF(filler));
}

static void test_message_again(void)
{
	static uint8_t before_it[20000];
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS };
	struct span s;
	size_t n;

	large_first();
	cut(craft_span(&k), 512, 1);
	send_all();
	s = client_answer(&g);
	memcpy(before_it, s.p, n = s.n);
	send_all();
	ok(span_eq(client_answer(&g), (struct span){ before_it, n }) && drops() == 0,
	   "N136: the first message again gets the stored answer, in fragments again");
	pieces_cut(&p, msg, 512, 2);
	send_all();
	ok(span_eq(client_answer(&g), (struct span){ before_it, n }), "N136: with a new id, too");
	pieces_cut(&p, msg, 300, 2);
	send_all();
	ok(span_eq(client_answer(&g), (struct span){ before_it, n }), "N136: cut elsewhere, too");
	client_raw(&c, &g, msg);
	ok(span_eq(client_answer(&g), (struct span){ before_it, n }) && count(IKE_C_RESENT) == 4 &&
		   ike_half_open(g.ike) == 1,
	   "N136: and in one piece");

	kit_with(client_xauth);
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	g.conf.frag = IKE_FRAG_FORCE;
	g.conf.modecfg.banner = span_str(
		"A banner that is long enough for an answer of several fragments, which takes more "
		"than two hundred and ninety six bytes in all, with the header of the message, the "
		"payloads, the attributes, and the padding. Welcome to the gateway. Be kind. This "
		"is the end of the banner, and everybody has read it to its end, as always.");
	s = client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS, UNITY_BANNER }, 2);
	cut(s, 40, 1);
	send_all();
	s = client_answer(&g);
	ok(g.n_out > 1 && s.n, "an answer behind the encryption in fragments");
	memcpy(before_it, s.p, n = s.n);
	for (unsigned id = 1; id < 4; id++) {
		pieces_cut(&p, msg, 40, (uint16_t)id);
		send_all();
		ok(span_eq(client_answer(&g), (struct span){ before_it, n }),
		   "N136: the request again, id %u: the stored answer, in fragments again", id);
	}
	ok(client_open(&c, (struct span){ before_it, n }) == 0 && client_take_address(&c),
	   "and it is the answer");
	client_to(&c, &g, client_config(&c, want, 1));
	ok(client_open(&c, client_answer(&g)) == 0, "the next request is answered as well");
	kit_end("N136");
}

/* The network doubles the last fragment; the next message has the same id, as with most clients. */
static void test_stray(void)
{
	bool good = true;

	kit_with(client_up);
	for (unsigned i = 0; i < 8; i++) {
		struct span s = client_dpd(&c, 50 + i);

		cut(s, i & 1 ? 30 : 20, 1);
		send_all();
		good &= client_open(&c, client_answer(&g)) == 0;
		send_piece(p.n - 1);
		send_piece(i % p.n);
		good &= g.n_out == 0;
	}
	ok(good && drops() == 0 && ike_fragmented(g.ike) == 0,
	   "fragments that come late stop neither the next message nor the one after it");
	for (unsigned i = 0; i < 8; i++) {
		gate_pass(&g, S(1));
		cut(client_dpd(&c, 70 + i), 20, (uint16_t)(100 + i));
		send_all();
		good &= client_open(&c, client_answer(&g)) == 0;
		send_piece(p.n - 1);
	}
	ok(good && drops() == 0, "nor with an id for each message, as Windows has");
	is_int(ike_fragmented(g.ike), 0, "none of them waits for anything");
	ok(g.ike->frags.clients.oldest &&
		   g.ike->frags.clients.oldest == g.ike->frags.clients.newest,
	   "and only the latest is remembered");
	kit_end("strays");
}

/* ---- loss ---- */

static void test_loss(void)
{
	static const struct {
		const char *alg;
		uint16_t group;
	} rows[] = {
		{ "aes256-sha256-modp2048", 14 },
		{ "aes256-sha256-modp3072", 15 },
		{ "aes256-sha256-modp4096", 16 },
	};
	static uint8_t chain[4096];
	unsigned tried = 0, good = 0;
	const char *why;

	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		for (unsigned lost = 0;; lost++) {
			kit_prepare();
			g.no_crypto = c.no_crypto = true;
			g.conf.n_p1 = 1;
			ike_p1_parse(rows[row].alg, &g.conf.p1[0], &why);
			g.conf.cert[0] = SPAN_OF(chain);
			gate_start(&g);
			c.alg.group = rows[row].group;
			first();
			craft_add(&k, PL_CERT, SPAN_OF(chain));
			cut(craft_span(&k), 512, 1);
			if (lost == p.n)
				break;
			tried++;
			for (unsigned i = 0; i < p.n; i++)
				if (i != lost)
					send_piece(i);
			if (!silent() || ike_fragmented(g.ike) != 1)
				continue;
			for (unsigned i = 0; i <= lost; i++)
				send_piece(i);
			good += answered() && drops() == 0;
		}
	ok(tried > 25 && good == tried,
	   "N137: a first message of 4 kB, groups 14 to 16: each fragment lost once, %u of %u",
	   good, tried);
	kit_end("N137");
}

/* The answer's fragments are lost: the request brings all of them again. */
static void test_answer_lost(void)
{
	static struct join j;
	struct span s = { 0 };
	unsigned n, good = 0, total = 1;

	for (unsigned lost = 0; lost < total; lost++) {
		large_first();
		cut(craft_span(&k), 512, 1);
		send_all();
		total = g.n_out;
		join_reset(&j);
		for (unsigned i = 0; i < g.n_out; i++)
			if (i != lost)
				s = join_take(&j, gate_out(&g, i));
		n = s.n == 0;
		send_all();
		for (unsigned i = 0; i < g.n_out && !s.n; i++)
			s = join_take(&j, gate_out(&g, i));
		good += n && client_second(&c, s) == 0;
	}
	ok(total >= 3 && good == total, "N137: each fragment of the answer lost once, %u of %u",
	   good, total);
	kit_end("N137, answers");
}

/* Windows and libreswan: whole at first, in fragments when nobody answers. */
static void test_later_in_fragments(void)
{
	struct span s;

	large_first();
	cut(craft_span(&k), 512, 1);
	client_raw(&c, &g, msg);
	ok(client_answer(&g).n && client_sa(&c, &g) == NULL && g.n_out == 1,
	   "a whole message of a client that says nothing of fragments: a whole answer");
	send_all();
	s = client_answer(&g);
	ok(s.n && client_second(&c, s) == 0 && ike_half_open(g.ike) == 1,
	   "the same in fragments is known as the same");
	client_to(&c, &g, client_third(&c));
	ok(client_open(&c, client_answer(&g)) == 0, "and the login goes on");
	kit_end("later");
}

/* What restore brings back goes on sending fragments. */
static void test_restart(void)
{
	static uint8_t rec[65536];
	struct sess_id id;
	size_t n;
	int rc;

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	gate_start(&g);
	c.frag = 100;
	ok(client_up(&c, &g), "a client in fragments, which never said that it knows them");
	ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n);
	g.ike = ike_free(g.ike);
	gate_start(&g);
	rc = ike_restore(g.ike, (struct span){ rec, n }, g.now, &id);
	g.pair[0].who = id;
	ok(rc == 0 && client_sa(&c, &g)->frag == (IKE_FRAG_IN | IKE_FRAG_OUT) &&
		   client_sa(&c, &g)->mode == XCHG_AGGRESSIVE,
	   "is restored with what was known of it");
	c.pfs = 14;
	g.longest = 0;
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && g.longest <= IKE_FRAG_SIZE_MIN,
	   "and gets its answers in fragments");
	kit_end("restart");
}

int main(void)
{
	test_logins();
	test_first();
	test_orders();
	test_last_again();
	test_message_again();
	test_stray();
	test_loss();
	test_answer_lost();
	test_later_in_fragments();
	test_restart();
	return done();
}
