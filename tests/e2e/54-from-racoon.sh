#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A racoon gateway as how-tos describe it, carried over by racoon2vpngw: group 2 and PFS 2, AES, SHA-1,
# esp_frag, DPD; mssclamp, which was a matter of the firewall, beside it.
#
# AES without a number is 128 bits to racoon, or more. Users are those of the other scenarios.

. "$(dirname "$0")/lib.sh"

how_to() {
	cat <<'R'
path certificate "/etc/vpngw/certs";
listen { adminsock disabled; }
remote anonymous {
	exchange_mode aggressive;
	certificate_type x509 "gateway.pem" "../private/gateway.key";
	my_identifier asn1dn;
	proposal_check claim;
	generate_policy on;
	nat_traversal force;
	ike_frag on;
	esp_frag 552;
	dpd_delay 20;
	lifetime time 12 hour;
	proposal {
		encryption_algorithm aes;
		hash_algorithm sha1;
		authentication_method hybrid_rsa_server;
		dh_group 2;
	}
}
mode_cfg {
	network4 10.99.99.1;
	pool_size 50;
	auth_source system;
	dns4 10.10.0.2;
	split_network include 10.10.0.0/24;
	banner "/etc/vpngw/motd";
	pfs_group 2;
}
sainfo anonymous {
	pfs_group 2;
	lifetime time 1 hour;
	encryption_algorithm aes;
	authentication_algorithm hmac_sha1;
	compression_algorithm deflate;
}
R
}

# The key is a credential, as the comment at it advises.
carried_over() {
	local rc=0
	how_to >"$W/racoon.conf"
	racoon2vpngw "$W/racoon.conf" >"$W/vpngw.conf" 2>"$W/lost" || rc=$?
	cat "$W/lost"
	equal $rc 1 && grep -v '^private_key = ' "$W/vpngw.conf" >/etc/vpngw/vpngw.conf
}

must "the gateway is configured" gw_configure <<'C'
[tunnel]
mssclamp = 512

[auth]
auth_source = file
C
must "by what racoon2vpngw makes of a racoon.conf" carried_over
check "which names what is lost" equal "$(cut -d: -f2,3 "$W/lost" | tr '\n' ' ')" \
	"2: adminsock disabled 28: pfs_group 2 35: compression_algorithm deflate "
check "vpngw takes it" vpngw --check-config
must "the gateway starts" gw_start
check "the journal says what is weak" assert_journal_says 'modp1024 is weak'
must "the capture starts" capture_start

must "alice's strongSwan starts, with the same" \
	ss_client c1 proposals=aes128-sha1-modp1024 esp=aes128-sha1-modp1024
must "alice logs in" ss_up c1
check "she has what was agreed on" equal "$(session_of alice proposal)" aes128-sha1-modp1024
check "she reaches the LAN through the SAs" assert_traffic c1 10.99.99.1
check "a large packet from the LAN reaches her, and the answer comes back" \
	in_ns l ping -n -c 2 -i 0.2 -W 5 -M dont -s 1372 10.99.99.1
check "no datagram to her is larger than one for 552 bytes inside" \
	equal "$(captured "$esp_in_udp and src $GATEWAY and ip[2:2] > 624")" ""
check "none was cut outside" equal "$(captured "src $GATEWAY and ip[6:2] & 0x3fff != 0")" ""

must "bob logs in, by vpnc, which offers 256 bits first" vpnc_up d dh=dh2 pfs=dh2
check "and has them, as racoon takes longer keys than it names" \
	equal "$(session_of bob proposal)" aes256-sha1-modp1024
check "he reaches the LAN through the SAs" assert_traffic d 10.99.99.2
check "nothing passed in clear" assert_outside_clean

must "alice's machine crashes" ss_crash c1
check "the gateway finds out: dpd_delay and five questions later" \
	wait_for 70 journal_has EVENT=dpd-timeout USER=alice
check "and her session ends" assert_sessions 1
vpnc_down d
check "nothing is left" assert_nothing_left
finish
