/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_dpd.c - dead peers (RFC 3706): who is asked, when, how often, what counts as life and what
 * only looks like it (N226 - N229), and what a restart does to it.
 */
#include "hostile_kit.h"

#define DELAY 20 /* s */
#define RETRY 5
#define TRIES 3
#define DEAD  (DELAY + RETRY * TRIES)

/* A session with a client that is asked. */
static void asked_kit(bool (*login)(struct client *, struct gate *))
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.dpd_delay_us = S(DELAY);
	g.conf.dpd_retry_us = S(RETRY);
	g.conf.dpd_maxfail = TRIES;
	g.conf.p2_life_s = 28800;
	gate_start(&g);
	if (!login(&c, &g))
		abort();
}

/* Time goes on by so many seconds; true when just one question came, which is *seq. */
static bool question_after(unsigned seconds, uint32_t *seq)
{
	gate_pass(&g, S(seconds));
	return client_open(&c, gate_only(&g)) == 0 && c.hdr.xchg == XCHG_INFO &&
	       client_is_asked(&c, seq);
}

static bool silence_for(unsigned seconds)
{
	gate_pass(&g, S(seconds));
	return g.n_out == 0 && kit_state() == IKE_ST_UP && kit_sound();
}

static bool answer(uint32_t seq)
{
	client_to(&c, &g, client_dpd_ack(&c, seq));
	return g.n_out == 0 && client_sa(&c, &g)->dpd_asked == 0;
}

/* ---- silence ---- */

static void test_silent(void)
{
	uint32_t a, b, d;

	asked_kit(client_up);
	ok(silence_for(DELAY - 1), "a client that was just heard of is not asked");
	ok(question_after(1, &a), "after dpd_delay it is");
	ok(a < 0x80000000u, "the number has its high bit clear (RFC 3706 5.3)");
	ok(silence_for(RETRY - 1), "it has dpd_retry for an answer");
	ok(question_after(1, &b) && question_after(RETRY, &d), "then it is asked again, and again");
	ok(a == b && b == d, "with the same number");
	gate_pass(&g, S(RETRY) - 1);
	is_int(kit_state(), IKE_ST_UP, "it has its time after the last question as well");
	gate_pass(&g, 1);
	is_int(kit_state(), IKE_ST_CLOSING,
	       "dpd_delay + dpd_maxfail * dpd_retry after it was "
	       "heard of last, the session is over");
	ok(gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT) == 1 && g.n_pairs == 0 && g.leases == 0,
	   "with its pair, its address and the reason");
	is_str(ike_reason_key(IKE_R_DPD_TIMEOUT), "dpd-timeout", "which journals know by its key");
	is_int(g.n_out, 2, "the client is told: it may hear us though we do not hear it");
	gate_pass(&g, S(15));
	is_int(kit_state(), -1, "nothing remains");
	kit_end("silent client");
}

static void test_states(void)
{
	uint32_t seq;

	asked_kit(client_phase1);
	gate_pass(&g, S(DELAY + 1));
	ok(kit_state() == IKE_ST_XAUTH && client_sa(&c, &g)->dpd_asked == 0,
	   "a client whose user types the password is not asked");
	asked_kit(client_xauth);
	gate_pass(&g, S(DELAY)); /* it is told its address meanwhile */
	is_int(client_sa(&c, &g)->dpd_asked, 1, "a client that has logged in is");
	asked_kit(client_login);
	ok(question_after(DELAY, &seq), "and one that knows its address");
	gate_pass(&g, S(RETRY * TRIES));
	is_int(gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT), 1, "which may be given up, too");
	kit_end("states");
	asked_kit(client_up);
	g.conf.dpd_delay_us = 0;
	gate_pass(&g, S(DELAY));
	ok(silence_for(1000), "dpd_delay = 0: nobody is asked");
	gate_stop(&g);
	kit_prepare();
	g.no_crypto = c.no_crypto = c.no_dpd = true;
	g.conf.dpd_delay_us = S(DELAY);
	gate_start(&g);
	client_up(&c, &g);
	ok(silence_for(1000), "nor is a client that did not say that it knows the question");
	kit_end("DPD off");
}

/* While vpngw-authd thinks nobody is silent. */
static void test_slow_authd(void)
{
	asked_kit(client_phase1);
	g.hold = GATE_HOLD(AUTH);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	gate_pass(&g, S(DELAY + 5));
	gate_verdict(&g, IKE_AUTH_OK);
	is_int(g.n_out, 1, "after a slow check of the password there is the verdict alone");
	client_open(&c, gate_only(&g));
	gate_pass(&g, 0);
	is_int(g.n_out, 0, "and no question at once");
	client_to(&c, &g, client_ack(&c));
	is_int((long long)client_sa(&c, &g)->dpd_next_us, (long long)(g.now + S(DELAY)),
	       "and dpd_delay begins there");
	gate_stop(&g);
}

/* ---- signs of life ---- */

static void test_answers(void)
{
	uint32_t a, b, d;

	asked_kit(client_up);
	ok(question_after(DELAY, &a) && answer(a), "an answer is a sign of life");
	is_int((long long)client_sa(&c, &g)->heard_us, (long long)g.now, "and its time is known");
	ok(silence_for(DELAY - 1) && question_after(1, &b), "the next question comes dpd_delay "
							    "later");
	is_int(b, a + 1, "with the next number");
	ok(question_after(RETRY, &d) && d == b, "asked twice");
	gate_pass(&g, S(RETRY));
	ok(answer(b), "an answer to the first question is good enough");
	ok(question_after(DELAY, &a), "it is asked again when it is silent again");
	gate_pass(&g, S(2 * RETRY));
	is_int(client_sa(&c, &g)->dpd_asked, TRIES, "up to the last question");
	ok(answer(a) && silence_for(DELAY - 1), "an answer to which is in time");
	for (unsigned i = 0; i < 1100; i++) /* not until the pair is renewed */
		if (!question_after(i ? DELAY : 1, &a) || !answer(a))
			break;
	ok(client_sa(&c, &g)->dpd_rounds == 1103 && client_sa(&c, &g)->n_used < 20,
	   "so it goes on for hours, and uses no message IDs up");
	kit_end("answers");
}

/* Whatever the client says, dpd_delay starts anew. */
static void test_messages(void)
{
	uint32_t seq;

	asked_kit(client_up);
	gate_pass(&g, S(DELAY - 1));
	client_quick(&c, &g);
	ok(silence_for(DELAY - 1) && question_after(1, &seq), "a Quick Mode is a sign of life");
	client_to(&c, &g, client_dpd(&c, 77));
	is_int(client_sa(&c, &g)->dpd_asked, 0,
	       "so is the client's own question, while it is "
	       "asked");
	gate_pass(&g, S(DELAY - 1));
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(silence_for(DELAY - 1), "so is a request for the configuration");
	client_to(&c, &g, client_notify(&c, 40000, nil, nil));
	ok(silence_for(DELAY - 1), "so is a notify, whatever it says");
	client_to(&c, &g, client_delete(&c, PROTO_ESP, hex("11223344")));
	ok(silence_for(DELAY - 1), "so is a Delete of nothing");
	kit_end("messages");
}

static void test_traffic(void)
{
	const struct ike_sa *sa;
	uint32_t seq;

	asked_kit(client_up);
	sa = client_sa(&c, &g);
	for (unsigned i = 0; i < 100; i++) {
		gate_pass(&g, S(DELAY - 1));
		ike_traffic(g.ike, sa->id, true, g.now);
		if (g.n_out)
			break;
	}
	ok(silence_for(DELAY - 1), "a client whose packets come is never asked");
	ike_traffic(g.ike, sa->id, false, g.now);
	ok(question_after(1, &seq), "packets towards it are no sign of life");
	is_int((long long)sa->active_us, (long long)(g.now - S(1)), "but of activity");
	gate_pass(&g, S(RETRY));
	is_int(sa->dpd_asked, 2, "while it is being asked,");
	ike_traffic(g.ike, sa->id, true, g.now);
	ok(sa->dpd_asked == 0 && silence_for(DELAY - 1), "a packet ends the questions");
	ok(question_after(1, &seq), "until it is silent again");
	ike_traffic(g.ike, (struct sess_id){ sa->id.slot, sa->id.gen + 1 }, true, g.now);
	is_int(sa->dpd_asked, 1, "packets of a session that was there before are not its own");
	kit_end("traffic");
}

/* ---- what only looks like life ---- */

/* Has no effect on a client that is being asked for the third time. */
static bool no_life(struct span s)
{
	const struct ike_sa *sa = client_sa(&c, &g);
	uint64_t heard = sa->heard_us;
	struct endpoint was = sa->peer, evil = ep("203.0.113.66:500");
	bool good;

	gate_input(&g, &evil, &c.gateway, c.floated, s);
	good = g.n_out == 0 && sa->dpd_asked == 3 && sa->heard_us == heard &&
	       endpoint_eq(&was, &sa->peer) && kit_sound();
	if (!good)
		printf("# out %u, asked %u, heard %d\n", g.n_out, sa->dpd_asked,
		       sa->heard_us != heard);
	return good;
}

static uint8_t old_ack[512], old_query[512], own_question[512], own_answer[512];
static size_t n_ack, n_query, n_question, n_answer;

static void keep(uint8_t *buf, size_t *n, struct span s)
{
	*n = s.n;
	memcpy(buf, s.p, s.n);
}

/* A session whose client was asked three times; messages of before are remembered. */
static uint32_t suspected(void)
{
	uint32_t seq = 0;

	asked_kit(client_up);
	keep(old_query, &n_query, client_dpd(&c, 500));
	client_to(&c, &g, (struct span){ old_query, n_query });
	keep(own_answer, &n_answer, gate_only(&g));
	client_to(&c, &g, client_dpd(&c, 501));
	gate_pass(&g, S(DELAY));
	keep(own_question, &n_question, gate_only(&g));
	client_open(&c, gate_only(&g));
	client_is_asked(&c, &seq);
	keep(old_ack, &n_ack, client_dpd_ack(&c, seq));
	client_to(&c, &g, (struct span){ old_ack, n_ack });
	question_after(DELAY, &seq);
	gate_pass(&g, S(2 * RETRY));
	return seq;
}

static void test_forged(void)
{
	uint32_t seq = suspected();
	uint8_t both[16] = { 0 }, number[4];
	struct wr w = wr_into(number, sizeof(number));
	struct ike_build b;

	wr_be32(&w, seq);
	ok(no_life((struct span){ old_ack, n_ack }), "N229: an answer of before, replayed");
	ok(no_life((struct span){ old_query, n_query }), "N228: a question of before, replayed");
	ok(no_life((struct span){ own_question, n_question }),
	   "the gateway's own question of before, sent back to it");
	ok(no_life((struct span){ own_answer, n_answer }), "nor its own answer");
	ok(no_life(client_dpd_ack(&c, seq - 1)) && no_life(client_dpd_ack(&c, seq + 1)) &&
		   no_life(client_dpd_ack(&c, 0)) && no_life(client_dpd_ack(&c, 0xffffffff)),
	   "N229: an answer with another number");
	ok(no_life(client_notify(&c, N_R_U_THERE_ACK, SPAN_OF(both), SPAN_OF(number))),
	   "an answer about another SA");
	ok(no_life(client_notify(&c, N_R_U_THERE_ACK, hex("01020304"), SPAN_OF(number))),
	   "or about an SPI");
	ok(no_life(client_notify(&c, N_R_U_THERE_ACK, nil, hex("000001"))),
	   "an answer with a short number");
	client_new_exchange(&c);
	b = client_start(&c, XCHG_INFO);
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, 1);
	wr_u8(&b.w, PROTO_ISAKMP);
	wr_u8(&b.w, 0);
	wr_be16(&b.w, N_R_U_THERE_ACK);
	wr_be32(&b.w, seq);
	ok(no_life(client_clear(&b)), "N226: an answer in clear");
	craft_from(&k, client_dpd_ack(&c, seq));
	k.b[k.n - 1] ^= 1;
	ok(no_life(craft_span(&k)), "an answer that does not decrypt");
	gate_pass(&g, S(RETRY));
	is_int(gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT), 1, "the session ends in its time");
	kit_end("forged answers");
}

/* The question that is being asked comes back from elsewhere: HASH(1) fits both directions. */
static void test_reflected(void)
{
	uint32_t seq;

	suspected();
	client_to(&c, &g, client_quick1(&c, hex("01000000 08080808"), nil)); /* refused */
	keep(own_answer, &n_answer, gate_only(&g));
	gate_pass(&g, S(DELAY));
	keep(own_question, &n_question, gate_only(&g));
	gate_pass(&g, S(2 * RETRY));
	ok(no_life((struct span){ own_question, n_question }),
	   "the question that waits for its answer is no answer");
	ok(no_life((struct span){ own_answer, n_answer }), "nor is a notify of the gateway's");
	ok(client_sa(&c, &g)->dpd_seq == 501, "the client's own numbers are as they were");
	client_to(&c, &g, client_dpd(&c, 502));
	is_int(g.n_out, 1, "and its next question is answered");
	question_after(DELAY, &seq);
	kit_end("reflected");
}

/* A message that has its answer already, or never needs one, comes back when it is forgotten. */
static void test_late(void)
{
	uint64_t heard;
	uint32_t seq;

	asked_kit(client_up);
	question_after(DELAY, &seq);
	keep(old_ack, &n_ack, client_dpd_ack(&c, seq));
	client_to(&c, &g, (struct span){ old_ack, n_ack });
	heard = client_sa(&c, &g)->heard_us;
	gate_pass(&g, S(DELAY - 1));
	client_to(&c, &g, (struct span){ old_ack, n_ack });
	is_int((long long)client_sa(&c, &g)->heard_us, (long long)heard,
	       "N229: an answer counts once, also while nobody asks");
	ok(question_after(1, &seq), "so it puts no question off");
	gate_stop(&g);

	asked_kit(client_up);
	for (unsigned i = 0; i < 28800 / 15 && g.n_pairs; i++) {
		ike_traffic(g.ike, client_sa(&c, &g)->id, true, g.now);
		gate_pass(&g, S(15));
	}
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_delete == 1,
	   "the gateway deletes a pair whose time is over");
	keep(own_answer, &n_answer, gate_only(&g));
	for (unsigned i = 0; i < 10; i++) {
		ike_traffic(g.ike, client_sa(&c, &g)->id, true, g.now);
		gate_pass(&g, S(15));
	}
	ok(!client_sa(&c, &g)->xchgs, "and has forgotten that after a while");
	question_after(5, &seq);
	gate_pass(&g, S(2 * RETRY));
	ok(no_life((struct span){ own_answer, n_answer }), "its own Delete is no sign of life");
	kit_end("late");
}

static void test_good_answers(void)
{
	uint32_t seq = suspected();
	uint8_t swapped[16], number[4];
	struct wr w = wr_into(number, sizeof(number));

	wr_be32(&w, seq);
	memcpy(swapped, c.cky_r, 8);
	memcpy(swapped + 8, c.cky_i, 8);
	client_to(&c, &g, client_notify(&c, N_R_U_THERE_ACK, SPAN_OF(swapped), SPAN_OF(number)));
	is_int(client_sa(&c, &g)->dpd_asked, 0, "Cisco's swapped cookies are understood");
	seq = suspected();
	client_to(&c, &g, client_notify(&c, N_R_U_THERE_ACK, nil, SPAN_OF(number)));
	is_int(client_sa(&c, &g)->dpd_asked, 0, "and no cookies at all");
	seq = suspected();
	c.self.port = 4321;
	client_to(&c, &g, client_dpd_ack(&c, seq));
	ok(client_sa(&c, &g)->peer.port == 4321, "an answer from a new port moves the session");
	kit_end("good answers");
}

/* ---- asking out of turn, a pause of the machine, another process ---- */

static void test_ask(void)
{
	struct ike_sa *sa;
	uint32_t seq;

	asked_kit(client_up);
	sa = table_get(&g.ike->t, client_sa(&c, &g)->id);
	gate_pass(&g, S(RETRY) - 1);
	dpd_ask(g.ike, sa, g.now);
	ok(silence_for(0), "a client that was heard of within dpd_retry is not asked again");
	gate_pass(&g, 1);
	dpd_ask(g.ike, sa, g.now);
	ok(question_after(0, &seq), "else it can be asked out of turn");
	dpd_ask(g.ike, sa, g.now);
	ok(silence_for(RETRY - 1), "but not twice at once");
	ok(question_after(1, &seq), "the round goes on as any other");
	kit_end("asked out of turn");
}

static void test_sleep(void)
{
	uint32_t seq;

	asked_kit(client_up);
	g.now += S(900);
	ok(question_after(0, &seq), "a gateway that slept for long asks before it gives up");
	ok(question_after(RETRY, &seq) && question_after(RETRY, &seq), "as often as ever");
	ok(answer(seq) && silence_for(1), "and who answers stays");
	gate_stop(&g);
}

static void test_restart(void)
{
	static uint8_t rec[65536];
	struct sess_id id;
	uint32_t a, b;
	uint64_t heard;
	size_t n;

	asked_kit(client_up);
	ok(question_after(DELAY, &a) && question_after(RETRY, &a), "a client is being asked");
	heard = client_sa(&c, &g)->heard_us;
	ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n);
	ike_free(g.ike);
	gate_start(&g);
	g.now += S(300);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), 0, "the daemon restarts");
	g.pair[0].who = id;
	is_int((long long)client_sa(&c, &g)->heard_us, (long long)heard,
	       "it knows since when "
	       "there is silence");
	ok(question_after(0, &b) && b == a + 1 && client_sa(&c, &g)->dpd_asked == 1,
	   "and begins a round of its own");
	ok(answer(b) && silence_for(DELAY - 1), "which the client can answer");
	kit_end("restart");
}

int main(void)
{
	test_silent();
	test_states();
	test_slow_authd();
	test_answers();
	test_messages();
	test_traffic();
	test_forged();
	test_reflected();
	test_late();
	test_good_answers();
	test_ask();
	test_sleep();
	test_restart();
	return done();
}
