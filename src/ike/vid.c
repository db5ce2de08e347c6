/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vid.c - vendor IDs. Most are the MD5 of a sentence; the sentence stands beside each. Pure. */
#include "ike/vid.h"

#include "cleanup.h"

struct vid {
	uint8_t b[20];
	uint8_t n;    /* bytes to compare */
	bool prefix;  /* a version follows */
	uint32_t bit; /* 0: tells only who it is */
	const char *client;
};

/* Capability behind VID_FRAG, first byte: in main and aggressive mode (0x40: in base mode). */
#define FRAG_PHASE1 0x80

/* clang-format off */
static const struct vid known[] = {
	/* first 8 bytes of MD5("draft-ietf-ipsra-isakmp-xauth-06.txt") */
	{ { 0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12 }, 8, false, VID_XAUTH, NULL },
	/* first 14 of MD5("CISCO-UNITY"), then major and minor version */
	{ { 0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc,
	    0x01, 0x00 }, 14, true, VID_UNITY, NULL },
	/* first 14 of MD5("CISCO-DEAD-PEER-DETECTION"), then major and minor version */
	{ { 0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57,
	    0x01, 0x00 }, 14, true, VID_DPD, NULL },
	/* MD5("RFC 3947") */
	{ { 0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95,
	    0x45, 0x2f }, 16, false, VID_NATT_RFC, NULL },
	/* MD5("draft-ietf-ipsec-nat-t-ike-03") */
	{ { 0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52,
	    0x9d, 0x56 }, 16, false, VID_NATT_03, NULL },
	/* MD5("draft-ietf-ipsec-nat-t-ike-02") */
	{ { 0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6,
	    0xa4, 0x48 }, 16, false, VID_NATT_02, NULL },
	/* MD5("draft-ietf-ipsec-nat-t-ike-02\n") */
	{ { 0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42,
	    0x7b, 0x1f }, 16, false, VID_NATT_02N, NULL },
	/* MD5("FRAGMENTATION"), mostly with 4 bytes of capabilities; racoon wants to see them */
	{ { 0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6,
	    0xc2, 0xd3, FRAG_PHASE1, 0x00, 0x00, 0x00 }, 16, true, VID_FRAG, NULL },
	/* MD5("strongSwan") */
	{ { 0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe,
	    0x5b, 0xeb }, 16, false, 0, "strongSwan" },
	/* MD5("KAME/racoon") */
	{ { 0x70, 0x03, 0xcb, 0xc1, 0x09, 0x7d, 0xbe, 0x9c, 0x26, 0x00, 0xba, 0x69, 0x83, 0xbc,
	    0x8b, 0x35 }, 16, false, 0, "racoon" },
	/* MD5("IPSec-Tools") */
	{ { 0x20, 0xa3, 0x62, 0x2c, 0x1c, 0xea, 0x7c, 0xe3, 0x7b, 0xee, 0x3c, 0xa4, 0x84, 0x42,
	    0x52, 0x76 }, 16, false, 0, "racoon" },
	/* seen from Shrew Soft */
	{ { 0xf1, 0x4b, 0x94, 0xb7, 0xbf, 0xf1, 0xfe, 0xf0, 0x27, 0x73, 0xb8, 0xc4, 0x9f, 0xed,
	    0xed, 0x26 }, 16, true, 0, "Shrew Soft" },
	/* MD5("draft-ietf-ipsec-nat-t-ike"): Apple alone */
	{ { 0x4d, 0xf3, 0x79, 0x28, 0xe9, 0xfc, 0x4f, 0xd1, 0xb3, 0x26, 0x21, 0x70, 0xd5, 0x15,
	    0xc6, 0x62 }, 16, false, 0, "Apple" },
	/* MD5("MS NT5 ISAKMPOAKLEY"), then a version */
	{ { 0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87,
	    0xe4, 0x61 }, 16, true, 0, "Windows" },
};
/* clang-format on */

/* One that tells its capabilities must have the one that we need. */
static bool is_able(const struct vid *e, struct span v)
{
	return e->bit != VID_FRAG || v.n == e->n || (v.n >= 20 && v.p[e->n] & FRAG_PHASE1);
}

void vid_collect(const struct ike_msg *m, struct vid_set *set)
{
	for (unsigned i = 0; i < m->n_vid; i++) {
		struct span v = m->vid[i];

		for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
			const struct vid *e = &known[k];

			if (!span_starts(v, (struct span){ e->b, e->n }) ||
			    (!e->prefix && v.n != e->n) || !is_able(e, v))
				continue;
			set->bits |= e->bit;
			if (e->client && !set->client)
				set->client = e->client;
		}
	}
}

/* Behind a prefix of ours stands a version, or what we are able to do. */
static size_t sent_len(const struct vid *e)
{
	size_t more = e->bit == VID_FRAG ? 4 : 2;

	return e->prefix ? e->n + more : e->n;
}

struct span vid_bytes(enum vid_bit v)
{
	for (size_t k = 0; k < ARRAY_SIZE(known); k++)
		if (known[k].bit == (uint32_t)v)
			return (struct span){ known[k].b, sent_len(&known[k]) };
	return (struct span){ 0 };
}

enum vid_bit vid_best_natt(uint32_t bits)
{
	static const enum vid_bit order[] = { VID_NATT_RFC, VID_NATT_03, VID_NATT_02,
					      VID_NATT_02N };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (bits & order[i])
			return order[i];
	return 0;
}
