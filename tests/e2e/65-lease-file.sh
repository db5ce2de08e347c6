#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lease file: what a killed gateway had granted is over once, and a full disk is told.
#
# alice's lease is kept from the moment when the gateway came again, not from each start anew. When
# the disk takes no more leases, the journal says so, and when it does again, with nobody logged in.

. "$(dirname "$0")/lib.sh"

store=/var/lib/vpngw

small_disk() {
	mkdir -p $store
	mount -t tmpfs -o size=512k,mode=0700 tmpfs $store && at_end+=(no_small_disk)
}

no_small_disk() {
	systemctl stop vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service
	umount $store
}

released() { # when alice's lease ended; the file is written a moment later
	vpngwctl leases --json |
		jq '.leases[] | select(.user == "alice" and (.leased | not)) | .released_unix'
}

fill_disk() {
	! dd if=/dev/zero of=$store/filler bs=4k 2>"$W/dd.log" && grep -q 'No space' "$W/dd.log"
}

must "the gateway is configured" gw_configure
must "its leases are on a small disk" small_disk
must "its sessions end with it" gw_forgetful
must "the gateway starts" gw_start
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
check "she has the first address" equal "$(ss_address c1)" 10.99.99.1
must "the gateway is killed and comes again" gw_crash
ended=$(released)
check "her lease has ended" matches "$ended" '1[0-9]*'
ss_stop c1
must "the gateway is killed and comes again" gw_crash
check "her lease has not ended anew" equal "$(released)" "$ended"

must "bob logs in" vpnc_up d
check "by another address" equal "$(vpnc_address d)" 10.99.99.2
must "the disk is full" fill_disk
vpnc_down d
check "nobody is logged in" assert_sessions 0
check "the journal says that leases are not written" \
	wait_for 30 journal_says 'leases go on in memory.*(full|No space)'
rm -f $store/filler
check "and that they are again" wait_for 30 journal_says 'the lease database works again'
must "the gateway is restarted" gw_restart
must "bob logs in again" vpnc_up d
check "by the same address" equal "$(vpnc_address d)" 10.99.99.2
finish
