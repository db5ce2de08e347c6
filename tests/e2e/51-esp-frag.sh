#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# esp_frag = 552: packets into the tunnel are cut before ESP, so that none needs cutting after it.
#
# The number bounds the inner packet: with AES-CBC and SHA-256 a packet of 552 bytes makes one of
# 628 outside.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[tunnel]
esp_frag = 552
E
must "the gateway starts" gw_start
check "the XFRM interface has this MTU" matches "$(ip -n g link show vpn0)" '* mtu 552 *'
must "alice's client starts" ss_client d
must "alice logs in" ss_up d
must "the capture starts" capture_start

check "a large packet from the LAN reaches her and is answered" \
	in_ns l ping -n -c 2 -i 0.2 -W 5 -M dont -s 1372 10.99.99.1
check "no ESP packet from the gateway is larger than 628 bytes" \
	equal "$(captured "ip proto 50 and src $GATEWAY and ip[2:2] > 628")" ""
check "none was cut outside" equal "$(captured "src $GATEWAY and ip[6:2] & 0x3fff != 0")" ""
check "each made three, though" equal "$(captured_count "ip proto 50 and src $GATEWAY")" 6
check "a packet that may not be cut is answered with this MTU" \
	matches "$(in_ns l ping -n -c 1 -W 2 -M "do" -s 1372 10.99.99.1)" '*mtu = 552*'
check "small traffic passes" assert_traffic d 10.99.99.1
check "nothing passed in clear" assert_outside_clean
finish
