/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate.c - a gateway for tests: carries out the core's effects in memory. */
#include "gate_own.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/psk.h"

/* xorshift: repeatable, and good enough for nonces in a test. */
void gate_fill(void *ctx, void *out, size_t n)
{
	struct gate *g = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		g->seed ^= g->seed << 13;
		g->seed ^= g->seed >> 7;
		g->seed ^= g->seed << 17;
		p[i] = (uint8_t)(g->seed >> 32);
	}
}

struct endpoint ep(const char *text)
{
	struct endpoint e = { 0 };

	if (endpoint_parse(text, &e) < 0)
		abort();
	return e;
}

void gate_init(struct gate *g)
{
	static const char *const p1[] = { "aes256-sha256-modp2048", "aes256-sha1-modp2048",
					  "aes128-sha1-modp1024",   "3des-md5-modp768",
					  "aes256-sha512-ecp384",   "aes192-sha384-x25519" };
	static const char *const p2[] = { "aes256-sha256", "aes128-sha1",   "aes256gcm16",
					  "3des-md5",      "aes192-sha512", "aes128-sha384" };
	static const uint8_t cert[700] = { 0x30, 0x82 };
	static struct psk row[] = { { .net.addr.family = IP_V4, .line = 1 },
				    { .net.addr.family = IP_V6, .line = 1 } };
	static const struct psk_table psks = { .v = row, .n = ARRAY_SIZE(row) };
	const char *why;

	row[0].key = row[1].key = span_str(GATE_PSK);
	memset(g, 0, sizeof(*g));
	g->now = 1000000;
	g->seed = 88172645463325252u;
	g->user = g->owner = "alice";
	g->password = "wonderland";
	g->prompt = "Code: ";
	g->ask = IKE_ASK_PASSCODE;
	g->pool_first = 0x0a636301; /* 10.99.99.1 */
	g->pool_len = GATE_POOL;
	for (unsigned i = 0; i < ARRAY_SIZE(p1); i++)
		ike_p1_parse(p1[i], &g->conf.p1[g->conf.n_p1++], &why);
	for (unsigned i = 0; i < ARRAY_SIZE(p2); i++)
		ike_p2_parse(p2[i], &g->conf.p2[g->conf.n_p2++], &why);
	g->conf.mode[g->conf.n_modes++] = XCHG_AGGRESSIVE;
	g->conf.mode[g->conf.n_modes++] = XCHG_MAIN;
	g->conf.auth[g->conf.n_auth++] = AUTH_HYBRID_INIT_RSA;
	g->conf.auth[g->conf.n_auth++] = AUTH_XAUTH_PSK;
	g->conf.psk = &psks;
	g->conf.p1_life_s = 86400;
	g->conf.p2_life_s = 3600;
	g->conf.natt = IKE_NATT_ON;
	g->conf.frag = IKE_FRAG_ON;
	g->conf.frag_size = 552;
	g->conf.retransmit_us = 2000000;
	g->conf.retransmit_tries = 4;
	g->conf.retransmit_factor = 2.0;
	g->conf.dpd_retry_us = 5000000;
	g->conf.dpd_maxfail = 5;
	g->conf.half_open_total = 100;
	g->conf.half_open_source = 20;
	g->conf.auth_timeout_us = 60000000;
	g->conf.my_id_type = IKE_ID_FQDN;
	g->conf.my_id = span_str("vpn.example.net");
	g->conf.cert[0] = SPAN_OF(cert);
	g->conf.n_certs = 1;
	g->conf.modecfg.netmask_len = 32;
	g->conf.modecfg.dns[0] = ipaddr_v4(0x0a0a0035);
	g->conf.modecfg.n_dns = 1;
	g->conf.modecfg.banner = span_str("Welcome");
	g->conf.modecfg.version = span_str("vpngw test");
}

void gate_start(struct gate *g)
{
	if (ike_new(&g->conf, (struct ike_rng){ gate_fill, g }, &g->ike) < 0)
		abort();
}

void gate_stop(struct gate *g)
{
	fx_reset(&g->fx);
	g->ike = ike_free(g->ike);
}

void gate_signature(struct span hash, uint8_t out[static GATE_SIG])
{
	for (size_t i = 0; i < GATE_SIG; i++)
		out[i] = (uint8_t)(hash.p[i % hash.n] ^ 0x5a ^ i);
}

void gate_client_signature(struct span hash, uint8_t out[static GATE_SIG])
{
	for (size_t i = 0; i < GATE_SIG; i++)
		out[i] = (uint8_t)(hash.p[i % hash.n] ^ 0xa5 ^ i);
}

void gate_forget_out(struct gate *g)
{
	g->n_out = 0;
	*g->trace = '\0';
}

/* ---- what the core asks for ---- */

void gate_fault(struct gate *g, const char *text)
{
	if (!*g->fault)
		snprintf(g->fault, sizeof(g->fault), "%s", text);
}

struct gate_event *gate_note(struct gate *g, const struct fx_item *it)
{
	static struct gate_event lost;
	struct gate_event *e = g->n_events < GATE_EVENTS ? &g->event[g->n_events++] : &lost;

	*e = (struct gate_event){ .kind = it->kind, .who = it->who.who };
	return e;
}

static void keep_out(struct gate *g, const struct fx_item *it)
{
	struct gate_dgram *d = &g->out[g->n_out];

	size_t n = it->send.data.n + (it->send.natt ? 4 : 0);

	g->bytes_out += it->send.data.n;
	if (n > g->longest)
		g->longest = n;
	if (it->send.data.n > sizeof(d->b))
		gate_fault(g, "a datagram that is longer than a test expects");
	if (g->n_out == GATE_OUT || it->send.data.n > sizeof(d->b))
		return;
	g->n_out++;
	d->local = it->send.local;
	d->peer = it->send.peer;
	d->natt = it->send.natt;
	d->n = it->send.data.n;
	memcpy(d->b, it->send.data.p, d->n);
}

static void del_pair(struct gate *g, const struct fx_item *it)
{
	gate_note(g, it);
	if (!it->child->keep_policies)
		gate_policies_del(g, it->child);
	for (unsigned i = 0; i < g->n_pairs; i++)
		if (g->pair[i].fx.spi_in == it->child->spi_in) {
			if (it->child->part == IKE_PART_IN && g->pair[i].out)
				gate_fault(g, "a pair is removed, and its outbound SA is not");
			g->pair[i] = g->pair[--g->n_pairs];
			return;
		}
	gate_fault(g, "a pair is removed that is not in the kernel");
}

static void move_pair(struct gate *g, const struct fx_item *it)
{
	const struct ike_child_fx *k = it->move.child;
	struct gate_event *e = gate_note(g, it);
	unsigned i = 0;

	e->from = k->peer;
	e->peer = it->move.to;
	while (i < g->n_pairs && g->pair[i].fx.spi_in != k->spi_in)
		i++;
	if (i == g->n_pairs || memcmp(&g->pair[i].who, &it->who.who, sizeof(it->who.who)) != 0 ||
	    !endpoint_eq(&g->pair[i].fx.peer, &k->peer) || !k->encap || !g->pair[i].out) {
		gate_fault(g, "a pair is moved that is not there");
		return;
	}
	g->pair[i].fx.peer = it->move.to;
	if (g->move_err < 0)
		ike_child_lost(g->ike, it->who.who, k->child, g->now, &g->fx);
}

static void session(struct gate *g, const struct fx_item *it)
{
	const struct fx_session *s = it->session;
	struct gate_event *e = gate_note(g, it);
	uint32_t at = ipaddr_to_v4(&s->lease) - g->pool_first;

	e->reason = s->reason;
	e->lease = s->lease;
	e->lease6 = s->lease6;
	e->logged_in = s->logged_in;
	e->asked = s->asked;
	e->from = s->from;
	e->peer = s->peer;
	e->by_gateway = s->by_gateway;
	e->of_isakmp = s->of_isakmp;
	snprintf(e->text, sizeof(e->text), "%s", s->user);
	/* I5. More than there was room for go later, when the new one may have left again. */
	if (s->reason == IKE_R_REPLACED && !by_user_first(&g->ike->t.users, s->user))
		gate_fault(g, "a session gives way, but nobody of that user has come");
	if (it->kind != FX_DOWN || !s->lease.family)
		return;
	if (at >= g->pool_len || !g->leased[at]) {
		gate_fault(g, "an address is given back that nobody has");
		return;
	}
	g->leased[at] = false;
	g->leases--;
}

static void remark(struct gate *g, const struct fx_item *it)
{
	struct gate_event *e = gate_note(g, it);

	e->reason = it->note.reason;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)it->note.detail.n,
		 (const char *)it->note.detail.p);
}

/* ---- driving it ---- */

/* s: a datagram; k: Diffie-Hellman; B, I, O: a pair, its inbound or its outbound SA goes in, D: it
 * is taken out; U, R, X: a session comes up, has new keys, ends; n: a remark; other work has no letter. */
static char trace_letter(const struct fx_item *it)
{
	static const char part[] = {
		[IKE_PART_BOTH] = 'B', [IKE_PART_IN] = 'I', [IKE_PART_OUT] = 'O'
	};

	switch (it->kind) {
	case FX_SEND:
		return 's';
	case FX_DH:
		return 'k';
	case FX_CHILD_ADD:
		return part[it->child->part];
	case FX_CHILD_DEL:
		return 'D';
	case FX_UP:
		return 'U';
	case FX_REKEY:
		return 'R';
	case FX_DOWN:
		return 'X';
	case FX_NOTE:
		return 'n';
	case FX_SIGN:
	case FX_PROOF:
	case FX_AUTH:
	case FX_ANSWER:
	case FX_AGAIN:
	case FX_LEASE:
	case FX_CHILD_MOVE:
	case FX_MOVED:
	case FX_KEEPALIVE:
		break;
	}
	return 0;
}

static void add_trace(struct gate *g, const struct fx_item *it)
{
	size_t n = strlen(g->trace);

	if (n + 1 < sizeof(g->trace) && trace_letter(it))
		g->trace[n] = trace_letter(it), g->trace[n + 1] = '\0';
}

static void run_one(struct gate *g, const struct fx_item *it)
{
	switch (it->kind) {
	case FX_SEND:
		keep_out(g, it);
		break;
	case FX_DH:
	case FX_SIGN:
	case FX_PROOF:
	case FX_AUTH:
	case FX_LEASE:
	case FX_CHILD_ADD:
		gate_take_job(g, it);
		break;
	case FX_ANSWER:
		gate_take_answer(g, it);
		break;
	case FX_CHILD_DEL:
		del_pair(g, it);
		break;
	case FX_KEEPALIVE:
		gate_note(g, it)->peer = it->send.peer;
		break;
	case FX_CHILD_MOVE:
		move_pair(g, it);
		break;
	case FX_UP:
	case FX_REKEY:
	case FX_DOWN:
	case FX_AGAIN:
	case FX_MOVED:
		session(g, it);
		break;
	case FX_NOTE:
		remark(g, it);
		break;
	}
}

/* Before the next effect. The shell writes down what has changed before it says anything about it, and
 * before it takes anything out of the kernel. */
static bool lives(struct gate *g, unsigned i)
{
	if (g->keep && (g->fx.v[i].kind == FX_SEND || g->fx.v[i].kind == FX_CHILD_DEL))
		g->keep(g);
	g->dead |= g->fuse && --g->fuse == 0;
	return !g->dead;
}

void gate_run(struct gate *g)
{
	for (unsigned i = 0; i < g->fx.n && lives(g, i); i++) {
		struct fx_item it = g->fx.v[i];

		add_trace(g, &it);
		run_one(g, &it);
	}
	if (g->keep && !g->dead)
		g->keep(g);
	if (g->fx.overflow)
		gate_fault(g, "an effect was lost: the core's limits are wrong");
	fx_reset(&g->fx);
}

void gate_input(struct gate *g, const struct endpoint *peer, const struct endpoint *local,
		bool natt, struct span data)
{
	struct ike_dgram d = { .peer = *peer, .local = *local, .natt = natt, .data = data };

	gate_forget_out(g);
	ike_input(g->ike, &d, g->now, &g->fx);
	gate_run(g);
}

void gate_pass(struct gate *g, uint64_t us)
{
	uint64_t end = g->now + us;
	unsigned rounds = 0;

	gate_forget_out(g);
	while (ike_deadline(g->ike) <= end && !g->dead) {
		if (ike_deadline(g->ike) > g->now)
			g->now = ike_deadline(g->ike);
		ike_tick(g->ike, g->now, &g->fx);
		gate_run(g);
		if (ike_deadline(g->ike) > g->now)
			rounds = 0;
		else if (++rounds > 10000) {
			gate_fault(g, "a deadline stays in the past");
			break;
		}
	}
	g->now = end;
}

struct span gate_out(const struct gate *g, unsigned i)
{
	return i < g->n_out ? (struct span){ g->out[i].b, g->out[i].n } : (struct span){ 0 };
}

struct span gate_only(const struct gate *g)
{
	return g->n_out == 1 ? gate_out(g, 0) : (struct span){ 0 };
}

struct span gate_only_to(const struct gate *g, const struct endpoint *peer)
{
	struct span s = { 0 };

	for (unsigned i = 0; i < g->n_out; i++) {
		if (!endpoint_eq(&g->out[i].peer, peer))
			continue;
		if (s.n)
			return (struct span){ 0 };
		s = gate_out(g, i);
	}
	return s;
}

unsigned gate_count(const struct gate *g, enum fx_kind kind, enum ike_reason reason)
{
	unsigned n = 0;

	if (kind == FX_SEND || kind == FX_DH || kind == FX_SIGN || kind == FX_PROOF)
		abort(); /* never an event: a test that counts them looks at nothing */
	for (unsigned i = 0; i < g->n_events; i++)
		n += g->event[i].kind == kind &&
		     (reason == IKE_R__COUNT || g->event[i].reason == reason);
	return n;
}

const struct gate_event *gate_last(const struct gate *g, enum fx_kind kind)
{
	for (unsigned i = g->n_events; i-- > 0;)
		if (g->event[i].kind == kind)
			return &g->event[i];
	return NULL;
}
