#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# IKE messages in fragments both ways, from the first one on; no IP fragment is on the wire.
#
# The client may send IP packets of 400 bytes, which cuts its first message and its Quick Mode; the
# gateway datagrams of 296, which cuts its certificate message and its Quick Mode. One client is
# behind a NAT, on port 4500 from its third message on, one is not and stays on port 500.

. "$(dirname "$0")/lib.sh"

# The client's first packet is a fragment, under a responder cookie that is still zero.
first_is_a_fragment() { # first_is_a_fragment ADDRESS
	local first
	first=$(captured "src $1 and $ike" | head -n 1)
	[ -n "$first" ] && [ "$first" = "$(captured "src $1 and $ike_fragment and udp[16:4] = 0 and
		udp[20:4] = 0" | head -n 1)" ]
}

must "the gateway is configured" gw_configure <<'C'
[phase1]
ike_frag_size = 296
[phase2]
pfs_group = 14
C
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "alice's client behind a NAT starts" ss_client c1 fragmentation=force fragment_size=400 \
	esp=aes256-sha256-modp2048
must "alice logs in" ss_up c1
check "her first message was in fragments" first_is_a_fragment $NAT
check "so was what she sent to port 4500" \
	test -n "$(captured "src $NAT and dst port 4500 and $ike_fragment")"
check "her client put our messages together" ss_says c1 'reassembled fragmented IKE message'
check "she reaches the LAN through her SAs" assert_traffic c1 "$(ss_address c1)"
check "the session says that both sides sent fragments" equal "$(session_of alice fragments)" both

must "bob's client without a NAT starts" ss_client d user=bob password=chunnel fragmentation=force \
	fragment_size=400 esp=aes256-sha256-modp2048
must "bob logs in" ss_up d
check "his first message was in fragments" first_is_a_fragment $DIRECT
check "his Quick Mode was, too" test "$(captured_count "src $DIRECT and $ike_fragment")" -ge 4
check "he reaches the LAN through his SAs" assert_traffic d "$(ss_address d)"

check "our certificate message went in fragments" \
	test -n "$(captured "src $GATEWAY and src port 500 and $ike_fragment and udp[24 + 18] = 6")"
check "our Quick Mode did, on port 4500" \
	test -n "$(captured "src $GATEWAY and src port 4500 and $ike_fragment")"
check "no IKE datagram of ours is longer than 296 bytes" assert_ike_at_most 296 "src $GATEWAY"
check "none of theirs is longer than 372" assert_ike_at_most 372 "dst $GATEWAY"
check "IP has cut nothing" assert_not_cut
check "nothing passed in clear" assert_outside_clean
check "the gateway has counted them" test "$(counter fragments_received)" -ge 8
check "ours as well" test "$(counter fragments_sent)" -ge 12
check "and refused none" assert_nothing_refused
check "they log out" eval 'ss_down c1 && ss_down d'
check "nothing is left" assert_nothing_left
check "no message is incomplete" equal "$(vpngwctl status --json | jq .incomplete)" 0
finish
