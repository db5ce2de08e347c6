/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_config_values.c - every parser of a value, and what values say against one another. */
#include "config_try.h"

/* told: "col: text" for line 4 of LEAST, [section], line; NULL for none. */
struct bad {
	const char *section, *line, *told;
};

static const struct bad words_and_numbers[] = {
	{ "gateway", "send_chain = all",
	  "14: send_chain: unknown word 'all', expected leaf or full" },
	{ "phase1", "nat_traversal = yes",
	  "17: nat_traversal: unknown word 'yes', expected on, off or force" },
	{ "phase1", "proposal_check = clam",
	  "18: proposal_check: unknown word 'clam', expected claim, obey, strict or exact" },
	{ "phase1", "exchange_mode = aggressive, base",
	  "29: exchange_mode: unknown word 'base', expected aggressive or main" },
	{ "phase1", "authentication = pks",
	  "18: authentication: unknown word 'pks', expected hybrid_rsa, xauth_rsa, xauth_psk, "
	  "psk, rsasig or ecdsa" },
	{ "phase1", "authentication = hybrid_rsa, hybrid_rsa",
	  "30: authentication: 'hybrid_rsa' is in the list twice, expected it once" },
	{ "phase2", "generate_policy = on",
	  "19: generate_policy: unknown word 'on', expected unique" },
	{ "phase2", "compression_algorithm = lzs",
	  "25: compression_algorithm: unknown word 'lzs', expected none or deflate" },
	{ "auth", "auth_source = ldap",
	  "15: auth_source: unknown word 'ldap', expected file, pam, system or radius" },
	{ "auth", "save_passwd = 1", "15: save_passwd: unknown word '1', expected on or off" },
	{ "tunnel", "copy_df = yes", "11: copy_df: unknown word 'yes', expected on or off" },
	{ "tunnel", "copy_dscp = on",
	  "13: copy_dscp: unknown word 'on', expected out, in, yes or no" },
	{ "tunnel", "forwarding_check = stop",
	  "20: forwarding_check: unknown word 'stop', expected warn or refuse" },
	{ "tunnel", "mssclamp = on",
	  "12: mssclamp: 'on' is out of bounds, expected auto, off, or 216 to 9000 bytes" },
	{ "tunnel", "mssclamp = 215",
	  "12: mssclamp: '215' is out of bounds, expected auto, off, or 216 to 9000 bytes" },
	{ "tunnel", "mssclamp = 9001",
	  "12: mssclamp: '9001' is out of bounds, expected auto, off, or 216 to 9000 bytes" },
	{ "tunnel", "mssclamp = 1",
	  "12: mssclamp: '1' is out of bounds, expected auto, off, or 216 to 9000 bytes" },
	{ "accounting", "accounting = file", "14: accounting: unknown word 'file', expected none" },
	{ "auth", "workers = 0",
	  "11: workers: '0' is out of bounds, expected a number from 1 to 64" },
	{ "auth", "workers = 65",
	  "11: workers: '65' is out of bounds, expected a number from 1 to 64" },
	{ "auth", "workers = -1",
	  "11: workers: '-1' is out of bounds, expected a number from 1 to 64" },
	{ "auth", "workers = four",
	  "11: workers: 'four' is out of bounds, expected a number from 1 to 64" },
	{ "auth", "max_pending = 99999999999999999999999",
	  "15: max_pending: '99999999999999999999999' is out of bounds, expected a number from 1 "
	  "to "
	  "4096" },
	{ "phase2", "replay_window = 0",
	  "17: replay_window: '0' is out of bounds, expected a number from 32 to 4096" },
	{ "phase2", "replay_window = 4097",
	  "17: replay_window: '4097' is out of bounds, expected a number from 32 to 4096" },
	{ "phase2", "lifetime = 3600",
	  "12: lifetime: '3600' has no unit, expected one such as 20s, 5m, 24h or 30d" },
	{ "phase2", "lifetime = 1 h",
	  "12: lifetime: '1 h' is not a time, expected one such as 20s, 5m, 24h or 30d" },
	{ "phase2", "lifetime = 1w",
	  "12: lifetime: '1w' is not a time, expected one such as 20s, 5m, 24h or 30d" },
	{ "phase2", "lifetime = h",
	  "12: lifetime: 'h' is not a time, expected one such as 20s, 5m, 24h or 30d" },
	{ "phase2", "lifetime = 9s", "12: lifetime: '9s' is out of bounds, expected 10s to 30d" },
	{ "phase1", "lifetime = 31d", "12: lifetime: '31d' is out of bounds, expected 10s to 30d" },
	{ "phase1", "lifetime = 0", "12: lifetime: '0' is out of bounds, expected 10s to 30d" },
	{ "phase1", "dpd_delay = 2h", "13: dpd_delay: '2h' is out of bounds, expected 1s to 1h" },
	{ "phase1", "dpd_delay = none",
	  "13: dpd_delay: 'none' is not a time, expected one such as 20s, 5m, 24h or 30d" },
	{ "phase1", "dpd_retry = 0", "13: dpd_retry: '0' is out of bounds, expected 1s to 1h" },
	{ "phase1", "dpd_maxfail = 0",
	  "15: dpd_maxfail: '0' is out of bounds, expected a number from 1 to 100" },
	{ "phase1", "dpd_maxfail = 101",
	  "15: dpd_maxfail: '101' is out of bounds, expected a number from 1 to 100" },
	{ "phase1", "auth_timeout = 4s",
	  "16: auth_timeout: '4s' is out of bounds, expected 5s to 10m" },
	{ "auth", "deadline = 6m", "12: deadline: '6m' is out of bounds, expected 1s to 5m" },
};

static const struct bad several_parts[] = {
	{ "phase1", "retransmit = 2s, 4",
	  "14: retransmit: '2s, 4' is not three values, expected first wait, tries and factor as "
	  "in 1s, 5, 2.0" },
	{ "phase1", "retransmit = 1s, 5, 2.0, 1",
	  "14: retransmit: '1s, 5, 2.0, 1' is not three values, expected first wait, tries and "
	  "factor as in 1s, 5, 2.0" },
	{ "phase1", "retransmit = 2, 4, 2.0",
	  "14: retransmit: first wait '2', expected 1s to 60s" },
	{ "phase1", "retransmit = 61s, 4, 2",
	  "14: retransmit: first wait '61s', expected 1s to 60s" },
	{ "phase1", "retransmit = 2s, 11, 2", "18: retransmit: tries '11', expected 1 to 10" },
	{ "phase1", "retransmit = 2s, 0, 2", "18: retransmit: tries '0', expected 1 to 10" },
	{ "phase1", "retransmit = 2s,4,0.9", "19: retransmit: factor '0.9', expected 1.0 to 10.0" },
	{ "phase1", "retransmit = 2s,4,10.1",
	  "19: retransmit: factor '10.1', expected 1.0 to 10.0" },
	{ "phase1", "retransmit = 2s,4,1,5",
	  "14: retransmit: '2s,4,1,5' is not three values, expected first wait, tries and factor "
	  "as in 1s, 5, 2.0" },
	{ "phase1", "retransmit = 2s,4,2.", "19: retransmit: factor '2.', expected 1.0 to 10.0" },
	{ "phase1", "retransmit = 2s,4,1e1", "19: retransmit: factor '1e1', expected 1.0 to 10.0" },
	{ "phase1", "half_open_limit = 1000",
	  "19: half_open_limit: '1000' is not two numbers, expected how many in all and from one "
	  "address as in 1000, 20" },
	{ "phase1", "half_open_limit = 0, 1",
	  "19: half_open_limit: '0' in all, expected 1 to 65536" },
	{ "phase1", "half_open_limit = 10, 11",
	  "23: half_open_limit: '11' from one address, expected 1 to 10" },
	{ "auth", "sessions_per_user = 3 or 4",
	  "21: sessions_per_user: '3 or 4' is out of bounds, expected a number from 0 to 65536" },
	{ "auth", "unique = no", "10: unique: unknown word 'no', expected never, keep or replace" },
	{ "auth", "session_limit = 59s",
	  "17: session_limit: '59s' is out of bounds, expected 1m to 365d" },
	{ "auth", "idle_limit = 9s", "14: idle_limit: '9s' is out of bounds, expected 10s to 30d" },
	{ "auth", "idle_limit = 31d",
	  "14: idle_limit: '31d' is out of bounds, expected 10s to 30d" },
	{ "auth", "fail_limit = 5",
	  "14: fail_limit: '5' is no limit, expected 1 to 1000 failures in a time as in 5/10m, or "
	  "off" },
	{ "auth", "fail_limit = 0/10m",
	  "14: fail_limit: '0/10m' is no limit, expected 1 to 1000 failures in a time as in 5/10m, "
	  "or off" },
	{ "auth", "fail_limit = 5/10", "16: fail_limit: time '10', expected 1s to 1d" },
	{ "auth", "fail_limit = 5/2d", "16: fail_limit: time '2d', expected 1s to 1d" },
};

static const struct bad proposals[] = {
	{ "phase1", "proposal = aes256-sha256-modp2048, aes257-sha1-modp1024",
	  "36: proposal: unknown 'aes257-sha1-modp1024', the cipher is one of aes256, aes192, "
	  "aes128, "
	  "3des" },
	{ "phase1", "proposal = aes256-sha3-modp2048",
	  "12: proposal: unknown 'aes256-sha3-modp2048', the hash is one of sha256, sha384, "
	  "sha512, "
	  "sha1, md5" },
	{ "phase1", "proposal = aes256-sha256-modp2048-x",
	  "12: proposal: unknown 'aes256-sha256-modp2048-x', a proposal is cipher-hash-group, as "
	  "in "
	  "aes256-sha256-modp2048" },
	{ "phase1", "proposal = aes256-sha1-modp2048, aes256-sha1-modp2048",
	  "34: proposal: 'aes256-sha1-modp2048' is in the list twice, expected it once" },
	{ "phase1", "proposal =",
	  "11: proposal: the list is empty, expected one such as "
	  "aes256-sha256-modp2048" },
	{ "phase1",
	  "exchange_mode =", "16: exchange_mode: the list is empty, expected aggressive or main" },
	{ "phase1", "authentication =",
	  "17: authentication: the list is empty, expected hybrid_rsa, xauth_rsa, xauth_psk, "
	  "psk, rsasig or ecdsa" },
	{ "phase2",
	  "proposal =", "11: proposal: the list is empty, expected one such as aes256-sha256" },
	{ "phase2", "proposal = aes256gcm16-sha1",
	  "12: proposal: unknown 'aes256gcm16-sha1', AES-GCM authenticates itself: nothing "
	  "but esn may follow it" },
	{ "phase2", "proposal = aes128-sha1,,aes256-sha1",
	  "24: proposal: nothing beside a comma, expected a value" },
	{ "phase2", "proposal = aes128-sha1,",
	  "24: proposal: nothing beside a comma, expected a value" },
	{ "phase2", "pfs_group = 14, modp2048",
	  "17: pfs_group: 'modp2048' is in the list twice, expected it once" },
	{ "phase2", "pfs_group = 3",
	  "13: pfs_group: unknown group '3', expected a number or name such as 14, modp2048, "
	  "ecp256 "
	  "or x25519" },
};

static const struct bad names_and_paths[] = {
	{ "gateway", "certificate = gateway.pem",
	  "15: certificate: 'gateway.pem' is no path of a file, expected one that begins with /" },
	{ "gateway", "certificate = /etc/",
	  "15: certificate: '/etc/' is no path of a file, expected one that begins with /" },
	{ "phase1", "psk_file = psk",
	  "12: psk_file: 'psk' names no file, expected a path that begins with /, or "
	  "credential:NAME" },
	{ "phase1", "psk_file = credential:a/b",
	  "12: psk_file: 'credential:a/b' names no file, expected a path that begins with /, or "
	  "credential:NAME" },
	{ "gateway", "private_key = credential:",
	  "15: private_key: 'credential:' names no key, expected a path that begins with /, or "
	  "credential:NAME" },
	{ "gateway", "private_key = credential:../key",
	  "15: private_key: 'credential:../key' names no key, expected a path that begins with /, "
	  "or "
	  "credential:NAME" },
	{ "gateway", "my_identifier = fqdn:",
	  "17: my_identifier: 'fqdn:' is no identity, expected asn1dn, fqdn:NAME or address" },
	{ "gateway", "my_identifier = dn",
	  "17: my_identifier: 'dn' is no identity, expected asn1dn, fqdn:NAME or address" },
	{ "auth", "pam_service = ../shadow",
	  "15: pam_service: '../shadow' is no service name, expected the name of a file in "
	  "/etc/pam.d, at most 63 bytes" },
	{ "auth", "groups = staff, #guests",
	  "16: groups: nothing beside a comma, expected a value" },
	{ "auth", "groups = staff,#guests",
	  "16: groups: '#guests' is no name of a group, expected one such as vpnusers" },
	{ "auth", "groups = staff, staff",
	  "17: groups: 'staff' is in the list twice, expected it once" },
	{ "listen", "control_group = a,b",
	  "17: control_group: 'a,b' is no name of a group, expected one such as vpnusers" },
	{ "tunnel", "interface = averylonginterface",
	  "13: interface: 'averylonginterface' is no name for an interface, expected letters, "
	  "digits, "
	  "'.', '_', '-', at most 15, or none" },
	{ "tunnel", "interface = vpn/0",
	  "13: interface: 'vpn/0' is no name for an interface, expected letters, digits, '.', '_', "
	  "'-', at most 15, or none" },
	{ "tunnel", "interface = lo",
	  "13: interface: 'lo' is no name for an interface, expected letters, digits, '.', '_', "
	  "'-', "
	  "at most 15, or none" },
	{ "phase1", "ike_frag = yes",
	  "12: ike_frag: unknown word 'yes', expected on, off or force" },
	{ "phase1", "ike_frag_size = 295",
	  "17: ike_frag_size: '295' is out of bounds, expected a number from 296 to 1452" },
	{ "phase1", "ike_frag_size = 1453",
	  "17: ike_frag_size: '1453' is out of bounds, expected a number from 296 to 1452" },
	{ "tunnel", "esp_frag = 67",
	  "12: esp_frag: '67' is out of bounds, expected 0, or 68 to 65535 bytes" },
	{ "tunnel", "esp_frag = 65536",
	  "12: esp_frag: '65536' is out of bounds, expected 0, or 68 to 65535 bytes" },
};

static const struct bad networks[] = {
	{ "listen", "isakmp = 192.0.2.1",
	  "10: isakmp: '192.0.2.1' is no address with a port, expected one such as 192.0.2.1:500 "
	  "or "
	  "[2001:db8::1]:500" },
	{ "listen", "isakmp = 192.0.2.1:500, ::1:500",
	  "25: isakmp: '::1:500' is no address with a port, expected one such as 192.0.2.1:500 or "
	  "[2001:db8::1]:500" },
	{ "listen", "isakmp = 192.0.2.1:0",
	  "10: isakmp: '192.0.2.1:0' is no address with a port, expected one such as 192.0.2.1:500 "
	  "or "
	  "[2001:db8::1]:500" },
	{ "listen",
	  "isakmp = 192.0.2.1:1, 192.0.2.1:2, 192.0.2.1:3, 192.0.2.1:4, 192.0.2.1:5, 192.0.2.1:6, "
	  "192.0.2.1:7, 192.0.2.1:8, 192.0.2.1:9",
	  "114: isakmp: '192.0.2.1:9' is one too many, expected at most 8" },
	{ "mode_cfg", "dns4 = 2001:db8::1",
	  "8: dns4: '2001:db8::1' is no IPv4 address, expected one such as 10.0.12.1" },
	{ "mode_cfg", "dns4 = 10.0.12.1, 10.0.12.1",
	  "19: dns4: '10.0.12.1' is in the list twice, expected it once" },
	{ "mode_cfg", "wins4 = 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5",
	  "49: wins4: '10.0.0.5' is one too many, expected at most 4" },
	{ "mode_cfg", "dns4 = 127.0.0.1",
	  "8: dns4: '127.0.0.1' is no address of a host, expected one such as 10.0.12.1" },
	{ "mode_cfg", "default_domain = example..net",
	  "18: default_domain: 'example..net' is no domain, expected one such as example.net" },
	{ "mode_cfg", "default_domain = -a.net",
	  "18: default_domain: '-a.net' is no domain, expected one such as example.net" },
	{ "mode_cfg", "split_dns = example.net, example.net",
	  "26: split_dns: 'example.net' is in the list twice, expected it once" },
	{ "mode_cfg", "split_dns = b\xc3\xbc\x63her.de, x!",
	  "13: split_dns: 'b\xc3\xbc\x63her.de' is no domain, expected one such as example.net\n"
	  "t.conf:4:24: split_dns: 'x!' is no domain, expected one such as example.net" },
	{ "mode_cfg", "backup_servers = vpn2 example",
	  "18: backup_servers: 'vpn2 example' is no server, expected a name such as "
	  "vpn2.example.net, or an address" },
	{ "mode_cfg", "split_network = 10.0.0.0/8",
	  "17: split_network: no kind before the network, expected include NETWORK, local_lan "
	  "NETWORK "
	  "or none" },
	{ "mode_cfg", "split_network = include 10.0.0.1/8",
	  "25: split_network: '10.0.0.1/8' is no network, expected one such as 10.0.12.0/24 "
	  "with "
	  "its host bits zero" },
	{ "mode_cfg", "split_network = include fd00:12::1/64",
	  "25: split_network: 'fd00:12::1/64' is no network, expected one such as 10.0.12.0/24 "
	  "with "
	  "its host bits zero" },
	{ "mode_cfg", "split_network = include",
	  "24: split_network: '' is no network, expected one such as 10.0.12.0/24 with its "
	  "host "
	  "bits zero" },
	{ "mode_cfg", "split_network = local_lan 10.1.0.0/16, 2001:db8::/32",
	  "40: split_network: local_lan '2001:db8::/32': there is no form in which clients could "
	  "be told, expected an IPv4 network" },
	{ "mode_cfg", "dns6 = 10.0.12.1",
	  "8: dns6: '10.0.12.1' is no IPv6 address of a host, expected one such as fd00:12::53" },
	{ "mode_cfg", "dns6 = fe80::1",
	  "8: dns6: 'fe80::1' is no IPv6 address of a host, expected one such as fd00:12::53" },
	{ "mode_cfg", "dns6 = fd00:12::53, fd00:12:0::53",
	  "21: dns6: 'fd00:12:0::53' is in the list twice, expected it once" },
	{ "mode_cfg", "split_network = local_lan 10.1.0.0/16, 10.1.0.0/16",
	  "40: split_network: '10.1.0.0/16' is in the list twice, expected it once" },
	{ "mode_cfg", "banner = /nonexistent/motd",
	  "10: banner: /nonexistent/motd cannot be read: No such file or directory, expected a "
	  "text "
	  "file" },
	{ "mode_cfg", "banner = /",
	  "10: banner: '/' is no path of a file, expected one that begins "
	  "with /" },
};

static void refuses(const struct bad *b)
{
	char text[1024], want[1024];
	struct attempt t;

	snprintf(text, sizeof(text), LEAST "[%s]\n%s\n", b->section, b->line);
	snprintf(want, sizeof(want), "t.conf:4:%s\n", b->told);
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, want, b->line);
	try_end(&t);
}

static void is_told(const char *text, const char *want, const char *name)
{
	struct attempt t = try_text(text, CONF_TO_RUN);

	is_str(t.told, want, name);
	try_end(&t);
}

static void test_pools(void)
{
	static const char unset[] =
		"network4 is not set, expected the first address for clients, as "
		"in network4 = 10.99.99.1\n";
	char want[256];

	snprintf(want, sizeof(want), "t.conf:1:1: [pool \"default\"] %s", unset);
	is_told("", want, "a gateway needs the pool default");
	is_told("[pool \"x\"]\nnetwork4 = 10.0.0.1\n", want, "another pool does not do");
	snprintf(want, sizeof(want), "t.conf:2:1: [pool \"default\"] %s", unset);
	is_told("\n[pool \"default\"]\n", want, "a pool needs its first address");
	snprintf(want, sizeof(want), "t.conf:2:11: [pool \"default\"] %s", unset);
	is_told("[pool \"default\"]\nnetwork4 =\n", want, "and an empty one is none");
	is_told("[pool \"default\"]\nnetwork4 = 10.0.0\n",
		"t.conf:2:12: network4: '10.0.0' is no IPv4 address, expected one such as "
		"10.99.99.1\n",
		"a bad address is told once");
	is_told("[pool \"default\"]\nnetwork4 = 255.255.255.255\n",
		"t.conf:2:12: network4: '255.255.255.255' is no address of a host, expected one "
		"such as 10.99.99.1\n",
		"the broadcast address is no pool");
	is_told("[pool \"default\"]\nnetwork4 = 223.255.255.250\npool_size = 7\n",
		"t.conf:2:12: network4: 223.255.255.250 to 224.0.0.0 holds addresses that no host "
		"can have, expected another network4 or a smaller pool_size\n",
		"a pool does not reach into multicast addresses");
	is_told("[pool \"default\"]\nnetwork4 = 223.255.255.250\npool_size = 6\n", "",
		"but up to them");
	is_told("[pool \"default\"]\nnetwork4 = 126.255.255.250\npool_size = 253\n",
		"t.conf:2:12: network4: 126.255.255.250 to 127.0.0.246 holds addresses that no "
		"host "
		"can have, expected another network4 or a smaller pool_size\n",
		"nor into loopback addresses");
	is_told(LEAST "pool_size = 65537\n",
		"t.conf:3:13: pool_size: '65537' is out of bounds, expected a number from 1 to "
		"65536\n",
		"a pool has a limit");
	is_told(LEAST "[pool \"b\"]\nnetwork4 = 10.99.99.253\npool_size = 1\n",
		"t.conf:4:12: network4: pool \"b\" overlaps pool \"default\", expected addresses "
		"of "
		"its own\n",
		"pools that overlap in one address");
	is_told(LEAST "[pool \"b\"]\nnetwork4 = 10.99.99.254\npool_size = 1\n", "",
		"pools side by side do not");
	is_told(LEAST "[pool \"default\"]\nnetwork4 = 10.0.0.1\n",
		"t.conf:3:1: [pool \"default\"] is in line 1 already, expected another name\n",
		"the same pool twice in one file");
	is_told(LEAST "[pool]\n[pool \"a b\"]\n",
		"t.conf:3:1: [pool] has no name, expected one as in [pool \"default\"]\n"
		"t.conf:4:1: 'a b' is no name for a pool, expected letters, digits, '.', '_', "
		"'-'\n",
		"names of pools");
	is_told(LEAST "[phase1]\ndpd_delay = off\n", "", "dpd_delay = off is a way to say 0");
	is_told(LEAST "sticky = 3651d\n",
		"t.conf:3:10: sticky: '3651d' is out of bounds, expected 0 to 3650d\n",
		"sticky has a limit");
}

static void test_store(void)
{
	is_told(LEAST "store = relative\n",
		"t.conf:3:9: store: 'relative' is no path of a file, expected one that begins with "
		"/, or none\n",
		"the store is a path");
	is_told(LEAST "store = /a\n[pool \"b\"]\nnetwork4 = 10.1.0.1\nstore = none\n",
		"t.conf:6:9: store: pool \"b\" has another than pool \"default\", expected one for "
		"all\n",
		"all pools have one store");
}

static void test_netmask(void)
{
	is_told(LEAST "netmask4 = 255.0.255.0\n",
		"t.conf:3:12: netmask4: '255.0.255.0' is no netmask, expected 255.0.0.0 to "
		"255.255.255.255 with its bits in one run\n",
		"a netmask with a hole");
	is_told(LEAST "netmask4 = 0.0.0.0\n",
		"t.conf:3:12: netmask4: '0.0.0.0' is no netmask, expected 255.0.0.0 to "
		"255.255.255.255 with its bits in one run\n",
		"a netmask of nothing");
	is_told(LEAST "netmask4 = /24\n",
		"t.conf:3:12: netmask4: '/24' is no netmask, expected one such as "
		"255.255.255.255\n",
		"a netmask is written as an address");
	is_told(LEAST "netmask4 = 255.255.255.0\n", "", "10.99.99.1 to .253 fit into a /24");
	is_told(LEAST "netmask4 = 255.255.255.0\npool_size = 255\n",
		"t.conf:3:12: netmask4: 10.99.99.255 is in the pool, and with 255.255.255.0 the "
		"broadcast address, expected a pool without it or 255.255.255.255\n",
		"the broadcast address is nobody's");
	is_told("[pool \"default\"]\nnetwork4 = 10.0.0.0\nnetmask4 = 255.255.0.0\n",
		"t.conf:3:12: netmask4: 10.0.0.0 is in the pool, and with 255.255.0.0 the "
		"network's "
		"own address, expected a pool without it or 255.255.255.255\n",
		"nor is the network's own");
	is_told("[pool \"default\"]\nnetwork4 = 10.0.0.0\n", "",
		"without a network, any address will do");
}

static void test_together(void)
{
	is_told(LEAST "[mode_cfg]\nsplit_network = include 10.1.0.0/16\n"
		      "split_network = local_lan 10.2.0.0/16\n",
		"t.conf:5:17: split_network: local_lan after include, expected networks of one "
		"kind\n",
		"split networks are of one kind");
	is_told(LEAST "[tunnel]\ninterface = none\nesp_frag = 552\n",
		"t.conf:5:12: esp_frag: 552 with interface = none, expected esp_frag = 0 or an "
		"interface: plain policies do not cut packets before ESP\n",
		"esp_frag needs an interface");
	is_told(LEAST "[tunnel]\ninterface = none\nesp_frag = off\n", "", "and is off without");
	is_told(LEAST "[phase1]\nretransmit = 10s, 4, 2\n",
		"t.conf:4:14: retransmit: the last repetition comes after 150 seconds, expected it "
		"before auth_timeout of 60\n",
		"repetitions fit into auth_timeout");
	is_told(LEAST "[phase1]\nauth_timeout = 30s\n",
		"t.conf:4:16: retransmit: the last repetition comes after 31 seconds, expected it "
		"before auth_timeout of 30\n",
		"which the defaults do not when it is short");
	is_told(LEAST "[auth]\ndeadline = 1m\n",
		"t.conf:4:12: deadline: a password check of 60 seconds, expected it to end before "
		"auth_timeout of 60\n",
		"so does the check of a password");
	is_told(LEAST "[listen]\nisakmp_natt =\n[phase1]\nnat_traversal = force\n",
		"t.conf:4:14: isakmp_natt: the list is empty, expected an address and port, or "
		"nat_traversal = off\n",
		"NAT traversal needs a port");
	is_told(LEAST "[listen]\nisakmp_natt =\n[phase1]\nnat_traversal = off\n", "",
		"and none when it is off");
	is_told(LEAST "[listen]\nisakmp =\n",
		"t.conf:4:9: isakmp: the list is empty, expected an address and port\n",
		"there is something to listen on");
	is_told(LEAST "[listen]\nisakmp_natt = 0.0.0.0:500\n",
		"t.conf:4:15: 0.0.0.0:500 and 0.0.0.0:500 cannot both be listened on, expected one "
		"of them\n",
		"one port is not both");
	is_told(LEAST "[listen]\nisakmp = [::]:500, [2001:db8::1]:500\n",
		"t.conf:4:10: [::]:500 and [2001:db8::1]:500 cannot both be listened on, expected "
		"one of them\n",
		"a wildcard takes in the addresses of its family");
	is_told(LEAST "[listen]\nisakmp = 192.0.2.1:500, 192.0.2.2:500, [::]:500\n", "",
		"but not those of another");
}

static void test_shared_keys(void)
{
	is_told(LEAST "[phase1]\nexchange_mode = aggressive\nauthentication = xauth_psk\n",
		"t.conf:5:18: authentication: xauth_psk without main mode, expected exchange_mode "
		"to name main: in aggressive mode the key could be guessed\n",
		"a shared key needs main mode");
	is_told(LEAST "[phase1]\nauthentication = hybrid_rsa, rsasig\n[auth]\ngroups = staff\n",
		"t.conf:4:18: authentication: rsasig with [auth] groups, expected one of them: a "
		"certificate alone does not say in which groups its owner is\n",
		"whom nobody asks for groups");
	is_told(LEAST "[phase2]\nproposal = aes256-sha256-esn, aes256-sha256\n", "",
		"with and without ESN are two proposals");
	is_told(LEAST "[phase2]\nproposal = aes256-sha256-esn, aes256-sha256-esn\n",
		"t.conf:4:31: proposal: 'aes256-sha256-esn' is in the list twice, expected it "
		"once\n",
		"but not twice the same");
	is_told(LEAST "[phase1]\nauthentication = psk\n[auth]\ngroups = staff\n",
		"t.conf:4:18: authentication: psk with [auth] groups, expected one of them: who "
		"has "
		"a shared key and nothing else is in no group\n",
		"whom nobody asks for anything");
	is_told(LEAST "[phase1]\nauthentication = hybrid_rsa, rsasig\n", "", "a certificate alone");
	is_told(LEAST "[phase1]\nauthentication = xauth_psk\n", "",
		"which is there unless it is left out");
	is_told(LEAST "[phase1]\nexchange_mode = main\nauthentication = xauth_psk, hybrid_rsa\n",
		"", "and may stand alone");
}

static void run(const struct bad *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refuses(&b[i]);
}

int main(void)
{
	run(words_and_numbers, ARRAY_SIZE(words_and_numbers));
	run(several_parts, ARRAY_SIZE(several_parts));
	run(proposals, ARRAY_SIZE(proposals));
	run(names_and_paths, ARRAY_SIZE(names_and_paths));
	run(networks, ARRAY_SIZE(networks));
	test_pools();
	test_store();
	test_netmask();
	test_together();
	test_shared_keys();
	return done();
}
