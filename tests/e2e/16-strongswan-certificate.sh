#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A08, A09, A10, A13, A17: strongSwan clients log in with a certificate of their own, by main and by
# aggressive mode, with a password as well and without.
#
# strongSwan sends its certificate only when it is asked for it. One client is its certificate's
# subject, the other the mail address in it, with an intermediate CA between it and the gateway's.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure <<'E'
[phase1]
authentication = xauth_rsa, rsasig
ca_file = /etc/vpngw/certs/client-ca.pem
crl_file = /etc/vpngw/certs/client-crl.pem
[profile "named"]
match_id = asn1dn:/CN=al?ce
E
must "a CA below the CA issues one certificate" pki_below "$W/below"
must "the gateway knows the CA, and what was revoked" gw_client_ca "$W/below/crl.pem" "$W/below/root.pem"
check "the configuration is valid" vpngw --check-config
must "the gateway starts" gw_start
must "the capture starts" capture_start

must "alice's client starts" ss_client d mode=main auth=rsa cert="$PKI/alice.pem" key="$PKI/alice.key"
must "bob's client starts behind a NAT" ss_client c1 auth=rsa user=bob password=chunnel \
	cert="$W/below/chain.pem" key="$PKI/bob@example.net.key" own_id=bob@example.net
must "alice logs in" ss_up d
must "bob logs in" ss_up c1
check "alice's client used main mode" ss_says d 'initiating Main Mode IKE_SA'
check "bob's used aggressive mode" ss_says c1 'initiating Aggressive Mode IKE_SA'
check "the gateway lists her session" assert_session alice 10.99.99.1 $DIRECT
check "and his, from the NAT's address" assert_session bob 10.99.99.2 $NAT
check "her session says how it came, and who she is" \
	equal "$(session_of alice exchange_mode authentication group)" $'main\nxauth_rsa\nCN=alice'
check "and her subject has a profile" equal "$(session_of alice profile)" named
check "and so does his" \
	equal "$(session_of bob exchange_mode authentication group)" \
	$'aggressive\nxauth_rsa\nbob@example.net'
check "his mail address has none" equal "$(session_of bob profile)" null
check "alice reaches the LAN through her SAs" assert_traffic d 10.99.99.1
check "bob reaches the LAN through his" assert_traffic c1 10.99.99.2
check "nothing passed in clear" assert_outside_clean
check "alice logs out" ss_down d
check "bob logs out" ss_down c1
check "nothing is left" assert_nothing_left

must "bob's client starts with the certificate alone" ss_client c2 auth=rsasig mode=main \
	cert="$PKI/bob@example.net.pem" key="$PKI/bob@example.net.key" own_id=bob@example.net
must "it logs in" ss_up c2
check "the user is who the certificate says" \
	equal "$(session_of bob@example.net exchange_mode authentication address)" \
	$'main\nrsasig\n10.99.99.3'
check "he reaches the LAN" assert_traffic c2 10.99.99.3
check "he was asked for no password" not ss_says_now c2 'XAuth authentication'
check "he logs out" ss_down c2
ss_stop c2
must "it starts again, in aggressive mode" ss_client c2 auth=rsasig \
	cert="$PKI/bob@example.net.pem" key="$PKI/bob@example.net.key"
must "it logs in" ss_up c2
check "the user is the subject's common name, and has the same address" \
	assert_session bob@example.net 10.99.99.3 $NAT
check "nothing passed in clear" assert_outside_clean
finish
