/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_build.h - from texts to values, and what the values say together. Private to config*.c
 * and their test. */
#pragma once

#include "config_read.h"

/* What is asked of a configuration beyond being right. */
enum conf_purpose {
	CONF_TO_SHOW, /* nothing */
	CONF_TO_RUN,  /* that a gateway can start with it */
};

/*
 * Makes values of what was read; mistakes are collected. 0 with a configuration even so, for the
 * keys that are right, or -ENOMEM.
 */
int conf_build(struct conf_input *in, enum conf_purpose purpose, struct config **ret);

/* Collects what keys say against one another. */
void conf_check(struct conf_input *in, enum conf_purpose purpose, const struct config *c);

/* The word for the methods with a shared key that the list names: "psk", "xauth_psk" when both do or
 * that one does, NULL when none does. */
const char *conf_psk_word(const uint16_t *auth, unsigned n);

/* config_radius.c: the same for [radius]. */
void conf_check_radius(struct conf_input *in, const struct config *c);
int conf_warn_radius(struct config *c);

/* config_reload.c: fills in c->item and c->file. 0 or -ENOMEM. */
int conf_items(const struct conf_input *in, struct config *c);

/* Adds a warning for what is weak. 0 or -ENOMEM. */
int conf_warn_weak(struct config *c);

/* Adds a warning of any kind. 0 or -ENOMEM. */
__attribute__((format(printf, 2, 3))) int conf_warn(struct config *c, const char *fmt, ...);

/* As config_load() and config_print(), from other places; in: to be read into, fresh. */
extern const struct conf_places conf_installed;
int conf_load_from(const struct conf_places *places, FILE *err, struct config **ret);
int conf_print_from(const struct conf_places *places, FILE *out, FILE *err);
void conf_print_input(const struct conf_input *in, FILE *out);
