/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_passwd.c - the real vpngwctl passwd on files of our own. */
#include <grp.h>
#include <pty.h>
#include <termios.h>

#include "auth/users.h"
#include "authd_run.h"

static char dir[64], file[96];

/* Runs vpngwctl passwd with the words of `args` and text on standard input. Returns its status. */
static int passwd(const char *args, const char *input)
{
	char cmd[1024], path[256];
	FILE *p;
	int st;

	snprintf(cmd, sizeof(cmd), "%s passwd --file %s %s >%s/out 2>&1",
		 program("vpngwctl", path, sizeof(path)), file, args, dir);
	p = popen(cmd, "w");
	if (!p)
		bail("popen");
	fputs(input, p);
	st = pclose(p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static bool said(const char *what)
{
	char path[96], *text;
	bool found;

	snprintf(path, sizeof(path), "%s/out", dir);
	text = read_file(path);
	found = strstr(text, what);
	if (!found)
		printf("# it said: %s\n", text);
	free(text);
	return found;
}

/* The user's entry is there, with these groups and address, and the password fits. */
static bool user_is(const char *name, const char *password, const char *groups, const char *address)
{
	static struct crypt_data data;
	char *text = read_file(file), hash[CRYPT_OUTPUT_SIZE], ip[ENDPOINT_STRLEN] = "";
	const struct users_entry *e;
	struct users_error err;
	struct users *u = NULL;
	bool good = false;

	if (users_parse(span_str(text), &u, &err) == 0 && (e = users_find(u, span_str(name)))) {
		snprintf(hash, sizeof(hash), "%.*s", (int)e->hash.n, (const char *)e->hash.p);
		if (e->address.family)
			ipaddr_str(&e->address, ip);
		good = strcmp(crypt_r(password, hash, &data), hash) == 0 &&
		       strncmp(hash, "$y$", 3) == 0 && span_eq(e->groups, span_str(groups)) &&
		       strcmp(ip, address) == 0;
	}
	if (!good)
		printf("# the file: %s\n", text);
	users_free(u);
	free(text);
	return good;
}

static void adds(void)
{
	struct stat st;

	is_int(passwd("--stdin alice", "first password\n"), 0, "a user is added to a new file");
	ok(said("alice: user added"), "and it says so");
	ok(user_is("alice", "first password", "", ""), "with a yescrypt hash");
	ok(stat(file, &st) == 0 && (st.st_mode & 0007) == 0, "which others cannot read");
	if (getgrnam("vpngw-auth"))
		ok((st.st_mode & 0777) == 0640 && st.st_gid == getgrnam("vpngw-auth")->gr_gid,
		   "and group vpngw-auth can");
	else
		ok((st.st_mode & 0777) == 0600, "without a group vpngw-auth, nor can that");
	is_int(passwd("--stdin --group vpnusers --group staff --address 10.99.99.7 bob", "p\n"), 0,
	       "another is added with groups and address");
	ok(user_is("bob", "p", "vpnusers,staff", "10.99.99.7"), "which are in the file");
	ok(user_is("alice", "first password", "", ""), "and the first is still there");
}

static void changes(void)
{
	char *before, *after;
	struct stat st;

	is_int(passwd("--stdin bob", "second"), 0, "a password is changed, without a line break");
	ok(said("bob: password changed"), "and it says so");
	ok(user_is("bob", "second", "vpnusers,staff", "10.99.99.7"), "groups and address stay");
	is_int(passwd("--stdin --group admins bob", "third\nmore lines\n"), 0, "one line is read");
	ok(user_is("bob", "third", "admins", "10.99.99.7"), "new groups replace the old");
	is_int(passwd("--stdin --group '' --address '' bob", "4\n"), 0, "both can be emptied");
	ok(user_is("bob", "4", "", ""), "and are");

	before = read_file(file);
	write_file(file, 0604, "# head\n\n  # odd \n%s#tail without break", before);
	is_int(passwd("--stdin eve", "p\n"), 0, "a user is added to a file with comments");
	after = read_file(file);
	ok(strncmp(after, "# head\n\n  # odd \n", 17) == 0 &&
		   strstr(after, "#tail without break\neve:$y$"),
	   "whose lines stay as they were");
	ok(stat(file, &st) == 0 && (st.st_mode & 0777) == 0604, "and whose mode does, too");
	free(before);
	free(after);
}

static void deletes(void)
{
	is_int(passwd("--delete eve", ""), 0, "a user is deleted");
	ok(said("eve: user deleted"), "and it says so");
	is_int(passwd("--delete eve", ""), 4, "once only: then there is no such user");
	ok(user_is("alice", "first password", "", ""), "the others stay");
}

static void refuses(void)
{
	char *before = read_file(file), *after, long_line[400];

	is_int(passwd("", ""), 2, "without a user it is wrong usage");
	is_int(passwd("--stdin a b", "p\n"), 2, "with two users as well");
	is_int(passwd("--delete --stdin alice", "p\n"), 2, "and with contradictions");
	is_int(passwd("--nonsense alice", ""), 2, "and with unknown options");
	is_int(passwd("alice", "p\n"), 2, "without --stdin it wants a terminal");
	is_int(passwd("--stdin alice", "\n"), 1, "an empty password is refused");
	is_int(passwd("--stdin alice", ""), 1, "none at all, too");
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	is_int(passwd("--stdin alice", long_line), 1, "and one of 399 bytes");
	is_int(passwd("--stdin 'al:ice'", "p\n"), 1, "and a name with a colon");
	is_int(passwd("--stdin '#alice'", "p\n"), 1, "and one that would be a comment");
	is_int(passwd("--stdin --group 'a:b' alice", "p\n"), 1, "and a group with a colon");
	is_int(passwd("--stdin --address 10.0.0 alice", "p\n"), 1, "and half an address");
	ok(said("IPv4"), "and it says what is expected");
	is_int(passwd("--help", ""), 0, "--help is no mistake");
	after = read_file(file);
	is_str(after, before, "none of these changes the file");
	free(after);
	write_file(file, 0600, "# one\nbroken line\n");
	is_int(passwd("--stdin alice", "p\n"), 1, "a broken file is not touched");
	ok(said("users:2:12: no hash"), "and its mistake is told");
	write_file(file, 0600, "%s", before);
	free(before);
}

static void at_once(void)
{
	pid_t pid[8];
	unsigned good = 0;

	fflush(stdout);
	for (int i = 0; i < 8; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			char cmd[512], path[256];

			snprintf(cmd, sizeof(cmd),
				 "echo p | %s passwd --file %s --stdin user%d >/dev/null 2>&1",
				 program("vpngwctl", path, sizeof(path)), file, i);
			_exit(system(cmd) == 0 ? 0 : 1);
		}
	}
	for (int i = 0; i < 8; i++) {
		int st;

		waitpid(pid[i], &st, 0);
		good += st == 0;
	}
	is_int(good, 8, "eight at once succeed");
	good = 0;
	for (int i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%d", i);
		good += user_is(name, "p", "", "");
	}
	is_int(good, 8, "and no change is lost");
}

static void links(void)
{
	char real[96], link_to[96];
	struct stat st;

	snprintf(real, sizeof(real), "%s/real", dir);
	snprintf(link_to, sizeof(link_to), "%s", file);
	if (rename(file, real) < 0 || symlink("real", link_to) < 0)
		bail("symlink");
	is_int(passwd("--stdin alice", "through a link\n"), 0, "a file behind a link is changed");
	ok(lstat(file, &st) == 0 && S_ISLNK(st.st_mode), "and the link is still one");
	ok(user_is("alice", "through a link", "", ""), "that leads to the new password");
}

/* ---- on a terminal ---- */

/* Reads from the terminal until `want` shows up. */
static bool expect(int fd, const char *want, char *log, size_t cap)
{
	size_t n = strlen(log), from = n;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (strstr(log + from, want))
			return true;
		if (n + 1 >= cap || poll(&p, 1, 5000) <= 0)
			return false;
		got = read(fd, log + n, cap - n - 1);
		if (got <= 0)
			return false;
		n += (size_t)got;
		log[n] = '\0';
	}
}

static void type(int fd, const char *text)
{
	pause_ms(100); /* after the prompt, the terminal drops what was typed ahead */
	if (write(fd, text, strlen(text)) < 0)
		bail("type");
}

static int on_terminal(const char *first, const char *second, char *log, size_t cap)
{
	char path[256];
	int fd, st = 0;
	pid_t pid;

	fflush(stdout);
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (pid == 0) {
		program("vpngwctl", path, sizeof(path));
		execl(path, path, "passwd", "--file", file, "alice", (char *)NULL);
		_exit(127);
	}
	log[0] = '\0';
	if (expect(fd, "New password for alice: ", log, cap)) {
		type(fd, first);
		if (second && expect(fd, "again: ", log, cap))
			type(fd, second);
	}
	(void)expect(fd, "never said", log, cap); /* to the end */
	waitpid(pid, &st, 0);
	close(fd);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static void terminal(void)
{
	char log[4096];

	is_int(on_terminal("secret-typed\n", "secret-typed\n", log, sizeof(log)), 0,
	       "on a terminal the password is asked twice");
	ok(!strstr(log, "secret-typed"), "and not shown");
	ok(user_is("alice", "secret-typed", "", ""), "and set");
	is_int(on_terminal("one\n", "other\n", log, sizeof(log)), 1,
	       "two that differ change nothing");
	ok(strstr(log, "not the same"), "which is told");
	is_int(on_terminal("\003", NULL, log, sizeof(log)), 128 + SIGINT,
	       "control-C ends it as it should");
	ok(user_is("alice", "secret-typed", "", ""), "and the password is the old one");
}

/* As somebody who is not root and has no right to the file or its folder. */
static int passwd_as_nobody(const char *args, const char *input)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		_exit(passwd(args, input));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void denied(void)
{
	char path[96];

	if (getuid() != 0) {
		skip(6, "needs root to become somebody else");
		return;
	}
	write_file(file, 0644, "# none\n");
	chmod(dir, 0755);
	snprintf(path, sizeof(path), "%s/out", dir);
	chmod(path, 0666);
	/* Without --stdin there is no terminal to ask on, which would be a usage error. */
	if (passwd_as_nobody("--help", "") != 0) {
		skip(6, "the program is where others cannot run it");
		return;
	}
	is_int(passwd_as_nobody("alice", ""), 5, "who may not write in the folder: 5");
	ok(said("Permission denied; use sudo"), "it is said, and before a password is asked for");
	is_int(passwd_as_nobody("--delete alice", ""), 5, "nor delete a user: 5");
	chmod(dir, 0777);
	chmod(file, 0600);
	is_int(passwd_as_nobody("alice", ""), 5, "who may not read the file: 5");
	ok(said("cannot read "), "and that is said");
	snprintf(path, sizeof(path), "%s", file);
	snprintf(file, sizeof(file), "%s/none/users", dir);
	is_int(passwd("alice", ""), 1, "a folder that is missing is another matter");
	snprintf(file, sizeof(file), "%s", path);
	chmod(dir, 0700);
}

int main(void)
{
	char cmd[128], path[256];

	if (access(program("vpngwctl", path, sizeof(path)), X_OK) < 0) {
		skip(1, "no %s", path);
		return done();
	}
	snprintf(dir, sizeof(dir), "/tmp/vpngw-passwd.XXXXXX");
	if (!mkdtemp(dir))
		bail("mkdtemp");
	snprintf(file, sizeof(file), "%s/users", dir);
	adds();
	changes();
	deletes();
	refuses();
	at_once();
	links();
	terminal();
	denied();
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	if (system(cmd) != 0)
		printf("# could not remove %s\n", dir);
	return done();
}
