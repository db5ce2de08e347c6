#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# strongSwan clients that dial over IPv6: ESP as it is, in UDP behind a NAT, in UDP by force.
#
# Inside they have IPv4. Both ports take part, the NAT is found by addresses of 16 bytes, and when
# it moves its client to another address the SAs follow.

. "$(dirname "$0")/lib.sh"

SECOND6=2001:db8:100::77 # another address of the NAT
keepalive6="src host $GATEWAY6 and udp src port 4500 and ip6[44:2] = 9 and ip6[48] = 0xff"

mode() { # mode VALUE
	gw_configure <<E
[phase1]
nat_traversal = $1
natt_keepalive = 2s
dpd_delay = 2s
E
}

nat6_becomes() { # nat6_becomes RULE
	in_ns r nft -f - <<E || return 1
flush chain ip6 nat postrouting
add rule ip6 nat postrouting oifname "out" $1
E
	in_ns r conntrack -F -f ipv6
}

nat6_as_before() {
	nat6_becomes masquerade
	ip -n r addr del $SECOND6/64 dev out
}

seen_keepalives() {
	[ "$(captured_count "$keepalive6")" -ge 2 ]
}

must "the gateway is configured" mode on
must "the gateway starts" gw_start
must "the NAT has a second address, not to be used by itself" \
	ip -n r addr add $SECOND6/64 dev out nodad preferred_lft 0
at_end+=(nat6_as_before)
must "the capture starts" capture_start
must "alice's client starts, on the gateway's own network" ss_client d gateway=$GATEWAY6
must "bob's client starts, behind a NAT" \
	ss_client c1 gateway=$GATEWAY6 user=bob password=chunnel
must "alice logs in" ss_up d
must "bob logs in" ss_up c1
alice=$(ss_address d) bob=$(ss_address c1)
check "the gateway lists alice's session" assert_session alice "$alice" "\\[$DIRECT6\\]"
check "it says no NAT" equal "$(session_of alice nat)" none
check "the gateway lists bob's session" assert_session bob "$bob" "\\[$NAT6\\]"
check "it says that he is behind a NAT" equal "$(session_of bob nat)" client
check "alice reaches the LAN through her SAs" assert_traffic d "$alice"
check "her ESP went without UDP" assert_esp_seen 6 plain
check "bob reaches the LAN through his SAs" assert_traffic c1 "$bob"
check "his ESP went in UDP" assert_esp_seen 6 udp
check "packets that the way must cut pass as well" assert_traffic c1 "$bob" $LAN_HOST 1400
check "the LAN reaches alice" assert_reachable "$alice"
check "the LAN reaches bob" assert_reachable "$bob"
must "alice pings, twenty times a second" ping_start d "$alice"
check "her client renews her SAs" ss d --rekey --child home
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "no ping was lost" assert_no_ping_lost
check "her traffic is counted in the new SAs" assert_traffic d "$alice"
check "alice is asked whether she is there, and answers" ss_says d "$ss_answered"
check "the gateway keeps bob's NAT from forgetting" wait_for 20 seen_keepalives

must "the NAT uses another address" nat6_becomes "meta l4proto udp snat to [$SECOND6]:30000-30010"
check "bob goes on" in_ns c1 ping -n -c 4 -i 0.2 -W 2 -I "$bob" $LAN_HOST
check "his session shows the new address" \
	wait_for 10 has_session bob "$bob" "\\[$SECOND6\\]"
check "the journal tells of it" assert_journal EVENT=peer-moved USER=bob
check "his traffic is counted in his SAs as before" assert_traffic c1 "$bob"
check "bob is kicked" vpngwctl kick bob
check "his client hears of it where it is now" wait_for 20 ss_is_down c1
check "nothing passed in clear" assert_outside_clean
check "no IPv4 passed" equal "$(captured_count ip)" 0
check "alice logs out" ss_down d

must "the gateway forces ESP into UDP" mode force
must "the gateway starts anew" gw_restart
capture_stop
must "a new capture starts" capture_start
must "alice logs in again" ss_up d
check "her session says that it is forced" equal "$(session_of alice nat)" forced
check "she reaches the LAN through her SAs" assert_traffic d "$(ss_address d)"
check "her ESP went in UDP" assert_esp_seen 6 udp
check "and in UDP alone" equal "$(captured_count 'ip6 proto 50')" 0
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down d
check "nothing is left" assert_nothing_left
finish
