#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two vpnc clients behind one NAT, with different users, work at the same time.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "bob logs in" vpnc_up c1
must "alice logs in from behind the same NAT" vpnc_up c2 user=alice password=wonderland
check "there are two sessions" assert_sessions 2
check "their addresses differ" not equal "$(vpnc_address c1)" "$(vpnc_address c2)"
check "the kernel has two pairs of SAs towards the NAT" equal "$(sa_count $NAT)" 4
check "bob reaches the LAN through his SAs" assert_traffic c1 "$(vpnc_address c1)"
check "alice reaches the LAN through her SAs" assert_traffic c2 "$(vpnc_address c2)"
check "nothing passed in clear" assert_outside_clean

vpnc_down c1
check "bob's session ends" assert_sessions 1
check "alice still reaches the LAN" assert_traffic c2 "$(vpnc_address c2)"
vpnc_down c2
check "nothing is left" assert_nothing_left
finish
