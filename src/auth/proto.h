/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * proto.h - what vpngw and vpngw-authd say to each other. Pure.
 *
 * One message per SOCK_SEQPACKET record, at most LIMIT_AUTH_MESSAGE bytes, integers big-endian,
 * strings as a 16-bit length and bytes without NUL. Both ends check every length: authd does not
 * trust the process that faces the network, and the gateway does not trust the one that runs PAM
 * modules.
 *
 *   request: u32 magic, u8 type 1, u64 id, str user, str password, str peer
 *   reply:   u32 magic, u8 type 2, u64 id, u8 verdict, str reason, str static address or "",
 *            u32 seconds that the session may last or 0, u16 number of groups, str group ...
 *
 * Before its reply a request may have questions to the user, one at a time:
 *
 *   question: u32 magic, u8 type 4, u64 id, u8 what is asked for, str prompt
 *   answer:   u32 magic, u8 type 5, u64 id, u8 1, str answer; u8 0, str "" when there is none and
 *             will be none: the user is gone, and nobody waits for the reply any more
 *
 * vpngw-authd and its worker processes use the same messages between themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "bytes.h"

#define AUTH_MAGIC  0x76706731u /* "vpg1" */
#define AUTH_SOCKET "/run/vpngw-authd/auth"

#define AUTH_PEER_MAX 63 /* bytes of the peer's address */

/* No request is longer: header, three lengths, three strings. */
#define AUTH_REQUEST_MAX (13 + 3 * 2 + LIMIT_USER + LIMIT_PASSWORD + AUTH_PEER_MAX)

enum auth_verdict {
	AUTH_OK = 0,
	AUTH_DENIED = 1,      /* wrong name or password; unknown user looks the same */
	AUTH_NOT_ALLOWED = 2, /* right password, but root, locked, expired or in no allowed group */
	AUTH_THROTTLED = 3,   /* too many failures from this peer or for this user */
	AUTH_BUSY = 4,        /* queue full */
	AUTH_TIMEOUT = 5,     /* the check did not end in time */
	AUTH_ERROR = 6,       /* the source is broken: unreadable file, no PAM service */
};

struct auth_request {
	uint64_t id;
	struct span user, password, peer; /* views of the message; peer: address as text */
};

struct auth_reply {
	uint64_t id;
	enum auth_verdict verdict;
	char reason[128];   /* for the journal; escaped by whoever shows it */
	char address[64];   /* the user's own address, or "" */
	uint32_t session_s; /* how long the session may last; 0: as configured */
	uint16_t n_groups;
	char group[LIMIT_GROUPS][LIMIT_GROUP_NAME + 1];
};

enum auth_ask {
	AUTH_ASK_ANSWER = 1,   /* may be seen while it is typed */
	AUTH_ASK_PASSCODE = 2, /* is a secret */
	AUTH_ASK_PIN = 3,      /* a new secret, for the next time */
};

struct auth_question {
	uint64_t id; /* of the request */
	enum auth_ask ask;
	struct span prompt; /* a view of the message; text_is_clean(), may be empty */
};

struct auth_answer {
	uint64_t id;
	bool given;       /* false: no answer, and the request is of no interest any more */
	struct span text; /* a view of the message; without NUL, may be empty */
};

/* No answer is longer. */
#define AUTH_ANSWER_MAX (13 + 1 + 2 + LIMIT_PASSWORD)

/*
 * Bytes written; -EMSGSIZE when a field is longer than its limit or the buffer too small. The
 * buffer of a request holds the password, that of an answer the answer: wipe them.
 */
int auth_put_request(void *buf, size_t cap, const struct auth_request *r);
int auth_put_reply(void *buf, size_t cap, const struct auth_reply *r);
int auth_put_question(void *buf, size_t cap, const struct auth_question *q);
int auth_put_answer(void *buf, size_t cap, const struct auth_answer *a);

/* 0 or -EBADMSG. A request's fields are within their limits and otherwise any bytes; a reply's
 * strings contain no NUL. */
int auth_get_request(struct span msg, struct auth_request *ret);
int auth_get_reply(struct span msg, struct auth_reply *ret);
int auth_get_question(struct span msg, struct auth_question *ret);
int auth_get_answer(struct span msg, struct auth_answer *ret);

/* The id of a message that may be broken behind it, so that its sender can be answered. */
bool auth_peek_id(struct span msg, uint64_t *ret_id);

/*
 * What is refused whatever the source would say, and so never reaches it: an empty name or
 * password, a name that is not clean text, a NUL inside the password (crypt and PAM would stop
 * reading there), and root. NULL when none of these, else the reason, with its verdict.
 */
const char *auth_request_refused(const struct auth_request *r, enum auth_verdict *ret_verdict);

/* One word for logs: "denied", "throttled", ... */
const char *auth_verdict_str(enum auth_verdict v);
