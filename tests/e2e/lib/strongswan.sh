# SPDX-License-Identifier: LGPL-2.1-or-later
# strongswan.sh - a strongSwan client per namespace: hybrid authentication, a certificate or a shared
# key, in aggressive or main mode, a login and a password, an address by mode config. Each has its
# own daemon, control socket and configuration, below $W/NAMESPACE.

# ss_client NAMESPACE [KEY=VALUE]...: writes the configuration and starts the daemon. Keys:
#   user, password   the login (alice, wonderland)
#   id               whom the client expects (CN=vpn.example.net, the certificate's subject)
#   mode             aggressive or main (aggressive)
#   auth             hybrid, or for XAuth with something else before it psk or rsa; or without it
#                    psk_alone, or rsasig for a certificate (hybrid)
#   cert, key        with rsa, rsasig: PEM files of the client's certificate, issuers behind it, and key
#   own_id           with rsa, rsasig: who the client says it is (its certificate's subject)
#   psk              the shared key (squeamish ossifrage)
#   group            the client's own phase 1 identity (staff); in main mode it is its address
#   proposals, esp   what it offers (aes256-sha256-modp2048; aes256-sha256)
#   gateway          the address that it dials (198.51.100.2)
#   remote_ts        what shall go through the tunnel (10.10.0.0/24)
#   inner6           a network to reach over IPv6: asks for an IPv6 address, too, and has a CHILD_SA
#                    home6, to be initiated by ss_up6 (none)
#   unity            yes: speak Cisco Unity, which brings networks and more (no)
#   encap            yes: ESP in UDP even without a NAT (no)
#   pull             no: wait for mode config instead of asking (yes)
#   fragmentation    of IKE messages: no, accept, yes, force (yes)
#   fragment_size    the longest IKE packet, IP header included (1280)
#   dpd              clear, restart: asks every 2 s whether the gateway is there, and after 6 s
#                    gives up, or dials again (no)
#   child2           lines of another CHILD_SA, home2, separated by semicolons (none)
#   conn, child      more lines for the connection or its CHILD_SA, separated by semicolons
ss_client() {
	local ns=$1 dir=$W/$1 pair
	local user=alice password=wonderland id=CN=$GATEWAY_NAME group=staff unity=no encap=no pull=yes
	local mode=aggressive auth=hybrid psk="squeamish ossifrage"
	local proposals=aes256-sha256-modp2048 esp=aes256-sha256 remote_ts=10.10.0.0/24 gateway=$GATEWAY
	local fragmentation=yes fragment_size=1280 dpd=no conn= child= child2= cert= key= own_id= inner6=
	shift
	for pair; do
		case ${pair%%=*} in
		user | password | id | mode | auth | psk | group | proposals | esp | gateway | \
			remote_ts | unity | encap | pull | fragmentation | fragment_size | dpd | conn | \
			child | child2 | cert | key | own_id | inner6)
			printf -v "${pair%%=*}" %s "${pair#*=}"
			;;
		*) echo "ss_client knows no \"$pair\"" >&2 && return 1 ;;
		esac
	done
	mkdir -p "$dir/x509ca"
	rm -f "$dir/vici"
	cp "$PKI/ca.pem" "$dir/x509ca/"
	[ -z "$cert" ] || ss_take_certificate || return 1
	ss_write_daemon_conf >"$dir/strongswan.conf"
	ss_write_swanctl_conf >"$dir/swanctl.conf"
	STRONGSWAN_CONF=$dir/strongswan.conf become_in_ns "$ns" charon-systemd >"$dir/stderr.log" 2>&1 &
	printf -v "ss_pid_$ns" %s $!
	at_end+=("ss_stop $ns")
	wait_for 30 test -S "$dir/vici" && ss "$ns" --load-all --noprompt >"$dir/load.log"
}

# Reads the variables of ss_client.
ss_write_daemon_conf() {
	cat <<E
charon-systemd {
  # No more than is needed: each costs time at the start.
  load = random nonce openssl pem pkcs1 x509 revocation constraints pubkey kernel-netlink \
    socket-default vici resolve xauth-generic unity
  cisco_unity = $unity
  fragment_size = $fragment_size
  retransmit_timeout = 2.0
  plugins {
    vici { socket = unix://$dir/vici }
    resolve { file = $dir/resolv.conf }
  }
  journal { default = -1 }
  filelog {
    log {
      path = $dir/charon.log
      time_format = %T
      time_add_ms = yes
      default = 1
      ike = 2
      cfg = 1
      enc = 1
      flush_line = yes
    }
  }
}
swanctl {
  load = random openssl pem pkcs1 pkcs8 x509
  socket = unix://$dir/vici
}
E
}

ss_write_swanctl_conf() {
	local aggressive=no dpd_delay=0s dpd_action=clear
	[ $dpd = no ] || dpd_delay=2s dpd_action=$dpd
	[ $mode = main ] || aggressive=yes
	if [[ $auth = rsa* ]]; then
		own_id=${own_id:+id = "\"$own_id\""}
	elif [ $mode = aggressive ]; then
		own_id="id = keyid:$group"
	fi
	cat <<E
connections {
  home {
    version = 1
    aggressive = $aggressive
    remote_addrs = $gateway
    vips = 0.0.0.0${inner6:+, ::}
    proposals = $proposals
    encap = $encap
    pull = $pull
    fragmentation = $fragmentation
    dpd_delay = $dpd_delay
    dpd_timeout = 6s
    ${conn//;/$'\n'    }
$(ss_write_rounds_$auth)
    children {
      home {
        remote_ts = $remote_ts
        esp_proposals = $esp
        dpd_action = $dpd_action
        ${child//;/$'\n'        }
      }
$(ss_write_child6)
$(ss_write_child2)
    }
  }
}
secrets {
  xauth-user {
    id = $user
    secret = "$(ss_quote "$password")"
  }
  ike-gateway {
    secret = "$(ss_quote "$psk")"
  }
}
E
}

# The side of the client is a network here: "dynamic" is the first address of the session, which
# is that of IPv4.
ss_write_child6() {
	[ -z "$inner6" ] || cat <<E
      home6 {
        local_ts = $POOL6
        remote_ts = $inner6
        esp_proposals = $esp
      }
E
}

ss_write_child2() {
	[ -z "$child2" ] || cat <<E
      home2 {
        esp_proposals = $esp
        ${child2//;/$'\n'        }
      }
E
}

ss_quote() { # ss_quote TEXT
	local text=${1//\\/\\\\}
	printf %s "${text//\"/\\\"}"
}

ss_write_rounds_hybrid() {
	cat <<E
    local {
      auth = xauth-generic
      $own_id
      xauth_id = $user
    }
    remote {
      auth = pubkey
      id = "$id"
    }
E
}

ss_write_rounds_psk_alone() {
	cat <<E
    local {
      auth = psk
      $own_id
    }
    remote {
      auth = psk
      id = "$id"
    }
E
}

ss_write_rounds_psk() {
	cat <<E
    local-psk {
      auth = psk
      $own_id
    }
    local-xauth {
      auth = xauth-generic
      xauth_id = $user
    }
    remote-psk {
      auth = psk
      id = "$id"
    }
E
}

# The client's own certificate; those of its issuers, to send along.
ss_take_certificate() {
	rm -rf "$dir/x509" "$dir/private" "$dir/x509ca"
	mkdir -p "$dir/x509" "$dir/private" "$dir/x509ca"
	cp "$PKI/ca.pem" "$dir/x509ca/"
	cp "$key" "$dir/private/own.key" || return 1
	awk -v own="$dir/x509/own.pem" -v by="$dir/x509ca/by" '
		/-BEGIN CERTIFICATE-/ { n++ }
		{ print > (n == 1 ? own : by n ".pem") }' "$cert"
}

ss_write_rounds_rsasig() {
	cat <<E
    local-rsa {
      auth = pubkey
      certs = own.pem
      $own_id
    }
    remote-rsa {
      auth = pubkey
      id = "$id"
    }
E
}

ss_write_rounds_rsa() {
	ss_write_rounds_rsasig
	cat <<E
    local-xauth {
      auth = xauth-generic
      xauth_id = $user
    }
E
}

# ss NAMESPACE OPTION...: swanctl for that client's daemon
ss() {
	SWANCTL_DIR=$W/$1 STRONGSWAN_CONF=$W/$1/strongswan.conf swanctl "${@:2}"
}

# Logs in. Fails when the gateway refuses or does not answer within 40 seconds.
ss_up() { # ss_up NAMESPACE
	ss "$1" --initiate --child home --timeout 40 >"$W/$1/initiate.log" 2>&1 && return
	tail -n 5 "$W/$1/initiate.log"
	return 1
}

# The CHILD_SA for IPv6 under the same ISAKMP SA.
ss_up6() { # ss_up6 NAMESPACE
	ss "$1" --initiate --child home6 --timeout 40 >"$W/$1/initiate6.log" 2>&1 && return
	tail -n 5 "$W/$1/initiate6.log"
	return 1
}

ss_down() { # ss_down NAMESPACE
	ss "$1" --terminate --ike home --timeout 20
}

# The address from the gateway.
ss_address() { # ss_address NAMESPACE
	in_ns "$1" ip -4 -o addr show dev wan | sed -n 's/.* inet \(10\.99\.[0-9.]*\).*/\1/p'
}

ss_address6() { # ss_address6 NAMESPACE
	in_ns "$1" ip -6 -o addr show dev wan | sed -n 's/.* inet6 \(fd00:99:[0-9a-f:]*\).*/\1/p'
}

# The daemon is killed, as in a crash of the machine: nobody is told, it remembers nothing.
ss_crash() { # ss_crash NAMESPACE
	local pid=ss_pid_$1
	kill -KILL "${!pid}"
	wait_for 10 gone "${!pid}"
	ss_sweep "$1"
	printf -v "$pid" %s ''
}

# Takes away what a daemon leaves in the kernel that did not end by itself. Its table of routes
# comes before all others: a route in it would lead the next client's packets past its tunnel.
ss_sweep() { # ss_sweep NAMESPACE
	xfrm_flush "$1"
	in_ns "$1" ip -4 addr flush dev wan to 10.99.99.0/24
	in_ns "$1" ip -6 addr flush dev wan to $POOL6
	in_ns "$1" ip route flush table 220 2>/dev/null || true
	in_ns "$1" ip -6 route flush table 220 2>/dev/null || true
}

# What strongSwan 5.9 writes.
ss_asked='parsed INFORMATIONAL_V1 request .* N\(DPD\)'
ss_answered='generating INFORMATIONAL_V1 request .* N\(DPD_ACK\)'
ss_refused="XAuth authentication of '.*' \(myself\) failed"
ss_not_let_in='received AUTHENTICATION_FAILED error notify'
ss_wrong_name="IDir '.*' does not match to '.*'"
ss_no_proposal='received NO_PROPOSAL_CHOSEN error notify'
ss_deleted='received DELETE for IKE_SA home'

ss_says() { # ss_says NAMESPACE EXTENDED-REGEX: a line of the client's log, within ten seconds
	wait_for_line 10 "$W/$1/charon.log" "$2"
}

# Starts its log anew, so that ss_says sees only what comes now. The daemon appends.
ss_forget() { # ss_forget NAMESPACE
	: >"$W/$1/charon.log"
}

# The same, as it is.
ss_says_now() { # ss_says_now NAMESPACE EXTENDED-REGEX
	grep -qE -- "$2" "$W/$1/charon.log"
}

ss_is_down() { # ss_is_down NAMESPACE
	[ -z "$(ss "$1" --list-sas)" ]
}

ss_stop() { # ss_stop NAMESPACE
	local pid=ss_pid_$1
	[ -n "${!pid:-}" ] || return 0
	stop_process "${!pid}"
	printf -v "$pid" %s ''
	ss_sweep "$1"
}
