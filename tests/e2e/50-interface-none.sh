#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# interface = none: plain policies carry the traffic, without an XFRM interface, and nothing leaks.
#
# When alice has gone, what the LAN still sends to her address goes nowhere instead of out in clear,
# and what a stranger sends from it does not get in.

. "$(dirname "$0")/lib.sh"

# Packets that a policy has blocked on their way in or through.
blocked_inwards() {
	in_ns g sed -n 's/^XfrmInPolBlock[^0-9]*//p' /proc/net/xfrm_stat
}

policies() {
	ip -o -n g xfrm policy list nosock | sort
}

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
must "alice pings, twenty times a second" ping_start c1 "$(ss_address c1)"
policies=$(policies)
check "the gateway is restarted" gw_handover
check "no ping was lost" assert_no_ping_lost
check "the policies are what they were" equal "$(policies)" "$policies"
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down c1
vpnc_down d
check "nothing is left" assert_nothing_left

check "the LAN does not reach alice's address any more" \
	not in_ns l ping -n -c 3 -i 0.2 -W 1 10.99.99.1
check "nor one that nobody has had" not in_ns l ping -n -c 3 -i 0.2 -W 1 10.99.99.33
check "none of it left in clear" assert_outside_clean
capture_stop
must "a stranger takes alice's address" ip -n d -batch - <<E
addr add 10.99.99.1/32 dev lo
route add 10.10.0.0/24 via $GATEWAY
E
blocked=$(blocked_inwards)
check "he gets no answer from the LAN" \
	not in_ns d ping -n -c 3 -i 0.2 -W 1 -I 10.99.99.1 $LAN_HOST
check "for his packets are dropped" equal "$(blocked_inwards)" $((blocked + 3))
ip -n d addr del 10.99.99.1/32 dev lo
ip -n d route del 10.10.0.0/24

must "alice logs in again" ss_up c1
check "she reaches the LAN as before" assert_traffic c1 "$(ss_address c1)"
systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
check "the gateway leaves no policy" equal "$(ip -n g xfrm policy list nosock)" ""
finish
