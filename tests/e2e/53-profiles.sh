#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A35: profiles by what the client says it is and by its user's groups, with strongSwan and vpnc.
#
# lena is in the group lab and carol is a contractor, whatever her client says. bob is in no group:
# a client of his that says "lab" is refused, any other gets what holds for all.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[profile "lab"]
match_id       = keyid:l?b
match_group    = lab
pool           = lab
dns4           = 10.10.0.53
default_domain = lab.example.net
split_network  = include 10.10.0.0/25
session_limit  = 10m

[pool "lab"]
network4  = 10.99.99.100
pool_size = 10

[profile "contractors"]
match_group       = contractors
pool              = contractors
split_network     = include 10.10.0.2/32
sessions_per_user = 1

[pool "contractors"]
network4  = 10.99.99.120
pool_size = 10
E
must "lena is added" gw_user lena microscope staff,lab
must "carol is added" gw_user carol looking-glass contractors
must "the gateway starts" gw_start

must "lena's client starts, for the lab" \
	ss_client c1 user=lena password=microscope group=lab unity=yes
must "she logs in" ss_up c1
check "she has the lab's profile and an address of its pool" \
	equal "$(session_of lena profile address group | xargs)" "lab 10.99.99.100 lab"
check "which vpngwctl show names as well" matches "$(vpngwctl show lena)" '*Profile: lab*'
check "her session has the lab's limit" \
	[ "$(vpngwctl show --json lena | jq '.sessions[0].expires_in_s')" -le 600 ]
check "her client uses the lab's DNS server" grep -q 10.10.0.53 "$W/c1/resolv.conf"
check "she reaches the LAN" assert_traffic c1 10.99.99.100
check "the kernel lets her into the lab's network and no other" \
	matches "$(ip -n g xfrm policy list dst 10.99.99.100/32 dir out)" 'src 10.10.0.0/25 *'

check "bob, whose client says lab, is refused" not vpnc_up c2 group=lab
check "the journal names user and profile" \
	assert_journal EVENT=auth-failed REASON=profile USER=bob PROFILE=lab
check "and the key" assert_journal_says '\[profile "lab"\] match_group names them'
must "bob as anybody else gets in" vpnc_up c2 group=else
check "with an address of the usual pool" equal "$(vpnc_address c2)" 10.99.99.1
check "and the usual domain" equal "$(vpnc_got c2 CISCO_DEF_DOMAIN)" example.net
check "and no profile" equal "$(session_of bob profile)" null
vpnc_down c2

must "carol gets in, by what she is" \
	vpnc_up c2 user=carol password=looking-glass group=else
check "with an address of the contractors' pool" equal "$(vpnc_address c2)" 10.99.99.120
check "for one host" equal "$(vpnc_got c2 CISCO_SPLIT_INC_0_MASKLEN)" 32
check "and what the profile does not say" equal "$(vpnc_got c2 CISCO_DEF_DOMAIN)" example.net
check "she reaches it" assert_traffic c2 10.99.99.120
check "the journal has her profile" assert_journal EVENT=session-up USER=carol PROFILE=contractors
vpnc_down c2
check "lena logs out" ss_down c1
check "nothing is left" assert_nothing_left
finish
