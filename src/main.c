/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main.c - vpngw's command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "creds.h"
#include "gateway.h"

#define EXIT_USAGE  2
#define EXIT_CONFIG 6

static const char usage[] =
	"vpngw - IKEv1 road-warrior VPN gateway\n"
	"\n"
	"  vpngw [--config FILE] [--control PATH] [--auth PATH] [--debug]\n"
	"  vpngw --check-config[=FILE]   says what is wrong with it; exit status 0 or 6\n"
	"  vpngw --print-config[=FILE]   every setting and where it comes from\n"
	"  vpngw --version | --help\n"
	"\n"
	"Started by systemd it takes its sockets from vpngw.socket and vpngw-control.socket; "
	"started\n"
	"by hand it binds them itself. See vpngw(8), vpngw.conf(5).\n";

/* Keys pass through memory: no core dump, no debugger without privilege. */
static void seal_process(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int check_config(const char *path)
{
	struct config *c;
	struct creds *creds;
	char err[600];
	const char *w;

	if (config_load(path, stderr, &c) < 0)
		return EXIT_CONFIG;
	if (config_load_psk(c, true, stderr) < 0) {
		config_free(c);
		return EXIT_CONFIG;
	}
	for (size_t i = 0; i < c->n_warnings; i++)
		fprintf(stderr, "warning: %s\n", c->warnings[i]);
	if (creds_load(c, true, &creds, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s: [gateway] %s\n", path ? path : SYSCONFDIR CONFIG_FILE, err);
		config_free(c);
		return EXIT_CONFIG;
	}
	for (unsigned i = 0; (w = creds_warning(creds, i)); i++)
		fprintf(stderr, "warning: %s\n", w);
	creds_free(creds);
	config_free(c);
	puts("The configuration is valid.");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	enum {
		OPT_CONFIG = 256,
		OPT_CONTROL,
		OPT_AUTH,
		OPT_CHECK,
		OPT_PRINT,
		OPT_DEBUG,
		OPT_VERSION
	};
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "control", required_argument, NULL, OPT_CONTROL },
		{ "auth", required_argument, NULL, OPT_AUTH },
		{ "check-config", optional_argument, NULL, OPT_CHECK },
		{ "print-config", optional_argument, NULL, OPT_PRINT },
		{ "debug", no_argument, NULL, OPT_DEBUG },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct gw_options o = { 0 };
	bool debug = false;
	int c, verb = 0;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			o.config = optarg;
			break;
		case OPT_CONTROL:
			o.control = optarg;
			break;
		case OPT_AUTH:
			o.auth = optarg;
			break;
		case OPT_CHECK:
		case OPT_PRINT:
			verb = c;
			if (optarg)
				o.config = optarg;
			break;
		case OPT_DEBUG:
			debug = true;
			break;
		case OPT_VERSION:
			puts("vpngw " VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vpngw: unexpected argument \"%s\" (vpngw --help)\n", argv[optind]);
		return EXIT_USAGE;
	}
	log_open("vpngw", debug);
	if (verb == OPT_CHECK)
		return check_config(o.config);
	if (verb == OPT_PRINT)
		return config_print(o.config, stdout, stderr) < 0 ? EXIT_CONFIG : EXIT_SUCCESS;
	seal_process();
	return gw_main(&o);
}
