# SPDX-License-Identifier: LGPL-2.1-or-later
# kill.sh - the gateway dies in front of a system call: strace sees it coming and kills it, systemd
# starts the next one, and a client of our own (dial.sh) goes through a whole life meanwhile: login,
# new keys, a question for life, logout.

kill_needed() {
	command -v strace >/dev/null || skip_all "strace is missing: run scripts/deps"
}

# A client `k' to live such lives, and systemd waits less than usual before it starts the gateway again.
kill_prepare() {
	local dropin=/run/systemd/system/vpngw.service.d/quick.conf
	at_end+=("systemctl daemon-reload" "rm -f $dropin")
	printf '[Service]\nRestartSec=100ms\n' >$dropin && systemctl daemon-reload && dial_start k
}

# Writes the calls of the gateway's threads to $W/calls until kill_unwatch, and kills it where told
# so. WHO: `main', or `others', who write leases and compute.
kill_watch() { # kill_watch WHO [SYSCALL:when=N]
	local task tid last args=()
	kill_pid=$(systemctl show -P MainPID vpngw.service)
	for task in /proc/"$kill_pid"/task/*; do
		tid=${task##*/}
		if [ "$tid" = "$kill_pid" ]; then [ "$1" = main ]; else [ "$1" = others ]; fi &&
			args+=(-p "$tid")
	done
	last=${args[-1]}
	[ -z "${2:-}" ] || args+=(-e "inject=${2/:/:signal=KILL:}")
	: >"$W/strace.log" >"$W/calls"
	strace -o "$W/calls" "${args[@]}" 2>"$W/strace.log" &
	kill_strace=$!
	wait_for_line 20 "$W/strace.log" "Process $last attached"
}

kill_unwatch() {
	kill -INT $kill_strace 2>/dev/null
	wait $kill_strace 2>/dev/null
	return 0
}

was_killed() {
	grep -q 'killed by SIGKILL' "$W/calls"
}

# What is ours in the kernel and outlives every session.
lasting() {
	ip -n g route && ip -n g -6 route && ip -n g xfrm policy list nosock
}

pair_there() { # pair_there rekeyed SPI-IN SPI-OUT
	local state
	state=$(ip -n g xfrm state)
	[[ $state == *"spi 0x$2 "* && $state == *"spi 0x$3 "* ]] ||
		{ echo "the client believes in $2 and $3; there is $state" && return 1; }
}

nothing_left_but() { # nothing_left_but LASTING
	wait_for 10 kernel_is_clean && wait_for 10 has_sessions 0 any && has_leases 0 &&
		equal "$(lasting)" "$1"
}

# One life. Whatever the gateway suffers, once the client is in, its session goes on until it leaves:
# both have the same pairs, and one good-bye is enough.
one_life() {
	# shellcheck disable=SC2154
	dial k new up rekey && wait_for 20 pair_there $dialled && dial k ask down &&
		wait_for 10 kernel_is_clean
}

# The same, with the gateway killed in front of the N-th such call.
life_killed() { # life_killed WHO SYSCALL N LASTING
	local rc=0
	kill_watch "$1" "$2:when=$3" && one_life || rc=1
	kill_unwatch
	was_killed && wait_for 20 gw_is_new "$kill_pid"
	nothing_left_but "$4" || rc=1
	[ $rc = 0 ] || tail -n 8 "$W/calls" | cut -c 1-150
	return $rc
}

# What scenarios begin with: a gateway, a client, and a life without trouble. $before: what lasts.
kill_begin() {
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
}
