/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client_own.h - what the files of the scripted initiator share. */
#pragma once

#include "client.h"

void client_draw(struct client *c, void *out, size_t n);
void client_put_sa(struct client *c, struct ike_build *b);

/* A message of phase 1 into c->hdr and c->plain; its payloads into c->msg. 0 or -EBADMSG. */
int client_read(struct client *c, struct span in, uint8_t xchg);
int client_walk(struct client *c, size_t n);

/* Keys, IV and HASH_I from the gateway's public value and nonce. */
int client_derive(struct client *c, const struct ike_msg *m);
/* The message of n bytes in c->plain holds the right SIG or HASH. */
bool client_proved(struct client *c, size_t n);

/* Whether there is a NAT, as the message that was opened last says; and what follows from it. */
void client_see_nat(struct client *c);
void client_float(struct client *c);
void client_put_natd(const struct client *c, struct ike_build *b);
/* Whether it has a certificate. */
bool client_signs(const struct client *c);
/* Its certificates, and its signature over HASH_I. */
void client_put_signature(const struct client *c, struct ike_build *b);
/* INITIAL-CONTACT about this ISAKMP SA. */
void client_put_initial_contact(const struct client *c, struct ike_build *b);
