/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_workers.c - Diffie-Hellman in worker threads: all at once, and in two halves. */
#include "workers.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "random.h"
#include "tap.h"

static sd_event *event;
static struct workers *workers;
static struct work last; /* the job that came back */
static unsigned n_done;
static enum ike_proof verdict;

static void on_done(void *ctx, const struct work *w)
{
	(void)ctx;
	last = *w; /* what it points to goes with it */
	if (w->proof)
		verdict = w->proof->verdict;
	n_done++;
}

/* Runs one job to its end. */
static int run(uint16_t group, struct span peer_public, struct span secret)
{
	static const struct ike_ticket who = { { 3, 4 }, 5 };
	unsigned before = n_done;

	if (workers_dh(workers, who, group, peer_public, secret) < 0)
		return -ENOMEM;
	while (n_done == before)
		sd_event_run(event, UINT64_MAX);
	ok(last.who.serial == 5 && last.who.who.gen == 4, "the ticket comes back");
	return last.rc;
}

static void test_group(uint16_t id)
{
	static const struct span none = { 0 };
	const struct dh_group *g = dh_group(id);
	uint8_t x[DH_PRIVATE_MAX], pub[DH_PUBLIC_MAX], shared[DH_SHARED_MAX], ours[DH_PUBLIC_MAX],
		secret[DH_PRIVATE_MAX];
	struct span theirs = { pub, g->public_len };

	random_key(x, sizeof(x));
	dh_make(g, x, pub);
	ok(run(id, theirs, none) == 0 && last.public_len == g->public_len &&
		   last.out_len == g->shared_len &&
		   dh_agree(g, x, (struct span){ last.public_value, last.public_len }, shared) ==
			   0 &&
		   memcmp(shared, last.out, g->shared_len) == 0,
	   "group %u: both sides have the same secret", id);
	ok(run(id, none, none) == 0 && last.public_len == g->public_len &&
		   last.out_len == g->private_len,
	   "group %u: a key pair alone", id);
	memcpy(ours, last.public_value, g->public_len);
	memcpy(secret, last.out, g->private_len);
	ok(run(id, theirs, (struct span){ secret, g->private_len }) == 0 &&
		   last.out_len == g->shared_len &&
		   dh_agree(g, x, (struct span){ ours, g->public_len }, shared) == 0 &&
		   memcmp(shared, last.out, g->shared_len) == 0,
	   "and later its shared secret");
	ok(run(id, theirs, (struct span){ secret, g->private_len - 1u }) < 0,
	   "a private value of another length is refused");
	memset(pub, 0, sizeof(pub));
	ok(run(id, theirs, (struct span){ secret, g->private_len }) < 0,
	   "as is a value that no honest peer sends");
}

/* Whatever comes back, it is of the job that was given. */
static void test_proof(void)
{
	static const struct ike_ticket who = { { 7, 8 }, 9 };
	static const uint8_t bytes[3000] = { 0x30, 0x82, 1 };
	struct fx_proof p = { .hash = { bytes, 32 }, .sig = { bytes, 256 }, .id = { bytes, 4 } };
	unsigned before = n_done;

	for (p.n_certs = 0; p.n_certs < LIMIT_CLIENT_CERTS; p.n_certs++)
		p.cert[p.n_certs] = SPAN_OF(bytes);
	if (workers_proof(workers, who, &p) < 0)
		abort();
	while (n_done == before)
		sd_event_run(event, UINT64_MAX);
	ok(last.kind == WORK_PROOF && last.who.serial == 9 && last.who.who.gen == 8 &&
		   verdict == IKE_PROOF_FAILED,
	   "without CAs nobody can tell whether a certificate is good");
}

int main(void)
{
	if (sd_event_default(&event) < 0 ||
	    workers_new(event, 2, NULL, NULL, on_done, NULL, &workers) < 0)
		abort();
	test_group(2);
	test_group(14);
	test_group(19);
	test_group(31);
	ok(run(4711, (struct span){ 0 }, (struct span){ 0 }) < 0, "an unknown group is refused");
	test_proof();
	workers_free(workers);
	sd_event_unref(event);
	return done();
}
