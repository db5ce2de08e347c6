/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ike_frag.c - sequences of fragments. Each begins with a byte of habits (below); then come
 * its id, number, flags and length, and data, or a datagram as it is.
 *
 * Whatever is put together must be made of fragments that one sender sent under one id, in the
 * order of their numbers; and what the store counts must be what is in it, within its bounds.
 */
#include <stdlib.h>

#include "cleanup.h"
#include "gate.h"
#include "ike/frag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum habit {
	SENDER = 3,  /* who, of four, two of them at one address */
	COOKIE = 12, /* which responder cookie; 0: none */
	RAW = 16,    /* the length and a datagram, from its next payload on */
	LATER = 32,  /* three seconds before it */
	GOOD = 64,   /* what is put together turns out to be good */
	LONG = 128,  /* data is 40 times as long as there is, repeated */
};

#define check(good) ((good) ? (void)0 : abort())
#define SENT_MAX    400

/* A fragment that was sent. */
struct sent {
	uint8_t who; /* SENDER | COOKIE */
	uint16_t id;
	uint8_t number;
	struct span data; /* in kept */
};

static struct sent sent[SENT_MAX];
static unsigned n_sent;
static uint8_t kept[1 << 22];
static size_t n_kept;
static struct frag_store store;
static uint64_t counts[IKE_C__COUNT];

/* The rest of a message, from this number on, was sent by `who` under `id`. */
static bool was_sent(struct span rest, uint8_t who, uint16_t id, unsigned number)
{
	if (!rest.n)
		return true;
	for (unsigned i = n_sent; i-- > 0;) {
		const struct sent *s = &sent[i];

		if (s->who == who && s->id == id && s->number == number &&
		    span_starts(rest, s->data) &&
		    was_sent((struct span){ rest.p + s->data.n, rest.n - s->data.n }, who, id,
			     number + 1))
			return true;
	}
	return false;
}

/* Remembers it as it will be read, if it will be. */
static const struct sent *remember(uint8_t who, struct span dgram)
{
	struct rd r = rd_from(dgram);
	struct sent *s = &sent[n_sent];

	(void)rd_take(&r, ISAKMP_HDR + 4);
	s->who = who;
	s->id = rd_be16(&r);
	s->number = rd_u8(&r);
	(void)rd_u8(&r);
	s->data = rd_rest(&r);
	if (r.bad || s->data.n > sizeof(kept) - n_kept)
		return NULL;
	memcpy(kept + n_kept, s->data.p ? s->data.p : kept, s->data.n);
	s->data.p = kept + n_kept;
	n_kept += s->data.n;
	n_sent++;
	return s;
}

static void header(struct wr *w, uint8_t how)
{
	uint8_t cookie = (how & COOKIE) >> 2;

	wr_bytes(w, "initiate", 8);
	for (unsigned i = 0; i < 8; i++)
		wr_u8(w, cookie);
	wr_u8(w, PL_FRAGMENT);
	wr_u8(w, 0x10);
	wr_u8(w, XCHG_AGGRESSIVE);
	wr_u8(w, 0);
	wr_be32(w, 0);
	wr_be32(w, 0);
}

static void fragment(struct wr *w, struct rd *r, uint8_t how)
{
	uint8_t id = rd_u8(r), number = rd_u8(r), flags = rd_u8(r);
	size_t n = rd_u8(r), mark = w->len;
	struct span s = rd_take(r, n > r->left ? r->left : n);

	wr_be32(w, 0);
	wr_be16(w, id);
	wr_u8(w, number);
	wr_u8(w, flags);
	for (unsigned i = 0; i < (how & LONG ? 40 : 1); i++)
		wr_span(w, s);
	wr_patch_be16(w, mark + 2, w->len - mark);
}

static void raw(struct wr *w, struct rd *r)
{
	size_t n = rd_u8(r);

	wr_span(w, rd_take(r, n > r->left ? r->left : n));
}

static void take(struct span dgram, uint8_t how, uint64_t now)
{
	uint8_t *exact = malloc(dgram.n);
	struct ike_dgram d = { .natt = false, .data = { exact, dgram.n } };
	const struct sent *s;
	struct span whole;
	struct ike_hdr h;

	memcpy(exact, dgram.p, dgram.n);
	d.peer.addr = ipaddr_v4(0x0a000000 + (how & SENDER) / 2);
	d.peer.port = (uint16_t)(500 + (how & SENDER) % 2);
	s = remember(how & (SENDER | COOKIE), d.data);
	if (s && ike_hdr_read(d.data, &h) == 0) {
		frag_take(&store, &d, &h, now, &whole);
		check(whole.n <= LIMIT_FRAG_MESSAGE);
		check(!whole.n || was_sent(whole, s->who, s->id, 1));
		check(!whole.n == !store.current);
		frag_read(&store, how & GOOD);
	}
	free(exact);
	check(!*gate_check_frags(&store));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t dgram[20000];
	struct rd r = rd_from((struct span){ data, size });
	uint64_t now = 1000000;

	frag_init(&store, 4711, counts);
	n_sent = 0;
	n_kept = 0;
	while (r.left && !r.bad && n_sent < SENT_MAX) {
		uint8_t how = rd_u8(&r);
		struct wr w = wr_into(dgram, sizeof(dgram));

		header(&w, how);
		if (how & RAW)
			raw(&w, &r);
		else
			fragment(&w, &r, how);
		wr_patch_be16(&w, 26, w.len);
		if (how & LATER) {
			now += 3000000;
			frag_expire(&store, now);
			check(frag_deadline(&store) > now);
		}
		take(wr_done(&w), how, now);
	}
	frag_expire(&store, now + 10000000);
	check(store.bytes == 0 && store.waiting == 0 && frag_deadline(&store) == UINT64_MAX);
	frag_clear(&store);
	return 0;
}
