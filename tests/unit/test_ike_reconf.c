/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ike_reconf.c - another configuration while sessions are up and logins under way. */
#include <stdlib.h>

#include "rekey_kit.h"

#define MANY 100

static struct ike_conf other;
static const uint8_t other_cert[600] = { 0x30, 0x83 }, other_id[] = "\x30\x0b other name";

/* A copy to change; the core borrows it from when it is set. */
static struct ike_conf *another(void)
{
	other = g.conf;
	return &other;
}

static void renew_cert(void)
{
	another()->cert[0] = SPAN_OF(other_cert);
	other.my_id_type = IKE_ID_ASN1DN;
	other.my_id = SPAN_OF(other_id);
	ike_set_conf(g.ike, &other, g.now);
}

static bool has_new_cert(void)
{
	return c.got_cert.n > 1 &&
	       span_eq((struct span){ c.got_cert.p + 1, c.got_cert.n - 1 }, SPAN_OF(other_cert));
}

static bool has_new_id(void)
{
	return c.got_id.n > 4 &&
	       span_eq((struct span){ c.got_id.p + 4, c.got_id.n - 4 }, SPAN_OF(other_id));
}

/* ---- a certificate while a login is under way ---- */

static void test_aggressive(void)
{
	kit_fresh();
	g.hold = GATE_HOLD(SIGN);
	client_to(&c, &g, client_first(&c));
	is_int(g.n_jobs, 1, "the former key is asked to sign");
	renew_cert();
	gate_do_all(&g);
	is_int(client_second(&c, gate_only(&g)), 0, "with it the client is answered");
	ok(!has_new_cert() && !has_new_id(), "and the former certificate and name go with it");
	g.hold = 0;
	client_to(&c, &g, client_third(&c));
	is_int(kit_state(), IKE_ST_XAUTH, "the login goes on");

	kit_fresh();
	g.hold = GATE_HOLD(DH);
	client_to(&c, &g, client_first(&c));
	renew_cert();
	g.hold = 0;
	gate_do_all(&g);
	is_int(client_second(&c, gate_only(&g)), 0, "a login that was not as far is answered");
	ok(has_new_cert() && has_new_id(), "with the new certificate and name");
	kit_end("a certificate in aggressive mode");
}

static void test_main_mode(void)
{
	kit_fresh();
	c.main = true;
	if (!client_to_main4(&c, &g))
		abort();
	renew_cert();
	client_to(&c, &g, client_main5(&c));
	is_int(client_main6(&c, gate_out(&g, 0)), 0, "main mode: what is signed is what is shown");
	ok(has_new_cert() && has_new_id(), "which is the new certificate with the new name");

	kit_fresh();
	c.main = true;
	if (!client_to_main4(&c, &g))
		abort();
	g.hold = GATE_HOLD(SIGN);
	client_to(&c, &g, client_main5(&c));
	renew_cert();
	g.hold = 0;
	gate_do_all(&g);
	is_int(client_main6(&c, gate_out(&g, 0)), 0, "with the signature under way");
	ok(!has_new_cert() && !has_new_id(), "it is the former one with the former name");
	kit_end("a certificate in main mode");
}

static void test_no_key(void)
{
	kit_fresh();
	c.main = true;
	c.auth = AUTH_XAUTH_PSK;
	if (!client_to_main2(&c, &g))
		abort();
	another()->psk = NULL;
	ike_set_conf(g.ike, &other, g.now);
	client_to(&c, &g, client_main3(&c));
	ok(g.n_out == 0 && kit_sound(), "a shared key that has gone ends the login it was for");
	kit_end("no shared key");
}

/* ---- what a session has agreed on ---- */

static void test_networks(void)
{
	struct ike_modecfg *m;
	const struct ipaddr ten = ipaddr_v4(0x0a000000), eleven = ipaddr_v4(0x0b000000);
	struct prefix had;

	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	g.conf.modecfg.split = IKE_SPLIT_INCLUDE;
	g.conf.modecfg.split_net[0] = prefix_of(&ten, 8);
	g.conf.modecfg.n_split = 1;
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	had = newest()->nets[0];
	m = &another()->modecfg;
	m->split_net[0] = prefix_of(&eleven, 8);
	ike_set_conf(g.ike, &other, g.now);
	ok(client_quick(&c, &g), "a session renews its pair when other networks are offered");
	ok(newest()->n_nets == 1 && memcmp(&newest()->nets[0], &had, sizeof(had)) == 0,
	   "for the networks that it has");
	client_to(&c, &g, client_quick1(&c, nil, hex("04000000 0a010000 ffff0000")));
	is_int(gate_count(&g, FX_NOTE, IKE_R_ID_REFUSED), 1, "and gets no other of the former");
	kit_end("networks");
}

static void test_times(void)
{
	kit_with(client_up);
	gate_pass(&g, S(100));
	another()->dpd_delay_us = S(20);
	ike_set_conf(g.ike, &other, g.now);
	gate_pass(&g, S(19));
	is_int(g.n_out, 0, "dpd_delay anew: nobody is asked at once");
	gate_pass(&g, S(2));
	ok(client_open(&c, gate_only(&g)) == 0 && client_is_asked(&c, &(uint32_t){ 0 }),
	   "but after that silence");
	other.dpd_delay_us = 0;
	ike_set_conf(g.ike, &other, g.now);
	gate_pass(&g, S(300));
	ok(kit_state() == IKE_ST_UP, "and without it nobody, nor is a session lost for it");
	other.idle_limit_us = S(600);
	ike_set_conf(g.ike, &other, g.now);
	ok(ike_deadline(g.ike) <= g.now + S(600), "a limit is waited for as soon as there is one");
	kit_end("times");
}

/* ---- many sessions: A52 ---- */

static struct client *many;

/* Two configurations that differ in most of what can differ. */
static void reload(unsigned round)
{
	static struct ike_conf conf[2];
	struct ike_conf *n = &conf[round % 2];

	*n = g.conf;
	if (round % 2) {
		n->cert[0] = SPAN_OF(other_cert);
		n->my_id_type = IKE_ID_ASN1DN;
		n->my_id = SPAN_OF(other_id);
		n->dpd_delay_us = S(30);
		n->modecfg.n_dns = 0;
		n->p2_life_s = 1800;
		n->natt = IKE_NATT_FORCE;
		n->natt_keepalive_us = S(20);
		n->n_pfs = 0;
	}
	ike_set_conf(g.ike, n, g.now);
}

static void many_start(unsigned i)
{
	char self[32];

	snprintf(self, sizeof(self), "192.0.2.%u:500", i + 1);
	kit_another(&many[i], self);
	many[i].main = i % 3 == 0;
}

static bool is_as_before(unsigned i, const struct sess_id *id, const uint32_t *name)
{
	const struct ike_sa *sa = client_sa(&many[i], &g);

	return sa && sa->id.slot == id[i].slot && sa->id.gen == id[i].gen && sa->name == name[i] &&
	       sa->state == IKE_ST_UP && ipaddr_eq(&sa->lease, &many[i].address);
}

static void test_many(void)
{
	static struct sess_id id[MANY];
	static uint32_t name[MANY];
	bool same = true, rekeyed = true, in = true;

	kit_fresh();
	g.any_user = true;
	many = calloc(MANY + 10, sizeof(*many));
	for (unsigned i = 0; i < MANY; i++) {
		many_start(i);
		if (!client_up(&many[i], &g))
			abort();
		id[i] = client_sa(&many[i], &g)->id;
		name[i] = client_sa(&many[i], &g)->name;
	}
	is_int(ike_sessions(g.ike), MANY, "a hundred sessions are up");
	for (unsigned round = 0; round < 10; round++) {
		struct client *late = &many[MANY + round];

		/* A login that stands at its password, others that renew their keys. */
		many_start(MANY + round);
		in &= client_phase1(late, &g);
		reload(round);
		client_to(late, &g,
			  client_credentials(late, span_str("zoe"), span_str("wonderland")));
		in &= gate_count(&g, FX_AUTH, IKE_R__COUNT) > 0 && client_sa(late, &g);
		for (unsigned i = round; i < MANY; i += 10)
			rekeyed &= client_quick(&many[i], &g);
		for (unsigned i = 0; i < MANY; i++)
			same &= is_as_before(i, id, name);
		same &= kit_sound();
	}
	ok(same, "ten reloads later every one is the session that it was");
	ok(rekeyed, "each of them has renewed its keys on the way");
	ok(in, "logins that were under way went on");
	is_int(gate_count(&g, FX_DOWN, IKE_R__COUNT), 0, "and nothing has ended");
	gate_stop(&g);
	free(many);
}

int main(void)
{
	test_aggressive();
	test_main_mode();
	test_no_key();
	test_networks();
	test_times();
	test_many();
	return done();
}
