#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ike_frag = on, off and force, with clients that know fragments, want nothing else, or never heard
# of them.
#
# on: strongSwan gets fragments because it says that it knows them, vpnc gets whole messages. off:
# strongSwan logs in without, and fails when it is forced to send them, which the journal explains.
# force: sent to a strongSwan that does not say that it knows them, but does.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'C'
[phase1]
ike_frag = on
C
must "the gateway starts" gw_start
must "the capture starts" capture_start
must "alice's client starts" ss_client d
must "alice logs in" ss_up d
check "the certificate message came in fragments" \
	test "$(captured_count "src $GATEWAY and $ike_fragment")" -ge 2
check "none is longer than 552 bytes" assert_ike_at_most 552 "src $GATEWAY"
check "IP has cut nothing" assert_not_cut
check "she sent whole messages" equal "$(captured "src $DIRECT and $ike_fragment")" ""
check "the session says so" equal "$(session_of alice fragments)" sent
check "vpnctl show does, too" matches "$(vpngwctl show alice)" '*IKE fragments: sent*'
check "bob logs in with vpnc" vpnc_up c1
check "he gets whole messages" equal "$(captured "host $NAT and $ike_fragment")" ""
check "his session has none" equal "$(session_of bob fragments)" none
check "bob logs out" vpnc_down c1
check "alice logs out" ss_down d
ss_stop d
gw_stop

must "the gateway is configured without fragments" gw_configure <<'C'
[phase1]
ike_frag = off
C
must "it starts" gw_start
must "the client starts" ss_client d
check "alice logs in, in whole messages" ss_up d
check "the session has no fragments" equal "$(session_of alice fragments)" none
ss_stop d
must "a client starts that sends fragments from the first message on" \
	ss_client d fragmentation=force fragment_size=400
check "it gets nowhere" not ss d --initiate --child home --timeout 6
check "the journal says why" assert_journal REASON=fragments-off
check "and the setting to change" assert_journal_says '198\.51\.100\.10.*fragments.*ike_frag = off'
check "the refusals are counted" \
	test "$(counter dropped_fragment_off)" -ge 2
ss_stop d
gw_stop

must "the gateway is configured to force them" gw_configure <<'C'
[phase1]
ike_frag = force
C
must "it starts again" gw_start
must "a client starts that does not say that it knows fragments" ss_client d fragmentation=no
check "alice logs in" ss_up d
check "she was sent fragments" equal "$(session_of alice fragments)" sent
check "she reaches the LAN" assert_traffic d "$(ss_address d)"
finish
