/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctl_passwd.c - vpngwctl passwd: adds, changes and deletes one user of the users file.
 *
 * The file is replaced as a whole: a reader sees the old one or the new one, and a crash leaves
 * one of them. Every line but the user's stays as it is. Two of us at once take turns by a lock on
 * the directory, which leaves nothing behind.
 */
#include "ctl/ctl_passwd.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "auth/users.h"
#include "cleanup.h"
#include "text.h"

#define EXIT_USAGE   2
#define EXIT_NO_USER 4
#define EXIT_DENIED  5
#define USERS_FILE   SYSCONFDIR "/vpngw/users"
#define USERS_GROUP  "vpngw-auth" /* may read a file that we make */
#define METHOD       "$y$"        /* yescrypt */
#define LOCK_TRIES   100          /* of 0.1 s */

#define GROUPS_TEXT (LIMIT_GROUPS * (LIMIT_GROUP_NAME + 1) + 1)

struct job {
	const char *file, *user, *address; /* address NULL: as it was */
	char groups[GROUPS_TEXT];
	bool set_groups, erase, from_stdin, help;
	char password[LIMIT_PASSWORD + 2]; /* room to notice one byte too many */
	char hash[CRYPT_OUTPUT_SIZE];
};

__attribute__((format(printf, 1, 2))) static int complain(const char *fmt, ...)
{
	va_list ap;

	fputs("vpngwctl passwd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

/* The exit status for what the system said: -errno. */
static int status_of(int rc)
{
	return rc == -EACCES || rc == -EPERM ? EXIT_DENIED : EXIT_FAILURE;
}

/* ---- the command line ---- */

static int usage(FILE *out)
{
	fputs("vpngwctl passwd [OPTION]... USER\n"
	      "Sets the password of a user in the users file; adds the user if need be.\n\n"
	      "  --file FILE     instead of " USERS_FILE "\n"
	      "  --group GROUP   be in this group; may be repeated; \"\" for no group\n"
	      "  --address IP    always have this address; \"\" for any\n"
	      "  --delete        delete the user\n"
	      "  --stdin         read the password from standard input, one line\n"
	      "  --help          show this\n\n"
	      "Groups and address of a user who exists stay when not given.\n",
	      out);
	return out == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

/* False when there are too many. */
static bool add_group(struct job *j, const char *name)
{
	size_t n = strlen(j->groups);

	j->set_groups = true;
	if (!*name)
		return true;
	return snprintf(j->groups + n, sizeof(j->groups) - n, "%s%s", n ? "," : "", name) <
	       (int)(sizeof(j->groups) - n);
}

/* 0 or EXIT_USAGE. */
static int parse_options(int argc, char **argv, struct job *j)
{
	static const struct option known[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "group", required_argument, NULL, 'g' },
		{ "address", required_argument, NULL, 'a' },
		{ "delete", no_argument, NULL, 'd' },
		{ "stdin", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	optind = 0; /* vpngwctl may have used getopt for its own options */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", known, NULL)) >= 0) {
		switch (c) {
		case 'f':
			j->file = optarg;
			break;
		case 'g':
			if (!add_group(j, optarg)) {
				complain("too many groups: expected at most %d", LIMIT_GROUPS);
				return EXIT_USAGE;
			}
			break;
		case 'a':
			j->address = optarg;
			break;
		case 'd':
			j->erase = true;
			break;
		case 's':
			j->from_stdin = true;
			break;
		case 'h':
			j->help = true;
			return 0;
		default:
			return usage(stderr);
		}
	}
	if (optind + 1 != argc || (j->erase && (j->from_stdin || j->set_groups || j->address)))
		return usage(stderr);
	j->user = argv[optind];
	return 0;
}

/* ---- the password ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* One line without its end. -1: nothing there, or interrupted. The buffer shows what is too long
 * by being full. */
static int read_line(int fd, char *buf, size_t cap)
{
	size_t n = 0;
	char c = '\0';

	while (!interrupted) {
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 && n == 0)
			return -1;
		if (got <= 0 || c == '\n')
			break;
		if (n + 1 < cap)
			buf[n++] = c;
		c = '\0';
	}
	buf[n] = '\0';
	/* A NUL in the middle would hide what follows it. */
	return interrupted || strlen(buf) != n ? -1 : 0;
}

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

/* Asks on the terminal, which shows nothing and is as before in the end, whatever happens. */
static int ask_hidden(const char *prompt, char *buf, size_t cap)
{
	struct sigaction old[ARRAY_SIZE(caught)], sa = { .sa_handler = on_signal };
	struct termios was, quiet;
	int rc;

	if (tcgetattr(STDIN_FILENO, &was) < 0)
		return -1;
	interrupted = 0;
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		(void)sigaction(caught[i], &sa, &old[i]);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ISIG | ECHONL;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	fflush(stderr);
	rc = read_line(STDIN_FILENO, buf, cap);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		(void)sigaction(caught[i], &old[i], NULL);
	if (interrupted) {
		fputc('\n', stderr);
		explicit_bzero(buf, cap);
		(void)raise(interrupted);
	}
	return rc;
}

static int ask_twice(struct job *j)
{
	char again[sizeof(j->password)], shown[160], prompt[200];
	bool same;

	text_escape(span_str(j->user), shown, sizeof(shown));
	snprintf(prompt, sizeof(prompt), "New password for %s: ", shown);
	if (ask_hidden(prompt, j->password, sizeof(j->password)) < 0)
		return complain("no password was given; nothing is changed");
	if (ask_hidden("The same again: ", again, sizeof(again)) < 0)
		return complain("no password was given; nothing is changed");
	same = strcmp(j->password, again) == 0;
	explicit_bzero(again, sizeof(again));
	return same ? 0 : complain("the two are not the same; nothing is changed");
}

/* 0 with j->password, or the exit status. */
static int get_password(struct job *j)
{
	int rc;

	if (!j->from_stdin && !isatty(STDIN_FILENO)) {
		complain("standard input is not a terminal; use --stdin to read a password there");
		return EXIT_USAGE;
	}
	if (!j->from_stdin)
		rc = ask_twice(j);
	else if (read_line(STDIN_FILENO, j->password, sizeof(j->password)) < 0)
		rc = complain("no password on standard input");
	else
		rc = 0;
	if (rc)
		return rc;
	if (!j->password[0])
		return complain("an empty password lets nobody in; nothing is changed");
	if (strlen(j->password) > LIMIT_PASSWORD)
		return complain("the password is too long: expected at most %d bytes",
				LIMIT_PASSWORD);
	return 0;
}

static int make_hash(struct job *j)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *out = NULL;

	if (data && crypt_gensalt_rn(METHOD, 0, NULL, 0, salt, sizeof(salt)))
		out = crypt_r(j->password, salt, data);
	if (out && out[0] != '*')
		snprintf(j->hash, sizeof(j->hash), "%s", out);
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return j->hash[0] ? 0 : complain("libcrypt makes no yescrypt hash here");
}

/* ---- the file ---- */

struct text {
	char *p; /* owned */
	size_t n;
	struct stat st;
	bool exists;
};

static void text_clear(struct text *t)
{
	if (t->p)
		explicit_bzero(t->p, t->n);
	free(t->p);
	*t = (struct text){ 0 };
}

/* A file that is not there is an empty one. 0 or the exit status. */
static int text_read(const char *path, struct text *t)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 1;

	*t = (struct text){ 0 };
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &t->st) < 0) {
		int rc = -errno;

		complain("cannot read %s: %s", path, strerror(-rc));
		return status_of(rc);
	}
	if (!S_ISREG(t->st.st_mode) || t->st.st_size > USERS_FILE_MAX)
		return complain("%s is not a file of at most %u MiB", path, USERS_FILE_MAX >> 20);
	t->exists = true;
	t->p = malloc((size_t)t->st.st_size + 1);
	while (t->p && n > 0 && t->n < (size_t)t->st.st_size) {
		n = read(fd, t->p + t->n, (size_t)t->st.st_size - t->n);
		if (n > 0)
			t->n += (size_t)n;
	}
	if (t->p && n >= 0)
		return 0;
	complain("cannot read %s: %s", path, t->p ? strerror(errno) : "out of memory");
	text_clear(t);
	return EXIT_FAILURE;
}

/* Owner and mode as they were; of a new file, so that vpngw-authd may read it. */
static int set_owner(int fd, const struct text *old)
{
	const struct group *g;

	if (old->exists) {
		if (fchown(fd, old->st.st_uid, old->st.st_gid) < 0 &&
		    (old->st.st_uid != geteuid() || old->st.st_gid != getegid()))
			return -errno;
		return fchmod(fd, old->st.st_mode & 07777) < 0 ? -errno : 0;
	}
	g = getgrnam(USERS_GROUP);
	if (!g || fchown(fd, (uid_t)-1, g->gr_gid) < 0)
		return 0; /* mkostemp() has made it 0600 */
	return fchmod(fd, 0640) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The new text takes the place of the file in one step. 0 or -errno. */
static int replace_file(const char *path, int dir, const struct text *old, const char *p, size_t n)
{
	_cleanup_free_ char *temp = NULL;
	_cleanup_close_ int fd = -1;
	int rc;

	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = set_owner(fd, old);
	if (rc == 0)
		rc = write_all(fd, p, n);
	if (rc == 0 && rename(temp, path) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlink(temp);
		return rc;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

/* Waits up to 10 s for another vpngwctl passwd. Returns the directory, locked, or -errno. */
static int lock_directory(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		const struct timespec pause = { 0, 100000000 };

		if ((errno != EWOULDBLOCK && errno != EINTR) || i >= LOCK_TRIES)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return TAKE_FD(fd);
}

/* That the file can be replaced, said before a password is typed in vain. 0 or the exit status. */
static int check_directory(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	const char *dir = copy ? dirname(copy) : NULL;
	int rc;

	if (!dir)
		return complain("out of memory");
	if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	rc = -errno;
	complain("cannot change %s: %s: %s%s", path, dir, strerror(-rc),
		 status_of(rc) == EXIT_DENIED ? "; use sudo" : "");
	return status_of(rc);
}

/* ---- the change ---- */

static int complain_of_line(const char *path, const struct users_error *e)
{
	if (!e->line) /* the line that was to be made */
		return complain("%s", e->what);
	return complain("%s:%u:%u: %s", path, e->line, e->column, e->what);
}

/* The user's new line: the hash, and what was said or was there before. 0 or the exit status. */
static int rewrite(const struct job *j, const char *path, const struct text *old, struct text *new,
		   bool *ret_existed)
{
	struct span text = { (const uint8_t *)old->p, old->n }, name = span_str(j->user);
	struct users_row row = { .name = name, .hash = span_str(j->hash) };
	const struct users_entry *e;
	char address[ENDPOINT_STRLEN] = "";
	struct users_error err;
	struct users *users;
	int rc = users_parse(text, &users, &err);

	if (rc == -EINVAL)
		return complain_of_line(path, &err);
	if (rc < 0)
		return complain("%s: %s", path, strerror(-rc));
	e = users_find(users, name);
	*ret_existed = e;
	if (j->set_groups)
		row.groups = span_str(j->groups);
	else if (e)
		row.groups = e->groups;
	if (j->address)
		row.address = span_str(j->address);
	else if (e && e->address.family != IP_NONE)
		row.address = span_str(ipaddr_str(&e->address, address));
	rc = users_rewrite(text, name, j->erase ? NULL : &row, &new->p, &new->n, &err);
	users_free(users);
	if (rc == -ENOENT) {
		complain("no such user: %s", j->user);
		return EXIT_NO_USER;
	}
	if (rc == -EINVAL)
		return complain_of_line(path, &err);
	return rc < 0 ? complain("%s: %s", path, strerror(-rc)) : 0;
}

/* Reads, changes and, unless `dry`, writes the file. 0 or the exit status. */
static int change(const struct job *j, const char *path, bool dry, bool *ret_existed)
{
	_cleanup_(text_clear) struct text old = { 0 }, new = { 0 };
	_cleanup_close_ int dir = -1;
	int rc;

	if (!dry) {
		dir = lock_directory(path);
		if (dir < 0) {
			complain("cannot lock the directory of %s: %s", path, strerror(-dir));
			return status_of(dir);
		}
	}
	rc = text_read(path, &old);
	if (rc == 0)
		rc = rewrite(j, path, &old, &new, ret_existed);
	if (rc || dry)
		return rc;
	rc = replace_file(path, dir, &old, new.p, new.n);
	if (rc == 0)
		return 0;
	complain("cannot write %s: %s", path, strerror(-rc));
	return status_of(rc);
}

static int run(struct job *j)
{
	_cleanup_free_ char *real = realpath(j->file, NULL); /* keep a link a link */
	const char *path = real ? real : j->file;
	char shown[160];
	bool existed = false;
	int rc = check_directory(path);

	if (rc == 0 && !j->erase) {
		/* What can be known before the password is typed is said before. */
		snprintf(j->hash, sizeof(j->hash), "!");
		rc = change(j, path, true, &existed);
		if (rc == 0)
			rc = get_password(j);
		j->hash[0] = '\0';
		if (rc == 0)
			rc = make_hash(j);
		explicit_bzero(j->password, sizeof(j->password));
	}
	if (rc == 0)
		rc = change(j, path, false, &existed);
	explicit_bzero(j->hash, sizeof(j->hash));
	if (rc)
		return rc;
	text_escape(span_str(j->user), shown, sizeof(shown));
	printf("%s: %s in %s\n", shown,
	       j->erase  ? "user deleted"
	       : existed ? "password changed"
			 : "user added",
	       path);
	return EXIT_SUCCESS;
}

int ctl_passwd(int argc, char **argv)
{
	struct job j = { .file = USERS_FILE };
	int rc = parse_options(argc, argv, &j);

	if (rc)
		return rc;
	if (j.help)
		return usage(stdout);
	return run(&j);
}
