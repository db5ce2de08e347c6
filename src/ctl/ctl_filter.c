/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_filter.c - which rows of a list an operator asked for, and in which order. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "addr.h"
#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_text.h"
#include "text.h"

/* ---- filters ---- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v ? v : "";
}

/* As it is, or as it is shown. */
static bool is_text(const json_t *o, const char *key, const char *want)
{
	const char *v = text_of(o, key);
	char safe[CTL_TEXT_MAX];

	return !want || strcmp(v, want) == 0 ||
	       strcmp(text_escape(span_str(v), safe, sizeof(safe)), want) == 0;
}

/* An address, or an endpoint of which the port does not matter. */
static bool is_within(const json_t *o, const char *key, const char *want)
{
	const char *v = text_of(o, key);
	struct endpoint e;
	struct prefix p;

	if (!want)
		return true;
	if (prefix_parse(want, &p) < 0)
		return strcmp(v, want) == 0; /* with its port */
	return (endpoint_parse(v, &e) == 0 || ipaddr_parse(v, &e.addr) == 0) &&
	       prefix_has(&p, &e.addr);
}

static bool is_wanted(const struct ctl_options *o, const json_t *row)
{
	return is_text(row, "user", o->user) && is_text(row, "pool", o->pool) &&
	       (is_within(row, "address", o->address) || is_within(row, "address6", o->address)) &&
	       is_within(row, "peer", o->peer);
}

/* ---- order ---- */

enum kind {
	TEXT,
	NUMBER,
	ADDRESS,
};

static const struct order {
	const char *name; /* the column's title */
	const char *key;
	enum kind kind;
} orders[] = {
	{ "session", "session", TEXT },        { "user", "user", TEXT },
	{ "address", "address", ADDRESS },     { "peer", "peer", ADDRESS },
	{ "client", "client", TEXT },          { "since", "since_unix", NUMBER },
	{ "idle", "idle_s", NUMBER },          { "rx", "bytes_in", NUMBER },
	{ "tx", "bytes_out", NUMBER },         { "pool", "pool", TEXT },
	{ "granted", "granted_unix", NUMBER }, { "released", "released_unix", NUMBER },
};

static const struct order *find_order(const char *name)
{
	name += *name == '-';
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (strcasecmp(orders[i].name, name) == 0)
			return &orders[i];
	return NULL;
}

static int compare_addresses(const char *a, const char *b)
{
	struct endpoint x = { 0 }, y = { 0 };
	int r;

	if (endpoint_parse(a, &x) < 0)
		(void)ipaddr_parse(a, &x.addr);
	if (endpoint_parse(b, &y) < 0)
		(void)ipaddr_parse(b, &y.addr);
	r = x.addr.family - y.addr.family;
	if (!r)
		r = memcmp(x.addr.b, y.addr.b, sizeof(x.addr.b));
	return r ? r : x.port - y.port;
}

static int compare(const void *va, const void *vb, void *ctx)
{
	const json_t *const *a = va, *const *b = vb;
	const char *name = ctx;
	const struct order *o = find_order(name);
	uint64_t x = 0, y = 0;
	int r = 0;

	switch (o->kind) {
	case TEXT:
		r = strcmp(text_of(*a, o->key), text_of(*b, o->key));
		break;
	case ADDRESS:
		r = compare_addresses(text_of(*a, o->key), text_of(*b, o->key));
		break;
	case NUMBER:
		ctl_number(*a, o->key, &x);
		ctl_number(*b, o->key, &y);
		r = x < y ? -1 : x > y;
		break;
	}
	return *name == '-' ? -r : r;
}

enum ctl_exit ctl_filter_check(const struct ctl_options *o)
{
	const char *within[] = { o->address, o->peer };
	char shown[CTL_TEXT_MAX];
	struct endpoint e;
	struct prefix p;

	if (o->sort && !find_order(o->sort)) {
		ctl_complain("--sort=%s: there is no such column",
			     ctl_text(o->sort, shown, sizeof(shown)));
		return CTL_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(within); i++) {
		if (!within[i] || prefix_parse(within[i], &p) == 0 ||
		    (i == 1 && endpoint_parse(within[i], &e) == 0))
			continue;
		ctl_complain("--%s=%s: an address or a prefix is expected", i ? "peer" : "address",
			     ctl_text(within[i], shown, sizeof(shown)));
		return CTL_USAGE;
	}
	return CTL_DONE;
}

json_t *ctl_filter(const struct ctl_options *o, const json_t *rows)
{
	_cleanup_free_ json_t **row = calloc(json_array_size(rows) + 1, sizeof(*row));
	json_t *ret = json_array();
	size_t n = 0;

	if (!row || !ret) {
		json_decref(ret);
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		row[n] = json_array_get(rows, i);
		n += is_wanted(o, row[n]);
	}
	if (o->sort && n)
		qsort_r(row, n, sizeof(*row), compare, (char *)(uintptr_t)o->sort);
	for (size_t i = 0; i < n; i++) {
		if (json_array_append(ret, row[i]) < 0) {
			json_decref(ret);
			return NULL;
		}
	}
	return ret;
}
