/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_keeplog.c - what was put last is read back, however the writer ended; damage is refused. */
#include <errno.h>

#include "bounds.h"
#include "cleanup.h"
#include "keeplog.h"
#include "tap.h"

#define VERSION_HERE 7
#define NUMBERS      40

static _Alignas(8) uint8_t mem[16384], copy[16384];
static struct keeplog l;

/* What should be there, and what is. */
static uint8_t want[NUMBERS][200], got[NUMBERS][200];
static size_t n_want[NUMBERS], n_got[NUMBERS];
static unsigned calls, out_of_order;
static uint32_t last;

static void fresh(size_t size)
{
	keeplog_clear(&l);
	memset(mem, 0, sizeof(mem));
	memset(n_want, 0, sizeof(n_want));
	keeplog_init(&l, mem, size, VERSION_HERE, 1);
}

static void take(void *ctx, uint32_t number, struct span data)
{
	(void)ctx;
	out_of_order += calls++ && number <= last;
	last = number;
	n_got[number] = data.n;
	memcpy(got[number], data.p, data.n);
}

static int look(const uint8_t *at, size_t size)
{
	memset(n_got, 0, sizeof(n_got));
	calls = 0;
	return keeplog_read((struct span){ at, size }, VERSION_HERE, take, NULL);
}

static bool as_wanted(void)
{
	bool same = true;

	for (unsigned i = 0; i < NUMBERS; i++)
		same &= n_got[i] == n_want[i] && memcmp(got[i], want[i], n_want[i]) == 0;
	return same && out_of_order == 0;
}

static uint32_t draw(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32);
}

/* One change, to be seen by whoever reads afterwards. */
static int change(void)
{
	uint32_t i = draw() % NUMBERS;
	size_t n = draw() % 4 ? 1 + draw() % 199 : 0;
	uint8_t data[200];
	int rc;

	for (size_t k = 0; k < n; k++)
		data[k] = (uint8_t)draw();
	rc = n ? keeplog_put(&l, i, (struct span){ data, n }) : keeplog_del(&l, i);
	if (rc == 0) {
		memcpy(want[i], data, n);
		n_want[i] = n;
	}
	return rc;
}

static void test_changes(void)
{
	bool same = true, refused = false;

	fresh(sizeof(mem));
	is_int(look(mem, sizeof(mem)), -ENODATA, "a log that was never opened has nothing to say");
	for (unsigned i = 0; i < 10; i++)
		change();
	is_int(look(mem, sizeof(mem)), -ENODATA, "however much is in it");
	keeplog_open(&l);
	ok(look(mem, sizeof(mem)) == 0 && as_wanted(), "opened it says all");
	for (unsigned i = 0; i < 20000 && same; i++) {
		int rc = change();

		refused |= rc == -ENOSPC;
		same = (rc == 0 || rc == -ENOSPC) && look(mem, sizeof(mem)) == 0 && as_wanted();
	}
	ok(same, "after each of 20000 changes what is read is what was put last");
	fresh(2048);
	keeplog_open(&l);
	for (unsigned i = 0; i < 20000 && same; i++) {
		int rc = change();

		refused |= rc == -ENOSPC;
		same = (rc == 0 || rc == -ENOSPC) && look(mem, 2048) == 0 && as_wanted();
	}
	ok(same && refused, "where it is too small for all, what has no room changes nothing");
	ok(keeplog_crowded(&l), "and it says that it is too small");
	is_int(keeplog_put(&l, LIMIT_PLACES, span_str("x")), -ENOSPC, "numbers have their limit");
}

/* The writer is killed: what it has written of the next record, and where it flips to the other
 * half, counts for nothing until the state says so. */
static void test_killed(void)
{
	bool same = true;

	fresh(4096);
	keeplog_open(&l);
	for (unsigned i = 0; i < 2000 && same; i++) {
		memcpy(copy, mem, 4096);
		if (change() < 0)
			continue;
		/* all of the change but the state */
		for (size_t k = KEEPLOG_HEAD; k < 4096; k += 1 + draw() % 64) {
			size_t n = 4096 - k;
			uint8_t rest[4096];

			memcpy(rest, copy, 4096);
			memcpy(copy + KEEPLOG_HEAD, mem + KEEPLOG_HEAD, 4096 - KEEPLOG_HEAD - n);
			same &= look(copy, 4096) == 0;
			memcpy(copy, rest, 4096);
		}
	}
	ok(same, "a log whose writer was killed at any point is sound");
}

static void test_damage(void)
{
	size_t end;
	bool all = true;
	int rc;

	fresh(sizeof(mem));
	keeplog_open(&l);
	for (unsigned i = 0; i < 30; i++)
		change();
	end = KEEPLOG_HEAD + l.used;
	for (size_t bit = 0; bit < 8 * end; bit++) {
		size_t at = bit / 8;

		if (at >= 40 && at < 56)
			continue; /* nobody's */
		mem[at] ^= (uint8_t)(1u << bit % 8);
		rc = look(mem, sizeof(mem));
		all &= rc == -EBADMSG && calls == 0;
		mem[at] ^= (uint8_t)(1u << bit % 8);
	}
	ok(all, "REL-22: every bit flip is refused before anything is taken for good");
	for (size_t n = 0; n < sizeof(mem); n += 7)
		all &= look(mem, n) == -EBADMSG;
	ok(all, "and so is a log that was cut");
	ok(look(mem, sizeof(mem)) == 0 && as_wanted(), "unharmed it is read after all that");
	is_int(keeplog_read((struct span){ mem, sizeof(mem) }, VERSION_HERE + 1, take, NULL),
	       -EPROTO, "other versions of the records are told from damage");
}

static void test_generation(void)
{
	uint64_t generation = 0;

	fresh(sizeof(mem));
	keeplog_init(&l, mem, sizeof(mem), VERSION_HERE, UINT64_C(0x123456789abcdef0));
	is_int(keeplog_look(SPAN_OF(mem), VERSION_HERE, &generation), -ENODATA, "not opened");
	keeplog_open(&l);
	ok(keeplog_look(SPAN_OF(mem), VERSION_HERE, &generation) == 0 &&
		   generation == UINT64_C(0x123456789abcdef0),
	   "logs are told apart by their generation");
	keeplog_clear(&l);
}

int main(void)
{
	test_changes();
	test_killed();
	test_damage();
	test_generation();
	return done();
}
