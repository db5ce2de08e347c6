#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client logs in again every few seconds, as reauth_time tells it to (A48). Each time
# its session goes on under another ISAKMP SA, and no packet is lost meanwhile. So does one that
# waits for mode config instead of asking, and gets it again when its machine has crashed.

. "$(dirname "$0")/lib.sh"

renewals() { # renewals TIMES: there were so many
	[ "$(counter renewals)" -ge "$1" ]
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the client starts" ss_client c1 conn='reauth_time = 7s; over_time = 10s; rand_time = 0s'
must "alice logs in" ss_up c1
address=$(ss_address c1)
check "there is one session" assert_session alice "$address" $NAT
id=$(session_of alice session)
policies=$(ip -n g xfrm policy list nosock)
must "she pings, twenty times a second" ping_start c1 "$address"
check "her client logs in again, three times" \
	wait_for 60 journal_has_times 3 EVENT=rekey USER=alice SA=isakmp BY=client
check "no ping was lost" assert_no_ping_lost
check "there is one session still" assert_session alice "$address" $NAT
check "and no other" assert_sessions 1
check "it is the one that it was" equal "$(session_of alice session)" "$id"
check "her client has the address that it had" equal "$(ss_address c1)" "$address"
check "there is one lease" has_leases 1
check "no session has ended" not journal_has EVENT=session-down
check "the renewals are counted" renewals 3
check "as no more than one login" equal "$(counter logins)" 1
check "the selectors are as they were" equal "$(ip -n g xfrm policy list nosock)" "$policies"
check "traffic goes on" assert_traffic c1 "$address"
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left

must "another client starts, which waits for mode config" \
	ss_client c2 pull=no conn='reauth_time = 9s; over_time = 10s; rand_time = 0s'
renewed=$(counter renewals)
must "alice logs in again" ss_up c2
must "she pings" ping_start c2 "$address"
check "her client logs in again, twice" wait_for 60 renewals "$((renewed + 2))"
check "no ping was lost this time" assert_no_ping_lost
check "she has the address of before, in one session" assert_session alice "$address" $NAT
check "her machine crashes" ss_crash c2
must "it starts again" ss_client c2 pull=no
must "she logs in from the same port" ss_up c2
check "she was told her address" equal "$(ss_address c2)" "$address"
check "she reaches the LAN" assert_traffic c2 "$address"
check "there is one session, as before" assert_sessions 1
check "she leaves" ss_down c2
check "nothing is left of it" assert_nothing_left
finish
