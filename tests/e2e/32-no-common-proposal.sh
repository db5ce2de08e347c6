#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Without a common proposal the client is told so, and the journal names both sides and the key.
#
# First for phase 1, then for phase 2, where the login itself has succeeded.

. "$(dirname "$0")/lib.sh"

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start

must "a client starts that offers a weaker phase 1" ss_client d proposals=aes128-sha1-modp1024
check "it does not log in" not ss_up d
check "it was told why" ss_says d "$ss_no_proposal"
check "the journal says so" assert_journal REASON=no-proposal-phase1
check "it names what the client offers" assert_journal_says 'offers [^;]*aes128-sha1-modp1024'
check "and what the gateway accepts, and where that stands" \
	assert_journal_says 'accepts [^;]*aes256-sha256-modp2048.*\[phase1\] proposal'
check "nothing is left" assert_nothing_left
ss_stop d

must "a client starts that offers a weaker phase 2" ss_client d esp=aes128-sha1
check "it gets no tunnel" not ss_up d
check "it was told why" ss_says d "$ss_no_proposal"
check "the journal says so" assert_journal REASON=no-proposal-phase2
check "it names both sides and the key" \
	assert_journal_says 'offers [^;]*aes128-sha1.*accepts [^;]*aes256-sha256.*\[phase2\] proposal'
check "the kernel has nothing" assert_kernel_clean
ss_stop d
check "nothing is left" assert_nothing_left
finish
