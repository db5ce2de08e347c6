#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A42: certificates that let nobody in: revoked, of another CA, expired, of somebody else. The client
# is told, and one line in the journal says what was wrong and which setting to look at.
#
# The revocation takes effect without a restart.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[phase1]
authentication = xauth_rsa
ca_file = /etc/vpngw/certs/client-ca.pem
crl_file = /etc/vpngw/certs/client-crl.pem
E
must "there are lists of what was revoked, before and after" eval \
	'pki_list "$W/none.pem" "$PKI/ca.pem" "$PKI/ca.key" &&
	pki_list "$W/alice.pem" "$PKI/ca.pem" "$PKI/ca.key" "$PKI/alice.pem"'
must "there is another CA" pki_root "$W/root.pem" "$PKI/ca.key"
must "it has issued a certificate" pki_issue "$W/other.pem" "$PKI/alice.key" \
	"$W/root.pem" "$PKI/ca.key" <<'E'
cn = "alice"
signing_key
tls_www_client
expiration_days = 30
E
must "one certificate has expired" pki_issue "$W/old.pem" "$PKI/alice.key" \
	"$PKI/ca.pem" "$PKI/ca.key" <<'E'
cn = "alice"
signing_key
tls_www_client
activation_date = "2020-01-01 00:00:00"
expiration_date = "2021-01-01 00:00:00"
E
must "the gateway knows the CA, and that nothing was revoked" gw_client_ca "$W/none.pem"
must "the gateway starts" gw_start

stays_out() { # stays_out NAMESPACE WHY
	check "it does not log in" not ss_up "$1"
	check "it is told" ss_says "$1" "$ss_not_let_in"
	check "the journal says why" assert_journal_says "certificate is refused: $2"
	check "it asked for no password" not ss_says_now "$1" 'parsed TRANSACTION request'
}

must "alice's client starts" ss_client d mode=main auth=rsa cert="$PKI/alice.pem" key="$PKI/alice.key"
check "she logs in" ss_up d
check "she logs out" ss_down d
ss_forget d
must "her certificate is revoked" install -m 0644 "$W/alice.pem" /etc/vpngw/certs/client-crl.pem
stays_out d 'CN=alice: it was revoked \(\[phase1\] crl_file\)'
check "the line names the event" assert_journal EVENT=auth-failed REASON=certificate
check "and her client's address" matches "$(journal_field PEER REASON=certificate)" "$DIRECT:*"
ss_stop d

must "a client starts with a certificate of another CA" \
	ss_client c1 mode=main auth=rsa cert="$W/other.pem" key="$PKI/alice.key"
stays_out c1 'CN=alice: its issuer CN=Root is not in \[phase1\] ca_file'
ss_stop c1

must "one starts with a certificate that has expired, in aggressive mode" \
	ss_client c2 auth=rsa cert="$W/old.pem" key="$PKI/alice.key"
stays_out c2 'CN=alice: it or its CA has expired'
ss_stop c2

# strongSwan says to be somebody else only by way of a pattern.
must "one starts that says to be somebody else" ss_client d mode=main auth=rsa user=bob \
	password=chunnel cert="$PKI/bob@example.net.pem" key="$PKI/bob@example.net.key" \
	own_id='*@example.net'
stays_out d 'CN=bob@example.net: the client says to be \*@example.net, which is no mail address in it'
ss_stop d
check "nobody else got a lease" equal "$(journal_count EVENT=lease-granted)" 1
check "nothing is left" assert_nothing_left
finish
