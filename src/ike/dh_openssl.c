/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dh_openssl.c - modular exponentiation by libcrypto, where the build found it.
 *
 * EVP's own key agreement checks the peer's subgroup with a full exponentiation, eight times the
 * price; the groups are safe primes, so the range check in dh.c is enough.
 */
#include <errno.h>
#include <openssl/bn.h>

#include "cleanup.h"
#include "ike/dh.h"

static int libcrypto_modexp(struct span base, struct span exp, struct span mod, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *b = BN_bin2bn(base.p, (int)base.n, NULL), *e = BN_secure_new(),
	       *m = BN_bin2bn(mod.p, (int)mod.n, NULL), *r = BN_secure_new();
	int rc = -ENOMEM;

	if (ctx && b && e && m && r && BN_bin2bn(exp.p, (int)exp.n, e)) {
		BN_set_flags(e, BN_FLG_CONSTTIME);
		rc = BN_mod_exp_mont_consttime(r, b, e, m, ctx, NULL) == 1 &&
				     BN_bn2binpad(r, out, (int)mod.n) == (int)mod.n
			     ? 0
			     : -EIO;
	}
	BN_clear_free(r);
	BN_free(m);
	BN_clear_free(e);
	BN_clear_free(b);
	BN_CTX_free(ctx);
	return rc;
}

const struct dh_engine dh_engine_libcrypto = { .name = "libcrypto", .modexp = libcrypto_modexp };
