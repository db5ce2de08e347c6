/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * info.c - Informational exchanges (RFC 2409 5.7): Delete, Notify, dead peer detection (RFC 3706).
 *
 * A Delete ends what its sender owns: the SA that carries it, and that session's own SA pairs. The
 * cookies or SPIs of others in it have no effect (W10). Clear notifies are sent sparingly and
 * never believed.
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/core.h"

/* ---- what we tell ---- */

/*
 * The cookie in a clear error is random and belongs to no state: whoever sends it back meets
 * nothing (N242). No larger than the request, and few in all.
 */
void info_notify_clear(struct ike *ike, const struct ike_dgram *d, const struct ike_hdr *h,
		       uint16_t type, uint64_t now, struct fx *fx)
{
	struct ike_build b;
	uint8_t cky_r[IKE_COOKIE];
	struct fx_item *it;
	uint32_t msgid;
	struct span out;

	if (now - ike->notify_window_us >= US_PER_S) {
		ike->notify_window_us = now;
		ike->notify_in_window = 0;
	}
	if (ike->notify_in_window++ >= LIMIT_NOTIFY_PER_S)
		return;
	ike_random(ike, cky_r, sizeof(cky_r));
	ike_random(ike, &msgid, sizeof(msgid));
	b = build_start(ike->out, sizeof(ike->out), h->cky_i, cky_r, XCHG_INFO, msgid | 1);
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, ISAKMP_DOI_IPSEC);
	wr_u8(&b.w, PROTO_ISAKMP);
	wr_u8(&b.w, 0);
	wr_be16(&b.w, type);
	out = build_clear(&b);
	if (!out.n || out.n > d->data.n)
		return;
	it = fx_add(fx, FX_SEND, (struct ike_ticket){ 0 });
	it->send.local = d->local;
	it->send.peer = d->peer;
	it->send.natt = d->natt;
	it->send.data = fx_copy(fx, out);
	ike->count[IKE_C_SENT]++;
}

struct span info_notify(struct ike *ike, struct ike_sa *sa, uint8_t proto, uint16_t type,
			struct span spi, struct span data, struct fx *fx)
{
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b = p2_start(ike, sa, XCHG_INFO, msgid);
	uint8_t iv[IKE_BLOCK_MAX];
	struct span out = { 0 };

	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, ISAKMP_DOI_IPSEC);
	wr_u8(&b.w, proto);
	wr_u8(&b.w, (uint8_t)spi.n);
	wr_be16(&b.w, type);
	wr_span(&b.w, spi);
	wr_span(&b.w, data);
	/* Sent back to us it shall not pass for the client's. DPD has numbers against that, and asks
	 * too often for the list. */
	if (type != N_R_U_THERE && type != N_R_U_THERE_ACK)
		use_id(sa, msgid);
	if (keymat_iv_phase2(&sa->keys, sa->last_block, msgid, iv) == 0)
		out = p2_finish(sa, &b, msgid, iv);
	sa_send(ike, sa, out, fx);
	return out;
}

/* One Delete per message: some clients stumble over more. Nobody acknowledges it: repeated. */
static void send_delete(struct ike *ike, struct ike_sa *sa, uint8_t proto, struct span spi,
			uint64_t now, struct fx *fx)
{
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b = p2_start(ike, sa, XCHG_INFO, msgid);

	build_open(&b, PL_DELETE);
	wr_be32(&b.w, ISAKMP_DOI_IPSEC);
	wr_u8(&b.w, proto);
	wr_u8(&b.w, (uint8_t)spi.n);
	wr_be16(&b.w, 1);
	wr_span(&b.w, spi);
	p2_initiate(ike, sa, &b, XCHG_KIND_DELETE, XCHG_INFO, msgid, now, fx);
}

void info_delete_child(struct ike *ike, struct ike_sa *sa, const struct ike_child *c, uint64_t now,
		       struct fx *fx)
{
	uint8_t spi[4];
	struct wr w = wr_into(spi, sizeof(spi));

	wr_be32(&w, c->spi_in); /* the sender's own: RFC 2408 3.15 */
	send_delete(ike, sa, PROTO_ESP, wr_done(&w), now, fx);
}

struct span both_cookies(const struct ike_sa *sa, uint8_t buf[static 2 * IKE_COOKIE])
{
	memcpy(buf, sa->cky_i, IKE_COOKIE);
	memcpy(buf + IKE_COOKIE, sa->cky_r, IKE_COOKIE);
	return (struct span){ buf, 2 * IKE_COOKIE };
}

void info_delete_sa(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	uint8_t cookies[2 * IKE_COOKIE];

	send_delete(ike, sa, PROTO_ISAKMP, both_cookies(sa, cookies), now, fx);
}

void info_lifetime(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx)
{
	uint64_t left = sa->expires_us > now ? (sa->expires_us - now) / US_PER_S : 0;
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b = p2_start(ike, sa, XCHG_INFO, msgid);
	uint8_t cookies[2 * IKE_COOKIE], life[4];
	struct wr w = wr_into(life, sizeof(life));

	wr_be32(&w, left > UINT32_MAX ? UINT32_MAX : (uint32_t)left);
	build_open(&b, PL_NOTIFY);
	wr_be32(&b.w, ISAKMP_DOI_IPSEC);
	wr_u8(&b.w, PROTO_ISAKMP);
	wr_u8(&b.w, 2 * IKE_COOKIE);
	wr_be16(&b.w, N_RESPONDER_LIFETIME);
	wr_span(&b.w, both_cookies(sa, cookies));
	build_tv(&b, 11, 1); /* life type: seconds (RFC 2409 appendix A) */
	build_tlv(&b, 12, wr_done(&w));
	p2_initiate(ike, sa, &b, XCHG_KIND_NOTIFY, XCHG_INFO, msgid, now, fx);
	sa->tell_life = false;
}

/* ---- dead peer detection: the client asks ---- */

/*
 * Answers R-U-THERE. The number must not go back, so a replayed query tells its sender nothing and
 * does not pass for life (N228); the latest may come twice, in case our answer was lost. HASH(1)
 * has no direction: a question of ours, sent back to us, is told by its number.
 */
static void dpd_query(struct ike_event *ev, const struct ike_notify *n)
{
	struct ike_sa *sa = ev->sa;
	uint8_t cookies[2 * IKE_COOKIE];
	struct rd r = rd_from(n->data);
	uint32_t seq = rd_be32(&r);

	if (r.bad || (n->spi.n && !span_eq(n->spi, both_cookies(sa, cookies))))
		return;
	if (dpd_is_ours(sa, seq) || (sa->dpd_seen && (int32_t)(seq - sa->dpd_seq) < 0)) {
		ev->ike->count[IKE_C_DROP_REPLAY]++;
		return;
	}
	if (ev->now - sa->dpd_window_us >= US_PER_S) {
		sa->dpd_window_us = ev->now;
		sa->dpd_in_window = 0;
	}
	if (sa->dpd_in_window >= LIMIT_DPD_PER_S)
		return;
	sa->dpd_in_window++;
	if (!sa->dpd_seen || seq != sa->dpd_seq) {
		sa_follow(ev);
		dpd_heard(ev->ike, sa, ev->now);
	}
	sa->dpd_seen = true;
	sa->dpd_seq = seq;
	info_notify(ev->ike, sa, PROTO_ISAKMP, N_R_U_THERE_ACK, both_cookies(sa, cookies),
		    (struct span){ n->data.p, 4 }, ev->fx);
}

/* ---- what the client tells ---- */

static void on_notify(struct ike_event *ev, struct span body)
{
	char name[IKE_NAME_LEN], detail[IKE_NAME_LEN + 32];
	struct ike_notify n;

	if (ike_notify_read(body, &n) < 0)
		return;
	/* Not one of the 4096: a client that asks every 10 s would use them up in half a day. The
	 * query's own number keeps it from being replayed; what stands beside it has none. */
	if (n.type == N_R_U_THERE || n.type == N_R_U_THERE_ACK)
		ev->burn = ev->msg.n_notify + ev->msg.n_delete > 1;
	if (n.type == N_R_U_THERE) {
		if (1u << ev->sa->state & (ST(XAUTH) | ST(CHECKING) | ST_LOGGED_IN | ST(RETIRED)))
			dpd_query(ev, &n);
	} else if (n.type == N_R_U_THERE_ACK) {
		dpd_answer(ev, &n);
	} else if (n.type == N_INITIAL_CONTACT) {
		unique_initial_contact(ev, &n);
	} else if (n.type < 16384) {
		snprintf(detail, sizeof(detail), "the client says %s",
			 ike_notify_str(n.type, name));
		ike_note(ev->ike, ev->sa, &ev->d->peer, IKE_R_CLIENT_REFUSED, detail, ev->fx);
		if (n.proto == PROTO_ESP && n.spi.n == 4) {
			struct rd r = rd_from(n.spi);

			rekey_refused(ev, rd_be32(&r));
		}
		/* It refuses our certificate or our answer: it will send no third message. */
		if (ev->sa->state == IKE_ST_AM_SENT)
			sa_close(ev->ike, ev->sa, IKE_R_CLIENT_REFUSED, false, ev->now, ev->fx);
	}
}

static void delete_children(struct ike_event *ev, struct ike_sa *sa, const struct ike_delete *d)
{
	struct rd r = rd_from(d->spis);

	if (d->spi_size != 4)
		return;
	for (unsigned i = 0; i < d->n; i++) {
		uint32_t spi = rd_be32(&r);
		struct ike_child *c = sa->children;

		while (c && (c->spi_out != spi || c->state == IKE_CHILD_PENDING))
			c = c->next;
		if (c)
			child_drop(ev->ike, sa, c, ev->fx);
	}
	child_succeed(sa, ev->now, ev->fx);
	sa_rearm(ev->ike, sa);
}

/*
 * A Delete of the ISAKMP SA that has been renewed, under the one that took its place. Once it has
 * renewed, vpnc writes the cookies of the new one into it and goes on with that. When it leaves it
 * deletes its IPsec SAs first.
 */
static bool means_retired(const struct ike_event *ev, const struct ike_sa *kin,
			  const struct ike_delete *d)
{
	const struct ike_child *c = ev->sa->children;
	uint8_t cookies[2 * IKE_COOKIE];

	if (d->proto != PROTO_ISAKMP || !kin || kin->state != IKE_ST_RETIRED)
		return false;
	while (c && c->state != IKE_CHILD_UP)
		c = c->next;
	if (c && sa_is_vpnc(ev->sa) && span_eq(d->spis, both_cookies(ev->sa, cookies)))
		return true;
	return span_eq(d->spis, both_cookies(kin, cookies));
}

/* True when the SA that carried it is gone. */
static bool on_delete(struct ike_event *ev, struct span body)
{
	uint8_t cookies[2 * IKE_COOKIE];
	struct ike_sa *kin = renew_kin(ev->ike, ev->sa);
	struct ike_delete d;

	if (ike_delete_read(body, &d) < 0)
		return false;
	if (d.proto == PROTO_ESP) {
		/* Under an ISAKMP SA that has been renewed it means the session's. */
		delete_children(ev, ev->sa->state == IKE_ST_RETIRED && kin ? kin : ev->sa, &d);
		return false;
	}
	if (means_retired(ev, kin, &d)) {
		sa_close(ev->ike, kin, IKE_R_CLIENT_LEFT, false, ev->now, ev->fx);
		return false;
	}
	if (d.proto != PROTO_ISAKMP || !span_eq(d.spis, both_cookies(ev->sa, cookies))) {
		ev->ike->count[IKE_C_DROP_UNEXPECTED]++; /* N213: somebody else's */
		return false;
	}
	sa_close(ev->ike, ev->sa, ev->sa->state == IKE_ST_CLOSING ? ev->sa->why : IKE_R_CLIENT_LEFT,
		 false, ev->now, ev->fx);
	return true;
}

/*
 * Under a message ID that was used before, only the Delete of the ISAKMP SA itself is taken: it
 * cannot have been here before. vpnc's two Deletes at its end have one ID once in 256 times.
 */
static int last_word(struct ike_event *ev)
{
	uint8_t cookies[2 * IKE_COOKIE];
	struct ike_delete d;

	if (ev->msg.n_delete != 1 || ev->msg.n_notify || ike_delete_read(ev->msg.del[0], &d) < 0 ||
	    d.proto != PROTO_ISAKMP || !span_eq(d.spis, both_cookies(ev->sa, cookies)))
		return -EALREADY;
	on_delete(ev, ev->msg.del[0]);
	return 0;
}

int info_message(struct ike_event *ev)
{
	struct sess_id id = ev->sa->id;

	if (ev->used)
		return last_word(ev);
	for (unsigned i = 0; i < ev->msg.n_delete; i++)
		if (on_delete(ev, ev->msg.del[i]))
			return 0; /* what stands behind it finds no SA: N214 */
	for (unsigned i = 0; i < ev->msg.n_notify && table_get(&ev->ike->t, id); i++)
		on_notify(ev, ev->msg.notify[i]);
	return 0;
}
