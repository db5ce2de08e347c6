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
#include "nft.h"

#define EXIT_USAGE  2
#define EXIT_CONFIG 6

static const char usage[] =
	"vpngw - IKEv1 road-warrior VPN gateway\n"
	"\n"
	"  vpngw [--config FILE] [--control PATH] [--auth PATH] [--any-kernel] [--debug]\n"
	"  vpngw --check-config[=FILE]   says what is wrong with it; exit status 0 or 6\n"
	"  vpngw --print-config[=FILE]   every setting and where it comes from\n"
	"  vpngw --print-nft[=FILE]      the firewall rules that it asks for, for nft -f\n"
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

/* What was said has arrived, or it is a failure. */
static int end_of_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "vpngw: cannot write: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

static int check_config(const char *path)
{
	struct config *c;
	struct creds *creds;
	char err[CREDS_WHY];
	const char *w;

	if (config_load(path, stderr, &c) < 0)
		return EXIT_CONFIG;
	if (config_load_psk(c, true, stderr) < 0) {
		config_free(c);
		return EXIT_CONFIG;
	}
	for (size_t i = 0; i < c->n_warnings; i++)
		fprintf(stderr, "warning: %s\n", c->warnings[i]);
	if (creds_load(c, SYSCONFDIR CREDS_PRIVATE, &creds, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		config_free(c);
		return EXIT_CONFIG;
	}
	for (unsigned i = 0; (w = creds_warning(creds, i)); i++)
		fprintf(stderr, "warning: %s\n", w);
	creds_free(creds);
	config_free(c);
	puts("The configuration is valid.");
	return end_of_output();
}

static int print_nft(const char *path)
{
	struct config *c;

	if (config_load(path, stderr, &c) < 0)
		return EXIT_CONFIG;
	nft_print_rules(c, stdout);
	config_free(c);
	return end_of_output();
}

int main(int argc, char **argv)
{
	enum {
		OPT_CONFIG = 256,
		OPT_CONTROL,
		OPT_AUTH,
		OPT_ANY_KERNEL,
		OPT_CHECK,
		OPT_PRINT,
		OPT_NFT,
		OPT_DEBUG,
		OPT_VERSION
	};
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "control", required_argument, NULL, OPT_CONTROL },
		{ "auth", required_argument, NULL, OPT_AUTH },
		{ "check-config", optional_argument, NULL, OPT_CHECK },
		{ "print-config", optional_argument, NULL, OPT_PRINT },
		{ "print-nft", optional_argument, NULL, OPT_NFT },
		{ "any-kernel", no_argument, NULL, OPT_ANY_KERNEL },
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
		case OPT_ANY_KERNEL:
			o.any_kernel = true;
			break;
		case OPT_CHECK:
		case OPT_PRINT:
		case OPT_NFT:
			verb = c;
			if (optarg)
				o.config = optarg;
			break;
		case OPT_DEBUG:
			debug = true;
			break;
		case OPT_VERSION:
			puts("vpngw " VERSION);
			return end_of_output();
		case 'h':
			fputs(usage, stdout);
			return end_of_output();
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
		return config_print(o.config, stdout, stderr) < 0 ? EXIT_CONFIG : end_of_output();
	if (verb == OPT_NFT)
		return print_nft(o.config);
	seal_process();
	return gw_main(&o);
}
