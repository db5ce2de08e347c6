/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_keys.c - every section and key that vpngw.conf may hold.
 *
 * Parser, field, bounds, default and help of a key stand in one row. The installed vpngw.conf,
 * vpngw.conf(5) and --print-config are renderings of these rows; tests/unit/shell_config.c says
 * so. Words follow racoon.conf where the meaning is the same.
 */
#include "config_keys.h"

#include "cleanup.h"
#include "ike/names.h"

#define C(member)      offsetof(struct config, member)
#define P(member)      offsetof(struct conf_pool, member)
#define R(member)      offsetof(struct conf_profile, member)
#define ITEMS(member)  ARRAY_SIZE(((struct config *)NULL)->member)
#define LENGTH(member) (sizeof(((struct config *)NULL)->member) - 1)
#define MINUTE         60
#define HOUR           (60 * MINUTE)
#define DAY            (24 * HOUR)
#define LEAST_LIFE     10 /* seconds: time for a rekey and its repetition */

const struct conf_section conf_sections[] = {
	{ .name = "listen" },
	{ .name = "gateway" },
	{ .name = "phase1" },
	{ .name = "phase2" },
	{ .name = "tunnel" },
	{ .name = "auth" },
	{ .name = "pool", .named = true },
	{ .name = "mode_cfg" },
	{ .name = "radius" },
	{ .name = "accounting" },
	{ .name = "hooks", .later = "it will run programs when sessions come and go" },
	{ .name = "profile", .named = true },
};
const size_t conf_n_sections = ARRAY_SIZE(conf_sections);

/* ---- words ---- */

#define WORDS(...) ((const struct conf_word[]){ __VA_ARGS__, { 0 } })
#define ON_OFF     WORDS({ "on", 1, NULL }, { "off", 0, NULL })

/* ---- keys, in the order of the installed file ---- */

const struct conf_key conf_keys[] = {
	{ "listen", "isakmp", conf_parse_endpoint, .field = C(listen.isakmp),
	  .count = C(listen.n_isakmp), .max = ITEMS(listen.isakmp), .list = true,
	  .dflt = "0.0.0.0:500, [::]:500",
	  .help = "Addresses and ports for IKE. Not used for sockets that systemd hands over.",
	  .apply = CONF_APPLY_START },
	{ "listen", "isakmp_natt", conf_parse_endpoint, .field = C(listen.isakmp_natt),
	  .count = C(listen.n_isakmp_natt), .max = ITEMS(listen.isakmp_natt), .list = true,
	  .dflt = "0.0.0.0:4500, [::]:4500",
	  .help = "Addresses and ports for IKE and ESP in UDP, for clients behind a NAT.",
	  .apply = CONF_APPLY_START },
	{ "listen", "control_group", conf_parse_name, .field = C(listen.control_group),
	  .max = LENGTH(listen.control_group), .dflt = "vpngw-admin",
	  .help = "System group whose members may use vpngwctl. Not used for a socket that systemd "
		  "hands over.",
	  .apply = CONF_APPLY_START },

	{ "gateway", "certificate", conf_parse_path, .field = C(gateway.certificate),
	  .dflt = "/etc/vpngw/certs/gateway.pem",
	  .help = "The gateway's certificate in PEM, the leaf first, then its intermediates." },
	{ "gateway", "private_key", conf_parse_private_key, .field = C(gateway.private_key),
	  .dflt = "credential:gateway.key",
	  .help = "Its key: a path, or credential:NAME for a systemd credential." },
	{ "gateway", "my_identifier", conf_parse_my_identifier, .field = CONF_NO_FIELD,
	  .dflt = "asn1dn",
	  .help = "Who the gateway says it is: asn1dn (the certificate's subject), fqdn:NAME or "
		  "address." },
	{ "gateway", "send_chain", conf_parse_flag, .field = C(gateway.send_chain),
	  .words = WORDS({ "leaf", 0, NULL }, { "full", 1, NULL }), .dflt = "leaf",
	  .help = "Certificates to send: leaf, or full for the intermediates as well." },

	{ "phase1", "exchange_mode", conf_parse_words, .field = C(ike.mode),
	  .count = C(ike.n_modes), .max = IKE_MODES_MAX, .list = true,
	  .words = WORDS({ "aggressive", XCHG_AGGRESSIVE, NULL }, { "main", XCHG_MAIN, NULL }),
	  .dflt = "aggressive, main", .help = "Phase 1 exchanges to answer: aggressive, main." },
	{ "phase1", "authentication", conf_parse_words, .field = C(ike.auth),
	  .count = C(ike.n_auth), .max = IKE_AUTH_MAX, .list = true,
	  .words = WORDS({ "hybrid_rsa", AUTH_HYBRID_INIT_RSA, NULL },
			 { "xauth_rsa", AUTH_XAUTH_RSA, NULL },
			 { "xauth_psk", AUTH_XAUTH_PSK, NULL }, { "psk", AUTH_PSK, NULL },
			 { "rsasig", AUTH_RSA_SIG, NULL }, { "ecdsa", AUTH_ECDSA_256, NULL }),
	  .dflt = "hybrid_rsa",
	  .help = "How both sides prove themselves: hybrid_rsa, xauth_rsa, xauth_psk, psk, rsasig "
		  "or ecdsa." },
	{ "phase1", "ca_file", conf_parse_path, .field = C(ca_file),
	  .dflt = "/etc/vpngw/certs/client-ca.pem",
	  .help = "CAs that issue the clients' certificates for xauth_rsa, rsasig and ecdsa, in "
		  "PEM." },
	{ "phase1", "crl_file", conf_parse_path, .field = C(crl_file), .dflt = "",
	  .help = "Their revocation lists, such as /etc/vpngw/certs/client-crl.pem; read again "
		  "when it changes." },
	{ "phase1", "weak_certificates", conf_parse_words, .field = C(weak_certificates),
	  .count = C(n_weak_certificates), .max = ITEMS(weak_certificates), .list = true,
	  .clears = true,
	  .words = WORDS({ "sha1", CONF_WEAK_SHA1, NULL }, { "rsa1024", CONF_WEAK_RSA1024, NULL }),
	  .dflt = "none",
	  .help = "Weak clients' certificates to accept: sha1 (their signature), rsa1024 (short "
		  "keys), none." },
	{ "phase1", "psk_file", conf_parse_secret_file, .field = C(psk_file),
	  .dflt = "/etc/vpngw/psk",
	  .help = "Shared keys, by the client's address or identity: a path, "
		  "or "
		  "credential:NAME." },
	{ "phase1", "proposal", conf_parse_p1, .field = C(ike.p1), .count = C(ike.n_p1),
	  .max = IKE_P1_MAX, .list = true, .dflt = "aes256-sha256-modp2048, aes256-sha1-modp2048",
	  .help = "Cipher-hash-group for IKE itself, the best first." },
	{ "phase1", "lifetime", conf_parse_seconds, .field = C(ike.p1_life_s), .min = LEAST_LIFE,
	  .max = 30 * DAY, .dflt = "24h", .help = "Longest life of an IKE SA." },
	{ "phase1", "proposal_check", conf_parse_enum, .field = C(ike.check),
	  .words = WORDS({ "claim", IKE_CHECK_CLAIM, NULL }, { "obey", IKE_CHECK_OBEY, NULL },
			 { "strict", IKE_CHECK_STRICT, NULL }, { "exact", IKE_CHECK_EXACT, NULL }),
	  .dflt = "claim",
	  .help = "Longer lifetime asked for: claim (ours), obey (the client's), strict or exact "
		  "(refused)." },
	{ "phase1", "nat_traversal", conf_parse_enum, .field = C(ike.natt),
	  .words = WORDS({ "on", IKE_NATT_ON, NULL }, { "off", IKE_NATT_OFF, NULL },
			 { "force", IKE_NATT_FORCE, NULL }),
	  .dflt = "force",
	  .help = "ESP in UDP: on (where a NAT is found), off, or force (for every client)." },
	{ "phase1", "ike_frag", conf_parse_enum, .field = C(ike.frag),
	  .words = WORDS({ "on", IKE_FRAG_ON, NULL }, { "off", IKE_FRAG_OFF, NULL },
			 { "force", IKE_FRAG_FORCE, NULL }),
	  .dflt = "on",
	  .help = "IKE messages in fragments: on (with clients that know them), off, or force "
		  "(with every client)." },
	{ "phase1", "ike_frag_size", conf_parse_number, .field = C(ike.frag_size),
	  .min = IKE_FRAG_SIZE_MIN, .max = IKE_FRAG_SIZE_MAX, .dflt = "552",
	  .help = "Largest IKE datagram, in bytes of UDP payload; longer messages go in "
		  "fragments." },
	{ "phase1", "natt_keepalive", conf_parse_microseconds, .field = C(ike.natt_keepalive_us),
	  .max = HOUR, .dflt = "0",
	  .help = "Silence towards a client with ESP in UDP after which a keepalive is sent; 0 "
		  "sends none." },
	{ "phase1", "dpd_delay", conf_parse_limit, .field = C(ike.dpd_delay_us), .min = 1,
	  .max = HOUR, .dflt = "0",
	  .help = "Silence after which a client is asked whether it is there; 0 asks never." },
	{ "phase1", "dpd_retry", conf_parse_microseconds, .field = C(ike.dpd_retry_us), .min = 1,
	  .max = HOUR, .dflt = "5s", .help = "Wait before asking again." },
	{ "phase1", "dpd_maxfail", conf_parse_number, .field = C(ike.dpd_maxfail), .min = 1,
	  .max = 100, .dflt = "5", .help = "Unanswered questions that end a session." },
	{ "phase1", "initial_contact", conf_parse_fixed, .field = CONF_NO_FIELD,
	  .words = WORDS({ "off", 0, NULL },
			 { "on", 0, "it will tell clients that older sessions are gone" }),
	  .dflt = "off",
	  .help = "Tell clients that older sessions are gone: off (on: not yet supported)." },
	{ "phase1", "retransmit", conf_parse_retransmit, .field = CONF_NO_FIELD,
	  .dflt = "1s, 5, 2.0",
	  .help = "First wait for an answer, repetitions, and how much longer each wait is." },
	{ "phase1", "half_open_limit", conf_parse_half_open, .field = CONF_NO_FIELD, .min = 1,
	  .max = 65536, .dflt = "1000, 20",
	  .help = "Logins under way at once: in all, from one address." },
	{ "phase1", "auth_timeout", conf_parse_microseconds, .field = C(ike.auth_timeout_us),
	  .min = 5, .max = 10 * MINUTE, .dflt = "60s",
	  .help = "Time for a whole login, the typing of the password included." },

	{ "phase2", "proposal", conf_parse_p2, .field = C(ike.p2), .count = C(ike.n_p2),
	  .max = IKE_P2_MAX, .list = true, .dflt = "aes256-sha256, aes256-sha1, aes256gcm16",
	  .help = "Cipher-integrity for ESP, the best first." },
	{ "phase2", "pfs_group", conf_parse_pfs_group, .field = C(ike.pfs_group),
	  .count = C(ike.n_pfs), .max = IKE_GROUPS_MAX, .list = true, .dflt = "",
	  .help = "Groups of which a client must use one. Empty: PFS only if the client asks." },
	{ "phase2", "lifetime", conf_parse_seconds, .field = C(ike.p2_life_s), .min = LEAST_LIFE,
	  .max = 30 * DAY, .dflt = "1h", .help = "Longest life of an ESP SA." },
	{ "phase2", "compression_algorithm", conf_parse_enum, .field = C(ike.compression),
	  .words = WORDS({ "none", IKE_COMPRESSION_NONE, NULL },
			 { "deflate", IKE_COMPRESSION_DEFLATE, NULL }),
	  .dflt = "none",
	  .help = "Compression (IPComp) for clients that ask for it: none, deflate." },
	{ "phase2", "replay_window", conf_parse_number, .field = C(replay_window), .min = 32,
	  .max = 4096, .dflt = "64", .help = "How many packets may arrive out of order." },
	{ "phase2", "generate_policy", conf_parse_fixed, .field = CONF_NO_FIELD,
	  .words = WORDS({ "unique", 0, NULL }), .dflt = "unique",
	  .help = "Policies are made for each session alone: unique." },

	{ "tunnel", "interface", conf_parse_interface, .field = C(tunnel.interface),
	  .max = LENGTH(tunnel.interface), .dflt = "vpn0",
	  .help = "XFRM interface that the gateway makes, or none for plain policies.",
	  .apply = CONF_APPLY_START },
	{ "tunnel", "esp_frag", conf_parse_esp_frag, .field = C(tunnel.esp_frag), .max = 65535,
	  .dflt = "0",
	  .help = "Largest packet in the tunnel, in bytes; longer ones are cut before ESP. 0: "
		  "off." },
	{ "tunnel", "mssclamp", conf_parse_mssclamp, .field = C(tunnel.mssclamp), .min = 216,
	  .max = 9000, .dflt = "off",
	  .help = "Bound on the MSS of TCP connections in the tunnel: a number, auto (what fits) "
		  "or off.",
	  .apply = CONF_APPLY_NFT },
	{ "tunnel", "forwarding_check", conf_parse_enum, .field = C(tunnel.forwarding_check),
	  .words = WORDS({ "warn", CONF_FORWARDING_WARN, NULL },
			 { "refuse", CONF_FORWARDING_REFUSE, NULL }),
	  .dflt = "warn",
	  .help = "When the system does not forward packets: warn, or refuse to start." },
	{ "tunnel", "copy_df", conf_parse_flag, .field = C(tunnel.copy_df), .words = ON_OFF,
	  .dflt = "on",
	  .help = "ESP packets may not be fragmented where the packet inside may not." },
	{ "tunnel", "copy_dscp", conf_parse_enum, .field = C(tunnel.copy_dscp),
	  .words = WORDS({ "out", CONF_COPY_DSCP_OUT, NULL }, { "in", CONF_COPY_DSCP_IN, NULL },
			 { "yes", CONF_COPY_DSCP_YES, NULL }, { "no", CONF_COPY_DSCP_NO, NULL }),
	  .dflt = "out",
	  .help = "Class of traffic (DSCP) copied to outer headers, from them, both, neither: out, "
		  "in, yes, no." },

	{ "auth", "auth_source", conf_parse_enum, .field = C(auth.source),
	  .words =
		  WORDS({ "file", CONF_AUTH_FILE, NULL }, { "pam", CONF_AUTH_PAM, NULL },
			{ "system", CONF_AUTH_SYSTEM, NULL }, { "radius", CONF_AUTH_RADIUS, NULL }),
	  .dflt = "pam", .help = "Who knows the passwords: file, pam, system or radius.",
	  .apply = CONF_APPLY_AUTHD },
	{ "auth", "pam_service", conf_parse_service, .field = C(auth.pam_service),
	  .max = LENGTH(auth.pam_service), .dflt = "vpngw",
	  .help = "File in /etc/pam.d for auth_source = pam.", .apply = CONF_APPLY_AUTHD },
	{ "auth", "users_file", conf_parse_path, .field = C(auth.users_file),
	  .dflt = "/etc/vpngw/users", .help = "Users and password hashes for auth_source = file.",
	  .apply = CONF_APPLY_AUTHD },
	{ "auth", "workers", conf_parse_number, .field = C(auth.workers), .min = 1, .max = 64,
	  .dflt = "4", .help = "Passwords checked at the same time.", .apply = CONF_APPLY_AUTHD },
	{ "auth", "max_pending", conf_parse_number, .field = C(auth.max_pending), .min = 1,
	  .max = 4096, .dflt = "256",
	  .help = "Logins that wait for their check; more are turned away.",
	  .apply = CONF_APPLY_AUTHD },
	{ "auth", "deadline", conf_parse_seconds, .field = C(auth.deadline_s), .min = 1,
	  .max = 5 * MINUTE, .dflt = "15s", .help = "Time for one check of a password.",
	  .apply = CONF_APPLY_START },
	{ "auth", "xauth_tries", conf_parse_number, .field = C(ike.xauth_tries), .min = 1, .max = 5,
	  .dflt = "1", .help = "Passwords that a client may try before it has to dial again." },
	{ "auth", "groups", conf_parse_groups, .field = CONF_NO_FIELD, .max = LIMIT_GROUPS,
	  .list = true, .dflt = "",
	  .help = "A user must be in one of these groups. Empty: anyone whose password is right.",
	  .apply = CONF_APPLY_AUTHD },
	{ "auth", "fail_limit", conf_parse_fail_limit, .field = CONF_NO_FIELD, .dflt = "5/10m",
	  .help = "Wrong passwords from one address or for one user, then a growing delay; or "
		  "off.",
	  .apply = CONF_APPLY_AUTHD },
	{ "auth", "sessions_per_user", conf_parse_number, .field = C(ike.sessions_per_user),
	  .max = 65536, .dflt = "0",
	  .help = "Sessions of one user at once; 0: one with unique = keep or replace, else no "
		  "bound." },
	{ "auth", "unique", conf_parse_enum, .field = C(ike.unique),
	  .words = WORDS({ "never", IKE_UNIQUE_NEVER, NULL }, { "keep", IKE_UNIQUE_KEEP, NULL },
			 { "replace", IKE_UNIQUE_REPLACE, NULL }),
	  .dflt = "never",
	  .help = "A second login of a user: never (let in), keep (refused) or replace (ends "
		  "the first)." },
	{ "auth", "session_limit", conf_parse_limit, .field = C(ike.session_limit_us),
	  .min = MINUTE, .max = 365 * DAY, .dflt = "0",
	  .help = "Longest session, from the login on; 0 for no bound." },
	{ "auth", "idle_limit", conf_parse_limit, .field = C(ike.idle_limit_us), .min = 10,
	  .max = 30 * DAY, .dflt = "0",
	  .help = "A session ends when its tunnel was not used for so long; 0 for no bound." },
	{ "auth", "save_passwd", conf_parse_flag, .field = C(ike.modecfg.save_passwd),
	  .words = ON_OFF, .dflt = "off",
	  .help = "Whether clients may store the password: on or off." },

	{ "pool", "network4", conf_parse_first4, .field = P(pool.first), .dflt = "",
	  .help = "First address for clients, such as 10.99.99.1. Must be set." },
	{ "pool", "pool_size", conf_parse_number, .field = P(pool.size), .min = 1,
	  .max = LIMIT_POOL_SIZE, .dflt = "253", .help = "How many addresses there are." },
	{ "pool", "netmask4", conf_parse_netmask4, .field = P(netmask_len),
	  .dflt = "255.255.255.255", .help = "Netmask that clients are told." },
	{ "pool", "network6", conf_parse_network6, .field = P(network6), .dflt = "",
	  .help = "Network of IPv6 addresses beside those, such as fd00:99::/64. Not set: none." },
	{ "pool", "sticky", conf_parse_keep, .field = P(pool.sticky_s), .min = 0,
	  .max = (uint64_t)3650 * DAY, .dflt = "30d",
	  .help = "How long a user's address is kept for that user; 0 or off: not at all." },
	{ "pool", "store", conf_parse_store, .field = P(store), .dflt = "/var/lib/vpngw/leases.db",
	  .help = "Where leases are kept, the same for all pools; none: in memory only.",
	  .apply = CONF_APPLY_START },
	{ "pool", "conf_source", conf_parse_fixed, .field = CONF_NO_FIELD,
	  .words = WORDS({ "local", 0, NULL },
			 { "radius", 0, "it will take addresses from RADIUS servers" }),
	  .dflt = "local",
	  .help = "Where addresses come from: local, this pool (radius: not yet supported)." },

	{ "mode_cfg", "dns4", conf_parse_address4, .field = C(ike.modecfg.dns),
	  .count = C(ike.modecfg.n_dns), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "DNS servers for clients, such as 10.0.12.1." },
	{ "mode_cfg", "dns6", conf_parse_address6, .field = C(ike.modecfg.dns6),
	  .count = C(ike.modecfg.n_dns6), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "DNS servers with IPv6 addresses, such as fd00:12::53." },
	{ "mode_cfg", "wins4", conf_parse_address4, .field = C(ike.modecfg.nbns),
	  .count = C(ike.modecfg.n_nbns), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "WINS servers for clients." },
	{ "mode_cfg", "default_domain", conf_parse_domain, .field = C(default_domain), .dflt = "",
	  .help = "Domain that clients add to short names, such as example.net." },
	{ "mode_cfg", "banner", conf_parse_path, .field = C(banner_file), .dflt = "",
	  .help = "File with a text that clients show after the login, such as /etc/vpngw/motd." },
	{ "mode_cfg", "split_network", conf_parse_split_network, .field = C(ike.modecfg.split_net),
	  .count = C(ike.modecfg.n_split), .max = LIMIT_SPLIT_NETS, .list = true, .clears = true,
	  .dflt = "none",
	  .help = "What goes through the tunnel: include NETWORK, ..., local_lan NETWORK, ... or "
		  "none (all)." },
	{ "mode_cfg", "split_dns", conf_parse_domains, .field = C(split_dns), .list = true,
	  .dflt = "", .help = "Domains to ask the DNS servers above about, such as example.net." },
	{ "mode_cfg", "backup_servers", conf_parse_servers, .field = C(backup_servers),
	  .list = true, .dflt = "",
	  .help = "Other gateways for clients to try, by name or address." },

	{ "radius", "auth_server", conf_parse_radius_server, .field = C(auth.radius),
	  .count = C(auth.n_radius), .max = LIMIT_RADIUS_SERVERS, .list = true, .dflt = "",
	  .help = "Servers, asked in this order: ADDRESS[:PORT] secret=FILE [timeout=2s] "
		  "[retries=1].",
	  .apply = CONF_APPLY_AUTHD },
	{ "radius", "nas_identifier", conf_parse_nas_identifier, .field = C(auth.nas_identifier),
	  .max = LENGTH(auth.nas_identifier), .dflt = "",
	  .help = "What the servers know this gateway as. Not set: the name of this host.",
	  .apply = CONF_APPLY_AUTHD },

	{ "accounting", "accounting", conf_parse_fixed, .field = CONF_NO_FIELD,
	  .words = WORDS({ "none", 0, NULL },
			 { "radius", 0, "it will report sessions to RADIUS servers" },
			 { "pam", 0, "it will open and close PAM sessions" },
			 { "journal", 0, "it will write records of sessions to the journal" }),
	  .dflt = "none",
	  .help = "Who is told about sessions: none (radius, pam, journal: not yet supported)." },
	{ "accounting", "interim_interval", conf_parse_later_seconds, .field = CONF_NO_FIELD,
	  .max = DAY, .dflt = "", .later = "it will be the time between reports on a session",
	  .help = "Time between reports on a running session." },

	{ "profile", "match_id", conf_parse_match_id, .field = R(id), .count = R(n_ids),
	  .max = LIMIT_MATCHES, .list = true, .dflt = "",
	  .help = "Identities of clients it is for, such as keyid:staff or fqdn:*.example.net." },
	{ "profile", "match_group", conf_parse_match_group, .field = CONF_NO_FIELD,
	  .max = LIMIT_MATCHES, .list = true, .dflt = "", .apply = CONF_APPLY_AUTHD,
	  .help = "Groups of users it is for, such as contractors." },
	{ "profile", "pool", conf_parse_pool, .field = R(pool), .max = LIMIT_GROUP_NAME, .dflt = "",
	  .help = "Pool of their addresses. Not set: default." },
	{ "profile", "exchange_mode", conf_parse_words, .field = R(ike.mode),
	  .count = R(ike.n_modes), .max = IKE_MODES_MAX, .list = true,
	  .words = WORDS({ "aggressive", XCHG_AGGRESSIVE, NULL }, { "main", XCHG_MAIN, NULL }),
	  .dflt = "", .help = "As in [phase1], for identities of match_id." },
	{ "profile", "authentication", conf_parse_words, .field = R(ike.auth),
	  .count = R(ike.n_auth), .max = IKE_AUTH_MAX, .list = true,
	  .words = WORDS({ "hybrid_rsa", AUTH_HYBRID_INIT_RSA, NULL },
			 { "xauth_rsa", AUTH_XAUTH_RSA, NULL },
			 { "xauth_psk", AUTH_XAUTH_PSK, NULL }, { "psk", AUTH_PSK, NULL },
			 { "rsasig", AUTH_RSA_SIG, NULL }, { "ecdsa", AUTH_ECDSA_256, NULL }),
	  .dflt = "", .help = "As in [phase1], for identities of match_id." },
	{ "profile", "dns4", conf_parse_address4, .field = R(ike.modecfg.dns),
	  .count = R(ike.modecfg.n_dns), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "As in [mode_cfg], and like all below taken from there where it is not set." },
	{ "profile", "dns6", conf_parse_address6, .field = R(ike.modecfg.dns6),
	  .count = R(ike.modecfg.n_dns6), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "As in [mode_cfg]." },
	{ "profile", "wins4", conf_parse_address4, .field = R(ike.modecfg.nbns),
	  .count = R(ike.modecfg.n_nbns), .max = LIMIT_SERVERS, .list = true, .dflt = "",
	  .help = "As in [mode_cfg]." },
	{ "profile", "default_domain", conf_parse_domain, .field = R(default_domain), .dflt = "",
	  .help = "As in [mode_cfg]." },
	{ "profile", "banner", conf_parse_path, .field = R(banner_file), .dflt = "",
	  .help = "As in [mode_cfg]." },
	{ "profile", "split_network", conf_parse_split_network, .field = R(ike.modecfg.split_net),
	  .count = R(ike.modecfg.n_split), .max = LIMIT_SPLIT_NETS, .list = true, .clears = true,
	  .dflt = "", .help = "As in [mode_cfg]." },
	{ "profile", "split_dns", conf_parse_domains, .field = R(split_dns), .list = true,
	  .dflt = "", .help = "As in [mode_cfg]." },
	{ "profile", "backup_servers", conf_parse_servers, .field = R(backup_servers), .list = true,
	  .dflt = "", .help = "As in [mode_cfg]." },
	{ "profile", "sessions_per_user", conf_parse_number,
	  .field = R(ike.limits.sessions_per_user), .max = 65536, .dflt = "",
	  .help = "As in [auth]." },
	{ "profile", "unique", conf_parse_enum, .field = R(ike.limits.unique),
	  .words = WORDS({ "never", IKE_UNIQUE_NEVER, NULL }, { "keep", IKE_UNIQUE_KEEP, NULL },
			 { "replace", IKE_UNIQUE_REPLACE, NULL }),
	  .dflt = "", .help = "As in [auth]." },
	{ "profile", "session_limit", conf_parse_limit, .field = R(ike.limits.session_us),
	  .min = MINUTE, .max = 365 * DAY, .dflt = "", .help = "As in [auth]." },
	{ "profile", "idle_limit", conf_parse_limit, .field = R(ike.limits.idle_us), .min = 10,
	  .max = 30 * DAY, .dflt = "", .help = "As in [auth]." },
	{ "profile", "save_passwd", conf_parse_flag, .field = R(ike.modecfg.save_passwd),
	  .words = ON_OFF, .dflt = "", .help = "As in [auth]." },
};
const size_t conf_n_keys = ARRAY_SIZE(conf_keys);

size_t conf_key_find(const char *section, const char *key)
{
	size_t i = 0;

	while (i < conf_n_keys &&
	       (strcmp(conf_keys[i].section, section) != 0 || strcmp(conf_keys[i].key, key) != 0))
		i++;
	return i;
}

const struct conf_section *conf_section_find(const char *name)
{
	for (size_t i = 0; i < conf_n_sections; i++)
		if (strcmp(conf_sections[i].name, name) == 0)
			return &conf_sections[i];
	return NULL;
}

const char *conf_key_named(const struct conf_key *k)
{
	return conf_section_find(k->section)->named ? k->section : NULL;
}
