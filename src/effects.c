/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * effects.c - does what the core asks: one function per effect, in order.
 *
 * What can be answered at once (a lease, the kernel) goes straight back into the core, whose new
 * effects join the end of the same list. The core and the kernel do not know each other: here one's
 * words become the other's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "gateway.h"
#include "text.h"

/* ---- crypto ---- */

static void run_dh(struct gw *gw, const struct fx_item *it)
{
	int rc = workers_dh(gw->workers, it->who, it->dh.group, it->dh.peer_public, it->dh.secret);

	if (rc < 0)
		ike_dh_done(gw->ike, it->who, rc, (struct span){ 0 }, (struct span){ 0 },
			    gw_now_us(gw), gw->fx);
}

static void run_sign(struct gw *gw, const struct fx_item *it)
{
	int rc = workers_sign(gw->workers, it->who, it->sign.hash);

	if (rc < 0)
		ike_sign_done(gw->ike, it->who, rc, (struct span){ 0 }, gw_now_us(gw), gw->fx);
}

static void run_proof(struct gw *gw, const struct fx_item *it)
{
	if (workers_proof(gw->workers, it->who, it->proof) < 0)
		ike_proof_done(gw->ike, it->who, IKE_PROOF_FAILED, "", gw_now_us(gw), gw->fx);
}

void gw_work_done(void *ctx, const struct work *w)
{
	struct gw *gw = ctx;
	struct span out = { w->out, w->out_len };

	switch (w->kind) {
	case WORK_DH:
		ike_dh_done(gw->ike, w->who, w->rc, (struct span){ w->public_value, w->public_len },
			    out, gw_now_us(gw), gw->fx);
		break;
	case WORK_SIGN:
		if (w->rc < 0)
			log_err("the private key does not sign: %s", strerror(-w->rc));
		ike_sign_done(gw->ike, w->who, w->rc, out, gw_now_us(gw), gw->fx);
		break;
	case WORK_PROOF:
		if (w->proof->verdict == IKE_PROOF_FAILED)
			log_err("a client's certificate cannot be checked: out of memory");
		ike_proof_done(gw->ike, w->who, w->proof->verdict, w->proof->why, gw_now_us(gw),
			       gw->fx);
		break;
	}
	gw_settle(gw);
}

/* ---- passwords ---- */

/* A cookie for vpngw-authd: place and generation of the ticket it stands for. */
static int check_new(struct gw *gw, struct ike_ticket who, uint64_t *ret_cookie)
{
	uint32_t i = 0;

	while (i < gw->n_check && gw->check[i].used)
		i++;
	if (i == gw->n_check) {
		uint32_t n = gw->n_check ? gw->n_check * 2 : 64;
		struct gw_check *c = realloc(gw->check, n * sizeof(*c));

		if (!c)
			return -ENOMEM;
		memset(c + gw->n_check, 0, (n - gw->n_check) * sizeof(*c));
		gw->check = c;
		gw->n_check = n;
	}
	gw->check[i].used = true;
	gw->check[i].who = who;
	*ret_cookie = (uint64_t)++gw->check[i].gen << 32 | i;
	return 0;
}

static void run_auth(struct gw *gw, const struct fx_item *it)
{
	const struct ike_sa *sa = ike_find(gw->ike, it->who.who);
	char peer[ENDPOINT_STRLEN];
	uint64_t cookie;
	int rc;

	if (!sa)
		return;
	rc = check_new(gw, it->who, &cookie);
	if (rc == 0) {
		rc = auth_client_check(gw->auth, cookie, it->auth.user, it->auth.password,
				       span_str(ipaddr_str(&sa->peer.addr, peer)));
		if (rc < 0)
			gw->check[(uint32_t)cookie].used = false;
	}
	if (rc < 0) {
		struct gw_session *g = gw_session(gw, it->who.who);

		if (g)
			snprintf(g->reason, sizeof(g->reason), "vpngw-authd: %s", strerror(-rc));
		ike_auth_done(gw->ike, it->who, IKE_AUTH_UNAVAILABLE, NULL, gw_now_us(gw), gw->fx);
	}
}

static enum ike_verdict verdict_of(enum auth_verdict v)
{
	switch (v) {
	case AUTH_OK:
		return IKE_AUTH_OK;
	case AUTH_DENIED:
	case AUTH_NOT_ALLOWED:
	case AUTH_THROTTLED:
		return IKE_AUTH_NO;
	case AUTH_BUSY:
	case AUTH_TIMEOUT:
	case AUTH_ERROR:
		return IKE_AUTH_UNAVAILABLE;
	}
	return IKE_AUTH_UNAVAILABLE;
}

void gw_auth_reply(void *ctx, uint64_t id, const struct auth_reply *r)
{
	struct gw *gw = ctx;
	struct gw_check *c = gw_check_of(gw, id);
	const struct ike_groups groups = { .name = r->group,
					   .n = r->n_groups,
					   .session_s = r->session_s };
	enum ike_verdict v = verdict_of(r->verdict);
	struct gw_session *g;

	if (!c)
		return;
	c->used = false;
	g = ike_find(gw->ike, c->who.who) ? gw_session(gw, c->who.who) : NULL;
	if (g && v != IKE_AUTH_OK)
		text_escape(span_str(r->reason), g->reason, sizeof(g->reason));
	if (g && v == IKE_AUTH_OK && *r->address && ipaddr_parse(r->address, &g->own_address) < 0) {
		log_err("vpngw-authd gives an address that is none: login refused");
		v = IKE_AUTH_UNAVAILABLE;
	}
	ike_auth_done(gw->ike, c->who, v, &groups, gw_now_us(gw), gw->fx);
	gw_settle(gw);
}

/* ---- addresses ---- */

/* The pool that an address belongs to, for the database. */
static const char *pool_name(const struct gw *gw, const struct ipaddr *addr)
{
	const struct conf_pool *p = pool_of_address(gw->config, addr);

	return p ? p->pool.name : "";
}

/* The IPv6 address that goes with it. */
static struct ipaddr beside(const struct gw *gw, const struct ipaddr *addr)
{
	const struct conf_pool *p = pool_of_address(gw->config, addr);

	return p ? pool_addr6(&p->network6, addr) : (struct ipaddr){ 0 };
}

static void save_lease(struct gw *gw, const struct ipaddr *addr, const char *user,
		       uint64_t granted_s, uint64_t released_s)
{
	const struct leasedb_row row = { .addr = *addr,
					 .pool = pool_name(gw, addr),
					 .user = user,
					 .granted_s = granted_s,
					 .released_s = released_s,
					 .pinned = pool_is_pinned(gw->pools, addr) };

	if (gw->leases && released_s && !*row.pool) /* it was in none any more */
		leasedb_forget(gw->leases, addr);
	else if (gw->leases)
		leasedb_save(gw->leases, &row);
}

/* prefer: of the user's session that has just given way; nobody else can have taken it since. */
static enum ike_reason take_address(struct gw *gw, const struct ike_sa *sa, struct gw_session *g,
				    const char *pool, const struct ipaddr *prefer,
				    struct ipaddr *ret)
{
	const struct ipaddr *own = g->own_address.family ? &g->own_address : NULL;

	/* It may have been another profile's. */
	if (!own && prefer->family && strcmp(pool_name(gw, prefer), pool) == 0 &&
	    pool_take(gw->pools, pool, sa->user, prefer, gw_real_s(), ret) == POOL_OK)
		return IKE_R_NONE;
	switch (pool_take(gw->pools, pool, sa->user, own, gw_real_s(), ret)) {
	case POOL_OK:
		return IKE_R_NONE;
	case POOL_EXHAUSTED:
		event_pool_exhausted(sa, pool);
		return IKE_R_POOL_EXHAUSTED;
	case POOL_TAKEN:
		event_address_taken(sa, own, false);
		return IKE_R_ADDRESS_TAKEN;
	case POOL_OUTSIDE:
		event_address_taken(sa, own, true);
		return IKE_R_ADDRESS_TAKEN;
	}
	return IKE_R_INTERNAL;
}

static void run_lease(struct gw *gw, const struct fx_item *it)
{
	const struct ike_sa *sa = ike_find(gw->ike, it->who.who);
	struct gw_session *g = sa ? gw_session(gw, it->who.who) : NULL;
	char name[IKE_SESSION_NAME];
	struct ipaddr addr = { 0 }, addr6 = { 0 };
	enum ike_reason why;

	if (!g)
		return;
	why = take_address(gw, sa, g, it->lease.pool, &it->lease.prefer, &addr);
	if (why == IKE_R_NONE) {
		g->granted_s = gw_real_s();
		event_lease(sa, true, sa->user, &addr, ike_session_name(sa, name));
		save_lease(gw, &addr, sa->user, g->granted_s, 0);
		addr6 = beside(gw, &addr);
	}
	if (!ike_lease_done(gw->ike, it->who, why, &addr, &addr6, gw_now_us(gw), gw->fx) &&
	    why == IKE_R_NONE) {
		pool_release(gw->pools, &addr, gw_real_s());
		save_lease(gw, &addr, sa->user, g->granted_s, gw_real_s());
	}
}

static void release(struct gw *gw, const struct gw_session *g, const struct fx_session *s)
{
	if (!s->lease.family)
		return;
	pool_release(gw->pools, &s->lease, gw_real_s());
	reload_drained(gw);
	event_lease(NULL, false, s->user, &s->lease, s->name);
	save_lease(gw, &s->lease, s->user, g ? g->granted_s : 0, gw_real_s());
}

/* ---- the kernel ---- */

_Static_assert(LIMIT_CHILDREN < IKE_SETS, "the last set is nobody's, as is XFRM_REQID_GATEWAY");

static void fill_sa(const struct gw *gw, const struct ike_child_fx *k, struct sess_id who, bool in,
		    struct xfrm_sa *sa)
{
	const struct endpoint *from = in ? &k->peer : &k->local, *to = in ? &k->local : &k->peer;
	const struct conf_tunnel *t = &gw->config->tunnel;

	*sa = (struct xfrm_sa){ .src = from->addr,
				.dst = to->addr,
				.spi = in ? k->spi_in : k->spi_out,
				.cpi = in ? k->cpi_in : k->cpi_out,
				.reqid = XFRM_REQID_FIRST + who.slot * IKE_SETS + k->set,
				.if_id = *t->interface ? XFRM_IF_ID : 0,
				.enc_len = k->enc_len,
				.auth_len = k->auth_len,
				.encap = k->encap,
				.esn = k->esn,
				.sport = from->port,
				.dport = to->port,
				.soft_bytes = k->soft_bytes,
				.hard_bytes = k->hard_bytes,
				.replay_window = gw->config->replay_window,
				.clear_df = !in && !t->copy_df,
				.no_encap_dscp = !in && !(t->copy_dscp & CONF_COPY_DSCP_OUT),
				.decap_dscp = in && t->copy_dscp & CONF_COPY_DSCP_IN,
				.report_s = in && k->encap ? 1 : 0 };
	esp_algorithms(k->enc, k->auth, sa);
	memcpy(sa->enc_key, in ? k->enc_in : k->enc_out, k->enc_len);
	memcpy(sa->auth_key, in ? k->auth_in : k->auth_out, k->auth_len);
}

static struct xfrm_pair *pair_of(const struct gw *gw, const struct ike_child_fx *k,
				 struct sess_id who)
{
	struct xfrm_pair *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->part = k->part == IKE_PART_IN    ? XFRM_PAIR_IN
		  : k->part == IKE_PART_OUT ? XFRM_PAIR_OUT
					    : XFRM_PAIR_BOTH;
	fill_sa(gw, k, who, true, &p->in);
	fill_sa(gw, k, who, false, &p->out);
	p->inner = k->inner;
	p->n_nets = k->n_nets;
	p->proto = k->upper.proto;
	p->inner_port = k->upper.inner_port;
	p->net_port = k->upper.net_port;
	memcpy(p->nets, k->nets, sizeof(k->nets));
	return p;
}

static void pair_free(struct xfrm_pair *p)
{
	if (p)
		explicit_bzero(p, sizeof(*p));
	free(p);
}

/* A client tries again and again, and so do all the others. */
static void say_refused(struct gw *gw, const struct ike_child_fx *k, const char *what, int rc)
{
	char peer[ENDPOINT_STRLEN], left_out[64] = "";
	unsigned long suppressed;

	if (!log_allowed(&gw->refused_limit, 5, 5, gw_now_us(gw), &suppressed))
		return;
	if (suppressed)
		snprintf(left_out, sizeof(left_out), " (%lu lines like this left out)", suppressed);
	log_err("%s: the kernel refuses the IPsec SA: %s: %s%s", endpoint_str(&k->peer, peer), what,
		strerror(-rc), left_out);
}

static void run_child_add(struct gw *gw, const struct fx_item *it)
{
	struct xfrm_pair *p = pair_of(gw, it->child, it->who.who);
	const char *what = "";
	int rc = p ? xfrm_pair_add(gw->xfrm, p, &what) : -ENOMEM;

	if (rc < 0)
		say_refused(gw, it->child, what, rc);
	/* Nobody wants it any more. The policies of a part are another pair's as well. */
	if (!ike_child_done(gw->ike, it->who, it->child->child, rc, gw_now_us(gw), gw->fx) &&
	    rc == 0)
		xfrm_pair_del(gw->xfrm, p, p->part != XFRM_PAIR_BOTH);
	pair_free(p);
}

/* What an SA that is about to go has carried belongs to its session. */
static void add_counters(struct gw *gw, const struct ipaddr *dst, uint32_t spi, uint64_t *bytes,
			 uint64_t *packets)
{
	struct xfrm_counters c;

	if (xfrm_sa_counters(gw->xfrm, dst, spi, &c) < 0)
		return;
	*bytes += c.bytes;
	*packets += c.packets;
}

static void run_child_del(struct gw *gw, const struct fx_item *it)
{
	const struct ike_child_fx *k = it->child;
	struct xfrm_pair *p = pair_of(gw, k, it->who.who);
	struct gw_session *g = gw_session(gw, it->who.who);
	int rc;

	/* What ends is forgotten first: what the next process finds of it in the kernel goes. */
	handover_touch(gw, it->who.who);
	handover_flush(gw);
	if (g) {
		add_counters(gw, &k->local.addr, k->spi_in, &g->bytes_in, &g->gone_in);
		add_counters(gw, &k->peer.addr, k->spi_out, &g->bytes_out, &g->gone_out);
	}
	rc = p ? xfrm_pair_del(gw->xfrm, p, k->keep_policies) : -ENOMEM;
	if (rc < 0)
		log_err("cannot remove an IPsec SA: %s", strerror(-rc));
	pair_free(p);
}

static void run_child_move(struct gw *gw, const struct fx_item *it)
{
	const struct ike_child_fx *k = it->move.child;
	struct xfrm_pair *p = pair_of(gw, k, it->who.who);
	struct gw_session *g = gw_session(gw, it->who.who);
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];
	const char *what = "";
	int rc;

	/* The counters begin anew with another address. */
	if (g && !ipaddr_eq(&k->peer.addr, &it->move.to.addr)) {
		add_counters(gw, &k->local.addr, k->spi_in, &g->bytes_in, &g->gone_in);
		add_counters(gw, &k->peer.addr, k->spi_out, &g->bytes_out, &g->gone_out);
	}
	rc = p ? xfrm_pair_move(gw->xfrm, p, &it->move.to, &what) : -ENOMEM;
	if (rc < 0) {
		log_err("the IPsec SA of %s cannot follow to %s: %s: the client must make a new "
			"one",
			endpoint_str(&k->peer, from), endpoint_str(&it->move.to, to), what);
		ike_child_lost(gw->ike, it->who.who, k->child, gw_now_us(gw), gw->fx);
	}
	handover_touch(gw, it->who.who);
	pair_free(p);
}

/* ---- sessions ---- */

/* One line in `systemctl status`. */
void gw_show_status(const struct gw *gw)
{
	unsigned n = ike_sessions(gw->ike);

	sd_notifyf(0, "STATUS=%u session%s", n, n == 1 ? "" : "s");
}

static void run_up(struct gw *gw, const struct fx_item *it)
{
	struct gw_session *g = gw_session(gw, it->who.who);

	if (g)
		g->up = true;
	handover_touch(gw, it->who.who);
	event_up(&it->who, it->session);
	gw_show_status(gw);
}

static void run_down(struct gw *gw, const struct fx_item *it)
{
	struct gw_session *g = gw_session(gw, it->who.who);

	if (g)
		traffic_over(gw, g);
	event_down(gw, g, it->session);
	release(gw, g, it->session);
	gw_show_status(gw);
	if (g)
		explicit_bzero(g, sizeof(*g));
}

static void run_send(struct gw *gw, const struct fx_item *it)
{
	char peer[ENDPOINT_STRLEN];
	int rc;

	/* What the client will believe must outlive us. */
	handover_flush(gw);
	rc = net_send(gw->net, &it->send.local, &it->send.peer, it->send.natt, it->send.data);

	if (rc < 0)
		log_debug("sending %zu bytes to %s: %s", it->send.data.n,
			  endpoint_str(&it->send.peer, peer), strerror(-rc));
}

static void run_one(struct gw *gw, const struct fx_item *it)
{
	switch (it->kind) {
	case FX_SEND:
		run_send(gw, it);
		break;
	case FX_DH:
		run_dh(gw, it);
		break;
	case FX_SIGN:
		run_sign(gw, it);
		break;
	case FX_PROOF:
		run_proof(gw, it);
		break;
	case FX_AUTH:
		run_auth(gw, it);
		break;
	case FX_ANSWER:
		question_answer(gw, it);
		break;
	case FX_AGAIN:
		question_again(gw, it);
		break;
	case FX_LEASE:
		run_lease(gw, it);
		break;
	case FX_CHILD_ADD:
		run_child_add(gw, it);
		break;
	case FX_CHILD_DEL:
		run_child_del(gw, it);
		break;
	case FX_CHILD_MOVE:
		run_child_move(gw, it);
		break;
	case FX_KEEPALIVE:
		roam_keepalive(gw, it);
		break;
	case FX_MOVED:
		event_moved(it->session);
		break;
	case FX_UP:
		run_up(gw, it);
		break;
	case FX_REKEY:
		event_rekey(it->session);
		break;
	case FX_DOWN:
		run_down(gw, it);
		break;
	case FX_NOTE:
		event_note(gw, it);
		break;
	}
}

void gw_run_effects(struct gw *gw)
{
	/* The list grows while it is worked through. */
	for (unsigned i = 0; i < gw->fx->n; i++)
		run_one(gw, &gw->fx->v[i]);
	handover_flush(gw);
	if (gw->fx->overflow)
		log_err("an effect was lost: please report this with the lines before it");
	fx_reset(gw->fx);
}
