/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.h - wire numbers and the words for them: RFC 2407, 2408, 2409, 3526, 3947, 5903, 8031.
 *
 * Proposals are written the way strongSwan and racoon users know: "aes256-sha256-modp2048" for
 * phase 1, "aes256-sha256" or "aes256gcm16" for phase 2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "ike/conf.h"

enum ike_xchg_type { /* RFC 2408 3.1, draft-dukes-ike-mode-cfg-02 3.1 */
	XCHG_MAIN = 2,
	XCHG_AGGRESSIVE = 4,
	XCHG_INFO = 5,
	XCHG_TRANSACTION = 6,
	XCHG_QUICK = 32,
};

enum ike_payload { /* RFC 2408 3.1, RFC 3947 5, drafts */
	PL_NONE = 0,
	PL_SA = 1,
	PL_PROPOSAL = 2,
	PL_TRANSFORM = 3,
	PL_KE = 4,
	PL_ID = 5,
	PL_CERT = 6,
	PL_CERTREQ = 7,
	PL_HASH = 8,
	PL_SIG = 9,
	PL_NONCE = 10,
	PL_NOTIFY = 11,
	PL_DELETE = 12,
	PL_VID = 13,
	PL_ATTR = 14,
	PL_NATD = 20,
	PL_NATOA = 21,
	PL_NATD_DRAFT = 130,
	PL_NATOA_DRAFT = 131,
	PL_FRAGMENT = 132,
};

#define ISAKMP_FLAG_ENCRYPTED 0x01
#define ISAKMP_DOI_IPSEC      1
#define ISAKMP_SIT_IDENTITY   1

enum ike_proto { /* RFC 2407 4.4.1 */
	PROTO_ISAKMP = 1,
	PROTO_AH = 2,
	PROTO_ESP = 3,
	PROTO_IPCOMP = 4,
};

#define IPCOMP_DEFLATE 2   /* transform: RFC 2407 4.4.5 */
#define CPI_MIN        256 /* of those that are negotiated: RFC 3173 3.3 */
#define CPI_MAX        61439

enum ike_enc { /* RFC 2409 appendix A */
	ENC_3DES_CBC = 5,
	ENC_AES_CBC = 7,
};

enum ike_hash {
	HASH_MD5 = 1,
	HASH_SHA1 = 2,
	HASH_SHA256 = 4,
	HASH_SHA384 = 5,
	HASH_SHA512 = 6,
};

enum ike_auth_method {
	AUTH_PSK = 1,       /* RFC 2409 appendix A */
	AUTH_RSA_SIG = 3,   /* the same */
	AUTH_ECDSA_256 = 9, /* RFC 4754 3, as are the next */
	AUTH_ECDSA_384 = 10,
	AUTH_ECDSA_521 = 11,
	AUTH_XAUTH_PSK = 65001,       /* draft-beaulieu-ike-xauth-02 7.2: XAUTHInitPreShared */
	AUTH_XAUTH_RSA = 65005,       /* the same: XAUTHInitRSA */
	AUTH_HYBRID_INIT_RSA = 64221, /* draft-ietf-ipsec-isakmp-hybrid-auth-05 3.2.1 */
};

static inline bool auth_is_psk(uint16_t auth)
{
	return auth == AUTH_PSK || auth == AUTH_XAUTH_PSK;
}

static inline bool auth_is_ecdsa(uint16_t auth)
{
	return auth >= AUTH_ECDSA_256 && auth <= AUTH_ECDSA_521;
}

enum ike_notify_type { /* RFC 2408 3.14.1, RFC 2407 4.6.3, RFC 3706 */
	N_INVALID_PAYLOAD_TYPE = 1,
	N_NO_PROPOSAL_CHOSEN = 14,
	N_PAYLOAD_MALFORMED = 16,
	N_INVALID_KEY_INFORMATION = 17,
	N_INVALID_ID_INFORMATION = 18,
	N_AUTHENTICATION_FAILED = 24,
	N_RESPONDER_LIFETIME = 24576,
	N_INITIAL_CONTACT = 24578,
	N_R_U_THERE = 36136,
	N_R_U_THERE_ACK = 36137,
};

enum ike_id_type { /* RFC 2407 4.6.2.1 */
	ID_IPV4_ADDR = 1,
	ID_FQDN = 2,
	ID_USER_FQDN = 3,
	ID_IPV4_ADDR_SUBNET = 4,
	ID_IPV6_ADDR = 5,
	ID_IPV6_ADDR_SUBNET = 6,
	ID_IPV4_ADDR_RANGE = 7,
	ID_IPV6_ADDR_RANGE = 8,
	ID_DER_ASN1_DN = 9,
	ID_KEY_ID = 11,
};

enum ike_cfg_type { /* draft-dukes-ike-mode-cfg-02 3.3 */
	CFG_REQUEST = 1,
	CFG_REPLY = 2,
	CFG_SET = 3,
	CFG_ACK = 4,
};

/* Big enough for any name below, NUL included. */
#define IKE_NAME_LEN 64

/* Names for numbers off the wire; an unknown one is written as "#N" into buf. */
const char *ike_xchg_str(uint8_t v, char buf[static IKE_NAME_LEN]);
const char *ike_payload_str(uint8_t v, char buf[static IKE_NAME_LEN]);
const char *ike_notify_str(uint16_t v, char buf[static IKE_NAME_LEN]);

/* The configuration's words: "hybrid_rsa"; an unknown one is "auth#N". */
const char *ike_auth_str(uint16_t auth, char buf[static IKE_NAME_LEN]);

/* "aes256-sha256-modp2048"; unknown parts as "enc#N", "hash#N", "group#N". */
const char *ike_p1_str(const struct ike_p1 *p, char buf[static IKE_NAME_LEN]);
/* "aes256-sha256_96", "aes128gcm16". */
const char *ike_p2_str(const struct ike_p2 *p, char buf[static IKE_NAME_LEN]);
const char *ike_group_str(uint16_t group, char buf[static IKE_NAME_LEN]);

/*
 * From text. 0, or -EINVAL with *ret_why set to static text that says which part is wrong and what
 * is expected there. A group is a name ("modp2048", "ecp256", "x25519") or its number ("14").
 */
int ike_p1_parse(const char *s, struct ike_p1 *ret, const char **ret_why);
int ike_p2_parse(const char *s, struct ike_p2 *ret, const char **ret_why);
int ike_group_parse(const char *s, uint16_t *ret);

/* NULL, or what is weak about it ("3DES has 64-bit blocks"). */
const char *ike_p1_weakness(const struct ike_p1 *p);
const char *ike_p2_weakness(const struct ike_p2 *p);
const char *ike_group_weakness(uint16_t group);
