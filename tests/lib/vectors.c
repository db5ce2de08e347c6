/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vectors.c - known answers from files. */
#include "vectors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "capture.h"
#include "cleanup.h"
#include "ike/names.h"

bool vectors_open(struct vectors *v, const char *name)
{
	struct span s = file_read(vector_dir(), name);

	v->text = v->at = (char *)(uintptr_t)s.p;
	return s.p;
}

void vectors_close(struct vectors *v)
{
	free(v->text);
	v->text = NULL;
}

/* Cuts what JSON writes around a word. */
static char *bare(char *s)
{
	size_t n;

	s += strspn(s, " \t\"{[");
	n = strlen(s);
	while (n && strchr(" \t\r\",]}", s[n - 1]))
		s[--n] = '\0';
	return s;
}

bool vectors_next(struct vectors *v, const char **key, const char **value)
{
	while (v->at && *v->at) {
		char *line = v->at, *end = strchr(line, '\n'), *sep;

		v->at = end ? end + 1 : line + strlen(line);
		if (end)
			*end = '\0';
		if (*line == '#')
			continue;
		sep = strstr(line, "\": ");
		if (!sep)
			sep = strstr(line, " = ");
		if (!sep && *line == '[') { /* a heading */
			*key = "";
			*value = bare(line);
			return true;
		}
		if (!sep)
			continue;
		*sep = '\0';
		*key = bare(line);
		*value = bare(sep + 3);
		return true;
	}
	return false;
}

struct span unhex(const char *text, uint8_t *buf, size_t cap)
{
	size_t n = strlen(text) / 2;
	unsigned v;

	if (n > cap || strlen(text) % 2)
		return (struct span){ 0 };
	for (size_t i = 0; i < n; i++) {
		if (!isxdigit((unsigned char)text[2 * i]) || sscanf(text + 2 * i, "%2x", &v) != 1)
			return (struct span){ 0 };
		buf[i] = (uint8_t)v;
	}
	return (struct span){ buf, n };
}

uint16_t hash_by_name(const char *name)
{
	static const struct {
		const char *name;
		uint16_t hash;
	} known[] = {
		{ "md5", HASH_MD5 },        { "sha1", HASH_SHA1 },      { "sha-1", HASH_SHA1 },
		{ "sha256", HASH_SHA256 },  { "sha-256", HASH_SHA256 }, { "sha384", HASH_SHA384 },
		{ "sha-384", HASH_SHA384 }, { "sha512", HASH_SHA512 },  { "sha-512", HASH_SHA512 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcasecmp(known[i].name, name) == 0)
			return known[i].hash;
	return 0;
}
