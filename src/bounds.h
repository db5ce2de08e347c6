/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bounds.h - every quantity that somebody outside can make grow, and where it stops.
 *
 * With hybrid authentication anybody can finish phase 1 without a credential, so these hold for
 * encrypted messages as much as for clear ones.
 */
#pragma once

/* One datagram */
#define LIMIT_DATAGRAM   65535
#define LIMIT_PAYLOADS   32 /* payloads in one message */
#define LIMIT_VENDOR_IDS 32
#define LIMIT_NAT_D      8
#define LIMIT_PROPOSALS  64  /* proposals in one SA payload */
#define LIMIT_ATTRIBUTES 32  /* attributes in one transform or ATTR payload */
#define LIMIT_ID         256 /* bytes of an identification payload */
#define LIMIT_SA_PAYLOAD 8192
#define LIMIT_BANNER     500 /* bytes of a Unity banner; clients cut longer ones */

/* Phase 1, before the client has proved anything */
#define LIMIT_AM3_WAIT_S     15  /* an aggressive mode answer without a third message */
#define LIMIT_MM3_WAIT_S     15  /* a main mode answer without a third message */
#define LIMIT_MM5_WAIT_S     30  /* the address is proved, and the fifth message missing */
#define LIMIT_CRYPTO_PENDING 128 /* DH and RSA jobs of unfinished phase 1 exchanges */
#define LIMIT_AMPLIFY        3   /* bytes sent for each byte from an unproven address */
#define LIMIT_NOTIFY_PER_S   10  /* clear error notifies in all */
#define LIMIT_PROOFS         3   /* signatures of one client that are checked until one is right */

/* What a client proves itself with */
#define LIMIT_CLIENT_CERTS 5    /* certificates in one message, its own and intermediates */
#define LIMIT_CLIENT_CERT  4096 /* bytes of one */
#define LIMIT_CLIENT_RSA   4096 /* bits of its key: a larger one costs more than it protects */

/* Between phase 1, which anybody can finish, and the login */
#define LIMIT_LOGINS_WAITING 2000 /* clients that are asked for their password */
#define LIMIT_XAUTH_ROUNDS   8    /* requests in one login: password, code, and again */

/* Messages in fragments, of which nobody knows yet who sends them (DOS-04) */
#define LIMIT_FRAG_SETS    2                 /* messages under way from one source, of one client */
#define LIMIT_FRAG_PIECES  32                /* fragments of one message */
#define LIMIT_FRAG_MESSAGE 16384             /* bytes of one message */
#define LIMIT_FRAG_LIFE_S  10                /* from the first fragment to the last */
#define LIMIT_FRAG_TOTAL   (4 * 1024 * 1024) /* bytes in all */
#define LIMIT_FRAG_SENT    64                /* fragments of one message of ours */

/* One session */
#define LIMIT_EXCHANGES       12 /* phase 2 exchanges remembered at once; a Delete per child fits */
#define LIMIT_CHILDREN        8  /* SA pairs */
#define LIMIT_QUICK_PENDING   4  /* Quick Modes under way */
#define LIMIT_MESSAGE_IDS     4096 /* message IDs used under one ISAKMP SA */
#define LIMIT_DPD_PER_S       10   /* R-U-THERE answered */
#define LIMIT_MOVE_S          5    /* between two changes of the client's address, on average */
#define LIMIT_MOVE_BURST      3    /* so many may come at once */
#define LIMIT_EXCHANGE_KEEP_S 30   /* how long an answer is kept for a repeated request */
#define LIMIT_QUICK_WAIT_S    30   /* Quick Mode answered, third message missing */
#define LIMIT_NO_PAIR_S       600  /* logged in and configured, but no SA pair yet */
#define LIMIT_MIN_LIFE_KB     4096 /* least volume of a pair for a client that asks for less */
#define LIMIT_REKEY_GAP_S     10   /* a used-up volume renews a pair that is at least this old */
#define LIMIT_MIN_LIFE_S      300  /* shortest lifetime for a client that asks for less than ours */

/* Sessions and logins at once: the kernel's objects have numbers for so many */
#define LIMIT_PLACES (1u << 20)

/* SAs of IPComp: their numbers have 16 bits, and those of all sessions differ */
#define LIMIT_CPIS 20000

/* Names and words */
#define LIMIT_USER        128 /* bytes of a login name */
#define LIMIT_PASSWORD    255 /* bytes of a password, or of another answer of the user's */
#define LIMIT_PROMPT      255 /* bytes of a question to the user */
#define LIMIT_CLIENT_NAME 64  /* bytes of the client's own description */
#define LIMIT_GROUPS      32  /* groups of one user */
#define LIMIT_GROUP_NAME  64
#define LIMIT_SPLIT_NETS  16
#define LIMIT_SERVERS     4   /* DNS and WINS servers handed to a client */
#define LIMIT_PSK         256 /* bytes of a shared key */
#define LIMIT_PSK_ROWS    1024

/* The journal: lines about failed logins with the same reason in 5 s, the rest is counted */
#define LIMIT_LOG_UNNAMED 5  /* by clients that named no user */
#define LIMIT_LOG_NAMED   50 /* by others: each is somebody's story */

/* Profiles, and patterns of one that a client is compared with */
#define LIMIT_PROFILES   32
#define LIMIT_MATCHES    32
#define LIMIT_ID_PATTERN 128 /* bytes */
#define LIMIT_DN_PARTS   16  /* of a subject that a pattern may be for */

/* Address pools */
#define LIMIT_POOLS     16
#define LIMIT_POOL_SIZE 65536

/* Local sockets */
#define LIMIT_CTL_CLIENTS  64
#define LIMIT_CTL_WATCHERS 16    /* of these, with Monitor */
#define LIMIT_CTL_REQUEST  65536 /* bytes of one control request */
#define LIMIT_AUTH_MESSAGE 8192  /* bytes of a message to or from vpngw-authd */

/* RADIUS */
#define LIMIT_RADIUS_SERVERS 5

/* vpngwctl check */
#define LIMIT_FINDINGS 256

/* Scrapes of vpngw-metrics */
#define LIMIT_METRICS_CLIENTS 16   /* connections at once; others wait in the queue */
#define LIMIT_METRICS_REQUEST 8192 /* bytes of one request */
#define LIMIT_METRICS_LINE    1024 /* of these, in its first line */
#define LIMIT_METRICS_S       10   /* for a request to come, and for its answer to be taken */
