/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate_jobs.c - what takes time: keys, signatures, passwords, leases, SA pairs. */
#include "gate_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ike/core.h"
#include "ike/dh.h"
#include "pool/pool.h"

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
		gate_fault(g, "a private value of another group");
	gate_fill(g, x, sizeof(x));
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
			gate_fault(g, "an outbound SA is installed twice");
		if (!endpoint_eq(&p->fx.peer, &j->child.peer))
			gate_fault(g, "the two SAs of a pair are installed for two places");
		p->out = ++g->turn;
		p->fx.part = IKE_PART_BOTH;
		memcpy(p->fx.enc_out, j->child.enc_out, sizeof(p->fx.enc_out));
		memcpy(p->fx.auth_out, j->child.auth_out, sizeof(p->fx.auth_out));
	}
	if (!ike_child_done(g->ike, j->who, j->child.child, g->child_err, g->now, &g->fx))
		return;
	if (!p)
		gate_fault(g, "an outbound SA for a pair that is not in the kernel");
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
		gate_fault(g, "an inbound SPI is installed twice");
	for (unsigned i = 0; j->child.cpi_in && i < g->n_pairs; i++)
		if (g->pair[i].fx.cpi_in == j->child.cpi_in)
			gate_fault(g, "an inbound CPI is installed twice");
	if (!j->child.cpi_in != !j->child.cpi_out)
		gate_fault(g, "a pair with IPComp one way");
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
void gate_take_job(struct gate *g, const struct fx_item *it)
{
	struct gate_job j = job_from(g, it);
	struct gate_event *e;

	if (it->kind == FX_AUTH || it->kind == FX_LEASE || it->kind == FX_CHILD_ADD) {
		e = gate_note(g, it);
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
void gate_take_answer(struct gate *g, const struct fx_item *it)
{
	struct gate_event *e = gate_note(g, it);

	e->given = it->answer.given;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)it->answer.text.n,
		 (const char *)it->answer.text.p);
	if (!g->open_questions)
		gate_fault(g, "an answer to no question");
	g->open_questions--;
	if (it->answer.given)
		gate_take_job(g, it);
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

	gate_forget_out(g);
	do_job(g, &j);
	gate_run(g);
}

void gate_do_all(struct gate *g)
{
	gate_forget_out(g);
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
	gate_forget_out(g);
	ike_auth_done(g->ike, j.who, v, &g->groups, g->now, &g->fx);
	gate_run(g);
}
