/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gateway.c - puts the parts together, runs the loop, takes them apart again.
 *
 * Order of starting: what can refuse without a trace comes first (configuration, certificate), then
 * the ports, which say that no other gateway runs here: only then is what is left of an earlier one
 * removed from the kernel. A client is heard when everything behind is ready.
 */
#include "gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "cleanup.h"
#include "control.h"
#include "random.h"
#include "text.h"

#define EXIT_CONFIG 6

/* How long a restart waits for Quick Modes under way, and how often it looks. */
#define PATIENCE_US (2 * UINT64_C(1000000))
#define LOOK_US     UINT64_C(20000)

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

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct gw *gw = userdata;

	(void)src;
	(void)usec;
	ike_tick(gw->ike, gw_now_us(gw), gw->fx);
	gw_settle(gw);
	leases_watch(gw);
	return 0;
}

static int on_patience(sd_event_source *src, uint64_t usec, void *userdata);

/* A pair that is half agreed on would be there for its client alone. */
static int leave_when_quiet(struct gw *gw)
{
	if (!handover_is_busy(gw) || gw_now_us(gw) >= gw->leave_us)
		return sd_event_exit(gw->event, EXIT_SUCCESS);
	return sd_event_add_time_relative(gw->event, NULL, CLOCK_BOOTTIME, LOOK_US, 0, on_patience,
					  gw);
}

static int on_patience(sd_event_source *src, uint64_t usec, void *userdata)
{
	(void)src;
	(void)usec;
	return leave_when_quiet(userdata);
}

static int on_signal(sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	struct gw *gw = userdata;

	(void)src;
	gw->stay = si->ssi_signo == SIGTERM && handover_wanted(gw);
	if (!gw->stay) {
		log_info("stopping on %s", si->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		return sd_event_exit(gw->event, EXIT_SUCCESS);
	}
	log_notice("stopping for a restart: %u sessions go on", ike_sessions(gw->ike));
	gw->leave_us = gw_now_us(gw) + PATIENCE_US;
	return leave_when_quiet(gw);
}

/* ---- starting ---- */

static int load_config(struct gw *gw, const char *path)
{
	char err[CREDS_WHY];
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
	rc = creds_load(gw->config, NULL, &gw->creds, err, sizeof(err));
	if (rc < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	creds_to_conf(gw->creds, &gw->config->ike);
	rc = trust_load(gw->config, &gw->trust, err, sizeof(err));
	if (rc < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	trust_to_conf(gw->trust, &gw->config->ike);
	for (size_t i = 0; i < gw->config->n_warnings; i++)
		log_warning("%s", gw->config->warnings[i]);
	for (unsigned i = 0; (w = creds_warning(gw->creds, i)); i++)
		log_warning("%s", w);
	for (unsigned i = 0; (w = trust_warning(gw->trust, i)); i++)
		log_warning("%s", w);
	return 0;
}

int gw_check_forwarding(bool refuse, int family, int answer)
{
	int prio = refuse ? LOG_ERR : LOG_WARNING;
	bool v6 = family == AF_INET6;

	if (answer > 0)
		return 0;
	if (answer < 0)
		log_line(prio, "[tunnel] forwarding_check: the kernel does not say: %s",
			 strerror(-answer));
	else
		log_line(prio,
			 "the host does not forward IPv%c: clients reach nothing behind the "
			 "gateway (sysctl net.%s=1)",
			 v6 ? '6' : '4', v6 ? "ipv6.conf.all.forwarding" : "ipv4.ip_forward");
	return !refuse ? 0 : answer < 0 ? answer : -ENETDOWN;
}

/* Every pool goes to the interface, but for what somebody else has routed away. */
static int add_routes(const struct gw *gw, int ifindex)
{
	char text[ENDPOINT_STRLEN];

	for (size_t i = 0; i < gw->config->n_pools; i++) {
		const struct pool_conf *p = &gw->config->pool[i].pool;
		struct prefix nets[NETS_OF_POOL];
		size_t failed, n = nets_of_pool(gw->config, i, nets);
		int rc = xfrm_route_add(ifindex, nets, n, &failed);

		if (rc == -EEXIST)
			log_warning("[pool \"%s\"]: somebody else has a route to %s: packets to "
				    "clients with these addresses do not reach %s",
				    p->name, prefix_str(&nets[failed], text),
				    gw->config->tunnel.interface);
		else if (rc < 0)
			log_err("[pool \"%s\"]: route to %s by %s: %s", p->name,
				prefix_str(&nets[failed], text), gw->config->tunnel.interface,
				strerror(-rc));
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return 0;
}

/* Without an interface only policies keep packets for a leased address off the default route. */
static int add_guard(const struct gw *gw)
{
	int rc = 0;

	for (size_t i = 0; i < gw->config->n_pools && rc == 0; i++) {
		const struct pool_conf *p = &gw->config->pool[i].pool;
		struct prefix nets[NETS_OF_POOL];
		size_t n = nets_of_pool(gw->config, i, nets);

		rc = xfrm_guard_add(gw->xfrm, nets, n, handover_fits(gw));
		if (rc < 0)
			log_err("[pool \"%s\"]: the kernel does not block its addresses: %s",
				p->name, strerror(-rc));
	}
	return rc;
}

static int make_interface(struct gw *gw)
{
	const struct conf_tunnel *t = &gw->config->tunnel;
	int ifindex, rc = -ENODEV;

	if (!*t->interface)
		return add_guard(gw);
	if (handover_fits(gw))
		rc = xfrm_link_keep(t->interface, t->esp_frag, &ifindex);
	if (rc == -ENODEV)
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
	return add_routes(gw, ifindex);
}

static int start_kernel(struct gw *gw)
{
	bool refuse = gw->config->tunnel.forwarding_check == CONF_FORWARDING_REFUSE;
	unsigned sas = 0, policies = 0, links = 0;
	int rc = xfrm_open(&gw->xfrm);

	if (rc == 0)
		rc = handover_sweep(gw, &sas, &policies, &links);
	if (rc < 0) {
		log_err("IPsec in the kernel: %s%s", strerror(-rc),
			rc == -EPERM ? ": vpngw needs CAP_NET_ADMIN" : " (modprobe xfrm_user)");
		return rc;
	}
	if (sas || policies || links)
		log_notice("removed %u IPsec SAs, %u policies and %u interfaces of an earlier run",
			   sas, policies, links);
	rc = xfrm_set_hthresh(gw->xfrm);
	if (rc < 0)
		log_warning("policies cannot be indexed (%s): logins get slower with their number",
			    strerror(-rc));
	rc = esp_probe(&gw->config->ike, gw->xfrm);
	if (rc < 0)
		log_err("[phase2] proposal: the kernel can do none of them: nobody gets a tunnel");
	if (rc < 0 && !gw->any_kernel)
		return rc;
	rc = gw_check_forwarding(refuse, AF_INET, xfrm_forwarding(AF_INET));
	if (rc == 0 && wants_ipv6(gw->config))
		rc = gw_check_forwarding(refuse, AF_INET6, xfrm_forwarding(AF_INET6));
	return rc < 0 ? rc : make_interface(gw);
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
	handover_leases(gw);
	handover_nets(gw);
	if (*store)
		leases_open(gw, store);
	return 0;
}

/* The second control socket is there when systemd passes it. */
static void start_look(struct gw *gw, int fd)
{
	int rc = ctl_server_new(gw->event, fd, &gw_ctl_ops, gw, &gw->look);

	if (rc < 0)
		log_err("control socket " CTL_MONITOR ": %s", strerror(-rc));
	else
		ctl_server_read_only(gw->look);
}

static int start_control(struct gw *gw, const struct gw_options *o, const int *fds, unsigned n)
{
	const char *path = o->control ? o->control : CTL_SOCKET,
		   *group = gw->config->listen.control_group;
	int fd = -1, rc;

	for (unsigned i = 0; i < n; i++) {
		if (sd_is_socket_unix(fds[i], SOCK_STREAM, 1, NULL, 0) <= 0)
			continue;
		if (control_is_at(fds[i], CTL_MONITOR))
			start_look(gw, fds[i]);
		else
			fd = fds[i];
	}
	if (fd >= 0)
		control_check(fd, group);
	rc = fd < 0 ? control_bind(path, group, &fd) : 0;
	if (rc == 0)
		rc = ctl_server_new(gw->event, fd, &gw_ctl_ops, gw, &gw->ctl);
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
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	rc = sd_event_default(&gw->event);
	if (rc >= 0)
		rc = sd_event_add_signal(gw->event, NULL, SIGTERM, on_signal, gw);
	if (rc >= 0)
		rc = sd_event_add_signal(gw->event, NULL, SIGINT, on_signal, gw);
	if (rc >= 0)
		rc = sd_event_add_signal(gw->event, NULL, SIGHUP, reload_on_hangup, gw);
	if (rc >= 0)
		rc = sd_event_set_watchdog(gw->event, true);
	if (rc >= 0)
		rc = sd_event_add_time(gw->event, &gw->timer, CLOCK_BOOTTIME, UINT64_MAX, 1000,
				       on_timer, gw);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(gw->timer, SD_EVENT_OFF);
	return rc < 0 ? rc : 0;
}

/* What systemd has passed; the sockets among it go to fds[*n]. */
static int take_descriptors(struct gw *gw, int *fds, unsigned *n)
{
	int all[64];
	char **names = NULL;
	int passed = sd_listen_fds_with_names(1, &names), rc;
	unsigned k = passed < 0 ? 0 : (unsigned)passed < *n ? (unsigned)passed : *n;

	for (unsigned i = 0; i < k; i++)
		all[i] = SD_LISTEN_FDS_START + (int)i;
	rc = handover_new(all, names, &k, fds, &gw->handover);
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
	*n = k;
	if (rc == 0) /* whatever fails until it is read */
		gw->stay = handover_waits(gw->handover);
	return rc;
}

static int start(struct gw *gw, const struct gw_options *o)
{
	int fds[64], rc;
	unsigned n = ARRAY_SIZE(fds);

	gw->fx = calloc(1, sizeof(*gw->fx));
	rc = gw->fx ? start_loop(gw) : -ENOMEM;
	if (rc == 0)
		rc = take_descriptors(gw, fds, &n);
	if (rc == 0)
		rc = net_new(gw->config, fds, n, &gw->net);
	if (rc == 0)
		rc = ike_new(&gw->config->ike, random_source, &gw->ike);
	if (rc == 0)
		handover_restore(gw);
	if (rc == 0)
		rc = start_kernel(gw);
	if (rc == 0)
		rc = start_pools(gw);
	if (rc == 0)
		rc = workers_new(gw->event, 0, gw->creds, gw->trust, gw_work_done, gw,
				 &gw->workers);
	if (rc == 0)
		rc = auth_client_new(gw->event, o->auth, gw->config->auth.deadline_s, gw_auth_reply,
				     gw, &gw->auth);
	if (rc == 0)
		auth_client_on_question(gw->auth, gw_auth_question);
	if (rc == 0)
		rc = traffic_start(gw);
	if (rc == 0)
		rc = roam_start(gw);
	if (rc == 0)
		rc = certwatch_start(gw);
	if (rc == 0)
		rc = start_control(gw, o, fds, n);
	if (rc == 0)
		rc = net_listen(gw->net, gw->event, on_datagram, gw);
	if (rc == 0)
		handover_finish(gw);
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

	if (gw->ike && gw->net && !gw->stay)
		end_sessions(gw);
	if (gw->xfrm && !gw->stay)
		xfrm_sweep(gw->xfrm, &sas, &policies);
	if (gw->link_made && !gw->stay)
		xfrm_link_del(gw->config->tunnel.interface);
	if (!gw->stay)
		handover_forget(gw);
	ctl_server_free(gw->ctl);
	ctl_server_free(gw->look);
	net_free(gw->net);
	auth_client_free(gw->auth);
	workers_free(gw->workers);
	ike_free(gw->ike);
	leasedb_close(gw->leases);
	handover_free(gw->handover);
	pools_free(gw->pools);
	xfrm_close(gw->xfrm);
	sd_event_source_disable_unref(gw->timer);
	sd_event_source_disable_unref(gw->sampler);
	sd_event_source_disable_unref(gw->certwatch);
	sd_event_source_disable_unref(gw->reports);
	sd_event_unref(gw->event);
	if (gw->fx) {
		fx_reset(gw->fx);
		free(gw->fx);
	}
	free(gw->session);
	free(gw->check);
	free(gw->counted);
	free(gw->stale);
	creds_free(gw->creds);
	trust_free(gw->trust);
	config_free(gw->config);
}

int gw_main(const struct gw_options *o)
{
	struct gw gw = { .config_path = o->config ? o->config : SYSCONFDIR CONFIG_FILE,
			 .config_named = o->config,
			 .any_kernel = o->any_kernel,
			 .since_s = gw_real_s() };
	int rc = load_config(&gw, o->config);

	if (rc == 0)
		rc = start(&gw, o) < 0 ? EXIT_FAILURE : 0;
	if (rc == 0) {
		log_notice("vpngw " VERSION " is ready: %s",
			   *creds_subject(gw.creds) ? creds_subject(gw.creds) : gw.config_path);
		sd_notify(0, "READY=1\nSTATUS=Waiting for clients");
		if (ike_sessions(gw.ike))
			gw_show_status(&gw);
		rc = sd_event_loop(gw.event);
		rc = rc < 0 ? EXIT_FAILURE : rc;
		sd_notify(0, "STOPPING=1");
	}
	stop(&gw);
	return rc;
}
