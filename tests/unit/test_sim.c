/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_sim.c - eight clients and a gateway over a wire that loses, doubles and reorders, with a
 * virtual clock and work that takes time, and keys that are renewed by both sides, at times at once.
 * Whatever happens, what must hold does: after every event.
 *
 * VPNGW_SIM_SEED and VPNGW_SIM_SEEDS choose where to begin and how many runs to make.
 */
#include "gate_keep.h"
#include "sim_kit.h"

static struct gate_kept kept;
static unsigned long killed, survived;               /* gateways, sessions */
static bool kills;                                   /* in this run */
static unsigned long by_client, by_gateway, renewed; /* pairs, pairs, ISAKMP SAs */
static unsigned long events, came_up, by_main, matched, dual, moved, put_together, silent, replaced;
static unsigned long by_cert, refused, coded, asked_again;
static unsigned long quiet;

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
	lost[i] = true;
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

static void keep(struct gate *gate)
{
	gate_keep(gate, &kept);
}

/* The gateway was killed, and goes on with what was kept. */
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
		/* Now, or in the middle of what it does next. */
		if (kills && draw(3) == 0)
			kill_gate();
		else if (kills)
			g.fuse = 1 + draw(6);
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

/* With no place for another exchange the gateway cannot tell of a pair that ends. */
static bool is_busy(const struct ike_sa *sa)
{
	unsigned n = 0;

	for (const struct ike_xchg *x = sa->xchgs; x; x = x->next)
		n += !x->done;
	return n >= LIMIT_EXCHANGES;
}

/* Nothing was lost on the wire and nothing is on its way: then a pair that a client sends with is one of
 * the gateway's as well, however often that was killed. */
static bool is_heard(unsigned i, const struct ike_sa *sa)
{
	const struct dialer *d = &who[i];

	if (loss || lost[i] || n_wire || g.n_jobs || !sa || sa->state != IKE_ST_UP || !d->child ||
	    d->renewing || is_busy(sa))
		return true;
	quiet++;
	return pair_of(d, sa);
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
		if (!is_heard(i, sa))
			return "the client sends with a pair that the gateway does not have";
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
	sim_begin(seed);
	g.conf.p2_life_s = draw(3) ? 20 : 300;
	g.conf.p1_life_s = draw(3) ? 86400 : 40;
	g.conf.natt_keepalive_us = draw(2) ? 20 * US_PER_S : 0;
	g.conf.frag = draw(4) ? IKE_FRAG_ON : IKE_FRAG_FORCE;
	g.conf.frag_size = draw(2) ? 552 : IKE_FRAG_SIZE_MIN;
	prefix_parse("fd00:99::/64", &g.network6);
	g.code = draw(2) ? "271828" : NULL;
	g.conf.xauth_tries = 1 + draw(4);
	g.conf.compression = draw(2) ? IKE_COMPRESSION_DEFLATE : IKE_COMPRESSION_NONE;
	draw_limits(&g.conf);
	kills = draw(2);
	memset(&kept, 0, sizeof(kept));
	g.keep = keep;
	gate_start(&g);
	loss = draw(3) * 10;
	twice = draw(3) * 10;
	slowest_ms = 1 + draw(3) * 400;
	faults = true;
	for (unsigned i = 0; i < CLIENTS; i++) {
		sim_client(i, seed);
		who[i].c.wrong_sig = draw(20) == 0;
		if (draw(20) == 0)
			who[i].c.psk = "another key";
		who[i].c.ipcomp =
			g.conf.compression == IKE_COMPRESSION_DEFLATE && !who[i].c.v6 && draw(2);
		if (draw(10) == 0)
			who[i].password = "wrong";
		if (draw(10) == 0)
			who[i].code = "wrong";
	}
}

/* The next thing to happen; people act when nothing else comes first. */
static void step(uint64_t *next_act)
{
	if (sim_step(*next_act, collide))
		return;
	act();
	*next_act = g.now + 1000 * (1 + draw(4000));
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
		if (g.dead)
			kill_gate();
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
	g.fuse = 0;
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

int main(void)
{
	unsigned long first = sim_setting("VPNGW_SIM_SEED", 1);
#ifdef __SANITIZE_ADDRESS__
	unsigned long n = sim_setting("VPNGW_SIM_SEEDS", 500);
#else
	unsigned long n = sim_setting("VPNGW_SIM_SEEDS", 4000);
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
	ok(quiet > n, "and where nothing is lost, no client sends into nothing");
	ok(renewed > n / 2 && by_client > n && by_gateway > n / 2,
	   "keys are renewed by both sides");
	return done();
}
