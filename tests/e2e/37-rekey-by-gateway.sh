#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway renews a strongSwan client's IPsec SAs before their life is over; no packet is lost.
#
# The client would keep them for hours. It speaks Cisco Unity and has asked for everything, which
# both sides narrow to the split network: the newer pair covers the same.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured, with a short lifetime" gw_configure <<'C'
[phase2]
lifetime = 40s
C
must "the gateway starts" gw_start
must "the client starts" ss_client c1 remote_ts=0.0.0.0/0 unity=yes esp=aes256-sha256-modp2048
must "alice logs in" ss_up c1
address=$(ss_address c1)
policies=$(ip -n g xfrm policy list nosock)
must "she pings, twenty times a second" ping_start c1 "$address"
check "the gateway renews her SAs" wait_for 110 journal_has_times 2 EVENT=rekey USER=alice BY=gateway
check "no ping was lost" assert_no_ping_lost
check "each attempt was the last one" not journal_has REASON=rekey-failed
check "the selectors are as they were" equal "$(ip -n g xfrm policy list nosock)" "$policies"
check "the client's are, too" \
	ss_says c1 'CHILD_SA home.* established.* TS 10\.99\.99\.1/32 === 10\.10\.0\.0/24'
check "there is one session" assert_session alice "$address" $NAT
check "traffic goes on" assert_traffic c1 "$address"
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
