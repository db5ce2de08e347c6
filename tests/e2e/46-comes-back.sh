#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A client that finds the gateway gone dials again, and has its address again (A29, A51).
#
# The way between them is cut. The client gives up first; the gateway, which asks nobody here, still
# has the session when the new login comes. From the same port and without INITIAL-CONTACT that is
# a renewal: the session goes on. Then the client's machine crashes, and at last she just leaves and
# comes back.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[auth]
unique = replace
E
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1 dpd=restart
must "alice logs in" ss_up c1
must "bob logs in, by vpnc" vpnc_up c2
check "alice has an address" assert_session alice 10.99.99.1 $NAT
old=$(session_of alice session)

must "alice's way to the gateway is cut" cut_off c1
check "her client finds out" ss_says c1 'DPD check timed out'
check "the gateway has not" has_session alice 10.99.99.1 $NAT
must "the way is open again" reconnect
check "her client dials again; the session goes on" \
	wait_for 40 journal_has EVENT=rekey SESSION="$old" SA=isakmp
check "with another pair of SAs" wait_for 10 journal_has EVENT=rekey SESSION="$old" SA=esp
check "she has her address again" assert_session alice 10.99.99.1 $NAT
check "in the session that she had" equal "$(session_of alice session)" "$old"
check "her client thinks so, too" wait_for 10 equal "$(ss_address c1)" 10.99.99.1
check "she reaches the LAN" assert_traffic c1 10.99.99.1
check "there is one session of each" assert_sessions 2
check "bob's is the one that he had" assert_session bob 10.99.99.2 $NAT

check "alice's machine crashes" ss_crash c1
must "it starts again" ss_client c1
must "she logs in, though her old session is there" ss_up c1
check "she has her address again" assert_session alice 10.99.99.1 $NAT
check "she reaches the LAN" assert_traffic c1 10.99.99.1
check "there is one session of each" assert_sessions 2

check "she leaves" ss_down c1
check "her session ends" assert_sessions 1
must "and comes back" ss_up c1
check "she has her address again" assert_session alice 10.99.99.1 $NAT
finish
