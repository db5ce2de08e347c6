#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One user from two places, where the last login counts and where so many do (A38): unique = replace
# and sessions_per_user.
#
# alice is at home (c1, behind a NAT) and then at work (d) as well. bob, in the same group and
# behind the same NAT as her home, must not notice any of it.

. "$(dirname "$0")/lib.sh"

policy() { # policy KEY=VALUE...: the gateway starts anew with these in [auth]
	{ echo '[auth]' && printf '%s\n' "$@"; } >/etc/vpngw/vpngw.conf.d/60-policy.conf
	gw_restart
}

all_up() { # all_up: bob and alice at home log in
	ss_up c1 && vpnc_up c2
}

at_end+=("rm -f /etc/vpngw/vpngw.conf.d/60-policy.conf")
must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "alice's client at home starts" ss_client c1
must "alice's client at work starts" ss_client d

# unique = replace
must "replace: the gateway starts" policy 'unique = replace'
must "replace: alice logs in at home, and bob" all_up
home=$(ss_address c1)
ss_forget c1
must "replace: alice logs in at work" ss_up d
check "replace: her client at home is told" ss_says c1 "$ss_deleted"
check "replace: the journal says why" assert_journal EVENT=session-down USER=alice REASON=replaced
check "replace: her address went with her" assert_session alice "$home" $DIRECT
check "replace: she reaches the LAN from work" assert_traffic d "$home"
check "replace: bob is still there" assert_traffic c2 "$(vpnc_address c2)"
ss_down d >/dev/null
vpnc_down c2

# sessions_per_user
must "two: the gateway starts" policy 'sessions_per_user = 2'
must "two: alice logs in at home" ss_up c1
must "two: and at work" ss_up d
check "two: she is refused a third time" not vpnc_up c2 user=alice password=wonderland
check "two: the journal says why" \
	assert_journal EVENT=auth-failed USER=alice REASON=sessions-per-user
check "two: and names the key" assert_journal_says 'alice .*\[auth\] sessions_per_user'
check "two: both sessions are there" assert_sessions 2
must "two: bob logs in" vpnc_up c2
finish
