/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * life.c - how long a session may last: session_limit from the login on, or less where the verdict on
 * the password said so; idle_limit from the last packet in its tunnel on, whichever way it went.
 *
 * IKE messages keep no session from being idle: clients send them by themselves. The ISAKMP SA's
 * own lifetime is close.c's matter, for a client may renew that.
 */
#include "ike/core.h"
#include "ike/profile.h"

static uint64_t after(uint64_t start, uint64_t limit)
{
	return limit ? start + limit : UINT64_MAX;
}

static uint64_t idle_end(const struct ike *ike, const struct ike_sa *sa)
{
	/* Before it is up it has auth_timeout. */
	if (sa->state != IKE_ST_UP)
		return UINT64_MAX;
	return after(sa->active_us, profile_limits(ike->conf, sa).idle_us);
}

static uint64_t limit_end(const struct ike *ike, const struct ike_sa *sa)
{
	uint64_t until = sa->until_us ? sa->until_us : UINT64_MAX, limit;

	if (!(1u << sa->state & ST_LOGGED_IN))
		return UINT64_MAX;
	limit = after(sa->since_us, profile_limits(ike->conf, sa).session_us);
	return limit < until ? limit : until;
}

uint64_t life_due(const struct ike *ike, const struct ike_sa *sa)
{
	uint64_t idle = idle_end(ike, sa), limit = limit_end(ike, sa);

	return idle < limit ? idle : limit;
}

bool life_tick(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	if (now < life_due(ike, sa))
		return false;
	sa_close(ike, sa, now >= limit_end(ike, sa) ? IKE_R_SESSION_LIMIT : IKE_R_IDLE, true, now,
		 fx);
	return true;
}

uint64_t ike_ends_at(const struct ike *ike, const struct ike_sa *sa)
{
	uint64_t limit = limit_end(ike, sa);

	return limit < sa->expires_us ? limit : sa->expires_us;
}
