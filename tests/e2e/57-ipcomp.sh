#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A33: IPComp with DEFLATE, where strongSwan clients ask for it and the configuration allows it.
#
# alice is behind a NAT and her ESP in UDP, bob's is not. Large packets become small ones, small ones
# stay as they are; renewed keys, a restart and another address keep it; what ends leaves nothing.
# Without the key a client that asks for it goes on without. What the outer header takes of the packet
# inside is what copy_df and copy_dscp say, with IPComp and without.
# time: 240 s

. "$(dirname "$0")/lib.sh"

SECOND=198.51.100.77 # another address of the NAT

configure() { # configure ALGORITHM [INTERFACE]
	gw_configure <<E
[phase2]
compression_algorithm = $1
[tunnel]
interface = ${2:-vpn0}
E
}

# SAs of IPComp in the gateway's kernel.
comp_sas() {
	ip -n g xfrm state | grep -c 'proto comp '
}

has_comp_sas() { # has_comp_sas NUMBER
	local n
	n=$(comp_sas)
	[ "$n" = "$1" ] || { echo "$n SAs of IPComp, expected $1" && return 1; }
}

# Bytes that came in at the gateway's outside link and that left by it.
outside_bytes() {
	ip -n g -s -j link show dev wan | jq '.[0].stats64 | .rx.bytes + .tx.bytes'
}

# Ten large pings, whose contents repeat, cost less than a third of their bytes outside.
assert_compressed() { # assert_compressed NAMESPACE ADDRESS
	local before after
	before=$(outside_bytes)
	in_ns "$1" ping -n -c 10 -i 0.1 -W 5 -I "$2" -s 8184 $LAN_HOST || return 1
	after=$(outside_bytes)
	echo "$((after - before)) bytes outside for $((2 * 10 * 8212)) inside"
	[ $((3 * (after - before))) -lt $((2 * 10 * 8212)) ]
}

# Pings of 64 bytes and of 8184, both ways, and IPsec drops nothing.
assert_pings() { # assert_pings NAMESPACE ADDRESS
	local errors
	errors=$(xfrm_errors)
	in_ns "$1" ping -n -c 3 -i 0.2 -W 5 -I "$2" -s 56 $LAN_HOST &&
		in_ns "$1" ping -n -c 3 -i 0.2 -W 5 -I "$2" -s 8184 $LAN_HOST &&
		in_ns l ping -n -c 2 -i 0.2 -W 5 "$2" &&
		in_ns l ping -n -c 2 -i 0.2 -W 5 -s 8184 "$2" || return 1
	equal "$(xfrm_errors)" "$errors"
}

# Packets that left the gateway so far with DF and the class EF.
marked() {
	captured_count "src $GATEWAY and $esp_in_udp and ip[6] & 0x40 != 0 and ip[1] & 0xfc = 0xb8"
}

# The LAN pings a client with both, and all or none of it is to be seen outside.
assert_marked() { # assert_marked ADDRESS NUMBER
	local before
	before=$(marked)
	in_ns l ping -n -c 3 -i 0.2 -W 5 -M do -Q 0xb8 "$1" || return 1
	wait_for 5 are_marked $((before + $2))
}

are_marked() { # are_marked NUMBER
	local n
	n=$(marked)
	[ "$n" = "$1" ] || { echo "$n packets with DF and EF, expected $1" && return 1; }
}

is_compressed() { # is_compressed USER TRUE-OR-FALSE
	equal "$(vpngwctl show "$1" --json | jq -r '[.sessions[].children[].ipcomp] | unique | .[]')" "$2"
}

# The NAT takes another address and forgets its flows.
nat_moves() {
	ip -n r addr add $SECOND/24 dev out
	in_ns r nft -f - <<E || return 1
flush chain ip nat postrouting
add rule ip nat postrouting oifname "out" snat to $SECOND
E
	in_ns r conntrack -F
}

nat_as_before() {
	in_ns r nft -f - <<'E'
flush chain ip nat postrouting
add rule ip nat postrouting oifname "out" masquerade
E
	ip -n r addr del $SECOND/24 dev out
	in_ns r conntrack -F
}

moved() {
	matches "$(session_of alice peer)" "$SECOND:*"
}

must "the gateway is configured" configure deflate
must "the gateway starts" gw_start
must "the capture starts" capture_start
must "alice's client starts" ss_client c1 child='ipcomp = yes'
must "bob's client starts" ss_client d child='ipcomp = yes' user=bob password=chunnel
must "alice logs in" ss_up c1
must "bob logs in" ss_up d
alice=$(ss_address c1) bob=$(ss_address d)
check "there are SAs of IPComp, two for each" equal "$(comp_sas)" 4
check "the operator sees it" matches "$(vpngwctl show alice)" '*in UDP, compressed*'
check "alice reaches the LAN, with packets of any size" assert_pings c1 "$alice"
check "bob does" assert_pings d "$bob"
check "alice's large packets become small" assert_compressed c1 "$alice"
check "bob's do" assert_compressed d "$bob"
check "the outer header has DF and DSCP of the packet inside" assert_marked "$alice" 3
check "ESP went in UDP" assert_esp_seen 12 udp
check "and without" assert_esp_seen 12 plain

check "alice's client renews her SAs" ss c1 --rekey --child home
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "the newer pair has it as well" is_compressed alice true
check "alice reaches the LAN" assert_pings c1 "$alice"
must "the gateway is restarted" gw_handover
check "the sessions go on" assert_sessions 2
check "alice reaches the LAN" assert_pings c1 "$alice"
check "bob does" assert_pings d "$bob"
at_end+=(nat_as_before)
must "the NAT takes another address" nat_moves
in_ns c1 ping -n -c 2 -i 0.2 -W 1 -I "$alice" $LAN_HOST >/dev/null
check "the gateway follows" wait_for 10 moved
check "alice reaches the LAN" assert_pings c1 "$alice"
check "her large packets are still small" assert_compressed c1 "$alice"
check "nothing passed in clear" assert_outside_clean
check "alice is sent away" vpngwctl kick alice
check "bob logs out" ss_down d
check "nothing is left" assert_nothing_left
ss_stop c1
nat_as_before

must "the gateway is to work without an interface, and to renew keys soon" configure deflate none
printf '[phase2]\nlifetime = 15s\n[tunnel]\ncopy_df = off\ncopy_dscp = no\n' >>/etc/vpngw/vpngw.conf.d/50-scenario.conf
must "it starts" gw_restart
must "alice's client starts" ss_client c1 child='ipcomp = yes'
must "alice logs in" ss_up c1
check "she reaches the LAN" assert_pings c1 10.99.99.1
check "the outer header has neither DF nor DSCP" assert_marked 10.99.99.1 0
check "the gateway renews her SAs" \
	wait_for 40 journal_has_times 1 EVENT=rekey USER=alice BY=gateway
check "with IPComp" is_compressed alice true
check "she reaches the LAN" assert_pings c1 10.99.99.1
check "alice logs out" ss_down c1
check "nothing is left" assert_nothing_left

must "the gateway is to compress nothing" configure none
printf '[tunnel]\ncopy_df = off\ncopy_dscp = no\n' >>/etc/vpngw/vpngw.conf.d/50-scenario.conf
must "it starts" gw_restart
must "alice logs in, and her client still asks for it" ss_up c1
check "there is no SA of IPComp" equal "$(comp_sas)" 0
check "she reaches the LAN" assert_traffic c1 10.99.99.1
check "the outer header has neither DF nor DSCP" assert_marked 10.99.99.1 0
check "alice logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
