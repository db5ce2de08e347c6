/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_ike_sapl.c - SA payloads of both phases. The first byte says which, and what is wanted. */
#include <stdlib.h>

#include "ike/dh.h"
#include "ike/sapl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ike_conf conf;

static void configure(void)
{
	const char *why;

	ike_p1_parse("aes256-sha256-modp2048", &conf.p1[conf.n_p1++], &why);
	ike_p1_parse("aes128-sha1-modp1024", &conf.p1[conf.n_p1++], &why);
	ike_p2_parse("aes256-sha256_96", &conf.p2[conf.n_p2++], &why);
	ike_p2_parse("aes256gcm16", &conf.p2[conf.n_p2++], &why);
}

static int choose(unsigned how, struct span sa, struct p2_choice *ret)
{
	static const uint16_t groups[] = { 14, 2, 31, 19 };
	const struct dh_group *g = dh_group(groups[how >> 1 & 3]);
	struct p2_want want = { how & 32  ? P2_PATH_EITHER
				: how & 8 ? P2_PATH_UDP
					  : P2_PATH_PLAIN,
				how & 16, g->public_len, how & 64 };
	struct p1_want want1 = { .auth = { 65001, AUTH_HYBRID_INIT_RSA },
				 .n_auth = how & 8 ? 2 : 1,
				 .ke_len = how & 16 ? 0 : g->public_len };
	char offered[OFFER_TEXT];
	struct p1_choice p1;
	int rc = how & 1 ? p1_choose(sa, &conf, &want1, &p1, offered)
			 : p2_choose(sa, &conf, &want, ret, offered);

	if (strnlen(offered, OFFER_TEXT) == OFFER_TEXT)
		abort();
	if (rc == 0 && how & 1)
		*ret = (struct p2_choice){ .answer = p1.answer };
	if (rc == 0 && ret->ipcomp.cpi && !(how & 64))
		abort();
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t cky[8] = { 1 };
	static uint8_t buf[9000];
	struct p2_choice a, b;
	struct ike_build out;
	struct span s;

	if (!conf.n_p1)
		configure();
	if (size < 1 || size > LIMIT_SA_PAYLOAD ||
	    choose(data[0], (struct span){ data + 1, size - 1 }, &a) < 0)
		return 0;
	/* What we would answer is an offer of one, which we would take. */
	out = build_start(buf, sizeof(buf), cky, cky, XCHG_QUICK, 1);
	if (data[0] & 1)
		sa_put_answer(&out, &a.answer, a.answer.spi);
	else
		p2_put_answer(&out, &a, a.spi, a.ipcomp.cpi);
	s = build_clear(&out);
	if (s.n < 32 || choose(data[0], (struct span){ s.p + 32, s.n - 32 }, &b) < 0 ||
	    b.answer.proposal != a.answer.proposal ||
	    b.answer.transform.n != a.answer.transform.n || b.ipcomp.cpi != a.ipcomp.cpi)
		abort();
	return 0;
}
