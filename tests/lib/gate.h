/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gate.h - a gateway for tests: the real IKE core, with everything around it in memory.
 *
 * It carries out effects: Diffie-Hellman for real, the signature as a reversible function of the
 * hash, passwords from one account, addresses from a small pool, the kernel as an array. What a
 * worker, vpngw-authd or the kernel would do happens at once, or waits as a job until the test
 * says so (`hold`). What leaves is kept in `out`, what happened in `event`, and what may never
 * happen in `fault`.
 */
#pragma once

#include "ike/ike.h"
#include "ike/sa.h"

#define GATE_OUT      64
#define GATE_EVENTS   256
#define GATE_PAIRS    256
#define GATE_POLICIES 1024
#define GATE_JOBS     256
#define GATE_POOL     128

struct gate_dgram {
	struct endpoint local, peer;
	bool natt;
	size_t n;
	uint8_t b[4096];
};

struct gate_event {
	enum fx_kind kind;
	enum ike_reason reason;
	char text[512]; /* FX_NOTE: detail; FX_AUTH, FX_UP, FX_DOWN: user; FX_ANSWER: answer */
	struct sess_id who;
	struct ipaddr lease, lease6;
	bool logged_in, by_gateway, of_isakmp;
	bool asked;                 /* FX_DOWN, FX_AGAIN */
	bool given;                 /* FX_ANSWER */
	struct endpoint from, peer; /* FX_MOVED, FX_CHILD_MOVE */
};

struct gate_pair {
	struct sess_id who;
	unsigned
		out; /* its outbound SA is in, too: in which turn; the last one sends. 0: not yet */
	struct ike_child_fx fx;
};

/* What the kernel does with the traffic between a client and a network. */
struct gate_policy {
	struct ipaddr inner;
	struct prefix net;
	struct ike_upper upper;
	uint8_t set; /* of the pairs that carry it */
};

/* Something that takes time: FX_DH, FX_SIGN, FX_PROOF, FX_AUTH, FX_ANSWER, FX_LEASE, FX_CHILD_ADD. */
struct gate_job {
	enum fx_kind kind;
	struct ike_ticket who;
	uint16_t group;
	size_t n; /* FX_DH: bytes of the peer's value; FX_SIGN: of the hash; FX_PROOF: of the ID */
	uint8_t b[1024];
	size_t secret_n; /* FX_DH: bytes of our private value */
	uint8_t secret[128];
	bool good; /* FX_AUTH, FX_ANSWER: password, code are right; FX_PROOF: the signature is */
	unsigned n_certs;     /* FX_PROOF */
	struct ipaddr prefer; /* FX_LEASE */
	const char *pool;     /* the same */
	struct ike_child_fx child;
};

struct gate {
	struct ike_conf conf;
	struct ike *ike;
	struct fx fx;
	uint64_t now;
	uint64_t seed;      /* of the repeatable randomness */
	uint64_t came_back; /* after it was killed: clients are asked anew from then on */
	/* Called where the shell writes down what has changed; NULL: nowhere. See gate_keep.h. */
	void (*keep)(struct gate *g);
	unsigned fuse; /* effects that are carried out before it dies; 0: it does not */
	bool dead;     /* it has: until gate_kill() nothing comes of anything */
	/* what the world answers */
	const char *user, *password;   /* the one account */
	bool any_user;                 /* every name is an account, with that password */
	const char *code, *prompt;     /* what is asked for behind the password; NULL: nothing */
	enum ike_ask ask;              /* how */
	unsigned open_questions;       /* not answered yet, and not called off */
	struct ike_groups groups;      /* of every account */
	uint32_t hold;                 /* GATE_HOLD() set: keep these as jobs */
	enum ike_reason lease_reason;  /* IKE_R_NONE: there are addresses */
	uint32_t pool_first, pool_len; /* at most GATE_POOL addresses */
	struct prefix network6;        /* of the pool; family IP_NONE: it has none */
	int child_err, dh_err, sign_err, move_err;
	enum ike_proof proof; /* of a client whose signature is right */
	const char *owner;    /* whose certificate it is then */
	bool no_crypto;       /* Diffie-Hellman gives a fixed secret: for floods */
	/* what waits */
	struct gate_job job[GATE_JOBS];
	unsigned n_jobs;
	/* what happened */
	struct gate_dgram out[GATE_OUT]; /* the last ones are lost when there are more */
	unsigned n_out;
	char trace[128]; /* the effects since n_out was 0, in order: see trace_letter() */
	struct gate_event event[GATE_EVENTS]; /* the last ones are lost when there are more */
	unsigned n_events;
	struct gate_pair pair[GATE_PAIRS]; /* in the kernel */
	unsigned n_pairs, turn;
	struct gate_policy policy[GATE_POLICIES];
	unsigned n_policies;
	bool leased[GATE_POOL];
	unsigned leases; /* held by sessions */
	uint64_t bytes_out;
	size_t longest;  /* datagram that left, the non-ESP marker included */
	char fault[160]; /* the first thing that may never happen; empty: none */
};

#define GATE_HOLD(kind) (1u << FX_##kind)

/* The one shared key, for every address. */
#define GATE_PSK "squeamish ossifrage"

/* A sensible configuration; change g->conf before gate_start(). */
void gate_init(struct gate *g);
void gate_start(struct gate *g);
void gate_stop(struct gate *g);

/* Gives a datagram to the core and carries out what it asks. n_out restarts at 0. */
void gate_input(struct gate *g, const struct endpoint *peer, const struct endpoint *local,
		bool natt, struct span data);

/* Lets time pass and runs what falls due on the way; n_out restarts at 0. */
void gate_pass(struct gate *g, uint64_t us);

/* Runs the effects that a direct call to the core left in g->fx. */
void gate_run(struct gate *g);

/* Carries out the i-th waiting job; the others keep their order. n_out restarts at 0. */
void gate_do(struct gate *g, unsigned i);
/* All that wait, and what comes of them. n_out restarts at 0. */
void gate_do_all(struct gate *g);
/* Ends the first waiting FX_AUTH with this verdict. */
void gate_verdict(struct gate *g, enum ike_verdict v);

/* vpngw-authd asks this user; gate_run() does what follows. Whether the user is asked. */
bool gate_question(struct gate *g, struct ike_ticket who, enum ike_ask what, const char *prompt);

/* The i-th datagram of the last input. An empty span when there is none. */
struct span gate_out(const struct gate *g, unsigned i);
/* The only one; an empty span when there is none or more than one. */
struct span gate_only(const struct gate *g);
/* The only one that went there, whatever went elsewhere. */
struct span gate_only_to(const struct gate *g, const struct endpoint *peer);

/* How many events of this kind, with this reason unless it is IKE_R__COUNT. FX_SEND is in `out`,
 * FX_DH, FX_SIGN and FX_PROOF are no events: hold them and count jobs. */
unsigned gate_count(const struct gate *g, enum fx_kind kind, enum ike_reason reason);
/* The last event of this kind; NULL: none. */
const struct gate_event *gate_last(const struct gate *g, enum fx_kind kind);

/* The gateway's session or half-open exchange with these cookies; NULL: none. */
const struct ike_sa *gate_sa(const struct gate *g, const uint8_t *cky_i, const uint8_t *cky_r);

/*
 * Looks whether what must hold at any time does: no pair and no address without a session that is
 * logged in, no address or SPI twice, a lease per session that has one, policies for each pair's
 * networks and for no others. "" or what is wrong.
 */
const char *gate_check(struct gate *g);

/* Takes every pair and policy out of the kernel, as the daemon does when it starts. */
void gate_sweep(struct gate *g);

/* gate_policy.c, for gate.c and gate_check.c: those of one pair; "" or what is wrong with all. */
void gate_policies_add(struct gate *g, const struct ike_child_fx *k);
void gate_policies_del(struct gate *g, const struct ike_child_fx *k);
const char *gate_policies_check(struct gate *g);

/* The same of the store of fragments alone (I7): it is within its bounds and knows what is in it. */
struct frag_store;
const char *gate_check_frags(const struct frag_store *s);

/* The signature that this gateway makes over a hash. */
#define GATE_SIG 128
void gate_signature(struct span hash, uint8_t out[static GATE_SIG]);
/* The one that it takes for a client's. */
void gate_client_signature(struct span hash, uint8_t out[static GATE_SIG]);
#define GATE_REFUSAL "CN=alice: it was revoked ([phase1] crl_file)"

struct endpoint ep(const char *text);
