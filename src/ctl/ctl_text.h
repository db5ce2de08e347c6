/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_text.h - text from the daemon as a terminal may see it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_TEXT_MAX 2200 /* room for the longest text of a session, every byte escaped */

/* Takes the locale from the environment. */
void ctl_text_init(void);
/* The terminal's locale is UTF-8. */
bool ctl_text_utf8(void);

/*
 * `s` without anything that moves a cursor, changes the order of letters or shows nothing; such
 * bytes, and letters that the locale cannot show, become \xNN. Clean text stays as it is, so a
 * name can be typed as it is shown. Returns buf.
 */
const char *ctl_text(const char *s, char *buf, size_t cap);

/* Columns that clean text takes. */
size_t ctl_text_width(const char *s);
/* Bytes of the longest beginning of s that takes at most `width` columns; *ret_width: those. */
size_t ctl_text_fit(const char *s, size_t width, size_t *ret_width);

/* A member as ctl_text(); "" when it is absent, null or no text. */
const char *ctl_member(const json_t *o, const char *key, char *buf, size_t cap);
/* False when it is absent, null or no number. */
bool ctl_number(const json_t *o, const char *key, uint64_t *ret);

/* "2026-11-23 19:54:05" in local time. Returns buf. */
const char *ctl_local_time(uint64_t seconds, char buf[static 32]);
