#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# nat_traversal: force passes a firewall that drops ESP (A27), on is plain where it can be, off always.

. "$(dirname "$0")/lib.sh"

# A firewall between the gateway and the direct client: UDP passes, IP protocol 50 does not.
esp_blocked() {
	in_ns g nft -f - <<'E'
table ip firewall {
	chain in { type filter hook prerouting priority raw; ip protocol esp counter drop; }
	chain out { type filter hook postrouting priority raw; ip protocol esp counter drop; }
}
E
}

esp_passes() {
	in_ns g nft delete table ip firewall
}

esp_dropped() {
	[ -n "$(in_ns g nft list table ip firewall | grep -E 'packets [1-9]')" ]
}

mode() { # mode VALUE
	gw_configure <<E
[phase1]
nat_traversal = $1
E
}

must "the gateway forces ESP into UDP" mode force
must "the gateway starts" gw_start
must "a firewall drops ESP" esp_blocked
at_end+=(esp_passes)
must "the capture starts" capture_start
must "alice's client starts" ss_client d
must "alice logs in, with no NAT on the way" ss_up d
must "bob logs in behind a NAT" vpnc_up c1
check "alice's session says that it is forced" equal "$(session_of alice nat)" forced
check "bob's that there is a NAT" equal "$(session_of bob nat)" client
check "alice reaches the LAN" assert_traffic d "$(ss_address d)"
check "bob reaches the LAN" assert_traffic c1 "$(vpnc_address c1)"
check "the LAN reaches alice" assert_reachable "$(ss_address d)"
check "ESP went in UDP" assert_esp_seen 16 udp
check "and in UDP alone" equal "$(captured_count 'ip proto 50')" 0
check "the firewall had nothing to drop" not esp_dropped
check "nothing passed in clear" assert_outside_clean
vpnc_down c1
check "alice logs out" ss_down d
check "nothing is left" assert_nothing_left

must "the gateway looks for a NAT" mode on
must "the gateway starts anew" gw_restart
must "alice logs in" ss_up d
check "her session says no NAT" equal "$(session_of alice nat)" none
check "the firewall drops her ESP" not in_ns d ping -n -c 2 -i 0.2 -W 2 -I "$(ss_address d)" $LAN_HOST
check "as it counts" esp_dropped
check "alice logs out" ss_down d
must "the firewall lets ESP pass" esp_passes
must "alice logs in again" ss_up d
check "she reaches the LAN" assert_traffic d "$(ss_address d)"
check "ESP went without UDP" assert_esp_seen 6 plain
check "alice logs out" ss_down d

must "the gateway knows no NAT traversal" mode off
must "the gateway starts anew" gw_restart
ss_stop d
must "alice's client wants ESP in UDP" ss_client d encap=yes
capture_stop
must "a new capture starts" capture_start
must "alice logs in all the same" ss_up d
check "her session says no NAT" equal "$(session_of alice nat)" none
check "she reaches the LAN" assert_traffic d "$(ss_address d)"
check "ESP went without UDP" assert_esp_seen 6 plain
check "nothing went over port 4500" equal "$(captured_count 'udp port 4500')" 0
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down d
check "nothing is left" assert_nothing_left
finish
