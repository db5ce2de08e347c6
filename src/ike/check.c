/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.c - proposal_check: obey, claim, strict, exact. Pure. */
#include "ike/check.h"

#include <errno.h>
#include <stdio.h>

#include "ike/dh.h"
#include "ike/names.h"

int check_life(enum ike_check check, uint32_t ours, uint32_t offered, uint32_t *ret_life,
	       bool *ret_cut)
{
	uint32_t life = offered == LIFE_NOT_OFFERED ? ours : offered;
	uint32_t least = ours < LIMIT_MIN_LIFE_S ? ours : LIMIT_MIN_LIFE_S;
	bool longer = life > ours;

	if ((check == IKE_CHECK_STRICT && longer) || (check == IKE_CHECK_EXACT && life != ours))
		return -ERANGE;
	*ret_cut = check == IKE_CHECK_CLAIM && longer;
	if (*ret_cut)
		life = ours;
	*ret_life = life < least ? least : life;
	return 0;
}

void check_life_text(enum ike_check check, const char *section, uint32_t ours, uint32_t offered,
		     char buf[static CHECK_LIFE_TEXT])
{
	snprintf(buf, CHECK_LIFE_TEXT,
		 "the client wants a lifetime of %u s; the gateway accepts %s%u s ([%s] lifetime, "
		 "[phase1] proposal_check)",
		 offered, check == IKE_CHECK_EXACT ? "only " : "at most ", ours, section);
}

bool check_key_len(enum ike_check check, uint16_t ours, uint16_t offered)
{
	if (!ours || !offered)
		return ours == offered;
	if (offered != 128 && offered != 192 && offered != 256) /* AES has no others */
		return false;
	return check == IKE_CHECK_OBEY || ours == offered ||
	       (check != IKE_CHECK_EXACT && offered > ours);
}

static bool is_named(const struct ike_conf *conf, uint16_t group)
{
	for (unsigned i = 0; i < conf->n_pfs; i++)
		if (conf->pfs_group[i] == group)
			return true;
	return false;
}

/* The client's choice, but a weak group only where phase 1 or pfs_group names it. */
static bool is_sound(const struct ike_conf *conf, uint16_t group)
{
	bool sound = group == 0 || (dh_group(group) && !ike_group_weakness(group));

	for (unsigned i = 0; i < conf->n_p1; i++)
		sound |= conf->p1[i].group == group;
	return sound || is_named(conf, group);
}

bool check_pfs(const struct ike_conf *conf, uint16_t group)
{
	if (conf->check == IKE_CHECK_EXACT && conf->n_pfs == 0)
		return group == 0;
	if (conf->check == IKE_CHECK_OBEY || conf->n_pfs == 0)
		return is_sound(conf, group);
	return is_named(conf, group);
}
