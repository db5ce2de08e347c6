#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# mssclamp: the SYNs of TCP connections through the tunnel name a smaller MSS, in both directions.
#
# Both ends are looked at: what the LAN host and the client see of the other's SYN or its answer.

. "$(dirname "$0")/lib.sh"

# Writes down the SYNs that a namespace sees, decrypted ones at a client included.
watch_syns() { # watch_syns NAMESPACE INTERFACE
	become_in_ns "$1" tcpdump -i "$2" -Q in -n -U --immediate-mode -w "$W/$1.pcap" \
		'tcp[tcpflags] & tcp-syn != 0' 2>"$W/$1.log" &
	at_end+=("stop_process $!")
	wait_for_line 30 "$W/$1.log" 'listening on'
}

# A TCP connection, over which the other side says hello.
connect() { # connect FROM TO ADDRESS PORT
	local pid rc
	become_in_ns "$2" busybox nc -l -p "$4" -e echo hello &
	pid=$!
	wait_for 20 hears_hello "$1" "$3" "$4"
	rc=$?
	stop_process $pid
	return $rc
}

hears_hello() { # hears_hello NAMESPACE ADDRESS PORT
	equal "$(in_ns "$1" busybox nc -w 5 "$2" "$3" </dev/null 2>&1)" hello
}

# What a namespace was told with the SYNs to a port, or with the answers from one.
mss_seen() { # mss_seen NAMESPACE "dst port"|"src port" PORT
	tcpdump -nr "$W/$1.pcap" "$2 $3" 2>/dev/null |
		sed -n 's/.*[[,]mss \([0-9]*\).*/\1/p' | sort -u
}

has_seen_mss() { # has_seen_mss NAMESPACE "dst port"|"src port" PORT MSS
	equal "$(mss_seen "$1" "$2" "$3")" "$4"
}

assert_mss() {
	wait_for 10 has_seen_mss "$@"
}

# An end that nothing was done to: its own interface has an MTU of 1500.
has_seen_more() { # has_seen_more NAMESPACE "dst port"|"src port" PORT MSS
	local seen
	seen=$(mss_seen "$1" "$2" "$3")
	[ "${seen:-0}" -gt "$4" ] || { echo "an MSS of ${seen:-nothing}" && return 1; }
}

log_in_anew() {
	ss_stop d
	ss_client d && ss_up d
}

must "the gateway is configured" gw_configure <<'C'
[tunnel]
mssclamp = 512
C
must "the gateway starts" gw_start
must "alice's client starts" ss_client d
must "alice logs in" ss_up d
must "SYNs in the LAN are watched" watch_syns l eth0
must "and those that she gets" watch_syns d wan

check "she connects to the LAN" connect d l $LAN_HOST 7001
check "the LAN sees her SYN clamped" assert_mss l "dst port" 7001 512
check "she sees the answer clamped" assert_mss d "src port" 7001 512
check "the LAN connects to her" connect l d 10.99.99.1 7002
check "she sees its SYN clamped" assert_mss d "dst port" 7002 512
check "the LAN sees her answer clamped" assert_mss l "src port" 7002 512
check "she connects to the gateway itself" connect d g 10.10.0.1 7003
check "its answer is clamped, too" assert_mss d "src port" 7003 512
ip -n l route add 10.99.99.0/24 via 10.10.0.1 advmss 300
check "a host with a smaller MSS connects to her" connect l d 10.99.99.1 7004
check "which stays" assert_mss d "dst port" 7004 300
ip -n l route del 10.99.99.0/24
check "the LAN connects to the gateway, past the tunnel" connect l g 10.10.0.1 7005
check "and nothing is clamped" assert_mss l "src port" 7005 1460

must "there shall be no bound" gw_configure
must "the gateway is restarted" gw_restart
must "alice logs in again" log_in_anew
check "she connects to the LAN" connect d l $LAN_HOST 7011
check "nobody has touched her SYN" wait_for 10 has_seen_more l "dst port" 7011 1350
check "nor the answer" wait_for 10 has_seen_more d "src port" 7011 1350

must "there shall be no interface, but two pools and what fits" gw_configure <<'C'
[tunnel]
interface = none
mssclamp = auto
[pool "more"]
network4 = 10.99.98.7
pool_size = 1
C
must "the gateway is restarted" gw_restart
must "alice logs in again" log_in_anew
check "she connects to the LAN" connect d l $LAN_HOST 7021
check "the LAN sees her SYN clamped" assert_mss l "dst port" 7021 1350
check "she sees the answer clamped" assert_mss d "src port" 7021 1350
check "the LAN connects to her" connect l d 10.99.99.1 7022
check "she sees its SYN clamped" assert_mss d "dst port" 7022 1350
check "the LAN sees her answer clamped" assert_mss l "src port" 7022 1350
check "her packets go through her SAs" assert_traffic d 10.99.99.1
finish
