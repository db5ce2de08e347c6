# SPDX-License-Identifier: LGPL-2.1-or-later
# capture.sh - what the wire outside the gateway saw. A ping can succeed in clear: only this and the
# counters of the SAs say that it was encrypted.

# IKE, ESP and ESP in UDP, their later fragments, what Ethernet needs, and "unreachable" for packets
# to a client that has just gone.
expected_outside='udp port 500 or udp port 4500 or ip proto 50 or ip6 proto 50
	or ((ip proto 17 or ip proto 50) and ip[6:2] & 0x1fff != 0)
	or icmp[icmptype] = icmp-unreach or arp or icmp6 or (ip6 and ip6[6] = 0)
	or (ip6 and ip6[6] = 44 and (ip6[40] = 17 or ip6[40] = 50))'
# Addresses that exist inside only.
inner_addresses='net 10.10.0.0/16 or net 10.99.0.0/16 or net fd00::/16'

# Starts to write down what passes the gateway's outside link, or another port of i.
capture_start() { # capture_start [PORT]
	become_in_ns i tcpdump -i "${1:-g}" -n -U --immediate-mode -s 0 -w "$W/outside.pcap" 2>"$W/tcpdump.log" &
	capture_pid=$!
	at_end+=(capture_stop)
	wait_for_line 30 "$W/tcpdump.log" 'listening on'
}

capture_stop() {
	[ -n "${capture_pid:-}" ] || return 0
	stop_process "$capture_pid"
	capture_pid=
}

# Prints captured packets that match a filter.
captured() { # captured FILTER
	tcpdump -nr "$W/outside.pcap" "$1" 2>/dev/null
}

captured_count() {
	captured "$1" | wc -l
}

# Nothing but IKE and ESP has passed, and no inner address was to be seen.
assert_outside_clean() {
	local odd
	[ -n "$(captured 'ip or ip6' | head -n 1)" ] || { echo "nothing was captured" && return 1; }
	odd=$(captured "not ($expected_outside) or $inner_addresses")
	[ -z "$odd" ] || { echo "$odd" && return 1; }
}

# Packets that IP has cut, or that are the rest of one.
assert_not_cut() {
	local cut
	cut=$(captured 'ip[6:2] & 0x3fff != 0')
	[ -z "$cut" ] || { echo "$cut" && return 1; }
}

# IKE: port 500, or port 4500 behind four zero bytes. A fragment of IKE has next payload 132.
ike='(udp port 500 or (udp port 4500 and udp[4:2] > 20 and udp[8:4] = 0))'
ike_fragment='((udp port 500 and udp[24] = 132) or (udp port 4500 and udp[8:4] = 0 and udp[28] = 132))'

# No IKE message in a datagram with more than so many bytes of UDP payload has passed.
assert_ike_at_most() { # assert_ike_at_most BYTES [FILTER]
	local longer
	longer=$(captured "$ike and udp[4:2] > $(($1 + 8)) ${2:+and $2}")
	[ -z "$longer" ] || { echo "$longer" && return 1; }
}

# Number of packets that carry ESP: bare, or in UDP without the four zero bytes that mark IKE. Port
# 4500 also has keepalives, of one byte.
esp_in_udp='(udp port 4500 and udp[4:2] > 20 and udp[8:4] != 0)'
# With IPv6 udp[] matches nothing: offsets count from the IPv6 header.
esp_in_udp6='(ip6 and udp port 4500 and ip6[44:2] > 20 and ip6[48:4] != 0)'
assert_esp_seen() { # assert_esp_seen MINIMUM [plain|udp]
	local filter n
	case ${2:-} in
	plain) filter='ip proto 50 or ip6 proto 50' ;;
	udp) filter="$esp_in_udp or $esp_in_udp6" ;;
	*) filter="ip proto 50 or ip6 proto 50 or $esp_in_udp or $esp_in_udp6" ;;
	esac
	n=$(captured_count "$filter")
	[ "$n" -ge "$1" ] || { echo "$n packets of ESP, expected $1" && return 1; }
}
