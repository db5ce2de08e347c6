/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_gateway.c - what the gateway's shell decides by itself, without a kernel or a network. */
#include "gateway.h"
#include "tap.h"

static void test_idle(void)
{
	struct gw_session g = { .active_us = 100 };

	traffic_seen(&g, 10, 200);
	ok(g.active_us == 200 && g.packets == 10, "more packets: the client was active");
	traffic_seen(&g, 10, 300);
	is_int((long long)g.active_us, 200, "as many as before: it was not");
	traffic_seen(&g, 4, 400);
	is_int((long long)g.active_us, 200,
	       "fewer, because an SA pair has gone: it was not either");
	traffic_seen(&g, 5, 500);
	is_int((long long)g.active_us, 500, "one more than that: it was");
}

int main(void)
{
	test_idle();
	return done();
}
