/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config.h - vpngw.conf, read and checked.
 *
 * One table in config_keys.c names every key with its parser, bounds, default and help; the
 * installed vpngw.conf, vpngw.conf(5) and --print-config are renderings of it, and a test says
 * so. The result is a value: whoever uses it borrows it as const.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "addr.h"
#include "bounds.h"
#include "ike/conf.h"
#include "pool/pool.h"

#define CONFIG_FILE "/vpngw/vpngw.conf" /* below sysconfdir */

enum conf_auth_source {
	CONF_AUTH_FILE,
	CONF_AUTH_PAM,
	CONF_AUTH_SYSTEM,
	CONF_AUTH_RADIUS,
};

enum conf_forwarding {
	CONF_FORWARDING_WARN,
	CONF_FORWARDING_REFUSE,
};

enum conf_weak { /* weak_certificates */
	CONF_WEAK_SHA1,
	CONF_WEAK_RSA1024,
};

struct conf_listen {
	struct endpoint isakmp[8], isakmp_natt[8];
	uint8_t n_isakmp, n_isakmp_natt;
	char control_group[64];
};

struct conf_gateway {
	char *certificate;   /* owned: path of a PEM file, leaf first */
	char *private_key;   /* owned: path, or "credential:NAME" */
	char *my_identifier; /* owned: "asn1dn", "fqdn:NAME", "address" */
	bool send_chain;     /* leaf and intermediates, not the leaf alone */
	/* owned: "file:line:col" of the three, for what is found out later; of a default the
	 * beginning of the main file */
	char *certificate_at, *private_key_at, *my_identifier_at;
};

/* strongSwan's words. A set. */
enum conf_copy_dscp {
	CONF_COPY_DSCP_NO = 0,
	CONF_COPY_DSCP_OUT = 1, /* to the outer header of what leaves */
	CONF_COPY_DSCP_IN = 2,  /* from it */
	CONF_COPY_DSCP_YES = CONF_COPY_DSCP_OUT | CONF_COPY_DSCP_IN,
};

struct conf_tunnel {
	char interface[16]; /* "" for interface = none */
	uint32_t esp_frag;  /* bytes; 0 = off */
	uint32_t mssclamp;  /* largest MSS of TCP; 0 = off; or this: what fits */
#define CONF_MSSCLAMP_AUTO 1
	enum conf_forwarding forwarding_check;
	bool copy_df;
	enum conf_copy_dscp copy_dscp;
};

struct conf_radius_server {
	struct endpoint at;
	char *secret;       /* owned: path, or "credential:NAME" */
	uint32_t timeout_s; /* until a request is repeated */
	uint32_t retries;   /* how often it is, before the next server is asked */
	bool lax;           /* answers without a Message-Authenticator count */
};

struct conf_auth {
	enum conf_auth_source source;
	struct conf_radius_server
		radius[LIMIT_RADIUS_SERVERS]; /* in the order in which they are asked */
	uint8_t n_radius;
	char nas_identifier[64]; /* "": the name of this host */
	char pam_service[64];
	char *users_file; /* owned */
	uint32_t workers, max_pending;
	uint32_t deadline_s; /* one password check */
	char **groups;       /* owned; empty: anyone */
	size_t n_groups;
	char **profile_groups; /* owned: what profiles have in match_group */
	size_t n_profile_groups;
	uint32_t fail_count, fail_window_s; /* fail_limit; 0: no limit */
};

struct conf_pool {
	struct pool_conf pool;
	struct prefix network6; /* family IP_NONE: no IPv6 addresses */
	uint8_t netmask_len;
	char *store; /* owned: path of the lease database; "" keeps leases in memory only */
};

/* When another value of a key holds, in a gateway that runs. */
enum conf_apply {
	CONF_APPLY_RELOAD, /* with a reload */
	CONF_APPLY_START,  /* with the next start */
	CONF_APPLY_AUTHD,  /* with the next start of vpngw-authd */
	CONF_APPLY_NFT,    /* when vpngw-nft.service has loaded its rules */
};

/* One key with what holds, for showing and comparing. */
struct conf_item {
	const char *section, *key;       /* static */
	char name[LIMIT_GROUP_NAME + 1]; /* of a pool; else empty */
	enum conf_apply apply;
	char *value; /* owned: as it is written, a line for each assignment to a list */
	char *at;    /* owned: "file:line" or "default" */
};

/* What [profile "name"] says; the rest is in `ike`, with what it inherits. */
struct conf_profile {
	char name[LIMIT_GROUP_NAME + 1], pool[LIMIT_GROUP_NAME + 1];
	struct id_match id[LIMIT_MATCHES];
	uint8_t n_ids;
	char **group; /* owned */
	size_t n_groups;
	/* Their texts and those of `id` are owned; NULL: inherited. */
	char *default_domain, *split_dns, *backup_servers, *banner_file, *banner;
	struct ike_profile ike;
};

struct config {
	struct conf_listen listen;
	struct conf_gateway gateway;
	struct conf_tunnel tunnel;
	struct conf_auth auth;
	struct conf_pool *pool; /* owned array */
	size_t n_pools;
	char *banner_file;            /* owned: path or "" */
	struct conf_profile *profile; /* owned array, in the order of the files */
	size_t n_profiles;
	struct ike_profile *ike_profile; /* owned: the same for ike.profile */
	char *psk_file;                  /* owned: path, or "credential:NAME" */
	struct psk_table *psk;           /* owned; NULL until config_load_psk() */
	char *ca_file;                   /* owned: path */
	char *crl_file;                  /* owned: path or NULL */
	uint16_t weak_certificates[2];
	uint8_t n_weak_certificates;
	uint32_t replay_window;
	/*
	 * Everything the core needs except what comes out of the certificate: my_id, cert[]. The
	 * spans in ike.modecfg point into memory owned by this structure.
	 */
	struct ike_conf ike;
	char *default_domain, *split_dns, *backup_servers, *banner, *version; /* owned */
	char **warnings; /* owned: what is weak, one sentence each, for the log at start */
	size_t n_warnings;
	struct conf_item *item; /* owned: every key, in the order of the installed file */
	size_t n_items;
	char **file; /* owned: those that were read, in that order */
	size_t n_files;
};

/*
 * Reads the main file and its drop-ins. On failure returns -EINVAL (or -errno for the main file
 * itself) and writes "file:line:col: what is wrong, what is expected" lines to `err`, one for each
 * mistake. Does not open the certificate, the key or the users file.
 *
 * path NULL: the installed place; then drop-ins are read from vpngw.conf.d in /usr/lib/vpngw,
 * LIBDIR (where that is another), SYSCONFDIR/vpngw and /run/vpngw, merged by file name, where the
 * same name in a later place hides the earlier. With a path, only PATH.d/ is read.
 */
int config_load(const char *path, FILE *err, struct config **ret);
struct config *config_free(struct config *c);

/*
 * Reads psk_file where xauth_psk is named, and adds warnings about what is in it. On failure
 * -EINVAL, or what the system says, with a line for each mistake in `err`. check_only: a file that
 * this user may not read is a warning. Where it is not named, or it is called twice: nothing.
 */
int config_load_psk(struct config *c, bool check_only, FILE *err);

/* ---- one configuration after another (config_reload.c) ---- */

/* An item that differs; either side NULL where it has no such key. The strings hold as long as both
 * configurations do. -errno ends the walk. */
typedef int (*config_diff_fn)(void *ctx, const struct conf_item *from, const struct conf_item *to);
int config_diff(const struct config *from, const struct config *to, config_diff_fn fn, void *ctx);

/* What a running gateway cannot change goes into c as `running` has it, items included. 0, or
 * -ENOMEM: then c is good for nothing. */
int config_keep(struct config *c, const struct config *running);

/* Somebody may log in with a shared key. */
bool config_wants_psk(const struct config *c);

/* Every key with its value and where it was set, in the file's own syntax. */
int config_print(const char *path, FILE *out, FILE *err);
