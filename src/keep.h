/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keep.h - the store of sessions that outlives the process: memory that systemd holds for us (the
 * file descriptor store of sd_notify(3)) and gives to the next process of the unit.
 *
 * It is never on a disk: memory of its own (memfd_create(2)) without a name, locked, left out of
 * dumps, of a fixed size, and nobody else can map it to write. Each process makes one of its own and
 * only reads those of earlier ones.
 */
#pragma once

#include "keeplog.h"

struct keep;

/* The name of a descriptor from sd_listen_fds_with_names() says that it is one of ours. */
bool keep_is_ours(const char *name);

/* 0 or -ENOMEM. `version` is of the records. */
int keep_new(uint32_t version, struct keep **ret);
/* The stores stay with systemd. */
struct keep *keep_free(struct keep *k);

/* Takes over a descriptor that systemd has kept, and closes it in the end. */
void keep_take(struct keep *k, int fd, const char *name);

bool keep_has_earlier(const struct keep *k);

/* What the last process has left; the errors of keeplog_read(). -ENOENT: nothing. */
int keep_read(struct keep *k, keeplog_fn fn, void *ctx);

/* Opens an empty store for this process; what is put is with systemd once keep_hand_over() is
 * called, in which all earlier ones are given up. 0 or -errno. */
int keep_start(struct keep *k);
int keep_hand_over(struct keep *k);

/* Without keep_start() they do nothing. The store grows as it must. 0 or -errno. */
int keep_put(struct keep *k, uint32_t number, struct span data);
int keep_del(struct keep *k, uint32_t number);

/* A store of this process is with systemd. */
bool keep_is_with_systemd(const struct keep *k);

/* Nobody goes on with these sessions: wipes the store and takes it out of systemd's hands. */
void keep_forget(struct keep *k);
