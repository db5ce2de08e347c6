/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * craft.h - a message taken apart and put together wrongly: payloads replaced, removed, added.
 *
 * Works on clear messages. One that belongs behind the encryption is crafted in clear, with its
 * HASH payload in front, and sealed by craft_seal().
 */
#pragma once

#include "client.h"

#define CRAFT_NONE SIZE_MAX

struct craft {
	uint8_t b[80000];
	size_t n;
};

void craft_from(struct craft *k, struct span msg);
struct span craft_span(const struct craft *k);

/* Where the header of the nth payload of this type is (0: the first); CRAFT_NONE: nowhere. */
size_t craft_at(const struct craft *k, uint8_t type, unsigned nth);

/* The body of that payload, to change in place. */
uint8_t *craft_body(struct craft *k, uint8_t type, unsigned nth);
size_t craft_body_len(const struct craft *k, uint8_t type, unsigned nth);

/* Lengths and chain follow. */
void craft_replace(struct craft *k, uint8_t type, unsigned nth, struct span body);
void craft_remove(struct craft *k, uint8_t type, unsigned nth);
void craft_add(struct craft *k, uint8_t type, struct span body);
/* In front of all others. */
void craft_prepend(struct craft *k, uint8_t type, struct span body);
/* Bytes behind the last payload; only the header's length follows. */
void craft_trail(struct craft *k, struct span bytes);
/* Sets the header's length to what there is. */
void craft_length(struct craft *k);

/* Fills in the HASH(1), or HASH(2) in a Quick Mode of the gateway's, that is right for what stands
 * behind it, and encrypts: c->msgid, c->iv. */
struct span craft_seal(struct craft *k, struct client *c);
/* Encrypts as it is. */
struct span craft_seal_raw(struct craft *k, struct client *c);
