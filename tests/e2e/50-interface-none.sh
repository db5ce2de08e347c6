#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# interface = none: plain policies carry the traffic, without an XFRM interface.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[tunnel]
interface = none
E
must "the gateway starts" gw_start
check "there is no XFRM interface" equal "$(ip -n g -br link show type xfrm)" ""
must "the capture starts" capture_start

must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in directly, by vpnc" vpnc_up d
check "alice reaches the LAN through her SAs" assert_traffic c1 "$(ss_address c1)"
check "bob reaches the LAN through his SAs" assert_traffic d "$(vpnc_address d)"
check "the LAN reaches alice" assert_reachable "$(ss_address c1)"
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down c1
vpnc_down d
check "nothing is left" assert_nothing_left
finish
