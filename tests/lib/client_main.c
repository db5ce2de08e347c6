/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client_main.c - the scripted initiator's main mode. */
#include <errno.h>
#include <string.h>

#include "client_own.h"
#include "gate.h"

static struct ike_build start(struct client *c)
{
	return build_start(c->buf, sizeof(c->buf), c->cky_i, c->cky_r, XCHG_MAIN, 0);
}

int client_main2(struct client *c, struct span in)
{
	if (client_read(c, in, XCHG_MAIN) < 0 || client_walk(c, in.n) < 0 ||
	    !(c->msg.present & PB(SA)))
		return -EBADMSG;
	memcpy(c->cky_r, c->hdr.cky_r, 8);
	return 0;
}

struct span client_main3(struct client *c)
{
	struct ike_build b = start(c);

	build_payload(&b, PL_KE, (struct span){ c->g_i, dh_group(c->alg.group)->public_len });
	build_payload(&b, PL_NONCE, SPAN_OF(c->nonce_i));
	client_put_natd(c, &b);
	return build_clear(&b);
}

int client_main4(struct client *c, struct span in)
{
	if (client_read(c, in, XCHG_MAIN) < 0 || client_walk(c, in.n) < 0 ||
	    memcmp(c->hdr.cky_r, c->cky_r, 8) != 0)
		return -EBADMSG;
	if (client_derive(c, &c->msg) < 0)
		return -EINVAL;
	client_see_nat(c);
	c->msgid = 0;
	memcpy(c->iv, c->last_block, sizeof(c->iv));
	return 0;
}

struct ike_build client_main5_open(struct client *c)
{
	struct ike_build b;

	client_float(c);
	b = start(c);
	build_payload(&b, PL_ID, (struct span){ c->id_i, c->id_i_len });
	if (client_signs(c))
		client_put_signature(c, &b);
	else
		build_payload(&b, PL_HASH, secret_span(&c->hash_i));
	if (c->initial_contact)
		client_put_initial_contact(c, &b);
	return b;
}

struct span client_main5(struct client *c)
{
	struct ike_build b = client_main5_open(c);

	return build_encrypted(&b, &c->keys, c->iv);
}

int client_main6(struct client *c, struct span in)
{
	uint8_t iv[IKE_BLOCK_MAX];

	memcpy(iv, c->iv, sizeof(iv));
	if (client_read(c, in, XCHG_MAIN) < 0 || !(c->hdr.flags & ISAKMP_FLAG_ENCRYPTED) ||
	    cbc_decrypt(c->keys.enc, ike_key_span(&c->keys), iv, c->plain + ISAKMP_HDR,
			in.n - ISAKMP_HDR) < 0 ||
	    client_walk(c, in.n) < 0 || c->msg.n_id != 1)
		return -EBADMSG;
	if (!client_proved(c, in.n))
		return -EACCES;
	memcpy(c->last_block, iv, sizeof(iv));
	return 0;
}

bool client_to_main2(struct client *c, struct gate *g)
{
	client_to(c, g, client_first(c));
	return client_main2(c, gate_only(g)) == 0;
}

bool client_to_main4(struct client *c, struct gate *g)
{
	if (!client_to_main2(c, g))
		return false;
	client_to(c, g, client_main3(c));
	return client_main4(c, gate_only(g)) == 0;
}
