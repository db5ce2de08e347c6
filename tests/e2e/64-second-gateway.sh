#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A second vpngw beside the running one ends at once, and the first one notices nothing.
#
# It is started by hand, as somebody does to see what it says: its SAs, policies and interface would
# be the first one's, so it may not touch any before it knows that it is alone.

. "$(dirname "$0")/lib.sh"

second() { # by hand, as root, with the installed configuration
	in_ns g env CREDENTIALS_DIRECTORY=/etc/vpngw/private timeout 60 \
		/usr/local/sbin/vpngw --control "$W/second" >"$W/second.log" 2>&1
}

# SAs without their counters, policies, interface and routes.
kernel_state() {
	ip -n g xfrm state list nokeys
	ip -n g xfrm policy list nosock
	ip -n g -d -br link show type xfrm
	ip -n g route show proto 118
}

exit_status() { # exit_status EXPECTED COMMAND...
	local rc=0
	"${@:2}" || rc=$?
	equal $rc "$1"
}

for interface in vpn0 none; do
	must "the gateway is configured, interface = $interface" gw_configure <<E
[tunnel]
interface = $interface
E
	must "the gateway starts" gw_start
	must "alice's client starts" ss_client d
	must "alice logs in" ss_up d
	check "she reaches the LAN" assert_traffic d 10.99.99.1
	before=$(kernel_state)
	check "a second gateway fails (exit 1)" exit_status 1 second
	check "and says why" wait_for_line 1 "$W/second.log" 'another IKE daemon'
	check "what the first has in the kernel is as it was" diff <(echo "$before") <(kernel_state)
	check "alice's session is there" assert_session alice 10.99.99.1 $DIRECT
	check "and carries traffic" assert_traffic d 10.99.99.1
	ss_stop d
	gw_stop
done
finish
