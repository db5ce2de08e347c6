/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authd.h - the numbers that the files of vpngw-authd share. */
#pragma once

#include <stdint.h>

/* A refusal leaves this long after its request, or a whole multiple of it, so that its time does
 * not tell the reason. */
#define AUTHD_FLOOR_US 1000000

#define AUTHD_RECYCLE   1000 /* checks by one worker process */
/* A user who is asked has as long as the gateway waits, which may be [phase1] auth_timeout; this is for
 * a gateway that has forgotten the question. */
#define AUTHD_ANSWER_US UINT64_C(660000000)

#define AUTHD_PAUSE_US 1000000 /* before a worker that never worked is replaced */

/* A RADIUS server that was silent is asked after the others for so long. */
#define AUTHD_RADIUS_SILENT_US UINT64_C(30000000)

/* What others can make grow */
#define AUTHD_RADIUS_QUERIES    256 /* requests to RADIUS servers under way: a socket each */
#define AUTHD_CLIENTS           16  /* connections */
#define AUTHD_HELD              4096 /* refusals that wait for their time; more push the oldest out */
#define AUTHD_PARKED_PER_SOURCE 8    /* requests of one slowed source that wait for their turn */
#define AUTHD_ASKING            64   /* requests whose user is asked something: a process each */
#define AUTHD_ASKING_PER_SOURCE 8    /* of these, from one source */
