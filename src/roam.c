/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* roam.c - clients that move: the kernel's reports go to the core, which judges them. */
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

static int on_report(sd_event_source *src, int fd, uint32_t revents, void *userdata)
{
	struct gw *gw = userdata;
	int rc = xfrm_listen_read(fd, on_mapping, gw);

	(void)revents;
	if (rc < 0) {
		log_err("the kernel's reports cannot be read (%s): clients that move are followed "
			"when they speak IKE only",
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
