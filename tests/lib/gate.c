/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate.c - a gateway for tests: carries out the core's effects in memory. */
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/dh.h"
#include "ike/names.h"
#include "ike/psk.h"
#include "pool/pool.h"

/* xorshift: repeatable, and good enough for nonces in a test. */
static void fill(void *ctx, void *out, size_t n)
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
	if (ike_new(&g->conf, (struct ike_rng){ fill, g }, &g->ike) < 0)
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

static void forget_out(struct gate *g)
{
	g->n_out = 0;
	*g->trace = '\0';
}

/* ---- what the core asks for ---- */

static void fault(struct gate *g, const char *text)
{
	if (!*g->fault)
		snprintf(g->fault, sizeof(g->fault), "%s", text);
}

static struct gate_event *note(struct gate *g, const struct fx_item *it)
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
		fault(g, "a datagram that is longer than a test expects");
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
	note(g, it);
	if (!it->child->keep_policies)
		gate_policies_del(g, it->child);
	for (unsigned i = 0; i < g->n_pairs; i++)
		if (g->pair[i].fx.spi_in == it->child->spi_in) {
			if (it->child->part == IKE_PART_IN && g->pair[i].out)
				fault(g, "a pair is removed, and its outbound SA is not");
			g->pair[i] = g->pair[--g->n_pairs];
			return;
		}
	fault(g, "a pair is removed that is not in the kernel");
}

static void move_pair(struct gate *g, const struct fx_item *it)
{
	const struct ike_child_fx *k = it->move.child;
	struct gate_event *e = note(g, it);
	unsigned i = 0;

	e->from = k->peer;
	e->peer = it->move.to;
	while (i < g->n_pairs && g->pair[i].fx.spi_in != k->spi_in)
		i++;
	if (i == g->n_pairs || memcmp(&g->pair[i].who, &it->who.who, sizeof(it->who.who)) != 0 ||
	    !endpoint_eq(&g->pair[i].fx.peer, &k->peer) || !k->encap || !g->pair[i].out) {
		fault(g, "a pair is moved that is not there");
		return;
	}
	g->pair[i].fx.peer = it->move.to;
	if (g->move_err < 0)
		ike_child_lost(g->ike, it->who.who, k->child, g->now, &g->fx);
}

static void session(struct gate *g, const struct fx_item *it)
{
	const struct fx_session *s = it->session;
	struct gate_event *e = note(g, it);
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
		fault(g, "a session gives way, but nobody of that user has come");
	if (it->kind != FX_DOWN || !s->lease.family)
		return;
	if (at >= g->pool_len || !g->leased[at]) {
		fault(g, "an address is given back that nobody has");
		return;
	}
	g->leased[at] = false;
	g->leases--;
}

static void remark(struct gate *g, const struct fx_item *it)
{
	struct gate_event *e = note(g, it);

	e->reason = it->note.reason;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)it->note.detail.n,
		 (const char *)it->note.detail.p);
}

static struct gate_job job_from(const struct gate *g, const struct fx_item *it)
{
	struct gate_job j = { .kind = it->kind, .who = it->who };
	struct span keep = { 0 };

	if (it->kind == FX_DH) {
		j.group = it->dh.group;
		keep = it->dh.peer_public;
		j.secret_n = it->dh.secret.n;
		if (j.secret_n > sizeof(j.secret))
			abort();
		if (j.secret_n)
			memcpy(j.secret, it->dh.secret.p, j.secret_n);
	} else if (it->kind == FX_SIGN) {
		keep = it->sign.hash;
	} else if (it->kind == FX_PROOF) {
		uint8_t sig[GATE_SIG];

		gate_client_signature(it->proof->hash, sig);
		j.good = span_eq(it->proof->sig, SPAN_OF(sig));
		j.n_certs = it->proof->n_certs;
		keep = it->proof->id;
	} else if (it->kind == FX_LEASE) {
		j.prefer = it->lease.prefer;
		j.pool = it->lease.pool;
	} else if (it->kind == FX_CHILD_ADD) {
		j.child = *it->child;
	} else if (it->kind == FX_AUTH) {
		j.good = (g->any_user || span_eq(it->auth.user, span_str(g->user))) &&
			 span_eq(it->auth.password, span_str(g->password));
	} else if (it->kind == FX_ANSWER) {
		j.good = g->code && span_eq(it->answer.text, span_str(g->code));
	}
	if (keep.n > sizeof(j.b))
		abort();
	j.n = keep.n;
	if (keep.n)
		memcpy(j.b, keep.p, keep.n);
	return j;
}

/* ---- what takes time ---- */

bool gate_question(struct gate *g, struct ike_ticket who, enum ike_ask what, const char *prompt)
{
	bool asked = ike_auth_ask(g->ike, who, what, span_str(prompt), g->now, &g->fx);

	g->open_questions += asked;
	return asked;
}

static void do_dh(struct gate *g, const struct gate_job *j)
{
	const struct dh_group *grp = dh_group(j->group);
	uint8_t x[DH_PRIVATE_MAX], pub[DH_PUBLIC_MAX] = { 9 }, shared[DH_SHARED_MAX] = { 7 };
	struct span out = { shared, grp->shared_len };
	int rc = g->dh_err;

	if (j->secret_n && j->secret_n != grp->private_len)
		fault(g, "a private value of another group");
	fill(g, x, sizeof(x));
	if (j->secret_n)
		memcpy(x, j->secret, j->secret_n);
	if (rc == 0 && !g->no_crypto)
		rc = dh_make(grp, x, pub);
	if (!j->n)
		out = (struct span){ x, grp->private_len };
	else if (rc == 0 && !g->no_crypto)
		rc = dh_agree(grp, x, (struct span){ j->b, j->n }, shared);
	ike_dh_done(g->ike, j->who, rc, (struct span){ pub, grp->public_len }, out, g->now, &g->fx);
}

static void do_lease(struct gate *g, const struct gate_job *j)
{
	enum ike_reason why = g->lease_reason;
	struct ipaddr a = { 0 }, a6;
	uint32_t at = ipaddr_to_v4(&j->prefer) - g->pool_first;

	if (!j->prefer.family || at >= g->pool_len || g->leased[at])
		at = 0;
	while (at < g->pool_len && g->leased[at])
		at++;
	if (at == g->pool_len && why == IKE_R_NONE)
		why = IKE_R_POOL_EXHAUSTED;
	if (why == IKE_R_NONE)
		a = ipaddr_v4(g->pool_first + at);
	a6 = pool_addr6(&g->network6, &a);
	if (ike_lease_done(g->ike, j->who, why, &a, &a6, g->now, &g->fx) && why == IKE_R_NONE) {
		g->leased[at] = true;
		g->leases++;
	}
}

static struct gate_pair *pair_of(struct gate *g, uint32_t spi_in)
{
	for (unsigned i = 0; i < g->n_pairs; i++)
		if (g->pair[i].fx.spi_in == spi_in)
			return &g->pair[i];
	return NULL;
}

/* The outbound SA of a pair that is in the kernel. */
static void do_child_out(struct gate *g, const struct gate_job *j)
{
	struct gate_pair *p = pair_of(g, j->child.spi_in);

	if (p && g->child_err == 0) {
		if (p->out)
			fault(g, "an outbound SA is installed twice");
		if (!endpoint_eq(&p->fx.peer, &j->child.peer))
			fault(g, "the two SAs of a pair are installed for two places");
		p->out = ++g->turn;
		p->fx.part = IKE_PART_BOTH;
		memcpy(p->fx.enc_out, j->child.enc_out, sizeof(p->fx.enc_out));
		memcpy(p->fx.auth_out, j->child.auth_out, sizeof(p->fx.auth_out));
	}
	if (!ike_child_done(g->ike, j->who, j->child.child, g->child_err, g->now, &g->fx))
		return;
	if (!p)
		fault(g, "an outbound SA for a pair that is not in the kernel");
	else if (g->child_err == 0)
		gate_policies_add(g, &j->child);
}

static void do_child(struct gate *g, const struct gate_job *j)
{
	struct gate_pair p = { .who = j->who.who,
			       .out = j->child.part == IKE_PART_BOTH,
			       .fx = j->child };

	if (j->child.part == IKE_PART_OUT) {
		do_child_out(g, j);
		return;
	}
	if (pair_of(g, j->child.spi_in))
		fault(g, "an inbound SPI is installed twice");
	for (unsigned i = 0; j->child.cpi_in && i < g->n_pairs; i++)
		if (g->pair[i].fx.cpi_in == j->child.cpi_in)
			fault(g, "an inbound CPI is installed twice");
	if (!j->child.cpi_in != !j->child.cpi_out)
		fault(g, "a pair with IPComp one way");
	if (g->n_pairs == GATE_PAIRS)
		abort();
	if (p.out)
		p.out = ++g->turn;
	if (g->child_err == 0)
		g->pair[g->n_pairs++] = p;
	if (ike_child_done(g->ike, j->who, j->child.child, g->child_err, g->now, &g->fx)) {
		if (g->child_err == 0 && p.out)
			gate_policies_add(g, &j->child);
	} else if (g->child_err == 0) {
		g->n_pairs--; /* nobody wants it any more */
	}
}

static void do_job(struct gate *g, const struct gate_job *j)
{
	uint8_t sig[GATE_SIG];

	switch (j->kind) {
	case FX_DH:
		do_dh(g, j);
		break;
	case FX_SIGN:
		gate_signature((struct span){ j->b, j->n }, sig);
		ike_sign_done(g->ike, j->who, g->sign_err, SPAN_OF(sig), g->now, &g->fx);
		break;
	case FX_PROOF:
		ike_proof_done(g->ike, j->who, j->good ? g->proof : IKE_PROOF_FORGED,
			       !j->good ? "CN=alice: the signature is not by its key"
			       : g->proof == IKE_PROOF_OK ? g->owner
							  : GATE_REFUSAL,
			       g->now, &g->fx);
		break;
	case FX_AUTH:
		if (g->code && j->good) {
			gate_question(g, j->who, g->ask, g->prompt);
			break;
		}
		/* fallthrough */
	case FX_ANSWER:
		ike_auth_done(g->ike, j->who, j->good ? IKE_AUTH_OK : IKE_AUTH_NO, &g->groups,
			      g->now, &g->fx);
		break;
	case FX_LEASE:
		do_lease(g, j);
		break;
	case FX_CHILD_ADD:
		do_child(g, j);
		break;
	default:
		abort();
	}
}

/* Now, or when the test says so. */
static void take_job(struct gate *g, const struct fx_item *it)
{
	struct gate_job j = job_from(g, it);
	struct gate_event *e;

	if (it->kind == FX_AUTH || it->kind == FX_LEASE || it->kind == FX_CHILD_ADD) {
		e = note(g, it);
		if (it->kind == FX_AUTH)
			snprintf(e->text, sizeof(e->text), "%.*s", (int)it->auth.user.n,
				 (const char *)it->auth.user.p);
	}
	if (!(g->hold & 1u << it->kind)) {
		do_job(g, &j);
		return;
	}
	if (g->n_jobs == GATE_JOBS)
		abort();
	g->job[g->n_jobs++] = j;
}

/* Where nobody answers, nothing is left to do. */
static void take_answer(struct gate *g, const struct fx_item *it)
{
	struct gate_event *e = note(g, it);

	e->given = it->answer.given;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)it->answer.text.n,
		 (const char *)it->answer.text.p);
	if (!g->open_questions)
		fault(g, "an answer to no question");
	g->open_questions--;
	if (it->answer.given)
		take_job(g, it);
}

static struct gate_job pop_job(struct gate *g, unsigned i)
{
	struct gate_job j;

	if (i >= g->n_jobs)
		abort();
	j = g->job[i];
	g->n_jobs--;
	memmove(&g->job[i], &g->job[i + 1], (g->n_jobs - i) * sizeof(j));
	return j;
}

void gate_do(struct gate *g, unsigned i)
{
	struct gate_job j = pop_job(g, i);

	forget_out(g);
	do_job(g, &j);
	gate_run(g);
}

void gate_do_all(struct gate *g)
{
	forget_out(g);
	while (g->n_jobs) {
		struct gate_job j = pop_job(g, 0);

		do_job(g, &j);
		gate_run(g);
	}
}

void gate_verdict(struct gate *g, enum ike_verdict v)
{
	unsigned i = 0;
	struct gate_job j;

	while (i < g->n_jobs && g->job[i].kind != FX_AUTH && g->job[i].kind != FX_ANSWER)
		i++;
	j = pop_job(g, i);
	forget_out(g);
	ike_auth_done(g->ike, j.who, v, &g->groups, g->now, &g->fx);
	gate_run(g);
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
		take_job(g, it);
		break;
	case FX_ANSWER:
		take_answer(g, it);
		break;
	case FX_CHILD_DEL:
		del_pair(g, it);
		break;
	case FX_KEEPALIVE:
		note(g, it)->peer = it->send.peer;
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
		fault(g, "an effect was lost: the core's limits are wrong");
	fx_reset(&g->fx);
}

void gate_input(struct gate *g, const struct endpoint *peer, const struct endpoint *local,
		bool natt, struct span data)
{
	struct ike_dgram d = { .peer = *peer, .local = *local, .natt = natt, .data = data };

	forget_out(g);
	ike_input(g->ike, &d, g->now, &g->fx);
	gate_run(g);
}

void gate_pass(struct gate *g, uint64_t us)
{
	uint64_t end = g->now + us;
	unsigned rounds = 0;

	forget_out(g);
	while (ike_deadline(g->ike) <= end && !g->dead) {
		if (ike_deadline(g->ike) > g->now)
			g->now = ike_deadline(g->ike);
		ike_tick(g->ike, g->now, &g->fx);
		gate_run(g);
		if (ike_deadline(g->ike) > g->now)
			rounds = 0;
		else if (++rounds > 10000) {
			fault(g, "a deadline stays in the past");
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
