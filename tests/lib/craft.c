/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* craft.c - a message taken apart and put together wrongly. */
#include "craft.h"

#include <stdlib.h>
#include <string.h>

static size_t len_at(const struct craft *k, size_t at)
{
	return (size_t)k->b[at + 2] << 8 | k->b[at + 3];
}

static void set_len(struct craft *k, size_t at, size_t len)
{
	k->b[at + 2] = (uint8_t)(len >> 8);
	k->b[at + 3] = (uint8_t)len;
}

void craft_length(struct craft *k)
{
	for (unsigned i = 0; i < 4; i++)
		k->b[24 + i] = (uint8_t)(k->n >> (24 - 8 * i));
}

void craft_from(struct craft *k, struct span msg)
{
	if (msg.n > sizeof(k->b))
		abort();
	memcpy(k->b, msg.p, msg.n);
	k->n = msg.n;
	craft_length(k);
}

struct span craft_span(const struct craft *k)
{
	return (struct span){ k->b, k->n };
}

/* Also tells which byte names the payload's type; with type 0 that of the end of the chain. */
static size_t find(const struct craft *k, uint8_t type, unsigned nth, size_t *ret_link)
{
	size_t at = ISAKMP_HDR, link = 16;

	while (k->b[link] && at + 4 <= k->n) {
		if (k->b[link] == type && nth-- == 0)
			break;
		link = at;
		at += len_at(k, at);
	}
	*ret_link = link;
	return type && k->b[link] != type ? CRAFT_NONE : at;
}

size_t craft_at(const struct craft *k, uint8_t type, unsigned nth)
{
	size_t link;

	return find(k, type, nth, &link);
}

static size_t must(const struct craft *k, uint8_t type, unsigned nth)
{
	size_t at = craft_at(k, type, nth);

	if (at == CRAFT_NONE)
		abort();
	return at;
}

uint8_t *craft_body(struct craft *k, uint8_t type, unsigned nth)
{
	return k->b + must(k, type, nth) + 4;
}

size_t craft_body_len(const struct craft *k, uint8_t type, unsigned nth)
{
	return len_at(k, must(k, type, nth)) - 4;
}

/* Makes the `old` bytes at `at` `want` bytes. */
static void resize(struct craft *k, size_t at, size_t old, size_t want)
{
	if (k->n + want - old > sizeof(k->b))
		abort();
	memmove(k->b + at + want, k->b + at + old, k->n - at - old);
	k->n = k->n + want - old;
}

void craft_replace(struct craft *k, uint8_t type, unsigned nth, struct span body)
{
	size_t at = must(k, type, nth);

	resize(k, at + 4, len_at(k, at) - 4, body.n);
	if (body.n)
		memcpy(k->b + at + 4, body.p, body.n);
	set_len(k, at, body.n + 4);
	craft_length(k);
}

void craft_remove(struct craft *k, uint8_t type, unsigned nth)
{
	size_t link, at = find(k, type, nth, &link);

	if (at == CRAFT_NONE)
		abort();
	k->b[link] = k->b[at];
	resize(k, at, len_at(k, at), 0);
	craft_length(k);
}

static void insert(struct craft *k, size_t link, size_t at, uint8_t type, struct span body)
{
	uint8_t next = k->b[link];

	resize(k, at, 0, body.n + 4);
	k->b[link] = type;
	k->b[at] = next;
	k->b[at + 1] = 0;
	set_len(k, at, body.n + 4);
	if (body.n)
		memcpy(k->b + at + 4, body.p, body.n);
	craft_length(k);
}

void craft_add(struct craft *k, uint8_t type, struct span body)
{
	size_t link, at = find(k, 0, 0, &link);

	insert(k, link, at, type, body);
}

void craft_prepend(struct craft *k, uint8_t type, struct span body)
{
	insert(k, 16, ISAKMP_HDR, type, body);
}

void craft_trail(struct craft *k, struct span bytes)
{
	size_t at = k->n;

	resize(k, at, 0, bytes.n);
	memcpy(k->b + at, bytes.p, bytes.n);
	craft_length(k);
}

struct span craft_seal(struct craft *k, struct client *c)
{
	struct ike_msg m;
	struct secret h;

	if (ike_walk((struct span){ k->b + ISAKMP_HDR, k->n - ISAKMP_HDR }, k->b[16], &m) == 0 &&
	    m.first == PL_HASH) {
		if (c->theirs)
			keymat_hash2(&c->keys, c->msgid, (struct span){ c->q_peer, c->q_peer_len },
				     m.after_hash, &h);
		else
			keymat_hash1(&c->keys, c->msgid, m.after_hash, &h);
		memcpy(k->b + ISAKMP_HDR + 4, h.b, h.n < m.hash.n ? h.n : m.hash.n);
	}
	return craft_seal_raw(k, c);
}

struct span craft_seal_raw(struct craft *k, struct client *c)
{
	return client_sealed(c, k->b[18], k->b[16],
			     (struct span){ k->b + ISAKMP_HDR, k->n - ISAKMP_HDR });
}
