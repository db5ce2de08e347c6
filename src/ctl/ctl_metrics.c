/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_metrics.c - vpngwctl metrics: numbers for Prometheus and its like. */
#include "ctl/ctl_metrics.h"

#include <stdio.h>

#include "cleanup.h"
#include "ctl/metrics_text.h"

static int on_answer(void *ctx, json_t *parameters)
{
	json_t **ret = ctx;

	*ret = json_incref(parameters);
	return 0;
}

static enum ctl_exit ask(const struct ctl_options *o, const char *method, json_t **ret)
{
	struct ctl_request q = { .method = method, .reply = on_answer, .ctx = ret };

	return ctl_call(o, &q);
}

enum ctl_exit ctl_metrics_text(const struct ctl_options *o, char **ret, size_t *ret_n)
{
	json_t *status = NULL, *stats = NULL, *sessions = NULL;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	enum ctl_exit rc = CTL_FAILED;

	if (f) {
		rc = ask(o, "io.vpngw.Status", &status);
		if (rc == CTL_DONE)
			rc = ask(o, "io.vpngw.Stats", &stats);
		if (rc == CTL_DONE && o->per_user)
			rc = ask(o, "io.vpngw.List", &sessions);
		metrics_text(f, rc == CTL_DONE ? status : NULL, stats, sessions);
		if (ferror(f) | fclose(f)) {
			free(text);
			text = NULL;
		}
	}
	json_decref(status);
	json_decref(stats);
	json_decref(sessions);
	*ret = text;
	*ret_n = n;
	return rc;
}

/* No pager, and half a text never: who collects it must not see counters disappear. */
enum ctl_exit ctl_metrics(const struct ctl_options *o, int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	enum ctl_exit rc;
	size_t n;

	if (argc > 1 || o->json) {
		ctl_complain("%s takes no %s", argv[0], argc > 1 ? "argument" : "--json");
		return CTL_USAGE;
	}
	rc = ctl_metrics_text(o, &text, &n);
	if (!text) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	fwrite(text, 1, n, stdout); /* main() looks for errors */
	return rc;
}
