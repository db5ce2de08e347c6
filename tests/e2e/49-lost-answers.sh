#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A client whose answers are lost for a while is asked again, and its next answer is good enough.
#
# All questions of one round carry the same number: strongSwan and vpnc answer it each time.

. "$(dirname "$0")/lib.sh"

unanswered() { # unanswered USER TIMES: it was asked as often without an answer
	local n
	n=$(session_of "$1" unanswered)
	[ "$n" -ge "$2" ] || { echo "$n times" && return 1; }
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
dpd_delay = 4s
dpd_retry = 3s
dpd_maxfail = 6
E
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in, by vpnc" vpnc_up c2 dpd=10
for ns in c1 c2; do
	user=alice
	[ $ns = c1 ] || user=bob
	must "the answers of $user are lost for a while" cut_off $ns away
	check "$user is asked again" wait_for 30 unanswered $user 2
	check "the way is open again" reconnect
	check "an answer to the same question again is good" wait_for 10 heard_of $user 1
done
check "both sessions are there" assert_sessions 2

check "nobody was given up" not journal_has EVENT=dpd-timeout
finish
