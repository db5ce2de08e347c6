/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd.c - main of vpngw-authd, which checks passwords for vpngw.
 *
 * It sees user databases and runs PAM modules, and nothing of the network; the gateway sees the
 * network and no user database. Between them is one socket (proto.h).
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "auth/authd_check.h"
#include "auth/authd_server.h"
#include "auth/authd_source.h"
#include "cleanup.h"
#include "config.h"
#include "log.h"

#define EXIT_USAGE  2
#define EXIT_CONFIG 6
#define STATUS_US   UINT64_C(10000000)

struct options {
	const char *config, *listen;
	bool debug, check;
};

struct authd {
	sd_event *event;
	struct config *config;
	struct authd_server *server;
	const char *unlink_path; /* the socket that we made ourselves */
	uint64_t last_checked;
};

DEFINE_CLEANUP(struct config, config_free)

static int usage(FILE *out)
{
	fputs("vpngw-authd [OPTION]...\n"
	      "Checks passwords for vpngw.\n\n"
	      "  --config FILE   read FILE instead of " SYSCONFDIR CONFIG_FILE "\n"
	      "  --listen PATH   make the socket PATH, when systemd passes none\n"
	      "  --check         whether passwords could be checked, in JSON, for vpngwctl check\n"
	      "  --debug         say more\n"
	      "  --help          show this\n"
	      "  --version       show the version\n",
	      out);
	return out == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

/* -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'k' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			puts("vpngw-authd " VERSION);
			return EXIT_SUCCESS;
		default:
			return usage(stderr);
		}
	}
	return optind < argc ? usage(stderr) : -1;
}

/* Passwords are in this memory: no core file, no ptrace. Workers inherit both. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		log_warning("Core files cannot be forbidden: %m");
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static bool is_stale_socket(const struct sockaddr_un *sun)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return fd >= 0 && lstat(sun->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 && errno == ECONNREFUSED;
}

/* Only its owner may connect; the gateway owns it where there is one. */
static int bind_socket(int fd, const struct sockaddr_un *sun)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam("vpngw") : NULL;
	mode_t old = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	umask(old);
	if (rc == 0 && pw && chown(sun->sun_path, pw->pw_uid, (gid_t)-1) < 0)
		rc = -errno;
	return rc;
}

static int make_socket(const char *path, int *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int rc;

	if (fd < 0)
		return -errno;
	if (!*path || strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	rc = bind_socket(fd, &sun);
	if (rc == -EADDRINUSE && is_stale_socket(&sun) && unlink(path) == 0)
		rc = bind_socket(fd, &sun);
	if (rc < 0)
		return rc;
	if (listen(fd, SOMAXCONN) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

/* From systemd, else made at --listen. Returns -1 and the socket, or the exit status. */
static int get_socket(struct authd *a, const struct options *o, int *ret)
{
	int n = sd_listen_fds(1), rc;

	if (n == 1 && sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_SEQPACKET, 1) > 0) {
		*ret = SD_LISTEN_FDS_START;
		return -1;
	}
	if (n > 0) {
		log_err("systemd passed %d sockets; expected one with ListenSequentialPacket=", n);
		return EXIT_FAILURE;
	}
	if (!o->listen) {
		log_err("No socket: start vpngw-authd.socket, or give --listen PATH");
		return EXIT_USAGE;
	}
	rc = make_socket(o->listen, ret);
	if (rc < 0) {
		log_err("Cannot listen on %s: %s%s", o->listen, strerror(-rc),
			rc == -EADDRINUSE ? "; another vpngw-authd has it" : "");
		return EXIT_FAILURE;
	}
	a->unlink_path = o->listen;
	return -1;
}

static const char *source_name(const struct conf_auth *conf, char *buf, size_t cap)
{
	char first[ENDPOINT_STRLEN];

	switch (conf->source) {
	case CONF_AUTH_FILE:
		snprintf(buf, cap, "file %s", conf->users_file);
		break;
	case CONF_AUTH_PAM:
		snprintf(buf, cap, "PAM service %s", conf->pam_service);
		break;
	case CONF_AUTH_SYSTEM:
		snprintf(buf, cap, "users of this system");
		break;
	case CONF_AUTH_RADIUS:
		snprintf(buf, cap, "RADIUS server %s%s", endpoint_str(&conf->radius[0].at, first),
			 conf->n_radius > 1 ? " and others" : "");
		break;
	}
	return buf;
}

/* A source that is broken at the start may be mended while we run: say it, and go on. */
static void look_at_source(const struct conf_auth *conf)
{
	char why[512];
	int rc = authd_source_probe(conf, why, sizeof(why));

	if (rc < 0)
		log_err("Nobody can log in yet: %s", why);
	else if (rc > 0)
		log_warning("%s", why);
}

static void tell_status(struct authd *a)
{
	struct authd_counts c = authd_server_counts(a->server);
	char source[512];

	a->last_checked = c.checked;
	sd_notifyf(0,
		   "STATUS=Checks passwords with %s: %llu checked, %llu ok, %llu refused, "
		   "%llu without an answer",
		   source_name(&a->config->auth, source, sizeof(source)),
		   (unsigned long long)c.checked, (unsigned long long)c.ok,
		   (unsigned long long)c.refused, (unsigned long long)c.errors);
}

static int on_status(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct authd *a = userdata;

	if (authd_server_counts(a->server).checked != a->last_checked)
		tell_status(a);
	(void)sd_event_source_set_time(src, usec + STATUS_US);
	return sd_event_source_set_enabled(src, SD_EVENT_ONESHOT);
}

static int on_hangup(sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	(void)src;
	(void)si;
	(void)userdata;
	log_notice("SIGHUP: a reload is not yet supported; systemctl restart vpngw-authd reads the "
		   "configuration, and no session notices");
	return 0;
}

/* Signals end the loop; children and the watchdog are seen by it. */
static int prepare_event(struct authd *a)
{
	sigset_t set;
	int rc;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = sd_event_default(&a->event);
	if (rc >= 0)
		rc = sd_event_add_signal(a->event, NULL, SIGTERM, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(a->event, NULL, SIGINT, NULL, NULL);
	if (rc >= 0)
		rc = sd_event_add_signal(a->event, NULL, SIGHUP, on_hangup, NULL);
	if (rc >= 0)
		rc = sd_event_set_watchdog(a->event, 1);
	return rc;
}

static int run(struct authd *a, int fd)
{
	uint64_t seed = 0;
	char source[512];
	int rc = prepare_event(a);

	if (rc < 0) {
		log_err("Cannot set up the event loop: %s", strerror(-rc));
		close(fd);
		return EXIT_FAILURE;
	}
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		log_warning("No random numbers: %m");
	look_at_source(&a->config->auth);
	rc = authd_server_new(a->event, fd, &a->config->auth, seed, &a->server);
	if (rc < 0) {
		log_err("Cannot start: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	(void)sd_event_add_time_relative(a->event, NULL, CLOCK_BOOTTIME, STATUS_US, STATUS_US,
					 on_status, a);
	source_name(&a->config->auth, source, sizeof(source));
	if (a->config->auth.source == CONF_AUTH_RADIUS)
		log_notice("Checks passwords with %s", source);
	else
		log_notice("Checks passwords with %s, %u workers", source, a->config->auth.workers);
	tell_status(a);
	sd_notify(0, "READY=1");
	rc = sd_event_loop(a->event);
	sd_notify(0, "STOPPING=1");
	if (rc < 0)
		log_err("The event loop ended: %s", strerror(-rc));
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct options o = { 0 };
	struct authd a = { 0 };
	int rc = parse_options(argc, argv, &o), fd = -1;

	if (rc >= 0)
		return rc;
	log_open("vpngw-authd", o.debug);
	harden();
	if (o.check)
		return authd_check(o.config);
	if (config_load(o.config, stderr, &config) < 0)
		return EXIT_CONFIG;
	a.config = config;
	rc = get_socket(&a, &o, &fd);
	if (rc >= 0)
		return rc;
	rc = run(&a, fd);
	a.server = authd_server_free(a.server);
	sd_event_unref(a.event);
	if (a.unlink_path)
		(void)unlink(a.unlink_path);
	return rc;
}
