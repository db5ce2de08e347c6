/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* random.h - randomness for the core and the worker threads. */
#pragma once

#include <stddef.h>

#include "ike/ike.h"

/* Cookies, nonces, message IDs, SPIs. Ends the process when the system gives none: going on with
 * anything else would be worse. */
extern const struct ike_rng random_source;

/* Private exponents; any thread. Ends the process likewise. */
void random_key(void *out, size_t n);
