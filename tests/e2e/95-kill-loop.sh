#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway is killed at every system call of a login, of new keys and of a logout.
#
# First the calls are counted, those of the main thread and those of the others. Then there are as many
# lives of a client, and in each the gateway dies in front of the next call. No session is lost, and no
# SA, policy, route or lease is left.
# long
# time: 1500 s

. "$(dirname "$0")/lib.sh"
dial_needed
kill_needed

# Longest time for the calls of one kind of thread; when it does not suffice, some are left out.
TIME=600

count_calls() { # count_calls WHO: the most of one thread, in $calls
	local line tid
	local -A n=()
	kill_watch "$1" && one_life
	while read -r tid line; do
		[[ $tid =~ ^[0-9]+$ ]] || tid=main
		[[ $line == '<...'* ]] || n[$tid]=$((${n[$tid]:-0} + 1))
	done <"$W/calls"
	kill_unwatch
	calls=0
	for tid in "${!n[@]}"; do [ "${n[$tid]}" -le $calls ] || calls=${n[$tid]}; done
	[ $calls -gt 5 ]
}

killed_everywhere() { # killed_everywhere WHO
	local n stride=1 killed=0 rounds=0 end=$((SECONDS + TIME)) started=$SECONDS
	for ((n = 1; n <= calls && SECONDS < end; n += stride)); do
		rounds=$((rounds + 1))
		check "killed in front of call $n of $calls, $1: nobody notices" \
			life_killed "$1" all "$n" "$before"
		find_call
		was_killed && killed=$((killed + 1)) && echo "# it was $kill_call"
		# Is there time for all?
		[ $n != 10 ] || stride=$(((SECONDS - started) * calls / 10 / TIME + 1))
	done
	echo "# $1: $calls calls, every one of $stride, killed $killed times in $((SECONDS - started)) s"
	check "it was killed nearly every time" [ $((killed * 10)) -ge $((rounds * 8)) ]
}

must "the gateway is configured" gw_configure <<'E'
[phase1]
proposal = aes256-sha256-x25519
[auth]
unique = replace
E
must "a client is there" kill_prepare
must "the gateway starts" gw_start
before=$(lasting)
must "the client comes and goes" one_life
for who in main others; do
	must "the calls are counted" count_calls $who
	killed_everywhere $who
done
check "no store was damaged" not journal_says 'cannot be taken over'
check "no effect was lost" not journal_says 'an effect was lost'
finish
