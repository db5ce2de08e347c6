/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl.h - what the files of vpngwctl share: options, exit codes, calls. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Exit status; part of the contract with scripts. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_NOT_FOUND = 4,
	CTL_NOT_PERMITTED = 5,
	CTL_BAD_CONFIG = 6,
};

enum ctl_json {
	CTL_JSON_OFF,
	CTL_JSON_PRETTY,
	CTL_JSON_SHORT,
};

struct ctl_options {
	const char *socket; /* borrowed */
	const char *reason; /* borrowed; NULL without one */
	enum ctl_json json;
	bool no_pager, no_legend;
	bool all, wait; /* of kick */
	/* Which rows; borrowed, NULL without one. */
	const char *user, *pool, *address, *peer;
	const char *sort;   /* borrowed; a column's title, "-" in front for the other way */
	const char *config; /* of check; borrowed, NULL for the installed one */
	unsigned watch_s;   /* list again that often; 0: once */
	bool per_user;      /* of metrics */
	unsigned wait_s;    /* for a byte from the daemon; 0: as long as a person would */
};

/* To stderr, with the program's name. Text of others is passed through ctl_text() first. */
__attribute__((format(printf, 1, 2))) void ctl_complain(const char *fmt, ...);
/* Each text of an array of the answer on a line of its own, on standard error. */
void ctl_say_all(const json_t *o, const char *key, const char *before);

/* ---- one call (ctl_call.c) ---- */

/* One reply; parameters are borrowed. 0, or -errno to give up: -EBADMSG for another shape. */
typedef int (*ctl_reply_fn)(void *ctx, json_t *parameters);

struct ctl_request {
	const char *method;
	json_t *parameters; /* taken over; NULL without any */
	bool more;
	bool endless; /* replies come when there is something to say, and the last one never */
	bool quiet;   /* says nothing when what was asked for is not there */
	ctl_reply_fn reply;
	void *ctx;
};

/* Returns CTL_DONE, or says what is wrong and returns the exit status for it. */
enum ctl_exit ctl_call(const struct ctl_options *o, const struct ctl_request *q);

/*
 * The same for "SESSION|USER|ADDRESS": an address, a session's id if there is such a session, else
 * a user; "session=", "user=" and "address=" in front leave no doubt. q->parameters are what
 * else the call has; NULL or an object, taken over.
 */
enum ctl_exit ctl_call_which(const struct ctl_options *o, struct ctl_request *q, const char *which);

/* ---- which rows, in which order (ctl_filter.c) ---- */

/* CTL_DONE, or says which of --sort, --address and --peer makes no sense, and CTL_USAGE. */
enum ctl_exit ctl_filter_check(const struct ctl_options *o);
/* The rows of an array of sessions that the options ask for, in their order; a new array, or NULL
 * when memory ran out. */
json_t *ctl_filter(const struct ctl_options *o, const json_t *rows);

/* ---- verbs: argv[0] is the verb ---- */

enum ctl_exit ctl_list(const struct ctl_options *o, int argc, char **argv);
/* leases release, pin, unpin (ctl_pin.c) */
enum ctl_exit ctl_lease_act(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_show(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_kick(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_status(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_reload(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_check(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_config(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_pools(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_stats(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_monitor(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_log(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_metrics(const struct ctl_options *o, int argc, char **argv);
enum ctl_exit ctl_leases(const struct ctl_options *o, int argc, char **argv);
