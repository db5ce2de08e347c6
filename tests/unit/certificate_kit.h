/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* certificate_kit.h - main_kit.h for clients with certificates, in both modes. */
#pragma once

#include "main_kit.h"

static const char *const mode_names[] = { "aggressive mode", "main mode" };

__attribute__((unused)) static void prepare_signed(bool main_mode)
{
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.auth[g.conf.n_auth++] = AUTH_XAUTH_RSA;
	c.main = main_mode;
	c.auth = AUTH_XAUTH_RSA;
}

__attribute__((unused)) static void prepare_alone(bool main_mode)
{
	prepare_signed(main_mode);
	g.conf.auth[g.conf.n_auth++] = AUTH_RSA_SIG;
	c.auth = AUTH_RSA_SIG;
}

/* As far as the client's last message. */
__attribute__((unused)) static void begin_signed(bool main_mode)
{
	prepare_signed(main_mode);
	gate_start(&g);
	if (main_mode) {
		if (!client_to_main4(&c, &g))
			abort();
		return;
	}
	client_to(&c, &g, client_first(&c));
	if (client_second(&c, client_answer(&g)) < 0)
		abort();
}
