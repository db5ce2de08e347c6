/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_findings.c - the list of findings and its limit, and reading what a program says. */
#include "findings.h"

#include <errno.h>
#include <jansson.h>

#include "bounds.h"
#include "cleanup.h"
#include "spawn.h"
#include "tap.h"

static json_t *written(const struct findings *f)
{
	_cleanup_free_ char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out || findings_write(f, out) < 0 || fclose(out) != 0)
		abort();
	return json_loadb(text, n, 0, NULL);
}

static const char *member(const json_t *root, const char *list, size_t i, const char *key)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(root, list), i), key));
}

static void test_list(void)
{
	struct findings *f = findings_new();
	json_t *root;

	findings_check(f, "clean");
	findings_check(f, "dirty");
	findings_add(f, FINDING_HINT, "a \"hint\"");
	findings_add(f, FINDING_WARNING, "%s", "a warning");
	findings_remedy(f, "do %s", "that");
	root = written(f);
	ok(json_is_object(root), "findings are JSON");
	is_str(member(root, "checks", 0, "result"), "good", "a check without a finding is good");
	is_str(member(root, "checks", 1, "result"), "warning", "else as bad as its worst");
	is_str(member(root, "findings", 0, "text"), "a \"hint\"", "a sentence");
	is_str(member(root, "findings", 0, "remedy"), NULL, "without a remedy");
	is_str(member(root, "findings", 1, "remedy"), "do that", "or with one");
	is_str(member(root, "findings", 1, "check"), "dirty", "and what was looked at");
	json_decref(root);
	findings_free(f);
}

static void test_limit(void)
{
	struct findings *f = findings_new();
	json_t *root;

	findings_check(f, "endless");
	for (unsigned i = 0; i < LIMIT_FINDINGS; i++)
		findings_add(f, FINDING_HINT, "number %u", i);
	root = written(f);
	is_int((long long)json_array_size(json_object_get(root, "findings")), LIMIT_FINDINGS,
	       "so many findings are told");
	is_str(member(root, "findings", LIMIT_FINDINGS - 1, "text"), "number 255", "all of them");
	json_decref(root);
	findings_add(f, FINDING_ERROR, "one more");
	root = written(f);
	is_int((long long)json_array_size(json_object_get(root, "findings")), LIMIT_FINDINGS,
	       "and one more makes no more");
	is_str(member(root, "findings", LIMIT_FINDINGS - 1, "text"),
	       "there is more than is told here", "the last says that there is more");
	is_str(member(root, "checks", 0, "result"), "error", "and the check is as bad as it was");
	json_decref(root);
	findings_free(f);
}

static int said(const char *script, size_t max, unsigned patience_s, char **ret, size_t *n)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return spawn_read(argv, true, max, patience_s, ret, n);
}

static void test_spawn(void)
{
	const char *const nowhere[] = { "/nonexistent/program", NULL };
	_cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;
	size_t n = 0;

	is_int(said("echo hello; exit 3", 100, 30, &a, &n), 3, "a program's status");
	is_str(a, "hello\n", "and what it said");
	is_int((long long)n, 6, "to the byte");
	is_int(said("read x && exit 1; :", 100, 30, &b, &n), 0, "its input is empty");
	is_int(said("kill -TERM $$", 100, 30, &c, &n), 128 + 15, "the signal that ended it");
	is_int(spawn_read(nowhere, true, 100, 30, &c, &n), -ENOENT, "a program that is missing");
	is_int(said("echo 12345678", 8, 30, &c, &n), -EFBIG, "one that says too much");
	is_int(said("exec sleep 60", 8, 1, &c, &n), -ETIMEDOUT, "one that does not end");
}

int main(void)
{
	test_list();
	test_limit();
	test_spawn();
	return done();
}
