/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_source.h - where vpngw-authd looks up who may log in: a users file, a PAM service, the
 * system's own users. RADIUS servers are asked elsewhere (authd_radius.h), and share the rest.
 *
 * These run in worker processes, may block, and say everything through the reply; they do not log.
 */
#pragma once

#include <stddef.h>

#include "auth/proto.h"
#include "config.h"

struct authd_source;

/* Borrows conf. 0 or -ENOMEM. */
int authd_source_new(const struct conf_auth *conf, struct authd_source **ret);
struct authd_source *authd_source_free(struct authd_source *s);

/*
 * Asks the user, and waits. prompt: text_is_clean(), at most LIMIT_PROMPT bytes. The answer has no NUL
 * inside; whoever asked wipes it.
 */
struct authd_asker {
	int (*ask)(void *ctx, enum auth_ask what, const char *prompt,
		   char answer[static LIMIT_PASSWORD + 1]); /* 0, or -errno: nobody answers */
	void *ctx;
};

/* Whom authd_source_check() may ask more than the password; borrowed. Without one, nobody. */
void authd_source_ask(struct authd_source *s, const struct authd_asker *asker);

/* The group rule, and that who was refused has no groups and no address. */
void authd_source_settle(const struct conf_auth *conf, struct auth_reply *r);

/* Checks one password and the allowed groups. Fills in all of *ret. */
void authd_source_check(struct authd_source *s, const struct auth_request *q,
			struct auth_reply *ret);

/* Is the source there at all? 0, or -errno with a sentence and its remedy in `why`. A source that
 * works but is not as safe as it could be is 1. */
int authd_source_probe(const struct conf_auth *conf, char *why, size_t cap);

/* ---- among the sources ---- */

/* Sets verdict and reason. */
__attribute__((format(printf, 3, 4))) void authd_say(struct auth_reply *r, enum auth_verdict v,
						     const char *fmt, ...);

/* Adds a group; when there is no room, one that the configuration names replaces one it does not. */
void authd_add_group(const struct conf_auth *conf, struct auth_reply *r, struct span name);

/* auth_source = file */
struct authd_file;
int authd_file_new(const char *path, struct authd_file **ret);
struct authd_file *authd_file_free(struct authd_file *f);
void authd_file_check(struct authd_file *f, const struct conf_auth *conf,
		      const struct auth_request *q, struct auth_reply *r);
int authd_file_probe(const char *path, char *why, size_t cap);

/* auth_source = pam, system; asker may be NULL */
void authd_pam_check(const struct conf_auth *conf, const struct authd_asker *asker,
		     const struct auth_request *q, struct auth_reply *r);
int authd_pam_probe(const struct conf_auth *conf, char *why, size_t cap);

/* auth_source = radius */
int authd_radius_probe(const struct conf_auth *conf, char *why, size_t cap);
