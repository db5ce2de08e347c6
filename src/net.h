/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * net.h - the UDP sockets: 500 for ISAKMP, 4500 for ISAKMP with the non-ESP marker beside ESP in
 * UDP (RFC 3948), IPv4 and IPv6 each with its own.
 *
 * Answers leave from the address and port that the request was sent to.
 */
#pragma once

#include <systemd/sd-event.h>

#include "config.h"
#include "ike/ike.h"

struct net;

/* Called for each datagram that may be ISAKMP; the view holds during the call. */
typedef void (*net_fn)(void *ctx, const struct ike_dgram *d);

/*
 * Takes over the UDP sockets among the n_fds descriptors that systemd passed, told apart by their
 * port; binds those of the configuration when there is none. 0 or -errno, with a line in the log.
 * What arrives waits in their queues.
 */
int net_new(const struct config *config, const int *fds, unsigned n_fds, struct net **ret);
struct net *net_free(struct net *n);

/* Hears what arrives, from here on. 0 or -errno. */
int net_listen(struct net *n, sd_event *event, net_fn fn, void *ctx);

/* 0 or -errno; a full queue or an unreachable peer is no reason to do anything: IKE repeats. */
int net_send(struct net *n, const struct endpoint *local, const struct endpoint *peer, bool natt,
	     struct span data);
