/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* u32_set.c - a set of 32-bit values: SPIs and names in use. Pure. */
#include <errno.h>

#include "cleanup.h"
#include "ike/table.h"

static uint32_t u32_home(const struct u32_set *s, uint32_t v)
{
	return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (s->cap - 1);
}

static uint32_t u32_place(const struct u32_set *s, uint32_t v)
{
	uint32_t i = u32_home(s, v);

	while (s->v[i] && s->v[i] != v)
		i = (i + 1) & (s->cap - 1);
	return i;
}

bool u32_has(const struct u32_set *s, uint32_t v)
{
	return v && s->cap && s->v[u32_place(s, v)] == v;
}

uint32_t *u32_note(struct u32_set *s, uint32_t v)
{
	return u32_has(s, v) ? &s->note[u32_place(s, v)] : NULL;
}

static int u32_grow(struct u32_set *s)
{
	struct u32_set big = { .cap = s->cap ? s->cap * 2 : 64, .n = s->n };

	big.v = calloc(big.cap, sizeof(uint32_t));
	big.note = calloc(big.cap, sizeof(uint32_t));
	if (!big.v || !big.note) {
		free(big.v);
		free(big.note);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < s->cap; i++) {
		uint32_t at = s->v[i] ? u32_place(&big, s->v[i]) : 0;

		if (!s->v[i])
			continue;
		big.v[at] = s->v[i];
		big.note[at] = s->note[i];
	}
	free(s->v);
	free(s->note);
	*s = big;
	return 0;
}

int u32_add(struct u32_set *s, uint32_t v)
{
	uint32_t at;

	if (u32_has(s, v))
		return -EEXIST;
	if ((s->n + 1) * 2 > s->cap && u32_grow(s) < 0)
		return -ENOMEM;
	at = u32_place(s, v);
	s->v[at] = v;
	s->note[at] = 0;
	s->n++;
	return 0;
}

void u32_del(struct u32_set *s, uint32_t v)
{
	uint32_t hole, i;

	if (!u32_has(s, v))
		return;
	hole = u32_place(s, v);
	s->v[hole] = 0;
	s->n--;
	/* Entries behind the hole that reached their place past it move up. */
	for (i = (hole + 1) & (s->cap - 1); s->v[i]; i = (i + 1) & (s->cap - 1)) {
		uint32_t home = u32_home(s, s->v[i]);

		if (((i - home) & (s->cap - 1)) >= ((i - hole) & (s->cap - 1))) {
			s->v[hole] = s->v[i];
			s->note[hole] = s->note[i];
			s->v[i] = 0;
			hole = i;
		}
	}
}
