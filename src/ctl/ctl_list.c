/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_list.c - vpngwctl list and vpngwctl leases: one row each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_text.h"
#include "text.h"

/* A table that a call fills row by row, or the array of all rows for --json. */
struct listing {
	const char *array; /* the reply's member with the rows */
	void (*row)(struct ctl_table *t, const json_t *o);
	json_t *all; /* owned; NULL unless --json */
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
	put_text(t, o, "address");
	put_text(t, o, "pool");
	put_text(t, o, "user");
	ctl_table_cell(t, json_is_true(json_object_get(o, "leased")) ? "leased" : "kept");
	put_number(t, o, "granted_unix", ctl_local_time);
	put_number(t, o, "released_unix", ctl_local_time);
}

static int on_rows(void *ctx, json_t *parameters)
{
	struct listing *l = ctx;
	json_t *rows = json_object_get(parameters, l->array), *o;
	size_t i;

	if (!json_is_array(rows))
		return -EBADMSG;
	if (l->all)
		return json_array_extend(l->all, rows) < 0 ? -ENOMEM : 0;
	json_array_foreach (rows, i, o)
		l->row(&l->table, o);
	return l->table.bad ? -ENOMEM : 0;
}

static enum ctl_exit print_listing(const struct ctl_options *o, struct listing *l, const char *one)
{
	size_t n = ctl_table_rows(&l->table);
	struct ctl_out out;
	enum ctl_exit rc;

	if (l->all)
		return ctl_out_json_member(o, l->array, json_incref(l->all));
	rc = ctl_out_open(o, &out);
	if (rc != CTL_DONE)
		return rc;
	if (n == 0 && !o->no_legend)
		fprintf(out.f, "No %ss.\n", one);
	if (n) {
		ctl_table_print(&l->table, &out, !o->no_legend);
		if (!o->no_legend)
			fprintf(out.f, "\n%zu %s%s.\n", n, one, n == 1 ? "" : "s");
	}
	return ctl_out_close(&out);
}

static enum ctl_exit run_listing(const struct ctl_options *o, struct listing *l, const char *method,
				 const char *one)
{
	struct ctl_request q = { .method = method, .more = true, .reply = on_rows, .ctx = l };
	enum ctl_exit rc = CTL_FAILED;

	l->all = o->json ? json_array() : NULL;
	if (o->json && !l->all)
		ctl_complain("out of memory");
	else
		rc = ctl_call(o, &q);
	if (rc == CTL_DONE)
		rc = print_listing(o, l, one);
	json_decref(l->all);
	ctl_table_clear(&l->table);
	return rc;
}

enum ctl_exit ctl_list(const struct ctl_options *o, int argc, char **argv)
{
	struct listing l = {
		.array = "sessions",
		.row = session_row,
		.table = { .column = session_column, .columns = ARRAY_SIZE(session_column) },
	};

	(void)argv;
	if (argc > 1) {
		ctl_complain("list takes no argument: vpngwctl show SESSION|USER|ADDRESS");
		return CTL_USAGE;
	}
	return run_listing(o, &l, "io.vpngw.List", "session");
}

/* ---- leases ---- */

static enum ctl_exit release(const struct ctl_options *o, const char *arg)
{
	struct ctl_request q = { .method = "io.vpngw.ReleaseLease" };
	char text[ENDPOINT_STRLEN], shown[CTL_TEXT_MAX];
	struct ipaddr addr;
	enum ctl_exit rc;

	if (ipaddr_parse(arg, &addr) < 0) {
		ctl_complain("%s is not an address", ctl_text(arg, shown, sizeof(shown)));
		return CTL_USAGE;
	}
	ipaddr_str(&addr, text);
	q.parameters = json_pack("{s:s}", "address", text);
	rc = ctl_call(o, &q);
	if (rc != CTL_DONE)
		return rc;
	if (o->json)
		return ctl_out_json_member(o, "address", json_string(text));
	printf("Lease of %s released.\n", text);
	return CTL_DONE;
}

enum ctl_exit ctl_leases(const struct ctl_options *o, int argc, char **argv)
{
	struct listing l = {
		.array = "leases",
		.row = lease_row,
		.table = { .column = lease_column, .columns = ARRAY_SIZE(lease_column) },
	};

	if (argc == 3 && strcmp(argv[1], "release") == 0)
		return release(o, argv[2]);
	if (argc > 1) {
		ctl_complain("leases, or leases release ADDRESS");
		return CTL_USAGE;
	}
	return run_listing(o, &l, "io.vpngw.Leases", "lease");
}
