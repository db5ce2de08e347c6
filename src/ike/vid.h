/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vid.h - vendor IDs: what the client can do, and who it is. */
#pragma once

#include "bytes.h"
#include "ike/msg.h"

enum vid_bit {
	VID_XAUTH = 1 << 0, /* draft-ietf-ipsec-isakmp-xauth-06 */
	VID_UNITY = 1 << 1, /* Cisco Unity */
	VID_DPD = 1 << 2,   /* RFC 3706 5.1 */
	VID_NATT_RFC = 1 << 3,
	VID_NATT_03 = 1 << 4,
	VID_NATT_02 = 1 << 5,
	VID_NATT_02N = 1 << 6, /* draft 02 with the newline that its text prints */
	VID_FRAG = 1 << 7,     /* IKE fragments in main and aggressive mode */
};

struct vid_set {
	uint32_t bits;      /* enum vid_bit */
	const char *client; /* static; NULL when no ID tells */
};

/* Adds what the vendor IDs of a message say. */
void vid_collect(const struct ike_msg *m, struct vid_set *set);

/* The bytes of one of our own. */
struct span vid_bytes(enum vid_bit v);

/* The best NAT traversal both know (RFC, then draft 03, 02); 0 for none. */
enum vid_bit vid_best_natt(uint32_t bits);
