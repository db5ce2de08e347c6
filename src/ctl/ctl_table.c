/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctl_table.c - rows of text in columns that fit the terminal.
 *
 * On a terminal that is too narrow the widest text column gives way, one step after another, and
 * what is cut ends in an ellipsis. Into a pipe nothing is ever cut: a script wants it all.
 */
#include "ctl/ctl_table.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_text.h"

#define COLUMNS_MAX 12
#define LEAST_WIDTH 6 /* of a text column that is cut */

void ctl_table_cell(struct ctl_table *t, const char *text)
{
	char safe[CTL_TEXT_MAX];
	size_t cap = t->cap ? t->cap * 2 : 256;

	if (t->cells == t->cap) {
		char **more = reallocarray(t->cell, cap, sizeof(*more));

		if (!more) {
			t->bad = true;
			return;
		}
		t->cell = more;
		t->cap = cap;
	}
	ctl_text(*text ? text : "-", safe, sizeof(safe));
	t->cell[t->cells] = strdup(safe);
	if (!t->cell[t->cells])
		t->bad = true;
	else
		t->cells++;
}

size_t ctl_table_rows(const struct ctl_table *t)
{
	return t->cells / t->columns;
}

void ctl_table_clear(struct ctl_table *t)
{
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	t->cell = NULL;
	t->cells = t->cap = 0;
}

/* The width of each column, and of the whole table as the result. */
static size_t measure(const struct ctl_table *t, bool legend, size_t width[static COLUMNS_MAX])
{
	size_t total = t->columns - 1; /* the blanks between */

	for (size_t c = 0; c < t->columns; c++) {
		width[c] = legend ? strlen(t->column[c].title) : 1;
		for (size_t i = c; i < t->cells; i += t->columns) {
			size_t w = ctl_text_width(t->cell[i]);

			if (w > width[c])
				width[c] = w;
		}
		total += width[c];
	}
	return total;
}

/* Takes from the widest text column until the table fits or no text is left to take. */
static void shrink(const struct ctl_table *t, size_t total, size_t limit,
		   size_t width[static COLUMNS_MAX])
{
	while (total > limit) {
		size_t widest = t->columns;

		for (size_t c = 0; c < t->columns; c++) {
			if (t->column[c].text && width[c] > LEAST_WIDTH &&
			    (widest == t->columns || width[c] > width[widest]))
				widest = c;
		}
		if (widest == t->columns)
			return;
		width[widest]--;
		total--;
	}
}

static void print_cell(FILE *f, const char *s, size_t width, bool right, bool last)
{
	const char *dots = "";
	size_t w, n = ctl_text_fit(s, width, &w);

	if (s[n]) {
		dots = ctl_text_utf8() ? "\u2026" : "...";
		n = ctl_text_fit(s, width - ctl_text_width(dots), &w);
		w += ctl_text_width(dots);
	}
	if (right)
		fprintf(f, "%*s", (int)(width - w), "");
	fprintf(f, "%.*s%s", (int)n, s, dots);
	if (!right && !last)
		fprintf(f, "%*s", (int)(width - w), "");
	if (!last)
		putc(' ', f);
}

void ctl_table_print(const struct ctl_table *t, const struct ctl_out *out, bool legend)
{
	size_t width[COLUMNS_MAX], total = measure(t, legend, width);

	if (out->width)
		shrink(t, total, out->width, width);
	if (legend) {
		fputs(out->bold ? "\x1b[1m" : "", out->f);
		for (size_t c = 0; c < t->columns; c++)
			print_cell(out->f, t->column[c].title, width[c], t->column[c].right,
				   c + 1 == t->columns);
		fputs(out->bold ? "\x1b[0m\n" : "\n", out->f);
	}
	for (size_t i = 0; i < t->cells; i++) {
		size_t c = i % t->columns;
		bool last = c + 1 == t->columns;

		print_cell(out->f, t->cell[i], width[c], t->column[c].right, last);
		if (last)
			putc('\n', out->f);
	}
}
