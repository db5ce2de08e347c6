/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* by_user.c - chains of sessions, hashed by user name; buckets double with their number. Pure. */
#include "ike/by_user.h"

#include <errno.h>

#include "cleanup.h"

#define FIRST_BUCKETS 64

int by_user_init(struct user_index *u, uint64_t seed)
{
	*u = (struct user_index){ .mask = FIRST_BUCKETS - 1, .seed = seed };
	u->bucket = calloc(FIRST_BUCKETS, sizeof(struct ike_sa *));
	return u->bucket ? 0 : -ENOMEM;
}

void by_user_clear(struct user_index *u)
{
	free(u->bucket);
	*u = (struct user_index){ 0 };
}

static uint32_t hash_of_name(const struct user_index *u, const char *name)
{
	uint64_t h = u->seed;

	for (; *name; name++) {
		h = (h ^ (uint8_t)*name) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

/* Every SA in a chain knows who points at it, and so leaves without a walk. */
static void link_in(struct user_index *u, struct ike_sa *sa)
{
	struct ike_sa **b = &u->bucket[hash_of_name(u, sa->user) & u->mask];

	sa->next_user = *b;
	if (*b)
		(*b)->user_link = &sa->next_user;
	*b = sa;
	sa->user_link = b;
}

static void grow(struct user_index *u)
{
	uint32_t n = u->mask + 1;
	struct ike_sa **old = u->bucket, **more = calloc(2 * (size_t)n, sizeof(struct ike_sa *));

	if (!more)
		return; /* longer chains, nothing worse */
	u->bucket = more;
	u->mask = 2 * n - 1;
	for (uint32_t i = 0; i < n; i++)
		for (struct ike_sa *sa = old[i], *next; sa; sa = next) {
			next = sa->next_user;
			link_in(u, sa);
		}
	free(old);
}

void by_user_enter(struct user_index *u, struct ike_sa *sa)
{
	if (sa->user_link)
		return;
	if (++u->n > u->mask)
		grow(u);
	link_in(u, sa);
}

void by_user_leave(struct user_index *u, struct ike_sa *sa)
{
	if (!sa->user_link)
		return;
	*sa->user_link = sa->next_user;
	if (sa->next_user)
		sa->next_user->user_link = sa->user_link;
	sa->next_user = NULL;
	sa->user_link = NULL;
	u->n--;
}

static struct ike_sa *same_user(struct ike_sa *sa, const char *user)
{
	while (sa && strcmp(sa->user, user) != 0)
		sa = sa->next_user;
	return sa;
}

struct ike_sa *by_user_first(const struct user_index *u, const char *user)
{
	return same_user(u->bucket[hash_of_name(u, user) & u->mask], user);
}

struct ike_sa *by_user_next(const struct ike_sa *sa)
{
	return same_user(sa->next_user, sa->user);
}
