/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xfrm_addr.h - addresses and networks from text that is known to be right. */
#pragma once

#include <stdlib.h>

#include "addr.h"

__attribute__((unused)) static struct ipaddr ip(const char *s)
{
	struct ipaddr a;

	if (ipaddr_parse(s, &a) < 0)
		abort();
	return a;
}

__attribute__((unused)) static struct prefix net(const char *s)
{
	struct prefix p;

	if (prefix_parse(s, &p) < 0)
		abort();
	return p;
}
