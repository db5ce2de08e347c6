#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A06, A07, A09: libreswan clients log in with a shared key, a group's password, and a certificate.
#
# Main mode with the key of its address, aggressive mode behind a NAT with the password of its group,
# and main mode behind a NAT with a certificate; each then asks for name and password.

. "$(dirname "$0")/lib.sh"

lsw_needed
must "the gateway is configured" gw_configure <<'E'
[phase1]
authentication = xauth_psk, xauth_rsa
ca_file = /etc/vpngw/certs/client-ca.pem
[profile "legacy"]
match_id       = keyid:staff
exchange_mode  = aggressive
authentication = xauth_psk
E
must "it has shared keys" gw_shared_keys <<'E'
198.51.100.10  squeamish ossifrage
keyid:staff    open-sesame-to-none
E
must "it knows the clients' CA" gw_client_ca /dev/null
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "alice's client starts, with the key of its address" lsw_client d $DIRECT
must "bob's client starts behind a NAT, with the group's password" lsw_client c1 192.168.1.2 \
	mode=aggressive psk=open-sesame-to-none user=bob password=chunnel
must "alice logs in" lsw_up d
must "bob logs in" lsw_up c1
check "the gateway lists her session" assert_session alice 10.99.99.1 $DIRECT
check "and his, from the NAT's address" assert_session bob 10.99.99.2 $NAT
check "her session says how it came" \
	equal "$(session_of alice exchange_mode authentication group)" $'main\nxauth_psk\n198.51.100.10'
check "and so does his" equal "$(session_of bob exchange_mode authentication group profile)" \
	$'aggressive\nxauth_psk\nstaff\nlegacy'
check "alice reaches the LAN through her SAs" assert_traffic d 10.99.99.1
check "bob reaches the LAN through his" assert_traffic c1 10.99.99.2
check "the LAN reaches bob" assert_reachable 10.99.99.2
check "nothing passed in clear" assert_outside_clean

check "bob is sent away" vpngwctl kick bob
check "his client is told" lsw_says c1 'received Delete SA'
check "it was to stay up, so it logs in again" \
	wait_for 20 journal_has_times 2 EVENT=session-up USER=bob
check "he has his address again" assert_session bob 10.99.99.2 $NAT
lsw_down c1
lsw_down d
check "both log out, and nothing is left" assert_nothing_left

must "carol's certificate is packed" openssl pkcs12 -export -passout pass: -name alice \
	-inkey "$PKI/alice.key" -in "$PKI/alice.pem" -certfile "$PKI/ca.pem" -out "$W/alice.p12"
must "a client with a certificate starts behind a NAT" \
	lsw_client c2 192.168.2.2 auth=rsa p12="$W/alice.p12"
must "it logs in" lsw_up c2
check "the session says how" \
	equal "$(session_of alice exchange_mode authentication group)" $'main\nxauth_rsa\nCN=alice'
check "it reaches the LAN" assert_traffic c2 10.99.99.1
check "nothing passed in clear" assert_outside_clean
finish
