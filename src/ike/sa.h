/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sa.h - one client: an ISAKMP SA with its exchanges, its login, its lease and its SA pairs.
 *
 * The shell may look (ike_next(), ike_find()) and never writes. Everything that must survive a
 * restart of the daemon is plain data here; save.c writes it out and reads it back. What is under
 * way (nego, xchg) hangs off it and is lost without harm: its initiator repeats it. But for a Quick
 * Mode in which one side believes in the pair already: save_quick.c.
 */
#pragma once

#include "addr.h"
#include "ike/conf.h"
#include "ike/fx.h"
#include "ike/keymat.h"
#include "ike/vid.h"

enum ike_state {
	IKE_ST_NEW,      /* no SA yet: the row of a first message */
	IKE_ST_DH,       /* first message accepted, Diffie-Hellman under way */
	IKE_ST_SIGN,     /* signature under way */
	IKE_ST_AM_SENT,  /* our aggressive mode message sent, third awaited */
	IKE_ST_MM_SA,    /* message 2 of main mode sent, third awaited; no keys yet */
	IKE_ST_MM_KE,    /* message 4 of main mode sent, fifth awaited */
	IKE_ST_XAUTH,    /* name and password asked for */
	IKE_ST_CHECKING, /* vpngw-authd asked, then the pool */
	IKE_ST_REFUSING, /* the client is being told that the login failed */
	IKE_ST_AUTHED,   /* logged in, has its lease */
	IKE_ST_LEASED,   /* has been told its address */
	IKE_ST_UP,       /* an SA pair is confirmed */
	IKE_ST_RETIRED,  /* replaced by a renewal: no session any more, only an ISAKMP SA */
	IKE_ST_CLOSING,  /* ended; our Deletes are being repeated */
	/* Last, for save.c writes the numbers of others: after AM_SENT or MM_KE, the client's
	 * certificate and signature are being checked. */
	IKE_ST_PROOF,
};

const char *ike_state_str(enum ike_state s);

#define ST(s)        (1u << IKE_ST_##s)
#define ST_LOGGED_IN (ST(AUTHED) | ST(LEASED) | ST(UP))

enum ike_nat {              /* what NAT-D said; a set */
	IKE_NAT_PEER = 1,   /* the client is behind a NAT */
	IKE_NAT_LOCAL = 2,  /* the gateway is */
	IKE_NAT_FORCED = 4, /* nat_traversal = force pretended one */
};

enum ike_frag_use {       /* fragments of IKE messages; a set */
	IKE_FRAG_IN = 1,  /* the client has sent a good message in fragments */
	IKE_FRAG_OUT = 2, /* it was sent one */
};

enum ike_child_state {
	IKE_CHILD_PENDING, /* Quick Mode not finished */
	IKE_CHILD_READY,   /* finished; it receives, and an older pair sends for a moment yet */
	IKE_CHILD_UP,
	IKE_CHILD_OLD, /* replaced by a newer pair with the same selectors; lives out its grace */
};

/* A login under way counts in one of two lists (table.h). */
enum ike_half_open {
	IKE_HALF_OPEN_NO,       /* logged in, or restored */
	IKE_HALF_OPEN_UNPROVED, /* has not shown that it is where it says */
	IKE_HALF_OPEN_WAITING,  /* after phase 1, before the login */
	IKE_HALF_OPEN__COUNT,
};

/* Keys of an outbound SA that is not in the kernel yet. */
struct ike_out_keys {
	uint8_t enc[ESP_ENC_KEY_MAX], auth[ESP_AUTH_KEY_MAX];
};

/* One SA pair. */
struct ike_child {
	struct ike_child *next; /* owned */
	uint32_t number;        /* within the session */
	enum ike_child_state state;
	bool in_kernel;           /* its inbound SA; the outbound one unless `out` has its keys */
	enum ike_part installing; /* what the shell is at */
	struct ike_out_keys *out; /* owned */
	uint64_t send_us;         /* READY: when it begins to send; UINT64_MAX: it has been told */
	uint32_t spi_in, spi_out; /* host order */
	uint16_t cpi_in, cpi_out; /* of IPComp; 0: there is none */
	struct ike_p2 alg;
	bool encap;
	/* As the client numbers it: tunnel, in UDP, in UDP of a draft; 0: unsaid. */
	uint16_t encap_mode;
	uint16_t pfs_group;
	struct endpoint local, peer;       /* as installed */
	struct prefix nets[IKE_SELECTORS]; /* of one family */
	uint8_t n_nets;
	uint8_t set; /* pairs of the session with the same traffic share this number */
	struct ike_upper upper;
	/* What the client asked for, to ask for the same again: types of IDci and IDcr (0: it sent
	 * none) and the network of IDcr, which may be wider than `nets`. */
	uint8_t id_ci, id_cr;
	struct prefix asked;
	bool by_gateway;           /* who began its Quick Mode */
	uint32_t life_s;           /* agreed */
	uint32_t life_kb, soft_kb; /* volume agreed, and when to renew it; 0: no bound */
	bool volume_over;          /* the kernel has seen soft_kb go by */
	uint64_t since_us, expires_us;
	uint64_t rekey_us; /* UP: when we begin a Quick Mode for the next; UINT64_MAX: not again */
};

struct ike_nego; /* phase 1 under way: nego.h */
struct ike_xchg; /* another exchange under way or just answered: xchg.h */

/*
 * When the client renews phase 1, what belongs to the ISAKMP SA changes hands and the rest stays:
 * renew.c has the list. A field that is added here may have to be added there.
 */
struct ike_sa {
	struct sess_id id;
	uint32_t name; /* for people: the beginning of its first responder cookie */
	enum ike_state state;
	uint8_t cky_i[IKE_COOKIE], cky_r[IKE_COOKIE];
	struct endpoint peer, local;
	struct endpoint source; /* of the first message */
	bool natt;              /* the client uses port 4500: marker, ESP in UDP */
	uint8_t nat;            /* enum ike_nat set */
	uint32_t vids;          /* enum vid_bit set */
	uint8_t mode;           /* exchange type of phase 1 */
	uint16_t auth;          /* authentication method, as on the wire */
	uint8_t frag;           /* enum ike_frag_use set */
	struct ike_p1 alg;
	struct ike_keys keys;               /* valid when Diffie-Hellman is done */
	uint8_t last_block[IKE_BLOCK_MAX];  /* of phase 1: seed of later IVs */
	char user[LIMIT_USER + 1];          /* valid when logged in */
	char client[LIMIT_CLIENT_NAME + 1]; /* what the client says it is; may hold anything */
	uint8_t peer_id[LIMIT_ID + 4];      /* IDii_b: type, protocol, port, data */
	uint16_t peer_id_len;
	char *profile;        /* owned: its name, chosen with the verdict; NULL: none */
	struct ipaddr lease;  /* family IP_NONE: none */
	struct ipaddr lease6; /* IPv6, beside it and as long as it; family IP_NONE: none */
	bool asked6;          /* the client has asked for that one, and has been told */
	uint64_t since_us;    /* logged in at */
	uint64_t until_us;    /* when it ends by the verdict on the password; 0: not said */
	uint64_t expires_us;  /* end of the ISAKMP SA's lifetime; UINT64_MAX before phase 1 ends */
	uint64_t deadline_us; /* end of the present state; UINT64_MAX: none */
	uint16_t cfg_id;      /* identifier of our XAuth transaction */
	uint16_t asks;        /* XAUTH: the attribute of a further question; 0: name and password */
	uint8_t xauth_rounds, xauth_tries; /* requests sent; wrong passwords that were forgiven */
	bool tell_life;     /* the client believes in a longer life of the ISAKMP SA than it has */
	bool pushed;        /* it does not ask for its configuration: it is told */
	struct sess_id kin; /* RETIRED: its session; a session: its RETIRED one. gen 0: none */
	uint32_t dpd_seq;   /* highest R-U-THERE answered */
	bool dpd_seen;
	uint64_t dpd_window_us; /* start of the current second */
	uint8_t dpd_in_window;
	uint64_t keepalive_us; /* when to look whether one is due; 0: never */
	uint64_t moves_us;     /* changes of the client's address are used up to here: move.c */
	uint64_t heard_us;     /* when the client was heard of last: a message, a packet */
	uint64_t dpd_next_us;  /* our next question, if nothing is heard until then */
	uint64_t active_us;    /* when a packet went through the tunnel last, either way */
	uint32_t dpd_base;     /* our rounds of questions have the numbers behind this one */
	uint32_t dpd_rounds;   /* how many there were */
	uint8_t dpd_asked;     /* questions since the client was heard of last */
	bool initial_contact;  /* the client said before its login that it has no other session */
	uint32_t next_child, next_serial;
	enum ike_reason why;        /* of REFUSING, CLOSING, and an end that is due */
	struct ike_child *children; /* owned list, newest first */
	uint32_t *used_ids;         /* owned, sorted: message IDs of finished exchanges */
	uint16_t n_used, cap_used;
	struct ike_nego *nego;  /* owned; NULL after phase 1 */
	struct ike_xchg *xchgs; /* owned list, newest first */

	/* table.c's own */
	struct ike_sa *next_cookie, *next_source, *newer, *older;
	uint64_t due_us;
	uint32_t heap_at;
	enum ike_half_open half_open;

	/* by_user.c's own */
	struct ike_sa *next_user, **user_link; /* user_link NULL: not in the index */
};

/* The client's side of a pair: all its networks are of one family. */
static inline const struct ipaddr *ike_child_inner(const struct ike_sa *sa,
						   const struct ike_child *c)
{
	return c->n_nets && c->nets[0].addr.family == IP_V6 ? &sa->lease6 : &sa->lease;
}

/*
 * The session's name for people and logs: 8 hex digits. No two SAs have the same one:
 * table_name_taken() is asked wherever an SA is made.
 */
#define IKE_SESSION_NAME 9
const char *ike_session_name(const struct ike_sa *sa, char buf[static IKE_SESSION_NAME]);
