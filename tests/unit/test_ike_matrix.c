/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_matrix.c - N243: every message in every state, with valid keys. Only the cells of the
 * table below do anything; all others are dropped, and change nothing.
 */
#include "hostile_kit.h"

enum at {
	NONE,
	DH,
	SIGN,
	AM_SENT,
	MAIN_SA,
	MAIN_DH,
	MAIN_KE,
	MAIN_SIGN,
	XAUTH,
	CHECKING,
	REFUSING,
	AUTHED,
	LEASED,
	PENDING,
	UP,
	ASKED,
	RETIRED,
	CLOSING,
	STATES
};

static const char *const state_names[STATES] = { "no SA",
						 "Diffie-Hellman",
						 "signature",
						 "second message sent",
						 "main mode, second message sent",
						 "main mode, Diffie-Hellman",
						 "main mode, fourth message sent",
						 "main mode, signature",
						 "XAuth",
						 "checking",
						 "refusing",
						 "logged in",
						 "leased",
						 "Quick Mode pending",
						 "up",
						 "Quick Mode of the gateway's pending",
						 "retired",
						 "closing" };

#define IN(s)     (1u << (s))
#define LOGGED_IN (IN(AUTHED) | IN(LEASED) | IN(PENDING) | IN(UP) | IN(ASKED))
#define KEYED                                                                              \
	(IN(AM_SENT) | IN(XAUTH) | IN(CHECKING) | IN(REFUSING) | LOGGED_IN | IN(RETIRED) | \
	 IN(CLOSING))

enum what {
	THIRD_CLEAR,
	THIRD_SEALED,
	MAIN_THIRD,
	MAIN_FIFTH,
	REPLY_OURS,
	REPLY_NEW,
	REQUEST,
	SET_NEW,
	ACK_OURS,
	ACK_NEW,
	QUICK_FIRST,
	QUICK_THIRD,
	QUICK_THIRD_NEW,
	QUICK_ANSWER,
	DELETE_SA,
	DELETE_ESP,
	QUERY,
	ERROR,
	MESSAGES
};

static const struct {
	const char *name;
	unsigned taken_in;
	unsigned idle_in; /* of these: it is heard, and nothing follows */
} messages[MESSAGES] = {
	[THIRD_CLEAR] = { "third message, clear", IN(AM_SENT) },
	[THIRD_SEALED] = { "third message, encrypted", IN(AM_SENT) },
	[MAIN_THIRD] = { "main mode, third message", IN(MAIN_SA) },
	[MAIN_FIFTH] = { "main mode, fifth message", IN(MAIN_KE) },
	[REPLY_OURS] = { "XAuth reply", IN(XAUTH) },
	[REPLY_NEW] = { "reply nobody asked for", 0 },
	[REQUEST] = { "config request", LOGGED_IN },
	[SET_NEW] = { "SET of the client's", 0 },
	[ACK_OURS] = { "XAuth acknowledgement", IN(REFUSING) | IN(AUTHED) },
	[ACK_NEW] = { "acknowledgement of nothing", 0 },
	[QUICK_FIRST] = { "Quick Mode, first", LOGGED_IN },
	[QUICK_THIRD] = { "Quick Mode, third", IN(PENDING) },
	[QUICK_THIRD_NEW] = { "Quick Mode, third of none", 0 },
	[QUICK_ANSWER] = { "answer to a Quick Mode of the gateway's", IN(ASKED) },
	[DELETE_SA] = { "delete", KEYED },
	[DELETE_ESP] = { "delete of a pair", KEYED },
	[QUERY] = { "R-U-THERE", KEYED, IN(AM_SENT) | IN(REFUSING) | IN(CLOSING) },
	[ERROR] = { "error notify", KEYED },
};

/* Keys that are none: the client guesses before there are any. */
static void guess(void)
{
	memcpy(c.cky_r, g.ike->t.half_open[IKE_HALF_OPEN_UNPROVED].newest->cky_r, 8);
	c.keys = (struct ike_keys){
		.enc = ENC_AES_CBC, .hash = HASH_SHA256, .key_len = 32, .skeyid_a.n = 32
	};
	c.hash_i.n = 32;
}

static void enter_main(enum at s)
{
	c.main = true;
	client_to_main2(&c, &g);
	if (s == MAIN_SA) {
		guess();
		return;
	}
	g.hold = s == MAIN_DH ? GATE_HOLD(DH) : GATE_HOLD(SIGN);
	client_to(&c, &g, client_main3(&c));
	if (s == MAIN_DH)
		guess();
	else
		client_main4(&c, gate_only(&g));
	c.nonce_i[0] ^= 1; /* a message that comes again is another matter */
	if (s == MAIN_SIGN) {
		client_to(&c, &g, client_main5(&c));
		c.hash_i.b[0] ^= 1;
	}
}

static void enter(enum at s)
{
	kit_fresh();
	if (s >= MAIN_SA && s <= MAIN_SIGN) {
		enter_main(s);
		return;
	}
	if (s == DH || s == SIGN) {
		g.hold = s == DH ? GATE_HOLD(DH) : GATE_HOLD(SIGN);
		client_to(&c, &g, client_first(&c));
		guess();
		return;
	}
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	if (s == AM_SENT || s == NONE) {
		if (s == NONE) /* another gateway's session */
			memset(c.cky_r, 0x33, 8);
		return;
	}
	client_to(&c, &g, client_third(&c));
	client_open(&c, gate_only(&g));
	if (s == XAUTH)
		return;
	if (s == CHECKING)
		g.hold = GATE_HOLD(AUTH);
	client_to(&c, &g,
		  client_credentials(&c, span_str("alice"),
				     s == REFUSING ? span_str("x") : span_str("wonderland")));
	if (s == CHECKING)
		return;
	client_open(&c, gate_only(&g));
	if (s == REFUSING || s == AUTHED)
		return;
	client_to(&c, &g, client_ack(&c));
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	client_open(&c, gate_only(&g));
	client_take_address(&c);
	if (s == LEASED)
		return;
	client_to(&c, &g, client_quick1(&c, nil, nil));
	client_quick2(&c, gate_only(&g));
	if (s == PENDING)
		return;
	client_to(&c, &g, client_quick3(&c));
	if (s == ASKED) {
		gate_pass(&g, client_sa(&c, &g)->children->rekey_us - g.now);
		client_rekey1(&c, gate_only(&g));
	}
	if (s == RETIRED) {
		static struct client fresh;

		fresh = c;
		client_xauth(&fresh, &g);
	}
	if (s == CLOSING) {
		ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
		gate_run(&g);
	}
}

/* The third message, as it was or would have been. */
static struct span third(bool clear)
{
	bool seen = c.nat_seen;
	struct span s;

	c.clear_third = clear;
	c.nat_seen = false;
	s = client_third(&c);
	c.nat_seen = seen;
	return s;
}

static struct span make(enum what w)
{
	struct ike_build b;

	switch (w) {
	case THIRD_CLEAR:
	case THIRD_SEALED:
		return third(w == THIRD_CLEAR);
	case MAIN_THIRD:
		return client_main3(&c);
	case MAIN_FIFTH:
		return client_main5(&c);
	case REPLY_OURS:
		return client_credentials(&c, span_str("alice"), span_str("wonderland"));
	case REPLY_NEW:
		return client_transaction(&c, CFG_REPLY, hex("40890001 61 408a0001 62"));
	case REQUEST:
		return client_transaction(&c, CFG_REQUEST, hex("00010000"));
	case SET_NEW:
		return client_transaction(&c, CFG_SET, hex("c08f0001"));
	case ACK_OURS:
		return client_ack(&c);
	case ACK_NEW:
		return client_transaction(&c, CFG_ACK, hex("408f0000"));
	case QUICK_FIRST:
		if (client_sa(&c, &g) && client_sa(&c, &g)->lease.family)
			c.address = client_sa(&c, &g)->lease;
		return client_quick1(&c, nil, nil);
	case QUICK_THIRD_NEW:
		client_new_exchange(&c);
		/* fall through */
	case QUICK_THIRD:
		if (!c.msg.nonce.n)
			c.msg.nonce = SPAN_OF(c.nonce_i);
		return client_quick3(&c);
	case QUICK_ANSWER:
		if (c.theirs)
			return client_rekey2(&c);
		b = client_quick1_open(&c, nil, nil);
		craft_from(&k, client_clear(&b));
		c.theirs = true; /* HASH(2) */
		c.q_peer_len = 20;
		return craft_seal(&k, &c);
	case DELETE_SA:
		return client_delete_isakmp(&c);
	case DELETE_ESP:
		return client_delete(&c, PROTO_ESP, hex("01020304"));
	case QUERY:
		return client_dpd(&c, 77);
	case ERROR:
	case MESSAGES:
		break;
	}
	return client_notify(&c, N_AUTHENTICATION_FAILED, nil, nil);
}

static void test_cells(void)
{
	for (unsigned s = 0; s < STATES; s++) {
		for (unsigned m = 0; m < MESSAGES; m++) {
			bool taken = messages[m].taken_in & IN(s);
			struct span data;

			enter(s);
			data = make(m);
			if (!taken) {
				ok(dropped(data), "%s, %s: dropped", state_names[s],
				   messages[m].name);
				continue;
			}
			look();
			client_to(&c, &g, data);
			ok(as_before() == !!(messages[m].idle_in & IN(s)) &&
				   drops() == before.dropped && kit_sound(),
			   "%s, %s: taken", state_names[s], messages[m].name);
		}
	}
}

/* What each message that is taken does, where that is not plain from other tests. */
static void test_effects(void)
{
	static const enum at states[] = { AM_SENT, XAUTH,  CHECKING, REFUSING,
					  AUTHED,  LEASED, UP,       CLOSING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		enum at s = states[i];
		bool answers = s != AM_SENT && s != REFUSING && s != CLOSING;

		enter(s);
		client_to(&c, &g, make(QUERY));
		is_int(g.n_out, answers,
		       answers ? "a query for life is answered in this state"
			       : "it is not answered in this one");
		enter(s);
		client_to(&c, &g, make(DELETE_SA));
		ok(kit_state() == -1 && g.n_out == 0 && g.n_pairs == 0 && g.leases == 0 &&
			   kit_sound(),
		   "%s: a delete ends it without a word", state_names[s]);
		enter(s);
		client_to(&c, &g, make(ERROR));
		is_int(kit_state() == -1, s == AM_SENT,
		       s == AM_SENT ? "a client that refuses the certificate ends its login"
				    : "an error notify ends nothing");
	}
}

/* Every exchange type there is, encrypted and in clear, with a notify in it. */
static void test_types(void)
{
	for (unsigned s = 0; s < STATES; s++) {
		bool all = true;

		enter(s);
		for (unsigned t = 0; t < 256; t++) {
			struct ike_build b;

			if (t == XCHG_INFO)
				continue; /* above */
			client_new_exchange(&c);
			b = client_start(&c, (uint8_t)t);
			build_payload(&b, PL_NOTIFY, hex("00000001 01 00 0018"));
			all &= dropped(client_seal(&c, &b));
			b = client_start(&c, (uint8_t)t);
			build_payload(&b, PL_NOTIFY, hex("00000001 01 00 0018"));
			all &= dropped(client_clear(&b));
		}
		ok(all, "%s: 255 other exchange types, encrypted and in clear: dropped",
		   state_names[s]);
	}
}

int main(void)
{
	test_cells();
	test_effects();
	test_types();
	kit_end("at last");
	return done();
}
