/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_table.c - all ISAKMP SAs: handles, cookies, sources, deadlines, against naive models. */
#include "ike/table.h"

#include <errno.h>

#include "cleanup.h"
#include "ike/core.h"
#include "tap.h"

static uint64_t seed = 88172645463325252u;

static uint32_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

static void cookie(uint8_t out[8], uint32_t a, uint32_t b)
{
	struct wr w = wr_into(out, 8);

	wr_be32(&w, a);
	wr_be32(&w, b);
}

static struct ike_sa *add(struct ike_table *t, uint32_t i, uint32_t r)
{
	uint8_t cky_i[8], cky_r[8];
	struct ike_sa *sa = NULL;

	cookie(cky_i, i, i);
	cookie(cky_r, r, i);
	if (table_new(t, cky_i, cky_r, &sa) < 0)
		abort();
	return sa;
}

/* ---- handles ---- */

static void test_handles(void)
{
	struct ike_table t;
	struct ike_sa *sa;
	struct sess_id old;
	bool good = true;

	table_init(&t, 1);
	sa = add(&t, 1, 1);
	old = sa->id;
	ok(table_get(&t, old) == sa, "a handle finds its SA");
	ok(!table_get(&t, (struct sess_id){ old.slot, old.gen + 1 }) &&
		   !table_get(&t, (struct sess_id){ old.slot + 1, old.gen }) &&
		   !table_get(&t, (struct sess_id){ UINT32_MAX, 0 }) &&
		   !table_get(&t, (struct sess_id){ 0, 0 }),
	   "another one does not");
	table_remove(&t, sa);
	ok(!table_get(&t, old), "when the SA is gone its handle finds nothing");
	sa = add(&t, 2, 2);
	ok(sa->id.slot == old.slot && !table_get(&t, old) && table_get(&t, sa->id) == sa,
	   "not even when the place is used again");
	for (unsigned i = 0; i < 1000; i++) {
		struct sess_id id = sa->id;

		table_remove(&t, sa);
		sa = add(&t, 2, 2);
		good &= !table_get(&t, id);
	}
	ok(good && t.n == 1 && t.cap == 64, "a thousand times over, without growing");
	table_clear(&t);
}

/* ---- names, and cookies that change hands ---- */

static void test_swap(void)
{
	uint8_t a_i[8], a_r[8], b_i[8], b_r[8];
	struct ike_table t;
	struct ike_sa *a, *b;
	uint32_t name;

	table_init(&t, 1);
	a = add(&t, 1, 0x11111111);
	b = add(&t, 2, 0x22222222);
	memcpy(a_i, a->cky_i, 8);
	memcpy(a_r, a->cky_r, 8);
	memcpy(b_i, b->cky_i, 8);
	memcpy(b_r, b->cky_r, 8);
	name = a->name;
	table_swap_cookies(&t, a, b);
	ok(table_by_cookies(&t, a_i, a_r) == b && table_by_cookies(&t, b_i, b_r) == a,
	   "two SAs exchange their cookies");
	ok(a->name == name && table_name_taken(&t, a_r) && table_name_taken(&t, b_r),
	   "and keep their names");
	table_remove(&t, b);
	ok(!table_name_taken(&t, b_r) && table_name_taken(&t, a_r) &&
		   table_by_cookies(&t, b_i, b_r) == a && !table_by_cookies(&t, a_i, a_r),
	   "when one goes its name is free, although its cookies live on");
	b = add(&t, 3, 0x33333333);
	is_int(table_rename(&t, b, name), -EEXIST, "a name is given once");
	ok(table_rename(&t, b, 0x44444444) == 0 && !table_name_taken(&t, b->cky_r) &&
		   b->name == 0x44444444,
	   "another one instead");
	is_int(table_rename(&t, b, 0x44444444), 0, "the same again is no change");
	is_int(t.names.n, 2, "as many names as SAs");
	table_clear(&t);
}

/* ---- by cookies ---- */

#define MANY 5000

static void test_cookies(void)
{
	static struct ike_sa *all[MANY];
	struct ike_table t;
	uint8_t cky_i[8], cky_r[8];
	bool found = true, wrong = true, gone = true;

	table_init(&t, 1);
	for (uint32_t i = 0; i < MANY; i++)
		all[i] = add(&t, i, draw());
	is_int(t.n, MANY, "thousands of SAs");
	ok(t.cookie_mask + 1 >= MANY, "have as many buckets: no list is walked");
	for (uint32_t i = 0; i < MANY; i++) {
		found &= table_by_cookies(&t, all[i]->cky_i, all[i]->cky_r) == all[i];
		memcpy(cky_i, all[i]->cky_i, 8);
		memcpy(cky_r, all[i]->cky_r, 8);
		cky_i[7] ^= 1;
		wrong &= !table_by_cookies(&t, cky_i, cky_r);
		cky_i[7] ^= 1;
		cky_r[7] ^= 1;
		wrong &= !table_by_cookies(&t, cky_i, cky_r);
		wrong &= table_name_taken(&t, cky_r); /* its name is the first half */
	}
	ok(found, "each is found by both its cookies");
	ok(wrong, "and not by one of them");
	for (uint32_t i = 0; i < MANY; i += 2) {
		memcpy(cky_i, all[i]->cky_i, 8);
		memcpy(cky_r, all[i]->cky_r, 8);
		table_remove(&t, all[i]);
		gone &= !table_by_cookies(&t, cky_i, cky_r);
	}
	for (uint32_t i = 1; i < MANY; i += 2)
		gone &= table_by_cookies(&t, all[i]->cky_i, all[i]->cky_r) == all[i];
	ok(gone, "half of them removed, the others are found");
	table_clear(&t);
	/* all in one bucket: the first four bytes of the responder's cookie are its place */
	table_init(&t, 1);
	for (uint32_t i = 0; i < 200; i++)
		all[i] = add(&t, i, 0x01000000u * (i % 200));
	for (uint32_t i = 0; i < 200; i++)
		found &= table_by_cookies(&t, all[i]->cky_i, all[i]->cky_r) == all[i];
	for (uint32_t i = 0; i < 200; i++)
		table_remove(&t, all[(i * 7) % 200]);
	ok(found && t.n == 0, "one bucket for all works, too");
	table_clear(&t);
}

/* ---- deadlines ---- */

static void test_heap(void)
{
	static struct ike_sa *all[500];
	struct ike_table t;
	bool order = true;

	table_init(&t, 1);
	ok(!table_next_due(&t), "nothing is due in an empty table");
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = add(&t, i, draw());
		table_due(&t, all[i], UINT64_MAX);
	}
	ok(!table_next_due(&t), "nor when nothing has a time");
	for (unsigned round = 0; round < 20000; round++) {
		struct ike_sa *sa = all[draw() % ARRAY_SIZE(all)], *first = NULL;

		table_due(&t, sa, draw() % 4 ? draw() % 1000 : UINT64_MAX);
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			if (all[i]->due_us != UINT64_MAX &&
			    (!first || all[i]->due_us < first->due_us))
				first = all[i];
		order &= first ? table_next_due(&t) && table_next_due(&t)->due_us == first->due_us
			       : !table_next_due(&t);
		if (round % 1000 == 999) { /* one leaves, another comes */
			size_t i = draw() % ARRAY_SIZE(all);

			table_remove(&t, all[i]);
			all[i] = add(&t, round, draw());
		}
	}
	ok(order, "the next to be due is always the earliest");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		table_due(&t, all[i], 77);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		table_remove(&t, all[i]);
	ok(t.heap_n == 0 && !table_next_due(&t), "SAs that go leave nothing in the heap");
	table_clear(&t);
}

/* ---- sources ---- */

static void test_sources(void)
{
	static struct ike_sa *all[600];
	unsigned n[20] = { 0 };
	struct ike_table t;
	bool counted = true, age = true;

	table_init(&t, 99);
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = add(&t, i, draw());
		all[i]->source.addr = ipaddr_v4(0x0a000000 + draw() % 20);
		all[i]->source.port = (uint16_t)i;
		all[i]->state = i % 3 ? IKE_ST_AM_SENT : IKE_ST_XAUTH;
		half_open_enter(&t, all[i]);
		n[ipaddr_to_v4(&all[i]->source.addr) & 0xff]++;
	}
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t a = 0; a < 20; a++) {
			struct ipaddr addr = ipaddr_v4(0x0a000000 + a);

			counted &= half_open_from(&t, &addr, 1000) == n[a] &&
				   half_open_from(&t, &addr, 3) == (n[a] < 3 ? n[a] : 3);
		}
		for (uint32_t i = 0; i < ARRAY_SIZE(all); i += 4 - round) {
			if (all[i]->half_open == IKE_HALF_OPEN_NO)
				continue;
			half_open_leave(&t, all[i]);
			half_open_leave(&t, all[i]); /* twice is once */
			n[ipaddr_to_v4(&all[i]->source.addr) & 0xff]--;
		}
	}
	ok(counted, "half-open exchanges are counted by their source");
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct ike_sa *found = half_open_find(&t, &all[i]->source, all[i]->cky_i);

		age &= found == (all[i]->half_open ? all[i] : NULL);
	}
	ok(age, "and found by their first message");
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i]->half_open && all[i]->state == IKE_ST_AM_SENT) {
			is_int(half_open_oldest(&t, IKE_HALF_OPEN_UNPROVED, ST(AM_SENT)) == all[i],
			       1, "the oldest that has proved nothing is known");
			break;
		}
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++)
		table_remove(&t, all[i]);
	ok(half_open_count(&t) == 0 && !t.half_open[IKE_HALF_OPEN_UNPROVED].oldest &&
		   !t.half_open[IKE_HALF_OPEN_UNPROVED].newest,
	   "nothing is left of them");
	table_clear(&t);
}

/* ---- the set of SPIs ---- */

#define VALUES 400

static void test_set(void)
{
	struct u32_set s = { 0 };
	bool in[VALUES] = { false }, good = true;
	uint32_t value[VALUES], n = 0;

	ok(!u32_has(&s, 7) && !u32_note(&s, 7), "an empty set has nothing");
	u32_del(&s, 7);
	for (unsigned i = 0; i < VALUES; i++) /* many of them neighbours */
		value[i] = i % 2 ? draw() | 1 : 0x10000 + i;
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = draw() % VALUES;

		if (draw() % 2) {
			int rc = u32_add(&s, value[i]);

			good &= rc == (in[i] ? -EEXIST : 0);
			if (rc == 0)
				*u32_note(&s, value[i]) = ~value[i];
			n += !in[i];
			in[i] = true;
		} else {
			u32_del(&s, value[i]);
			n -= in[i];
			in[i] = false;
		}
		good &= s.n == n;
		i = draw() % VALUES;
		good &= u32_has(&s, value[i]) == in[i];
		good &= in[i] ? *u32_note(&s, value[i]) == ~value[i] : !u32_note(&s, value[i]);
		if (round % 20000 == 0)
			for (i = 0; i < VALUES; i++)
				good &= u32_has(&s, value[i]) == in[i];
	}
	for (unsigned i = 0; i < VALUES; i++)
		good &= u32_has(&s, value[i]) == in[i];
	ok(good, "200000 random operations do what a plain list would do");
	ok(s.cap >= 2 * s.n && s.cap <= 2048, "in a table that is neither full nor vast");
	for (unsigned i = 0; i < VALUES; i++)
		u32_del(&s, value[i]);
	is_int(s.n, 0, "all of it can be taken out");
	ok(!u32_note(&s, 0), "0 is never in it");
	free(s.v);
	free(s.note);
}

static struct ike_child *pair(struct ike_table *t, struct ike_sa *sa, uint32_t spi, bool noted)
{
	struct ike_child *c = calloc(1, sizeof(*c));

	if (!c || u32_add(&t->spis, spi) < 0)
		abort();
	c->spi_in = spi;
	c->next = sa->children;
	sa->children = c;
	if (noted)
		*u32_note(&t->spis, spi) = sa->id.slot;
	return c;
}

static void test_by_spi(void)
{
	struct ike_table t;
	struct ike_sa *sa[300];
	struct ike_child *c;
	bool good = true;

	table_init(&t, 1);
	ok(!table_by_spi(&t, 0x1000), "nobody has an SPI when there is nobody");
	for (uint32_t i = 0; i < ARRAY_SIZE(sa); i++) {
		sa[i] = add(&t, i, i);
		pair(&t, sa[i], 0x1000 + i, i % 3);
		pair(&t, sa[i], 0x80001000 + i, i % 2);
	}
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t i = 0; i < ARRAY_SIZE(sa); i++)
			good &= table_by_spi(&t, 0x1000 + i) == sa[i] &&
				table_by_spi(&t, 0x80001000 + i) == sa[i];
	ok(good, "an SPI leads to the SA that has its pair, noted or not");
	is_int(*u32_note(&t.spis, 0x1003), sa[3]->id.slot, "what was searched for is noted");
	ok(!table_by_spi(&t, 0x999) && !table_by_spi(&t, 0), "a foreign one leads nowhere");
	c = sa[7]->children;
	sa[7]->children = c->next;
	c->next = sa[8]->children;
	sa[8]->children = c;
	ok(table_by_spi(&t, c->spi_in) == sa[8], "a pair that changes hands is found again");
	table_remove(&t, sa[8]);
	ok(!table_by_spi(&t, 0x80001007) && !table_by_spi(&t, 0x1008) &&
		   table_by_spi(&t, 0x1007) == sa[7],
	   "an SA that goes takes its SPIs along");
	table_clear(&t);
}

int main(void)
{
	test_handles();
	test_swap();
	test_cookies();
	test_heap();
	test_sources();
	test_set();
	test_by_spi();
	return done();
}
