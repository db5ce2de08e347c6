/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dialer.h - a client that dials by itself: it repeats what is not answered, answers again what
 * comes again, renews its keys, keeps an eye on the gateway, and gives up in the end. For lossy
 * wires.
 *
 * It is driven like the core: datagrams and the time go in, datagrams come out.
 */
#pragma once

#include "client.h"

#define DIALER_OUT  48 /* a message may be many fragments */
#define DIALER_MEMO 24
#define DIALER_SPIS 32

enum dialer_state {
	DIAL_IDLE,   /* before the first call, after the end */
	DIAL_FIRST,  /* first message sent */
	DIAL_MAIN3,  /* main mode: third message sent */
	DIAL_MAIN5,  /* main mode: fifth message sent */
	DIAL_ASKED,  /* phase 1 is done: the gateway asks for the name */
	DIAL_NAME,   /* name and password sent */
	DIAL_CONFIG, /* address asked for */
	DIAL_QUICK,  /* Quick Mode under way */
	DIAL_UP,     /* as far as this side knows */
	DIAL_FAILED, /* refused, or nobody answers */
};

struct dialer_datagram {
	struct endpoint self, gateway;
	bool natt;
	size_t n;
	uint8_t b[2048];
};

/* An exchange: its IV, and what was answered to the last message of it. */
struct dialer_memo {
	uint32_t msgid;
	uint8_t iv[IKE_BLOCK_MAX];
	uint8_t in[16]; /* digest_of() the gateway's last message */
	size_t n;
	uint8_t out[1024];
};

/* A pair that this side sends with. */
struct dialer_pair {
	uint32_t spi_in, spi_out;
	uint8_t key_in[96], key_out[96];
};

struct dialer {
	struct client c;
	struct client older;  /* under the ISAKMP SA before; unused while its cookies are zero */
	struct client theirs; /* in a Quick Mode that the gateway began */
	const char *user, *password, *code; /* code: for a question behind them */
	enum dialer_state state;
	struct dialer_memo memo[DIALER_MEMO];
	unsigned turn;
	uint8_t request[2048]; /* repeated until it is answered */
	size_t request_n;
	unsigned tries;
	uint64_t next_us; /* UINT64_MAX: nothing to do; but see dialer_due() */
	uint32_t seq;
	unsigned unanswered; /* queries for life */
	bool child;          /* a pair is up, as far as this side knows: `pair` */
	struct dialer_pair pair;
	uint32_t receives[DIALER_SPIS]; /* the last ones it has begun to receive with */
	unsigned n_receives;
	uint64_t again_us; /* when its answer to a Quick Mode of the gateway's is repeated */
	unsigned repeated;
	bool renewing; /* this phase 1 takes the place of that of `older` */
	/* what it does then */
	bool asks_again;  /* for its address */
	bool deletes_old; /* the ISAKMP SA */
	bool falls_back;  /* goes on with the older one when it fails */
	bool mistypes;    /* the password, the next time */
	struct dialer_memo third;
	uint8_t am2[16];       /* digest of the gateway's aggressive mode message */
	struct join joining;   /* of the gateway's fragments */
	struct client initial; /* settings, as they were at the first call */
	struct dialer_datagram out[DIALER_OUT];
	unsigned n_out; /* the caller empties it */
};

void dialer_init(struct dialer *d, const char *self, const char *gateway);

/* Dials, from the beginning, whatever was before. */
void dialer_call(struct dialer *d, uint64_t now);
void dialer_input(struct dialer *d, struct span data, uint64_t now);
uint64_t dialer_due(const struct dialer *d);
void dialer_tick(struct dialer *d, uint64_t now);

/* While it is up: another Quick Mode; another phase 1 and XAuth; and saying good-bye. */
void dialer_rekey(struct dialer *d, uint64_t now);
void dialer_renew(struct dialer *d, uint64_t now);
void dialer_hang_up(struct dialer *d);
