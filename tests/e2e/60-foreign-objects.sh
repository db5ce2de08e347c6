#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway clears up after itself, kill -9 included, and never touches SAs of others.
#
# Somebody else's SA, policy and XFRM interface are in the namespace before the gateway starts. They
# are there after its start, its death, its restart and its end; what the gateway had made is gone.

. "$(dirname "$0")/lib.sh"

foreign_up() {
	local out="src 198.51.100.2 dst 198.51.100.99" in="src 198.51.100.99 dst 198.51.100.2"
	local sa="proto esp reqid 4242 mode tunnel"
	local keys="enc cbc(aes) 0x000102030405060708090a0b0c0d0e0f
		auth hmac(sha1) 0x000102030405060708090a0b0c0d0e0f10111213"
	ip -n g -batch - <<E
link add foreign0 type xfrm dev wan if_id 77
xfrm state add $out spi 0xf00d $sa ${keys//$'\n'/}
xfrm policy add src 10.66.0.0/24 dst 10.77.0.0/24 dir out tmpl $out $sa
xfrm policy add src 10.77.0.0/24 dst 10.66.0.0/24 dir in tmpl $in $sa
E
	at_end+=(foreign_down)
}

foreign_down() {
	ip -n g link del foreign0
}

# All that there is: the gateway's own have to be absent, the others unchanged.
objects() {
	ip -n g xfrm state
	ip -n g xfrm policy list nosock
}

only_foreign() {
	diff <(echo "$foreign") <(objects)
}

must "the gateway is configured" gw_configure
must "somebody else has an SA, policies and an XFRM interface" foreign_up
foreign=$(objects)
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
check "she reaches the LAN" assert_traffic c1 10.99.99.1

must "the gateway is killed and comes again" gw_crash
check "its SAs and policies of before are gone, the other's are there" only_foreign
ss_stop c1
must "alice's client starts anew" ss_client c1
must "alice logs in again" ss_up c1
check "she reaches the LAN again" assert_traffic c1 10.99.99.1

check "the gateway is restarted" gw_restart
check "no session is left" assert_sessions 0
check "nor are its SAs and policies, but the other's are" only_foreign
systemctl stop vpngw.socket vpngw-control.socket vpngw.service
check "after its end only the other's are there" only_foreign
check "and the other's XFRM interface alone" \
	matches "$(ip -n g -br link show type xfrm)" 'foreign0*'
finish
