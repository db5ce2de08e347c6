/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_reload.c - a reload of a whole gateway, but for its sockets: a hundred sessions of another
 * gateway in memory are put into it, with their addresses. Needs a network namespace of its own.
 */
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "config_dir.h"
#include "gateway.h"
#include "ike_kit.h"
#include "log_kept.h"
#include "random.h"

#define MANY 100

static struct gw gw;

static const char base[] = "[gateway]\n"
			   "certificate = %s/now.pem\n"
			   "private_key = %s/now.key\n"
			   "[tunnel]\n"
			   "interface = none\n"
			   "[pool \"default\"]\n"
			   "network4 = 10.99.99.1\n"
			   "store = none\n";

/* The configuration: the base and these lines. */
static void configure(const char *more)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), base, dir, dir);

	snprintf(text + n, sizeof(text) - (size_t)n, "%s", more);
	put("vpngw.conf", text);
}

static void copy(const char *from, const char *to)
{
	char line[1024];

	snprintf(line, sizeof(line), "cp %s %s", below(from), below(to));
	if (system(line) != 0)
		abort();
}

/* Some line, or a field of one, has this in it. */
static bool log_has(const char *text)
{
	for (unsigned i = 0; i < kept_n && i < LOG_KEPT; i++) {
		if (strstr(kept[i].message, text))
			return true;
		for (unsigned k = 0; k < kept[i].n; k++)
			if (strstr(kept[i].field[k], text))
				return true;
	}
	return false;
}

static const struct ctl_peer root = { .pid = 1, .user = "root" };

static int load(struct ctl_reload *r)
{
	kept_none();
	return gw_reload(&gw, true, &root, r);
}

static const struct ctl_change *change_of(const struct ctl_reload *r, const char *setting)
{
	for (size_t i = 0; i < r->n_changes; i++)
		if (strcmp(r->change[i].setting, setting) == 0)
			return &r->change[i];
	return NULL;
}

/* ---- the gateway ---- */

static void nothing(void *ctx, const struct work *w)
{
	(void)ctx, (void)w;
}

static int no_time(sd_event_source *s, uint64_t usec, void *userdata)
{
	(void)s, (void)usec, (void)userdata;
	return 0;
}

static bool start(void)
{
	static char path[256];
	char err[CREDS_WHY];
	int rc;

	snprintf(path, sizeof(path), "%s/vpngw.conf", dir);
	gw.config_named = path;
	gw.any_kernel = true;
	gw.fx = calloc(1, sizeof(*gw.fx));
	if (sd_event_new(&gw.event) < 0 ||
	    sd_event_add_time(gw.event, &gw.timer, CLOCK_BOOTTIME, UINT64_MAX, 0, no_time, &gw) <
		    0 ||
	    config_load(gw.config_named, stderr, &gw.config) < 0 ||
	    creds_load(gw.config, NULL, &gw.creds, err, sizeof(err)) < 0)
		abort();
	creds_to_conf(gw.creds, &gw.config->ike);
	rc = xfrm_open(&gw.xfrm);
	if (rc < 0) {
		skip(1, "no IPsec in this kernel, or no right to it: %s", strerror(-rc));
		return false;
	}
	if (pools_new(&gw.config->pool[0].pool, 1, &gw.pools) < 0 ||
	    ike_new(&gw.config->ike, random_source, &gw.ike) < 0 ||
	    workers_new(gw.event, 1, gw.creds, NULL, nothing, &gw, &gw.workers) < 0)
		abort();
	return true;
}

static void stop(void)
{
	workers_free(gw.workers);
	ike_free(gw.ike);
	pools_free(gw.pools);
	creds_free(gw.creds);
	config_free(gw.config);
	xfrm_close(gw.xfrm);
	sd_event_source_disable_unref(gw.timer);
	sd_event_unref(gw.event);
	fx_reset(gw.fx);
	free(gw.fx);
	free(gw.session);
	free(gw.stale);
}

/* ---- its sessions ---- */

static struct {
	struct sess_id id;
	char name[IKE_SESSION_NAME], user[LIMIT_USER + 1];
	struct ipaddr lease;
} was[MANY];

static void log_in_all(void)
{
	static uint8_t rec[65536];
	struct client *one = calloc(1, sizeof(*one));

	kit_fresh();
	g.any_user = true;
	prefix_parse("fd00:99::/64", &g.network6);
	for (unsigned i = 0; i < MANY; i++) {
		const struct ike_sa *sa;
		char self[32];
		size_t n;

		snprintf(self, sizeof(self), "192.0.2.%u:500", i + 1);
		kit_another(one, self);
		if (!client_up(one, &g) ||
		    ike_save(g.ike, client_sa(one, &g)->id, rec, sizeof(rec), &n) < 0 ||
		    ike_restore(gw.ike, (struct span){ rec, n }, gw_now_us(&gw), &was[i].id) < 0)
			abort();
		sa = ike_find(gw.ike, was[i].id);
		ike_session_name(sa, was[i].name);
		was[i].lease = sa->lease;
		snprintf(was[i].user, sizeof(was[i].user), "%s", sa->user);
		if (pool_adopt(gw.pools, &sa->lease, sa->user, 1) < 0)
			abort();
	}
	free(one);
	gate_stop(&g);
}

/* Each session is the one that it was, and has its address by lease. */
static bool all_there(void)
{
	unsigned leased = 0, there = 0;
	struct pool_lease l;
	uint32_t cursor = 0;
	char name[IKE_SESSION_NAME];

	for (unsigned i = 0; i < MANY; i++) {
		const struct ike_sa *sa = ike_find(gw.ike, was[i].id);

		there += sa && sa->state == IKE_ST_UP && ipaddr_eq(&sa->lease, &was[i].lease) &&
			 strcmp(sa->user, was[i].user) == 0 &&
			 strcmp(ike_session_name(sa, name), was[i].name) == 0;
	}
	while (pool_next(gw.pools, gw_real_s(), &cursor, &l))
		leased += l.leased;
	if (there != MANY || leased != MANY || ike_sessions(gw.ike) != MANY)
		printf("# %u sessions, %u leases\n", there, leased);
	return there == MANY && leased == MANY && ike_sessions(gw.ike) == MANY;
}

/* ---- tests ---- */

static void test_same(void)
{
	struct ctl_reload r = { 0 };

	is_int(load(&r), 0, "the same files are loaded again");
	is_int((long long)r.n_changes, 0, "and nothing differs");
	ok(log_has("config-loaded") && log_has("0 settings differ"), "which the journal tells");
	ctl_reload_clear(&r);
}

static void test_values(void)
{
	struct ctl_reload r = { 0 };
	const struct ctl_change *change;

	put("motd", "Welcome\n");
	configure("sticky = 1d\n[mode_cfg]\ndns4 = 10.0.0.1\ndns4 = 10.0.0.2\nbanner = motd\n"
		  "[phase1]\ndpd_delay = 20s\n");
	is_int(load(&r), -EINVAL, "a banner that is not found is a mistake");
	ok(r.n_messages == 1 && strstr(r.message[0], "vpngw.conf:13:10: banner"),
	   "with its place: %s", r.n_messages ? r.message[0] : "");
	ok(log_has("config-refused") && log_has("vpngw.conf:13:10"), "in the journal as well");
	ok(!gw.config->banner && gw.config->ike.modecfg.n_dns == 0, "and nothing has changed");
	ctl_reload_clear(&r);

	configure("sticky = 1d\n[mode_cfg]\ndns4 = 10.0.0.1\ndns4 = 10.0.0.2\n"
		  "[phase1]\ndpd_delay = 20s\n");
	is_int(gw_reload(&gw, false, &root, &r), 0, "what would change can be asked");
	ok(r.n_changes == 3 && gw.config->ike.modecfg.n_dns == 0, "and does not change by that");
	ctl_reload_clear(&r);
	is_int(load(&r), 0, "other values are taken over");
	change = change_of(&r, "[mode_cfg] dns4");
	ok(change && strcmp(change->from, "") == 0 &&
		   strcmp(change->to, "10.0.0.1, 10.0.0.2") == 0 && !change->remedy,
	   "each is told, with what it was");
	ok(change_of(&r, "[pool \"default\"] sticky") && change_of(&r, "[phase1] dpd_delay"),
	   "by section and name");
	ok(gw.config->ike.modecfg.n_dns == 2 && log_has("[mode_cfg] dns4: (empty) -> 10.0.0.1, "),
	   "and in the journal");
	ctl_reload_clear(&r);
}

static void test_fixed(void)
{
	struct ctl_reload r = { 0 };
	const struct ctl_change *change;

	configure("[listen]\nisakmp = 0.0.0.0:501\n[tunnel]\ninterface = vpn7\nesp_frag = 600\n"
		  "[auth]\nworkers = 9\n[mode_cfg]\ndns4 = 10.0.0.9\n");
	is_int(load(&r), 0, "what cannot change does not keep the rest from it");
	is_int(gw.config->ike.modecfg.n_dns, 1, "which has");
	change = change_of(&r, "[listen] isakmp");
	ok(change && change->remedy && strcmp(change->remedy, "systemctl restart vpngw") == 0,
	   "sockets are named, with what to do");
	ok(change_of(&r, "[tunnel] interface") && change_of(&r, "[tunnel] interface")->remedy,
	   "as is the interface");
	ok(change_of(&r, "[tunnel] esp_frag") && change_of(&r, "[tunnel] esp_frag")->remedy,
	   "and the size of packets in it");
	change = change_of(&r, "[auth] workers");
	ok(change && change->remedy && strstr(change->remedy, "vpngw-authd"),
	   "and what is vpngw-authd's");
	ok(log_has("before it holds: systemctl restart vpngw"), "in the journal, too");
	ok(gw.config->listen.n_isakmp == 2 && !*gw.config->tunnel.interface &&
		   gw.config->tunnel.esp_frag == 0,
	   "they are as they were");
	ctl_reload_clear(&r);
	is_int(load(&r), 0, "the next time");
	ok(change_of(&r, "[listen] isakmp") && change_of(&r, "[tunnel] esp_frag"),
	   "they are named again");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "the base again");
	ok(!change_of(&r, "[listen] isakmp"), "has nothing that must wait");
	ctl_reload_clear(&r);
}

static void test_rules(void)
{
	struct ctl_reload r = { 0 };
	const struct ctl_change *change;

	configure("[tunnel]\nmssclamp = 512\n");
	is_int(load(&r), 0, "rules of the firewall come into use");
	change = change_of(&r, "[tunnel] mssclamp");
	ok(r.n_changes == 1 && change && change->remedy && strstr(change->remedy, "vpngw-nft"),
	   "which are another unit's");
	ctl_reload_clear(&r);
	configure("pool_size = 200\n[tunnel]\ninterface = none\nmssclamp = 512\n");
	is_int(load(&r), 0, "they know the pools");
	change = change_of(&r, "[tunnel] mssclamp: firewall rules");
	ok(change && change->remedy, "so those that change want it, too");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and they go");
	ctl_reload_clear(&r);
}

static void test_credentials(void)
{
	struct ctl_reload r = { 0 };
	struct creds *before = gw.creds;

	copy("b/vpn.example.net.pem", "now.pem");
	is_int(load(&r), -EINVAL, "a certificate without its key is refused");
	ok(r.n_messages == 1 && strstr(r.message[0], "vpngw.conf:3:15: ") &&
		   strstr(r.message[0], "does not belong to certificate"),
	   "and why: %s", r.n_messages ? r.message[0] : "");
	ok(gw.creds == before, "the former one stays");
	ctl_reload_clear(&r);
	put("now.key", "nonsense\n");
	is_int(load(&r), -EINVAL, "nor is a key that is none");
	ctl_reload_clear(&r);
	copy("b/vpn.example.net.key", "now.key");
	is_int(load(&r), 0, "both are taken over");
	ok(gw.creds != before && change_of(&r, "[gateway] certificate: content") &&
		   change_of(&r, "[gateway] private_key: content"),
	   "and told, though no setting differs");
	ok(span_eq(gw.config->ike.cert[0], gw.config->ike.cert[0]) && gw.config->ike.n_certs == 1,
	   "the core has the new certificate");
	ctl_reload_clear(&r);
}

static void test_shared_keys(void)
{
	struct ctl_reload r = { 0 };
	char more[512];

	put("psk", "0.0.0.0/0 one-key-that-is-long-enough-to-do\n");
	snprintf(more, sizeof(more),
		 "[phase1]\nauthentication = hybrid_rsa, xauth_psk\npsk_file = %s\n", below("psk"));
	configure(more);
	is_int(load(&r), 0, "shared keys come into use");
	ok(log_has("everybody who knows the shared key can pose"), "with a warning");
	ctl_reload_clear(&r);
	put("psk", "0.0.0.0/0 another-key-that-is-long-enough\n");
	is_int(load(&r), 0, "their file is read again");
	ok(r.n_changes == 1 && change_of(&r, "[phase1] psk_file: content") &&
		   !change_of(&r, "[phase1] psk_file: content")->to && !log_has("another-key"),
	   "and told without its content");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and they are dropped");
	ctl_reload_clear(&r);
}

static void test_cas(void)
{
	struct ctl_reload r = { 0 };
	char more[512];

	copy("a/ca.pem", "ca.pem");
	snprintf(more, sizeof(more),
		 "[phase1]\nauthentication = hybrid_rsa, xauth_rsa\nca_file = %s\n",
		 below("ca.pem"));
	configure(more);
	is_int(load(&r), 0, "CAs of clients come into use");
	ok(gw.trust && gw.config->ike.n_cas == 1, "and clients are asked for their certificates");
	ctl_reload_clear(&r);
	copy("b/ca.pem", "ca.pem");
	is_int(load(&r), 0, "their file is read again");
	ok(r.n_changes == 1 && change_of(&r, "[phase1] ca_file: content"), "and told");
	ctl_reload_clear(&r);
	put("ca.pem", "nonsense\n");
	is_int(load(&r), -EINVAL, "one that holds none is refused");
	ok(gw.trust && gw.config->ike.n_cas == 1, "and the former ones stay");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and they are dropped");
	ok(!gw.trust, "altogether");
	ctl_reload_clear(&r);
}

static void test_pools(void)
{
	struct ctl_reload r = { 0 };

	configure("pool_size = 10\n[phase2]\nproposal = aes256-sha1\n");
	is_int(load(&r), 0, "a pool shrinks under a hundred sessions");
	is_int(pools_draining(gw.pools, "default"), MANY - 10, "those outside drain");
	ok(all_there() && gw.n_stale > 0,
	   "nobody loses an address, nor the network that leads there");
	ctl_reload_clear(&r);
	configure("pool_size = 90\n[pool \"more\"]\nnetwork4 = 10.99.100.1\n");
	is_int(load(&r), 0, "it grows, and there is another");
	ok(pools_count(gw.pools) == 2 && pools_draining(gw.pools, NULL) == MANY - 90 && all_there(),
	   "some are back in it");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and as it was");
	ok(!pools_draining(gw.pools, NULL) && gw.n_stale == 0, "nothing drains");
	ctl_reload_clear(&r);
}

static bool is_stale(const char *text)
{
	struct prefix p;

	prefix_parse(text, &p);
	return nets_have(gw.stale, gw.n_stale, &p);
}

/* The sessions have addresses of fd00:99::/64. */
static void test_ipv6(void)
{
	struct ctl_reload r = { 0 };

	configure("network6 = fd00:99::/64\n");
	is_int(load(&r), 0, "a pool gets an IPv6 network");
	ok(r.n_changes == 1 && change_of(&r, "[pool \"default\"] network6") && gw.n_stale == 0,
	   "which is told");
	ctl_reload_clear(&r);
	configure("network6 = fd00:98::/64\n");
	is_int(load(&r), 0, "and another one");
	ok(gw.n_stale == 1 && is_stale("fd00:99::/64") && all_there(),
	   "sessions have their addresses to the end, and the network that leads there");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and none");
	ok(gw.n_stale == 2 && is_stale("fd00:98::/64") && is_stale("fd00:99::/64"), "the same");
	ctl_reload_clear(&r);
	configure("network6 = fd00:99::1/64\n");
	is_int(load(&r), -EINVAL, "a network with host bits is refused");
	ctl_reload_clear(&r);
	configure("network6 = fd00:99::/64\n");
	is_int(load(&r), 0, "and the first one again");
	ok(gw.n_stale == 0 && all_there(), "then nothing is left of others");
	ctl_reload_clear(&r);
}

static void test_profiles(void)
{
	static const char profile[] = "[phase1]\ndpd_retry = 4s\n"
				      "[profile \"lab\"]\nmatch_id = keyid:lab\nbanner = %s\n%s";
	struct ctl_reload r = { 0 };
	const struct ctl_change *change;
	char more[512];
	uint16_t port = gw.config->ike.modecfg.natt_port;

	put("banner", "Welcome\n");
	snprintf(more, sizeof(more), profile, below("banner"), "");
	configure(more);
	is_int(load(&r), 0, "a profile comes");
	ok(change_of(&r, "[profile \"lab\"] match_id") && gw.config->ike.n_profiles == 1 &&
		   gw.config->ike.profile[0].modecfg.natt_port == port,
	   "it is told, with the port that the gateway listens on");
	ctl_reload_clear(&r);
	put("banner", "Welcome back\n");
	is_int(load(&r), 0, "the file of its banner is read again");
	ok(r.n_changes == 1 && change_of(&r, "[profile \"lab\"] banner: content"), "and told");
	ctl_reload_clear(&r);
	snprintf(more, sizeof(more), profile, below("banner"),
		 "match_group = staff\ndns4 = 10.0.0.7\n[listen]\nisakmp_natt = 0.0.0.0:4501\n");
	configure(more);
	is_int(load(&r), 0, "it changes");
	change = change_of(&r, "[profile \"lab\"] match_group");
	ok(change && change->remedy && strstr(change->remedy, "vpngw-authd"),
	   "vpngw-authd must know whose groups are asked for");
	ok(change_of(&r, "[profile \"lab\"] dns4") &&
		   gw.config->ike.profile[0].modecfg.natt_port == port,
	   "another port waits, for profiles as well");
	ctl_reload_clear(&r);
	configure("");
	is_int(load(&r), 0, "and it goes");
	ok(change_of(&r, "[profile \"lab\"] match_id") && gw.config->ike.n_profiles == 0,
	   "as told");
	ctl_reload_clear(&r);
}

/* A52 */
static void test_ten_times(void)
{
	bool good = true;

	for (unsigned i = 0; i < 10; i++) {
		struct ctl_reload r = { 0 };
		char more[128];

		snprintf(more, sizeof(more), "pool_size = %u\n[mode_cfg]\ndns4 = 10.0.0.%u\n",
			 20 * i + 1, i + 1);
		configure(i % 4 == 3 ? "[mode_cfg]\ndns = 1\n" : more);
		copy(i % 2 ? "b/vpn.example.net.pem" : "a/vpn.example.net.pem", "now.pem");
		copy(i % 2 ? "b/vpn.example.net.key" : "a/vpn.example.net.key", "now.key");
		good &= load(&r) == (i % 4 == 3 ? -EINVAL : 0);
		good &= all_there();
		ctl_reload_clear(&r);
	}
	ok(good, "ten reloads, good ones and bad ones, and all hundred sessions are as they were");
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	char line[512];

	if (system("command -v certtool >/dev/null") != 0) {
		skip(1, "no certtool on this machine");
		return done();
	}
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		skip(1, "no network namespace: %s", strerror(errno));
		return done();
	}
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(
		line, sizeof(line),
		"for d in a b; do scripts/pki quick %s/$d vpn.example.net >/dev/null || exit; done",
		dir);
	if (system(line) != 0)
		abort();
	copy("a/vpn.example.net.pem", "now.pem");
	copy("a/vpn.example.net.key", "now.key");
	configure("");
	kept_none();
	if (start()) {
		log_in_all();
		ok(all_there(), "a hundred sessions are up");
		test_same();
		test_values();
		test_fixed();
		test_rules();
		test_credentials();
		test_shared_keys();
		test_cas();
		test_pools();
		test_ipv6();
		test_profiles();
		test_ten_times();
		ok(all_there(), "and they still are");
		stop();
	}
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
