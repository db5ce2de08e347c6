/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_ctl_schema.c - what vpngwctl prints with --json against the schema that is published,
 * share/vpngwctl.schema.json. A member that the schema does not have is as wrong as one that is
 * missing. Where Python has jsonschema, that says so as well.
 */
#include <regex.h>

#include "ctl_run.h"

static json_t *schema;

/* ---- as much of JSON Schema as ours needs ---- */

static bool fits(const json_t *rule, const json_t *v, const char *path);

static bool wrong(const char *path, const char *what)
{
	printf("# %s: %s\n", path, what);
	return false;
}

static const char *type_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	case JSON_NULL:
		return "null";
	}
	return "";
}

static bool has_type(const json_t *type, const json_t *v)
{
	if (json_is_string(type))
		return strcmp(json_string_value(type), type_of(v)) == 0;
	for (size_t i = 0; i < json_array_size(type); i++)
		if (has_type(json_array_get(type, i), v))
			return true;
	return false;
}

static bool is_one_of(const json_t *values, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (json_equal(json_array_get(values, i), v))
			return true;
	return false;
}

static bool matches_pattern(const char *pattern, const json_t *v)
{
	regex_t re;
	bool good;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	good = json_is_string(v) && regexec(&re, json_string_value(v), 0, NULL, 0) == 0;
	regfree(&re);
	return good;
}

static bool members_fit(const json_t *rule, json_t *v, const char *path)
{
	const json_t *properties = json_object_get(rule, "properties"),
		     *others = json_object_get(rule, "additionalProperties"), *name;
	char below[256];
	const char *key;
	json_t *member;
	size_t i;

	json_array_foreach (json_object_get(rule, "required"), i, name)
		if (!json_object_get(v, json_string_value(name)))
			return wrong(path, json_string_value(name));
	json_object_foreach (v, key, member) {
		const json_t *r = json_object_get(properties, key) ?: others;

		snprintf(below, sizeof(below), "%.200s.%s", path, key);
		if (!r)
			return wrong(below, "is not in the schema");
		if (!fits(r, member, below))
			return false;
	}
	return true;
}

static bool fits(const json_t *rule, const json_t *v, const char *path)
{
	const char *ref = json_string_value(json_object_get(rule, "$ref")),
		   *pattern = json_string_value(json_object_get(rule, "pattern"));
	const json_t *type = json_object_get(rule, "type"), *values = json_object_get(rule, "enum"),
		     *items = json_object_get(rule, "items");

	if (ref)
		return fits(json_object_get(json_object_get(schema, "$defs"), ref + 8), v, path);
	if (!type && !values)
		return wrong(path, "the schema says nothing of it");
	if (type && !has_type(type, v))
		return wrong(path, type_of(v));
	if (values && !is_one_of(values, v))
		return wrong(path, "none of the values");
	if (pattern && !matches_pattern(pattern, v))
		return wrong(path, pattern);
	for (size_t i = 0; items && i < json_array_size(v); i++)
		if (!fits(items, json_array_get(v, i), path))
			return false;
	return !json_is_object(v) || members_fit(rule, (json_t *)(uintptr_t)v, path);
}

/* ---- outputs ---- */

/* True when there is no jsonschema to ask, too. */
static bool python_agrees(struct fake *f, const char *definition)
{
	static const char ask[] =
		"import json, sys\n"
		"try:\n"
		"    import jsonschema\n"
		"    validator = jsonschema.Draft202012Validator\n"
		"except (ImportError, AttributeError):\n"
		"    sys.exit(0)\n"
		"schema = json.load(open('share/vpngwctl.schema.json'))\n"
		"validator.check_schema(schema)\n"
		"v = json.load(open(sys.argv[1]))\n"
		"validator(schema).validate(v)\n"
		"del schema['anyOf']\n"
		"validator(dict(schema, **{'$ref': '#/$defs/' + sys.argv[2]})).validate(v)\n";
	char program_path[128], value_path[128], line[512];
	FILE *file;
	bool good;

	snprintf(program_path, sizeof(program_path), "%s/ask.py", f->dir);
	snprintf(value_path, sizeof(value_path), "%s/value", f->dir);
	file = fopen(program_path, "we");
	fputs(ask, file);
	fclose(file);
	file = fopen(value_path, "we");
	fputs(out, file);
	fclose(file);
	snprintf(line, sizeof(line), "python3 -W ignore %s %s %s >&2", program_path, value_path,
		 definition);
	good = system("command -v python3 >/dev/null") != 0 || system(line) == 0;
	unlink(program_path);
	unlink(value_path);
	return good;
}

static void try_output(struct fake *f, const char *args, const char *definition)
{
	const json_t *rule = json_object_get(json_object_get(schema, "$defs"), definition);
	json_t *v;

	run(f, "- %s --json --socket %s", args, f->path);
	v = json_loads(out, 0, NULL);
	ok(v && rule && fits(rule, v, definition), "%s is as the schema says", args);
	ok(python_agrees(f, definition), "  and Python thinks so, too");
	json_decref(v);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct log_event e;

	(void)userdata;
	log_event_init(&e, LOG_NOTICE, "alice is up");
	log_field(&e, "VPNGW_EVENT", "session-up");
	log_field(&e, "VPNGW_USER", "alice");
	log_send(&e);
	sd_event_source_set_time(source, usec + 100000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static void test_event(struct fake *f)
{
	sd_event_source *timer = NULL;
	json_t *v;

	if (sd_event_add_time_relative(f->event, &timer, CLOCK_MONOTONIC, 0, 1000, on_timer, f) < 0)
		abort();
	run(f, "sh -c '\"$0\" monitor --json --socket \"$CONTROL\" | head -n 1' %s", program);
	v = json_loads(out, 0, NULL);
	ok(v && fits(json_object_get(json_object_get(schema, "$defs"), "event"), v, "event"),
	   "an event is as the schema says");
	ok(python_agrees(f, "event"), "  and Python thinks so, too");
	json_decref(v);
	sd_event_source_disable_unref(timer);
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	schema = json_load_file("share/vpngwctl.schema.json", 0, NULL);
	if (ok(json_is_object(schema), "the schema is JSON")) {
		fake_sessions(&f, 4);
		f.named[1] = (struct ctl_session){ .id = "5e550002" }; /* all that can be null */
		f.n_leases = 2;
		try_output(&f, "list", "list");
		try_output(&f, "show 10.9.0.2", "list");
		try_output(&f, "show 5e550002", "list");
		try_output(&f, "status", "status");
		try_output(&f, "pools", "pools");
		try_output(&f, "stats", "stats");
		try_output(&f, "leases", "leases");
		try_output(&f, "leases release 10.9.0.3", "release");
		try_output(&f, "leases pin alice 10.9.0.3", "release");
		try_output(&f, "leases unpin 10.9.0.3", "release");
		try_output(&f, "reload", "reload");
		try_output(&f, "config diff", "reload");
		try_output(&f, "config", "config");
		try_output(&f, "config cat", "config_files");
		try_output(&f, "kick --all", "kick");
		try_output(&f, "list", "list");
		try_output(&f, "check --config etc/vpngw/vpngw.conf", "check");
		test_event(&f);
	}
	json_decref(schema);
	fake_stop(&f);
	return done();
}
