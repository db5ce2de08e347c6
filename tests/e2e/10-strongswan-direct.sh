#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client on the gateway's own network logs in and reaches the LAN.
#
# No NAT is in the way, so ESP goes without UDP. The client asks for an address and a DNS server,
# offers aes256-sha256-modp2048 and aes256-sha256, and logs out at the end.

. "$(dirname "$0")/lib.sh"

must "the gateway is installed and configured" gw_configure
must "the gateway starts" gw_start
check "it has made its XFRM interface" ip -n g link show vpn0
must "the capture starts" capture_start

must "the client starts" ss_client d
must "alice logs in" ss_up d
check "she has the first address of the pool" equal "$(ss_address d)" 10.99.99.1
check "she has the DNS server" grep -q 'nameserver 10.10.0.2' "$W/d/resolv.conf"
check "the gateway lists her session" assert_session alice 10.99.99.1 $DIRECT
check "the session says no NAT" equal "$(session_of alice nat)" none
check "the session shows what was negotiated" \
	equal "$(session_of alice proposal)" aes256-sha256-modp2048
check "the journal tells of the lease" \
	assert_journal EVENT=lease-granted USER=alice ADDRESS=10.99.99.1
check "the journal tells of the session" \
	assert_journal EVENT=session-up USER=alice ADDRESS=10.99.99.1
check "she reaches the LAN through the SAs" assert_traffic d 10.99.99.1
check "the LAN reaches her" assert_reachable 10.99.99.1
check "ESP went without UDP" assert_esp_seen 10 plain
check "nothing passed in clear" assert_outside_clean

check "she logs out" ss_down d
check "the journal tells of the end" assert_journal EVENT=session-down USER=alice REASON=client-left
check "nothing is left" assert_nothing_left
finish
