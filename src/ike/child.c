/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child.c - an SA pair and the kernel: keys, installing, replacing an older pair, removing.
 *
 * The first pair for some traffic is installed whole. A newer one for the same traffic receives
 * first and sends later: the kernel sends with the newest SA at once, and the client has the keys
 * only when it has worked through our message. Until then the older pair sends, so that a rekey
 * loses nothing; afterwards it receives what is on its way, and goes.
 *
 * Not here: the exchanges that agree on a pair (quick.c).
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/core.h"

#define OLD_CHILD_GRACE_S 30 /* the replaced pair still receives for this long */
#define SUCCESSOR_WAIT_S  5  /* until the gateway begins a Quick Mode for one that is used again */

size_t ike_esp_enc_len(const struct ike_p2 *alg)
{
	switch (alg->enc) {
	case ESP_ENC_AES_CBC:
		return alg->key_len / 8u;
	case ESP_ENC_3DES_CBC:
		return 24;
	case ESP_ENC_AES_GCM16:
		return alg->key_len / 8u + 4; /* the salt follows the key: RFC 4106 8.1 */
	}
	return 0;
}

size_t ike_esp_auth_len(enum esp_auth auth)
{
	switch (auth) {
	case ESP_AUTH_NONE:
		return 0;
	case ESP_AUTH_MD5_96:
		return 16;
	case ESP_AUTH_SHA1_96:
		return 20;
	case ESP_AUTH_SHA256_128:
	case ESP_AUTH_SHA256_96:
		return 32;
	case ESP_AUTH_SHA384_192:
		return 48;
	case ESP_AUTH_SHA512_256:
		return 64;
	}
	return 0;
}

bool child_same_traffic(const struct ike_child *a, const struct ike_child *b)
{
	return a->n_nets == b->n_nets && memcmp(a->nets, b->nets, sizeof(a->nets)) == 0 &&
	       quick_same_upper(&a->upper, &b->upper);
}

/* The number of this traffic: an older pair's with the same, else a free one. */
static uint8_t set_of(const struct ike_sa *sa, const struct ike_child *c)
{
	uint32_t taken = 0;
	uint8_t n = 0;

	for (const struct ike_child *o = sa->children; o; o = o->next) {
		if (child_same_traffic(o, c))
			return o->set;
		taken |= 1u << o->set;
	}
	while (taken & 1u << n)
		n++;
	return n; /* LIMIT_CHILDREN is below IKE_SETS */
}

static int new_spi(struct ike *ike, uint32_t *ret)
{
	int rc;

	do {
		ike_random(ike, ret, sizeof(*ret));
		rc = *ret < 256 ? -EEXIST : u32_add(&ike->t.spis, *ret);
	} while (rc == -EEXIST);
	return rc;
}

/*
 * The kernel finds an inbound SA of IPComp by its CPI, whoever sent the packet, so no two pairs have
 * the same one. What RFC 3173 3.3 leaves for negotiation is several times LIMIT_CPIS.
 */
static int new_cpi(struct ike *ike, uint16_t *ret)
{
	uint16_t r;
	int rc;

	if (ike->t.cpis.n >= LIMIT_CPIS)
		return -ENOSPC;
	do {
		ike_random(ike, &r, sizeof(r));
		*ret = (uint16_t)(CPI_MIN + r % (CPI_MAX - CPI_MIN + 1));
		rc = u32_add(&ike->t.cpis, *ret);
	} while (rc == -EEXIST);
	return rc;
}

/* 80 to 90 per cent of it, so that not all of a pair's SAs ask at once. */
static uint32_t soft_volume(struct ike *ike, uint32_t life_kb)
{
	uint16_t r;

	ike_random(ike, &r, sizeof(r));
	return life_kb / 10 * 8 + (uint32_t)((uint64_t)(life_kb / 10) * r >> 16);
}

struct ike_child *child_new(struct ike *ike, struct ike_sa *sa, const struct ike_child *like,
			    uint64_t now)
{
	struct ike_child *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = *like;
	c->cpi_in = 0;
	if (new_spi(ike, &c->spi_in) < 0) {
		free(c);
		return NULL;
	}
	if (like->cpi_out && new_cpi(ike, &c->cpi_in) < 0) {
		u32_del(&ike->t.spis, c->spi_in);
		free(c);
		return NULL;
	}
	*u32_note(&ike->t.spis, c->spi_in) = sa->id.slot;
	c->number = ++sa->next_child;
	c->set = set_of(sa, c);
	c->state = IKE_CHILD_PENDING;
	c->in_kernel = false;
	c->installing = IKE_PART_NONE;
	c->out = NULL;
	c->local = sa->local;
	c->peer = sa->peer;
	c->volume_over = false;
	c->soft_kb = soft_volume(ike, c->life_kb);
	c->since_us = now;
	c->expires_us = c->send_us = c->rekey_us = UINT64_MAX;
	c->next = sa->children;
	sa->children = c;
	return c;
}

/* KEYMAT is cut: cipher key first, then the integrity key. */
static int child_keys(const struct ike_sa *sa, const struct ike_quick *q, uint32_t spi,
		      struct span shared, const struct ike_child_fx *k, uint8_t *enc, uint8_t *auth)
{
	uint8_t mat[ESP_ENC_KEY_MAX + ESP_AUTH_KEY_MAX];
	int rc = keymat_child(&sa->keys, PROTO_ESP, spi, shared, quick_ni(q), quick_nr(q), mat,
			      (size_t)k->enc_len + k->auth_len);

	if (rc == 0) {
		memcpy(enc, mat, k->enc_len);
		memcpy(auth, mat + k->enc_len, k->auth_len);
	}
	explicit_bzero(mat, sizeof(mat));
	return rc;
}

struct ike_child_fx *child_fx(const struct ike_sa *sa, const struct ike_child *c,
			      enum ike_part part, struct fx *fx)
{
	struct ike_child_fx *k = fx_space(fx, sizeof(*k));

	if (!k)
		return NULL;
	*k = (struct ike_child_fx){ .child = c->number,
				    .part = part,
				    .set = c->set,
				    .spi_in = c->spi_in,
				    .spi_out = c->spi_out,
				    .cpi_in = c->cpi_in,
				    .cpi_out = c->cpi_out,
				    .local = c->local,
				    .peer = c->peer,
				    .encap = c->encap,
				    .enc = c->alg.enc,
				    .auth = c->alg.auth,
				    .esn = c->alg.esn,
				    .enc_len = (uint8_t)ike_esp_enc_len(&c->alg),
				    .auth_len = (uint8_t)ike_esp_auth_len(c->alg.auth),
				    .inner = *ike_child_inner(sa, c),
				    .soft_bytes = (uint64_t)c->soft_kb * 1024,
				    .hard_bytes = (uint64_t)c->life_kb * 1024,
				    .n_nets = c->n_nets,
				    .upper = c->upper };
	memcpy(k->nets, c->nets, sizeof(k->nets));
	return k;
}

/* Another pair for this traffic, in one of these states. */
static bool has_other(const struct ike_sa *sa, const struct ike_child *c, unsigned states)
{
	for (const struct ike_child *o = sa->children; o; o = o->next)
		if (o != c && 1u << o->state & states && child_same_traffic(o, c))
			return true;
	return false;
}

void child_install(struct ike_sa *sa, const struct ike_quick *q, struct span shared, struct fx *fx)
{
	struct ike_child *c = child_find(sa, q->child);
	/* The client may have another pair, even one of which we do not know yet that it has. But vpnc
	 * has forgotten it by the time it answers us. */
	bool later = has_other(sa, c, ~0u) && !(q->by_gateway && sa_is_vpnc(sa));
	struct ike_child_fx *k = child_fx(sa, c, later ? IKE_PART_IN : IKE_PART_BOTH, fx);
	uint8_t *enc, *auth;

	if (later && k)
		c->out = calloc(1, sizeof(*c->out));
	/* On failure nothing is answered; the exchange ends with its time, and the pair with it. */
	if (!k || (later && !c->out))
		return;
	enc = later ? c->out->enc : k->enc_out;
	auth = later ? c->out->auth : k->auth_out;
	if (child_keys(sa, q, c->spi_in, shared, k, k->enc_in, k->auth_in) < 0 ||
	    child_keys(sa, q, c->spi_out, shared, k, enc, auth) < 0)
		return;
	c->installing = k->part;
	fx_add(fx, FX_CHILD_ADD, sa_ticket(sa, 0))->child = k;
}

static void child_send(struct ike_sa *sa, struct ike_child *c, struct fx *fx)
{
	struct ike_child_fx *k = child_fx(sa, c, IKE_PART_OUT, fx);

	c->send_us = UINT64_MAX;
	if (!k)
		return;
	memcpy(k->enc_out, c->out->enc, k->enc_len);
	memcpy(k->auth_out, c->out->auth, k->auth_len);
	c->installing = IKE_PART_OUT;
	fx_add(fx, FX_CHILD_ADD, sa_ticket(sa, 0))->child = k;
}

/* Both SAs are in the kernel and both sides have agreed: the older pairs only receive now. */
static void child_up(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		     struct fx *fx)
{
	uint64_t grace = now + OLD_CHILD_GRACE_S * US_PER_S;
	struct fx_session *report;
	bool rekeyed = false;

	c->state = IKE_CHILD_UP;
	c->rekey_us = rekey_time(ike, c);
	if (c->rekey_us < now) /* it had to wait for HASH(3) */
		c->rekey_us = now;
	for (struct ike_child *o = sa->children; o; o = o->next) {
		if (o == c || o->state != IKE_CHILD_UP || !child_same_traffic(o, c))
			continue;
		rekeyed = true;
		o->state = IKE_CHILD_OLD;
		o->rekey_us = UINT64_MAX;
		if (o->expires_us > grace)
			o->expires_us = grace;
	}
	if (sa->state != IKE_ST_UP) {
		sa_enter(ike, sa, IKE_ST_UP);
		sa->deadline_us = UINT64_MAX;
		keepalive_start(ike, sa, now);
		sa->active_us = now;
		sa_report(sa, FX_UP, IKE_R_NONE, fx);
	}
	if (rekeyed) {
		ike->count[IKE_C_REKEYED]++;
		report = sa_report(sa, FX_REKEY, IKE_R_NONE, fx);
		if (report)
			report->by_gateway = c->by_gateway;
	}
}

void child_confirm(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		   struct fx *fx)
{
	if (!c->out) {
		child_up(ike, sa, c, now, fx);
		return;
	}
	c->state = IKE_CHILD_READY;
	child_send(sa, c, fx);
}

/* The kernel has the outbound SA of a pair that received already, or does not want it. */
static void on_sending(struct ike *ike, struct ike_sa *sa, struct ike_child *c, int err,
		       uint64_t now, struct fx *fx)
{
	if (err == 0) {
		c->out = child_out_free(c->out);
		child_up(ike, sa, c, now, fx);
		sa_move_late(ike, sa, c, now, fx);
		return;
	}
	/* The client would go on sending with it, and hear nothing. */
	ike_note(ike, sa, &sa->peer, IKE_R_KERNEL, "", fx);
	info_delete_child(ike, sa, c, now, fx);
	child_drop(ike, sa, c, fx);
}

bool ike_child_done(struct ike *ike, struct ike_ticket who, uint32_t child, int err, uint64_t now,
		    struct fx *fx)
{
	struct ike_sa *sa = table_get(&ike->t, who.who);
	struct ike_child *c = sa ? child_find(sa, child) : NULL;
	enum ike_part part = c ? c->installing : IKE_PART_NONE;

	if (part == IKE_PART_NONE)
		return false;
	c->installing = IKE_PART_NONE;
	if (part == IKE_PART_OUT) {
		on_sending(ike, sa, c, err, now, fx);
	} else {
		c->in_kernel = err == 0;
		quick_installed(ike, sa, c, err, now, fx);
	}
	sa_rearm(ike, sa);
	return true;
}

void child_succeed(struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	/* The youngest stands first. */
	for (struct ike_child *c = sa->children; c; c = c->next) {
		if (c->state == IKE_CHILD_READY && !c->installing) {
			if (now >= c->send_us || !has_other(sa, c, 1u << IKE_CHILD_UP))
				child_send(sa, c, fx);
		} else if (c->state == IKE_CHILD_OLD && !sa_is_vpnc(sa) &&
			   !has_other(sa, c, 1u << IKE_CHILD_UP | 1u << IKE_CHILD_READY)) {
			c->state = IKE_CHILD_UP;
			c->rekey_us = now + SUCCESSOR_WAIT_S * US_PER_S;
		}
	}
}

void child_drop(struct ike *ike, struct ike_sa *sa, struct ike_child *c, struct fx *fx)
{
	/* One that only receives has nothing else, and may have nothing else taken away: what the client
	 * numbers may be another client's at the same address. */
	enum ike_part part = c->out && !c->installing ? IKE_PART_IN : IKE_PART_BOTH;
	struct ike_child_fx *k = c->in_kernel ? child_fx(sa, c, part, fx) : NULL;

	if (k) {
		for (const struct ike_child *o = sa->children; o; o = o->next)
			k->keep_policies |= o != c && o->in_kernel && child_same_traffic(o, c);
		fx_add(fx, FX_CHILD_DEL, sa_ticket(sa, 0))->child = k;
	}
	u32_del(&ike->t.spis, c->spi_in);
	u32_del(&ike->t.cpis, c->cpi_in);
	child_remove(sa, c);
}

/* ---- volume ---- */

void ike_child_expired(struct ike *ike, uint32_t slot, uint32_t spi, bool hard, uint64_t now,
		       struct fx *fx)
{
	struct ike_sa *sa = slot < ike->t.cap ? ike->t.slot[slot].sa : NULL;
	struct ike_child *c = sa ? sa->children : NULL;

	while (c && c->spi_in != spi && c->spi_out != spi)
		c = c->next;
	if (!c || c->state == IKE_CHILD_PENDING)
		return;
	if (hard) {
		info_delete_child(ike, sa, c, now, fx);
		child_drop(ike, sa, c, fx);
		child_succeed(sa, now, fx);
	} else if (!c->volume_over) {
		c->volume_over = true;
		if (c->state == IKE_CHILD_UP && c->rekey_us != UINT64_MAX)
			c->rekey_us = rekey_time(ike, c);
	}
	sa_rearm(ike, sa);
}
