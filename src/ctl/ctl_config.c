/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_config.c - vpngwctl reload and vpngwctl config: what holds, what would, and taking it over. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/ctl_out.h"
#include "ctl/ctl_text.h"

static int on_keep(void *ctx, json_t *parameters)
{
	*(json_t **)ctx = json_incref(parameters);
	return 0;
}

/* One call without parameters; the reply's are owned by the caller. */
static enum ctl_exit ask(const struct ctl_options *o, const char *method, json_t **ret)
{
	struct ctl_request q = { .method = method, .reply = on_keep, .ctx = ret };

	*ret = NULL;
	return ctl_call(o, &q);
}

/* ---- reload, config diff ---- */

/* "[mode_cfg] dns4: 10.0.12.1 -> 10.0.12.2" */
static void print_change(FILE *f, const json_t *c, const char *indent)
{
	char setting[CTL_TEXT_MAX], from[CTL_TEXT_MAX], to[CTL_TEXT_MAX], remedy[CTL_TEXT_MAX];

	fprintf(f, "%s%s", indent, ctl_member(c, "setting", setting, sizeof(setting)));
	ctl_member(c, "from", from, sizeof(from));
	ctl_member(c, "to", to, sizeof(to));
	if (*from || *to)
		fprintf(f, ": %s -> %s", *from ? from : "(none)", *to ? to : "(none)");
	if (*ctl_member(c, "remedy", remedy, sizeof(remedy)))
		fprintf(f, "\n%s        %s", indent, remedy);
	putc('\n', f);
}

/* Those that hold, or those that do not yet; how many. */
static unsigned print_changes(FILE *f, const json_t *reply, bool later, const char *title)
{
	json_t *all = json_object_get(reply, "changes"), *c;
	unsigned n = 0;
	size_t i;

	json_array_foreach (all, i, c) {
		if (json_is_string(json_object_get(c, "remedy")) != later)
			continue;
		if (n++ == 0)
			fprintf(f, "%s\n", title);
		print_change(f, c, "  ");
	}
	return n;
}

/* Takes over `reply`. */
static enum ctl_exit show_changes(const struct ctl_options *o, json_t *reply, const char *done,
				  const char *nothing)
{
	struct ctl_out out;
	enum ctl_exit rc;

	if (o->json)
		return ctl_out_json(o, reply);
	rc = ctl_out_open(o, &out);
	if (rc == CTL_DONE) {
		unsigned n = print_changes(out.f, reply, false, done);

		n += print_changes(out.f, reply, true,
				   "Not yet in effect, but after what is said:");
		if (!n)
			fprintf(out.f, "%s\n", nothing);
		rc = ctl_out_close(&out);
		ctl_say_all(reply, "warnings", "warning: ");
	}
	json_decref(reply);
	return rc;
}

enum ctl_exit ctl_reload(const struct ctl_options *o, int argc, char **argv)
{
	enum ctl_exit rc;
	json_t *reply;

	(void)argv;
	if (argc != 1) {
		ctl_complain("reload takes no argument");
		return CTL_USAGE;
	}
	rc = ask(o, "io.vpngw.Reload", &reply);
	return rc == CTL_DONE ? show_changes(o, reply, "In effect:",
					     "Reloaded; nothing differs from what was in effect.")
			      : rc;
}

static enum ctl_exit diff(const struct ctl_options *o)
{
	json_t *reply;
	enum ctl_exit rc = ask(o, "io.vpngw.DiffConfig", &reply);

	return rc == CTL_DONE
		       ? show_changes(o, reply,
				      "A reload would change:", "The files say what is in effect.")
		       : rc;
}

/* ---- config show ---- */

static void print_setting(FILE *f, const json_t *s, char last[static CTL_TEXT_MAX])
{
	char section[CTL_TEXT_MAX], name[CTL_TEXT_MAX], key[CTL_TEXT_MAX], from[CTL_TEXT_MAX],
		line[CTL_TEXT_MAX], head[CTL_TEXT_MAX];
	json_t *lines = json_object_get(s, "value"), *l;
	size_t i;

	ctl_member(s, "section", section, sizeof(section));
	ctl_member(s, "name", name, sizeof(name));
	snprintf(head, sizeof(head), *name ? "[%.200s \"%.200s\"]" : "[%.200s%s]", section, name);
	if (strcmp(head, last) != 0)
		fprintf(f, "%s%s\n", *last ? "\n" : "", head);
	strcpy(last, head);
	ctl_member(s, "key", key, sizeof(key));
	ctl_member(s, "from", from, sizeof(from));
	if (!json_array_size(lines))
		fprintf(f, "%s = %-*s # %s\n", key, 45 - (int)strlen(key), "", from);
	json_array_foreach (lines, i, l)
		fprintf(f, "%s = %-*s # %s\n", key, 45 - (int)strlen(key),
			ctl_text(json_is_string(l) ? json_string_value(l) : "", line, sizeof(line)),
			from);
}

static enum ctl_exit show(const struct ctl_options *o)
{
	char last[CTL_TEXT_MAX] = "";
	json_t *reply, *all, *s;
	struct ctl_out out;
	enum ctl_exit rc = ask(o, "io.vpngw.Config", &reply);
	size_t i;

	if (rc != CTL_DONE)
		return rc;
	if (o->json)
		return ctl_out_json(o, reply);
	rc = ctl_out_open(o, &out);
	if (rc == CTL_DONE) {
		all = json_object_get(reply, "settings");
		json_array_foreach (all, i, s)
			print_setting(out.f, s, last);
		rc = ctl_out_close(&out);
	}
	json_decref(reply);
	return rc;
}

/* ---- config cat ---- */

static enum ctl_exit print_file(FILE *f, const char *path, bool first)
{
	char shown[CTL_TEXT_MAX], line[4098];
	FILE *in = fopen(path, "re");

	ctl_text(path, shown, sizeof(shown));
	if (!in) {
		ctl_complain("%s: %s", shown, strerror(errno));
		return errno == EACCES ? CTL_NOT_PERMITTED : CTL_FAILED;
	}
	fprintf(f, "%s# %s\n", first ? "" : "\n", shown);
	while (fgets(line, sizeof(line), in)) {
		size_t n = strcspn(line, "\n");
		char clean[4 * sizeof(line)];

		line[n] = '\0';
		for (char *p = line; (p = strchr(p, '\t'));)
			*p = ' ';
		fprintf(f, "%s\n", ctl_text(line, clean, sizeof(clean)));
	}
	fclose(in);
	return CTL_DONE;
}

/* The files that the gateway has read, as they are now, with the rights of whoever asks. */
static enum ctl_exit cat(const struct ctl_options *o)
{
	json_t *reply, *all, *name;
	struct ctl_out out;
	enum ctl_exit rc = ask(o, "io.vpngw.Config", &reply), r = CTL_DONE;
	size_t i;

	if (rc != CTL_DONE)
		return rc;
	if (o->json) {
		name = json_incref(json_object_get(reply, "files"));
		json_decref(reply);
		return ctl_out_json_member(o, "files", name);
	}
	rc = ctl_out_open(o, &out);
	if (rc == CTL_DONE) {
		all = json_object_get(reply, "files");
		json_array_foreach (all, i, name)
			if (r == CTL_DONE && json_is_string(name))
				r = print_file(out.f, json_string_value(name), i == 0);
		rc = ctl_out_close(&out);
	}
	json_decref(reply);
	return r == CTL_DONE ? rc : r;
}

enum ctl_exit ctl_config(const struct ctl_options *o, int argc, char **argv)
{
	const char *what = argc == 1 ? "show" : argc == 2 ? argv[1] : "";

	if (strcmp(what, "show") == 0)
		return show(o);
	if (strcmp(what, "cat") == 0)
		return cat(o);
	if (strcmp(what, "diff") == 0)
		return diff(o);
	ctl_complain("config takes show, cat or diff");
	return CTL_USAGE;
}
