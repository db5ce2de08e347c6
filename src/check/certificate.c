/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* certificate.c - the gateway's certificate as its clients will see it, and the clock by which. */
#include <sys/stat.h>
#include <time.h>

#include "check/check.h"
#include "creds.h"

#define DAY 86400

/* A file that was written tomorrow: then it is not the file that is wrong. */
static void check_clock(const struct config *c, const struct creds *creds, struct findings *f)
{
	time_t now = time(NULL);
	char today[32], first[32];
	struct stat st;
	struct tm t;

	findings_check(f, "clock");
	gmtime_r(&now, &t);
	strftime(today, sizeof(today), "%F", &t);
	if (creds && creds_starts(creds) > now) {
		now = (time_t)creds_starts(creds);
		gmtime_r(&now, &t);
		strftime(first, sizeof(first), "%F", &t);
		findings_add(f, FINDING_ERROR,
			     "it is %s here, and the certificate is valid from %s on", today,
			     first);
		findings_remedy(f, "timedatectl set-time, or set-ntp true; else another "
				   "certificate");
	} else if (c->n_files && stat(c->file[0], &st) == 0 && st.st_mtime > now + DAY) {
		findings_add(f, FINDING_ERROR, "it is %s here, but %s was written later", today,
			     c->file[0]);
		findings_remedy(f, "timedatectl set-time, or set-ntp true");
	}
}

void check_certificate(const struct config *config, struct findings *f)
{
	struct creds *creds = NULL;
	char why[CREDS_WHY];
	const char *w;

	findings_check(f, "certificate");
	if (creds_load(config, SYSCONFDIR CREDS_PRIVATE, &creds, why, sizeof(why)) < 0) {
		findings_add(f, FINDING_ERROR, "%s", why);
		findings_remedy(f,
				"vpngw-pki quick DIRECTORY NAME makes a certificate and its key");
	}
	for (unsigned i = 0; creds && (w = creds_warning(creds, i)); i++) {
		bool over = i == 0 && creds_expires(creds) < time(NULL);

		findings_add(f, over ? FINDING_ERROR : FINDING_WARNING, "%s", w);
		findings_remedy(f, "another certificate: vpngw-pki(8), or whoever issues yours");
	}
	for (unsigned i = 0; creds && (w = creds_remark(creds, i, why, sizeof(why))); i++) {
		findings_add(f, FINDING_WARNING, "%s", w);
		findings_remedy(f, "vpngw-pki makes certificates that all clients take");
	}
	check_clock(config, creds, f);
	creds_free(creds);
}
