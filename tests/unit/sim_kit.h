/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sim_kit.h - eight clients and a gateway over a wire that loses, doubles and reorders, with a virtual
 * clock and work that takes time: what simulations share. The same seed gives the same run.
 */
#pragma once

#include <stdlib.h>

#include "cleanup.h"
#include "dialer.h"
#include "gate.h"
#include "ike/core.h"
#include "tap.h"

#define CLIENTS 8
#define WIRE    512

struct packet {
	uint64_t at;
	bool to_gate;
	unsigned client;
	struct dialer_datagram d;
};

static struct gate g;
static struct dialer who[CLIENTS];
static struct packet wire[WIRE];
static unsigned n_wire;
static uint64_t rnd;
static unsigned loss, twice, slowest_ms; /* percent, percent */
static bool faults;                      /* work fails now and then */
static struct {
	bool deaf, dumb;
	uint64_t until;
} mute[CLIENTS];           /* hears nothing, is heard by nobody, or both */
static bool lost[CLIENTS]; /* it was so, or has been somewhere else */

static uint32_t draw(uint32_t below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (uint32_t)(rnd >> 33) % below;
}

/* ---- the wire ---- */

static void transmit(bool to_gate, unsigned client, const struct dialer_datagram *d)
{
	unsigned copies = draw(100) < loss ? 0 : draw(100) < twice ? 2 : 1;

	if (g.now < mute[client].until && (to_gate ? mute[client].dumb : mute[client].deaf)) {
		lost[client] = true;
		return;
	}
	while (copies--) {
		if (n_wire == WIRE)
			return;
		wire[n_wire++] = (struct packet){ .at = g.now + 1000 * draw(1 + slowest_ms),
						  .to_gate = to_gate,
						  .client = client,
						  .d = *d };
	}
}

static void flush_client(unsigned i)
{
	for (unsigned k = 0; k < who[i].n_out; k++)
		transmit(true, i, &who[i].out[k]);
	who[i].n_out = 0;
}

/* It listens on port 500, too, while it logs in from 4500. */
static bool listens_on(const struct dialer *d, const struct endpoint *to)
{
	return endpoint_eq(to, &d->c.self) ||
	       (d->state <= DIAL_ASKED && endpoint_eq(to, &d->initial.self));
}

/* To whoever has that address now: a NAT that has forgotten a port delivers nowhere. */
static void flush_gate(void)
{
	struct dialer_datagram d;

	for (unsigned k = 0; k < g.n_out; k++)
		for (unsigned i = 0; i < CLIENTS; i++) {
			if (!listens_on(&who[i], &g.out[k].peer) || g.out[k].n > sizeof(d.b))
				continue;
			d = (struct dialer_datagram){ .n = g.out[k].n };
			memcpy(d.b, g.out[k].b, d.n);
			transmit(false, i, &d);
		}
	g.n_out = 0;
}

static void deliver(unsigned at)
{
	struct packet p = wire[at];

	wire[at] = wire[--n_wire];
	if (p.to_gate) {
		gate_input(&g, &p.d.self, &p.d.gateway, p.d.natt, (struct span){ p.d.b, p.d.n });
		flush_gate();
	} else {
		dialer_input(&who[p.client], (struct span){ p.d.b, p.d.n }, g.now);
		flush_client(p.client);
	}
}

/* ---- a run ---- */

/* A gateway that has not been started: the caller may change its configuration. */
static void sim_begin(uint64_t seed)
{
	rnd = seed * 0x9e3779b97f4a7c15u + 1;
	gate_init(&g);
	g.conf.auth[g.conf.n_auth++] = AUTH_XAUTH_RSA;
	g.no_crypto = true;
	g.pool_len = 6; /* fewer than clients */
	g.seed ^= seed << 8;
	g.hold = ~0u;
	g.any_user = true;
	n_wire = 0;
	faults = false;
}

/* Client i, of a kind that the seed decides. */
static void sim_client(unsigned i, uint64_t seed)
{
	static const uint32_t natts[] = { VID_NATT_RFC, VID_NATT_02N, 0 };
	static const char *const users[] = { "alice", "bob", "carol", "dave", "erin", "frank" };
	struct dialer *d = &who[i];
	char self[32];

	snprintf(self, sizeof(self), "192.0.2.%u:500", i + 1);
	dialer_init(d, self, "198.51.100.1:500");
	d->c.no_crypto = true;
	d->c.seed = (uint32_t)(seed * 977 + i + 1);
	d->c.natt = natts[draw(3)];
	d->c.behind_nat = draw(2);
	d->c.clear_third = draw(2);
	d->c.vpnc_order = draw(2);
	d->c.pfs = draw(2) ? 31 : 0;
	d->c.main = draw(2);
	d->c.auth = d->c.main && draw(2) ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
	if (d->c.auth == AUTH_HYBRID_INIT_RSA && draw(3) == 0)
		d->c.auth = AUTH_XAUTH_RSA;
	d->c.n_certs = 1 + draw(3);
	d->c.knows_frag = draw(3) == 0;
	d->c.frag = draw(3) == 0 ? 60 + draw(300) : 0;
	d->c.no_dpd = draw(4) == 0;
	d->c.v6 = draw(3) == 0;
	d->c.initial_contact = draw(2);
	d->user = users[draw(ARRAY_SIZE(users))];
	d->asks_again = draw(3) == 0;
	d->deletes_old = draw(2);
	d->falls_back = draw(2);
	mute[i].until = 0;
	lost[i] = false;
}

/* What the kernel refuses in the moment in which the gateway dies, its client is not told. */
static void sim_job(void)
{
	g.dh_err = !faults || draw(40) ? 0 : -22;
	g.child_err = !faults || draw(40) ? 0 : -12;
	for (unsigned i = 0; i < CLIENTS && g.child_err && g.fuse; i++)
		lost[i] = true;
	g.proof = !faults || draw(20) ? IKE_PROOF_OK : draw(4);
	gate_do(&g, draw(g.n_jobs));
	flush_gate();
}

/* The next thing to happen: a datagram arrives, somebody's time has come, a job is done. False: nothing
 * before `until`, which it is now. before_gate, unless NULL: called when the gateway's time has come. */
static bool sim_step(uint64_t until, void (*before_gate)(void))
{
	uint64_t at = until, job = g.n_jobs ? g.now + draw(50000) : UINT64_MAX;
	unsigned packet = WIRE, client = CLIENTS;
	enum {
		NOTHING,
		GATE,
		CLIENT,
		PACKET,
		JOB
	} what = NOTHING;

#define EARLIER(time, kind) ((time) < at ? (at = (time), what = (kind), true) : false)
	EARLIER(ike_deadline(g.ike), GATE);
	EARLIER(job, JOB);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (EARLIER(dialer_due(&who[i]), CLIENT))
			client = i;
	for (unsigned i = 0; i < n_wire; i++)
		if (EARLIER(wire[i].at, PACKET))
			packet = i;
#undef EARLIER
	if (at > g.now)
		g.now = at;
	if (what == GATE) {
		if (before_gate)
			before_gate();
		gate_pass(&g, 0);
		flush_gate();
	} else if (what == CLIENT) {
		dialer_tick(&who[client], g.now);
		flush_client(client);
	} else if (what == PACKET) {
		deliver(packet);
	} else if (what == JOB) {
		sim_job();
	}
	return what != NOTHING;
}

static unsigned long sim_setting(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 10) : otherwise;
}
