#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A11, A45, REL-06: FreeRADIUS knows passwords, groups and addresses; it is silent, or too old.
#
# carol is staff and has an address of her own; dave's password is right, and he is in no group that
# may log in.

. "$(dirname "$0")/lib.sh"
radius_needed

users() {
	cat <<'E'
carol Cleartext-Password := "looking-glass"
	Class = "vpnusers", Class += "staff", Framed-IP-Address = 10.99.99.20, Session-Timeout = 3600

dave Cleartext-Password := "tea-party"
	Class = "guests"
E
}

look() { # vpngwctl check, about passwords: in $W/found
	in_ns g vpngwctl check --json 2>/dev/null |
		jq -r '.findings[] | select(.check == "passwords") | .text' >"$W/found"
}

finds_no_fault() {
	look
	equal "$(cat "$W/found")" ""
}

exposure_is_at_most() { # exposure_is_at_most UNIT TENTHS
	local score
	score=$(systemd-analyze security --no-pager "$1" |
		sed -n 's/.*Overall exposure level for [^ ]*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p')
	echo "$score"
	[ "${score:-999}" -le "$2" ]
}

refused_within() { # refused_within SECONDS NAMESPACE KEY=VALUE...
	local start=$SECONDS
	not vpnc_up "${@:2}" && [ $((SECONDS - start)) -le "$1" ]
}

must "the gateway is configured" gw_configure <<'E'
[auth]
auth_source = radius
groups = vpnusers

[radius]
auth_server = 10.10.0.2 secret=credential:radius.secret timeout=1s retries=1
auth_server = 10.10.0.2:11812 secret=credential:radius.secret timeout=1s retries=1
nas_identifier = gate-one

[profile "staff"]
match_group = staff
split_network = include 10.10.0.2/32
E
must "there is a secret" radius_secret
look
check "vpngwctl check finds a unit without a network" \
	grep 'vpngw-authd.service has no network' "$W/found"
check "and without the secret" \
	grep 'secret=credential:radius.secret, and .* is not given it' "$W/found"
must "the unit has its drop-in" radius_drop_in
check "now it finds no fault" finds_no_fault
must "the first server starts" radius_start one 1812 < <(users)
must "the second server starts" radius_start two 11812 < <(users)
must "the gateway starts" gw_start

must "carol's client starts" ss_client c1 user=carol password=looking-glass
must "she logs in" ss_up c1
check "she has the address of Framed-IP-Address" assert_session carol 10.99.99.20 $NAT
check "and the profile of a Class" equal "$(session_of carol profile)" staff
check "and the time of Session-Timeout" \
	[ "$(vpngwctl show --json carol | jq '.sessions[0].expires_in_s')" -le 3600 ]
check "she reaches the LAN" assert_traffic c1 10.99.99.20
check "the server knows which gateway asked, and about whom" \
	radius_says one "Login OK: \[carol\].* at gate-one from $NAT"
check "vpngw-authd's unit exposes the system by 1.5 at most" \
	exposure_is_at_most vpngw-authd.service 15
check "a wrong password is refused" not vpnc_up c2 user=carol password=through-the
check "the server says so" radius_says one 'Login incorrect .*\[carol\]'
check "and the journal" assert_journal_says \
	"Login of carol from $NAT: denied: refused by RADIUS server 10.10.0.2:1812"
check "dave is refused, being in no group that may" not vpnc_up c2 user=dave password=tea-party
check "the journal says so" assert_journal_says 'Login of dave .* in none of the groups'
check "carol logs out" ss_down c1

radius_signal one STOP
must "when the first server is silent she logs in, by the second" ss_up c1
check "which has her address, too" assert_session carol 10.99.99.20 $NAT
check "the journal tells of the first one" assert_journal_says \
	'RADIUS server 10.10.0.2:1812: does not answer: is it there'
check "and the second one's log of her" radius_says two 'Login OK: \[carol\]'
check "she logs out" ss_down c1

radius_stop two
must "the second server is an old one" radius_start two 11812 old < <(users)
check "its answers do not count" refused_within 15 c2 user=carol password=looking-glass
check "the journal says why" assert_journal_says \
	'Ignored an answer of RADIUS server 10.10.0.2:11812, which has no Message-Authenticator'
radius_signal two STOP
check "when both are silent logins are refused in time" \
	refused_within 15 c2 user=carol password=looking-glass
check "the journal names them" assert_journal_says \
	'Login of carol .* no RADIUS server answers; RADIUS server 10.10.0.2:[0-9]*: no answer'
radius_signal one CONT
must "with the first one back she logs in" ss_up c1
check "as the journal says" assert_journal_says 'RADIUS server 10.10.0.2:1812 answers again'
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left
check "W16: neither passwords nor the secret are in the journal" \
	not journal_says "looking-glass|tea-party|$(cat $RADIUS_SECRET)"
finish
