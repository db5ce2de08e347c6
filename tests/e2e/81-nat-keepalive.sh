#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A NAT with a short memory does not forget clients that the gateway keeps alive (A24).
#
# Two clients behind it are idle for longer than it remembers: their own keepalives come too late for
# that, strongSwan's every 20 seconds. With natt_keepalive the LAN reaches them all the same.

. "$(dirname "$0")/lib.sh"

nat_remembers() { # nat_remembers SECONDS SECONDS (one packet, many packets)
	in_ns r sh -c "echo $1 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout &&
		echo $2 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream"
}

# One byte 0xff from the gateway's port 4500.
keepalive='src host 198.51.100.2 and udp src port 4500 and udp[4:2] = 9 and udp[8] = 0xff'

unreachable() { # unreachable ADDRESS
	not in_ns l ping -n -c 2 -i 0.2 -W 2 "$1"
}

both_log_in() {
	must "alice logs in" ss_up c1
	must "bob logs in from behind the same NAT" vpnc_up c2
	alice=$(ss_address c1) bob=$(vpnc_address c2)
	check "alice reaches the LAN" assert_traffic c1 "$alice"
	check "bob reaches the LAN" assert_traffic c2 "$bob"
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
natt_keepalive = 2s
E
must "the gateway starts" gw_start
must "the NAT forgets after 4 seconds" nat_remembers 4 4
at_end+=("nat_remembers 30 120")
must "the capture starts" capture_start
must "alice's client starts" ss_client c1
both_log_in
nap 12
check "the LAN reaches alice after 12 seconds of silence" assert_reachable "$alice"
check "and bob" assert_reachable "$bob"
check "both sessions are where they were" not journal_has EVENT=peer-moved
check "the gateway sent keepalives" test "$(captured_count "$keepalive")" -ge 8
check "nothing else passed in clear" assert_outside_clean
nap 3
n=$(captured_count "$keepalive")
in_ns l ping -n -q -i 0.3 -c 20 "$alice" >"$W/ping-alice" &
in_ns l ping -n -q -i 0.3 -c 20 "$bob" >"$W/ping-bob"
check "none while there is traffic" \
	test $(($(captured_count "$keepalive") - n)) -le 2
check "alice logs out" ss_down c1
vpnc_down c2
check "nothing is left" assert_nothing_left

must "keepalives are turned off" gw_configure
must "the gateway starts anew" gw_restart
must "alice logs in again" ss_up c1
check "she reaches the LAN" assert_traffic c1 "$alice"
nap 8
check "without keepalives the LAN cannot reach alice after 8 seconds" unreachable "$alice"
check "alice speaks, and is found again" assert_traffic c1 "$alice"
check "the LAN reaches her" assert_reachable "$alice"
finish
