/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeplog.h - records in a piece of memory that outlives the process, each under a number.
 *
 * The process may be killed between any two instructions: whoever reads the memory then finds every
 * record as it was put last, and not half of one. What has been changed by anything else, by a
 * single bit, is found out and refused whole. No system call is made here.
 *
 * The memory is a head and two halves, of which one is in use as a list of records that only grows;
 * of the records with one number the last one counts. When the half is full, those that count go to
 * the other half, which is then the one in use.
 */
#pragma once

#include <stdint.h>

#include "bytes.h"

#define KEEPLOG_VERSION 1
#define KEEPLOG_HEAD    64 /* bytes in front of the halves */
#define KEEPLOG_RECORD  20 /* bytes that a record has beside its data */
#define KEEPLOG_MAX     (1u << 30)

struct keeplog_place {
	uint32_t at, len; /* of the whole record in the half in use; 0: there is none */
};

struct keeplog {
	uint8_t *mem; /* borrowed */
	size_t half;  /* bytes of each */
	bool second;  /* the half in use */
	bool open;    /* readers are told of what is in it */
	uint32_t used, seq;
	size_t live;                 /* bytes of the records that count */
	struct keeplog_place *place; /* owned; by number */
	uint32_t n_places;
};

/*
 * Makes `mem` (zeroes, aligned for 64-bit words, at most KEEPLOG_MAX) an empty log, for this version
 * of the records. `generation` tells several of them apart. It cannot be read before keeplog_open().
 */
void keeplog_init(struct keeplog *l, void *mem, size_t size, uint32_t version, uint64_t generation);
void keeplog_open(struct keeplog *l);
void keeplog_clear(struct keeplog *l); /* frees what is outside the memory */

/* 0; -ENOSPC: there is no room beside the records that count; -ENOMEM. Nothing has changed then. */
int keeplog_put(struct keeplog *l, uint32_t number, struct span data);
/* The same; a number without a record is no error. */
int keeplog_del(struct keeplog *l, uint32_t number);

/* The data under this number; empty: there is none. Until the next change. */
struct span keeplog_get(const struct keeplog *l, uint32_t number);

/* The records that count fill most of a half: a larger memory is wanted. */
bool keeplog_crowded(const struct keeplog *l);

/* ---- reading ---- */

typedef void (*keeplog_fn)(void *ctx, uint32_t number, struct span data);

/* 0, -ENODATA: never opened; -EPROTO: another version; -EBADMSG: damaged, or no log. */
int keeplog_look(struct span mem, uint32_t version, uint64_t *ret_generation);

/* Calls fn for every record, by number. The same errors, before fn is called at all; -ENOMEM. */
int keeplog_read(struct span mem, uint32_t version, keeplog_fn fn, void *ctx);
