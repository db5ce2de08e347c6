#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A strongSwan client renews its IPsec SAs every six seconds, and no packet is lost meanwhile.
#
# Each new pair takes over from the one before, which still receives for half a minute and then
# goes. The policies stay as they were: one set for the session.

. "$(dirname "$0")/lib.sh"

# SPIs of the SAs towards the gateway.
spis() {
	ip -n g xfrm state list dst $GATEWAY | sed -n 's/.*spi \(0x[0-9a-f]*\) .*/\1/p'
}

has_spi() { # has_spi SPI
	local all
	all=$(spis)
	matches "$all" "*$1*"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "the client starts" ss_client c1 esp=aes256-sha256-modp2048 \
	child='rekey_time = 6s; life_time = 60s; rand_time = 0s'
must "alice logs in" ss_up c1
address=$(ss_address c1)
first=$(spis)
policies=$(ip -n g xfrm policy list nosock)
must "she pings, twenty times a second" ping_start c1 "$address"
check "her client renews her SAs" wait_for 60 journal_has_times 4 EVENT=rekey USER=alice BY=client
check "no ping was lost" assert_no_ping_lost
check "the first SA is gone after its grace time" wait_for 60 not has_spi "$first"
check "the selectors are as they were" equal "$(ip -n g xfrm policy list nosock)" "$policies"
check "there is one session" assert_session alice "$address" $NAT
check "and one lease" has_leases 1
check "traffic goes on" assert_traffic c1 "$address"
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
