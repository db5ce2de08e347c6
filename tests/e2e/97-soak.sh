#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ten minutes of logins, new keys, moves and logouts, and the gateway is as it was before.
#
# Three clients of our own, one of them behind a NAT, as far as the gateway can tell, never rest; beside
# them strongSwan and vpnc come with real packets and go. Afterwards the gateway and vpngw-authd have the
# memory and the descriptors that they had after the first of all that, and nothing is left of anybody.
# long
# time: 1000 s

. "$(dirname "$0")/lib.sh"
dial_needed

TIME=600
GROWTH=1024 # kB that a process may have more than before

# What each of them has: kB of memory and number of descriptors.
size_of() { # size_of UNIT
	local pid line
	local -a fds
	pid=$(systemctl show -P MainPID "$1")
	fds=(/proc/"$pid"/fd/*)
	while read -r line; do
		[[ $line =~ ^RssAnon:[[:space:]]*([0-9]+) ]] && echo "${BASH_REMATCH[1]} ${#fds[@]}"
	done <"/proc/$pid/status"
}

as_before() { # as_before UNIT MEMORY DESCRIPTORS
	local now
	now=$(size_of "$1")
	echo "$1: $2 kB and $3 descriptors before, $now now"
	[ "${now% *}" -le $(($2 + GROWTH)) ] && [ "${now#* }" = "$3" ]
}

# One life after the other until there is no $W/go any more.
lives() { # lives ID WORD...
	local n=0
	while [ -e "$W/go" ] && dial "$@"; do n=$((n + 1)); done >"$W/dial-$1/lives.log"
	echo $n >"$W/dial-$1/lives"
}

went_well() { # went_well ID USER
	! grep . "$W/dial-$1/lives.log" && [ "$(cat "$W/dial-$1/lives")" -gt 5 ] && return
	journal_lines -n 25 -o short-monotonic VPNGW_USER="$2"
	return 1
}

strongswan_life() {
	ss_up c1 && assert_traffic c1 "$(ss_address c1)" && ss c1 --rekey --child home &&
		in_ns r conntrack -F && assert_traffic c1 "$(ss_address c1)" && ss_down c1
}

vpnc_life() {
	vpnc_up c2 user=bob password=chunnel && assert_traffic c2 "$(vpnc_address c2)" && vpnc_down c2
}

for_a_while() { # for_a_while SECONDS
	local end=$((SECONDS + $1)) id pids=()
	local -A user=([one]=carol [two]=dave [three]=erin)
	touch "$W/go"
	lives one new up rekey ask rekey roam down &
	pids+=($!)
	lives two new float up rekey roam rekey roam down &
	pids+=($!)
	lives three new up new float up rekey down &
	pids+=($!)
	for ((n = 0; SECONDS < end; n++)); do
		check "strongSwan comes, renews, moves and goes" strongswan_life
		check "vpnc comes and goes" vpnc_life
	done
	rm "$W/go"
	wait "${pids[@]}"
	for id in one two three; do
		echo "# client $id lived $(cat "$W/dial-$id/lives") times"
		check "client $id had what it wanted" went_well "$id" "${user[$id]}"
	done
	check "who fell silent is kicked" kick_all
	check "nothing is left" assert_nothing_left
}

kick_all() {
	vpngwctl kick --all || [ $? = 4 ]
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
proposal = aes256-sha256-x25519
[auth]
fail_limit = off
unique = replace
[pool "default"]
pool_size = 250
E
for user in carol dave erin; do gw_user $user guest; done
must "the gateway starts" gw_start
must "strongSwan starts" ss_client c1
must "client one starts" dial_start one carol guest
must "client two starts" dial_start two dave guest
must "client three starts" dial_start three erin guest
for_a_while $((TIME / 5))
gateway=$(size_of vpngw.service) authd=$(size_of vpngw-authd.service)
lasting=$(lasting)
echo "# gateway: $gateway, vpngw-authd: $authd (kB, descriptors)"
for_a_while $((TIME - TIME / 5))
# shellcheck disable=SC2086
check "the gateway has the memory and the descriptors that it had" as_before vpngw.service $gateway
# shellcheck disable=SC2086
check "and vpngw-authd" as_before vpngw-authd.service $authd
echo "# gateway: $(size_of vpngw.service), vpngw-authd: $(size_of vpngw-authd.service)"
check "what lasts in the kernel is what it was" equal "$(lasting)" "$lasting"
check "it was one process all the time" not journal_says 'Main process exited'
finish
