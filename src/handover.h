/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover.h - sessions that outlive the process: for gateway.c and effects.c. ARCHITECTURE.md tells
 * the whole story.
 */
#pragma once

#include <stdbool.h>

#include "ike/fx.h"

struct gw;
struct handover;

/*
 * Sorts what systemd has passed: `others` (room for *n) gets the descriptors that are no store of
 * sessions, *n how many they are. names may be NULL. 0 or -ENOMEM.
 */
int handover_new(const int *fds, char **names, unsigned *n, int *others, struct handover **ret);
struct handover *handover_free(struct handover *h);

/* There is something of an earlier run, not looked at yet. */
bool handover_waits(const struct handover *h);

/* ---- starting, in this order ---- */

/* Gives the core the sessions of the last run; sets gw->stay when there are any. */
void handover_restore(struct gw *gw);
/* Removes from the kernel what is ours and not theirs. */
int handover_sweep(struct gw *gw, unsigned *ret_sas, unsigned *ret_policies, unsigned *ret_links);
/* The interface, its routes, and the policies without one are from before and fit. */
bool handover_fits(const struct gw *gw);
/* Takes their addresses out of the pools, before the lease file is read. */
void handover_leases(struct gw *gw);
/* Lets in the networks of those that are in no pool any more, until they drain. */
void handover_nets(struct gw *gw);
/* All is there: ends what cannot go on, and opens the store of this run. */
void handover_finish(struct gw *gw);

/* ---- running ---- */

/* Writes down what the core has changed since. */
void handover_flush(struct gw *gw);
/* The networks in the kernel have changed. */
void handover_reshape(struct gw *gw);
/* What the shell knows of the session has changed. */
void handover_touch(struct gw *gw, struct sess_id id);

/* ---- stopping ---- */

/* Asked on SIGTERM: another process of this unit will go on with the sessions. */
bool handover_wanted(struct gw *gw);
/* A Quick Mode is between its messages. */
bool handover_is_busy(const struct gw *gw);
/* Nobody will. */
void handover_forget(struct gw *gw);
