#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A fragment that is lost, fragments that come in another order or twice: the login works.
#
# First exactly one fragment is lost on its way, then one of the answer; repeated, both get through.
# Then the wire reorders half of all packets and doubles a third.

. "$(dirname "$0")/lib.sh"

# Drops the second fragment of IKE messages the first time it is seen, and every second time after
# that: the gateway's input or output, on port 500. The next payload is 132, the number 2.
lose_second() { # lose_second input|output
	in_ns g nft -f - <<N
table inet lossy {
	chain lossy {
		type filter hook $1 priority 0
		udp dport 500 @th,192,8 132 @th,336,8 2 numgen inc mod 2 0 counter drop
	}
}
N
}

lost() {
	in_ns g nft list table inet lossy | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the client starts" ss_client d fragmentation=force fragment_size=400
must "the second fragment to the gateway will be lost" lose_second input
check "alice logs in all the same" ss_up d
check "one was lost" equal "$(lost)" 1
check "the client sent the message again" ss_says d 'sending retransmit 1 of request'
check "what came twice was taken once" test "$(counter fragments_repeated)" -ge 1
check "she logs out" ss_down d
in_ns g nft delete table inet lossy

ss_forget d
must "the second fragment from the gateway will be lost" lose_second output
check "alice logs in again" ss_up d
check "at least one was lost" test "$(lost)" -ge 1
check "we sent our answer again" test "$(counter resent)" -ge 1
check "she reaches the LAN" assert_traffic d "$(ss_address d)"
check "she logs out again" ss_down d
in_ns g nft delete table inet lossy

must "the wire reorders and doubles what the client sends" \
	in_ns d tc qdisc add dev wan root netem delay 30ms reorder 50% duplicate 33%
must "and what the gateway sends" \
	in_ns g tc qdisc add dev wan root netem delay 30ms reorder 50% duplicate 33%
for turn in 1 2 3; do
	check "alice logs in, time $turn" ss_up d
	check "she reaches the LAN, time $turn" in_ns d ping -n -c 3 -i 0.2 -W 5 -I "$(ss_address d)" \
		$LAN_HOST
	check "she logs out, time $turn" ss_down d
done
in_ns d tc qdisc del dev wan root
in_ns g tc qdisc del dev wan root
check "fragments came twice" test "$(counter fragments_repeated)" -ge 2
check "none contradicted another" equal "$(counter dropped_fragment_conflict)" 0
check "nothing is left" assert_nothing_left
check "no message is incomplete" wait_for 12 eval '[ "$(vpngwctl status --json | jq .incomplete)" = 0 ]'
finish
