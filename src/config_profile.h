/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_profile.h - [profile "name"]. Private to config*.c. */
#pragma once

#include "config_build.h"

/* After all else of *c is there. 0 or -ENOMEM; mistakes are collected. */
int conf_build_profiles(struct conf_input *in, struct config *c);
void conf_free_profiles(struct config *c);
/* Collects what keys say against one another. */
void conf_check_profiles(struct conf_input *in, enum conf_purpose purpose, const struct config *c);

/* Adds a warning for each that is weak. 0 or -ENOMEM. */
int conf_warn_profiles(struct config *c);
/* One of them allows a shared key in aggressive mode. */
bool conf_aggressive_psk(const struct config *c);

/* ---- config.c ---- */

/* Makes a value of one key's text, or of its default. 0 or -ENOMEM; mistakes are collected. */
int conf_parse_setting(struct conf_input *in, const struct conf_key *k, struct conf_setting *s,
		       void *base);

/* Reads a banner; path NULL: there is none. 0 or -ENOMEM; mistakes are collected. */
int conf_load_banner(struct conf_input *in, const struct conf_setting *s, const char *path,
		     char **ret);
