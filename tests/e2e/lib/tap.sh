# SPDX-License-Identifier: LGPL-2.1-or-later
# tap.sh - results as sentences, waiting without sleeping, and what to do at the end.

tests=0 failures=0 ended=no
at_end=() # functions to call when the scenario ends, the last one first

# check SENTENCE COMMAND [ARG]...: one result. What COMMAND prints is shown when it fails.
check() {
	local sentence=$1 started=${EPOCHREALTIME/./} took
	shift
	tests=$((tests + 1))
	if "$@" >"$W/check.out" 2>&1; then
		took=$(((${EPOCHREALTIME/./} - started) / 100000)) # tenths of a second
		[ $took -lt 10 ] || sentence+=" ($((took / 10)).$((took % 10)) s)"
		echo "ok $tests - $sentence"
		return 0
	fi
	echo "not ok $tests - $sentence"
	echo "# failed: $*"
	tail -n 20 "$W/check.out" | sed 's/^/#   /'
	failures=$((failures + 1))
	[ $failures -gt 1 ] || diagnose 2>&1 | sed 's/^/# /'
	return 1
}

# must: a check without which the rest has no meaning.
must() {
	check "$@" || finish
}

equal() { # equal GOT EXPECTED
	[ "$1" = "$2" ] || { echo "got \"$1\", expected \"$2\"" && return 1; }
}

matches() { # matches TEXT PATTERN (of the shell)
	# shellcheck disable=SC2053
	[[ $1 == $2 ]] || { echo "got \"$1\", expected something like \"$2\"" && return 1; }
}

not() {
	! "$@"
}

skip_all() { # skip_all REASON
	echo "1..0 # SKIP $1"
	ended=yes
	exit 0
}

# The last line of every scenario.
finish() {
	echo "1..$tests"
	ended=yes
	[ $failures = 0 ]
	exit
}

finish_early() {
	local rc=$? i
	if [ $ended = no ]; then
		echo "not ok $((tests + 1)) - the scenario runs to its end"
		diagnose 2>&1 | sed 's/^/# /'
		rc=1
	fi
	for ((i = ${#at_end[@]} - 1; i >= 0; i--)); do ${at_end[i]} >>"$W/end.log" 2>&1; done
	exit $rc
}

# --- waiting --------------------------------------------------------------------------------------
# A process costs 30 ms under emulation, sleep(1) included; reading from a pipe into which nobody
# writes costs nothing.

exec {nobody_writes}<> <(:)
nap() { # nap SECONDS
	read -rt "$1" -u $nobody_writes
	return 0
}

# wait_for SECONDS COMMAND [ARG]...: until COMMAND succeeds. What it printed last is shown when it
# never does.
wait_for() {
	local deadline=$((SECONDS + $1)) out
	shift
	until out=$("$@" 2>&1); do
		if [ $SECONDS -ge $deadline ]; then
			echo "$out"
			echo "waited in vain for: $*"
			return 1
		fi
		nap 0.1
	done
}

# wait_for_line SECONDS FILE EXTENDED-REGEX
wait_for_line() {
	local deadline=$((SECONDS + $1))
	until grep -qsaE -- "$3" "$2"; do
		if [ $SECONDS -ge $deadline ]; then
			echo "no line in $2 matches: $3"
			return 1
		fi
		nap 0.1
	done
}

gone() { # gone PID
	! kill -0 "$1" 2>/dev/null
}

# Ends a process that this scenario started, politely and then not.
stop_process() { # stop_process PID
	kill -TERM "$1" 2>/dev/null || return 0
	wait_for 8 gone "$1" || kill -KILL "$1"
	wait "$1" 2>/dev/null
	return 0
}

# --- looking closer -------------------------------------------------------------------------------

# What somebody wants to see when the first check of a scenario fails.
diagnose() {
	local log
	echo "--- gateway: sessions, SAs, policies"
	[ ! -S /run/vpngw/control ] || { vpngwctl list && vpngwctl status --json; }
	ip -n g -s xfrm state | grep -vE '^\s+(auth|enc|aead)'
	ip -n g xfrm policy list nosock
	echo "--- gateway: journal"
	journal_lines -o short-monotonic | tail -n 40
	for log in "$W"/*/*.log "$W"/*.log; do
		[ -s "$log" ] || continue
		echo "--- ${log#"$W"/}"
		tail -n 25 "$log"
	done
}
