/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * throttle.h - how fast passwords may be guessed. Pure; times are microseconds of one clock.
 *
 * The rule is told at the top of throttle.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"

#define THROTTLE_ENTRIES  4096     /* records kept; the oldest is evicted */
#define THROTTLE_MAX_US   60000000 /* the longest delay */
#define THROTTLE_FIRST_US 1000000  /* the delay after failure number fail_count */

struct throttle;

/*
 * fail_count failures in window_s seconds are free; fail_count 0: there is no limit. seed: random,
 * so that nobody can choose names that collide. 0 or -ENOMEM.
 */
int throttle_new(uint32_t fail_count, uint32_t window_s, uint64_t seed, struct throttle **ret);
struct throttle *throttle_free(struct throttle *t);

/*
 * A password of `user` from `peer` is about to be checked. Returns 0 when it may be, else the time
 * at which to ask again. Of a source that is over its limit this admits one check per delay, so
 * many questions at once gain nothing.
 */
uint64_t throttle_start(struct throttle *t, struct span user, const struct ipaddr *peer,
			uint64_t now);

/* How the check ended. A check that could not be made calls neither. */
void throttle_failed(struct throttle *t, struct span user, const struct ipaddr *peer, uint64_t now);
void throttle_passed(struct throttle *t, struct span user, const struct ipaddr *peer, uint64_t now);

/* What throttle_start() would answer, without admitting anything. */
uint64_t throttle_peek(const struct throttle *t, struct span user, const struct ipaddr *peer,
		       uint64_t now);

/* Both addresses count as one source. */
bool throttle_same_source(const struct ipaddr *a, const struct ipaddr *b);

/* Records in use, for tests and the status line. */
unsigned throttle_entries(const struct throttle *t);
