/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view.c - what the operator sees and may do: the gateway's side of ctl/server.h. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "gateway.h"
#include "ike/names.h"
#include "text.h"

/* ---- sessions ---- */

static uint64_t seconds_left(const struct gw *gw, uint64_t at_us)
{
	uint64_t now = gw_now_us(gw);

	return at_us == UINT64_MAX || at_us <= now ? 0 : (at_us - now) / 1000000;
}

/* As IANA writes them, and ip(8) shows them. */
static void fill_upper(const struct ike_upper *u, struct ctl_child *ret)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ IPPROTO_ICMP, "icmp" },     { IPPROTO_TCP, "tcp" },   { IPPROTO_UDP, "udp" },
		{ IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_SCTP, "sctp" },
	};

	ret->client_port = u->inner_port;
	ret->port = u->net_port;
	if (!u->proto)
		return;
	snprintf(ret->protocol, sizeof(ret->protocol), "%u", u->proto);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == u->proto)
			snprintf(ret->protocol, sizeof(ret->protocol), "%s", names[i].name);
}

static void fill_child(const struct gw *gw, const struct ike_child *c, struct ctl_child *ret)
{
	struct xfrm_counters in = traffic_of(gw, &c->local.addr, c->spi_in),
			     out = traffic_of(gw, &c->peer.addr, c->spi_out);
	static const char *const states[] = { [IKE_CHILD_PENDING] = "pending",
					      [IKE_CHILD_READY] = "ready",
					      [IKE_CHILD_UP] = "up",
					      [IKE_CHILD_OLD] = "old" };
	char name[IKE_NAME_LEN], group[IKE_NAME_LEN], net[ENDPOINT_STRLEN];
	size_t n = 0;

	*ret = (struct ctl_child){ .spi_in = c->spi_in,
				   .spi_out = c->spi_out,
				   .encap = c->encap,
				   .ipcomp = c->cpi_in != 0,
				   .bytes_in = in.bytes,
				   .bytes_out = out.bytes,
				   .packets_in = in.packets,
				   .packets_out = out.packets,
				   .age_s = (gw_now_us(gw) - c->since_us) / 1000000,
				   .expires_in_s = seconds_left(gw, c->expires_us) };
	snprintf(ret->state, sizeof(ret->state), "%s", states[c->state]);
	snprintf(ret->proposal, sizeof(ret->proposal), "%s%s%s", ike_p2_str(&c->alg, name),
		 c->pfs_group ? "-" : "", c->pfs_group ? ike_group_str(c->pfs_group, group) : "");
	for (unsigned i = 0; i < c->n_nets && n < sizeof(ret->networks); i++)
		n += (size_t)snprintf(ret->networks + n, sizeof(ret->networks) - n, "%s%s",
				      i ? ", " : "", prefix_str(&c->nets[i], net));
	fill_upper(&c->upper, ret);
}

static const char *nat_text(uint8_t nat)
{
	switch (nat & (IKE_NAT_PEER | IKE_NAT_LOCAL)) {
	case IKE_NAT_PEER | IKE_NAT_LOCAL:
		return "both";
	case IKE_NAT_PEER:
		return "client";
	case IKE_NAT_LOCAL:
		return "gateway";
	default:
		return nat & IKE_NAT_FORCED ? "forced" : "none";
	}
}

static const char *fragments_text(uint8_t frag)
{
	static const char *const text[] = { [0] = "none",
					    [IKE_FRAG_IN] = "received",
					    [IKE_FRAG_OUT] = "sent",
					    [IKE_FRAG_IN | IKE_FRAG_OUT] = "both" };

	return text[frag];
}

/* The identity as text: names as they are, others by their type. */
static void identity_text(const struct ike_sa *sa, char *buf, size_t cap)
{
	struct rd r = rd_from((struct span){ sa->peer_id, sa->peer_id_len });
	uint8_t type = rd_u8(&r);
	char text[ENDPOINT_STRLEN];
	struct ipaddr a;
	struct span data;

	(void)rd_take(&r, 3);
	data = rd_rest(&r);
	*buf = '\0';
	if (type == ID_FQDN || type == ID_USER_FQDN || type == ID_KEY_ID)
		snprintf(buf, cap, "%.*s", (int)data.n, data.n ? (const char *)data.p : "");
	else if (type == ID_DER_ASN1_DN && (sa->auth == AUTH_XAUTH_RSA ||
					    sa->auth == AUTH_RSA_SIG || auth_is_ecdsa(sa->auth)))
		trust_name_text(data, buf, cap); /* nobody else's: anything may stand there */
	else if (ipaddr_from_bytes(data, &a) == 0)
		snprintf(buf, cap, "%s", ipaddr_str(&a, text));
	else if (data.n)
		snprintf(buf, cap, "type %u", type);
}

static void cookies_text(const struct ike_sa *sa, char *buf, size_t cap)
{
	size_t n = 0;

	for (unsigned i = 0; i < 2 * IKE_COOKIE; i++)
		n += (size_t)snprintf(buf + n, cap - n, "%s%02x", i == IKE_COOKIE ? ":" : "",
				      i < IKE_COOKIE ? sa->cky_i[i] : sa->cky_r[i - IKE_COOKIE]);
}

/* The pool that an address is of. */
static const char *pool_of(const struct gw *gw, const struct ipaddr *addr)
{
	const struct conf_pool *p = pool_of_address(gw->config, addr);

	return p ? p->pool.name : "";
}

static void fill_session(struct gw *gw, const struct ike_sa *sa, struct ctl_session *ret)
{
	const struct gw_session *g = gw_session(gw, sa->id);
	uint64_t now = gw_now_us(gw), age_s = (now - sa->since_us) / 1000000, real = gw_real_s();
	char name[IKE_NAME_LEN], session[IKE_SESSION_NAME];

	*ret = (struct ctl_session){ .address = sa->lease,
				     .peer = sa->peer,
				     .local = sa->local,
				     .since_s = g && g->granted_s ? g->granted_s : real - age_s,
				     .expires_in_s = seconds_left(gw, ike_ends_at(gw->ike, sa)),
				     .bytes_in = g ? g->bytes_in : 0,
				     .bytes_out = g ? g->bytes_out : 0 };
	if (sa->asked6)
		ret->address6 = sa->lease6;
	snprintf(ret->id, sizeof(ret->id), "%s", ike_session_name(sa, session));
	snprintf(ret->user, sizeof(ret->user), "%s", sa->user);
	snprintf(ret->pool, sizeof(ret->pool), "%s", pool_of(gw, &sa->lease));
	snprintf(ret->client, sizeof(ret->client), "%s", sa->client);
	snprintf(ret->state, sizeof(ret->state), "%s", sa->state == IKE_ST_UP ? "up" : "login");
	snprintf(ret->profile, sizeof(ret->profile), "%s", sa->profile ? sa->profile : "");
	snprintf(ret->exchange_mode, sizeof(ret->exchange_mode), "%s",
		 sa->mode == XCHG_MAIN ? "main" : "aggressive");
	snprintf(ret->authentication, sizeof(ret->authentication), "%s",
		 ike_auth_str(sa->auth, name));
	snprintf(ret->nat, sizeof(ret->nat), "%s", nat_text(sa->nat));
	snprintf(ret->fragments, sizeof(ret->fragments), "%s", fragments_text(sa->frag));
	snprintf(ret->proposal, sizeof(ret->proposal), "%s", ike_p1_str(&sa->alg, name));
	identity_text(sa, ret->group, sizeof(ret->group));
	cookies_text(sa, ret->cookies, sizeof(ret->cookies));
	for (const struct ike_child *c = sa->children; c && ret->n_children < LIMIT_CHILDREN;
	     c = c->next) {
		struct ctl_child *k = &ret->child[ret->n_children++];

		fill_child(gw, c, k);
		ret->bytes_in += k->bytes_in;
		ret->bytes_out += k->bytes_out;
	}
	ret->idle_s = (now - sa->active_us) / 1000000;
	ret->heard_s = (now - sa->heard_us) / 1000000;
	ret->unanswered = sa->dpd_asked;
}

static bool session_next(void *ctx, uint32_t *cursor, struct ctl_session *ret)
{
	struct gw *gw = ctx;
	const struct ike_sa *sa = ike_next(gw->ike, cursor);

	if (sa)
		fill_session(gw, sa, ret);
	return sa;
}

static int kick(void *ctx, const char *id, const struct ctl_peer *who)
{
	struct gw *gw = ctx;
	char name[IKE_SESSION_NAME], user[44], reason[76];
	const struct ike_sa *sa;
	struct gw_session *g;
	uint32_t cursor = 0;
	int rc;

	while ((sa = ike_next(gw->ike, &cursor)))
		if (strcmp(ike_session_name(sa, name), id) == 0)
			break;
	if (!sa)
		return -ENOENT;
	g = gw_session(gw, sa->id);
	if (g)
		snprintf(g->reason, sizeof(g->reason), "by %s%s%s",
			 text_cut(who->user, user, sizeof(user)), *who->reason ? ": " : "",
			 text_cut(who->reason, reason, sizeof(reason)));
	rc = ike_close(gw->ike, sa->id, IKE_R_KICKED, gw_now_us(gw), gw->fx);
	gw_settle(gw);
	return rc;
}

/* ---- leases ---- */

static bool lease_next(void *ctx, uint32_t *cursor, struct ctl_lease *ret)
{
	struct gw *gw = ctx;
	struct pool_lease l;

	if (!pool_next(gw->pools, gw_real_s(), cursor, &l))
		return false;
	*ret = (struct ctl_lease){ .address = l.addr,
				   .leased = l.leased,
				   .pinned = l.pinned,
				   .granted_s = l.granted_s,
				   .released_s = l.leased ? 0 : l.released_s };
	snprintf(ret->pool, sizeof(ret->pool), "%s", l.pool);
	snprintf(ret->user, sizeof(ret->user), "%s", l.user);
	return true;
}

static int lease_forget(void *ctx, const struct ipaddr *addr, const struct ctl_peer *who)
{
	struct gw *gw = ctx;
	int rc = pool_forget(gw->pools, addr);

	(void)who;
	if (rc == 0 && gw->leases)
		leasedb_forget(gw->leases, addr);
	return rc;
}

/* The file has what the pools have; a lease that is not kept any more goes. */
static void save_pin(struct gw *gw, const struct ipaddr *addr)
{
	struct pool_lease l;
	uint32_t cursor = 0;
	bool found = false;

	while (!found && pool_next(gw->pools, gw_real_s(), &cursor, &l))
		found = ipaddr_eq(&l.addr, addr);
	if (gw->leases && found)
		leasedb_save(gw->leases,
			     &(struct leasedb_row){ l.addr, l.pool, l.user, l.granted_s,
						    l.leased ? 0 : l.released_s, l.pinned });
	else if (gw->leases)
		leasedb_forget(gw->leases, addr);
}

/* Where passwords are checked the user has an address, which comes before all others. */
static bool has_own_address(struct gw *gw, const char *user)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	while ((sa = ike_next(gw->ike, &cursor))) {
		const struct gw_session *g = gw_session(gw, sa->id);

		if (g && g->own_address.family && strcmp(sa->user, user) == 0)
			return true;
	}
	return false;
}

static int lease_pin(void *ctx, const struct ipaddr *addr, const char *user)
{
	struct gw *gw = ctx;
	int rc = has_own_address(gw, user) ? -EPERM : pool_pin(gw->pools, addr, user, gw_real_s());

	if (rc == 0)
		save_pin(gw, addr);
	return rc;
}

static int lease_unpin(void *ctx, const struct ipaddr *addr)
{
	struct gw *gw = ctx;
	int rc = pool_unpin(gw->pools, addr, gw_real_s());

	if (rc == 0)
		save_pin(gw, addr);
	return rc;
}

/* ---- status ---- */

static struct prefix network6_of(const struct gw *gw, const char *pool)
{
	for (size_t i = 0; i < gw->config->n_pools; i++)
		if (strcmp(gw->config->pool[i].pool.name, pool) == 0)
			return gw->config->pool[i].network6;
	return (struct prefix){ 0 };
}

static void fill_pools(const struct gw *gw, struct ctl_status *ret)
{
	for (size_t i = 0; i < pools_count(gw->pools) && i < LIMIT_POOLS; i++) {
		struct ctl_pool *p = &ret->pool[ret->n_pools++];
		struct pool_usage u;

		pool_usage(gw->pools, i, gw_real_s(), &u);
		*p = (struct ctl_pool){ .first = u.first,
					.last = u.last,
					.network6 = network6_of(gw, u.name),
					.size = u.size,
					.leased = u.leased,
					.kept = u.kept,
					.draining = pools_draining(gw->pools, u.name) };
		snprintf(p->name, sizeof(p->name), "%s", u.name);
	}
}

/* What the journal said at the start, but for the certificate's dates, which are those of today. */
static void fill_warnings(const struct gw *gw, struct ctl_status *ret)
{
	const char *w;

	creds_check_dates(gw->creds, (int64_t)gw_real_s());
	for (unsigned i = 0; (w = creds_warning(gw->creds, i)); i++)
		if (ret->n_warnings < ARRAY_SIZE(ret->warning))
			ret->warning[ret->n_warnings++] = w;
	for (size_t i = 0; i < gw->config->n_warnings; i++)
		if (ret->n_warnings < ARRAY_SIZE(ret->warning))
			ret->warning[ret->n_warnings++] = gw->config->warnings[i];
}

static void status(void *ctx, struct ctl_status *ret)
{
	struct gw *gw = ctx;

	*ret = (struct ctl_status){ .since_s = gw->since_s,
				    .cert_expires_s = (uint64_t)creds_expires(gw->creds),
				    .sessions = ike_sessions(gw->ike),
				    .half_open = ike_half_open(gw->ike),
				    .incomplete = ike_fragmented(gw->ike) };
	snprintf(ret->version, sizeof(ret->version), "%s", VERSION);
	snprintf(ret->config_file, sizeof(ret->config_file), "%s", gw->config_path);
	snprintf(ret->interface, sizeof(ret->interface), "%s", gw->config->tunnel.interface);
	snprintf(ret->certificate, sizeof(ret->certificate), "%s", gw->config->gateway.certificate);
	snprintf(ret->subject, sizeof(ret->subject), "%s", creds_subject(gw->creds));
	snprintf(ret->authd, sizeof(ret->authd), "%s",
		 auth_client_connected(gw->auth) ? "connected" : "not connected");
	fill_pools(gw, ret);
	fill_warnings(gw, ret);
	_Static_assert(IKE_C__COUNT <= ARRAY_SIZE(ret->counter), "every counter is shown");
	for (unsigned i = 0; i < IKE_C__COUNT; i++)
		ret->counter[ret->n_counters++] =
			(struct ctl_counter){ ike_counter_name(i), ike_counter(gw->ike, i) };
}

/* ---- configuration ---- */

static int reload(void *ctx, bool apply, const struct ctl_peer *who, struct ctl_reload *ret)
{
	return gw_reload(ctx, apply, who, ret);
}

static bool setting(void *ctx, uint32_t i, struct ctl_setting *ret)
{
	const struct gw *gw = ctx;
	const struct conf_item *it;

	if (i >= gw->config->n_items)
		return false;
	it = &gw->config->item[i];
	*ret = (struct ctl_setting){ it->section, it->name, it->key, it->value, it->at };
	return true;
}

static const char *config_file(void *ctx, uint32_t i)
{
	const struct gw *gw = ctx;

	return i < gw->config->n_files ? gw->config->file[i] : NULL;
}

const struct ctl_ops gw_ctl_ops = {
	.session_next = session_next,
	.lease_next = lease_next,
	.status = status,
	.stat = stats_next,
	.snapshot = traffic_snapshot,
	.kick = kick,
	.lease_forget = lease_forget,
	.lease_pin = lease_pin,
	.lease_unpin = lease_unpin,
	.reload = reload,
	.setting = setting,
	.config_file = config_file,
};
