/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl.c - vpngwctl: options and verbs. */
#include "ctl/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "ctl/ctl_passwd.h"
#include "ctl/ctl_text.h"
#include "ctl/server.h"
#include "text.h"

struct verb {
	const char *name;
	enum ctl_exit (*run)(const struct ctl_options *o, int argc, char **argv);
	const char *only; /* its options that not every verb has, each with a blank behind */
};

static const struct verb verb[] = {
	{ "list", ctl_list, "user pool address peer sort watch " },
	{ "show", ctl_show, NULL },
	{ "kick", ctl_kick, "all pool reason wait " },
	{ "status", ctl_status, NULL },
	{ "leases", ctl_leases, "user pool address sort watch " },
	{ "pools", ctl_pools, NULL },
	{ "stats", ctl_stats, NULL },
	{ "metrics", ctl_metrics, "per-user " },
	{ "monitor", ctl_monitor, "user " },
	{ "log", ctl_log, "user " },
	{ "passwd", NULL, NULL },
	{ "reload", ctl_reload, NULL },
	{ "config", ctl_config, NULL },
	{ "check", ctl_check, "config " },
};

static const char help_text[] =
	"vpngwctl [OPTION...] [VERB]\n"
	"\n"
	"Looks at a vpngw gateway and ends sessions.\n"
	"\n"
	"  list                             the sessions; what happens without a verb\n"
	"  show SESSION|USER|ADDRESS        everything about one session, or a user's sessions\n"
	"  kick SESSION|USER|ADDRESS|--all|--pool POOL\n"
	"                                   end sessions\n"
	"  status                           the daemon, its pools, its counters\n"
	"  leases                           addresses that are leased or kept for their users\n"
	"  leases release ADDRESS           forget a kept address\n"
	"  leases pin USER ADDRESS          keep it for this user, for good\n"
	"  leases unpin ADDRESS             as any other from now on\n"
	"  pools                            addresses: how many, how many are in use\n"
	"  stats                            what was counted, and refused for which reason\n"
	"  metrics                          the same and more as OpenMetrics text\n"
	"  monitor                          events as they happen\n"
	"  log [-- OPTION...]               the journal of the gateway, with journalctl's options\n"
	"  reload                           take over what vpngw.conf says now\n"
	"  config [show|cat|diff]           what is in effect, the files, what a reload would "
	"change\n"
	"  check                            whether this host is ready for its first login\n"
	"  passwd ...                       the users file; see vpngwctl passwd --help\n"
	"\n"
	"  --user, --pool, --address, --peer VALUE\n"
	"                        those alone; the last two take a prefix (list, leases)\n"
	"  --sort [-]COLUMN      by that column; - for the other way (list, leases)\n"
	"  --watch[=SECONDS]     again every 2 seconds (list, leases)\n"
	"  --per-user            series for each session and its user as well (metrics)\n"
	"  --reason TEXT         why, for the journal (kick)\n"
	"  --wait                until the sessions have ended, which kick always does\n"
	"  --config FILE         instead of the installed configuration (check)\n"
	"  --json[=pretty|short] JSON; pretty is for terminals, short is one line\n"
	"  --no-legend           neither header nor footer\n"
	"  --no-pager            do not page long output\n"
	"  --socket PATH         instead of " CTL_SOCKET "\n"
	"  -h, --help; --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 usage, 3 daemon not running, 4 no such session, user or\n"
	"lease, 5 not permitted, 6 configuration invalid. See vpngwctl(8).\n";

void ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("vpngwctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

/* ---- options ---- */

enum {
	OPT_JSON = 256,
	OPT_NO_PAGER,
	OPT_NO_LEGEND,
	OPT_SOCKET,
	OPT_ALL,
	OPT_REASON,
	OPT_WAIT,
	OPT_USER,
	OPT_POOL,
	OPT_ADDRESS,
	OPT_PEER,
	OPT_SORT,
	OPT_WATCH,
	OPT_CONFIG,
	OPT_PER_USER,
	OPT_VERSION,
};

static const struct option option[] = {
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "no-pager", no_argument, NULL, OPT_NO_PAGER },
	{ "no-legend", no_argument, NULL, OPT_NO_LEGEND },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "wait", no_argument, NULL, OPT_WAIT },
	{ "user", required_argument, NULL, OPT_USER },
	{ "pool", required_argument, NULL, OPT_POOL },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "watch", optional_argument, NULL, OPT_WATCH },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "per-user", no_argument, NULL, OPT_PER_USER },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool parse_json(const char *arg, enum ctl_json *ret)
{
	char shown[CTL_TEXT_MAX];

	if (!arg)
		*ret = isatty(STDOUT_FILENO) ? CTL_JSON_PRETTY : CTL_JSON_SHORT;
	else if (strcmp(arg, "pretty") == 0)
		*ret = CTL_JSON_PRETTY;
	else if (strcmp(arg, "short") == 0)
		*ret = CTL_JSON_SHORT;
	else
		ctl_complain("--json=%s: pretty or short is expected",
			     ctl_text(arg, shown, sizeof(shown)));
	return !arg || *ret != CTL_JSON_OFF;
}

static bool parse_watch(const char *arg, unsigned *ret)
{
	char shown[CTL_TEXT_MAX], *end = NULL;
	unsigned long v = arg ? strtoul(arg, &end, 10) : 2;

	if (arg && (*arg < '0' || *arg > '9' || *end || v == 0 || v > 86400)) {
		ctl_complain("--watch=%s: seconds are expected, from 1 to 86400",
			     ctl_text(arg, shown, sizeof(shown)));
		return false;
	}
	*ret = (unsigned)v;
	return true;
}

/* Where the text of an option goes that is nothing but text; NULL for another option. */
static const char **text_option(struct ctl_options *o, int c)
{
	switch (c) {
	case OPT_SOCKET:
		return &o->socket;
	case OPT_REASON:
		return &o->reason;
	case OPT_USER:
		return &o->user;
	case OPT_POOL:
		return &o->pool;
	case OPT_ADDRESS:
		return &o->address;
	case OPT_PEER:
		return &o->peer;
	case OPT_SORT:
		return &o->sort;
	case OPT_CONFIG:
		return &o->config;
	default:
		return NULL;
	}
}

/* Takes options up to the end, or with "+" in `how` up to the verb. -1: go on; else the status. */
static int parse_options(int argc, char **argv, const char *how, struct ctl_options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, how, option, NULL)) != -1) {
		const char **text = text_option(o, c);

		if (text) {
			*text = optarg;
			continue;
		}
		switch (c) {
		case OPT_JSON:
			o->json = CTL_JSON_OFF;
			if (!parse_json(optarg, &o->json))
				return CTL_USAGE;
			break;
		case OPT_NO_PAGER:
			o->no_pager = true;
			break;
		case OPT_NO_LEGEND:
			o->no_legend = true;
			break;
		case OPT_ALL:
			o->all = true;
			break;
		case OPT_WAIT:
			o->wait = true;
			break;
		case OPT_PER_USER:
			o->per_user = true;
			break;
		case OPT_WATCH:
			if (!parse_watch(optarg, &o->watch_s))
				return CTL_USAGE;
			break;
		case 'h':
			fputs(help_text, stdout);
			return CTL_DONE;
		case OPT_VERSION:
			puts("vpngwctl " VERSION);
			return CTL_DONE;
		default:
			ctl_complain("see vpngwctl --help");
			return CTL_USAGE;
		}
	}
	return -1;
}

/* ---- verbs ---- */

static enum ctl_exit unknown_verb(const char *name)
{
	const char *names[ARRAY_SIZE(verb)], *near;
	char shown[CTL_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(verb); i++)
		names[i] = verb[i].name;
	near = text_nearest(name, names, ARRAY_SIZE(verb));
	ctl_text(name, shown, sizeof(shown));
	if (near)
		ctl_complain("unknown verb %s; did you mean %s?", shown, near);
	else
		ctl_complain("unknown verb %s; see vpngwctl --help", shown);
	return CTL_USAGE;
}

/* Says so when an option is given that another verb has and this one has not. */
static bool options_fit(const struct ctl_options *o, const struct verb *v)
{
	const struct {
		bool given;
		const char *name; /* with a blank behind */
	} of[] = {
		{ o->all, "all " },           { o->reason, "reason " }, { o->wait, "wait " },
		{ o->user, "user " },         { o->pool, "pool " },     { o->address, "address " },
		{ o->peer, "peer " },         { o->sort, "sort " },     { o->watch_s, "watch " },
		{ o->per_user, "per-user " }, { o->config, "config " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		if (!of[i].given || (v->only && strstr(v->only, of[i].name)))
			continue;
		ctl_complain("%s has no option --%s", v->name, of[i].name);
		return false;
	}
	return true;
}

static enum ctl_exit run_verb(const struct ctl_options *o, int argc, char **argv)
{
	static char list[] = "list", *only_list[] = { list, NULL };

	if (argc == 0) {
		argc = 1;
		argv = only_list;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verb); i++) {
		if (strcmp(verb[i].name, argv[0]) != 0)
			continue;
		if (!options_fit(o, &verb[i]))
			return CTL_USAGE;
		if (verb[i].run)
			return verb[i].run(o, argc, argv);
		if (o->json) {
			ctl_complain("passwd has no --json: its exit status says it all");
			return CTL_USAGE;
		}
		optind = 0; /* another command line begins */
		return (enum ctl_exit)ctl_passwd(argc, argv);
	}
	return unknown_verb(argv[0]);
}

int main(int argc, char **argv)
{
	struct ctl_options o = { .socket = CTL_SOCKET };
	char *name = argc ? argv[0] : NULL;
	enum ctl_exit rc;
	int r;

	ctl_text_init();
	r = parse_options(argc, argv, "+h", &o);
	if (r >= 0)
		return r;
	/* What follows passwd is its own; for all others options may follow the verb too. */
	if (optind < argc && strcmp(argv[optind], "passwd") != 0) {
		argc -= optind - 1;
		argv += optind - 1;
		argv[0] = name;
		optind = 0;
		r = parse_options(argc, argv, "h", &o);
		if (r >= 0)
			return r;
	}
	rc = run_verb(&o, argc - optind, argv + optind);
	if (fflush(stdout) != 0 && rc == CTL_DONE) {
		ctl_complain("cannot write: %s", strerror(errno));
		rc = CTL_FAILED;
	}
	return rc;
}
