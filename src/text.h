/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* text.h - text from strangers made safe to show, and small text helpers. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/*
 * Writes `s` into `buf` so that a terminal, a log and a table can show it: printable ASCII and
 * well-formed UTF-8 letters stay; control characters, broken UTF-8, bidirectional overrides and
 * zero-width characters become \xNN. A backslash stays, unless what follows would make it look
 * like such an escape: no two texts look the same. Cut with "..." when it does not fit. Returns
 * buf.
 */
const char *text_escape(struct span s, char *buf, size_t cap);

/* `s`, or as much of it as fits with "..." behind it: never half of a letter. Returns buf. */
const char *text_cut(const char *s, char *buf, size_t cap);

/* Well-formed UTF-8 without control characters, bidirectional overrides or zero-width characters. */
bool text_is_clean(struct span s);

/* True when s is well-formed UTF-8 of any kind. */
bool text_is_utf8(struct span s);

/* The entry of words[n] nearest to `s`, or NULL when none is near enough to suggest. */
const char *text_nearest(const char *s, const char *const *words, size_t n);

/* "3d 04:05:06", "04:05:06" or "05:06" into buf, which is returned. */
const char *text_duration(uint64_t seconds, char buf[static 32]);

/* "512 B", "1.5 KiB", "12 MiB" into buf, which is returned. */
const char *text_size(uint64_t bytes, char buf[static 32]);

/* The whole of s fits the pattern, in which '*' stands for any bytes, none included, and '?' for one.
 * any_case: A-Z are a-z. Costs p.n * s.n steps at most. */
bool text_glob(struct span p, struct span s, bool any_case);

/* The same but for A-Z and a-z. */
bool text_same_word(struct span a, struct span b);
