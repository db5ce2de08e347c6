/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_login.c - a client that has logged in as far as a number says. */
#include "fuzz_login.h"

#include "cleanup.h"
#include "ike/cfg_attrs.h"

static void prepare(struct fuzz_login *f, enum fuzz_state s)
{
	struct ike_modecfg *m = &f->g.conf.modecfg;

	gate_init(&f->g);
	client_init(&f->c, "192.0.2.9:500", "198.51.100.1:500");
	f->g.no_crypto = f->c.no_crypto = true;
	f->g.conf.dpd_delay_us = 4000000;
	f->g.conf.dpd_retry_us = 2000000;
	f->g.conf.idle_limit_us = f->g.conf.session_limit_us = 3600000000;
	f->g.conf.unique = IKE_UNIQUE_REPLACE;
	f->g.conf.compression = IKE_COMPRESSION_DEFLATE;
	prefix_parse("fd00:99::/64", &f->g.network6);
	if (s == FUZZ_UP_NAT) {
		m->split = IKE_SPLIT_INCLUDE;
		prefix_parse("10.1.0.0/16", &m->split_net[0]);
		prefix_parse("192.0.2.0/24", &m->split_net[1]);
		m->n_split = 2;
		m->default_domain = span_str("example.net");
		f->c.behind_nat = true;
		f->g.conf.natt_keepalive_us = 10000000;
		f->c.pfs = 31;
	}
	if (s == FUZZ_ASKED) {
		f->c.pfs = 31;
		f->g.conf.dpd_delay_us = 0;
	}
	f->c.main = (s >= FUZZ_MAIN_SA && s <= FUZZ_MAIN_XAUTH) || s == FUZZ_MAIN_KE_RSA;
	if (s == FUZZ_MAIN_KE_PSK)
		f->c.auth = AUTH_XAUTH_PSK;
	if (s == FUZZ_SENT_RSA || s == FUZZ_MAIN_KE_RSA) {
		f->c.auth = AUTH_XAUTH_RSA;
		f->g.conf.auth[f->g.conf.n_auth++] = AUTH_XAUTH_RSA;
	}
	f->g.hold = s == FUZZ_DH || s == FUZZ_MAIN_DH ? GATE_HOLD(DH)
		    : s == FUZZ_CHECKING              ? GATE_HOLD(AUTH)
		    : s == FUZZ_MAIN_SIGN             ? GATE_HOLD(SIGN)
		    : f->c.auth == AUTH_XAUTH_RSA     ? GATE_HOLD(PROOF)
						      : 0;
	gate_start(&f->g);
}

static void main_mode(struct fuzz_login *f, enum fuzz_state s)
{
	struct client *c = &f->c;
	struct gate *g = &f->g;

	client_to_main2(c, g);
	if (s == FUZZ_MAIN_SA)
		return;
	client_to(c, g, client_main3(c));
	if (s == FUZZ_MAIN_DH)
		return;
	client_main4(c, gate_only(g));
	if (s == FUZZ_MAIN_KE || s == FUZZ_MAIN_KE_PSK || s == FUZZ_MAIN_KE_RSA)
		return;
	client_to(c, g, client_main5(c));
	if (s == FUZZ_MAIN_SIGN)
		return;
	client_main6(c, gate_out(g, 0));
	client_open(c, gate_out(g, 1));
}

static void after_phase1(struct fuzz_login *f, enum fuzz_state s)
{
	static const uint16_t addr[] = { INTERNAL_IP4_ADDRESS, INTERNAL_IP6_ADDRESS };
	struct client *c = &f->c;
	struct gate *g = &f->g;

	client_to(c, g, client_third(c));
	client_open(c, client_answer(g));
	if (s == FUZZ_XAUTH)
		return;
	client_to(c, g,
		  client_credentials(c, span_str("alice"),
				     span_str(s == FUZZ_REFUSING ? "x" : "wonderland")));
	if (s == FUZZ_CHECKING)
		return;
	client_open(c, client_answer(g));
	if (s == FUZZ_REFUSING || s == FUZZ_AUTHED)
		return;
	client_to(c, g, client_ack(c));
	client_to(c, g, client_config(c, addr, ARRAY_SIZE(addr)));
	client_open(c, client_answer(g));
	client_take_address(c);
	if (s == FUZZ_LEASED)
		return;
	client_to(c, g, client_quick1(c, (struct span){ 0 }, (struct span){ 0 }));
	client_quick2(c, client_answer(g));
	if (s == FUZZ_QUICK)
		return;
	client_to(c, g, client_quick3(c));
	if (s == FUZZ_ASKED) {
		gate_pass(g, client_sa(c, g)->children->rekey_us - g->now);
		client_rekey1(c, gate_only(g));
	} else if (s == FUZZ_RETIRED) {
		static struct client fresh;

		fresh = *c;
		client_xauth(&fresh, g);
	} else if (s == FUZZ_CLOSING) {
		ike_close(g->ike, client_sa(c, g)->id, IKE_R_KICKED, g->now, &g->fx);
		gate_run(g);
	}
}

void fuzz_login(struct fuzz_login *f, uint8_t how)
{
	enum fuzz_state s = how % FUZZ_STATES;

	prepare(f, s);
	if (s == FUZZ_NEW)
		return;
	if (f->c.main) {
		main_mode(f, s);
		return;
	}
	client_to(&f->c, &f->g, client_first(&f->c));
	if (s == FUZZ_DH)
		return;
	client_second(&f->c, client_answer(&f->g));
	if (s != FUZZ_SENT && s != FUZZ_SENT_RSA)
		after_phase1(f, s);
}

void fuzz_habits(const struct fuzz_login *f, uint8_t how, uint8_t *p, size_t n)
{
	struct wr w = wr_into(p, n);

	if (n < ISAKMP_HDR)
		return;
	if (how & FUZZ_COOKIES) {
		wr_bytes(&w, f->c.cky_i, 8);
		wr_bytes(&w, f->c.cky_r, 8);
	}
	w.len = 20;
	if (how & FUZZ_MSGID)
		wr_be32(&w, f->c.msgid);
	w.len = 24;
	if (how & FUZZ_LENGTH)
		wr_be32(&w, (uint32_t)n);
}
