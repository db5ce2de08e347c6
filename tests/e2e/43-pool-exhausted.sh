#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# With no address left a login is refused at once, and the journal says what to enlarge.
#
# The pool has one address. alice has it; bob is refused, until she has left.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[pool "default"]
pool_size = 1
E
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
check "she has the only address" equal "$(ss_address c1)" 10.99.99.1

must "bob's client starts" ss_client c2 user=bob password=chunnel
before=$SECONDS
check "bob is refused" not ss_up c2
check "at once, not by a timeout" [ $((SECONDS - before)) -lt 12 ]
check "the journal tells the operator" assert_journal EVENT=pool-exhausted USER=bob
check "and which key to look at" assert_journal_says 'pool_size'
check "his client does not log in again and again" \
	equal "$(grep -c 'initiating Aggressive Mode' "$W/c2/charon.log")" 1
ss_stop c2
check "bob by vpnc is refused as well" not vpnc_up d
check "alice is still there, alone" assert_sessions 1
check "alice still reaches the LAN" assert_traffic c1 10.99.99.1

check "alice logs out" ss_down c1
check "nothing is left" assert_nothing_left
must "bob's client starts again" ss_client c2 user=bob password=chunnel
check "now he gets in" ss_up c2
check "with the only address" equal "$(ss_address c2)" 10.99.99.1
check "he reaches the LAN" assert_traffic c2 10.99.99.1
finish
