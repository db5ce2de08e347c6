/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server.h - the control socket: Varlink (NUL-terminated JSON over AF_UNIX), interface io.vpngw.
 *
 * The server knows nothing of IKE or the kernel. It asks the gateway through ctl_ops for values
 * that are already made for showing, and never blocks: a client that does not read is dropped.
 * Every string in these structures may come from a stranger: give it as it came. JSON escapes it,
 * vpngwctl shows no control character. An empty string means that there is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "addr.h"
#include "bounds.h"

#define CTL_SOCKET  "/run/vpngw/control"
#define CTL_MONITOR "/run/vpngw/monitor" /* the same for looking alone */
#define CTL_SCHEMA  "1.0"                /* schema_version of every answer */

#define CTL_TEXT 160

struct ctl_child {
	uint32_t spi_in, spi_out;
	char state[16];             /* "pending", "ready", "up", "old" */
	char proposal[CTL_TEXT];    /* "aes256-sha256" */
	char networks[512];         /* "10.0.12.0/24, 10.0.13.0/24" */
	char protocol[16];          /* "tcp", or a number; "" for any */
	uint16_t client_port, port; /* 0: any */
	bool encap, ipcomp;
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	uint64_t age_s, expires_in_s; /* expires_in_s 0: never */
};

/* One session. Times are CLOCK_REALTIME seconds; in and out are as the gateway sees them: bytes
 * that came from the client are in. */
struct ctl_session {
	char id[16]; /* "0d2157c2", 8 hex digits: one session's, and stable for its life */
	char user[LIMIT_USER + 1];
	char state[16];                  /* "login", "up" */
	struct ipaddr address;           /* family IP_NONE without one */
	struct ipaddr address6;          /* IPv6, where the client has asked for one */
	char pool[LIMIT_GROUP_NAME + 1]; /* that the address is of */
	struct endpoint peer, local;
	char client[LIMIT_CLIENT_NAME + 1];
	char group[LIMIT_ID + 1];               /* the client's phase 1 identity as text */
	char profile[LIMIT_GROUP_NAME + 1];     /* of the configuration */
	char proposal[CTL_TEXT];                /* phase 1: "aes256-sha256-modp2048" */
	char exchange_mode[16];                 /* "aggressive", "main" */
	char authentication[32];                /* "hybrid_rsa", "xauth_psk" */
	char nat[32];                           /* "none", "client", "gateway", "both", "forced" */
	char fragments[16];                     /* IKE: "none", "received", "sent", "both" */
	char cookies[40];                       /* "0d2157c241d8da43:8a…" */
	uint64_t since_s, idle_s, expires_in_s; /* expires_in_s 0: never */
	uint64_t heard_s;                       /* since the client gave a sign of life */
	uint32_t unanswered;                    /* questions for one since then */
	uint64_t bytes_in, bytes_out;
	uint32_t n_children;
	struct ctl_child child[LIMIT_CHILDREN];
};

struct ctl_lease {
	struct ipaddr address;
	char pool[LIMIT_GROUP_NAME + 1];
	char user[LIMIT_USER + 1];
	bool leased, pinned;
	uint64_t granted_s, released_s; /* 0: never */
};

struct ctl_pool {
	char name[LIMIT_GROUP_NAME + 1];
	struct ipaddr first, last;
	struct prefix network6; /* family IP_NONE: no IPv6 */
	uint32_t size, leased, kept;
	uint32_t draining; /* leased addresses that the pool has no more */
};

struct ctl_counter {
	const char *name;
	uint64_t value;
};

/* A counter since the start of the daemon. */
struct ctl_stat {
	bool refusal; /* counts logins and messages refused for this reason */
	const char *name, *meaning;
	uint64_t value;
};

struct ctl_status {
	char version[32], config_file[256], interface[16], certificate[256];
	char authd[32];    /* "connected", "not connected" */
	char subject[256]; /* of the certificate */
	uint64_t since_s;  /* start of the daemon */
	uint64_t cert_expires_s;
	uint32_t sessions, half_open;
	uint32_t incomplete; /* messages that wait for more of their fragments */
	uint32_t n_pools;
	struct ctl_pool pool[LIMIT_POOLS];
	uint32_t n_counters;
	struct ctl_counter counter[64];
	uint32_t n_warnings;
	const char *warning[32]; /* borrowed: one sentence each */
};

/* Who asks, from SO_PEERCRED, and why. Both texts are escaped. */
struct ctl_peer {
	int pid;
	unsigned uid;
	char user[64];         /* the account's name, or its number */
	char reason[CTL_TEXT]; /* as given to kick; empty without one */
};

/* What differs, or differed: a key of the configuration, or the content of a file that it names. */
struct ctl_change {
	char *setting;   /* owned, as all: "[mode_cfg] dns4" */
	char *from, *to; /* NULL: none, or not for showing */
	char *remedy;    /* what to do so that it holds; NULL: it does */
};

struct ctl_reload {
	struct ctl_change *change; /* owned */
	size_t n_changes;
	char **message; /* owned: what is wrong; of what was taken over, what to think about */
	size_t n_messages;
};

/* False without memory. remedy, from, to: NULL for none. */
bool ctl_reload_add(struct ctl_reload *r, const char *setting, const char *from, const char *to,
		    const char *remedy);
bool ctl_reload_say(struct ctl_reload *r, const char *message);
void ctl_reload_forget(struct ctl_reload *r, size_t n); /* the first n messages */
void ctl_reload_clear(struct ctl_reload *r);

/* One key as it holds. Borrowed until the next turn of the loop. */
struct ctl_setting {
	const char *section, *name, *key, *value, *from;
};

struct ctl_ops {
	/*
	 * Starts at *cursor = 0; false at the end. Fills all of *ret, n_children entries of child
	 * suffice. A walk is spread over turns of the event loop: sessions may come and go between
	 * two calls, kick() included. Then a row may be missed, but none is given twice.
	 */
	bool (*session_next)(void *ctx, uint32_t *cursor, struct ctl_session *ret);
	bool (*lease_next)(void *ctx, uint32_t *cursor, struct ctl_lease *ret);
	void (*status)(void *ctx, struct ctl_status *ret);
	/* The i-th counter; false behind the last. Refusals come behind all others. */
	bool (*stat)(void *ctx, uint32_t i, struct ctl_stat *ret);
	/* Called before the first session that a request shows: take one snapshot of the counters.
	 * May be NULL. */
	void (*snapshot)(void *ctx);
	/* Ends one session by its id. 0, -ENOENT, -EBUSY, -EPERM. */
	int (*kick)(void *ctx, const char *id, const struct ctl_peer *who);
	/* Forgets a kept lease. 0, -ENOENT, -EBUSY while a session has it, -EEXIST when pinned. */
	int (*lease_forget)(void *ctx, const struct ipaddr *addr, const struct ctl_peer *who);
	/* Gives an address to a user for good. 0; -ENOENT: it is in no pool; -EBUSY: another user has
	 * it; -EEXIST: it is pinned to another; -EPERM: the user has an address elsewhere. */
	int (*lease_pin)(void *ctx, const struct ipaddr *addr, const char *user);
	/* 0, -ENOENT when it is not pinned. */
	int (*lease_unpin)(void *ctx, const struct ipaddr *addr);
	/* Reads the configuration again and takes it over, all or nothing; without `apply` only says
	 * what would change. 0, or -EINVAL with what is wrong. *ret is empty before. */
	int (*reload)(void *ctx, bool apply, const struct ctl_peer *who, struct ctl_reload *ret);
	/* The i-th key as it holds, the i-th file that was read; false, NULL behind the last. */
	bool (*setting)(void *ctx, uint32_t i, struct ctl_setting *ret);
	const char *(*config_file)(void *ctx, uint32_t i);
};

struct ctl_server;

/*
 * listen_fd: a listening AF_UNIX stream socket, taken over on success. ops and ctx are borrowed.
 * 0; -ENOTSOCK for another kind of socket; -errno.
 */
int ctl_server_new(sd_event *event, int listen_fd, const struct ctl_ops *ops, void *ctx,
		   struct ctl_server **ret);
/* From here on nothing can be changed through it. */
void ctl_server_read_only(struct ctl_server *s);
struct ctl_server *ctl_server_free(struct ctl_server *s);
