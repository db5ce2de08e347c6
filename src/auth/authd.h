/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd.h - the numbers that the files of vpngw-authd share. */
#pragma once

/* A refusal leaves this long after its request, or a whole multiple of it, so that its time does
 * not tell the reason. */
#define AUTHD_FLOOR_US 1000000

#define AUTHD_RECYCLE  1000    /* checks by one worker process */
#define AUTHD_PAUSE_US 1000000 /* before a worker that never worked is replaced */

/* What others can make grow */
#define AUTHD_CLIENTS           16   /* connections */
#define AUTHD_HELD              4096 /* refusals that wait for their time; more push the oldest out */
#define AUTHD_PARKED_PER_SOURCE 8    /* requests of one slowed source that wait for their turn */
