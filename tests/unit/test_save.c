/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_save.c - a session as bytes and back: whole, unharmed, and nothing else is taken for one. */
#include <errno.h>

#include "hostile_kit.h"

static uint8_t rec[65536];
static size_t n_rec;

static int save(void)
{
	return ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n_rec);
}

/* The digest in the envelope made right for changed bytes. */
static void redigest(void)
{
	digest_of((struct span){ rec + 26, n_rec - 26 }, rec + 10);
	rec[6] = rec[7] = 0;
	rec[8] = (uint8_t)((n_rec - 26) >> 8);
	rec[9] = (uint8_t)(n_rec - 26);
}

/* A new gateway with the kernel and the pool of the old one. */
static void restart(void)
{
	g.ike = ike_free(g.ike);
	gate_start(&g);
}

static int restore(void)
{
	uint8_t *exact = malloc(n_rec ? n_rec : 1);
	struct sess_id id = { 77, 77 };
	int rc;

	memcpy(exact, rec, n_rec);
	rc = ike_restore(g.ike, (struct span){ exact, n_rec }, g.now, &id);
	free(exact);
	for (unsigned i = 0; rc == 0 && i < g.n_pairs; i++)
		g.pair[i].who = id;
	return rc;
}

/* The new gateway is as empty as it was. */
static bool still_empty(void)
{
	return g.ike->t.n == 0 && g.ike->t.spis.n == 0 && g.ike->t.heap_n == 0 &&
	       ike_sessions(g.ike) == 0;
}

/* Several pairs, one of them replaced, behind a NAT, with PFS. */
static void rich(void)
{
	kit_fresh();
	c.behind_nat = true;
	g.groups.session_s = 7200;
	if (!client_up(&c, &g))
		abort();
	client_quick(&c, &g); /* replaces the first */
	client_to(&c, &g, client_quick1(&c, nil, hex("04000000 0a010000 ffff0000")));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	c.pfs = 31;
	client_quick(&c, &g);
	client_to(&c, &g, client_dpd(&c, 4711));
}

static void test_round_trip(void)
{
	static uint8_t again[65536];
	const struct ike_sa *sa;
	uint64_t until;
	char user[200];
	size_t n;

	rich();
	is_int(save(), 0, "a session with several pairs is saved");
	n = n_rec;
	memcpy(again, rec, n);
	snprintf(user, sizeof(user), "%s", client_sa(&c, &g)->user);
	until = client_sa(&c, &g)->until_us;
	restart();
	is_int(restore(), 0, "and restored");
	sa = client_sa(&c, &g);
	ok(sa && sa->state == IKE_ST_UP && strcmp(sa->user, user) == 0 &&
		   ipaddr_eq(&sa->lease, &c.address) && endpoint_eq(&sa->peer, &c.self) &&
		   sa->dpd_seq == 4711 && sa->mode == XCHG_AGGRESSIVE &&
		   sa->auth == AUTH_HYBRID_INIT_RSA && until > g.now && sa->until_us == until &&
		   ike_sessions(g.ike) == 1 && ike_half_open(g.ike) == 0,
	   "it is what it was");
	is_int(save(), 0, "it is saved again");
	ok(n_rec == n && memcmp(rec, again, n) == 0, "and the bytes are the same");
	ok(kit_sound(), "nothing is out of order");
	ok(client_keys_match(&c, &g), "its pairs are in the kernel as before");
}

/* How it came is part of it. */
static void test_main_mode(void)
{
	const struct ike_sa *sa;

	kit_fresh();
	c.main = true;
	c.auth = AUTH_XAUTH_PSK;
	if (!client_up(&c, &g))
		abort();
	save();
	restart();
	is_int(restore(), 0, "a session that began in main mode is restored");
	sa = client_sa(&c, &g);
	ok(sa && sa->mode == XCHG_MAIN && sa->auth == AUTH_XAUTH_PSK, "and knows how it came");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "it goes on");
	kit_end("main mode");
}

/* A pair for one port. */
static void test_upper(void)
{
	static uint8_t again[65536];
	const struct ike_child *p;
	size_t n;

	kit_with(client_login);
	client_to(&c, &g, client_quick1(&c, hex("010603fe 0a636301"), hex("01060016 c0000205")));
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	save();
	n = n_rec;
	memcpy(again, rec, n);
	restart();
	is_int(restore(), 0, "a session with a pair for one port is restored");
	p = client_sa(&c, &g)->children;
	ok(p && p->upper.proto == 6 && p->upper.inner_port == 1022 && p->upper.net_port == 22,
	   "with protocol and ports");
	ok(save() == 0 && n_rec == n && memcmp(rec, again, n) == 0, "and saved as before");
	kit_end("one port");
}

/* An IPv6 address beside the lease, and a pair for it. */
static void test_ipv6(void)
{
	static uint8_t again[65536];
	const struct ike_sa *sa;
	size_t n;

	kit_prepare();
	g.no_crypto = c.no_crypto = c.v6 = true;
	prefix_parse("fd00:99::/64", &g.network6);
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	save();
	n = n_rec;
	memcpy(again, rec, n);
	restart();
	is_int(restore(), 0, "a session with an IPv6 address is restored");
	sa = client_sa(&c, &g);
	ok(sa && ipaddr_eq(&sa->lease6, &c.address6) && sa->asked6 &&
		   ipaddr_eq(ike_child_inner(sa, sa->children), &c.address6),
	   "with it, and with the pair for it");
	ok(save() == 0 && n_rec == n && memcmp(rec, again, n) == 0, "and saved as before");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g) && kit_sound(), "it goes on");
	client_sa(&c, &g)->children->nets[0].addr = (struct ipaddr){ .family = IP_V4 };
	save();
	restart();
	is_int(restore(), -EBADMSG, "a pair that joins IPv4 and IPv6 is none");
	gate_sweep(&g);
	gate_stop(&g);
}

static void test_goes_on(void)
{
	rich();
	save();
	restart();
	restore();
	client_to(&c, &g, client_dpd(&c, 4712));
	ok(client_open(&c, gate_only(&g)) == 0 && c.msg.n_notify == 1,
	   "a restored session answers a query for life");
	client_to(&c, &g, client_dpd(&c, 4711));
	is_int(g.n_out, 0, "but no older one");
	ok(client_quick(&c, &g) && client_keys_match(&c, &g), "it makes a new pair");
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c) &&
		   ipaddr_to_v4(&c.address) == g.pool_first,
	   "and tells its address again");
	client_to(&c, &g, client_delete_child(&c));
	ok(kit_sound() && kit_state() == IKE_ST_UP, "it takes the delete of a pair");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(kit_state() == -1 && g.n_pairs == 0 && g.leases == 0 && still_empty(),
	   "and its own, and all of it is gone");
	kit_end("goes on");
	rich();
	save();
	restart();
	restore();
	gate_pass(&g, S(4000));
	ok(g.n_pairs == 0 && kit_sound(), "its pairs end when their time is over");
	gate_pass(&g, S(86400));
	ok(still_empty() && g.leases == 0, "and so does it");
}

static void test_states(void)
{
	static uint8_t again[4096];
	struct span quick1;

	kit_with(client_phase1);
	is_int(save(), -EAGAIN, "a login under way is not saved");
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	client_open(&c, gate_only(&g));
	is_int(save(), 0, "one that is in is");
	restart();
	is_int(restore(), 0, "and restored");
	client_to(&c, &g, client_ack(&c));
	is_int(g.n_out, 0, "an acknowledgement of a verdict from before is no matter");
	gate_pass(&g, 0);
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET,
	   "the verdict is told again: it may have got lost");
	client_to(&c, &g, client_ack(&c));
	ok(xchg_by_kind(client_sa(&c, &g), XCHG_KIND_STATUS)->done, "and acknowledged");
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c) && client_quick(&c, &g) &&
		   kit_state() == IKE_ST_UP && kit_sound(),
	   "the login goes on");
	kit_with(client_login);
	g.hold = GATE_HOLD(DH);
	c.pfs = 31;
	quick1 = client_quick1(&c, nil, nil);
	memcpy(again, quick1.p, quick1.n);
	client_to(&c, &g, quick1);
	is_int(save(), 0, "one with a Quick Mode that is not answered yet is saved");
	g.hold = g.n_jobs = 0;
	restart();
	is_int(restore(), 0, "and restored");
	ok(kit_state() == IKE_ST_LEASED && !client_sa(&c, &g)->children && kit_sound(),
	   "without its pair");
	client_to(&c, &g, (struct span){ again, quick1.n });
	ok(client_quick2(&c, gate_only(&g)) == 0,
	   "its client repeats its request, and is answered");
	client_to(&c, &g, client_quick3(&c));
	ok(kit_state() == IKE_ST_UP && client_keys_match(&c, &g), "and gets its pair");
	kit_with(client_up);
	struct sess_id id = client_sa(&c, &g)->id;

	ike_close(g.ike, id, IKE_R_KICKED, g.now, &g.fx);
	gate_run(&g);
	is_int(save(), -EAGAIN, "a ghost is not saved");
	id.gen++;
	is_int(ike_save(g.ike, id, rec, sizeof(rec), &n_rec), -EAGAIN, "nor is what is not there");
	gate_stop(&g);
}

static void test_room(void)
{
	bool all = true;
	size_t n, out = 99;

	rich();
	save();
	n = n_rec;
	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *small = malloc(cap ? cap : 1);

		all &= ike_save(g.ike, client_sa(&c, &g)->id, small, cap, &out) == -ENOSPC &&
		       out == 99;
		free(small);
	}
	ok(all, "a buffer that is too small is never written past, and told");
	printf("# a session with four pairs has %zu bytes\n", n);
	gate_stop(&g);
}

/* ---- what is no record ---- */

static void test_damaged(void)
{
	bool all = true;
	size_t n;

	rich();
	save();
	restart();
	n = n_rec;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		int rc;

		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rc = restore();
		all &= (rc == -EBADMSG || (rc == -EPROTO && (bit / 8 == 4 || bit / 8 == 5))) &&
		       still_empty();
		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ok(all, "every bit flip is refused, and nothing has changed");
	for (n_rec = 0; n_rec < n; n_rec++)
		all &= restore() == -EBADMSG && still_empty();
	ok(all, "cut at every byte it is refused");
	n_rec = n + 1;
	ok(restore() == -EBADMSG && still_empty(), "with a byte more it is refused");
	n_rec = n;
	rec[5]++;
	ok(restore() == -EPROTO && still_empty(), "REL-22: another version is refused as such");
	rec[5]--;
	is_int(restore(), 0, "unharmed it is taken after all that");
	gate_stop(&g);
}

/* Records whose digest is right, but which lie. */
static void test_lies(void)
{
	static uint8_t good[65536];
	unsigned taken = 0, refused = 0;
	bool sound = true;
	size_t n;

	rich();
	save();
	n = n_rec;
	memcpy(good, rec, n);
	for (size_t at = 26; at < n; at++) {
		static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			int rc;

			restart();
			gate_sweep(&g);
			memcpy(rec, good, n);
			n_rec = n;
			rec[at] = values[v];
			redigest();
			rc = restore();
			if (rc < 0) {
				refused++;
				sound &= still_empty();
				continue;
			}
			taken++;
			/* what it has read it can work with */
			client_to(&c, &g, client_dpd(&c, 9));
			client_to(&c, &g, client_quick1(&c, nil, nil));
			gate_pass(&g, S(100000));
		}
	}
	printf("# %u taken, %u refused\n", taken, refused);
	ok(sound, "what is refused leaves nothing behind");
	ok(refused > 100 && taken > 100, "what is taken does no harm, whatever it says");
	gate_sweep(&g);
	gate_stop(&g);
}

/* Times of a pair that mean nothing in its state may be past. */
static void test_times(void)
{
	unsigned n = 0;

	rich();
	for (struct ike_child *p = client_sa(&c, &g)->children; p; p = p->next)
		if (p->state == IKE_CHILD_OLD)
			p->rekey_us = ++n;
	save();
	restart();
	is_int(restore(), 0, "a replaced pair that should have been renewed long ago is restored");
	ok(n && ike_deadline(g.ike) > g.now, "and nobody waits for that");
	gate_sweep(&g);
	gate_stop(&g);
}

/* The place of these bytes in the record, from `from` on. */
static size_t place(const void *bytes, size_t n, size_t from)
{
	for (size_t i = from; i + n <= n_rec; i++)
		if (memcmp(rec + i, bytes, n) == 0)
			return i;
	abort();
}

static void put_spi(uint32_t spi, uint8_t out[4])
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(spi >> (24 - 8 * i));
}

static void test_doubles(void)
{
	static struct client d;
	uint8_t one[4], two[4];
	uint32_t spi;

	rich();
	save();
	is_int(restore(), -EEXIST, "a session that is there already is refused");
	ok(ike_sessions(g.ike) == 1 && kit_sound(), "and the one that is there stays");
	put_spi(client_sa(&c, &g)->children->spi_in, one);
	put_spi(client_sa(&c, &g)->children->next->spi_in, two);
	memcpy(rec + place(two, 4, 0), one, 4);
	redigest();
	restart();
	ok(restore() < 0 && still_empty(), "one SPI for two pairs is refused");
	gate_sweep(&g);
	g.leases = 0;
	memset(g.leased, 0, sizeof(g.leased));
	kit_another(&d, "192.0.2.200:500");
	client_up(&d, &g);
	spi = client_sa(&d, &g)->children->spi_in;
	rich();
	save();
	put_spi(client_sa(&c, &g)->children->spi_in, one);
	put_spi(spi, two);
	memcpy(rec + place(one, 4, 0), two, 4);
	redigest();
	restart();
	gate_sweep(&g);
	g.leases = 0;
	memset(g.leased, 0, sizeof(g.leased));
	g.seed = 88172645463325252u; /* so that its SPI is that very one again */
	kit_another(&d, "192.0.2.200:500");
	client_up(&d, &g);
	if (client_sa(&d, &g)->children->spi_in != spi)
		memcpy(rec + place(two, 4, 0),
		       (put_spi(client_sa(&d, &g)->children->spi_in, one), one), 4);
	redigest();
	is_int(restore(), -EEXIST, "an SPI that another session uses is refused");
	ok(ike_sessions(g.ike) == 1 &&
		   u32_has(&g.ike->t.spis, client_sa(&d, &g)->children->spi_in) &&
		   client_keys_match(&d, &g) && kit_sound(),
	   "and that session is unharmed");
	kit_end("doubles");
}

/* N238 across a restart: what was used stays used. */
static void test_replays(void)
{
	uint8_t del[512], q1[1024];
	struct span s;
	size_t n, n1;

	kit_with(client_up);
	s = client_delete(&c, PROTO_ESP, hex("77777777"));
	memcpy(del, s.p, n = s.n);
	client_to(&c, &g, s);
	s = client_quick1(&c, nil, nil);
	memcpy(q1, s.p, n1 = s.n);
	client_to(&c, &g, s);
	client_quick2(&c, gate_only(&g));
	client_to(&c, &g, client_quick3(&c));
	save();
	restart();
	restore();
	ok(dropped((struct span){ del, n }), "a delete from before the restart: dropped");
	ok(dropped((struct span){ q1, n1 }), "a Quick Mode from before: dropped");
	is_int((long long)ike_counter(g.ike, IKE_C_DROP_REPLAY), 2, "both as replays");
	kit_end("replays");
}

/* What is to be kept, as the shell finds out. */
static void test_places(void)
{
	struct sess_id id, was;
	uint32_t slot;
	unsigned n = 0;

	kit_fresh();
	client_phase1(&c, &g);
	ok(!ike_changed(g.ike, &slot, &id), "a login under way is not to be kept");
	kit_with(client_up);
	was = client_sa(&c, &g)->id;
	ok(ike_changed(g.ike, &slot, &id) && slot == was.slot && id.gen == was.gen, "a session is");
	ok(!ike_changed(g.ike, &slot, &id), "once");
	ike_traffic(g.ike, was, true, g.now);
	ok(!ike_changed(g.ike, &slot, &id), "traffic is no change");
	client_to(&c, &g, client_dpd(&c, 4711));
	ok(ike_changed(g.ike, &slot, &id) && slot == was.slot, "a message is");
	save();
	restart();
	is_int(ike_restore_at(g.ike, LIMIT_PLACES, (struct span){ rec, n_rec }, g.now, &id),
	       -EBADMSG, "places have their limit");
	is_int(ike_restore_at(g.ike, UINT32_MAX, (struct span){ rec, n_rec }, g.now, &id), -EBADMSG,
	       "all of them");
	is_int(ike_restore_at(g.ike, 1000, (struct span){ rec, n_rec }, g.now, &id), 0,
	       "it is restored in whatever place it had");
	ok(id.slot == 1000 && client_sa(&c, &g)->id.slot == 1000, "there");
	put_spi(0x01020304, rec + 26 + 1 + 8); /* another responder cookie */
	redigest();
	is_int(ike_restore_at(g.ike, 1000, (struct span){ rec, n_rec }, g.now, &was), -EEXIST,
	       "a place has one session");
	for (unsigned i = 0; i < g.n_pairs; i++)
		g.pair[i].who = id;
	while (ike_changed(g.ike, &slot, &was))
		n += slot == 1000;
	is_int(n, 1, "a restored session is to be kept");
	client_to(&c, &g, client_delete_isakmp(&c));
	ok(ike_changed(g.ike, &slot, &id) && slot == 1000 && id.gen == 0,
	   "one that has ended is not any more");
	kit_end("places");
}

int main(void)
{
	test_places();
	test_round_trip();
	test_main_mode();
	test_upper();
	test_ipv6();
	test_goes_on();
	test_states();
	test_room();
	test_damaged();
	test_lies();
	test_times();
	test_doubles();
	test_replays();
	return done();
}
