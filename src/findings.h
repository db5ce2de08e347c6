/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * findings.h - what was looked at on a host, and what is not as it should be.
 *
 * The programs that look write this as JSON, and vpngwctl check shows it. At most LIMIT_FINDINGS are
 * kept; the last one then says that there were more.
 */
#pragma once

#include <stdio.h>

enum finding_level {
	FINDING_GOOD,    /* of a check: nothing was found */
	FINDING_HINT,    /* perhaps */
	FINDING_UNKNOWN, /* could not be looked at */
	FINDING_WARNING, /* some clients, or before long */
	FINDING_ERROR,   /* nobody gets in, or those who do reach nothing */
};

struct findings;

struct findings *findings_new(void); /* NULL when out of memory */
struct findings *findings_free(struct findings *f);

/* What is looked at from now on. name: static, one word. */
void findings_check(struct findings *f, const char *name);
/* One sentence about it. Text of strangers is passed through text_escape() first. */
__attribute__((format(printf, 3, 4))) void findings_add(struct findings *f, enum finding_level l,
							const char *fmt, ...);
/* What to do about the last one. */
__attribute__((format(printf, 2, 3))) void findings_remedy(struct findings *f, const char *fmt,
							   ...);

/* One line of JSON, as vpngwctl.schema.json has it for vpngwctl check. 0 or -errno. */
int findings_write(const struct findings *f, FILE *out);
