/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* control.c - the control socket as a file: who made it, and who may use it. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "log.h"

static int remove_old(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

int control_bind(const char *path, const char *group, int *ret_fd)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	const struct group *g;
	int rc;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	rc = remove_old(path);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, 64) < 0)
		return -errno;
	g = getgrnam(group);
	if (!g)
		log_warning("[listen] control_group = %s: there is no such group: only root may "
			    "use vpngwctl",
			    group);
	if (g && chown(path, (uid_t)-1, g->gr_gid) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The path that a socket is bound to. */
static bool find_path(int fd, char path[static sizeof(((struct sockaddr_un *)0)->sun_path) + 1])
{
	struct sockaddr_un a = { 0 };
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 || a.sun_path[0] != '/')
		return false;
	snprintf(path, sizeof(a.sun_path) + 1, "%.*s", (int)sizeof(a.sun_path), a.sun_path);
	return true;
}

bool control_is_at(int fd, const char *path)
{
	char found[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	return find_path(fd, found) && strcmp(found, path) == 0;
}

void control_check(int fd, const char *group)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	char owner[64];
	const struct group *g;
	struct stat st;

	if (!find_path(fd, path) || stat(path, &st) < 0)
		return;
	g = getgrgid(st.st_gid);
	if (g && strcmp(g->gr_name, group) == 0)
		return;
	if (g)
		snprintf(owner, sizeof(owner), "%s", g->gr_name);
	else
		snprintf(owner, sizeof(owner), "%u", st.st_gid);
	g = getgrnam(group);
	if (!g)
		log_warning("[listen] control_group = %s: there is no such group; systemd made %s "
			    "for group %s",
			    group, path, owner);
	else if (g->gr_gid != st.st_gid)
		log_warning("[listen] control_group = %s, but systemd made %s for group %s: "
			    "systemctl edit vpngw-control.socket, [Socket] SocketGroup=%s",
			    group, path, owner, group);
}
