/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_pin.c - vpngwctl leases release, pin and unpin: what becomes of one address. */
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_text.h"

static const struct {
	const char *word, *method, *done; /* done: a phrase, in front of the user if there is one */
	int arguments;                    /* the last one is the address, the one before the user */
} act[] = {
	{ "release", "io.vpngw.ReleaseLease", "released", 1 },
	{ "pin", "io.vpngw.PinLease", "pinned to ", 2 },
	{ "unpin", "io.vpngw.UnpinLease", "unpinned", 1 },
};

static enum ctl_exit run(const struct ctl_options *o, unsigned i, const char *user, const char *arg)
{
	struct ctl_request q = { .method = act[i].method };
	char text[ENDPOINT_STRLEN], shown[CTL_TEXT_MAX];
	struct ipaddr addr;
	enum ctl_exit rc;

	if (ipaddr_parse(arg, &addr) < 0) {
		ctl_complain("%s is not an address", ctl_text(arg, shown, sizeof(shown)));
		return CTL_USAGE;
	}
	ipaddr_str(&addr, text);
	q.parameters = json_pack("{s:s, s:s*}", "address", text, "user", user);
	if (!q.parameters) {
		ctl_complain("the user's name is not UTF-8");
		return CTL_USAGE;
	}
	rc = ctl_call(o, &q);
	if (rc != CTL_DONE)
		return rc;
	if (o->json)
		return ctl_out_json_member(o, "address", json_string(text));
	printf("Lease of %s %s%s.\n", text, act[i].done,
	       user ? ctl_text(user, shown, sizeof(shown)) : "");
	return CTL_DONE;
}

enum ctl_exit ctl_lease_act(const struct ctl_options *o, int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(act) / sizeof(*act); i++)
		if (strcmp(argv[1], act[i].word) == 0 && argc == 2 + act[i].arguments)
			return run(o, i, act[i].arguments == 2 ? argv[2] : NULL, argv[argc - 1]);
	ctl_complain("leases, leases release ADDRESS, leases pin USER ADDRESS, or leases unpin "
		     "ADDRESS");
	return CTL_USAGE;
}
