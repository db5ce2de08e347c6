/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save.c - an established session as bytes, and back. Pure.
 *
 *   "vpgs", u16 version, u32 bytes behind this field, 16 bytes digest of them, fields
 *
 * Integers are big-endian, texts have a 16-bit length. The clock values are CLOCK_BOOTTIME, so a
 * record is good for as long as the machine stays up. It holds keys: never on a disk.
 */
#include <errno.h>

#include "cleanup.h"
#include "ike/profile.h"
#include "ike/save.h"

#define SAVE_MAGIC   0x76706773u /* "vpgs" */
#define SAVE_VERSION 1
#define SAVE_HEADER  (4 + 2 + 4 + 16)

/* ---- writing ---- */

static void put_bytes(struct wr *w, const void *p, size_t n)
{
	wr_be16(w, (uint16_t)n);
	wr_bytes(w, p, n);
}

static void put_addr(struct wr *w, const struct ipaddr *a)
{
	wr_u8(w, a->family);
	wr_bytes(w, a->b, sizeof(a->b));
}

static void put_endpoint(struct wr *w, const struct endpoint *e)
{
	put_addr(w, &e->addr);
	wr_be16(w, e->port);
}

static bool child_is_saved(const struct ike_sa *sa, const struct ike_child *c)
{
	return c->in_kernel && (c->state != IKE_CHILD_PENDING || save_has_quick(sa, c));
}

static void put_child(struct wr *w, const struct ike_child *c)
{
	wr_be32(w, c->number);
	wr_u8(w, (uint8_t)c->state);
	wr_u8(w, c->set);
	wr_be32(w, c->spi_in);
	wr_be32(w, c->spi_out);
	wr_be16(w, c->cpi_in);
	wr_be16(w, c->cpi_out);
	wr_u8(w, (uint8_t)c->alg.enc);
	wr_be16(w, c->alg.key_len);
	wr_u8(w, (uint8_t)c->alg.auth);
	wr_u8(w, (uint8_t)(c->encap | c->alg.esn << 1));
	wr_be16(w, c->pfs_group);
	put_endpoint(w, &c->local);
	put_endpoint(w, &c->peer);
	wr_be64(w, c->since_us);
	wr_be64(w, c->expires_us);
	wr_be64(w, c->rekey_us);
	wr_u8(w, c->by_gateway);
	wr_be32(w, c->life_s);
	wr_be32(w, c->life_kb);
	wr_be32(w, c->soft_kb);
	wr_u8(w, c->volume_over);
	wr_be16(w, c->encap_mode);
	wr_u8(w, c->id_ci);
	wr_u8(w, c->id_cr);
	put_addr(w, &c->asked.addr);
	wr_u8(w, c->asked.len);
	wr_u8(w, c->upper.proto);
	wr_be16(w, c->upper.inner_port);
	wr_be16(w, c->upper.net_port);
	put_bytes(w, c->out, c->out ? sizeof(*c->out) : 0);
	wr_u8(w, c->n_nets);
	for (unsigned i = 0; i < c->n_nets; i++) {
		put_addr(w, &c->nets[i].addr);
		wr_u8(w, c->nets[i].len);
	}
}

static void put_children(struct wr *w, const struct ike_sa *sa)
{
	size_t mark = w->len;
	uint8_t n = 0;

	wr_u8(w, 0);
	for (const struct ike_child *c = sa->children; c; c = c->next)
		if (child_is_saved(sa, c)) {
			put_child(w, c);
			n++;
		}
	wr_patch_u8(w, mark, n);
}

/* Its client will repeat the request, and who reads this record shall take it: nothing has come of
 * it yet. What is finished stays used, for a repetition from elsewhere would move the session. */
static bool may_come_again(const struct ike_sa *sa, uint32_t msgid)
{
	const struct ike_xchg *x = sa->xchgs;

	while (x && (x->msgid != msgid || x->ours))
		x = x->next;
	return x && !x->done && !(x->quick && x->answered);
}

static void put_used_ids(struct wr *w, const struct ike_sa *sa)
{
	size_t mark = w->len;
	uint16_t n = 0;

	wr_be16(w, 0);
	for (unsigned i = 0; i < sa->n_used; i++)
		if (!may_come_again(sa, sa->used_ids[i])) {
			wr_be32(w, sa->used_ids[i]);
			n++;
		}
	wr_patch_be16(w, mark, n);
}

static void put_sa(struct wr *w, const struct ike_sa *sa)
{
	wr_u8(w, (uint8_t)sa->state);
	wr_bytes(w, sa->cky_i, IKE_COOKIE);
	wr_bytes(w, sa->cky_r, IKE_COOKIE);
	wr_be32(w, sa->name);
	put_endpoint(w, &sa->peer);
	put_endpoint(w, &sa->local);
	put_endpoint(w, &sa->source);
	wr_u8(w, sa->natt);
	wr_u8(w, sa->nat);
	wr_be32(w, sa->vids);
	wr_u8(w, sa->frag);
	wr_be16(w, sa->alg.enc);
	wr_be16(w, sa->alg.key_len);
	wr_be16(w, sa->alg.hash);
	wr_be16(w, sa->alg.group);
	wr_u8(w, sa->mode);
	wr_be16(w, sa->auth);
	put_bytes(w, sa->keys.skeyid_d.b, sa->keys.skeyid_d.n);
	put_bytes(w, sa->keys.skeyid_a.b, sa->keys.skeyid_a.n);
	put_bytes(w, sa->keys.key, sa->keys.key_len);
	wr_bytes(w, sa->last_block, sizeof(sa->last_block));
	put_bytes(w, sa->user, strlen(sa->user));
	put_bytes(w, sa->client, strlen(sa->client));
	put_bytes(w, sa->peer_id, sa->peer_id_len);
	put_bytes(w, sa->profile, sa->profile ? strlen(sa->profile) : 0);
	put_addr(w, &sa->lease);
	put_addr(w, &sa->lease6);
	wr_u8(w, sa->asked6);
	wr_be64(w, sa->since_us);
	wr_be64(w, sa->until_us);
	wr_be64(w, sa->expires_us);
	wr_be64(w, sa->deadline_us);
	wr_be16(w, sa->cfg_id);
	wr_u8(w, sa->pushed);
	wr_u8(w, sa->dpd_seen);
	wr_be32(w, sa->dpd_seq);
	wr_be64(w, sa->heard_us);
	wr_be64(w, sa->active_us);
	wr_be32(w, sa->dpd_base);
	wr_be32(w, sa->dpd_rounds);
	wr_be32(w, sa->next_child);
	wr_be32(w, sa->next_serial);
	put_children(w, sa);
	put_used_ids(w, sa);
	save_put_quicks(w, sa);
}

int ike_save(const struct ike *ike, struct sess_id id, void *buf, size_t cap, size_t *ret_len)
{
	const struct ike_sa *sa = table_get(&ike->t, id);
	struct wr w = wr_into(buf, cap), head;
	uint8_t digest[16];

	if (!sa || !(1u << sa->state & ST_LOGGED_IN))
		return -EAGAIN;
	wr_zero(&w, SAVE_HEADER);
	put_sa(&w, sa);
	if (w.bad)
		return -ENOSPC;
	digest_of((struct span){ w.p + SAVE_HEADER, w.len - SAVE_HEADER }, digest);
	head = wr_into(buf, SAVE_HEADER);
	wr_be32(&head, SAVE_MAGIC);
	wr_be16(&head, SAVE_VERSION);
	wr_be32(&head, (uint32_t)(w.len - SAVE_HEADER));
	wr_bytes(&head, digest, sizeof(digest));
	*ret_len = w.len;
	return 0;
}

/* ---- reading ---- */

static void get_bytes(struct rd *r, void *out, size_t cap, size_t *ret_n)
{
	size_t n = rd_be16(r);

	if (n > cap)
		r->bad = true;
	*ret_n = r->bad ? 0 : n;
	rd_copy(r, out, *ret_n);
}

static void get_text(struct rd *r, char *out, size_t cap)
{
	size_t n;

	get_bytes(r, out, cap - 1, &n);
	out[n] = '\0';
}

static void get_addr(struct rd *r, struct ipaddr *a)
{
	a->family = rd_u8(r);
	rd_copy(r, a->b, sizeof(a->b));
	if (a->family != IP_NONE && a->family != IP_V4 && a->family != IP_V6)
		r->bad = true;
}

/* family: which it must be of; IP_NONE: of any. */
static void get_prefix(struct rd *r, struct prefix *p, uint8_t family)
{
	get_addr(r, &p->addr);
	p->len = rd_u8(r);
	if (p->len > 8 * ipaddr_len(&p->addr) || p->addr.family == IP_NONE ||
	    (family && p->addr.family != family))
		r->bad = true;
}

static void get_endpoint(struct rd *r, struct endpoint *e)
{
	get_addr(r, &e->addr);
	e->port = rd_be16(r);
}

/* The keys of a pair that only receives yet; once agreed on, it begins to send as soon as time is
 * looked at. */
static int get_out_keys(struct rd *r, struct ike_child *c)
{
	size_t n = rd_be16(r);

	c->send_us = UINT64_MAX;
	if (r->bad || (n && n != sizeof(*c->out)) ||
	    (c->state != IKE_CHILD_PENDING && (n != 0) != (c->state == IKE_CHILD_READY)))
		return -EBADMSG;
	if (n == 0)
		return 0;
	c->out = calloc(1, sizeof(*c->out));
	if (!c->out)
		return -ENOMEM;
	rd_copy(r, c->out, n);
	if (c->state == IKE_CHILD_READY)
		c->send_us = 0;
	return 0;
}

static int get_child(struct rd *r, const struct ike_sa *sa, struct ike_child **end)
{
	struct ike_child *c = calloc(1, sizeof(*c));
	uint8_t flags;
	int rc;

	if (!c)
		return -ENOMEM;
	*end = c;
	c->number = rd_be32(r);
	c->state = rd_u8(r);
	c->set = rd_u8(r);
	c->spi_in = rd_be32(r);
	c->spi_out = rd_be32(r);
	c->cpi_in = rd_be16(r);
	c->cpi_out = rd_be16(r);
	c->alg.enc = rd_u8(r);
	c->alg.key_len = rd_be16(r);
	c->alg.auth = rd_u8(r);
	flags = rd_u8(r);
	c->encap = flags & 1;
	c->alg.esn = flags & 2;
	c->pfs_group = rd_be16(r);
	get_endpoint(r, &c->local);
	get_endpoint(r, &c->peer);
	c->since_us = rd_be64(r);
	c->expires_us = rd_be64(r);
	c->rekey_us = rd_be64(r);
	c->by_gateway = rd_u8(r);
	c->life_s = rd_be32(r);
	c->life_kb = rd_be32(r);
	c->soft_kb = rd_be32(r);
	c->volume_over = rd_u8(r);
	c->encap_mode = rd_be16(r);
	c->id_ci = rd_u8(r);
	c->id_cr = rd_u8(r);
	get_prefix(r, &c->asked, sa->lease6.family ? IP_NONE : IP_V4);
	c->upper.proto = rd_u8(r);
	c->upper.inner_port = rd_be16(r);
	c->upper.net_port = rd_be16(r);
	rc = get_out_keys(r, c);
	if (rc < 0)
		return rc;
	c->n_nets = rd_u8(r);
	for (unsigned i = 0; i < c->n_nets && i < IKE_SELECTORS; i++)
		get_prefix(r, &c->nets[i], c->asked.addr.family);
	c->in_kernel = true;
	return r->bad || c->n_nets > IKE_SELECTORS || c->set >= IKE_SETS || c->spi_in < 256 ||
			       !c->cpi_in != !c->cpi_out || c->state > IKE_CHILD_OLD
		       ? -EBADMSG
		       : 0;
}

static int get_sa(struct rd *r, struct ike_sa *sa)
{
	char profile[LIMIT_GROUP_NAME + 1];
	int rc = 0;
	size_t n;

	get_endpoint(r, &sa->peer);
	get_endpoint(r, &sa->local);
	get_endpoint(r, &sa->source);
	sa->natt = rd_u8(r);
	sa->nat = rd_u8(r);
	sa->vids = rd_be32(r);
	sa->frag = rd_u8(r);
	sa->alg.enc = rd_be16(r);
	sa->alg.key_len = rd_be16(r);
	sa->alg.hash = rd_be16(r);
	sa->alg.group = rd_be16(r);
	sa->mode = rd_u8(r);
	sa->auth = rd_be16(r);
	sa->keys.enc = sa->alg.enc;
	sa->keys.hash = sa->alg.hash;
	get_bytes(r, sa->keys.skeyid_d.b, SECRET_MAX, &sa->keys.skeyid_d.n);
	get_bytes(r, sa->keys.skeyid_a.b, SECRET_MAX, &sa->keys.skeyid_a.n);
	get_bytes(r, sa->keys.key, IKE_KEY_MAX, &n);
	sa->keys.key_len = (uint8_t)n;
	rd_copy(r, sa->last_block, sizeof(sa->last_block));
	get_text(r, sa->user, sizeof(sa->user));
	get_text(r, sa->client, sizeof(sa->client));
	get_bytes(r, sa->peer_id, sizeof(sa->peer_id), &n);
	sa->peer_id_len = (uint16_t)n;
	get_text(r, profile, sizeof(profile));
	if (profile_set(sa, profile) < 0)
		rc = -ENOMEM;
	get_addr(r, &sa->lease);
	get_addr(r, &sa->lease6);
	sa->asked6 = rd_u8(r);
	sa->since_us = rd_be64(r);
	sa->until_us = rd_be64(r);
	sa->expires_us = rd_be64(r);
	sa->deadline_us = rd_be64(r);
	sa->cfg_id = rd_be16(r);
	sa->pushed = rd_u8(r);
	sa->dpd_seen = rd_u8(r);
	sa->dpd_seq = rd_be32(r);
	sa->heard_us = rd_be64(r);
	sa->active_us = rd_be64(r);
	sa->dpd_base = rd_be32(r);
	sa->dpd_rounds = rd_be32(r);
	sa->next_child = rd_be32(r);
	sa->next_serial = rd_be32(r);
	if (sa->frag > (IKE_FRAG_IN | IKE_FRAG_OUT))
		r->bad = true;
	/* Algorithms that this build does not have would fail later, in the middle of a message. */
	if (cipher_key_len(sa->alg.enc, sa->alg.key_len) != sa->keys.key_len || !sa->keys.key_len ||
	    hash_len(sa->alg.hash) != sa->keys.skeyid_a.n || !sa->keys.skeyid_a.n ||
	    (sa->mode != XCHG_MAIN && sa->mode != XCHG_AGGRESSIVE))
		r->bad = true;
	return rc == 0 && r->bad ? -EBADMSG : rc;
}

/* The pairs whose SPIs could be marked as used; one that could not is not in the list. */
static int get_children(struct rd *r, struct ike_table *t, struct ike_sa *sa)
{
	struct ike_child **end = &sa->children;
	unsigned n = rd_u8(r);
	int rc = n > LIMIT_CHILDREN ? -EBADMSG : 0;

	for (unsigned i = 0; i < n && rc == 0; i++) {
		rc = get_child(r, sa, end);
		if (rc == 0)
			rc = u32_add(&t->spis, (*end)->spi_in);
		if (rc == 0 && (*end)->cpi_in) {
			rc = u32_add(&t->cpis, (*end)->cpi_in);
			if (rc < 0)
				u32_del(&t->spis, (*end)->spi_in);
		}
		if (rc == 0) {
			*u32_note(&t->spis, (*end)->spi_in) = sa->id.slot;
			end = &(*end)->next;
		} else if (*end) {
			child_remove(sa, *end);
		}
	}
	return rc;
}

static int get_lists(struct rd *r, struct ike_table *t, struct ike_sa *sa)
{
	int rc = get_children(r, t, sa);
	unsigned n = rd_be16(r);

	if (rc == 0 && n > LIMIT_MESSAGE_IDS)
		rc = -EBADMSG;
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = use_id(sa, rd_be32(r));
	if (rc == 0)
		rc = save_get_quicks(r, sa);
	return rc == 0 && (r->bad || r->left) ? -EBADMSG : rc;
}

/* The record's fields, when its envelope is sound. */
static int open_record(struct span saved, struct rd *ret)
{
	struct rd r = rd_from(saved);
	uint32_t magic = rd_be32(&r);
	uint16_t version = rd_be16(&r);
	uint32_t len = rd_be32(&r);
	uint8_t want[16], is[16];

	rd_copy(&r, want, sizeof(want));
	if (r.bad || magic != SAVE_MAGIC)
		return -EBADMSG;
	if (version != SAVE_VERSION)
		return -EPROTO;
	digest_of((struct span){ r.p, r.left }, is);
	if (len != r.left || memcmp(want, is, sizeof(is)) != 0)
		return -EBADMSG;
	*ret = r;
	return 0;
}

#define ANY_PLACE UINT32_MAX

static int restore(struct ike *ike, uint32_t slot, struct span saved, uint64_t now,
		   struct sess_id *ret_id)
{
	uint8_t cky_i[IKE_COOKIE], cky_r[IKE_COOKIE];
	struct ike_sa *sa;
	uint32_t name;
	uint8_t state;
	struct rd r;
	int rc = open_record(saved, &r);

	if (rc < 0)
		return rc;
	state = rd_u8(&r);
	rd_copy(&r, cky_i, sizeof(cky_i));
	rd_copy(&r, cky_r, sizeof(cky_r));
	name = rd_be32(&r);
	if (r.bad || state > IKE_ST_CLOSING || !(1u << state & ST_LOGGED_IN))
		return -EBADMSG;
	if (table_name_taken(&ike->t, cky_r))
		return -EEXIST;
	rc = slot == ANY_PLACE ? table_new(&ike->t, cky_i, cky_r, &sa)
			       : table_new_at(&ike->t, slot, cky_i, cky_r, &sa);
	if (rc < 0)
		return rc;
	rc = table_rename(&ike->t, sa, name);
	if (rc == 0)
		rc = get_sa(&r, sa);
	if (rc == 0)
		rc = get_lists(&r, &ike->t, sa);
	if (rc < 0) {
		table_remove(&ike->t, sa);
		return rc;
	}
	by_user_enter(&ike->t.users, sa);
	sa_enter(ike, sa, state);
	if (state == IKE_ST_AUTHED)
		xauth_again(ike, sa, now);
	keepalive_start(ike, sa, now);
	dpd_heard(ike, sa, sa->heard_us); /* questions under way begin anew */
	save_resume_quicks(sa, now);
	sa_rearm(ike, sa);
	*ret_id = sa->id;
	return 0;
}

int ike_restore(struct ike *ike, struct span saved, uint64_t now, struct sess_id *ret_id)
{
	return restore(ike, ANY_PLACE, saved, now, ret_id);
}

int ike_restore_at(struct ike *ike, uint32_t slot, struct span saved, uint64_t now,
		   struct sess_id *ret_id)
{
	return slot == ANY_PLACE ? -EBADMSG : restore(ike, slot, saved, now, ret_id);
}
