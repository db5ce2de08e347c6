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

int p2_read(const struct sa_transform *t, struct p2_offer *ret)
{
	struct rd r = rd_from(t->attrs);
	struct p2_offer o = { .life_s = 28800 };
	uint64_t v, life_type = 0;
	uint16_t auth = 0;
	struct ike_attr a;
	unsigned n = 0;
	bool enc_known = false, auth_known = false;

	o.usable = true;
	while (ike_attr_next(&r, &a)) {
		if (++n > LIMIT_ATTRIBUTES)
			return -EBADMSG;
		if (!ike_attr_number(&a, &v) || !p2_attr(&o, &a, v, &auth, &life_type))
			o.usable = false;
	}
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
	return r.bad ? -EBADMSG : 0;
}

static bool in_udp(const struct p2_offer *o)
{
	return o->encap == ENCAP_UDP_TUNNEL || o->encap == ENCAP_UDP_TUNNEL_DRAFT;
}

static bool path_fits(const struct p2_offer *o, enum p2_path path)
{
	bool plain = o->encap == ENCAP_TUNNEL || o->encap == 0;

	return (path != P2_PATH_PLAIN && in_udp(o)) || (path != P2_PATH_UDP && plain);
}

/* Two for each row of ours: with its key length, or with another that proposal_check allows. */
static unsigned p2_rank(const struct ike_conf *conf, const struct p2_offer *o, enum p2_path path)
{
	if (!o->usable || !path_fits(o, path))
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

/* Proposals of one number belong together (RFC 2408 4.2): a bundle with AH or IPComp is not ours. */
static bool in_bundle(struct span sa, uint8_t number)
{
	struct sa_transform t;
	struct sa_walk w;

	if (sa_walk_start(sa, &w) < 0)
		return true;
	while (sa_walk_next(&w, &t) > 0)
		if (w.prop.number == number && w.prop.proto != PROTO_ESP)
			return true;
	return false;
}

int p2_choose(struct span sa, const struct ike_conf *conf, const struct p2_want *want,
	      struct p2_choice *ret, char offered[static OFFER_TEXT])
{
	char name[IKE_NAME_LEN], group[IKE_NAME_LEN], both[2 * IKE_NAME_LEN + 8];
	unsigned best = RANK_NONE, rank;
	bool wrong_pfs = false, wrong_life = false, cut;
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
		rank = p2_rank(conf, &o, want->path);
		if (rank >= best || in_bundle(sa, w.prop.number))
			continue;
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
			.alg = { o.alg.enc, o.alg.key_len, conf->p2[rank / 2].auth, o.alg.esn },
			.encap = in_udp(&o),
			.spi = rd_be32(&spi),
			.group = o.group,
			.encap_mode = o.encap,
			.life_s = o.life_s,
			.life_kb = o.life_kb,
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
	return wrong_life ? -ERANGE : wrong_pfs ? -EDOM : -ENOENT;
}
