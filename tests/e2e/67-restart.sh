#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A restart costs nobody anything, nor does a crash (A49); a state that is damaged is not believed.
#
# A strongSwan client behind the NAT and a direct vpnc client ping all the time while the gateway is
# restarted and killed. Not one packet is lost, for the kernel goes on, and the sessions are the same
# ones. Then a bit of the state is changed.

. "$(dirname "$0")/lib.sh"

sessions() {
	vpngwctl list --json | jq -c '[.sessions[] | [.session, .user, .address, .peer, .since, .state]] | sort'
}

sessions_are() { # sessions_are BEFORE
	equal "$(sessions)" "$1"
}

kernel_state() { # what there is of ours: SAs, policies, routes
	ip -n g xfrm state | grep -oE 'spi 0x[0-9a-f]+ reqid [0-9]+' | sort
	ip -n g xfrm policy list nosock
	ip -n g link show vpn0
	ip -n g route show dev vpn0
}

same_as_before() {
	equal "$(kernel_state)" "$kernel" && wait_for 10 sessions_are "$before" && has_leases 2
}

ping_all_the_time() { # ping_all_the_time NAMESPACE ADDRESS
	become_in_ns "$1" ping -n -i 0.2 -I "$2" $LAN_HOST >"$W/ping-$1.log" 2>&1 &
	printf -v "ping_$1" %s $!
	at_end+=("stop_process $!")
}

none_lost() { # none_lost NAMESPACE; the last one may be on its way
	local pid=ping_$1 line
	kill -INT "${!pid}"
	wait "${!pid}"
	line=$(grep transmitted "$W/ping-$1.log")
	echo "$line"
	[[ $line =~ ^([0-9]+)\ packets\ transmitted,\ ([0-9]+)\ received ]] &&
		[ "${BASH_REMATCH[2]}" -gt 20 ] && [ $((BASH_REMATCH[1] - BASH_REMATCH[2])) -le 1 ]
}

dpd_answers() {
	grep -cE 'parsed INFORMATIONAL_V1 .*N\(DPD_ACK\)' "$W/c1/charon.log"
}

answered_again() { # answered_again COUNT
	[ "$(dpd_answers)" -gt "$1" ]
}

# One bit of what the daemon has in the store, which nobody else can map to write.
damage_state() {
	local pid at byte
	pid=$(systemctl show -P MainPID vpngw.service)
	at=$(grep -m 1 'memfd:vpngw-sessions' "/proc/$pid/maps")
	at=$((0x${at%%-*} + 300))
	byte=$(dd if="/proc/$pid/mem" bs=1 skip=$at count=1 2>/dev/null | od -An -tu1)
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 4)))" |
		dd of="/proc/$pid/mem" bs=1 seek=$at conv=notrunc 2>/dev/null
}

came_back() { # came_back OLD-SESSION
	local now
	now=$(session_of alice session state)
	matches "$now" "*"$'\n'up && [ "${now%%$'\n'*}" != "$1" ]
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1 dpd=restart
must "alice logs in" ss_up c1
must "bob logs in" vpnc_up d
alice=$(ss_address c1) bob=$(vpnc_address d)
check "alice reaches the LAN" assert_traffic c1 "$alice"
check "bob reaches the LAN" assert_traffic d "$bob"
before=$(sessions) kernel=$(kernel_state)
must "alice pings" ping_all_the_time c1 "$alice"
must "bob pings" ping_all_the_time d "$bob"

check "the gateway is restarted" gw_handover
check "it says that sessions go on" assert_journal_says 'stopping for a restart: 2 sessions go on'
check "sessions, SAs, policies and leases are what they were" same_as_before
check "the gateway is killed and comes again" gw_crash
check "sessions, SAs, policies and leases are what they were" same_as_before
check "none of alice's pings was lost" none_lost c1
check "none of bob's pings was lost" none_lost d
check "nobody was told anything" not journal_has EVENT=session-down
n=$(dpd_answers)
check "alice's client is answered when it asks for life" wait_for 10 answered_again "$n"

check "alice renews her SAs" ss c1 --rekey --child home
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "alice reaches the LAN" assert_traffic c1 "$alice"
check "bob reaches the LAN" assert_traffic d "$bob"
check "bob is sent away" vpngwctl kick bob
check "he hears of it" wait_for 10 vpnc_gone d
check "alice alone is there" assert_sessions 1

old=$(session_of alice session)
must "a bit of the state is changed" damage_state
must "the gateway is ended as by its watchdog and comes again" gw_crash ABRT
check "it does not believe it" assert_journal_says 'cannot be taken over: they are damaged'
check "what was alice's is gone from the kernel" assert_journal_says 'removed [2-4] IPsec SAs, 3 policies'
check "her client finds out and dials again" wait_for 30 came_back "$old"
check "alice reaches the LAN" assert_traffic c1 "$(ss_address c1)"

check "the gateway is stopped" \
	systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
check "alice's client is told" ss_says c1 "$ss_deleted"
check "the journal tells of the end" assert_journal EVENT=session-down USER=alice REASON=shutdown
check "nothing is left in the kernel" assert_kernel_clean
finish
