#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who logs in again has the same address, though others came meanwhile; also after a restart.
#
# alice comes, goes, bob comes, alice comes back. Her session's end tells how much she moved.

. "$(dirname "$0")/lib.sh"

more_than() { # more_than NUMBER LIMIT
	[ "${1:-0}" -gt "$2" ] || { echo "got \"$1\"" && return 1; }
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
check "she reaches the LAN" assert_traffic c1 10.99.99.1 $LAN_HOST 1000
must "the capture starts" capture_start
check "she logs out" ss_down c1
check "the journal tells of the end" assert_journal EVENT=session-down USER=alice REASON=client-left
check "with the bytes that came in" \
	more_than "$(journal_field BYTES_IN EVENT=session-down USER=alice)" 3000
check "the bytes that went out" \
	more_than "$(journal_field BYTES_OUT EVENT=session-down USER=alice)" 3000
check "and how long it was" \
	matches "$(journal_field DURATION EVENT=session-down USER=alice)" '[0-9]*'
check "nothing is left" assert_nothing_left
check "the LAN does not reach her address any more" \
	not in_ns l ping -n -c 3 -i 0.2 -W 1 10.99.99.1
check "nor does anything for it leave in clear" assert_outside_clean
capture_stop

must "bob logs in" vpnc_up c2
check "he has another address" equal "$(vpnc_address c2)" 10.99.99.2
must "alice logs in again" ss_up c1
check "she has her address again" equal "$(ss_address c1)" 10.99.99.1
check "she reaches the LAN again" assert_traffic c1 10.99.99.1

check "alice logs out again" ss_down c1
check "the gateway is restarted" gw_restart
must "alice logs in once more" ss_up c1
check "she still has her address" equal "$(ss_address c1)" 10.99.99.1
check "she reaches the LAN" assert_traffic c1 10.99.99.1
finish
