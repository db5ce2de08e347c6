#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpnc on the gateway's own network logs in, gets all that mode config has, and reaches the LAN.
#
# With nat_traversal = force, the default, ESP goes in UDP although there is no NAT. vpnc numbers
# its proposals from 0 and stops at anything that it does not know in the answer.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[phase1]
nat_traversal = force
[mode_cfg]
wins4 = 10.10.0.3
split_dns = example.net, lab.example.net
E
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "bob logs in" vpnc_up d
check "he has the first address of the pool" equal "$(vpnc_address d)" 10.99.99.1
check "the DNS server" matches "$(vpnc_got d INTERNAL_IP4_DNS)" '10.10.0.2*'
check "the WINS server" matches "$(vpnc_got d INTERNAL_IP4_NBNS)" '10.10.0.3*'
check "the default domain" equal "$(vpnc_got d CISCO_DEF_DOMAIN)" example.net
check "the banner" equal "$(vpnc_got d CISCO_BANNER)" "Welcome to the test gateway"
check "the split network" equal \
	"$(vpnc_got d CISCO_SPLIT_INC_0_ADDR)/$(vpnc_got d CISCO_SPLIT_INC_0_MASKLEN)" 10.10.0.0/24
check "the domains for the DNS server" \
	matches "$(vpnc_got d CISCO_SPLIT_DNS)" 'example.net?lab.example.net'
check "the gateway lists his session" assert_session bob 10.99.99.1 $DIRECT
check "the journal tells of the session" assert_journal EVENT=session-up USER=bob ADDRESS=10.99.99.1
check "he reaches the LAN through the SAs" assert_traffic d 10.99.99.1
check "the LAN reaches him" assert_reachable 10.99.99.1
check "ESP went in UDP" assert_esp_seen 10 udp
check "nothing passed in clear" assert_outside_clean

vpnc_down d
check "the journal tells of the end" assert_journal EVENT=session-down USER=bob REASON=client-left
check "nothing is left" assert_nothing_left
finish
