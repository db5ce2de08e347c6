/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * table.h - all ISAKMP SAs: found by cookies, by handle, by source, by deadline, each without a
 * walk over the others. Private to ike/.
 */
#pragma once

#include "ike/by_user.h"
#include "ike/ike.h"
#include "ike/sa.h"

struct ike_slot {
	struct ike_sa *sa; /* owned; NULL: free */
	uint32_t gen;
	uint32_t next_free;
	uint32_t next_changed;
	bool changed; /* in the list of those */
};

/* An open-addressed set of 32-bit values other than 0: the inbound SPIs and CPIs in use. Each has a note, 0
 * until somebody writes one. */
struct u32_set {
	uint32_t *v, *note; /* owned */
	uint32_t cap, n;
};

/* Logins under way, by age. */
struct half_open_list {
	struct ike_sa *oldest, *newest;
	uint32_t n;
};

struct ike_table {
	struct ike_slot *slot; /* owned */
	uint32_t cap, free_head, n;
	uint32_t changed_head;     /* places whose session has changed */
	struct ike_sa **by_cookie; /* owned; hashed by CKY-R, which is our own random */
	uint32_t cookie_mask;
	struct ike_sa **by_source; /* owned; half-open exchanges only */
	uint64_t source_seed;
	struct half_open_list half_open[IKE_HALF_OPEN__COUNT];
	uint32_t n_logged_in;
	struct ike_sa **heap; /* owned; by due_us */
	uint32_t heap_n, heap_cap;
	struct u32_set spis, cpis, names;
	struct user_index users; /* of sessions and of logins that were let in */
};

int table_init(struct ike_table *t, uint64_t seed);
void table_clear(struct ike_table *t);

/* A zeroed SA with these cookies, in no list but the table. 0, -EEXIST (its name), -ENOMEM. */
int table_new(struct ike_table *t, const uint8_t cky_i[static IKE_COOKIE],
	      const uint8_t cky_r[static IKE_COOKIE], struct ike_sa **ret);
/* The same in this place, below LIMIT_PLACES. -EEXIST also when it is taken. */
int table_new_at(struct ike_table *t, uint32_t slot, const uint8_t cky_i[static IKE_COOKIE],
		 const uint8_t cky_r[static IKE_COOKIE], struct ike_sa **ret);
void table_remove(struct ike_table *t, struct ike_sa *sa); /* frees it */

/* What is to be kept of the session in this place is not what it was. */
void table_changed(struct ike_table *t, uint32_t slot);
/* Takes one of those; false: there is none. */
bool table_next_changed(struct ike_table *t, uint32_t *ret_slot);

struct ike_sa *table_get(const struct ike_table *t, struct sess_id id);
struct ike_sa *table_by_cookies(const struct ike_table *t, const uint8_t *cky_i,
				const uint8_t *cky_r);
/* The SA that has a pair with this inbound SPI, or NULL. Who marks the SPI as used notes the slot
 * with it; without that, or when the pair has changed hands, all SAs are asked, once. */
struct ike_sa *table_by_spi(struct ike_table *t, uint32_t spi);
/* Whether an SA has the name that this responder cookie begins with: names must differ. */
bool table_name_taken(const struct ike_table *t, const uint8_t *cky_r);
/* Gives it another name. 0, -EEXIST, -ENOMEM. */
int table_rename(struct ike_table *t, struct ike_sa *sa, uint32_t name);
/* Both are found by the other's cookies. */
void table_swap_cookies(struct ike_table *t, struct ike_sa *a, struct ike_sa *b);

/*
 * Half-open exchanges: entered when created, left when logged in or gone. In between, a client that
 * has finished phase 1 moves to the other list: those who need only send a packet from anywhere
 * cannot keep out those who have done more, nor the other way round.
 */
void half_open_enter(struct ike_table *t, struct ike_sa *sa); /* in front of sa->next_source */
void half_open_prove(struct ike_table *t, struct ike_sa *sa);
void half_open_leave(struct ike_table *t, struct ike_sa *sa);
uint32_t half_open_count(const struct ike_table *t); /* in both */
/* How many come from this source (IPv4 address, IPv6 /64); counting stops at `enough`. */
unsigned half_open_from(const struct ike_table *t, const struct ipaddr *a, unsigned enough);
/* The half-open exchange that this first message started, or NULL. */
struct ike_sa *half_open_find(const struct ike_table *t, const struct endpoint *peer,
			      const uint8_t *cky_i);
/* The oldest one of a list that is in one of these states (a set of ST()), or NULL: who makes room. */
struct ike_sa *half_open_oldest(const struct ike_table *t, enum ike_half_open list,
				uint32_t states);

/* Sets when the SA has something to do; UINT64_MAX: never. */
void table_due(struct ike_table *t, struct ike_sa *sa, uint64_t due_us);
struct ike_sa *table_next_due(const struct ike_table *t); /* NULL: none */

bool u32_has(const struct u32_set *s, uint32_t v);
int u32_add(struct u32_set *s, uint32_t v); /* 0, -EEXIST, -ENOMEM */
void u32_del(struct u32_set *s, uint32_t v);
uint32_t *u32_note(struct u32_set *s, uint32_t v); /* NULL: not in the set; until it changes */
