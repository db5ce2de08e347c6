/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * throttle.c - slows down who guesses passwords, and locks nobody out. Pure.
 *
 * A source is an IPv4 address or an IPv6 /64. Three kinds of record exist:
 *
 *   source           failures of this source, for whatever user
 *   user             failures for this user, from wherever
 *   user at source   this source has failed for this user, and when it may try again
 *
 * Up to fail_count failures in a window are free. Each failure from then on makes a delay: 1 s,
 * 2 s, 4 s, ... 60 s. A source that is over the limit waits that long after each of its checks. A
 * user who is over the limit slows *only sources that have themselves failed for this user*, each
 * counted from its own last failure. So
 *
 * - one address guessing at one user or at many is slowed;
 * - many addresses guessing at one user get one free guess each, then each of them is slowed;
 * - the user under attack gets in at once from an address that has not failed for him, and after a
 *   typing error waits at most 60 s from his own error, whatever the attackers do meanwhile.
 *
 * A right password forgets that the source failed for this user, and how often; it ends the source's
 * delay and takes back one of its failures, so typing errors behind one NAT do not add up over the
 * day. A delay is charged when the check begins: checks in parallel are not faster than one by one.
 *
 * Failures are counted in a sliding window: those of the running slot, and of the slot before in
 * proportion to how much of it the window still covers. The table has a fixed size and gives up
 * the record that failed longest ago; ASCII letters of names count as one case, since some sources
 * take them so.
 */
#include "auth/throttle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"

#define BUCKETS 4096
#define NONE    UINT16_MAX

enum kind {
	FREE,
	SOURCE,
	USER,
	USER_AT_SOURCE,
};

/* Zeroed before it is filled, so that two equal keys are equal bytes. */
struct key {
	uint8_t kind, family;
	uint8_t source[8]; /* IPv4 address or IPv6 /64 */
	uint8_t user_len;
	uint8_t user[LIMIT_USER];
};

struct record {
	struct key key;
	uint16_t chain;        /* next of the same bucket */
	uint16_t newer, older; /* all records by their last failure */
	uint32_t count, count_before;
	uint64_t slot_start;
	uint64_t until; /* no check before this */
};

struct throttle {
	uint32_t limit;
	uint64_t window, seed;
	uint16_t newest, oldest;
	unsigned used;
	uint16_t bucket[BUCKETS];
	struct record rec[THROTTLE_ENTRIES];
};

int throttle_new(uint32_t fail_count, uint32_t window_s, uint64_t seed, struct throttle **ret)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->limit = fail_count;
	t->window = window_s ? window_s * UINT64_C(1000000) : 1;
	t->seed = seed;
	memset(t->bucket, 0xff, sizeof(t->bucket));
	for (uint16_t i = 0; i < THROTTLE_ENTRIES; i++) {
		t->rec[i].newer = i ? (uint16_t)(i - 1) : NONE;
		t->rec[i].older = i + 1 < THROTTLE_ENTRIES ? (uint16_t)(i + 1) : NONE;
		t->rec[i].chain = NONE;
	}
	t->newest = 0;
	t->oldest = THROTTLE_ENTRIES - 1;
	*ret = t;
	return 0;
}

struct throttle *throttle_free(struct throttle *t)
{
	free(t);
	return NULL;
}

/* Leading bytes of an address that name its source. */
static size_t source_len(const struct ipaddr *a)
{
	return a->family == IP_V6 ? 8 : 4;
}

bool throttle_same_source(const struct ipaddr *a, const struct ipaddr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, source_len(a)) == 0;
}

/* user or peer NULL: not part of this kind of key. */
static struct key make_key(enum kind kind, const struct span *user, const struct ipaddr *peer)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.kind = (uint8_t)kind;
	if (peer) {
		k.family = peer->family;
		memcpy(k.source, peer->b, source_len(peer));
	}
	for (size_t i = 0; user && i < user->n && i < sizeof(k.user); i++) {
		uint8_t c = user->p[i];

		k.user[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
		k.user_len++;
	}
	return k;
}

/* FNV-1a with a secret start and a last mixing. */
static unsigned bucket_of(const struct throttle *t, const struct key *k)
{
	const uint8_t *p = (const uint8_t *)k;
	uint64_t h = t->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct key, user) + k->user_len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15) | 1;
	return (unsigned)(h >> 40) % BUCKETS;
}

static uint16_t find_index(const struct throttle *t, const struct key *k)
{
	uint16_t i = t->bucket[bucket_of(t, k)];

	while (i != NONE && memcmp(&t->rec[i].key, k, sizeof(*k)) != 0)
		i = t->rec[i].chain;
	return i;
}

static struct record *find(struct throttle *t, const struct key *k)
{
	uint16_t i = find_index(t, k);

	return i == NONE ? NULL : &t->rec[i];
}

static void list_remove(struct throttle *t, uint16_t i)
{
	struct record *r = &t->rec[i];

	if (r->newer == NONE)
		t->newest = r->older;
	else
		t->rec[r->newer].older = r->older;
	if (r->older == NONE)
		t->oldest = r->newer;
	else
		t->rec[r->older].newer = r->newer;
}

static void list_newest(struct throttle *t, uint16_t i)
{
	t->rec[i].newer = NONE;
	t->rec[i].older = t->newest;
	if (t->newest == NONE)
		t->oldest = i;
	else
		t->rec[t->newest].newer = i;
	t->newest = i;
}

static void list_oldest(struct throttle *t, uint16_t i)
{
	t->rec[i].older = NONE;
	t->rec[i].newer = t->oldest;
	if (t->oldest == NONE)
		t->newest = i;
	else
		t->rec[t->oldest].older = i;
	t->oldest = i;
}

static void unhash(struct throttle *t, uint16_t i)
{
	uint16_t *at = &t->bucket[bucket_of(t, &t->rec[i].key)];

	while (*at != i)
		at = &t->rec[*at].chain;
	*at = t->rec[i].chain;
	t->rec[i].key.kind = FREE;
	t->used--;
}

/* The record of a key, made when there is none, and now the newest. */
static struct record *touch(struct throttle *t, const struct key *k, uint64_t now)
{
	uint16_t i = find_index(t, k);

	if (i == NONE) {
		uint16_t *head = &t->bucket[bucket_of(t, k)];

		i = t->oldest;
		if (t->rec[i].key.kind != FREE)
			unhash(t, i);
		t->rec[i].key = *k;
		t->rec[i].count = t->rec[i].count_before = 0;
		t->rec[i].slot_start = now;
		t->rec[i].until = 0;
		t->rec[i].chain = *head;
		*head = i;
		t->used++;
	}
	list_remove(t, i);
	list_newest(t, i);
	return &t->rec[i];
}

/* Failures in the window that ends now. */
static uint64_t failures(const struct throttle *t, const struct record *r, uint64_t now)
{
	uint64_t age = now - r->slot_start;

	if (age >= 2 * t->window)
		return 0;
	if (age >= t->window)
		return r->count * (2 * t->window - age) / t->window;
	return r->count + r->count_before * (t->window - age) / t->window;
}

static void roll(const struct throttle *t, struct record *r, uint64_t now)
{
	uint64_t age = now - r->slot_start;

	if (age >= 2 * t->window) {
		r->count = r->count_before = 0;
		r->slot_start = now;
	} else if (age >= t->window) {
		r->count_before = r->count;
		r->count = 0;
		r->slot_start += t->window;
	}
}

static uint64_t delay(const struct throttle *t, const struct record *r, uint64_t now)
{
	uint64_t n = r ? failures(t, r, now) : 0, over;

	if (n < t->limit)
		return 0;
	over = n - t->limit;
	if (over >= 6)
		return THROTTLE_MAX_US;
	return (uint64_t)THROTTLE_FIRST_US << over;
}

uint64_t throttle_peek(const struct throttle *t, struct span user, const struct ipaddr *peer,
		       uint64_t now)
{
	struct key ks = make_key(SOURCE, NULL, peer), kp = make_key(USER_AT_SOURCE, &user, peer);
	uint16_t source = find_index(t, &ks), pair = find_index(t, &kp);
	uint64_t until = source == NONE ? 0 : t->rec[source].until;

	if (pair != NONE && t->rec[pair].until > until)
		until = t->rec[pair].until;
	return until > now ? until : 0;
}

static void raise_until(struct record *r, uint64_t d, uint64_t now)
{
	if (d && r->until < now + d)
		r->until = now + d;
}

uint64_t throttle_start(struct throttle *t, struct span user, const struct ipaddr *peer,
			uint64_t now)
{
	struct key ks = make_key(SOURCE, NULL, peer), ku = make_key(USER, &user, NULL),
		   kp = make_key(USER_AT_SOURCE, &user, peer);
	struct record *source, *pair;
	uint64_t until;

	if (!t->limit)
		return 0;
	until = throttle_peek(t, user, peer, now);
	if (until)
		return until;
	source = find(t, &ks);
	pair = find(t, &kp);
	if (source)
		raise_until(source, delay(t, source, now), now);
	if (pair)
		raise_until(pair, delay(t, find(t, &ku), now), now);
	return 0;
}

static struct record *count_failure(struct throttle *t, const struct key *k, uint64_t now)
{
	struct record *r = touch(t, k, now);

	roll(t, r, now);
	r->count++;
	return r;
}

void throttle_failed(struct throttle *t, struct span user, const struct ipaddr *peer, uint64_t now)
{
	struct key ks = make_key(SOURCE, NULL, peer), ku = make_key(USER, &user, NULL),
		   kp = make_key(USER_AT_SOURCE, &user, peer);
	struct record *r;

	if (!t->limit)
		return;
	r = count_failure(t, &ks, now);
	raise_until(r, delay(t, r, now), now);
	r = count_failure(t, &ku, now);
	raise_until(count_failure(t, &kp, now), delay(t, r, now), now);
}

static void take_back(const struct throttle *t, struct record *r, uint32_t n, uint64_t now)
{
	uint32_t recent;

	roll(t, r, now);
	recent = n < r->count ? n : r->count;
	n -= recent;
	r->count -= recent;
	r->count_before -= n < r->count_before ? n : r->count_before;
}

void throttle_passed(struct throttle *t, struct span user, const struct ipaddr *peer, uint64_t now)
{
	struct key ks = make_key(SOURCE, NULL, peer), ku = make_key(USER, &user, NULL),
		   kp = make_key(USER_AT_SOURCE, &user, peer);
	struct record *source = find(t, &ks), *all = find(t, &ku);
	uint16_t pair = find_index(t, &kp);

	if (source) {
		take_back(t, source, 1, now);
		source->until = 0;
	}
	if (pair == NONE)
		return;
	roll(t, &t->rec[pair], now);
	if (all)
		take_back(t, all, t->rec[pair].count + t->rec[pair].count_before, now);
	unhash(t, pair);
	list_remove(t, pair);
	list_oldest(t, pair);
}

unsigned throttle_entries(const struct throttle *t)
{
	return t->used;
}
