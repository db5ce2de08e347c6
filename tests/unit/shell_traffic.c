/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_traffic.c - when the kernel's counters are read, and what holds when they cannot be.
 *
 * The kernel is asked for real, in a network namespace without any SA; the counters that the
 * gateway has are set by the test. That they are right, the end-to-end tests show.
 */
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"
#include "ike_kit.h"
#include "log_kept.h"

#define SPI_PACKETS 10

static struct gw gw;

/* As if an earlier dump had found these packets on the client's SA. */
static void counted(uint64_t packets)
{
	const struct ike_child *child = client_sa(&c, &g)->children;

	free(gw.counted);
	gw.counted = calloc(1, sizeof(*gw.counted));
	gw.counted[0] = (struct gw_counted){ .dst = child->local.addr,
					     .spi = child->spi_in,
					     .c = { .packets = packets } };
	gw.n_counted = 1;
}

static uint64_t packets_in(void)
{
	const struct ike_child *child = client_sa(&c, &g)->children;

	return traffic_of(&gw, &child->local.addr, child->spi_in).packets;
}

static void test_reuse(struct gw_session *mine)
{
	uint64_t active_us = client_sa(&c, &g)->active_us;

	traffic_snapshot(&gw);
	ok(gw.counted_us != 0 && gw.n_counted == 0, "the kernel is asked");
	counted(SPI_PACKETS);
	mine->seen_in = SPI_PACKETS;
	traffic_snapshot(&gw);
	is_int((long long)packets_in(), SPI_PACKETS, "and not again within a second");
	gw.counted_us -= 2 * US_PER_S;
	traffic_snapshot(&gw);
	is_int((long long)packets_in(), 0, "but after it");
	is_int((long long)client_sa(&c, &g)->active_us, (long long)active_us,
	       "and an SA that has gone is no sign of life");
}

static void test_failure(struct gw_session *mine)
{
	uint64_t active_us = client_sa(&c, &g)->active_us;

	counted(SPI_PACKETS);
	mine->seen_in = SPI_PACKETS;
	gw.counted_us -= 2 * US_PER_S;
	kept_none();
	if (seteuid(65534) < 0)
		abort();
	traffic_snapshot(&gw);
	traffic_snapshot(&gw);
	if (seteuid(0) < 0)
		abort();
	is_int((long long)packets_in(), SPI_PACKETS, "counters that cannot be read stay");
	is_int((long long)client_sa(&c, &g)->active_us, (long long)active_us,
	       "and make nobody look active");
	is_int(kept_n, 1, "it is said, once");
	is_str(kept_last(), "cannot read the counters of the IPsec SAs: Operation not permitted",
	       "and why");
	traffic_snapshot(&gw);
	is_int((long long)packets_in(), 0, "the next time the kernel is asked again");
}

/* A look at a session that has carried so much, in an SA that is there or in those that have gone. */
static void carried(struct gw_session *mine, uint64_t gone, uint64_t there)
{
	counted(SPI_PACKETS);
	gw.counted[0].c.bytes = there;
	mine->bytes_in = gone;
	traffic_look(&gw);
}

static void test_sums(struct gw_session *mine)
{
	uint64_t before = gw.bytes_in;

	carried(mine, 0, 1000);
	is_int((long long)(gw.bytes_in - before), 1000, "what a session carries is summed up");
	carried(mine, 0, 1500);
	is_int((long long)(gw.bytes_in - before), 1500, "once");
	carried(mine, 1600, 0);
	is_int((long long)(gw.bytes_in - before), 1600, "an SA that goes takes nothing away");
	carried(mine, 1600, 50);
	is_int((long long)(gw.bytes_in - before), 1650, "the next one adds to it");
	carried(mine, 0, 0);
	is_int((long long)(gw.bytes_in - before), 1650,
	       "counters that are lost do not make it fall");
	mine->bytes_in = 1700;
	traffic_over(&gw, mine);
	is_int((long long)(gw.bytes_in - before), 1700, "the end of a session is counted");
	*mine = (struct gw_session){ .gen = mine->gen, .inherited = true };
	carried(mine, 1700, 300);
	is_int((long long)(gw.bytes_in - before), 1700,
	       "what another process has counted is not counted again");
	carried(mine, 1700, 310);
	is_int((long long)(gw.bytes_in - before), 1710, "but what came after it");
}

int main(void)
{
	struct gw_session *mine;
	int rc;

	if (getuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		skip(1, "needs root and a network namespace");
		return done();
	}
	rc = xfrm_open(&gw.xfrm);
	if (rc < 0) {
		skip(1, "no IPsec in this kernel: %s", strerror(-rc));
		return done();
	}
	if (sd_event_new(&gw.event) < 0)
		return EXIT_FAILURE;
	kit_with(client_up);
	gw.ike = g.ike;
	mine = gw_session(&gw, client_sa(&c, &g)->id);
	test_reuse(mine);
	test_failure(mine);
	test_sums(mine);
	free(gw.counted);
	free(gw.session);
	xfrm_close(gw.xfrm);
	sd_event_unref(gw.event);
	kit_end("traffic");
	return done();
}
