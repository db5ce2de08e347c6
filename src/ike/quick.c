/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quick.c - Quick Mode, begun by the client (RFC 2409 5.5).
 *
 *   I -> R  HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr]
 *   R -> I  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr] [, N(RESPONDER-LIFETIME)]
 *   I -> R  HDR*, HASH(3)
 *
 * The SA pair is in the kernel before our message leaves, so the client may send at once and a
 * kernel that refuses is told to the client instead of an answer. Without HASH(3) it is taken out
 * again after LIMIT_QUICK_WAIT_S.
 *
 * Not here: Quick Mode begun by the gateway (rekey.c), choice of the proposal (sapl_quick.c), of the
 * traffic (quick_id.c), the pair's keys and its way into the kernel (child.c).
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/core.h"
#include "ike/dh.h"

/* The exchange ends with a Notify, which is the answer to a repeated request: ours may be lost. */
static void end_refused(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, uint16_t type,
			struct fx *fx)
{
	struct span out =
		info_notify(ike, sa, PROTO_ESP, type, (struct span){ 0 }, (struct span){ 0 }, fx);

	x->done = true;
	x->next_us = UINT64_MAX;
	x->answered = out.n && xchg_store(x, out) == 0;
}

/* Refuses under the SA's protection; the SA stays, and this exchange is over. */
static int refuse(struct ike_event *ev, uint16_t type, enum ike_reason why, const char *detail)
{
	struct ike_xchg *x = xchg_add(ev->sa, XCHG_KIND_QUICK, XCHG_QUICK, ev->hdr.msgid, ev->now);

	if (!x)
		return -EUSERS;
	memcpy(x->request, ev->digest, sizeof(x->request));
	sa_follow(ev);
	end_refused(ev->ike, ev->sa, x, type, ev->fx);
	ike_note(ev->ike, ev->sa, &ev->d->peer, why, detail, ev->fx);
	ev->ike->count[IKE_C_NO_PROPOSAL]++;
	return 0;
}

static int refuse_compressed(struct ike_event *ev, const char *why, const char *offered)
{
	char detail[OFFER_TEXT + 128];

	snprintf(detail, sizeof(detail), "the client offers %s, but with compression alone (%s)",
		 offered, why);
	return refuse(ev, N_NO_PROPOSAL_CHOSEN, IKE_R_NO_PROPOSAL_P2, detail);
}

static int refuse_proposal(struct ike_event *ev, bool pfs, const char *offered)
{
	const struct ike_conf *c = ev->ike->conf;
	char detail[OFFER_TEXT + 512], name[IKE_NAME_LEN];
	int n = snprintf(detail, sizeof(detail), "the client offers %s; the gateway accepts ",
			 *offered ? offered : "nothing that it knows");

	for (unsigned i = 0; i < c->n_p2 && n < (int)sizeof(detail) - 2 * IKE_NAME_LEN; i++)
		n += snprintf(detail + n, sizeof(detail) - (size_t)n, "%s%s", i ? ", " : "",
			      ike_p2_str(&c->p2[i], name));
	for (unsigned i = 0; i < c->n_pfs && n < (int)sizeof(detail) - 2 * IKE_NAME_LEN; i++)
		n += snprintf(detail + n, sizeof(detail) - (size_t)n, "%s%s",
			      i ? ", " : " with PFS ", ike_group_str(c->pfs_group[i], name));
	snprintf(detail + n, sizeof(detail) - (size_t)n, " ([phase2] %s)",
		 pfs ? "pfs_group" : "proposal");
	return refuse(ev, N_NO_PROPOSAL_CHOSEN, pfs ? IKE_R_PFS_MISMATCH : IKE_R_NO_PROPOSAL_P2,
		      detail);
}

static int refuse_life(struct ike_event *ev, uint32_t offered)
{
	const struct ike_conf *c = ev->ike->conf;
	char detail[CHECK_LIFE_TEXT];

	check_life_text(c->check, "phase2", c->p2_life_s, offered, detail);
	return refuse(ev, N_NO_PROPOSAL_CHOSEN, IKE_R_NO_PROPOSAL_P2, detail);
}

static unsigned pending(const struct ike_sa *sa, unsigned *ret_children)
{
	unsigned n = 0;

	*ret_children = 0;
	for (const struct ike_child *c = sa->children; c; c = c->next) {
		++*ret_children;
		n += c->state == IKE_CHILD_PENDING;
	}
	return n;
}

/* The exchange's memory of the first message; views are copied. */
static int quick_keep(struct ike_event *ev, struct ike_xchg *x, const struct p2_choice *choice)
{
	struct ike_quick *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	x->quick = q;
	q->choice = *choice;
	if (choice->answer.transform.n > sizeof(q->transform) ||
	    choice->ipcomp.transform.n > sizeof(q->ipcomp_transform) ||
	    (ev->msg.n_id && ev->msg.id[1].n > sizeof(q->id_cr)))
		return -EMSGSIZE;
	memcpy(q->transform, choice->answer.transform.p, choice->answer.transform.n);
	q->choice.answer.transform.p = q->transform;
	q->choice.answer.spi = (struct span){ 0 };
	if (choice->ipcomp.cpi)
		memcpy(q->ipcomp_transform, choice->ipcomp.transform.p, choice->ipcomp.transform.n);
	q->choice.ipcomp.transform.p = q->ipcomp_transform;
	q->nonce_peer_len = (uint16_t)ev->msg.nonce.n;
	memcpy(q->nonce_peer, ev->msg.nonce.p, q->nonce_peer_len);
	ike_random(ev->ike, q->nonce_own, sizeof(q->nonce_own));
	q->has_ids = ev->msg.n_id == 2;
	if (q->has_ids) {
		q->id_ci_len = (uint8_t)quick_answer_id(ev->sa, ev->msg.id[0].p[0], ev->msg.id[0],
							q->id_ci, sizeof(q->id_ci));
		if (!q->id_ci_len)
			return -EMSGSIZE;
		q->id_cr_len = (uint8_t)ev->msg.id[1].n;
		memcpy(q->id_cr, ev->msg.id[1].p, q->id_cr_len);
	}
	return 0;
}

/* Everything about the message is verified and chosen: now the SA changes. */
static int quick_begin(struct ike_event *ev, struct ike_child *selected,
		       const struct p2_choice *choice)
{
	struct ike_sa *sa = ev->sa;
	struct ike_xchg *x = xchg_add(sa, XCHG_KIND_QUICK, XCHG_QUICK, ev->hdr.msgid, ev->now);
	const struct ike_conf *conf = ev->ike->conf;
	uint32_t life = conf->p2_life_s;
	struct ike_child *c;
	struct fx_item *it;

	if (!x)
		return -EUSERS;
	memcpy(x->iv, ev->iv, sizeof(x->iv));
	memcpy(x->request, ev->digest, sizeof(x->request));
	xauth_seen(sa, ev->now);
	selected->spi_out = choice->spi;
	selected->cpi_out = choice->ipcomp.cpi;
	selected->alg = choice->alg;
	selected->encap = choice->encap;
	selected->encap_mode = choice->encap_mode;
	selected->pfs_group = choice->group;
	selected->life_kb = choice->life_kb && choice->life_kb < LIMIT_MIN_LIFE_KB
				    ? LIMIT_MIN_LIFE_KB
				    : choice->life_kb;
	c = quick_keep(ev, x, choice) == 0 ? child_new(ev->ike, sa, selected, ev->now) : NULL;
	if (!c) {
		xchg_remove(sa, x);
		return -ENOMEM;
	}
	sa_follow(ev);
	c->local = sa->local;
	c->peer = sa->peer;
	x->quick->child = c->number;
	x->forget_us = ev->now + LIMIT_QUICK_WAIT_S * US_PER_S;
	check_life(conf->check, conf->p2_life_s, choice->life_s, &life, &x->quick->clamp_life);
	c->life_s = life;
	c->expires_us = ev->now + life * US_PER_S;
	if (!choice->group) {
		child_install(sa, x->quick, (struct span){ 0 }, ev->fx);
		return 0;
	}
	it = fx_add(ev->fx, FX_DH, sa_ticket(sa, x->serial));
	it->dh.group = choice->group;
	it->dh.peer_public = fx_copy(ev->fx, ev->msg.ke);
	ev->ike->crypto_pending++;
	return 0;
}

static enum p2_path path_of(const struct ike_sa *sa)
{
	return !sa->natt ? P2_PATH_PLAIN : sa->nat ? P2_PATH_UDP : P2_PATH_EITHER;
}

/*
 * NULL where the pair may have IPComp, else why not. One that has it is renewed with it, whatever the
 * configuration says by now: the policies, which the two share, have a template for it. With ESP in
 * transport mode the kernel finds no SA for packets of another family than the tunnel's.
 */
static const char *no_deflate(const struct ike *ike, const struct ike_sa *sa,
			      const struct ike_child *like)
{
	bool has = ike->conf->compression == IKE_COMPRESSION_DEFLATE;

	for (const struct ike_child *c = sa->children; c; c = c->next)
		has |= c->cpi_in && child_same_traffic(c, like);
	if (!has)
		return "[phase2] compression_algorithm";
	if (like->asked.addr.family != sa->local.addr.family)
		return "not for IPv6 in IPv4, or IPv4 in IPv6";
	return ike->t.cpis.n < LIMIT_CPIS ? NULL : "too many SAs have it";
}

int quick_first(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct p2_want want = { .path = path_of(sa),
				.ke = ev->msg.present & PB(KE),
				.ke_len = ev->msg.ke.n };
	struct ike_child selected = { 0 };
	char offered[OFFER_TEXT];
	struct p2_choice choice;
	unsigned children;
	const char *why;
	int rc;

	if (pending(sa, &children) >= LIMIT_QUICK_PENDING || children >= LIMIT_CHILDREN)
		return -EUSERS;
	if (quick_select(ev->ike->conf, sa, &ev->msg, &selected, &why) < 0)
		return refuse(ev, N_INVALID_ID_INFORMATION, IKE_R_ID_REFUSED,
			      sa->state == IKE_ST_AUTHED
				      ? "the client has not asked for its address (mode config)"
				      : why);
	if (quick_overlaps(sa, &selected))
		return refuse(ev, N_INVALID_ID_INFORMATION, IKE_R_ID_REFUSED,
			      "another SA pair of the session has some of this traffic: it may be "
			      "the same as of a pair or apart from it");
	why = no_deflate(ev->ike, sa, &selected);
	want.deflate = !why;
	rc = p2_choose(ev->msg.sa, ev->ike->conf, &want, &choice, offered);
	if (rc == -ENOENT || rc == -EDOM)
		return refuse_proposal(ev, rc == -EDOM, offered);
	if (rc == -EOPNOTSUPP)
		return refuse_compressed(ev, why, offered);
	if (rc == -ERANGE)
		return refuse_life(ev, choice.life_s);
	if (rc < 0)
		return rc;
	return quick_begin(ev, &selected, &choice);
}

/* Our public value, kept for our message. */
int quick_keep_dh(struct ike_quick *q, struct span own)
{
	if (own.n > sizeof(q->dh->g_own))
		return -EMSGSIZE;
	q->dh = calloc(1, sizeof(*q->dh));
	if (!q->dh)
		return -ENOMEM;
	memcpy(q->dh->g_own, own.p, own.n);
	q->dh->g_own_len = (uint16_t)own.n;
	return 0;
}

void quick_dh_done(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, int err, struct span own,
		   struct span shared, uint64_t now, struct fx *fx)
{
	struct ike_quick *q = x->quick;

	if (!q || x->done || !child_find(sa, q->child))
		return;
	if (q->by_gateway) {
		rekey_dh_done(ike, sa, x, err, own, shared, now, fx);
		return;
	}
	if (err < 0 || quick_keep_dh(q, own) < 0) {
		end_refused(ike, sa, x, N_INVALID_KEY_INFORMATION, fx);
		child_drop(ike, sa, child_find(sa, q->child), fx);
		return;
	}
	child_install(sa, q, shared, fx);
}

/* ---- our message ---- */

/* RFC 2407 4.6.3.1: the client asked for more than it gets. */
static void put_lifetime(struct ike_build *b, const struct ike_conf *conf,
			 const struct ike_child *c)
{
	uint8_t life[4];
	struct wr w = wr_into(life, sizeof(life));

	wr_be32(&w, conf->p2_life_s);
	build_open(b, PL_NOTIFY);
	wr_be32(&b->w, ISAKMP_DOI_IPSEC);
	wr_u8(&b->w, PROTO_ESP);
	wr_u8(&b->w, 4);
	wr_be16(&b->w, N_RESPONDER_LIFETIME);
	wr_be32(&b->w, c->spi_in);
	build_tv(b, 1, 1); /* SA life type: seconds */
	build_tlv(b, 2, wr_done(&w));
}

static struct span quick_second(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x,
				const struct ike_child *c)
{
	_cleanup_(secret_wipe) struct secret hash = { .n = 0 };
	struct ike_quick *q = x->quick;
	struct ike_build b = p2_start(ike, sa, XCHG_QUICK, x->msgid);

	p2_put_answer(&b, &q->choice, c->spi_in, c->cpi_in);
	build_payload(&b, PL_NONCE, quick_nr(q));
	if (q->dh)
		build_payload(&b, PL_KE, (struct span){ q->dh->g_own, q->dh->g_own_len });
	if (q->has_ids) {
		build_payload(&b, PL_ID, (struct span){ q->id_ci, q->id_ci_len });
		build_payload(&b, PL_ID, (struct span){ q->id_cr, q->id_cr_len });
	}
	if (q->clamp_life)
		put_lifetime(&b, ike->conf, c);
	if (keymat_hash2(&sa->keys, x->msgid, quick_ni(q), build_after_hash(&b), &hash) < 0)
		return (struct span){ 0 };
	return build_sealed(&b, &sa->keys, &hash, x->iv);
}

void quick_installed(struct ike *ike, struct ike_sa *sa, struct ike_child *c, int err, uint64_t now,
		     struct fx *fx)
{
	struct ike_xchg *x = sa->xchgs;
	struct span out = { 0 };

	while (x && (!x->quick || x->quick->child != c->number))
		x = x->next;
	if (x && x->quick->by_gateway) {
		rekey_installed(ike, sa, x, c, err, now, fx);
		return;
	}
	if (x && err == 0)
		out = quick_second(ike, sa, x, c);
	if (out.n && xchg_store(x, out) == 0) {
		x->answered = true;
		x->next_us = ike_repeat_at(ike, now, 0);
		sa_move(ike, sa, &sa->peer, now, fx); /* it may be elsewhere by now */
		sa_send(ike, sa, out, fx);
		return;
	}
	if (x)
		end_refused(ike, sa, x, N_NO_PROPOSAL_CHOSEN, fx);
	ike_note(ike, sa, &sa->peer, IKE_R_KERNEL, "", fx);
	child_drop(ike, sa, c, fx);
}

/* ---- the third message ---- */

int quick_third(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	struct ike_xchg *x = ev->x;
	struct ike_child *c;

	if (!x->answered || x->done)
		return -EPROTO;
	c = child_find(sa, x->quick->child);
	if (!c)
		return -EPROTO;
	sa_follow(ev);
	memcpy(x->request, ev->digest, sizeof(x->request));
	x->done = true;
	x->answered = false; /* the third message has no answer: a repetition gets nothing */
	x->next_us = UINT64_MAX;
	x->forget_us = ev->now + LIMIT_EXCHANGE_KEEP_S * US_PER_S;
	child_confirm(ev->ike, sa, c, ev->now, ev->fx);
	return 0;
}
