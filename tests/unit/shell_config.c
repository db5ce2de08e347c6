/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_config.c - the configuration as a whole: defaults, what a full file becomes, files merged,
 * suggestions, what is weak.
 */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_dir.h"
#include "config_try.h"
#include "ike/names.h"
#include "text.h"

/* The whole of a file, with @DIR@ replaced. */
static char *slurp(const char *path)
{
	_cleanup_free_ char *text = NULL;
	char *out = NULL, *at;
	size_t n;

	if (conf_file_read(path, 1 << 20, &text, &n) < 0)
		return NULL;
	at = strstr(text, "@DIR@");
	if (!at)
		return TAKE_PTR(text);
	*at = '\0';
	return asprintf(&out, "%s%s%s", text, dir, at + 5) < 0 ? NULL : out;
}

static void is_span(struct span got, const char *want, const char *name)
{
	is_bytes(got, span_str(want), name);
}

/* ---- values ---- */

static void test_default_p1_p2(const struct ike_conf *ike)
{
	char buf[IKE_NAME_LEN];

	ok(ike->n_modes == 2 && ike->mode[0] == XCHG_AGGRESSIVE && ike->mode[1] == XCHG_MAIN,
	   "aggressive and main mode");
	ok(ike->n_auth == 1 && ike->auth[0] == AUTH_HYBRID_INIT_RSA, "hybrid authentication alone");
	is_int(ike->n_p1, 2, "two phase 1 proposals");
	is_str(ike_p1_str(&ike->p1[0], buf), "aes256-sha256-modp2048", "  the first");
	is_str(ike_p1_str(&ike->p1[1], buf), "aes256-sha1-modp2048", "  the second");
	is_int(ike->p1_life_s, 86400, "an IKE SA lives a day");
	is_int(ike->check, IKE_CHECK_CLAIM, "proposal_check = claim");
	is_int(ike->natt, IKE_NATT_FORCE, "nat_traversal = force");
	is_int(ike->frag, IKE_FRAG_ON, "ike_frag = on");
	is_int(ike->frag_size, 552, "IKE datagrams of at most 552 bytes");
	is_int((long long)ike->retransmit_us, 1000000, "first wait 1 s");
	is_int(ike->retransmit_tries, 5, "5 repetitions");
	ok(ike->retransmit_factor == 2.0, "each twice as long");
	is_int(ike->half_open_total, 1000, "1000 half-open in all");
	is_int(ike->half_open_source, 20, "20 from one address");
	is_int((long long)ike->auth_timeout_us, 60000000, "a login takes a minute at most");
	is_int((long long)ike->dpd_delay_us, 0, "silent clients are not asked");
	is_int((long long)ike->dpd_retry_us, 5000000, "else every 5 s");
	is_int(ike->dpd_maxfail, 5, "5 times");
	is_int(ike->unique, IKE_UNIQUE_NEVER, "unique = never");
	is_int(ike->sessions_per_user, 0, "no bound on a user's sessions");
	is_int((long long)(ike->session_limit_us + ike->idle_limit_us), 0, "no limit of a session");
	is_int(ike->n_p2, 3, "three phase 2 proposals");
	is_str(ike_p2_str(&ike->p2[2], buf), "aes256gcm16", "  the last");
	is_int(ike->n_pfs, 0, "PFS only if the client asks");
	is_int(ike->p2_life_s, 3600, "an ESP SA lives an hour");
	is_int(ike->my_id_type, IKE_ID_ASN1DN, "identity is the certificate's subject");
}

static void test_defaults(void)
{
	struct attempt t = try_text(LEAST, CONF_TO_RUN);
	const struct config *c = t.c;
	const struct ike_modecfg *m = &c->ike.modecfg;
	char buf[ENDPOINT_STRLEN];

	is_str(t.told, "", "two lines are a configuration");
	is_int((long long)c->n_warnings, 0, "the defaults are not weak");
	is_int(c->listen.n_isakmp, 2, "two sockets for IKE");
	is_str(endpoint_str(&c->listen.isakmp[1], buf), "[::]:500", "  one of them IPv6");
	is_str(endpoint_str(&c->listen.isakmp_natt[0], buf), "0.0.0.0:4500", "port 4500");
	is_str(c->listen.control_group, "vpngw-admin", "control_group");
	is_str(c->gateway.certificate, "/etc/vpngw/certs/gateway.pem", "certificate");
	is_str(c->gateway.private_key, "credential:gateway.key", "private_key");
	is_str(c->gateway.my_identifier, "asn1dn", "my_identifier");
	ok(!c->gateway.send_chain, "send_chain = leaf");
	is_str(c->gateway.private_key_at, "t.conf:1:1", "a default stands in the main file");
	test_default_p1_p2(&c->ike);
	is_str(c->psk_file, "/etc/vpngw/psk", "psk_file");
	is_str(c->ca_file, "/etc/vpngw/certs/client-ca.pem", "ca_file");
	ok(!c->crl_file, "no crl_file");
	is_int(c->n_weak_certificates, 0, "no weak_certificates");
	is_int(c->replay_window, 64, "replay_window");
	is_str(c->tunnel.interface, "vpn0", "interface");
	is_int(c->tunnel.esp_frag, 0, "esp_frag");
	is_int(c->tunnel.mssclamp, 0, "mssclamp");
	is_int(c->tunnel.forwarding_check, CONF_FORWARDING_WARN, "forwarding_check");
	ok(c->tunnel.copy_df && c->tunnel.copy_dscp == CONF_COPY_DSCP_OUT, "copy_df, copy_dscp");
	is_int(c->ike.compression, IKE_COMPRESSION_NONE, "compression_algorithm");
	is_int(c->auth.source, CONF_AUTH_PAM, "auth_source");
	is_str(c->auth.pam_service, "vpngw", "pam_service");
	is_str(c->auth.users_file, "/etc/vpngw/users", "users_file");
	is_int(c->auth.workers, 4, "workers");
	is_int(c->auth.max_pending, 256, "max_pending");
	is_int(c->auth.deadline_s, 15, "deadline");
	is_int((long long)c->auth.n_groups, 0, "groups");
	is_int(c->auth.fail_count, 5, "fail_limit: failures");
	is_int(c->auth.fail_window_s, 600, "fail_limit: time");
	is_int((long long)c->n_pools, 1, "one pool");
	is_str(c->pool[0].pool.name, "default", "  its name");
	is_int(c->pool[0].pool.first, 0x0a636301, "  its first address");
	is_int(c->pool[0].pool.size, 253, "  its size");
	is_int(c->pool[0].pool.sticky_s, 30 * 86400, "  its memory");
	is_int(c->pool[0].netmask_len, 32, "  its netmask");
	is_str(c->pool[0].store, "/var/lib/vpngw/leases.db", "  its store");
	is_str(c->banner_file, "", "no banner");
	is_int(m->n_dns + m->n_nbns + m->n_split, 0, "no servers, no networks");
	is_int(m->split, IKE_SPLIT_NONE, "everything goes through the tunnel");
	is_int((long long)(m->banner.n + m->default_domain.n + m->split_dns.n), 0, "no texts");
	is_span(m->version, "vpngw " VERSION, "the version that clients are told");
	is_int(m->natt_port, 4500, "the port for NAT traversal");
	is_int(m->netmask_len, 32, "the netmask that clients are told");
	is_int(m->pfs_group, 0, "no PFS asked for");
	ok(!m->save_passwd, "save_passwd = off");
	try_end(&t);
}

/* The full file without what is not yet supported. */
static void test_full_values(const struct config *c)
{
	const struct ike_modecfg *m = &c->ike.modecfg;
	char buf[ENDPOINT_STRLEN];

	is_str(endpoint_str(&c->listen.isakmp[1], buf), "[2001:db8::1]:500", "full: isakmp");
	is_str(c->gateway.private_key, "/etc/vpngw/private/vpn.example.net.key",
	       "full: private_key");
	is_int(c->ike.my_id_type, IKE_ID_FQDN, "full: my_identifier");
	ok(c->gateway.send_chain, "full: send_chain");
	is_str(c->gateway.certificate_at, "t.conf:11:17", "full: where certificate stands");
	is_str(c->gateway.private_key_at, "t.conf:12:17", "full: where private_key stands");
	is_str(c->gateway.my_identifier_at, "t.conf:13:17", "full: where my_identifier stands");
	ok(c->ike.n_auth == 3 && c->ike.auth[1] == AUTH_XAUTH_RSA &&
		   c->ike.auth[2] == AUTH_XAUTH_PSK,
	   "full: authentication");
	is_str(c->ca_file, "/etc/vpngw/certs/staff-ca.pem", "full: ca_file");
	is_str(c->crl_file, "/etc/vpngw/certs/staff-crl.pem", "full: crl_file");
	ok(c->n_weak_certificates == 2 && c->weak_certificates[1] == CONF_WEAK_RSA1024,
	   "full: weak_certificates");
	is_str(c->psk_file, "credential:psk", "full: psk_file");
	is_int(c->ike.n_p1, 3, "full: proposals on two lines");
	is_int(c->ike.p1[2].group, 2, "full: the last with group 2");
	is_int(c->ike.check, IKE_CHECK_OBEY, "full: proposal_check");
	is_int(c->ike.natt, IKE_NATT_ON, "full: nat_traversal");
	is_int((long long)c->ike.natt_keepalive_us, 20000000, "full: natt_keepalive");
	is_int(c->ike.frag, IKE_FRAG_FORCE, "full: ike_frag");
	is_int(c->ike.frag_size, 576, "full: ike_frag_size");
	ok(c->ike.retransmit_factor == 1.5, "full: retransmit");
	is_int((long long)c->ike.dpd_delay_us, 20000000, "full: dpd_delay");
	is_int((long long)c->ike.dpd_retry_us, 7000000, "full: dpd_retry");
	is_int(c->ike.dpd_maxfail, 3, "full: dpd_maxfail");
	is_int((long long)c->ike.auth_timeout_us, 120000000, "full: auth_timeout");
	is_int(c->ike.pfs_group[1], 2, "full: pfs_group");
	is_int(c->replay_window, 128, "full: replay_window");
	is_str(c->tunnel.interface, "ipsec7", "full: interface");
	is_int(c->tunnel.esp_frag, 552, "full: esp_frag");
	is_int(c->tunnel.mssclamp, 512, "full: mssclamp");
	is_int(c->tunnel.forwarding_check, CONF_FORWARDING_REFUSE, "full: forwarding_check");
	ok(!c->tunnel.copy_df && c->tunnel.copy_dscp == CONF_COPY_DSCP_YES,
	   "full: copy_df, copy_dscp");
	is_int(c->ike.compression, IKE_COMPRESSION_DEFLATE, "full: compression_algorithm");
	is_int(c->auth.source, CONF_AUTH_FILE, "full: auth_source");
	is_int(c->auth.n_radius, 1, "full: auth_server");
	is_int(c->auth.radius[0].retries, 3, "full: its retries");
	is_str(c->auth.nas_identifier, "vpngw1", "full: nas_identifier");
	is_str(c->auth.groups[1], "guests", "full: groups");
	is_int(c->auth.fail_window_s, 300, "full: fail_limit");
	is_int(c->ike.sessions_per_user, 2, "full: sessions_per_user");
	is_int(c->ike.unique, IKE_UNIQUE_REPLACE, "full: unique");
	is_int((long long)(c->ike.session_limit_us / 1000000), 36000, "full: session_limit");
	is_int((long long)(c->ike.idle_limit_us / 1000000), 1800, "full: idle_limit");
	is_int((long long)c->n_pools, 2, "full: two pools");
	is_int(c->pool[1].pool.size, 62, "full: the second is smaller");
	is_str(c->pool[1].store, "/var/lib/vpngw/test.db", "full: both have one store");
	is_int(m->netmask_len, 24, "full: netmask4 of the pool default");
	is_int(m->n_dns, 2, "full: dns4");
	is_str(ipaddr_str(&m->nbns[0], buf), "10.0.12.3", "full: wins4");
	is_span(m->default_domain, "example.net", "full: default_domain");
	is_span(m->split_dns, "example.net,example.org", "full: split_dns");
	is_span(m->backup_servers, "vpn2.example.net,192.0.2.9", "full: backup_servers");
	is_span(m->banner, "Welcome.\nBe kind.", "full: banner");
	is_int(m->split, IKE_SPLIT_INCLUDE, "full: split_network");
	is_str(prefix_str(&m->split_net[1], buf), "10.0.13.0/24", "full: its second network");
	is_int(m->pfs_group, 14, "full: the group that clients are told");
	ok(m->save_passwd, "full: save_passwd");
}

static void test_full(void)
{
	static const char later[] =
		"t.conf:30:19: initial_contact on is not yet supported: it will tell clients that "
		"older sessions are gone; remove it\n"
		"t.conf:69:15: conf_source radius is not yet supported: it will take addresses "
		"from "
		"RADIUS servers; remove it\n"
		"t.conf:85:20: accounting journal is not yet supported: it will write records of "
		"sessions to the journal; remove it\n"
		"t.conf:86:20: interim_interval is not yet supported: it will be the time between "
		"reports on a session; remove it\n"
		"t.conf:88:1: [hooks] is not yet supported: it will run programs when sessions "
		"come "
		"and go; remove it\n";
	_cleanup_free_ char *text = slurp("tests/data/full.conf");
	struct attempt t;

	if (!ok(text != NULL, "tests/data/full.conf is there"))
		return;
	put("motd", "Welcome.\r\nBe kind.\r\n\n");
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, later, "a full file: exactly what is not yet supported is refused");
	test_full_values(t.c);
	try_end(&t);
}

/* ---- files ---- */

static char *load(const struct conf_places *places, struct config **ret, int *ret_rc)
{
	char *told = NULL;
	size_t n;
	FILE *err = open_memstream(&told, &n);

	*ret = NULL;
	*ret_rc = conf_load_from(places, err, ret);
	fclose(err);
	return told;
}

static void test_dropins(void)
{
	struct conf_places places = { .main = put("main.conf", LEAST "[auth]\nworkers = 1\n") };
	static const char *const names[] = { "vendor", "etc", "run" };
	struct config *c;
	char *told, *first;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		places.dropins[i] = strdup(below(names[i]));
		mkdir(places.dropins[i], 0755);
	}
	places.dropins[3] = below("not-there");
	put("vendor/10-a.conf", "[auth]\nworkers = 10\n[mode_cfg]\ndns4 = 10.0.0.10\n");
	put("vendor/50-masked.conf", "[auth]\nworkers = x\n");
	put("etc/50-masked.conf", "");
	put("vendor/60-null.conf", "[auth]\nworkers = x\n");
	if (symlink("/dev/null", below("run/60-null.conf")) < 0)
		abort();
	put("vendor/70-hidden.conf", "[auth]\nworkers = x\n");
	put("etc/70-hidden.conf", "[auth]\nworkers = x\n");
	put("run/70-hidden.conf", "[mode_cfg]\ndns4 = 10.0.0.70\n");
	put("run/20-b.conf", "[auth]\nworkers = 20\n[mode_cfg]\ndns4 = 10.0.0.20, 10.0.0.21\n");
	put("etc/20-z.conf", "[pool \"default\"]\npool_size = 9\n");
	put("etc/README", "no drop-in\n");
	put("etc/.hidden.conf", "no drop-in\n");
	told = load(&places, &c, &rc);
	is_str(told, "", "drop-ins: names without .conf and masked ones are not read");
	is_int(rc, 0, "  and the rest loads");
	if (c) {
		is_int(c->auth.workers, 20, "the last one by name counts, whatever its directory");
		is_int(c->pool[0].pool.size, 9, "a drop-in adds to a pool of the main file");
		is_int(c->ike.modecfg.n_dns, 4, "lists add up over files");
		is_int(c->ike.modecfg.dns[0].b[3], 10, "  in the order of names: first");
		is_int(c->ike.modecfg.dns[3].b[3], 70, "  last");
	}
	free(told);
	config_free(c);

	put("etc/90-bad.conf", "[auth]\nworkers = 0\n");
	put("vendor/05-bad.conf", "[aut]\n");
	told = load(&places, &c, &rc);
	is_int(rc, -EINVAL, "a mistake in a drop-in fails");
	first = told ? strstr(told, "/vendor/05-bad.conf:1:1: unknown section [aut], did you mean "
				    "[auth]?\n")
		     : NULL;
	ok(first && strstr(first, "/etc/90-bad.conf:2:11: workers: "),
	   "  and is told with its file, in the order of files");
	free(told);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free((void *)(uintptr_t)places.dropins[i]);
}

static void test_main_file(void)
{
	struct conf_places places = { .main = below("nothing.conf") };
	char want[512], *told = NULL;
	struct config *c = NULL;
	size_t n;
	FILE *err;
	int rc;

	told = load(&places, &c, &rc);
	snprintf(want, sizeof(want),
		 "%s:1:1: cannot be read: No such file or directory, expected a text file\n",
		 places.main);
	is_str(told, want, "a main file that is missing");
	is_int(rc, -ENOENT, "  returns what the system said");
	free(told);
	if (mkfifo(below("fifo"), 0600) < 0)
		abort();
	places.main = below("fifo");
	told = load(&places, &c, &rc);
	is_int(rc, -EINVAL, "a FIFO is not waited for");
	free(told);

	put("own.conf", LEAST);
	mkdir(below("own.conf.d"), 0755);
	put("own.conf.d/x.conf", "[auth]\nworkers = 7\n");
	err = open_memstream(&told, &n);
	is_int(config_load(below("own.conf"), err, &c), 0, "config_load() reads a named file");
	fclose(err);
	is_int(c ? c->auth.workers : 0, 7, "  and the drop-ins beside it");
	free(told);
	config_free(c);
	is_str(conf_installed.main, SYSCONFDIR "/vpngw/vpngw.conf", "the installed main file");
	is_str(conf_installed.dropins[3], "/run/vpngw/vpngw.conf.d", "the last drop-ins");
}

/* ---- merging in one file ---- */

static void test_merging(void)
{
	struct attempt t = try_text(
		LEAST "[phase1]\nlifetime = 2h\nlifetime = 3h\nproposal = 3des-sha1-modp2048\n"
		      "proposal =\nproposal = aes128-sha1-modp2048\n[phase2]\nlifetime = 2h\n"
		      "lifetime =\npfs_group = 14\npfs_group =\n[mode_cfg]\n"
		      "split_network = include 10.0.0.0/8\nsplit_network = none\n"
		      "split_network = local_lan 10.2.0.0/16\n"
		      "split_network = local_lan 10.3.0.0/16, 10.4.0.0/16\n",
		CONF_TO_RUN);

	is_str(t.told, "", "repeated keys");
	is_int(t.c->ike.p1_life_s, 3 * 3600, "another value replaces");
	is_int(t.c->ike.n_p1, 1, "an empty value clears a list, the default included");
	is_int(t.c->ike.p1[0].key_len, 128, "  and what follows counts");
	is_int(t.c->ike.p2_life_s, 3600, "an empty value gives a key its default again");
	is_int(t.c->ike.n_pfs, 0, "a list can be empty");
	is_int(t.c->ike.modecfg.split, IKE_SPLIT_LOCAL_LAN, "none clears split_network");
	is_int(t.c->ike.modecfg.n_split, 3, "  and lines of one kind add up");
	try_end(&t);
}

static void test_suggestions(void)
{
	struct attempt t =
		try_text("[phse1]\nproposl = nothing is said about keys of an unknown section\n"
			 "[zzzzzzzz]\n[listen \"x\"]\n[phase1]\npropsal = x\ndns4 = 10.0.0.1\n"
			 "zzzzzzzzzzzz = 1\n[phase2]\n proposal =aes256-sha2\n",
			 CONF_TO_SHOW);

	is_str(t.told,
	       "t.conf:1:1: unknown section [phse1], did you mean [phase1]?\n"
	       "t.conf:3:1: unknown section [zzzzzzzz], expected one of vpngw.conf(5)\n"
	       "t.conf:4:1: [listen] has a name, expected [listen]\n"
	       "t.conf:6:1: unknown key 'propsal' in [phase1], did you mean 'proposal'?\n"
	       "t.conf:7:1: unknown key 'dns4' in [phase1], did you mean it in [mode_cfg]?\n"
	       "t.conf:8:1: unknown key 'zzzzzzzzzzzz' in [phase1], expected one of vpngw.conf(5)\n"
	       "t.conf:10:12: proposal: unknown 'aes256-sha2', the integrity algorithm is one of "
	       "sha256, sha256_96, sha384, sha512, sha1, md5\n",
	       "unknown sections and keys are told, with what was meant");
	try_end(&t);
}

static void test_weak(void)
{
	struct attempt t = try_text(
		LEAST "[phase1]\nproposal = aes256-sha256-modp2048, 3des-md5-modp1024\n"
		      "proposal = aes128-sha1-modp1024\n[phase2]\n"
		      "proposal = 3des-md5, aes128-md5\npfs_group = 2, 14, 5\nlifetime = 59s\n",
		CONF_TO_RUN);
	static const char *const want[] = {
		"[phase2] lifetime 59s is weak: below a minute there is hardly time to rekey",
		"[phase1] proposal 3des-md5-modp1024 is weak: 3DES has 64-bit blocks (Sweet32)",
		"[phase1] proposal 3des-md5-modp1024 is weak: MD5 is broken",
		"[phase1] proposal 3des-md5-modp1024 is weak: 1024-bit Diffie-Hellman is within "
		"reach of a state (Logjam)",
		"[phase2] proposal 3des-md5 is weak: 3DES has 64-bit blocks (Sweet32)",
		"[phase2] proposal 3des-md5 is weak: MD5 is broken",
		"[phase2] pfs_group modp1024 is weak: 1024-bit Diffie-Hellman is within reach of a "
		"state (Logjam)",
		"[phase2] pfs_group modp1536 is weak: 1536-bit Diffie-Hellman is below today's "
		"floor of 2048",
	};

	is_str(t.told, "", "what is weak is no mistake");
	is_int((long long)t.c->n_warnings, ARRAY_SIZE(want), "each weakness of a key is told once");
	for (size_t i = 0; i < ARRAY_SIZE(want) && i < t.c->n_warnings; i++)
		is_str(t.c->warnings[i], want[i], "  in a sentence");
	try_end(&t);
}

/* ---- the banner ---- */

static void banner(const char *content, const char *want_told, const char *want, const char *name)
{
	char text[512], expected[512] = "";
	struct attempt t;

	put("motd", content);
	snprintf(text, sizeof(text), LEAST "[mode_cfg]\nbanner = %s\n", below("motd"));
	if (*want_told)
		snprintf(expected, sizeof(expected), "t.conf:4:10: banner: %s %s\n", below("motd"),
			 want_told);
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, expected, name);
	if (!*want_told)
		is_span(t.c->ike.modecfg.banner, want, "  and becomes this");
	try_end(&t);
}

static void test_banner(void)
{
	char text[LIMIT_BANNER + 2];

	banner("Hello\n", "", "Hello", "the last line break goes");
	banner("a\n\nb\t\xc3\xa4\r\n\r\n", "", "a\n\nb\t\xc3\xa4", "inner ones stay, as LF");
	banner("", "", "", "an empty file is no banner");
	banner("a\x1b[2J\n", "holds control characters or is not UTF-8, expected plain text", "",
	       "escape sequences are refused");
	banner("a\xff\n", "holds control characters or is not UTF-8, expected plain text", "",
	       "other encodings, too");
	memset(text, 'x', sizeof(text));
	text[LIMIT_BANNER] = '\n';
	text[LIMIT_BANNER + 1] = '\0';
	banner(text, "", (text[LIMIT_BANNER] = '\0', text), "the longest banner");
	memset(text, 'x', sizeof(text) - 1);
	banner(text, "holds 501 bytes, expected at most 500", "", "a longer one");
}

/* ---- anything at all ---- */

/* Lines with a mistake become comments, until there is none: what is left of the full file. */
static void make_valid(char *text)
{
	for (unsigned round = 0; round < 100; round++) {
		struct attempt t = try_text(text, CONF_TO_RUN);
		bool good = t.in->n_mistakes == 0;

		for (size_t i = 0; i < t.in->n_mistakes; i++) {
			char *line = text;

			for (unsigned n = t.in->mistake[i].at.line; n > 1; n--)
				line = strchr(line, '\n') + 1;
			*line = '#';
		}
		try_end(&t);
		if (good)
			return;
	}
}

/* Texts that are nearly right are taken, or refused with a word about it, and nothing else. */
static void test_mutations(void)
{
	_cleanup_free_ char *base = slurp("tests/data/full.conf");
	static const char bytes[] = " \t\n=,#[]\"x9-.:/\xff";
	_cleanup_free_ char *path = strdup(below("mutant.conf"));
	struct conf_places places = { .main = path };
	size_t n = base ? strlen(base) : 0;
	uint64_t seed = 88172645463325252u;
	unsigned accepted = 0, agreed = 0;

	if (base)
		make_valid(base);
	for (unsigned round = 0; n && round < 1500; round++) {
		_cleanup_free_ char *text = strdup(base), *told = NULL;
		struct config *c;
		int rc;

		for (unsigned i = 0; i < round % 4; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			text[seed % n] = bytes[(seed >> 32) % (sizeof(bytes) - 1)];
		}
		put("mutant.conf", text);
		told = load(&places, &c, &rc);
		accepted += rc == 0;
		agreed += rc == 0 ? c && !*told
				  : rc == -EINVAL && !c &&
					    strncmp(told, places.main, strlen(places.main)) == 0;
		config_free(c);
	}
	is_int(agreed, 1500, "1500 files are refused exactly when a mistake is told");
	printf("# %u of them are accepted\n", accepted);
	ok(accepted >= 375 && accepted < 1400,
	   "those without damage are accepted, and not all of the others");
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	test_defaults();
	test_full();
	test_dropins();
	test_main_file();
	test_merging();
	test_suggestions();
	test_weak();
	test_banner();
	test_mutations();
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
