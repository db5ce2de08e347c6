/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fx.h - what the IKE core asks of the shell, as plain data.
 *
 * The core never acts. It appends effects to a list; the shell carries them out in order and
 * reports what took time through the ike_*_done() calls of ike.h, which may append more. Spans in
 * an effect point into the list's own arena or into the configuration: they hold until fx_reset().
 */
#pragma once

#include <stdint.h>

#include "addr.h"
#include "bounds.h"
#include "bytes.h"

/* Names a session without owning it: stale once the slot is used again. */
struct sess_id {
	uint32_t slot, gen;
};

/* Names one thing under way in a session; comes back with its completion. */
struct ike_ticket {
	struct sess_id who;
	uint32_t serial;
};

enum fx_kind {
	FX_SEND,      /* send a datagram */
	FX_DH,        /* make a key pair and a shared secret; answer with ike_dh_done() */
	FX_SIGN,      /* sign a hash with the gateway's key; answer with ike_sign_done() */
	FX_PROOF,     /* check the client's certificate and signature; answer: ike_proof_done() */
	FX_AUTH,      /* check a password; answer with ike_auth_ask(), ike_auth_done() */
	FX_ANSWER,    /* what the user says to ike_auth_ask(); then as FX_AUTH */
	FX_AGAIN,     /* a login has failed, and the user may try again */
	FX_LEASE,     /* take an address for the user; answer with ike_lease_done() */
	FX_CHILD_ADD, /* install an SA pair, or a part of it; answer with ike_child_done() */
	FX_CHILD_DEL, /* remove them */
	FX_UP,        /* the session carries traffic: its first SA pair is confirmed */
	FX_REKEY,     /* keys were renewed: another pair, or another ISAKMP SA */
	FX_DOWN,      /* a session, or a login after phase 1, has ended: release its lease */
	FX_NOTE,      /* something worth a rate-limited line */
	/* The client is elsewhere: its pair follows; on failure no SA of it stays: ike_child_lost() */
	FX_CHILD_MOVE,
	/* A session has another peer address or port. */
	FX_MOVED,
	/* Twice in natt_keepalive: send one byte 0xff (RFC 3948 2.3) unless ESP has gone there. */
	FX_KEEPALIVE,
};

/* Why a session ended, a login failed or a message was refused. */
enum ike_reason {
	IKE_R_NONE,
	IKE_R_CLIENT_LEFT,      /* the client deleted the ISAKMP SA */
	IKE_R_KICKED,           /* the operator ended it */
	IKE_R_SHUTDOWN,         /* the gateway stops */
	IKE_R_DPD_TIMEOUT,      /* dpd_maxfail questions without an answer */
	IKE_R_SESSION_LIMIT,    /* session_limit since the login */
	IKE_R_IDLE,             /* idle_limit without a packet in the tunnel */
	IKE_R_REPLACED,         /* a newer login of the same user took its place */
	IKE_R_UNIQUE,           /* unique = keep, and the user has a session */
	IKE_R_TOO_MANY_OF_USER, /* the user has sessions_per_user */
	IKE_R_PROFILE_PHASE1,   /* the profile of its identity does not allow how it began */
	IKE_R_PROFILE,          /* the client asks for a profile that is closed to the user */
	IKE_R_LIFETIME,         /* the ISAKMP SA reached its lifetime */
	IKE_R_MESSAGE_IDS,      /* LIMIT_MESSAGE_IDS used up */
	IKE_R_NO_THIRD,         /* phase 1 was not finished in time */
	IKE_R_EVICTED,          /* made room for a newer half-open exchange */
	IKE_R_CLIENT_SILENT,    /* the client stopped answering during the login */
	IKE_R_NOT_UP,           /* logged in, but no SA pair within auth_timeout */
	IKE_R_AUTH_FAILED,      /* vpngw-authd said no */
	IKE_R_AUTH_UNAVAILABLE, /* vpngw-authd did not answer */
	IKE_R_CLIENT_REFUSED,   /* the client gave up the login */
	IKE_R_BAD_CREDENTIALS,  /* the answer to XAuth is not a usable name and password */
	IKE_R_IDENTITY,         /* psk: the identity is no usable name */
	IKE_R_NO_ANSWER,        /* the client knows name and password, but was asked for more */
	IKE_R_XAUTH_ROUNDS,     /* LIMIT_XAUTH_ROUNDS questions, and another one */
	IKE_R_POOL_EXHAUSTED,   /* no address left */
	IKE_R_ADDRESS_TAKEN,    /* the user's own address is in use or in no pool */
	IKE_R_KERNEL,           /* the kernel refused the SA pair */
	IKE_R_INTERNAL,         /* out of memory, or a failed crypto job */
	IKE_R_NO_PROPOSAL_P1,   /* no common phase 1 proposal */
	IKE_R_NO_PROPOSAL_P2,   /* no common phase 2 proposal */
	IKE_R_ID_REFUSED,       /* Quick Mode identities other than the lease and what is offered */
	IKE_R_REKEY_FAILED,     /* a Quick Mode of ours was refused or not answered */
	IKE_R_PFS_MISMATCH,     /* PFS wanted by one side only, or another group */
	IKE_R_TOO_MANY_HALF_OPEN,
	IKE_R_TOO_MANY_FROM_PEER,
	IKE_R_SHARED_KEY,  /* message 5 does not decrypt: the client has another shared key */
	IKE_R_CERTIFICATE, /* the client's certificate will not do, or there is none */
	IKE_R_SIGNATURE,   /* it is not by the key of the certificate beside it */
	IKE_R_BUSY,        /* LIMIT_CRYPTO_PENDING jobs under way */

	IKE_R_FRAGMENTS_OFF,   /* a client sends fragments, and ike_frag is off */
	IKE_R_FRAGMENTS_LIMIT, /* LIMIT_FRAG_SETS messages from one source wait for fragments */
	IKE_R__COUNT,
};

/* ESP as the kernel will run it. Keys are in bits of the names' own algorithms. */
enum esp_enc {
	ESP_ENC_AES_CBC,
	ESP_ENC_3DES_CBC,
	ESP_ENC_AES_GCM16,
};

enum esp_auth {
	ESP_AUTH_NONE, /* with AES-GCM */
	ESP_AUTH_MD5_96,
	ESP_AUTH_SHA1_96,
	ESP_AUTH_SHA256_128,
	ESP_AUTH_SHA256_96, /* the truncation of the 2002 draft */
	ESP_AUTH_SHA384_192,
	ESP_AUTH_SHA512_256,
};

/* What of a pair goes into the kernel at once. */
enum ike_part {
	IKE_PART_NONE,
	IKE_PART_BOTH, /* both SAs and the policies */
	IKE_PART_IN,   /* the inbound SA: another pair of the set has made the policies */
	IKE_PART_OUT,  /* later, the rest */
};

#define ESP_ENC_KEY_MAX  36 /* AES-256 and the GCM salt of 4 bytes (RFC 4106 8.1) */
#define ESP_AUTH_KEY_MAX 64
#define IKE_SELECTORS    LIMIT_SPLIT_NETS
#define IKE_SETS         16

/* Traffic of one protocol, or between certain ports of it (RFC 2407 4.6.2). */
struct ike_upper {
	uint8_t proto;                 /* 0: any, and any port */
	uint16_t inner_port, net_port; /* the client's, and behind the gateway; 0: any */
};

/* One SA pair and the policies that use it. The remote selector is always the leased address. */
struct ike_child_fx {
	uint32_t child;     /* names the pair within the session */
	enum ike_part part; /* FX_CHILD_ADD; FX_CHILD_DEL: IN or BOTH, what there is of the SAs */
	uint8_t set; /* below IKE_SETS: pairs of the session with the same policies share it */
	uint32_t spi_in, spi_out; /* host order; spi_in is ours */
	/* IPComp in tunnel mode around the packets, and ESP in transport mode around that; 0: ESP in
	 * tunnel mode alone. */
	uint16_t cpi_in, cpi_out;
	struct endpoint local, peer;
	bool encap; /* ESP in UDP (RFC 3948) between these two ports */
	enum esp_enc enc;
	enum esp_auth auth;
	bool esn;
	uint8_t enc_len, auth_len; /* bytes of each key below */
	/* Set for FX_CHILD_ADD only, and of the part that it is about. */
	uint8_t enc_in[ESP_ENC_KEY_MAX], enc_out[ESP_ENC_KEY_MAX];
	uint8_t auth_in[ESP_AUTH_KEY_MAX], auth_out[ESP_AUTH_KEY_MAX];
	struct ipaddr inner;               /* the lease of that family */
	struct prefix nets[IKE_SELECTORS]; /* behind the gateway, all of one family */
	uint8_t n_nets;
	struct ike_upper upper;
	uint64_t soft_bytes, hard_bytes; /* when ike_child_expired() is called; 0: no bound */
	bool keep_policies; /* FX_CHILD_DEL: another pair of the session uses the same ones */
};

/* A session as it was when it came up or ended: the core may have forgotten it by now. */
struct fx_session {
	char name[9]; /* as ike_session_name() gives it */
	char user[LIMIT_USER + 1], client[LIMIT_CLIENT_NAME + 1];
	char profile[LIMIT_GROUP_NAME + 1]; /* empty: none */
	struct endpoint peer;
	struct ipaddr lease;  /* family IP_NONE: none */
	struct ipaddr lease6; /* IPv6, where the client has asked for one */
	uint64_t since_us;    /* logged in at; 0: never */
	uint64_t heard_us;    /* the client was heard of last */
	bool logged_in;
	bool asked;             /* a question beyond name and password was open */
	enum ike_reason reason; /* FX_DOWN */
	struct endpoint from;   /* FX_MOVED: where it was */
	bool by_gateway;        /* FX_REKEY: who began */
	bool of_isakmp;         /* FX_REKEY: of what */
};

/* What the client proves itself with, all of it the client's word but the hash. */
struct fx_proof {
	struct span hash; /* HASH_I: what it must have signed */
	struct span
		sig;    /* RSA without DigestInfo (RFC 2409 5.1), or ECDSA's r and s (RFC 4754 3) */
	uint16_t auth;  /* the method, which says which of them */
	struct span id; /* IDii_b: type, protocol, port, data */
	struct span cert[LIMIT_CLIENT_CERTS]; /* DER, its own first; at least one */
	uint8_t n_certs;
};

struct fx_item {
	enum fx_kind kind;
	struct ike_ticket who;
	union {
		struct { /* FX_SEND, FX_KEEPALIVE */
			struct endpoint local, peer;
			struct span data; /* the ISAKMP message, without a non-ESP marker */
			bool natt;        /* put the non-ESP marker in front (RFC 3948 2.2) */
		} send;
		struct {
			uint16_t group;
			struct span peer_public; /* empty: a key pair alone, as initiator */
			struct span secret;      /* the private value from then; empty: a new one */
		} dh;
		struct {
			struct span hash;
		} sign;
		const struct fx_proof *proof; /* FX_PROOF; in the arena */
		struct {
			struct span user, password;
		} auth;
		struct {
			bool given; /* false: there is none, and the check is of no use any more */
			struct span text;
		} answer;
		struct {
			struct ipaddr prefer; /* of a session that gave way; may be IP_NONE */
			const char *pool;     /* of the configuration */
		} lease;
		struct ike_child_fx *child; /* FX_CHILD_ADD, FX_CHILD_DEL; in the arena */
		struct {
			struct ike_child_fx *child; /* as installed; in the arena */
			struct endpoint to;         /* another address, or another port only */
		} move;
		const struct fx_session
			*session; /* FX_UP, FX_REKEY, FX_DOWN, FX_AGAIN, FX_MOVED; in the arena */
		struct {
			enum ike_reason reason;
			struct endpoint peer;
			struct span detail; /* text made by the core, safe to show */
		} note;
	};
};

#define FX_MAX   160
#define FX_ARENA (128 * 1024)
#define FX_ROOM  (48 * 1024) /* arena bytes that one message or timer may need */

/* Items that one message or timer may need. */
#define FX_HEADROOM (32 + LIMIT_FRAG_SENT)

struct fx {
	unsigned n;
	size_t used;
	bool overflow; /* something was dropped: the core's limits are wrong */
	struct fx_item v[FX_MAX];
	uint8_t arena[FX_ARENA];
};

/* Forgets all effects and wipes what their spans held. */
void fx_reset(struct fx *fx);

/* True while one more message or timer may be given to the core. */
bool fx_has_room(const struct fx *fx);

/* The new item, or a scratch item with fx->overflow set when the list is full. */
struct fx_item *fx_add(struct fx *fx, enum fx_kind kind, struct ike_ticket who);

/* n bytes of arena, aligned for any object; NULL with fx->overflow set when it is full. */
void *fx_space(struct fx *fx, size_t n);

/* A copy of `s` in the arena. */
struct span fx_copy(struct fx *fx, struct span s);
