#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vpngw-nft.service: the rules of mssclamp come with the gateway and go with it, and other tables stay.
#
# Where somebody flushes all rules they come again, and where nft is missing or may not change rules
# the gateway runs all the same.

. "$(dirname "$0")/lib.sh"

tables_are() { # tables_are [FAMILY NAME]...
	equal "$(in_ns g nft list tables | sed 's/^table //' | sort | tr '\n' ' ')" "${*:+$* }"
}

other_table() {
	in_ns g nft list table inet other
}

# A drop-in of one line.
unit_has() { # unit_has LINE
	local dir=/run/systemd/system/vpngw-nft.service.d
	mkdir -p $dir
	printf '[Service]\n%s\n' "$1" >$dir/trouble.conf
	systemctl daemon-reload
}

# What distributions load their rules with, and flush everybody's; here without rules.
flushing_service() {
	cat >/run/systemd/system/nftables.service <<U
[Service]
Type=oneshot
RemainAfterExit=yes
NetworkNamespacePath=/run/netns/g
ExecStart=$(command -v nft) flush ruleset
ExecReload=$(command -v nft) flush ruleset
U
	systemctl daemon-reload
	systemctl start nftables.service
}

units_as_before() {
	systemctl stop nftables.service
	rm -f /run/systemd/system/nftables.service \
		/run/systemd/system/vpngw-nft.service.d/trouble.conf
	systemctl daemon-reload
}

must "the gateway is configured" gw_configure <<'C'
[tunnel]
mssclamp = 512
C
in_ns g nft -f - <<'N'
table inet other {
	chain forward {
		type filter hook forward priority filter; policy accept;
		tcp dport 9 accept
	}
}
N
at_end+=('in_ns g nft flush ruleset')
other=$(other_table)
must "the gateway starts" gw_start
check "its rules are there at once, beside the other table" tables_are inet other inet vpngw
in_ns g nft delete table inet vpngw
check "the rules come again when asked for" systemctl reload vpngw-nft.service
check "there they are" tables_are inet other inet vpngw
must "the gateway is killed and comes again" gw_crash
check "and so do its rules" wait_for 10 tables_are inet other inet vpngw

must "there shall be no bound" gw_configure
must "the gateway loads its configuration again" systemctl reload vpngw.service
check "its rules are gone, the other table is not" wait_for 10 tables_are inet other
must "there shall be one again" gw_configure <<'C'
[tunnel]
mssclamp = auto
C
must "the gateway is restarted" gw_restart
check "so there are rules" tables_are inet other inet vpngw
systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
check "the rules go with the gateway" wait_for 10 tables_are inet other
check "the other table is as it was" equal "$(other_table)" "$other"

at_end+=(units_as_before)
must "there is a service that flushes all rules" flushing_service
must "the gateway starts again" gw_start
check "it has its rules" tables_are inet vpngw
check "the service is told to reload" systemctl reload nftables.service
check "the other table is gone, the gateway's comes again" wait_for 10 tables_are inet vpngw
check "the service is restarted" systemctl restart nftables.service
check "the gateway's table comes again" wait_for 10 tables_are inet vpngw

must "its unit may not change rules" unit_has AmbientCapabilities=
must "the gateway starts all the same" gw_restart
check "the journal says that it is without effect" \
	assert_journal_says 'mssclamp has no effect: nft does not take the rules'
must "there is no nft" unit_has "InaccessiblePaths=$(command -v nft)"
must "the gateway is restarted" gw_restart
check "the journal says what is missing" \
	assert_journal_says 'mssclamp has no effect: there is no program nft'
must "there shall be no bound" gw_configure
must "the gateway is restarted" gw_restart
check "then nft is not missed" systemctl -q is-active vpngw-nft.service
finish
