#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpnc is told how long its ISAKMP SA lives, renews it in time, and goes on with its address and SAs.
#
# It logs in again, asks for no configuration and waits for another word about the lifetime. The
# Delete that is meant for the old ISAKMP SA names the new one. Then the gateway renews its IPsec SAs
# under the new one. There is no NAT, because with ESP in UDP vpnc takes the first packet of ESP for
# an answer, and gives up.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured, with short lifetimes" gw_configure <<'C'
[phase1]
lifetime = 30s
[phase2]
lifetime = 50s
C
must "the gateway starts" gw_start
must "bob logs in" vpnc_up d dpd=10
address=$(vpnc_address d)
before=$(session_of bob session since address)
must "he pings, twenty times a second" ping_start d "$address"
check "vpnc makes another ISAKMP SA" wait_for 40 journal_has EVENT=rekey USER=bob SA=isakmp
check "it is the session that it was" equal "$(session_of bob session since address)" "$before"
check "and the only one" assert_sessions 1
check "he reaches the LAN through his SAs" assert_traffic d "$address"
check "vpnc makes another one in time" wait_for 40 journal_has_times 2 EVENT=rekey USER=bob SA=isakmp
check "the gateway renews his IPsec SAs" wait_for 50 journal_has EVENT=rekey USER=bob SA=esp
check "he reaches the LAN through his SAs" assert_traffic d "$address"
check "it is the session that it was" equal "$(session_of bob session since address)" "$before"
check "with one lease" has_leases 1
vpnc_down d
check "the journal tells of the end" assert_journal EVENT=session-down USER=bob REASON=client-left
check "nothing is left" assert_nothing_left
finish
