/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_radius_server.h - one RADIUS server: its secret, sockets to it, whether it answers, and
 * what the journal says about it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/radius_msg.h"
#include "config.h"
#include "log.h"

#define RADIUS_SECRET_MAX 253 /* bytes */

struct radius_server {
	const struct conf_radius_server *conf; /* borrowed */
	char name[ENDPOINT_STRLEN];
	uint8_t secret[RADIUS_SECRET_MAX];
	size_t secret_len; /* 0: not read yet */
	bool silent;
	uint64_t silent_until; /* asked after the others until then */
	struct log_limit trouble, ignored;
};

void radius_server_init(struct radius_server *s, const struct conf_radius_server *conf);

/* Reads the secret unless it has been read. 0, or -errno with a sentence and its remedy in why. */
int radius_server_secret(struct radius_server *s, char *why, size_t cap);

/* A socket that hears nobody but the server, and the address that it is on. 0, or -errno with a
 * sentence in why. */
int radius_server_open(const struct radius_server *s, int *ret_fd, struct ipaddr *ret_own,
		       char *why, size_t cap);

/* In words; error: -errno of a socket to a server. */
void radius_server_why(int error, char *why, size_t cap);

/* Could it be asked? As authd_source_probe(). secret false: its file is not looked at. */
int radius_server_probe(struct radius_server *s, bool secret, char *why, size_t cap);

/* What became of a request; why: as a sentence goes on behind the server's name and a colon; now:
 * microseconds. */
void radius_server_is_silent(struct radius_server *s, const char *why, uint64_t now);
void radius_server_answers(struct radius_server *s);
void radius_server_ignored(struct radius_server *s, enum radius_flaw flaw, uint64_t now);
