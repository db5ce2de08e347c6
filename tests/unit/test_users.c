/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_users.c - the users file: reading, refusing, rewriting. */
#include <errno.h>

#include "auth/users.h"
#include "tap.h"

#define HASH "$y$j9T$abcdefgh$0123456789abcdefABCDEF./"

static int parse(const char *text, struct users **ret, struct users_error *err)
{
	return users_parse(span_str(text), ret, err);
}

static void reads(void)
{
	static const char text[] = "# users of the gateway\n"
				   "\n"
				   "  # indented comment\n"
				   "alice:" HASH ":vpnusers,staff:10.99.99.7\n"
				   "bob:!" HASH "\n"
				   "j\xc3\xbcrgen m.:" HASH ":\n"
				   " \t\n"
				   "carol:*::10.99.99.8\n"
				   "dave:!:a";
	struct users_error err;
	struct users *u = NULL;
	const struct users_entry *e;
	struct span groups, g;
	char buf[ENDPOINT_STRLEN];

	is_int(parse(text, &u, &err), 0, "comments, blank lines and users are read");
	e = users_find(u, span_str("alice"));
	ok(e && e->line == 4, "alice is on line 4");
	is_bytes(users_crypt_hash(e), span_str(HASH), "with her hash");
	is_str(ipaddr_str(&e->address, buf), "10.99.99.7", "and her address");
	groups = e->groups;
	ok(users_group_next(&groups, &g) && span_eq(g, span_str("vpnusers")), "first group");
	ok(users_group_next(&groups, &g) && span_eq(g, span_str("staff")), "second group");
	ok(!users_group_next(&groups, &g), "and no third");
	ok(!users_locked(e), "she is not locked");
	e = users_find(u, span_str("bob"));
	ok(e && users_locked(e) && users_crypt_hash(e).n == strlen(HASH),
	   "a locked user keeps his hash");
	e = users_find(u, span_str("carol"));
	ok(e && users_locked(e) && !users_crypt_hash(e).n && e->address.family == IP_V4,
	   "* alone is locked without a hash");
	ok(users_find(u, span_str("j\xc3\xbcrgen m.")), "a name may be UTF-8 and hold a space");
	ok(users_find(u, span_str("dave")), "the last line needs no line break");
	ok(!users_find(u, span_str("Alice")) && !users_find(u, span_str("alic")) &&
		   !users_find(u, span_str("alicee")) && !users_find(u, (struct span){ 0 }),
	   "nobody else is found");
	ok(users_at(u, 4) && !users_at(u, 5), "there are five");
	users_free(u);
	is_int(parse("", &u, &err), 0, "an empty file has no users");
	ok(!users_at(u, 0), "none at all");
	users_free(u);
}

static void refuses(void)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *what; /* a part of the message */
	} bad[] = {
		{ "alice\n", 1, 6, "no hash" },
		{ "alice:\n", 1, 7, "empty hash" },
		{ ":" HASH "\n", 1, 1, "no user name" },
		{ "alice:plaintext\n", 1, 7, "crypt(3)" },
		{ "alice:$y$\n", 1, 7, "crypt(3)" },
		{ "alice:$Y$abc\n", 1, 7, "crypt(3)" },
		{ "alice:*x\n", 1, 7, "crypt(3)" },
		{ "alice:!secret\n", 1, 8, "crypt(3)" },
		{ "alice:$6$sa lt$x\n", 1, 7, "crypt(3)" },
		{ "#\n\n alice:" HASH "\n", 3, 1, "white space" },
		{ "alice :" HASH "\n", 1, 1, "white space" },
		{ "al\x1bice:" HASH "\n", 1, 1, "UTF-8" },
		{ "al\xff:" HASH "\n", 1, 1, "UTF-8" },
		{ "alice:" HASH ":a,,b\n", 1, 7 + 41 + 2, "empty group" },
		{ "alice:" HASH ":,\n", 1, 7 + 41, "empty group" },
		{ "alice:" HASH ":a, b\n", 1, 7 + 41 + 2, "group name" },
		{ "alice:" HASH "::10.0.0.256\n", 1, 7 + 41 + 1, "IPv4" },
		{ "alice:" HASH "::2001:db8::1\n", 1, 7 + 41 + 6, "too many fields" },
		{ "alice:" HASH ":::\n", 1, 7 + 41 + 2, "too many fields" },
		{ "alice:" HASH "\r\n", 1, 7 + 40, "carriage return" },
		{ "alice:" HASH "\nbob:!\nalice:!\n", 3, 1, "line 1 already" },
	};
	struct users_error err;
	struct users *u = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = parse(bad[i].text, &u, &err);

		if (!ok(rc == -EINVAL && err.line == bad[i].line && err.column == bad[i].column &&
				strstr(err.what, bad[i].what),
			"line %u, column %u: %s", bad[i].line, bad[i].column, bad[i].what))
			printf("# case %zu: %d, %u:%u: %s\n", i, rc, err.line, err.column,
			       err.what);
	}
}

static void limits(void)
{
	char text[8192];
	struct users_error err;
	struct users *u = NULL;
	size_t n;

	memset(text, 'a', LIMIT_USER + 1);
	snprintf(text + LIMIT_USER, 10, ":!\n");
	is_int(parse(text, &u, &err), 0, "a name may have 128 bytes");
	users_free(u);
	memset(text, 'a', LIMIT_USER + 1);
	snprintf(text + LIMIT_USER + 1, 10, ":!\n");
	is_int(parse(text, &u, &err), -EINVAL, "and not 129");
	n = (size_t)snprintf(text, sizeof(text), "a:!:g0");
	for (int i = 1; i < LIMIT_GROUPS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",g%d", i);
	is_int(parse(text, &u, &err), 0, "32 groups are read");
	users_free(u);
	snprintf(text + n, sizeof(text) - n, ",more");
	is_int(parse(text, &u, &err), -EINVAL, "33 are not");
	is_int(users_parse((struct span){ (uint8_t *)text, USERS_FILE_MAX + 1 }, &u, &err), -EFBIG,
	       "a file over 16 MiB is refused unread");
	is_int(users_parse(hex("61003a210a"), &u, &err), -EINVAL, "a NUL in a name is refused");
	is_int(users_parse(hex("613a213a3a31302e302e302e3100"), &u, &err), -EINVAL,
	       "a NUL behind an address is refused");
}

static void many(void)
{
	size_t cap = 400000, n = 0;
	char *text = malloc(cap), name[16];
	struct users_error err;
	struct users *u = NULL;
	bool all = true;

	for (unsigned i = 0; i < 10000; i++)
		n += (size_t)snprintf(text + n, cap - n, "u%u:!:g\n", (i * 7919) % 10000);
	is_int(users_parse((struct span){ (uint8_t *)text, n }, &u, &err), 0,
	       "10,000 users are read");
	for (unsigned i = 0; i < 10000; i++) {
		const struct users_entry *e;

		snprintf(name, sizeof(name), "u%u", i);
		e = users_find(u, span_str(name));
		all = all && e && span_eq(e->name, span_str(name));
	}
	ok(all, "and each is found");
	users_free(u);
	free(text);
}

static void rewrite_is(const char *text, const char *user, const char *hash, const char *groups,
		       const char *address, const char *want, const char *name)
{
	struct users_row row = { .name = span_str(user) };
	struct users_error err;
	char *out = NULL;
	size_t n = 0;
	int rc;

	if (hash) {
		row.hash = span_str(hash);
		row.groups = span_str(groups);
		row.address = span_str(address);
	}
	rc = users_rewrite(span_str(text), span_str(user), hash ? &row : NULL, &out, &n, &err);
	if (rc < 0)
		printf("# %d: %u:%u: %s\n", rc, err.line, err.column, err.what);
	is_str(rc < 0 ? NULL : out, want, name);
	is_int(rc < 0 ? -1 : (long long)n, (long long)strlen(want), "and its length is told");
	free(out);
}

static void rewrites(void)
{
	rewrite_is("", "alice", HASH, "", "", "alice:" HASH "\n", "an empty file gets a line");
	rewrite_is("# c", "alice", HASH, "g,h", "", "# c\nalice:" HASH ":g,h\n",
		   "a missing line break is made up for");
	rewrite_is("# c\n\nalice:!:x:10.0.0.1\n  # d\nbob:!\n", "alice", HASH, "", "10.0.0.2",
		   "# c\n\nalice:" HASH "::10.0.0.2\n  # d\nbob:!\n",
		   "one line is replaced, all others stay");
	rewrite_is("bob:!\nalice:!", "alice", HASH, "g", "", "bob:!\nalice:" HASH ":g\n",
		   "the last line is replaced");
	rewrite_is("a:!\nalice:!\n#x\n", "alice", NULL, "", "", "a:!\n#x\n", "a line is taken out");
	rewrite_is("a:!\nalice:!", "alice", NULL, "", "", "a:!\n", "the last line is taken out");
	rewrite_is("alice:!\n", "alice", NULL, "", "", "", "the only line is taken out");
	rewrite_is("alice2:!\n", "alice", "!", "", "", "alice2:!\nalice:!\n",
		   "a longer name is another user");
}

static int try_row(const char *user, const char *hash, const char *groups, const char *address)
{
	struct users_row row = { span_str(user), span_str(hash), span_str(groups),
				 span_str(address) };
	struct users_error err;
	char *out = NULL;
	size_t n;
	int rc = users_rewrite(span_str("bob:!\n"), row.name, &row, &out, &n, &err);

	free(out);
	return rc;
}

static void rewrite_refuses(void)
{
	struct users_row row = { .name = span_str("b"), .hash = span_str("!") };
	struct users_error err;
	char *out = NULL;
	size_t n;

	is_int(try_row("alice", "!", "", ""), 0, "a good row is taken");
	is_int(try_row("", "!", "", ""), -EINVAL, "an empty name is not");
	is_int(try_row("#alice", "!", "", ""), -EINVAL, "nor one that reads as a comment");
	is_int(try_row("  ", "!", "", ""), -EINVAL, "nor a blank one");
	is_int(try_row("al:ice", "!", "", ""), -EINVAL, "nor one with a colon");
	is_int(try_row("alice\nmallory", "!", "", ""), -EINVAL, "nor one with a line break");
	is_int(try_row("alice", "plain", "", ""), -EINVAL, "nor a password for a hash");
	is_int(try_row("alice", "!", "a:b", ""), -EINVAL, "nor a group with a colon");
	is_int(try_row("alice", "!", "a\nb:!", ""), -EINVAL, "nor a group with a line break");
	is_int(try_row("alice", "!", "", "10.0.0"), -EINVAL, "nor half an address");
	is_int(users_rewrite(span_str("bob:!\n"), span_str("alice"), NULL, &out, &n, &err), -ENOENT,
	       "who is not there cannot be taken out");
	is_int(users_rewrite(span_str("bob\n"), span_str("b"), &row, &out, &n, &err), -EINVAL,
	       "a broken file is not rewritten");
	is_int(err.line, 1, "and the broken line is named");
	is_int(users_rewrite(span_str("bob:!\n"), span_str("bob"), &row, &out, &n, &err), -EINVAL,
	       "a row of another name is refused");
}

int main(void)
{
	reads();
	refuses();
	limits();
	many();
	rewrites();
	rewrite_refuses();
	return done();
}
