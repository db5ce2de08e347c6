/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * roam.c - the kernel's reports go to the core, which judges them: of clients that move, and of
 * volumes that are used up. And what keeps NATs from moving clients that are silent.
 */
#include "gateway.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void on_mapping(void *ctx, const struct xfrm_mapping *m)
{
	struct gw *gw = ctx;

	ike_moved(gw->ike, m->spi, &m->from, &m->to, gw_now_us(gw), gw->fx);
	gw_settle(gw);
}

/* Its session is told by the slot that its reqid names. */
static void on_expiry(void *ctx, const struct xfrm_expiry *e)
{
	struct gw *gw = ctx;

	log_debug("the %s limit of SPI %08x", e->hard ? "hard" : "soft", e->spi);
	ike_child_expired(gw->ike, (e->reqid - XFRM_REQID_FIRST) / IKE_SETS, e->spi, e->hard,
			  gw_now_us(gw), gw->fx);
	gw_settle(gw);
}

static int on_report(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	static const struct xfrm_reports fn = { on_mapping, on_expiry };
	struct gw *gw = userdata;
	int rc = xfrm_listen_read(fd, &fn, gw);

	(void)revents;
	if (rc < 0) {
		log_err("the kernel's reports cannot be read (%s): clients that move are followed "
			"when they speak IKE only, and no pair is renewed by volume",
			strerror(-rc));
		sd_event_source_set_enabled(src, SD_EVENT_OFF);
	}
	return 0;
}

int roam_start(struct gw *gw)
{
	int fd, rc = xfrm_listen(&fd);

	if (rc < 0)
		return rc;
	rc = sd_event_add_io(gw->event, &gw->reports, fd, EPOLLIN, on_report, gw);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return sd_event_source_set_io_fd_own(gw->reports, true);
}

/* ---- keepalives ---- */

bool keepalive_due(struct keepalive *k, uint64_t packets, uint64_t now_us, uint64_t interval_us)
{
	/* The last of them may have gone right after the last look. */
	if (packets != k->packets)
		k->quiet_us = k->looked_us;
	k->packets = packets;
	k->looked_us = now_us;
	if (now_us - k->quiet_us < interval_us)
		return false;
	k->quiet_us = now_us;
	return true;
}

void roam_keepalive(struct gw *gw, const struct fx_item *it)
{
	static const uint8_t byte = 0xff; /* RFC 3948 2.3 */
	const struct ike_sa *sa = ike_find(gw->ike, it->who.who);
	struct gw_session *g = sa ? gw_session(gw, it->who.who) : NULL;
	struct xfrm_counters c;
	uint64_t packets = 0;

	if (!g)
		return;
	for (const struct ike_child *k = sa->children; k; k = k->next)
		if (k->in_kernel && xfrm_sa_counters(gw->xfrm, &k->peer.addr, k->spi_out, &c) == 0)
			packets += c.packets;
	if (keepalive_due(&g->keepalive, packets, gw_now_us(gw), gw->config->ike.natt_keepalive_us))
		net_send(gw->net, &it->send.local, &it->send.peer, false,
			 (struct span){ &byte, 1 });
}
