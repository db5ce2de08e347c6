/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * radius_msg.h - RADIUS packets of a login (RFC 2865, 2869, 3579), to bytes and back. Pure.
 *
 * A request begins with a Message-Authenticator, and an answer has to have one: without it whoever
 * is on the way can turn a refusal into an acceptance (CVE-2024-3596).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"
#include "bytes.h"

#define RADIUS_HEADER       20
#define RADIUS_PACKET       4096 /* bytes of the longest (RFC 2865 3) */
#define RADIUS_VALUE        253  /* bytes of the longest value of an attribute */
#define RADIUS_PASSWORD_MAX 128  /* bytes (RFC 2865 5.2) */

enum radius_code {
	RADIUS_REQUEST = 1,
	RADIUS_ACCEPT = 2,
	RADIUS_REJECT = 3,
	RADIUS_CHALLENGE = 11,
};

/* What a packet and the answer to it have in common. */
struct radius_key {
	struct span secret; /* shared with the server; borrowed, not empty */
	uint8_t id;
	uint8_t authenticator[16]; /* random, and of this request alone */
};

struct radius_request {
	struct span user;     /* 1 to RADIUS_VALUE bytes */
	struct span password; /* at most RADIUS_PASSWORD_MAX bytes */
	struct span state;    /* of the challenge that this answers; empty: none */
	struct span nas_name; /* NAS-Identifier; empty: none */
	struct ipaddr nas;    /* from where it is sent; IP_NONE: not told */
	struct span from;     /* Calling-Station-Id: the client's address as text */
};

/* Bytes written, or -EMSGSIZE: a field is longer than its limit, or cap too small. */
int radius_put_request(void *buf, size_t cap, const struct radius_key *key,
		       const struct radius_request *r);

/*
 * Hides a password as User-Password does (RFC 2865 5.2): at most RADIUS_PASSWORD_MAX bytes, out has
 * room for as many. Returns the bytes written, a multiple of 16.
 */
size_t radius_hide(const struct radius_key *key, struct span password,
		   uint8_t out[static RADIUS_PASSWORD_MAX]);

/* Why a packet is no answer to a request; whoever sent it, it is to be ignored. */
enum radius_flaw {
	RADIUS_GOOD,
	RADIUS_BAD_LENGTH,       /* shorter or longer than it says, or than any packet */
	RADIUS_BAD_ATTRIBUTES,   /* one has no room for its length, or ends behind the packet */
	RADIUS_BAD_CODE,         /* none of the answers to a login */
	RADIUS_BAD_ID,           /* of another request */
	RADIUS_BAD_SECRET,       /* its authenticator is of another secret or request */
	RADIUS_UNAUTHENTICATED,  /* it has no Message-Authenticator */
	RADIUS_BAD_AUTHENTICATOR /* the Message-Authenticator is wrong */
};
#define RADIUS_FLAWS (RADIUS_BAD_AUTHENTICATOR + 1)

/* "has no Message-Authenticator", ... */
const char *radius_flaw_str(enum radius_flaw f);

/* The first of each attribute counts, but for those of which there may be several. Views of the
 * message. */
struct radius_answer {
	enum radius_code code;
	struct span attributes; /* all of them, for radius_next() */
	struct span state;      /* of a challenge; may be empty */
	bool echo;              /* of a challenge: what is answered may be seen (RFC 2869 5.10) */
	struct ipaddr address;  /* Framed-IP-Address; IP_NONE: none, or the pool shall choose */
	uint32_t session_s;     /* Session-Timeout; 0: none */
	const char *bad;        /* static: which attribute makes no sense; NULL: none */
};

/*
 * Reads a datagram that came from the server. need_authenticator false: an answer without a
 * Message-Authenticator is taken; a wrong one never is. RADIUS_GOOD, and only then *ret is written.
 */
enum radius_flaw radius_get_answer(struct span msg, const struct radius_key *key,
				   bool need_authenticator, struct radius_answer *ret);

/* The next value of this type, or false. Moves *attributes behind it. Attributes are those of a
 * good answer. */
enum radius_type {
	RADIUS_CLASS = 25,
	RADIUS_REPLY_MESSAGE = 18,
};
bool radius_next(struct span *attributes, enum radius_type type, struct span *ret);

/*
 * All Reply-Messages of an answer, one line, fit to be shown: text_is_clean(). What is not clean
 * becomes '?', line breaks a blank; cut to what fits. Returns buf.
 */
const char *radius_text(const struct radius_answer *a, char *buf, size_t cap);
