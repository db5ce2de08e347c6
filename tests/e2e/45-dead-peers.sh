#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clients that vanish are found out in time (A28), those that are there are not bothered.
#
# Silence of 4 s, then 3 questions 2 s apart: 10 s, and one look at the counters (2 s). First two
# clients idle and answer. Then alice's daemon is stopped while her kernel goes on sending packets:
# she stays, until that stops, too. bob's packets are dropped on their way to the gateway: he is
# told, for he still hears.

. "$(dirname "$0")/lib.sh"

PROMISED=12
SLACK=2 # the guest is slow

in_time() { # in_time USER SINCE: given up not too late after that moment, microseconds
	local at took
	at=$(journal_lines -n 1 -o json VPNGW_EVENT=dpd-timeout VPNGW_USER="$1" |
		jq -r .__REALTIME_TIMESTAMP)
	took=$(((at - $2) / 1000000))
	echo "$took s"
	[ $took -le $((PROMISED + SLACK)) ]
}

answered() { # answered NAMESPACE TIMES
	[ "$(grep -cE "$ss_answered" "$W/$1/charon.log")" -ge "$2" ]
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
dpd_delay = 4s
dpd_retry = 2s
dpd_maxfail = 3
E
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in, by vpnc" vpnc_up c2 dpd=10

check "alice's client is asked and answers, again and again" wait_for 40 answered c1 3
check "both sessions are there" assert_sessions 2
check "the gateway knows that alice is there" heard_of alice 8
check "and bob" heard_of bob 8

check "alice's daemon is stopped, her kernel is not" kill -STOP "$ss_pid_c1"
at_end+=("kill -CONT $ss_pid_c1")
become_in_ns c1 ping -n -q -i 0.5 -w 16 -I 10.99.99.1 $LAN_HOST >"$W/ping" &
ping=$!
check "she uses the tunnel for 16 s" wait_for 30 gone $ping
stopped=${EPOCHREALTIME/./}
check "her session is there all the time" not journal_has EVENT=dpd-timeout
check "and still" has_session alice 10.99.99.1 $NAT
check "when the packets stop, she is found out" wait_for 40 journal_has EVENT=dpd-timeout USER=alice
check "in the promised time" in_time alice "$stopped"
check "the journal says why the session ended" \
	assert_journal EVENT=session-down USER=alice REASON=dpd-timeout
check "and which settings decided" assert_journal_says 'does not answer: last heard of .*dpd_delay'
check "her address is free" assert_journal EVENT=lease-released USER=alice
kill -CONT "$ss_pid_c1"
check "her client, when it goes on, learns of it" ss_says c1 "$ss_deleted"
check "bob has not noticed anything" has_session bob 10.99.99.2 $NAT
check "and reaches the LAN" assert_traffic c2 10.99.99.2

must "nothing comes from bob any more" cut_off c2 away
stopped=${EPOCHREALTIME/./}
check "he is found out" wait_for 40 journal_has EVENT=dpd-timeout USER=bob
check "in the promised time" in_time bob "$stopped"
check "he heard of it: vpnc exits" wait_for 10 vpnc_gone c2
check "the way is open again" reconnect
check "nothing is left" assert_nothing_left
finish
