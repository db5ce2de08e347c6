/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_login.h - a gateway and a client that has logged in as far as a number says. */
#pragma once

#include "client.h"
#include "gate.h"

enum fuzz_state {
	FUZZ_NEW,
	FUZZ_DH,
	FUZZ_SENT, /* our message sent, the third awaited */
	FUZZ_XAUTH,
	FUZZ_CHECKING,
	FUZZ_REFUSING,
	FUZZ_AUTHED,
	FUZZ_LEASED,
	FUZZ_QUICK, /* Quick Mode answered */
	FUZZ_UP,
	FUZZ_UP_NAT, /* with PFS and split networks, behind a NAT */
	FUZZ_CLOSING,
	FUZZ_MAIN_SA, /* main mode: message 2 sent */
	FUZZ_MAIN_DH,
	FUZZ_MAIN_KE, /* message 4 sent */
	FUZZ_MAIN_KE_PSK,
	FUZZ_MAIN_SIGN,
	FUZZ_MAIN_XAUTH,
	FUZZ_ASKED,    /* a Quick Mode of the gateway's, with PFS, is awaiting its answer */
	FUZZ_RETIRED,  /* another ISAKMP SA has taken over the session */
	FUZZ_SENT_RSA, /* as FUZZ_SENT and FUZZ_MAIN_KE, for a client with a certificate */
	FUZZ_MAIN_KE_RSA,
	FUZZ_STATES,
};

enum fuzz_habit {
	FUZZ_COOKIES = 1, /* the login's cookies are put into the header */
	FUZZ_MSGID = 2,   /* the message ID of the client's last exchange is */
	FUZZ_LENGTH = 4,  /* the right length is */
	FUZZ_NATT = 8,    /* came with the non-ESP marker */
	FUZZ_MOVES = 16,  /* from another port */
	FUZZ_JOBS = 32,   /* then work that waits is done */
	FUZZ_WAITS = 64,  /* then three seconds pass */
	FUZZ_ESP = 128,   /* then ESP of the first pair comes from where this came from */
};

struct fuzz_login {
	struct gate g;
	struct client c;
};

/* From the start; `how` modulo FUZZ_STATES. What takes time waits where the state says so. */
void fuzz_login(struct fuzz_login *f, uint8_t how);

/* Does to a datagram what the first three habits say. */
void fuzz_habits(const struct fuzz_login *f, uint8_t how, uint8_t *p, size_t n);
