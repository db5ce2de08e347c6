/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_by_user.c - the sessions of a user, against a naive model; and that none costs a walk. */
#include "ike/by_user.h"

#include <stdio.h>

#include "cleanup.h"
#include "ike/table.h"
#include "tap.h"

#define MANY  20000
#define NAMES 500

static struct ike_sa sa[MANY];
static uint64_t seed = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static void name(struct ike_sa *s, unsigned i)
{
	snprintf(s->user, sizeof(s->user), "user-%u", i);
}

static unsigned count(const struct user_index *u, const char *user)
{
	unsigned n = 0;

	for (struct ike_sa *s = by_user_first(u, user); s; s = by_user_next(s))
		n += strcmp(s->user, user) == 0;
	return n;
}

static void test_model(void)
{
	unsigned of[NAMES] = { 0 }, all = 0;
	struct user_index u;
	bool in[MANY] = { 0 }, good = true;
	char who[32];

	by_user_init(&u, 7);
	for (unsigned i = 0; i < MANY; i++)
		name(&sa[i], i % NAMES);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = draw(MANY);

		if (in[i])
			by_user_leave(&u, &sa[i]);
		else
			by_user_enter(&u, &sa[i]);
		in[i] = !in[i];
		of[i % NAMES] += in[i] ? 1 : (unsigned)-1;
		all += in[i] ? 1 : (unsigned)-1;
		if (round % 500 == 0) {
			i = draw(NAMES);
			snprintf(who, sizeof(who), "user-%u", i);
			good &= count(&u, who) == of[i] && u.n == all;
		}
	}
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(who, sizeof(who), "user-%u", i);
		good &= count(&u, who) == of[i];
	}
	ok(good, "as sessions come and go, a user has those that are there");
	is_int(count(&u, "user-"), 0, "a part of a name is another user");
	is_int(count(&u, ""), 0, "and so is none");
	by_user_leave(&u, &sa[0]);
	by_user_leave(&u, &sa[0]);
	by_user_enter(&u, &sa[0]);
	all = u.n;
	by_user_enter(&u, &sa[0]);
	is_int(u.n, all, "who is there is not there twice");
	for (unsigned i = 0; i < MANY; i++)
		by_user_leave(&u, &sa[i]);
	ok(u.n == 0 && !by_user_first(&u, "user-1"), "when all have left nobody is there");
	by_user_clear(&u);
}

static unsigned longest(const struct user_index *u)
{
	unsigned max = 0;

	for (uint32_t i = 0; i <= u->mask; i++) {
		unsigned n = 0;

		for (struct ike_sa *s = u->bucket[i]; s; s = s->next_user)
			n++;
		max = n > max ? n : max;
	}
	return max;
}

static void test_chains(void)
{
	struct user_index u, v;

	by_user_init(&u, 1);
	for (unsigned i = 0; i < MANY; i++) {
		name(&sa[i], i);
		by_user_enter(&u, &sa[i]);
	}
	ok(u.mask + 1 >= MANY && longest(&u) < 12, "chains stay short: the longest of %u has %u",
	   MANY, longest(&u));
	for (unsigned i = 0; i < MANY; i++)
		by_user_leave(&u, &sa[i]);
	by_user_clear(&u);

	/* Everybody in the bucket of one seed, which an attacker would have to know. */
	by_user_init(&u, 1);
	by_user_init(&v, 2);
	u.mask = v.mask = 63;
	for (unsigned i = 0, n = 0; n < 60; i++) {
		name(&sa[n], i);
		by_user_enter(&u, &sa[n]);
		if (sa[n].user_link == &u.bucket[0])
			n++;
		else
			by_user_leave(&u, &sa[n]);
	}
	is_int(longest(&u), 60, "names that fall into one bucket");
	for (unsigned i = 0; i < 60; i++) {
		by_user_leave(&u, &sa[i]);
		by_user_enter(&v, &sa[i]);
	}
	ok(longest(&v) < 10, "are spread by another seed");
	for (unsigned i = 0; i < 60; i++)
		by_user_leave(&v, &sa[i]);
	by_user_clear(&u);
	by_user_clear(&v);
}

static void test_table(void)
{
	struct ike_table t;
	struct ike_sa *a, *b;

	table_init(&t, 3);
	table_new(&t, (const uint8_t *)"aaaaaaaa", (const uint8_t *)"11111111", &a);
	table_new(&t, (const uint8_t *)"bbbbbbbb", (const uint8_t *)"22222222", &b);
	strcpy(a->user, "alice");
	strcpy(b->user, "alice");
	by_user_enter(&t.users, a);
	by_user_enter(&t.users, b);
	is_int(count(&t.users, "alice"), 2, "two sessions of one user");
	table_remove(&t, a);
	ok(by_user_first(&t.users, "alice") == b && !by_user_next(b), "an SA that is gone is gone");
	table_remove(&t, b);
	ok(!by_user_first(&t.users, "alice"), "and the last one");
	table_clear(&t);
}

int main(void)
{
	test_model();
	test_chains();
	test_table();
	return done();
}
