/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sapl_quick.c - choosing among the ESP proposals of Quick Mode (RFC 2407 4.4 - 4.5). Pure. */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/check.h"
#include "ike/dh.h"
#include "ike/sapl.h"
#include "ike/sapl_walk.h"

/* ESP transforms (RFC 2407 4.4.4, 3602, 4106) and authentication algorithms (4.5, 4868). */
static const struct {
	uint8_t id;
	enum esp_enc enc;
} esp_ids[] = {
	{ 3, ESP_ENC_3DES_CBC },
	{ 12, ESP_ENC_AES_CBC },
	{ 20, ESP_ENC_AES_GCM16 },
};

static const struct {
	uint16_t id;
	enum esp_auth auth;
} auth_ids[] = {
	{ 0, ESP_AUTH_NONE },       { 1, ESP_AUTH_MD5_96 },     { 2, ESP_AUTH_SHA1_96 },
	{ 5, ESP_AUTH_SHA256_128 }, { 6, ESP_AUTH_SHA384_192 }, { 7, ESP_AUTH_SHA512_256 },
};

uint8_t p2_transform_id(enum esp_enc enc)
{
	for (size_t i = 0; i < ARRAY_SIZE(esp_ids); i++)
		if (esp_ids[i].enc == enc)
			return esp_ids[i].id;
	return 0;
}

uint16_t p2_auth_id(enum esp_auth auth)
{
	if (auth == ESP_AUTH_SHA256_96)
		auth = ESP_AUTH_SHA256_128;
	for (size_t i = 0; i < ARRAY_SIZE(auth_ids); i++)
		if (auth_ids[i].auth == auth)
			return auth_ids[i].id;
	return 0;
}

bool p2_same_alg(const struct ike_p2 *ours, const struct ike_p2 *wire)
{
	return ours->enc == wire->enc && ours->key_len == wire->key_len && ours->esn == wire->esn &&
	       p2_auth_id(ours->auth) == p2_auth_id(wire->auth);
}

static bool p2_attr(struct p2_offer *o, const struct ike_attr *a, uint64_t v, uint16_t *auth,
		    uint64_t *life_type)
{
	uint16_t *once = a->type == P2_GROUP        ? &o->group
			 : a->type == P2_ENCAP      ? &o->encap
			 : a->type == P2_AUTH       ? auth
			 : a->type == P2_KEY_LENGTH ? &o->alg.key_len
						    : NULL;

	if (once) {
		if (*once || v == 0 || v > UINT16_MAX)
			return false;
		*once = (uint16_t)v;
		return true;
	}
	switch (a->type) {
	case P2_LIFE_TYPE:
		*life_type = v;
		return true;
	case P2_LIFE_DURATION:
		if (*life_type == LIFE_KILOBYTES)
			o->life_kb = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
		sa_take_life(life_type, v, &o->life_s);
		return true;
	case P2_ECN_TUNNEL:
		return true;
	case P2_ESN:
		o->alg.esn = v == 1;
		return v == 0 || v == 1;
	default:
		return false; /* key rounds, vendors' own */
	}
}

/* Everything but what the transform's own number says. */
static int read_attributes(const struct sa_transform *t, struct p2_offer *o, uint16_t *auth)
{
	struct rd r = rd_from(t->attrs);
	uint64_t v, life_type = 0;
	struct ike_attr a;
	unsigned n = 0;

	*o = (struct p2_offer){ .life_s = 28800, .usable = true };
	*auth = 0;
	while (ike_attr_next(&r, &a)) {
		if (++n > LIMIT_ATTRIBUTES)
			return -EBADMSG;
		if (!ike_attr_number(&a, &v) || !p2_attr(o, &a, v, auth, &life_type))
			o->usable = false;
	}
	return r.bad ? -EBADMSG : 0;
}

int p2_read(const struct sa_transform *t, struct p2_offer *ret)
{
	bool enc_known = false, auth_known = false;
	struct p2_offer o;
	uint16_t auth;
	int rc = read_attributes(t, &o, &auth);

	for (size_t i = 0; i < ARRAY_SIZE(esp_ids); i++)
		if (esp_ids[i].id == t->id) {
			o.alg.enc = esp_ids[i].enc;
			enc_known = true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(auth_ids); i++)
		if (auth_ids[i].id == auth) {
			o.alg.auth = auth_ids[i].auth;
			auth_known = true;
		}
	o.usable = o.usable && enc_known && auth_known;
	*ret = o;
	return rc;
}

/* The mode is the tunnel's, in UDP or not, as clients write it to both proposals. */
int p2_read_ipcomp(const struct sa_transform *t, struct p2_offer *ret)
{
	struct p2_offer o;
	uint16_t auth;
	int rc = read_attributes(t, &o, &auth);

	o.usable = o.usable && t->id == IPCOMP_DEFLATE && !auth && !o.alg.key_len && !o.alg.esn &&
		   (o.encap == 0 || o.encap == ENCAP_TUNNEL || o.encap == ENCAP_UDP_TUNNEL ||
		    o.encap == ENCAP_UDP_TUNNEL_DRAFT);
	*ret = o;
	return rc;
}

uint16_t p2_cpi(struct span spi)
{
	struct rd r = rd_from(spi);
	uint32_t v = spi.n == 2 ? rd_be16(&r) : spi.n == 4 ? rd_be32(&r) & 0xffff : 0;

	return v < CPI_MIN ? 0 : (uint16_t)v;
}

static bool in_udp(const struct p2_offer *o)
{
	return o->encap == ENCAP_UDP_TUNNEL || o->encap == ENCAP_UDP_TUNNEL_DRAFT ||
	       o->encap == ENCAP_UDP_TRANSPORT || o->encap == ENCAP_UDP_TRANSPORT_DRAFT;
}

static bool in_transport(const struct p2_offer *o)
{
	return o->encap == ENCAP_TRANSPORT || o->encap == ENCAP_UDP_TRANSPORT ||
	       o->encap == ENCAP_UDP_TRANSPORT_DRAFT;
}

/* With IPComp the tunnel is IPComp's, so some clients ask for ESP in transport mode. */
static bool path_fits(const struct p2_offer *o, enum p2_path path, bool with_ipcomp)
{
	bool udp = in_udp(o), transport = in_transport(o);
	bool plain = !udp && (transport || o->encap == ENCAP_TUNNEL || o->encap == 0);

	if (transport && !with_ipcomp)
		return false;
	return (path != P2_PATH_PLAIN && udp) || (path != P2_PATH_UDP && plain);
}

/* Two for each row of ours: with its key length, or with another that proposal_check allows. */
static unsigned p2_rank(const struct ike_conf *conf, const struct p2_offer *o)
{
	if (!o->usable)
		return RANK_NONE;
	for (unsigned i = 0; i < conf->n_p2; i++) {
		const struct ike_p2 *c = &conf->p2[i];

		if (c->enc == o->alg.enc && c->esn == o->alg.esn &&
		    p2_auth_id(c->auth) == p2_auth_id(o->alg.auth) &&
		    check_key_len(conf->check, c->key_len, o->alg.key_len))
			return 2 * i + (c->key_len != o->alg.key_len);
	}
	return RANK_NONE;
}

/* The group must be wanted, and the KE payload must be there, and be of that group, iff it is. */
static bool pfs_fits(const struct ike_conf *conf, const struct p2_want *want, uint16_t group)
{
	const struct dh_group *g = dh_group(group);

	if (!check_pfs(conf, group) || want->ke != (group != 0))
		return false;
	return !want->ke || (g && g->public_len == want->ke_len);
}

enum bundle {
	BUNDLE_NONE,   /* ESP alone */
	BUNDLE_IPCOMP, /* and IPComp as we can do it */
	BUNDLE_OTHER,  /* not ours */
};

/* Proposals of one number belong together (RFC 2408 4.2). */
static enum bundle bundle_of(struct span sa, uint8_t number, struct p2_ipcomp *ret)
{
	enum bundle kind = BUNDLE_NONE;
	struct sa_transform t;
	struct p2_offer o;
	struct sa_walk w;

	*ret = (struct p2_ipcomp){ 0 };
	if (sa_walk_start(sa, &w) < 0)
		return BUNDLE_OTHER;
	while (sa_walk_next(&w, &t) > 0) {
		if (w.prop.number != number || w.prop.proto == PROTO_ESP)
			continue;
		if (w.prop.proto != PROTO_IPCOMP || p2_read_ipcomp(&t, &o) < 0)
			return BUNDLE_OTHER;
		kind = BUNDLE_IPCOMP;
		if (!ret->cpi && o.usable)
			*ret = (struct p2_ipcomp){ p2_cpi(w.prop.spi), (uint8_t)w.prop.spi.n,
						   t.whole };
	}
	return kind == BUNDLE_IPCOMP && !ret->cpi ? BUNDLE_OTHER : kind;
}

int p2_choose(struct span sa, const struct ike_conf *conf, const struct p2_want *want,
	      struct p2_choice *ret, char offered[static OFFER_TEXT])
{
	char name[IKE_NAME_LEN], group[IKE_NAME_LEN], both[2 * IKE_NAME_LEN + 8];
	unsigned best = RANK_NONE, alg, rank;
	bool wrong_pfs = false, wrong_life = false, wrong_ipcomp = false, cut;
	struct p2_ipcomp ipcomp;
	enum bundle bundle;
	uint32_t life;
	struct sa_transform t;
	struct p2_offer o;
	struct sa_walk w;
	int rc = sa_walk_start(sa, &w);

	*offered = '\0';
	while (rc >= 0 && (rc = sa_walk_next(&w, &t)) > 0) {
		struct rd spi = rd_from(w.prop.spi);

		if (w.prop.proto != PROTO_ESP)
			continue;
		if (w.prop.spi.n != 4)
			return -EBADMSG;
		rc = p2_read(&t, &o);
		if (rc < 0)
			return rc;
		if (o.usable) {
			snprintf(both, sizeof(both), "%s%s%s", ike_p2_str(&o.alg, name),
				 o.group ? " with PFS " : " without PFS",
				 o.group ? ike_group_str(o.group, group) : "");
			sa_offer_text(offered, both);
		}
		alg = p2_rank(conf, &o);
		if (alg == RANK_NONE || 2 * alg >= best)
			continue;
		bundle = bundle_of(sa, w.prop.number, &ipcomp);
		rank = 2 * alg + (bundle == BUNDLE_NONE);
		if (rank >= best || bundle == BUNDLE_OTHER ||
		    !path_fits(&o, want->path, bundle == BUNDLE_IPCOMP))
			continue;
		if (bundle == BUNDLE_IPCOMP && !want->deflate) {
			wrong_ipcomp = true;
			continue;
		}
		if (!pfs_fits(conf, want, o.group)) {
			wrong_pfs = true;
			continue;
		}
		if (check_life(conf->check, conf->p2_life_s, o.life_s, &life, &cut) < 0) {
			if (best == RANK_NONE)
				ret->life_s = o.life_s;
			wrong_life = true;
			continue;
		}
		best = rank;
		*ret = (struct p2_choice){
			.alg = { o.alg.enc, o.alg.key_len, conf->p2[alg / 2].auth, o.alg.esn },
			.encap = in_udp(&o),
			.spi = rd_be32(&spi),
			.group = o.group,
			.encap_mode = o.encap,
			.life_s = o.life_s,
			.life_kb = o.life_kb,
			.ipcomp = ipcomp,
			.answer = { .proposal = w.prop.number,
				    .proto = PROTO_ESP,
				    .transform_id = t.id,
				    .spi = w.prop.spi,
				    .transform = t.whole },
		};
	}
	if (rc < 0)
		return rc;
	if (best != RANK_NONE)
		return ret->spi < 256 ? -EBADMSG : 0; /* RFC 4303 2.1 */
	return wrong_life ? -ERANGE : wrong_pfs ? -EDOM : wrong_ipcomp ? -EOPNOTSUPP : -ENOENT;
}

void p2_put_answer(struct ike_build *b, const struct p2_choice *choice, uint32_t spi, uint16_t cpi)
{
	const struct p2_ipcomp *ipcomp = &choice->ipcomp;
	const struct sa_answer a = { .proposal = choice->answer.proposal,
				     .proto = PROTO_IPCOMP,
				     .transform = ipcomp->transform };
	uint8_t esp_spi[4], cpi_spi[4];
	struct wr w = wr_into(esp_spi, sizeof(esp_spi)), v = wr_into(cpi_spi, sizeof(cpi_spi));

	wr_be32(&w, spi);
	wr_zero(&v, ipcomp->cpi_size == 4 ? 2 : 0);
	wr_be16(&v, cpi);
	build_open(b, PL_SA);
	wr_be32(&b->w, ISAKMP_DOI_IPSEC);
	wr_be32(&b->w, ISAKMP_SIT_IDENTITY);
	sa_put_proposal(b, ipcomp->cpi ? PL_PROPOSAL : PL_NONE, &choice->answer, wr_done(&w));
	if (ipcomp->cpi)
		sa_put_proposal(b, PL_NONE, &a, wr_done(&v));
}
