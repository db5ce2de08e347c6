# SPDX-License-Identifier: LGPL-2.1-or-later
# assert.sh - questions about traffic, kernel state and sessions.

# --- the kernel -----------------------------------------------------------------------------------

# The reqid of a client's SAs: its address leads to its policy, the policy to the SAs. The kernel's
# word, not the daemon's. In $reqid, for a pipe would cost a process.
find_reqid() { # find_reqid ADDRESS
	local policy len=32
	[[ $1 != *:* ]] || len=128
	policy=$(ip -n g xfrm policy list dst "$1/$len" dir out action allow)
	[[ $policy =~ reqid\ ([0-9]+) ]] || { echo "no policy towards $1" && return 1; }
	reqid=${BASH_REMATCH[1]}
}

# Bytes that the SAs of one client have carried: "IN OUT".
sa_bytes() { # sa_bytes ADDRESS
	local reqid
	find_reqid "$1" && sa_bytes_of "$reqid"
}

sa_bytes_of() { # sa_bytes_of REQID
	local line bytes in=0 out=0 current=no inwards=
	while read -r line; do
		case $line in
		"src "*" dst $GATEWAY" | "src "*" dst $GATEWAY6") inwards=yes ;;
		"src "*) inwards=no ;;
		"lifetime current:") current=yes ;;
		*"(bytes)"*)
			[ $current = yes ] || continue
			bytes=${line%%[!0-9]*}
			if [ $inwards = yes ]; then in=$((in + bytes)); else out=$((out + bytes)); fi
			current=no
			;;
		esac
	done < <(ip -n g -s xfrm state list reqid "$1")
	echo $in $out
}

sa_spis_of() { # sa_spis_of REQID
	ip -n g xfrm state list reqid "$1" | grep -o 'spi 0x[0-9a-f]*'
}

# What IPsec in g has dropped, as counters. Packets that meet a policy whose SA is just gone are
# counted as well, so compare before and after something.
xfrm_errors() {
	in_ns g cat /proc/net/xfrm_stat
}

# The client reaches an inner host: all pings come back, each went through the SAs, both ways, and
# IPsec dropped nothing meanwhile. An SA that goes takes along what it has counted: then once more.
assert_traffic() { # assert_traffic NAMESPACE ADDRESS [HOST [SIZE]]
	local reqid spis before after errors size=${4:-56} in out left=3
	find_reqid "$2" || { wait_for 10 find_reqid "$2" && find_reqid "$2"; } || return 1
	errors=$(xfrm_errors)
	while
		spis=$(sa_spis_of "$reqid")
		before=$(sa_bytes_of "$reqid")
		in_ns "$1" ping -n -c 3 -i 0.2 -W 5 -I "$2" -s "$size" "${3:-$LAN_HOST}" || return 1
		after=$(sa_bytes_of "$reqid")
		[ "$(sa_spis_of "$reqid")" != "$spis" ] && [ $((--left)) -gt 0 ]
	do :; done
	in=$((${after% *} - ${before% *})) out=$((${after#* } - ${before#* }))
	echo "the SAs carried $in bytes in, $out bytes out"
	# Three packets with headers of 28 bytes.
	[ $in -ge $((3 * (size + 28))) ] && [ $out -ge $((3 * (size + 28))) ] &&
		equal "$(xfrm_errors)" "$errors"
}

# Twenty pings a second from a client to the LAN or a host in it, until ping_lost asks how it went.
ping_start() { # ping_start NAMESPACE ADDRESS [HOST]
	become_in_ns "$1" ping -n -i 0.05 -I "$2" "${3:-$LAN_HOST}" >"$W/ping.log" 2>&1 &
	ping_pid=$!
	at_end+=("stop_process $ping_pid")
}

# Ends it and prints how many of its pings were not answered. The last one may be on its way.
ping_lost() {
	local sent=0 got=0 line
	kill -INT "$ping_pid"
	wait "$ping_pid"
	while read -r line; do
		[[ $line =~ ^([0-9]+)\ packets\ transmitted,\ ([0-9]+)\ received ]] || continue
		sent=${BASH_REMATCH[1]} got=${BASH_REMATCH[2]}
	done <"$W/ping.log"
	[ "$sent" -gt 0 ] || echo "no pings: "
	echo $((sent - got > 1 ? sent - got : 0)) of "$sent"
}

# None of the pings since ping_start was lost.
assert_no_ping_lost() {
	local lost
	lost=$(ping_lost)
	matches "$lost" '0 of [1-9]*' && return
	tail -n 5 "$W/ping.log"
	return 1
}

# The way back: from the LAN to the client.
assert_reachable() { # assert_reachable ADDRESS
	in_ns l ping -n -c 2 -i 0.2 -W 5 "$1"
}

kernel_is_clean() {
	local left
	left=$(ip -n g xfrm state && ip -n g xfrm policy list nosock action allow)
	[ -z "$left" ] || { echo "$left" && return 1; }
}

# No SA, no policy is left in g, but for those that block what has no SA (interface = none).
assert_kernel_clean() {
	wait_for 10 kernel_is_clean
}

# Number of SAs towards or from one outside address and port: several clients share an address
# behind a NAT.
sa_count() { # sa_count PEER
	ip -n g xfrm state | grep -cE "^src ($1 dst $GATEWAY|$GATEWAY dst $1)\$"
}

# --- sessions -------------------------------------------------------------------------------------

# vpngwctl(8) describes the JSON. The list also has logins under way, whose state is "login".
has_sessions() { # has_sessions NUMBER [any]
	local n
	n=$(vpngwctl list --json | jq --arg any "${2:-}" \
		'[.sessions[] | select($any != "" or .state == "up")] | length') &&
		[ "$n" = "$1" ] || { echo "${n:-?} sessions, expected $1" && return 1; }
}

assert_sessions() { # assert_sessions NUMBER
	wait_for 10 has_sessions "$1"
}

# Prints fields of the session of a user, one per line.
session_of() { # session_of USER FIELD...
	local user=$1
	shift
	vpngwctl list --json | jq -r --arg user "$user" \
		'.sessions[] | select(.user == $user) | .[$ARGS.positional[]]' --args "$@"
}

# USER has exactly one session, with this address and from this outside address. The client may
# know that it is up a moment before the gateway does.
assert_session() { # assert_session USER ADDRESS PEER
	wait_for 10 has_session "$@"
}

has_session() {
	local got
	got=$(session_of "$1" state address peer)
	matches "${got//$'\n'/ }" "up $2 $3:*"
}

heard_of() { # heard_of USER SECONDS: it was, within these
	local s
	s=$(session_of "$1" heard_s)
	[ "$s" -le "$2" ] || { echo "heard of $s s ago" && return 1; }
}

# --- counters -------------------------------------------------------------------------------------

# One of `vpngwctl status`.
counter() { # counter NAME
	vpngwctl status --json | jq ".counters.$1"
}

# No datagram was refused, no message in fragments came to nothing.
assert_nothing_refused() {
	local refused
	refused=$(vpngwctl status --json | jq -c '.counters | with_entries(
		select((.key | test("^dropped|_expired$|_evicted$")) and .value != 0))')
	[ "$refused" = "{}" ] || { echo "$refused" && return 1; }
}

# --- leases ---------------------------------------------------------------------------------------

# Leases that a session holds now; kept ones do not count.
lease_count() {
	vpngwctl leases --json | jq '[.leases[] | select(.leased)] | length'
}

has_leases() { # has_leases NUMBER
	local n
	n=$(lease_count) && [ "$n" = "$1" ] || { echo "${n:-?} leases, expected $1" && return 1; }
}

# Nothing is left of anybody: no session, no lease, no SA, no policy. A login that its client left
# in the middle takes a while to go.
assert_nothing_left() {
	wait_for 30 has_sessions 0 any && wait_for 10 has_leases 0 && assert_kernel_clean
}
