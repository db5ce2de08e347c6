/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.c - the configuration, and then everything else in the order that a newcomer mends it in. */
#include "check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "creds.h"
#include "trust.h"

int check_read(const char *path, char *buf, size_t cap)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && n + 1 < cap) {
		got = read(fd, buf + n, cap - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* Each line of what the readers wrote is a mistake. */
static void add_mistakes(struct findings *f, char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line) {
			findings_add(f, FINDING_ERROR, "%s", line);
			findings_remedy(f, "see vpngw.conf(5); vpngw --check-config says the same");
		}
}

static struct config *read_config(const char *path, struct findings *f)
{
	_cleanup_free_ char *text = NULL;
	struct config *c = NULL;
	size_t n;
	FILE *err = open_memstream(&text, &n);
	int rc;

	findings_check(f, "configuration");
	if (!err)
		return NULL;
	rc = config_load(path, err, &c);
	if (rc == 0)
		rc = config_load_psk(c, true, err);
	fclose(err);
	if (rc < 0)
		add_mistakes(f, text);
	for (size_t i = 0; rc == 0 && i < c->n_warnings; i++)
		findings_add(f, FINDING_HINT, "%s", c->warnings[i]);
	return rc < 0 ? config_free(c) : c;
}

static void check_trust(const struct config *c, struct findings *f)
{
	char why[CREDS_WHY];
	struct trust *t = NULL;
	const char *w;

	findings_check(f, "client-certificates");
	if (trust_load(c, &t, why, sizeof(why)) < 0)
		findings_add(f, FINDING_ERROR, "%s", why);
	for (unsigned i = 0; t && (w = trust_warning(t, i)); i++)
		findings_add(f, FINDING_WARNING, "%s", w);
	trust_free(t);
}

int check_host(const char *path, struct findings *f)
{
	struct config *c = read_config(path, f);

	if (c) {
		check_files(c, f);
		check_certificate(c, f);
		check_trust(c, f);
	}
	check_units(c, f);
	check_sandbox(f);
	check_ports(c, f);
	check_network(c, f);
	check_firewall(c, f);
	check_kernel(c, f); /* goes into another network namespace and comes back: the last */
	config_free(c);
	return 0;
}
