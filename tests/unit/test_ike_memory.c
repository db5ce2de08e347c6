/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_ike_memory.c - REL-02: every allocation of a login fails once. What must hold does, the
 * gateway forgets in time, and the next client gets in.
 *
 * Replaces malloc and its kin, which the sanitizers want for themselves: skipped under them.
 */
#include "hostile_kit.h"

#ifdef __SANITIZE_ADDRESS__

int main(void)
{
	skip(1, "the address sanitizer has malloc for itself");
	return done();
}

#else

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static long fail_in = -1; /* so many go well before one fails; -1: all do */

static bool fails(void)
{
	return fail_in >= 0 && fail_in-- == 0;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

enum step {
	MAIN1,
	MAIN3,
	MAIN5,
	MAIN5_PSK,
	FIRST,
	FRAGMENTS,
	THIRD,
	REPLY,
	ACK,
	CONFIG,
	QUICK1,
	QUICK3,
	QUERY,
	DELETE_SA,
	AGAIN1,
	AGAIN3,
	ANSWER,
	RENEWAL,
	KICK,
	RESTORE,
	ASK,
	STEPS
};

static const char *const names[STEPS] = { "main mode, first",
					  "main mode, third",
					  "main mode, fifth",
					  "main mode, fifth, shared key",
					  "first message",
					  "first message in fragments, backwards",
					  "third message",
					  "XAuth reply",
					  "acknowledgement",
					  "config request",
					  "Quick Mode, first",
					  "Quick Mode, third",
					  "R-U-THERE",
					  "delete",
					  "Quick Mode, first, again",
					  "Quick Mode, third, again",
					  "answer to the gateway's Quick Mode",
					  "XAuth reply of a renewal",
					  "kick",
					  "restore",
					  "the gateway's Quick Mode" };

static uint8_t rec[65536], msg[2048];
static size_t n_rec, n_msg;

static struct span next_message(enum step s)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS };

	switch (s) {
	case MAIN3:
		return client_main3(&c);
	case MAIN5:
	case MAIN5_PSK:
		return client_main5(&c);
	case MAIN1:
	case FIRST:
	case FRAGMENTS:
		return client_first(&c);
	case THIRD:
		return client_third(&c);
	case REPLY:
	case RENEWAL:
		return client_credentials(&c, span_str("alice"), span_str("wonderland"));
	case ACK:
		return client_ack(&c);
	case CONFIG:
		return client_config(&c, addr, 1);
	case QUICK1:
	case AGAIN1:
		return client_quick1(&c, nil, nil);
	case QUICK3:
	case AGAIN3:
		return client_quick3(&c);
	case ANSWER:
		return client_rekey2(&c);
	case QUERY:
		return client_dpd(&c, 5);
	default:
		return client_delete_isakmp(&c);
	}
}

static void reach(enum step s)
{
	kit_fresh();
	c.pfs = 31;
	c.main = s < FIRST;
	if (s == MAIN5_PSK)
		c.auth = AUTH_XAUTH_PSK;
	if (s == MAIN3)
		client_to_main2(&c, &g);
	else if (s == MAIN5 || s == MAIN5_PSK)
		client_to_main4(&c, &g);
	for (unsigned i = FIRST; i < s && i <= QUICK3; i++) {
		if (i == FRAGMENTS || s == FRAGMENTS)
			continue;
		client_to(&c, &g, next_message(i));
		if (i == FIRST)
			client_second(&c, gate_only(&g));
		else if (i == QUICK1)
			client_quick2(&c, gate_only(&g));
		else if (i == THIRD || i == REPLY || i == CONFIG)
			client_open(&c, gate_only(&g));
		if (i == CONFIG)
			client_take_address(&c);
	}
	if (s == AGAIN3) {
		client_to(&c, &g, client_quick1(&c, nil, nil));
		client_quick2(&c, gate_only(&g));
	} else if (s == ANSWER) {
		gate_pass(&g, client_sa(&c, &g)->children->rekey_us - g.now);
		client_rekey1(&c, gate_only(&g));
	} else if (s == RENEWAL) {
		client_phase1(&c, &g);
	}
	if (s == RESTORE) {
		ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n_rec);
		ike_free(g.ike);
		gate_start(&g);
	}
}

static void give(enum step s)
{
	static struct pieces p;

	if (s != FRAGMENTS) {
		client_to(&c, &g, (struct span){ msg, n_msg });
		return;
	}
	pieces_cut(&p, (struct span){ msg, n_msg }, 100, 1);
	while (p.n--)
		client_raw(&c, &g, piece_span(&p.v[p.n]));
}

/* The step with the n-th allocation failing. True when there was one to fail. */
static bool take(enum step s, long n)
{
	struct sess_id id;
	struct span m;

	reach(s);
	if (s < KICK) {
		m = next_message(s);
		memcpy(msg, m.p, n_msg = m.n);
	}
	fail_in = n;
	if (s < KICK)
		give(s);
	else if (s == ASK)
		gate_pass(&g, client_sa(&c, &g)->children->rekey_us - g.now);
	else if (s == KICK)
		ike_close(g.ike, client_sa(&c, &g)->id, IKE_R_KICKED, g.now, &g.fx);
	else if (ike_restore(g.ike, (struct span){ rec, n_rec }, g.now, &id) == 0)
		g.pair[0].who = id;
	else
		gate_sweep(&g), g.leases = 0, memset(g.leased, 0, sizeof(g.leased));
	bool failed = fail_in < 0;

	fail_in = -1;
	gate_run(&g);
	return failed;
}

int main(void)
{
	long all = 0;

	for (unsigned s = 0; s < STEPS; s++) {
		bool good = true;
		long n = 0;

		while (take(s, n) && n < 2000) {
			good &= kit_sound() && others_fine();
			/* the client repeats itself when it gets no answer */
			if (s < KICK && g.n_out == 0)
				give(s);
			good &= kit_sound();
			gate_pass(&g, S(200000));
			good &= kit_sound() && g.ike->t.n == 0 && g.leases == 0 && g.n_pairs == 0;
			if (!good)
				break;
			n++;
		}
		ok(good && n < 2000, "%s: each of its %ld allocations may fail", names[s], n);
		all += n;
	}
	ok(all > 20, "which are %ld", all); /* else this malloc() is not the one that is called */
	gate_stop(&g);
	return done();
}

#endif
