#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client behind a NAT logs in and reaches the LAN by ESP in UDP.
#
# Both sides find the NAT (RFC 3947) and float to port 4500. The client speaks Cisco Unity and asks
# for everything to go through the tunnel: the gateway's split network narrows that.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "the client starts" ss_client c1 remote_ts=0.0.0.0/0 unity=yes
must "alice logs in" ss_up c1
check "the gateway lists her session, from the NAT's address" assert_session alice 10.99.99.1 $NAT
check "the session says that the client is behind a NAT" equal "$(session_of alice nat)" client
check "the client narrowed its tunnel to the split network" \
	ss_says c1 'CHILD_SA home.* TS 10\.99\.99\.1/32 === 10\.10\.0\.0/24'
check "she reaches the LAN through the SAs" assert_traffic c1 10.99.99.1
check "large packets pass as well" assert_traffic c1 10.99.99.1 $LAN_HOST 1400
check "the LAN reaches her" assert_reachable 10.99.99.1
check "ESP went in UDP" assert_esp_seen 10 udp
check "nothing passed in clear" assert_outside_clean

check "she logs out" ss_down c1
check "the journal tells of the end" assert_journal EVENT=session-down USER=alice REASON=client-left
check "nothing is left" assert_nothing_left
finish
