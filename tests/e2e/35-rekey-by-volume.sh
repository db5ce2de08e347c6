#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A client that bounds its SAs by volume gets new ones before six megabytes have passed.
#
# The bound is in the gateway's SAs: its kernel tells when most of it is used up.

. "$(dirname "$0")/lib.sh"

has_limit() {
	ip -n g -s xfrm state list dst $GATEWAY | grep -qE 'hard [1-9][0-9]*\(bytes\)'
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the client starts" ss_client d child='life_bytes = 6000000; rekey_bytes = 0; rand_bytes = 0'
must "alice logs in" ss_up d
address=$(ss_address d)
check "her SAs have a bound in the gateway's kernel" has_limit
check "nothing is renewed yet" not journal_has EVENT=rekey
must "she sends most of it" in_ns d ping -q -n -f -c 4000 -s 1400 -I "$address" $LAN_HOST
check "the gateway renews her SAs" wait_for 30 journal_has EVENT=rekey USER=alice BY=gateway
check "no attempt failed" not journal_has REASON=rekey-failed
check "traffic goes on" assert_traffic d "$address"
check "she logs out" ss_down d
check "nothing is left" assert_nothing_left
finish
