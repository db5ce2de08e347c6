/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_ike_msg.c - the ISAKMP header, the walk over payloads, the bodies of those that have some. */
#include <stdlib.h>

#include "ike/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A view of the message, or of nothing. */
static void check(struct span whole, struct span part)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void check_bodies(struct span whole, const struct ike_msg *m)
{
	struct ike_notify n;
	struct ike_delete d;
	struct ike_id id;
	struct ike_cfg c;

	for (unsigned i = 0; i < m->n_notify; i++)
		if (ike_notify_read(m->notify[i], &n) == 0)
			check(m->notify[i], n.data);
	for (unsigned i = 0; i < m->n_delete; i++)
		if (ike_delete_read(m->del[i], &d) == 0 && d.spis.n != (size_t)d.n * d.spi_size)
			abort();
	for (unsigned i = 0; i < m->n_id; i++)
		if (ike_id_read(m->id[i], &id) == 0 && id.data.n + 4 != m->id[i].n)
			abort();
	if (m->present & PB(ATTR) && ike_cfg_read(m->attr, &c) == 0)
		check(m->attr, c.attrs);
	for (unsigned i = 0; i < m->n_vid; i++)
		check(whole, m->vid[i]);
	for (unsigned i = 0; i < m->n_natd; i++)
		check(whole, m->natd[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span whole = { data, size };
	struct ike_hdr h;
	struct ike_msg m;

	(void)ike_hdr_read(whole, &h);
	/* The walk also meets what the header would have kept out. */
	if (size < ISAKMP_HDR ||
	    ike_walk((struct span){ data + ISAKMP_HDR, size - ISAKMP_HDR }, data[16], &m) < 0)
		return 0;
	if (m.n_id > 2 || m.n_vid > LIMIT_VENDOR_IDS || m.n_natd > LIMIT_NAT_D ||
	    m.n_notify > MSG_NOTIFIES || m.n_delete > MSG_DELETES)
		abort();
	check(whole, m.padding);
	check(whole, m.after_hash);
	check_bodies(whole, &m);
	return 0;
}
