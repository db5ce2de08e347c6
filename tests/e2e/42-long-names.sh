#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A name of 64 characters, a password of 63, and passwords in UTF-8 work with both clients.
#
# A name in UTF-8 as well with vpnc; strongSwan's configuration takes none.

. "$(dirname "$0")/lib.sh"

long_name=$(printf 'n%.0s' {1..64})
long_password=$(printf 'p%.0s' {1..62})!
utf8_password='Zaubärwörter пароль 密码 €'

must "the gateway is configured" gw_configure
gw_user "$long_name" "$long_password"
gw_user juergen "$utf8_password"
gw_user jürgen "$utf8_password"
must "the gateway starts" gw_start

must "a strongSwan client with the long name starts" \
	ss_client c1 "user=$long_name" "password=$long_password"
must "it logs in" ss_up c1
check "the gateway has the whole name" equal "$(session_of "$long_name" address)" "$(ss_address c1)"
check "the journal has it, too" assert_journal EVENT=session-up "USER=$long_name"
ss_stop c1
check "its session ends" assert_sessions 0
must "a strongSwan client with the UTF-8 password starts" \
	ss_client c1 user=juergen "password=$utf8_password"
check "it logs in" ss_up c1
check "it reaches the LAN" assert_traffic c1 "$(ss_address c1)"
check "one letter less is refused" not vpnc_up c2 user=juergen "password=${utf8_password%?}"

check "vpnc logs in with the UTF-8 name and password" \
	vpnc_up c2 user=jürgen "password=$utf8_password"
check "the gateway knows the name" equal "$(session_of jürgen address)" "$(vpnc_address c2)"
vpnc_down c2
check "vpnc logs in with the long name" \
	vpnc_up c2 "user=$long_name" "password=$long_password"
check "it reaches the LAN" assert_traffic c2 "$(vpnc_address c2)"
finish
