#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A password and a one-time code: PAM asks for the code after the password, by pam_unix and pam_oath.
#
# The codes are those of RFC 4226 appendix D, each of which is good once. vpnc asks its user for the
# code; strongSwan cannot. The account is made for this scenario and removed at its end.

. "$(dirname "$0")/lib.sh"

account=vpngw-2fa oath=/var/lib/vpngw-oath pam=/etc/pam.d/vpngw
unit=/run/systemd/system/vpngw-authd.service.d

account_up() {
	at_end+=(account_down)
	useradd --no-create-home --shell /usr/sbin/nologin $account &&
		echo "$account:correct-horse" | chpasswd -c SHA512
}

account_down() {
	userdel $account
}

# pam_oath writes down which codes were used, in a new file that it gives to the owner of the old one.
factor_up() {
	cp $pam "$W/pam.before"
	at_end+=(factor_down)
	printf '%s\n' 'auth required pam_unix.so' \
		"auth required pam_oath.so usersfile=$oath/users window=5 digits=6" \
		'account required pam_unix.so' >$pam
	install -d -m 0700 -o vpngw-auth -g vpngw-auth $oath
	install -m 0600 -o vpngw-auth -g vpngw-auth /dev/null $oath/users
	printf 'HOTP %s - %s\n' $account "$(printf 12345678901234567890 | od -An -tx1 | tr -d ' \n')" \
		>$oath/users
	mkdir -p $unit
	printf '[Service]\nReadWritePaths=%s\nSystemCallFilter=@chown\n' $oath >$unit/oath.conf
	systemctl daemon-reload
}

factor_down() {
	cp "$W/pam.before" $pam
	rm -rf $oath $unit/oath.conf
	systemctl daemon-reload
}

# The line about the failed login of this account: one, and what it found.
assert_one_failure() { # assert_one_failure PATTERN
	assert_journal EVENT=auth-failed USER=$account &&
		equal "$(journal_count EVENT=auth-failed USER=$account)" 1 &&
		matches "$(journal_field DETAIL EVENT=auth-failed USER=$account)" "$1"
}

# The sentences about failed logins, without the client's port.
failures_as_told() {
	journal_lines -o cat VPNGW_EVENT=auth-failed | sed 's/:[0-9]* failed/ failed/' | sort -u
}

must "there is a local account" account_up
must "the gateway is configured for PAM" gw_configure <<'E'
[auth]
auth_source = pam
fail_limit = off
E
must "its PAM service wants a password and a code" factor_up
must "the gateway starts" gw_start

check "vpnc logs in with a password and a code" \
	vpnc_up c1 user=$account password=correct-horse answers=755224
check "it asked its user for the code" \
	matches "$(cat "$W/c1/asked")" "Passcode for VPN $account@*"
check "it reaches the LAN" assert_traffic c1 "$(vpnc_address c1)"
check "nobody was refused" not journal_has EVENT=auth-failed
vpnc_down c1

journal_mark
check "with a wrong code it does not" \
	not vpnc_up c1 user=$account password=correct-horse answers=000000
check "one line says at which step" \
	assert_one_failure "*after the answer to \"One-time password (OATH) for*"

journal_mark
check "nor with a code that was used" \
	not vpnc_up c1 user=$account password=correct-horse answers=755224
check "nor with a wrong password and the next code" \
	not vpnc_up c1 user=$account password=wrong-horse answers=287082
check "the journal tells of both" wait_for 10 journal_has_times 2 EVENT=auth-failed USER=$account
check "in the same words" equal "$(failures_as_told | wc -l)" 1

journal_mark
must "strongSwan starts" ss_client c2 user=$account password=correct-horse
check "it cannot ask for a code, and is refused" not ss_up c2
ss_stop c2
check "the journal says that the client has no answer" \
	assert_journal EVENT=auth-failed USER=$account REASON=no-answer

gw_stop
must "the gateway is configured to ask twice" gw_configure <<'E'
[auth]
auth_source = pam
fail_limit = off
xauth_tries = 2
E
must "the gateway starts" gw_start
check "after a wrong code vpnc asks for both again, and logs in" \
	vpnc_up c1 user=$account password=correct-horse answers=000000,correct-horse,359152
check "there is one session" assert_sessions 1
check "and one line about the wrong code" assert_one_failure "*after the answer to*"
vpnc_down c1
check "nothing is left" assert_nothing_left
check "W16: neither code nor password is in the journal" not journal_says '000000|359152|horse'
finish
