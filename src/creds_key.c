/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* creds_key.c - reading and checking the gateway's private key, and signing with it. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "credential.h"
#include "creds_own.h"
#include "ike/names.h"

struct signer {
	const struct sign_engine *engine;
	void *key;
};

static int same_key(gnutls_x509_crt_t leaf, gnutls_x509_privkey_t key)
{
	uint8_t a[64], b[64];
	size_t na = sizeof(a), nb = sizeof(b);

	return gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, a, &na) >= 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &nb) >= 0 &&
	       na == nb && memcmp(a, b, na) == 0;
}

int creds_read_key(struct creds *c, const struct conf_gateway *g, const char *check_dir, char *err,
		   size_t cap)
{
	bool is_path = !credential_name(g->private_key);
	char buf[512];
	/* Whoever only checks is not started by the unit, and looks where the unit takes it from. */
	const char *path = credential_path(g->private_key, check_dir, buf, sizeof(buf));
	int rc;

	if (!path)
		return creds_fail(
			err, cap, -ENOENT, g->private_key_at,
			"private_key = %s: systemd has handed over no credentials; started by "
			"hand, vpngw needs the path of the key file",
			g->private_key);
	rc = creds_read_file(path, &c->pem, &c->pem_len);
	if (check_dir && rc == -EACCES) {
		creds_warn(c, "the private key was not checked: this user may not read %.160s",
			   path);
		return 0;
	}
	if (check_dir && rc == -ENOENT && !is_path && !credential_given()) {
		creds_warn(c,
			   "the private key was not checked: there is no %.120s, and without it "
			   "vpngw.service does not start unless a drop-in says LoadCredential=",
			   path);
		return 0;
	}
	if (rc < 0)
		return creds_fail(
			err, cap, rc, g->private_key_at, "private_key = %s: %s%s%s%s",
			g->private_key, is_path ? "" : path, is_path ? "" : ": ",
			creds_file_error(rc),
			is_path && rc == -EACCES
				? "; the user that vpngw runs as must be able to read it, or "
				  "let it be a credential: see vpngw.conf(5)"
				: "");
	return 0;
}

int creds_read_key_again(struct creds *c, const struct conf_gateway *g, const struct creds_again *a,
			 char *err, size_t cap)
{
	int rc;

	if (a->fresh) {
		rc = creds_read_file(a->fresh, &c->pem, &c->pem_len);
		return rc < 0 ? creds_fail(err, cap, rc, g->private_key_at, "private_key = %s: %s",
					   g->private_key, creds_file_error(rc))
			      : 0;
	}
	c->pem = malloc(a->running->pem_len + 1);
	if (!c->pem)
		return creds_fail(err, cap, -ENOMEM, NULL, "out of memory");
	memcpy(c->pem, a->running->pem, a->running->pem_len);
	c->pem_len = a->running->pem_len;
	return 0;
}

/* 0: none that there is a method for. */
static uint16_t ecdsa_method(gnutls_x509_privkey_t key)
{
	gnutls_ecc_curve_t curve;

	if (gnutls_x509_privkey_export_ecc_raw(key, &curve, NULL, NULL, NULL) < 0)
		return 0;
	return curve == GNUTLS_ECC_CURVE_SECP256R1   ? AUTH_ECDSA_256
	       : curve == GNUTLS_ECC_CURVE_SECP384R1 ? AUTH_ECDSA_384
	       : curve == GNUTLS_ECC_CURVE_SECP521R1 ? AUTH_ECDSA_521
						     : 0;
}

/* Every method that is named can be had with this key. */
static int check_kind(struct creds *c, const struct config *config, gnutls_x509_privkey_t key,
		      unsigned *ret_bits, char *err, size_t cap)
{
	const struct conf_gateway *g = &config->gateway;
	bool rsa = gnutls_x509_privkey_get_pk_algorithm2(key, ret_bits) == GNUTLS_PK_RSA;
	char name[IKE_NAME_LEN];

	c->ecdsa = rsa ? 0 : ecdsa_method(key);
	for (unsigned i = 0; i < config->ike.n_auth; i++) {
		uint16_t auth = config->ike.auth[i];

		if (auth_is_ecdsa(auth) && !c->ecdsa)
			return creds_fail(err, cap, -EINVAL, g->private_key_at,
					  "private_key = %s: ecdsa needs an EC key on secp256r1, "
					  "secp384r1 or secp521r1",
					  g->private_key);
		if (!auth_is_ecdsa(auth) && !rsa)
			return creds_fail(err, cap, -EINVAL, g->private_key_at,
					  "private_key = %s: %s needs an RSA key", g->private_key,
					  ike_auth_str(auth, name));
	}
	return 0;
}

void creds_check_hash(struct creds *c, const struct ike_conf *ike)
{
	const char *name = c->ecdsa == AUTH_ECDSA_256   ? "sha256"
			   : c->ecdsa == AUTH_ECDSA_384 ? "sha384"
							: "sha512";
	uint16_t hash = c->ecdsa == AUTH_ECDSA_256   ? HASH_SHA256
			: c->ecdsa == AUTH_ECDSA_384 ? HASH_SHA384
						     : HASH_SHA512;
	bool named = false;

	for (unsigned i = 0; i < ike->n_p1; i++)
		named |= ike->p1[i].hash == hash;
	if (c->ecdsa && !named)
		creds_warn(c,
			   "no [phase1] proposal has %s, without which the key of %s lets nobody "
			   "in by "
			   "ecdsa",
			   name, c->path);
}

int creds_check_key(struct creds *c, const struct config *config, gnutls_x509_crt_t leaf,
		    unsigned *ret_bits, char *err, size_t cap)
{
	const struct conf_gateway *g = &config->gateway;
	const char *at = g->private_key_at;
	gnutls_datum_t d = { c->pem, (unsigned)c->pem_len };
	gnutls_x509_privkey_t key;
	int rc;

	if (gnutls_x509_privkey_init(&key) < 0)
		return creds_fail(err, cap, -ENOMEM, NULL, "out of memory");
	rc = gnutls_x509_privkey_import(key, &d, GNUTLS_X509_FMT_PEM);
	if (rc < 0)
		rc = creds_fail(err, cap, -EINVAL, at,
				"private_key = %s: %s; an unencrypted PEM file is expected",
				g->private_key, gnutls_strerror(rc));
	else
		rc = check_kind(c, config, key, ret_bits, err, cap);
	if (rc == 0 && !same_key(leaf, key))
		rc = creds_fail(err, cap, -EINVAL, at,
				"private_key = %s does not belong to certificate = %s",
				g->private_key, g->certificate);
	gnutls_x509_privkey_deinit(key);
	return rc;
}

/* ---- signing ---- */

struct signer *creds_signer(const struct creds *c)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->engine = &sign_engine_gnutls;
#ifdef HAVE_LIBCRYPTO
	if (!c->ecdsa)
		s->engine = &sign_engine_libcrypto;
#endif
	s->key = s->engine->open((struct span){ c->pem, c->pem_len });
	if (!s->key) { /* a format that only the other library knows */
		s->engine = &sign_engine_gnutls;
		s->key = s->engine->open((struct span){ c->pem, c->pem_len });
	}
	return s->key ? s : signer_free(s);
}

struct signer *signer_free(struct signer *s)
{
	if (s && s->key)
		s->engine->close(s->key);
	free(s);
	return NULL;
}

int signer_sign(struct signer *s, struct span hash, uint8_t *sig, size_t cap, size_t *ret_len)
{
	return s->engine->sign(s->key, hash, sig, cap, ret_len);
}
