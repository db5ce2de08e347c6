/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leasequeue.h - records on their way to the lease file, at most one for each address: a newer one
 * takes the place of the older, which it supersedes. First in, first out; every call is O(1).
 * No lock in here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"

struct lease_record {
	struct ipaddr addr;
	bool forget, pinned;
	char pool[LIMIT_GROUP_NAME + 1], user[LIMIT_USER + 1];
	uint64_t granted_s, released_s;
};

struct leasequeue;

/* Room for `cap` addresses, whose memory is touched only when it is needed. NULL: no memory. */
struct leasequeue *leasequeue_new(uint32_t cap);
struct leasequeue *leasequeue_free(struct leasequeue *q);

uint32_t leasequeue_count(const struct leasequeue *q);

/* False when the oldest record, of another address, had to go to make room. */
bool leasequeue_put(struct leasequeue *q, const struct lease_record *rec);

/* Takes out the oldest, at most `max`; returns how many. */
uint32_t leasequeue_take(struct leasequeue *q, struct lease_record *out, uint32_t max);
