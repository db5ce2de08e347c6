#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway clears up after itself, kill -9 included, and never touches SAs of others.
#
# Somebody else's SA, policy and XFRM interface are in the namespace before the gateway starts. They
# are there after its start, its death, its restart and its end; what the gateway had made is gone,
# also when it comes again with another configuration.

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

# The XFRM interfaces, by name; the routes that the gateway made, by destination.
interfaces_are() { # interfaces_are [NAME]...
	equal "$(ip -n g -j link show type xfrm |
		jq -r '[.[].ifname // empty] | sort | join(" ")')" "$*"
}

routes_are() { # routes_are [DESTINATION]...
	equal "$(ip -n g -j route show proto 118 | jq -r '[.[].dst] | join(" ")')" "$*"
}

must "the gateway is configured" gw_configure
must "somebody else has an SA, policies and an XFRM interface" foreign_up
foreign=$(objects)
must "its sessions end with it" gw_forgetful
must "the gateway starts" gw_start
check "the other's SA and policies are there, alone" only_foreign
check "the other's interface is there, beside its own" interfaces_are foreign0 vpn0
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
check "she reaches the LAN" assert_traffic c1 10.99.99.1

must "the gateway is killed and comes again" gw_crash
check "its SAs and policies of before are gone, the other's are there" only_foreign
check "its interface is there once" interfaces_are foreign0 vpn0
ss_stop c1
must "alice's client starts anew" ss_client c1
must "alice logs in again" ss_up c1
check "she reaches the LAN again" assert_traffic c1 10.99.99.1

must "the pool shall be another one" gw_configure <<'E'
[pool "default"]
network4 = 10.99.98.4
pool_size = 4
E
must "the gateway is killed and comes again" gw_crash
check "the routes of the pool of before are gone" routes_are 10.99.98.4/30
must "there shall be no interface" gw_configure <<'E'
[tunnel]
interface = none
E
must "the gateway is killed and comes again" gw_crash
check "its interface of before is gone, the other's is there" interfaces_are foreign0
check "as are its routes" routes_are
must "there shall be an interface again" gw_configure
must "the gateway is killed and comes again" gw_crash
check "it has its interface" interfaces_are foreign0 vpn0
check "and nothing else but what is the other's" only_foreign
ss_stop c1
must "alice's client starts once more" ss_client c1
must "alice logs in" ss_up c1
check "she reaches the LAN" assert_traffic c1 10.99.99.1

check "the gateway is restarted" gw_restart
check "no session is left" assert_sessions 0
check "nor are its SAs and policies, but the other's are" only_foreign
systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
check "after its end only the other's are there" only_foreign
check "and the other's XFRM interface alone" interfaces_are foreign0
finish
