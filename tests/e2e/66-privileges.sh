#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Neither daemon may do more than its work needs; the kernel's word counts (W17).

. "$(dirname "$0")/lib.sh"

# What the kernel says about a process.
status_of() { # status_of UNIT FIELD
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$(systemctl show -P MainPID "$1")/status"
}

runs_as() { # runs_as UNIT USER
	local id
	id=$(id -u "$2")
	equal "$(status_of "$1" Uid)" "$id	$id	$id	$id"
}

# The sets of capabilities: inheritable, permitted, effective, bounding, ambient.
all_capabilities() { # all_capabilities UNIT
	status_of "$1" 'Cap[A-Z][a-z]*' | sort -u
}

# No program that it starts gains anything, system calls are filtered, and a crash writes nothing.
is_confined() { # is_confined UNIT
	equal "$(status_of "$1" NoNewPrivs)" 1 || return 1
	equal "$(status_of "$1" Seccomp)" 2 || return 1
	matches "$(grep '^Max core' "/proc/$(systemctl show -P MainPID "$1")/limits")" \
		'Max core file size * 0 * 0 *bytes*'
}

exposure_is_at_most() { # exposure_is_at_most UNIT TENTHS
	local out score
	out=$(systemd-analyze security --offline=yes "/usr/local/lib/systemd/system/$1")
	score=$(printf '%s\n' "$out" | sed -n 's/.*Overall exposure level for [^ ]*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p')
	echo "$out" | grep -e ✗ -e Overall
	[ "${score:-999}" -le "$2" ]
}

scraped() {
	systemctl start vpngw-metrics.socket &&
		curl -sf -o /dev/null http://127.0.0.1:9450/metrics
}

may_read() { # may_read USER FILE
	setpriv --reuid="$1" --regid="$1" --init-groups test -r "$2"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
must "alice's client starts" ss_client d
must "alice logs in, so that both daemons run" ss_up d

check "vpngw runs as the user vpngw" runs_as vpngw.service vpngw
check "with CAP_NET_ADMIN alone, and can never have another" \
	equal "$(all_capabilities vpngw.service)" 0000000000001000
check "it is confined" is_confined vpngw.service
check "vpngw-authd runs as the user vpngw-auth" runs_as vpngw-authd.service vpngw-auth
check "with no capability" equal "$(all_capabilities vpngw-authd.service)" 0000000000000000
check "it is confined, too" is_confined vpngw-authd.service
check "W17: neither may read the private key's file" not eval \
	'may_read vpngw /etc/vpngw/private/gateway.key || may_read vpngw-auth /etc/vpngw/private/gateway.key'
check "vpngw may not read the users' passwords" not may_read vpngw /etc/vpngw/users
check "vpngw's unit exposes the system by 2.0 at most" exposure_is_at_most vpngw.service 20
check "vpngw-authd's by 1.5" exposure_is_at_most vpngw-authd.service 15
check "vpngw-nft's by 2.0" exposure_is_at_most vpngw-nft.service 20

check "vpngw-metrics starts with a scrape" wait_for 20 scraped
check "it is nobody that there was before" not grep -q ":x:$(status_of vpngw-metrics.service Uid | cut -f 1):" \
	/etc/passwd
check "nor root" matches "$(status_of vpngw-metrics.service Uid)" "6[1-5][0-9][0-9][0-9]*"
check "with the right to look, and with no capability" equal \
	"$(status_of vpngw-metrics.service Groups | tr ' ' '\n' | grep -cx "$(getent group vpngw-monitor | cut -d : -f 3)"
		all_capabilities vpngw-metrics.service)" "1
0000000000000000"
check "it is confined" is_confined vpngw-metrics.service
check "and exposes the system by 1.0 at most" exposure_is_at_most vpngw-metrics.service 10
finish
