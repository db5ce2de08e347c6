/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * capture.h - ISAKMP messages out of other people's captures.
 *
 * The captures are not part of the project. VPNGW_CAPTURES names their directory; without it the
 * tests skip.
 */
#pragma once

#include "bytes.h"

struct capture {
	uint8_t *file; /* owned */
	struct rd r;
	uint32_t link; /* pcap link type; UINT32_MAX: the file is one datagram */
	bool little;
};

/* NULL without VPNGW_CAPTURES (or VPNGW_VECTORS for the other). */
const char *capture_dir(void);
const char *vector_dir(void);

/* A whole file in memory the caller owns; a NULL span when it cannot be read. */
struct span file_read(const char *dir, const char *name);

/* Opens dir/name: pcap, or one raw datagram (*.dat). False when it cannot be read. */
bool capture_open(struct capture *c, const char *name);
void capture_close(struct capture *c);

/* The next UDP payload to or from 500 or 4500, without a non-ESP marker; false at the end. */
bool capture_next(struct capture *c, struct span *ret);

/* The types in the chain of a clear message, as "1 13 13 4 10 5", read without the core. */
const char *chain_text(struct span dgram, char buf[static 256]);
