/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handover_private.h - what handover.c and handover_kernel.c share. */
#pragma once

#include "gateway.h"
#include "keep.h"

#define RECORD_MAX 65536
#define SHAPE_MAX  8192

/* A pair that should be in the kernel, and what has been found of it. */
struct wanted {
	struct sess_id who;
	uint32_t child;
	bool in, out; /* found */
	bool ipcomp_in, ipcomp_out;
	uint64_t policies; /* bits: direction and network */
};

struct handover {
	struct keep *keep;     /* owned; NULL: nobody would hold it */
	struct wanted *wanted; /* owned; by place, then as the session has them */
	size_t n_wanted, cap_wanted;
	unsigned restored, refused, lost;
	int why;      /* of the first that was refused */
	bool fits;    /* what is in the kernel is what the configuration would make */
	bool same_if; /* with an interface as before, or without one as before */
	bool failing;
	char shape[SHAPE_MAX]; /* as it was, and the networks of addresses that drain behind it */
	const char *nets;      /* in it; NULL: it has none */
	uint8_t buf[RECORD_MAX];
};

/* The pairs of this session should be in the kernel. 0 or -ENOMEM. */
int handover_want(struct handover *h, const struct ike_sa *sa);
/* A pair of which something is missing there carries nothing: it goes, and its client is told. */
void handover_tell_lost(struct gw *gw);
