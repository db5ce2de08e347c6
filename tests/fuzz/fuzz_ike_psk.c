/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ike_psk.c - a file of shared keys is read or refused with a reason; what was read is in
 * order, and an address gets a row that it belongs to.
 */
#include <stdlib.h>

#include "bounds.h"
#include "ike/names.h"
#include "ike/psk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned told;

static void wrong(void *ctx, unsigned line, unsigned col, const char *what)
{
	(void)ctx;
	told++;
	if (!line || !col || !*what)
		abort();
}

/* Its pattern fits itself, or another that comes before does. */
static bool finds(const struct psk_table *t, const struct id_match *m)
{
	uint8_t id[4 + LIMIT_ID_PATTERN] = { m->type };

	if (m->type == ID_DER_ASN1_DN) /* which is no subject itself */
		return true;
	memcpy(id + 4, m->pattern.p, m->pattern.n);
	return psk_find_named(t, (struct span){ id, m->pattern.n + 4 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psk_table *t = NULL;
	int rc;

	told = 0;
	rc = psk_parse((struct span){ data, size }, wrong, NULL, &t);
	if ((rc == 0) != (told == 0) || (rc == 0) != (t != NULL))
		abort();
	for (size_t i = 0; t && i < t->n; i++) {
		const struct psk *p = &t->v[i], *found = psk_find(t, &p->net.addr);

		if (!p->key.n || p->key.n > LIMIT_PSK || p->key.p < t->keys ||
		    p->key.p + p->key.n > t->keys + t->keys_len ||
		    (i && p[-1].net.len < p->net.len) || !found ||
		    !prefix_covers(&p->net, &found->net))
			abort();
	}
	for (size_t i = 0; t && i < t->n_named; i++) {
		const struct psk_named *p = &t->named[i];

		if (!p->key.n || p->key.n > LIMIT_PSK || p->key.p < t->keys ||
		    p->key.p + p->key.n > t->keys + t->keys_len || !p->who.pattern.n ||
		    p->who.pattern.p < t->keys ||
		    p->who.pattern.p + p->who.pattern.n > t->keys + t->keys_len ||
		    !finds(t, &p->who))
			abort();
	}
	psk_free(t);
	return 0;
}
