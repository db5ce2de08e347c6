/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* names.c - wire numbers and the words for them. One table per kind; both directions use it. */
#include "ike/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"

struct name {
	uint16_t v;
	const char *s;
};

static const struct name xchgs[] = {
	{ XCHG_MAIN, "main mode" },     { XCHG_AGGRESSIVE, "aggressive mode" },
	{ XCHG_INFO, "informational" }, { XCHG_TRANSACTION, "transaction" },
	{ XCHG_QUICK, "quick mode" },
};

static const struct name payloads[] = {
	{ PL_SA, "SA" },
	{ PL_PROPOSAL, "P" },
	{ PL_TRANSFORM, "T" },
	{ PL_KE, "KE" },
	{ PL_ID, "ID" },
	{ PL_CERT, "CERT" },
	{ PL_CERTREQ, "CR" },
	{ PL_HASH, "HASH" },
	{ PL_SIG, "SIG" },
	{ PL_NONCE, "NONCE" },
	{ PL_NOTIFY, "N" },
	{ PL_DELETE, "D" },
	{ PL_VID, "VID" },
	{ PL_ATTR, "ATTR" },
	{ PL_NATD, "NAT-D" },
	{ PL_NATOA, "NAT-OA" },
	{ PL_NATD_DRAFT, "NAT-D" },
	{ PL_NATOA_DRAFT, "NAT-OA" },
	{ PL_FRAGMENT, "FRAG" },
};

static const struct name notifies[] = {
	{ 1, "INVALID-PAYLOAD-TYPE" },
	{ 2, "DOI-NOT-SUPPORTED" },
	{ 3, "SITUATION-NOT-SUPPORTED" },
	{ 4, "INVALID-COOKIE" },
	{ 5, "INVALID-MAJOR-VERSION" },
	{ 6, "INVALID-MINOR-VERSION" },
	{ 7, "INVALID-EXCHANGE-TYPE" },
	{ 8, "INVALID-FLAGS" },
	{ 9, "INVALID-MESSAGE-ID" },
	{ 10, "INVALID-PROTOCOL-ID" },
	{ 11, "INVALID-SPI" },
	{ 12, "INVALID-TRANSFORM-ID" },
	{ 13, "ATTRIBUTES-NOT-SUPPORTED" },
	{ 14, "NO-PROPOSAL-CHOSEN" },
	{ 15, "BAD-PROPOSAL-SYNTAX" },
	{ 16, "PAYLOAD-MALFORMED" },
	{ 17, "INVALID-KEY-INFORMATION" },
	{ 18, "INVALID-ID-INFORMATION" },
	{ 19, "INVALID-CERT-ENCODING" },
	{ 20, "INVALID-CERTIFICATE" },
	{ 21, "CERT-TYPE-UNSUPPORTED" },
	{ 22, "INVALID-CERT-AUTHORITY" },
	{ 23, "INVALID-HASH-INFORMATION" },
	{ 24, "AUTHENTICATION-FAILED" },
	{ 25, "INVALID-SIGNATURE" },
	{ 26, "ADDRESS-NOTIFICATION" },
	{ 27, "NOTIFY-SA-LIFETIME" },
	{ 28, "CERTIFICATE-UNAVAILABLE" },
	{ 29, "UNSUPPORTED-EXCHANGE-TYPE" },
	{ 30, "UNEQUAL-PAYLOAD-LENGTHS" },
	{ 24576, "RESPONDER-LIFETIME" },
	{ 24577, "REPLAY-STATUS" },
	{ 24578, "INITIAL-CONTACT" },
	{ 36136, "R-U-THERE" },
	{ 36137, "R-U-THERE-ACK" },
};

/* RFC 2409 appendix A, RFC 4754 3, draft-ietf-ipsec-isakmp-hybrid-auth-05 3.2.1,
 * draft-beaulieu-ike-xauth-02 7.2. Words for those that are not implemented, too: clients offer them. */
static const struct name auths[] = {
	{ AUTH_PSK, "psk" },
	{ 2, "dss" },
	{ AUTH_RSA_SIG, "rsasig" },
	{ 4, "rsaenc" },
	{ 5, "rsarev" },
	{ AUTH_ECDSA_256, "ecdsa_256" },
	{ AUTH_ECDSA_384, "ecdsa_384" },
	{ AUTH_ECDSA_521, "ecdsa_521" },
	{ AUTH_HYBRID_INIT_RSA, "hybrid_rsa" },
	{ AUTH_XAUTH_PSK, "xauth_psk" },
	{ AUTH_XAUTH_RSA, "xauth_rsa" },
};

static const struct enc_name {
	uint16_t enc, bits;
	const char *s;
} encs[] = {
	{ ENC_AES_CBC, 256, "aes256" },
	{ ENC_AES_CBC, 192, "aes192" },
	{ ENC_AES_CBC, 128, "aes128" },
	{ ENC_3DES_CBC, 0, "3des" },
};

static const struct name hashes[] = {
	{ HASH_SHA256, "sha256" }, { HASH_SHA384, "sha384" }, { HASH_SHA512, "sha512" },
	{ HASH_SHA1, "sha1" },     { HASH_MD5, "md5" },
};

static const struct name groups[] = {
	{ 1, "modp768" },   { 2, "modp1024" },  { 5, "modp1536" },  { 14, "modp2048" },
	{ 15, "modp3072" }, { 16, "modp4096" }, { 17, "modp6144" }, { 18, "modp8192" },
	{ 19, "ecp256" },   { 20, "ecp384" },   { 21, "ecp521" },   { 31, "x25519" },
};

static const struct esp_name {
	enum esp_enc enc;
	uint16_t bits;
	const char *s;
} esps[] = {
	{ ESP_ENC_AES_GCM16, 256, "aes256gcm16" }, { ESP_ENC_AES_GCM16, 192, "aes192gcm16" },
	{ ESP_ENC_AES_GCM16, 128, "aes128gcm16" }, { ESP_ENC_AES_CBC, 256, "aes256" },
	{ ESP_ENC_AES_CBC, 192, "aes192" },        { ESP_ENC_AES_CBC, 128, "aes128" },
	{ ESP_ENC_3DES_CBC, 0, "3des" },
};

static const struct name esp_auths[] = {
	{ ESP_AUTH_SHA256_128, "sha256" }, { ESP_AUTH_SHA256_96, "sha256_96" },
	{ ESP_AUTH_SHA384_192, "sha384" }, { ESP_AUTH_SHA512_256, "sha512" },
	{ ESP_AUTH_SHA1_96, "sha1" },      { ESP_AUTH_MD5_96, "md5" },
};

/* ---- numbers to words ---- */

static const char *lookup(const struct name *t, size_t n, uint16_t v, const char *unknown,
			  char buf[static IKE_NAME_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].s;
	snprintf(buf, IKE_NAME_LEN, "%s#%u", unknown, v);
	return buf;
}

const char *ike_xchg_str(uint8_t v, char buf[static IKE_NAME_LEN])
{
	return lookup(xchgs, ARRAY_SIZE(xchgs), v, "", buf);
}

const char *ike_payload_str(uint8_t v, char buf[static IKE_NAME_LEN])
{
	return lookup(payloads, ARRAY_SIZE(payloads), v, "", buf);
}

const char *ike_notify_str(uint16_t v, char buf[static IKE_NAME_LEN])
{
	return lookup(notifies, ARRAY_SIZE(notifies), v, "", buf);
}

const char *ike_group_str(uint16_t group, char buf[static IKE_NAME_LEN])
{
	return lookup(groups, ARRAY_SIZE(groups), group, "group", buf);
}

const char *ike_auth_str(uint16_t auth, char buf[static IKE_NAME_LEN])
{
	return lookup(auths, ARRAY_SIZE(auths), auth, "auth", buf);
}

const char *ike_p1_str(const struct ike_p1 *p, char buf[static IKE_NAME_LEN])
{
	char e[IKE_NAME_LEN], h[IKE_NAME_LEN], g[IKE_NAME_LEN];
	const char *enc = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(encs); i++)
		if (encs[i].enc == p->enc && encs[i].bits == p->key_len)
			enc = encs[i].s;
	if (!enc) {
		snprintf(e, sizeof(e), p->key_len ? "enc#%u/%u" : "enc#%u", p->enc, p->key_len);
		enc = e;
	}
	snprintf(buf, IKE_NAME_LEN, "%.16s-%.16s-%.16s", enc,
		 lookup(hashes, ARRAY_SIZE(hashes), p->hash, "hash", h),
		 ike_group_str(p->group, g));
	return buf;
}

const char *ike_p2_str(const struct ike_p2 *p, char buf[static IKE_NAME_LEN])
{
	char a[IKE_NAME_LEN];
	const char *enc = "enc?";

	for (size_t i = 0; i < ARRAY_SIZE(esps); i++)
		if (esps[i].enc == p->enc && esps[i].bits == p->key_len)
			enc = esps[i].s;
	if (p->auth == ESP_AUTH_NONE)
		snprintf(buf, IKE_NAME_LEN, "%.16s%s", enc, p->esn ? "-esn" : "");
	else
		snprintf(buf, IKE_NAME_LEN, "%.16s-%.16s%s", enc,
			 lookup(esp_auths, ARRAY_SIZE(esp_auths), (uint16_t)p->auth, "auth", a),
			 p->esn ? "-esn" : "");
	return buf;
}

/* ---- words to numbers ---- */

static bool word_is(struct span w, const char *s)
{
	return span_eq(w, span_str(s));
}

/* The next word before a '-'; an empty span at the end. */
static struct span next_word(struct span *s)
{
	size_t n = 0;

	while (n < s->n && s->p[n] != '-')
		n++;
	struct span w = { s->p, n };

	s->p += n + (n < s->n);
	s->n -= n + (n < s->n);
	return w;
}

/* Something stands behind the last word, be it a lone '-'. */
static bool goes_on(const char *s, struct span rest)
{
	size_t n = strlen(s);

	return rest.n || (n && s[n - 1] == '-');
}

static const struct name *find_word(const struct name *t, size_t n, struct span w)
{
	for (size_t i = 0; i < n; i++)
		if (word_is(w, t[i].s))
			return &t[i];
	return NULL;
}

int ike_group_parse(const char *s, uint16_t *ret)
{
	const struct name *g = find_word(groups, ARRAY_SIZE(groups), span_str(s));
	char *end;
	unsigned long v;

	if (g) {
		*ret = g->v;
		return 0;
	}
	if (*s < '0' || *s > '9')
		return -EINVAL;
	v = strtoul(s, &end, 10);
	for (size_t i = 0; !*end && i < ARRAY_SIZE(groups); i++)
		if (groups[i].v == v) {
			*ret = groups[i].v;
			return 0;
		}
	return -EINVAL;
}

int ike_p1_parse(const char *s, struct ike_p1 *ret, const char **ret_why)
{
	struct span rest = span_str(s), e = next_word(&rest), h = next_word(&rest),
		    g = next_word(&rest);
	const struct name *hash = find_word(hashes, ARRAY_SIZE(hashes), h);
	const struct name *group = find_word(groups, ARRAY_SIZE(groups), g);
	const struct enc_name *enc = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(encs); i++)
		if (word_is(e, encs[i].s))
			enc = &encs[i];
	*ret_why =
		!enc     ? "the cipher is one of aes256, aes192, aes128, 3des"
		: !hash  ? "the hash is one of sha256, sha384, sha512, sha1, md5"
		: !group ? "the group is one of modp768, modp1024, modp1536, modp2048, modp3072, "
			   "modp4096, modp6144, modp8192, ecp256, ecp384, ecp521, x25519"
		: goes_on(s, rest) ? "a proposal is cipher-hash-group, as in aes256-sha256-modp2048"
				   : NULL;
	if (*ret_why)
		return -EINVAL;
	*ret = (struct ike_p1){
		.enc = enc->enc, .key_len = enc->bits, .hash = hash->v, .group = group->v
	};
	return 0;
}

int ike_p2_parse(const char *s, struct ike_p2 *ret, const char **ret_why)
{
	struct span rest = span_str(s), e = next_word(&rest), a = next_word(&rest), last = a;
	const struct name *auth = find_word(esp_auths, ARRAY_SIZE(esp_auths), a);
	const struct esp_name *enc = NULL;
	bool gcm, esn;

	for (size_t i = 0; i < ARRAY_SIZE(esps); i++)
		if (word_is(e, esps[i].s))
			enc = &esps[i];
	gcm = enc && enc->enc == ESP_ENC_AES_GCM16;
	if (!gcm)
		last = next_word(&rest);
	esn = word_is(last, "esn");
	*ret_why = !enc ? "the cipher is one of aes256, aes192, aes128, 3des, aes256gcm16, "
			  "aes192gcm16, aes128gcm16"
		   : gcm && ((a.n && !esn) || goes_on(s, rest))
			   ? "AES-GCM authenticates itself: nothing but esn may follow it"
		   : !gcm && !auth ? "the integrity algorithm is one of sha256, sha256_96, sha384, "
				     "sha512, sha1, md5"
		   : (last.n && !esn) || goes_on(s, rest)
			   ? "a proposal is cipher-integrity or cipher-integrity-esn, as in "
			     "aes256-sha256; the PFS group is set by pfs_group"
			   : NULL;
	if (*ret_why)
		return -EINVAL;
	*ret = (struct ike_p2){ .enc = enc->enc,
				.key_len = enc->bits,
				.auth = gcm ? ESP_AUTH_NONE : (enum esp_auth)auth->v,
				.esn = esn };
	return 0;
}

/* ---- what is weak ---- */

const char *ike_group_weakness(uint16_t group)
{
	switch (group) {
	case 1:
		return "768-bit Diffie-Hellman is broken";
	case 2:
		return "1024-bit Diffie-Hellman is within reach of a state (Logjam)";
	case 5:
		return "1536-bit Diffie-Hellman is below today's floor of 2048";
	default:
		return NULL;
	}
}

const char *ike_p1_weakness(const struct ike_p1 *p)
{
	if (p->enc == ENC_3DES_CBC)
		return "3DES has 64-bit blocks (Sweet32)";
	if (p->hash == HASH_MD5)
		return "MD5 is broken";
	return ike_group_weakness(p->group);
}

const char *ike_p2_weakness(const struct ike_p2 *p)
{
	if (p->enc == ESP_ENC_3DES_CBC)
		return "3DES has 64-bit blocks (Sweet32)";
	if (p->auth == ESP_AUTH_MD5_96)
		return "MD5 is broken";
	if (p->auth == ESP_AUTH_SHA256_96)
		return "SHA2-256 cut to 96 bits is for clients of the 2002 draft only";
	return NULL;
}
