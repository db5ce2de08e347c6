/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_rsasig.c - clients that log in by a certificate alone, RSA or ECDSA: who they are, and what
 * they are told.
 */
#include "certificate_kit.h"
#include "ike/idmatch.h"

static void test_alone(void)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS };

	for (unsigned i = 0; i < 8; i++) {
		const struct ike_sa *sa;

		prepare_alone(i & 1);
		c.behind_nat = i & 2;
		if (i & 4) {
			g.conf.auth[g.conf.n_auth - 1] = c.auth = AUTH_ECDSA_384;
			c.alg = g.conf.p1[5]; /* with SHA-384 */
		}
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

/* By the identity that the certificate bears out. Main mode: aggressive mode asks before it answers. */
static void test_alone_profile(void)
{
	static struct id_match staff;
	static const struct {
		uint16_t auth, named;
		const char *what;
	} cases[] = {
		{ AUTH_RSA_SIG, AUTH_RSA_SIG, "rsasig" },
		{ AUTH_ECDSA_384, AUTH_ECDSA_256, "ecdsa on another curve" },
		{ AUTH_RSA_SIG, AUTH_XAUTH_RSA, "a method that the profile does not name" },
	};

	id_match_parse(span_str("keyid:staff"), &staff);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ike_profile p = { .name = "lab",
					 .pool = "other",
					 .id = &staff,
					 .n_ids = 1,
					 .auth = { cases[i].named },
					 .n_auth = 1 };

		prepare_alone(true);
		c.auth = g.conf.auth[g.conf.n_auth++] = cases[i].auth;
		if (auth_is_ecdsa(c.auth))
			c.alg = g.conf.p1[5]; /* with SHA-384 */
		p.modecfg = g.conf.modecfg;
		g.conf.profile = &p;
		g.conf.n_profiles = 1;
		g.hold = GATE_HOLD(LEASE);
		gate_start(&g);
		client_phase1(&c, &g);
		if (cases[i].auth == AUTH_RSA_SIG && cases[i].named != AUTH_RSA_SIG) {
			ok(g.n_jobs == 0 && gate_count(&g, FX_DOWN, IKE_R_PROFILE_PHASE1) == 1,
			   "%s: refused, without an address", cases[i].what);
			gate_pass(&g, S(20));
			ok(ike_half_open(g.ike) == 0 && kit_sound(), "  nothing is left of it");
		} else {
			ok(g.n_jobs == 1 && strcmp(g.job[0].pool, "other") == 0 &&
				   strcmp(client_sa(&c, &g)->profile, "lab") == 0,
			   "%s: the profile of the identity, and its pool", cases[i].what);
		}
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
	test_alone();
	test_alone_refused();
	test_alone_profile();
	test_alone_saved();
	return done();
}
