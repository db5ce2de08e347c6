# SPDX-License-Identifier: LGPL-2.1-or-later
# vpnc.sh - a vpnc client per namespace: hybrid authentication, ESP in its own process. vpnc checks
# the gateway's certificate against the CA but never its name.

# vpnc_up NAMESPACE [KEY=VALUE]...: logs in; fails when vpnc gives up. Keys:
#   user, password   the login (bob, chunnel)
#   group            the client's own phase 1 identity (staff)
#   secret           the group's password, for XAuth with a shared key instead of hybrid
#   dh, pfs          groups for phase 1 and for PFS (dh14, nopfs)
#   natt             its NAT traversal mode: natt, force-natt, none (natt)
#   port             local port: 0 is a random one (500)
#   dpd              seconds after which it asks whether the gateway is there, 10 at least; with 0
#                    it does not know what the question means either (0)
#   network          what goes through the tunnel (10.10.0.0/24)
#   answers          what its user says to further questions, between commas; the questions are in
#                    $W/NAMESPACE/asked (none: it gives up at the first one)
vpnc_up() {
	local ns=$1 dir=$W/$1 pair
	local user=bob password=chunnel group=staff dh=dh14 pfs=nopfs natt=natt port=500 dpd=0
	local network=10.10.0.0/24 secret='' answers='' how=(--non-inter)
	shift
	for pair; do
		case ${pair%%=*} in
		user | password | group | secret | dh | pfs | natt | port | dpd | network | answers)
			printf -v "${pair%%=*}" %s "${pair#*=}"
			;;
		*) echo "vpnc_up knows no \"$pair\"" >&2 && return 1 ;;
		esac
	done
	mkdir -p "$dir"
	vpnc_write_script >"$dir/script"
	chmod +x "$dir/script"
	vpnc_write_conf >"$dir/vpnc.conf"
	if [ -n "$answers" ]; then
		: >"$dir/asked"
		tr , '\n' <<<"$answers" >"$dir/answers"
		vpnc_write_helper >"$dir/helper"
		chmod +x "$dir/helper"
		how=(--password-helper "$dir/helper")
	fi
	become_in_ns "$ns" stdbuf -oL vpnc --no-detach "${how[@]}" "$dir/vpnc.conf" \
		>"$dir/vpnc.log" 2>&1 </dev/null &
	printf -v "vpnc_pid_$ns" %s $!
	at_end+=("vpnc_down $ns")
	wait_for 60 vpnc_settled "$ns"
	vpnc_is_up "$ns" && return
	tail -n 5 "$dir/vpnc.log"
	return 1
}

# vpnc wants one blank between words and nothing after them.
vpnc_write_conf() {
	cat <<E
IPSec gateway $GATEWAY
IPSec ID $group
IPSec secret ${secret:-not-used-but-required}
IKE Authmode $([ -n "$secret" ] && echo psk || echo hybrid)
CA-File $PKI/ca.pem
IKE DH Group $dh
Perfect Forward Secrecy $pfs
Xauth username $user
Xauth password $password
NAT Traversal Mode $natt
Local Port $port
DPD idle timeout (our side) $dpd
Interface name tun-$ns
Pidfile $dir/vpnc.pid
Script $dir/script
Debug 1
E
}

# Run by vpnc at each step with what the gateway handed out in its environment, which it keeps in
# a file for the assertions.
vpnc_write_script() {
	cat <<E
#!/bin/sh
env | grep -E '^(INTERNAL_|CISCO_|TUNDEV|VPNGATEWAY|reason)' | sort >$dir/environment.\$reason
if [ "\$reason" = connect ]; then
	ip -batch - <<I
link set \$TUNDEV up mtu 1390
addr add \$INTERNAL_IP4_ADDRESS/32 dev \$TUNDEV
route replace $network dev \$TUNDEV src \$INTERNAL_IP4_ADDRESS
I
fi
E
}

# Run by vpnc for each question, with its words: says the next answer.
vpnc_write_helper() {
	cat <<E
#!/bin/sh
echo "\$1" >>$dir/asked
sed -n "\$(wc -l <$dir/asked)p" $dir/answers
E
}

vpnc_gone() { # vpnc_gone NAMESPACE: vpnc has ended
	local pid=vpnc_pid_$1
	gone "${!pid}"
}

# The script runs before the tunnel is complete; this line comes after it.
vpnc_is_up() { # vpnc_is_up NAMESPACE
	grep -qsa 'VPNC started in foreground' "$W/$1/vpnc.log"
}

vpnc_settled() {
	vpnc_is_up "$1" || vpnc_gone "$1"
}

# It is killed, as in a crash of the machine: nobody is told.
vpnc_crash() { # vpnc_crash NAMESPACE
	local pid=vpnc_pid_$1
	kill -KILL "${!pid}"
	wait_for 10 gone "${!pid}"
	printf -v "$pid" %s ''
}

# Logs out, as far as vpnc still runs.
vpnc_down() { # vpnc_down NAMESPACE
	local pid=vpnc_pid_$1
	[ -n "${!pid:-}" ] || return 0
	stop_process "${!pid}"
	printf -v "$pid" %s ''
}

# What the gateway handed out: INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS, CISCO_BANNER,
# CISCO_DEF_DOMAIN, CISCO_SPLIT_INC_0_ADDR and so on.
vpnc_got() { # vpnc_got NAMESPACE NAME
	sed -n "s/^$2=//p" "$W/$1/environment.connect"
}

vpnc_address() { # vpnc_address NAMESPACE
	vpnc_got "$1" INTERNAL_IP4_ADDRESS
}
