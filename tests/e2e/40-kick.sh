#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpngwctl kick ends a user's session, and the client notices.
#
# strongSwan gets a DELETE, vpnc exits. Others stay.

. "$(dirname "$0")/lib.sh"

kick_status() { # kick_status EXPECTED WHO
	local rc=0
	vpngwctl kick "$2" || rc=$?
	equal $rc "$1"
}

must "the gateway is configured" gw_configure <<'E'
[listen]
control_group = adm
E
must "the gateway starts" gw_start
check "it says that the socket has another group" assert_journal_says \
	"control_group = adm, but systemd made /run/vpngw/control for group vpngw-admin"
must "alice's strongSwan starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in, by vpnc" vpnc_up c2

check "there is no carol to kick (exit 4)" kick_status 4 carol
check "alice is kicked" kick_status 0 alice
check "her client gets the DELETE" ss_says c1 "$ss_deleted"
check "her client has no tunnel any more" wait_for 10 ss_is_down c1
check "the journal says why" assert_journal EVENT=session-down USER=alice REASON=kicked
check "and that her address is free" assert_journal EVENT=lease-released USER=alice
check "she cannot be kicked twice (exit 4)" kick_status 4 alice
check "bob is still there" assert_sessions 1
check "bob still reaches the LAN" assert_traffic c2 "$(vpnc_address c2)"

check "bob is kicked, by his address" kick_status 0 "$(vpnc_address c2)"
check "vpnc exits" wait_for 10 vpnc_gone c2

check "alice logs in again" ss_up c1
session=$(session_of alice session)
check "list names her session" matches "$session" "????????"
check "show finds it by that name" vpngwctl show "$session"
check "she is kicked, by that name" kick_status 0 "$session"
check "her client has no tunnel any more" wait_for 10 ss_is_down c1
check "the journal names the session" assert_journal EVENT=admin-kick "SESSION=$session"
check "nothing is left" assert_nothing_left
finish
