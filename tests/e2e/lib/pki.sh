# SPDX-License-Identifier: LGPL-2.1-or-later
# pki.sh - certificates of clients. The keys of alice and bob@example.net, and good certificates for
# them, are made outside the guest (tests/e2e/run); here is what takes no new key.

# A certificate by a CA, for a key that is there; lines of certtool's template on standard input.
pki_issue() { # pki_issue OUT SUBJECT-KEY CA.pem CA.key [CERTTOOL-OPTION]... <<'E' ... E
	local out=$1 key=$2 ca=$3 ca_key=$4
	cat >"$out.template"
	certtool --generate-certificate --hash SHA256 --no-text --template "$out.template" \
		--load-privkey "$key" --load-ca-certificate "$ca" --load-ca-privkey "$ca_key" \
		--outfile "$out" "${@:5}" 2>"$out.log" && return
	cat "$out.log"
	return 1
}

# A CA's list of what it has revoked, for 30 days.
pki_list() { # pki_list OUT CA.pem CA.key [CERTIFICATE]
	echo 'crl_next_update = 30' >"$1.template"
	certtool --generate-crl --hash SHA256 --no-text --template "$1.template" \
		--load-ca-certificate "$2" --load-ca-privkey "$3" ${4:+--load-certificate "$4"} \
		--outfile "$1" 2>"$1.log" && return
	cat "$1.log"
	return 1
}

# A CA below another CA has issued a certificate for bob: chain.pem holds him and both CAs,
# crl.pem what both CAs have revoked, which is nothing.
pki_below() { # pki_below DIR
	mkdir -p "$1"
	# The CA of `vpngw-pki' has nothing below it by its own word: this one is another.
	pki_root "$1/root.pem" "$PKI/ca.key" &&
		pki_issue "$1/below.pem" "$PKI/alice.key" "$1/root.pem" "$PKI/ca.key" <<'E' &&
cn = "Branch office"
ca
path_len = 0
cert_signing_key
crl_signing_key
expiration_days = 30
E
		pki_issue "$1/bob.pem" "$PKI/bob@example.net.key" "$1/below.pem" "$PKI/alice.key" <<'E' &&
cn = "bob"
email = "bob@example.net"
signing_key
tls_www_client
expiration_days = 30
E
		pki_list "$1/1.pem" "$1/root.pem" "$PKI/ca.key" &&
		pki_list "$1/2.pem" "$1/below.pem" "$PKI/alice.key" &&
		pki_list "$1/3.pem" "$PKI/ca.pem" "$PKI/ca.key" || return 1
	cat "$1/bob.pem" "$1/below.pem" "$1/root.pem" >"$1/chain.pem"
	cat "$1/1.pem" "$1/2.pem" "$1/3.pem" >"$1/crl.pem"
}

pki_root() { # pki_root OUT KEY
	printf 'cn = "Root"\nca\ncert_signing_key\ncrl_signing_key\nexpiration_days = 30\n' >"$1.template"
	certtool --generate-self-signed --hash SHA256 --no-text --template "$1.template" \
		--load-privkey "$2" --outfile "$1" 2>"$1.log"
}

# What the gateway knows about clients' certificates; after gw_configure.
gw_client_ca() { # gw_client_ca CRL [CA.pem]...
	at_end+=('rm -f /etc/vpngw/certs/client-ca.pem /etc/vpngw/certs/client-crl.pem')
	cat "$PKI/ca.pem" "${@:2}" >/etc/vpngw/certs/client-ca.pem &&
		install -m 0644 "$1" /etc/vpngw/certs/client-crl.pem
}
