#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A39: a client with another shared key does not get in, and the journal says which key it was not.
#
# Nothing is answered to a message that does not decrypt, so the client repeats itself. A shared key
# in aggressive mode (A06) is refused at once, and so is one from an address that has none.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[phase1]
authentication = hybrid_rsa, xauth_psk
E
must "it has a shared key for one network" gw_shared_keys <<'E'
198.51.100.8/29 squeamish ossifrage
E
must "the gateway starts" gw_start

must "alice's client starts, with another key" ss_client d mode=main auth=psk psk=rumpelstiltskin
ss d --initiate --child home --timeout 60 >"$W/d/initiate.log" 2>&1 &
check "the journal says that the keys differ" assert_journal EVENT=auth-failed REASON=shared-key
check "it names the key's row" \
	assert_journal_says 'the one for 198\.51\.100\.8/29 \(\[phase1\] psk_file, line 1\)'
check "and the client's address" matches "$(journal_field PEER REASON=shared-key)" "$DIRECT:*"
check "the client gets no answer, and repeats itself" \
	ss_says d 'sending retransmit 1 of request message'
check "that is not told again" equal "$(journal_lines -o cat VPNGW_REASON=shared-key | wc -l)" 1
check "nobody got a lease" not journal_has EVENT=lease-granted
ss_stop d
check "nothing is left" assert_nothing_left
check "no key is in the journal" not journal_says 'ossifrage|rumpelstiltskin'

must "her client starts again, with the right key" ss_client d mode=main auth=psk
check "she logs in" ss_up d
check "she reaches the LAN" assert_traffic d 10.99.99.1
ss_stop d

must "a client starts that uses the key in aggressive mode" ss_client d auth=psk
check "it does not log in" not ss_up d
check "it was told at once" ss_says d "$ss_no_proposal"
check "the journal says why" assert_journal_says 'xauth_psk: in aggressive mode .*main mode alone'
ss_stop d

must "a client starts whose address has no key" ss_client c1 mode=main auth=psk
check "it does not log in" not ss_up c1
check "it was told at once" ss_says c1 "$ss_no_proposal"
check "the journal says why" assert_journal_says 'psk_file has no key for this address'
finish
