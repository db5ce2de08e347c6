#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpnc never renews its IPsec SAs itself: the gateway does it, and traffic passes afterwards.
#
# vpnc answers to a nonce of 20 bytes only, and forgets the older keys before it answers.

. "$(dirname "$0")/lib.sh"

# The older pair is gone. Before, it takes what it has counted along while traffic is measured.
one_pair() {
	local all
	all=$(ip -n g xfrm state list)
	equal "$(grep -c ^src <<<"$all")" 2
}

must "the gateway is configured, with a short lifetime" gw_configure <<'C'
[phase2]
lifetime = 25s
C
must "the gateway starts" gw_start
must "bob logs in" vpnc_up c1
address=$(vpnc_address c1)
check "he reaches the LAN" assert_traffic c1 "$address"
for n in 1 2; do
	check "the gateway renews his SAs" \
		wait_for 40 journal_has_times $n EVENT=rekey USER=bob BY=gateway
	check "the older ones go" wait_for 20 one_pair
	check "and he still reaches the LAN" assert_traffic c1 "$address"
	check "and the LAN him" assert_reachable "$address"
done
check "there is one session" assert_session bob "$address" $NAT
vpnc_down c1
check "nothing is left" assert_nothing_left

must "bob logs in again, with PFS" vpnc_up d pfs=dh14
address=$(vpnc_address d)
check "the gateway renews his SAs" wait_for 40 journal_has_times 3 EVENT=rekey USER=bob BY=gateway
check "the older ones go" wait_for 20 one_pair
check "and he still reaches the LAN" assert_traffic d "$address"
vpnc_down d
check "nothing is left" assert_nothing_left
finish
