/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_kick.c - vpngwctl kick: ends sessions. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_text.h"

static int on_count(void *ctx, json_t *parameters)
{
	return ctl_number(parameters, "count", ctx) ? 0 : -EBADMSG;
}

enum ctl_exit ctl_kick(const struct ctl_options *o, int argc, char **argv)
{
	uint64_t count = 0;
	struct ctl_request q = { .method = "io.vpngw.Kick", .reply = on_count, .ctx = &count };
	enum ctl_exit rc;

	if (argc != (o->all || o->pool ? 1 : 2) || (o->all && o->pool)) {
		ctl_complain("kick takes one SESSION, USER or ADDRESS, or --all, or --pool POOL");
		return CTL_USAGE;
	}
	q.parameters = json_object();
	if ((o->reason &&
	     json_object_set_new(q.parameters, "reason", json_string(o->reason)) < 0) ||
	    (o->pool && json_object_set_new(q.parameters, "pool", json_string(o->pool)) < 0) ||
	    (o->all && json_object_set_new(q.parameters, "all", json_true()) < 0)) {
		json_decref(q.parameters);
		ctl_complain("the reason or the pool is not UTF-8");
		return CTL_USAGE;
	}
	rc = o->all || o->pool ? ctl_call(o, &q) : ctl_call_which(o, &q, argv[1]);
	if (rc != CTL_DONE)
		return rc;
	if (o->json)
		return ctl_out_json_member(o, "count", json_integer((json_int_t)count));
	if (count == 0)
		printf("No sessions.\n");
	else
		printf("%" PRIu64 " session%s ended.\n", count, count == 1 ? "" : "s");
	return CTL_DONE;
}
