/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_psk.c - the file of shared keys. Apart from the rest of the configuration, because only
 * the gateway may read it: vpngw-authd and a look at the configuration need no keys.
 */
#include <errno.h>
#include <sys/stat.h>

#include "config_build.h"
#include "config_profile.h"
#include "credential.h"
#include "ike/names.h"
#include "ike/psk.h"

#define FILE_MAX (512 * 1024)

struct mistakes {
	FILE *err;
	const char *file;
};

static void tell(void *ctx, unsigned line, unsigned col, const char *what)
{
	const struct mistakes *m = ctx;

	fprintf(m->err, "%s:%u:%u: %s\n", m->file, line, col, what);
}

static int no_file(struct config *c, int rc, bool check_only, FILE *err)
{
	const char *why =
		rc == -EINVAL   ? "not a regular file"
		: rc == -EACCES ? "Permission denied: the user vpngw must be able to read it"
		: rc == -ENOKEY ? "systemd has handed over no credentials; started by hand, vpngw "
				  "needs the path of the file"
				: strerror(-rc);

	if (check_only && (rc == -EACCES || rc == -ENOKEY))
		return conf_warn(c, "the shared keys were not checked: [phase1] psk_file = %s: %s",
				 c->psk_file, why);
	fprintf(err, "[phase1] psk_file = %s: %s\n", c->psk_file, why);
	return rc;
}

static int warn_about(struct config *c, const char *path)
{
	struct stat st;
	int rc = 0;

	if (stat(path, &st) == 0 && st.st_mode & (S_IROTH | S_IWOTH))
		rc = conf_warn(
			c, "[phase1] psk_file: %s is open to everybody on this host (mode %04o)",
			path, st.st_mode & 07777);
	if (rc == 0 && c->psk->short_line)
		rc = conf_warn(
			c,
			"[phase1] psk_file: the key in line %u of %s is shorter than %d bytes "
			"and can be guessed",
			c->psk->short_line, path, PSK_SHORT);
	if (rc == 0 && c->psk->n == 0 && c->psk->n_named == 0)
		rc = conf_warn(c, "[phase1] psk_file: %s holds no key: shared keys let nobody in",
			       path);
	else if (rc == 0 && c->psk->n_named == 0 && conf_aggressive_psk(c))
		rc = conf_warn(c,
			       "[phase1] psk_file: %s holds no key for an identity such as "
			       "keyid:staff, and shared keys in aggressive mode let nobody in",
			       path);
	return rc;
}

const char *conf_psk_word(const uint16_t *auth, unsigned n)
{
	const char *word = NULL;

	for (unsigned i = 0; i < n; i++)
		if (auth[i] == AUTH_XAUTH_PSK)
			return "xauth_psk";
		else if (auth[i] == AUTH_PSK)
			word = "psk";
	return word;
}

bool config_wants_psk(const struct config *c)
{
	return conf_aggressive_psk(c) || conf_psk_word(c->ike.auth, c->ike.n_auth);
}

int config_load_psk(struct config *c, bool check_only, FILE *err)
{
	char buf[512], *text = NULL;
	const char *path = credential_path(c->psk_file, NULL, buf, sizeof(buf));
	struct mistakes m = { .err = err, .file = path };
	size_t n;
	int rc;

	if (!config_wants_psk(c) || c->psk)
		return 0;
	rc = path ? conf_file_read(path, FILE_MAX, &text, &n) : -ENOKEY;
	if (rc < 0)
		return no_file(c, rc, check_only, err);
	rc = psk_parse((struct span){ (const uint8_t *)text, n }, tell, &m, &c->psk);
	explicit_bzero(text, n);
	free(text);
	if (rc < 0)
		return rc;
	c->ike.psk = c->psk;
	return warn_about(c, path);
}
