/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leasedb.h - who had which address, on disk, so that users find theirs after a restart.
 *
 * Memory is the truth (pool/), the file follows. leasedb_save() and leasedb_forget() copy one
 * record into a queue and return; a thread of its own writes the queue in groups (50 ms or 64
 * records, SQLite in WAL mode, synchronous=NORMAL). A crash of the daemon loses what is in the
 * queue, a power cut may lose the last second: the sessions are gone too then, and at worst a user
 * gets another address.
 *
 * When the disk fails the records wait and are tried again every second; leasedb_health() tells.
 * The queue has one record for each address: a newer one supersedes the older. When it holds
 * LEASEDB_QUEUE of them, one of another address pushes out the oldest, which is lost and counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"

#define LEASEDB_QUEUE   65536 /* addresses waiting; 240 bytes each, touched only as needed */
#define LEASEDB_GROUP   64    /* records in one commit */
#define LEASEDB_WAIT_MS 50    /* how long the first record of a group waits for others */
#define LEASEDB_WHY     256   /* bytes of an explanation */

struct leasedb;

struct leasedb_row {
	struct ipaddr addr;
	const char *pool, *user; /* borrowed */
	uint64_t granted_s;      /* CLOCK_REALTIME seconds, as released_s */
	uint64_t released_s;     /* 0: a session has it */
	bool pinned;             /* to this user, by an operator */
};

/*
 * Opens the file, or makes it (mode 0600). -errno, and a sentence in ret_why:
 * -EBADMSG           it is damaged or no database: leasedb_set_aside() makes room for a new one
 * -EEXIST            it is somebody else's database
 * -EPROTONOSUPPORT   it was written by a newer version
 * -EINVAL            the path is no regular file
 * others             from the system
 */
int leasedb_open(const char *path, struct leasedb **ret, char ret_why[static LEASEDB_WHY]);

/* Renames the file, and what SQLite keeps beside it, to PATH.damaged, replacing an older one. */
int leasedb_set_aside(const char *path);

/*
 * Calls fn for each row, in the order of release, those that a session had last. Rows that make no
 * sense are left out. Stops and returns fn's value when it is negative. Before leasedb_start().
 */
int leasedb_load(struct leasedb *db, int (*fn)(void *ctx, const struct leasedb_row *row),
		 void *ctx);

/* Starts the thread: from here on records are written. 0 or -errno. */
int leasedb_start(struct leasedb *db);

/* The address was granted, or released. Everything is copied; the disk is not waited for. */
void leasedb_save(struct leasedb *db, const struct leasedb_row *row);
/* Nobody had the address. */
void leasedb_forget(struct leasedb *db, const struct ipaddr *addr);

struct leasedb_health {
	bool failing;    /* the last attempt to write did not succeed */
	uint64_t errors; /* attempts that did not, in all */
	uint64_t lost;   /* records that will never be written */
	uint64_t written;
	uint32_t queued;
	char last_error[LEASEDB_WHY]; /* "" before the first */
};

/* Does not wait for the disk: ask as often as you like, and log when `failing` changes. */
void leasedb_health(struct leasedb *db, struct leasedb_health *ret);

/* Writes what is queued, once, and closes. Waits for the disk. NULL is fine. */
struct leasedb *leasedb_close(struct leasedb *db);
