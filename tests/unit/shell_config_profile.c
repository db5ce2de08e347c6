/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_config_profile.c - [profile "name"]: what it says, what it takes over, and mistakes. */
#include <unistd.h>

#include "config_dir.h"
#include "config_try.h"
#include "ike/names.h"

static void is_told(const char *text, const char *want, const char *name)
{
	struct attempt t = try_text(text, CONF_TO_RUN);

	is_str(t.told, want, name);
	try_end(&t);
}

static void is_span(struct span got, const char *want, const char *name)
{
	is_bytes(got, span_str(want), name);
}

#define GLOBAL                                                                       \
	LEAST "[mode_cfg]\ndns4 = 10.0.12.1, 10.0.12.2\nwins4 = 10.0.12.3\n"         \
	      "default_domain = example.net\nsplit_network = include 10.0.12.0/24\n" \
	      "split_dns = example.net\nbackup_servers = vpn2.example.net\n"         \
	      "[auth]\nsessions_per_user = 3\nunique = keep\nsession_limit = 9h\n"   \
	      "idle_limit = 30m\nsave_passwd = on\n"                                 \
	      "[pool \"lab\"]\nnetwork4 = 10.99.100.1\npool_size = 62\n"             \
	      "netmask4 = 255.255.255.128\n"

static void test_inherited(void)
{
	struct attempt t = try_text(GLOBAL "[profile \"a\"]\nmatch_group = a\n", CONF_TO_RUN);
	const struct ike_profile *p = t.c->ike.profile;

	is_str(t.told, "", "a profile may say nothing but for whom it is");
	if (!ok(t.c->ike.n_profiles == 1, "it is there"))
		return;
	is_str(p->name, "a", "by its name");
	is_str(p->pool, "default", "it has the usual pool");
	ok(p->n_ids == 0 && p->n_groups == 1 && strcmp(p->group[0], "a") == 0, "and one group");
	ok(memcmp(&p->modecfg, &t.c->ike.modecfg, sizeof(p->modecfg)) == 0,
	   "[mode_cfg] holds in it");
	ok(p->limits.sessions_per_user == 3 && p->limits.unique == IKE_UNIQUE_KEEP &&
		   p->limits.session_us == 32400000000 && p->limits.idle_us == 1800000000,
	   "and so does [auth]");
	try_end(&t);
}

static void test_own(void)
{
	struct attempt t;
	const struct ike_profile *p;
	char text[2048];

	put("motd", "Welcome to the lab.\n");
	snprintf(text, sizeof(text),
		 GLOBAL "[profile \"lab\"]\nmatch_id = keyid:lab, fqdn:*.lab.example.net\n"
			"match_group = lab, wheel\npool = lab\ndns4 = 10.0.50.1\nwins4 =\n"
			"default_domain = lab.example.net\nbanner = %s/motd\n"
			"split_network = local_lan 192.168.0.0/16\nsplit_dns = lab.example.net\n"
			"backup_servers =\nsessions_per_user = 0\nunique = replace\n"
			"session_limit = off\nidle_limit = 10m\nsave_passwd = off\n",
		 dir);
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, "", "a profile may say everything");
	p = t.c->ike.profile;
	if (!ok(t.c->ike.n_profiles == 1 && p->n_ids == 2 && p->n_groups == 2, "for whom"))
		return;
	ok(p->id[1].type == ID_FQDN, "  by type");
	is_span(p->id[1].pattern, "*.lab.example.net", "  and pattern");
	is_str(p->pool, "lab", "its pool");
	is_int(p->modecfg.netmask_len, 25, "  whose netmask clients are told");
	ok(p->modecfg.n_dns == 1 && p->modecfg.dns[0].b[2] == 50,
	   "a list of its own replaces that of [mode_cfg]");
	is_int(p->modecfg.n_nbns, 0, "  also an empty one");
	is_span(p->modecfg.default_domain, "lab.example.net", "its domain");
	is_span(p->modecfg.banner, "Welcome to the lab.", "its banner");
	ok(p->modecfg.split == IKE_SPLIT_LOCAL_LAN && p->modecfg.n_split == 1,
	   "networks of its own, of another kind");
	is_span(p->modecfg.split_dns, "lab.example.net", "its split DNS");
	is_int((long long)p->modecfg.backup_servers.n, 0, "no other servers");
	ok(!p->modecfg.save_passwd && p->limits.sessions_per_user == 0 &&
		   p->limits.unique == IKE_UNIQUE_REPLACE && p->limits.session_us == 0 &&
		   p->limits.idle_us == 600000000,
	   "limits of its own");
	ok(t.c->ike.modecfg.n_dns == 2 && t.c->ike.modecfg.split == IKE_SPLIT_INCLUDE &&
		   t.c->ike.session_limit_us == 32400000000,
	   "what holds for others has not changed");
	ok(t.c->auth.n_profile_groups == 2 && strcmp(t.c->auth.profile_groups[1], "wheel") == 0,
	   "whoever looks up groups knows which ones matter");
	try_end(&t);
}

static void test_none(void)
{
	struct attempt t = try_text(
		GLOBAL "[profile \"a\"]\nmatch_id = keyid:a\nsplit_network = none\n"
		       "[profile \"b\"]\nmatch_id = keyid:b\nsplit_network = include 10.1.0.0/16\n",
		CONF_TO_RUN);

	is_str(t.told, "", "split_network = none is a value of its own");
	ok(t.c->ike.n_profiles == 2 && t.c->ike.profile[0].modecfg.split == IKE_SPLIT_NONE &&
		   t.c->ike.profile[0].modecfg.n_split == 0,
	   "it means everything");
	ok(t.c->ike.profile[1].modecfg.split == IKE_SPLIT_INCLUDE &&
		   t.c->ike.profile[1].modecfg.n_split == 1,
	   "and another profile has networks");
	is_str(t.c->ike.profile[0].name, "a", "they stay in the order of the file");
	try_end(&t);
}

static void test_mistakes(void)
{
	char many[4096] = LEAST;

	is_told(LEAST "[profile \"a\"]\ndns4 = 10.0.0.1\n",
		"t.conf:3:1: [profile \"a\"] is for nobody, expected match_id, match_group or "
		"both\n",
		"a profile for nobody is a mistake");
	is_told(LEAST "[profile \"a\"]\nmatch_group = a\npool = b\n",
		"t.conf:5:8: pool: there is no [pool \"b\"], expected the name of one\n",
		"a pool that is not there");
	is_told(LEAST "[profile \"a\"]\nmatch_id = staff\n",
		"t.conf:4:12: match_id: 'staff' is no identity, expected one such as keyid:staff, "
		"fqdn:*.example.net, user_fqdn:*@example.net or asn1dn:/OU=Staff\n",
		"an identity without a type");
	is_told(LEAST "[profile \"a\"]\nmatch_id = keyid:a, asn1dn:CN=*\n",
		"t.conf:4:21: match_id: 'asn1dn:CN=*' is no pattern, expected parts of a subject "
		"such as /OU=Staff/O=Example*\n",
		"a subject without parts");
	is_told(LEAST "[profile \"a\"]\nmatch_id = keyid:a, keyid:a\n",
		"t.conf:4:21: match_id: 'keyid:a' is in the list twice, expected it once\n",
		"the same twice");
	is_told(LEAST "[profile]\n[profile \"a b\"]\n[profile \"c\"]\nmatch_group = c\n"
		      "[profile \"c\"]\n",
		"t.conf:3:1: [profile] has no name, expected one as in [profile \"default\"]\n"
		"t.conf:4:1: 'a b' is no name for a profile, expected letters, digits, '.', '_', "
		"'-'\n"
		"t.conf:7:1: [profile \"c\"] is in line 5 already, expected another name\n",
		"names of profiles");
	is_told(LEAST "[profile \"a\"]\nmatch_group = a\nlifetime = 1h\n",
		"t.conf:5:1: unknown key 'lifetime' in [profile], did you mean it in [phase1]?\n",
		"a key that no profile has");
	is_told(LEAST "[profile \"a\"]\nmatch_group = a\nsession_limit = 5s\n",
		"t.conf:5:17: session_limit: '5s' is out of bounds, expected 1m to 365d\n",
		"bounds are those of the key elsewhere");
	for (unsigned i = 0; i <= LIMIT_PROFILES; i++)
		sprintf(many + strlen(many), "[profile \"p%u\"]\nmatch_group = g\n", i);
	is_told(many, "t.conf:67:1: [profile \"p32\"] is one too many, expected at most 32\n",
		"there is room for 32");
}

static void test_phase1(void)
{
	struct attempt t = try_text(LEAST "[profile \"a\"]\nmatch_id = keyid:a\n"
					  "exchange_mode = main, aggressive\n"
					  "authentication = xauth_psk\n",
				    CONF_TO_RUN);
	const struct ike_profile *p = t.c->ike.profile;

	is_str(t.told, "", "a profile may allow a shared key in aggressive mode");
	ok(p->n_modes == 2 && p->n_auth == 1 && p->aggressive_psk, "it says both");
	ok(t.c->ike.n_auth == 1 && t.c->ike.auth[0] == AUTH_HYBRID_INIT_RSA, "for itself alone");
	is_int((long long)t.c->n_warnings, 1, "there is one warning");
	is_str(t.c->warnings[0],
	       "[profile \"a\"] authentication xauth_psk is weak: in aggressive mode anybody is "
	       "given a hash to guess the shared key from, and everybody who knows it can pose as "
	       "the gateway",
	       "  that says what it means");
	try_end(&t);
	t = try_text(LEAST "[phase1]\nauthentication = xauth_psk\n[profile \"a\"]\n"
			   "match_id = keyid:a\nexchange_mode = aggressive\n"
			   "[profile \"b\"]\nmatch_id = keyid:b\nauthentication = xauth_psk\n",
		     CONF_TO_RUN);
	ok(t.c->ike.n_profiles == 2 && !t.c->ike.profile[0].aggressive_psk &&
		   !t.c->ike.profile[1].aggressive_psk && t.c->n_warnings == 1,
	   "half of it said elsewhere does not allow it");
	try_end(&t);
	is_told(LEAST "[profile \"a\"]\nmatch_group = a\nexchange_mode = main\n"
		      "authentication = hybrid_rsa\n",
		"t.conf:5:17: exchange_mode: without match_id nobody is known in phase 1 to be "
		"meant, expected match_id\n"
		"t.conf:6:18: authentication: without match_id nobody is known in phase 1 to be "
		"meant, expected match_id\n",
		"phase 1 knows no groups");
	is_told(LEAST "[profile \"a\"]\nmatch_id = keyid:a\nauthentication = xauth_psk\n",
		"t.conf:5:18: authentication: xauth_psk that [phase1] does not name needs "
		"aggressive mode, expected exchange_mode to name aggressive in this profile as "
		"well\n",
		"a shared key that nobody could use");
	is_told(LEAST "[profile \"a\"]\nmatch_id = keyid:a\nauthentication = hybrid_rsa, rsasig\n",
		"t.conf:5:18: authentication: expected [phase1] authentication to name all methods "
		"of this profile as well, but for shared keys\n",
		"a certificate that nobody could use");
}

static void test_shown(void)
{
	struct attempt t = try_text(
		LEAST "[profile \"a\"]\nmatch_group = a\ndns4 =\nidle_limit = 10m\n", CONF_TO_SHOW);
	char *text = NULL, *at;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_print_input(t.in, f);
	fclose(f);
	at = strstr(text, "[profile \"a\"]\n");
	if (ok(at != NULL, "a profile is shown"))
		is_str(at,
		       "[profile \"a\"]\n"
		       "match_group = a                                  # t.conf:4\n"
		       "dns4 =                                           # t.conf:5\n"
		       "idle_limit = 10m                                 # t.conf:6\n",
		       "  with what it says and nothing that it takes over");
	free(text);
	try_end(&t);
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	test_inherited();
	test_own();
	test_none();
	test_mistakes();
	test_phase1();
	test_shown();
	unlink(below("motd"));
	rmdir(dir);
	return done();
}
