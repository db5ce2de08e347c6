/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dialer.c - a client that dials by itself. */
#include "dialer.h"

#include <string.h>

#include "cleanup.h"
#include "ike/cfg_attrs.h"

#define SECOND  UINT64_C(1000000)
#define TRIES   6
#define DPD_GAP (10 * SECOND)

void dialer_init(struct dialer *d, const char *self, const char *gateway)
{
	memset(d, 0, sizeof(*d));
	client_init(&d->c, self, gateway);
	d->user = "alice";
	d->password = "wonderland";
	d->next_us = UINT64_MAX;
}

static void put_datagram(struct dialer *d, struct span data)
{
	struct dialer_datagram *o = &d->out[d->n_out];

	if (d->n_out == DIALER_OUT || data.n > sizeof(o->b) || !data.n)
		return; /* lost on the wire */
	d->n_out++;
	o->self = d->c.self;
	o->gateway = d->c.gateway;
	o->natt = d->c.floated;
	o->n = data.n;
	memcpy(o->b, data.p, data.n);
}

/* In fragments, when this client sends them. */
static void put_out(struct dialer *d, struct span data)
{
	static struct pieces cut;

	if (!d->c.frag || data.n <= d->c.frag + PIECE_DATA) {
		put_datagram(d, data);
		return;
	}
	pieces_cut(&cut, data, d->c.frag, 1);
	pieces_plain(&cut);
	for (unsigned i = 0; i < cut.n; i++)
		put_datagram(d, piece_span(&cut.v[i]));
}

/* ---- exchanges ---- */

static struct dialer_memo *memo_of(struct dialer *d, uint32_t msgid)
{
	for (unsigned i = 0; i < DIALER_MEMO; i++)
		if (d->memo[i].msgid == msgid)
			return &d->memo[i];
	return NULL;
}

static struct dialer_memo *memo_new(struct dialer *d, uint32_t msgid)
{
	struct dialer_memo *m = &d->memo[d->turn++ % DIALER_MEMO];

	*m = (struct dialer_memo){ .msgid = msgid };
	return m;
}

/* The exchange that c->msgid names goes on from where c->iv is. */
static struct dialer_memo *memo_keep(struct dialer *d)
{
	struct dialer_memo *m = memo_of(d, d->c.msgid);

	if (!m)
		m = memo_new(d, d->c.msgid);
	memcpy(m->iv, d->c.iv, sizeof(m->iv));
	return m;
}

/* Sends a request and goes on sending it. */
static void ask(struct dialer *d, struct span data, enum dialer_state state, uint64_t now)
{
	if (data.n > sizeof(d->request))
		return;
	memcpy(d->request, data.p, data.n);
	d->request_n = data.n;
	d->state = state;
	d->tries = 0;
	d->next_us = now + SECOND;
	if (state > DIAL_ASKED)
		memo_keep(d);
	put_out(d, data);
}

/* Answers, and keeps the answer. */
static void answer(struct dialer *d, struct span data)
{
	struct dialer_memo *m = memo_keep(d);

	m->n = data.n < sizeof(m->out) ? data.n : 0;
	if (m->n)
		memcpy(m->out, data.p, m->n);
	put_out(d, data);
}

static void waiting(struct dialer *d, enum dialer_state state, uint64_t until)
{
	d->state = state;
	d->request_n = 0;
	d->next_us = until;
}

/* ---- calling ---- */

void dialer_call(struct dialer *d, uint64_t now)
{
	uint32_t seed = d->c.seed;

	if (d->initial.seed == 0)
		d->initial = d->c;
	d->c = d->initial;
	d->c.seed = seed;
	memset(d->memo, 0, sizeof(d->memo));
	join_reset(&d->joining);
	d->child = false;
	d->unanswered = 0;
	d->seq = 1;
	ask(d, client_first(&d->c), DIAL_FIRST, now);
}

static void on_second(struct dialer *d, struct span data, uint64_t now)
{
	uint8_t digest[16];
	struct dialer_memo *m;
	struct span third;

	digest_of(data, digest);
	m = memo_of(d, 0);
	if (d->state != DIAL_FIRST) {
		/* The gateway has not got our third message. */
		if (d->state != DIAL_IDLE && memcmp(digest, d->am2, 16) == 0 && m && m->n)
			put_out(d, (struct span){ m->out, m->n });
		return;
	}
	struct client before = d->c;

	if (client_second(&d->c, data) < 0) {
		d->c = before;
		return;
	}
	memcpy(d->am2, digest, 16);
	third = client_third(&d->c);
	m = &d->memo[DIALER_MEMO - 1];
	*m = (struct dialer_memo){ .n = third.n < sizeof(m->out) ? third.n : 0 };
	memcpy(m->out, third.p, m->n);
	put_out(d, third);
	waiting(d, DIAL_ASKED, now + 30 * SECOND);
}

/* Main mode, one message after the other. What the gateway repeats is not what we wait for. */
static void on_main(struct dialer *d, struct span data, uint64_t now)
{
	struct client before = d->c;

	if (d->state == DIAL_FIRST && client_main2(&d->c, data) == 0) {
		ask(d, client_main3(&d->c), DIAL_MAIN3, now);
	} else if (d->state == DIAL_MAIN3 && client_main4(&d->c, data) == 0) {
		ask(d, client_main5(&d->c), DIAL_MAIN5, now);
	} else if (d->state == DIAL_MAIN5 && client_main6(&d->c, data) == 0) {
		d->c.msgid = 0;
		waiting(d, DIAL_ASKED, now + 30 * SECOND);
	} else {
		d->c = before;
	}
}

static void start_config(struct dialer *d, uint64_t now)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS, UNITY_BANNER };

	ask(d, client_config(&d->c, want, ARRAY_SIZE(want)), DIAL_CONFIG, now);
}

static void start_quick(struct dialer *d, enum dialer_state state, uint64_t now)
{
	ask(d, client_quick1(&d->c, (struct span){ 0 }, (struct span){ 0 }), state, now);
}

static void on_transaction(struct dialer *d, uint64_t now)
{
	struct rd r = rd_from(d->c.cfg.attrs);
	struct ike_attr a;

	if (d->c.cfg.type == CFG_REQUEST) {
		answer(d, client_credentials(&d->c, span_str(d->user), span_str(d->password)));
		if (d->state == DIAL_ASKED)
			waiting(d, DIAL_NAME, now + 90 * SECOND);
	} else if (d->c.cfg.type == CFG_SET && ike_attr_next(&r, &a) && a.type == XAUTH_STATUS) {
		bool good = a.value == XAUTH_STATUS_OK;

		answer(d, client_ack(&d->c));
		if (!good)
			waiting(d, DIAL_FAILED, UINT64_MAX);
		else if (d->state == DIAL_NAME || d->state == DIAL_ASKED)
			start_config(d, now);
	} else if (d->c.cfg.type == CFG_REPLY && d->state == DIAL_CONFIG) {
		memo_keep(d);
		if (client_take_address(&d->c))
			start_quick(d, DIAL_QUICK, now);
		else
			waiting(d, DIAL_FAILED, UINT64_MAX);
	}
}

static void on_info(struct dialer *d, uint64_t now)
{
	struct ike_notify n;
	struct ike_delete del;
	uint32_t seq;

	for (unsigned i = 0; i < d->c.msg.n_delete; i++) {
		if (ike_delete_read(d->c.msg.del[i], &del) < 0)
			continue;
		if (del.proto == PROTO_ISAKMP)
			waiting(d, DIAL_IDLE, UINT64_MAX);
		else
			d->child = false;
	}
	for (unsigned i = 0; i < d->c.msg.n_notify; i++)
		if (ike_notify_read(d->c.msg.notify[i], &n) == 0 && n.type == N_R_U_THERE_ACK)
			d->unanswered = 0;
	if (client_is_asked(&d->c, &seq))
		put_out(d, client_dpd_ack(&d->c, seq));
	(void)now;
}

static void on_sealed(struct dialer *d, struct span data, const struct ike_hdr *h, uint64_t now)
{
	struct dialer_memo *m;
	uint8_t digest[16];
	int rc;

	digest_of(data, digest);
	for (unsigned i = 0; i < DIALER_MEMO; i++)
		if (d->memo[i].msgid && memcmp(d->memo[i].in, digest, 16) == 0) {
			if (d->memo[i].n)
				put_out(d, (struct span){ d->memo[i].out, d->memo[i].n });
			return;
		}
	m = memo_of(d, h->msgid);
	d->c.msgid = m ? h->msgid : 0;
	if (m)
		memcpy(d->c.iv, m->iv, sizeof(d->c.iv));
	if (h->xchg == XCHG_QUICK) {
		bool ours = d->request_n && m;

		if (!ours || client_quick2(&d->c, data) < 0)
			return;
		answer(d, client_quick3(&d->c));
		d->child = true;
		waiting(d, DIAL_UP, now + DPD_GAP);
	} else {
		rc = client_open(&d->c, data);
		if (rc < 0)
			return;
		memo_keep(d);
		if (h->xchg == XCHG_TRANSACTION)
			on_transaction(d, now);
		else if (h->xchg == XCHG_INFO)
			on_info(d, now);
	}
	m = memo_of(d, h->msgid);
	if (m)
		memcpy(m->in, digest, 16);
}

void dialer_input(struct dialer *d, struct span data, uint64_t now)
{
	struct ike_hdr h;

	if (d->state == DIAL_IDLE || d->state == DIAL_FAILED || ike_hdr_read(data, &h) < 0 ||
	    memcmp(h.cky_i, d->c.cky_i, 8) != 0)
		return;
	if (is_piece(data)) {
		data = join_take(&d->joining, data);
		if (!data.n || ike_hdr_read(data, &h) < 0)
			return;
	}
	if (h.xchg == XCHG_MAIN && d->c.main)
		on_main(d, data, now);
	else if (h.xchg == XCHG_AGGRESSIVE && !d->c.main && !(h.flags & ISAKMP_FLAG_ENCRYPTED))
		on_second(d, data, now);
	else if (d->state >= DIAL_ASKED && h.flags & ISAKMP_FLAG_ENCRYPTED && h.msgid &&
		 memcmp(h.cky_r, d->c.cky_r, 8) == 0)
		on_sealed(d, data, &h, now);
}

void dialer_tick(struct dialer *d, uint64_t now)
{
	if (now < d->next_us)
		return;
	if (d->request_n) {
		if (++d->tries == TRIES) {
			waiting(d, DIAL_FAILED, UINT64_MAX);
			return;
		}
		put_out(d, (struct span){ d->request, d->request_n });
		d->next_us = now + (SECOND << d->tries);
	} else if (d->state == DIAL_UP) {
		if (d->unanswered++ == 5) {
			waiting(d, DIAL_FAILED, UINT64_MAX);
			return;
		}
		put_out(d, client_dpd(&d->c, d->seq++));
		d->next_us = now + DPD_GAP;
	} else {
		waiting(d, DIAL_FAILED, UINT64_MAX);
	}
}

void dialer_rekey(struct dialer *d, uint64_t now)
{
	if (d->state == DIAL_UP && !d->request_n)
		start_quick(d, DIAL_UP, now);
}

void dialer_hang_up(struct dialer *d)
{
	if (d->state > DIAL_ASKED && d->state < DIAL_FAILED)
		put_out(d, client_delete_isakmp(&d->c));
	waiting(d, DIAL_IDLE, UINT64_MAX);
}
