#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration is loaded again under two sessions with pings running: no packet is lost.
#
# What clients are told changes for the next login; a mistake changes nothing; the certificate and
# its key are renewed; a pool that shrinks leaves addresses to the sessions that have them.

. "$(dirname "$0")/lib.sh"

dropin() { # stdin: all of the scenario's drop-in
	cat >/etc/vpngw/vpngw.conf.d/50-scenario.conf
}
# Bob's pings have a log of their own.
bobs() {
	local W=$W/bob ping_pid=${bob_ping:-}
	"$@" && bob_ping=$ping_pid
}
status() { # status FILTER
	vpngwctl status --json | jq -r "$1"
}
pool_is() { # pool_is "SIZE LEASED DRAINING"
	equal "$(status '.pools[0] | "\(.size) \(.leased) \(.draining)"')" "$1"
}
dns_in_effect() {
	vpngwctl config show --json | jq -r '.settings[] | select(.key == "dns4").value[]'
}
reload_says() { # reload_says STATUS EXTENDED-REGEX
	local out rc
	out=$(vpngwctl reload 2>&1)
	rc=$?
	echo "$out"
	equal $rc "$1" && grep -qE -- "$2" <<<"$out"
}

must "the gateway is configured" gw_configure
must "the gateway starts" gw_start
gateway_pid=$(systemctl show -P MainPID vpngw.service)
must "alice's client starts" ss_client c1
must "alice logs in" ss_up c1
must "bob logs in with vpnc" vpnc_up c2
ids=$(session_of alice session)$(session_of bob session)
ping_start c1 10.99.99.1
mkdir -p "$W/bob"
bobs ping_start c2 10.99.99.2

# --- other words for clients, another size for the tunnel, and what must wait ----------------------

echo 'Welcome again' >/etc/vpngw/motd
dropin <<'E'
[listen]
control_group = root
[tunnel]
esp_frag = 1300
[mode_cfg]
dns4 =
dns4 = 10.10.0.3
split_network = none
split_network = include 10.10.0.0/24, 10.30.0.0/24
E
check "what would change can be seen before" \
	matches "$(vpngwctl config diff)" '*dns4: 10.10.0.2 -> 10.10.0.3*'
check "and has not changed" equal "$(dns_in_effect)" 10.10.0.2
check "vpngwctl reload takes it over, and names what must wait" reload_says 0 \
	'control_group: vpngw-admin -> root'
check "the journal tells" assert_journal EVENT=config-loaded ADMIN=root
check "so does it tell what waits" \
	assert_journal_says 'control_group: .* before it holds: systemctl restart vpngw'
check "the interface has the new MTU" matches "$(ip -n g link show vpn0)" '* mtu 1300 *'
must "somebody else logs in" vpnc_up d user=alice password=wonderland
check "with the new DNS server" equal "$(vpnc_got d INTERNAL_IP4_DNS)" 10.10.0.3
check "the new banner" equal "$(vpnc_got d CISCO_BANNER)" 'Welcome again'
check "and both networks" equal "$(vpnc_got d CISCO_SPLIT_INC)" 2
vpnc_down d
check "and out" assert_sessions 2

# --- a mistake -------------------------------------------------------------------------------------

dropin <<'E'
[mode_cfg]
split_network = none
dns4 = 10.10.0.300
E
check "a mistake is told with its place, and ends with status 6" reload_says 6 \
	'^/etc/vpngw/vpngw.conf.d/50-scenario.conf:3:8: dns4: '
check "systemctl reload fails" not systemctl reload vpngw.service
check "and the unit goes on" systemctl -q is-active vpngw.service
check "the journal has the place" assert_journal_says '50-scenario.conf:3:8: dns4'
check "what holds is as it was" equal "$(dns_in_effect)" 10.10.0.3

# --- another certificate, another key --------------------------------------------------------------

before=$(status .cert_expires)
dropin </dev/null
install -m 0644 "$PKI/renewed/$GATEWAY_NAME.pem" /etc/vpngw/certs/gateway.pem
at_end+=("install -m 0644 $PKI/$GATEWAY_NAME.pem /etc/vpngw/certs/gateway.pem"
	"install -m 0600 $PKI/$GATEWAY_NAME.key /etc/vpngw/private/gateway.key")
check "a certificate without its key is refused" reload_says 6 'does not belong to certificate'
install -m 0600 "$PKI/renewed/$GATEWAY_NAME.key" /etc/vpngw/private/gateway.key
check "systemctl reload takes over both" systemctl reload vpngw.service
check "the gateway has the new certificate" not equal "$(status .cert_expires)" "$before"
check "nothing of the key is left behind" not test -e /run/vpngw/credentials
must "another client starts" ss_client d
must "it logs in, and verifies the new certificate" ss_up d
check "it has the DNS server of the base configuration" \
	grep -q 'nameserver 10.10.0.2' "$W/d/resolv.conf"
check "and out" ss_down d

# --- a pool that shrinks, and grows ----------------------------------------------------------------

dropin <<'E'
[pool "default"]
pool_size = 1
E
must "the pool shrinks to one address" vpngwctl reload
check "bob's drains" pool_is '1 1 1'
check "it is not given to anybody" not ss_up d
check "the journal says why" assert_journal REASON=pool-exhausted
dropin <<'E'
[pool "default"]
pool_size = 9
E
must "the pool grows" systemctl kill -s HUP vpngw.service
check "after SIGHUP as well" wait_for 10 pool_is '9 2 0'
check "and there are addresses" ss_up d
check "which work" assert_traffic d 10.99.99.3
check "and out" ss_down d
dropin <<'E'
[pool "default"]
network4 = 10.99.98.1
pool_size = 9
E
must "the pool moves elsewhere" vpngwctl reload
check "both drain" pool_is '9 0 2'
check "all that was one process" equal "$(systemctl show -P MainPID vpngw.service)" "$gateway_pid"
check "the gateway is restarted" gw_handover
check "both drain in the next one" pool_is '9 0 2'

# --- and all the while -----------------------------------------------------------------------------

check "both sessions are the same" \
	equal "$(session_of alice session)$(session_of bob session)" "$ids"
check "alice lost no packet" assert_no_ping_lost
check "neither did bob" bobs assert_no_ping_lost
dropin <<'E'
[pool "default"]
network4 = 10.99.97.1
pool_size = 9
E
check "the pool moves with a restart" gw_handover
check "both drain" pool_is '9 0 2'
check "alice reaches the LAN" assert_traffic c1 10.99.99.1
check "and bob does" bobs assert_traffic c2 10.99.99.2
check "alice logs out" ss_down c1
vpnc_down c2
check "nothing is left" assert_nothing_left
check "nor are routes to addresses of no pool" \
	not matches "$(ip -n g route show dev vpn0)" '*10.99.99.*'
finish
