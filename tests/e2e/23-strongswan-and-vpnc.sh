#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client behind the NAT and a direct vpnc client work at the same time.
#
# Two kinds of clients, two kinds of encapsulation; and one client reaches the other through the
# gateway.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[mode_cfg]
split_network = include 10.99.99.0/24
E
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "alice's strongSwan starts" ss_client c1 unity=yes remote_ts=0.0.0.0/0
must "alice logs in" ss_up c1
must "bob logs in" vpnc_up d network=10.0.0.0/8
check "there are two sessions" assert_sessions 2
check "alice reaches the LAN through her SAs" assert_traffic c1 10.99.99.1
check "bob reaches the LAN through his SAs" assert_traffic d 10.99.99.2
check "bob reaches alice" assert_traffic d 10.99.99.2 10.99.99.1
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down c1
check "bob still reaches the LAN" assert_traffic d 10.99.99.2
vpnc_down d
check "nothing is left" assert_nothing_left
finish
