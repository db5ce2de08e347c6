/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_certificate.c - clients that prove themselves by a certificate, in both modes: what is
 * asked of them, what follows from each verdict, and what strangers can do meanwhile.
 */
#include "certificate_kit.h"

static enum ike_state waiting(void)
{
	return c.main ? IKE_ST_MM_KE : IKE_ST_AM_SENT;
}

static uint8_t last_block[IKE_BLOCK_MAX];

/* The client's last message; its chain of IVs starts at the same place each time. */
static struct span last_message(void)
{
	memcpy(c.main ? c.iv : c.last_block, last_block, sizeof(last_block));
	c.msgid = 0;
	return c.main ? client_main5(&c) : client_third(&c);
}

static void remember_iv(void)
{
	memcpy(last_block, c.main ? c.iv : c.last_block, sizeof(last_block));
}

/* The right one lets in. */
static bool goes_on(void)
{
	client_to(&c, &g, last_message());
	return (!c.main || client_main6(&c, gate_out(&g, 0)) == 0) && kit_state() == IKE_ST_XAUTH &&
	       kit_sound();
}

/* ---- logins ---- */

static void test_logins(void)
{
	for (unsigned i = 0; i < 16; i++) {
		bool main_mode = i & 1, behind = i & 2, clear = i & 4 && !main_mode;
		const struct ike_sa *sa;

		prepare_signed(main_mode);
		c.behind_nat = behind;
		c.clear_third = clear;
		c.n_certs = i & 8 ? LIMIT_CLIENT_CERTS : 1;
		c.initial_contact = i & 8;
		gate_start(&g);
		ok(client_up(&c, &g) && client_keys_match(&c, &g),
		   "%s%s, %u certificates, %s a NAT: a session with traffic", mode_names[main_mode],
		   clear ? ", last message in clear" : "", c.n_certs,
		   behind ? "behind" : "without");
		sa = client_sa(&c, &g);
		ok(sa && sa->auth == AUTH_XAUTH_RSA && endpoint_eq(&sa->peer, &c.self) &&
			   sa->natt == behind &&
			   sa->initial_contact == (c.initial_contact && !clear) &&
			   sa->peer_id_len == c.id_i_len,
		   "  which knows how it came, and where the client is");
		kit_end("  login");
	}
}

static unsigned certreqs(struct span *ret)
{
	struct rd r = rd_from((struct span){ c.plain + ISAKMP_HDR, c.hdr.length - ISAKMP_HDR });
	unsigned n = 0;

	for (uint8_t type = c.hdr.next; type && !r.bad;) {
		uint8_t next = rd_u8(&r);

		(void)rd_u8(&r);
		struct span body = rd_take(&r, rd_be16(&r) - 4u);

		if (type == PL_CERTREQ)
			ret[n++ % 8] = body;
		type = next;
	}
	return n;
}

static void test_requests(void)
{
	struct span r[8];

	for (unsigned m = 0; m < 2; m++) {
		prepare_signed(m);
		g.conf.ca[0] = span_str("\x30\x02one");
		g.conf.ca[1] = span_str("\x30\x02two");
		g.conf.n_cas = 2;
		gate_start(&g);
		client_to(&c, &g, client_first(&c));
		if (m && client_main2(&c, gate_only(&g)) == 0) {
			is_int(certreqs(r), 0, "no request in message 2 of main mode");
			client_to(&c, &g, client_main3(&c));
			client_main4(&c, gate_only(&g));
		} else if (!m) {
			client_second(&c, client_answer(&g));
		}
		ok(certreqs(r) == 2 && span_eq(r[0], span_str("\x04\x30\x02one")) &&
			   span_eq(r[1], span_str("\x04\x30\x02two")),
		   "%s: a client is asked for a certificate of either CA", mode_names[m]);
		gate_stop(&g);
		begin_signed(m);
		ok(certreqs(r) == 1 && span_eq(r[0], span_str("\x04")), "%s: or of any",
		   mode_names[m]);
		c.auth = AUTH_HYBRID_INIT_RSA;
		gate_stop(&g);
		gate_start(&g);
		if (m ? !client_to_main4(&c, &g)
		      : (client_to(&c, &g, client_first(&c)),
			 client_second(&c, client_answer(&g)) < 0))
			abort();
		is_int(certreqs(r), 0, "with hybrid authentication, never: vpnc gives up on it");
		gate_stop(&g);
	}
}

/* ---- verdicts ---- */

static void test_refused(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct ike_notify n = { 0 };

		begin_signed(i & 1);
		g.proof = IKE_PROOF_REFUSED;
		c.clear_third = i == 2;
		remember_iv();
		client_to(&c, &g, last_message());
		if (c.main)
			memcpy(c.last_block, c.iv, sizeof(c.iv));
		ok(client_open(&c, gate_only(&g)) == 0 && c.hdr.xchg == XCHG_INFO &&
			   c.msg.n_notify == 1 && ike_notify_read(c.msg.notify[0], &n) == 0 &&
			   n.type == N_AUTHENTICATION_FAILED,
		   "%s: a certificate that will not do: the client is told", mode_names[i & 1]);
		ok(kit_state() == -1 && ike_half_open(g.ike) == 0 && kit_sound() &&
			   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 1,
		   "  and that is the end");
		ok(gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE) == 1 &&
			   strcmp(gate_last(&g, FX_NOTE)->text, GATE_REFUSAL) == 0 &&
			   gate_count(&g, FX_DOWN, IKE_R__COUNT) == 0,
		   "  with one line in the journal");
		client_to(&c, &g, last_message());
		ok(g.n_out == 0 && ike_half_open(g.ike) == 0, "  a repetition is nobody's");
		g.proof = IKE_PROOF_OK;
		finish("  refused");
	}
}

static void test_forged(void)
{
	for (unsigned m = 0; m < 2; m++) {
		begin_signed(m);
		remember_iv();
		c.wrong_sig = true;
		client_to(&c, &g, last_message());
		ok(g.n_out == 0 && kit_state() == (int)waiting() && kit_sound() &&
			   ike_counter(g.ike, IKE_C_DROP_HASH) == 1,
		   "N152: %s: a wrong signature is dropped, the exchange stays", mode_names[m]);
		ok(gate_count(&g, FX_NOTE, IKE_R_SIGNATURE) == 1 &&
			   strstr(gate_last(&g, FX_NOTE)->text, "not by its key"),
		   "  with a line in the journal");
		g.hold = GATE_HOLD(PROOF);
		client_to(&c, &g, last_message());
		is_int(g.n_jobs, 0, "  the same once more is not looked at");
		g.hold = 0;
		c.cert_len++;
		client_to(&c, &g, last_message());
		ok(gate_count(&g, FX_NOTE, IKE_R_SIGNATURE) == 1 && kit_state() == (int)waiting(),
		   "  another wrong one is no line more");
		c.wrong_sig = false;
		ok(goes_on(), "  the right one lets in");
		finish("  forged");

		begin_signed(m);
		remember_iv();
		c.wrong_sig = true;
		for (unsigned i = 0; i < LIMIT_PROOFS; i++) {
			ok(kit_state() == (int)waiting(), "%s: after %u wrong signatures it waits",
			   mode_names[m], i);
			c.cert_len++;
			client_to(&c, &g, last_message());
		}
		ok(kit_state() == -1 && g.n_out == 0 && kit_sound(),
		   "after %d it ends without a word", LIMIT_PROOFS);
		finish("  always forged");

		begin_signed(m);
		g.proof = IKE_PROOF_FAILED;
		remember_iv();
		client_to(&c, &g, last_message());
		ok(kit_state() == -1 && g.n_out == 0 && kit_sound(),
		   "%s: nobody could tell: the login ends", mode_names[m]);
		g.proof = IKE_PROOF_OK;
		finish("  no verdict");
	}
}

/* Between the message and the verdict. */
static void test_waiting(void)
{
	for (unsigned m = 0; m < 2; m++) {
		struct span again;
		static uint8_t kept[8192];
		bool all = true;

		begin_signed(m);
		remember_iv();
		g.hold = GATE_HOLD(PROOF);
		again = last_message();
		memcpy(kept, again.p, again.n);
		client_to(&c, &g, again);
		ok(g.n_out == 0 && g.n_jobs == 1 && g.job[0].kind == FX_PROOF &&
			   kit_state() == IKE_ST_PROOF &&
			   client_sa(&c, &g)->peer_id_len == (m ? 0 : c.id_i_len) &&
			   g.job[0].n == c.id_i_len && g.job[0].n_certs == 1,
		   "%s: a worker is asked, and nothing else happens", mode_names[m]);
		client_to(&c, &g, (struct span){ kept, again.n });
		ok(g.n_out == 0 && g.n_jobs == 1 && kit_sound(), "  not again for a repetition");
		gate_pass(&g, S(8));
		is_int(g.n_out, 0, "  and our message is not repeated");
		all &= dropped(client_delete_isakmp(&c));
		all &= dropped(client_notify(&c, N_AUTHENTICATION_FAILED, nil, nil));
		all &= dropped(client_transaction(&c, CFG_REPLY, hex("40890001 61 408a0001 62")));
		all &= dropped(client_quick1(&c, nil, nil));
		ok(all && kit_state() == IKE_ST_PROOF, "N145: anything else meanwhile: dropped");
		g.hold = 0;
		gate_do_all(&g);
		ok(kit_state() == IKE_ST_XAUTH && kit_sound(), "  the verdict lets in");

		begin_signed(m);
		remember_iv();
		g.hold = GATE_HOLD(PROOF);
		client_to(&c, &g, last_message());
		gate_pass(&g, S(60));
		is_int(ike_half_open(g.ike), 0, "  a verdict that takes too long");
		gate_do_all(&g);
		ok(g.n_out == 0 && kit_sound(), "  is for nobody");
		g.hold = 0;
		finish("  waiting");
	}
}

/* ---- what is no proof ---- */

static void test_bounds(void)
{
	static const struct {
		unsigned n;
		size_t len;
		const char *why;
	} rows[] = {
		{ 0, 400, "it sends none, and must be set to (send_cert, leftsendcert)" },
		{ 1, 0, "it sends none, and must be set to (send_cert, leftsendcert)" },
		{ 1, LIMIT_CLIENT_CERT + 1, "it sends a certificate that is too large" },
		{ LIMIT_CLIENT_CERTS + 1, 400, "it sends too many certificates" },
	};

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		bool m = i & 1;

		begin_signed(m);
		remember_iv();
		c.n_certs = rows[i / 2].n;
		c.cert_len = rows[i / 2].len;
		client_to(&c, &g, last_message());
		ok(g.n_out == 0 && g.n_jobs == 0 && kit_state() == (int)waiting() && kit_sound() &&
			   gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE) == 1 &&
			   strcmp(gate_last(&g, FX_NOTE)->text, rows[i / 2].why) == 0,
		   "N097: %s, %u certificates of %zu bytes: dropped with a line", mode_names[m],
		   c.n_certs, c.cert_len);
		client_to(&c, &g, last_message());
		is_int(gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE), 1, "  one");
		c.n_certs = LIMIT_CLIENT_CERTS;
		c.cert_len = LIMIT_CLIENT_CERT;
		ok(goes_on(), "  and the largest that will do lets in");
		finish("  bounds");
	}
}

/* Larger than a datagram should be: in fragments, and of a key that is too long. */
static void test_large(void)
{
	for (unsigned m = 0; m < 2; m++) {
		prepare_alone(m);
		g.conf.frag_size = IKE_FRAG_SIZE_MAX; /* ours stay whole */
		c.frag = 500;
		c.n_certs = 3;
		c.cert_len = 1500;
		gate_start(&g);
		ok(client_phase1(&c, &g) && kit_state() == IKE_ST_AUTHED &&
			   client_sa(&c, &g)->frag & IKE_FRAG_IN,
		   "%s: certificates in fragments log in, and the session knows", mode_names[m]);
		client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
		ok(client_open(&c, client_answer(&g)) == 0 && client_take_address(&c) &&
			   client_quick(&c, &g) && client_phase1(&c, &g) &&
			   ike_counter(g.ike, IKE_C_RENEWED) == 1 &&
			   client_sa(&c, &g)->frag & IKE_FRAG_IN,
		   "  and knows it after a renewal");
		gate_stop(&g);

		begin_signed(m);
		remember_iv();
		c.sig_len = LIMIT_CLIENT_RSA / 8 + 1;
		client_to(&c, &g, last_message());
		ok(g.n_out == 0 && g.n_jobs == 0 && kit_state() == (int)waiting() &&
			   gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE) == 1,
		   "N097: %s: a signature of 4097 bits: dropped with a line", mode_names[m]);
		c.sig_len = 0;
		ok(goes_on(), "  and the right one lets in");
		finish("  large");
	}
}

static void test_hash_instead(void)
{
	begin_signed(true);
	remember_iv();
	c.auth = AUTH_HYBRID_INIT_RSA;
	ok(dropped(last_message()), "main mode: HASH_I instead of a signature proves nothing");
	c.auth = AUTH_XAUTH_RSA;
	ok(goes_on(), "  and the signature lets in");
	gate_stop(&g);
	begin_signed(false);
	remember_iv();
	c.auth = AUTH_HYBRID_INIT_RSA;
	ok(dropped(last_message()), "aggressive mode: the same");
	c.auth = AUTH_XAUTH_RSA;
	ok(goes_on(), "  and the signature lets in");
	gate_stop(&g);
	prepare_signed(true);
	g.conf.n_auth--;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(ike_half_open(g.ike) == 0 && gate_count(&g, FX_NOTE, IKE_R_NO_PROPOSAL_P1) == 1,
	   "SEC-03: where it is not named, no certificate is ever looked at");
	finish("method");
}

/* The same user renews phase 1 by the certificate. */
static void test_renewal(void)
{
	begin_signed(true);
	gate_stop(&g);
	gate_start(&g);
	ok(client_up(&c, &g), "a session");
	ok(client_phase1(&c, &g) && client_xauth(&c, &g) && ike_sessions(g.ike) == 1 &&
		   ike_counter(g.ike, IKE_C_RENEWED) == 1 && kit_sound(),
	   "is renewed by another login with the certificate");
	gate_stop(&g);
}

/* ---- without a password ---- */

int main(void)
{
	test_logins();
	test_requests();
	test_refused();
	test_forged();
	test_waiting();
	test_bounds();
	test_large();
	test_hash_instead();
	test_renewal();
	return done();
}
