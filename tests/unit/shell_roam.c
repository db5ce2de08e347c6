/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_roam.c - when a keepalive is due: never late, and no oftener than must be. */
#include "gateway.h"
#include "tap.h"

#define INTERVAL 20000000u

static uint64_t rnd = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (uint32_t)(rnd >> 33) % below;
}

static void test_idle(void)
{
	struct keepalive k = { 0 };
	unsigned n = 0;

	for (uint64_t t = INTERVAL / 2; t <= 100 * (uint64_t)INTERVAL; t += INTERVAL / 2)
		n += keepalive_due(&k, 0, t, INTERVAL);
	is_int(n, 100, "an idle session gets one in each interval");
	k = (struct keepalive){ 0 };
	n = 0;
	for (uint64_t t = INTERVAL / 2; t <= 100 * (uint64_t)INTERVAL; t += INTERVAL / 2)
		n += keepalive_due(&k, t, t, INTERVAL);
	is_int(n, 0, "a busy one gets none");
}

/* Packets at random times, looks every half interval and a little late: how long it is silent. */
static void test_silence(void)
{
	uint64_t now = 1000, sent = now, look = now, packets = 0, worst = 0, least = UINT64_MAX;
	struct keepalive k = { 0 };
	unsigned n = 0;

	keepalive_due(&k, packets, now, INTERVAL);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t next = now + draw(draw(2) ? INTERVAL / 4 : 3 * INTERVAL);

		for (; look <= next; look += INTERVAL / 2 + draw(1000)) {
			if (look <= now || !keepalive_due(&k, packets, look, INTERVAL))
				continue;
			worst = look - sent > worst ? look - sent : worst;
			least = look - sent < least ? look - sent : least;
			sent = look;
			n++;
		}
		worst = next - sent > worst ? next - sent : worst;
		now = sent = next;
		packets++;
	}
	printf("# %u keepalives; silence before one %.1f s at least, %.1f s at most\n", n,
	       (double)least / 1e6, (double)worst / 1e6);
	ok(n > 10000 && worst <= INTERVAL + 4000, "silence never lasts longer than the interval");
	ok(least >= INTERVAL / 2 - 4000, "and half of it is silent before one is sent");
}

int main(void)
{
	test_idle();
	test_silence();
	return done();
}
