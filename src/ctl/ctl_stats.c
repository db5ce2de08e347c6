/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_stats.c - vpngwctl pools and stats: numbers in tables. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_text.h"

static int on_answer(void *ctx, json_t *parameters)
{
	json_t **ret = ctx;

	*ret = json_incref(parameters);
	return 0;
}

static enum ctl_exit ask(const struct ctl_options *o, const char *method, int argc, char **argv,
			 json_t **ret)
{
	struct ctl_request q = { .method = method, .reply = on_answer, .ctx = ret };

	if (argc > 1) {
		ctl_complain("%s takes no argument", argv[0]);
		return CTL_USAGE;
	}
	return ctl_call(o, &q);
}

static void put_text(struct ctl_table *t, const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	ctl_table_cell(t, v ? v : "");
}

static void put_number(struct ctl_table *t, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	ctl_table_cell(t, text);
}

static uint64_t number(const json_t *o, const char *key)
{
	uint64_t v = 0;

	ctl_number(o, key, &v);
	return v;
}

/* Prints and clears the table. */
static enum ctl_exit print(const struct ctl_options *o, struct ctl_table *t)
{
	struct ctl_out out;
	enum ctl_exit rc = ctl_out_open(o, &out);

	if (rc == CTL_DONE) {
		ctl_table_print(t, &out, !o->no_legend);
		rc = ctl_out_close(&out);
	}
	if (rc == CTL_DONE && t->bad) {
		ctl_complain("out of memory");
		rc = CTL_FAILED;
	}
	ctl_table_clear(t);
	return rc;
}

/* ---- pools ---- */

static const struct ctl_column pool_column[] = {
	{ "POOL", false, true }, { "FIRST", false, false },   { "LAST", false, false },
	{ "SIZE", true, false }, { "USED", true, false },     { "FREE", true, false },
	{ "KEPT", true, false }, { "DRAINING", true, false },
};

/* Kept addresses are free, too: whoever comes gets one when no other is left. */
static void pool_row(struct ctl_table *t, const json_t *o)
{
	uint64_t size = number(o, "size"), leased = number(o, "leased"),
		 draining = number(o, "draining");

	put_text(t, o, "name");
	put_text(t, o, "first");
	put_text(t, o, "last");
	put_number(t, size);
	put_number(t, leased);
	put_number(t, size > leased ? size - leased : 0);
	put_number(t, number(o, "kept"));
	put_number(t, draining);
}

enum ctl_exit ctl_pools(const struct ctl_options *o, int argc, char **argv)
{
	struct ctl_table t = { .column = pool_column, .columns = ARRAY_SIZE(pool_column) };
	json_t *status = NULL, *pools, *row;
	enum ctl_exit rc = ask(o, "io.vpngw.Status", argc, argv, &status);
	size_t i;

	if (rc != CTL_DONE)
		return rc;
	pools = json_object_get(status, "pools");
	if (o->json) {
		rc = ctl_out_json_member(o, "pools", json_incref(pools));
	} else {
		json_array_foreach (pools, i, row)
			pool_row(&t, row);
		rc = print(o, &t);
	}
	json_decref(status);
	return rc;
}

/* ---- stats ---- */

static const struct ctl_column stat_column[] = {
	{ "COUNT", true, false },
	{ "NAME", false, false },
	{ "MEANING", false, true },
};

static void put_rows(struct ctl_table *t, const json_t *rows, bool zeros)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		uint64_t v = number(row, "value");

		if (!v && !zeros)
			continue;
		put_number(t, v);
		put_text(t, row, "name");
		put_text(t, row, "meaning");
	}
}

/* Of the reasons only those that there were: the others are many. */
enum ctl_exit ctl_stats(const struct ctl_options *o, int argc, char **argv)
{
	struct ctl_table t = { .column = stat_column, .columns = ARRAY_SIZE(stat_column) };
	json_t *stats = NULL;
	enum ctl_exit rc = ask(o, "io.vpngw.Stats", argc, argv, &stats);

	if (rc != CTL_DONE)
		return rc;
	if (o->json)
		return ctl_out_json(o, stats);
	put_rows(&t, json_object_get(stats, "counters"), true);
	put_rows(&t, json_object_get(stats, "refusals"), false);
	json_decref(stats);
	return print(o, &t);
}
