/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctl_check.c - vpngwctl check: whether this host is ready for its first login.
 *
 * The looking is done by the programs that know what they need, vpngw --check and vpngw-authd
 * --check; this puts their findings together and shows them. No gateway need run.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_text.h"
#include "ctl/server.h"
#include "spawn.h"

#define SAID_MAX   (4u << 20)
#define PATIENCE_S 120

/* The one that lies beside this program, as in a build, or the installed one. */
static const char *program(const char *name, const char *installed, char buf[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", buf, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return installed;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash || (size_t)(slash - buf) + strlen(name) + 2 > PATH_MAX)
		return installed;
	strcpy(slash + 1, name);
	return access(buf, X_OK) == 0 ? buf : installed;
}

/* Adds the findings of one program to `all`. */
static enum ctl_exit ask(const char *const argv[], json_t *all)
{
	_cleanup_free_ char *said = NULL;
	json_t *root = NULL;
	size_t n = 0;
	int rc = spawn_read(argv, false, SAID_MAX, PATIENCE_S, &said, &n);
	bool good;

	if (rc < 0) {
		ctl_complain("cannot run %s: %s", argv[0], strerror(-rc));
		return CTL_FAILED;
	}
	if (rc == 0)
		root = json_loadb(said, n, 0, NULL);
	good = root &&
	       json_array_extend(json_object_get(all, "checks"), json_object_get(root, "checks")) ==
		       0 &&
	       json_array_extend(json_object_get(all, "findings"),
				 json_object_get(root, "findings")) == 0;
	json_decref(root);
	if (!good)
		ctl_complain("%s ended with status %d and without an answer", argv[0], rc);
	return good ? CTL_DONE : CTL_FAILED;
}

static enum ctl_exit ask_all(const struct ctl_options *o, json_t *all)
{
	char gateway[PATH_MAX], authd[PATH_MAX], check[PATH_MAX + 16] = "--check";
	const char *const first[] = { program("vpngw", SBINDIR "/vpngw", gateway), check, NULL };
	const char *const second[] = { program("vpngw-authd", LIBEXECDIR "/vpngw-authd", authd),
				       "--check", o->config ? "--config" : NULL, o->config, NULL };
	enum ctl_exit rc;

	if (o->config)
		snprintf(check, sizeof(check), "--check=%s", o->config);
	rc = ask(first, all);
	return rc == CTL_DONE ? ask(second, all) : rc;
}

/* ---- what to say, and how to end ---- */

static bool is(const json_t *o, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && strcmp(s, value) == 0;
}

static unsigned count(const json_t *all, const char *severity)
{
	const json_t *findings = json_object_get(all, "findings"), *f;
	unsigned n = 0;
	size_t i;

	json_array_foreach (findings, i, f)
		n += is(f, "severity", severity);
	return n;
}

static enum ctl_exit verdict(const json_t *all)
{
	const json_t *findings = json_object_get(all, "findings"), *f;
	size_t i;

	json_array_foreach (findings, i, f)
		if (is(f, "check", "configuration") && is(f, "severity", "error"))
			return CTL_BAD_CONFIG;
	if (count(all, "error"))
		return CTL_FAILED;
	return count(all, "unknown") && geteuid() != 0 ? CTL_NOT_PERMITTED : CTL_DONE;
}

static void print_finding(FILE *out, const json_t *f)
{
	char severity[CTL_TEXT_MAX], text[CTL_TEXT_MAX], remedy[CTL_TEXT_MAX];

	fprintf(out, "    %s: %s\n", ctl_member(f, "severity", severity, sizeof(severity)),
		ctl_member(f, "text", text, sizeof(text)));
	if (*ctl_member(f, "remedy", remedy, sizeof(remedy)))
		fprintf(out, "        -> %s\n", remedy);
}

static enum ctl_exit print(const struct ctl_options *o, const json_t *all)
{
	const json_t *checks = json_object_get(all, "checks"),
		     *findings = json_object_get(all, "findings"), *c, *f;
	char name[CTL_TEXT_MAX], result[CTL_TEXT_MAX];
	struct ctl_out out;
	enum ctl_exit rc = ctl_out_open(o, &out);
	size_t i, k;

	if (rc != CTL_DONE)
		return rc;
	json_array_foreach (checks, i, c) {
		ctl_member(c, "check", name, sizeof(name));
		fprintf(out.f, "%-20s %s\n", name, ctl_member(c, "result", result, sizeof(result)));
		json_array_foreach (findings, k, f)
			if (is(f, "check", name))
				print_finding(out.f, f);
	}
	if (!o->no_legend)
		fprintf(out.f, "\n%u errors, %u warnings, %u hints, %u not looked at.\n",
			count(all, "error"), count(all, "warning"), count(all, "hint"),
			count(all, "unknown"));
	return ctl_out_close(&out);
}

enum ctl_exit ctl_check(const struct ctl_options *o, int argc, char **argv)
{
	json_t *all;
	enum ctl_exit rc, end;

	(void)argv;
	if (argc != 1) {
		ctl_complain("check takes no argument");
		return CTL_USAGE;
	}
	all = json_pack("{s:s, s:[], s:[]}", "schema_version", CTL_SCHEMA, "checks", "findings");
	if (!all) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	rc = ask_all(o, all);
	end = verdict(all);
	if (rc == CTL_DONE)
		rc = o->json ? ctl_out_json(o, json_incref(all)) : print(o, all);
	json_decref(all);
	return rc == CTL_DONE ? end : rc;
}
