/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_group_password.c - a shared key in aggressive mode: the group name and group password of
 * Cisco clients and vpnc, for the identities that a profile names and for no others.
 */
#include <errno.h>

#include "hostile_kit.h"
#include "ike/profile.h"
#include "ike/psk.h"

static struct id_match any_staff;
static struct psk_named named[1];
static struct psk_table psks;
static struct ike_profile profile;

static void prepare(void)
{
	id_match_parse(span_str("keyid:staff*"), &any_staff);
	named[0] = (struct psk_named){ .who = any_staff, .key = span_str(GATE_PSK), .line = 7 };
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	psks = *g.conf.psk; /* keys by address, which are not asked */
	psks.named = named;
	psks.n_named = 1;
	g.conf.psk = &psks;
	g.conf.n_auth = 1; /* hybrid_rsa */
	profile = (struct ike_profile){ .name = "legacy",
					.pool = "default",
					.id = &any_staff,
					.n_ids = 1,
					.mode = { XCHG_AGGRESSIVE },
					.n_modes = 1,
					.auth = { AUTH_XAUTH_PSK },
					.n_auth = 1,
					.aggressive_psk = true,
					.modecfg = g.conf.modecfg };
	g.conf.profile = &profile;
	g.conf.n_profiles = 1;
	c.auth = AUTH_XAUTH_PSK;
}

static const char *noted(void)
{
	const struct gate_event *e = gate_last(&g, FX_NOTE);

	return e ? e->text : "";
}

/* A shared key and nothing else: no password, and a name that no login has. */
static void test_psk_alone(void)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS };
	static const struct {
		const char *group, *user;
		bool main;
	} cases[] = {
		{ "staff", "psk:staff", false },
		{ "staff", "psk:staff", true },
		{ "sta\\ff \xc3\xa4", "psk:sta\\ff \xc3\xa4", true },
	};
	static char too_long[LIMIT_USER];
	const char *const wrong[] = { "", "a\tb", "\xff", too_long };

	memset(too_long, 'a', LIMIT_USER - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ike_sa *sa;

		prepare();
		profile.auth[0] = c.auth = g.conf.auth[g.conf.n_auth++] = AUTH_PSK;
		profile.n_modes = 0;
		c.main = cases[i].main;
		c.group_name = cases[i].group;
		gate_start(&g);
		ok(client_phase1(&c, &g), "psk in %s", c.main ? "main mode" : "aggressive mode");
		client_to(&c, &g, client_config(&c, want, 1));
		ok(client_open(&c, client_answer(&g)) == 0 && client_take_address(&c) &&
			   client_quick(&c, &g) && client_keys_match(&c, &g),
		   "  the client has an address and a pair");
		sa = client_sa(&c, &g);
		is_str(sa->user, cases[i].user, "  its user is what it says it is");
		ok(gate_count(&g, FX_AUTH, IKE_R__COUNT) == 0, "  nobody is asked for a password");
		ok(client_phase1(&c, &g) && ike_sessions(g.ike) == 1 &&
			   ike_counter(g.ike, IKE_C_RENEWED) == 1,
		   "  it renews phase 1");
		kit_end("  psk");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		prepare();
		g.conf.n_profiles = 0;
		c.auth = g.conf.auth[g.conf.n_auth++] = AUTH_PSK;
		c.main = true;
		c.group_name = wrong[i];
		gate_start(&g);
		client_phase1(&c, &g);
		ok(g.leases == 0 && gate_count(&g, FX_DOWN, IKE_R_IDENTITY) == 1 &&
			   !*client_sa(&c, &g)->user,
		   "an identity that is no name, %u: refused", i);
		gate_pass(&g, S(20));
		ok(ike_half_open(g.ike) == 0 && kit_sound(), "  nothing is left of it");
		gate_stop(&g);
	}
	prepare();
	c.auth = AUTH_PSK;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(strstr(noted(), "offers authentication psk; the gateway accepts xauth_psk"),
	   "a profile with passwords is not open without: %s", noted());
	kit_end("psk refused");
}

static void test_login(void)
{
	const struct ike_sa *sa;

	prepare();
	g.hold = GATE_HOLD(SIGN);
	gate_start(&g);
	ok(client_up(&c, &g), "a client of the profile logs in with the group's password");
	sa = client_sa(&c, &g);
	ok(sa->mode == XCHG_AGGRESSIVE && sa->auth == AUTH_XAUTH_PSK, "  in aggressive mode");
	is_str(sa->profile, "legacy", "  with that profile");
	is_int(g.n_jobs, 0, "nothing is signed");
	ok(c.got_cert.p == NULL, "and no certificate sent");
	ok(client_keys_match(&c, &g), "the keys are right");
	kit_end("group password");

	prepare();
	c.no_crypto = g.no_crypto = false;
	c.clear_third = true;
	c.behind_nat = true;
	c.vpnc_order = true;
	c.alg = (struct ike_p1){ ENC_AES_CBC, 128, HASH_SHA1, 2 };
	gate_start(&g);
	ok(client_up(&c, &g), "also with all real, a third message in clear and behind a NAT");
	kit_end("for real");

	prepare();
	c.auth = AUTH_HYBRID_INIT_RSA;
	c.group_name = "guests";
	gate_start(&g);
	ok(client_up(&c, &g), "others log in as ever");
	kit_end("others");
}

/* Nothing but a notify comes back, the same whatever it is that is missing: but for the cookies and
 * the message ID, the one that a method gets of which nobody has heard. */
static bool refused(void)
{
	static uint8_t unknown[40];
	uint16_t auth = c.auth;

	c.auth = 65003; /* XAUTHInitDSS */
	client_to(&c, &g, client_first(&c));
	if (g.n_out != 1 || g.out[0].n != sizeof(unknown))
		return false;
	memcpy(unknown, g.out[0].b, sizeof(unknown));
	c.auth = auth;
	client_to(&c, &g, client_first(&c));
	return g.n_out == 1 && g.out[0].n == sizeof(unknown) && ike_half_open(g.ike) == 0 &&
	       g.n_jobs == 0 && memcmp(g.out[0].b + 16, unknown + 16, 4) == 0 &&
	       memcmp(g.out[0].b + 24, unknown + 24, 16) == 0;
}

static void test_refused(void)
{
	prepare();
	gate_start(&g);
	c.group_name = "guests";
	ok(refused(), "an identity without a profile is refused");
	is_str(noted(),
	       "the client offers authentication xauth_psk; the gateway accepts hybrid_rsa "
	       "([phase1] authentication)",
	       "  as any method that is not named");
	kit_end("no profile");

	prepare();
	named[0].who.pattern = span_str("staffing");
	gate_start(&g);
	ok(refused(), "an identity without a key is refused");
	is_str(noted(),
	       "the client offers xauth_psk: [phase1] psk_file has no key for this identity",
	       "  and the journal says so");
	g.conf.psk = NULL;
	ok(refused(), "  and so it is without any keys");
	kit_end("no key");

	prepare();
	profile.aggressive_psk = false;
	gate_start(&g);
	ok(refused(), "a profile that does not allow it refuses");
	kit_end("not allowed");

	prepare();
	c.auth = AUTH_HYBRID_INIT_RSA;
	gate_start(&g);
	ok(refused(), "what [phase1] allows and the profile does not is refused");
	is_str(noted(),
	       "the client offers authentication hybrid_rsa; the gateway accepts xauth_psk "
	       "([profile \"legacy\"] authentication)",
	       "  and the journal names the profile");
	profile.mode[0] = XCHG_MAIN;
	ok(refused(), "and so is an exchange");
	is_str(noted(),
	       "the client uses aggressive mode, which is not answered ([profile \"legacy\"] "
	       "exchange_mode)",
	       "  by the profile's name");
	kit_end("another method");

	prepare();
	g.conf.mode[0] = XCHG_MAIN;
	g.conf.n_modes = 1;
	gate_start(&g);
	c.group_name = "guests";
	ok(refused(), "where others have no aggressive mode");
	c.group_name = "staff";
	ok(client_up(&c, &g), "  a profile may have it for itself alone");
	kit_end("aggressive mode for one");
}

static void test_wrong(void)
{
	prepare();
	c.psk = "rumpelstiltskin";
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	ok(client_second(&c, gate_only(&g)) == -EACCES, "a client with another password sees it");
	client_to(&c, &g, client_third(&c));
	ok(g.n_out == 0 && kit_state() == IKE_ST_AM_SENT, "if it goes on, it is not answered");
	is_int(gate_count(&g, FX_NOTE, IKE_R_SHARED_KEY), 1, "the journal is told");
	is_str(noted(),
	       "message 3 of aggressive mode does not verify with the one for keyid:staff* "
	       "([phase1] psk_file, line 7)",
	       "  which row it is");
	client_to(&c, &g, client_third(&c));
	is_int(gate_count(&g, FX_NOTE, IKE_R_SHARED_KEY), 1, "  once");
	is_int(gate_count(&g, FX_AUTH, IKE_R__COUNT), 0, "nobody is asked for a password");
	kit_end("wrong password");

	prepare();
	c.psk = "rumpelstiltskin";
	c.clear_third = true;
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	client_second(&c, gate_only(&g));
	client_to(&c, &g, client_third(&c));
	ok(g.n_out == 0 && gate_count(&g, FX_NOTE, IKE_R_SHARED_KEY) == 1,
	   "a third message in clear is no better");
	kit_end("wrong password in clear");

	prepare();
	c.psk = "rumpelstiltskin";
	gate_start(&g);
	client_to(&c, &g, client_first(&c));
	gate_pass(&g, S(LIMIT_AM3_WAIT_S));
	ok(kit_state() == -1 && gate_count(&g, FX_NOTE, IKE_R_SHARED_KEY) == 1,
	   "one that says nothing more is told of as well");
	is_str(noted(),
	       "the client did not go on after our proof with the one for keyid:staff* ([phase1] "
	       "psk_file, line 7)",
	       "  by the row");
	kit_end("silence");
}

/* In main mode the identity comes last. */
static void test_main(void)
{
	static struct client other;

	prepare();
	c.main = true;
	c.auth = AUTH_HYBRID_INIT_RSA;
	gate_start(&g);
	client_phase1(&c, &g);
	is_int(kit_state(), IKE_ST_REFUSING, "main mode ends where the profile does not allow it");
	ok(gate_count(&g, FX_DOWN, IKE_R_PROFILE_PHASE1) == 1 &&
		   gate_count(&g, FX_AUTH, IKE_R__COUNT) == 0,
	   "  before anybody is asked for a password");
	is_str(client_sa(&c, &g)->profile, "legacy", "  and it is known which");
	gate_pass(&g, S(60));
	is_int(kit_state(), -1, "  and over");
	kit_another(&other, "192.0.2.56:500");
	other.main = true;
	other.group_name = "guests";
	ok(client_up(&other, &g), "others use it as ever");
	kit_end("main mode");

	prepare();
	profile.mode[0] = XCHG_MAIN;
	profile.auth[0] = AUTH_HYBRID_INIT_RSA;
	profile.aggressive_psk = false;
	c.main = true;
	c.auth = AUTH_HYBRID_INIT_RSA;
	gate_start(&g);
	ok(client_up(&c, &g), "a profile for main mode takes it");
	kit_end("a profile for main mode");
}

int main(void)
{
	test_login();
	test_psk_alone();
	test_refused();
	test_wrong();
	test_main();
	return done();
}
