/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sapl_walk.h - the walk over an SA payload that both phases share (RFC 2408 3.4 - 3.6). */
#pragma once

#include <limits.h>

#include "ike/sapl.h"

#define RANK_NONE UINT_MAX /* not in our order of preference */

struct sa_proposal {
	uint8_t number, proto, n_transforms;
	struct span spi;
};

struct sa_transform {
	uint8_t number, id;
	struct span attrs, whole;
};

struct sa_walk {
	struct rd proposals, transforms;
	uint8_t next;  /* type of the next payload in the chain of proposals */
	unsigned left; /* transforms of the current proposal */
	unsigned n_proposals;
	struct sa_proposal prop; /* the current one */
};

/* 0 or -EBADMSG: another DOI or situation, too short. */
int sa_walk_start(struct span sa, struct sa_walk *w);

/* 1 with the next transform, 0 at the end, -EBADMSG. */
int sa_walk_next(struct sa_walk *w, struct sa_transform *t);

/* Takes a LIFE_DURATION that follows a LIFE_TYPE. */
void sa_take_life(uint64_t *life_type, uint64_t duration, uint32_t *life_s);

/* Adds a name to a list of offers, once. */
void sa_offer_text(char text[static OFFER_TEXT], const char *name);
