/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jsonw.h - writes JSON straight into a bounded send buffer.
 *
 * A table of thousands of rows goes out without one heap object per value. The error is sticky:
 * write a whole message, then look at .bad once. Commas come by themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
	char *p;     /* owned */
	size_t sent; /* bytes at the front that are gone */
	size_t len;  /* bytes written, the sent ones included */
	size_t cap, max;
	bool bad; /* out of memory, or more than max: the content is worthless */
};

static inline size_t jsonw_left(const struct jsonw *w)
{
	return w->len - w->sent;
}

/* Gives the memory back; w can be used again. */
void jsonw_reset(struct jsonw *w);

/* Bytes as they are: prepared JSON, and the NUL at the end of a message. */
void jsonw_raw(struct jsonw *w, const char *p, size_t n);

/*
 * One value each. key is NULL inside an array. NULL and empty text become null. Text that is not
 * UTF-8 is passed through text_escape() first; control characters become \u00XX.
 */
void jsonw_open(struct jsonw *w, const char *key, char bracket); /* '{' or '[' */
void jsonw_close(struct jsonw *w, char bracket);                 /* '}' or ']' */
void jsonw_text(struct jsonw *w, const char *key, const char *v);
void jsonw_u64(struct jsonw *w, const char *key, uint64_t v);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
/* CLOCK_REALTIME seconds: key as RFC 3339 in UTC and key_unix as a number; 0 is null twice. */
void jsonw_time(struct jsonw *w, const char *key, uint64_t seconds);
