/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gateway.c - puts the parts together, runs the loop, takes them apart again.
 *
 * Order of starting: what can refuse without a trace comes first (configuration, certificate),
 * then the kernel, then the sockets; a client is heard only when everything behind is ready.
 */
#include "gateway.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "cleanup.h"
#include "random.h"
#include "text.h"

#define EXIT_CONFIG 6

uint64_t gw_now_us(const struct gw *gw)
{
	uint64_t now = 0;

	sd_event_now(gw->event, CLOCK_BOOTTIME, &now);
	return now;
}

uint64_t gw_real_s(void)
{
	return (uint64_t)time(NULL);
}

struct gw_session *gw_session(struct gw *gw, struct sess_id id)
{
	struct gw_session *g;

	if (id.slot >= gw->n_session) {
		uint32_t n = gw->n_session ? gw->n_session : 64;

		while (n <= id.slot)
			n *= 2;
		g = realloc(gw->session, n * sizeof(*g));
		if (!g)
			return NULL;
		memset(g + gw->n_session, 0, (n - gw->n_session) * sizeof(*g));
		gw->session = g;
		gw->n_session = n;
	}
	g = &gw->session[id.slot];
	if (g->gen != id.gen)
		*g = (struct gw_session){ .gen = id.gen };
	return g;
}

void gw_settle(struct gw *gw)
{
	uint64_t due;

	gw_run_effects(gw);
	due = ike_deadline(gw->ike);
	if (due == UINT64_MAX) {
		sd_event_source_set_enabled(gw->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(gw->timer, due);
	sd_event_source_set_enabled(gw->timer, SD_EVENT_ONESHOT);
}

/* ---- events ---- */

static void on_datagram(void *ctx, const struct ike_dgram *d)
{
	struct gw *gw = ctx;

	ike_input(gw->ike, d, gw_now_us(gw), gw->fx);
	gw_settle(gw);
}

/* Says once when the disk stops taking leases, and once when it takes them again. */
static void watch_leases(struct gw *gw)
{
	struct leasedb_health h;

	if (!gw->leases)
		return;
	leasedb_health(gw->leases, &h);
	if (h.failing == gw->leases_failing)
		return;
	gw->leases_failing = h.failing;
	if (h.failing)
		log_err("leases go on in memory, but the database does not take them: %s",
			h.last_error);
	else
		log_notice("the lease database works again");
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct gw *gw = userdata;

	(void)src;
	(void)usec;
	ike_tick(gw->ike, gw_now_us(gw), gw->fx);
	gw_settle(gw);
	watch_leases(gw);
	return 0;
}

static int on_signal(sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	struct gw *gw = userdata;

	(void)src;
	log_info("stopping on %s", si->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
	return sd_event_exit(gw->event, EXIT_SUCCESS);
}

/* ---- starting ---- */

static int load_config(struct gw *gw, const char *path)
{
	char err[600];
	const char *w;
	int rc = config_load(path, stderr, &gw->config);

	if (rc < 0) {
		log_err("the configuration is not valid: vpngw --check-config says where");
		return EXIT_CONFIG;
	}
	rc = config_load_psk(gw->config, false, stderr);
	if (rc < 0) {
		log_err("the shared keys cannot be used: vpngw --check-config says why");
		return EXIT_CONFIG;
	}
	rc = creds_load(gw->config, false, &gw->creds, err, sizeof(err));
	if (rc < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	creds_to_conf(gw->creds, &gw->config->ike);
	for (size_t i = 0; i < gw->config->n_warnings; i++)
		log_warning("%s", gw->config->warnings[i]);
	for (unsigned i = 0; (w = creds_warning(gw->creds, i)); i++)
		log_warning("%s", w);
	return 0;
}

static int check_forwarding(const struct gw *gw)
{
	bool refuse = gw->config->tunnel.forwarding_check == CONF_FORWARDING_REFUSE;

	if (xfrm_forwarding(AF_INET) != 0)
		return 0;
	log_line(refuse ? LOG_ERR : LOG_WARNING,
		 "the host does not forward IPv4: clients reach nothing behind the gateway "
		 "(sysctl net.ipv4.ip_forward=1)");
	return refuse ? -ENETDOWN : 0;
}

static int make_interface(struct gw *gw)
{
	const struct conf_tunnel *t = &gw->config->tunnel;
	int ifindex, rc;

	if (!*t->interface)
		return 0;
	rc = xfrm_link_add(t->interface, t->esp_frag, &ifindex);
	if (rc < 0) {
		log_err("[tunnel] interface = %s: %s%s", t->interface, strerror(-rc),
			rc == -EOPNOTSUPP
				? ": the kernel has no XFRM interface (modprobe xfrm_interface)"
			: rc == -EEXIST ? ": somebody else's interface has this name"
					: "");
		return rc;
	}
	gw->link_made = true;
	for (size_t i = 0; i < gw->config->n_pools; i++) {
		const struct pool_conf *p = &gw->config->pool[i].pool;
		struct prefix nets[64];
		size_t n = pool_prefixes(p->first, p->size, nets, ARRAY_SIZE(nets));

		rc = xfrm_route_add(ifindex, nets, n);
		if (rc == -EEXIST)
			log_warning("[pool \"%s\"]: somebody else has a route for a part of it",
				    p->name);
		else if (rc < 0)
			log_err("[pool \"%s\"]: route to %s: %s", p->name, t->interface,
				strerror(-rc));
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return 0;
}

static int start_kernel(struct gw *gw)
{
	unsigned sas = 0, policies = 0;
	int rc = xfrm_open(&gw->xfrm);

	if (rc == 0)
		rc = xfrm_sweep(gw->xfrm, &sas, &policies);
	if (rc < 0) {
		log_err("IPsec in the kernel: %s%s", strerror(-rc),
			rc == -EPERM ? ": vpngw needs CAP_NET_ADMIN" : " (modprobe xfrm_user)");
		return rc;
	}
	if (sas || policies)
		log_notice("removed %u IPsec SAs and %u policies of an earlier run", sas, policies);
	rc = xfrm_set_hthresh(gw->xfrm);
	if (rc < 0)
		log_warning("policies cannot be indexed (%s): logins get slower with their number",
			    strerror(-rc));
	rc = check_forwarding(gw);
	return rc < 0 ? rc : make_interface(gw);
}

static int restore_lease(void *ctx, const struct leasedb_row *row)
{
	struct gw *gw = ctx;

	/* Outside the pools by now, or no longer kept: nothing to restore. */
	pool_restore(gw->pools, &row->addr, row->user, row->granted_s, row->released_s,
		     gw_real_s());
	return 0;
}

/* Without the file stickiness is lost, logins are not: never a reason not to start. */
static void open_leases(struct gw *gw, const char *path)
{
	char why[LEASEDB_WHY];
	int rc = leasedb_open(path, &gw->leases, why);

	if (rc == -EBADMSG) {
		log_err("[pool] store = %s: %s: set aside as %s.damaged, users may get other "
			"addresses than before",
			path, why, path);
		rc = leasedb_set_aside(path);
		if (rc == 0)
			rc = leasedb_open(path, &gw->leases, why);
	}
	if (rc == 0)
		rc = leasedb_load(gw->leases, restore_lease, gw);
	if (rc >= 0)
		rc = leasedb_start(gw->leases);
	if (rc < 0) {
		log_err("[pool] store = %s: %s: leases are kept in memory only", path,
			gw->leases ? strerror(-rc) : why);
		gw->leases = leasedb_close(gw->leases);
	}
}

static int start_pools(struct gw *gw)
{
	struct pool_conf conf[LIMIT_POOLS];
	const char *store = gw->config->n_pools ? gw->config->pool[0].store : "";
	int rc;

	for (size_t i = 0; i < gw->config->n_pools; i++)
		conf[i] = gw->config->pool[i].pool;
	rc = pools_new(conf, gw->config->n_pools, &gw->pools);
	if (rc < 0) {
		log_err("address pools: %s", strerror(-rc));
		return rc;
	}
	if (*store)
		open_leases(gw, store);
	return 0;
}

/* The control socket when systemd passed none: for tests and containers. */
static int bind_control(const struct gw *gw, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct group *g = getgrnam(gw->config->listen.control_group);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, 64) < 0)
		return -errno;
	if (g && chown(path, (uid_t)-1, g->gr_gid) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int start_control(struct gw *gw, const struct gw_options *o, const int *fds, unsigned n)
{
	const char *path = o->control ? o->control : CTL_SOCKET;
	int fd = -1, rc;

	for (unsigned i = 0; i < n; i++)
		if (sd_is_socket_unix(fds[i], SOCK_STREAM, 1, NULL, 0) > 0)
			fd = fds[i];
	if (fd < 0)
		fd = bind_control(gw, path);
	rc = fd < 0 ? fd : ctl_server_new(gw->event, fd, &gw_ctl_ops, gw, &gw->ctl);
	if (rc < 0) /* an operator without a view is no reason to leave users outside */
		log_err("control socket %s: %s: vpngwctl will not work", path, strerror(-rc));
	return 0;
}

static int start_loop(struct gw *gw)
{
	sigset_t mask;
	int rc;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	rc = sd_event_default(&gw->event);
	if (rc >= 0)
		rc = sd_event_add_signal(gw->event, NULL, SIGTERM, on_signal, gw);
	if (rc >= 0)
		rc = sd_event_add_signal(gw->event, NULL, SIGINT, on_signal, gw);
	if (rc >= 0)
		rc = sd_event_set_watchdog(gw->event, true);
	if (rc >= 0)
		rc = sd_event_add_time(gw->event, &gw->timer, CLOCK_BOOTTIME, UINT64_MAX, 1000,
				       on_timer, gw);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(gw->timer, SD_EVENT_OFF);
	return rc < 0 ? rc : 0;
}

static int start(struct gw *gw, const struct gw_options *o)
{
	int n = sd_listen_fds(1), rc;
	int fds[64];

	n = n < 0 ? 0 : n > (int)ARRAY_SIZE(fds) ? (int)ARRAY_SIZE(fds) : n;
	for (int i = 0; i < n; i++)
		fds[i] = SD_LISTEN_FDS_START + i;
	gw->fx = calloc(1, sizeof(*gw->fx));
	rc = gw->fx ? start_loop(gw) : -ENOMEM;
	if (rc == 0)
		rc = start_kernel(gw);
	if (rc == 0)
		rc = start_pools(gw);
	if (rc == 0)
		rc = ike_new(&gw->config->ike, random_source, &gw->ike);
	if (rc == 0)
		rc = workers_new(gw->event, 0, gw->creds, gw_work_done, gw, &gw->workers);
	if (rc == 0)
		rc = auth_client_new(gw->event, o->auth, gw->config->auth.deadline_s, gw_auth_reply,
				     gw, &gw->auth);
	if (rc == 0)
		rc = traffic_start(gw);
	if (rc == 0)
		rc = start_control(gw, o, fds, (unsigned)n);
	if (rc == 0)
		rc = net_new(gw->event, gw->config, fds, (unsigned)n, on_datagram, gw, &gw->net);
	if (rc < 0)
		log_err("cannot start: %s", strerror(-rc));
	return rc;
}

/* ---- stopping ---- */

static void end_sessions(struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;
	unsigned n = 0;

	while ((sa = ike_next(gw->ike, &cursor))) {
		ike_close(gw->ike, sa->id, IKE_R_SHUTDOWN, gw_now_us(gw), gw->fx);
		gw_run_effects(gw);
		n++;
	}
	if (n)
		log_info("told %u clients that the gateway stops", n);
}

static void stop(struct gw *gw)
{
	unsigned sas, policies;

	if (gw->ike && gw->net)
		end_sessions(gw);
	if (gw->xfrm)
		xfrm_sweep(gw->xfrm, &sas, &policies);
	if (gw->link_made)
		xfrm_link_del(gw->config->tunnel.interface);
	ctl_server_free(gw->ctl);
	net_free(gw->net);
	auth_client_free(gw->auth);
	workers_free(gw->workers);
	ike_free(gw->ike);
	leasedb_close(gw->leases);
	pools_free(gw->pools);
	xfrm_close(gw->xfrm);
	sd_event_source_disable_unref(gw->timer);
	sd_event_source_disable_unref(gw->sampler);
	sd_event_unref(gw->event);
	if (gw->fx) {
		fx_reset(gw->fx);
		free(gw->fx);
	}
	free(gw->session);
	free(gw->check);
	free(gw->counted);
	creds_free(gw->creds);
	config_free(gw->config);
}

int gw_main(const struct gw_options *o)
{
	struct gw gw = { .config_path = o->config ? o->config : SYSCONFDIR CONFIG_FILE,
			 .since_s = gw_real_s() };
	int rc = load_config(&gw, o->config);

	if (rc == 0)
		rc = start(&gw, o) < 0 ? EXIT_FAILURE : 0;
	if (rc == 0) {
		log_notice("vpngw " VERSION " is ready: %s",
			   *creds_subject(gw.creds) ? creds_subject(gw.creds) : gw.config_path);
		sd_notify(0, "READY=1\nSTATUS=Waiting for clients");
		rc = sd_event_loop(gw.event);
		rc = rc < 0 ? EXIT_FAILURE : rc;
		sd_notify(0, "STOPPING=1");
	}
	stop(&gw);
	return rc;
}
