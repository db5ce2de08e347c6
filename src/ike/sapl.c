/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sapl.c - reading SA payloads: proposals, transforms, attributes; writing the answer. Pure. */
#include "ike/sapl.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/dh.h"
#include "ike/sapl_walk.h"

/* ---- the walk ---- */

int sa_walk_start(struct span sa, struct sa_walk *w)
{
	struct rd r = rd_from(sa);
	uint32_t doi = rd_be32(&r), situation = rd_be32(&r);

	if (r.bad || doi != ISAKMP_DOI_IPSEC || situation != ISAKMP_SIT_IDENTITY)
		return -EBADMSG;
	*w = (struct sa_walk){ .proposals = r, .next = PL_PROPOSAL };
	return 0;
}

/* The header of the next proposal; its transforms are then in w->transforms. */
static int next_proposal(struct sa_walk *w)
{
	struct rd *r = &w->proposals;
	uint8_t next, spi_size;
	uint16_t len;
	struct rd body;

	if (w->next == PL_NONE)
		return r->left ? -EBADMSG : 0; /* slack behind the last proposal: N043 */
	if (w->next != PL_PROPOSAL || ++w->n_proposals > LIMIT_PROPOSALS)
		return -EBADMSG;
	next = rd_u8(r);
	(void)rd_u8(r);
	len = rd_be16(r);
	if (r->bad || len < 8)
		return -EBADMSG;
	body = rd_sub(r, len - 4u);
	w->prop = (struct sa_proposal){ .number = rd_u8(&body), .proto = rd_u8(&body) };
	spi_size = rd_u8(&body);
	w->prop.n_transforms = rd_u8(&body);
	w->prop.spi = rd_take(&body, spi_size);
	if (body.bad || w->prop.n_transforms == 0)
		return -EBADMSG;
	w->transforms = body;
	w->left = w->prop.n_transforms;
	w->next = next;
	return 1;
}

/* The next transform of the current proposal. */
static int next_transform(struct sa_walk *w, struct sa_transform *t)
{
	struct rd *r = &w->transforms;
	const uint8_t *at = r->p;
	uint8_t next = rd_u8(r);
	uint16_t len;
	struct rd body;

	(void)rd_u8(r);
	len = rd_be16(r);
	if (r->bad || len < 8)
		return -EBADMSG;
	body = rd_sub(r, len - 4u);
	*t = (struct sa_transform){ .number = rd_u8(&body), .id = rd_u8(&body) };
	(void)rd_be16(&body); /* RESERVED2 */
	t->attrs = rd_rest(&body);
	if (body.bad)
		return -EBADMSG;
	t->whole = (struct span){ at, len };
	w->left--;
	/* The count and the chain must tell the same (N070b), and nothing may follow the last. */
	if (w->left ? next != PL_TRANSFORM : next != PL_NONE || r->left)
		return -EBADMSG;
	return 1;
}

int sa_walk_next(struct sa_walk *w, struct sa_transform *t)
{
	if (!w->left) {
		int rc = next_proposal(w);

		if (rc <= 0)
			return rc;
	}
	return next_transform(w, t);
}

/* ---- phase 1 ---- */

enum p1_class { /* RFC 2409 appendix A */
	P1_ENC = 1,
	P1_HASH = 2,
	P1_AUTH = 3,
	P1_GROUP = 4,
	P1_LIFE_TYPE = 11,
	P1_LIFE_DURATION = 12,
	P1_KEY_LENGTH = 14,
};

/* A value that must stand once: a second one makes the transform unusable (N055). */
static void set_once(uint16_t *field, uint64_t v, bool *usable)
{
	if (*field || v == 0 || v > UINT16_MAX)
		*usable = false;
	else
		*field = (uint16_t)v;
}

struct p1_offer {
	struct ike_p1 alg;
	uint16_t auth;
	uint32_t life_s;
	bool usable;
};

/* Lifetimes come in pairs of type and duration, several times over (seconds, then kilobytes). */
void sa_take_life(uint64_t *life_type, uint64_t duration, uint32_t *life_s)
{
	if (*life_type == LIFE_SECONDS)
		*life_s = duration > UINT32_MAX ? UINT32_MAX : (uint32_t)duration;
	*life_type = 0;
}

/* 0, or -EBADMSG when the attributes do not parse. */
static int p1_read(struct span attrs, struct p1_offer *ret)
{
	struct rd r = rd_from(attrs);
	struct p1_offer o = { .usable = true, .life_s = LIFE_NOT_OFFERED };
	uint64_t v, life_type = 0;
	struct ike_attr a;
	unsigned n = 0;

	while (ike_attr_next(&r, &a)) {
		if (++n > LIMIT_ATTRIBUTES)
			return -EBADMSG;
		if (!ike_attr_number(&a, &v)) {
			o.usable = false;
			continue;
		}
		switch (a.type) {
		case P1_ENC:
			set_once(&o.alg.enc, v, &o.usable);
			break;
		case P1_HASH:
			set_once(&o.alg.hash, v, &o.usable);
			break;
		case P1_AUTH:
			set_once(&o.auth, v, &o.usable);
			break;
		case P1_GROUP:
			set_once(&o.alg.group, v, &o.usable);
			break;
		case P1_KEY_LENGTH:
			set_once(&o.alg.key_len, v, &o.usable);
			break;
		case P1_LIFE_TYPE:
			life_type = v;
			break;
		case P1_LIFE_DURATION:
			sa_take_life(&life_type, v, &o.life_s);
			break;
		default:
			o.usable = false; /* group parameters, PRF, vendors' own */
			break;
		}
	}
	*ret = o;
	return r.bad ? -EBADMSG : 0;
}

/* Whole entries only: one name may begin another. */
static bool is_listed(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; (p = strstr(p, name)); p++)
		if ((p == text || p[-1] == ' ') && (p[n] == '\0' || p[n] == ','))
			return true;
	return false;
}

void sa_offer_text(char text[static OFFER_TEXT], const char *name)
{
	size_t n = strlen(text), need = strlen(name) + (n ? 2 : 0);

	if (is_listed(text, name))
		return;
	if (n + need + 5 < OFFER_TEXT)
		snprintf(text + n, OFFER_TEXT - n, "%s%s", n ? ", " : "", name);
	else if (n < 3 || strcmp(text + n - 3, "...") != 0)
		snprintf(text + n, OFFER_TEXT - n, ", ...");
}

/* The place of this method in the order of preference; n_auth when it is not there. */
static unsigned auth_rank(const struct p1_want *want, uint16_t auth)
{
	unsigned i = 0;

	while (i < want->n_auth && want->auth[i] != auth)
		i++;
	return i;
}

/* What is signed with ECDSA is as long as the curve's numbers (RFC 4754 3). */
static bool hash_fits(const struct p1_offer *o)
{
	return !auth_is_ecdsa(o->auth) ||
	       o->alg.hash == (o->auth == AUTH_ECDSA_256   ? HASH_SHA256
			       : o->auth == AUTH_ECDSA_384 ? HASH_SHA384
							   : HASH_SHA512);
}

/* The place of this offer in our order of preference: the method, then the row, two for each: with
 * its key length, or with another that proposal_check allows. */
static unsigned p1_rank(const struct ike_conf *conf, const struct p1_want *want,
			const struct p1_offer *o)
{
	const struct dh_group *g = dh_group(o->alg.group);
	unsigned auth = auth_rank(want, o->auth);

	if (!o->usable || auth == want->n_auth || !g || !hash_fits(o) ||
	    (want->ke_len && g->public_len != want->ke_len))
		return RANK_NONE;
	for (unsigned i = 0; i < conf->n_p1; i++) {
		const struct ike_p1 *c = &conf->p1[i];

		if (c->enc == o->alg.enc && c->hash == o->alg.hash && c->group == o->alg.group &&
		    check_key_len(conf->check, c->key_len, o->alg.key_len))
			return 2 * (auth * IKE_P1_MAX + i) + (c->key_len != o->alg.key_len);
	}
	return RANK_NONE;
}

/* Writes down what is offered, for the journal. */
static void p1_note_offer(const struct p1_want *want, const struct p1_offer *o, struct p1_choice *c,
			  char offered[static OFFER_TEXT])
{
	char name[IKE_NAME_LEN], text[IKE_NAME_LEN + 16];

	if (auth_rank(want, o->auth) < want->n_auth) {
		c->auth_fits = true;
		sa_offer_text(offered, ike_p1_str(&o->alg, name));
	} else {
		c->other_auth = o->auth;
		snprintf(text, sizeof(text), "authentication %s", ike_auth_str(o->auth, name));
		sa_offer_text(offered, text);
	}
}

int p1_choose(struct span sa, const struct ike_conf *conf, const struct p1_want *want,
	      struct p1_choice *ret, char offered[static OFFER_TEXT])
{
	unsigned best = RANK_NONE, rank;
	bool wrong_life = false, cut;
	uint32_t life;
	struct sa_transform t;
	struct p1_offer o;
	struct sa_walk w;
	int rc = sa_walk_start(sa, &w);

	*offered = '\0';
	*ret = (struct p1_choice){ 0 };
	while (rc >= 0 && (rc = sa_walk_next(&w, &t)) > 0) {
		rc = p1_read(t.attrs, &o);
		/* Phase 1 is one proposal for ISAKMP, transform KEY_IKE (RFC 2409 5). */
		if (rc < 0 || w.prop.proto != PROTO_ISAKMP || w.prop.spi.n > 16)
			return -EBADMSG;
		if (t.id != 1)
			continue;
		p1_note_offer(want, &o, ret, offered);
		rank = p1_rank(conf, want, &o);
		if (rank >= best)
			continue;
		if (check_life(conf->check, conf->p1_life_s, o.life_s, &life, &cut) < 0) {
			if (best == RANK_NONE)
				ret->life_s = o.life_s;
			wrong_life = true;
			continue;
		}
		best = rank;
		ret->alg = o.alg;
		ret->auth = o.auth;
		ret->life_s = o.life_s;
		ret->answer = (struct sa_answer){ .proposal = w.prop.number,
						  .proto = PROTO_ISAKMP,
						  .transform_id = t.id,
						  .spi = w.prop.spi,
						  .transform = t.whole };
	}
	if (rc < 0)
		return rc;
	return best != RANK_NONE ? 0 : wrong_life ? -ERANGE : -ENOENT;
}

/* ---- the answer ---- */

void sa_put_proposal(struct ike_build *b, uint8_t next, const struct sa_answer *a, struct span spi)
{
	wr_u8(&b->w, next);
	wr_u8(&b->w, 0);
	wr_be16(&b->w, (uint16_t)(8 + spi.n + a->transform.n));
	wr_u8(&b->w, a->proposal);
	wr_u8(&b->w, a->proto);
	wr_u8(&b->w, (uint8_t)spi.n);
	wr_u8(&b->w, 1); /* the one transform, last in its chain */
	wr_span(&b->w, spi);
	wr_u8(&b->w, PL_NONE);
	wr_bytes(&b->w, a->transform.p + 1, a->transform.n - 1);
}

void sa_put_answer(struct ike_build *b, const struct sa_answer *a, struct span spi)
{
	build_open(b, PL_SA);
	wr_be32(&b->w, ISAKMP_DOI_IPSEC);
	wr_be32(&b->w, ISAKMP_SIT_IDENTITY);
	sa_put_proposal(b, PL_NONE, a, spi);
}
