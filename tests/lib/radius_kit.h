/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * radius_kit.h - the server's side of a RADIUS login, for tests: it makes answers. Written apart
 * from src/auth/radius_msg.c, from the same RFCs.
 */
#pragma once

#include <nettle/hmac.h>
#include <nettle/md5.h>

#include "auth/radius_msg.h"

struct kit_answer {
	uint8_t b[RADIUS_PACKET];
	size_t n;
	size_t mac; /* where the Message-Authenticator's value is; 0: it has none */
};

static inline void kit_begin(struct kit_answer *a, uint8_t code, uint8_t id, bool mac)
{
	memset(a, 0, sizeof(*a));
	a->b[0] = code;
	a->b[1] = id;
	a->n = RADIUS_HEADER;
	if (!mac)
		return;
	a->b[a->n] = 80;
	a->b[a->n + 1] = 18;
	a->mac = a->n + 2;
	a->n += 18;
}

static inline void kit_add(struct kit_answer *a, uint8_t type, struct span value)
{
	if (a->n + 2 + value.n > sizeof(a->b))
		return;
	a->b[a->n] = type;
	a->b[a->n + 1] = (uint8_t)(value.n + 2);
	if (value.n)
		memcpy(a->b + a->n + 2, value.p, value.n);
	a->n += 2 + value.n;
}

/* RFC 3579 3.2 and RFC 2865 3: the length, the Message-Authenticator, then the authenticator. */
static inline struct span kit_sign(struct kit_answer *a, struct span secret,
				   const uint8_t request[static 16])
{
	struct hmac_md5_ctx hmac;
	struct md5_ctx md5;

	a->b[2] = (uint8_t)(a->n >> 8);
	a->b[3] = (uint8_t)a->n;
	memcpy(a->b + 4, request, 16);
	if (a->mac) {
		hmac_md5_set_key(&hmac, secret.n, secret.p);
		hmac_md5_update(&hmac, a->n, a->b);
		hmac_md5_digest(&hmac, 16, a->b + a->mac);
	}
	md5_init(&md5);
	md5_update(&md5, a->n, a->b);
	md5_update(&md5, secret.n, secret.p);
	md5_digest(&md5, 16, a->b + 4);
	return (struct span){ a->b, a->n };
}
