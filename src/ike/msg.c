/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* msg.c - the ISAKMP header and the walk over payloads (RFC 2408 3). Pure; the bodies are views. */
#include "ike/msg.h"

#include <errno.h>

int ike_hdr_read(struct span dgram, struct ike_hdr *ret)
{
	static const uint8_t none[8];
	struct rd r = rd_from(dgram);
	struct ike_hdr h;

	rd_copy(&r, h.cky_i, sizeof(h.cky_i));
	rd_copy(&r, h.cky_r, sizeof(h.cky_r));
	h.next = rd_u8(&r);
	h.version = rd_u8(&r);
	h.xchg = rd_u8(&r);
	h.flags = rd_u8(&r);
	h.msgid = rd_be32(&r);
	h.length = rd_be32(&r);
	if (r.bad || h.version != 0x10 || h.length != dgram.n || h.next == PL_NONE)
		return -EBADMSG;
	if (memcmp(h.cky_i, none, sizeof(none)) == 0 || memcmp(h.cky_i, h.cky_r, 8) == 0)
		return -EBADMSG;
	*ret = h;
	return 0;
}

/* ---- what to keep of each payload ---- */

static int keep_sa(struct span b, struct ike_msg *m)
{
	m->sa = b;
	return 0;
}

static int keep_ke(struct span b, struct ike_msg *m)
{
	m->ke = b;
	return 0;
}

static int keep_nonce(struct span b, struct ike_msg *m)
{
	m->nonce = b;
	return 0;
}

static int keep_id(struct span b, struct ike_msg *m)
{
	m->id[m->n_id++] = b;
	return 0;
}

static int keep_hash(struct span b, struct ike_msg *m)
{
	m->hash = b;
	return 0;
}

static int keep_attr(struct span b, struct ike_msg *m)
{
	m->attr = b;
	return 0;
}

static int keep_notify(struct span b, struct ike_msg *m)
{
	m->notify[m->n_notify++] = b;
	return 0;
}

static int keep_delete(struct span b, struct ike_msg *m)
{
	m->del[m->n_delete++] = b;
	return 0;
}

static int keep_vid(struct span b, struct ike_msg *m)
{
	m->vid[m->n_vid++] = b;
	return 0;
}

static int keep_natd(struct span b, struct ike_msg *m)
{
	m->natd[m->n_natd++] = b;
	return 0;
}

static int keep_natd_draft(struct span b, struct ike_msg *m)
{
	m->natd_draft = true;
	return keep_natd(b, m);
}

/* Looked into only where the method wants the client to prove itself by them: proof.c. */
static int keep_cert(struct span b, struct ike_msg *m)
{
	m->cert[m->n_cert++] = b;
	return 0;
}

static int keep_sig(struct span b, struct ike_msg *m)
{
	m->sig = b;
	return 0;
}

/* Seen and passed over. */
static int pass_over(struct span b, struct ike_msg *m)
{
	(void)b;
	(void)m;
	return 0;
}

/* One row per payload. min and max are bytes of the body; RFC 2408 3.x unless named. */
static const struct rule {
	uint16_t min, max;
	uint8_t times; /* how many may stand in one message */
	uint8_t bit;
	int (*keep)(struct span body, struct ike_msg *m);
} rules[256] = {
	[PL_SA] = { 8, LIMIT_SA_PAYLOAD, 1, PB_SA, keep_sa },
	[PL_KE] = { 1, 1024, 1, PB_KE, keep_ke },
	[PL_ID] = { 4, LIMIT_ID + 4, 2, PB_ID, keep_id },
	[PL_CERT] = { 0, UINT16_MAX, MSG_CERTS, PB_CERT, keep_cert },
	[PL_CERTREQ] = { 1, UINT16_MAX, 8, PB_CERTREQ, pass_over },
	[PL_HASH] = { 16, 64, 1, PB_HASH, keep_hash },
	[PL_SIG] = { 1, UINT16_MAX, 1, PB_SIG, keep_sig },
	[PL_NONCE] = { 8, 256, 1, PB_NONCE, keep_nonce }, /* RFC 2409 5 */
	[PL_NOTIFY] = { 8, UINT16_MAX, MSG_NOTIFIES, PB_NOTIFY, keep_notify },
	[PL_DELETE] = { 8, UINT16_MAX, MSG_DELETES, PB_DELETE, keep_delete },
	[PL_VID] = { 0, UINT16_MAX, LIMIT_VENDOR_IDS, PB_VID, keep_vid },
	[PL_ATTR] = { 4, UINT16_MAX, 1, PB_ATTR, keep_attr },           /* mode-cfg 3.2 */
	[PL_NATD] = { 0, UINT16_MAX, LIMIT_NAT_D, PB_NATD, keep_natd }, /* RFC 3947 3.2 */
	[PL_NATD_DRAFT] = { 0, UINT16_MAX, LIMIT_NAT_D, PB_NATD, keep_natd_draft },
	[PL_NATOA] = { 0, UINT16_MAX, 4, PB_NATOA, pass_over }, /* transport mode only */
	[PL_NATOA_DRAFT] = { 0, UINT16_MAX, 4, PB_NATOA, pass_over },
};

int ike_walk(struct span body, uint8_t next, struct ike_msg *ret)
{
	struct rd r = rd_from(body);
	uint8_t times[256] = { 0 };
	struct ike_msg m = { .first = next };
	unsigned count = 0;
	const uint8_t *hash_end = NULL;

	while (next != PL_NONE) {
		const struct rule *rule = &rules[next];
		uint8_t type = next;
		struct span b;
		uint16_t len;

		next = rd_u8(&r);
		(void)rd_u8(&r); /* RESERVED */
		len = rd_be16(&r);
		if (r.bad || len < 4 || ++count > LIMIT_PAYLOADS)
			return -EBADMSG;
		b = rd_take(&r, len - 4u);
		if (r.bad)
			return -EBADMSG;
		if (type == PL_HASH && !hash_end)
			hash_end = r.p;
		if (!rule->keep) {
			m.present |= PB(UNKNOWN);
			continue;
		}
		if (b.n < rule->min || b.n > rule->max || ++times[type] > rule->times)
			return -EBADMSG;
		m.present |= 1u << rule->bit;
		if ((type == PL_NATD || type == PL_NATD_DRAFT) && m.n_natd == LIMIT_NAT_D)
			return -EBADMSG;
		if (rule->keep(b, &m) < 0)
			return -EBADMSG;
	}
	m.padding = (struct span){ r.p, r.left };
	if (hash_end)
		m.after_hash = (struct span){ hash_end, (size_t)(r.p - hash_end) };
	*ret = m;
	return 0;
}

/* ---- bodies ---- */

int ike_notify_read(struct span body, struct ike_notify *ret)
{
	struct rd r = rd_from(body);
	struct ike_notify n = { .doi = rd_be32(&r), .proto = rd_u8(&r) };
	uint8_t spi_size = rd_u8(&r);

	n.type = rd_be16(&r);
	n.spi = rd_take(&r, spi_size);
	n.data = rd_rest(&r);
	if (r.bad)
		return -EBADMSG;
	*ret = n;
	return 0;
}

int ike_delete_read(struct span body, struct ike_delete *ret)
{
	struct rd r = rd_from(body);
	struct ike_delete d = { .doi = rd_be32(&r), .proto = rd_u8(&r), .spi_size = rd_u8(&r) };

	d.n = rd_be16(&r);
	d.spis = rd_take(&r, (size_t)d.n * d.spi_size);
	/* Cisco's "delete with reason" has more behind the SPIs. */
	if (r.bad || d.n == 0 || d.spi_size == 0)
		return -EBADMSG;
	*ret = d;
	return 0;
}

int ike_id_read(struct span body, struct ike_id *ret)
{
	struct rd r = rd_from(body);
	struct ike_id id = { .type = rd_u8(&r), .proto = rd_u8(&r) };

	id.port = rd_be16(&r);
	id.data = rd_rest(&r);
	if (r.bad)
		return -EBADMSG;
	*ret = id;
	return 0;
}

int ike_cfg_read(struct span body, struct ike_cfg *ret)
{
	struct rd r = rd_from(body);
	struct ike_cfg c = { .type = rd_u8(&r) };
	struct ike_attr a;
	unsigned n = 0;

	(void)rd_u8(&r); /* RESERVED */
	c.id = rd_be16(&r);
	c.attrs = rd_rest(&r);
	if (r.bad)
		return -EBADMSG;
	/* "attributes must exactly fill the payload": mode-cfg 3.2 */
	r = rd_from(c.attrs);
	while (ike_attr_next(&r, &a))
		if (++n > LIMIT_ATTRIBUTES)
			return -EBADMSG;
	if (r.bad)
		return -EBADMSG;
	*ret = c;
	return 0;
}

bool ike_attr_next(struct rd *r, struct ike_attr *ret)
{
	struct ike_attr a;
	uint16_t head, v;

	if (r->bad || r->left == 0)
		return false;
	head = rd_be16(r);
	a = (struct ike_attr){ .type = head & 0x7fff, .basic = head & 0x8000 };
	if (a.basic) {
		a.data = rd_take(r, 2);
		a.value = a.data.n ? (uint16_t)(a.data.p[0] << 8 | a.data.p[1]) : 0;
	} else {
		v = rd_be16(r);
		a.data = rd_take(r, v);
	}
	if (r->bad)
		return false;
	*ret = a;
	return true;
}

bool ike_attr_number(const struct ike_attr *a, uint64_t *ret)
{
	uint64_t v = 0;

	if (a->data.n < 1 || a->data.n > 8)
		return false;
	for (size_t i = 0; i < a->data.n; i++)
		v = v << 8 | a->data.p[i];
	*ret = v;
	return true;
}
