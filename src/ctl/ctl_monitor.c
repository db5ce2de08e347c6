/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_monitor.c - vpngwctl monitor: events as they happen, one line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_text.h"
#include "ctl/server.h"

static bool is_wanted(const struct ctl_options *o, const json_t *event)
{
	const char *user =
		json_string_value(json_object_get(json_object_get(event, "fields"), "user"));

	return !o->user || (user && strcmp(user, o->user) == 0);
}

/* ASCII alone, as all JSON that is printed. */
static void print_json(json_t *event)
{
	_cleanup_free_ char *text = NULL;

	if (json_object_set_new(event, "schema_version", json_string(CTL_SCHEMA)) == 0)
		text = json_dumps(event, JSON_ENSURE_ASCII | JSON_COMPACT);
	for (const char *p = text; p && *p; p++) {
		if (*p == '\x7f')
			fputs("\\u007f", stdout);
		else
			putchar(*p);
	}
	putchar('\n');
}

static void print_line(const json_t *event)
{
	char time[32] = "-", name[CTL_TEXT_MAX], message[CTL_TEXT_MAX];
	uint64_t s;

	if (ctl_number(event, "time_unix", &s))
		ctl_local_time(s, time);
	printf("%s %-14s %s\n", time, ctl_member(event, "event", name, sizeof(name)),
	       ctl_member(event, "message", message, sizeof(message)));
}

static int on_events(void *ctx, json_t *parameters)
{
	const struct ctl_options *o = ctx;
	json_t *events = json_object_get(parameters, "events"), *event;
	uint64_t lost = 0;
	size_t i;

	if (!json_is_array(events))
		return -EBADMSG;
	if (ctl_number(parameters, "lost", &lost) && lost)
		ctl_complain("%" PRIu64 " events were left out", lost);
	json_array_foreach (events, i, event) {
		if (!is_wanted(o, event))
			continue;
		if (o->json)
			print_json(event);
		else
			print_line(event);
	}
	return fflush(stdout) != 0 ? -errno : 0;
}

enum ctl_exit ctl_monitor(const struct ctl_options *o, int argc, char **argv)
{
	struct ctl_options mine = *o;
	struct ctl_request q = { .method = "io.vpngw.Monitor",
				 .more = true,
				 .endless = true,
				 .reply = on_events,
				 .ctx = &mine };

	(void)argv;
	if (argc > 1) {
		ctl_complain("monitor takes options alone");
		return CTL_USAGE;
	}
	return ctl_call(o, &q);
}
