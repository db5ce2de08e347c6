/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.c - the journal, or stderr when started by hand. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "text.h"

#define TAPS 2

static struct {
	const char *ident;
	bool journal, debug;
	log_sink sink, tap[TAPS];
	void *ctx, *tap_ctx[TAPS];
} state = { .ident = "vpngw" };

/* systemd names the device and inode of the journal's stream in JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *v = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	return v && sscanf(v, "%ju:%ju", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

void log_open(const char *ident, bool debug)
{
	state.ident = ident;
	state.debug = debug;
	state.journal = stderr_is_journal();
}

void log_divert(log_sink sink, void *ctx)
{
	state.sink = sink;
	state.ctx = ctx;
}

void log_tap(log_sink tap, void *ctx)
{
	for (unsigned i = 0; i < TAPS; i++) {
		if (state.tap[i])
			continue;
		state.tap[i] = tap;
		state.tap_ctx[i] = ctx;
		return;
	}
}

void log_untap(void *ctx)
{
	for (unsigned i = 0; i < TAPS; i++)
		if (state.tap[i] && state.tap_ctx[i] == ctx)
			state.tap[i] = NULL;
}

bool log_debugging(void)
{
	return state.debug;
}

static const char *level_name(int prio)
{
	switch (prio) {
	case LOG_ERR:
		return "error: ";
	case LOG_WARNING:
		return "warning: ";
	case LOG_DEBUG:
		return "debug: ";
	default:
		return "";
	}
}

/* A line that is too long ends with "...": half a letter would make the journal call it binary. */
static void set_message(struct log_event *e, const char *fmt, va_list ap)
{
	char text[2 * sizeof(e->message)];

	vsnprintf(text, sizeof(text), fmt, ap);
	text_cut(text, e->message, sizeof(e->message));
}

void log_line(int prio, const char *fmt, ...)
{
	struct log_event e = { .prio = prio };
	va_list ap;

	if (prio == LOG_DEBUG && !state.debug)
		return;
	va_start(ap, fmt);
	set_message(&e, fmt, ap);
	va_end(ap);
	log_send(&e);
}

void log_event_init(struct log_event *e, int prio, const char *fmt, ...)
{
	va_list ap;

	e->prio = prio;
	e->n = 0;
	va_start(ap, fmt);
	set_message(e, fmt, ap);
	va_end(ap);
}

void log_field(struct log_event *e, const char *name, const char *fmt, ...)
{
	char value[2 * sizeof(e->message)], *p;
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (!*value || e->n == LOG_FIELDS_MAX)
		return;
	p = e->field[e->n++];
	n = snprintf(p, sizeof(e->field[0]), "%s=", name);
	text_cut(value, p + n, sizeof(e->field[0]) - (size_t)n);
}

void log_send(const struct log_event *e)
{
	struct iovec iov[LOG_FIELDS_MAX + 3];
	char msg[sizeof(e->message) + 16], prio[16], ident[64];
	int n = 0;

	for (unsigned i = 0; i < TAPS && e->n; i++)
		if (state.tap[i])
			state.tap[i](state.tap_ctx[i], e);
	if (state.sink) {
		state.sink(state.ctx, e);
		return;
	}
	if (!state.journal) {
		fprintf(stderr, "%s: %s%s\n", state.ident, level_name(e->prio), e->message);
		return;
	}
	snprintf(msg, sizeof(msg), "MESSAGE=%s", e->message);
	snprintf(prio, sizeof(prio), "PRIORITY=%d", e->prio);
	snprintf(ident, sizeof(ident), "SYSLOG_IDENTIFIER=%s", state.ident);
	iov[n++] = (struct iovec){ msg, strlen(msg) };
	iov[n++] = (struct iovec){ prio, strlen(prio) };
	iov[n++] = (struct iovec){ ident, strlen(ident) };
	for (unsigned i = 0; i < e->n; i++) {
		/* The journal takes writable pointers and does not write. */
		char *f = (char *)(uintptr_t)e->field[i];

		iov[n++] = (struct iovec){ f, strlen(f) };
	}
	if (sd_journal_sendv(iov, n) < 0)
		fprintf(stderr, "%s\n", e->message);
}

bool log_allowed(struct log_limit *l, unsigned burst, unsigned window_s, uint64_t now_us,
		 unsigned long *ret_suppressed)
{
	*ret_suppressed = 0;
	if (!l->window_start_us || now_us - l->window_start_us >= window_s * UINT64_C(1000000)) {
		*ret_suppressed = l->suppressed;
		*l = (struct log_limit){ .window_start_us = now_us };
	}
	if (l->in_window >= burst) {
		l->suppressed++;
		return false;
	}
	l->in_window++;
	return true;
}
