/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd_report.h - the journal lines about checks that did not let somebody in. */
#pragma once

#include "auth/proto.h"
#include "log.h"

struct authd_report {
	struct log_limit refused, trouble, broken;
};

/* Writes the line for r->verdict, at most so many of a kind. user and peer: as they came. */
void authd_report(struct authd_report *rep, struct span user, struct span peer,
		  const struct auth_reply *r, uint64_t now);
