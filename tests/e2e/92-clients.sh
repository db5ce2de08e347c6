#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What vpngw-clients(7) tells users of vpnc and strongSwan to write makes clients that log in.
#
# The files are taken from the manual as they stand. What is added to them is the password, and how
# the harness runs a client in a namespace.

. "$(dirname "$0")/lib.sh"

example() { # example NAME: the block behind that line of the manual
	awk -v want="$1" '$2 == "example:" && $3 == want { here = 1; next }
		here && /^\.Bd -literal/ { on = 1; next }
		on && /^\.Ed/ { exit }
		on' "$ROOT/man/vpngw-clients.7"
}

vpnc_write_conf() {
	if [ -n "$secret" ]; then
		# As the section about Cisco's client says: psk, no CA, the group's name and password.
		example vpnc.conf | sed -e '/^CA-File/d' -e 's/^IKE Authmode .*/IKE Authmode psk/' \
			-e 's/^IPSec ID .*/IPSec ID legacy/' -e "s/^IPSec secret .*/IPSec secret $secret/"
	else
		example vpnc.conf
	fi
	cat <<E
Xauth password wonderland
Local Port 0
Interface name tun-$ns
Pidfile $dir/vpnc.pid
Script $dir/script
Debug 1
E
}

ss_write_swanctl_conf() {
	example swanctl.conf
}

# The name that the manual's files dial.
name_the_gateway() {
	cp /etc/hosts "$W/hosts" && at_end+=(forget_the_name) || return 1
	echo "$GATEWAY $GATEWAY_NAME" >>/etc/hosts
	install -D -m 0644 "$PKI/ca.pem" /etc/vpnc/vpn-ca.pem
}

forget_the_name() {
	cat "$W/hosts" >/etc/hosts
	rm -f /etc/vpnc/vpn-ca.pem
}

topo_is_guest || skip_all "it writes /etc/hosts and /etc/vpnc: in a guest only"
for name in vpnc.conf swanctl.conf cisco-profile cisco-psk; do
	must "the manual has an example $name" test -n "$(example $name)"
done
must "the gateway is configured, as its installation is" gw_configure
must "the gateway starts" gw_start
must "its name is known" name_the_gateway

must "alice logs in with vpnc" vpnc_up c1
check "hers is a session in hybrid authentication" equal \
	"$(vpngwctl show alice --json | jq -r '.sessions[0] | .authentication, .group' | xargs)" \
	"hybrid_rsa roadwarriors"
check "her packets pass" assert_traffic c1 "$(vpnc_address c1)"
check "she logs out" vpnc_down c1

must "strongSwan starts" ss_client c2
must "alice logs in with it" ss_up c2
check "her packets pass" assert_traffic c2 "$(ss_address c2)"
check "she logs out" ss_down c2
ss_stop c2

example cisco-profile >/etc/vpngw/vpngw.conf.d/60-manual.conf
at_end+=("rm -f /etc/vpngw/vpngw.conf.d/60-manual.conf")
must "the group of Cisco's client has its password" gw_shared_keys < <(example cisco-psk)
must "the gateway takes over its profile" vpngwctl reload
must "alice logs in as that client does" vpnc_up c1 \
	secret="$(example cisco-psk | sed 's/^[^ ]* //')"
check "with the group's password" equal \
	"$(vpngwctl show alice --json | jq -r '.sessions[0] | .authentication, .profile' | xargs)" \
	"xauth_psk legacy"
check "her packets pass" assert_traffic c1 "$(vpnc_address c1)"
vpnc_down c1
check "nothing is left" assert_nothing_left
finish
