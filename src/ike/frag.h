/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frag.h - IKE fragments (Cisco, Microsoft: payload 132): one message in several datagrams, for
 * paths that lose IP fragments. Private to ike/.
 *
 *   HDR (the cookies of the message, next payload 132)
 *   next payload 0 | reserved | u16 length | u16 id | u8 number, from 1 | u8 flags, 1: last | data
 *
 * The data of all fragments, by number, is the message with its own header. Nobody vouches for a
 * fragment, so what is put together is worth no more than a datagram.
 */
#pragma once

#include "ike/ike.h"
#include "ike/msg.h"

#define FRAG_HEADER (ISAKMP_HDR + 8)

/* ---- receiving: frag.c ---- */

/* Fragments of one message, until all are there or their time is over. */
struct frag_set {
	struct frag_set *next;          /* in its bucket */
	struct frag_set *older, *newer; /* of its kind */
	struct endpoint peer;
	uint8_t cky_i[8], cky_r[8];
	uint16_t id;
	bool natt;
	bool done;           /* was put together; kept for a while to know its fragments again */
	uint8_t xchg, flags; /* of the header that all have */
	uint8_t last;        /* number of the last fragment; 0: not known */
	uint32_t msgid;
	uint32_t have;  /* bit n - 1: fragment n is here */
	uint32_t again; /* of a done set: fragment n came again */
	uint64_t due_us;
	struct {
		uint16_t at, n; /* bytes of buf */
	} piece[LIMIT_FRAG_PIECES];
	uint8_t *buf; /* owned */
	size_t n;     /* bytes in it */
};

/* By age. */
struct frag_list {
	struct frag_set *oldest, *newest;
};

#define FRAG_BUCKETS 1024

/*
 * Sets are found by source and responder cookie. Those without one belong to strangers, who can
 * write any source: they make room for one another before a client's do.
 */
struct frag_store {
	struct frag_set *bucket[FRAG_BUCKETS]; /* owned */
	struct frag_list strangers, clients;
	struct frag_set *current; /* whose message is being read; NULL: none */
	size_t bytes;             /* at most LIMIT_FRAG_TOTAL */
	unsigned waiting;         /* messages of which something is missing */
	uint64_t seed;
	uint64_t *count; /* borrowed: enum ike_count; every refusal is counted */
};

void frag_init(struct frag_store *s, uint64_t seed, uint64_t *count);
void frag_clear(struct frag_store *s);

/*
 * Takes in a fragment with the header h. 0 with the whole message when this was the last one
 * missing, which holds until frag_read(), or with an empty span. -EBADMSG; -EEXIST: it contradicts
 * what is here; -EUSERS: too many messages of this source are waiting; -E2BIG: the message is too
 * long; -ENOMEM.
 */
int frag_take(struct frag_store *s, const struct ike_dgram *d, const struct ike_hdr *h,
	      uint64_t now, struct span *ret_whole);

/* What the whole message says may have come in fragments with this header. */
bool frag_agrees(const struct ike_hdr *outer, const struct ike_hdr *inner);

/* The whole message has been read. One that was no good is forgotten at once. */
void frag_read(struct frag_store *s, bool good);

/* When the oldest set ends; UINT64_MAX: there is none. */
uint64_t frag_deadline(const struct frag_store *s);
void frag_expire(struct frag_store *s, uint64_t now);

/* ---- sending: frag_cut.c ---- */

/*
 * Where to cut: no datagram of a fragment, non-ESP marker included, is longer than `size`. The
 * data of each.
 */
#define FRAG_DATA(size) ((size)-FRAG_HEADER - 4)

struct ike_sa;

/* The message goes to this client in fragments. */
bool frag_wanted(const struct ike_conf *conf, const struct ike_sa *sa, size_t n);

/* Bytes on the wire of a message of n bytes to this client, as sa_send() sends it. */
size_t frag_cost(const struct ike_conf *conf, const struct ike_sa *sa, size_t n);

/* The i-th fragment of a message to this client into w; false behind the last one. */
bool frag_cut(const struct ike_conf *conf, const struct ike_sa *sa, struct span msg, unsigned i,
	      struct wr *w);
