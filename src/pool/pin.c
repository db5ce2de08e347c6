/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pin.c - addresses that an operator has given to a user for good. Pure.
 *
 * A pin is a lease that does not expire and that nobody else can have: while no session has the address
 * it is KEPT, at the head of its user's list and not in the heap of those that may be given away.
 */
#include <errno.h>
#include <string.h>

#include "pool/slots.h"

bool pool_is_pinned(const struct pools *p, const struct ipaddr *addr)
{
	uint32_t i = slot_of(p, addr);

	return i != NIL && p->slot[i].pinned;
}

/* From whatever it is to KEPT and pinned, for this user. */
static int pin_kept(struct pools *p, uint32_t i, const char *user, uint64_t granted_s,
		    uint64_t released_s)
{
	struct user *u;

	if (p->slot[i].state == KEPT)
		slot_free(p, i);
	u = user_get(p, user);
	if (!u)
		return -ENOMEM;
	p->slot[i].pinned = true;
	slot_keep(p, i, u, granted_s, released_s);
	return 0;
}

int pool_pin(struct pools *p, const struct ipaddr *addr, const char *user, uint64_t now_s)
{
	uint32_t i = slot_of(p, addr);
	struct slot *s = i == NIL ? NULL : &p->slot[i];
	bool own = s && s->user && strcmp(s->user->name, user) == 0;

	if (!s)
		return -ENOENT;
	if (s->pinned)
		return own ? 0 : -EEXIST;
	if (s->state != LEASED)
		return pin_kept(p, i, user, own ? s->granted_s : 0, own ? s->released_s : now_s);
	if (!own)
		return -EBUSY;
	s->pinned = true;
	return 0;
}

int pool_restore_pin(struct pools *p, const struct ipaddr *addr, const char *user,
		     uint64_t granted_s, uint64_t released_s, uint64_t now_s)
{
	uint32_t i = slot_of(p, addr);

	if (i == NIL)
		return -ENOENT;
	/* A session has outlived the daemon. */
	if (p->slot[i].state == LEASED)
		return pool_pin(p, addr, user, now_s) < 0 ? -EEXIST : 0;
	if (p->slot[i].state != FREE)
		return -EEXIST;
	if (released_s == 0 || released_s > now_s)
		released_s = now_s;
	return pin_kept(p, i, user, granted_s, released_s);
}

int pool_unpin(struct pools *p, const struct ipaddr *addr, uint64_t now_s)
{
	uint32_t i = slot_of(p, addr);
	struct slot *s = i == NIL ? NULL : &p->slot[i];
	char user[LIMIT_USER + 1];
	uint64_t granted_s, released_s;

	if (!s || !s->pinned)
		return -ENOENT;
	if (s->state == LEASED) {
		s->pinned = false;
		return 0;
	}
	strcpy(user, s->user->name);
	granted_s = s->granted_s;
	released_s = s->released_s;
	slot_free(p, i);
	/* As any other lease that has been released then: it may be over. */
	if (pool_restore(p, addr, user, granted_s, released_s, now_s) == -ENOMEM)
		return -ENOMEM;
	return 0;
}
