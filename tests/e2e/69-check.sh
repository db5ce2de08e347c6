#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpngwctl check: nothing is wrong with a healthy host, before the gateway runs and while it does, and
# what is spoiled on another is named: forwarding, another IKE daemon, an expired certificate, a pool
# that overlaps a route, a module, files that the daemons cannot read, units, their sandboxes.

. "$(dirname "$0")/lib.sh"

checked() { # checked EXIT-STATUS [OPTION]...: what it said is in $W/found
	local rc=0
	in_ns g vpngwctl check "${@:2}" >"$W/found" 2>&1 || rc=$?
	cat "$W/found"
	equal $rc "$1"
}

# Nothing but this was found, and its remedy is there.
finds() { # finds EXIT-STATUS CHECK SEVERITY TEXT-REGEX
	checked "$1" --json && jq -e --arg check "$2" --arg severity "$3" --arg text "$4" \
		'.findings | length > 0 and all(.check == $check and .severity == $severity and
			(.text | test($text)) and .remedy != null)' "$W/found" >/dev/null
}

finds_nothing() {
	checked 0 && grep -qx '0 errors, 0 warnings, 0 hints, 0 not looked at.' "$W/found"
}

says() { # says EXTENDED-REGEX: the last one
	grep -qE "$1" "$W/found" || { cat "$W/found" && return 1; }
}

forwards() { # forwards 0|1
	in_ns g sh -c "echo $1 >/proc/sys/net/ipv4/ip_forward"
}

certificate() { # certificate FILE
	install -m 0644 "$1" /etc/vpngw/certs/gateway.pem
}

original() {
	certificate "$PKI/$GATEWAY_NAME.pem"
}

open_sandbox() {
	mkdir -p /run/systemd/system/vpngw.service.d
	cat >/run/systemd/system/vpngw.service.d/e2e-open.conf <<'E' && systemctl daemon-reload
[Service]
ProtectSystem=no
NoNewPrivileges=no
CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN
E
}

must "the gateway is configured" gw_configure </dev/null
at_end+=('systemctl disable vpngw.service')
check "units that are not enabled are named" \
	finds 0 units warning '^vpngw[a-z-]*\.(service|socket) is not enabled'
must "they are enabled" systemctl enable vpngw.service
check "with a healthy host nothing is wrong" finds_nothing
must "the gateway starts" gw_start
check "and nothing while the gateway runs, which has the ports itself" finds_nothing
check "the trial has left nothing in the kernel" equal "$(ip -n g xfrm state)" ""
gw_stop

at_end+=('forwards 1')
forwards 0
check "a host that does not forward" finds 1 forwarding error 'does not forward IPv4'
forwards 1

must "another IKE daemon starts on the gateway" ss_client g
# shellcheck disable=SC2154
check "is named, with its process and its ports" finds 1 ports error \
	"^charon-systemd \(process $ss_pid_g\) holds UDP port (500 and 4500|4500 and 500)\$"
ss_stop g

at_end+=(original)
must "the certificate has expired" pki_issue "$W/old.pem" "$PKI/$GATEWAY_NAME.key" \
	"$PKI/ca.pem" "$PKI/ca.key" <<E
cn = "$GATEWAY_NAME"
dns_name = "$GATEWAY_NAME"
ip_address = "$GATEWAY"
signing_key
tls_www_server
activation_date = "2020-01-01 00:00:00"
expiration_date = "2021-01-01 00:00:00"
E
certificate "$W/old.pem"
check "which is named" finds 1 certificate error 'gateway.pem has expired'
must "it is of the future" pki_issue "$W/new.pem" "$PKI/$GATEWAY_NAME.key" \
	"$PKI/ca.pem" "$PKI/ca.key" <<E
cn = "$GATEWAY_NAME"
dns_name = "$GATEWAY_NAME"
signing_key
tls_www_server
activation_date = "2124-01-01 00:00:00"
expiration_date = "2125-01-01 00:00:00"
E
certificate "$W/new.pem"
check "or it is the clock" checked 1
check "which is said" says 'error: it is 20..-..-.. here, and the certificate is valid from 2124-01-01'
original

at_end+=('ip -n g route del 10.99.99.16/28')
ip -n g route add 10.99.99.16/28 via 10.10.0.2
check "a pool that overlaps a route" finds 1 pools error \
	'^\[pool "default"\] overlaps the route to 10\.99\.99\.16/28 by lan'
ip -n g route del 10.99.99.16/28

chown root: /etc/vpngw/users
check "a users file that vpngw-authd cannot read" \
	finds 1 passwords error 'cannot read /etc/vpngw/users: Permission denied'
at_end+=('chmod 0644 /etc/vpngw/vpngw.conf')
chmod 0600 /etc/vpngw/vpngw.conf
check "a configuration that only root can read" checked 1
check "is told for the gateway" says 'vpngw.conf: user vpngw cannot read it'
check "and for vpngw-authd" says 'vpngw.conf: user vpngw-auth cannot read it'
chmod 0644 /etc/vpngw/vpngw.conf

must "the configuration has a mistake" gw_configure <<'E'
[tunnel]
esp_farg = 552
E
check "which is told with its place (exit 6)" finds 6 configuration error \
	"50-scenario.conf:2:1: unknown key 'esp_farg'"
must "it asks for what the kernel lacks" gw_configure <<'E'
[phase2]
proposal =
proposal = aes256-sha256, 3des-sha1
compression_algorithm = deflate
E
at_end+=('rm -f /run/modprobe.d/vpngw-e2e.conf')
modprobe -r des3_ede_x86_64 des_generic ipcomp
mkdir -p /run/modprobe.d
printf 'install %s /bin/false\n' des3_ede_x86_64 des_generic ipcomp >/run/modprobe.d/vpngw-e2e.conf
check "which is no error, for another proposal works" checked 0
check "but told, with the module" says 'warning: .phase2. proposal = 3des-sha1: .* crypto-des3_ede'
check "as is that of compression" says 'warning: .phase2. compression_algorithm: .* ipcomp'
rm -f /run/modprobe.d/vpngw-e2e.conf
check "when the module can be loaded" checked 0
check "it is, and nothing is missing" says '^kernel  *good$'

at_end+=('rm -f /run/systemd/system/vpngw.service.d/e2e-open.conf' 'systemctl daemon-reload')
must "a drop-in opens the gateway's sandbox" open_sandbox
check "which is told" checked 0
check "with what is open: the folders" says \
	'warning: vpngw.service has ProtectSystem=no, expected strict'
check "the capabilities" says 'warning: vpngw.service has CapabilityBoundingSet=more than it needs'
check "the privileges" says 'warning: vpngw.service has NoNewPrivileges=no, expected yes'
check "and where to look" says 'systemctl cat vpngw.service shows what sets it'
rm /run/systemd/system/vpngw.service.d/e2e-open.conf
systemctl daemon-reload

at_end+=('systemctl unmask --runtime vpngw.socket')
systemctl mask --runtime vpngw.socket
check "a masked unit" checked 1
check "is told" says 'error: vpngw.socket is masked'
finish
