/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main.c - vpngw's command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "check/check.h"
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
	"  vpngw --check[=FILE]          whether this host is ready, in JSON, for vpngwctl check\n"
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
	struct trust *trust;
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
	if (trust_load(c, &trust, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		config_free(c);
		return EXIT_CONFIG;
	}
	for (unsigned i = 0; (w = trust_warning(trust, i)); i++)
		fprintf(stderr, "warning: %s\n", w);
	trust_free(trust);
	config_free(c);
	puts("The configuration is valid.");
	return end_of_output();
}

static int check(const char *path)
{
	struct findings *f = findings_new();
	int rc = f ? check_host(path, f) : -ENOMEM;

	if (rc == 0)
		rc = findings_write(f, stdout);
	findings_free(f);
	if (rc == 0)
		return end_of_output();
	fprintf(stderr, "vpngw: --check: %s\n", strerror(-rc));
	return EXIT_FAILURE;
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

enum verb {
	RUN,
	CHECK,
	CHECK_CONFIG,
	PRINT_CONFIG,
	PRINT_NFT,
	PRINT_VERSION,
	PRINT_USAGE
};

struct command {
	enum verb verb;
	bool debug;
	struct gw_options gw; /* borrows the arguments */
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "control", required_argument, NULL, 'o' },
	{ "auth", required_argument, NULL, 'a' },
	{ "check", optional_argument, NULL, 'K' },
	{ "check-config", optional_argument, NULL, 'k' },
	{ "print-config", optional_argument, NULL, 'p' },
	{ "print-nft", optional_argument, NULL, 'n' },
	{ "any-kernel", no_argument, NULL, 'y' },
	{ "debug", no_argument, NULL, 'd' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* A verb, and the file that may come with it. */
static void take_verb(struct command *cmd, enum verb verb)
{
	cmd->verb = verb;
	if (optarg)
		cmd->gw.config = optarg;
}

/* 0, or -1: said. The first of --version and --help wins over all. */
static int take_arguments(struct command *cmd, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			cmd->gw.config = optarg;
			break;
		case 'o':
			cmd->gw.control = optarg;
			break;
		case 'a':
			cmd->gw.auth = optarg;
			break;
		case 'K':
			take_verb(cmd, CHECK);
			break;
		case 'k':
			take_verb(cmd, CHECK_CONFIG);
			break;
		case 'p':
			take_verb(cmd, PRINT_CONFIG);
			break;
		case 'n':
			take_verb(cmd, PRINT_NFT);
			break;
		case 'y':
			cmd->gw.any_kernel = true;
			break;
		case 'd':
			cmd->debug = true;
			break;
		case 'v':
			cmd->verb = PRINT_VERSION;
			return 0;
		case 'h':
			cmd->verb = PRINT_USAGE;
			return 0;
		default:
			return -1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "vpngw: unexpected argument \"%s\" (vpngw --help)\n", argv[optind]);
	return -1;
}

int main(int argc, char **argv)
{
	struct command cmd = { 0 };

	if (take_arguments(&cmd, argc, argv) < 0)
		return EXIT_USAGE;
	log_open("vpngw", cmd.debug);
	switch (cmd.verb) {
	case PRINT_VERSION:
		puts("vpngw " VERSION);
		return end_of_output();
	case PRINT_USAGE:
		fputs(usage, stdout);
		return end_of_output();
	case CHECK:
		return check(cmd.gw.config);
	case CHECK_CONFIG:
		return check_config(cmd.gw.config);
	case PRINT_CONFIG:
		return config_print(cmd.gw.config, stdout, stderr) < 0 ? EXIT_CONFIG
								       : end_of_output();
	case PRINT_NFT:
		return print_nft(cmd.gw.config);
	case RUN:
		break;
	}
	seal_process();
	return gw_main(&cmd.gw);
}
