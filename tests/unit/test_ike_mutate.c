/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_mutate.c - FUZ-05: every message of a login, with every bit flipped, cut at every byte,
 * with every value of interest in every length field. Nothing may come of it.
 *
 * First as somebody on the way does it, who has no keys: all of it must be dropped. Then as a
 * stranger who has finished phase 1 does it, behind the encryption and under the right hash.
 */
#include "hostile_kit.h"

enum step {
	FIRST,
	THIRD_CLEAR,
	THIRD,
	MAIN1,
	MAIN3,
	MAIN5,
	REPLY,
	ACK,
	CONFIG,
	QUICK1,
	QUICK3,
	QUERY,
	DELETE_PAIR,
	DELETE_SA,
	STEPS
};

static const char *const names[STEPS] = {
	"first message",      "third message, clear", "third message",     "main mode, first",
	"main mode, third",   "main mode, fifth",     "XAuth reply",       "XAuth acknowledgement",
	"config request",     "Quick Mode, first",    "Quick Mode, third", "R-U-THERE",
	"delete of the pair", "delete of the session"
};

static uint8_t golden[2048];
static size_t n_golden;

static struct span next_message(enum step s)
{
	switch (s) {
	case FIRST:
		return client_first(&c);
	case THIRD_CLEAR:
	case THIRD:
		c.clear_third = s == THIRD_CLEAR;
		return client_third(&c);
	case MAIN1:
		return client_first(&c);
	case MAIN3:
		return client_main3(&c);
	case MAIN5:
		return client_main5(&c);
	case REPLY:
		return client_credentials(&c, span_str("alice"), span_str("wonderland"));
	case ACK:
		return client_ack(&c);
	case CONFIG:
		return client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS, UNITY_BANNER },
				     2);
	case QUICK1:
		return client_quick1(&c, nil, nil);
	case QUICK3:
		return client_quick3(&c);
	case QUERY:
		return client_dpd(&c, 5);
	case DELETE_PAIR:
		return client_delete_child(&c);
	case DELETE_SA:
	case STEPS:
		break;
	}
	return client_delete_isakmp(&c);
}

static void keep(struct span s)
{
	if (s.n > sizeof(golden))
		abort();
	memcpy(golden, s.p, s.n);
	n_golden = s.n;
}

/* A client that has done all that comes before this message. */
static void reach(enum step s)
{
	kit_fresh();
	c.main = s >= MAIN1 && s <= MAIN5;
	if (c.main) /* ten bytes of the hash are in message 5's last block: one may be hit by chance */
		c.group_name = "administrators";
	if (s == MAIN3)
		client_to_main2(&c, &g);
	else if (s == MAIN5)
		client_to_main4(&c, &g);
	if (s == FIRST || c.main)
		return;
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	if (s <= THIRD)
		return;
	client_to(&c, &g, client_third(&c));
	client_open(&c, gate_only(&g));
	if (s == REPLY)
		return;
	client_to(&c, &g, next_message(REPLY));
	client_open(&c, gate_only(&g));
	if (s == ACK)
		return;
	client_to(&c, &g, next_message(ACK));
	if (s == CONFIG)
		return;
	client_to(&c, &g, next_message(CONFIG));
	client_open(&c, gate_only(&g));
	client_take_address(&c);
	if (s == QUICK1)
		return;
	client_to(&c, &g, next_message(QUICK1));
	client_quick2(&c, gate_only(&g));
	if (s == QUICK3)
		return;
	client_to(&c, &g, next_message(QUICK3));
}

/* ---- without keys ---- */

static unsigned let_through;

/*
 * One mutation from outside. What phase 1 does not cover may pass: a first message is nothing but
 * a wish, HASH_I says nothing about NAT-D, and main mode's third message has no proof at all. Later
 * messages must be dropped as if they had not been.
 */
static bool outside(enum step s, struct span data)
{
	static uint8_t sa[sizeof(struct ike_sa)];

	if (s > MAIN3)
		return dropped(data);
	look();
	memcpy(sa, before.sa, sizeof(sa));
	client_to(&c, &g, data);
	if (as_before())
		return kit_sound();
	let_through++;
	bool good = ike_sessions(g.ike) == 0 && g.n_pairs == 0 && g.leases == 0 &&
		    ike_half_open(g.ike) <= 1 && gate_count(&g, FX_AUTH, IKE_R__COUNT) == 0 &&
		    kit_sound();
	reach(s);
	next_message(s); /* leaves the client as it was when the message was made */
	return good;
}

/* The commit, auth-only and reserved bits mean nothing: N015 - N017. */
static bool is_idle(size_t byte, unsigned bit)
{
	return byte == 19 && bit != 0;
}

/* What the third message proves itself with: its header, and HASH_I behind the payload's own. */
static bool is_proof(enum step s, size_t byte)
{
	return (s == THIRD || s == THIRD_CLEAR) &&
	       (byte < ISAKMP_HDR || (byte >= ISAKMP_HDR + 4 && byte < ISAKMP_HDR + 4 + 32));
}

static bool flips(enum step s)
{
	uint8_t m[2048];
	bool good = true;
	unsigned passed;

	for (size_t i = 0; i < n_golden; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			if (is_idle(i, bit))
				continue;
			memcpy(m, golden, n_golden);
			m[i] ^= (uint8_t)(1u << bit);
			passed = let_through;
			if (outside(s, (struct span){ m, n_golden }) &&
			    (passed == let_through || !is_proof(s, i)))
				continue;
			printf("# byte %zu, bit %u\n", i, bit);
			good = false;
		}
	return good;
}

/* None of them is let through, not even of a first message. */
static bool cuts(enum step s)
{
	unsigned passed = let_through;
	uint8_t m[2048];
	bool good = true;

	for (size_t n = 0; n < n_golden; n++) {
		memcpy(m, golden, n_golden);
		good &= outside(s, (struct span){ m, n });
		if (n < ISAKMP_HDR)
			continue;
		m[26] = (uint8_t)(n >> 8); /* and with a header that knows */
		m[27] = (uint8_t)n;
		good &= outside(s, (struct span){ m, n });
	}
	return good && passed == let_through;
}

static bool first_bytes(enum step s)
{
	uint8_t m[2048];
	bool good = true;

	for (size_t i = 0; i < 64 && i < n_golden; i++)
		for (unsigned v = 0; v < 256; v++) {
			if (v == golden[i] || (i == 19 && (v & 1) == (golden[i] & 1)))
				continue;
			memcpy(m, golden, n_golden);
			m[i] = (uint8_t)v;
			good &= outside(s, (struct span){ m, n_golden });
		}
	return good;
}

static bool lengths(enum step s)
{
	uint8_t m[2048];
	bool good = true;

	for (size_t i = 16; i + 1 < n_golden; i++) {
		const uint16_t n = (uint16_t)(golden[i] << 8 | golden[i + 1]);
		const uint16_t values[] = {
			0,      1,      2,     3, 4, 7, 8, (uint16_t)(n - 1), (uint16_t)(n + 1),
			0x7fff, 0x8000, 0xffff
		};

		for (size_t k2 = 0; k2 < ARRAY_SIZE(values); k2++) {
			memcpy(m, golden, n_golden);
			m[i] = (uint8_t)(values[k2] >> 8);
			m[i + 1] = (uint8_t)values[k2];
			if (memcmp(m, golden, n_golden) == 0 ||
			    (i <= 19 && i >= 18 && m[18] == golden[18] &&
			     (m[19] & 1) == (golden[19] & 1)))
				continue;
			good &= outside(s, (struct span){ m, n_golden });
		}
	}
	return good;
}

static void test_outside(void)
{
	for (unsigned s = 0; s < STEPS; s++) {
		struct client keep_c;

		reach(s);
		keep(next_message(s));
		keep_c = c;
		let_through = 0;
		ok(flips(s), "%s: every bit flipped", names[s]);
		ok(cuts(s), "%s: cut at every byte", names[s]);
		ok(first_bytes(s), "%s: every value of the first 64 bytes", names[s]);
		ok(lengths(s), "%s: every 16-bit field with every value of interest", names[s]);
		if (s > MAIN3) {
			c = keep_c;
			look();
			client_to(&c, &g, (struct span){ golden, n_golden });
			ok(!as_before(), "%s: unchanged it is taken, after all that", names[s]);
		}
		gate_stop(&g);
	}
}

/* ---- with keys ---- */

/* The message of this step in clear, its HASH payload in front. */
static bool open_clear(enum step s)
{
	uint8_t plain[2048], iv[IKE_BLOCK_MAX];
	struct span m;

	reach(s);
	m = next_message(s);
	keep(m);
	/* The IV that it was encrypted with: of a new exchange, or the last block received. */
	if (s == REPLY || s == ACK || s == QUICK3) {
		reach(s);
		memcpy(iv, c.iv, sizeof(iv));
	} else {
		keymat_iv_phase2(&c.keys, c.last_block, c.msgid, iv);
	}
	memcpy(plain, golden, n_golden);
	if (cbc_decrypt(c.keys.enc, ike_key_span(&c.keys), iv, plain + ISAKMP_HDR,
			n_golden - ISAKMP_HDR) < 0)
		return false;
	craft_from(&k, (struct span){ plain, n_golden });
	k.b[19] = 0;
	return true;
}

/* Nothing is in the kernel or leased that should not be, whatever the message says. */
static bool inside(enum step s, struct craft *m)
{
	struct ike_msg w;
	bool good;

	reach(s);
	if (s != REPLY && s != ACK && s != QUICK3)
		client_new_exchange(&c);
	if (ike_walk((struct span){ m->b + ISAKMP_HDR, m->n - ISAKMP_HDR }, m->b[16], &w) == 0)
		client_to(&c, &g, craft_seal(m, &c));
	else
		client_to(&c, &g, craft_seal_raw(m, &c));
	good = kit_sound();
	for (unsigned i = 0; i < g.n_pairs; i++)
		good &= ipaddr_to_v4(&g.pair[i].fx.inner) == g.pool_first;
	if (gate_count(&g, FX_LEASE, IKE_R__COUNT))
		good &= strcmp(gate_last(&g, FX_AUTH)->text, "alice") == 0;
	gate_pass(&g, S(200));
	good &= ike_half_open(g.ike) == 0 && kit_sound();
	return good;
}

static void test_inside(void)
{
	static const enum step steps[] = { REPLY, CONFIG, QUICK1, QUERY, DELETE_PAIR, DELETE_SA };
	static struct craft clear;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		enum step s = steps[i];
		bool good = open_clear(s);

		clear = k;
		reach(s);
		if (s != REPLY)
			client_new_exchange(&c);
		look();
		client_to(&c, &g, craft_seal(&k, &c));
		ok(good && !as_before() && drops() == before.dropped,
		   "%s: sealed again it is taken", names[s]);
		for (size_t at = ISAKMP_HDR; at < clear.n; at++) {
			/* the hash itself is made right again */
			if (at >= ISAKMP_HDR + 4 && at < ISAKMP_HDR + 36)
				continue;
			for (unsigned bit = 0; bit < 8; bit++) {
				k = clear;
				k.b[at] ^= (uint8_t)(1u << bit);
				if (inside(s, &k))
					continue;
				printf("# byte %zu, bit %u\n", at, bit);
				good = false;
			}
		}
		ok(good, "%s: every bit flipped behind the encryption", names[s]);
		good = true;
		for (size_t at = ISAKMP_HDR; at + 1 < clear.n; at++) {
			static const uint16_t values[] = { 0, 1, 3, 4, 5, 8, 0x7fff, 0xffff };

			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				k = clear;
				k.b[at] = (uint8_t)(values[v] >> 8);
				k.b[at + 1] = (uint8_t)values[v];
				good &= inside(s, &k);
			}
		}
		ok(good, "%s: lengths of all kinds behind the encryption", names[s]);
	}
	gate_stop(&g);
}

int main(void)
{
	test_outside();
	test_inside();
	return done();
}
