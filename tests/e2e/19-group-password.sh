#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A06: vpnc and strongSwan with a group's name and password: a shared key in aggressive mode.
#
# A profile allows it to the group legacy. Another group has a password as well, but no profile that
# allows it: it gets what any method that is not named gets.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[profile "legacy"]
match_id       = keyid:legacy
exchange_mode  = aggressive
authentication = xauth_psk
pool           = legacy

[pool "legacy"]
network4  = 10.99.99.100
pool_size = 10
E
must "the groups have passwords" gw_shared_keys <<'E'
keyid:leg* open-sesame-to-none
keyid:legacy squeamish ossifrage
keyid:other  squeamish ossifrage
E
must "the gateway starts" gw_start
check "it warns of what that means, once" equal \
	"$(journal_lines -o cat | grep -c 'profile "legacy".*xauth_psk is weak')" 1

# From a port of its own: our answer may be repeated while the next vpnc has its socket already, but
# has sent nothing yet, and that would end it.
check "with another password there is no login" \
	not vpnc_up c1 group=legacy secret="another password" port=0
must "bob's vpnc logs in with the group's password" \
	vpnc_up c1 group=legacy secret="squeamish ossifrage"
check "he has an address of the group's pool" equal "$(vpnc_address c1)" 10.99.99.100
check "the session is one in aggressive mode with a shared key" equal \
	"$(session_of bob exchange_mode authentication profile | xargs)" "aggressive xauth_psk legacy"
check "he reaches the LAN" assert_traffic c1 10.99.99.100
vpnc_down c1

must "alice's strongSwan starts, with the same" ss_client c2 auth=psk group=legacy
check "she logs in" ss_up c2
check "she reaches the LAN" assert_traffic c2 10.99.99.101
check "she logs out" ss_down c2
ss_stop c2

must "a client of the other group starts" ss_client c2 auth=psk group=other
check "it does not log in" not ss_up c2
check "it was told at once" ss_says c2 "$ss_no_proposal"
check "the journal says what the gateway accepts" \
	assert_journal_says 'offers authentication xauth_psk; the gateway accepts hybrid_rsa'
ss_stop c2
check "hybrid authentication works for others" vpnc_up c1
vpnc_down c1
check "the journal says which key it was that another vpnc did not have" \
	assert_journal_says 'the one for keyid:legacy \(\[phase1\] psk_file, line 2\)'
check "nothing is left" assert_nothing_left
check "no key is in the journal" not journal_says 'ossifrage|sesame'
finish
