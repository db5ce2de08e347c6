#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What README.md tells to type makes a gateway that a client can log in to.
#
# The commands are taken from there as they are, but for the building, which was done outside, and
# the password, which comes from a pipe.

. "$(dirname "$0")/lib.sh"

# The Nth code block below the heading.
readme_block() { # readme_block N
	awk -v want="$1" '/^## From here to a working tunnel$/ { here = 1; next }
		/^## / { here = 0 }
		here && /^```./ { n++; on = n == want; next }
		/^```$/ { on = 0 }
		on' "$ROOT/README.md"
}

readme_commands() { # readme_commands N
	readme_block "$1" | sed -e '/^scripts\/deps/d' -e 's/^vpngwctl passwd alice/& --stdin <<<wonderland/'
}

# As `make install' leaves it, and nothing of other scenarios.
fresh() {
	topo_up && gw_install || return 1
	rm -rf /etc/vpngw/certs/* /etc/vpngw/private/* /etc/vpngw/users /etc/vpngw/vpngw.conf* /root/pki
	cp "$ROOT/build/e2e/root/etc/vpngw/vpngw.conf" /etc/vpngw/
	# Masked in the guest, and off where this machine's settings are.
	systemctl unmask --runtime systemd-modules-load systemd-sysctl
	sysctl -q -w net.ipv4.ip_forward=0
}

# The next scenario installs anew, with the certificate that its clients know.
forget() {
	systemctl -q disable --now vpngw.service
	rm -rf /run/vpngw-e2e/installed /etc/vpngw/users /root/pki
}

topo_is_guest || skip_all "it makes /root/pki, as README.md does: in a guest only"
must "vpngw is installed, and nothing more" fresh
at_end+=(forget gw_stop)
journal_mark
must "there are commands in README.md" test -n "$(readme_commands 1)"
check "the first commands work" bash -ec "$(readme_commands 1)"
check "the host forwards packets" equal "$(sysctl -n net.ipv4.ip_forward)" 1
must "there is a configuration in README.md" test -n "$(readme_block 2)"
readme_block 2 >>/etc/vpngw/vpngw.conf
must "there are more commands" matches "$(readme_commands 3)" "*passwd alice --stdin*"
must "they work, and start the gateway" bash -ec "$(readme_commands 3)"

PKI=/root/pki
ip -n g addr add 10.0.12.1/24 dev lan
must "alice's client starts" ss_client c1 remote_ts=10.0.12.0/24
must "she logs in" ss_up c1
check "she reaches the network that it names" assert_traffic c1 "$(ss_address c1)" 10.0.12.1
check "all of it starts at boot" systemctl -q is-enabled vpngw.service vpngw.socket \
	vpngw-control.socket vpngw-monitor.socket vpngw-authd.socket
check "she logs out" ss_down c1
check "nothing is left" assert_nothing_left
ip -n g addr del 10.0.12.1/24 dev lan
finish
