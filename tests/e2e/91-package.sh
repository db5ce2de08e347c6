#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Debian package: installed, upgraded under a session, removed, purged.
#
# scripts/check-package has built it, and one with a higher version. dpkg has a database of its own
# here, in which nothing else is installed: that of this machine takes it a minute under emulation.
#
# time: 500 s

. "$(dirname "$0")/lib.sh"

deb=("$ROOT"/build/deb/vpngw_*.deb)
newer=("$ROOT"/build/deb/upgrade/vpngw_*.deb)

packages() { # packages OPTION...: dpkg, with what it says on one descriptor
	dpkg --admindir="$W/dpkg" --force-depends,unsafe-io "$@" 2>&1
}

# What `make install' put below /usr/local would be taken for the package's.
clear_out() {
	topo_up || return 1
	rm -rf /usr/local/{sbin,bin,libexec,lib/systemd/system,lib/sysusers.d}/vpngw* /usr/local/lib/vpngw \
		/etc/vpngw /etc/pam.d/vpngw /var/lib/vpngw /run/vpngw-e2e/installed /run/vpngw-e2e/users
	systemctl daemon-reload
	hash -r
	mkdir -p "$W"/dpkg/{info,updates,triggers} && touch "$W"/dpkg/{status,available}
}

# Machines that are made for building have a file that forbids packages to start and stop anything, which
# ours obeys. The guest is no such machine.
obey_nobody() {
	[ ! -e /usr/sbin/policy-rc.d ] || mv /usr/sbin/policy-rc.d "$W/"
}

# Even when there is little time.
give_back() {
	[ ! -e "$W/policy-rc.d" ] || mv "$W/policy-rc.d" /usr/sbin/
	rm -rf /etc/vpngw /run/systemd/system/vpngw*.d
	packages --purge vpngw
	systemctl daemon-reload
}

# What autopkgtest would run, in this very state. It makes a configuration of its own.
own_test() {
	systemctl unmask --runtime systemd-modules-load # the guest does without, a host does not
	sh "$ROOT/debian/tests/smoke" || return 1
	systemctl stop vpngw{,-control,-monitor,-authd}.socket vpngw-authd.service
	rm -f /etc/vpngw/vpngw.conf.d/smoke.conf /etc/vpngw/private/gateway.key
	rm -rf /var/lib/vpngw/*
}

configure() {
	install -m 0644 "$PKI/$GATEWAY_NAME.pem" /etc/vpngw/certs/gateway.pem &&
		install -m 0600 "$PKI/$GATEWAY_NAME.key" /etc/vpngw/private/gateway.key || return 1
	gw_base_conf | sed /banner/d >/etc/vpngw/vpngw.conf
	install -m 0640 -g vpngw-auth /dev/null /etc/vpngw/users
	gw_user alice wonderland
	/lib/systemd/systemd-modules-load /usr/lib/modules-load.d/vpngw.conf
	in_ns g sysctl -q -p /usr/lib/sysctl.d/50-vpngw.conf
	gw_into_namespace
}

units_that() { # units_that is-active|is-enabled: how many
	systemctl "$1" vpngw.service vpngw-authd.service vpngw-nft.service vpngw-metrics.service \
		vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw-authd.socket \
		vpngw-metrics.socket | grep -cxE 'active|enabled'
}

version() {
	dpkg-query --admindir="$W/dpkg" -W -f '${Version}' vpngw
}

pid() {
	systemctl show -P MainPID "$1"
}

topo_is_guest || skip_all "it installs a package: in a guest only"
[ -e "${deb[0]}" ] && [ -e "${newer[0]}" ] || skip_all "scripts/check-package has built no package"
must "nothing of vpngw is there" clear_out
at_end+=(give_back gw_stop)
must "packages may start what they like" obey_nobody
journal_mark
must "the package installs" packages -i "${deb[0]}"
check "it starts nothing" equal "$(units_that is-active)" 0
check "now or at the next boot" equal "$(units_that is-enabled)" 0
check "its users are there" getent passwd vpngw vpngw-auth
check "nobody else looks into the folder for the key" equal \
	"$(stat -c '%a %U' /etc/vpngw/private)" "700 root"
check "the manual of the client is where man looks" test -e /usr/share/man/man8/vpngwctl.8.gz
check "the package's own test passes" own_test
must "it is configured" configure
check "the configuration is valid" vpngw --check-config
must "it starts when it is enabled" systemctl enable --now vpngw.service
check "with its sockets" equal "$(units_that is-enabled)" 5

must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
alice=$(ss_address c1)
session=$(vpngwctl list --no-legend | awk '{ print $1 }')
old=$(pid vpngw.service) authd=$(pid vpngw-authd.service)
# Not as many as ping_start sends: an upgrade is slow enough under emulation.
become_in_ns c1 ping -n -i 0.3 -I "$alice" $LAN_HOST >"$W/ping.log" 2>&1 &
ping_pid=$!
at_end+=("stop_process $ping_pid")
must "an upgrade installs" packages -i "${newer[0]}"
check "the administrator's configuration is still there" grep -q '^network4 = 10.99.99.1' \
	/etc/vpngw/vpngw.conf
check "it is newer" matches "$(version)" '*+1'
check "the gateway is another process" wait_for 20 gw_is_new "$old"
check "so is the password checker" not equal "$(pid vpngw-authd.service)" "$authd"
check "alice's session is the same" equal "$(vpngwctl list --no-legend | awk '{ print $1 }')" "$session"
check "no packet of hers was lost" assert_no_ping_lost
check "her packets pass" assert_traffic c1 "$alice"

must "it is removed" packages -r vpngw
check "her client was told" wait_for 10 ss_is_down c1
check "nothing of it runs" equal "$(units_that is-active)" 0
check "the configuration stays" test -e /etc/vpngw/vpngw.conf
check "the leases stay" test -e /var/lib/vpngw/leases.db
must "it is purged" packages -P vpngw
check "the configuration has gone" not test -e /etc/vpngw/vpngw.conf
check "the leases have gone" not test -e /var/lib/vpngw
check "the administrator's key has not" test -e /etc/vpngw/private/gateway.key
check "nor have the users" test -s /etc/vpngw/users
check "nothing starts at the next boot" not test -e \
	/etc/systemd/system/multi-user.target.wants/vpngw.service
finish
