#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The ESP proposals are tried at the start: modules come before the first login, missing ones are told.
#
# The daemon itself may not load modules. One proposal of two that the kernel cannot do is told and
# the other one works; when it can do none the daemon does not start.

. "$(dirname "$0")/lib.sh"

forbid() { # forbid MODULE...: these cannot be loaded
	local m
	at_end+=(forbid_nothing)
	mkdir -p /run/modprobe.d
	for m; do echo "install $m /bin/false"; done >/run/modprobe.d/vpngw-e2e.conf
}

forbid_nothing() {
	rm -f /run/modprobe.d/vpngw-e2e.conf
}

loaded() { # loaded MODULE...
	local m
	for m; do
		[ -d "/sys/module/$m" ] || { echo "$m is not loaded" && return 1; }
	done
}

not_active() {
	matches "$(systemctl is-active vpngw.service)" '@(activating|failed|inactive)'
}

shopt -s extglob
must "the gateway is configured" gw_configure <<'E'
[phase2]
proposal =
proposal = 3des-sha1, aes256-sha256
E
must "no cipher for ESP is loaded" \
	wait_for 10 modprobe -r authencesn authenc echainiv des3_ede_x86_64 des_generic
forbid des3_ede_x86_64 des_generic
must "the gateway starts" gw_start
check "the kernel has loaded what joins cipher and hash" loaded authenc echainiv
check "no SA is left of the trial" equal "$(ip -n g xfrm state)" ""
check "the journal names the proposal that the kernel cannot do, and the module" \
	assert_journal_says 'proposal = 3des-sha1: .*cbc\(des3_ede\) hmac\(sha1\).* crypto-des3_ede'
check "but not the other" not journal_says 'proposal = aes256'
must "alice's client starts" ss_client d
must "alice logs in" ss_up d
check "she reaches the LAN" assert_traffic d 10.99.99.1
ss_stop d

systemctl stop vpngw.service
must "only that proposal is left" gw_configure <<'E'
[phase2]
proposal =
proposal = 3des-sha1
E
systemctl start --no-block vpngw.service
check "the gateway says that it cannot work" assert_journal_says 'the kernel can do none of them'
check "and does not start" not_active
forbid_nothing
check "until the module is there" wait_for 20 systemctl -q is-active vpngw.service
finish
