/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ike_dn.c - a subject from a stranger, compared with a pattern: the pattern is the first line.
 * Where the pattern fits, its first part with a star for a value does as well.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : 0;
	struct span pattern = { data, n }, first = pattern, der = { data + n + 1, size - n - 1 };
	char loose[64];

	if (!end || dn_pattern_check(pattern))
		return 0;
	if (!dn_fits(pattern, der))
		return 0;
	/* "/NAME=" of its first part, and a star. */
	for (size_t i = 0; i < n; i++)
		if (data[i] == '=') {
			first.n = i + 1;
			break;
		}
	if (first.n + 1 > sizeof(loose))
		return 0;
	memcpy(loose, first.p, first.n);
	loose[first.n] = '*';
	if (!dn_fits((struct span){ (const uint8_t *)loose, first.n + 1 }, der))
		abort();
	return 0;
}
