/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.h - proposal_check: what to do when the client asks for something else than we would.
 * The words and their meaning are racoon's. Cipher, hash, group and method must always be equal.
 *
 *            longer life than ours          key length        PFS group, where we name some
 *   obey     taken                          any               any that is not weak
 *   claim    ours is taken, and told        ours or longer    one of ours
 *   strict   refused                        ours or longer    one of ours
 *   exact    refused, and a shorter one     ours              one of ours, and none if we name none
 *
 * In phase 1 racoon refuses a longer life under claim as well, without a word; here it is cut.
 */
#pragma once

#include "ike/conf.h"

/* Seconds; a client that names no lifetime. */
#define LIFE_NOT_OFFERED UINT32_MAX

/*
 * The lifetime to work with, in seconds: never next to nothing, unless ours is. 0, or -ERANGE when it is refused.
 * *ret_cut: it is ours, and shorter than what the client thinks.
 */
int check_life(enum ike_check check, uint32_t ours, uint32_t offered, uint32_t *ret_life,
	       bool *ret_cut);

/* One clause on a lifetime that is refused: both sides, and the keys of [section]. */
#define CHECK_LIFE_TEXT 200
void check_life_text(enum ike_check check, const char *section, uint32_t ours, uint32_t offered,
		     char buf[static CHECK_LIFE_TEXT]);

/* Key lengths in bits, 0 for ciphers that have but one. */
bool check_key_len(enum ike_check check, uint16_t ours, uint16_t offered);

/* Whether PFS with this group (0: without PFS) is what the configuration wants. */
bool check_pfs(const struct ike_conf *conf, uint16_t group);
