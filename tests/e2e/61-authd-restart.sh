#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpngw-authd may be restarted, and may die in the middle of a login: sessions stay, logins go on.
#
# SIGHUP, which many daemons take for "read your configuration again", ends neither of the two.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
gateway_pid=$(systemctl show -P MainPID vpngw.service)

check "SIGHUP" systemctl kill -s HUP vpngw.service vpngw-authd.service
check "makes the gateway load its configuration" assert_journal_says 'SIGHUP has loaded the configuration'
check "and vpngw-authd say that it does not" assert_journal_says 'vpngw-authd reads the configuration'
check "the gateway is the same process as before" \
	equal "$(systemctl show -P MainPID vpngw.service)" "$gateway_pid"
check "alice reaches the LAN" assert_traffic c1 10.99.99.1

check "vpngw-authd is restarted" systemctl restart vpngw-authd.service
check "alice's session is still there" assert_session alice 10.99.99.1 $NAT
check "she reaches the LAN" assert_traffic c1 10.99.99.1
must "bob's client starts" ss_client c2 user=bob password=chunnel
check "bob logs in after it" ss_up c2
check "bob logs out" ss_down c2

# All its processes stand still, so the login hangs at the password until they are killed.
systemctl kill -s STOP vpngw-authd.service
ss_forget c2
ss_up c2 &
login=$!
check "a login waits for its password check" \
	ss_says c2 'generating TRANSACTION response .* CPRP\(X_USER X_PWD\)'
systemctl kill -s KILL vpngw-authd.service
check "the login comes to an end" wait_for 40 gone $login
check "with success: the next vpngw-authd is asked again" wait $login
check "bob has his session" assert_sessions 2
check "the gateway is the same process as before" \
	equal "$(systemctl show -P MainPID vpngw.service)" "$gateway_pid"
check "alice's session is still there" assert_session alice 10.99.99.1 $NAT
check "she still reaches the LAN" assert_traffic c1 10.99.99.1
check "bob logs out" ss_down c2
check "the next login works" ss_up c2
finish
