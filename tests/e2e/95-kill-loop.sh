#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway is killed at every system call of a login, of new keys and of a logout.
#
# First the calls are listed, those of the main thread and those of the others. Then there are as many
# lives of a client, and in each the gateway dies in front of the next call. No session is lost, and no
# SA, policy, route or lease is left.
# long
# time: 1500 s

. "$(dirname "$0")/lib.sh"
dial_needed
kill_needed

# Longest time for the calls of one kind of thread; when it does not suffice, some are left out.
TIME=700

# Every call of a life, as SYSCALL NUMBER: strace counts each kind of call by itself, and each thread.
list_calls() { # list_calls WHO
	local line tid call
	local -A n=() seen=()
	points=()
	kill_watch "$1" && one_life
	while read -r line; do
		[[ $line =~ ^(([0-9]+)\ +)?([a-z][a-z0-9_]*)\( ]] || continue
		tid=${BASH_REMATCH[2]} call=${BASH_REMATCH[3]}
		# How often a thread asks for memory is the allocator's, and changes nothing outside.
		[[ ! $call =~ ^(mprotect|mmap|munmap|madvise|brk)$ ]] || continue
		n[$tid$call]=$((${n[$tid$call]:-0} + 1))
		call+=" ${n[$tid$call]}"
		[ -n "${seen[$call]:-}" ] || points+=("$call")
		seen[$call]=yes
	done <"$W/calls"
	kill_unwatch
	[ ${#points[@]} -gt 5 ]
}

killed_everywhere() { # killed_everywhere WHO
	local i stride=1 killed=0 rounds=0 all=${#points[@]} end=$((SECONDS + TIME)) started=$SECONDS
	for ((i = 0; i < all && SECONDS < end; i += stride)); do
		rounds=$((rounds + 1))
		# shellcheck disable=SC2086
		check "killed at call $((i + 1)) of $all, $1, ${points[i]}: nobody notices" \
			life_killed "$1" ${points[i]} "$before"
		! was_killed || killed=$((killed + 1))
		# Is there time for all?
		[ $rounds != 10 ] || stride=$(((SECONDS - started) * all / 10 / TIME + 1))
	done
	echo "# $1: $all calls, one in $stride tried, killed $killed times in $((SECONDS - started)) s"
	check "it was killed nearly every time" [ $((killed * 10)) -ge $((rounds * 8)) ]
}

kill_begin
for who in main others; do
	must "the calls are listed" list_calls $who
	killed_everywhere $who
done
check "no store was damaged" not journal_says 'cannot be taken over'
check "no effect was lost" not journal_says 'an effect was lost'
finish
