/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_values_ike.c - what a value may look like: proposals, groups, identities, and the values
 * that are written as several ("1s, 5, 2.0").
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_keys.h"
#include "ike/names.h"
#include "ini.h"

#define FQDN_MAX 253 /* RFC 1035 2.3.4, as text */

/* ---- proposals ---- */

static bool same_p1(const void *x, const void *y)
{
	const struct ike_p1 *a = x, *b = y;

	return a->enc == b->enc && a->key_len == b->key_len && a->hash == b->hash &&
	       a->group == b->group;
}

static bool same_p2(const void *x, const void *y)
{
	const struct ike_p2 *a = x, *b = y;

	return a->enc == b->enc && a->key_len == b->key_len && a->auth == b->auth &&
	       a->esn == b->esn;
}

static bool same_group(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(uint16_t)) == 0;
}

int conf_parse_p1(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	const char *why;
	struct ike_p1 p;

	if (ike_p1_parse(a->text, &p, &why) < 0)
		return conf_wrong(a, 0, "unknown '%s', %s", conf_shown(a->text, buf), why);
	return conf_append(a, &p, sizeof(p), same_p1);
}

int conf_parse_p2(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	const char *why;
	struct ike_p2 p;

	if (ike_p2_parse(a->text, &p, &why) < 0)
		return conf_wrong(a, 0, "unknown '%s', %s", conf_shown(a->text, buf), why);
	return conf_append(a, &p, sizeof(p), same_p2);
}

int conf_parse_pfs_group(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	uint16_t g;

	if (ike_group_parse(a->text, &g) < 0)
		return conf_wrong(a, 0,
				  "unknown group '%s', expected a number or name such as 14, "
				  "modp2048, ecp256 or x25519",
				  conf_shown(a->text, buf));
	return conf_append(a, &g, sizeof(g), same_group);
}

/* ---- identity ---- */

int conf_parse_my_identifier(struct conf_arg *a)
{
	static const char fqdn[] = "fqdn:";
	struct config *c = a->base;
	const char *name = a->text + strlen(fqdn);
	char buf[CONF_SHOWN], *copy;
	enum ike_my_id type;

	if (strcmp(a->text, "asn1dn") == 0)
		type = IKE_ID_ASN1DN;
	else if (strcmp(a->text, "address") == 0)
		type = IKE_ID_ADDRESS;
	else if (strncmp(a->text, fqdn, strlen(fqdn)) == 0 && *name && !strpbrk(name, " \t/@"))
		type = IKE_ID_FQDN;
	else
		return conf_wrong(a, 0,
				  "'%s' is no identity, expected asn1dn, fqdn:NAME or address",
				  conf_shown(a->text, buf));
	if (type == IKE_ID_FQDN && strlen(name) > FQDN_MAX)
		return conf_wrong(a, strlen(fqdn), "a name of %zu bytes, expected at most %d",
				  strlen(name), FQDN_MAX);
	copy = strdup(a->text);
	if (!copy)
		return -ENOMEM;
	free(c->gateway.my_identifier);
	c->gateway.my_identifier = copy;
	c->ike.my_id_type = type;
	return 0;
}

/* ---- values of several parts ---- */

struct parts {
	char buf[3][64];
	size_t at[3], n; /* n: 4 stands for too many */
};

static void split(const char *text, struct parts *ret)
{
	char item[INI_LINE_MAX + 1];
	size_t pos = 0, at;

	*ret = (struct parts){ 0 };
	while (ret->n < 4 && conf_next_item(text, &pos, item, &at)) {
		if (ret->n < 3) {
			/* What is cut is too long to be right. */
			memcpy(ret->buf[ret->n], item, strnlen(item, sizeof(ret->buf[0]) - 1));
			ret->at[ret->n] = at;
		}
		ret->n++;
	}
}

/* "2.0" or "1.85" in thousandths. Not strtod(), which asks the locale for its decimal point. */
static int parse_thousandths(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t whole = 0, scale = 1000, v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9' && whole <= max; s++)
		whole = whole * 10 + (uint64_t)(*s - '0');
	v = whole * 1000;
	if (*s == '.') {
		s++;
		if (!*s)
			return -EINVAL;
		for (; *s >= '0' && *s <= '9' && scale > 1; s++) {
			scale /= 10;
			v += (uint64_t)(*s - '0') * scale;
		}
	}
	if (*s || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* First wait, repetitions, how much longer each wait is than the one before. */
int conf_parse_retransmit(struct conf_arg *a)
{
	struct ike_conf *ike = &((struct config *)a->base)->ike;
	uint64_t wait, tries, factor;
	char buf[CONF_SHOWN];
	struct parts p;

	split(a->text, &p);
	if (p.n != 3)
		return conf_wrong(a, 0,
				  "'%s' is not three values, expected first wait, tries and "
				  "factor as in 1s, 5, 2.0",
				  conf_shown(a->text, buf));
	if (conf_seconds(p.buf[0], &wait) || wait < 1 || wait > 60)
		return conf_wrong(a, p.at[0], "first wait '%s', expected 1s to 60s",
				  conf_shown(p.buf[0], buf));
	if (conf_number(p.buf[1], 10, &tries) < 0 || tries < 1)
		return conf_wrong(a, p.at[1], "tries '%s', expected 1 to 10",
				  conf_shown(p.buf[1], buf));
	if (parse_thousandths(p.buf[2], 10000, &factor) < 0 || factor < 1000)
		return conf_wrong(a, p.at[2], "factor '%s', expected 1.0 to 10.0",
				  conf_shown(p.buf[2], buf));
	ike->retransmit_us = wait * 1000000;
	ike->retransmit_tries = (uint8_t)tries;
	ike->retransmit_factor = (double)factor / 1000;
	return 0;
}

/* In all, from one address. */
int conf_parse_half_open(struct conf_arg *a)
{
	struct ike_conf *ike = &((struct config *)a->base)->ike;
	uint64_t total, source;
	char buf[CONF_SHOWN];
	struct parts p;

	split(a->text, &p);
	if (p.n != 2)
		return conf_wrong(a, 0,
				  "'%s' is not two numbers, expected how many in all and from one "
				  "address as in 1000, 20",
				  conf_shown(a->text, buf));
	if (conf_number(p.buf[0], a->key->max, &total) < 0 || total < a->key->min)
		return conf_wrong(a, p.at[0], "'%s' in all, expected %u to %u",
				  conf_shown(p.buf[0], buf), (unsigned)a->key->min,
				  (unsigned)a->key->max);
	if (conf_number(p.buf[1], total, &source) < 0 || source < 1)
		return conf_wrong(a, p.at[1], "'%s' from one address, expected 1 to %u",
				  conf_shown(p.buf[1], buf), (unsigned)total);
	ike->half_open_total = (uint32_t)total;
	ike->half_open_source = (uint32_t)source;
	return 0;
}

/* Failures, a slash, the time in which they count. */
int conf_parse_fail_limit(struct conf_arg *a)
{
	struct conf_auth *auth = &((struct config *)a->base)->auth;
	size_t slash = strcspn(a->text, "/");
	char digits[16] = "", buf[CONF_SHOWN];
	uint64_t count = 0, window = 0;

	if (strcmp(a->text, "off") != 0) {
		if (slash < sizeof(digits))
			memcpy(digits, a->text, slash);
		if (!a->text[slash] || conf_number(digits, 1000, &count) < 0 || count < 1)
			return conf_wrong(a, 0,
					  "'%s' is no limit, expected 1 to 1000 failures in a time "
					  "as in 5/10m, or off",
					  conf_shown(a->text, buf));
		if (conf_seconds(a->text + slash + 1, &window) || window < 1 || window > 86400)
			return conf_wrong(a, slash + 1, "time '%s', expected 1s to 1d",
					  conf_shown(a->text + slash + 1, buf));
	}
	auth->fail_count = (uint32_t)count;
	auth->fail_window_s = (uint32_t)window;
	return 0;
}
