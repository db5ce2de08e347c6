/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_log.c - vpngwctl log: journalctl with the units and fields of the gateway. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "ctl/ctl.h"

#define ARGS 10 /* of ours, and the NULL at the end */

/* Whatever stands behind the verb is journalctl's. */
enum ctl_exit ctl_log(const struct ctl_options *o, int argc, char **argv)
{
	_cleanup_free_ const char **arg = calloc((size_t)argc + ARGS, sizeof(*arg));
	_cleanup_free_ char *user = NULL;
	int n = 0, error;

	if (!arg || (o->user && asprintf(&user, "VPNGW_USER=%s", o->user) < 0)) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	arg[n++] = "journalctl";
	arg[n++] = "--unit=vpngw.service";
	arg[n++] = "--unit=vpngw-authd.service";
	arg[n++] = "--unit=vpngw-nft.service";
	if (o->json)
		arg[n++] = o->json == CTL_JSON_PRETTY ? "--output=json-pretty" : "--output=json";
	if (o->no_pager)
		arg[n++] = "--no-pager";
	for (int i = 1; i < argc; i++)
		arg[n++] = argv[i];
	if (user)
		arg[n++] = user;
	execvp(arg[0], (char **)(uintptr_t)arg);
	error = errno;
	ctl_complain("cannot run journalctl: %s", strerror(error));
	return CTL_FAILED;
}
