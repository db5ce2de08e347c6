#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# IPComp and IPv6: strongSwan clients ask for it with both families inside, over IPv4 and over IPv6.
#
# The kernel can compress what is of the tunnel's own family. The rest goes without, and gets there.

. "$(dirname "$0")/lib.sh"

alice6=fd00:99::a63:6301 bob6=fd00:99::a63:6302
other="local_ts = $POOL6; remote_ts = $LAN6; ipcomp = yes" # the CHILD_SA for IPv6

# Pings of a few bytes, which stay as they are, and of 1000; IPsec drops nothing.
assert_pings() { # assert_pings NAMESPACE ADDRESS HOST
	local errors
	errors=$(xfrm_errors)
	in_ns "$1" ping -n -c 3 -i 0.2 -W 5 -I "$2" -s 8 "$3" &&
		in_ns "$1" ping -n -c 3 -i 0.2 -W 5 -I "$2" -s 1000 "$3" || return 1
	equal "$(xfrm_errors)" "$errors"
}

# Networks of a user's pairs, and whether they are compressed.
pairs_of() { # pairs_of USER
	vpngwctl show "$1" --json |
		jq -r '[.sessions[].children[] | "\(.networks) \(.ipcomp)"] | sort | join(", ")'
}

must "the gateway is configured" gw_configure <<E
[phase2]
compression_algorithm = deflate
[pool "default"]
network6 = $POOL6
[mode_cfg]
split_network = include $LAN6
E
must "the LAN has IPv6" topo_inner6
must "the gateway starts" gw_start
must "the capture starts" capture_start
must "alice's client starts, over IPv4" \
	ss_client c1 inner6=$LAN6 child='ipcomp = yes' child2="$other"
must "bob's client starts, over IPv6" ss_client d gateway=$GATEWAY6 inner6=$LAN6 \
	child='ipcomp = yes' child2="$other" user=bob password=chunnel
must "alice logs in" ss_up c1
must "bob logs in" ss_up d
must "alice's client makes a CHILD_SA for IPv6" ss c1 --initiate --child home2 --timeout 20
must "bob's client does" ss d --initiate --child home2 --timeout 20
check "alice's IPv4 is compressed, and not her IPv6" \
	equal "$(pairs_of alice)" "10.10.0.0/24 true, $LAN6 false"
check "with bob it is the other way round" \
	equal "$(pairs_of bob)" "10.10.0.0/24 false, $LAN6 true"
check "alice reaches the LAN" assert_pings c1 10.99.99.1 $LAN_HOST
check "over IPv6 as well" assert_pings c1 $alice6 $LAN_HOST6
check "bob reaches the LAN" assert_pings d 10.99.99.2 $LAN_HOST
check "over IPv6 as well" assert_pings d $bob6 $LAN_HOST6
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down c1
check "bob logs out" ss_down d
check "nothing is left" assert_nothing_left
finish
