/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gate_keep.h - a gateway in memory that is killed and started anew: what the core says has changed
 * is kept, and with that alone the next one goes on.
 */
#pragma once

#include "gate.h"

#define GATE_KEPT 512 /* places */

struct gate_kept {
	struct gate_record {
		size_t n; /* 0: nobody is there */
		uint8_t b[4096];
	} place[GATE_KEPT];
};

/* After each event: takes down what has changed. */
void gate_keep(struct gate *g, struct gate_kept *k);

/* Whether what was taken down is all that there is, but for what traffic says: "" or what is wrong. */
const char *gate_keep_check(struct gate *g, const struct gate_kept *k);

/* The gateway dies and comes again. What the kernel has for sessions that go on stays. What was under
 * way is gone. "" or what went wrong. */
const char *gate_kill(struct gate *g, const struct gate_kept *k);
