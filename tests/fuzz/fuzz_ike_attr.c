/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_ike_attr.c - configuration payloads and their attributes, read and written again. */
#include <stdlib.h>

#include "ike/build.h"
#include "ike/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[1 << 20];
	struct ike_build b = { .w = wr_into(buf, sizeof(buf)) };
	struct span s = { data, size }, again;
	struct ike_attr a;
	struct ike_cfg c;
	struct rd r;
	uint64_t v;
	unsigned n = 0;

	if (ike_cfg_read(s, &c) < 0)
		return 0;
	r = rd_from(c.attrs);
	while (ike_attr_next(&r, &a)) {
		n++;
		if (ike_attr_number(&a, &v) != (a.data.n >= 1 && a.data.n <= 8))
			abort();
		if (a.basic && (a.data.n != 2 || v != a.value))
			abort();
		if (a.basic)
			build_tv(&b, a.type, a.value);
		else
			build_tlv(&b, a.type, a.data);
	}
	again = wr_done(&b.w);
	/* They fill the payload, and nothing was lost on the way. */
	if (r.bad || r.left || n > LIMIT_ATTRIBUTES || !span_eq(again, c.attrs))
		abort();
	return 0;
}
