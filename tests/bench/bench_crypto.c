/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_crypto.c - the floor under a login: one key pair, one shared secret and one RSA-2048
 * signature, and a second pair and secret with PFS, in CPU time of this process. The gateway's own
 * cost is compared with it in tests/bench/run-login.
 */
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "creds.h"
#include "ike/dh.h"
#include "ike/names.h"
#include "random.h"

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Milliseconds for one key pair and one shared secret. */
static double dh_ms(const struct dh_engine *e, uint16_t group)
{
	const struct dh_group *g = dh_group(group);
	uint8_t x[DH_PRIVATE_MAX], peer[DH_PUBLIC_MAX], pub[DH_PUBLIC_MAX], s[DH_SHARED_MAX];
	unsigned n = 0;
	double start;

	random_key(x, sizeof(x));
	dh_make(g, x, peer);
	for (start = cpu(); cpu() - start < 0.4; n++) {
		random_key(x, sizeof(x));
		dh_make_with(e, g, x, pub);
		dh_agree_with(e, g, x, (struct span){ peer, g->public_len }, s);
	}
	return (cpu() - start) * 1e3 / n;
}

static double sign_ms(const struct sign_engine *e, const gnutls_datum_t *pem)
{
	void *key = e->open((struct span){ pem->data, pem->size });
	uint8_t hash[32] = { 1 }, sig[512];
	unsigned n = 0;
	double start;
	size_t len;

	for (start = cpu(); cpu() - start < 0.4; n++)
		e->sign(key, SPAN_OF(hash), sig, sizeof(sig), &len);
	e->close(key);
	return (cpu() - start) * 1e3 / n;
}

int main(void)
{
	static const uint16_t groups[] = { 2, 14, 15, 16, 19, 20, 21, 31 };
	static const struct {
		const struct dh_engine *dh;
		const struct sign_engine *sign;
	} engines[] = {
		{ &dh_engine_gmp, &sign_engine_gnutls },
#ifdef HAVE_LIBCRYPTO
		{ &dh_engine_libcrypto, &sign_engine_libcrypto },
#endif
	};
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;
	char name[IKE_NAME_LEN];

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0);
	gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	for (unsigned e = 0; e < ARRAY_SIZE(engines); e++) {
		double sign = sign_ms(engines[e].sign, &pem);

		printf("%s and %s: RSA-2048 signature %.3f ms\n", engines[e].dh->name,
		       engines[e].sign->name, sign);
		for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
			double dh = dh_ms(engines[e].dh, groups[i]);

			printf("  floor %u %s: login %.3f ms, with PFS %.3f ms\n", groups[i],
			       ike_group_str(groups[i], name), dh + sign, 2 * dh + sign);
		}
	}
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(key);
	return 0;
}
