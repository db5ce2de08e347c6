#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A05, A07, A14: strongSwan clients log in by main mode with a shared key, then name and password.
#
# The key is chosen by the client's address. The name of the login is not the identity of phase 1,
# which is the client's address; the lease belongs to the name. One client has the key and no more.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[phase1]
authentication = hybrid_rsa, xauth_psk, psk
E
must "it has shared keys" gw_shared_keys <<'E'
# everybody's, and one host's own
*              squeamish ossifrage
198.51.100.10  0x6120686f737427732076657279206f776e206b6579
E
check "the configuration is valid, with a warning" \
	grep -q 'xauth_psk is weak: .*pose as the gateway' <(vpngw --check-config 2>&1)
must "the gateway starts" gw_start
check "it warns of what a shared key means" assert_journal_says 'xauth_psk is weak'
must "the capture starts" capture_start

must "alice's client starts, with the key of its address" \
	ss_client d mode=main auth=psk "psk=a host's very own key"
must "bob's client starts behind a NAT, with everybody's key" \
	ss_client c1 mode=main auth=psk user=bob password=chunnel
must "alice logs in" ss_up d
must "bob logs in" ss_up c1
check "the gateway lists her session" assert_session alice 10.99.99.1 $DIRECT
check "and his, from the NAT's address" assert_session bob 10.99.99.2 $NAT
check "her session says how it came" \
	equal "$(session_of alice exchange_mode authentication group)" \
	$'main\nxauth_psk\n198.51.100.10'
check "his identity is his address behind the NAT" \
	equal "$(session_of bob authentication group)" $'xauth_psk\n192.168.1.2'
check "the leases belong to the names" \
	equal "$(vpngwctl leases --json | jq -r '[.leases[] | .user] | sort | join(" ")')" 'alice bob'
check "alice reaches the LAN through her SAs" assert_traffic d 10.99.99.1
check "bob reaches the LAN through his" assert_traffic c1 10.99.99.2
check "the LAN reaches bob" assert_reachable 10.99.99.2
check "nothing passed in clear" assert_outside_clean

check "alice logs out" ss_down d
check "bob logs out" ss_down c1
check "nothing is left" assert_nothing_left

must "a client starts that has the key and nobody to ask for a password" \
	ss_client c2 mode=main auth=psk_alone
must "it logs in" ss_up c2
check "its user is its identity" \
	equal "$(session_of psk:192.168.2.2 authentication address)" $'psk\n10.99.99.3'
check "it reaches the LAN" assert_traffic c2 10.99.99.3
check "it logs out" ss_down c2
ss_stop c2

must "a client starts that wants the gateway's certificate" ss_client c2 mode=main
check "it logs in beside the shared keys" ss_up c2
check "no key is in the journal" not journal_says "ossifrage|very own"
finish
