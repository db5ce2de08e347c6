/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_ctl_check.c - vpngwctl check: the findings of both programs in one, and the exit status.
 *
 * As a user without rights, so that the host is the same for whoever runs this: what only root can
 * look at is said to be so.
 */
#include "ctl_run.h"

#include <grp.h>

static int put(const struct fake *f, const char *name, const char *text, mode_t mode)
{
	char file[128];
	FILE *stream;

	snprintf(file, sizeof(file), "%s/%s", f->dir, name);
	stream = fopen(file, "we");
	if (!stream || fputs(text, stream) < 0 || fclose(stream) != 0)
		abort();
	return chmod(file, mode);
}

static const char *severity(const json_t *root, const char *check)
{
	const json_t *all = json_object_get(root, "checks"), *c;
	size_t i;

	json_array_foreach (all, i, c)
		if (strcmp(json_string_value(json_object_get(c, "check")), check) == 0)
			return json_string_value(json_object_get(c, "result"));
	return "";
}

static void test_invalid(struct fake *f)
{
	json_t *root;

	put(f, "bad.conf", "[pool \"default\"]\nnetwrk4 = 10.99.99.1\n", 0644);
	is_int(run(f, "- check --config %s/bad.conf", f->dir), 6,
	       "a configuration that is not valid: 6");
	ok(strstr(out, "\nconfiguration ") || strncmp(out, "configuration ", 14) == 0,
	   "each check has its line");
	ok(strstr(out, "bad.conf:2:1: unknown key 'netwrk4'"), "and the mistake its place");
	ok(strstr(out, "        -> see vpngw.conf(5)"), "and its remedy");
	run(f, "- check --config %s/bad.conf --json", f->dir);
	root = json_loads(out, 0, NULL);
	is_str(severity(root, "configuration"), "error", "the same in JSON");
	json_decref(root);
}

static void drop(const struct fake *f, const char *name)
{
	char file[128];

	snprintf(file, sizeof(file), "%s/%s", f->dir, name);
	unlink(file);
}

static void test_passwords(struct fake *f)
{
	char text[512];
	json_t *root;

	snprintf(text, sizeof(text),
		 "[auth]\nauth_source = file\nusers_file = %s/users\n"
		 "[pool \"default\"]\nnetwork4 = 10.99.99.1\n",
		 f->dir);
	put(f, "good.conf", text, 0644);
	is_int(run(f, "- check --config %s/good.conf --json", f->dir), 1, "an error: 1");
	root = json_loads(out, 0, NULL);
	is_str(severity(root, "configuration"), "good", "the configuration is valid");
	is_str(severity(root, "passwords"), "error", "but there is no users file");
	ok(strstr(out, "No such file or directory\",\"remedy\":\"vpngwctl passwd USER makes it\""),
	   "and it is said what makes one");
	json_decref(root);
	put(f, "users", "# nobody yet\n", 0640);
	run(f, "- check --config %s/good.conf", f->dir);
	ok(strstr(out, "users has no users\n        -> vpngwctl passwd USER"), "an empty one");
	put(f, "users", "alice:$6$salt$hash\n", 0644);
	run(f, "- check --config %s/good.conf", f->dir);
	ok(strstr(out, "holds password hashes\n        -> chmod 0640 it"),
	   "one that everybody can read");
	put(f, "users", "alice:$6$salt$hash\n", 0640);
	run(f, "- check --config %s/good.conf --json", f->dir);
	root = json_loads(out, 0, NULL);
	is_str(severity(root, "passwords"), "good", "a good one");
	is_str(severity(root, "kernel"), "unknown", "what needs root was not looked at");
	json_decref(root);
	run(f, "- check --no-legend --config %s/good.conf", f->dir);
	ok(!strstr(out, " not looked at."), "without the last line");
}

static void test_radius(struct fake *f)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "[auth]\nauth_source = radius\n[radius]\nauth_server = 127.0.0.1 secret=%s/users\n"
		 "[pool \"default\"]\nnetwork4 = 10.99.99.1\n",
		 f->dir);
	put(f, "good.conf", text, 0644);
	drop(f, "users");
	is_int(run(f, "- check --config %s/good.conf", f->dir), 1,
	       "a RADIUS server without a secret is an error: 1");
	ok(strstr(out,
		  "No such file or directory\n        -> it must hold the secret of the RADIUS "
		  "server"),
	   "and it is said what the file is for");
	put(f, "users", "thirty-two characters of secret.\n", 0644);
	run(f, "- check --config %s/good.conf", f->dir);
	ok(strstr(out,
		  "holds the secret of RADIUS server 127.0.0.1:1812\n        -> chmod 0640 it"),
	   "one that everybody can read");
	put(f, "users", "testing123\n", 0640);
	run(f, "- check --config %s/good.conf", f->dir);
	ok(strstr(out, "has 10 bytes and can be guessed\n        -> agree on 16 random ones"),
	   "one that can be guessed");
	ok(!strstr(out, "testing123"), "which is not shown");
	put(f, "good.conf",
	    "[auth]\nauth_source = radius\n[radius]\n"
	    "auth_server = 127.0.0.1 secret=credential:radius.secret\n"
	    "[pool \"default\"]\nnetwork4 = 10.99.99.1\n",
	    0644);
	run(f, "- check --config %s/good.conf", f->dir);
	ok(!strstr(out, "cannot read"),
	   "what systemd hands over to the unit is not looked for here");
}

static void test_usage(struct fake *f)
{
	is_int(run(f, "- check this"), 2, "an argument is a usage error");
	is_int(run(f, "- list --config x"), 2, "--config is of check alone");
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	if (geteuid() == 0 &&
	    (chown(f.dir, 65534, 65534) < 0 || setgroups(0, NULL) < 0 ||
	     setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
		return EXIT_FAILURE;
	if (access(program, X_OK) != 0) {
		skip(1, "%s cannot be run by everybody", program);
		return done();
	}
	test_invalid(&f);
	test_passwords(&f);
	test_radius(&f);
	test_usage(&f);
	drop(&f, "bad.conf");
	drop(&f, "good.conf");
	drop(&f, "users");
	fake_stop(&f);
	return done();
}
