/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log_kept.h - what the code under test logs, kept for the test to look at. */
#pragma once

#include <string.h>

#include "log.h"

#define LOG_KEPT 64

/* The first LOG_KEPT lines since kept_none(); n counts all. */
static struct log_event kept[LOG_KEPT];
static unsigned kept_n;

static void kept_add(void *ctx, const struct log_event *e)
{
	(void)ctx;
	if (kept_n < LOG_KEPT)
		kept[kept_n] = *e;
	kept_n++;
}

/* Forgets all lines and keeps those that come. */
static void kept_none(void)
{
	kept_n = 0;
	log_divert(kept_add, NULL);
}

/* The last line's sentence, or "". */
__attribute__((unused)) static const char *kept_last(void)
{
	return kept_n && kept_n <= LOG_KEPT ? kept[kept_n - 1].message : "";
}

/* The last line's field without "NAME=", or "". */
__attribute__((unused)) static const char *kept_field(const char *name)
{
	const struct log_event *e = kept_n && kept_n <= LOG_KEPT ? &kept[kept_n - 1] : NULL;
	size_t n = strlen(name);

	for (unsigned i = 0; e && i < e->n; i++)
		if (strncmp(e->field[i], name, n) == 0 && e->field[i][n] == '=')
			return e->field[i] + n + 1;
	return "";
}
