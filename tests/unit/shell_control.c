/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_control.c - the control socket as a file: its group, and what it takes the place of. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "log_kept.h"
#include "tap.h"

static char dir[] = "/tmp/vpngw-control-XXXXXX";
static char path[64];

static int try_bind(const char *group)
{
	int fd = -1, rc;

	kept_none();
	rc = control_bind(path, group, &fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The group of this process and one that it is not. */
static const char *group_name(gid_t gid)
{
	static char buf[2][64];
	static unsigned turn;
	const struct group *g = getgrgid(gid);
	char *name = buf[turn++ % 2];

	snprintf(name, sizeof(buf[0]), "%s", g ? g->gr_name : "");
	return name;
}

static const char *other_group(void)
{
	static char name[64];
	const struct group *g;

	setgrent();
	while ((g = getgrent()) && g->gr_gid == getegid())
		;
	snprintf(name, sizeof(name), "%s", g ? g->gr_name : "");
	endgrent();
	return name;
}

static void test_bind(void)
{
	struct stat st;
	int fd;

	is_int(try_bind(group_name(getegid())), 0, "a socket is made");
	ok(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0660 &&
		   st.st_gid == getegid(),
	   "for its group");
	is_int(kept_n, 0, "and there is nothing to say");
	is_int(try_bind(group_name(getegid())), 0, "it takes the place of an old socket");
	is_int(try_bind("no-such-group"), 0, "a group that does not exist is no reason to fail");
	is_str(kept_last(),
	       "[listen] control_group = no-such-group: there is no such group: only root may use "
	       "vpngwctl",
	       "but it is said");
	unlink(path);

	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	is_int(try_bind(group_name(getegid())), -EEXIST, "a file is in the way");
	ok(lstat(path, &st) == 0 && S_ISREG(st.st_mode), "and stays");
	unlink(path);
	if (symlink("elsewhere", path) < 0)
		abort();
	is_int(try_bind(group_name(getegid())), -EEXIST, "a link is in the way");
	ok(lstat(path, &st) == 0 && S_ISLNK(st.st_mode), "and stays");
	unlink(path);
}

/* A socket as systemd passes it. */
static int passed(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		abort();
	return fd;
}

static void test_check(void)
{
	const char *own = group_name(getegid()), *other = other_group();
	char want[512];
	int fd = passed();

	ok(control_is_at(fd, path) && !control_is_at(fd, "/run/vpngw/monitor") &&
		   !control_is_at(STDIN_FILENO, path),
	   "a socket is known by its path");
	kept_none();
	control_check(fd, own);
	is_int(kept_n, 0, "a socket of the group that is configured is as it should be");
	control_check(fd, other);
	snprintf(want, sizeof(want),
		 "[listen] control_group = %s, but systemd made %s for group %s: systemctl edit "
		 "vpngw-control.socket, [Socket] SocketGroup=%s",
		 other, path, own, other);
	is_str(kept_last(), want, "one of another group is warned about, with the remedy");
	control_check(fd, "no-such-group");
	snprintf(want, sizeof(want),
		 "[listen] control_group = no-such-group: there is no such group; systemd made %s "
		 "for group %s",
		 path, own);
	is_str(kept_last(), want, "and so is a group that does not exist");
	is_int(kept_n, 2, "once each");
	close(fd);
	unlink(path);
}

int main(void)
{
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/control", dir);
	if (!*group_name(getegid()) || !*other_group()) {
		skip(1, "needs two groups with names");
	} else {
		test_bind();
		test_check();
	}
	rmdir(dir);
	return done();
}
