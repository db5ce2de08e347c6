/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xchg.h - what is under way in an ISAKMP SA: phase 1, and the exchanges that run beside one
 * another after it, each with its message ID, IV chain and stored answer (RFC 2409 5.5, app. B).
 */
#pragma once

#include "ike/dh.h"
#include "ike/keymat.h"
#include "ike/sa.h"
#include "ike/sapl.h"

/* Phase 1, from the client's first message to its last. */
struct ike_certs {
	uint8_t n;
	struct span cert[IKE_CERTS_MAX]; /* views bytes */
	uint8_t bytes[];
};

struct ike_nego {
	uint8_t request[16];           /* digest_of() the last message: to know a repetition */
	uint8_t *offer;                /* owned: SAi_b and the chosen transform */
	struct span sa_body;           /* views offer */
	struct sa_answer answer;       /* .transform views offer */
	uint8_t *exchanged;            /* owned: public values and the client's nonce */
	struct span g_i, nonce_i, g_r; /* views of exchanged */
	uint32_t life_s;
	uint8_t nonce_r[20];
	uint8_t *id_r; /* owned: IDir_b, from when the proof of it is made */
	uint16_t id_r_len;
	/* Those of the key that signs, from when it is asked to: the configuration may change until
	 * it has. */
	struct ike_certs *certs; /* owned */
	enum vid_bit natt_vid;
	struct secret skeyid, hash_i; /* hash_i: what the third message must prove */
	uint8_t *reply;               /* owned: our message, for a repeated request */
	size_t reply_len;
	uint32_t received, sent; /* bytes from and to an address that has proved nothing */
	uint8_t resent;          /* repetitions without being asked */
	bool told;               /* what is wrong with the client's proof was noted */
	uint8_t wrong;           /* how many signatures of the client's were */
	uint64_t next_us;        /* next repetition; UINT64_MAX: none */
	struct ike_kept *kept;   /* owned: the message whose signature is being checked */
	uint8_t judged[16];      /* digest_of() the last one whose signature was wrong */
};

struct ike_kept *kept_free(struct ike_kept *k);
struct ike_nego *nego_free(struct ike_nego *n);

enum xchg_kind {
	XCHG_KIND_XAUTH,  /* our request for name and password */
	XCHG_KIND_STATUS, /* our verdict */
	XCHG_KIND_CONFIG, /* the client asks for its configuration */
	XCHG_KIND_PUSH,   /* we tell it unasked */
	XCHG_KIND_QUICK,
	XCHG_KIND_PHASE1, /* our last message of main mode, for a client that repeats its own */
	XCHG_KIND_DELETE, /* our Delete, repeated a few times: nobody acknowledges it */
	XCHG_KIND_NOTIFY, /* the same with what we tell */
};

/* Quick Mode between its messages. Either side may have begun it. */
struct ike_quick {
	uint32_t child; /* number of the pair under way */
	bool by_gateway;
	/* 20 bytes: vpnc can answer to no other length, and keys with just so many. */
	uint8_t nonce_own[20], nonce_peer[256];
	uint16_t nonce_peer_len; /* 0: its message is awaited */
	struct p2_choice choice; /* .answer.transform views `transform`, .ipcomp's what follows */
	uint8_t transform[512];
	uint8_t ipcomp_transform[128];
	uint8_t id_ci[64], id_cr[64]; /* bodies for our answer: as sent, or narrowed */
	uint8_t id_ci_len, id_cr_len;
	bool has_ids, clamp_life;
	struct quick_dh {
		uint8_t g_own[1024]; /* our public value */
		uint16_t g_own_len;
		uint8_t x[DH_PRIVATE_MAX]; /* our private one, until the client's is there */
		uint8_t x_len;
	} * dh; /* owned; NULL without PFS */
};

static inline struct span quick_ni(const struct ike_quick *q)
{
	return q->by_gateway ? SPAN_OF(q->nonce_own)
			     : (struct span){ q->nonce_peer, q->nonce_peer_len };
}

static inline struct span quick_nr(const struct ike_quick *q)
{
	return q->by_gateway ? (struct span){ q->nonce_peer, q->nonce_peer_len }
			     : SPAN_OF(q->nonce_own);
}

struct ike_xchg {
	struct ike_xchg *next; /* owned */
	enum xchg_kind kind;
	uint8_t type; /* exchange type on the wire */
	uint32_t msgid, serial;
	bool ours;     /* we started it */
	bool done;     /* finished; kept to answer a repetition */
	bool answered; /* `out` is the answer to the request with digest `request` */
	uint8_t iv[IKE_BLOCK_MAX];
	uint8_t request[16];
	uint8_t *out; /* owned: last message sent */
	size_t out_len;
	uint8_t resent;
	uint64_t next_us;        /* next repetition; UINT64_MAX: none */
	uint64_t forget_us;      /* end of the exchange or of its memory */
	struct ike_quick *quick; /* owned */
};

struct ike_xchg *xchg_free(struct ike_xchg *x);

/* Finds by message ID and type, whoever started it. */
struct ike_xchg *xchg_find(const struct ike_sa *sa, uint8_t type, uint32_t msgid);
struct ike_xchg *xchg_by_serial(const struct ike_sa *sa, uint32_t serial);
struct ike_xchg *xchg_by_kind(const struct ike_sa *sa, enum xchg_kind kind);

/* A new one at the head of the list; the oldest finished one makes room. NULL: at the limit. */
struct ike_xchg *xchg_add(struct ike_sa *sa, enum xchg_kind kind, uint8_t type, uint32_t msgid,
			  uint64_t now);

/* Takes it out of the list and frees it. */
void xchg_remove(struct ike_sa *sa, struct ike_xchg *x);

/* Keeps `out` (copied) as the message to repeat. 0 or -ENOMEM. */
int xchg_store(struct ike_xchg *x, struct span out);

/* Message IDs of finished exchanges (N155, N237: a message ID is accepted once). */
bool used_id(const struct ike_sa *sa, uint32_t msgid);
int use_id(struct ike_sa *sa, uint32_t msgid); /* 0, -ENOMEM, -ENOSPC at the limit */

/* SA pairs. */
struct ike_child *child_find(const struct ike_sa *sa, uint32_t number);
void child_remove(struct ike_sa *sa, struct ike_child *c); /* takes it out and frees it */
struct ike_out_keys *child_out_free(struct ike_out_keys *k);
