/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_compiler.c - what the code relies on, and a compiler has got wrong.
 *
 * With -ftrivial-auto-var-init=zero GCC 12.2 clears the padding of a struct that is initialized where
 * it is declared. In one of more than 256 bytes it also clears members that lie a multiple of 256
 * bytes behind padding: networks of a pair, keys.
 */
#include <string.h>

#include "addr.h"
#include "tap.h"

/* Padding behind `flag` and `kind`, none 256 bytes further on. */
struct inner {
	uint32_t number;
	uint8_t kind;
	uint32_t spi;
	struct endpoint at[2];
	bool flag;
	uint32_t alg;
	uint8_t key[200];
	struct prefix nets[16];
	uint64_t bytes;
};

struct outer {
	uint32_t who[2];
	unsigned out;
	struct inner in;
};

static struct outer *copy(struct outer *to, const struct inner *from, unsigned out)
{
	struct outer o = { .who = { 1, 2 }, .out = out, .in = *from };

	*to = o;
	return to;
}

int main(void)
{
	static struct inner from;
	static struct outer to;

	memset(&from, 7, sizeof(from));
	from.flag = true;
	copy(&to, &from, 3);
	ok(to.out == 3 && to.who[1] == 2 && to.in.number == from.number &&
		   to.in.kind == from.kind && to.in.spi == from.spi && to.in.flag &&
		   to.in.alg == from.alg && to.in.bytes == from.bytes,
	   "members");
	is_bytes(SPAN_OF(to.in.key), SPAN_OF(from.key), "a key");
	ok(memcmp(to.in.at, from.at, sizeof(from.at)) == 0 &&
		   memcmp(to.in.nets, from.nets, sizeof(from.nets)) == 0,
	   "addresses and networks");
	return done();
}
