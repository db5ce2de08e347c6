#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A thousand sessions go through a restart and a crash, and a client that pings notices nothing.
#
# All but one are of a client of our own, which makes whole logins and pairs and then falls silent; the
# one is strongSwan, which pings all the time.
# long
# time: 900 s

. "$(dirname "$0")/lib.sh"
dial_needed

COUNT=1000

# All that may not change: what it is called, whose it is, where, since when.
sessions() {
	vpngwctl list --json | jq -c '.sessions[] | [.session, .user, .address, .peer, .since, .state]' |
		sort
}

sessions_are() { # sessions_are BEFORE
	sessions >"$W/sessions.now"
	cmp "$1" "$W/sessions.now"
}

kernel_state() { # SAs and policies, whatever has passed them
	ip -n g xfrm state | grep -oE 'spi 0x[0-9a-f]+ reqid [0-9]+' | sort
	ip -n g xfrm policy list nosock | sort
}

kernel_is() { # kernel_is BEFORE
	kernel_state >"$W/kernel.now"
	cmp "$1" "$W/kernel.now"
}

log_in_many() { # log_in_many COUNT
	local n
	for ((n = 0; n < $1; n++)); do
		dial many new up || return 1
	done
}

all_there() {
	check "all sessions are what they were" wait_for 60 sessions_are "$W/sessions"
	check "and so are their SAs and policies" kernel_is "$W/kernel"
	check "and their leases" has_leases $((COUNT + 1))
}

resident() {
	grep VmRSS "/proc/$(systemctl show -P MainPID vpngw.service)/status"
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
proposal = aes256-sha256-x25519
[auth]
fail_limit = off
[pool "default"]
network4 = 10.99.96.1
pool_size = 1020
E
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1 proposals=aes256-sha256-x25519
must "alice logs in" ss_up c1
must "bob's client starts" dial_start many bob chunnel
must "bob logs in $COUNT times" log_in_many $COUNT
check "there are as many sessions" has_sessions $((COUNT + 1))
sessions >"$W/sessions"
kernel_state >"$W/kernel"
check "each has its SAs" equal "$(grep -c reqid "$W/kernel")" "$((2 * (COUNT + 1) + 3 * (COUNT + 1)))"
echo "# $(resident)"
must "alice pings, twenty times a second" ping_start c1 "$(ss_address c1)"

check "the gateway is restarted" gw_handover
all_there
check "it is killed and comes again" gw_crash
all_there
check "no ping was lost" assert_no_ping_lost
echo "# $(resident)"
journal_lines -o short-precise |
	grep -E 'stopping for|go on|listening on 0.0.0.0:500|Start(ing|ed) vpngw.service' | sed 's/^/# /'
check "the last of bob's clients is known" dial many ask
check "and can renew its pair" dial many rekey
check "alice reaches the LAN" assert_traffic c1 "$(ss_address c1)"
check "the gateway is stopped" \
	systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
check "nothing is left in the kernel" assert_kernel_clean
finish
