#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A01: two strongSwan clients log in by main mode with hybrid authentication, one behind a NAT.
#
# Message 5 moves to port 4500 where there is a NAT. The gateway answers aggressive mode as well, as
# it does by default.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "alice's client starts, on the gateway's network" ss_client d mode=main
must "bob's client starts, behind a NAT" ss_client c1 mode=main user=bob password=chunnel
must "alice logs in" ss_up d
must "bob logs in" ss_up c1
check "alice's client used main mode" ss_says d 'initiating Main Mode IKE_SA'
check "the gateway lists her session" assert_session alice 10.99.99.1 $DIRECT
check "and his, from the NAT's address" assert_session bob 10.99.99.2 $NAT
check "her session says how it came" \
	equal "$(session_of alice exchange_mode authentication nat)" $'main\nhybrid_rsa\nnone'
check "and so does his" \
	equal "$(session_of bob exchange_mode authentication nat)" $'main\nhybrid_rsa\nclient'
check "vpngwctl show tells people" \
	matches "$(vpngwctl show alice)" '*hybrid_rsa in main mode*'
check "alice reaches the LAN through her SAs" assert_traffic d 10.99.99.1
check "bob reaches the LAN through his" assert_traffic c1 10.99.99.2
check "the LAN reaches alice" assert_reachable 10.99.99.1
check "the LAN reaches bob" assert_reachable 10.99.99.2
check "her ESP went without UDP" assert_esp_seen 10 plain
check "his ESP went in UDP" assert_esp_seen 10 udp
check "nothing passed in clear" assert_outside_clean

must "a third client starts, in aggressive mode" ss_client c2
check "it logs in beside them" ss_up c2
check "its session says so" \
	equal "$(vpngwctl list --json | jq -r '[.sessions[].exchange_mode] | sort | join(" ")')" \
	'aggressive main main'

check "alice logs out" ss_down d
check "bob logs out" ss_down c1
check "and so does the third" ss_down c2
check "nothing is left" assert_nothing_left
finish
