#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A racoon gateway as how-tos describe it, carried over: group 2 and PFS 2, AES, SHA-1, esp_frag, mssclamp, DPD.
#
# AES with 128 bits, as racoon takes it by default.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'C'
[phase1]
proposal       =
proposal       = aes128-sha1-modp1024
lifetime       = 12h
proposal_check = claim
nat_traversal  = force
dpd_delay      = 20s

[phase2]
proposal  =
proposal  = aes128-sha1
pfs_group = 2
lifetime  = 1h

[tunnel]
esp_frag = 552
mssclamp = 512
C
must "the gateway starts" gw_start
check "the journal says what is weak" assert_journal_says 'modp1024 is weak'
must "the capture starts" capture_start

must "alice's strongSwan starts, with the same" \
	ss_client c1 proposals=aes128-sha1-modp1024 esp=aes128-sha1-modp1024
must "alice logs in" ss_up c1
check "she has what was agreed on" equal "$(session_of alice proposal)" aes128-sha1-modp1024
check "she reaches the LAN through the SAs" assert_traffic c1 10.99.99.1
check "a large packet from the LAN reaches her, and the answer comes back" \
	in_ns l ping -n -c 2 -i 0.2 -W 5 -M dont -s 1372 10.99.99.1
check "no datagram to her is larger than one for 552 bytes inside" \
	equal "$(captured "$esp_in_udp and src $GATEWAY and ip[2:2] > 624")" ""
check "none was cut outside" equal "$(captured "src $GATEWAY and ip[6:2] & 0x3fff != 0")" ""

must "bob logs in, by vpnc, which offers 256 bits first" vpnc_up d dh=dh2 pfs=dh2
check "and has what the gateway names" equal "$(session_of bob proposal)" aes128-sha1-modp1024
check "he reaches the LAN through the SAs" assert_traffic d 10.99.99.2
check "nothing passed in clear" assert_outside_clean

must "alice's machine crashes" ss_crash c1
check "the gateway finds out: dpd_delay and five questions later" \
	wait_for 70 journal_has EVENT=dpd-timeout USER=alice
check "and her session ends" assert_sessions 1
vpnc_down d
check "nothing is left" assert_nothing_left
finish
