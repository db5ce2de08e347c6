#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A wrong password is refused: no lease, no SA, a line in the journal; the right one works after it.
#
# strongSwan and vpnc each try a wrong password, and vpnc a name that does not exist.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start

must "alice's client starts, with a wrong password" ss_client d password=looking-glass
check "she is refused" not ss_up d
check "her client was told so" ss_says d "$ss_refused"
check "the journal says who, from where and why" \
	assert_journal EVENT=auth-failed USER=alice REASON=auth-failed
check "the journal names the client's address" \
	matches "$(journal_field PEER EVENT=auth-failed USER=alice)" "$DIRECT:*"
check "vpngw-authd says what it found" \
	assert_journal USER=alice REASON=denied "DETAIL=wrong password"
check "bob is refused with a wrong password" not vpnc_up c1 password=wrong
check "the journal says so" assert_journal EVENT=auth-failed USER=bob
check "a name that does not exist is refused" not vpnc_up c1 user=mallory
check "the journal says so, too" assert_journal EVENT=auth-failed USER=mallory
check "nobody got a lease" not journal_has EVENT=lease-granted
check "no address is even kept" equal "$(vpngwctl leases --json | jq '.leases | length')" 0
check "nothing is left" assert_nothing_left
check "W16: no password is in the journal" not journal_says 'looking-glass'

ss_stop d
must "alice's client starts, with the right password" ss_client d
check "she logs in" ss_up d
check "she reaches the LAN" assert_traffic d 10.99.99.1
finish
