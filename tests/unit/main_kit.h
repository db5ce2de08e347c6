/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main_kit.h - hostile_kit.h for main mode: exchanges brought to where a test begins. */
#pragma once

#include "hostile_kit.h"

__attribute__((unused)) static uint8_t zeros[30000];

__attribute__((unused)) static void begin(bool psk)
{
	kit_fresh();
	c.main = true;
	c.group_name = "administrators"; /* ten bytes of the hash are in message 5's last block */
	c.auth = psk ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
}

__attribute__((unused)) static void begin2(bool psk)
{
	begin(psk);
	if (!client_to_main2(&c, &g))
		abort();
}

__attribute__((unused)) static void begin4(bool psk)
{
	begin(psk);
	if (!client_to_main4(&c, &g))
		abort();
}

__attribute__((unused)) static void finish(const char *name)
{
	ok(others_fine(), "%s: others log in as ever", name);
	gate_stop(&g);
}

/* What was sent before has done no harm: the honest message still works. */
__attribute__((unused)) static bool third_works(void)
{
	client_to(&c, &g, client_main3(&c));
	return client_main4(&c, gate_only(&g)) == 0 && kit_sound();
}

__attribute__((unused)) static bool fifth_works(void)
{
	memcpy(c.iv, c.last_block, sizeof(c.iv));
	c.msgid = 0;
	client_to(&c, &g, client_main5(&c));
	return client_main6(&c, gate_out(&g, 0)) == 0 && kit_state() == IKE_ST_XAUTH && kit_sound();
}
