/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_certificate.c - clients that prove themselves by a certificate, in both modes: what is
 * asked of them, what follows from each verdict, and what strangers can do meanwhile.
 */
#include "main_kit.h"

static const char *const mode_names[] = { "aggressive mode", "main mode" };

static void prepare_signed(bool main_mode)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.auth[g.conf.n_auth++] = AUTH_XAUTH_RSA;
	c.main = main_mode;
	c.auth = AUTH_XAUTH_RSA;
}

/* As far as the client's last message. */
static void begin_signed(bool main_mode)
{
	prepare_signed(main_mode);
	gate_start(&g);
	if (main_mode) {
		if (!client_to_main4(&c, &g))
			abort();
		return;
	}
	client_to(&c, &g, client_first(&c));
	if (client_second(&c, client_answer(&g)) < 0)
		abort();
}

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

static void prepare_alone(bool main_mode)
{
	prepare_signed(main_mode);
	g.conf.auth[g.conf.n_auth++] = AUTH_RSA_SIG;
	c.auth = AUTH_RSA_SIG;
}

static void test_alone(void)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS };

	for (unsigned i = 0; i < 4; i++) {
		const struct ike_sa *sa;

		prepare_alone(i & 1);
		c.behind_nat = i & 2;
		g.owner = "alice@example.net";
		gate_start(&g);
		ok(client_phase1(&c, &g) && kit_state() == IKE_ST_AUTHED && g.leases == 1,
		   "%s: a certificate alone logs in", mode_names[i & 1]);
		client_to(&c, &g, client_config(&c, want, 1));
		ok(client_open(&c, client_answer(&g)) == 0 && client_take_address(&c) &&
			   client_quick(&c, &g) && client_keys_match(&c, &g),
		   "  the client asks for its address and has a pair");
		sa = client_sa(&c, &g);
		ok(sa && strcmp(sa->user, "alice@example.net") == 0 &&
			   gate_count(&g, FX_AUTH, IKE_R__COUNT) == 0 &&
			   ike_counter(g.ike, IKE_C_LOGIN_OK) == 1,
		   "  the user is the certificate's owner, and no password was asked for");
		ok(client_phase1(&c, &g) && ike_sessions(g.ike) == 1 &&
			   ike_counter(g.ike, IKE_C_RENEWED) == 1,
		   "  it renews phase 1");
		kit_end("  alone");

		prepare_alone(i & 1);
		gate_start(&g);
		client_phase1(&c, &g);
		gate_pass(&g, S(4));
		ok(client_open(&c, gate_out(&g, 0)) == 0 && c.cfg.type == CFG_SET &&
			   client_take_address(&c),
		   "%s: a client that does not ask is told its address", mode_names[i & 1]);
		kit_end("  pushed");
	}
}

static void test_alone_refused(void)
{
	static const char *const names[] = { "", "a\tb", "\xff", NULL };
	static char too_long[LIMIT_USER + 2];

	memset(too_long, 'a', LIMIT_USER + 1);
	for (unsigned i = 0; i < 4; i++) {
		prepare_alone(i & 1);
		g.owner = names[i] ? names[i] : too_long;
		gate_start(&g);
		client_phase1(&c, &g);
		ok(kit_state() == -1 && g.leases == 0 && kit_sound() &&
			   gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE) == 1,
		   "a certificate of somebody without a usable name %u: refused", i);
		gate_stop(&g);
	}
	for (unsigned i = 0; i < 4; i++) {
		bool full = i & 2;
		struct client other;

		prepare_alone(i & 1);
		g.conf.sessions_per_user = 1;
		if (full)
			g.lease_reason = IKE_R_POOL_EXHAUSTED;
		gate_start(&g);
		if (!full && !client_phase1(&c, &g))
			abort();
		kit_another(&other, "192.0.2.77:500");
		other.main = c.main;
		other.auth = AUTH_RSA_SIG;
		client_phase1(&other, &g);
		ok(client_sa(&other, &g)->state == IKE_ST_CLOSING && kit_sound() &&
			   gate_count(&g, FX_DOWN,
				      full ? IKE_R_POOL_EXHAUSTED : IKE_R_TOO_MANY_OF_USER) == 1 &&
			   ike_counter(g.ike, IKE_C_LOGIN_FAILED) == 1,
		   "%s: %s: the client is told, and deleted", mode_names[i & 1],
		   full ? "no address is left" : "the user has a session");
		g.lease_reason = IKE_R_NONE;
		gate_pass(&g, S(20));
		is_int(ike_half_open(g.ike), 0, "  nothing is left of it");
		gate_stop(&g);
	}
}

/* What was under way when the daemon was replaced. */
static void test_alone_saved(void)
{
	static uint8_t rec[8192];
	struct sess_id id;
	size_t n;

	prepare_alone(true);
	gate_start(&g);
	if (!client_phase1(&c, &g) ||
	    ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) < 0)
		abort();
	gate_stop(&g);
	gate_start(&g);
	is_int(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id), 0, "a login is restored");
	gate_pass(&g, S(4));
	ok(client_open(&c, gate_out(&g, 0)) == 0 && c.cfg.type == CFG_SET,
	   "and the client told its address, not a verdict that it does not know");
	gate_stop(&g);
}

int main(void)
{
	test_logins();
	test_requests();
	test_refused();
	test_forged();
	test_waiting();
	test_bounds();
	test_hash_instead();
	test_renewal();
	test_alone();
	test_alone_refused();
	test_alone_saved();
	return done();
}
