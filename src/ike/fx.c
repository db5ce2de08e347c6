/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fx.c - the list of effects and its arena. Pure. */
#include "ike/fx.h"

#include <stdalign.h>

void fx_reset(struct fx *fx)
{
	/* Passwords and keys were in there. */
	explicit_bzero(fx->arena, fx->used);
	fx->n = 0;
	fx->used = 0;
	fx->overflow = false;
}

bool fx_has_room(const struct fx *fx)
{
	return FX_MAX - fx->n >= FX_HEADROOM && FX_ARENA - fx->used >= FX_ROOM;
}

struct fx_item *fx_add(struct fx *fx, enum fx_kind kind, struct ike_ticket who)
{
	static struct fx_item lost;
	struct fx_item *it = &lost;

	if (fx->n < FX_MAX)
		it = &fx->v[fx->n++];
	else
		fx->overflow = true;
	*it = (struct fx_item){ .kind = kind, .who = who };
	return it;
}

void *fx_space(struct fx *fx, size_t n)
{
	size_t at = (fx->used + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

	if (at > FX_ARENA || n > FX_ARENA - at) {
		fx->overflow = true;
		return NULL;
	}
	fx->used = at + n;
	memset(fx->arena + at, 0, n);
	return fx->arena + at;
}

struct span fx_copy(struct fx *fx, struct span s)
{
	uint8_t *p = fx_space(fx, s.n);

	if (!p)
		return (struct span){ 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct span){ p, s.n };
}
