#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Local accounts log in by auth_source = pam and by auth_source = system.
#
# The account is made for this scenario and removed at its end.

. "$(dirname "$0")/lib.sh"

account=vpngw-e2e

account_up() {
	useradd --no-create-home --shell /usr/sbin/nologin $account &&
		echo "$account:correct-horse" | chpasswd -c SHA512 && at_end+=(account_down)
}

account_down() {
	userdel $account
}

must "there is a local account" account_up
for source in pam system; do
	must "the gateway is configured for $source" gw_configure <<<"
[auth]
auth_source = $source"
	must "the gateway starts" gw_start
	must "a client starts with the wrong password" ss_client c1 user=$account password=wrong-horse
	check "$source: it is refused" not ss_up c1
	check "$source: the journal says so" assert_journal EVENT=auth-failed USER=$account
	ss_stop c1
	must "a client starts with the right password" ss_client c1 user=$account password=correct-horse
	check "$source: it logs in" ss_up c1
	check "$source: it reaches the LAN" assert_traffic c1 10.99.99.1
	check "$source: alice of the users file is unknown" not vpnc_up c2 user=alice password=wonderland
	ss_stop c1
	gw_stop
done
finish
