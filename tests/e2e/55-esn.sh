#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A55: sequence numbers of 64 bits, where a client offers them and the configuration names them.
#
# One strongSwan client offers them and nothing else, the other does not know them; the gateway takes
# both. They stay when the client renews its keys.

. "$(dirname "$0")/lib.sh"

with_esn() { # how many of the gateway's SAs have them
	ip -n g xfrm state | grep -c 'flag.* esn'
}

must "the gateway is configured" gw_configure <<'E'
[phase2]
proposal = aes256gcm16-esn, aes256-sha256-esn
E
must "the gateway starts" gw_start
must "the capture starts" capture_start
must "alice's client starts, with them" ss_client c1 esp=aes256-sha256-esn
must "bob's starts, without" ss_client d esp=aes256-sha256 user=bob password=chunnel
must "alice logs in" ss_up c1
must "bob logs in" ss_up d
check "both of alice's SAs have them, and none of bob's" equal "$(with_esn)" 2
check "her session says so" \
	equal "$(vpngwctl show alice --json | jq -r '.sessions[].children[].proposal')" aes256-sha256-esn
check "alice reaches the LAN" assert_traffic c1 10.99.99.1
check "bob reaches the LAN" assert_traffic d 10.99.99.2
check "alice renews her SAs" ss c1 --rekey --child home
check "the gateway takes part" assert_journal EVENT=rekey USER=alice BY=client
check "the new ones have them as well" test "$(with_esn)" -ge 2
check "alice still reaches the LAN" assert_traffic c1 10.99.99.1
check "the LAN reaches her" assert_reachable 10.99.99.1
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down c1
ss_stop c1

must "a client with AES-GCM starts" ss_client c1 esp=aes256gcm16-esn
must "it logs in" ss_up c1
check "both of its SAs have them" equal "$(with_esn)" 2
check "it reaches the LAN" assert_traffic c1 10.99.99.1
check "it logs out" ss_down c1
check "bob logs out" ss_down d
check "nothing is left" assert_nothing_left
finish
