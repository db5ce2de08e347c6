/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover.c - sessions go from one process of the gateway to the next, however the first one ended.
 *
 * What changes in a session is written into the store (keep.c) before anything about it is sent.
 * The next process reads the store, gives its core the sessions in their old places, and looks for
 * what belongs to them in the kernel, where it has carried packets all the time. What is there of
 * ours and belongs to none of them goes. What is missing is told to its client.
 */
#include "handover_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "manager.h"
#include "text.h"

#define RECORDS_VERSION 1
#define SHAPE_NUMBER    0 /* of the record about the configuration; sessions begin with 1 */

/* ---- the descriptors ---- */

int handover_new(const int *fds, char **names, unsigned *n, int *others, struct handover **ret)
{
	struct handover *h = calloc(1, sizeof(*h));
	unsigned rest = 0;
	int rc = h ? 0 : -ENOMEM;

	if (rc == 0 && getenv("NOTIFY_SOCKET"))
		rc = keep_new(RECORDS_VERSION, &h->keep);
	if (rc < 0) {
		free(h);
		return rc;
	}
	for (unsigned i = 0; i < *n; i++)
		if (h->keep && names && names[i] && keep_is_ours(names[i]))
			keep_take(h->keep, fds[i], names[i]);
		else
			others[rest++] = fds[i];
	*n = rest;
	*ret = h;
	return 0;
}

struct handover *handover_free(struct handover *h)
{
	if (!h)
		return NULL;
	keep_free(h->keep);
	free(h->wanted);
	explicit_bzero(h, sizeof(*h));
	free(h);
	return NULL;
}

bool handover_waits(const struct handover *h)
{
	return h->keep && keep_has_earlier(h->keep);
}

/* ---- what must be the same for the kernel's objects to be of use ---- */

static void shape_of(const struct config *c, char out[static SHAPE_MAX])
{
	char net[ENDPOINT_STRLEN];
	size_t n = (size_t)snprintf(out, SHAPE_MAX, "%s\n%u\n", c->tunnel.interface,
				    c->tunnel.esp_frag);

	for (size_t i = 0; i < c->n_pools && n < SHAPE_MAX; i++)
		n += (size_t)snprintf(out + n, SHAPE_MAX - n, "%" PRIu32 "+%" PRIu32 " %s\n",
				      c->pool[i].pool.first, c->pool[i].pool.size,
				      prefix_str(&c->pool[i].network6, net));
}

/* An empty line, and the networks of pools that have gone or shrunk, a line for each. */
static int save_shape(struct gw *gw)
{
	char text[SHAPE_MAX], net[ENDPOINT_STRLEN];
	size_t n;

	shape_of(gw->config, text);
	n = strlen(text);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
	for (size_t i = 0; i < gw->n_stale && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n",
				      prefix_str(&gw->stale[i], net));
	return keep_put(gw->handover->keep, SHAPE_NUMBER, span_str(text));
}

/* Those networks of the last run, in the order of the lines; NULL: out of memory. */
static struct prefix *nets_of_shape(const char *text, size_t *ret_n)
{
	struct prefix *v = calloc(SHAPE_MAX, sizeof(*v));
	char line[ENDPOINT_STRLEN];
	size_t n = 0;

	for (const char *end; v && (end = strchr(text, '\n')); text = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		n += prefix_parse(line, &v[n]) == 0;
	}
	*ret_n = n;
	return v;
}

/* ---- records ---- */

static void put_addr(struct wr *w, const struct ipaddr *a)
{
	wr_u8(w, a->family);
	wr_bytes(w, a->b, sizeof(a->b));
}

static void get_addr(struct rd *r, struct ipaddr *a)
{
	a->family = rd_u8(r);
	rd_copy(r, a->b, sizeof(a->b));
	if (a->family != IP_NONE && a->family != IP_V4 && a->family != IP_V6)
		r->bad = true;
}

static void put_session(struct wr *w, const struct gw_session *g)
{
	wr_u8(w, g->up);
	put_addr(w, &g->own_address);
	wr_be64(w, g->granted_s);
	wr_be64(w, g->bytes_in);
	wr_be64(w, g->bytes_out);
	wr_be64(w, g->gone_in);
	wr_be64(w, g->gone_out);
	wr_be64(w, g->seen_in);
	wr_be64(w, g->seen_out);
}

static void get_session(struct rd *r, struct gw_session *g)
{
	g->up = rd_u8(r);
	get_addr(r, &g->own_address);
	g->granted_s = rd_be64(r);
	g->bytes_in = rd_be64(r);
	g->bytes_out = rd_be64(r);
	g->gone_in = rd_be64(r);
	g->gone_out = rd_be64(r);
	g->seen_in = rd_be64(r);
	g->seen_out = rd_be64(r);
	g->inherited = true;
}

static int save(struct gw *gw, struct sess_id id)
{
	struct handover *h = gw->handover;
	const struct gw_session *g = gw_session(gw, id);
	struct wr w = wr_into(h->buf, sizeof(h->buf));
	size_t n;
	int rc;

	if (!g)
		return -ENOMEM;
	put_session(&w, g);
	rc = ike_save(gw->ike, id, w.p + w.len, w.cap - w.len, &n);
	if (rc == 0)
		rc = keep_put(h->keep, id.slot + 1, (struct span){ w.p, w.len + n });
	if (rc == 0)
		explicit_bzero(h->buf, w.len + n);
	return rc;
}

/* The journal hears of it once, and when it is over. */
static void say(struct handover *h, int rc)
{
	if ((rc < 0) == h->failing)
		return;
	h->failing = rc < 0;
	if (rc < 0)
		log_err("changes of sessions cannot be kept (%s): a restart would end some",
			strerror(-rc));
	else
		log_notice("changes of sessions are kept again");
}

void handover_flush(struct gw *gw)
{
	struct handover *h = gw->handover;
	struct sess_id id;
	uint32_t slot;

	while (ike_changed(gw->ike, &slot, &id))
		if (h && h->keep)
			say(h, id.gen ? save(gw, id) : keep_del(h->keep, slot + 1));
}

void handover_reshape(struct gw *gw)
{
	struct handover *h = gw->handover;

	if (h && h->keep)
		say(h, save_shape(gw));
}

void handover_touch(struct gw *gw, struct sess_id id)
{
	struct handover *h = gw->handover;

	if (h && h->keep && ike_find(gw->ike, id))
		save(gw, id);
}

/* ---- the next process: its core ---- */

static int restore_one(struct gw *gw, uint32_t slot, struct span data)
{
	struct rd r = rd_from(data);
	struct gw_session kept = { 0 }, *g;
	struct sess_id id;
	int rc;

	get_session(&r, &kept);
	if (r.bad)
		return -EBADMSG;
	rc = ike_restore_at(gw->ike, slot, rd_rest(&r), gw_now_us(gw), &id);
	if (rc < 0)
		return rc;
	g = gw_session(gw, id);
	if (!g || handover_want(gw->handover, ike_find(gw->ike, id)) < 0)
		return -ENOMEM;
	kept.gen = g->gen;
	*g = kept;
	return 0;
}

static void take_record(void *ctx, uint32_t number, struct span data)
{
	struct gw *gw = ctx;
	struct handover *h = gw->handover;
	int rc;

	if (number == SHAPE_NUMBER) {
		snprintf(h->shape, sizeof(h->shape), "%.*s", (int)data.n, (const char *)data.p);
		return;
	}
	rc = restore_one(gw, number - 1, data);
	if (rc == 0) {
		h->restored++;
		return;
	}
	h->refused++;
	h->why = h->why ? h->why : rc;
}

static const char *why_refused(int rc)
{
	return rc == -EPROTO    ? "another version of vpngw has written them"
	       : rc == -EBADMSG ? "they are damaged"
				: strerror(-rc);
}

void handover_restore(struct gw *gw)
{
	struct handover *h = gw->handover;
	char shape[SHAPE_MAX], *nets;
	int rc = h->keep ? keep_read(h->keep, take_record, gw) : -ENOENT;

	if (rc < 0 && rc != -ENOENT)
		log_err("the sessions of the last run cannot be taken over: %s; their clients have "
			"to log in again",
			why_refused(rc));
	if (h->refused)
		log_err("%u sessions of the last run cannot be taken over: %s; their clients have "
			"to log in again",
			h->refused, why_refused(h->why));
	shape_of(gw->config, shape);
	nets = strstr(h->shape, "\n\n");
	if (nets) {
		nets[1] = '\0';
		h->nets = nets + 2;
	}
	h->fits = h->restored && strcmp(shape, h->shape) == 0;
	h->same_if = h->restored && (*shape == '\n') == (*h->shape == '\n');
	gw->stay = h->restored;
}

/* ---- addresses ---- */

void handover_leases(struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;
	char a[ENDPOINT_STRLEN], name[IKE_SESSION_NAME];

	while ((sa = ike_next(gw->ike, &cursor))) {
		const struct gw_session *g = gw_session(gw, sa->id);
		uint64_t granted_s = g ? g->granted_s : 0;
		int rc = sa->lease.family == IP_NONE
				 ? 0
				 : pool_adopt(gw->pools, &sa->lease, sa->user, granted_s);

		if (rc == -ENOENT)
			rc = pool_drain(gw->pools, ike_pool(gw->ike, sa), &sa->lease, sa->user,
					granted_s);
		if (rc < 0)
			log_warning("session %s: its address %s is another session's: %s",
				    ike_session_name(sa, name), ipaddr_str(&sa->lease, a),
				    strerror(-rc));
	}
	pools_drain_all(gw->pools);
}

void handover_nets(struct gw *gw)
{
	struct handover *h = gw->handover;

	if (h->fits && h->nets) {
		gw->stale = nets_of_shape(h->nets, &gw->n_stale);
		reload_drained(gw);
	} else {
		reload_nets_drain(gw);
	}
}

/* ---- and then ---- */

/* Those that cannot go on under this configuration. */
static unsigned end_misfits(struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;
	unsigned n = 0;

	while ((sa = ike_next(gw->ike, &cursor))) {
		if (gw->handover->same_if)
			continue;
		ike_close(gw->ike, sa->id, IKE_R_SHUTDOWN, gw_now_us(gw), gw->fx);
		gw_run_effects(gw);
		n++;
	}
	return n;
}

static int fill_store(struct gw *gw)
{
	struct handover *h = gw->handover;
	const struct ike_sa *sa;
	uint32_t cursor = 0;
	int rc = keep_start(h->keep);

	if (rc == 0)
		rc = save_shape(gw);
	while (rc == 0 && (sa = ike_next(gw->ike, &cursor)))
		rc = save(gw, sa->id);
	return rc == 0 ? keep_hand_over(h->keep) : rc;
}

void handover_finish(struct gw *gw)
{
	struct handover *h = gw->handover;
	unsigned ended;
	int rc;

	if (h->restored) {
		traffic_snapshot(gw);
		ended = end_misfits(gw);
		if (ended)
			log_warning("%u sessions of the last run cannot go on with this "
				    "configuration ([tunnel] interface): their clients were told",
				    ended);
		handover_tell_lost(gw);
		log_notice("%u sessions of the last run go on%s", ike_sessions(gw->ike),
			   h->lost ? ", some with fewer IPsec SAs than before" : "");
	}
	rc = h->keep ? fill_store(gw) : -ENOTCONN;
	if (rc < 0) {
		if (h->keep)
			log_err("sessions cannot be kept for the next run (%s): a restart ends "
				"them",
				strerror(-rc));
		h->keep = keep_free(h->keep);
	}
	gw->stay = false;
	gw_settle(gw);
}

bool handover_wanted(struct gw *gw)
{
	bool restarts = false;
	int rc;

	if (!gw->handover->keep)
		return false;
	rc = manager_restarts(&restarts);
	if (rc < 0)
		log_warning("systemd does not say whether this is a restart (%s): sessions end",
			    strerror(-rc));
	return rc == 0 && restarts;
}

bool handover_is_busy(const struct gw *gw)
{
	const struct ike_sa *sa;
	uint32_t cursor = 0;

	while ((sa = ike_next(gw->ike, &cursor)))
		for (const struct ike_child *c = sa->children; c; c = c->next)
			if (c->state == IKE_CHILD_PENDING)
				return true;
	return false;
}

void handover_forget(struct gw *gw)
{
	if (gw->handover && gw->handover->keep)
		keep_forget(gw->handover->keep);
}
