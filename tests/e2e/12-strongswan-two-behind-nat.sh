#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two strongSwan clients behind one NAT, with different users, work at the same time.
#
# The gateway sees the same address twice, with different ports. Both use the gateway at once, and
# one goes on when the other leaves.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "the first client starts" ss_client c1
must "the second client starts" ss_client c2 user=bob password=chunnel
must "alice logs in" ss_up c1
must "bob logs in from behind the same NAT" ss_up c2
check "there are two sessions" assert_sessions 2
check "alice's has the first address" assert_session alice 10.99.99.1 $NAT
check "bob's has the second address" assert_session bob 10.99.99.2 $NAT
check "the gateway tells them apart by their ports" \
	not equal "$(session_of alice peer)" "$(session_of bob peer)"
check "the kernel has two pairs of SAs towards the NAT" equal "$(sa_count $NAT)" 4
check "alice reaches the LAN through her SAs" assert_traffic c1 10.99.99.1
check "bob reaches the LAN through his SAs" assert_traffic c2 10.99.99.2
check "the LAN reaches alice" assert_reachable 10.99.99.1
check "the LAN reaches bob" assert_reachable 10.99.99.2
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down c1
check "her session ends" assert_sessions 1
check "bob still reaches the LAN" assert_traffic c2 10.99.99.2
check "bob logs out" ss_down c2
check "nothing is left" assert_nothing_left
finish
