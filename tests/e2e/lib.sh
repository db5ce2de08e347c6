# SPDX-License-Identifier: LGPL-2.1-or-later
# lib.sh - the harness of the end-to-end tests; every scenario sources it. README.md says how to
# write one.

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCENARIO=$(basename "$0" .sh)
# Where files of the run lie: sockets and logs of the clients, captures. Gone after a guest's end.
W=/run/vpngw-e2e/$SCENARIO
PKI=$ROOT/build/e2e/pki

. "$ROOT/tests/e2e/lib/tap.sh"
. "$ROOT/tests/e2e/lib/topology.sh"
. "$ROOT/tests/e2e/lib/capture.sh"
. "$ROOT/tests/e2e/lib/gateway.sh"
. "$ROOT/tests/e2e/lib/pki.sh"
. "$ROOT/tests/e2e/lib/journal.sh"
. "$ROOT/tests/e2e/lib/strongswan.sh"
. "$ROOT/tests/e2e/lib/vpnc.sh"
. "$ROOT/tests/e2e/lib/libreswan.sh"
. "$ROOT/tests/e2e/lib/radius.sh"
. "$ROOT/tests/e2e/lib/dial.sh"
. "$ROOT/tests/e2e/lib/kill.sh"
. "$ROOT/tests/e2e/lib/assert.sh"

rm -rf "$W"
mkdir -p "$W"
trap finish_early EXIT
trap 'exit 143' TERM INT HUP
