/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server_private.h - what the files of the control server share. Tests shorten its times.
 *
 * A client is either reading one request or working on one. Work that walks a table is a job: it
 * does a bounded piece of it per turn of the event loop, and none while the client has CTL_HIGH
 * bytes to take. So no answer is ever whole in memory and no request holds the loop up.
 */
#pragma once

#include <systemd/sd-event.h>

#include "addr.h"
#include "bounds.h"
#include "ctl/jsonw.h"
#include "ctl/server.h"
#include "ctl/varlink.h"
#include "log.h"

#define CTL_IDLE_S     60             /* a connection without a whole request */
#define CTL_STALL_S    15             /* a client that takes none of its answer */
#define CTL_EVICT_S    2              /* idle that long, it makes room for a newcomer */
#define CTL_HIGH       65536          /* bytes waiting to be taken; no more work until they are */
#define CTL_OUT_MAX    (CTL_HIGH * 8) /* CTL_HIGH and the largest single answer */
#define CTL_TURN_ROWS  64             /* table rows looked at in one turn */
#define CTL_TURN_KICKS 8              /* sessions ended in one turn */

/* One per kind of event, for `journalctl MESSAGE_ID=`; systemd/vpngw.catalog explains them. */
#define CTL_ID_KICK    "93fdfc02f1d74373a4fe68bb6f3f2ac8"
#define CTL_ID_RELEASE "0ba73c7f9ab84a93b5ce30bb5b2a92d6"
#define CTL_ID_PIN     "29e63784fa354cb2a92b46f7d700a062"
#define CTL_ID_UNPIN   "828dc182d25749a39baf099582b6e625"

/* Which sessions a request means. */
enum ctl_by {
	CTL_BY_ALL,
	CTL_BY_SESSION,
	CTL_BY_USER,
	CTL_BY_ADDRESS,
	CTL_BY_POOL,
};

struct ctl_match {
	enum ctl_by by;
	bool escaped;                  /* compare the user's name as text_escape() shows it */
	char text[4 * LIMIT_USER + 1]; /* as the caller wrote it */
	struct ipaddr addr;            /* of CTL_BY_ADDRESS */
};

enum ctl_job_kind {
	CTL_JOB_NONE,
	CTL_JOB_LIST,
	CTL_JOB_SHOW,
	CTL_JOB_KICK,
	CTL_JOB_LEASES,
	CTL_JOB_MONITOR, /* has no turns of its own */
};

struct ctl_job {
	enum ctl_job_kind kind;
	bool more, oneway;
	uint32_t cursor;
	uint32_t rows; /* answered, or sessions ended, or events left out */
	struct ctl_match match;
};

struct ctl_client {
	struct ctl_server *server;   /* borrowed */
	unsigned slot;               /* in server->client */
	int fd;                      /* owned */
	sd_event_source *io, *timer; /* owned */
	uint64_t deadline_us;        /* CLOCK_MONOTONIC: dropped then */
	uint64_t timer_us;           /* when the timer fires: not later than that */
	uint64_t idle_since_us;
	bool eof; /* it sends no more */
	bool named;
	struct ctl_peer peer;
	struct varlink_buf in;
	struct jsonw out;
	struct ctl_job job;
};

struct ctl_server {
	sd_event *event;                 /* owned reference */
	int fd;                          /* owned */
	sd_event_source *accept, *retry; /* owned */
	const struct ctl_ops *ops;       /* borrowed */
	void *ctx;                       /* borrowed */
	uint64_t idle_us, stall_us, evict_us;
	bool read_only;                               /* methods that act are not permitted */
	struct ctl_client *client[LIMIT_CTL_CLIENTS]; /* owned */
};

/* server_methods.c: answers one request into c->out, or gives the client a job. */
void ctl_dispatch(struct ctl_client *c, const struct varlink_call *call);
/* Methods of io.vpngw as the table has them; NULL at the end. */
const char *ctl_method_name(unsigned i);

/* server_jobs.c: one bounded piece of the client's job; clears c->job.kind at its end. */
void ctl_job_turn(struct ctl_client *c);
/* Starts `kind` and, but for CTL_JOB_KICK, asks for a snapshot of the counters. */
void ctl_job_start(struct ctl_client *c, enum ctl_job_kind kind, const struct varlink_call *call);
/* The account's name, looked up at the first question. */
const struct ctl_peer *ctl_client_peer(struct ctl_client *c);

/* server_config.c: methods about the configuration */
void ctl_run_pin(struct ctl_client *c, const struct varlink_call *call);
void ctl_run_unpin(struct ctl_client *c, const struct varlink_call *call);
void ctl_run_reload(struct ctl_client *c, const struct varlink_call *call);
void ctl_run_diff(struct ctl_client *c, const struct varlink_call *call);
void ctl_run_config(struct ctl_client *c, const struct varlink_call *call);
/* server.c: something is about to be written to a client that had no answer to take. */
void ctl_client_wake(struct ctl_client *c);

/* server_monitor.c */
void ctl_monitor_start(struct ctl_client *c, const struct varlink_call *call);
void ctl_on_log(void *ctx, const struct log_event *e); /* ctx: the server */

/* server_json.c: values and errors of io.vpngw as JSON. */
void ctl_json_session(struct jsonw *w, const struct ctl_session *s, bool with_children);
void ctl_json_lease(struct jsonw *w, const struct ctl_lease *l);
void ctl_json_status(struct jsonw *w, const struct ctl_status *s, uint64_t now_s);
/* name: "NotFound", "Busy" or "NotPermitted". */
void ctl_json_error(struct jsonw *w, const char *name, const char *what);

/* server_idl.c */
extern const char ctl_interface_text[];
extern const char ctl_service_text[];
