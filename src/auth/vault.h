/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vault.h - memory for passwords that wait: equal slots that no core dump shows and no forked child
 * inherits (it finds zeros there), each wiped when it is given back.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct vault {
	uint8_t *base;    /* owned */
	uint16_t *unused; /* owned: stack of free slots */
	size_t slot, n, n_unused;
};

/* n slots of `slot` bytes, n < 65536. 0 or -errno. */
static inline int vault_open(struct vault *v, size_t slot, size_t n)
{
	*v = (struct vault){ .slot = slot, .n = n };
	v->unused = calloc(n, sizeof(*v->unused));
	if (!v->unused)
		return -ENOMEM;
	v->base = mmap(NULL, slot * n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (v->base == MAP_FAILED) {
		free(v->unused);
		*v = (struct vault){ 0 };
		return -ENOMEM;
	}
	/* A kernel or a container that knows none of these still keeps passwords. */
	(void)madvise(v->base, slot * n, MADV_DONTDUMP);
	(void)madvise(v->base, slot * n, MADV_WIPEONFORK);
	while (v->n_unused < n) {
		v->unused[v->n_unused] = (uint16_t)(n - 1 - v->n_unused);
		v->n_unused++;
	}
	return 0;
}

static inline void vault_close(struct vault *v)
{
	if (v->base) {
		explicit_bzero(v->base, v->slot * v->n);
		munmap(v->base, v->slot * v->n);
	}
	free(v->unused);
	*v = (struct vault){ 0 };
}

/* A slot's number, or -1 when all are taken. */
static inline int vault_take(struct vault *v)
{
	return v->n_unused ? v->unused[--v->n_unused] : -1;
}

static inline uint8_t *vault_at(const struct vault *v, int i)
{
	return v->base + (size_t)i * v->slot;
}

/* Wipes the slot and gives it back. i < 0: nothing. Returns -1, to be stored in place of i. */
static inline int vault_drop(struct vault *v, int i)
{
	if (i >= 0) {
		explicit_bzero(vault_at(v, i), v->slot);
		v->unused[v->n_unused++] = (uint16_t)i;
	}
	return -1;
}
