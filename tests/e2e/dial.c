/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dial.c - the clients that dial by themselves (tests/lib/dialer.h) over UDP, for scenarios that need
 * many of them, or one that says what it knows.
 *
 *   dial GATEWAY USER PASSWORD
 *
 * Each word on standard input does something, and each has one line on standard output, which begins
 * with `failed' when it did not work:
 *
 *   new    another client; the one before falls silent, as it is
 *   float  it offers NAT traversal, from ports that a NAT might have given it
 *   up     logs in, from the beginning if it must: `up CALLS SPI-IN SPI-OUT', of the gateway's pair
 *   rekey  `rekeyed SPI-IN SPI-OUT'
 *   ask    whether the gateway knows the session: `answered'
 *   roam   the same from other ports
 *   down   says good-bye, once: `down'
 *
 * It sends no ESP and believes whatever the gateway proves itself by.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "dialer.h"
#include "ike/vid.h"

#define SECOND  UINT64_C(1000000)
#define A_CALL  (3 * SECOND)  /* then it begins anew */
#define A_LOGIN (60 * SECOND) /* then it gives up */
#define A_WAIT  (20 * SECOND) /* for anything else */

static struct dialer d;
static struct in_addr gateway;
static int sock[2] = { -1, -1 }; /* to port 500 and to port 4500 */
static unsigned clients, calls;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec / 1000;
}

static void open_sockets(void)
{
	static const uint16_t port[] = { 500, 4500 };

	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET,
					  .sin_port = htons(port[i]),
					  .sin_addr = gateway };

		if (sock[i] >= 0)
			close(sock[i]);
		sock[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (sock[i] < 0 || connect(sock[i], (struct sockaddr *)&to, sizeof(to)) < 0) {
			perror("dial");
			exit(2);
		}
	}
}

/* ---- the wire ---- */

/* An error of an earlier datagram, which is told now, is no reason not to send this one. */
static void put(bool natt, struct span data)
{
	uint8_t b[4 + sizeof(d.out[0].b)] = { 0 };
	size_t marker = natt ? 4 : 0;

	if (!data.n || data.n > sizeof(d.out[0].b))
		return;
	memcpy(b + marker, data.p, data.n);
	for (unsigned i = 0; i < 3 && send(sock[natt], b, marker + data.n, 0) < 0; i++)
		perror("dial: send");
}

static void flush_out(void)
{
	for (unsigned i = 0; i < d.n_out; i++)
		put(d.out[i].natt, (struct span){ d.out[i].b, d.out[i].n });
	d.n_out = 0;
}

static void read_from(unsigned i)
{
	static uint8_t b[65536];
	ssize_t n;

	while ((n = recv(sock[i], b, sizeof(b), 0)) >= 0 || errno == ECONNREFUSED) {
		size_t marker = i ? 4 : 0;

		if (n > (ssize_t)marker)
			dialer_input(&d, (struct span){ b + marker, (size_t)n - marker }, now_us());
		flush_out();
	}
}

/* Lets the client live until something comes or falls due, or `until`, or a word can be read. True: a
 * word can. */
static bool live(uint64_t until, bool words)
{
	struct pollfd p[3] = { { .fd = sock[0], .events = POLLIN },
			       { .fd = sock[1], .events = POLLIN },
			       { .fd = words ? STDIN_FILENO : -1, .events = POLLIN } };
	uint64_t now = now_us(), due = dialer_due(&d) < until ? dialer_due(&d) : until;
	int wait_ms = due == UINT64_MAX ? -1 : due > now ? (int)((due - now) / 1000 + 1) : 0;

	poll(p, 3, wait_ms);
	read_from(0);
	read_from(1);
	dialer_tick(&d, now_us());
	flush_out();
	return p[2].revents;
}

/* ---- words ---- */

static void new_client(void)
{
	char self[32];

	clients++;
	snprintf(self, sizeof(self), "10.%u.%u.%u:500", clients >> 16 & 255, clients >> 8 & 255,
		 clients & 255);
	dialer_init(&d, self, "192.0.2.1:500");
	d.c.trusting = true;
	d.c.natt = 0;
	d.c.alg.group = 31;
	d.c.initial_contact = true;
	d.c.seed ^= (uint32_t)now_us() + clients * 2654435761u;
	open_sockets();
}

static void say_pair(const char *word)
{
	printf("%s %08" PRIx32 " %08" PRIx32 "\n", word, d.pair.spi_out, d.pair.spi_in);
}

static void up(void)
{
	uint64_t end = now_us() + A_LOGIN, again = 0;
	char word[32];

	for (calls = 0; d.state != DIAL_UP && now_us() < end;) {
		if (now_us() >= again || d.state == DIAL_FAILED || d.state == DIAL_IDLE) {
			calls++;
			again = now_us() + A_CALL;
			dialer_call(&d, now_us());
			flush_out();
		}
		live(again, false);
	}
	snprintf(word, sizeof(word), "up %u", calls);
	if (d.state == DIAL_UP)
		say_pair(word);
	else
		printf("failed: not up after %u calls\n", calls);
}

static const char *state(void)
{
	return d.state == DIAL_UP     ? "nobody answers"
	       : d.state == DIAL_IDLE ? "the gateway has ended it"
				      : "it is not up";
}

static void rekey(void)
{
	uint64_t end = now_us() + A_WAIT;

	dialer_rekey(&d, now_us());
	flush_out();
	while (d.state == DIAL_UP && d.request_n && now_us() < end)
		live(end, false);
	if (d.state == DIAL_UP && !d.request_n)
		say_pair("rekeyed");
	else
		printf("failed: no new pair: %s\n", state());
}

static void ask(void)
{
	uint64_t end = now_us() + A_WAIT;

	d.unanswered = 0;
	while (d.state == DIAL_UP && now_us() < end) {
		uint64_t again = now_us() + SECOND;

		d.next_us = now_us();
		do
			live(again, false);
		while (d.state == DIAL_UP && d.unanswered && now_us() < again);
		if (!d.unanswered)
			break;
	}
	if (d.state == DIAL_UP && !d.unanswered)
		printf("answered\n");
	else
		printf("failed: no sign of life: %s\n", state());
}

static void down(void)
{
	put(d.c.floated, client_delete_isakmp(&d.c));
	d.state = DIAL_IDLE;
	d.request_n = 0;
	d.next_us = UINT64_MAX;
	printf("down\n");
}

static void do_word(const char *word)
{
	if (strcmp(word, "new") == 0) {
		new_client();
		printf("new\n");
	} else if (strcmp(word, "float") == 0) {
		d.c.natt = VID_NATT_RFC;
		printf("float\n");
	} else if (strcmp(word, "up") == 0) {
		up();
	} else if (strcmp(word, "rekey") == 0) {
		rekey();
	} else if (strcmp(word, "ask") == 0) {
		ask();
	} else if (strcmp(word, "roam") == 0) {
		open_sockets();
		ask();
	} else if (strcmp(word, "down") == 0) {
		down();
	} else {
		printf("failed: what is %s?\n", word);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char text[4096], *at, *end;
	size_t n = 0;
	ssize_t got;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &gateway) != 1) {
		fprintf(stderr, "usage: dial GATEWAY USER PASSWORD\n");
		return 2;
	}
	new_client();
	for (;;) {
		d.user = argv[2];
		d.password = argv[3];
		end = memchr(text, '\n', n);
		if (end) {
			*end = '\0';
			for (at = text; *at == ' '; at++)
				;
			do_word(at);
			n -= (size_t)(end + 1 - text);
			memmove(text, end + 1, n);
			continue;
		}
		if (!live(UINT64_MAX, true))
			continue;
		got = n < sizeof(text) ? read(STDIN_FILENO, text + n, sizeof(text) - n) : 0;
		if (got <= 0)
			return 0;
		n += (size_t)got;
	}
}
