/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_gateway.c - what the gateway's shell decides by itself, without clients. */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "gateway.h"
#include "random.h"
#include "tap.h"

/* ---- what is written to the log ---- */

static int log_fd = -1, real_stderr = -1;

static void log_begin(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	dup2(log_fd, STDERR_FILENO);
}

/* How many lines had this in them. */
static unsigned log_end(const char *part)
{
	static char text[1 << 16];
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);
	unsigned lines = 0;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(log_fd);
	text[n < 0 ? 0 : n] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		lines += strstr(line, part) != NULL;
	return lines;
}

/* ---- tests ---- */

/* Every Quick Mode of every client meets the same kernel. */
static void test_refused_sas(void)
{
	struct ike_child_fx k = { .child = 1,
				  .spi_in = 0x1000,
				  .spi_out = 0x2000,
				  .local = { ipaddr_v4(0xc0000201), 500 },
				  .peer = { ipaddr_v4(0xc0000202), 500 },
				  .auth = ESP_AUTH_SHA1_96,
				  .enc_len = 3, /* no cipher has such keys */
				  .auth_len = 20,
				  .inner = ipaddr_v4(0x0a636301),
				  .nets = { { ipaddr_v4(0x0a000000), 8 } },
				  .n_nets = 1 };
	struct ike_ticket nobody = { .who = { 0, 7 } };
	struct config *conf = calloc(1, sizeof(*conf));
	struct gw gw = { .config = conf, .fx = calloc(1, sizeof(*gw.fx)) };

	if (unshare(CLONE_NEWNET) < 0 || xfrm_open(&gw.xfrm) < 0) {
		skip(1, "needs root, network namespaces and XFRM");
	} else if (ok(sd_event_new(&gw.event) >= 0 &&
			      ike_new(&conf->ike, random_source, &gw.ike) == 0,
		      "a gateway")) {
		log_begin();
		for (unsigned i = 0; i < 50; i++) {
			fx_add(gw.fx, FX_CHILD_ADD, nobody)->child = &k;
			gw_run_effects(&gw);
		}
		is_int(log_end("the kernel refuses the IPsec SA"), 5,
		       "50 SA pairs that the kernel refuses are not 50 lines");
	}
	ike_free(gw.ike);
	xfrm_close(gw.xfrm);
	sd_event_unref(gw.event);
	free(gw.fx);
	free(conf);
}

static void test_forwarding(void)
{
	ok(gw_check_forwarding(true, AF_INET, 1) == 0 &&
		   gw_check_forwarding(false, AF_INET, 1) == 0,
	   "a host that forwards is fine");
	log_begin();
	is_int(gw_check_forwarding(true, AF_INET, 0), -ENETDOWN,
	       "one that does not can be refused");
	is_int(gw_check_forwarding(false, AF_INET, 0), 0, "or warned about");
	is_int(log_end("net.ipv4.ip_forward=1"), 2, "with the setting");
	log_begin();
	is_int(gw_check_forwarding(true, AF_INET6, 0), -ENETDOWN, "IPv6 is forwarded for itself");
	is_int(log_end("net.ipv6.conf.all.forwarding=1"), 1, "with a setting of its own");
	log_begin();
	is_int(gw_check_forwarding(true, AF_INET, -EACCES), -EACCES,
	       "one that does not say is refused, too");
	is_int(gw_check_forwarding(false, AF_INET, -EACCES), 0, "or warned about");
	is_int(log_end("Permission denied"), 2, "with the reason");
}

int main(void)
{
	test_refused_sas();
	test_forwarding();
	return done();
}
