/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tap.h - test programs that speak TAP: "ok 1 - a sentence". The exit status is the verdict.
 * The helpers are functions, so a condition with a side effect runs once.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static unsigned tap_run, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", good ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good)
		tap_failed++;
	return good;
}

__attribute__((unused)) static bool is_int(long long got, long long want, const char *name)
{
	if (got != want)
		printf("# got %lld, want %lld\n", got, want);
	return ok(got == want, "%s", name);
}

__attribute__((unused)) static bool is_str(const char *got, const char *want, const char *name)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;

	if (!same)
		printf("# got  \"%s\"\n# want \"%s\"\n", got ? got : "(null)",
		       want ? want : "(null)");
	return ok(same, "%s", name);
}

__attribute__((unused)) static bool is_bytes(struct span got, struct span want, const char *name)
{
	bool same = span_eq(got, want);

	if (!same) {
		printf("# got  ");
		for (size_t i = 0; i < got.n; i++)
			printf("%02x", got.p[i]);
		printf("\n# want ");
		for (size_t i = 0; i < want.n; i++)
			printf("%02x", want.p[i]);
		printf("\n");
	}
	return ok(same, "%s", name);
}

__attribute__((format(printf, 2, 3), unused)) static void skip(unsigned n, const char *fmt, ...)
{
	va_list ap;

	while (n--) {
		printf("ok %u # SKIP ", ++tap_run);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		putchar('\n');
	}
}

/* Bytes from hex text into a rotating set of static buffers; good for test data only. */
__attribute__((unused)) static struct span hex(const char *text)
{
	static uint8_t buf[8][16384];
	static unsigned turn;
	uint8_t *out = buf[turn++ % 8];
	size_t n = 0;
	unsigned v;

	while (*text) {
		if (*text == ' ' || *text == '\n' || *text == '\t') {
			text++;
			continue;
		}
		if (n == sizeof(buf[0]) || sscanf(text, "%2x", &v) != 1)
			abort();
		out[n++] = (uint8_t)v;
		text += 2;
	}
	return (struct span){ out, n };
}

__attribute__((unused)) static int done(void)
{
	printf("1..%u\n", tap_run);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
