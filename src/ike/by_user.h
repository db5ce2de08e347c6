/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * by_user.h - the sessions of one user, found without a walk over the others. Private to ike/.
 *
 * An SA enters when its login is let in, before it has its address, and leaves when it goes down:
 * so whoever counts a user's sessions counts logins that are nearly through as well.
 */
#pragma once

#include "ike/sa.h"

struct user_index {
	struct ike_sa **bucket; /* owned */
	uint32_t mask, n;
	uint64_t seed;
};

/* 0 or -ENOMEM. seed: so that nobody outside can aim at one bucket. */
int by_user_init(struct user_index *u, uint64_t seed);
void by_user_clear(struct user_index *u);

/* By sa->user, which does not change from here on. An SA that is there already stays. */
void by_user_enter(struct user_index *u, struct ike_sa *sa);
/* Harmless for one that is not in the index. */
void by_user_leave(struct user_index *u, struct ike_sa *sa);

/* The user's sessions, in no order: names are compared whole. NULL: none, no more. */
struct ike_sa *by_user_first(const struct user_index *u, const char *user);
struct ike_sa *by_user_next(const struct ike_sa *sa);
