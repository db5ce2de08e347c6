/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_xfrm_msg.c - answers of NETLINK_XFRM, as many as there are in the input. */
#include <stdlib.h>

#include "xfrm/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

/* An SA at another place, out of an answer about it. */
static void again(struct span answer)
{
	static uint8_t buf[70000];
	const struct xfrm_place at = { ipaddr_v4(0xc0000201), ipaddr_v4(0xc0000202), 4500, 4501 };

	for (int update = 0; update < 2; update++) {
		struct wr w = wr_into(buf, sizeof(buf));
		int rc = xfrm_build_sa_again(&w, 1, answer, &at, update, 1024);

		check(rc <= 0 && !w.bad && (rc < 0) == (w.len == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* aligned, and of the exact size */
	struct span left = { copy, size };
	struct xfrm_reply r;
	size_t before = size;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	while (xfrm_reply_next(&left, &r)) {
		check(left.n < before);
		before = left.n;
		check(!r.text || strlen(r.text) < size);
		again(r.whole);
		switch (r.kind) {
		case XFRM_REPLY_SA:
		case XFRM_REPLY_EXPIRE:
			check(r.error == 0 || r.error == 1);
			check(ipaddr_len(&r.sa.dst) != 0);
			xfrm_sa_is_ours(&r.sa);
			break;
		case XFRM_REPLY_POLICY:
			check(r.pol.n_templates <= XFRM_TEMPLATES_MAX);
			check(prefix_has(&r.pol.src, &r.pol.src.addr) &&
			      prefix_has(&r.pol.dst, &r.pol.dst.addr));
			xfrm_pol_is_ours(&r.pol);
			break;
		case XFRM_REPLY_ACK:
		case XFRM_REPLY_DONE:
			check(r.error <= 0);
			break;
		case XFRM_REPLY_MAPPING:
			check(ipaddr_len(&r.mapping.from.addr) && ipaddr_len(&r.mapping.to.addr));
			break;
		case XFRM_REPLY_OTHER:
			break;
		}
	}
	free(copy);
	return 0;
}
