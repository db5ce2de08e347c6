#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpnc behind a NAT logs in and reaches the LAN, with PFS.
#
# Here vpnc asks for PFS with group 14, and comes from a random port, as its packages configure it.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "bob logs in" vpnc_up c1 pfs=dh14 port=0
check "the gateway lists his session, from the NAT's address" assert_session bob 10.99.99.1 $NAT
check "the session says that the client is behind a NAT" equal "$(session_of bob nat)" client
check "he reaches the LAN through the SAs" assert_traffic c1 10.99.99.1
check "the LAN reaches him" assert_reachable 10.99.99.1
check "ESP went in UDP" assert_esp_seen 10 udp
check "nothing passed in clear" assert_outside_clean

vpnc_down c1
check "nothing is left" assert_nothing_left
finish
