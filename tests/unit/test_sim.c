/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_sim.c - eight clients and a gateway over a wire that loses, doubles and reorders, with a
 * virtual clock and work that takes time, and keys that are renewed by both sides, at times at once.
 * Whatever happens, what must hold does: after every event.
 *
 * VPNGW_SIM_SEED and VPNGW_SIM_SEEDS choose where to begin and how many runs to make.
 */
#include "cleanup.h"
#include "dialer.h"
#include "gate.h"
#include "gate_keep.h"
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
static struct gate_kept kept;
static unsigned long killed, survived; /* gateways, sessions */
static struct dialer who[CLIENTS];
static struct packet wire[WIRE];
static unsigned n_wire;
static uint64_t rnd;
static bool kills;                                   /* in this run */
static unsigned loss, twice, slowest_ms;             /* percent, percent */
static unsigned long by_client, by_gateway, renewed; /* pairs, pairs, ISAKMP SAs */
static unsigned long events, came_up, by_main, matched, dual, moved, put_together, silent, replaced;
static unsigned long by_cert, refused, coded, asked_again;
static struct {
	bool deaf, dumb;
	uint64_t until;
} mute[CLIENTS]; /* hears nothing, is heard by nobody, or both */

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

	if (g.now < mute[client].until && (to_gate ? mute[client].dumb : mute[client].deaf))
		return;
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

/* To whoever has that address now: a NAT that has forgotten a port delivers nowhere. */
static void flush_gate(void)
{
	struct dialer_datagram d;

	for (unsigned k = 0; k < g.n_out; k++)
		for (unsigned i = 0; i < CLIENTS; i++) {
			if (!endpoint_eq(&g.out[k].peer, &who[i].c.self) ||
			    g.out[k].n > sizeof(d.b))
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

/* ---- what people do ---- */

static void kick_one(void)
{
	uint32_t cursor = draw(CLIENTS * 2);
	const struct ike_sa *sa = ike_next(g.ike, &cursor);

	if (!sa)
		return;
	ike_close(g.ike, sa->id, IKE_R_KICKED, g.now, &g.fx);
	g.n_out = 0;
	gate_run(&g);
	flush_gate();
}

/* Where client i may be: its number is the last byte of all its addresses. */
static struct ipaddr home(unsigned i)
{
	static const uint32_t nets[] = { 0xc0000200, 0xcb007100, 0xc6336500 };

	return ipaddr_v4(nets[draw(ARRAY_SIZE(nets))] + i + 1);
}

/* The NAT has forgotten its mapping, or the client has gone elsewhere. */
static void move(unsigned i)
{
	struct dialer *d = &who[i];

	if (!d->c.behind_nat)
		return;
	d->c.self.port = (uint16_t)(1024 + draw(60000));
	if (draw(3) == 0)
		d->c.self.addr = home(i);
}

/* ESP of a client arrives: the kernel reports it when it comes from where the pair is not. */
static void esp(unsigned i)
{
	const struct dialer *d = &who[i];
	unsigned k = 0;

	while (k < g.n_pairs &&
	       (g.pair[k].fx.spi_in != d->pair.spi_out || g.pair[k].fx.spi_out != d->pair.spi_in))
		k++;
	if (k == g.n_pairs || !d->c.floated || endpoint_eq(&g.pair[k].fx.peer, &d->c.self))
		return;
	g.move_err = draw(20) ? 0 : -12;
	ike_moved(g.ike, d->pair.spi_out, &g.pair[k].fx.peer, &d->c.self, g.now, &g.fx);
	g.n_out = 0;
	gate_run(&g);
	flush_gate();
}

/* A report that is none of these: an old one, or about somebody else's SA. */
static void stray(void)
{
	const struct endpoint evil = { ipaddr_v4(0xcb0071f0), 4500 };
	struct endpoint from = { evil.addr, 4501 };
	uint32_t spi = draw(UINT32_MAX);

	if (g.n_pairs && draw(4)) {
		const struct ike_child_fx *k = &g.pair[draw(g.n_pairs)].fx;

		if (draw(2))
			spi = k->spi_in;
		else
			from = k->peer;
	}
	ike_moved(g.ike, spi, &from, &evil, g.now, &g.fx);
	gate_run(&g);
}

static void fall_silent(unsigned i)
{
	mute[i].until = g.now + US_PER_S * draw(30);
	mute[i].dumb = draw(4);
	mute[i].deaf = !mute[i].dumb || draw(2);
}

/* Packets in the tunnel, as the kernel's counters tell of them. */
static void use_tunnel(unsigned i)
{
	const struct ike_sa *sa = client_sa(&who[i].c, &g);

	if (sa && sa->state == IKE_ST_UP && g.now >= mute[i].until)
		ike_traffic(g.ike, sa->id, draw(2), g.now);
}

/* The gateway is killed, and goes on with what was kept. */
static void kill_gate(void)
{
	const char *why = gate_kill(&g, &kept);

	killed++;
	survived += ike_sessions(g.ike);
	if (*why)
		snprintf(g.fault, sizeof(g.fault), "%s", why);
	gate_pass(&g, 0); /* what became due meanwhile */
	flush_gate();
}

static void act(void)
{
	unsigned i = draw(CLIENTS);
	struct dialer *d = &who[i];

	switch (draw(22)) {
	case 0:
		kick_one();
		break;
	case 1:
		dialer_hang_up(d);
		break;
	case 2:
		dialer_call(d, g.now); /* forgets all about before */
		break;
	case 3:
		move(i);
		break;
	case 10:
	case 13:
	case 14:
	case 15:
		move(i);
		esp(i);
		break;
	case 11:
		esp(i);
		break;
	case 12:
		stray();
		break;
	case 16:
		if (kills)
			kill_gate();
		break;
	case 4:
	case 5:
		dialer_rekey(d, g.now);
		break;
	case 6:
		fall_silent(i);
		break;
	case 7:
		use_tunnel(i);
		break;
	case 8:
	case 9:
		d->mistypes = draw(8) == 0;
		dialer_renew(d, g.now);
		break;
	default:
		if (d->state == DIAL_IDLE || d->state == DIAL_FAILED)
			dialer_call(d, g.now);
		break;
	}
	flush_client(i);
}

/* Whose pair the gateway is about to renew does it at the same moment, often enough. */
static void collide(void)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct ike_sa *sa = client_sa(&who[i].c, &g);

		if (!sa || sa->due_us > g.now || draw(3))
			continue;
		dialer_rekey(&who[i], g.now);
		flush_client(i);
	}
}

/* ---- what must hold ---- */

/* The gateway's side of a client's pair; NULL: it does not know it, or not any more. */
static const struct ike_child *pair_of(const struct dialer *d, const struct ike_sa *sa)
{
	const struct ike_child *c = sa && d->child ? sa->children : NULL;

	while (c && c->spi_in != d->pair.spi_out)
		c = c->next;
	return c;
}

/* Where both sides believe in a pair, it is the same one. */
static bool keys_agree(const struct dialer *d, const struct ike_sa *sa)
{
	static struct client probe;
	const struct ike_child *c = pair_of(d, sa);

	if (!c || (c->state != IKE_CHILD_UP && c->state != IKE_CHILD_OLD))
		return true;
	probe.spi_in = d->pair.spi_in;
	probe.spi_out = d->pair.spi_out;
	memcpy(probe.key_in, d->pair.key_in, sizeof(probe.key_in));
	memcpy(probe.key_out, d->pair.key_out, sizeof(probe.key_out));
	matched++;
	dual += d->c.v6;
	return client_keys_match(&probe, &g) && ipaddr_eq(&sa->lease, &d->c.address) &&
	       (!d->c.v6 || ipaddr_eq(ike_child_inner(sa, c), &d->c.address6));
}

/* While both sides have a pair, none is sent with that the client does not receive with. */
static bool can_hear(const struct dialer *d, const struct ike_sa *sa)
{
	const struct ike_child *c = pair_of(d, sa);
	const struct gate_pair *sends = NULL;
	bool has = false;

	if (!c || (c->state != IKE_CHILD_UP && c->state != IKE_CHILD_OLD))
		return true;
	for (unsigned i = 0; i < g.n_pairs; i++) {
		const struct gate_pair *p = &g.pair[i];

		if (p->who.slot == sa->id.slot && p->who.gen == sa->id.gen && p->out &&
		    (!sends || sends->out < p->out))
			sends = p;
	}
	for (unsigned k = 0; k < d->n_receives && k < DIALER_SPIS; k++)
		has |= !sends || d->receives[k] == sends->fx.spi_out;
	return has;
}

/* Only a client itself has moved its session: nobody else is at his addresses. */
static bool own_places(void)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	while ((sa = ike_next(g.ike, &cursor))) {
		if (sa->peer.addr.b[3] != sa->source.addr.b[3])
			return false;
		for (const struct ike_child *c = sa->children; c; c = c->next)
			if (c->peer.addr.b[3] != sa->source.addr.b[3])
				return false;
	}
	return true;
}

static const char *wrong(void)
{
	const char *why = gate_check(&g);

	events++;
	if (!*why && !own_places())
		return "a session is where its client was never";
	if (*why)
		return why;
	if (draw(16) == 0 && *(why = gate_keep_check(&g, &kept)))
		return why;
	if (ike_deadline(g.ike) < g.now)
		return "a deadline is in the past";
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct ike_sa *sa = who[i].state == DIAL_UP ? client_sa(&who[i].c, &g) : NULL;

		if (!keys_agree(&who[i], sa))
			return "the two sides of a pair have different keys";
		if (!can_hear(&who[i], sa))
			return "the gateway sends what the client cannot decrypt";
	}
	return "";
}

static void count_rekeys(void)
{
	for (unsigned i = 0; i < g.n_events; i++)
		if (g.event[i].kind == FX_REKEY)
			++*(g.event[i].of_isakmp    ? &renewed
			    : g.event[i].by_gateway ? &by_gateway
						    : &by_client);
}

/* ---- one run ---- */

/* Who is asked for a sign of life, how long a session may last, how many a user may have. */
static void draw_limits(struct ike_conf *c)
{
	static const enum ike_unique unique[] = { IKE_UNIQUE_NEVER, IKE_UNIQUE_NEVER,
						  IKE_UNIQUE_KEEP, IKE_UNIQUE_REPLACE };

	c->dpd_delay_us = draw(3) * 3 * US_PER_S;
	c->dpd_retry_us = (1 + draw(2)) * US_PER_S;
	c->dpd_maxfail = 1 + draw(4);
	c->idle_limit_us = draw(4) ? 0 : 10 * US_PER_S;
	c->session_limit_us = draw(4) ? 0 : 20 * US_PER_S;
	c->unique = unique[draw(4)];
	c->sessions_per_user = draw(3);
}

static void prepare(uint64_t seed)
{
	static const uint32_t natts[] = { VID_NATT_RFC, VID_NATT_02N, 0 };
	static const char *const users[] = { "alice", "bob", "carol", "dave", "erin", "frank" };

	rnd = seed * 0x9e3779b97f4a7c15u + 1;
	gate_init(&g);
	g.conf.auth[g.conf.n_auth++] = AUTH_XAUTH_RSA;
	g.no_crypto = true;
	g.pool_len = 6; /* fewer than clients */
	g.seed ^= seed << 8;
	g.conf.p2_life_s = draw(3) ? 20 : 300;
	g.conf.p1_life_s = draw(3) ? 86400 : 40;
	g.conf.natt_keepalive_us = draw(2) ? 20 * US_PER_S : 0;
	g.conf.frag = draw(4) ? IKE_FRAG_ON : IKE_FRAG_FORCE;
	g.conf.frag_size = draw(2) ? 552 : IKE_FRAG_SIZE_MIN;
	g.hold = ~0u;
	g.any_user = true;
	prefix_parse("fd00:99::/64", &g.network6);
	g.code = draw(2) ? "271828" : NULL;
	g.conf.xauth_tries = 1 + draw(4);
	g.conf.compression = draw(2) ? IKE_COMPRESSION_DEFLATE : IKE_COMPRESSION_NONE;
	draw_limits(&g.conf);
	kills = draw(2);
	memset(&kept, 0, sizeof(kept));
	gate_start(&g);
	n_wire = 0;
	loss = draw(3) * 10;
	twice = draw(3) * 10;
	slowest_ms = 1 + draw(3) * 400;
	for (unsigned i = 0; i < CLIENTS; i++) {
		char self[32];

		snprintf(self, sizeof(self), "192.0.2.%u:500", i + 1);
		dialer_init(&who[i], self, "198.51.100.1:500");
		who[i].c.no_crypto = true;
		who[i].c.seed = (uint32_t)(seed * 977 + i + 1);
		who[i].c.natt = natts[draw(3)];
		who[i].c.behind_nat = draw(2);
		who[i].c.clear_third = draw(2);
		who[i].c.vpnc_order = draw(2);
		who[i].c.pfs = draw(2) ? 31 : 0;
		who[i].c.main = draw(2);
		who[i].c.auth = who[i].c.main && draw(2) ? AUTH_XAUTH_PSK : AUTH_HYBRID_INIT_RSA;
		if (who[i].c.auth == AUTH_HYBRID_INIT_RSA && draw(3) == 0)
			who[i].c.auth = AUTH_XAUTH_RSA;
		who[i].c.wrong_sig = draw(20) == 0;
		who[i].c.n_certs = 1 + draw(3);
		if (draw(20) == 0)
			who[i].c.psk = "another key";
		who[i].c.knows_frag = draw(3) == 0;
		who[i].c.frag = draw(3) == 0 ? 60 + draw(300) : 0;
		who[i].c.no_dpd = draw(4) == 0;
		who[i].c.v6 = draw(3) == 0;
		who[i].c.initial_contact = draw(2);
		who[i].c.ipcomp =
			g.conf.compression == IKE_COMPRESSION_DEFLATE && !who[i].c.v6 && draw(2);
		who[i].user = users[draw(ARRAY_SIZE(users))];
		mute[i].until = 0;
		who[i].asks_again = draw(3) == 0;
		who[i].deletes_old = draw(2);
		who[i].falls_back = draw(2);
		if (draw(10) == 0)
			who[i].password = "wrong";
		if (draw(10) == 0)
			who[i].code = "wrong";
	}
}

/* The next thing to happen: a datagram arrives, somebody's time has come, a job is done. */
static void step(uint64_t *next_act)
{
	uint64_t at = *next_act, job = g.n_jobs ? g.now + draw(50000) : UINT64_MAX;
	unsigned packet = WIRE, client = CLIENTS;
	enum {
		ACT,
		GATE,
		CLIENT,
		PACKET,
		JOB
	} what = ACT;

#define EARLIER(time, kind) ((time) < at ? (at = (time), what = (kind), true) : false)
	EARLIER(ike_deadline(g.ike), GATE);
	EARLIER(job, JOB);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (EARLIER(dialer_due(&who[i]), CLIENT))
			client = i;
	for (unsigned i = 0; i < n_wire; i++)
		if (EARLIER(wire[i].at, PACKET))
			packet = i;
	if (at > g.now)
		g.now = at;
	switch (what) {
	case ACT:
		act();
		*next_act = g.now + 1000 * (1 + draw(4000));
		break;
	case GATE:
		collide();
		gate_pass(&g, 0);
		flush_gate();
		break;
	case CLIENT:
		dialer_tick(&who[client], g.now);
		flush_client(client);
		break;
	case PACKET:
		deliver(packet);
		break;
	case JOB:
		g.dh_err = draw(40) ? 0 : -22;
		g.child_err = draw(40) ? 0 : -12;
		g.proof = draw(20) ? IKE_PROOF_OK : draw(4);
		gate_do(&g, draw(g.n_jobs));
		flush_gate();
		break;
	}
}

static void count_up(void)
{
	const struct gate_event *e = gate_last(&g, FX_UP);
	const struct ike_sa *sa = e ? ike_find(g.ike, e->who) : NULL;

	came_up += gate_count(&g, FX_UP, IKE_R__COUNT);
	by_main += sa && sa->mode == XCHG_MAIN;
	coded += sa && g.code;
	by_cert += sa && sa->auth == AUTH_XAUTH_RSA;
}

static const char *run(uint64_t seed)
{
	uint64_t next_act, end;
	const char *why = "";

	prepare(seed);
	next_act = g.now;
	end = g.now + 70 * US_PER_S;
	for (unsigned i = 0; i < CLIENTS; i++) {
		dialer_call(&who[i], g.now);
		flush_client(i);
	}
	while (g.now < end && !*why) {
		g.n_events = 0;
		step(&next_act);
		gate_keep(&g, &kept);
		count_up();
		count_rekeys();
		moved += gate_count(&g, FX_MOVED, IKE_R__COUNT);
		silent += gate_count(&g, FX_DOWN, IKE_R_DPD_TIMEOUT);
		replaced += gate_count(&g, FX_DOWN, IKE_R_REPLACED);
		asked_again += gate_count(&g, FX_AGAIN, IKE_R__COUNT);
		refused += gate_count(&g, FX_NOTE, IKE_R_CERTIFICATE) +
			   gate_count(&g, FX_NOTE, IKE_R_SIGNATURE);
		why = wrong();
	}
	if (*why)
		return why;
	/* Everybody falls silent; the work that waits is done. */
	gate_do_all(&g);
	gate_pass(&g, UINT64_C(100000) * US_PER_S);
	gate_do_all(&g);
	gate_pass(&g, UINT64_C(100000) * US_PER_S);
	why = gate_check(&g);
	put_together += ike_counter(g.ike, IKE_C_FRAG_WHOLE);
	if (!*why &&
	    (g.ike->t.n || g.leases || g.n_pairs || ike_half_open(g.ike) || g.ike->frags.bytes))
		why = "something is left when all is quiet";
	return why;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 10) : otherwise;
}

int main(void)
{
	unsigned long first = setting("VPNGW_SIM_SEED", 1);
#ifdef __SANITIZE_ADDRESS__
	unsigned long n = setting("VPNGW_SIM_SEEDS", 500);
#else
	unsigned long n = setting("VPNGW_SIM_SEEDS", 4000);
#endif
	unsigned long bad = 0;

	for (unsigned long seed = first; seed < first + n; seed++) {
		const char *why = run(seed);

		gate_stop(&g);
		if (!*why)
			continue;
		printf("# seed %lu, at %.3f s: %s\n", seed, (double)g.now / 1e6, why);
		if (++bad == 10)
			break;
	}
	printf("# %lu runs, %lu events, %lu sessions came up, %lu of them by main mode, %lu moved, "
	       "%lu "
	       "times keys compared, %lu messages came in fragments\n",
	       n, events, came_up, by_main, moved, matched, put_together);
	printf("# %lu silent clients given up, %lu sessions replaced\n", silent, replaced);
	printf("# %lu came up by certificates, %lu were refused\n", by_cert, refused);
	printf("# %lu came up with a code, %lu wrong passwords and codes were forgiven\n", coded,
	       asked_again);
	printf("# renewed: %lu ISAKMP SAs; pairs: %lu by clients, %lu by the gateway\n", renewed,
	       by_client, by_gateway);
	printf("# the gateway was killed %lu times, with %lu sessions in all that went on\n",
	       killed, survived);
	ok(bad == 0, "in every run, after every event, what must hold does");
	ok(came_up > n * 6, "and clients get through, several in each run");
	ok(by_main > n * 2, "by main mode as well");
	ok(coded > n && asked_again > n / 2, "also with a code, and after a mistake");
	ok(by_cert > n && refused > n / 10, "by certificates, of which some are refused");
	ok(matched > n * 100, "with the same keys on both sides, as far as both know");
	ok(dual > n * 10, "and the pair of a client with an IPv6 address is for that one");
	ok(moved > n / 2, "and are followed when they move");
	ok(put_together > n * 5, "also those that send fragments");
	ok(silent > n / 2 && replaced > n / 2, "some fall silent, and some give way to others");
	ok(killed > n / 2 && survived > n, "it is killed, and sessions go on");
	ok(renewed > n / 2 && by_client > n && by_gateway > n / 2,
	   "keys are renewed by both sides");
	return done();
}
