/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_check.c - proposal_check, word by word: lifetimes, key lengths, PFS groups. */
#include "ike/check.h"

#include <errno.h>

#include "cleanup.h"
#include "tap.h"

#define NONE LIFE_NOT_OFFERED

static const char *const word[] = { "claim", "obey", "strict", "exact" };

static void test_life(void)
{
	static const struct {
		enum ike_check check;
		uint32_t ours, offered, life; /* life 0: refused */
		bool cut;
	} rows[] = {
		{ IKE_CHECK_OBEY, 3600, 86400, 86400, false },
		{ IKE_CHECK_OBEY, 3600, 600, 600, false },
		{ IKE_CHECK_OBEY, 3600, NONE, 3600, false },
		{ IKE_CHECK_CLAIM, 3600, 86400, 3600, true },
		{ IKE_CHECK_CLAIM, 3600, 3600, 3600, false },
		{ IKE_CHECK_CLAIM, 3600, 600, 600, false },
		{ IKE_CHECK_CLAIM, 3600, NONE, 3600, false },
		{ IKE_CHECK_STRICT, 3600, 3601, 0, false },
		{ IKE_CHECK_STRICT, 3600, 3600, 3600, false },
		{ IKE_CHECK_STRICT, 3600, 600, 600, false },
		{ IKE_CHECK_STRICT, 3600, NONE, 3600, false },
		{ IKE_CHECK_EXACT, 3600, 3601, 0, false },
		{ IKE_CHECK_EXACT, 3600, 3599, 0, false },
		{ IKE_CHECK_EXACT, 3600, 3600, 3600, false },
		{ IKE_CHECK_EXACT, 3600, NONE, 3600, false },
		/* N070: never next to nothing */
		{ IKE_CHECK_OBEY, 3600, 0, LIMIT_MIN_LIFE_S, false },
		{ IKE_CHECK_CLAIM, 3600, 1, LIMIT_MIN_LIFE_S, false },
		{ IKE_CHECK_STRICT, 3600, 1, LIMIT_MIN_LIFE_S, false },
		/* unless that is ours */
		{ IKE_CHECK_CLAIM, 20, 1, 20, false },
		{ IKE_CHECK_OBEY, 20, 1, 20, false },
		{ IKE_CHECK_CLAIM, 20, 600, 20, true },
		{ IKE_CHECK_OBEY, 20, 600, 600, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t life = 0;
		bool cut = false;
		int rc = check_life(rows[i].check, rows[i].ours, rows[i].offered, &life, &cut);

		ok(rc == (rows[i].life ? 0 : -ERANGE) && life == rows[i].life && cut == rows[i].cut,
		   "%s: we have %u s, the client wants %u s", word[rows[i].check], rows[i].ours,
		   rows[i].offered);
	}
}

static void test_key_len(void)
{
	static const struct {
		enum ike_check check;
		uint16_t ours, offered;
		bool good;
	} rows[] = {
		{ IKE_CHECK_OBEY, 256, 128, true },    { IKE_CHECK_OBEY, 128, 256, true },
		{ IKE_CHECK_CLAIM, 128, 256, true },   { IKE_CHECK_CLAIM, 256, 128, false },
		{ IKE_CHECK_CLAIM, 192, 192, true },   { IKE_CHECK_STRICT, 128, 192, true },
		{ IKE_CHECK_STRICT, 192, 128, false }, { IKE_CHECK_EXACT, 128, 256, false },
		{ IKE_CHECK_EXACT, 256, 256, true },   { IKE_CHECK_OBEY, 128, 0, false },
		{ IKE_CHECK_OBEY, 128, 512, false },   { IKE_CHECK_CLAIM, 128, 65535, false },
		{ IKE_CHECK_OBEY, 0, 0, true },        { IKE_CHECK_OBEY, 0, 192, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ok(check_key_len(rows[i].check, rows[i].ours, rows[i].offered) == rows[i].good,
		   "%s: we have %u bits, the client offers %u", word[rows[i].check], rows[i].ours,
		   rows[i].offered);
}

static void test_pfs(void)
{
	static const struct {
		enum ike_check check;
		uint16_t ours, group; /* 0: none */
		bool good;
	} rows[] = {
		{ IKE_CHECK_OBEY, 0, 0, true },     { IKE_CHECK_OBEY, 14, 0, true },
		{ IKE_CHECK_OBEY, 14, 19, true },   { IKE_CHECK_OBEY, 14, 2, false },
		{ IKE_CHECK_OBEY, 2, 2, true },     { IKE_CHECK_CLAIM, 0, 0, true },
		{ IKE_CHECK_CLAIM, 0, 19, true },   { IKE_CHECK_CLAIM, 0, 2, false },
		{ IKE_CHECK_CLAIM, 14, 14, true },  { IKE_CHECK_CLAIM, 14, 0, false },
		{ IKE_CHECK_CLAIM, 14, 19, false }, { IKE_CHECK_STRICT, 0, 14, true },
		{ IKE_CHECK_STRICT, 14, 0, false }, { IKE_CHECK_STRICT, 14, 14, true },
		{ IKE_CHECK_EXACT, 0, 0, true },    { IKE_CHECK_EXACT, 0, 14, false },
		{ IKE_CHECK_EXACT, 14, 14, true },  { IKE_CHECK_EXACT, 14, 0, false },
		{ IKE_CHECK_EXACT, 14, 19, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ike_conf conf = { .check = rows[i].check };

		if (rows[i].ours)
			conf.pfs_group[conf.n_pfs++] = rows[i].ours;
		ok(check_pfs(&conf, rows[i].group) == rows[i].good,
		   "%s: our group is %u, the client's %u", word[rows[i].check], rows[i].ours,
		   rows[i].group);
	}
}

int main(void)
{
	test_life();
	test_key_len();
	test_pfs();
	return done();
}
