/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_check.c - whether passwords could be checked, seen with the rights that the unit gives.
 *
 * Root reads anything, so root becomes the user of vpngw-authd.service first, for good.
 */
#include "auth/authd_check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "auth/authd_source.h"
#include "auth/users.h"
#include "cleanup.h"
#include "findings.h"

#define USER  "vpngw-auth"
#define GROUP "shadow" /* SupplementaryGroups= of the unit */

DEFINE_CLEANUP(struct config, config_free)

/* 0, or -errno; what is missing is a finding. */
static int become_unit(struct findings *f)
{
	const struct passwd *who = getpwnam(USER);
	const struct group *g;
	gid_t groups[2];
	size_t n = 0;

	if (!who) {
		findings_add(f, FINDING_ERROR, "there is no user " USER);
		findings_remedy(f, "systemd-sysusers makes it");
		return -ESRCH;
	}
	groups[n++] = who->pw_gid;
	g = getgrnam(GROUP);
	if (g)
		groups[n++] = g->gr_gid;
	if (setgroups(n, groups) < 0 || setresgid(who->pw_gid, who->pw_gid, who->pw_gid) < 0 ||
	    setresuid(who->pw_uid, who->pw_uid, who->pw_uid) < 0)
		return -errno;
	return 0;
}

/* Somebody is in it. */
static bool has_users(const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	_cleanup_free_ char *text = in ? malloc(USERS_FILE_MAX) : NULL;
	struct users_error e;
	struct users *u = NULL;
	bool some = true;
	size_t n;

	if (!text)
		return true;
	n = fread(text, 1, USERS_FILE_MAX, in);
	if (users_parse((struct span){ (const uint8_t *)text, n }, &u, &e) == 0)
		some = users_at(u, 0) != NULL;
	users_free(u);
	explicit_bzero(text, n);
	return some;
}

/* The reasons that the log gets say what to do about them behind a semicolon. */
static void tell(struct findings *f, enum finding_level level, char *why)
{
	char *remedy = strstr(why, "; ");

	if (remedy)
		*remedy = '\0';
	findings_add(f, level, "%s", why);
	if (remedy)
		findings_remedy(f, "%s", remedy + 2);
}

static void look(const struct conf_auth *conf, struct findings *f)
{
	char why[512] = "";
	int rc;

	if (conf->source == CONF_AUTH_RADIUS) {
		authd_check_radius(conf, f);
		return;
	}
	rc = authd_source_probe(conf, why, sizeof(why));
	if (rc)
		tell(f, rc < 0 ? FINDING_ERROR : FINDING_WARNING, why);
	if (rc >= 0 && conf->source == CONF_AUTH_FILE && !has_users(conf->users_file)) {
		findings_add(f, FINDING_WARNING, "%s has no users", conf->users_file);
		findings_remedy(f, "vpngwctl passwd USER");
	}
	if (conf->source == CONF_AUTH_SYSTEM && access("/etc/shadow", R_OK) < 0) {
		findings_add(f, FINDING_ERROR, "/etc/shadow: user " USER " cannot read it: %s",
			     strerror(errno));
		findings_remedy(f, "group " GROUP " must be its group, and be able to read it");
	}
}

/* The other program says what is wrong with a configuration: vpngw --check. */
static void check(const char *path, struct findings *f)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	size_t n;
	FILE *err = open_memstream(&text, &n);
	int rc = err ? config_load(path, err, &config) : -ENOMEM;

	if (err)
		fclose(err);
	if (rc < 0)
		return;
	findings_check(f, "passwords");
	rc = geteuid() == 0 ? become_unit(f) : 0;
	if (rc < 0 && rc != -ESRCH)
		findings_add(f, FINDING_UNKNOWN, "cannot become user " USER ": %s", strerror(-rc));
	for (size_t i = 0; rc == 0 && i < config->n_files; i++)
		if (access(config->file[i], R_OK) < 0) {
			findings_add(f, FINDING_ERROR, "%s: user " USER " cannot read it: %s",
				     config->file[i], strerror(errno));
			findings_remedy(f, "chmod o+r it: it has no secrets");
		}
	if (rc == 0)
		look(&config->auth, f);
}

int authd_check(const char *path)
{
	struct findings *f = findings_new();
	int rc;

	if (!f)
		return EXIT_FAILURE;
	check(path, f);
	rc = findings_write(f, stdout);
	if (rc == 0 && fflush(stdout) != 0)
		rc = -errno;
	findings_free(f);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
