/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * profile.h - which profile a client gets, and what holds in it. Private to ike/.
 *
 * A session keeps the name of its profile and not a place in the configuration, so that the name
 * means the same after another configuration was loaded or the session was handed over. Where there
 * is no such profile any more, what the configuration says outside of profiles holds.
 */
#pragma once

#include "ike/conf.h"
#include "ike/ike.h"
#include "ike/sa.h"

/*
 * Before anybody has logged in: the first profile, in order, whose match_id fits. Its exchange_mode
 * and authentication hold. NULL: none.
 */
const struct ike_profile *profile_by_id(const struct ike_conf *c, struct span id);

/* Phase 1 has been as the profile of this identity allows. p NULL: there is none, and it has. */
bool profile_admits(const struct ike_profile *p, uint16_t mode, uint16_t auth);

/*
 * The profile of a user in these groups, whose client says that it is `id`:
 *
 *   1. the first with match_id and match_group that both fit;
 *   2. the first with match_group alone that fits;
 *   3. the first with match_id alone that fits.
 *
 * What the user is counts for more than what the client says, because that is not proved. 0, and
 * *ret is NULL when none fits; or -EACCES when the client asks for a profile by its match_id, *ret,
 * and the user is in no group of its match_group.
 */
int profile_choose(const struct ike_conf *c, struct span id, const struct ike_groups *groups,
		   const struct ike_profile **ret);

/* Gives it to the session: NULL or "" is none. 0 or -ENOMEM with nothing changed. */
int profile_set(struct ike_sa *sa, const char *name);

/* The session's; NULL: it has none. */
const struct ike_profile *profile_of(const struct ike_conf *c, const struct ike_sa *sa);

/* What holds for the session: its profile's, or the configuration's own. */
const struct ike_modecfg *profile_modecfg(const struct ike_conf *c, const struct ike_sa *sa);
struct ike_limits profile_limits(const struct ike_conf *c, const struct ike_sa *sa);
const char *profile_pool(const struct ike_conf *c, const struct ike_sa *sa);
