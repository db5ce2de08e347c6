/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_radius_msg.c - what comes from a RADIUS server is read within its bounds; what is taken is
 * authentic, and what is shown is clean. The input is a datagram; also, with both authenticators
 * made right, whatever a server that knows the secret may say.
 */
#include <stdint.h>
#include <stdlib.h>

#include "auth/radius_msg.h"
#include "radius_kit.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct radius_answer *a)
{
	static const enum radius_type types[] = { RADIUS_CLASS, RADIUS_REPLY_MESSAGE };
	char text[300];

	if (a->code != RADIUS_ACCEPT && a->code != RADIUS_REJECT && a->code != RADIUS_CHALLENGE)
		abort();
	for (size_t i = 0; i < 2; i++) {
		struct span all = a->attributes, s;
		size_t sum = 0;

		while (radius_next(&all, types[i], &s)) {
			if (s.n > RADIUS_VALUE)
				abort();
			sum += 2 + s.n;
		}
		if (all.n || sum > a->attributes.n)
			abort();
	}
	if (a->state.n > RADIUS_VALUE ||
	    (a->address.family != IP_NONE && a->address.family != IP_V4))
		abort();
	if (!text_is_clean(span_str(radius_text(a, text, sizeof(text)))))
		abort();
	(void)radius_text(a, text, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct radius_key key = { .secret = span_str("fuzz"), .authenticator = "0123456789abcde" };
	struct radius_answer answer;
	struct kit_answer kit;
	enum radius_flaw f;

	f = radius_get_answer((struct span){ data, size }, &key, size & 1, &answer);
	if (f == RADIUS_GOOD)
		look(&answer);
	if (!*radius_flaw_str(f) || size < RADIUS_HEADER || size > RADIUS_PACKET - 18)
		return 0;
	key.id = data[1];
	kit_begin(&kit, data[0], data[1], !(data[2] & 1));
	memcpy(kit.b + kit.n, data + RADIUS_HEADER, size - RADIUS_HEADER);
	kit.n += size - RADIUS_HEADER;
	f = radius_get_answer(kit_sign(&kit, key.secret, key.authenticator), &key, true, &answer);
	if (f == RADIUS_GOOD && !kit.mac && !(size > RADIUS_HEADER))
		abort();
	if (f == RADIUS_BAD_LENGTH || f == RADIUS_BAD_ID || f == RADIUS_BAD_SECRET)
		abort();
	if (f == RADIUS_GOOD)
		look(&answer);
	return 0;
}
