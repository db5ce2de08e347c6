#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A37: both sides have certificates with keys on the curve P-256, and strongSwan logs in by it, in main
# and in aggressive mode. The user is whom the certificate names. A client with an RSA key does not get
# in.

. "$(dirname "$0")/lib.sh"

pki_ecdsa() { # a folder with the CA, and certificates by it
	mkdir "$W/pki" && cp "$PKI/ca.pem" "$PKI/ca.key" "$W/pki/" &&
		"$ROOT/scripts/pki" --ecdsa quick "$W/pki" $GATEWAY_NAME $GATEWAY >/dev/null &&
		"$ROOT/scripts/pki" --ecdsa client "$W/pki" carol >/dev/null
}

gw_take_ecdsa() {
	at_end+=('rm -f /etc/vpngw/certs/ecdsa.pem /etc/vpngw/certs/ecdsa.key')
	install -m 0644 "$W/pki/$GATEWAY_NAME.pem" /etc/vpngw/certs/ecdsa.pem &&
		install -m 0640 -g vpngw "$W/pki/$GATEWAY_NAME.key" /etc/vpngw/certs/ecdsa.key
}

must "the gateway is configured" gw_configure <<'E'
[gateway]
certificate = /etc/vpngw/certs/ecdsa.pem
private_key = /etc/vpngw/certs/ecdsa.key
[phase1]
authentication = ecdsa
ca_file = /etc/vpngw/certs/client-ca.pem
crl_file = /etc/vpngw/certs/client-crl.pem
E
must "gateway and client have keys on P-256" pki_ecdsa
must "the gateway takes its own" gw_take_ecdsa
must "nothing was revoked" pki_list "$W/none.pem" "$PKI/ca.pem" "$PKI/ca.key"
must "the gateway knows the CA" gw_client_ca "$W/none.pem"
must "the gateway starts" gw_start

must "carol's client starts" ss_client d auth=rsasig mode=main \
	cert="$W/pki/carol.pem" key="$W/pki/carol.key"
must "she logs in" ss_up d
check "her session says how it came" \
	equal "$(session_of carol exchange_mode authentication group)" $'main\necdsa_256\nCN=carol'
check "she reaches the LAN" assert_traffic d 10.99.99.1
check "she logs out" ss_down d
ss_stop d
must "her client starts again, in aggressive mode" ss_client c1 auth=rsasig \
	cert="$W/pki/carol.pem" key="$W/pki/carol.key"
must "she logs in" ss_up c1
check "she has the same address" assert_session carol 10.99.99.1 $NAT
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left

must "a client starts that has an RSA key" ss_client c2 auth=rsasig mode=main \
	cert="$PKI/alice.pem" key="$PKI/alice.key"
check "it does not log in" not ss_up c2
check "the journal says what the gateway wants" \
	assert_journal_says 'offers authentication rsasig; the gateway accepts ecdsa_256'
finish
