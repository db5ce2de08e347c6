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
	d->code = "271828";
	d->next_us = d->again_us = UINT64_MAX;
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
static struct dialer_memo *memo_keep(struct dialer *d, const struct client *c)
{
	struct dialer_memo *m = memo_of(d, c->msgid);

	if (!m)
		m = memo_new(d, c->msgid);
	memcpy(m->iv, c->iv, sizeof(m->iv));
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
		memo_keep(d, &d->c);
	put_out(d, data);
}

/* Answers, and keeps the answer. */
static void answer(struct dialer *d, const struct client *c, struct span data)
{
	struct dialer_memo *m = memo_keep(d, c);

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

static void forget_older(struct dialer *d)
{
	memset(d->older.cky_i, 0, sizeof(d->older.cky_i));
	d->renewing = false;
}

/* What was under way has failed. */
static void fail(struct dialer *d, uint64_t now)
{
	if (d->renewing && d->falls_back) {
		d->c = d->older;
		forget_older(d);
		waiting(d, DIAL_UP, now + DPD_GAP);
	} else {
		waiting(d, DIAL_FAILED, UINT64_MAX);
	}
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
	forget_older(d);
	d->again_us = UINT64_MAX;
	d->child = false;
	d->unanswered = 0;
	d->seq = 1;
	ask(d, client_first(&d->c), DIAL_FIRST, now);
}

static void on_second(struct dialer *d, struct span data, uint64_t now)
{
	struct dialer_memo *m = &d->third;
	uint8_t digest[16];
	struct span third;

	digest_of(data, digest);
	if (d->state != DIAL_FIRST) {
		/* The gateway has not got our third message. */
		if (memcmp(digest, d->am2, 16) == 0)
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
	m->n = third.n < sizeof(m->out) ? third.n : 0;
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
	ask(d, client_config_usual(&d->c), DIAL_CONFIG, now);
}

static void start_quick(struct dialer *d, enum dialer_state state, uint64_t now)
{
	ask(d, client_quick1(&d->c, (struct span){ 0 }, (struct span){ 0 }), state, now);
}

/* XAuth is over, and well. */
static void welcome(struct dialer *d, uint64_t now)
{
	if (!d->renewing || d->asks_again) {
		start_config(d, now);
		return;
	}
	if (d->deletes_old)
		put_out(d, client_delete_isakmp(&d->older));
	d->renewing = false;
	waiting(d, DIAL_UP, now + DPD_GAP);
}

static void on_transaction(struct dialer *d, uint64_t now)
{
	struct rd r = rd_from(d->c.cfg.attrs);
	struct span message;
	struct ike_attr a;
	uint16_t asked = client_asked(&d->c, &message);

	if (asked) {
		answer(d, &d->c, client_say(&d->c, asked, span_str(d->code)));
		if (d->state == DIAL_NAME)
			waiting(d, DIAL_NAME, now + 90 * SECOND);
	} else if (d->c.cfg.type == CFG_REQUEST) {
		answer(d, &d->c,
		       client_credentials(&d->c, span_str(d->user),
					  span_str(d->mistypes ? "" : d->password)));
		d->mistypes = false;
		if (d->state == DIAL_ASKED)
			waiting(d, DIAL_NAME, now + 90 * SECOND);
	} else if (d->c.cfg.type == CFG_SET && ike_attr_next(&r, &a) && a.type == XAUTH_STATUS) {
		bool good = a.value == XAUTH_STATUS_OK;

		answer(d, &d->c, client_ack(&d->c));
		if (!good)
			fail(d, now);
		else if (d->state == DIAL_NAME || d->state == DIAL_ASKED)
			welcome(d, now);
	} else if (d->c.cfg.type == CFG_REPLY && d->state == DIAL_CONFIG) {
		memo_keep(d, &d->c);
		if (!client_take_address(&d->c)) {
			waiting(d, DIAL_FAILED, UINT64_MAX);
		} else if (d->renewing) {
			d->renewing = false;
			waiting(d, DIAL_UP, now + DPD_GAP);
		} else {
			start_quick(d, DIAL_QUICK, now);
		}
	}
}

static void on_info(struct dialer *d, struct client *c)
{
	struct ike_notify n;
	struct ike_delete del;
	uint32_t seq;

	for (unsigned i = 0; i < c->msg.n_delete; i++) {
		if (ike_delete_read(c->msg.del[i], &del) < 0)
			continue;
		if (del.proto == PROTO_ESP) {
			struct rd r = rd_from(del.spis);

			if (rd_be32(&r) == d->pair.spi_out)
				d->child = false;
		} else if (c == &d->c) {
			waiting(d, DIAL_IDLE, UINT64_MAX);
		} else if (d->renewing) {
			d->falls_back = false;
		} else {
			forget_older(d);
		}
	}
	for (unsigned i = 0; i < c->msg.n_notify; i++)
		if (ike_notify_read(c->msg.notify[i], &n) == 0 && n.type == N_R_U_THERE_ACK)
			d->unanswered = 0;
	if (client_is_asked(c, &seq))
		put_out(d, client_dpd_ack(c, seq));
}

/* ---- Quick Mode ---- */

static void receives(struct dialer *d, const struct client *c)
{
	d->receives[d->n_receives++ % DIALER_SPIS] = c->spi_in;
}

static void sends(struct dialer *d, const struct client *c)
{
	d->child = true;
	d->pair.spi_in = c->spi_in;
	d->pair.spi_out = c->spi_out;
	memcpy(d->pair.key_in, c->key_in, sizeof(c->key_in));
	memcpy(d->pair.key_out, c->key_out, sizeof(c->key_out));
}

/* `known`: a message of that exchange has been seen or sent before. */
static bool on_quick(struct dialer *d, const struct client *c, bool known, struct span data,
		     uint64_t now)
{
	if (known && d->theirs.msgid == c->msgid) {
		memcpy(d->theirs.iv, c->iv, sizeof(c->iv));
		if (client_rekey3(&d->theirs, data) < 0)
			return false;
		memo_keep(d, &d->theirs)->n = 0;
		d->again_us = UINT64_MAX;
		sends(d, &d->theirs);
	} else if (known) {
		if (c != &d->c || !d->request_n || client_quick2(&d->c, data) < 0)
			return false;
		receives(d, &d->c);
		answer(d, &d->c, client_quick3(&d->c));
		sends(d, &d->c);
		waiting(d, DIAL_UP, now + DPD_GAP);
	} else {
		struct client before = d->theirs;

		d->theirs = *c;
		if (client_rekey1(&d->theirs, data) < 0) {
			d->theirs = before;
			return false;
		}
		receives(d, &d->theirs);
		answer(d, &d->theirs, client_rekey2(&d->theirs));
		d->repeated = 0;
		d->again_us = now + SECOND;
	}
	return true;
}

/* ---- what comes in ---- */

static void on_sealed(struct dialer *d, struct client *c, struct span data, const struct ike_hdr *h,
		      uint64_t now)
{
	struct dialer_memo *m;
	uint8_t digest[16];

	digest_of(data, digest);
	for (unsigned i = 0; i < DIALER_MEMO; i++)
		if (d->memo[i].msgid && memcmp(d->memo[i].in, digest, 16) == 0) {
			if (d->memo[i].n)
				put_out(d, (struct span){ d->memo[i].out, d->memo[i].n });
			return;
		}
	m = memo_of(d, h->msgid);
	c->msgid = m ? h->msgid : 0;
	if (m)
		memcpy(c->iv, m->iv, sizeof(c->iv));
	if (h->xchg == XCHG_QUICK) {
		if (!on_quick(d, c, m, data, now))
			return;
	} else {
		if (client_open(c, data) < 0)
			return;
		memo_keep(d, c);
		if (h->xchg == XCHG_TRANSACTION && c == &d->c)
			on_transaction(d, now);
		else if (h->xchg == XCHG_INFO)
			on_info(d, c);
	}
	m = memo_of(d, h->msgid);
	if (m)
		memcpy(m->in, digest, 16);
}

static bool is_under(const struct client *c, const struct ike_hdr *h)
{
	return memcmp(h->cky_i, c->cky_i, 8) == 0 && memcmp(h->cky_r, c->cky_r, 8) == 0;
}

void dialer_input(struct dialer *d, struct span data, uint64_t now)
{
	struct ike_hdr h;

	bool first;

	if (d->state == DIAL_IDLE || d->state == DIAL_FAILED || ike_hdr_read(data, &h) < 0)
		return;
	if (is_piece(data)) {
		data = join_take(&d->joining, data);
		if (!data.n || ike_hdr_read(data, &h) < 0)
			return;
	}
	first = memcmp(h.cky_i, d->c.cky_i, 8) == 0;
	if (first && h.xchg == XCHG_MAIN && d->c.main)
		on_main(d, data, now);
	else if (first && h.xchg == XCHG_AGGRESSIVE && !d->c.main &&
		 !(h.flags & ISAKMP_FLAG_ENCRYPTED))
		on_second(d, data, now);
	else if (!(h.flags & ISAKMP_FLAG_ENCRYPTED) || !h.msgid)
		return;
	else if (d->state >= DIAL_ASKED && is_under(&d->c, &h))
		on_sealed(d, &d->c, data, &h, now);
	else if (is_under(&d->older, &h))
		on_sealed(d, &d->older, data, &h, now);
}

uint64_t dialer_due(const struct dialer *d)
{
	return d->again_us < d->next_us ? d->again_us : d->next_us;
}

static void repeat_theirs(struct dialer *d, uint64_t now)
{
	const struct dialer_memo *m = memo_of(d, d->theirs.msgid);

	d->again_us = UINT64_MAX;
	if (d->state == DIAL_IDLE || d->state == DIAL_FAILED || !m || ++d->repeated == TRIES)
		return;
	put_out(d, (struct span){ m->out, m->n });
	d->again_us = now + (SECOND << d->repeated);
}

void dialer_tick(struct dialer *d, uint64_t now)
{
	if (now >= d->again_us)
		repeat_theirs(d, now);
	if (now < d->next_us)
		return;
	if (d->request_n) {
		if (++d->tries == TRIES) {
			fail(d, now);
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
		fail(d, now);
	}
}

void dialer_rekey(struct dialer *d, uint64_t now)
{
	if (d->state == DIAL_UP && !d->request_n)
		start_quick(d, DIAL_UP, now);
}

void dialer_renew(struct dialer *d, uint64_t now)
{
	if (d->state != DIAL_UP || d->request_n)
		return;
	d->older = d->c;
	d->renewing = true;
	d->c.initial_contact = false;
	ask(d, client_first(&d->c), DIAL_FIRST, now);
}

void dialer_hang_up(struct dialer *d)
{
	if (d->state > DIAL_ASKED && d->state < DIAL_FAILED)
		put_out(d, client_delete_isakmp(&d->c));
	waiting(d, DIAL_IDLE, UINT64_MAX);
}
