/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_show.c - vpngwctl show and vpngwctl status: one thing, all about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_text.h"
#include "text.h"

/* "        Label: text"; nothing at all when the text is empty. */
__attribute__((format(printf, 3, 4))) static void line(FILE *f, const char *label, const char *fmt,
						       ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text && *text)
		fprintf(f, "%14s%c %s\n", label, *label ? ':' : ' ', text);
}

static void text_line(FILE *f, const char *label, const json_t *o, const char *key)
{
	char v[CTL_TEXT_MAX];

	line(f, label, "%s", ctl_member(o, key, v, sizeof(v)));
}

static uint64_t number(const json_t *o, const char *key)
{
	uint64_t v;

	return ctl_number(o, key, &v) ? v : 0;
}

/* "1.5 KiB in 12 packets", or without the packets. */
static const char *traffic(const json_t *o, const char *bytes, const char *packets, char buf[96])
{
	char size[32];

	text_size(number(o, bytes), size);
	if (packets)
		snprintf(buf, 96, "%s in %" PRIu64 " packets", size, number(o, packets));
	else
		snprintf(buf, 96, "%s", size);
	return buf;
}

/* ---- show ---- */

/* "tcp to port 22", where a pair is not for everything. */
static void show_upper(FILE *f, const json_t *o)
{
	char proto[CTL_TEXT_MAX], from[32] = "", to[32] = "";
	uint64_t port;

	if (!*ctl_member(o, "protocol", proto, sizeof(proto)))
		return;
	if (ctl_number(o, "client_port", &port))
		snprintf(from, sizeof(from), " from port %" PRIu64, port);
	if (ctl_number(o, "port", &port))
		snprintf(to, sizeof(to), " to port %" PRIu64, port);
	line(f, "", "%s%s%s only", proto, from, to);
}

static void show_child(FILE *f, const json_t *o, size_t i)
{
	char a[CTL_TEXT_MAX], b[CTL_TEXT_MAX], in[96], out[96], age[32], left[32], label[32];
	uint64_t s;

	snprintf(label, sizeof(label), "ESP %zu", i + 1);
	line(f, label, "%s%s%s", ctl_member(o, "proposal", a, sizeof(a)),
	     json_is_true(json_object_get(o, "encap")) ? " in UDP" : "",
	     json_is_true(json_object_get(o, "ipcomp")) ? ", compressed" : "");
	line(f, "", "SPI %s in, %s out", ctl_member(o, "spi_in", a, sizeof(a)),
	     ctl_member(o, "spi_out", b, sizeof(b)));
	text_line(f, "", o, "networks");
	show_upper(f, o);
	line(f, "", "received %s, sent %s", traffic(o, "bytes_in", "packets_in", in),
	     traffic(o, "bytes_out", "packets_out", out));
	text_duration(number(o, "age_s"), age);
	if (ctl_number(o, "expires_in_s", &s))
		line(f, "", "%s, %s old, expires in %s", ctl_member(o, "state", a, sizeof(a)), age,
		     text_duration(s, left));
	else
		line(f, "", "%s, %s old", ctl_member(o, "state", a, sizeof(a)), age);
}

/* When the client gave its last sign of life, and how often it was asked for one since. */
static void show_life(FILE *f, const json_t *o)
{
	uint64_t heard, asked = number(o, "unanswered");
	char t[32];

	if (!ctl_number(o, "heard_s", &heard))
		return;
	if (asked)
		line(f, "Heard of", "%s ago, %" PRIu64 " unanswered", text_duration(heard, t),
		     asked);
	else
		line(f, "Heard of", "%s ago", text_duration(heard, t));
}

static void show_session(FILE *f, const json_t *o)
{
	json_t *children = json_object_get(o, "children"), *child;
	char a[CTL_TEXT_MAX], b[CTL_TEXT_MAX], in[96], out[96], t[32];
	uint64_t s;
	size_t i;

	fprintf(f, "Session %s\n", ctl_member(o, "session", a, sizeof(a)));
	text_line(f, "User", o, "user");
	text_line(f, "State", o, "state");
	text_line(f, "Address", o, "address");
	if (json_is_string(json_object_get(o, "address6")))
		text_line(f, "", o, "address6");
	text_line(f, "Peer", o, "peer");
	text_line(f, "Local", o, "local");
	text_line(f, "NAT", o, "nat");
	text_line(f, "Client", o, "client");
	text_line(f, "Group", o, "group");
	text_line(f, "Profile", o, "profile");
	if (ctl_number(o, "since_unix", &s))
		line(f, "Since", "%s", ctl_local_time(s, t));
	if (ctl_number(o, "idle_s", &s))
		line(f, "Idle", "%s", text_duration(s, t));
	show_life(f, o);
	if (ctl_number(o, "expires_in_s", &s))
		line(f, "Expires", "in %s", text_duration(s, t));
	line(f, "Traffic", "received %s, sent %s", traffic(o, "bytes_in", NULL, in),
	     traffic(o, "bytes_out", NULL, out));
	line(f, "IKE", "%s", ctl_member(o, "proposal", b, sizeof(b)));
	line(f, "", "%s in %s mode", ctl_member(o, "authentication", a, sizeof(a)),
	     ctl_member(o, "exchange_mode", b, sizeof(b)));
	if (strcmp(ctl_member(o, "fragments", b, sizeof(b)), "none") != 0)
		line(f, "IKE fragments", "%s", b);
	text_line(f, "Cookies", o, "cookies");
	json_array_foreach (children, i, child)
		show_child(f, child, i);
}

static int on_sessions(void *ctx, json_t *parameters)
{
	json_t *rows = json_object_get(parameters, "sessions");

	if (!json_is_array(rows))
		return -EBADMSG;
	return json_array_extend(ctx, rows) < 0 ? -ENOMEM : 0;
}

static enum ctl_exit print_sessions(const struct ctl_options *o, json_t *all)
{
	struct ctl_out out;
	enum ctl_exit rc;
	json_t *row;
	size_t i;

	if (o->json)
		return ctl_out_json_member(o, "sessions", json_incref(all));
	rc = ctl_out_open(o, &out);
	if (rc != CTL_DONE)
		return rc;
	json_array_foreach (all, i, row) {
		if (i)
			putc('\n', out.f);
		show_session(out.f, row);
	}
	return ctl_out_close(&out);
}

enum ctl_exit ctl_show(const struct ctl_options *o, int argc, char **argv)
{
	json_t *all = json_array();
	struct ctl_request q = {
		.method = "io.vpngw.Show",
		.more = true,
		.reply = on_sessions,
		.ctx = all,
	};
	enum ctl_exit rc = CTL_USAGE;

	if (argc != 2)
		ctl_complain("show takes one SESSION, USER or ADDRESS");
	else
		rc = ctl_call_which(o, &q, argv[1]);
	if (rc == CTL_DONE)
		rc = print_sessions(o, all);
	json_decref(all);
	return rc;
}

/* ---- status ---- */

static void show_pool(FILE *f, const json_t *o, size_t i)
{
	char name[CTL_TEXT_MAX], first[64], last[64], draining[48] = "";
	uint64_t size = number(o, "size"), leased = number(o, "leased"), n = 0;

	if (ctl_number(o, "draining", &n) && n)
		snprintf(draining, sizeof(draining), ", %" PRIu64 " draining", n);
	line(f, i ? "" : "Pools",
	     "%s: %s to %s, %" PRIu64 " of %" PRIu64 " leased, %" PRIu64 " kept%s",
	     ctl_member(o, "name", name, sizeof(name)),
	     ctl_member(o, "first", first, sizeof(first)),
	     ctl_member(o, "last", last, sizeof(last)), leased, size, number(o, "kept"), draining);
}

static void show_times(FILE *f, const json_t *o)
{
	char t[32], up[32];
	uint64_t s, uptime;

	if (ctl_number(o, "since_unix", &s) && ctl_number(o, "uptime_s", &uptime))
		line(f, "Running", "since %s (%s)", ctl_local_time(s, t),
		     text_duration(uptime, up));
}

static void show_status(FILE *f, const json_t *o)
{
	const json_t *pools = json_object_get(o, "pools"),
		     *warnings = json_object_get(o, "warnings");
	json_t *counters = json_object_get(o, "counters"), *v;
	char a[CTL_TEXT_MAX], t[32];
	const char *key, *label = "Counters";
	uint64_t s;
	size_t i;

	fprintf(f, "vpngw %s\n", ctl_member(o, "version", a, sizeof(a)));
	show_times(f, o);
	text_line(f, "Configuration", o, "config_file");
	text_line(f, "Interface", o, "interface");
	text_line(f, "Certificate", o, "certificate");
	text_line(f, "Subject", o, "subject");
	if (ctl_number(o, "cert_expires_unix", &s))
		line(f, "Expires", "%s", ctl_local_time(s, t));
	text_line(f, "Passwords", o, "authd");
	line(f, "Sessions", "%" PRIu64 ", and %" PRIu64 " half open", number(o, "sessions"),
	     number(o, "half_open"));
	if (number(o, "incomplete"))
		line(f, "Incomplete", "%" PRIu64 " messages in fragments", number(o, "incomplete"));
	json_array_foreach (pools, i, v)
		show_pool(f, v, i);
	json_object_foreach (counters, key, v) {
		line(f, label, "%s %" PRIu64, ctl_text(key, a, sizeof(a)), number(counters, key));
		label = "";
	}
	json_array_foreach (warnings, i, v) {
		const char *text = json_string_value(v);

		line(f, "Warning", "%s", ctl_text(text ? text : "", a, sizeof(a)));
	}
}

static int on_status(void *ctx, json_t *parameters)
{
	json_t **ret = ctx;

	*ret = json_incref(parameters);
	return 0;
}

enum ctl_exit ctl_status(const struct ctl_options *o, int argc, char **argv)
{
	json_t *status = NULL;
	struct ctl_request q = { .method = "io.vpngw.Status", .reply = on_status, .ctx = &status };
	struct ctl_out out;
	enum ctl_exit rc;

	(void)argv;
	if (argc > 1) {
		ctl_complain("status takes no argument");
		return CTL_USAGE;
	}
	rc = ctl_call(o, &q);
	if (rc == CTL_DONE && o->json) {
		rc = ctl_out_json(o, status);
	} else if (rc == CTL_DONE) {
		rc = ctl_out_open(o, &out);
		if (rc == CTL_DONE) {
			show_status(out.f, status);
			rc = ctl_out_close(&out);
		}
		json_decref(status);
	}
	return rc;
}
