/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dn.h - distinguished names (X.501 9.2) as IDii has them: DER (RFC 2407 4.6.2.9). Pure.
 *
 * A pattern is written "/NAME=VALUE/NAME=VALUE": it fits a name that has all of these parts, in any
 * order, and perhaps others. In a value '*' stands for any bytes, none included, and '?' for one, as
 * for a '/' in it. Values are compared without regard to case (RFC 4517 4.2.11, ASCII alone).
 */
#pragma once

#include <stdbool.h>

#include "bytes.h"

/* NULL; or what is wrong with the pattern, as the end of a sentence. */
const char *dn_pattern_check(struct span pattern);

/* False as well for what is no name in DER, has more than LIMIT_DN_PARTS parts, or more behind it. The
 * pattern has been checked. */
bool dn_fits(struct span pattern, struct span der);
