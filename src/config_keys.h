/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_keys.h - the table of all configuration keys, and what its rows are made of.
 *
 * Private to config*.c and their test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* One value, or one item of a list, on its way into a field. */
struct conf_arg {
	const struct conf_key *key;
	const char *text; /* without white space around it; not empty */
	bool first;       /* first item of its line */
	void *base;       /* struct config, conf_pool or conf_profile, by the section */
	char why[320];    /* set on -EINVAL: what is wrong, what is expected */
	size_t at;        /* set on -EINVAL: which byte of text is meant */
};

/* 0, -EINVAL with a->why and a->at set, -ENOMEM. */
typedef int (*conf_parser)(struct conf_arg *a);

/* A word that a key takes. later: what it will do, for a word that is not yet supported. */
struct conf_word {
	const char *word; /* NULL ends the list */
	unsigned value;
	const char *later;
};

#define CONF_NO_FIELD SIZE_MAX

struct conf_key {
	const char *section, *key;
	conf_parser parse;
	const struct conf_word *words; /* for parsers that take words */
	size_t field;                  /* offset in the structure of its section */
	size_t count;                  /* lists into arrays: offset of the uint8_t that counts */
	uint64_t min, max;             /* bounds; of a list: max items; of text: max bytes */
	bool list;                     /* repeated keys add, commas separate */
	bool clears;                   /* a list: the word "none" alone empties it, too */
	const char *dflt;              /* as it would be written; "" for none */
	const char *later;             /* the whole key is not yet supported: "it will ..." */
	const char *help;      /* one line, a sentence; stands in the installed vpngw.conf */
	enum conf_apply apply; /* when another value holds */
};

struct conf_section {
	const char *name;
	bool named;        /* written [name "argument"] */
	const char *later; /* the whole section is not yet supported: "it will ..." */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_n_keys;
extern const struct conf_section conf_sections[];
extern const size_t conf_n_sections;

/* Index of a key in conf_keys, conf_n_keys when there is none. */
size_t conf_key_find(const char *section, const char *key);
/* NULL when there is none. */
const struct conf_section *conf_section_find(const char *name);
/* The name of the section if there may be several, each with a name of its own; else NULL. */
const char *conf_key_named(const struct conf_key *k);

/* ---- for parsers ---- */

void *conf_field(const struct conf_arg *a);

/* Fill in a->why ("KEY: ...") and a->at; return -EINVAL. */
__attribute__((format(printf, 3, 4))) int conf_wrong(struct conf_arg *a, size_t at, const char *fmt,
						     ...);
/* "KEY WORD is not yet supported: LATER; remove it"; word NULL: the whole key. */
int conf_not_yet(struct conf_arg *a, const char *word, const char *later);

/* The value, fit to be shown in a message. */
#define CONF_SHOWN 96
const char *conf_shown(const char *text, char buf[static CONF_SHOWN]);

/*
 * Appends to the array of `size`-byte elements at the key's field, which the uint8_t at its count
 * counts. A value that is there already, or one too many, is -EINVAL.
 */
int conf_append(struct conf_arg *a, const void *value, size_t size,
		bool (*same)(const void *, const void *));

/* Digits that fill s, at most max. 0 or -EINVAL. */
int conf_number(const char *s, uint64_t max, uint64_t *ret);
/* "20s", "5m", "24h", "30d", or "0". NULL, or what is wrong. */
const char *conf_seconds(const char *s, uint64_t *ret);
/* A path, or credential:NAME. */
bool conf_is_secret_file(const char *s);
/* As short as it can be written exactly. */
const char *conf_seconds_str(uint64_t s, char buf[static 32]);

/* The part of s before the next comma, without white space around it, into buf (which has room for
 * all of s). Returns its offset in s and moves *s behind the comma; false at the end. */
bool conf_next_item(const char *text, size_t *pos, char *buf, size_t *ret_at);

/* ---- parsers ---- */

/* config_values.c: words, numbers, times, names, paths */
int conf_parse_enum(struct conf_arg *a);  /* words -> enum */
int conf_parse_flag(struct conf_arg *a);  /* words -> bool */
int conf_parse_fixed(struct conf_arg *a); /* words; the only one has no field */
int conf_parse_words(struct conf_arg *a); /* a list of words -> uint16_t array */
int conf_parse_number(struct conf_arg *a);
int conf_parse_seconds(struct conf_arg *a);
int conf_parse_microseconds(struct conf_arg *a); /* written as a time, uint64_t */
int conf_parse_keep(struct conf_arg *a);         /* a time, 0 or off */
int conf_parse_limit(struct conf_arg *a);        /* the same, uint64_t microseconds */
int conf_parse_name(struct conf_arg *a);         /* of a user group, into a char array */
int conf_parse_service(struct conf_arg *a);      /* a file name, into a char array */
int conf_parse_groups(struct conf_arg *a);
int conf_parse_match_group(struct conf_arg *a);
int conf_parse_path(struct conf_arg *a);
int conf_parse_store(struct conf_arg *a); /* path or none */
int conf_parse_private_key(struct conf_arg *a);
int conf_parse_secret_file(struct conf_arg *a); /* path or credential:NAME */
int conf_parse_later_seconds(struct conf_arg *a);

/* config_values_net.c: addresses and names */
int conf_parse_endpoint(struct conf_arg *a);
int conf_parse_address4(struct conf_arg *a);
int conf_parse_first4(struct conf_arg *a); /* into a uint32_t in host order */
int conf_parse_netmask4(struct conf_arg *a);
int conf_parse_split_network(struct conf_arg *a);
int conf_parse_domain(struct conf_arg *a);
int conf_parse_domains(struct conf_arg *a);
int conf_parse_servers(struct conf_arg *a);
int conf_parse_interface(struct conf_arg *a);
int conf_parse_esp_frag(struct conf_arg *a);
int conf_parse_mssclamp(struct conf_arg *a);

/* config_values_net6.c */
int conf_parse_address6(struct conf_arg *a);
int conf_parse_network6(struct conf_arg *a);

/* config_profile.c */
int conf_parse_match_id(struct conf_arg *a);
int conf_parse_pool(struct conf_arg *a); /* the name of one */

/* config_radius.c */
int conf_parse_radius_server(struct conf_arg *a);
int conf_parse_nas_identifier(struct conf_arg *a);

/* config_values_ike.c: what the core is told */
int conf_parse_p1(struct conf_arg *a);
int conf_parse_p2(struct conf_arg *a);
int conf_parse_pfs_group(struct conf_arg *a);
int conf_parse_my_identifier(struct conf_arg *a);
int conf_parse_retransmit(struct conf_arg *a);
int conf_parse_half_open(struct conf_arg *a);
int conf_parse_fail_limit(struct conf_arg *a);
