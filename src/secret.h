/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* secret.h - key material that knows its length and wipes itself. */
#pragma once

#include <string.h>

#include "bytes.h"

#define SECRET_MAX 64 /* the longest PRF output and the longest HMAC key: SHA2-512 */

struct secret {
	uint8_t b[SECRET_MAX];
	size_t n;
};

static inline void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

static inline struct span secret_span(const struct secret *s)
{
	return (struct span){ s->b, s->n };
}
