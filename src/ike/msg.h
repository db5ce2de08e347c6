/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msg.h - the ISAKMP header and the walk over payloads (RFC 2408 3).
 *
 * The walk stores views of the datagram. It allocates nothing and decides nothing: what a payload
 * may look like and how often it may stand in one message are rows of a table, what a message may
 * contain is a row of steps.c.
 */
#pragma once

#include "bounds.h"
#include "bytes.h"
#include "ike/names.h"

#define ISAKMP_HDR 28

struct ike_hdr {
	uint8_t cky_i[8], cky_r[8];
	uint8_t next, version, xchg, flags;
	uint32_t msgid, length;
};

/* Bits for sets of payloads. Draft numbers count as their RFC ones. */
#define PB(pl) (1u << PB_##pl)
enum {
	PB_SA,
	PB_KE,
	PB_ID,
	PB_CERT,
	PB_CERTREQ,
	PB_HASH,
	PB_SIG,
	PB_NONCE,
	PB_NOTIFY,
	PB_DELETE,
	PB_VID,
	PB_ATTR,
	PB_NATD,
	PB_NATOA,
	PB_UNKNOWN,
	PB__COUNT,
};

#define MSG_NOTIFIES 8
#define MSG_DELETES  8
#define MSG_CERTS    8

/* Bodies of the payloads, without their generic headers. Views of the message. */
struct ike_msg {
	uint32_t present; /* PB() set */
	uint8_t first;    /* type of the first payload */
	struct span sa, ke, nonce, hash, attr, sig;
	struct span id[2]; /* Quick Mode: IDci, IDcr */
	struct span notify[MSG_NOTIFIES], del[MSG_DELETES];
	struct span vid[LIMIT_VENDOR_IDS], natd[LIMIT_NAT_D];
	struct span cert[MSG_CERTS];
	uint8_t n_id, n_notify, n_delete, n_vid, n_natd, n_cert;
	bool natd_draft;        /* the NAT-Ds came as payload 130 */
	struct span after_hash; /* every byte behind the HASH payload, to the end of the last one */
	struct span padding;    /* what follows the last payload */
};

/*
 * Reads the header and checks what holds for every message (N001-N022): whole, version 1.0, length
 * equal to the datagram's, an initiator cookie. 0 or -EBADMSG.
 */
int ike_hdr_read(struct span dgram, struct ike_hdr *ret);

/* Walks the payloads in `body`, the first of which has type `next`. 0 or -EBADMSG. */
int ike_walk(struct span body, uint8_t next, struct ike_msg *ret);

/* ---- bodies with structure of their own ---- */

struct ike_notify {
	uint32_t doi;
	uint8_t proto;
	uint16_t type;
	struct span spi, data;
};

int ike_notify_read(struct span body, struct ike_notify *ret);

struct ike_delete {
	uint32_t doi;
	uint8_t proto, spi_size;
	uint16_t n;
	struct span spis; /* exactly n * spi_size bytes */
};

int ike_delete_read(struct span body, struct ike_delete *ret);

struct ike_id {
	uint8_t type, proto;
	uint16_t port;
	struct span data;
};

int ike_id_read(struct span body, struct ike_id *ret);

/* An ATTR payload: type, identifier and the attributes behind them. */
struct ike_cfg {
	uint8_t type;
	uint16_t id;
	struct span attrs;
};

int ike_cfg_read(struct span body, struct ike_cfg *ret);

/* ---- data attributes (RFC 2408 3.3) ---- */

struct ike_attr {
	uint16_t type;
	bool basic; /* TV: the value is in `value`, and `data` views its two bytes */
	uint16_t value;
	struct span data;
};

/* The next attribute; false at the end or on a broken one (then r->bad). */
bool ike_attr_next(struct rd *r, struct ike_attr *ret);

/* The unsigned number in a TV or in a TLV of 1 to 8 bytes. False otherwise. */
bool ike_attr_number(const struct ike_attr *a, uint64_t *ret);
