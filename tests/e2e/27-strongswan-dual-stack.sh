#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# IPv6 inside over IPv4 outside: a strongSwan client behind a NAT asks for an address of either family
# and reaches the LAN over both; one that asks for IPv4 alone has no more than that.
#
# A CHILD_SA of IKEv1 has one family, so there are two. Restarts and a reload keep them, whatever
# becomes of the pool's IPv6 network meanwhile.

. "$(dirname "$0")/lib.sh"

alice6=fd00:99::a63:6301 # POOL6 and 10.99.99.1

conf() { # conf NETWORK6
	gw_configure <<E
[pool "default"]
network6 = $1
[mode_cfg]
split_network = include $LAN6
dns6 = fd00:10::53
E
}

routes6() {
	ip -n g -6 route show proto 118
}

must "the gateway is configured" conf $POOL6
must "the LAN has IPv6" topo_inner6
must "the gateway starts" gw_start
check "the pool's IPv6 network leads into the tunnel" matches "$(routes6)" "$POOL6 dev vpn0 *"
must "the capture starts" capture_start
must "alice's client starts, and wants IPv6 as well" ss_client c1 inner6=$LAN6
must "bob's client starts, which does not" ss_client d user=bob password=chunnel
must "alice logs in" ss_up c1
alice=$(ss_address c1)
check "her client has the IPv6 address that goes with her own" \
	equal "$alice $(ss_address6 c1)" "10.99.99.1 $alice6"
check "and the DNS server" grep -q 'nameserver fd00:10::53' "$W/c1/resolv.conf"
must "it makes a CHILD_SA for IPv6" ss_up6 c1
check "alice reaches the LAN through her SAs" assert_traffic c1 "$alice"
check "and over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
# IPv6 is cut by who sends it, who has to be told first.
in_ns c1 ping -n -c 1 -W 2 -I $alice6 -s 1400 $LAN_HOST6 >/dev/null
check "with packets that must be cut as well" assert_traffic c1 $alice6 $LAN_HOST6 1400
check "the LAN reaches her over IPv6" assert_reachable $alice6
check "ESP went in UDP" assert_esp_seen 12 udp
check "her session shows both addresses" \
	equal "$(session_of alice address address6)" "$alice"$'\n'$alice6
check "either finds it" matches "$(vpngwctl show $alice6)" "*$alice*$alice6*"
check "the journal tells of it" assert_journal EVENT=session-up USER=alice ADDRESS6=$alice6

must "bob logs in" ss_up d
check "he reaches the LAN" assert_traffic d "$(ss_address d)"
check "his session has no IPv6 address" equal "$(session_of bob address6)" null
check "nothing reaches the one that he might have had" \
	not in_ns l ping -n -c 2 -i 0.2 -W 1 fd00:99::a63:6302

check "her client renews the keys for IPv6" ss c1 --rekey --child home6
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "alice goes on over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
must "alice pings over IPv6, twenty times a second" ping_start c1 $alice6 $LAN_HOST6
must "the gateway is restarted" gw_handover
check "alice has her address as before" equal "$(session_of alice address6)" $alice6
must "the pool is to have another IPv6 network" conf fd00:98::/64
check "the configuration is loaded" vpngwctl reload
check "alice keeps hers, and its network the way to her" matches "$(routes6)" "*$POOL6 dev vpn0 *"
check "no ping was lost" assert_no_ping_lost
must "the gateway is restarted with that" gw_handover
check "the way to her is still there" matches "$(routes6)" "*$POOL6 dev vpn0 *"
check "she reaches the LAN over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
must "the pool is to have yet another network" conf fd00:97::/64
must "the gateway is restarted for it" gw_handover
check "the way to her is one to her alone" matches "$(routes6)" "*$alice6 dev vpn0 *"
check "she reaches the LAN over IPv6" assert_traffic c1 $alice6 $LAN_HOST6
check "she is listed with her address" equal "$(session_of alice address6)" $alice6
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down c1
check "bob logs out" ss_down d
check "nothing is left" assert_nothing_left
check "nor the way to the former network" not matches "$(routes6)" "*fd00:99:*"
finish
