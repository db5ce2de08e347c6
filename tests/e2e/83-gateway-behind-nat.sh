#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway itself is behind a NAT that forwards its ports to it (A25).
#
#    g ---------------- f ---------- i    f is the front door: it has the gateway's outside address
#  172.16.0.2   172.16.0.1          |    and sends UDP 500 and 4500 on to g.
#                     198.51.100.2  +---- r, d
#
# alice is behind a NAT as well, bob is not. Both sides notice, and ESP goes in UDP.

. "$(dirname "$0")/lib.sh"

# Who had the gateway's address before is another machine now.
forget_neighbours() {
	ip -n d neigh flush dev wan
	ip -n r neigh flush dev out
}

front_door() {
	ip -batch - <<'E' || return 1
netns add f
link add dmz netns g type veth peer name dmz netns f
link add wan netns f type veth peer name f netns i
E
	ip -n g -batch - <<'E' || return 1
addr del 198.51.100.2/24 dev wan
link set dev wan down
addr add 172.16.0.2/24 dev dmz
link set dev dmz up
route add default via 172.16.0.1
E
	ip -n i -batch - <<'E' || return 1
link set dev f master switch up
E
	ip -n f -batch - <<'E' || return 1
addr add 198.51.100.2/24 dev wan
addr add 172.16.0.1/24 dev dmz
link set dev lo up
link set dev wan up
link set dev dmz up
E
	in_ns f sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	in_ns f nft -f - <<'E'
table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat
		iifname "wan" udp dport { 500, 4500 } dnat to 172.16.0.2
	}
	chain post {
		type nat hook postrouting priority srcnat
		oifname "wan" masquerade
	}
}
E
	forget_neighbours
}

no_front_door() {
	ip netns del f
	ip -n g -batch - <<'E'
addr add 198.51.100.2/24 dev wan
link set dev wan up
route add default via 198.51.100.1
E
	forget_neighbours
}

# One byte 0xff from port 4500.
keepalive_seen() {
	[ "$(captured_count 'src host 198.51.100.2 and udp src port 4500 and udp[4:2] = 9')" -ge 2 ]
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
natt_keepalive = 2s
E
at_end+=(no_front_door)
must "the gateway moves behind a NAT" front_door
must "the gateway starts" gw_start
must "the capture starts" capture_start f
must "alice's client starts" ss_client c1
must "alice logs in from behind her NAT" ss_up c1
must "bob logs in" vpnc_up d
GATEWAY=172.16.0.2 # as the gateway's kernel sees it
check "alice's session says that both are behind a NAT" equal "$(session_of alice nat)" both
check "bob's that the gateway is" equal "$(session_of bob nat)" gateway
check "alice's session is from her NAT's address" assert_session alice "$(ss_address c1)" $NAT
check "bob's from his own" assert_session bob "$(vpnc_address d)" $DIRECT
check "alice reaches the LAN" assert_traffic c1 "$(ss_address c1)"
check "bob reaches the LAN" assert_traffic d "$(vpnc_address d)"
check "the LAN reaches alice" assert_reachable "$(ss_address c1)"
check "the LAN reaches bob" assert_reachable "$(vpnc_address d)"
check "ESP went in UDP" assert_esp_seen 16 udp
check "nothing passed in clear" assert_outside_clean
check "the gateway keeps its own NAT from forgetting" wait_for 10 keepalive_seen

check "alice logs out" ss_down c1
vpnc_down d
check "nothing is left" assert_nothing_left
finish
