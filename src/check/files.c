/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * files.c - whether the gateway, which does not run as root, can read what it is to read.
 *
 * Whoever checks is root and can read anything, so the question is asked as the gateway's user. What
 * the unit hides from it (ProtectHome=, PrivateTmp=) shows in a path's beginning.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cleanup.h"

#define USER       "vpngw"
#define GROUPS_MAX 64

/* Another effective user, and back. The groups are those of the whole process. */
struct disguise {
	gid_t groups[GROUPS_MAX];
	int n;
};

static int put_on(const struct passwd *who, struct disguise *d)
{
	d->n = getgroups(GROUPS_MAX, d->groups);
	if (d->n < 0 || initgroups(who->pw_name, who->pw_gid) < 0)
		return -errno;
	if (setegid(who->pw_gid) < 0 || seteuid(who->pw_uid) < 0)
		return -errno;
	return 0;
}

static int take_off(const struct disguise *d)
{
	if (seteuid(getuid()) < 0 || setegid(getgid()) < 0 ||
	    setgroups((size_t)d->n, d->groups) < 0)
		return -errno;
	return 0;
}

static bool unit_hides(const char *path)
{
	static const char *const hidden[] = { "/home/", "/root/", "/run/user/", "/tmp/",
					      "/var/tmp/" };

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (strncmp(path, hidden[i], strlen(hidden[i])) == 0)
			return true;
	return false;
}

static void look_at(const char *path, struct findings *f)
{
	if (unit_hides(path)) {
		findings_add(f, FINDING_ERROR, "%s: vpngw.service cannot see this place", path);
		findings_remedy(f, "put it below /etc/vpngw");
	} else if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0) {
		findings_add(f, FINDING_ERROR, "%s: user " USER " cannot read it: %s", path,
			     strerror(errno));
		findings_remedy(f, "chgrp " USER " and chmod g+r it, or a directory above it");
	}
}

static bool is_credential(const char *s)
{
	return strncmp(s, "credential:", 11) == 0;
}

static void look_at_all(const struct config *c, struct findings *f)
{
	for (size_t i = 0; i < c->n_files; i++)
		look_at(c->file[i], f);
	look_at(c->gateway.certificate, f);
	if (!is_credential(c->gateway.private_key))
		look_at(c->gateway.private_key, f);
	if (config_wants_psk(c) && !is_credential(c->psk_file))
		look_at(c->psk_file, f);
	if (c->banner_file && *c->banner_file)
		look_at(c->banner_file, f);
}

void check_files(const struct config *config, struct findings *f)
{
	const struct passwd *who;
	struct disguise d;
	int rc;

	findings_check(f, "files");
	if (geteuid() != 0) {
		findings_add(f, FINDING_UNKNOWN, "what user " USER " can read only root can see");
		return;
	}
	who = getpwnam(USER);
	if (!who) {
		findings_add(f, FINDING_ERROR, "there is no user " USER);
		findings_remedy(f, "systemd-sysusers makes it");
		return;
	}
	rc = put_on(who, &d);
	if (rc == 0)
		look_at_all(config, f);
	else
		findings_add(f, FINDING_UNKNOWN, "cannot look as user " USER ": %s", strerror(-rc));
	/* What comes after needs root, and would say so; nothing was done as anybody else. */
	(void)take_off(&d);
}
