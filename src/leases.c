/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leases.c - the lease file behind the pools: read at the start, watched afterwards.
 *
 * Without the file stickiness is lost, logins are not: it is never a reason not to start.
 */
#include <errno.h>
#include <string.h>

#include "gateway.h"

static int restore_lease(void *ctx, const struct leasedb_row *row)
{
	struct gw *gw = ctx;

	/* Outside the pools by now, or no longer kept: nothing to restore. */
	(row->pinned ? pool_restore_pin : pool_restore)(
		gw->pools, &row->addr, row->user, row->granted_s, row->released_s, gw->since_s);
	return 0;
}

/* What sessions had when the daemon ended is kept from now on: in the file, too, or it would be at
 * each start anew. */
static void save_ended(struct gw *gw)
{
	struct pool_lease l;
	uint32_t cursor = 0;

	while (pool_next(gw->pools, gw->since_s, &cursor, &l)) {
		const struct leasedb_row row = { l.addr,      l.pool,       l.user,
						 l.granted_s, l.released_s, l.pinned };

		if (l.released_s == gw->since_s)
			leasedb_save(gw->leases, &row);
	}
}

void leases_open(struct gw *gw, const char *path)
{
	char why[LEASEDB_WHY];
	int rc = leasedb_open(path, &gw->leases, why);

	if (rc == -EBADMSG) {
		log_err("[pool] store = %s: %s: set aside as %s.damaged, users may get other "
			"addresses than before",
			path, why, path);
		rc = leasedb_set_aside(path);
		if (rc == 0)
			rc = leasedb_open(path, &gw->leases, why);
	}
	if (rc == 0)
		rc = leasedb_load(gw->leases, restore_lease, gw);
	if (rc >= 0)
		rc = leasedb_start(gw->leases);
	if (rc >= 0)
		save_ended(gw);
	if (rc < 0) {
		log_err("[pool] store = %s: %s: leases are kept in memory only", path,
			gw->leases ? strerror(-rc) : why);
		gw->leases = leasedb_close(gw->leases);
	}
}

void leases_watch(struct gw *gw)
{
	struct leasedb_health h;

	if (!gw->leases)
		return;
	leasedb_health(gw->leases, &h);
	if (h.failing == gw->leases_failing)
		return;
	gw->leases_failing = h.failing;
	if (h.failing)
		log_err("leases go on in memory, but the database does not take them: %s",
			h.last_error);
	else
		log_notice("the lease database works again");
}
