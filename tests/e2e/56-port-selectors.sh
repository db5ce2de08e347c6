#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A34: a strongSwan client asks for one CHILD_SA for ICMP and one for a single port of TCP; each comes
# up under the same ISAKMP SA, with policies of its own, and carries its own traffic and nothing else.
#
# A renewal by the client and a restart of the gateway keep that apart.

. "$(dirname "$0")/lib.sh"

net=10.10.0.0/24

# Packets that came in by the pairs for this protocol, as the operator sees them.
packets_of() { # packets_of PROTOCOL
	vpngwctl show alice --json | jq --arg protocol "$1" '[.sessions[].children[] |
		select(.protocol == $protocol and .state == "up") | .packets_in] | add'
}

# Selectors of the gateway's policies: addresses, protocol and ports.
selectors() {
	ip -n g xfrm policy list nosock | sed -n 's/^src \(.*[^ ]\) *$/\1/p' | sort -u
}

connects() { # connects PORT
	in_ns c1 timeout 2 bash -c "exec 3<>/dev/tcp/$LAN_HOST/$1"
}

listen() { # listen PORT...
	local port pid
	for port; do
		become_in_ns l python3 -c 'import socket, sys
s = socket.create_server(("", int(sys.argv[1])), backlog=16)
while True:
    s.accept()[0].close()' "$port" 2>"$W/listen-$port.log" &
		pid=$!
		at_end+=("stop_process $pid")
	done
	for port; do
		wait_for 20 in_ns l bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" || return 1
	done
}

packets_are() { # packets_are ICMP TCP, or a larger number with +
	local icmp tcp
	icmp=$(packets_of icmp) tcp=$(packets_of tcp)
	[ "$icmp" = "$1" ] && case $2 in
	*+) [ "$tcp" -gt "${2%+}" ] ;;
	*) [ "$tcp" = "$2" ] ;;
	esac || { echo "ICMP $icmp, expected $1; TCP $tcp, expected $2" && return 1; }
}

# Packets of each protocol go through its own pair, and none through the other's.
assert_apart() {
	local icmp tcp
	icmp=$(packets_of icmp) tcp=$(packets_of tcp)
	in_ns c1 ping -n -c 3 -i 0.2 -W 5 -I 10.99.99.1 $LAN_HOST || return 1
	wait_for 5 packets_are $((icmp + 3)) "$tcp" || return 1
	connects 22 || { echo "no connection to port 22" && return 1; }
	wait_for 5 packets_are $((icmp + 3)) "$tcp+"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "somebody listens on two ports of the LAN host" listen 22 80
must "the capture starts" capture_start
must "the client starts, with a CHILD_SA for ICMP and one for port 22" ss_client c1 \
	remote_ts="${net}[icmp]" child='local_ts = dynamic[icmp]' \
	child2="local_ts = dynamic[tcp]; remote_ts = ${net}[tcp/22]"
must "alice logs in" ss_up c1
must "her client makes the other CHILD_SA" ss c1 --initiate --child home2 --timeout 20
# strongSwan makes no route for what is about one protocol.
at_end+=("ip -n c1 route del $net")
must "the LAN is behind the tunnel" ip -n c1 route add $net via 192.168.1.1 src 10.99.99.1
check "there is one session" assert_session alice 10.99.99.1 $NAT
check "each has its selectors in the kernel" equal "$(selectors)" "\
10.10.0.0/24 dst 10.99.99.1/32 proto icmp
10.10.0.0/24 dst 10.99.99.1/32 proto tcp sport 22
10.99.99.1/32 dst 10.10.0.0/24 proto icmp
10.99.99.1/32 dst 10.10.0.0/24 proto tcp dport 22"
shown=$(vpngwctl show alice)
check "the operator sees both" matches "$shown" "*tcp to port 22 only*icmp only*"
check "each carries its own traffic" assert_apart
check "another port is not reached" not connects 80

check "the client renews the one for TCP" ss c1 --rekey --child home2
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "each carries its own traffic" assert_apart
must "the gateway is restarted" gw_handover
check "the session is still there" assert_session alice 10.99.99.1 $NAT
check "each carries its own traffic" assert_apart
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
