#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an operator sees and does beside list and kick of one session: filters, pools, leases,
# counters, metrics, events as they happen, explanations in the journal.
#
# alice comes by strongSwan, carol by vpnc; carol has an address of another pool than alice.

. "$(dirname "$0")/lib.sh"

listed() { # listed OPTION...: the users that list shows
	vpngwctl list --no-legend "$@" | awk '{ printf "%s ", $2 }'
}

released() { # released ADDRESS EXPECTED-STATUS
	local rc=0
	vpngwctl leases release "$1" || rc=$?
	equal $rc "$2"
}

pinned() { # pinned USER ADDRESS EXPECTED-STATUS
	local rc=0
	vpngwctl leases pin "$1" "$2" || rc=$?
	equal $rc "$3"
}

only_looks() {
	local rc=0
	setpriv --reuid=nobody --regid=vpngw-monitor --clear-groups \
		/usr/local/bin/vpngwctl kick --all || rc=$?
	equal $rc 5
}

stranger_is_refused() {
	local rc=0
	setpriv --reuid=nobody --regid=nogroup --clear-groups \
		/usr/local/bin/vpngwctl list || rc=$?
	equal $rc 5
}

monitored() { # monitored EVENT USER
	jq -e --arg event "$1" --arg user "$2" -n \
		'[inputs | select(.event == $event and .fields.user == $user)] | length == 1' \
		"$W/events.json"
}

metric() { # metric SAMPLE: its value, of the last scrape
	sed -n "s/^$1 //p" "$W/scrape"
}

scrape() {
	curl -sS --max-time 20 -o "$W/scrape" -w '%{http_code}\n' http://127.0.0.1:9450/"$1"
}

scraped() { # scraped STATUS UP
	equal "$(scrape metrics) $(metric vpngw_up)" "$1 $2"
}

carried() { # carried MORE-THAN: the sum of all traffic, sessions that have ended included
	scrape metrics && [ "$(metric 'vpngw_traffic_bytes_total{direction="in"}')" -gt "$1" ]
}

per_user() { # per_user OPTION: what vpngw-metrics does from now on
	mkdir -p /run/systemd/system/vpngw-metrics.service.d
	printf '[Service]\nEnvironment=VPNGW_METRICS_OPTIONS=%s\n' "$1" \
		>/run/systemd/system/vpngw-metrics.service.d/options.conf
	systemctl daemon-reload && systemctl stop vpngw-metrics.service
}

forget_metrics() {
	rm -rf /run/systemd/system/vpngw-metrics.service.d
	systemctl daemon-reload
}

must "the gateway is configured" gw_configure <<'E2'
[pool "guests"]
network4 = 10.99.98.1
pool_size = 4
E2
gw_user carol guest "" 10.99.98.3
must "the gateway starts" gw_start
vpngwctl monitor --json >"$W/events.json" &
monitor=$!
at_end+=("stop_process $monitor")
must "alice's strongSwan starts" ss_client c1
must "alice logs in" ss_up c1
must "carol logs in, by vpnc" vpnc_up c2 user=carol password=guest

alice=$(ss_address c1)
check "list shows both, sorted by their addresses" equal "$(listed --sort address)" "carol alice "
check "or the other way" equal "$(listed --sort=-address)" "alice carol "
check "those of a pool" equal "$(listed --pool guests)" "carol "
check "those of a network" equal "$(listed --address 10.99.99.0/24)" "alice "
check "and nobody from where nobody is" equal "$(listed --peer 192.0.2.77)" ""
check "each pool has one address in use" equal \
	"$(vpngwctl pools --no-legend | awk '{ printf "%s %s/%s ", $1, $5, $4 }')" \
	"default 1/50 guests 1/4 "
check "stats count both logins" equal \
	"$(vpngwctl stats --json | jq '.counters[] | select(.name == "logins").value')" 2
at_end+=(forget_metrics)
check "metrics can be scraped" systemctl start vpngw-metrics.socket
check "with curl" equal "$(scrape metrics)" 200
check "which gets both logins" equal "$(metric vpngw_logins_total) $(metric vpngw_sessions)" "2 2"
check "and both pools" equal "$(metric 'vpngw_pool_leased_addresses{pool="guests"}')" 1
check "and no user" not grep -q alice "$W/scrape"
check "there is nothing else" equal "$(scrape "") $(scrape etc/passwd)" "404 404"
check "vpngwctl metrics has the same" equal "$(vpngwctl metrics | grep -c ^vpngw_)" \
	"$(scrape metrics >/dev/null && grep -c ^vpngw_ "$W/scrape")"
check "users can be asked for" per_user --per-user
check "and are there" equal "$(scrape metrics; grep -c '^vpngw_session_start_time_seconds.*user="carol"' "$W/scrape")" \
	"200
1"
check "alice's lease cannot be released" released "$alice" 1

check "who is in group vpngw-monitor may look" equal \
	"$(setpriv --reuid=nobody --regid=vpngw-monitor --clear-groups \
		/usr/local/bin/vpngwctl list --no-legend | wc -l)" 2
check "and kick nobody (exit 5)" only_looks
check "who is in no group may not even look (exit 5)" stranger_is_refused
check "the guests are kicked" vpngwctl kick --pool guests --reason "closing time"
check "carol's vpnc exits" wait_for 10 vpnc_gone c2
check "alice is still there" equal "$(listed)" "alice "
check "her packets still pass" assert_traffic c1 "$alice"
check "carol's address can be released" released 10.99.98.3 0
check "once" released 10.99.98.3 4
check "alice's address is pinned to her" vpngwctl leases pin alice "$alice"
check "and not to carol as well" pinned carol "$alice" 1
check "nor is one of no pool" pinned carol 192.0.2.1 4
check "alice is kicked with all" vpngwctl kick --all
check "her address cannot be released" released "$alice" 1
check "monitor had her login" wait_for 10 monitored session-up alice
check "and her end" wait_for 10 monitored session-down alice
check "and who ended carol's session" wait_for 10 monitored admin-kick carol
check "the journal has a catalog" journalctl --update-catalog
check "that explains what happened" matches \
	"$(vpngwctl log -- -q -x -n 1 VPNGW_EVENT=session-up VPNGW_USER=alice)" \
	"*alice has logged in from*has the address*$alice and can send traffic*"
check "nothing is left" assert_nothing_left
check "what alice's packets weighed is in the sums" wait_for 10 carried 100
# With its sockets, or who asks would start it.
units="vpngw.socket vpngw-control.socket vpngw-monitor.socket vpngw.service"
# shellcheck disable=SC2086
systemctl stop $units
check "a scrape finds out that it has gone" wait_for 20 scraped 200 0
# shellcheck disable=SC2086
check "the gateway starts again" systemctl start $units
check "alice's pin is there" equal \
	"$(vpngwctl leases --json | jq -c '.leases[] | select(.pinned) | [.user, .address, .leased]')" \
	"[\"alice\",\"$alice\",false]"
check "the journal knows of it" journal_has EVENT=admin-pin USER=alice ADDRESS="$alice"
check "it can be unpinned" vpngwctl leases unpin "$alice"
check "and released" released "$alice" 0
gw_stop
check "monitor ends with the gateway, and says so" wait_for 10 gone $monitor
finish
