/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hostile_kit.h - the oracle around every hostile input: what was not answered must not have
 * changed anything either, one counter tells that it came, and honest clients notice nothing.
 */
#pragma once

#include "craft.h"
#include "ike_kit.h"

struct before {
	unsigned half_open, sessions, pairs, leases, events, jobs;
	uint64_t dropped;
	uint8_t sa[sizeof(struct ike_sa)];
	bool has_sa;
};

static struct before before;
static struct craft k;
static const struct span nil = { 0 };

/* All counters that mean that a datagram was not taken. */
__attribute__((unused)) static uint64_t drops(void)
{
	static const enum ike_count all[] = { IKE_C_DROP_HEADER,         IKE_C_DROP_MALFORMED,
					      IKE_C_DROP_UNEXPECTED,     IKE_C_DROP_COOKIE,
					      IKE_C_DROP_HASH,           IKE_C_DROP_REPLAY,
					      IKE_C_DROP_LIMIT,          IKE_C_DROP_CREDIT,
					      IKE_C_NO_PROPOSAL,         IKE_C_DROP_FRAG_OFF,
					      IKE_C_DROP_FRAG_MALFORMED, IKE_C_DROP_FRAG_CONFLICT,
					      IKE_C_DROP_FRAG_LIMIT };
	uint64_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		n += ike_counter(g.ike, all[i]);
	return n;
}

/* What the client's SA is, as bytes; its deadline apart, which any message may rearrange. */
__attribute__((unused)) static bool sa_bytes(uint8_t *out)
{
	const struct ike_sa *sa = client_sa(&c, &g);

	if (sa)
		memcpy(out, sa, sizeof(*sa));
	return sa;
}

/* Notes how things are. */
__attribute__((unused)) static void look(void)
{
	before = (struct before){ .half_open = ike_half_open(g.ike),
				  .sessions = ike_sessions(g.ike),
				  .pairs = g.n_pairs,
				  .leases = g.leases,
				  .events = g.n_events,
				  .jobs = g.n_jobs,
				  .dropped = drops() };
	before.has_sa = sa_bytes(before.sa);
}

/* Nothing went out and nothing is different from when look() looked. */
__attribute__((unused)) static bool as_before(void)
{
	uint8_t now[sizeof(struct ike_sa)];
	bool has = sa_bytes(now);

	return g.n_out == 0 && before.half_open == ike_half_open(g.ike) &&
	       before.sessions == ike_sessions(g.ike) && before.pairs == g.n_pairs &&
	       before.leases == g.leases && before.events == g.n_events &&
	       before.jobs == g.n_jobs && has == before.has_sa &&
	       (!has || memcmp(now, before.sa, sizeof(now)) == 0);
}

__attribute__((unused)) static bool unmoved(void)
{
	if (as_before())
		return kit_sound();
	printf("# out %u, half-open %u, sessions %u, pairs %u, leases %u, events %u\n", g.n_out,
	       ike_half_open(g.ike), ike_sessions(g.ike), g.n_pairs, g.leases, g.n_events);
	return false;
}

/* Gives `data` to the gateway from the client's place; true when it was dropped without a trace
 * but one count. */
__attribute__((unused)) static bool dropped(struct span data)
{
	uint8_t *exact = malloc(data.n ? data.n : 1); /* so that a read past the end is seen */
	bool good;

	memcpy(exact, data.p ? data.p : exact, data.n);
	look();
	client_raw(&c, &g, (struct span){ exact, data.n });
	free(exact);
	good = unmoved();
	if (drops() != before.dropped + 1) {
		printf("# %llu counts instead of one\n",
		       (unsigned long long)(drops() - before.dropped));
		good = false;
	}
	return good;
}

/* An honest client from elsewhere logs in. */
__attribute__((unused)) static bool others_fine(void)
{
	static struct client other;
	static unsigned turn;
	char self[32];
	bool good;

	snprintf(self, sizeof(self), "203.0.113.%u:500", 1 + turn++ % 200);
	kit_another(&other, self);
	good = client_up(&other, &g) && client_keys_match(&other, &g);
	client_to(&other, &g, client_delete_isakmp(&other));
	return good && kit_sound();
}

/* The client's first message, sound, in `k`. */
__attribute__((unused)) static void first(void)
{
	craft_from(&k, client_first(&c));
}
