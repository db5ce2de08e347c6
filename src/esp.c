/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * esp.c - the core's words for ESP algorithms in the kernel's, and whether the kernel knows them.
 *
 * The kernel looks for an algorithm, and loads its modules, when an SA first asks for it. So every
 * proposal of the configuration is tried once at the start: the first client does not wait for
 * modules, and what is missing is told before somebody needs it.
 */
#include <errno.h>
#include <string.h>

#include "gateway.h"
#include "ike/names.h"
#include "random.h"

#define PROBE_SPI 256 /* the first that is not reserved: RFC 4303 2.1 */

static void set_enc(enum esp_enc enc, struct xfrm_sa *sa)
{
	switch (enc) {
	case ESP_ENC_AES_CBC:
		sa->enc_name = "cbc(aes)";
		break;
	case ESP_ENC_3DES_CBC:
		sa->enc_name = "cbc(des3_ede)";
		break;
	case ESP_ENC_AES_GCM16:
		sa->enc_name = "rfc4106(gcm(aes))";
		sa->aead = true;
		sa->icv_bits = 128;
		break;
	}
}

static void set_auth(enum esp_auth auth, struct xfrm_sa *sa)
{
	static const struct {
		const char *name;
		uint16_t icv_bits;
	} algs[] = {
		[ESP_AUTH_MD5_96] = { "hmac(md5)", 96 },
		[ESP_AUTH_SHA1_96] = { "hmac(sha1)", 96 },
		[ESP_AUTH_SHA256_128] = { "hmac(sha256)", 128 },
		[ESP_AUTH_SHA256_96] = { "hmac(sha256)", 96 },
		[ESP_AUTH_SHA384_192] = { "hmac(sha384)", 192 },
		[ESP_AUTH_SHA512_256] = { "hmac(sha512)", 256 },
	};

	if (auth == ESP_AUTH_NONE)
		return;
	sa->auth_name = algs[auth].name;
	sa->icv_bits = algs[auth].icv_bits;
}

void esp_algorithms(enum esp_enc enc, enum esp_auth auth, struct xfrm_sa *sa)
{
	set_enc(enc, sa);
	set_auth(auth, sa);
}

/* An SA of the proposal that no packet can meet: both its ends are this host. */
static struct xfrm_sa probe_sa(const struct ike_p2 *p)
{
	struct xfrm_sa sa = { .src = ipaddr_v4(0x7f000001),
			      .dst = ipaddr_v4(0x7f000001),
			      .spi = PROBE_SPI,
			      .reqid = XFRM_REQID_GATEWAY,
			      .enc_len = (uint8_t)ike_esp_enc_len(p),
			      .auth_len = (uint8_t)ike_esp_auth_len(p->auth),
			      .esn = p->esn,
			      .replay_window = 32 };

	esp_algorithms(p->enc, p->auth, &sa);
	random_key(sa.enc_key, sa.enc_len);
	random_key(sa.auth_key, sa.auth_len);
	return sa;
}

int esp_try(const struct ike_p2 *p, struct xfrm *x, const char **ret_what)
{
	struct xfrm_sa sa = probe_sa(p);
	int rc = xfrm_sa_probe(x, &sa, ret_what);

	explicit_bzero(sa.enc_key, sizeof(sa.enc_key));
	explicit_bzero(sa.auth_key, sizeof(sa.auth_key));
	return rc;
}

int esp_try_ipcomp(const struct ike_conf *conf, struct xfrm *x, const char **ret_what)
{
	return conf->compression == IKE_COMPRESSION_NONE ? 0 : xfrm_ipcomp_probe(x, ret_what);
}

int esp_probe(const struct ike_conf *conf, struct xfrm *x)
{
	const char *ipcomp = "";
	unsigned good = 0;
	int first = 0;

	if (esp_try_ipcomp(conf, x, &ipcomp) < 0)
		log_warning("[phase2] compression_algorithm: the kernel refuses it: %s", ipcomp);
	for (unsigned i = 0; i < conf->n_p2; i++) {
		char name[IKE_NAME_LEN];
		const char *what = "";
		int rc = esp_try(&conf->p2[i], x, &what);

		good += rc == 0;
		if (rc < 0)
			log_warning("[phase2] proposal = %s: the kernel refuses it: %s",
				    ike_p2_str(&conf->p2[i], name), what);
		if (first == 0)
			first = rc;
	}
	return good ? 0 : first;
}
