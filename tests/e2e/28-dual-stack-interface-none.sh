#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# IPv6 inside without an XFRM interface: policies of either family carry the traffic, the gateway renews
# the keys of both, and when alice has gone nothing is sent to her IPv6 address in clear.

. "$(dirname "$0")/lib.sh"

alice6=fd00:99::a63:6301 # POOL6 and 10.99.99.1

must "the gateway is configured" gw_configure <<E
[phase2]
lifetime = 40s
[tunnel]
interface = none
[pool "default"]
network6 = $POOL6
[mode_cfg]
split_network = include $LAN6
E
must "the LAN has IPv6" topo_inner6
must "the gateway starts" gw_start
must "the capture starts" capture_start
must "alice's client starts" ss_client c1 inner6=$LAN6
must "alice logs in" ss_up c1
must "her client makes a CHILD_SA for IPv6" ss_up6 c1
check "she reaches the LAN over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
check "the LAN reaches her" assert_reachable $alice6
must "she pings over IPv6" ping_start c1 $alice6 $LAN_HOST6
check "the gateway renews the keys for both families" \
	wait_for 110 journal_has_times 2 EVENT=rekey USER=alice BY=gateway
check "no ping was lost" assert_no_ping_lost
check "each attempt was the last one" not journal_has REASON=rekey-failed
check "she still reaches the LAN over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
check "alice is kicked by that address" vpngwctl kick $alice6
check "her client hears of it" wait_for 20 ss_is_down c1
check "the LAN does not reach the address any more" not in_ns l ping -n -c 3 -i 0.2 -W 1 $alice6
check "nothing passed in clear" assert_outside_clean
check "nothing is left" assert_nothing_left
finish
