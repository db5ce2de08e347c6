/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_frag_send.c - our messages in fragments: to whom, how they look, what they cost. */
#include "frag_kit.h"

static uint8_t large[4000];

/* A gateway with these settings, and a first message that may be answered more than once. */
static void begin(enum ike_frag how, uint32_t size)
{
	static const uint8_t filler[1500];

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag = how;
	g.conf.frag_size = size;
	gate_start(&g);
	first();
	craft_add(&k, PL_VID, SPAN_OF(filler));
}

static bool has_vid(struct span v)
{
	for (unsigned i = 0; i < c.msg.n_vid; i++)
		if (span_eq(c.msg.vid[i], v))
			return true;
	return false;
}

/* ---- to whom ---- */

static void test_announced(void)
{
	struct span ours = hex("4048b7d56ebce88525e7de7f00d6c2d380000000");

	for (enum ike_frag how = IKE_FRAG_OFF; how <= IKE_FRAG_FORCE; how++) {
		begin(how, IKE_FRAG_SIZE_MAX);
		client_to(&c, &g, client_first(&c));
		client_second(&c, client_answer(&g));
		ok(has_vid(ours) == (how != IKE_FRAG_OFF), "ike_frag %s: the vendor ID is %s",
		   how == IKE_FRAG_OFF  ? "off"
		   : how == IKE_FRAG_ON ? "on"
					: "force",
		   how == IKE_FRAG_OFF ? "not sent" : "sent, with what racoon wants to see");
	}
	kit_end("announced");
}

static void test_who(void)
{
	static const struct {
		const char *vid; /* of the client; NULL: none */
		const char *what;
		bool able;
	} rows[] = {
		{ NULL, "none", false },
		{ "4048b7d56ebce88525e7de7f00d6c2d3", "bare, as Windows sends it", true },
		{ "4048b7d56ebce88525e7de7f00d6c2d380000000", "with 0x80000000: Apple", true },
		{ "4048b7d56ebce88525e7de7f00d6c2d3c0000000", "with 0xc0000000: Cisco", true },
		{ "4048b7d56ebce88525e7de7f00d6c2d340000000", "for base mode alone", false },
		{ "4048b7d56ebce88525e7de7f00d6c2d300000000", "without a capability", false },
		{ "4048b7d56ebce88525e7de7f00d6c2d38000000000", "with a byte behind it", true },
		{ "4048b7d56ebce88525e7de7f00d6c2", "N099: a byte too short", false },
		{ "4048b7d56ebce88525e7de7f00d6c2d380", "N099: cut in its capabilities", false },
		{ "4048b7d56ebce88525e7de7f00d6c2d3800000", "N099: cut later", false },
		{ "", "N099: empty", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (enum ike_frag how = IKE_FRAG_OFF; how <= IKE_FRAG_FORCE; how++) {
			bool want = how == IKE_FRAG_FORCE || (how == IKE_FRAG_ON && rows[i].able);

			begin(how, 552);
			if (rows[i].vid)
				craft_add(&k, PL_VID, hex(rows[i].vid));
			client_to(&c, &g, craft_span(&k));
			ok(is_piece(gate_out(&g, 0)) == want && (g.longest <= 552) == want &&
				   answered(),
			   "vendor ID %s, ike_frag %u: the answer comes %s", rows[i].what, how,
			   want ? "in fragments" : "whole");
			ok(client_sa(&c, &g)->frag == (want ? IKE_FRAG_OUT : 0),
			   "  and the session knows it");
		}
	kit_end("to whom");
}

/* A client that never said anything, in the middle of its session. */
static void test_shown(void)
{
	struct span s;

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	gate_start(&g);
	c.pfs = 14;
	client_up(&c, &g);
	is_int(client_sa(&c, &g)->frag, 0, "a client that says nothing gets whole messages");
	cut(client_dpd(&c, 5), 20, 1);
	for (unsigned i = 0; i < p.n; i++)
		if (i == 2) {
			one = p.v[i];
			one.b[PIECE_DATA + 3] ^= 1;
			client_raw(&c, &g, piece_span(&one));
		} else {
			send_piece(i);
		}
	is_int(client_sa(&c, &g)->frag, 0, "fragments that verify as nothing say nothing");
	s = client_quick1(&c, nil, nil);
	client_raw(&c, &g, s);
	ok(client_quick2(&c, gate_only(&g)) == 0, "the next answer is whole");
	client_raw(&c, &g, client_quick3(&c));
	cut(client_dpd(&c, 6), 20, 1);
	send_all();
	is_int(client_sa(&c, &g)->frag, IKE_FRAG_IN, "good ones say that it knows them");
	client_raw(&c, &g, client_quick1(&c, nil, nil));
	ok(is_piece(gate_out(&g, 0)) && client_quick2(&c, client_answer(&g)) == 0,
	   "and the next large answer comes in fragments");
	kit_end("shown");
}

/* ---- how they look ---- */

static void test_look(void)
{
	struct span s;
	struct ike_hdr h;
	size_t total = 0;
	uint16_t id = 0;
	bool good = true;

	begin(IKE_FRAG_ON, 552);
	craft_add(&k, PL_VID, vid_bytes(VID_FRAG));
	client_to(&c, &g, craft_span(&k));
	for (unsigned i = 0; i < g.n_out; i++) {
		bool last = i + 1 == g.n_out;

		s = gate_out(&g, i);
		total += s.n - PIECE_DATA;
		good &= ike_hdr_read(s, &h) == 0 && memcmp(h.cky_i, c.cky_i, 8) == 0 &&
			h.next == PL_FRAGMENT && h.xchg == XCHG_AGGRESSIVE && h.flags == 0 &&
			h.msgid == 0 && (last ? s.n <= 548 : s.n == 548) && s.p[28] == 0 &&
			s.p[29] == 0 && s.p[33] == 1 && s.p[34] == i + 1 && s.p[35] == last;
	}
	ok(good, "a fragment of phase 1: cookies, exchange, id 1, numbers, the last one's flag");
	ok(g.n_out > 1 && total == client_answer(&g).n, "with 512 bytes of data each, as racoon");
	is_int(count(IKE_C_FRAG_SENT), g.n_out, "each is counted");
	is_int(count(IKE_C_SENT), g.n_out, "as a datagram as well");

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	gate_start(&g);
	c.knows_frag = c.behind_nat = true;
	client_login(&c, &g);
	c.pfs = 14;
	g.longest = 0;
	for (unsigned turn = 0; turn < 2; turn++) {
		client_raw(&c, &g, client_quick1(&c, nil, nil));
		good = g.n_out > 1;
		for (unsigned i = 0; i < g.n_out; i++) {
			s = gate_out(&g, i);
			good &= ike_hdr_read(s, &h) == 0 && h.xchg == XCHG_AGGRESSIVE &&
				h.flags == 0 && h.msgid == 0 && g.out[i].natt &&
				memcmp(h.cky_r, c.cky_r, 8) == 0;
		}
		s = gate_out(&g, 0);
		ok(good, "of Quick Mode: the exchange of phase 1, message ID 0, not encrypted, on "
			 "port 4500");
		if (turn == 0)
			id = (uint16_t)(s.p[32] << 8 | s.p[33]);
	}
	ok(id > 1 && id != (s.p[32] << 8 | s.p[33]), "another message has another id");
	is_int((long long)g.longest, IKE_FRAG_SIZE_MIN,
	       "the bound holds for the datagram, the non-ESP marker included");
	kit_end("look");
}

/* What fits goes whole: on port 4500 four bytes less fit. */
static void test_bound(void)
{
	struct ike_conf conf = { .frag = IKE_FRAG_ON, .frag_size = 552 };
	struct ike_sa sa = { .vids = VID_FRAG };

	ok(!frag_wanted(&conf, &sa, 552) && frag_wanted(&conf, &sa, 553),
	   "552 bytes go whole to port 500, 553 do not");
	sa.natt = true;
	ok(!frag_wanted(&conf, &sa, 548) && frag_wanted(&conf, &sa, 549),
	   "548 bytes go whole to port 4500, 549 do not");
	ok(frag_cost(&conf, &sa, 548) == 548 && frag_cost(&conf, &sa, 549) == 549 + 2 * 36 &&
		   frag_cost(&conf, &sa, 1024) == 1024 + 2 * 36 &&
		   frag_cost(&conf, &sa, 1025) == 1025 + 3 * 36,
	   "fragments cost their headers");
	conf.frag = IKE_FRAG_OFF;
	ok(!frag_wanted(&conf, &sa, 9999) && frag_cost(&conf, &sa, 9999) == 9999,
	   "with ike_frag = off everything goes whole");
}

/* Any message, cut at any bound, is the same when it is put together. */
static void test_cut(void)
{
	static uint8_t buf[16384], out[2000];
	static struct join j;
	struct ike_sa sa = { .vids = VID_FRAG, .natt = true, .mode = XCHG_AGGRESSIVE };
	unsigned bad = 0, most = 0;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(buf, "iiiiiiiirrrrrrrr\1\x10\4\0\0\0\0\0\0\0\0\0", 28);
	for (size_t n = 400; n <= sizeof(buf); n += n < 700 ? 1 : 331)
		for (uint32_t size = IKE_FRAG_SIZE_MIN; size <= IKE_FRAG_SIZE_MAX; size += 44) {
			struct ike_conf conf = { .frag = IKE_FRAG_ON, .frag_size = size };
			struct span whole = { 0 };
			size_t bytes = 0;
			unsigned i = 0;

			buf[26] = (uint8_t)(n >> 8);
			buf[27] = (uint8_t)n;
			join_reset(&j);
			for (;; i++) {
				struct wr w = wr_into(out, sizeof(out));

				if (!frag_cut(&conf, &sa, (struct span){ buf, n }, i, &w))
					break;
				bad += whole.n != 0 || w.len + 4 > size;
				bytes += w.len;
				whole = join_take(&j, wr_done(&w));
			}
			most = i > most ? i : most;
			bad += !span_eq(whole, (struct span){ buf, n });
			bad += frag_wanted(&conf, &sa, n) && bytes != frag_cost(&conf, &sa, n);
		}
	ok(bad == 0, "messages of 400 bytes to 16 KiB, cut at 296 to 1452: put together they are "
		     "the same, within the bound, and cost what was foretold");
	printf("# %u fragments at most\n", most);
	ok(most <= LIMIT_FRAG_SENT, "in no more than 64 fragments");
}

/* ---- what they cost ---- */

/* The largest message that can be built leaves in one go. */
static void test_large_chain(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	for (unsigned i = 0; i < 4; i++)
		g.conf.cert[i] = (struct span){ large, 3850 };
	g.conf.n_certs = 4;
	gate_start(&g);
	c.knows_frag = true;
	client_to(&c, &g, client_first(&c));
	ok(g.n_out > 60 && g.n_out <= LIMIT_FRAG_SENT && answered(),
	   "a chain of 15 kB leaves in %u fragments, none is lost", g.n_out);
	ok(g.longest <= IKE_FRAG_SIZE_MIN && !g.fx.overflow, "each within the bound");
	kit_end("large chain");
}

/* With so many logins under way that nothing is repeated on trust. */
static void begin_busy(void)
{
	begin(IKE_FRAG_ON, IKE_FRAG_SIZE_MIN);
	g.conf.half_open_total = 1;
}

/* N241: fragments count with their headers. */
static void test_credit(void)
{
	uint64_t in, out;
	unsigned answers = 0, unasked = 0, over = 0;

	for (unsigned filler = 0; filler < 1200; filler += 150) {
		bool good = true;

		begin_busy();
		first();
		craft_add(&k, PL_VID, vid_bytes(VID_FRAG));
		craft_add(&k, PL_VID, (struct span){ large, filler });
		cut(craft_span(&k), 300, 1);
		g.bytes_out = 0;
		send_all();
		in = msg.n;
		out = g.bytes_out;
		for (unsigned i = 0; i < 30; i++) {
			g.bytes_out = 0;
			send_all();
			in += msg.n;
			out += g.bytes_out;
			answers += g.n_out != 0;
			good &= !g.bytes_out || out <= LIMIT_AMPLIFY * in;
		}
		gate_pass(&g, S(60));
		out += g.bytes_out;
		ok(good && out <= LIMIT_AMPLIFY * in,
		   "N241: a first message of %zu bytes, 31 times: %llu bytes for %llu", msg.n,
		   (unsigned long long)out, (unsigned long long)in);
	}
	for (size_t filler = 0; filler < 1300; filler += 11) {
		begin_busy();
		first();
		craft_add(&k, PL_VID, vid_bytes(VID_FRAG));
		craft_add(&k, PL_VID, (struct span){ large, filler });
		g.bytes_out = 0;
		client_raw(&c, &g, craft_span(&k));
		out = g.bytes_out;
		gate_pass(&g, S(60));
		unasked += g.bytes_out > out;
		over += g.bytes_out > out && g.bytes_out > LIMIT_AMPLIFY * k.n;
	}
	ok(unasked > 20 && over == 0, "N241: repetitions nobody asked for are within it, %u times",
	   unasked);
	ok(answers > 20, "N241: and it is answered again as its credit grows");
	begin_busy();
	craft_add(&k, PL_VID, vid_bytes(VID_FRAG));
	g.bytes_out = 0;
	client_to(&c, &g, craft_span(&k));
	gate_pass(&g, S(60));
	ok(g.bytes_out <= LIMIT_AMPLIFY * k.n && count(IKE_C_RESENT) > 0,
	   "N241: what is repeated unasked stays within the same measure");
	kit_end("N241");
}

/* Several answers are due at once, each in fragments. */
static void test_repetitions(void)
{
	static const char *const nets[] = { "04000000 0a010000 ffff0000",
					    "04000000 0a020000 ffff0000",
					    "04000000 0a030000 ffff0000" };

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.frag_size = IKE_FRAG_SIZE_MIN;
	gate_start(&g);
	c.knows_frag = true;
	client_login(&c, &g);
	c.pfs = 14;
	for (unsigned i = 0; i < ARRAY_SIZE(nets); i++)
		client_raw(&c, &g, client_quick1(&c, nil, hex(nets[i])));
	gate_pass(&g, S(3));
	ok(g.n_out >= 2 * ARRAY_SIZE(nets) && is_piece(gate_out(&g, 0)) && kit_sound(),
	   "three Quick Modes unanswered: all are repeated, in %u fragments", g.n_out);
	gate_pass(&g, S(100));
	kit_end("repetitions");
}

int main(void)
{
	test_announced();
	test_who();
	test_shown();
	test_look();
	test_bound();
	test_cut();
	test_large_chain();
	test_credit();
	test_repetitions();
	return done();
}
