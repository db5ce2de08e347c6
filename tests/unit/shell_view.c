/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_view.c - what operators are shown of a session, the leases and the gateway itself. The
 * core and the pools are real, the client is the tests' own, the kernel's counters are set.
 */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_try.h"
#include "gateway.h"
#include "ike_kit.h"
#include "log_kept.h"

static char dir[] = "/tmp/vpngw-view-XXXXXX";
static struct gw gw;

/* ---- sessions ---- */

static void count(const struct ike_child *child)
{
	struct gw_counted in = { .dst = child->local.addr,
				 .spi = child->spi_in,
				 .c = { .bytes = 1000, .packets = 10 } },
			  out = { .dst = child->peer.addr,
				  .spi = child->spi_out,
				  .c = { .bytes = 2000, .packets = 20 } };

	gw.counted = calloc(2, sizeof(*gw.counted));
	gw.counted[in.spi > out.spi] = in;
	gw.counted[in.spi <= out.spi] = out;
	gw.n_counted = 2;
}

static void test_session(void)
{
	char name[IKE_SESSION_NAME], addr[ENDPOINT_STRLEN];
	static struct ctl_session s;
	struct gw_session *mine;
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	kit_fresh();
	c.v6 = true;
	prefix_parse("fd00:99::/64", &g.network6);
	g.now = gw_now_us(&gw); /* the client comes in now */
	if (!client_up(&c, &g))
		abort();
	gw.ike = g.ike;
	sa = client_sa(&c, &g);
	count(sa->children);
	mine = gw_session(&gw, sa->id);
	*mine = (struct gw_session){ .gen = mine->gen, .granted_s = 1000, .bytes_in = 5 };

	ok(gw_ctl_ops.session_next(&gw, &cursor, &s), "a session is shown");
	is_str(s.id, ike_session_name(sa, name), "by the name that the journal has");
	ok(strlen(s.id) == 8 && strspn(s.id, "0123456789abcdef") == 8,
	   "which are 8 hex digits, as vpngwctl expects them");
	is_str(s.user, "alice", "its user");
	is_str(s.state, "up", "its state");
	is_str(ipaddr_str(&s.address, addr), "10.99.99.1", "its address");
	is_str(ipaddr_str(&s.address6, addr), "fd00:99::a63:6301", "and the IPv6 one beside it");
	is_str(s.pool, "default", "which is of a pool");
	is_str(endpoint_str(&s.peer, addr), "192.0.2.9:500", "its peer");
	is_str(s.proposal, "aes256-sha256-modp2048", "its proposal");
	is_str(s.nat, "none", "that there is no NAT");
	ok(strlen(s.cookies) == 33 && strncmp(s.cookies + 17, s.id, 8) == 0,
	   "its cookies, of which its name is a part");
	is_int((long long)s.since_s, 1000, "since when");
	ok(s.idle_s < 60, "for how long nothing came");
	ok(s.expires_in_s > 86000 && s.expires_in_s <= 86400, "how long it may last");
	is_int((long long)s.bytes_in, 1005, "what came in, by SAs that are gone as well");
	is_int((long long)s.bytes_out, 2000, "and went out");
	is_int(s.n_children, 1, "its pair of SAs");
	ok(s.child[0].spi_in == sa->children->spi_in && s.child[0].packets_in == 10 &&
		   s.child[0].packets_out == 20,
	   "with its SPIs and packets");
	ok(!gw_ctl_ops.session_next(&gw, &cursor, &s), "there is no other");
	is_int(gw_ctl_ops.kick(&gw, "00000000", &(struct ctl_peer){ 0 }), -ENOENT,
	       "one that is not there cannot be ended");
}

/* ---- leases ---- */

/* alice's session has an address that came with the verdict on her password. */
static void test_own_address(const struct ipaddr *addr)
{
	const struct ike_sa *sa = ike_next(gw.ike, &(uint32_t){ 0 });

	gw_session(&gw, sa->id)->own_address = sa->lease;
	is_int(gw_ctl_ops.lease_pin(&gw, addr, "alice"), -EPERM,
	       "who has an address from elsewhere needs none");
	gw_session(&gw, sa->id)->own_address = (struct ipaddr){ 0 };
}

static void test_leases(void)
{
	struct ipaddr a, b;
	struct ctl_lease l;
	uint32_t cursor = 0;

	is_int(pool_take(gw.pools, "default", "alice", NULL, gw_real_s(), &a), POOL_OK, "a lease");
	is_int(pool_take(gw.pools, "default", "bob", NULL, gw_real_s(), &b), POOL_OK, "another");
	pool_release(gw.pools, &b, gw_real_s());
	ok(gw_ctl_ops.lease_next(&gw, &cursor, &l) && l.leased && strcmp(l.user, "alice") == 0 &&
		   strcmp(l.pool, "default") == 0 && ipaddr_eq(&l.address, &a) && !l.released_s,
	   "the one that is leased is shown");
	ok(gw_ctl_ops.lease_next(&gw, &cursor, &l) && !l.leased && strcmp(l.user, "bob") == 0 &&
		   l.released_s,
	   "and the one that is kept");
	ok(!gw_ctl_ops.lease_next(&gw, &cursor, &l), "and no other");
	is_int(gw_ctl_ops.lease_forget(&gw, &a, NULL), -EBUSY, "a session's own stays");
	is_int(gw_ctl_ops.lease_forget(&gw, &b, NULL), 0, "the kept one can be forgotten");
	is_int(gw_ctl_ops.lease_pin(&gw, &b, "carol"), 0, "and pinned to another user");
	cursor = 1;
	ok(gw_ctl_ops.lease_next(&gw, &cursor, &l) && l.pinned && !l.leased &&
		   strcmp(l.user, "carol") == 0 && ipaddr_eq(&l.address, &b),
	   "as which it is shown");
	is_int(gw_ctl_ops.lease_forget(&gw, &b, NULL), -EEXIST, "then it cannot be forgotten");
	is_int(gw_ctl_ops.lease_pin(&gw, &a, "carol"), -EBUSY, "alice's own is not for carol");
	test_own_address(&b);
	is_int(gw_ctl_ops.lease_unpin(&gw, &b), 0, "it can be unpinned");
	is_int(gw_ctl_ops.lease_unpin(&gw, &b), -ENOENT, "once");
}

/* ---- the gateway ---- */

static void test_stats(void)
{
	struct ctl_stat v;
	unsigned n = 0, good = 0, refusals = 0;

	gw.refused[IKE_R_BUSY] = 3;
	for (; gw_ctl_ops.stat(&gw, n, &v); n++) {
		good += v.name && v.meaning && v.refusal == (refusals > 0 || n >= IKE_C__COUNT + 2);
		refusals += v.refusal;
		if (v.refusal && strcmp(v.name, "busy") == 0)
			is_int((long long)v.value, 3, "a refusal is counted by its reason");
	}
	ok(good == n && n == IKE_C__COUNT + 2 + IKE_R__COUNT - 1,
	   "every counter and every reason is there, with its meaning");
}

static void test_status(void)
{
	static struct ctl_status s;

	gw_ctl_ops.status(&gw, &s);
	is_int(s.sessions, 1, "status counts sessions");
	is_str(s.subject, "CN=vpn.example.net", "names the certificate's subject");
	ok(s.cert_expires_s > gw_real_s(), "and its end");
	is_str(s.authd, "not connected", "says whether passwords can be checked");
	ok(s.n_pools == 1 && s.pool[0].leased == 1 && s.pool[0].size == 253, "shows the pool");
	ok(s.n_counters > 5, "and counters");
	test_stats();
	if (!ok(s.n_warnings == 2, "there are two things to warn about"))
		return;
	kept_none();
	certwatch_look(&gw);
	is_str(kept_field("VPNGW_EVENT"), "cert-expiring", "a certificate that ends is an event");
	ok(strstr(kept_last(), " expires in ") != NULL, "which says when");
	ok(atoll(kept_field("VPNGW_EXPIRES")) == (long long)s.cert_expires_s, "to the second");
	log_divert(NULL, NULL);
	ok(strstr(s.warning[0], "expires in ") != NULL, "the certificate");
	ok(strstr(s.warning[1], "modp1024 is weak: ") != NULL, "and what is weak");
}

static void load_creds(void)
{
	struct conf_gateway *gateway = &gw.config->gateway;
	char line[512], err[CREDS_WHY];

	snprintf(line, sizeof(line), "scripts/pki --days 5 quick %s/pki vpn.example.net >/dev/null",
		 dir);
	if (system(line) != 0)
		abort();
	free(gateway->certificate);
	free(gateway->private_key);
	if (asprintf(&gateway->certificate, "%s/pki/vpn.example.net.pem", dir) < 0 ||
	    asprintf(&gateway->private_key, "%s/pki/vpn.example.net.key", dir) < 0 ||
	    creds_load(gw.config, NULL, &gw.creds, err, sizeof(err)) < 0)
		abort();
}

static void nothing(void *ctx, uint64_t id, const struct auth_reply *r)
{
	(void)ctx, (void)id, (void)r;
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

int main(void)
{
	struct attempt t =
		try_text(LEAST "[phase1]\nproposal = aes256-sha1-modp1024\n", CONF_TO_RUN);

	if (system("command -v certtool >/dev/null") != 0) {
		skip(1, "no certtool on this machine");
		return done();
	}
	if (!mkdtemp(dir) || sd_event_new(&gw.event) < 0)
		return EXIT_FAILURE;
	gw.config = t.c;
	gw.config_path = "t.conf";
	load_creds();
	if (pools_new(&t.c->pool[0].pool, 1, &gw.pools) < 0 ||
	    auth_client_new(gw.event, "/nonexistent/auth", 15, nothing, NULL, &gw.auth) < 0)
		return EXIT_FAILURE;
	test_session();
	test_leases();
	test_status();
	auth_client_free(gw.auth);
	pools_free(gw.pools);
	creds_free(gw.creds);
	free(gw.counted);
	free(gw.session);
	sd_event_unref(gw.event);
	try_end(&t);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	kit_end("a session that was looked at");
	return done();
}
