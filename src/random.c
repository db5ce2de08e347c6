/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* random.c - randomness from GnuTLS, which seeds itself from getrandom(2). */
#include "random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "log.h"

static void fill(void *out, size_t n, gnutls_rnd_level_t level)
{
	if (gnutls_rnd(level, out, n) < 0) {
		log_err("the system gives no random numbers: stopping");
		abort();
	}
}

static void nonce(void *ctx, void *out, size_t n)
{
	(void)ctx;
	fill(out, n, GNUTLS_RND_NONCE);
}

const struct ike_rng random_source = { .fill = nonce };

void random_key(void *out, size_t n)
{
	fill(out, n, GNUTLS_RND_KEY);
}
