/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_xfrm.c - how fast SA pairs go into the kernel, with and without the thresholds that index
 * a road warrior's policies, and how fast they are listed and swept. Needs root and ESP.
 * Usage: bench_xfrm [PAIRS]
 */
#include <time.h>

#include "../unit/xfrm_kit.h"

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int nothing(void *ctx, const struct ipaddr *dst, uint32_t spi, const struct xfrm_counters *c)
{
	(void)dst, (void)spi, (void)c;
	++*(unsigned *)ctx;
	return 0;
}

static int run(uint32_t pairs, bool hthresh)
{
	uint32_t step = pairs < 8 ? 1 : pairs / 8;
	unsigned seen = 0, sas, policies;
	struct xfrm *x = NULL;
	const char *what = "";
	double t0, t;
	int r = fresh_netns();

	if (r == 0)
		r = xfrm_open(&x);
	if (r == 0 && hthresh)
		r = xfrm_set_hthresh(x);
	printf("%s thresholds:", hthresh ? "with" : "without");
	t = t0 = now_s();
	for (uint32_t id = 0; id < pairs && r == 0; id++) {
		struct xfrm_pair p = make_pair(id, &algs[0]);

		r = xfrm_pair_add(x, &p, &what);
		if ((id + 1) % step == 0) {
			printf(" %.0f", step / (now_s() - t));
			fflush(stdout);
			t = now_s();
		}
	}
	printf(" pairs/s; %.0f pairs/s in all\n", pairs / (now_s() - t0));
	t = now_s();
	if (r == 0)
		r = xfrm_sa_each(x, nothing, &seen);
	printf("  %u SAs listed in %.1f ms\n", seen, (now_s() - t) * 1e3);
	t = now_s();
	if (r == 0)
		r = xfrm_sweep(x, &sas, &policies);
	if (r == 0)
		printf("  %u SAs and %u policies swept in %.0f ms\n", sas, policies,
		       (now_s() - t) * 1e3);
	else
		printf("failed: %s %s\n", strerror(-r), what);
	xfrm_close(x);
	return r;
}

int main(int argc, char **argv)
{
	uint32_t pairs = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 4000;
	int r = run(pairs, false);

	return r == 0 && run(pairs, true) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
