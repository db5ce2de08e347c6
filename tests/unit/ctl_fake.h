/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctl_fake.h - a gateway that exists only on paper, the real control server on a real socket in a
 * temporary folder, and clients of it. Everything runs in one thread: whoever waits turns the
 * server's loop meanwhile, and the longest turn is measured in CPU time.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "ctl/server_private.h"
#include "ctl/varlink.h"
#include "log.h"
#include "tap.h"

#define NAMED 8          /* sessions that a test fills itself */
#define EPOCH 1795460045 /* 2026-11-23T18:54:05Z */

struct fake {
	/* The gateway */
	uint32_t n; /* sessions; the first NAMED are `named`, the others are made up */
	struct ctl_session named[NAMED];
	uint8_t *gone; /* sessions that were kicked */
	uint32_t n_leases;
	int kick_error, forget_error, pin_error;
	char pinned_to[LIMIT_USER + 1]; /* empty: unpinned */
	unsigned snapshots, kicks;
	struct ctl_peer who; /* of the last kick or release */
	struct ipaddr forgotten;
	const char *warning;
	unsigned reloads;
	bool bad_config, no_change;
	const char *file; /* of the configuration */

	/* The server */
	char dir[64], path[80], log[80];
	sd_event *event;
	struct ctl_server *server;
	uint64_t longest_us, spent_us; /* CPU time of one turn, of all */
	unsigned turns;
};

static inline uint64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the gateway ---- */

/* As ike_session_name() makes them: the first session is 5e550001. */
static void made_up_id(uint32_t i, char id[static 9])
{
	snprintf(id, 9, "%08x", 0x5e550001 + i);
}

static void made_up_session(uint32_t i, struct ctl_session *s)
{
	memset(s, 0, sizeof(*s));
	made_up_id(i, s->id);
	snprintf(s->user, sizeof(s->user), "user%u", i);
	strcpy(s->state, "up");
	s->address = ipaddr_v4(0x0a090000 + 2 + i);
	strcpy(s->pool, i % 2 ? "guests" : "default");
	s->peer = (struct endpoint){ ipaddr_v4(0xc6336400 + i % 250), 4500 };
	s->local = (struct endpoint){ ipaddr_v4(0xc0000201), 4500 };
	strcpy(s->client, "Cisco Systems VPN Client 5.0.07:Linux");
	strcpy(s->group, "roadwarriors");
	strcpy(s->profile, "staff");
	strcpy(s->proposal, "aes256-sha256-modp2048");
	strcpy(s->exchange_mode, "main");
	strcpy(s->authentication, "xauth_psk");
	strcpy(s->nat, "client");
	strcpy(s->fragments, i % 2 ? "both" : "none");
	strcpy(s->cookies, "0d2157c241d8da43:8a00112233445566");
	s->since_s = EPOCH;
	s->idle_s = 65;
	s->heard_s = 21;
	s->unanswered = i % 2;
	s->expires_in_s = 3600;
	s->bytes_in = 1536;
	s->bytes_out = UINT64_C(12) << 20;
	s->n_children = 1;
	s->child[0] = (struct ctl_child){ .spi_in = 0xc1a2b3d4,
					  .spi_out = 0x00000fff,
					  .proposal = "aes256-sha256",
					  .networks = "10.0.12.0/24, 10.0.13.0/24",
					  .protocol = "tcp",
					  .port = 22,
					  .encap = true,
					  .bytes_in = 1536,
					  .bytes_out = UINT64_C(12) << 20,
					  .packets_in = 12,
					  .packets_out = 9000,
					  .state = "up",
					  .age_s = 1800,
					  .expires_in_s = 1800 };
}

static bool fake_session_next(void *ctx, uint32_t *cursor, struct ctl_session *ret)
{
	struct fake *f = ctx;

	while (*cursor < f->n && f->gone[*cursor])
		(*cursor)++;
	if (*cursor >= f->n)
		return false;
	if (*cursor < NAMED)
		*ret = f->named[*cursor];
	else
		made_up_session(*cursor, ret);
	(*cursor)++;
	return true;
}

static bool fake_lease_next(void *ctx, uint32_t *cursor, struct ctl_lease *ret)
{
	struct fake *f = ctx;
	uint32_t i = *cursor;

	if (i >= f->n_leases)
		return false;
	*ret = (struct ctl_lease){ .address = ipaddr_v4(0x0a090002 + i), .pool = "default" };
	snprintf(ret->user, sizeof(ret->user), "user%u", i);
	ret->leased = i % 2 == 0;
	ret->pinned = i % 4 >= 2;
	ret->granted_s = EPOCH;
	ret->released_s = ret->leased ? 0 : EPOCH + 60;
	(*cursor)++;
	return true;
}

static void fake_status(void *ctx, struct ctl_status *ret)
{
	struct fake *f = ctx;

	*ret = (struct ctl_status){
		.version = "9.9",
		.config_file = "/etc/vpngw/vpngw.conf",
		.interface = "vpn0",
		.certificate = "/etc/vpngw/certs/gateway.pem",
		.authd = "connected",
		.subject = "CN=vpn.example.net",
		.since_s = EPOCH,
		.cert_expires_s = UINT64_C(4102444800),
		.sessions = f->n,
		.half_open = 3,
		.incomplete = 4,
		.n_pools = 1,
		.n_counters = 2,
		.n_warnings = 1,
		.warning = { f->warning },
	};
	strcpy(ret->pool[0].name, "default");
	ret->pool[0].first = ipaddr_v4(0x0a090002);
	ret->pool[0].last = ipaddr_v4(0x0a0900fe);
	ret->pool[0].size = 253;
	ret->pool[0].leased = 12;
	ret->pool[0].kept = 5;
	ret->pool[0].draining = 2;
	prefix_parse("fd00:99::/64", &ret->pool[0].network6);
	ret->counter[0] = (struct ctl_counter){ "logins", 77 };
	ret->counter[1] = (struct ctl_counter){ "logins_failed", UINT64_MAX };
}

static bool fake_stat(void *ctx, uint32_t i, struct ctl_stat *ret)
{
	static const struct ctl_stat stat[] = {
		{ false, "logins", "people who got in", 77 },
		{ false, "resent", "answers sent again", 0 },
		{ true, "auth-failed", "login refused", 12345678 },
		{ true, "busy", "too much cryptography under way", 0 },
	};

	(void)ctx;
	if (i < sizeof(stat) / sizeof(*stat))
		*ret = stat[i];
	return i < sizeof(stat) / sizeof(*stat);
}

static void fake_snapshot(void *ctx)
{
	((struct fake *)ctx)->snapshots++;
}

static int fake_kick(void *ctx, const char *id, const struct ctl_peer *who)
{
	struct fake *f = ctx;
	struct ctl_session s;

	if (f->kick_error)
		return f->kick_error;
	f->who = *who;
	for (uint32_t i = 0; i < f->n; i++) {
		if (i < NAMED)
			s = f->named[i];
		else
			made_up_id(i, s.id);
		if (strcmp(s.id, id) != 0)
			continue;
		if (f->gone[i])
			return -ENOENT;
		f->gone[i] = 1;
		f->kicks++;
		return 0;
	}
	return -ENOENT;
}

static int fake_forget(void *ctx, const struct ipaddr *addr, const struct ctl_peer *who)
{
	struct fake *f = ctx;

	f->who = *who;
	f->forgotten = *addr;
	return f->forget_error;
}

static int fake_pin(void *ctx, const struct ipaddr *addr, const char *user)
{
	struct fake *f = ctx;

	f->forgotten = *addr;
	snprintf(f->pinned_to, sizeof(f->pinned_to), "%s", user);
	return f->pin_error;
}

static int fake_unpin(void *ctx, const struct ipaddr *addr)
{
	return fake_pin(ctx, addr, "");
}

static int fake_reload(void *ctx, bool apply, const struct ctl_peer *who, struct ctl_reload *ret)
{
	struct fake *f = ctx;

	f->who = *who;
	f->reloads += apply;
	if (f->bad_config) {
		ctl_reload_say(ret, "/etc/vpngw/vpngw.conf:7:9: dns4: '10.0.0.300' is no address");
		ctl_reload_say(ret, "/etc/vpngw/vpngw.conf:9:1: '\033[2J' is no key");
		return -EINVAL;
	}
	if (f->no_change)
		return 0;
	ctl_reload_add(ret, "[mode_cfg] dns4", "10.0.0.1", "10.0.0.2, 10.0.0.3", NULL);
	ctl_reload_add(ret, "[mode_cfg] banner: content", NULL, NULL, NULL);
	ctl_reload_add(ret, "[listen] isakmp", "0.0.0.0:500", "0.0.0.0:501",
		       "systemctl restart vpngw");
	ctl_reload_say(ret, f->warning);
	return 0;
}

static bool fake_setting(void *ctx, uint32_t i, struct ctl_setting *ret)
{
	static const struct ctl_setting all[] = {
		{ "phase1", "", "lifetime", "24h", "default" },
		{ "mode_cfg", "", "split_network", "include 10.0.12.0/24\ninclude 10.0.13.0/24",
		  "/etc/vpngw/vpngw.conf:9" },
		{ "mode_cfg", "", "wins4", "", "default" },
		{ "pool", "default", "pool_size", "50", "/etc/vpngw/vpngw.conf:12" },
	};

	(void)ctx;
	if (i >= sizeof(all) / sizeof(*all))
		return false;
	*ret = all[i];
	return true;
}

static const char *fake_config_file(void *ctx, uint32_t i)
{
	struct fake *f = ctx;

	return i == 0 ? f->file : NULL;
}

static const struct ctl_ops fake_ops = {
	.session_next = fake_session_next,
	.lease_next = fake_lease_next,
	.status = fake_status,
	.stat = fake_stat,
	.snapshot = fake_snapshot,
	.kick = fake_kick,
	.lease_forget = fake_forget,
	.lease_pin = fake_pin,
	.lease_unpin = fake_unpin,
	.reload = fake_reload,
	.setting = fake_setting,
	.config_file = fake_config_file,
};

/* n sessions, all made up and all there. */
static void fake_sessions(struct fake *f, uint32_t n)
{
	free(f->gone);
	f->gone = calloc(n + 1, 1);
	f->n = n;
	f->kicks = 0;
	for (uint32_t i = 0; i < NAMED; i++)
		made_up_session(i, &f->named[i]);
}

/* ---- the server ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 128) < 0)
		abort();
	return fd;
}

/* What the server logs goes to a file. */
static void fake_start(struct fake *f)
{
	int log_fd;

	strcpy(f->dir, "/tmp/vpngw-ctl-XXXXXX");
	if (!mkdtemp(f->dir) || sd_event_new(&f->event) < 0)
		abort();
	snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	log_fd = open(f->log, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	dup2(log_fd, STDERR_FILENO);
	close(log_fd);
	log_open("vpngw", false);
	f->warning = "phase 1 accepts SHA-1";
	f->file = "/nonexistent/vpngw.conf";
	fake_sessions(f, 3);
	if (ctl_server_new(f->event, listen_at(f->path), &fake_ops, f, &f->server) < 0)
		abort();
}

static void fake_stop(struct fake *f)
{
	f->server = ctl_server_free(f->server);
	sd_event_unref(f->event);
	free(f->gone);
	unlink(f->path);
	unlink(f->log);
	rmdir(f->dir);
}

/* One turn of the loop; waits that long for something to do. */
static int fake_turn(struct fake *f, uint64_t wait_us)
{
	uint64_t start, took;
	int r;

	/* Waiting is no CPU time. */
	start = clock_us(CLOCK_THREAD_CPUTIME_ID);
	r = sd_event_run(f->event, wait_us);
	took = clock_us(CLOCK_THREAD_CPUTIME_ID) - start;
	f->spent_us += took;
	f->turns++;
	if (took > f->longest_us)
		f->longest_us = took;
	return r;
}

static void fake_settle(struct fake *f)
{
	while (fake_turn(f, 0) > 0)
		;
}

__attribute__((unused)) static void fake_run_for(struct fake *f, unsigned ms)
{
	uint64_t end = clock_us(CLOCK_MONOTONIC) + ms * 1000;

	while (clock_us(CLOCK_MONOTONIC) < end)
		fake_turn(f, 1000);
}

__attribute__((unused)) static bool log_has(const struct fake *f, const char *text)
{
	static char all[1 << 20];
	int fd = open(f->log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, all, sizeof(all) - 1);

	if (fd >= 0)
		close(fd);
	all[n > 0 ? n : 0] = '\0';
	return strstr(all, text) != NULL;
}

/* ---- a client ---- */

struct peer {
	struct fake *f;
	int fd;
	struct varlink_buf in;
};

static struct peer peer_open(struct fake *f)
{
	struct peer p = { .f = f, .in = { .max = VARLINK_REPLY_MAX } };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(sa.sun_path, f->path);
	p.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p.fd < 0 || connect(p.fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		abort();
	return p;
}

static void peer_close(struct peer *p)
{
	close(p->fd);
	varlink_buf_reset(&p->in);
	fake_settle(p->f);
}

/* Bytes sent before the server hung up; all of n otherwise. */
static size_t peer_send(struct peer *p, const void *data, size_t n)
{
	size_t sent = 0;

	while (sent < n) {
		ssize_t got = send(p->fd, (const char *)data + sent, n - sent, MSG_NOSIGNAL);

		if (got < 0 && errno == EAGAIN)
			fake_turn(p->f, 10000);
		else if (got < 0)
			return sent;
		else
			sent += (size_t)got;
	}
	return sent;
}

/* The text and its NUL. */
static void peer_say(struct peer *p, const char *text)
{
	peer_send(p, text, strlen(text) + 1);
}

/* 1: bytes came; 0: the server hung up; -1: nothing within the time. */
static int peer_read(struct peer *p, unsigned ms)
{
	uint64_t end = clock_us(CLOCK_MONOTONIC) + ms * 1000;

	for (;;) {
		void *to;
		size_t n;
		ssize_t got;

		if (varlink_buf_space(&p->in, &to, &n) < 0)
			abort();
		got = recv(p->fd, to, n, 0);
		if (got > 0) {
			varlink_buf_add(&p->in, (size_t)got);
			return 1;
		}
		if (got == 0 || errno != EAGAIN)
			return 0;
		if (clock_us(CLOCK_MONOTONIC) > end)
			return -1;
		fake_turn(p->f, 2000);
	}
}

/* The next reply, owned by the caller; NULL when the server hung up or is silent for 5 s. */
static json_t *peer_hear(struct peer *p)
{
	struct varlink_reply r;
	struct span message;

	while (!varlink_buf_next(&p->in, &message)) {
		if (peer_read(p, 5000) <= 0)
			return NULL;
	}
	return varlink_reply_parse(message, &r) == 0 ? r.root : NULL;
}

/* True when the server hangs up within the time. What it says before that is read over. */
__attribute__((unused)) static bool peer_hung_up(struct peer *p, unsigned ms)
{
	int r;

	while ((r = peer_read(p, ms)) > 0)
		varlink_buf_reset(&p->in);
	return r == 0;
}

/* One call on a connection of its own; `parameters` is JSON text or NULL. */
__attribute__((unused)) static json_t *ask(struct fake *f, const char *method,
					   const char *parameters)
{
	struct peer p = peer_open(f);
	char text[2048];
	json_t *reply;

	snprintf(text, sizeof(text), "{\"method\":\"%s\",\"parameters\":%s}", method,
		 parameters ? parameters : "{}");
	peer_say(&p, text);
	reply = peer_hear(&p);
	peer_close(&p);
	return reply;
}

/* reply.parameters.key as text, reply.error, or "" */
__attribute__((unused)) static const char *reply_text(const json_t *reply, const char *key)
{
	const char *v =
		json_string_value(json_object_get(json_object_get(reply, "parameters"), key));

	return v ? v : "";
}

__attribute__((unused)) static const char *reply_error(const json_t *reply)
{
	const char *v = json_string_value(json_object_get(reply, "error"));

	return v ? v : "";
}

/* A test: the reply, which is freed, is this error. */
__attribute__((unused)) static void is_error(json_t *reply, const char *error, const char *name)
{
	is_str(reply_error(reply), error, name);
	json_decref(reply);
}

__attribute__((unused)) static json_t *reply_array(const json_t *reply, const char *key)
{
	return json_object_get(json_object_get(reply, "parameters"), key);
}
