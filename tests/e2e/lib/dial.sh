# SPDX-License-Identifier: LGPL-2.1-or-later
# dial.sh - clients of our own: dial.c says what one understands and answers. They make whole logins
# and pairs, but send no packets.

# A line of its own in a scenario that uses them: tests/e2e/run looks for it.
dial_needed() {
	[ -x "$ROOT/build/e2e/tests/dial" ] || skip_all "build/e2e/tests/dial is missing"
}

# Starts one in namespace d. Its descriptors are in $dial_in_ID and $dial_out_ID.
dial_start() { # dial_start ID [USER PASSWORD]
	local pid dir=$W/dial-$1 fd
	mkdir -p "$dir" && mkfifo "$dir/in" "$dir/out" || return 1
	become_in_ns d "$ROOT/build/e2e/tests/dial" $GATEWAY "${2:-alice}" "${3:-wonderland}" \
		<"$dir/in" >"$dir/out" 2>"$dir/dial.log" &
	pid=$!
	at_end+=("stop_process $pid")
	exec {fd}>"$dir/in" && printf -v "dial_in_$1" %s $fd &&
		exec {fd}<"$dir/out" && printf -v "dial_out_$1" %s $fd
}

# Says words to it; what it answers to the last one is in $dialled, with the time it may take.
dial() { # dial ID WORD...
	local in=dial_in_$1 out=dial_out_$1 word
	shift
	for word; do
		echo "$word" >&"${!in}"
		read -rt 90 -u "${!out}" dialled || dialled="failed: dial does not answer"
		case $dialled in failed*)
			echo "$word: $dialled"
			return 1
			;;
		esac
	done
}
