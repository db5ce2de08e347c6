/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vectors.h - known answers from files: "KEY = value" of NIST, and JSON with one pair per line.
 *
 * The published files are not part of the project; capture.h tells where they are.
 */
#pragma once

#include "bytes.h"

struct vectors {
	char *text; /* owned */
	char *at;
};

/* False without VPNGW_VECTORS or the file. */
bool vectors_open(struct vectors *v, const char *name);
void vectors_close(struct vectors *v);

/* The next pair; views that hold until vectors_close(). A heading "[SHA-1]" has the key "". False at
 * the end. */
bool vectors_next(struct vectors *v, const char **key, const char **value);

/* Bytes of hex text into buf. An empty span when it is none, or too long. */
struct span unhex(const char *text, uint8_t *buf, size_t cap);

/* HASH_* by its name in these files; 0: another one. */
uint16_t hash_by_name(const char *name);
