/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ike_kit.h - one gateway and one client for the tests of the state machine. */
#pragma once

#include "cleanup.h"
#include "client.h"
#include "gate.h"
#include "ike/cfg_attrs.h"
#include "ike/core.h"
#include "ike/vid.h"
#include "tap.h"

#define S(n) ((uint64_t)(n)*US_PER_S) /* seconds */

static struct gate g;
static struct client c;

/* A gateway with the usual configuration, not started, and a client that has not spoken yet. */
__attribute__((unused)) static void kit_prepare(void)
{
	if (g.ike)
		gate_stop(&g);
	gate_init(&g);
	client_init(&c, "192.0.2.9:500", "198.51.100.1:500");
}

/* The same, started; quick, because both skip Diffie-Hellman. */
__attribute__((unused)) static void kit_fresh(void)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	gate_start(&g);
}

/* A fresh pair, logged in as far as the function goes. */
__attribute__((unused)) static void kit_with(bool (*login)(struct client *, struct gate *))
{
	kit_fresh();
	if (!login(&c, &g)) {
		ok(false, "the login that a test begins with works");
		abort();
	}
}

__attribute__((unused)) static bool kit_sound(void)
{
	const char *why = gate_check(&g);

	if (*why)
		printf("# %s\n", why);
	return !*why;
}

__attribute__((unused)) static void kit_end(const char *name)
{
	ok(kit_sound(), "%s: nothing is out of order", name);
	gate_stop(&g);
}

/* The state of the client's SA; -1: it has none. */
__attribute__((unused)) static int kit_state(void)
{
	const struct ike_sa *sa = client_sa(&c, &g);

	return sa ? (int)sa->state : -1;
}

/* A second client, of the same habits as the first one at its start. */
__attribute__((unused)) static void kit_another(struct client *other, const char *self)
{
	bool no_crypto = c.no_crypto;

	client_init(other, self, "198.51.100.1:500");
	other->no_crypto = no_crypto;
}
