/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctl_out.h - where a verb writes: collected first, then to standard output or through a pager.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "ctl/ctl.h"

struct ctl_out {
	FILE *f; /* write here */
	bool tty;
	bool bold;       /* the header may be bold */
	unsigned width;  /* columns; 0: no limit */
	unsigned height; /* lines; 0: unknown */
	bool pager;
	bool again; /* in place of what was shown before, as far as the terminal reaches */
	char *text; /* owned */
	size_t n;
};

/* CTL_DONE, or CTL_FAILED after saying so. */
enum ctl_exit ctl_out_open(const struct ctl_options *o, struct ctl_out *ret);
/* Shows what was written and closes. */
enum ctl_exit ctl_out_close(struct ctl_out *out);

/* Prints `root`, which is taken over, as --json says. ASCII alone: safe on any terminal. */
enum ctl_exit ctl_out_json(const struct ctl_options *o, json_t *root);
/* The same for {"schema_version":..., key: value}; value is taken over. */
enum ctl_exit ctl_out_json_member(const struct ctl_options *o, const char *key, json_t *value);
