/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* certwatch.c - looks once a day whether the certificate is about to expire: a gateway runs for longer
 * than one, and what it said at its start nobody remembers. */
#include "gateway.h"

#define DAY_US  (UINT64_C(86400) * 1000000)
#define EARLY_S (21 * 86400) /* as creds_check_dates() has it */

void certwatch_look(struct gw *gw)
{
	uint64_t now = gw_real_s();

	if (creds_expires(gw->creds) >= (int64_t)now + EARLY_S)
		return;
	creds_check_dates(gw->creds, (int64_t)now);
	event_cert_expiring(creds_warning(gw->creds, 0), creds_expires(gw->creds));
}

static int on_day(sd_event_source *src, uint64_t usec, void *userdata)
{
	int rc = sd_event_source_set_time(src, usec + DAY_US);

	certwatch_look(userdata);
	return rc < 0 ? rc : sd_event_source_set_enabled(src, SD_EVENT_ONESHOT);
}

int certwatch_start(struct gw *gw)
{
	int rc = sd_event_add_time_relative(gw->event, &gw->certwatch, CLOCK_BOOTTIME, DAY_US,
					    60000000, on_day, gw);

	return rc < 0 ? rc : 0;
}
