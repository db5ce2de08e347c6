#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A session that is not used ends after idle_limit, one that is used after session_limit.
#
# alice's client asks the gateway for signs of life all the time, but sends nothing through the
# tunnel. bob uses the tunnel until his minute is over.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[auth]
idle_limit = 15s
session_limit = 1m
E
must "the gateway starts" gw_start
must "bob logs in, by vpnc" vpnc_up c2
become_in_ns c2 ping -n -q -i 1 -w 90 $LAN_HOST >"$W/ping" &
ping=$!
at_end+=("stop_process $ping")
must "alice's client starts" ss_client c1 dpd=clear
must "alice logs in" ss_up c1
check "the gateway knows when bob's session ends" \
	matches "$(session_of bob expires_in_s)" '[1-5][0-9]'

check "alice's session ends" wait_for 40 journal_has EVENT=session-down USER=alice
check "for it was not used" equal "$(journal_field REASON EVENT=session-down USER=alice)" idle-limit
check "after 15 seconds" matches "$(journal_field DURATION EVENT=session-down USER=alice)" '1[5-9]'
check "her client is told" ss_says c1 "$ss_deleted"
check "bob's session is used, and there" has_session bob 10.99.99.1 $NAT

check "bob's session ends" wait_for 80 journal_has EVENT=session-down USER=bob
check "for its time was over" \
	equal "$(journal_field REASON EVENT=session-down USER=bob)" session-limit
check "after a minute" matches "$(journal_field DURATION EVENT=session-down USER=bob)" '6[0-1]'
check "vpnc exits" wait_for 10 vpnc_gone c2
check "nothing is left" assert_nothing_left
must "alice may log in again" ss_up c1
finish
