/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_table.h - rows of text in columns that fit the terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ctl/ctl_out.h"

struct ctl_column {
	const char *title;
	bool right; /* aligned to the right: numbers */
	bool text;  /* may be cut when the table is too wide */
};

struct ctl_table {
	const struct ctl_column *column; /* borrowed */
	size_t columns;
	char **cell; /* owned, row by row */
	size_t cells, cap;
	bool bad; /* out of memory */
};

/* The next cell, from left to right; text is copied and passed through ctl_text(); "" is "-". */
void ctl_table_cell(struct ctl_table *t, const char *text);
size_t ctl_table_rows(const struct ctl_table *t);
/* Prints to out->f and cuts at out->width columns. */
void ctl_table_print(const struct ctl_table *t, const struct ctl_out *out, bool legend);
void ctl_table_clear(struct ctl_table *t);
