#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A NAT gives its clients other ports, then another address, and their traffic goes on (A26).
#
# It forgets its mappings and nothing tells the clients. The next packet of each comes from elsewhere, the gateway's kernel finds
# it authentic and reports it, and session and SAs follow. alice has strongSwan, bob vpnc.

. "$(dirname "$0")/lib.sh"

SECOND=198.51.100.77 # another address of the NAT

# Another rule for what leaves r, and no memory of old flows.
nat_becomes() { # nat_becomes RULE
	in_ns r nft -f - <<E || return 1
flush chain ip nat postrouting
add rule ip nat postrouting oifname "out" meta l4proto udp $1
add rule ip nat postrouting oifname "out" masquerade
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

# Pings run while the NAT changes. The first one behind it shows the gateway where the client is,
# and its answer may be lost while that is worked on.
pings=40
ping_start() { # ping_start NAMESPACE ADDRESS
	become_in_ns "$1" ping -n -i 0.2 -c $pings -W 5 -I "$2" $LAN_HOST >"$W/ping-$1.log" 2>&1 &
	printf -v "ping_pid_$1" %s $!
	wait_for_line 20 "$W/ping-$1.log" 'icmp_seq=5 '
}

ping_lost() { # ping_lost NAMESPACE MAXIMUM
	local pid=ping_pid_$1 got
	wait_for 60 gone "${!pid}" || return 1
	got=$(grep -c 'bytes from' "$W/ping-$1.log")
	grep -v 'bytes from' "$W/ping-$1.log"
	[ $((pings - got)) -le "$2" ]
}

peer_is() { # peer_is USER PATTERN
	matches "$(session_of "$1" peer)" "$2"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the NAT has a second address" ip -n r addr add $SECOND/24 dev out
at_end+=(nat_as_before)
must "the capture starts" capture_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in from behind the same NAT" vpnc_up c2
alice=$(ss_address c1) bob=$(vpnc_address c2)
check "alice reaches the LAN" assert_traffic c1 "$alice"
check "bob reaches the LAN" assert_traffic c2 "$bob"
was=$(session_of alice peer)

must "alice pings" ping_start c1 "$alice"
must "bob pings" ping_start c2 "$bob"
check "the NAT forgets, and uses other ports" nat_becomes "masquerade to :20000-20010"
check "alice has lost one ping at most" ping_lost c1 1
check "bob has lost one ping at most" ping_lost c2 1
check "alice's session shows a new port" peer_is alice "$NAT:200[01]?"
check "bob's session shows a new port" peer_is bob "$NAT:200[01]?"
check "the journal tells of alice's move" assert_journal EVENT=peer-moved USER=alice \
	OLD_PEER="$was" PEER="$(session_of alice peer)"
check "the journal tells of bob's move" assert_journal EVENT=peer-moved USER=bob
check "the LAN reaches alice" assert_reachable "$alice"
check "the LAN reaches bob" assert_reachable "$bob"
check "the kernel's SAs are as many as before" equal "$(sa_count $NAT)" 4

must "alice pings again" ping_start c1 "$alice"
must "bob pings again" ping_start c2 "$bob"
check "the NAT uses another address" nat_becomes "snat to $SECOND:30000-30010"
check "alice has lost one ping at most" ping_lost c1 1
check "bob has lost one ping at most" ping_lost c2 1
check "alice's session shows the new address" peer_is alice "$SECOND:300[01]?"
check "bob's session shows the new address" peer_is bob "$SECOND:300[01]?"
check "no SA is left at the old address" equal "$(sa_count $NAT)" 0
check "all are at the new one" equal "$(sa_count $SECOND)" 4
check "the LAN reaches alice" assert_reachable "$alice"
check "the LAN reaches bob" assert_reachable "$bob"
check "alice's traffic is counted in the SAs as before" assert_traffic c1 "$alice"
check "nothing passed in clear" assert_outside_clean

check "alice is kicked" vpngwctl kick alice
check "her client hears of it where it is now" wait_for 20 ss_is_down c1
vpnc_down c2
check "nothing is left" assert_nothing_left
finish
