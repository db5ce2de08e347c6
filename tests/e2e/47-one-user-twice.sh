#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One user from two places, where that is allowed and where the first login counts (A38): unique =
# never and keep.
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
must "the gateway is configured" gw_configure <<'E'
[phase1]
dpd_delay = 1h
dpd_retry = 1s
dpd_maxfail = 2
E
must "the gateway starts" gw_start
must "alice's client at home starts" ss_client c1
must "alice's client at work starts" ss_client d

# unique = never
must "alice logs in at home, and bob" all_up
must "never: alice logs in at work as well" ss_up d
check "never: all are there" assert_sessions 3
check "never: she has two addresses" not equal "$(ss_address c1)" "$(ss_address d)"
check "never: she reaches the LAN from home" assert_traffic c1 "$(ss_address c1)"
check "never: and from work" assert_traffic d "$(ss_address d)"
for ns in c1 d; do ss_down $ns >/dev/null; done
vpnc_down c2

# unique = keep
must "keep: the gateway starts" policy 'unique = keep'
must "keep: alice logs in at home, and bob" all_up
home=$(ss_address c1)
ss_forget d
check "keep: alice is refused at work" not ss_up d
check "keep: her client is told so" ss_says d "$ss_refused"
check "keep: the journal says why" assert_journal EVENT=auth-failed USER=alice REASON=unique
check "keep: and names the key" assert_journal_says 'alice .*\[auth\] unique = keep'
check "keep: her session at home goes on" assert_traffic c1 "$home"
check "keep: bob's vpnc crashes" vpnc_crash c2
must "keep: he logs in again, for vpnc says that it has no other session" vpnc_up c2
check "keep: his old session is gone" assert_journal EVENT=session-down USER=bob REASON=replaced
check "keep: he has the address that he had" assert_session bob "$(vpnc_address c2)" $NAT
check "keep: he reaches the LAN" assert_traffic c2 "$(vpnc_address c2)"
check "keep: alice is still there" assert_session alice "$home" $NAT
check "keep: alice's machine at home crashes" ss_crash c1
must "keep: it starts again" ss_client c1
must "keep: strongSwan does not say so, and goes on with her session from the same port" ss_up c1
check "keep: she has the address that she had" assert_session alice "$home" $NAT
check "keep: she reaches the LAN" assert_traffic c1 "$home"
check "keep: alice's machine at home crashes once more" ss_crash c1
nap 13 # the gateway looks every ten seconds, and takes new traffic for a sign of life at that moment
check "keep: she is still refused at work" not ss_up d
check "keep: but her old session was asked, and is found dead" \
	assert_journal EVENT=dpd-timeout USER=alice
must "keep: then she gets in" ss_up d
check "keep: she has the address that she had at home" assert_session alice "$home" $DIRECT
check "keep: there is one session of each" assert_sessions 2
finish
