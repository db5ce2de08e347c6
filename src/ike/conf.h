/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * conf.h - what the IKE core needs to know of the configuration.
 *
 * Filled by the shell, constant while the core uses it. Spans are borrowed and outlive the core.
 */
#pragma once

#include "addr.h"
#include "bounds.h"
#include "bytes.h"
#include "ike/fx.h"
#include "ike/idmatch.h"

struct psk_table;

#define IKE_P1_MAX     32
#define IKE_P2_MAX     32
#define IKE_GROUPS_MAX 16
#define IKE_CERTS_MAX  4
#define IKE_CAS_MAX    8
#define IKE_MODES_MAX  4
#define IKE_AUTH_MAX   8

/* Phase 1 proposal: the wire numbers of RFC 2409 appendix A. */
struct ike_p1 {
	uint16_t enc;     /* 5 3DES-CBC, 7 AES-CBC */
	uint16_t key_len; /* bits; 0 for 3DES */
	uint16_t hash;    /* 1 MD5, 2 SHA1, 4 SHA2-256, 5 SHA2-384, 6 SHA2-512 */
	uint16_t group;   /* 1 2 5 14-18 MODP, 19-21 ECP, 31 X25519 */
};

/* Phase 2 proposal. */
struct ike_p2 {
	enum esp_enc enc;
	uint16_t key_len; /* bits, without the salt; 0 for 3DES */
	enum esp_auth auth;
	bool esn; /* extended sequence numbers, 64 bits (RFC 4304) */
};

enum ike_natt {
	IKE_NATT_OFF,   /* never */
	IKE_NATT_ON,    /* where a NAT is detected */
	IKE_NATT_FORCE, /* with every client that can */
};

enum ike_frag {         /* messages in fragments */
	IKE_FRAG_OFF,   /* neither sent nor taken */
	IKE_FRAG_ON,    /* taken; sent to clients that say or show that they know them */
	IKE_FRAG_FORCE, /* sent to every client */
};

#define IKE_FRAG_SIZE_MIN 296  /* bytes of a datagram: what slow lines had as their MTU */
#define IKE_FRAG_SIZE_MAX 1452 /* what Ethernet carries with IPv6 */

enum ike_split {
	IKE_SPLIT_NONE,      /* all traffic goes through the gateway */
	IKE_SPLIT_INCLUDE,   /* only these networks do */
	IKE_SPLIT_LOCAL_LAN, /* all but these networks do */
};

enum ike_my_id {
	IKE_ID_ASN1DN,  /* my_id: the certificate's subject, DER */
	IKE_ID_FQDN,    /* my_id: the name */
	IKE_ID_ADDRESS, /* the address that the client sent to */
};

/* IPComp (RFC 3173), where a client offers it. */
enum ike_compression {
	IKE_COMPRESSION_NONE,
	IKE_COMPRESSION_DEFLATE,
};

/* proposal_check: check.h says what each means. */
enum ike_check {
	IKE_CHECK_CLAIM,
	IKE_CHECK_OBEY,
	IKE_CHECK_STRICT,
	IKE_CHECK_EXACT,
};

/* A login of somebody who has as many sessions as allowed; strongSwan's words. */
enum ike_unique {
	IKE_UNIQUE_NEVER,   /* nothing is unique: refused only where sessions_per_user bounds */
	IKE_UNIQUE_KEEP,    /* the session stays, the login is refused */
	IKE_UNIQUE_REPLACE, /* the oldest session goes */
};

/* What mode config hands out; see RFC draft-dukes-ike-mode-cfg-02 and Cisco Unity. */
struct ike_modecfg {
	uint8_t netmask_len; /* INTERNAL_IP4_NETMASK as a prefix length */
	struct ipaddr dns[LIMIT_SERVERS], nbns[LIMIT_SERVERS], dns6[LIMIT_SERVERS];
	uint8_t n_dns, n_nbns, n_dns6;
	struct span default_domain, banner, split_dns, backup_servers, version;
	enum ike_split split;
	struct prefix split_net[LIMIT_SPLIT_NETS]; /* of either family */
	uint8_t n_split;
	bool save_passwd;
	uint16_t pfs_group; /* UNITY_PFS: 0 when the gateway does not ask for PFS */
	uint16_t natt_port; /* UNITY_NATT_PORT */
};

/* What a session may be, as ike_conf has it for those without a profile. */
struct ike_limits {
	uint64_t session_us, idle_us;
	enum ike_unique unique;
	uint32_t sessions_per_user;
};

/* Settings for some clients: profile.h says for whom. Without any of both, for nobody. */
struct ike_profile {
	const char *name, *pool;
	const struct id_match *id; /* match_id */
	char *const *group;        /* match_group */
	uint8_t n_ids, n_groups;
	/* Phase 1 of clients that match_id fits; none: as in ike_conf. */
	uint16_t mode[IKE_MODES_MAX], auth[IKE_AUTH_MAX];
	uint8_t n_modes, n_auth;
	bool aggressive_psk; /* both were said here: a shared key in aggressive mode */
	struct ike_modecfg modecfg;
	struct ike_limits limits;
};

struct ike_conf {
	uint16_t mode[IKE_MODES_MAX]; /* phase 1 exchange types that are answered */
	uint8_t n_modes;
	uint16_t auth[IKE_AUTH_MAX]; /* authentication methods, in order of preference */
	uint8_t n_auth;
	const struct psk_table *psk;  /* shared keys (psk.h); NULL: none */
	struct ike_p1 p1[IKE_P1_MAX]; /* in order of preference */
	uint8_t n_p1;
	uint32_t p1_life_s;
	struct ike_p2 p2[IKE_P2_MAX];
	uint8_t n_p2;
	uint16_t
		pfs_group[IKE_GROUPS_MAX]; /* empty: PFS only if the client asks, in any p1 group */
	uint8_t n_pfs;
	uint32_t p2_life_s;
	enum ike_compression compression;
	enum ike_check check;
	enum ike_natt natt;
	uint64_t natt_keepalive_us; /* longest silence towards a client on port 4500; 0: any */
	enum ike_frag frag;
	uint32_t frag_size;       /* longest IKE datagram, bytes of UDP payload */
	uint64_t retransmit_us;   /* first wait */
	uint8_t retransmit_tries; /* repetitions after the first sending */
	double retransmit_factor; /* each wait is this much longer */
	uint64_t dpd_delay_us;    /* silence before the client is asked; 0: never */
	uint64_t dpd_retry_us;    /* between questions */
	uint32_t dpd_maxfail; /* questions without an answer that end the session; at most 255 */
	uint64_t session_limit_us, idle_limit_us; /* 0: none */
	enum ike_unique unique;
	uint32_t sessions_per_user; /* 0: one where unique says so, else no bound */
	uint32_t half_open_total, half_open_source;
	uint64_t auth_timeout_us;
	uint32_t xauth_tries; /* passwords in one phase 1; 0 and 1: a wrong one is the last */
	enum ike_my_id my_id_type;
	struct span my_id;
	struct span cert[IKE_CERTS_MAX]; /* DER, leaf first */
	uint8_t n_certs;
	struct span ca[IKE_CAS_MAX]; /* names of the CAs of clients, DER; none: any is asked for */
	uint8_t n_cas;
	struct ike_modecfg modecfg;
	const struct ike_profile *profile; /* in order, each with a name of its own */
	uint8_t n_profiles;
};
