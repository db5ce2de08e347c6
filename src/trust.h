/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trust.h - whose certificates let clients in, and whether one of them does.
 *
 * Everything in a client's certificate is its word until the chain to a CA of ca_file has been
 * verified. Nothing is ever fetched: what is not in ca_file, in crl_file or in the message is not
 * there.
 */
#pragma once

#include "bytes.h"
#include "config.h"
#include "ike/ike.h"

struct trust;
struct verifier;

/*
 * Reads what [phase1] ca_file and crl_file name, where a method wants certificates of clients; else
 * *ret is NULL, which all below take. On failure -errno with one sentence in err that names the key
 * and the file.
 */
int trust_load(const struct config *config, struct trust **ret, char *err, size_t cap);
struct trust *trust_free(struct trust *t); /* gives back one reference, of which loading is one */
struct trust *trust_ref(struct trust *t);  /* any thread; NULL stays NULL */

/* Of the same CAs, as far as ca_file's content goes. */
bool trust_same(const struct trust *a, const struct trust *b);

/* Fills in whom the core asks for. Views of trust. */
void trust_to_conf(const struct trust *t, struct ike_conf *conf);

/* Remarks that an administrator should read, one sentence each; NULL after the last. */
const char *trust_warning(const struct trust *t, unsigned i);

/* One per thread; borrows trust. NULL when out of memory, or there is nothing to trust. */
struct verifier *verifier_new(const struct trust *t);
struct verifier *verifier_free(struct verifier *v);

/*
 * Whether this message was signed by the key of the first certificate, and whether that one lets in:
 * its chain, its dates, revocation, what it may be used for, how strong it is, and that it is that of
 * the identity. Reads crl_file again when it has changed. `text` is, with IKE_PROOF_OK, what the
 * certificate calls the identity (the name or the address, of a subject its common name; it may be
 * empty), else what is wrong and which key to look at. It may hold anything that stands in a
 * certificate.
 */
enum ike_proof verifier_check(struct verifier *v, const struct fx_proof *p, char *text, size_t cap);
#define TRUST_WHY 320 /* room for any sentence */

/* A name in DER as text, unescaped: for one that stood in a certificate which was found good. */
void trust_name_text(struct span der, char *buf, size_t cap);
