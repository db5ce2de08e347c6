/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* findings.c - a bounded list of sentences with their remedies, and the JSON of it. */
#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "bounds.h"
#include "cleanup.h"
#include "ctl/jsonw.h"

#define CHECKS_MAX 32
#define JSON_MAX   (1u << 20)

struct finding {
	const char *check;
	enum finding_level level;
	char text[512], remedy[320];
};

struct findings {
	struct {
		const char *name;
		enum finding_level worst;
	} check[CHECKS_MAX];
	unsigned n_checks, n;
	struct finding finding[LIMIT_FINDINGS];
};

struct findings *findings_new(void)
{
	return calloc(1, sizeof(struct findings));
}

struct findings *findings_free(struct findings *f)
{
	free(f);
	return NULL;
}

void findings_check(struct findings *f, const char *name)
{
	if (f->n_checks < CHECKS_MAX)
		f->check[f->n_checks++].name = name;
}

void findings_add(struct findings *f, enum finding_level l, const char *fmt, ...)
{
	unsigned now = f->n_checks ? f->n_checks - 1 : 0;
	struct finding *next;
	va_list ap;

	if (l > f->check[now].worst)
		f->check[now].worst = l;
	if (f->n == LIMIT_FINDINGS) {
		next = &f->finding[f->n - 1];
		*next = (struct finding){ .check = f->check[now].name, .level = l };
		snprintf(next->text, sizeof(next->text), "there is more than is told here");
		return;
	}
	next = &f->finding[f->n++];
	next->check = f->check[now].name;
	next->level = l;
	va_start(ap, fmt);
	vsnprintf(next->text, sizeof(next->text), fmt, ap);
	va_end(ap);
}

void findings_remedy(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	if (!f->n)
		return;
	va_start(ap, fmt);
	vsnprintf(f->finding[f->n - 1].remedy, sizeof(f->finding[0].remedy), fmt, ap);
	va_end(ap);
}

static const char *level_name(enum finding_level l)
{
	switch (l) {
	case FINDING_GOOD:
		return "good";
	case FINDING_HINT:
		return "hint";
	case FINDING_UNKNOWN:
		return "unknown";
	case FINDING_WARNING:
		return "warning";
	case FINDING_ERROR:
		return "error";
	}
	return "";
}

int findings_write(const struct findings *f, FILE *out)
{
	struct jsonw w = { .max = JSON_MAX };
	int rc = 0;

	jsonw_open(&w, NULL, '{');
	jsonw_text(&w, "schema_version", "1.0");
	jsonw_open(&w, "checks", '[');
	for (unsigned i = 0; i < f->n_checks; i++) {
		jsonw_open(&w, NULL, '{');
		jsonw_text(&w, "check", f->check[i].name);
		jsonw_text(&w, "result", level_name(f->check[i].worst));
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	jsonw_open(&w, "findings", '[');
	for (unsigned i = 0; i < f->n; i++) {
		jsonw_open(&w, NULL, '{');
		jsonw_text(&w, "check", f->finding[i].check);
		jsonw_text(&w, "severity", level_name(f->finding[i].level));
		jsonw_text(&w, "text", f->finding[i].text);
		jsonw_text(&w, "remedy", f->finding[i].remedy);
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	jsonw_raw(&w, "\n", 1);
	if (w.bad)
		rc = -ENOMEM;
	else if (fwrite(w.p, 1, w.len, out) != w.len)
		rc = -EIO;
	jsonw_reset(&w);
	return rc;
}
