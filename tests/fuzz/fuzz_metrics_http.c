/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_metrics_http.c - any bytes as a request to vpngw-metrics, as they come: in pieces. What was
 * said of a beginning holds for what follows, and nothing longer than the limit goes unanswered.
 */
#include <stdlib.h>

#include "bounds.h"
#include "ctl/metrics_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metrics_request r, again;
	unsigned status = 0;
	char head[METRICS_HEAD_MAX];
	size_t n;

	if (size > LIMIT_METRICS_REQUEST)
		size = LIMIT_METRICS_REQUEST;
	for (n = 0; n <= size && !status; n++)
		status = metrics_http_read((struct span){ data, n }, &r);
	if (!status) {
		must(size < LIMIT_METRICS_REQUEST);
		return 0;
	}
	must(metrics_http_head(status, n, head) < sizeof(head));
	/* Nobody sees what lies behind the end of a request. */
	must(metrics_http_read((struct span){ data, size }, &again) == status || status == 414 ||
	     status == 431);
	if (status == 200)
		must(again.head == r.head && n > 16);
	return 0;
}
