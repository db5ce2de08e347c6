/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ike.h - the IKEv1 responder: the only header of ike/ that the shell needs beside fx.h and conf.h.
 *
 * The core holds every exchange and session. It is given datagrams, completions and the time, and
 * answers with effects (fx.h). It opens nothing, waits for nothing and reads no clock; `now` is a
 * clock in microseconds that never goes back and goes on during suspend (CLOCK_BOOTTIME).
 *
 * Standards: RFC 2407, 2408, 2409 (IKEv1), 3706 (DPD), 3947 and 3948 (NAT traversal),
 * draft-ietf-ipsec-isakmp-hybrid-auth-05, draft-beaulieu-ike-xauth-02, draft-dukes-ike-mode-cfg-02.
 */
#pragma once

#include "addr.h"
#include "bytes.h"
#include "ike/conf.h"
#include "ike/fx.h"

struct ike;
struct ike_sa;

/* The source of randomness: a parameter, so that a test can repeat a run. */
struct ike_rng {
	void (*fill)(void *ctx, void *out, size_t n);
	void *ctx;
};

/* conf is borrowed and outlives the core. 0 or -ENOMEM. */
int ike_new(const struct ike_conf *conf, struct ike_rng rng, struct ike **ret);
struct ike *ike_free(struct ike *ike);

/*
 * Another configuration from here on, borrowed as the first was; the earlier one is not looked at
 * again. Sessions keep what they have agreed on and been told, times that are not negotiated (DPD,
 * keepalives, limits) hold for them, too. A login under way goes on: what it has chosen stays
 * chosen, and the certificate that it shows is that of the key which was asked to sign.
 */
void ike_set_conf(struct ike *ike, const struct ike_conf *conf, uint64_t now);

/* ---- events ---- */

struct ike_dgram {
	struct endpoint peer, local;
	bool natt;        /* came with a non-ESP marker, which is already removed */
	struct span data; /* the ISAKMP message */
};

void ike_input(struct ike *ike, const struct ike_dgram *d, uint64_t now, struct fx *fx);

/* Runs what is due; call again while ike_deadline() <= now. */
void ike_tick(struct ike *ike, uint64_t now, struct fx *fx);

/* When ike_tick() has something to do; UINT64_MAX: never. */
uint64_t ike_deadline(const struct ike *ike);

/*
 * The kernel has taken a packet of ESP in UDP, authentic and no replay, for this inbound SPI from
 * another source than the SA pair has. One that is not ours, or not where it was, has no effect.
 */
void ike_moved(struct ike *ike, uint32_t spi, const struct endpoint *from,
	       const struct endpoint *to, uint64_t now, struct fx *fx);

/* ---- completions; a stale ticket is ignored ---- */

/* err < 0: the group is unknown or the client's value is not a valid member (RFC 2409 5). For a key
 * pair alone `shared` is its private value, which the core gives back for the second half. */
void ike_dh_done(struct ike *ike, struct ike_ticket who, int err, struct span public_value,
		 struct span shared, uint64_t now, struct fx *fx);
void ike_sign_done(struct ike *ike, struct ike_ticket who, int err, struct span sig, uint64_t now,
		   struct fx *fx);

enum ike_proof {
	IKE_PROOF_OK,
	IKE_PROOF_FORGED,  /* not signed by the key of this certificate: anybody's message */
	IKE_PROOF_REFUSED, /* signed by it, but it is not one that lets in */
	IKE_PROOF_FAILED,  /* nobody could tell */
};

/* text: whose certificate it is, for a login without a password; else what is wrong, and which setting
 * to look at. Either may hold anything. */
void ike_proof_done(struct ike *ike, struct ike_ticket who, enum ike_proof v, const char *text,
		    uint64_t now, struct fx *fx);

enum ike_verdict {
	IKE_AUTH_OK,
	IKE_AUTH_NO,          /* wrong name or password, or not allowed in */
	IKE_AUTH_UNAVAILABLE, /* nobody could tell */
};

/* What a user may be asked for beyond name and password. */
enum ike_ask {
	IKE_ASK_ANSWER,   /* anything; may be seen while it is typed */
	IKE_ASK_PASSCODE, /* a token's code, or another secret */
	IKE_ASK_PIN,      /* a new secret, for the next time */
};

/*
 * Before ike_auth_done(): a question to the user, text_is_clean() and at most LIMIT_PROMPT bytes. Its
 * answer, or that there is none, leaves as FX_ANSWER with a ticket of its own. False: it is not asked,
 * and nobody waits for the verdict.
 */
bool ike_auth_ask(struct ike *ike, struct ike_ticket who, enum ike_ask what, struct span prompt,
		  uint64_t now, struct fx *fx);

/* The groups that a user is in, and what else the verdict says. */
struct ike_groups {
	const char (*name)[LIMIT_GROUP_NAME + 1];
	unsigned n;
	uint32_t session_s; /* how long the session may last from now on; 0: as configured */
};

/* groups: with IKE_AUTH_OK; NULL for a user who is in none. */
void ike_auth_done(struct ike *ike, struct ike_ticket who, enum ike_verdict v,
		   const struct ike_groups *groups, uint64_t now, struct fx *fx);

/* reason: IKE_R_NONE with the address, or why there is none. addr6: an IPv6 address that is the
 * client's as long as that one is; family IP_NONE: none. False: the ticket is stale, and the address
 * goes back to the pool. */
bool ike_lease_done(struct ike *ike, struct ike_ticket who, enum ike_reason reason,
		    const struct ipaddr *addr, const struct ipaddr *addr6, uint64_t now,
		    struct fx *fx);

/* err < 0: nothing of the pair was left in the kernel. False: the ticket is stale, and an installed
 * pair must be taken out again. */
bool ike_child_done(struct ike *ike, struct ike_ticket who, uint32_t child, int err, uint64_t now,
		    struct fx *fx);

/* Bytes of the keys that ike_child_fx has for these algorithms. */
size_t ike_esp_enc_len(const struct ike_p2 *alg);
size_t ike_esp_auth_len(enum esp_auth auth);

/* FX_CHILD_MOVE failed: the pair's SAs are in the kernel no more. */
void ike_child_lost(struct ike *ike, struct sess_id who, uint32_t child, uint64_t now,
		    struct fx *fx);

/* ---- traffic ---- */

/*
 * Packets have gone through the session's tunnel since the last call; from_client: some came from
 * the client, which is a sign of life. No work is done here, so it may be called for every session
 * every few seconds; a stale id is ignored.
 */
void ike_traffic(struct ike *ike, struct sess_id id, bool from_client, uint64_t now);

/*
 * The kernel has seen the volume of an SA go by: the part after which it is renewed or, `hard`, all
 * of it, and the SA is gone. slot is that of the session when it was installed: a stale one is
 * ignored, because the SPI is another then.
 */
void ike_child_expired(struct ike *ike, uint32_t slot, uint32_t spi, bool hard, uint64_t now,
		       struct fx *fx);

/* ---- operator ---- */

/* Ends a session: tells the client, removes its SAs. -ENOENT when it is gone already. */
int ike_close(struct ike *ike, struct sess_id id, enum ike_reason why, uint64_t now, struct fx *fx);

/* ---- looking ---- */

/* Counters since the start. Every datagram that is not answered as hoped is in exactly one. */
enum ike_count {
	IKE_C_RECEIVED,
	IKE_C_SENT,
	IKE_C_RESENT,          /* stored answers sent again */
	IKE_C_DROP_HEADER,     /* N001-N025: not a message for us */
	IKE_C_DROP_MALFORMED,  /* payloads that do not parse */
	IKE_C_DROP_UNEXPECTED, /* no row of the state table */
	IKE_C_DROP_COOKIE,     /* no such ISAKMP SA */
	IKE_C_DROP_HASH,       /* decrypts or verifies to nothing */
	IKE_C_DROP_REPLAY,     /* message ID seen before */
	IKE_C_DROP_LIMIT,      /* half-open, per-source and crypto limits */
	IKE_C_DROP_CREDIT,     /* answer withheld: more bytes than LIMIT_AMPLIFY allows */
	IKE_C_NO_PROPOSAL,
	IKE_C_LOGIN_OK,
	IKE_C_LOGIN_FAILED,
	IKE_C_RENEWED,      /* ISAKMP SAs that took over a session */
	IKE_C_MOVED,        /* clients followed to another address or port */
	IKE_C_MOVE_IGNORED, /* the kernel's reports that did not move one */

	/* Messages in fragments. Each fragment is a datagram received or sent as well. */
	IKE_C_FRAG_RECEIVED,
	IKE_C_FRAG_REPEATED, /* it was there already */
	IKE_C_FRAG_WHOLE,    /* messages put together */
	IKE_C_FRAG_EXPIRED,  /* messages of which something was missing in the end */
	IKE_C_FRAG_EVICTED,  /* the same, because others needed the room */
	IKE_C_FRAG_SENT,
	IKE_C_DROP_FRAG_OFF,       /* ike_frag is off */
	IKE_C_DROP_FRAG_MALFORMED, /* N119-N125, N139: a fragment, or what was put together */
	IKE_C_DROP_FRAG_CONFLICT,  /* N126, N128: it contradicts others; all are forgotten */
	IKE_C_DROP_FRAG_LIMIT,     /* DOS-04: too many, too long */
	IKE_C_REKEYED,             /* pairs that took over from older ones */
	IKE_C_REKEY_FAILED,        /* Quick Modes of ours that came to nothing */
	IKE_C__COUNT,
};

uint64_t ike_counter(const struct ike *ike, enum ike_count c);
const char *ike_counter_name(enum ike_count c); /* as in `vpngwctl status --json` */

unsigned ike_sessions(const struct ike *ike);  /* logged in */
unsigned ike_half_open(const struct ike *ike); /* not logged in yet */

/* Messages that wait for more of their fragments. */
unsigned ike_fragmented(const struct ike *ike);

/* Walks all sessions that are logged in: start with *cursor = 0, ends with NULL. */
const struct ike_sa *ike_next(const struct ike *ike, uint32_t *cursor);

/* When the session ends at the latest: its ISAKMP SA's lifetime or its own limit. */
uint64_t ike_ends_at(const struct ike *ike, const struct ike_sa *sa);

/* The pool that the session's profile names. */
const char *ike_pool(const struct ike *ike, const struct ike_sa *sa);

/* NULL when the id is stale. */
const struct ike_sa *ike_find(const struct ike *ike, struct sess_id id);

const char *ike_reason_str(enum ike_reason r); /* one phrase for people */
const char *ike_reason_key(enum ike_reason r); /* one word for VPNGW_REASON */

/* ---- handing a session over (sa.h has the structure) ---- */

/*
 * Writes an established session whole: identity, keys, lease, SA pairs, used message IDs, clocks.
 * Exchanges under way are not written; their initiator repeats them. The output holds keys.
 * -ENOSPC when `cap` is too small, -EAGAIN when the session is not established.
 */
int ike_save(const struct ike *ike, struct sess_id id, void *buf, size_t cap, size_t *ret_len);

/* Reads one back. -EBADMSG: not a saved session; -EPROTO: another version; -EEXIST: cookies or an
 * SPI are in use; -ENOMEM. Nothing is changed on failure. */
int ike_restore(struct ike *ike, struct span saved, uint64_t now, struct sess_id *ret_id);

/* The same in the place that it had, from which its objects in the kernel have their numbers.
 * -EEXIST also when that is taken. */
int ike_restore_at(struct ike *ike, uint32_t slot, struct span saved, uint64_t now,
		   struct sess_id *ret_id);

/*
 * Takes one of the places (sess_id.slot) whose session is not as it was when this was asked before:
 * who is there now, gen 0 when nobody is. False: there is no other one. What ike_traffic() notes
 * does not count.
 */
bool ike_changed(struct ike *ike, uint32_t *ret_slot, struct sess_id *ret_id);
