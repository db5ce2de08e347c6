/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sapl.h - the SA payload: what the client offers, what we choose, what we answer.
 *
 * The answer holds the chosen transform as the client wrote it: numbers, order and encoding of
 * attributes unchanged (RFC 2408 4.2; vpnc numbers from 0 and puts KEY_LENGTH first). The choice
 * follows our order of preference. A transform with an unknown attribute or value is passed over,
 * never fatal; a payload that does not parse is.
 */
#pragma once

#include "ike/build.h"
#include "ike/conf.h"
#include "ike/msg.h"

/* What was chosen, as it goes into the answer. Views of the client's message. */
struct sa_answer {
	uint8_t proposal, proto, transform_id;
	struct span spi;       /* phase 1: echoed, mostly empty; Quick Mode: replaced by ours */
	struct span transform; /* whole, its generic header included */
};

/* What phase 1 must agree with beside the proposals. */
struct p1_want {
	uint16_t auth[IKE_AUTH_MAX]; /* methods that will do, in order of preference */
	uint8_t n_auth;
	size_t ke_len; /* bytes of the client's public value; 0: it has not come yet */
};

struct p1_choice {
	struct ike_p1 alg;
	uint16_t auth; /* method */
	struct sa_answer answer;
	uint32_t life_s; /* offered, LIFE_NOT_OFFERED when none was; also set with -ERANGE */
	/* Set also when nothing fits: */
	bool auth_fits;      /* a method that will do was offered */
	uint16_t other_auth; /* one that will not; 0: none was */
};

/* Text of an offer for a log line; names only, never bytes of the client. */
#define OFFER_TEXT 256

/*
 * Chooses for phase 1: the method that is preferred, then the proposal. 0; -EBADMSG: does not
 * parse; -ENOENT: nothing in common, and `offered` lists what there was; -ERANGE: in common, but its
 * lifetime is refused (check.h).
 */
int p1_choose(struct span sa, const struct ike_conf *conf, const struct p1_want *want,
	      struct p1_choice *ret, char offered[static OFFER_TEXT]);

struct p2_choice {
	struct ike_p2 alg;
	struct sa_answer answer;
	bool encap;          /* ESP in UDP */
	uint32_t spi;        /* the client's inbound SPI, host order */
	uint16_t group;      /* PFS group; 0: none */
	uint16_t encap_mode; /* encapsulation mode as offered; 0: none was */
	uint32_t life_s;  /* offered; 28800 when none was (RFC 2407 4.5); also set with -ERANGE */
	uint32_t life_kb; /* offered; 0 when none was */
	/* IPComp before ESP (RFC 3173), in a proposal of the same number. */
	struct p2_ipcomp {
		uint16_t cpi;          /* the client's, inbound; 0: no IPComp */
		uint8_t cpi_size;      /* 2 or 4 bytes, as it writes it */
		struct span transform; /* whole; a view like that of `answer` */
	} ipcomp;
};

/* How ESP may travel between the two. */
enum p2_path {
	P2_PATH_PLAIN,  /* no NAT traversal: ESP itself */
	P2_PATH_UDP,    /* a NAT is in the way: ESP in UDP (RFC 3947 5.1) */
	P2_PATH_EITHER, /* IKE uses port 4500, but there is no NAT: as the client likes */
};

/* What Quick Mode must agree with beside the proposals. */
struct p2_want {
	enum p2_path path;
	bool ke; /* the message has a KE payload */
	size_t ke_len;
	bool deflate; /* IPComp will do, too */
};

/*
 * -ENOENT: nothing in common; -EDOM: the ciphers fit, but the PFS group does not, and `offered`
 * names what the client wants; -ERANGE: both fit, but the lifetime is refused; -EOPNOTSUPP: what
 * would fit is offered with compression alone.
 */
int p2_choose(struct span sa, const struct ike_conf *conf, const struct p2_want *want,
	      struct p2_choice *ret, char offered[static OFFER_TEXT]);

/* The SA payload of the answer, with `spi` (may be empty) as its SPI. */
void sa_put_answer(struct ike_build *b, const struct sa_answer *a, struct span spi);
/* The same for Quick Mode, with our SPI and, where IPComp was chosen, our CPI. */
void p2_put_answer(struct ike_build *b, const struct p2_choice *choice, uint32_t spi, uint16_t cpi);

struct ike_child;

/* The SA payload that asks for a pair like this one: one proposal, or with IPComp two of one number,
 * of one transform each. */
void p2_put_offer(struct ike_build *b, const struct ike_child *c);

/* Whether the answer to it takes it as it is. 0 with the client's SPI, and its CPI or 0; -EBADMSG:
 * does not parse; -ENOENT: it is about something else. */
int p2_read_answer(struct span sa, const struct ike_child *c, uint32_t *ret_spi, uint16_t *ret_cpi);
