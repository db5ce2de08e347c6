#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A client that expects another gateway goes away, and the gateway drops the half login.
#
# The certificate is good, but the client was told another name (W14). It never sends a password.

. "$(dirname "$0")/lib.sh"

half_open_is() { # half_open_is NUMBER
	equal "$(vpngwctl status --json | jq .half_open)" "$1"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start

must "the client starts, and expects another name" ss_client d id=CN=other.example.net
check "it does not log in" not ss_up d
check "it did not like the name" ss_says d "$ss_wrong_name"
check "the gateway drops the half login" wait_for 25 half_open_is 0
check "nobody got a lease" not journal_has EVENT=lease-granted
check "nothing is left" assert_nothing_left

ss_stop d
must "the client starts again, with the right name" ss_client d
check "it logs in" ss_up d
finish
