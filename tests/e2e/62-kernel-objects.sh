#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The unit tests of the kernel's side run whole: ESP and the XFRM interface are here.
#
# Where they run otherwise, on a developer's machine, the kernel may have neither, and the parts
# that need them are skipped. They make network namespaces of their own.

. "$(dirname "$0")/lib.sh"

runs_whole() { # runs_whole PROGRAM
	local out=$W/$1.tap rc=0
	"$ROOT/build/e2e/tests/$1" >"$out" 2>&1 || rc=$?
	# What explains a failure stands in the lines before it.
	grep -B 4 '^not ok ' "$out"
	grep '# SKIP' "$out"
	[ $rc = 0 ] || { echo "exit status $rc" && tail -n 5 "$out" && return 1; }
	! grep -q -e '^not ok ' -e '# SKIP' "$out" && grep -qxE '1\.\.[0-9]+' "$out"
}

# shellcheck disable=SC2086
must "the kernel's modules are there" modprobe -qa $topo_modules esp6
check "SA pairs, policies, the sweep" runs_whole shell_xfrm
check "the interface and its routes" runs_whole shell_xfrm_link
check "a pair moves to another address or port and goes on carrying" runs_whole shell_xfrm_move
check "every algorithm carries datagrams, plain, in UDP, by the interface, over IPv6" \
	runs_whole shell_xfrm_traffic
finish
