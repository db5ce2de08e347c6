/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_list.c - vpngwctl list and vpngwctl leases: one row each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_text.h"
#include "text.h"

/* A table, and the array of all rows that it is made of. */
struct listing {
	const char *method, *one; /* the call, and what a row is called */
	const char *array;        /* the reply's member with the rows */
	void (*row)(struct ctl_table *t, const json_t *o);
	json_t *all; /* owned */
	struct ctl_table table;
};

static void put_text(struct ctl_table *t, const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	ctl_table_cell(t, v ? v : "");
}

static void put_number(struct ctl_table *t, const json_t *o, const char *key,
		       const char *(*show)(uint64_t v, char *buf))
{
	char buf[32] = "";
	uint64_t v;

	if (ctl_number(o, key, &v))
		show(v, buf);
	ctl_table_cell(t, buf);
}

static const struct ctl_column session_column[] = {
	{ "SESSION", false, false }, { "USER", false, true },   { "ADDRESS", false, false },
	{ "PEER", false, true },     { "CLIENT", false, true }, { "SINCE", false, false },
	{ "IDLE", true, false },     { "RX", true, false },     { "TX", true, false },
};

static void session_row(struct ctl_table *t, const json_t *o)
{
	put_text(t, o, "session");
	put_text(t, o, "user");
	put_text(t, o, "address");
	put_text(t, o, "peer");
	put_text(t, o, "client");
	put_number(t, o, "since_unix", ctl_local_time);
	put_number(t, o, "idle_s", text_duration);
	put_number(t, o, "bytes_in", text_size);
	put_number(t, o, "bytes_out", text_size);
}

static const struct ctl_column lease_column[] = {
	{ "ADDRESS", false, false }, { "POOL", false, true },     { "USER", false, true },
	{ "STATE", false, false },   { "GRANTED", false, false }, { "RELEASED", false, false },
};

static void lease_row(struct ctl_table *t, const json_t *o)
{
	bool leased = json_is_true(json_object_get(o, "leased"));

	put_text(t, o, "address");
	put_text(t, o, "pool");
	put_text(t, o, "user");
	if (json_is_true(json_object_get(o, "pinned")))
		ctl_table_cell(t, leased ? "leased, pinned" : "pinned");
	else
		ctl_table_cell(t, leased ? "leased" : "kept");
	put_number(t, o, "granted_unix", ctl_local_time);
	put_number(t, o, "released_unix", ctl_local_time);
}

static int on_rows(void *ctx, json_t *parameters)
{
	struct listing *l = ctx;
	json_t *rows = json_object_get(parameters, l->array);

	if (!json_is_array(rows))
		return -EBADMSG;
	return json_array_extend(l->all, rows) < 0 ? -ENOMEM : 0;
}

/* Those rows that were asked for, in their order. */
static enum ctl_exit choose_rows(const struct ctl_options *o, struct listing *l)
{
	json_t *chosen = ctl_filter(o, l->all), *row;
	size_t i;

	json_decref(l->all);
	l->all = chosen;
	if (!o->json)
		json_array_foreach (chosen, i, row)
			l->row(&l->table, row);
	if (!chosen || l->table.bad) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static enum ctl_exit print_listing(const struct ctl_options *o, struct listing *l)
{
	size_t n = ctl_table_rows(&l->table);
	struct ctl_out out;
	enum ctl_exit rc;

	if (o->json)
		return ctl_out_json_member(o, l->array, json_incref(l->all));
	rc = ctl_out_open(o, &out);
	if (rc != CTL_DONE)
		return rc;
	out.again = o->watch_s > 0;
	if (n == 0 && !o->no_legend)
		fprintf(out.f, "No %ss.\n", l->one);
	if (n) {
		ctl_table_print(&l->table, &out, !o->no_legend);
		if (!o->no_legend)
			fprintf(out.f, "\n%zu %s%s.\n", n, l->one, n == 1 ? "" : "s");
	}
	return ctl_out_close(&out);
}

static enum ctl_exit list_once(const struct ctl_options *o, struct listing *l)
{
	struct ctl_request q = { .method = l->method, .more = true, .reply = on_rows, .ctx = l };
	enum ctl_exit rc = CTL_FAILED;

	l->all = json_array();
	if (!l->all)
		ctl_complain("out of memory");
	else
		rc = ctl_call(o, &q);
	if (rc == CTL_DONE)
		rc = choose_rows(o, l);
	if (rc == CTL_DONE)
		rc = print_listing(o, l);
	json_decref(l->all);
	ctl_table_clear(&l->table);
	return rc;
}

/* Until somebody interrupts it, or the gateway goes. Into a pipe each list follows the other, and
 * one line of JSON the other. */
static enum ctl_exit run_listing(const struct ctl_options *o, struct listing *l)
{
	struct ctl_options once = *o;
	enum ctl_exit rc = ctl_filter_check(o);

	if (rc == CTL_DONE && !o->watch_s)
		return list_once(o, l);
	once.no_pager = true;
	if (once.json)
		once.json = CTL_JSON_SHORT;
	while (rc == CTL_DONE) {
		rc = list_once(&once, l);
		if (rc == CTL_DONE)
			sleep(o->watch_s);
	}
	return rc;
}

enum ctl_exit ctl_list(const struct ctl_options *o, int argc, char **argv)
{
	struct listing l = {
		.method = "io.vpngw.List",
		.one = "session",
		.array = "sessions",
		.row = session_row,
		.table = { .column = session_column, .columns = ARRAY_SIZE(session_column) },
	};

	(void)argv;
	if (argc > 1) {
		ctl_complain("list takes options alone: vpngwctl show SESSION|USER|ADDRESS");
		return CTL_USAGE;
	}
	return run_listing(o, &l);
}

/* ---- leases ---- */

enum ctl_exit ctl_leases(const struct ctl_options *o, int argc, char **argv)
{
	struct listing l = {
		.method = "io.vpngw.Leases",
		.one = "lease",
		.array = "leases",
		.row = lease_row,
		.table = { .column = lease_column, .columns = ARRAY_SIZE(lease_column) },
	};

	if (argc > 1)
		return ctl_lease_act(o, argc, argv);
	return run_listing(o, &l);
}
