/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log.h - one sentence for people, fields for machines.
 *
 * Under systemd the line goes to the journal with its fields; started by hand it goes to stderr.
 * Levels: LOG_ERR the administrator must act; LOG_WARNING odd but handled; LOG_NOTICE a session
 * came or went; LOG_INFO one line per login step; LOG_DEBUG anything. No level shows a secret.
 * Text from outside is passed through text_escape() before it is given to these functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* Journal when stderr is the journal's stream, else stderr. ident is static. */
void log_open(const char *ident, bool debug);
bool log_debugging(void);

__attribute__((format(printf, 2, 3))) void log_line(int prio, const char *fmt, ...);

#define log_err(...)     log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                    \
	do {                                              \
		if (log_debugging())                      \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/* A line with fields: "NAME=value" strings, built with log_field(). */
#define LOG_FIELDS_MAX 20

struct log_event {
	int prio;
	char message[512];
	unsigned n;
	char field[LOG_FIELDS_MAX][192];
};

__attribute__((format(printf, 3, 4))) void log_event_init(struct log_event *e, int prio,
							  const char *fmt, ...);
/* Adds NAME=value; an empty value is left out, a long one cut. */
__attribute__((format(printf, 3, 4))) void log_field(struct log_event *e, const char *name,
						     const char *fmt, ...);
void log_send(const struct log_event *e);

/* Lines with fields go to `tap` as well, from the same thread, until log_untap(). Two may listen. */
typedef void (*log_sink)(void *ctx, const struct log_event *e);
void log_tap(log_sink tap, void *ctx);
void log_untap(void *ctx);

/* For tests: lines with their fields go to `sink` from now on; NULL: as log_open() found it. */
void log_divert(log_sink sink, void *ctx);

/*
 * Lets through `burst` lines in `window_s` seconds per limiter and counts the rest; the first line
 * of the next window says how many were left out.
 */
struct log_limit {
	uint64_t window_start_us;
	unsigned in_window;
	unsigned long suppressed;
};

/* True when the line may be written; *ret_suppressed: lines left out since the last one. */
bool log_allowed(struct log_limit *l, unsigned burst, unsigned window_s, uint64_t now_us,
		 unsigned long *ret_suppressed);
