#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Users made by vpngwctl passwd log in; groups and fixed addresses hold; a deleted user is refused.
#
# Only members of vpnusers may log in: carol, who always has 10.99.99.20. alice is in no group.

. "$(dirname "$0")/lib.sh"

passwd() { # passwd PASSWORD OPTION... USER
	printf '%s\n' "$1" | vpngwctl passwd --stdin "${@:2}"
}

must "the gateway is configured" gw_configure <<'E'
[auth]
groups = vpnusers
E
must "the gateway starts" gw_start
check "carol is added while it runs" \
	passwd looking-glass --group vpnusers --address 10.99.99.20 carol
must "her client starts" ss_client c1 user=carol password=looking-glass
must "she logs in" ss_up c1
check "she has her own address" assert_session carol 10.99.99.20 $NAT
check "she reaches the LAN" assert_traffic c1 10.99.99.20
check "alice is refused, being in no group" not vpnc_up c2 user=alice password=wonderland
check "the journal says so" assert_journal EVENT=auth-failed USER=alice
check "carol logs out" ss_down c1

check "her password is changed" passwd through-the carol
check "the old one is refused" not ss_up c1
check "the new one works, and her group and address are as before" \
	vpnc_up c2 user=carol password=through-the
check "she has her own address" equal "$(vpnc_address c2)" 10.99.99.20
vpnc_down c2
check "carol is deleted" vpngwctl passwd --delete carol
check "she is refused" not vpnc_up c2 user=carol password=through-the
check "nothing is left" assert_nothing_left
finish
