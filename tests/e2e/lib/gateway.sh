# SPDX-License-Identifier: LGPL-2.1-or-later
# gateway.sh - vpngw as a user has it: installed by make, configured in /etc/vpngw, run by its own
# systemd units; only that these live in namespace g.

GATEWAY_NAME=vpn.example.net
gateway_units="vpngw.service vpngw-authd.service vpngw-nft.service
	vpngw.socket vpngw-authd.socket vpngw-control.socket
	vpngw-monitor.socket vpngw-metrics.socket vpngw-metrics.service"

# The CA and the gateway's certificate. Made outside the guest, where a key takes less time.
pki_make() {
	[ -e "$PKI/$GATEWAY_NAME.pem" ] ||
		"$ROOT/scripts/pki" quick "$PKI" $GATEWAY_NAME $GATEWAY >/dev/null || return 1
	# Another key and certificate of the same CA.
	[ -e "$PKI/renewed/$GATEWAY_NAME.pem" ] && return
	mkdir -p "$PKI/renewed" && cp "$PKI/ca.pem" "$PKI/ca.key" "$PKI/renewed/" &&
		"$ROOT/scripts/pki" --days 400 quick "$PKI/renewed" $GATEWAY_NAME $GATEWAY >/dev/null
}

# The gateway's units run in namespace g.
gw_into_namespace() {
	local unit section
	for unit in vpngw.service vpngw-nft.service vpngw.socket; do
		mkdir -p /run/systemd/system/$unit.d
		section=${unit#*.}
		printf '[%s]\nNetworkNamespacePath=/run/netns/g\n' "${section^}" \
			>/run/systemd/system/$unit.d/namespace.conf
	done
	systemctl daemon-reload
}

# Installs vpngw into the running system, once per boot. `make install' has put the files into
# build/e2e/root before, outside the guest, where it is quick and nothing can change under it.
gw_install() {
	[ ! -e /run/vpngw-e2e/installed ] || return 0
	local prefix=/usr/local
	cp -a --no-preserve=ownership "$ROOT/build/e2e/root/." / || return 1
	systemd-sysusers $prefix/lib/sysusers.d/vpngw.conf || return 1
	/lib/systemd/systemd-modules-load $prefix/lib/modules-load.d/vpngw.conf
	in_ns g sysctl -q -p $prefix/lib/sysctl.d/50-vpngw.conf
	pki_make || return 1
	install -m 0644 "$PKI/$GATEWAY_NAME.pem" /etc/vpngw/certs/gateway.pem
	install -m 0600 "$PKI/$GATEWAY_NAME.key" /etc/vpngw/private/gateway.key
	gw_into_namespace
	hash -r
	touch /run/vpngw-e2e/installed
}

# Two users, a pool, a network behind the gateway: what all scenarios start from.
gw_base_conf() {
	cat <<'E'
[gateway]
certificate = /etc/vpngw/certs/gateway.pem
private_key = credential:gateway.key

[phase1]
proposal = aes256-sha256-modp2048, aes256-sha1-modp2048
nat_traversal = on

[phase2]
proposal = aes256-sha256, aes256-sha1

[tunnel]
interface = vpn0

[auth]
auth_source = file
users_file = /etc/vpngw/users

[pool "default"]
network4 = 10.99.99.1
pool_size = 50

[mode_cfg]
dns4 = 10.10.0.2
default_domain = example.net
banner = /etc/vpngw/motd
split_network = include 10.10.0.0/24
E
}

# Adds a user. The hash is made here, not by vpngwctl, for yescrypt is slow under emulation.
gw_user() { # gw_user NAME PASSWORD [GROUPS [ADDRESS]]
	local hash
	hash=$(printf '%s\n' "$2" | openssl passwd -6 -stdin)
	printf '%s:%s%s%s\n' "$1" "$hash" "${3+:$3}" "${4+:$4}" >>/etc/vpngw/users
}

# The usual users, hashed once per boot.
gw_users() {
	install -m 0640 -g vpngw-auth /dev/null /etc/vpngw/users
	if [ ! -e /run/vpngw-e2e/users ]; then
		gw_user alice wonderland
		gw_user bob chunnel
		cp /etc/vpngw/users /run/vpngw-e2e/users
	fi
	cat /run/vpngw-e2e/users >/etc/vpngw/users
}

# Installs, and writes the configuration: the base, and what comes on standard input as a drop-in.
# A list that shall be replaced is emptied first ("proposal =").
gw_configure() { # gw_configure [<<'E' ... E]
	local dropin=
	[ -t 0 ] || dropin=$(cat)
	topo_up && gw_install || return 1
	gw_users
	echo 'Welcome to the test gateway' >/etc/vpngw/motd
	gw_base_conf >/etc/vpngw/vpngw.conf
	mkdir -p /etc/vpngw/vpngw.conf.d
	printf '%s\n' "$dropin" >/etc/vpngw/vpngw.conf.d/50-scenario.conf
}

# Writes the file of shared keys; after gw_configure.
gw_shared_keys() { # gw_shared_keys <<'E' ... E
	install -m 0640 -g vpngw /dev/null /etc/vpngw/psk || return 1
	at_end+=('rm -f /etc/vpngw/psk')
	cat >/etc/vpngw/psk
}

# Starts the gateway as configured. No lease of an earlier scenario is left.
gw_start() {
	journal_mark
	rm -f /var/lib/vpngw/leases.db*
	at_end+=(gw_stop)
	systemctl start vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service && return
	journal_lines -o cat | tail -n 10
	return 1
}

gw_stop() {
	# shellcheck disable=SC2086
	systemctl stop $gateway_units
	# Started too often or killed on purpose: not the next scenario's trouble.
	systemctl reset-failed 2>/dev/null
	# What a failed scenario left shall not make the next one fail, too.
	xfrm_flush g
}

# All sessions end.
gw_restart() {
	systemctl stop vpngw.service && systemctl start vpngw.service
}

# All sessions go on.
gw_handover() {
	systemctl restart vpngw.service
}

# From the next start on, nothing of its sessions outlives the daemon.
gw_forgetful() {
	local dropin=/run/systemd/system/vpngw.service.d/forgetful.conf
	at_end+=("systemctl daemon-reload" "rm -f $dropin")
	printf '[Service]\nFileDescriptorStoreMax=0\n' >$dropin && systemctl daemon-reload
}

# Ends the daemon as a crash would; systemd starts it anew.
gw_crash() { # gw_crash [SIGNAL]
	local old
	old=$(systemctl show -P MainPID vpngw.service)
	systemctl kill -s "${1:-KILL}" --kill-who=main vpngw.service
	wait_for 20 gw_is_new "$old"
}

gw_is_new() { # gw_is_new OLD-PID
	local pid
	pid=$(systemctl show -P MainPID vpngw.service)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ] && systemctl -q is-active vpngw.service
}
