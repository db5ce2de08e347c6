#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client that does not ask for its configuration, but waits to be told, gets it.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "the client starts, which waits for mode config" ss_client c1 pull=no
must "alice logs in" ss_up c1
check "she has the first address of the pool" equal "$(ss_address c1)" 10.99.99.1
check "she has the DNS server" grep -q 'nameserver 10.10.0.2' "$W/c1/resolv.conf"
check "the gateway lists her session" assert_session alice 10.99.99.1 $NAT
check "she reaches the LAN through the SAs" assert_traffic c1 10.99.99.1
check "nothing passed in clear" assert_outside_clean
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
