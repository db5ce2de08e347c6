/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_login.c - logs in many times, one after another, over UDP, with the scripted initiator of
 * tests/lib; for tests/bench/run-login.
 *
 *   bench_login GATEWAY COUNT USER PASSWORD [GROUP [PFS-GROUP]]
 *
 * It offers no NAT traversal, checks no certificate and says how far the logins came: "up" with a
 * Quick Mode, "leased" where the gateway's kernel has no ESP. Each session is deleted again.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "client.h"
#include "ike/cfg_attrs.h"

static int sock;
static uint8_t answer[8192];

/* Sends, and waits for what comes back. An empty span after two seconds of silence. */
static struct span ask(struct span out)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t n;

	if (send(sock, out.p, out.n, 0) < 0 || poll(&p, 1, 2000) != 1)
		return (struct span){ 0 };
	n = recv(sock, answer, sizeof(answer), 0);
	return (struct span){ answer, n > 0 ? (size_t)n : 0 };
}

static bool login(struct client *c, const char *user, const char *password)
{
	static const uint16_t want[] = { INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS };
	struct span in = ask(client_first(c));

	client_second(c, in); /* the signature is the real gateway's: not checked here */
	if (client_open(c, ask(client_third(c))) < 0)
		return false;
	in = ask(client_credentials(c, span_str(user), span_str(password)));
	if (client_open(c, in) < 0 || c->cfg.type != CFG_SET)
		return false;
	in = client_ack(c);
	if (send(sock, in.p, in.n, 0) < 0)
		return false;
	return client_open(c, ask(client_config(c, want, ARRAY_SIZE(want)))) == 0 &&
	       client_take_address(c);
}

static bool quick(struct client *c)
{
	struct span out, none = { 0 };

	if (client_quick2(c, ask(client_quick1(c, none, none))) < 0)
		return false;
	out = client_quick3(c);
	return send(sock, out.p, out.n, 0) > 0;
}

int main(int argc, char **argv)
{
	static struct client c;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(500) };
	unsigned leased = 0, up = 0, count;
	struct timespec a, b;
	double took;

	if (argc < 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: bench_login GATEWAY COUNT USER PASSWORD [GROUP [PFS]]\n");
		return 2;
	}
	count = (unsigned)atoi(argv[2]);
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("connect");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < count; i++) {
		char self[32];
		struct span out;

		snprintf(self, sizeof(self), "10.%u.%u.%u:500", i >> 16 & 255, i >> 8 & 255,
			 i & 255);
		client_init(&c, self, "192.0.2.1:500");
		c.natt = false;
		c.alg.group = argc > 5 ? (uint16_t)atoi(argv[5]) : 14;
		c.pfs = argc > 6 ? (uint16_t)atoi(argv[6]) : 0;
		c.seed ^= (uint32_t)a.tv_nsec;
		if (!login(&c, argv[3], argv[4]))
			continue;
		leased++;
		up += quick(&c);
		out = client_delete_isakmp(&c);
		if (send(sock, out.p, out.n, 0) < 0)
			break;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("%u leased, %u up, of %u, in %.2f s\n", leased, up, count, took);
	return leased == count ? 0 : 1;
}
