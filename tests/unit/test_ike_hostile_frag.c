/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_hostile_frag.c - N119 to N142: fragments that are none, that contradict one another,
 * that lie. Each with its twin: the message as it should be gets through, then or right after.
 */
#include "frag_kit.h"

/* ---- one fragment ---- */

static void test_empty(void)
{
	cut_first();
	piece_make(&one, msg, 1, 1, false, nil);
	ok(dropped(piece_span(&one)), "N119: a fragment without data");
	piece_make(&one, msg, 1, 1, true, nil);
	ok(dropped(piece_span(&one)), "N119: the same, the last one");
	ok(count(IKE_C_DROP_FRAG_MALFORMED) == 2 && ike_fragmented(g.ike) == 0,
	   "N119: both are counted as malformed, nothing is kept");
	ok(then_whole(), "N119: and the message as it should be is answered");
	kit_end("N119");
}

static void set_length(struct piece *x, size_t n)
{
	x->b[ISAKMP_HDR + 2] = (uint8_t)(n >> 8);
	x->b[ISAKMP_HDR + 3] = (uint8_t)n;
}

static void test_lengths(void)
{
	size_t real;
	bool good = true;

	cut_first();
	for (size_t n = 0; n < 8; n++) {
		one = p.v[0];
		set_length(&one, n);
		good &= dropped(piece_span(&one));
	}
	ok(good, "N120: payload lengths 0 to 7");
	real = p.v[0].n - ISAKMP_HDR;
	one = p.v[0];
	set_length(&one, real + 1);
	ok(dropped(piece_span(&one)), "N123: a payload longer than the datagram");
	set_length(&one, UINT16_MAX);
	ok(dropped(piece_span(&one)), "N123: by far");
	set_length(&one, real - 1);
	ok(dropped(piece_span(&one)), "N123: shorter than the datagram");
	set_length(&one, 8);
	ok(dropped(piece_span(&one)), "N123: so short that there is no data");
	/* cut off inside the fragment's own header, the lengths in step */
	good = true;
	for (size_t n = ISAKMP_HDR; n < PIECE_DATA; n++) {
		one = p.v[0];
		one.n = n;
		one.b[26] = 0;
		one.b[27] = (uint8_t)n;
		if (n >= ISAKMP_HDR + 4)
			set_length(&one, n - ISAKMP_HDR);
		good &= dropped(piece_span(&one));
	}
	ok(good, "N120, N123: datagrams that end inside the header");
	is_int(ike_fragmented(g.ike), 0, "N120, N123: nothing is kept of any");
	ok(then_whole(), "N120, N123: the message as it should be is answered");
	kit_end("N120, N123");
}

static void test_numbers(void)
{
	cut_first();
	one = p.v[0];
	one.b[ISAKMP_HDR + 6] = 0;
	ok(dropped(piece_span(&one)), "N124: fragment number 0");
	ok(then_whole(), "N124: the message as it should be is answered");
	cut_first();
	send_piece(0);
	one = p.v[1];
	one.b[ISAKMP_HDR + 6] = 255;
	ok(dropped(piece_span(&one)) && ike_fragmented(g.ike) == 0,
	   "N125: number 255 ends its message");
	one = p.v[1];
	one.b[ISAKMP_HDR + 7] = 1;
	client_raw(&c, &g, piece_span(&one));
	ok(silent(), "N125: then number 2, the last one: no message comes of it");
	send_all();
	send_piece(0);
	ok(answered(), "N125: the message as it should be is answered when it is repeated");
	cut_first();
	send_piece(0);
	send_piece(3);
	one = p.v[1];
	one.b[ISAKMP_HDR + 7] = 1;
	look();
	client_raw(&c, &g, piece_span(&one));
	ok(silent() && drops() == before.dropped + 1 && ike_half_open(g.ike) == 0,
	   "N125: number 4, then 2 as the last one: the first ones are forgotten");
	cut_first();
	send_piece(p.n - 1);
	one = p.v[0];
	one.b[ISAKMP_HDR + 6] = (uint8_t)(p.n + 1);
	client_raw(&c, &g, piece_span(&one));
	is_int(count(IKE_C_DROP_FRAG_CONFLICT), 1, "N125: a number beyond the last one: the same");
	ok(then_whole(), "N125: the message as it should be is answered");
	kit_end("N124, N125");
}

static void test_header(void)
{
	cut_first();
	one = p.v[0];
	one.b[ISAKMP_HDR] = PL_VID;
	ok(dropped(piece_span(&one)), "N142: a payload behind the fragment");
	one.b[ISAKMP_HDR] = PL_FRAGMENT;
	ok(dropped(piece_span(&one)), "N142: another fragment behind it");
	ok(then_whole(), "N142: the message as it should be is answered");
	cut_first();
	for (unsigned i = 0; i < p.n; i++)
		p.v[i].b[19] = i & 1;
	send_all();
	ok(silent() && ike_half_open(g.ike) == 0, "N142: some marked as encrypted, some not");
	cut_first();
	for (unsigned i = 0; i < p.n; i++)
		p.v[i].b[18] = i + 1 < p.n ? XCHG_MAIN : XCHG_AGGRESSIVE;
	send_all();
	ok(silent() && ike_half_open(g.ike) == 0 && count(IKE_C_DROP_FRAG_CONFLICT) == 1,
	   "N142: some of Main Mode, the last of Aggressive Mode");
	cut_first();
	for (unsigned i = 0; i < p.n; i++)
		p.v[i].b[19] = 1;
	ok(then_whole(), "N142: all marked as encrypted, as racoon does: answered");
	kit_end("N142");
}

/* ---- together ---- */

static void test_contradictions(void)
{
	unsigned last;

	cut_first();
	last = p.n - 1;
	send_piece(0);
	send_piece(last);
	one = p.v[1];
	one.b[ISAKMP_HDR + 7] = 1;
	look();
	client_raw(&c, &g, piece_span(&one));
	ok(silent() && drops() == before.dropped + 1 && count(IKE_C_DROP_FRAG_CONFLICT) == 1,
	   "N126: two different last ones: the message is forgotten");
	for (unsigned i = 2; i < last; i++)
		send_piece(i);
	ok(silent() && ike_half_open(g.ike) == 0, "N126: what was missing does not complete it");
	ok(then_whole(), "N126: the message as it should be is answered");
	cut_first();
	send_piece(last);
	one = p.v[1];
	one.b[ISAKMP_HDR + 6] = (uint8_t)(p.n + 1);
	one.b[ISAKMP_HDR + 7] = 1;
	client_raw(&c, &g, piece_span(&one));
	ok(count(IKE_C_DROP_FRAG_CONFLICT) == 1 && ike_fragmented(g.ike) == 0,
	   "N126: the second last one behind the first");
	send_piece(last);
	one = p.v[last];
	one.b[ISAKMP_HDR + 7] = 0;
	client_raw(&c, &g, piece_span(&one));
	ok(count(IKE_C_DROP_FRAG_CONFLICT) == 2 && ike_fragmented(g.ike) == 0,
	   "N126: the last one again, which is not the last one now");
	ok(then_whole(), "N126: the message as it should be is answered");

	cut_first();
	send_piece(0);
	send_piece(0);
	send_piece(1);
	send_piece(1);
	for (unsigned i = 2; i < p.n; i++)
		send_piece(i);
	ok(answered() && count(IKE_C_FRAG_REPEATED) == 2 && drops() == 0,
	   "N127: the same fragments twice: no harm");

	cut_first();
	send_piece(0);
	one = p.v[1];
	one.b[PIECE_DATA + 7] ^= 1;
	client_raw(&c, &g, piece_span(&one));
	look();
	send_piece(1);
	ok(silent() && drops() == before.dropped + 1 && count(IKE_C_DROP_FRAG_CONFLICT) == 1 &&
		   ike_fragmented(g.ike) == 0,
	   "N128: other bytes under the same number: both are forgotten");
	for (unsigned i = 2; i < p.n; i++)
		send_piece(i);
	ok(silent() && ike_half_open(g.ike) == 0, "N128: the two are never mixed");
	send_piece(0);
	send_piece(1);
	ok(answered(), "N128: and the true message is answered with what is repeated of it");
	cut_first();
	for (unsigned i = 0; i < p.n - 1; i++)
		send_piece(i);
	one = p.v[1];
	one.n--; /* a prefix of it */
	one.b[27] = (uint8_t)one.n;
	set_length(&one, one.n - ISAKMP_HDR);
	client_raw(&c, &g, piece_span(&one));
	send_piece(p.n - 1);
	ok(silent() && count(IKE_C_DROP_FRAG_CONFLICT) == 1, "N128: nor with a shorter one");
	kit_end("N126-N128");
}

static void test_ids(void)
{
	static struct pieces other;
	struct client d;

	cut_first();
	kit_another(&d, "192.0.2.9:500");
	d.seed = 4711;
	pieces_cut(&other, client_first(&d), 100, 2);
	memcpy(other.v[0].b, p.v[0].b, 16); /* the victim's cookies: somebody has seen them */
	send_piece(0);
	client_raw(&c, &g, piece_span(&other.v[0]));
	for (unsigned i = 1; i < p.n; i++)
		send_piece(i);
	ok(answered(), "N129: another id in between has a place of its own");
	cut_first();
	send_piece(0);
	for (unsigned i = 0; i < 20; i++) {
		one = other.v[0];
		one.b[ISAKMP_HDR + 5] = (uint8_t)(100 + i);
		client_raw(&c, &g, piece_span(&one));
	}
	ok(ike_fragmented(g.ike) == LIMIT_FRAG_SETS && count(IKE_C_DROP_FRAG_LIMIT) == 19,
	   "N129: twenty of them have no more than the one place that is left");
	is_int(gate_count(&g, FX_NOTE, IKE_R_FRAGMENTS_LIMIT), 19, "N129: that is noted");
	for (unsigned i = 1; i < p.n; i++)
		send_piece(i);
	ok(answered(), "N129: and do not push out the message that was there");
	kit_end("N129");
}

static void test_two_places(void)
{
	struct endpoint self;

	cut_first();
	self = c.self;
	for (unsigned i = 0; i < p.n; i++) {
		c.self.addr = ipaddr_v4(i & 1 ? 0xc0000209 : 0xc000020a);
		send_piece(i);
	}
	ok(silent() && ike_half_open(g.ike) == 0 && ike_fragmented(g.ike) == 2,
	   "N141: fragments from two addresses are no message");
	c.self = self;
	for (unsigned i = 0; i < p.n; i += 2)
		send_piece(i);
	ok(answered(), "N141: until all have come from one");
	cut_first();
	for (unsigned i = 0; i < p.n; i++) {
		c.self.port = i & 1 ? 500 : 501;
		send_piece(i);
	}
	ok(silent() && ike_half_open(g.ike) == 0, "N141: nor are those from two ports");
	cut_first();
	for (unsigned i = 0; i < p.n; i++)
		gate_input(&g, &c.self, &c.gateway, i & 1, piece_span(&p.v[i]));
	ok(silent() && ike_half_open(g.ike) == 0, "N141: nor those to two ports");
	kit_end("N141");
}

/* ---- what comes of them ---- */

static void test_short(void)
{
	bool good = true;

	cut_first();
	for (size_t n = 1; n < ISAKMP_HDR; n++) {
		piece_make(&one, msg, 1, 1, true, (struct span){ msg.p, n });
		good &= dropped(piece_span(&one)) && ike_fragmented(g.ike) == 0;
	}
	ok(good, "N121: one last fragment of 1 to 27 bytes as the very first packet");
	piece_make(&one, msg, 1, 1, true, msg);
	client_raw(&c, &g, piece_span(&one));
	ok(answered(), "N121: one that has the whole message is answered");
	kit_end("N121");
}

static void test_nested(void)
{
	uint8_t inner[3000];
	size_t n;
	bool good = true;

	cut_first();
	memcpy(inner, msg.p, n = msg.n);
	for (unsigned depth = 1; depth <= 40; depth++) {
		piece_make(&one, msg, 1, 1, true, (struct span){ inner, n });
		memcpy(inner, one.b, n = one.n);
		piece_make(&one, msg, 1, 1, true, (struct span){ inner, n });
		good &= dropped(piece_span(&one));
	}
	ok(good && count(IKE_C_DROP_FRAG_MALFORMED) == 40 && ike_half_open(g.ike) == 0,
	   "N138: a message that is a fragment again, 1 to 40 deep");
	cut((struct span){ inner, n }, 100, 1);
	send_all();
	ok(silent() && count(IKE_C_DROP_FRAG_MALFORMED) == 41, "N138: in several fragments");
	c.seed = 1;
	cut(client_first(&c), 100, 1);
	ok(then_whole(), "N138: a message that is none is answered");
	kit_end("N138");
}

/* Fragments with the header of `outer` that make `inner`. */
static void cut_lie(const struct craft *outer, const struct craft *inner)
{
	struct span rest = craft_span(inner);

	for (p.n = 0; rest.n; p.n++) {
		size_t n = rest.n < 100 ? rest.n : 100;

		piece_make(&p.v[p.n], craft_span(outer), 1, (uint8_t)(p.n + 1), n == rest.n,
			   (struct span){ rest.p, n });
		rest = (struct span){ rest.p + n, rest.n - n };
	}
}

static void test_lies(void)
{
	static const struct {
		const char *what;
		uint8_t at, value;
		bool outside;
	} rows[] = {
		{ "another initiator cookie", 3, 0x55, false },
		{ "a responder cookie", 15, 0x55, false },
		{ "version 2.0", 17, 0x20, false },
		{ "another exchange outside: Main", 18, XCHG_MAIN, true },
		{ "another exchange outside: Quick Mode", 18, XCHG_QUICK, true },
		{ "another exchange inside: Informational", 18, XCHG_INFO, false },
		{ "another message ID outside", 23, 9, true },
		{ "a message ID inside", 23, 9, false },
		{ "a length that is one too much", 27, 1, false },
		{ "a length in the wrong byte", 24, 1, false },
		{ "no payload", 16, 0, false },
	};
	static struct craft in, out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct craft *lie = rows[i].outside ? &out : &in;

		kit_fresh();
		craft_from(&in, client_first(&c));
		out = in;
		if (rows[i].at == 27)
			in.b[27]++;
		else
			lie->b[rows[i].at] = rows[i].value;
		cut_lie(&out, &in);
		look();
		send_all();
		ok(silent() && ike_half_open(g.ike) == 0 && drops() == before.dropped + 1,
		   "N139: %s", rows[i].what);
		ok(ike_fragmented(g.ike) == 0, "N139: %s: nothing is left", rows[i].what);
		cut(client_first(&c), 100, 1);
		ok(then_whole(), "N139: %s: the message without the lie is answered", rows[i].what);
	}
	kit_end("N139");
}

/* ---- behind phase 1 ---- */

static void test_cookies(void)
{
	cut_first();
	one = p.v[0];
	memset(one.b + 8, 0x77, 8);
	ok(dropped(piece_span(&one)) && count(IKE_C_DROP_COOKIE) == 1 && ike_fragmented(g.ike) == 0,
	   "N122: a fragment for cookies that nobody has");
	ok(then_whole(), "N122: one without a responder cookie may begin, whatever the client is");
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag = IKE_FRAG_OFF;
	gate_start(&g);
	cut(client_first(&c), 100, 1);
	send_all();
	ok(silent() && ike_fragmented(g.ike) == 0 && count(IKE_C_DROP_FRAG_OFF) == (long long)p.n,
	   "N122: with ike_frag = off none is kept");
	is_int(gate_count(&g, FX_NOTE, IKE_R_FRAGMENTS_OFF), (long long)p.n,
	       "N122: and a note says what to change");
	client_raw(&c, &g, msg);
	ok(answered(), "N122: the whole message is answered");
	kit_end("N122");
}

/* Whoever sees the cookies can spoil a message, but nothing else. */
static void test_spoiled(void)
{
	struct span s;
	bool good = true;

	kit_with(client_up);
	for (unsigned i = 0; i < 10; i++) {
		s = client_dpd(&c, 100 + i);
		cut(s, 20, 1);
		one = p.v[1];
		one.b[PIECE_DATA] ^= 0x40;
		send_piece(0);
		client_raw(&c, &g, piece_span(&one));
		look();
		for (unsigned rest = 2; rest < p.n; rest++)
			send_piece(rest);
		good &= unmoved() && drops() == before.dropped + 1;
		send_all();
		good &= client_open(&c, client_answer(&g)) == 0 && kit_sound();
	}
	ok(good, "N128, N147: a spoiled message has no effect, the true one is answered after it");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "and the session lives on");
	gate_pass(&g, S(2));
	s = client_dpd(&c, 200);
	cut(s, 20, 1);
	for (unsigned i = 0; i < p.n; i++)
		p.v[i].b[19] = 0, p.v[i].b[18] = XCHG_INFO;
	ok((send_all(), client_open(&c, client_answer(&g)) == 0),
	   "N142: not marked as encrypted outside, encrypted inside: answered");
	kit_end("spoiled");
}

int main(void)
{
	test_empty();
	test_lengths();
	test_numbers();
	test_header();
	test_contradictions();
	test_ids();
	test_two_places();
	test_short();
	test_nested();
	test_lies();
	test_cookies();
	test_spoiled();
	return done();
}
